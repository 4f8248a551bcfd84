//! Where networks compute.

use esccsql_crossformer::device;

use super::network::{Where, problem};
use crate::shape::{Function, each};

pub fn crossformer_device() -> Function {
    each("crossformer_device", "The device that networks compute on here: 'cpu', or 'cuda:0' for the first GPU. With {'device': 'cuda'} an error says why there is none.")
        .options::<Where>()
        .volatile()
        .example("SELECT crossformer_device({'device': 'cpu'})")
        .returns(|_, options| Ok(device(options.device).map_err(problem)?.1.to_string()))
}
