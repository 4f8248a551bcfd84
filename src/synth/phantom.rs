//! A contrast-enhanced CT of the mediastinum in Hounsfield units, and the readers' masks of its tumour.

use esccsql_imaging::{Geometry, Volume, Voxels};
use ndarray::Array3;

use super::cohort::Patient;
use super::field::Field;
use super::math;
use super::random::{Purpose, Stream};
use super::tumour::{Reader, Tumour};

/// Grid of the scans.
#[derive(Debug, Clone, Copy)]
pub struct Grid {
    /// Voxels along x, y and z.
    pub size: [usize; 3],
    /// Millimetres.
    pub spacing: [f64; 3],
    /// Length of the body and its tumour relative to a real one; below 1 a cohort is a miniature.
    pub scale: f64,
}

/// When a scan was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timepoint {
    Pre,
    Post,
}

/// A scan and two readers' masks of the gross tumour volume.
pub struct Scan {
    pub image: Volume,
    pub masks: [Volume; 2],
}

/// Standard deviation of a reader's displacement of the outline in mm, and each reader's habit: the second draws wider.
const READER_SD: f64 = 0.8;
const READER_BIAS: [f64; 2] = [-0.1, 0.25];

impl Timepoint {
    pub const ALL: [Timepoint; 2] = [Timepoint::Pre, Timepoint::Post];

    pub fn name(self) -> &'static str {
        match self {
            Timepoint::Pre => "pre",
            Timepoint::Post => "post",
        }
    }

    fn pick<T>(self, pre: T, post: T) -> T {
        match self {
            Timepoint::Pre => pre,
            Timepoint::Post => post,
        }
    }
}

/// The scan of a patient. Depends on the seed, the patient and the grid only.
pub fn scan(patient: &Patient, timepoint: Timepoint, grid: Grid, seed: u64) -> Scan {
    let stream = |purpose| Stream::new(seed, purpose, patient.number);
    let mut shape = stream(Purpose::ShapePre);
    let [before, after] = Tumour::pair(&patient.planted, grid.scale, &mut shape, &mut stream(Purpose::ShapePost));
    let tumour = timepoint.pick(before, after);
    let mut image = Anatomy::new(patient.clinical.location, &mut stream(Purpose::Anatomy)).paint(grid, &tumour);
    paint_tumour(
        &mut image,
        grid,
        &tumour,
        Inside::of(patient, timepoint),
        &mut stream(timepoint.pick(Purpose::TexturePre, Purpose::TexturePost)),
    );
    image.blur_in_plane(patient.centre.blur_mm / grid.spacing[0]);
    let noise = Field::correlated_noise(grid.size, [0.9, 0.9, 0.0], &mut stream(timepoint.pick(Purpose::NoisePre, Purpose::NoisePost)));
    let sd = patient.centre.noise_hu as f32;
    let voxels = image.values.iter().zip(&noise.values).map(|(v, n)| (v + sd * n).round().clamp(-1024.0, 3071.0) as i16);
    let image = grid.volume(voxels.collect(), Voxels::I16);
    let readers = timepoint.pick([Purpose::Reader1Pre, Purpose::Reader2Pre], [Purpose::Reader1Post, Purpose::Reader2Post]);
    let masks = [0, 1].map(|r| {
        let mut random = stream(readers[r]);
        mask(grid, &tumour, &mut Reader::new(&mut random, READER_SD, READER_BIAS[r]))
    });
    Scan { image, masks }
}

impl Grid {
    /// Coordinate in mm of voxel `index` along `axis`, from the centre of the field of view.
    fn coordinate(&self, axis: usize, index: usize) -> f64 {
        (index as f64 - 0.5 * (self.size[axis] - 1) as f64) * self.spacing[axis]
    }

    fn voxels(&self) -> usize {
        self.size.iter().product()
    }

    fn volume<T>(&self, voxels: Vec<T>, kind: fn(Array3<T>) -> Voxels) -> Volume {
        let mut geometry = Geometry::identity(self.size);
        geometry.spacing = self.spacing;
        geometry.origin = [0, 1, 2].map(|axis| self.coordinate(axis, 0));
        let array = Array3::from_shape_vec(geometry.shape(), voxels).expect("one value per voxel of the grid");
        Volume { geometry, voxels: kind(array) }
    }

    /// Voxels along `axis` within `reach` mm of `centre`.
    fn range(&self, axis: usize, centre: f64, reach: f64) -> std::ops::Range<usize> {
        let middle = 0.5 * (self.size[axis] - 1) as f64;
        let index = |coordinate: f64| (coordinate / self.spacing[axis] + middle).clamp(0.0, self.size[axis] as f64);
        index(centre - reach).floor() as usize..(index(centre + reach).ceil() as usize + 1).min(self.size[axis])
    }
}

/// Organs around the oesophagus; lengths in mm of a real body, x to the left, y to the back.
struct Anatomy {
    level: Level,
    aorta: [f64; 2],
    aorta_radius: f64,
    spine: [f64; 2],
    mediastinum: f64,
    lung_hu: f64,
    blood_hu: f64,
    bone_hu: f64,
}

/// What lies in front of the oesophagus.
#[derive(Clone, Copy)]
enum Level {
    Trachea,
    Carina,
    Heart,
}

const FAT: f64 = -95.0;
const MUSCLE: f64 = 50.0;
const AIR: f64 = -980.0;
/// Peritumoral tissue, between fat and muscle.
const STRANDED: f64 = 48.0;

impl Anatomy {
    fn new(location: &str, random: &mut Stream) -> Self {
        let mut near = |value: f64, sd: f64| value + sd * random.normal_within(2.0);
        Anatomy {
            level: match location {
                "proximal" => Level::Trachea,
                "middle" => Level::Carina,
                _ => Level::Heart,
            },
            aorta: [near(22.0, 1.5), near(24.0, 1.5)],
            aorta_radius: near(11.5, 0.8),
            spine: [near(0.0, 1.0), near(42.0, 1.0)],
            mediastinum: near(31.0, 1.5),
            lung_hu: near(-820.0, 20.0),
            blood_hu: near(165.0, 12.0),
            bone_hu: near(210.0, 25.0),
        }
    }

    /// The thorax without its tumour; the oesophagus follows the tumour's axis.
    fn paint(&self, grid: Grid, tumour: &Tumour) -> Field {
        let mut values = Vec::with_capacity(grid.voxels());
        let across: Vec<f64> = (0..grid.size[0]).map(|i| grid.coordinate(0, i) / grid.scale).collect();
        for k in 0..grid.size[2] {
            let z = grid.coordinate(2, k);
            let (axis_x, axis_y) = tumour.axis(z);
            let (axis_x, axis_y) = (axis_x / grid.scale, axis_y / grid.scale);
            for j in 0..grid.size[1] {
                let y = grid.coordinate(1, j) / grid.scale;
                for &x in &across {
                    let mut hu = FAT;
                    // Lungs: beyond a mediastinum that is narrowest at the oesophagus.
                    let half_width = self.mediastinum + 0.004 * (y + 5.0) * (y + 5.0);
                    cover(&mut hu, self.lung_hu, half_width - x.abs());
                    cover(&mut hu, MUSCLE, ellipse(x.abs(), y, [31.0, 47.0], [15.0, 13.0]));
                    let spine = ellipse(x, y, self.spine, [19.0, 16.0]);
                    cover(&mut hu, self.bone_hu + 240.0, spine);
                    cover(&mut hu, self.bone_hu, spine + 2.5);
                    cover(&mut hu, self.blood_hu, ellipse(x, y, self.aorta, [self.aorta_radius; 2]));
                    match self.level {
                        Level::Trachea => {
                            let wall = ellipse(x, y, [-2.0, -17.0], [10.5, 10.0]);
                            cover(&mut hu, 40.0, wall);
                            cover(&mut hu, AIR, wall + 1.8);
                        }
                        Level::Carina => {
                            let wall = ellipse(x.abs(), y, [11.0, -19.0], [8.0, 7.5]);
                            cover(&mut hu, 40.0, wall);
                            cover(&mut hu, AIR, wall + 1.6);
                        }
                        Level::Heart => cover(&mut hu, self.blood_hu - 10.0, ellipse(x, y, [0.0, -36.0], [34.0, 20.0])),
                    }
                    let tube = ellipse(x, y, [axis_x, axis_y], [8.0, 6.5]);
                    cover(&mut hu, 48.0, tube);
                    cover(&mut hu, -20.0, tube + 5.0);
                    values.push(hu as f32);
                }
            }
        }
        Field { size: grid.size, values }
    }
}

/// Blends `tissue` over `hu` where the signed distance `outside` (mm) is negative, with a soft edge of 1.6 mm.
fn cover(hu: &mut f64, tissue: f64, outside: f64) {
    let share = (0.5 - outside / 1.6).clamp(0.0, 1.0);
    *hu += share * (tissue - *hu);
}

/// Distance outside an ellipse, near its edge; negative inside.
fn ellipse(x: f64, y: f64, centre: [f64; 2], radii: [f64; 2]) -> f64 {
    let (dx, dy) = ((x - centre[0]) / radii[0], (y - centre[1]) / radii[1]);
    ((dx * dx + dy * dy).sqrt() - 1.0) * 0.5 * (radii[0] + radii[1])
}

/// A tumour's attenuation.
struct Inside {
    mean: f64,
    /// Standard deviation of the texture in HU.
    texture: f64,
    /// Standard deviation in mm of the Gaussian that makes the texture.
    grain: f64,
    /// Standard deviation in HU of the fall from rim to core.
    rim: f64,
}

impl Inside {
    fn of(patient: &Patient, timepoint: Timepoint) -> Self {
        let planted = &patient.planted;
        let texture_pre = 24.0 * math::exp(0.12 * planted.texture_pre);
        let rim = timepoint.pick(planted.rim_pre, planted.rim_post);
        Inside {
            mean: timepoint.pick(80.0, 75.0) + 4.0 * planted.enhancement,
            texture: timepoint.pick(texture_pre, texture_pre * math::exp(0.35 * planted.texture_change - 0.1)),
            grain: 1.7 * math::exp(0.2 * planted.grain),
            rim: 20.0 + 16.0 * rim,
        }
    }

    fn at(&self, depth: f64, texture: f64) -> f64 {
        // depth^2 has mean 3/5 and standard deviation 0.262 over a ball.
        let pattern = (depth.min(1.0) * depth.min(1.0) - 0.6) / 0.262;
        (self.mean + self.rim * pattern + self.texture * texture).clamp(-110.0, 260.0)
    }
}

/// Lays the tumour and the tissue that it strands over the thorax.
fn paint_tumour(image: &mut Field, grid: Grid, tumour: &Tumour, inside: Inside, random: &mut Stream) {
    let sigma = grid.spacing.map(|spacing| inside.grain / spacing);
    let texture = Field::correlated_noise(grid.size, sigma, random);
    let margin = 6.0 * grid.scale;
    for k in 0..grid.size[2] {
        let z = grid.coordinate(2, k);
        let Some(slice) = tumour.slice(z) else { continue };
        let (x, y) = tumour.axis(z);
        for j in grid.range(1, y, tumour.reach() + margin) {
            for i in grid.range(0, x, tumour.reach() + margin) {
                let place = slice.place(grid.coordinate(0, i), grid.coordinate(1, j));
                if place.outside > margin {
                    continue;
                }
                let at = (k * grid.size[1] + j) * grid.size[0] + i;
                let mut hu = image.values[at] as f64;
                if hu < STRANDED {
                    let stranding = (1.6 * (1.0 - place.outside / margin)).clamp(0.0, 1.0);
                    hu += stranding * (STRANDED - hu);
                }
                cover(&mut hu, inside.at(place.depth, texture.values[at] as f64), place.outside);
                image.values[at] = hu as f32;
            }
        }
    }
}

/// What a reader draws: 1 inside the outline.
fn mask(grid: Grid, tumour: &Tumour, reader: &mut Reader) -> Volume {
    let mut voxels = vec![0u8; grid.voxels()];
    let slices = reader.draw(tumour, (0..grid.size[2]).map(|k| grid.coordinate(2, k)), grid.spacing[2]);
    for (k, slice) in slices.into_iter().enumerate() {
        let Some(slice) = slice else { continue };
        let (x, y) = tumour.axis(grid.coordinate(2, k));
        for j in grid.range(1, y, tumour.reach()) {
            for i in grid.range(0, x, tumour.reach()) {
                let place = slice.place(grid.coordinate(0, i), grid.coordinate(1, j));
                voxels[(k * grid.size[1] + j) * grid.size[0] + i] = (place.outside <= 0.0) as u8;
            }
        }
    }
    grid.volume(voxels, Voxels::U8)
}
