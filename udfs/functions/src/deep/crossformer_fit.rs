//! Training of a CrossFormer on survival.
//!
//! The inputs of all rows are cut out once and stay in memory (channels x size x size float32 per row). What was seen in an
//! epoch is told by `crossformer_history`.

use std::path::PathBuf;

use esccsql_crossformer::input::{Nearest, Outside, Rule};
use esccsql_crossformer::train::{Adam, Epoch, FitOptions, Told, fit};
use esccsql_crossformer::weights::{Adapt, Weights, initial};
use esccsql_crossformer::{Choice, Config, device, loss::Loss};
use ndarray::{Array4, Axis};

use super::network::{Network, problem};
use super::picture::{input, rule};
use crate::shape::{
    Environment, Function, Kind, Model, Problem, Rows, Slots, Summary, collect, is_interrupted, local, options, progress_begin,
    progress_step, set_progress_note,
};

options! {
    struct Options {
        /// Network trained from scratch: 'tiny' (512 features), 'small', 'base', 'large'; 'micro' (128 features) trains on a CPU in minutes.
        variant: String = "tiny".into(),
        /// A file of weights to start from, as crossformer_load takes it; its variant counts then, and the head is new.
        weights: Option<String> = None,
        /// Input channels: the slice with the largest mask, and as many on each side; by default those of `init`, else 7.
        channels: Option<usize> = None,
        /// Side of the input in pixels, a multiple of 32; by default that of `init`, else 224.
        size: Option<usize> = None,
        /// 'center' or 'floor', as in crossformer_input; by default that of `init`, else 'center'.
        nearest: Option<Nearest> = None,
        /// 'keep' or 'zero', as in crossformer_input; by default that of `init`, else 'keep'.
        outside: Option<Outside> = None,
        /// Passes over the rows at most.
        epochs: usize = 30,
        /// Rows of a step; the risk sets of the Cox loss are within it.
        batch: usize = 32,
        /// Rows in memory at a time: the gradients of a step's parts add up, and the loss is still the whole batch's.
        part: usize = 8,
        /// Step size of Adam.
        lr: f64 = 1e-4,
        /// Share of activations dropped in training.
        dropout: f64 = 0.1,
        /// Share of the last block's rows that skip it in training; by default the variant's own.
        drop_path: Option<f64> = None,
        /// Mirror each image at random, left-right and up-down.
        flip: bool = true,
        /// 'cox' (negative partial log-likelihood) or 'binary' (event up to `horizon`).
        loss: String = "cox".into(),
        /// The time of loss 'binary'.
        horizon: Option<f64> = None,
        /// Share of the rows held out for early stopping; 0 trains on all rows for all epochs.
        validation: f64 = 0.2,
        /// Epochs without a better validation loss before training stops; the best epoch's weights are kept.
        patience: usize = 10,
        /// Seed of weights, order, flips and dropout.
        seed: u64 = 1,
        /// 'cpu', 'cuda', or 'auto': the GPU where this build has CUDA and a driver answers. model_info says which it was.
        device: Choice = Choice::Auto,
        /// A file that is written after each epoch and that an interrupted fit goes on from; removed at the end. In a folder
        /// that exists each fit (each group, each fold) has a file of its own.
        checkpoint: Option<String> = None,
    }
    check |options| {
        let rule = options.rule(None)?;
        options.config(&rule)?.check().map_err(|error| error.to_string())?;
        options.training()?.check().map_err(|error| error.to_string())
    }
}

impl Options {
    /// The input rule: the given options, and of the others what the network given as `init` carries along.
    fn rule(&self, init: Option<&Network>) -> Result<Rule, String> {
        let own = init.map_or_else(Rule::default, |network| network.rule);
        rule(
            self.channels.unwrap_or(own.channels()),
            self.size.unwrap_or(own.size),
            self.nearest.unwrap_or(own.nearest),
            self.outside.unwrap_or(own.outside),
        )
    }

    fn config(&self, rule: &Rule) -> Result<Config, String> {
        let config = Config::named(&self.variant).map_err(|error| error.to_string())?.channels(rule.channels()).classes(1);
        Ok(self.noise(config))
    }

    fn noise(&self, config: Config) -> Config {
        Config { dropout: self.dropout, drop_path: self.drop_path.unwrap_or(config.drop_path), ..config }
    }

    fn training(&self) -> Result<FitOptions, String> {
        let loss = match (self.loss.as_str(), self.horizon) {
            ("cox", None) => Loss::Cox,
            ("binary", Some(horizon)) => Loss::Binary { horizon },
            ("cox", Some(_)) => return Err("`horizon` belongs to {'loss': 'binary'}".into()),
            ("binary", None) => return Err("{'loss': 'binary'} needs a `horizon`, such as 24".into()),
            (other, _) => return Err(format!("no loss '{other}'; there are 'cox' and 'binary'")),
        };
        Ok(FitOptions {
            epochs: self.epochs,
            batch: self.batch,
            part: self.part,
            adam: Adam { lr: self.lr, ..Adam::default() },
            flip: self.flip,
            loss,
            validation: self.validation,
            patience: self.patience,
            seed: self.seed,
            checkpoint: self.checkpoint.as_ref().map(PathBuf::from),
        })
    }

    /// Where training starts: seeded weights, those of the file, or those of the network given as `init`.
    fn start(&self, rule: &Rule, init: Option<&Network>) -> Result<(Config, Weights, Vec<String>), Problem> {
        let read = match (&self.weights, init) {
            (Some(_), Some(_)) => return Err(Problem::user("give `init` or `weights`, not both")),
            (None, Some(network)) => network.weights()?,
            (None, None) => {
                let config = self.config(rule).map_err(Problem::user)?;
                let weights = initial(&config, self.seed);
                return Ok((config, weights, Vec::new()));
            }
            (Some(path), None) => {
                let bytes = std::fs::read(local(path)?).map_err(|error| Problem::user(format!("{error}; check the path")).at(path))?;
                Weights::read(&bytes).map_err(|error| Problem::user(error).at(path))?
            }
        };
        let channels = rule.channels();
        let (weights, config, changes) = read.fit(channels, 1, Adapt::Mean, self.seed).map_err(Problem::user)?;
        let mut warnings = Vec::new();
        warnings.extend(changes.channels.map(|before| format!("the patch embedding was adapted from {before} to {channels} channels")));
        warnings.extend(changes.classes.map(|before| format!("the head of {before} outputs was replaced by a random one of 1")));
        Ok((self.noise(config), weights, warnings))
    }
}

pub fn crossformer_fit() -> Function {
    collect("crossformer_fit", "Trains a CrossFormer to tell risk from the 2.5D input of a region: a model for crossformer_embed, crossformer_risk and gradcam. The same rows, seed and device give the same bits.")
        .arg("image", Kind::Image, "the image, windowed and standardised")
        .arg("mask", Kind::Mask, "the region on the image's grid")
        .outcome()
        .options::<Options>()
        .row_option("init", Kind::Model, "a network to go on from, the same in every row")
        .source("Wang et al., CrossFormer, ICLR 2022; Katzman et al., DeepSurv, BMC Med Res Methodol 2018;18:24")
        .example("SELECT model_info(crossformer_fit(image('scan.nii.gz').image_zscore(), mask('gtv.nii.gz'), months, died, {'variant': 'micro', 'size': 32, 'epochs': 1})).n_used FROM patients")
        .returns(train)
}

fn train(rows: &Rows, options: &Options) -> Result<Model, Problem> {
    let init = match rows.given("init") {
        Some(argument) => {
            if (1..rows.len()).any(|row| rows.model(argument, row) != rows.model(argument, 0)) {
                return Err(Problem::user("`init` must be one model for all rows of a group"));
            }
            Some(Model::decode::<Network>(rows.model(argument, 0))?)
        }
        None => None,
    };
    let init = init.as_ref().map(|trained| &trained.model);
    let rule = options.rule(init).map_err(Problem::user)?;
    let (config, weights, mut warnings) = options.start(&rule, init)?;
    let training = options.training().map_err(Problem::user)?;
    if let Some(path) = &training.checkpoint {
        Environment::current().check_path(path)?;
        training.check_place().map_err(problem)?;
    }
    let images = inputs(rows, &config, &rule)?;
    let (place, name) = device(options.device).map_err(problem)?;
    let tensors = weights.tensors(&place).map_err(Problem::bug)?;
    progress_begin(options.epochs);
    let mut seen = 0;
    let mut told = |told: Told| {
        if let Told::Epoch(epoch) = told {
            seen += 1;
            set_progress_note(note(epoch, options.epochs, name));
            progress_step();
        }
        !is_interrupted()
    };
    let trained = fit(&config, &tensors, images.view(), rows.numbers(2), rows.events(3), &training, &mut told).map_err(problem);
    // Epochs that were not needed are done, for the progress bar.
    (seen..options.epochs).for_each(|_| progress_step());
    let trained = trained?;
    let weights = Weights::of_tensors(&trained.weights).map_err(Problem::bug)?;
    let mut network = Network::new(trained.config, rule, &weights)?;
    network.epochs = trained.epochs;
    warnings.extend(trained.warnings);
    let told = Options {
        variant: variant(&network.config).into(),
        channels: Some(rule.channels()),
        size: Some(rule.size),
        nearest: Some(rule.nearest),
        outside: Some(rule.outside),
        ..options.clone()
    };
    let mut summary = Summary { warnings, options: serde_json::to_value(told).map_err(Problem::bug)?, ..rows.summary(Some(3)) };
    summary.options["device"] = name.into();
    Model::encode(&network, &[], summary)
}

/// The name of a network's variant; a file of weights can hold one without a name.
fn variant(config: &Config) -> &'static str {
    let is = |name: &&str| Config::named(name).is_ok_and(|known| known.embed_dim == config.embed_dim && known.depths == config.depths);
    ["tiny", "small", "base", "large", "micro"].into_iter().find(is).unwrap_or("other")
}

/// An epoch in a line: `epoch 3 of 30 on cpu: loss 2.310, C-index 0.68; held out 2.402, 0.61`.
fn note(epoch: &Epoch, all: usize, device: &str) -> String {
    let index = |value: Option<f64>| value.map_or_else(|| "-".into(), |value| format!("{value:.2}"));
    let Epoch { epoch: number, loss, .. } = epoch;
    let held = epoch.validation_loss.map(|held| format!("; held out {held:.3}, {}", index(epoch.validation_c_index)));
    format!("epoch {number} of {all} on {device}: loss {loss:.3}, C-index {}{}", index(epoch.c_index), held.unwrap_or_default())
}

/// The inputs of all rows [rows, channels, size, size], cut out in parallel.
fn inputs(rows: &Rows, config: &Config, rule: &Rule) -> Result<Array4<f32>, Problem> {
    let (images, masks) = (rows.texts(0), rows.texts(1));
    let environment = Environment::current();
    let mut all = Array4::zeros((rows.len(), config.in_channels, rule.size, rule.size));
    let places = Slots::full(all.axis_iter_mut(Axis(0)).collect());
    let one = |row: usize| -> Result<(), Problem> {
        let (values, _) = input(&images[row], &masks[row], rule)?;
        places.take(row).into_iter().for_each(|mut place| place.assign(&values));
        Ok(())
    };
    // Of several problems the first row's is told, whatever the threads.
    environment.map(rows.len(), one)?.into_iter().collect::<Result<Vec<()>, _>>()?;
    Ok(all)
}
