//! Overlap of two masks.

use super::source::{load, mask_recipe};
use crate::shape::{Function, Kind, Problem, each};

pub fn mask_dice() -> Function {
    each("mask_dice", "Dice coefficient 2 |A and B| / (|A| + |B|) of two masks on one grid.")
        .arg("a", Kind::Mask, "a mask")
        .arg("b", Kind::Mask, "another reader's mask")
        .heavy()
        .recoverable()
        .source("Dice, Ecology 1945;26:297")
        .example("SELECT mask_dice(mask('gtv.nii.gz'), mask('gtv_reader2.nii.gz'))")
        .returns(|row, _| {
            let (a, b) = (load(&mask_recipe(row.text(0))?)?, load(&mask_recipe(row.text(1))?)?);
            esccsql_imaging::mask::dice(&a, &b).map_err(Problem::user)
        })
}
