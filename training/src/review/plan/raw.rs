//! The plan as it stands in the file, before it is checked.

use std::collections::BTreeMap;

use lagom_model::statistics::{non_inferiority::Direction, winsor::CapBase};
use serde::Deserialize;
use toml::Spanned;

use super::IntervalRule;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPlan {
    pub(super) experiment: String,
    pub(super) control: Spanned<String>,
    pub(super) alpha: Option<Spanned<f64>>,
    pub(super) power: Option<Spanned<f64>>,
    #[serde(default)]
    pub(super) planned_customers: u64,
    #[serde(default)]
    pub(super) interval: IntervalRule,
    pub(super) columns: RawColumns,
    #[serde(default)]
    pub(super) shares: BTreeMap<String, Spanned<f64>>,
    pub(super) window: Option<RawWindow>,
    pub(super) metrics: Vec<RawMetric>,
    #[serde(default)]
    pub(super) segments: Vec<RawSegment>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawColumns {
    pub(super) customer: String,
    pub(super) arm: String,
    pub(super) enrolled: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawWindow {
    pub(super) exposed: String,
    pub(super) days: Spanned<f64>,
    pub(super) as_of: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawMetric {
    pub(super) name: Spanned<String>,
    #[serde(default)]
    pub(super) role: RawRole,
    pub(super) direction: Option<RawDirection>,
    pub(super) value: Option<String>,
    pub(super) numerator: Option<String>,
    pub(super) denominator: Option<String>,
    pub(super) margin: Option<Spanned<RawMargin>>,
    pub(super) winsorise: Option<Spanned<RawWinsorise>>,
    #[serde(default)]
    pub(super) covariates: Vec<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RawRole {
    Success,
    Guardrail,
    #[default]
    Informative,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RawDirection {
    Higher,
    Lower,
    NotJudged,
}

impl RawDirection {
    pub(super) fn judged(self) -> Option<Direction> {
        match self {
            Self::Higher => Some(Direction::Higher),
            Self::Lower => Some(Direction::Lower),
            Self::NotJudged => None,
        }
    }
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawMargin {
    pub(super) absolute: Option<f64>,
    pub(super) relative: Option<f64>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawWinsorise {
    pub(super) quantile: Option<f64>,
    #[serde(default)]
    pub(super) of: CapBase,
    pub(super) cap: Option<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSegment {
    pub(super) column: String,
    pub(super) smallest: Option<u64>,
}
