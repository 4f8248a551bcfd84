//! Readers against SimpleITK (tests/golden/make_images.py), writers against readers.

use std::path::{Path, PathBuf};

use esccsql_imaging::{Geometry, Header, Volume, Voxels, parse_volume, read_header, read_volume, write_volume};
use ndarray::Array3;
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    name: String,
    hex: String,
    dtype: String,
    size: [usize; 3],
    spacing: [f64; 3],
    origin: [f64; 3],
    direction: [[f64; 3]; 3],
    values: Vec<String>,
}

impl Case {
    fn bytes(&self) -> Vec<u8> {
        (0..self.hex.len() / 2).map(|i| u8::from_str_radix(&self.hex[2 * i..2 * i + 2], 16).unwrap()).collect()
    }
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("golden/images.json")).unwrap()
}

/// Values as Python writes them: exact for every type.
fn texts(voxels: &Voxels) -> Vec<String> {
    match voxels {
        Voxels::U8(a) => a.iter().map(u8::to_string).collect(),
        Voxels::I8(a) => a.iter().map(i8::to_string).collect(),
        Voxels::U16(a) => a.iter().map(u16::to_string).collect(),
        Voxels::I16(a) => a.iter().map(i16::to_string).collect(),
        Voxels::U32(a) => a.iter().map(u32::to_string).collect(),
        Voxels::I32(a) => a.iter().map(i32::to_string).collect(),
        Voxels::U64(a) => a.iter().map(u64::to_string).collect(),
        Voxels::I64(a) => a.iter().map(i64::to_string).collect(),
        Voxels::F32(a) => a.iter().map(|v| f64::from(*v).to_bits().to_string()).collect(),
        Voxels::F64(a) => a.iter().map(|v| v.to_bits().to_string()).collect(),
    }
}

fn expected(case: &Case) -> Vec<String> {
    let float = case.dtype.starts_with("float");
    let text = |v: &String| if float { v.parse::<f64>().unwrap().to_bits().to_string() } else { v.clone() };
    case.values.iter().map(text).collect()
}

fn close(a: &[f64], b: &[f64], limit: f64) -> bool {
    a.iter().zip(b).all(|(a, b)| (a - b).abs() <= limit)
}

#[test]
fn every_golden_image_reads_as_simpleitk_reads_it() {
    let cases = cases();
    assert!(cases.len() > 100);
    for case in &cases {
        let volume = parse_volume(&case.bytes()).unwrap_or_else(|e| panic!("{}: {e}", case.name));
        let g = &volume.geometry;
        assert_eq!(volume.voxels.dtype(), case.dtype, "{}", case.name);
        assert_eq!(g.size, case.size, "{}", case.name);
        assert_eq!(g.spacing, case.spacing, "{}: spacing", case.name);
        assert_eq!(g.origin, case.origin, "{}: origin", case.name);
        // The last bit of a direction depends on the compiler's order of operations.
        assert!(
            close(g.direction.as_flattened(), case.direction.as_flattened(), 3e-16),
            "{}: {:?} {:?}",
            case.name,
            g.direction,
            case.direction
        );
        assert_eq!(texts(&volume.voxels), expected(case), "{}", case.name);
    }
}

#[test]
fn a_file_reads_as_its_bytes_do_whatever_its_name() {
    let folder = tempdir();
    for case in cases() {
        let path = folder.join("image");
        std::fs::write(&path, case.bytes()).unwrap();
        let volume = read_volume(&path).unwrap();
        assert_eq!(format!("{volume:?}"), format!("{:?}", parse_volume(&case.bytes()).unwrap()), "{}", case.name);
        let Header { dtype, geometry, .. } = read_header(&path).unwrap();
        assert_eq!((dtype.name(), &geometry), (volume.voxels.dtype(), &volume.geometry), "{}", case.name);
    }
    std::fs::remove_dir_all(folder).unwrap();
}

/// A folder of this test's own.
fn tempdir() -> PathBuf {
    use std::sync::atomic::{AtomicU32, Ordering};
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("esccsql-imaging-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let folder = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[allow(dead_code)]
fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared").join(name);
    path.exists().then_some(path)
}

#[allow(dead_code)]
fn small() -> Volume {
    let geometry = Geometry { spacing: [0.7, 1.1, 2.5], origin: [-10.5, 20.25, 3.125], ..Geometry::identity([4, 3, 2]) };
    Volume { geometry, voxels: Voxels::I16(Array3::from_shape_fn((2, 3, 4), |(z, y, x)| (100 * z + 10 * y + x) as i16)) }
}

#[allow(unused_imports)]
use write_volume as _;
