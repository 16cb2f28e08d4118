//! The records of a log, as far as a review looks at them, one table after another.

use lagom_features::domain::{Channel, EventType, InvoiceId, Timestamp, Tone};

use crate::review::ReviewError;
use crate::tables::Tables;

/// A decision.
#[derive(Debug, Clone)]
pub struct DecisionRow<'a> {
    /// Its id.
    pub decision_id: &'a str,
    /// About whom.
    pub customer_id: &'a str,
    /// About which invoice.
    pub invoice_id: &'a str,
    /// When.
    pub decided_at: Timestamp,
    /// What kind of step was chosen.
    pub kind: &'a str,
    /// Over which channel.
    pub channel: Option<&'a str>,
    /// In which tone.
    pub tone: Option<&'a str>,
    /// With which probability.
    pub probability: f64,
    /// In which experiment.
    pub experiment: Option<&'a str>,
    /// In which arm of it.
    pub arm: Option<&'a str>,
    /// Which policy chose.
    pub policy: &'a str,
    /// Which publication of it.
    pub policy_generation: u64,
    /// Which model version was asked.
    pub model_id: Option<&'a str>,
    /// Whether the intended policy did not choose.
    pub fallback: bool,
}

/// What became of a decision.
#[derive(Debug, Clone)]
pub struct OutcomeRow<'a> {
    /// Of which.
    pub decision_id: &'a str,
    /// End of the window.
    pub matured_at: Timestamp,
    /// Cost, in minor units.
    pub cost_minor: i64,
    /// Fee, in minor units.
    pub fee_minor: i64,
    /// Value by the objective, in minor units.
    pub value_minor: f64,
    /// Whether the window was cut short.
    pub censored: bool,
}

/// A decision with all its probabilities.
#[derive(Debug, Clone)]
pub struct RoundRow<'a> {
    /// Its id.
    pub decision_id: &'a str,
    /// About whom.
    pub customer_id: &'a str,
    /// When.
    pub decided_at: Timestamp,
    /// In which experiment.
    pub experiment: Option<&'a str>,
    /// In which arm of it.
    pub arm: Option<&'a str>,
    /// What was chosen.
    pub action_id: &'a str,
    /// What could have been chosen, with its probability.
    pub eligible: &'a [(&'a str, f64)],
}

/// A description of a customer.
#[derive(Debug, Clone)]
pub struct CustomerRow<'a> {
    /// Of whom.
    pub customer_id: &'a str,
    /// When it became known.
    pub recorded_at: Timestamp,
    /// Segment.
    pub segment: Option<&'a str>,
    /// Margin of a year, in minor units.
    pub annual_margin_minor: Option<i64>,
}

/// An invoice or a correction of it.
#[derive(Debug, Clone)]
pub struct InvoiceRow<'a> {
    /// Its id.
    pub invoice_id: &'a str,
    /// Whose.
    pub customer_id: &'a str,
    /// When it became known.
    pub recorded_at: Timestamp,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// How much it is about, in minor units.
    pub amount_minor: i64,
    /// In which currency.
    pub currency: &'a str,
}

/// An event.
#[derive(Debug, Clone)]
pub struct FactRow<'a> {
    /// What happened.
    pub kind: EventType,
    /// To whom.
    pub customer_id: &'a str,
    /// With which invoice.
    pub invoice_id: Option<&'a str>,
    /// When.
    pub occurred_at: Timestamp,
    /// When it became known.
    pub recorded_at: Timestamp,
    /// Amount in minor units, and its currency.
    pub amount: Option<(i64, &'a str)>,
    /// Its reason; a rating where it is feedback.
    pub reason: Option<&'a str>,
}

/// How many records there are, as far as that is known before they are read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sizes {
    /// Decisions.
    pub decisions: usize,
    /// Invoices and corrections.
    pub invoices: usize,
    /// Events.
    pub events: usize,
}

/// Rows of a table that are handed over together, so that who looks them up can do so side by side.
pub(super) const BLOCK: usize = 512;

/// Decisions of a log that is small enough for every life in it to be put together.
const FEW: usize = 500_000;

/// A log that a review can read, each table as often as it needs to and in any order; rows come in
/// blocks, in the order of the log.
pub trait Log {
    /// How many records there are.
    fn sizes(&self) -> Sizes;

    /// The last moment that anything was known.
    ///
    /// # Errors
    /// [`ReviewError`] where the log cannot be read; so for every method.
    fn last_known(&self) -> Result<Timestamp, ReviewError>;

    /// Everything in the log, for what looks at whole lives; none where it is too much for that.
    ///
    /// # Errors
    /// As [`Self::last_known`].
    fn whole(&self) -> Result<Option<Tables>, ReviewError> {
        if self.sizes().decisions > FEW {
            return Ok(None);
        }
        self.read_whole().map(Some)
    }

    /// Everything in the log, however much it is.
    ///
    /// # Errors
    /// As [`Self::last_known`].
    fn read_whole(&self) -> Result<Tables, ReviewError>;

    /// Hands over every decision.
    ///
    /// # Errors
    /// As [`Self::last_known`].
    fn decisions(&self, visit: &mut dyn FnMut(&[DecisionRow<'_>])) -> Result<(), ReviewError>;

    /// Hands over decisions with all their probabilities: of a very large log some blocks, spread
    /// over its time.
    ///
    /// # Errors
    /// As [`Self::last_known`].
    fn rounds(&self, visit: &mut dyn FnMut(&RoundRow<'_>)) -> Result<(), ReviewError>;

    /// Hands over every outcome.
    ///
    /// # Errors
    /// As [`Self::last_known`].
    fn outcomes(&self, visit: &mut dyn FnMut(&[OutcomeRow<'_>])) -> Result<(), ReviewError>;

    /// Hands over every description of a customer.
    ///
    /// # Errors
    /// As [`Self::last_known`].
    fn customers(&self, visit: &mut dyn FnMut(&[CustomerRow<'_>])) -> Result<(), ReviewError>;

    /// Hands over every invoice and correction.
    ///
    /// # Errors
    /// As [`Self::last_known`].
    fn invoices(&self, visit: &mut dyn FnMut(&[InvoiceRow<'_>])) -> Result<(), ReviewError>;

    /// Hands over every event.
    ///
    /// # Errors
    /// As [`Self::last_known`].
    fn events(&self, visit: &mut dyn FnMut(&[FactRow<'_>])) -> Result<(), ReviewError>;
}

impl Log for Tables {
    fn sizes(&self) -> Sizes {
        Sizes {
            decisions: self.decisions.len(),
            invoices: self.invoices.len(),
            events: self.events.len(),
        }
    }

    fn read_whole(&self) -> Result<Tables, ReviewError> {
        Ok(self.clone())
    }

    fn last_known(&self) -> Result<Timestamp, ReviewError> {
        let events = self.events.iter().map(|event| event.recorded_at);
        let decisions = self.decisions.iter().map(|decision| decision.decided_at);
        let outcomes = self.outcomes.iter().map(|outcome| outcome.matured_at);
        let all = events.chain(decisions).chain(outcomes);
        Ok(all.max().unwrap_or(Timestamp::MIN))
    }

    fn decisions(&self, visit: &mut dyn FnMut(&[DecisionRow<'_>])) -> Result<(), ReviewError> {
        blocks(&self.decisions, visit, |one| DecisionRow {
            decision_id: one.decision_id.as_str(),
            customer_id: one.customer_id.as_str(),
            invoice_id: one.invoice_id.as_str(),
            decided_at: one.decided_at,
            kind: one.action.kind.name(),
            channel: one.action.channel.map(Channel::name),
            tone: one.action.tone.map(Tone::name),
            probability: one.probability,
            experiment: one.experiment.as_deref(),
            arm: one.arm.as_deref(),
            policy: &one.policy,
            policy_generation: one.policy_generation,
            model_id: one.model_id.as_deref(),
            fallback: one.fallback.is_some(),
        });
        Ok(())
    }

    fn rounds(&self, visit: &mut dyn FnMut(&RoundRow<'_>)) -> Result<(), ReviewError> {
        for one in &self.decisions {
            let eligible = one.eligible.iter();
            let eligible: Vec<(&str, f64)> = eligible
                .map(|choice| (choice.action.as_str(), choice.probability))
                .collect();
            visit(&RoundRow {
                decision_id: one.decision_id.as_str(),
                customer_id: one.customer_id.as_str(),
                decided_at: one.decided_at,
                experiment: one.experiment.as_deref(),
                arm: one.arm.as_deref(),
                action_id: one.action.id().as_str(),
                eligible: &eligible,
            });
        }
        Ok(())
    }

    fn outcomes(&self, visit: &mut dyn FnMut(&[OutcomeRow<'_>])) -> Result<(), ReviewError> {
        blocks(&self.outcomes, visit, |one| OutcomeRow {
            decision_id: one.decision_id.as_str(),
            matured_at: one.matured_at,
            cost_minor: one.cost_minor,
            fee_minor: one.fee_minor,
            value_minor: one.value_minor,
            censored: one.censored,
        });
        Ok(())
    }

    fn customers(&self, visit: &mut dyn FnMut(&[CustomerRow<'_>])) -> Result<(), ReviewError> {
        blocks(&self.customers, visit, |one| CustomerRow {
            customer_id: one.value.customer_id.as_str(),
            recorded_at: one.recorded_at,
            segment: one.value.segment.as_deref(),
            annual_margin_minor: one.value.annual_margin_minor,
        });
        Ok(())
    }

    fn invoices(&self, visit: &mut dyn FnMut(&[InvoiceRow<'_>])) -> Result<(), ReviewError> {
        blocks(&self.invoices, visit, |one| InvoiceRow {
            invoice_id: one.value.invoice_id.as_str(),
            customer_id: one.value.customer_id.as_str(),
            recorded_at: one.recorded_at,
            issued_at: one.value.issued_at,
            amount_minor: one.value.amount.minor_units,
            currency: one.value.amount.currency.as_str(),
        });
        Ok(())
    }

    fn events(&self, visit: &mut dyn FnMut(&[FactRow<'_>])) -> Result<(), ReviewError> {
        blocks(&self.events, visit, |one| FactRow {
            kind: one.kind,
            customer_id: one.customer_id.as_str(),
            invoice_id: one.invoice_id.as_ref().map(InvoiceId::as_str),
            occurred_at: one.occurred_at,
            recorded_at: one.recorded_at,
            amount: one
                .amount
                .as_ref()
                .map(|money| (money.minor_units, money.currency.as_str())),
            reason: one.reason.as_deref(),
        });
        Ok(())
    }
}

/// Hands over what `row` makes of `records`, block by block.
fn blocks<'a, T, R>(records: &'a [T], visit: &mut dyn FnMut(&[R]), row: impl Fn(&'a T) -> R) {
    let mut block = Vec::with_capacity(BLOCK.min(records.len()));
    for some in records.chunks(BLOCK) {
        block.clear();
        block.extend(some.iter().map(&row));
        visit(&block);
    }
}
