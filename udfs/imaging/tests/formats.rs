//! Readers against SimpleITK (tests/golden/make_images.py), writers against readers.

use std::path::{Path, PathBuf};

use esccsql_imaging::{
    Format, Geometry, Header, Volume, Voxels, parse_channel, parse_metaimage, parse_nifti, parse_nrrd, parse_volume, read_header,
    read_volume, write_volume,
};
use ndarray::Array3;
use proptest::prelude::*;
use serde::Deserialize;
use sha2::{Digest, Sha256};

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
    /// Of a file with several numbers per voxel; `values` is empty then.
    #[serde(default)]
    channels: Vec<Vec<String>>,
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

fn expected(case: &Case, values: &[String]) -> Vec<String> {
    let float = case.dtype.starts_with("float");
    let text = |v: &String| if float { v.parse::<f64>().unwrap().to_bits().to_string() } else { v.clone() };
    values.iter().map(text).collect()
}

/// What SimpleITK said of the type and the grid.
fn same_grid(volume: &Volume, case: &Case) {
    let g = &volume.geometry;
    assert_eq!(volume.voxels.dtype(), case.dtype, "{}", case.name);
    assert_eq!(g.size, case.size, "{}", case.name);
    assert_eq!(g.spacing, case.spacing, "{}: spacing", case.name);
    assert_eq!(g.origin, case.origin, "{}: origin", case.name);
    // The last bit of a direction depends on the compiler's order of operations.
    let (ours, theirs) = (g.direction.as_flattened(), case.direction.as_flattened());
    assert!(close(ours, theirs, 3e-16), "{}: {ours:?} {theirs:?}", case.name);
}

fn close(a: &[f64], b: &[f64], limit: f64) -> bool {
    a.iter().zip(b).all(|(a, b)| (a - b).abs() <= limit)
}

#[test]
fn every_golden_image_reads_as_simpleitk_reads_it() {
    let cases = cases();
    assert!(cases.len() > 100);
    for case in cases.iter().filter(|case| case.channels.is_empty()) {
        let volume = parse_volume(&case.bytes()).unwrap_or_else(|e| panic!("{}: {e}", case.name));
        same_grid(&volume, case);
        assert_eq!(texts(&volume.voxels), expected(case, &case.values), "{}", case.name);
        let first = parse_channel(&case.bytes(), 0).unwrap();
        assert_eq!((first.geometry, texts(&first.voxels)), (volume.geometry, texts(&volume.voxels)), "{}", case.name);
    }
}

#[test]
fn every_channel_reads_as_simpleitk_reads_it() {
    let cases = cases();
    let several: Vec<&Case> = cases.iter().filter(|case| !case.channels.is_empty()).collect();
    assert!(several.len() >= 15);
    for case in several {
        for (number, values) in (0..).zip(&case.channels) {
            let volume = parse_channel(&case.bytes(), number).unwrap_or_else(|e| panic!("{}: {e}", case.name));
            same_grid(&volume, case);
            assert_eq!(texts(&volume.voxels), expected(case, values), "{}, channel {number}", case.name);
        }
        let count = case.channels.len();
        let message = parse_channel(&case.bytes(), count as u32).unwrap_err().to_string();
        assert!(message.contains(&format!("0 to {}", count - 1)), "{}: {message}", case.name);
        let message = parse_volume(&case.bytes()).unwrap_err().to_string();
        assert!(message.contains(&format!("{count} values per voxel")) && message.contains("label_channel"), "{}: {message}", case.name);
    }
}

#[test]
fn a_file_reads_as_its_bytes_do_whatever_its_name() {
    let folder = tempdir();
    for case in cases().into_iter().filter(|case| case.channels.is_empty()) {
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

#[derive(Deserialize)]
struct Real {
    file: String,
    dtype: String,
    size: [usize; 3],
    spacing: [f64; 3],
    origin: [f64; 3],
    direction: [[f64; 3]; 3],
    sha256: String,
}

fn digest(voxels: &Voxels) -> String {
    let bytes: Vec<u8> = match voxels {
        Voxels::U8(a) => a.iter().copied().collect(),
        Voxels::I8(a) => a.iter().flat_map(|v| v.to_le_bytes()).collect(),
        Voxels::U16(a) => a.iter().flat_map(|v| v.to_le_bytes()).collect(),
        Voxels::I16(a) => a.iter().flat_map(|v| v.to_le_bytes()).collect(),
        Voxels::U32(a) => a.iter().flat_map(|v| v.to_le_bytes()).collect(),
        Voxels::I32(a) => a.iter().flat_map(|v| v.to_le_bytes()).collect(),
        Voxels::U64(a) => a.iter().flat_map(|v| v.to_le_bytes()).collect(),
        Voxels::I64(a) => a.iter().flat_map(|v| v.to_le_bytes()).collect(),
        Voxels::F32(a) => a.iter().flat_map(|v| v.to_le_bytes()).collect(),
        Voxels::F64(a) => a.iter().flat_map(|v| v.to_le_bytes()).collect(),
    };
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

#[test]
fn real_scans_read_as_simpleitk_reads_them() {
    let root = std::path::absolute("../../../shared/reference").expect("a working directory");
    if !root.exists() {
        println!("skipped: ../shared is not here");
        return;
    }
    let real: Vec<Real> = serde_json::from_str(include_str!("golden/shared.json")).unwrap();
    assert_eq!(real.len(), 40);
    for case in real {
        let volume = read_volume(root.join(&case.file)).unwrap();
        let g = &volume.geometry;
        assert_eq!((volume.voxels.dtype(), g.size), (case.dtype.as_str(), case.size), "{}", case.file);
        assert_eq!((g.spacing, g.origin), (case.spacing, case.origin), "{}", case.file);
        assert!(close(g.direction.as_flattened(), case.direction.as_flattened(), 3e-16), "{}: {:?}", case.file, g.direction);
        assert_eq!(digest(&volume.voxels), case.sha256, "{}", case.file);
    }
}

const ENDINGS: [&str; 4] = [".nii", ".nii.gz", ".nrrd", ".mha"];

/// A rotation about an axis, with the last axis mirrored when `mirror`.
fn turned(axis: [f64; 3], angle: f64, mirror: bool) -> [[f64; 3]; 3] {
    let norm = axis.iter().map(|v| v * v).sum::<f64>().sqrt().max(1e-9);
    let [x, y, z] = axis.map(|v| v / norm);
    let (s, c) = angle.sin_cos();
    let t = 1.0 - c;
    let mut r = [
        [c + x * x * t, x * y * t - z * s, x * z * t + y * s],
        [y * x * t + z * s, c + y * y * t, y * z * t - x * s],
        [z * x * t - y * s, z * y * t + x * s, c + z * z * t],
    ];
    if mirror {
        r.iter_mut().for_each(|row| row[2] = -row[2]);
    }
    r
}

fn any_voxels() -> impl Strategy<Value = ([usize; 3], Voxels)> {
    ([1usize..5, 1..5, 1..5], 0..10usize, any::<u64>()).prop_map(|(size, kind, seed)| {
        let shape = (size[2], size[1], size[0]);
        let mut state = seed | 1;
        let mut next = move || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            state ^ (state >> 29)
        };
        let voxels = match kind {
            0 => Voxels::U8(Array3::from_shape_simple_fn(shape, || next() as u8)),
            1 => Voxels::I8(Array3::from_shape_simple_fn(shape, || next() as i8)),
            2 => Voxels::U16(Array3::from_shape_simple_fn(shape, || next() as u16)),
            3 => Voxels::I16(Array3::from_shape_simple_fn(shape, || next() as i16)),
            4 => Voxels::U32(Array3::from_shape_simple_fn(shape, || next() as u32)),
            5 => Voxels::I32(Array3::from_shape_simple_fn(shape, || next() as i32)),
            6 => Voxels::U64(Array3::from_shape_simple_fn(shape, &mut next)),
            7 => Voxels::I64(Array3::from_shape_simple_fn(shape, || next() as i64)),
            8 => Voxels::F32(Array3::from_shape_simple_fn(shape, || f32::from_bits(next() as u32 & 0xbfff_ffff))),
            _ => Voxels::F64(Array3::from_shape_simple_fn(shape, || f64::from_bits(next() & 0xbfff_ffff_ffff_ffff))),
        };
        (size, voxels)
    })
}

fn any_volume() -> impl Strategy<Value = Volume> {
    let axis = [-1.0..1.0, -1.0..1.0, 0.1..1.0];
    (any_voxels(), [0.01..20.0, 0.01..20.0, 0.01..20.0], [-1e4..1e4, -1e4..1e4, -1e4..1e4], axis, -4.0..4.0f64, any::<(bool, bool)>())
        .prop_map(|((size, voxels), spacing, origin, axis, angle, (along, mirror))| {
            let direction = turned(axis, if along { 0.0 } else { angle }, mirror);
            Volume { geometry: Geometry { size, spacing, origin, direction }, voxels }
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_is_read(volume in any_volume()) {
        let folder = tempdir();
        for ending in ENDINGS {
            let path = folder.join(format!("v{ending}"));
            write_volume(&path, &volume).unwrap();
            let back = read_volume(&path).unwrap();
            prop_assert_eq!(&back.voxels, &volume.voxels);
            let (a, b) = (&back.geometry, &volume.geometry);
            prop_assert_eq!(a.size, b.size);
            if ending.starts_with(".nii") {
                let single = |v: [f64; 3]| v.map(|v| f64::from(v as f32));
                prop_assert_eq!(a.spacing, single(b.spacing));
                prop_assert_eq!(a.origin, single(b.origin));
                prop_assert!(close(a.direction.as_flattened(), b.direction.as_flattened(), 2e-7));
            } else {
                prop_assert_eq!(a.origin, b.origin);
                // NRRD keeps the product of spacing and direction.
                let last_bits = if ending == ".mha" { 0.0 } else { 1e-14 };
                prop_assert!(close(&a.spacing, &b.spacing, last_bits * 20.0));
                prop_assert!(close(a.direction.as_flattened(), b.direction.as_flattened(), last_bits));
            }
        }
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_qform_alone_tells_the_same_place(volume in any_volume()) {
        let folder = tempdir();
        let path = folder.join("v.nii");
        write_volume(&path, &volume).unwrap();
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[254..256].fill(0);
        let back = parse_nifti(&bytes).unwrap().geometry;
        prop_assert!(close(back.direction.as_flattened(), volume.geometry.direction.as_flattened(), 1e-3), "{:?} {:?}", back, volume.geometry);
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn damaged_bytes_never_panic(case in 0..120usize, changes in proptest::collection::vec((0..600usize, any::<u8>()), 1..6), cut in 0..2000usize) {
        let cases = cases();
        let mut bytes = cases[case % cases.len()].bytes();
        for (at, value) in changes {
            let at = at % bytes.len();
            bytes[at] = value;
        }
        let _ = parse_volume(&bytes);
        bytes.truncate(cut);
        let _ = (parse_nifti(&bytes), parse_nrrd(&bytes), parse_metaimage(&bytes));
    }
}

fn small() -> Volume {
    let geometry = Geometry { spacing: [0.7, 1.1, 2.5], origin: [-10.5, 20.25, 3.125], ..Geometry::identity([4, 3, 2]) };
    Volume { geometry, voxels: Voxels::I16(Array3::from_shape_fn((2, 3, 4), |(z, y, x)| (100 * z + 10 * y + x) as i16)) }
}

/// The bytes of [`small`] in a format.
fn written(ending: &str) -> Vec<u8> {
    let folder = tempdir();
    let path = folder.join(format!("small{ending}"));
    write_volume(&path, &small()).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    std::fs::remove_dir_all(folder).unwrap();
    bytes
}

fn refused(bytes: &[u8], words: &[&str]) {
    let message = parse_volume(bytes).expect_err(&format!("{words:?}")).to_string();
    for word in words {
        assert!(message.contains(word), "'{word}' is not in: {message}");
    }
}

#[test]
fn short_and_long_files_are_refused_with_their_sizes() {
    for ending in ENDINGS {
        let whole = written(ending);
        assert_eq!(parse_volume(&whole).unwrap().voxels, small().voxels);
        for n in 0..whole.len() {
            assert!(parse_volume(&whole[..n]).is_err(), "{ending} cut to {n} bytes");
        }
    }
    let mut bytes = written(".nii");
    refused(&bytes[..390], &["truncated", "48 bytes", "found 38"]);
    bytes.extend([0; 7]);
    refused(&bytes, &["more than its header says", "48 bytes", "7 more"]);
    let mut bytes = written(".nii.gz");
    bytes.extend(written(".nii.gz"));
    refused(&bytes, &["more than its header says"]);
    let mut bytes = written(".nii.gz");
    let last = bytes.len() - 6;
    bytes[last] ^= 0xff;
    refused(&bytes, &["damaged"]);
}

#[test]
fn a_header_that_lies_about_its_size_allocates_nothing() {
    let mut nifti = written(".nii");
    for axis in 0..3 {
        nifti[42 + 2 * axis..44 + 2 * axis].copy_from_slice(&32767i16.to_le_bytes());
    }
    refused(&nifti, &["truncated", "70362301923326", "found 48"]);
    let nrrd = |sizes: &str, encoding: &str| {
        format!("NRRD0004\ntype: double\ndimension: 3\nsizes: {sizes}\nendian: little\nencoding: {encoding}\n\nxx").into_bytes()
    };
    for encoding in ["raw", "gzip", "ascii", "hex"] {
        refused(&nrrd("100000 100000 1000", encoding), &[""]);
        refused(&nrrd("18446744073709551615 2 2", encoding), &["more than this machine can address"]);
        refused(&nrrd("4294967296 4294967296 4294967296", encoding), &["more than this machine can address"]);
        refused(&nrrd("-3 2 2", encoding), &["sizes", "-3 2 2"]);
        refused(&nrrd("0 2 2", encoding), &["at least one"]);
    }
    let mha = |sizes: &str| {
        format!(
            "ObjectType = Image\nNDims = 3\nCompressedData = True\nDimSize = {sizes}\nElementType = MET_DOUBLE\nElementDataFile = LOCAL\nxx"
        )
        .into_bytes()
    };
    refused(&mha("100000 100000 1000"), &["truncated"]);
    refused(&mha("99999999999 99999999999 9"), &["more than this machine can address"]);
}

#[test]
fn impossible_headers_say_what_is_wrong() {
    let nifti = |at: usize, bytes: &[u8]| {
        let mut file = written(".nii");
        file[at..at + bytes.len()].copy_from_slice(bytes);
        file
    };
    refused(&nifti(80, &(-1.0f32).to_le_bytes()), &["spacing", "-1"]);
    refused(&nifti(84, &f32::NAN.to_le_bytes()), &["spacing", "NaN"]);
    refused(&nifti(88, &0f32.to_le_bytes()), &["spacing"]);
    let mut flat = nifti(280, &[0; 12]);
    assert!(parse_volume(&flat).is_ok(), "the qform is sound");
    flat[252] = 0;
    refused(&flat, &["sform", "right angles"]);
    refused(&nifti(292, &f32::INFINITY.to_le_bytes()), &["origin", "inf"]);
    refused(&nifti(70, &128i16.to_le_bytes()), &["voxel type", "colour"]);
    refused(&nifti(40, &[9, 0]), &["dim[0]", "9"]);
    refused(&nifti(40, &[4, 0, 4, 0, 3, 0, 2, 0, 5, 0]), &["one 3D image", "[4, 3, 2, 5]"]);
    refused(&nifti(42, &(-4i16).to_le_bytes()), &["dim[1]", "-4"]);
    refused(&nifti(108, &1e9f32.to_le_bytes()), &["start of the voxels"]);
    refused(&nifti(108, &(-5f32).to_le_bytes()), &["vox_offset"]);
    refused(&nifti(344, b"\0\0\0\0"), &["Analyze"]);
    let nrrd = |lines: &str| format!("NRRD0004\ntype: uchar\ndimension: 3\nsizes: 1 1 1\nencoding: raw\n{lines}\n\nx").into_bytes();
    assert!(parse_volume(&nrrd("spacings: 1 1 1")).is_ok());
    refused(&nrrd("spacings: 1 1 -1"), &["spacing"]);
    refused(&nrrd("spacings: 1 nan 1"), &["spacing", "NaN"]);
    refused(&nrrd("spacings: 1 1"), &["spacings", "3 numbers"]);
    refused(&nrrd("space: LPS\nspace directions: (1,0,0) (1,0,0) (0,0,1)"), &["singular"]);
    refused(&nrrd("space: LPS\nspace directions: (0,0,0) (0,1,0) (0,0,1)"), &["spacing"]);
    refused(&nrrd("space: left-posterior-superior-time"), &["space", "time"]);
    refused(&nrrd("space: LPS\nspace directions: (1,0,0 (0,1,0) (0,0,1)"), &["space directions"]);
    refused(&nrrd("data file: other.raw"), &["other.raw", "follow the header"]);
    refused(b"NRRD0004\ntype: block\ndimension: 1\nsizes: 1\nencoding: raw\n\nx", &["type", "block"]);
    refused(b"NRRD0004\ntype: short\ndimension: 1\nsizes: 1\nencoding: raw\n\nxx", &["endian", "absent"]);
    refused(b"NRRD0004\ntype: uchar\ndimension: 1\nsizes: 1\nencoding: bzip2\n\nxx", &["encoding", "bzip2"]);
    refused(b"NRRD0004\ntype: uchar\ndimension: 4\nsizes: 3 1 1 1\nspace: LPS\nspace directions: none (1,0,0) (0,1,0) (0,0,1)\nencoding: raw\n\nxxx", &["3 values per voxel"]);
    refused(b"NRRD0004\ntype: short\ndimension: 1\nsizes: 2\nencoding: ascii\n\n1 two", &["voxel 1", "two"]);
    let mha = |lines: &str| {
        format!("ObjectType = Image\nNDims = 3\n{lines}\nDimSize = 1 1 1\nElementType = MET_UCHAR\nElementDataFile = LOCAL\nx").into_bytes()
    };
    assert!(parse_volume(&mha("BinaryData = True")).is_ok());
    refused(&mha("ElementSpacing = 1 0 1"), &["spacing"]);
    refused(&mha("TransformMatrix = 1 0 0 1 0 0 0 0 1"), &["singular"]);
    refused(&mha("ElementNumberOfChannels = 3"), &["3 values per voxel"]);
    refused(&mha("CompressedData = perhaps"), &["CompressedData", "perhaps"]);
}

#[test]
fn what_is_no_image_is_named() {
    refused(b"", &["empty file"]);
    refused(b"patient,age\n1,2\n", &["not an image", "patient,age", "NIfTI"]);
    refused(b"\x89PNG\r\n\x1a\n", &["PNG"]);
    let mut dicom = vec![0; 128];
    dicom.extend(b"DICM");
    refused(&dicom, &["DICOM"]);
    let folder = tempdir();
    let message = |path: &Path| read_volume(path).unwrap_err().to_string();
    assert!(message(&folder).contains("folder"));
    assert!(message(&folder.join("none.nii.gz")).contains("none.nii.gz: there is no such file"));
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn voxels_in_a_second_file_are_found_beside_the_header() {
    let folder = tempdir();
    let raw: Vec<u8> = (0u8..24).collect();
    let ok = |name: &str, header: &str, data: &[u8]| {
        std::fs::write(folder.join(name), header).unwrap();
        std::fs::write(folder.join("voxels.bin"), data).unwrap();
        let volume = read_volume(folder.join(name)).unwrap();
        assert_eq!(volume.voxels.to_f64().iter().map(|v| *v as u8).collect::<Vec<_>>(), raw, "{name}");
    };
    let nhdr = |lines: &str| format!("NRRD0004\ntype: uchar\ndimension: 3\nsizes: 4 3 2\nencoding: raw\n{lines}data file: voxels.bin\n");
    let mhd = |lines: &str| {
        format!("ObjectType = Image\nNDims = 3\nDimSize = 4 3 2\nElementType = MET_UCHAR\n{lines}ElementDataFile = voxels.bin\n")
    };
    ok("a.nhdr", &nhdr(""), &raw);
    ok("b.nhdr", &nhdr("byte skip: 5\n"), &[&[9; 5], raw.as_slice()].concat());
    ok("c.nhdr", &nhdr("line skip: 2\nbyte skip: 1\n"), &[b"one\ntwo\n3", raw.as_slice()].concat());
    ok("d.nhdr", &nhdr("byte skip: -1\n"), &[&[9; 50], raw.as_slice()].concat());
    ok("a.mhd", &mhd(""), &raw);
    ok("b.mhd", &mhd("HeaderSize = 3\n"), &[&[9; 3], raw.as_slice()].concat());
    ok("c.mhd", &mhd("HeaderSize = -1\n"), &[&[9; 77], raw.as_slice()].concat());
    std::fs::remove_file(folder.join("voxels.bin")).unwrap();
    for name in ["a.nhdr", "a.mhd"] {
        let message = read_volume(folder.join(name)).unwrap_err().to_string();
        assert!(message.contains(name) && message.contains("voxels.bin, which does not exist"), "{message}");
        assert_eq!(read_header(folder.join(name)).unwrap().geometry.size, [4, 3, 2]);
    }
    let single = written(".nii");
    let mut header = single[..348].to_vec();
    header[344..348].copy_from_slice(b"ni1\0");
    header[108..112].fill(0);
    std::fs::write(folder.join("pair.hdr"), &header).unwrap();
    std::fs::write(folder.join("pair.img"), &single[352..]).unwrap();
    assert_eq!(read_volume(folder.join("pair.hdr")).unwrap().voxels, small().voxels);
    std::fs::remove_file(folder.join("pair.img")).unwrap();
    assert!(read_volume(folder.join("pair.hdr")).unwrap_err().to_string().contains("pair.img"));
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_nifti_2_is_written_for_long_axes_and_read_back() {
    let folder = tempdir();
    let geometry = Geometry { spacing: [0.1, 0.2, 0.3], origin: [1.1, 2.2, 3.3], ..Geometry::identity([40000, 1, 1]) };
    let volume = Volume { geometry, voxels: Voxels::U8(Array3::from_shape_fn((1, 1, 40000), |(_, _, x)| x as u8)) };
    let path = folder.join("long.nii.gz");
    write_volume(&path, &volume).unwrap();
    assert_eq!(read_header(&path).unwrap().format, Format::Nifti2);
    assert_eq!(read_volume(&path).unwrap(), volume);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_failed_write_leaves_the_old_file_and_no_other() {
    let folder = tempdir();
    let path = folder.join("v.nii");
    write_volume(&path, &small()).unwrap();
    let before = std::fs::read(&path).unwrap();
    let mut skewed = small();
    skewed.geometry.direction[0][1] = 0.2;
    assert!(write_volume(&path, &skewed).unwrap_err().to_string().contains("right angles"));
    assert_eq!(std::fs::read(&path).unwrap(), before);
    assert!(write_volume(folder.join("v.txt"), &small()).unwrap_err().to_string().contains(".nii.gz"));
    assert!(write_volume(folder.join("no/such/v.nii"), &small()).is_err());
    let mut wrong = small();
    wrong.geometry.size[0] = 7;
    assert!(write_volume(&path, &wrong).is_err());
    write_volume(folder.join("v.nrrd"), &skewed).unwrap();
    let mut names: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["v.nii", "v.nrrd"]);
    std::fs::remove_dir_all(folder).unwrap();
}
