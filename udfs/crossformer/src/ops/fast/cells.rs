//! Cells of images, stride x stride pixels each: what a convolution whose kernels are whole numbers of strides wide looks at.
//!
//! A window is n x n cells, n = kernel / stride. Cells of a row lie one after the other in memory, so n neighbours are one row of a
//! matrix whose rows overlap, and no window is ever copied. Smaller windows with the same middle see the inner ones of the same cells.

use super::view;
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

/// Where the cells of images [B, height, width, channels] lie, padded for windows of `n` cells.
#[derive(Clone, Copy)]
pub struct Grid {
    pub batch: usize,
    pub height: usize,
    pub width: usize,
    pub channels: usize,
    pub stride: usize,
    pub n: usize,
}

impl Grid {
    pub fn rows(&self) -> usize {
        self.height / self.stride + self.n - 1
    }

    pub fn columns(&self) -> usize {
        self.width / self.stride + self.n - 1
    }

    /// Values of a cell.
    pub fn cell(&self) -> usize {
        self.stride * self.stride * self.channels
    }

    /// Cells of all images.
    pub fn cells(&self) -> usize {
        self.batch * self.rows() * self.columns()
    }

    /// Height and width of the convolutions' outputs.
    pub fn outputs(&self) -> (usize, usize) {
        (self.height / self.stride, self.width / self.stride)
    }

    fn padding(&self) -> usize {
        (self.n - 1) * self.stride / 2
    }

    /// Calls `f` for each run of pixels inside the image that is contiguous both there and in its cell:
    /// (place among the cells of one cell row, place in the image, length).
    fn runs(&self, row: usize, mut f: impl FnMut(usize, usize, usize)) {
        let (s, c) = (self.stride, self.channels);
        for iy in 0..s {
            let Some(y) = (row * s + iy).checked_sub(self.padding()).filter(|&y| y < self.height) else { continue };
            for column in 0..self.columns() {
                let left = self.padding().saturating_sub(column * s).min(s);
                let right = (self.width + self.padding()).saturating_sub(column * s).min(s);
                if left < right {
                    let x = column * s + left - self.padding();
                    f(column * self.cell() + (iy * s + left) * c, (y * self.width + x) * c, (right - left) * c);
                }
            }
        }
    }

    fn image(&self) -> usize {
        self.height * self.width * self.channels
    }

    fn gather(&self, x: &[f32]) -> Vec<f32> {
        let row = self.columns() * self.cell();
        let mut cells = vec![0.0; self.batch * self.rows() * row];
        cells.par_chunks_mut(row).enumerate().for_each(|(i, cells)| {
            let x = &x[i / self.rows() * self.image()..][..self.image()];
            self.runs(i % self.rows(), |cell, pixel, n| cells[cell..cell + n].copy_from_slice(&x[pixel..pixel + n]));
        });
        cells
    }

    /// The reverse of `gather`: each pixel is in one cell at most.
    fn scatter(&self, cells: &[f32]) -> Vec<f32> {
        let row = self.columns() * self.cell();
        let mut x = vec![0.0; self.batch * self.image()];
        x.par_chunks_mut(self.image()).enumerate().for_each(|(b, x)| {
            for r in 0..self.rows() {
                let cells = &cells[(b * self.rows() + r) * row..][..row];
                self.runs(r, |cell, pixel, n| x[pixel..pixel + n].copy_from_slice(&cells[cell..cell + n]));
            }
        });
        x
    }
}

/// From images [B, H, W, C] to their cells [B, rows, columns, cell].
pub struct Cells(pub Grid);

impl CustomOp1 for Cells {
    fn name(&self) -> &'static str {
        "cells"
    }

    fn cpu_fwd(&self, x: &CpuStorage, l: &Layout) -> Result<(CpuStorage, Shape)> {
        let grid = &self.0;
        Ok((CpuStorage::F32(grid.gather(view(x, l)?)), (grid.batch, grid.rows(), grid.columns(), grid.cell()).into()))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let pixels = super::read([&grad.contiguous()?], |[g]| Ok(self.0.scatter(g)))?;
        Ok(Some(Tensor::from_vec(pixels, x.shape(), x.device())?))
    }
}
