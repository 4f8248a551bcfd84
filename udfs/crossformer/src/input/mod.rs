//! 2.5D input: the tumour's largest cross-section and its neighbours as the channels of one picture.
//!
//! Rule, with arrays indexed [z, y, x]: the slice where the mask is largest (the lowest of equals) and `reach` slices to each side;
//! a slice beyond the volume's end is the end slice again. The smallest rectangle that holds the mask in any of these slices is cut
//! out of all of them and brought to `size` x `size` by the nearest voxel, each axis by itself. A slice without mask still
//! gives its channel. Intensities are taken as they come: window and standardise the image before.

use ndarray::{Array3, ArrayView3, s};
use serde::{Deserialize, Serialize};

/// Which voxel stands for a pixel when `n` voxels become `size` pixels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Nearest {
    /// The voxel under the pixel's centre: (2 pixel + 1) n / (2 size), torch's `nearest-exact`.
    #[default]
    Center,
    /// The voxel under the pixel's lower edge: pixel n / size, torch's `nearest`.
    Floor,
}

/// What becomes of voxels in the rectangle but outside the mask.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outside {
    /// They stay.
    #[default]
    Keep,
    /// They become 0.
    Zero,
}

/// Values of an input at most: a gigabyte.
const MOST: usize = 1 << 28;

/// How an input is cut out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Side of the picture, in pixels; a multiple of 32.
    pub size: usize,
    /// Slices to each side of the largest one; the input has 2 `reach` + 1 channels.
    pub reach: usize,
    pub nearest: Nearest,
    pub outside: Outside,
}

impl Default for Rule {
    fn default() -> Self {
        Rule { size: 224, reach: 3, nearest: Nearest::Center, outside: Outside::Keep }
    }
}

/// Why there is no input.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    #[error("the image has shape {image:?} (z, y, x), the mask {mask:?}; they must be on one grid")]
    OtherGrid { image: Vec<usize>, mask: Vec<usize> },
    #[error("the mask is empty; there is nothing to cut out")]
    EmptyMask,
    #[error("the image has a voxel that is not finite at z {z}, y {y}, x {x} inside the cut; repair the image or exclude the case")]
    NotFinite { z: usize, y: usize, x: usize },
    #[error("`size` is {0}; expected a multiple of 32, at most 4096")]
    Size(usize),
    #[error("`channels` is {}; expected at most 257, 128 slices to each side of the largest", .0.saturating_mul(2).saturating_add(1))]
    Reach(usize),
    #[error("{channels} channels of {size} x {size} are more than one input may hold; expected fewer `channels` or a smaller `size`")]
    TooLarge { channels: usize, size: usize },
}

/// Where an input was cut out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The slice of each channel.
    pub slices: Vec<usize>,
    /// Rows and columns of the rectangle, half-open.
    pub y: [usize; 2],
    pub x: [usize; 2],
}

impl Rule {
    /// Holds the sizes against what the network takes.
    pub fn check(&self) -> Result<(), InputError> {
        if self.size == 0 || !self.size.is_multiple_of(32) || self.size > 4096 {
            return Err(InputError::Size(self.size));
        }
        if self.reach > 128 {
            return Err(InputError::Reach(self.reach));
        }
        let (channels, size) = (self.channels(), self.size);
        if channels * size * size > MOST { Err(InputError::TooLarge { channels, size }) } else { Ok(()) }
    }

    /// Channels of the input.
    pub fn channels(&self) -> usize {
        2 * self.reach + 1
    }

    /// Finds slices and rectangle of a mask [z, y, x].
    pub fn place(&self, mask: ArrayView3<bool>) -> Result<Place, InputError> {
        self.check()?;
        let areas = mask.outer_iter().map(|slice| slice.iter().filter(|&&inside| inside).count());
        // The first of equal maxima.
        let (largest, area) = areas.enumerate().fold((0, 0), |best, (z, area)| if area > best.1 { (z, area) } else { best });
        if area == 0 {
            return Err(InputError::EmptyMask);
        }
        let last = mask.dim().0 - 1;
        let slices: Vec<usize> = (0..self.channels()).map(|channel| (largest + channel).saturating_sub(self.reach).min(last)).collect();
        let (mut y, mut x) = ([usize::MAX, 0], [usize::MAX, 0]);
        for &z in &slices {
            for ((row, column), _) in mask.slice(s![z, .., ..]).indexed_iter().filter(|(_, inside)| **inside) {
                y = [y[0].min(row), y[1].max(row + 1)];
                x = [x[0].min(column), x[1].max(column + 1)];
            }
        }
        Ok(Place { slices, y, x })
    }

    /// The input [channels, size, size] of an image and a mask [z, y, x], and where it was cut out. `outside` pixels are 0 of
    /// the image's own numbers.
    pub fn prepare<T: Copy + Default>(&self, image: ArrayView3<T>, mask: ArrayView3<bool>) -> Result<(Array3<T>, Place), InputError> {
        if image.dim() != mask.dim() {
            return Err(InputError::OtherGrid { image: image.shape().to_vec(), mask: mask.shape().to_vec() });
        }
        let place = self.place(mask)?;
        let rows = self.sources(place.y);
        let columns = self.sources(place.x);
        let pixel = |(channel, row, column): (usize, usize, usize)| {
            let at = (place.slices[channel], rows[row], columns[column]);
            if self.outside == Outside::Zero && !mask[at] { T::default() } else { image[at] }
        };
        Ok((Array3::from_shape_fn((self.channels(), self.size, self.size), pixel), place))
    }

    /// The same as float32 for the network; a voxel that is not finite is an error.
    pub fn prepare_f32(&self, image: ArrayView3<f64>, mask: ArrayView3<bool>) -> Result<(Array3<f32>, Place), InputError> {
        let (input, place) = self.prepare(image, mask)?;
        if let Some(((channel, row, column), _)) = input.indexed_iter().find(|(_, value)| !(**value as f32).is_finite()) {
            let (y, x) = (self.sources(place.y)[row], self.sources(place.x)[column]);
            return Err(InputError::NotFinite { z: place.slices[channel], y, x });
        }
        Ok((input.mapv(|value| value as f32), place))
    }

    /// The voxel that each pixel shows, along one axis.
    fn sources(&self, [start, end]: [usize; 2]) -> Vec<usize> {
        let length = end - start;
        let source = |pixel: usize| match self.nearest {
            Nearest::Center => (2 * pixel + 1) * length / (2 * self.size),
            Nearest::Floor => pixel * length / self.size,
        };
        (0..self.size).map(|pixel| start + source(pixel)).collect()
    }
}
