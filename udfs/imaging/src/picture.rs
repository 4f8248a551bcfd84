//! A slice of a volume as a PNG picture.

use std::io::Cursor;

use ndarray::{Array2, ArrayView2, Axis};

use crate::error::{ImageError, Result};
use crate::ops::{GEOMETRY_TOLERANCE, same_grid};
use crate::{Volume, Voxels, mask};

/// The plane that is shown, by the grid's own axes (for a scan with its axes along the patient's).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Plane {
    /// Rows along x, columns along y.
    #[default]
    Axial,
    /// Rows along x, columns along z; the last slice is on top, the patient's head in a scan from feet to head.
    Coronal,
    /// Rows along y, columns along z; the last slice is on top.
    Sagittal,
}

/// What to show and how.
#[derive(Debug, Clone, PartialEq)]
pub struct PngOptions {
    pub plane: Plane,
    /// Slice along the plane's normal; by default where the mask is largest, else the middle.
    pub index: Option<usize>,
    /// (center, width) shown from black to white; by default from the slice's minimum to its maximum.
    pub window: Option<(f64, f64)>,
    /// Pixels per voxel along the finer axis of the plane; the other axis follows from the spacing.
    pub scale: f64,
    /// Colour of the mask's outline.
    pub contour: [u8; 3],
    /// A heat map over a part of the slice.
    pub heat: Option<Heat>,
}

/// A heat map to lay over a slice: nothing where it is 0, the strongest colour where it is 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Heat {
    /// Values between 0 and 1, rows and columns as in the slice; stretched over the rectangle.
    pub values: Array2<f64>,
    /// Rows and columns of the slice that the values cover, half-open.
    pub rows: [usize; 2],
    pub columns: [usize; 2],
    /// Opacity of the strongest colour, 0 to 1.
    pub opacity: f64,
}

/// matplotlib's inferno at five places: dark to light, for colour-blind readers and in grey print too.
const INFERNO: [[f64; 3]; 5] = [[0.0, 0.0, 4.0], [87.0, 16.0, 110.0], [188.0, 55.0, 84.0], [249.0, 142.0, 9.0], [252.0, 255.0, 164.0]];

impl Heat {
    /// The value at a place in the slice, 0 outside.
    fn at(&self, row: f64, column: f64) -> f64 {
        let part = |place: f64, [from, to]: [usize; 2], values: usize| {
            let inside = (place + 0.5 - from as f64) / (to as f64 - from as f64);
            (0.0..1.0).contains(&inside).then_some(inside * values as f64 - 0.5)
        };
        let (rows, columns) = self.values.dim();
        match (part(row, self.rows, rows), part(column, self.columns, columns)) {
            (Some(row), Some(column)) => bilinear(&self.values, row, column).clamp(0.0, 1.0),
            _ => 0.0,
        }
    }

    /// A grey pixel with this much heat on it.
    fn tint(&self, grey: u8, value: f64) -> [u8; 3] {
        let place = value * (INFERNO.len() - 1) as f64;
        let below = (place as usize).min(INFERNO.len() - 2);
        let (share, alpha) = (place - below as f64, self.opacity.clamp(0.0, 1.0) * value.sqrt());
        std::array::from_fn(|i| {
            let colour = INFERNO[below][i] + share * (INFERNO[below + 1][i] - INFERNO[below][i]);
            ((1.0 - alpha) * f64::from(grey) + alpha * colour).round() as u8
        })
    }
}

impl Default for PngOptions {
    fn default() -> Self {
        PngOptions { plane: Plane::Axial, index: None, window: None, scale: 1.0, contour: [255, 60, 40], heat: None }
    }
}

/// Pixels along one side of a picture.
const MAX_SIDE: f64 = 8192.0;

/// The bytes of a PNG: grey, or colour when a mask's outline or a heat map is drawn. Pixels are square in mm; values between voxels
/// are bilinear, the mask's nearest. The mask must lie on the volume's grid.
pub fn png(volume: &Volume, mask: Option<&Volume>, options: &PngOptions) -> Result<Vec<u8>> {
    if let Some(mask) = mask {
        same_grid("the image and the mask", &volume.geometry, &mask.geometry, GEOMETRY_TOLERANCE)?;
    }
    // Array axis of the normal; grid axes of rows and columns.
    let (normal, across, down) = match options.plane {
        Plane::Axial => (0, 0, 1),
        Plane::Coronal => (1, 0, 2),
        Plane::Sagittal => (2, 1, 2),
    };
    let upside_down = options.plane != Plane::Axial;
    let mask = mask.map(mask::binary);
    let outline = match mask.as_ref().map(|m| &m.voxels) {
        Some(Voxels::U8(a)) => Some(a),
        _ => None,
    };
    let (nz, ny, nx) = volume.voxels.dim();
    let slices = [nz, ny, nx][normal];
    let index = options.index.unwrap_or_else(|| {
        let area = |i: usize| outline.map_or(0, |a| a.index_axis(Axis(normal), i).iter().filter(|v| **v == 1).count());
        // The first of equally large ones.
        (0..slices).rev().max_by_key(|i| area(*i)).filter(|i| area(*i) > 0).unwrap_or(slices / 2)
    });
    if index >= slices {
        return Err(ImageError::Operation(format!("slice {index} of an image with {slices} slices along that axis (0 to {})", slices - 1)));
    }
    let slice = volume.voxels.slice_f64(normal, index);
    let outline = outline.map(|a| a.index_axis(Axis(normal), index));
    let (low, high) = match options.window {
        Some((center, width)) if center.is_finite() && width.is_finite() && width > 0.0 => (center - width / 2.0, center + width / 2.0),
        Some((center, width)) => {
            return Err(ImageError::Operation(format!(
                "window center {center}, width {width}: expected finite numbers and a width above 0"
            )));
        }
        None => slice.iter().filter(|v| v.is_finite()).fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(*v), h.max(*v))),
    };
    let spacing = [volume.geometry.spacing[across], volume.geometry.spacing[down]];
    let pixel = spacing[0].min(spacing[1]) / options.scale;
    let (rows, columns) = slice.dim();
    let sides = [columns as f64 * spacing[0] / pixel, rows as f64 * spacing[1] / pixel].map(|side| side.round().max(1.0));
    if !(options.scale.is_finite() && options.scale > 0.0 && sides.iter().all(|side| *side <= MAX_SIDE)) {
        let why = format!("scale {}: the picture would have {} x {} pixels", options.scale, sides[0], sides[1]);
        return Err(ImageError::Operation(format!("{why}; expected a scale above 0 and at most {MAX_SIDE} pixels a side")));
    }
    let [width, height] = sides.map(|side| side as usize);
    // Centre of a pixel, in voxels.
    let place = |i: usize, pixels: usize, voxels: usize| (i as f64 + 0.5) * voxels as f64 / pixels as f64 - 0.5;
    let row = |y: usize| place(if upside_down { height - 1 - y } else { y }, height, rows);
    let grey = Array2::from_shape_fn((height, width), |(y, x)| {
        let v = (bilinear(&slice, row(y), place(x, width, columns)) - low) / (high - low);
        // NaN, and a slice of one value, are black.
        (255.0 * v.clamp(0.0, 1.0)).round() as u8
    });
    if outline.is_none() && options.heat.is_none() {
        return encode(grey.as_slice().unwrap_or_default(), width, height, png::ColorType::Grayscale);
    }
    let inside = Array2::from_shape_fn((height, width), |(y, x)| {
        outline.as_ref().is_some_and(|outline| nearest(outline.view(), row(y), place(x, width, columns)))
    });
    let mut pixels = Vec::with_capacity(3 * width * height);
    for ((y, x), v) in grey.indexed_iter() {
        let outside = |y: usize, x: usize| inside.get((y, x)).is_none_or(|v| !v);
        let rim =
            inside[[y, x]] && (outside(y.wrapping_sub(1), x) || outside(y + 1, x) || outside(y, x.wrapping_sub(1)) || outside(y, x + 1));
        let colour = match &options.heat {
            _ if rim => options.contour,
            Some(heat) => heat.tint(*v, heat.at(row(y), place(x, width, columns))),
            None => [*v; 3],
        };
        pixels.extend_from_slice(&colour);
    }
    encode(&pixels, width, height, png::ColorType::Rgb)
}

fn bilinear(slice: &Array2<f64>, row: f64, column: f64) -> f64 {
    let near = |v: f64, n: usize| {
        let v = v.clamp(0.0, (n - 1) as f64);
        let low = v.floor() as usize;
        (low, (low + 1).min(n - 1), v - v.floor())
    };
    let (rows, columns) = slice.dim();
    let (r0, r1, t) = near(row, rows);
    let (c0, c1, u) = near(column, columns);
    let along = |r: usize| slice[[r, c0]] + u * (slice[[r, c1]] - slice[[r, c0]]);
    along(r0) + t * (along(r1) - along(r0))
}

fn nearest(mask: ArrayView2<u8>, row: f64, column: f64) -> bool {
    let (rows, columns) = mask.dim();
    let at = |v: f64, n: usize| ((v + 0.5).floor().max(0.0) as usize).min(n - 1);
    mask[[at(row, rows), at(column, columns)]] == 1
}

fn encode(pixels: &[u8], width: usize, height: usize, color: png::ColorType) -> Result<Vec<u8>> {
    let fail = |e: png::EncodingError| ImageError::Operation(format!("esccsql bug: a picture could not be encoded: {e}"));
    let mut out = Cursor::new(Vec::new());
    let mut encoder = png::Encoder::new(&mut out, width as u32, height as u32);
    encoder.set_color(color);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().map_err(fail)?;
    writer.write_image_data(pixels).map_err(fail)?;
    writer.finish().map_err(fail)?;
    Ok(out.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Geometry;
    use ndarray::Array3;

    fn decode(bytes: &[u8]) -> (usize, usize, Vec<u8>) {
        let mut reader = png::Decoder::new(Cursor::new(bytes)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        (info.width as usize, info.height as usize, pixels)
    }

    fn scan() -> Volume {
        let geometry = Geometry { spacing: [1.0, 1.0, 2.5], ..Geometry::identity([6, 5, 4]) };
        let voxels = Array3::from_shape_fn((4, 5, 6), |(z, y, x)| (40 * z + 4 * y + x) as i16);
        Volume { geometry, voxels: Voxels::I16(voxels) }
    }

    #[test]
    fn an_axial_slice_shows_each_voxel() {
        let options = PngOptions { index: Some(1), window: Some((127.5, 255.0)), ..PngOptions::default() };
        let (width, height, pixels) = decode(&png(&scan(), None, &options).unwrap());
        assert_eq!((width, height), (6, 5));
        assert_eq!(pixels[..7], [40, 41, 42, 43, 44, 45, 44]);
    }

    #[test]
    fn other_planes_have_square_pixels_and_the_head_on_top() {
        let options = PngOptions { plane: Plane::Coronal, index: Some(0), scale: 2.0, ..PngOptions::default() };
        let (width, height, pixels) = decode(&png(&scan(), None, &options).unwrap());
        assert_eq!((width, height), (12, 20));
        assert_eq!((pixels[11], pixels[19 * 12]), (255, 0));
        let options = PngOptions { plane: Plane::Sagittal, ..PngOptions::default() };
        let (width, height, _) = decode(&png(&scan(), None, &options).unwrap());
        assert_eq!((width, height), (5, 10));
    }

    #[test]
    fn the_largest_cross_section_is_outlined() {
        let mut labels = Array3::<u8>::zeros((4, 5, 6));
        labels[[3, 0, 0]] = 1;
        labels.slice_mut(ndarray::s![2, 1..4, 1..4]).fill(1);
        let mask = Volume { geometry: scan().geometry, voxels: Voxels::U8(labels) };
        let options = PngOptions { contour: [255, 0, 0], ..PngOptions::default() };
        let (width, _, pixels) = decode(&png(&scan(), Some(&mask), &options).unwrap());
        let rim = pixels.chunks(3).filter(|p| *p == [255, 0, 0]).count();
        assert_eq!((width, rim), (6, 8));
        let mut other = mask.clone();
        other.geometry.origin[0] = 3.0;
        assert!(png(&scan(), Some(&other), &options).unwrap_err().to_string().contains("origin"));
    }

    #[test]
    fn heat_covers_its_rectangle_and_leaves_the_rest_grey() {
        let heat = Heat { values: Array2::from_elem((2, 2), 1.0), rows: [1, 3], columns: [2, 4], opacity: 1.0 };
        let options = PngOptions { index: Some(0), heat: Some(heat), ..PngOptions::default() };
        let (width, _, pixels) = decode(&png(&scan(), None, &options).unwrap());
        for (i, p) in pixels.chunks(3).enumerate() {
            let hot = (1..3).contains(&(i / width)) && (2..4).contains(&(i % width));
            assert_eq!(p == [252, 255, 164], hot, "pixel {i}");
            assert!(hot || (p[0] == p[1] && p[1] == p[2]), "pixel {i}");
        }
    }

    #[test]
    fn impossible_pictures_are_refused_and_odd_voxels_are_black() {
        for options in [
            PngOptions { index: Some(4), ..PngOptions::default() },
            PngOptions { scale: 0.0, ..PngOptions::default() },
            PngOptions { scale: f64::NAN, ..PngOptions::default() },
            PngOptions { scale: 1e9, ..PngOptions::default() },
            PngOptions { window: Some((0.0, 0.0)), ..PngOptions::default() },
        ] {
            assert!(png(&scan(), None, &options).is_err(), "{options:?}");
        }
        let odd = Volume { voxels: Voxels::F32(Array3::from_elem((4, 5, 6), f32::NAN)), ..scan() };
        assert!(decode(&png(&odd, None, &PngOptions::default()).unwrap()).2.iter().all(|v| *v == 0));
    }
}
