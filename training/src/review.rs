//! The review of an experiment: one table of customers, one plan, one document of numbers.
//!
//! ```text
//! facts (one row a customer) ──cohort──> arms ──metrics──> effects ──rule──> decision
//!            plan (TOML, agreed before the start) ──────┘             │
//!                                                                     └──> Review (JSON)
//! ```
//!
//! The numbers are those of [`lagom_model::statistics`]; this module decides which of them a plan
//! asks for, who is left out and why, and in what order a reader meets them. The serialised names
//! are the field's (`absolute`, `relative_fieller`, `asymp_cs` …), the same the reference numbers
//! use. A review is a pure function of the two files: the same bytes give the same bytes.
//!
//! **Order of trust.** A failed integrity check withholds the verdict; a failed guardrail is the
//! verdict. Success metrics share the level (Holm for the p-values, Bonferroni for the intervals);
//! guardrails do not, since *all* of them must hold.

mod assemble;
mod cohort;
mod contest;
mod effects;
mod error;
mod guardrail;
mod judgement;
mod log;
mod over_time;
mod plan;
mod report;
mod segments;
mod sentence;
mod simulate;
mod values;

use std::{io::Read, path::Path};

use crate::flat_table::{FlatTable, ReadOptions};

pub use effects::{Adjusted, AnytimeReport, Effects, Judged, SequenceReport, Winsorised};
pub use error::ReviewError;
pub use guardrail::GuardrailReport;
pub use log::{
    ArmReport, CustomerRow, DecisionRow, Design, DesignReport, FactRow, Facts, Folder, Generation,
    History, InvoiceRow, Isolation, Log, LogReport, LogReview, OutcomeRow, Phase, RoundRow,
    SinceExposure, Sizes, Told, Trained, WINDOW_DAYS, default_plan, history, review_folder,
    review_log,
};
pub use over_time::{CohortLook, DailyLook};
pub use plan::{
    Column, Gate, IntervalRule, Margin, Metric, Plan, PlanFault, Role, Segment, Winsorising,
};
pub use report::{Balance, Comparison, Exclusions, Family, MetricReport, Review, SequentialShares};
pub use segments::{HiddenSegment, SegmentReport};
pub use simulate::{MetricPower, PlanAsk, PlanReport, plan_report};

/// Reviews the customers of the table `facts` by the plan in the file `plan`.
///
/// # Errors
/// [`ReviewError`] when a file cannot be read, the plan has faults (all of them, with their lines),
/// or the table lacks what the plan names.
pub fn review_files(
    facts: &Path,
    plan: &Path,
    options: &ReadOptions,
) -> Result<Review, ReviewError> {
    let text = std::fs::read_to_string(plan).map_err(|source| ReviewError::Io {
        file: plan.display().to_string(),
        source,
    })?;
    let parsed = Plan::parse(&plan.display().to_string(), &text)?;
    let table = FlatTable::read(facts, options)?;
    let mut review = review_table(&table, &parsed)?;
    review.plan_digest = blake3::hash(text.as_bytes()).to_hex().to_string();
    review.facts_digest = digest_of(facts)?;
    Ok(review)
}

/// Reviews a table at hand; the digests of the result are empty.
///
/// # Errors
/// [`ReviewError`] when the table lacks what the plan names.
pub fn review_table(table: &FlatTable, plan: &Plan) -> Result<Review, ReviewError> {
    assemble::review(table, plan, &[])
}

fn digest_of(path: &Path) -> Result<String, ReviewError> {
    let io = |source| ReviewError::Io {
        file: path.display().to_string(),
        source,
    };
    let mut file = std::fs::File::open(path).map_err(io)?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer).map_err(io)? {
            0 => break,
            read => hasher.update(&buffer[..read]),
        };
    }
    Ok(hasher.finalize().to_hex().to_string())
}
