//! From the plan as written to the plan as agreed, every fault at once.

use std::{collections::HashSet, ops::Range};

use lagom_model::statistics::{Alpha, maturity::Window};
use toml::Spanned;

use super::{
    Column, Gate, Margin, Metric, Plan, PlanFault, Role, Segment, Winsorising,
    raw::{RawMargin, RawMetric, RawPlan, RawRole, RawWindow, RawWinsorise},
};
use crate::review::ReviewError;

/// Customers an arm below which a segment is hidden, unless the plan says otherwise.
const SMALLEST_SEGMENT: u64 = 100;

impl Plan {
    /// Reads a plan from its text; `file` is used in messages.
    ///
    /// # Errors
    /// [`ReviewError::Plan`] with every fault and its line.
    pub fn parse(file: &str, text: &str) -> Result<Self, ReviewError> {
        let mut checker = Checker {
            text,
            faults: Vec::new(),
        };
        let plan = match toml::from_str::<RawPlan>(text) {
            Ok(raw) => checker.plan(raw),
            Err(error) => {
                let reason = error.message().lines().collect::<Vec<_>>().join(" ");
                checker.fault(&error.span().unwrap_or(0..0), reason);
                None
            }
        };
        match plan {
            Some(plan) if checker.faults.is_empty() => Ok(plan),
            _ => {
                checker.faults.sort_by_key(|fault| fault.line);
                Err(ReviewError::Plan {
                    file: file.to_owned(),
                    faults: checker.faults,
                })
            }
        }
    }
}

struct Checker<'a> {
    text: &'a str,
    faults: Vec<PlanFault>,
}

impl Checker<'_> {
    fn fault(&mut self, span: &Range<usize>, reason: impl Into<String>) {
        let before = &self.text.as_bytes()[..span.start.min(self.text.len())];
        self.faults.push(PlanFault {
            line: before.iter().filter(|byte| **byte == b'\n').count() + 1,
            reason: reason.into(),
        });
    }

    fn plan(&mut self, raw: RawPlan) -> Option<Plan> {
        let alpha = match &raw.alpha {
            None => Some(Alpha::FIVE_PERCENT),
            Some(given) => {
                let level = Alpha::new(*given.get_ref())
                    .ok()
                    .filter(|level| level.value() < 0.5);
                if level.is_none() {
                    self.fault(
                        &given.span(),
                        format!("alpha must lie in (0, 0.5), got {}", given.get_ref()),
                    );
                }
                level
            }
        };
        let power = raw.power.as_ref().map_or(0.8, |power| *power.get_ref());
        if let Some(given) = raw.power.as_ref().filter(|_| !(power > 0.0 && power < 1.0)) {
            self.fault(
                &given.span(),
                format!("power must lie in (0, 1), got {power}"),
            );
        }
        self.shares(&raw);
        let gate = raw.window.as_ref().and_then(|window| self.gate(window));
        if raw.metrics.is_empty() {
            self.fault(&(0..0), "a plan needs at least one [[metrics]]");
        }
        let mut names = HashSet::new();
        let metrics: Vec<Option<Metric>> = raw
            .metrics
            .iter()
            .map(|metric| {
                if !names.insert(metric.name.get_ref()) {
                    let reason = format!(
                        "two metrics are called `{}`; rename one",
                        metric.name.get_ref()
                    );
                    self.fault(&metric.name.span(), reason);
                }
                self.metric(metric)
            })
            .collect();
        Some(Plan {
            experiment: raw.experiment,
            control: raw.control.into_inner(),
            alpha: alpha?,
            power,
            planned_customers: raw.planned_customers,
            interval: raw.interval,
            customer: raw.columns.customer,
            arm: raw.columns.arm,
            enrolled: raw.columns.enrolled,
            shares: raw
                .shares
                .into_iter()
                .map(|(arm, share)| (arm, share.into_inner()))
                .collect(),
            gate,
            metrics: metrics.into_iter().collect::<Option<Vec<_>>>()?,
            segments: raw
                .segments
                .into_iter()
                .map(|segment| Segment {
                    column: segment.column,
                    smallest: segment.smallest.unwrap_or(SMALLEST_SEGMENT).max(2),
                })
                .collect(),
        })
    }

    fn shares(&mut self, raw: &RawPlan) {
        for (arm, share) in &raw.shares {
            let value = *share.get_ref();
            if !value.is_finite() || value < 0.0 {
                self.fault(
                    &share.span(),
                    format!("the share of `{arm}` must be at least 0, got {value}"),
                );
            }
        }
        let control = raw.control.get_ref();
        if !raw.shares.is_empty()
            && raw
                .shares
                .get(control)
                .is_none_or(|share| *share.get_ref() <= 0.0)
        {
            let reason = format!("the control `{control}` has no share; add it to [shares]");
            self.fault(&raw.control.span(), reason);
        }
    }

    fn gate(&mut self, raw: &RawWindow) -> Option<Gate> {
        match Window::of_days(*raw.days.get_ref()) {
            Ok(window) => Some(Gate {
                exposed: raw.exposed.clone(),
                window,
                as_of: raw.as_of,
            }),
            Err(error) => {
                self.fault(&raw.days.span(), error.to_string());
                None
            }
        }
    }

    fn metric(&mut self, raw: &RawMetric) -> Option<Metric> {
        let name = raw.name.get_ref().clone();
        let span = raw.name.span();
        let column = match (&raw.value, &raw.numerator, &raw.denominator) {
            (Some(value), None, None) => Some(Column::Mean(value.clone())),
            (None, Some(numerator), Some(denominator)) => Some(Column::Ratio {
                numerator: numerator.clone(),
                denominator: denominator.clone(),
            }),
            _ => {
                let reason = format!(
                    "metric `{name}` needs either `value` or both `numerator` and `denominator`"
                );
                self.fault(&span, reason);
                None
            }
        };
        let direction = raw.direction.and_then(super::raw::RawDirection::judged);
        if raw.role != RawRole::Informative && direction.is_none() {
            let reason =
                format!("metric `{name}` decides, so it needs direction = \"higher\" or \"lower\"");
            self.fault(&span, reason);
        }
        let role = match (raw.role, &raw.margin) {
            (RawRole::Guardrail, Some(margin)) => self.margin(&name, margin).map(Role::Guardrail),
            (RawRole::Guardrail, None) => {
                let reason = format!(
                    "guardrail `{name}` needs a margin, such as margin = {{ absolute = 0.01 }} or {{ relative = 0.02 }}"
                );
                self.fault(&span, reason);
                None
            }
            (role, Some(margin)) => {
                let reason =
                    format!("metric `{name}` is no guardrail ({role:?}), so it takes no margin");
                self.fault(&margin.span(), reason);
                None
            }
            (RawRole::Success, None) => Some(Role::Success),
            (RawRole::Informative, None) => Some(Role::Informative),
        };
        let ratio = matches!(column, Some(Column::Ratio { .. }));
        let winsorising = raw
            .winsorise
            .as_ref()
            .map(|w| self.winsorising(&name, ratio, w));
        if winsorising.is_some_and(|w| w.is_none()) {
            return None;
        }
        Some(Metric {
            name,
            role: role?,
            direction,
            column: column?,
            winsorising: winsorising.flatten(),
            covariates: raw.covariates.clone(),
        })
    }

    fn margin(&mut self, name: &str, raw: &Spanned<RawMargin>) -> Option<Margin> {
        let margin = match (raw.get_ref().absolute, raw.get_ref().relative) {
            (Some(loss), None) if loss.is_finite() && loss > 0.0 => Some(Margin::Absolute(loss)),
            (None, Some(share)) if share > 0.0 && share < 1.0 => Some(Margin::Relative(share)),
            _ => None,
        };
        if margin.is_none() {
            let reason =
                format!("the margin of `{name}` must be one of absolute > 0 or relative in (0, 1)");
            self.fault(&raw.span(), reason);
        }
        margin
    }

    fn winsorising(
        &mut self,
        name: &str,
        ratio: bool,
        raw: &Spanned<RawWinsorise>,
    ) -> Option<Winsorising> {
        let given = raw.get_ref();
        let found = match (given.quantile, given.cap) {
            (Some(order), None) if order > 0.0 && order < 1.0 => Some(Winsorising::Quantile {
                order,
                base: given.of,
            }),
            (None, Some(cap)) if cap.is_finite() && !ratio => Some(Winsorising::Cap(cap)),
            _ => None,
        };
        if found.is_none() {
            let reason = format!(
                "winsorise of `{name}` must be a quantile in (0, 1) or, for a mean, a cap agreed beforehand"
            );
            self.fault(&raw.span(), reason);
        }
        found
    }
}
