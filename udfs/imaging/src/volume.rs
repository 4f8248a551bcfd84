//! A medical volume in memory: voxels in their stored type, and where they lie in the patient.

use ndarray::{Array2, Array3, Axis};

use crate::error::GeometryError;

/// Where a voxel grid lies in space, by ITK's convention (LPS: x to the patient's left, y to the back, z to the head).
///
/// The centre of voxel `(i, j, k)` lies at `origin + direction * (spacing * (i, j, k))`.
#[derive(Debug, Clone, PartialEq)]
pub struct Geometry {
    /// Voxels along x, y and z.
    pub size: [usize; 3],
    /// Millimetres between voxel centres along the grid's x, y and z axes.
    pub spacing: [f64; 3],
    /// Centre of voxel (0, 0, 0) in mm.
    pub origin: [f64; 3],
    /// `direction[row][column]`: column `a` is the unit vector of grid axis `a` in patient space.
    pub direction: [[f64; 3]; 3],
}

/// Voxels as the file stores them, indexed `[z, y, x]`.
#[derive(Debug, Clone, PartialEq)]
pub enum Voxels {
    U8(Array3<u8>),
    I8(Array3<i8>),
    U16(Array3<u16>),
    I16(Array3<i16>),
    U32(Array3<u32>),
    I32(Array3<i32>),
    U64(Array3<u64>),
    I64(Array3<i64>),
    F32(Array3<f32>),
    F64(Array3<f64>),
}

/// A volume: a grid of voxels and its place in space.
#[derive(Debug, Clone, PartialEq)]
pub struct Volume {
    pub geometry: Geometry,
    pub voxels: Voxels,
}

/// Runs the same expression on the typed array inside a [`Voxels`]. A cast in it is without effect for one of the types.
macro_rules! with_voxels {
    ($voxels:expr, $array:ident => $body:expr) => {
        match $voxels {
            #[allow(clippy::unnecessary_cast)]
            $crate::Voxels::U8($array) => $body,
            #[allow(clippy::unnecessary_cast)]
            $crate::Voxels::I8($array) => $body,
            #[allow(clippy::unnecessary_cast)]
            $crate::Voxels::U16($array) => $body,
            #[allow(clippy::unnecessary_cast)]
            $crate::Voxels::I16($array) => $body,
            #[allow(clippy::unnecessary_cast)]
            $crate::Voxels::U32($array) => $body,
            #[allow(clippy::unnecessary_cast)]
            $crate::Voxels::I32($array) => $body,
            #[allow(clippy::unnecessary_cast)]
            $crate::Voxels::U64($array) => $body,
            #[allow(clippy::unnecessary_cast)]
            $crate::Voxels::I64($array) => $body,
            #[allow(clippy::unnecessary_cast)]
            $crate::Voxels::F32($array) => $body,
            #[allow(clippy::unnecessary_cast)]
            $crate::Voxels::F64($array) => $body,
        }
    };
}
pub(crate) use with_voxels;

impl Geometry {
    /// Unit spacing, origin at zero, axes along the patient's.
    pub fn identity(size: [usize; 3]) -> Self {
        Geometry { size, spacing: [1.0; 3], origin: [0.0; 3], direction: [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]] }
    }

    /// Says what is wrong with a grid: an axis without voxels, too many voxels, spacing that is not above zero,
    /// numbers that are not finite, a singular direction.
    pub fn check(&self) -> Result<(), GeometryError> {
        if self.size.contains(&0) {
            return Err(GeometryError::NoVoxels(self.size));
        }
        let voxels = self.size.iter().try_fold(1usize, |n, s| n.checked_mul(*s));
        if voxels.is_none_or(|n| n > isize::MAX as usize / 8) {
            return Err(GeometryError::TooLarge(self.size));
        }
        if !self.spacing.iter().all(|s| s.is_finite() && *s > 0.0) {
            return Err(GeometryError::Spacing(self.spacing));
        }
        if !self.origin.iter().all(|o| o.is_finite()) {
            return Err(GeometryError::Origin(self.origin));
        }
        // Columns are unit vectors, so the determinant does not depend on the spacing.
        let singular = determinant(&self.direction).abs() < 1e-6;
        if singular || !self.direction.iter().flatten().all(|v| v.is_finite()) {
            return Err(GeometryError::Direction(self.direction));
        }
        Ok(())
    }

    /// Volume of one voxel in mm3.
    pub fn voxel_volume(&self) -> f64 {
        self.spacing.iter().product()
    }

    /// Array shape `(z, y, x)` of voxels on this grid.
    pub fn shape(&self) -> (usize, usize, usize) {
        (self.size[2], self.size[1], self.size[0])
    }
}

/// The vector at right angles to two others.
pub(crate) fn cross(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[1] * b[2] - b[1] * a[2], a[2] * b[0] - b[2] * a[0], a[0] * b[1] - b[0] * a[1]]
}

/// Determinant of a 3x3 matrix.
pub(crate) fn determinant(m: &[[f64; 3]; 3]) -> f64 {
    m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1]) - m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0])
        + m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0])
}

impl Voxels {
    /// Name of the stored type: `uint8`, `int16`, `float32`, ...
    pub fn dtype(&self) -> &'static str {
        match self {
            Voxels::U8(_) => "uint8",
            Voxels::I8(_) => "int8",
            Voxels::U16(_) => "uint16",
            Voxels::I16(_) => "int16",
            Voxels::U32(_) => "uint32",
            Voxels::I32(_) => "int32",
            Voxels::U64(_) => "uint64",
            Voxels::I64(_) => "int64",
            Voxels::F32(_) => "float32",
            Voxels::F64(_) => "float64",
        }
    }

    /// Shape `(z, y, x)`.
    pub fn dim(&self) -> (usize, usize, usize) {
        with_voxels!(self, a => a.dim())
    }

    /// One slice as float64: voxels at `index` of array axis `axis` (0 is z), the other two axes in order.
    pub fn slice_f64(&self, axis: usize, index: usize) -> Array2<f64> {
        with_voxels!(self, a => a.index_axis(Axis(axis), index).mapv(|v| v as f64))
    }

    /// Every voxel as float64.
    pub fn to_f64(&self) -> Array3<f64> {
        match self {
            Voxels::F64(a) => a.clone(),
            other => with_voxels!(other, a => a.mapv(|v| v as f64)),
        }
    }
}
