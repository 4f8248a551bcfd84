//! From an IMAGE argument to voxels: parses the recipe, asks whether its files may be opened, reads through one cache.

use std::cell::RefCell;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use esccsql_imaging::{Cache, ImageError, Op, Recipe, Volume, place};

use crate::radiomics::feature_map;
use crate::shape::{Environment, Image, Problem, is_url, local};

/// Decoded volumes that stay in memory between rows: reader 1's and reader 2's masks share their scan.
const CACHE_BYTES: usize = 256 << 20;

static CACHE: LazyLock<Cache> = LazyLock::new(|| Cache::new(CACHE_BYTES));

/// The recipe that a text holds.
pub fn recipe(text: &str) -> Result<Recipe, Problem> {
    text.parse().map_err(Problem::user)
}

/// The recipe that a text holds as a mask; a plain path is a mask here.
pub fn mask_recipe(text: &str) -> Result<Recipe, Problem> {
    let recipe = recipe(text)?;
    match recipe.is_mask() {
        true => Ok(recipe),
        false if recipe.ops().is_empty() => Ok(Recipe::mask(recipe.path(), None)),
        false => Err(Problem::user(format!("expected a mask, got the image {recipe}; write mask('{}')", recipe.path()))),
    }
}

/// The volume of a recipe.
pub fn load(recipe: &Recipe) -> Result<Arc<Volume>, Problem> {
    if names_url(recipe) {
        return load_remote(recipe);
    }
    check(recipe)?;
    let environment = Environment::current();
    // DICOM opens files that the recipe does not name: the slices beside one, the images of an RTSTRUCT.
    let guard = |path: &Path| environment.check_path(path).map_err(|problem| ImageError::Operation(problem.to_string()));
    recipe.load_within(&CACHE, &guard, &maps).map_err(Problem::user)
}

/// Feature maps within recipes.
fn maps(image: &Volume, mask: &Volume, feature: &str, options: &str) -> Result<Volume, ImageError> {
    feature_map(image, mask, feature, options).map_err(|problem| ImageError::Operation(problem.to_string()))
}

/// The volume of a recipe with files of an object store, which come to this machine first.
fn load_remote(recipe: &Recipe) -> Result<Arc<Volume>, Problem> {
    let environment = Environment::current();
    let fetched = RefCell::new(Vec::new());
    let recipe_here = recipe.with_paths(&|path: &str| -> Result<String, Problem> {
        if !is_url(path) {
            environment.check_path(&place(path))?;
            return Ok(path.to_string());
        }
        let file = local(path)?;
        fetched.borrow_mut().extend(file.parent().map(Path::to_path_buf));
        Ok(file.to_string_lossy().into_owned())
    })?;
    let folders = fetched.into_inner();
    // The store's files are for functions to read, wherever this machine keeps them.
    let guard = |path: &Path| match folders.iter().any(|folder| path.starts_with(folder)) {
        true => Ok(()),
        false => environment.check_path(path).map_err(|problem| ImageError::Operation(problem.to_string())),
    };
    recipe_here.load_within(&CACHE, &guard, &maps).map_err(|error| Problem::user(error).at(recipe.path()))
}

fn names_url(recipe: &Recipe) -> bool {
    is_url(recipe.path()) || recipe.ops().iter().any(|op| op.mask().is_some_and(names_url))
}

/// The recipe with one more step, as the function's result.
pub fn then(text: &str, op: Op) -> Result<Image, Problem> {
    Ok(Image(recipe(text)?.then(op).map_err(Problem::user)?.to_string()))
}

fn check(recipe: &Recipe) -> Result<(), Problem> {
    Environment::current().check_path(&place(recipe.path()))?;
    recipe.ops().iter().filter_map(Op::mask).try_for_each(check)
}

/// A count of voxels or a label from a SQL number.
pub fn whole(name: &str, value: f64) -> Result<u32, Problem> {
    if value >= 0.0 && value <= f64::from(u32::MAX) && value.fract() == 0.0 {
        Ok(value as u32)
    } else {
        Err(Problem::user(format!("{name} is {value}; expected a whole number of 0 or more")))
    }
}
