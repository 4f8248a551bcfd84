//! A mask file as a recipe: labels of voxels, or regions of a DICOM RTSTRUCT or SEG.

use esccsql_imaging::{Label, Recipe};

use super::source::whole;
use crate::shape::{Function, Image, Kind, Problem, each, options};

options! {
    struct Options {
        /// Channel of a file with several numbers per voxel, from 0; such a file needs it.
        channel: Option<u32> = None,
    }
}

pub fn mask() -> Function {
    each(
        "mask",
        "A mask file, whole or one label of it: NIfTI, NRRD, MetaImage, DICOM RTSTRUCT or SEG. Without a label every voxel other than 0 counts, and radiomics takes its option `label`. RTSTRUCT and SEG become voxels on the grid of their images, which are looked for in the file's folder, in the one above and in those beside it.",
    )
    .arg("path", Kind::Text, "path of the file, relative to the working directory, or its URL on a cluster; of an RTSTRUCT or SEG also 'file#folder of the images'")
    .optional("label", Kind::Label, "number of the label, or name of the region (RTSTRUCT: ROI name; SEG: segment label)")
    .options::<Options>()
    .example("SELECT mask('gtv.nii.gz', 1)")
    .returns(|row, options| {
        let label = match row.has(1).then(|| row.text(1)) {
            None => None,
            Some("") => return Err(Problem::user("label is empty; give a number or a region's name")),
            Some(text) => Some(match text.parse::<f64>() {
                Ok(number) => Label::Number(whole("label", number)?),
                Err(_) => Label::Roi(text.into()),
            }),
        };
        let mask = Recipe::mask(row.text(0), label);
        let mask = match options.channel {
            Some(channel) => mask.of_channel(channel),
            None => mask,
        };
        Ok(Image(mask.to_string()))
    })
}
