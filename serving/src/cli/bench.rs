//! `lagom bench`: the project's own measurements.

mod bandit;
mod child;
mod decide;
mod evaluate;
mod features;
mod fit;
mod guardrails;
mod hazard;
mod mean;
mod overload;
mod promotion;
mod review;
mod serve;
mod start;
mod store;
mod worlds;

use super::answer::{Answer, Failure};
use super::output::Output;
use clap::Subcommand;

/// Measures lagom: each command prints a figure beside a floor or a peer's.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Bandit(bandit::Args),
    Decide(decide::Args),
    Evaluate(evaluate::Args),
    Features(features::Args),
    Fit(fit::Args),
    Hazard(hazard::Args),
    Worlds(worlds::Args),
    Promotion(promotion::Args),
    Review(review::Args),
    Serve(serve::Args),
    Overload(overload::Args),
    Store(store::Args),
    Start(start::Args),
    Guardrails(guardrails::Args),
}

pub(crate) fn run(args: &Args, out: &mut Output) -> Result<Answer, Failure> {
    match &args.what {
        What::Bandit(args) => bandit::run(args, out),
        What::Decide(args) => decide::run(args, out),
        What::Evaluate(args) => evaluate::run(args, out),
        What::Features(args) => features::run(args, out),
        What::Fit(args) => fit::run(args, out),
        What::Hazard(args) => hazard::run(args, out),
        What::Worlds(args) => worlds::run(args, out),
        What::Promotion(args) => promotion::run(args, out),
        What::Review(args) => review::run(args, out),
        What::Serve(args) => serve::run(args, out),
        What::Overload(args) => overload::run(args, out),
        What::Store(args) => store::run(args, out),
        What::Start(args) => start::run(args, out),
        What::Guardrails(args) => guardrails::run(args, out),
    }
}
