//! A recipe's volume as a file.

use std::path::Path;

use super::source::{load, recipe};
use crate::shape::{Environment, Function, Kind, Problem, each};

pub fn image_write() -> Function {
    each("image_write", "Writes the image to a file (.nii, .nii.gz, .nrrd, .mha) and returns its path. A file of that name is replaced.")
        .arg("image", Kind::Image, "image or mask")
        .arg("path", Kind::Text, "where to write")
        .volatile()
        .heavy()
        .recoverable()
        .example("SELECT image_write(image('scan.nii.gz').image_resample(2.0), 'resampled.nii.gz')")
        .returns(|row, _| {
            let path = row.text(1);
            Environment::current().check_path(Path::new(path))?;
            esccsql_imaging::write_volume(path, &*load(&recipe(row.text(0))?)?).map_err(Problem::user)?;
            Ok(path.to_string())
        })
}
