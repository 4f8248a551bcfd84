//! The training loop.

use super::checkpoint::{self, Progress, remove, restore, save};
use super::{FitOptions, Moments};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::loss::{Loss, c_index};
use crate::model::CrossFormer;
use crate::noise::Noise;
use candle_core::{DType, Device, Tensor, Var};
use ndarray::{ArrayView3, ArrayView4, Axis, s};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

/// What one pass over the training rows gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// From 1.
    pub epoch: usize,
    /// Mean loss of the steps, with dropout.
    pub loss: f64,
    /// Concordance of the training rows as the steps saw them.
    pub c_index: Option<f64>,
    /// Loss and concordance of the held-out rows, without dropout.
    pub validation_loss: Option<f64>,
    pub validation_c_index: Option<f64>,
}

/// A trained network.
#[derive(Debug, Clone)]
pub struct Trained {
    pub config: Config,
    /// Of the epoch with the best validation loss, or of the last one where no held-out rows can tell; on the device of training.
    pub weights: HashMap<String, Tensor>,
    pub epochs: Vec<Epoch>,
    /// The epoch of `weights`.
    pub best: usize,
    /// Rows trained on and held out.
    pub rows: (usize, usize),
    /// Whether training ended before `epochs` for want of progress.
    pub stopped_early: bool,
    /// What whoever uses the network should know.
    pub warnings: Vec<String>,
}

/// How far training is.
#[derive(Debug, Clone, Copy)]
pub enum Told<'a> {
    /// A part of a step comes next.
    Part,
    /// An epoch is over.
    Epoch(&'a Epoch),
}

/// Trains a network, from `weights`, on images [rows, channels, H, W] with their survival.
///
/// `told` hears how far it is and ends the training with [`Error::Stopped`] when it returns false; a checkpoint stays then, and
/// the same call goes on from it. The same input, seed and device give the same bits, interrupted or not.
pub fn fit(
    config: &Config,
    weights: &HashMap<String, Tensor>,
    images: ArrayView4<f32>,
    time: &[f64],
    event: &[bool],
    options: &FitOptions,
    told: &mut dyn FnMut(Told) -> bool,
) -> Result<Trained> {
    options.check()?;
    options.check_place()?;
    check(images, time, event)?;
    let (train, held) = split(event, options);
    if !options.loss.compares(&pick(time, &train), &pick(event, &train)) {
        return Err(Error::Data(nothing_to_learn(options.loss, &pick(event, &train))));
    }
    // Rows whose loss says nothing of the network must not choose its epoch.
    let judged = options.loss.compares(&pick(time, &held), &pick(event, &held));
    let mut variables = BTreeMap::new();
    for (name, tensor) in weights {
        variables.insert(name.clone(), Var::from_tensor(&tensor.copy()?.to_dtype(DType::F32)?)?);
    }
    let device = variables.values().next().map_or(Device::Cpu, |v| v.device().clone());
    let mut moments = BTreeMap::new();
    for (name, variable) in &variables {
        moments.insert(name.clone(), Moments::zeros(&variable.as_detached_tensor())?);
    }
    let mut state = Progress { step: 0, best: 0, epochs: Vec::new(), mark: mark(config, &variables, images, time, event, options)? };
    let mut best = snapshot(&variables)?;
    let checkpoint = options.checkpoint.as_ref().map(|path| checkpoint::file(path, state.mark));
    if let Some(path) = &checkpoint {
        restore(path, options.epochs, &mut state, &variables, &mut moments, &mut best)?;
    }
    let named = variables.iter().map(|(n, v)| (n.clone(), v.as_tensor().clone())).collect();
    let network = CrossFormer::new(config, &named)?;
    let waited = |state: &Progress| judged && state.epochs.len() >= state.best + options.patience;
    while state.epochs.len() < options.epochs && !waited(&state) {
        let epoch = state.epochs.len() + 1;
        let mut random = stream(options.seed, 2 * epoch as u64);
        let order = shuffle(&train, &mut random);
        let (mut losses, mut risks) = (Vec::new(), vec![0.0; train.len()]);
        for (index, rows) in batches(&order, options.batch).into_iter().enumerate() {
            let flips: Vec<u8> = rows.iter().map(|_| if options.flip { random.next_u32() as u8 & 3 } else { 0 }).collect();
            let noise = |part: usize| {
                let place = (epoch as u64) << 40 | (index as u64) << 20 | part as u64;
                Noise::new(options.seed ^ 0x6472_6f70, place)
            };
            let step = Step { network: &network, images, options, device: &device };
            let mut go_on = || if told(Told::Part) { Ok(()) } else { Err(Error::Stopped(epoch - 1)) };
            let (eta, loss, gradients) = step.run(rows, &flips, &pick(time, rows), &pick(event, rows), &noise, &mut go_on)?;
            for (row, eta) in rows.iter().zip(&eta) {
                risks[train.binary_search(row).expect("rows are training rows")] = *eta;
            }
            let Some(loss) = loss else { continue };
            if !loss.is_finite() {
                return Err(Error::Diverged(epoch));
            }
            losses.push(loss);
            state.step += 1;
            for (name, variable) in &variables {
                if let (Some(g), Some(m)) = (gradients.get(name), moments.get_mut(name)) {
                    m.step(&options.adam, state.step, variable, g)?;
                }
            }
        }
        let mut record = Epoch {
            epoch,
            loss: losses.iter().sum::<f64>() / losses.len().max(1) as f64,
            c_index: c_index(&risks, &pick(time, &train), &pick(event, &train)),
            validation_loss: None,
            validation_c_index: None,
        };
        if !judged {
            state.best = epoch;
        } else {
            let eta = risk(config, &variables, images, &held, options.part)?;
            let (time, event) = (pick(time, &held), pick(event, &held));
            record.validation_loss = options.loss.evaluate(&eta, &time, &event).map(|(loss, _)| loss);
            record.validation_c_index = c_index(&eta, &time, &event);
            let so_far = state.best.checked_sub(1).and_then(|i| state.epochs[i].validation_loss).unwrap_or(f64::INFINITY);
            if record.validation_loss.is_some_and(|l| l < so_far) {
                state.best = epoch;
                best = snapshot(&variables)?;
            }
        }
        state.epochs.push(record.clone());
        if let Some(path) = &checkpoint {
            save(path, &state, &variables, &moments, &best)?;
        }
        if !told(Told::Epoch(&record)) {
            return Err(Error::Stopped(epoch));
        }
    }
    if state.best == 0 {
        return Err(Error::Diverged(state.epochs.len()));
    }
    if !judged {
        best = snapshot(&variables)?;
    }
    if let Some(path) = &checkpoint {
        remove(path)?;
    }
    Ok(Trained {
        config: config.clone(),
        weights: best.into_iter().collect(),
        stopped_early: state.epochs.len() < options.epochs,
        best: state.best,
        epochs: state.epochs,
        rows: (train.len(), held.len()),
        warnings: (!held.is_empty() && !judged).then(|| not_judged(options.loss)).into_iter().collect(),
    })
}

/// Why the training rows cannot be learned from.
fn nothing_to_learn(loss: Loss, event: &[bool]) -> String {
    match loss {
        Loss::Binary { horizon } => format!(
            "the training rows hold only one outcome at horizon {horizon}: give rows with an event up to it and rows followed up to it, \
             or another horizon"
        ),
        Loss::Cox if !event.contains(&true) => "the training rows hold no event to learn from: give more rows".into(),
        Loss::Cox => "the training rows hold no event that another row outlives, nothing to learn from: give more rows".into(),
    }
}

/// What the held-out rows lack to choose an epoch, and what to do.
fn not_judged(loss: Loss) -> String {
    let lack = match loss {
        Loss::Cox => "the held-out rows have no event that another row outlives",
        Loss::Binary { .. } => "the held-out rows have only one outcome at the horizon",
    };
    format!("{lack}: the last epoch is kept; give more rows, or {{'validation': 0}}")
}

/// One step's forward and backward passes.
struct Step<'a> {
    network: &'a CrossFormer,
    images: ArrayView4<'a, f32>,
    options: &'a FitOptions,
    device: &'a Device,
}

type Gradients = HashMap<String, Tensor>;

impl Step<'_> {
    /// The outputs, the loss (None where the batch has no event) and the gradient of every parameter.
    fn run(
        &self,
        rows: &[usize],
        flips: &[u8],
        time: &[f64],
        event: &[bool],
        noise: &dyn Fn(usize) -> Noise,
        go_on: &mut dyn FnMut() -> Result<()>,
    ) -> Result<(Vec<f64>, Option<f64>, Gradients)> {
        let part = self.options.part;
        let parts: Vec<_> = rows.chunks(part).zip(flips.chunks(part)).collect();
        let mut pass = |i: usize| -> Result<Tensor> {
            go_on()?;
            let images = gather(self.images, parts[i].0, parts[i].1, self.device)?;
            Ok(self.network.forward_train(&images, &mut noise(i))?.logits.narrow(1, 0, 1)?.flatten_all()?)
        };
        // The loss couples the rows of a batch. Where they do not fit into memory at once, a first pass gives every output, and
        // a second one, under the same noise, sends the loss's gradient back part by part.
        let mut eta = Vec::new();
        let mut only = None;
        for i in 0..parts.len() {
            let output = pass(i)?;
            eta.extend(output.to_dtype(DType::F64)?.to_vec1::<f64>()?);
            if parts.len() == 1 {
                only = Some(output);
            }
        }
        let Some((loss, slope)) = self.options.loss.evaluate(&eta, time, event) else {
            return Ok((eta, None, HashMap::new()));
        };
        let mut total = Gradients::new();
        for (i, slope) in slope.chunks(part).enumerate() {
            let output = match only.take() {
                Some(output) => output,
                None => pass(i)?,
            };
            let slope = Tensor::new(slope, self.device)?.to_dtype(output.dtype())?;
            for (name, gradient) in self.network.gradients(&(output * slope)?.sum_all()?)? {
                let sum = match total.remove(&name) {
                    Some(before) => (before + gradient)?,
                    None => gradient,
                };
                total.insert(name, sum);
            }
        }
        Ok((eta, Some(loss), total))
    }
}

/// Outputs of rows without noise, `part` at a time.
fn risk(config: &Config, variables: &BTreeMap<String, Var>, images: ArrayView4<f32>, rows: &[usize], part: usize) -> Result<Vec<f64>> {
    let weights = variables.iter().map(|(n, v)| (n.clone(), v.as_detached_tensor())).collect();
    let network = CrossFormer::new(config, &weights)?;
    let mut eta = Vec::new();
    for rows in rows.chunks(part) {
        let images = gather(images, rows, &vec![0; rows.len()], network.device())?;
        let logits = network.forward(&images)?.logits.narrow(1, 0, 1)?.flatten_all()?;
        eta.extend(logits.to_dtype(DType::F64)?.to_vec1::<f64>()?);
    }
    Ok(eta)
}

fn check(images: ArrayView4<f32>, time: &[f64], event: &[bool]) -> Result<()> {
    let rows = images.len_of(Axis(0));
    let fail = |what: String| Err(Error::Data(what));
    if time.len() != rows || event.len() != rows {
        return fail(format!("{rows} images, {} times and {} events: one of each per row is needed", time.len(), event.len()));
    }
    if let Some(row) = time.iter().position(|t| !t.is_finite()) {
        return fail(format!("time of row {row} is not a number"));
    }
    if let Some(time) = time.iter().find(|t| **t < 0.0) {
        return fail(format!("time is {time}: follow-up times start at 0; check the dates it was computed from"));
    }
    if let Some(row) = (0..rows).find(|&r| images.index_axis(Axis(0), r).iter().any(|v| !v.is_finite())) {
        return fail(format!("image of row {row} holds values that are not finite"));
    }
    Ok(())
}

/// Training and held-out rows, both ascending. Events and censored rows are held out at the same share.
fn split(event: &[bool], options: &FitOptions) -> (Vec<usize>, Vec<usize>) {
    let mut random = stream(options.seed, 1);
    let mut held = Vec::new();
    for kind in [true, false] {
        let rows: Vec<usize> = (0..event.len()).filter(|&i| event[i] == kind).collect();
        let n = (rows.len() as f64 * options.validation).round() as usize;
        held.extend(shuffle(&rows, &mut random).into_iter().take(n));
    }
    held.sort_unstable();
    let train = (0..event.len()).filter(|i| held.binary_search(i).is_err()).collect();
    (train, held)
}

/// Batches of nearly equal size, none larger than `batch`: a last batch of one row would have nothing to compare.
fn batches(order: &[usize], batch: usize) -> Vec<&[usize]> {
    let n = order.len().div_ceil(batch);
    (0..n).map(|i| &order[i * order.len() / n..(i + 1) * order.len() / n]).collect()
}

fn stream(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(stream);
    random
}

/// Fisher and Yates.
fn shuffle(rows: &[usize], random: &mut ChaCha8Rng) -> Vec<usize> {
    let mut rows = rows.to_vec();
    for i in (1..rows.len()).rev() {
        rows.swap(i, (random.next_u64() % (i as u64 + 1)) as usize);
    }
    rows
}

fn pick<T: Copy>(values: &[T], rows: &[usize]) -> Vec<T> {
    rows.iter().map(|&r| values[r]).collect()
}

/// Rows as one tensor, mirrored left-right (bit 0) and up-down (bit 1).
fn gather(images: ArrayView4<f32>, rows: &[usize], flips: &[u8], device: &Device) -> Result<Tensor> {
    let (_, c, h, w) = images.dim();
    let mut values: Vec<f32> = Vec::with_capacity(rows.len() * c * h * w);
    for (&row, &flip) in rows.iter().zip(flips) {
        let image: ArrayView3<f32> = images.index_axis_move(Axis(0), row);
        let image = if flip & 1 == 1 { image.slice_move(s![.., .., ..;-1]) } else { image };
        let image = if flip & 2 == 2 { image.slice_move(s![.., ..;-1, ..]) } else { image };
        values.extend(image.iter());
    }
    Ok(Tensor::from_vec(values, (rows.len(), c, h, w), device)?)
}

fn snapshot(variables: &BTreeMap<String, Var>) -> Result<BTreeMap<String, Tensor>> {
    variables.iter().map(|(n, v)| Ok((n.clone(), v.as_detached_tensor().copy()?))).collect()
}

/// A digest of everything that a checkpoint must have in common with the call that goes on from it.
fn mark(
    config: &Config,
    start: &BTreeMap<String, Var>,
    images: ArrayView4<f32>,
    time: &[f64],
    event: &[bool],
    options: &FitOptions,
) -> Result<u64> {
    // Fowler, Noll and Vo's 64-bit hash, FNV-1a.
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    let mut eat = |value: u64| hash = (hash ^ value).wrapping_mul(0x0100_0000_01b3);
    images.iter().for_each(|v| eat(u64::from(v.to_bits())));
    time.iter().for_each(|v| eat(v.to_bits()));
    event.iter().for_each(|&v| eat(u64::from(v)));
    // More epochs may be asked of a checkpoint than it was begun with.
    let options = FitOptions { epochs: 0, checkpoint: None, ..options.clone() };
    format!("{config:?} {options:?} {:?}", images.dim()).bytes().for_each(|b| eat(u64::from(b)));
    if let Loss::Binary { horizon } = options.loss {
        eat(horizon.to_bits());
    }
    for (name, weight) in start {
        format!("{name} {:?}", weight.dims()).bytes().for_each(|b| eat(u64::from(b)));
        weight.flatten_all()?.to_vec1::<f32>()?.iter().for_each(|v| eat(u64::from(v.to_bits())));
    }
    Ok(hash)
}
