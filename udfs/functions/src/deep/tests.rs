//! The functions called as an engine calls them, on the reference's network.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, Float64Array, ListArray, StringArray, StructArray};
use arrow::datatypes::{DataType, Field, Float32Type, Float64Type};
use datafusion_expr::{ColumnarValue, ScalarFunctionArgs};

use crate::shape::Implementation;

const REFERENCE: &str = "../../../shared/reference/crossformer";

fn call(name: &str, arguments: Vec<ArrayRef>) -> Result<ArrayRef, String> {
    let function = super::functions().into_iter().find(|function| function.name() == name).expect(name);
    let Implementation::Scalar(scalar) = function.implementation else { panic!("{name} is a scalar") };
    let rows = arguments[0].len();
    let fields = arguments.iter().map(|array| Arc::new(Field::new("argument", array.data_type().clone(), true))).collect();
    let arguments = ScalarFunctionArgs {
        args: arguments.into_iter().map(ColumnarValue::Array).collect(),
        arg_fields: fields,
        number_rows: rows,
        return_field: Arc::new(Field::new("result", DataType::Null, true)),
        config_options: Arc::new(Default::default()),
    };
    scalar.invoke_with_args(arguments).and_then(|value| value.into_array(rows)).map_err(|error| error.to_string())
}

fn texts(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

fn list(values: &[f64]) -> ArrayRef {
    Arc::new(ListArray::from_iter_primitive::<Float64Type, _, _>([Some(values.iter().map(|&value| Some(value)).collect::<Vec<_>>())]))
}

fn options(fields: Vec<(&str, ArrayRef)>) -> ArrayRef {
    let fields = fields.into_iter().map(|(name, array)| (Arc::new(Field::new(name, array.data_type().clone(), true)), array));
    Arc::new(StructArray::from(fields.collect::<Vec<_>>()))
}

fn floats(array: &ArrayRef, row: usize) -> Vec<f32> {
    array.as_list::<i32>().value(row).as_primitive::<Float32Type>().values().to_vec()
}

fn is_here() -> bool {
    let here = std::path::Path::new(REFERENCE).exists();
    if !here {
        eprintln!("skipped: ../shared is not here");
    }
    here
}

/// The reference's files, loaded and run on a picture: one network, whatever the container.
#[test]
fn every_reference_file_gives_the_same_output() {
    if !is_here() {
        return;
    }
    let tensor: Vec<f64> = (0..7 * 64 * 64).map(|i| ((i * 37) % 101) as f64 / 50.0 - 1.0).collect();
    let mut outputs = Vec::new();
    for name in ["micro_seed0.pth", "micro_seed0_full.pth", "micro_seed0_legacy.pth", "micro_seed0.safetensors"] {
        let model = call("crossformer_load", vec![texts(&[&format!("{REFERENCE}/{name}")])]).unwrap();
        let output = call("crossformer_forward", vec![model, list(&tensor), list(&[7.0, 64.0, 64.0])]).unwrap();
        let output = output.as_struct();
        outputs.push((floats(output.column(0), 0), floats(output.column(1), 0)));
    }
    assert_eq!((outputs[0].0.len(), outputs[0].1.len()), (128, 2));
    assert!(outputs[0].0.iter().any(|value| value.abs() > 1e-3));
    assert!(outputs.iter().all(|output| *output == outputs[0]));
}

/// The embedding of a region is the forward pass of its input.
#[test]
fn an_embedding_is_the_forward_pass_of_the_input() {
    if !is_here() {
        return;
    }
    let size: ArrayRef = Arc::new(Float64Array::from(vec![64.0]));
    let path = format!("{REFERENCE}/micro_seed0.pth");
    let one: ArrayRef = Arc::new(Float64Array::from(vec![1.0]));
    let model = call("crossformer_load", vec![texts(&[&path]), options(vec![("size", size.clone()), ("classes", one)])]).unwrap();
    let (image, mask) = (texts(&[&format!("{REFERENCE}/input_volume.nii.gz")]), texts(&[&format!("{REFERENCE}/input_masks_bits.nii.gz")]));
    let input = call("crossformer_input", vec![image.clone(), mask.clone(), options(vec![("size", size)])]).unwrap();
    let values: Vec<f64> = floats(input.as_struct().column(0), 0).into_iter().map(f64::from).collect();
    let output = call("crossformer_forward", vec![model.clone(), list(&values), list(&[7.0, 64.0, 64.0])]).unwrap();
    let embedding = call("crossformer_embed", vec![model.clone(), image.clone(), mask.clone()]).unwrap();
    assert_eq!(floats(&embedding, 0), floats(output.as_struct().column(0), 0));
    let risk = call("crossformer_risk", vec![model.clone(), image.clone(), mask.clone()]).unwrap();
    assert_eq!(risk.as_primitive::<Float64Type>().value(0), f64::from(floats(output.as_struct().column(1), 0)[0]));

    // A row does not depend on its neighbours.
    let twice = |array: &ArrayRef| arrow::compute::concat(&[array.as_ref(), array.as_ref()]).unwrap();
    let both = call("crossformer_embed", vec![twice(&model), twice(&image), twice(&mask)]).unwrap();
    assert_eq!(floats(&both, 1), floats(&embedding, 0));
}

#[test]
fn a_network_comes_back_from_its_bytes_and_damage_is_told() {
    let variant = options(vec![("variant", texts(&["micro"])), ("channels", Arc::new(Float64Array::from(vec![1.0])))]);
    let model = call("crossformer_init", vec![variant.clone()]).unwrap();
    assert_eq!(model.as_binary::<i32>().value(0), call("crossformer_init", vec![variant]).unwrap().as_binary::<i32>().value(0));
    let picture: Vec<f64> = (0..1024).map(f64::from).collect();
    assert!(call("crossformer_forward", vec![model.clone(), list(&picture), list(&[1.0, 32.0, 32.0])]).is_ok());
    let bytes = model.as_binary::<i32>().value(0);
    let cut: ArrayRef = Arc::new(BinaryArray::from(vec![&bytes[..bytes.len() / 2]]));
    let error = call("crossformer_forward", vec![cut, list(&picture), list(&[1.0, 32.0, 32.0])]).unwrap_err();
    assert!(error.contains("this model is damaged"), "{error}");
    let error = call("crossformer_forward", vec![model, list(&picture), list(&[1.0, 32.0])]).unwrap_err();
    assert!(error.contains("expected [channels, height, width]"), "{error}");
}
