//! Cash that the simulated company can expect: what `lagom export` and `lagom forecast` would make of
//! the log of the server that is shown.

use crate::cli::answer::Failure;
use crate::cli::forecast::{WEEKS, keep};
use crate::engine::Engine;
use lagom_training::forecast::forecast;
use lagom_training::pipeline::TrainingConfig;
use lagom_training::registry::Registry;

/// The past is tried with a curve of fewer invoices than `lagom forecast` would take, so that nobody
/// waits for it; a rougher curve makes the intervals wider, not wrong.
const TRAINING: &str = "[training]\nmost_invoices = 2000";
/// Of everything drawn.
const SEED: u64 = 1;
/// Whose curve it is: the one difference to a company that has trained on its own histories.
const WHOSE: &str = "The curve is that of the version in force, which the demo trained on other \
     people's payment histories; the past is tried with a curve of this company's own.";

/// Makes the forecast and leaves it beside the version in force, for the page.
pub(super) fn make(engine: &Engine) -> Result<(), Failure> {
    let models = engine.config().models.clone();
    let Some(version) = Registry::at(&models).current()? else {
        return Ok(());
    };
    let export = crate::export::read(engine.store())?;
    let histories = export.into_tables().take_histories();
    let config = TrainingConfig::parse(TRAINING, version.spec().clone())?;
    let mut found = forecast(&histories, &version, WEEKS, None, &config, SEED)?;
    found.notes.insert(0, WHOSE.to_owned());
    keep(&models, &found)
}
