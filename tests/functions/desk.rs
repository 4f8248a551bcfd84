//! What the tests share: a working folder with images, and sessions with the tables that the examples speak of.

use std::path::Path;
use std::sync::LazyLock;

use esccsql::engine::duckdb::{Session, Settings, open};
use esccsql_imaging::{Geometry, Volume, Voxels, write_volume};
use ndarray::Array3;
use tempfile::TempDir;

/// The working folder of this process, with the images of the examples and, in `bad/`, files that are not as they should be.
static FOLDER: LazyLock<TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a temporary folder");
    images(folder.path());
    bad_files(folder.path());
    std::env::set_current_dir(folder.path()).expect("a working folder");
    folder
});

/// The checkout, told at run time: tests change the working directory, and a build folder may outlive the checkout it was made from.
pub fn checkout() -> std::path::PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").expect("run with cargo test").into()
}

/// A session in the working folder, with the examples' tables.
pub fn session() -> Session {
    let session = bare_session();
    session.execute_batch(include_str!("tables.sql")).expect("the examples' tables");
    session
}

/// A session in the working folder, without tables.
pub fn bare_session() -> Session {
    LazyLock::force(&FOLDER);
    open(None, &Settings::default()).expect("a session")
}

/// A grid of anisotropic voxels, x, y, z.
fn grid(size: [usize; 3]) -> Geometry {
    Geometry { spacing: [1.5, 1.5, 3.0], origin: [-20.0, -20.0, -15.0], ..Geometry::identity(size) }
}

const SIZE: [usize; 3] = [32, 30, 12];

/// A ball of this radius in mm around a centre in mm, from the volume's middle.
fn ball(size: [usize; 3], radius: f64, shift: [f64; 3]) -> Volume {
    let geometry = grid(size);
    let voxels = Array3::from_shape_fn(geometry.shape(), |(z, y, x)| {
        let squares = [x, y, z].into_iter().enumerate().map(|(axis, index)| {
            let middle = (size[axis] - 1) as f64 / 2.0;
            ((index as f64 - middle) * geometry.spacing[axis] - shift[axis]).powi(2)
        });
        u8::from(squares.sum::<f64>() <= radius * radius)
    });
    Volume { geometry, voxels: Voxels::U8(voxels) }
}

/// Something like a CT: a bright body with texture in air.
fn scan(size: [usize; 3]) -> Array3<f32> {
    Array3::from_shape_fn((size[2], size[1], size[0]), |(z, y, x)| {
        let texture = 40.0 * (0.9 * x as f32).sin() + 30.0 * (0.31 * (y * (z + 1)) as f32).cos();
        let inside = (3..size[0] - 3).contains(&x) && (3..size[1] - 3).contains(&y);
        if inside { (50.0 + texture).round() } else { -1000.0 }
    })
}

fn images(folder: &Path) {
    let write = |name: &str, volume: &Volume| write_volume(folder.join(name), volume).expect("a written volume");
    write("scan.nii.gz", &Volume { geometry: grid(SIZE), voxels: Voxels::F32(scan(SIZE)) });
    write("gtv.nii.gz", &ball(SIZE, 12.0, [0.0; 3]));
    write("gtv_reader2.nii.gz", &ball(SIZE, 11.0, [1.5, 0.0, 0.0]));
    layers(&folder.join("layers.nrrd"));
    let params = "\
# A parameter file of PyRadiomics.
imageType:
  Original: {}
  LoG:
    sigma: [2.0, 3]
featureClass:
  shape:
  firstorder: [Mean, Energy]
  glcm:
setting:
  binWidth: 10
  label: 1
  resampledPixelSpacing: [2, 2, 2]
  interpolator: 'sitkBSpline'
voxelSetting:
  kernelRadius: 2
  initValue: nan
";
    std::fs::write(folder.join("params.yaml"), params).expect("a written file");
    let network = esccsql_crossformer::weights::initial(&esccsql_crossformer::Config::micro().channels(7), 1);
    std::fs::write(folder.join("network.safetensors"), network.to_safetensors().expect("weights")).expect("a written file");
}

/// The two readers' masks as the channels of one file.
fn layers(path: &Path) {
    let grid = grid(SIZE);
    let [nx, ny, nz] = SIZE;
    let [x, y, z] = grid.spacing;
    let [ox, oy, oz] = grid.origin;
    let mut bytes = format!(
        "NRRD0004\ntype: uchar\ndimension: 4\nsizes: 2 {nx} {ny} {nz}\nspace: left-posterior-superior\nkinds: list domain domain domain\n\
         space directions: none ({x},0,0) (0,{y},0) (0,0,{z})\nspace origin: ({ox},{oy},{oz})\nencoding: raw\n\n"
    )
    .into_bytes();
    let (one, two) = (ball(SIZE, 12.0, [0.0; 3]), ball(SIZE, 11.0, [1.5, 0.0, 0.0]));
    let (Voxels::U8(one), Voxels::U8(two)) = (one.voxels, two.voxels) else { unreachable!("a ball is uint8") };
    bytes.extend(one.iter().zip(&two).flat_map(|(one, two)| [*one, *two]));
    std::fs::write(path, bytes).expect("a written file");
}

fn bad_files(folder: &Path) {
    let folder = folder.join("bad");
    std::fs::create_dir(&folder).expect("a folder");
    let path = |name: &str| folder.join(name);
    let write = |name: &str, volume: &Volume| write_volume(path(name), volume).expect("a written volume");
    let image = |voxels| Volume { geometry: grid(SIZE), voxels: Voxels::F32(voxels) };

    write("empty_mask.nii.gz", &ball(SIZE, 0.0, [0.0; 3]));
    write("one_voxel.nii.gz", &ball(SIZE, 1.0, [0.75, 0.75, 1.5]));
    write("other_grid.nii.gz", &ball([20, 20, 10], 8.0, [0.0; 3]));
    write("flat.nii.gz", &image(Array3::from_elem(grid(SIZE).shape(), 7.0)));
    let mut holes = scan(SIZE);
    holes[(6, 15, 16)] = f32::NAN;
    write("not_finite.nii.gz", &image(holes));

    // A file that ends too early, packed and not.
    write("whole.nii", &image(scan(SIZE)));
    let bytes = std::fs::read(path("whole.nii")).expect("a file");
    std::fs::write(path("short.nii"), &bytes[..bytes.len() / 2]).expect("a file");
    let mut liar = bytes.clone();
    // NIfTI-1's dim[1..=3] at offset 42, each the largest that 16 bits hold.
    for axis in 0..3 {
        liar[42 + 2 * axis..44 + 2 * axis].copy_from_slice(&i16::MAX.to_le_bytes());
    }
    std::fs::write(path("liar.nii"), liar).expect("a file");
    let packed = std::fs::read(folder.with_file_name("scan.nii.gz")).expect("a file");
    std::fs::write(path("truncated.nii.gz"), &packed[..packed.len() / 2]).expect("a file");
    std::fs::write(path("notes.nii"), "Patient was scanned on Monday.\n").expect("a file");
    std::fs::write(path("nothing.nii"), "").expect("a file");
    std::fs::write(path("params.yaml"), "setting:\n  binwidth: 10\n").expect("a file");
}
