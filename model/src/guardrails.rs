//! What may never happen, whatever a policy believes: rules as data, in packs.
//!
//! Every rule is judged on every action before any score is computed. An action that a rule
//! refuses cannot come back, and the first rule that refuses it is logged. Waiting is refused
//! by nothing; asking a person only where nothing is owed any more.
//!
//! The pack `global` always holds. Packs of jurisdictions hold by the customer's country; where
//! that is unknown, and no home is configured, all of them do. A pack that cannot be read is an
//! error, never an empty pack.

pub mod check;
mod conflicts;
pub(crate) mod facets;
pub mod facts;
pub mod holidays;
mod pack;
pub mod rule;
mod scene;
mod spec;
mod veto;
pub mod zones;

pub use check::Check;
pub use conflicts::{Conflict, conflicts};
pub use facts::Facts;
pub use pack::{Pack, PackError};
pub use rule::{Confidence, Rule};
pub use spec::{GuardrailsError, GuardrailsFault, GuardrailsSpec, Override};

use crate::log::RuleId;
use crate::strategy::Strategy;
use facets::Facets;
use lagom_features::domain::{Action, Channel, Country, Timestamp};
use scene::{Scene, Slot};
use veto::Veto;

/// Place of a rule in its [`Guardrails`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleRef {
    pack: u16,
    rule: u16,
}

/// A rule by which steps need an estimate in their favour; see [`gentle`](crate::policy::gentle).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GentleFirst {
    /// Which.
    pub rule: RuleRef,
    /// The probability with which every softer step must be worth less than a harsher one.
    pub credibility: f64,
    /// The probability with which the best step must gain something before it is preferred to waiting.
    pub against_waiting: f64,
}

/// What the rules say to one action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// No rule refuses it.
    Allowed,
    /// This rule, first of all, refuses it.
    Refused(RuleRef),
}

impl Verdict {
    /// Whether no rule refuses.
    #[must_use]
    pub const fn is_allowed(self) -> bool {
        matches!(self, Self::Allowed)
    }
}

/// Packs without faults.
#[derive(Debug, Clone)]
pub struct Guardrails {
    packs: Vec<Pack>,
    home: Option<Country>,
    fees_agreed: bool,
    name: String,
}

impl Guardrails {
    /// Reads the built-in packs that `spec` names and applies its overrides.
    ///
    /// # Errors
    /// [`GuardrailsError`] lists every fault at once.
    pub fn new(spec: &GuardrailsSpec) -> Result<Self, GuardrailsError> {
        Self::with_packs(spec, &[])
    }

    /// Like [`Self::new`], with packs of the company's own behind the built-in ones: the text of
    /// each, in the form of those.
    ///
    /// # Errors
    /// [`GuardrailsError`] lists every fault at once.
    pub fn with_packs(spec: &GuardrailsSpec, own: &[&str]) -> Result<Self, GuardrailsError> {
        let (packs, digest) = spec.read(own)?;
        let names: Vec<&str> = packs.iter().map(Pack::name).collect();
        Ok(Self {
            name: format!("{}#{digest}", names.join("+")),
            packs,
            home: spec.home,
            fees_agreed: spec.fees_agreed,
        })
    }

    /// Names of the packs, and a digest of their texts and all overrides: what is logged with
    /// each decision.
    #[must_use]
    pub fn pack(&self) -> &str {
        &self.name
    }

    /// The packs, `global` first.
    #[must_use]
    pub fn packs(&self) -> &[Pack] {
        &self.packs
    }

    /// The rule behind a refusal of [`Self::screen`].
    #[must_use]
    pub fn rule(&self, reference: RuleRef) -> &Rule {
        &self.packs[usize::from(reference.pack)].rules()[usize::from(reference.rule)]
    }

    /// The rule of this id.
    #[must_use]
    pub fn rule_named(&self, id: &str) -> Option<&Rule> {
        let mut rules = self.packs.iter().flat_map(Pack::rules);
        rules.find(|rule| rule.id == id)
    }

    /// Judges every action of the strategy's catalogue; `verdicts` is filled in its order.
    ///
    /// `allowed_channels` are those that the caller can use, if that is limited.
    pub fn screen(
        &self,
        facts: &Facts,
        strategy: &Strategy,
        allowed_channels: Option<&[Channel]>,
        verdicts: &mut Vec<Verdict>,
    ) {
        let timed = strategy.timings().iter();
        let scene = Scene {
            facts,
            slots: std::iter::once(Slot::instant(facts, facts.now))
                .chain(timed.map(|&timing| Slot::of(facts, timing)))
                .collect(),
            fees: strategy.fees(),
            fees_in_currency: strategy.currency() == facts.currency,
            fees_agreed: self.fees_agreed,
            allowed_channels,
        };
        let vetoes = self.vetoes(&scene);
        let meant = strategy.stages_for(facts);
        let open = scene.slots.iter();
        let open: Vec<u32> = open
            .map(|slot| strategy.open_stages(slot.days_from_due) & meant)
            .collect();
        verdicts.clear();
        verdicts.extend(strategy.entries().iter().map(|entry| {
            let refuses = |veto: &&Veto| {
                veto.facets.has(entry.facets)
                    && veto.slots >> entry.slot & 1 == 1
                    && !(veto.unless_staged && entry.stages & open[entry.slot] != 0)
            };
            let refusal = vetoes.iter().find(refuses);
            refusal.map_or(Verdict::Allowed, |veto| Verdict::Refused(veto.rule))
        }));
    }

    /// Every rule that refuses to send `action` with this fee, in minor units of the invoice's
    /// currency, at `send_at` or at once if that is over, by what is known now. What only binds a
    /// choice is not asked again: the strategy's stages, the request's channels.
    #[must_use]
    pub fn recheck(
        &self,
        facts: &Facts,
        action: &Action,
        fee_minor: i64,
        send_at: Timestamp,
    ) -> Vec<RuleId> {
        let fees = [0, fee_minor];
        let scene = Scene {
            facts,
            slots: vec![Slot::instant(facts, send_at.max(facts.now))],
            fees: &fees,
            fees_in_currency: true,
            fees_agreed: self.fees_agreed,
            allowed_channels: None,
        };
        let facets = Facets::of(action, usize::from(fee_minor != 0));
        let mut rules: Vec<RuleId> = Vec::new();
        for veto in self.vetoes(&scene) {
            let id = &self.rule(veto.rule).id;
            let refuses = veto.facets.has(facets) && veto.slots & 1 == 1 && !veto.unless_staged;
            if refuses && rules.last() != Some(id) {
                rules.push(id.clone());
            }
        }
        rules
    }

    /// The strictest rule by which harsher steps need an estimate that softer ones are worth less.
    /// [`Self::screen`] cannot judge it: it knows no estimates.
    #[must_use]
    pub fn gentle_first(&self, facts: &Facts) -> Option<GentleFirst> {
        let country = facts.country.or(self.home);
        let packs = self.packs.iter().zip(0_u16..);
        let holding = packs.filter(|(pack, _)| pack.holds_in(country));
        let rules = holding.flat_map(|(pack, at)| {
            let rules = pack.rules().iter().zip(0_u16..);
            rules.map(move |(rule, place)| {
                (
                    rule,
                    RuleRef {
                        pack: at,
                        rule: place,
                    },
                )
            })
        });
        rules
            .filter(|(rule, _)| rule.concerns(facts.customer_kind) && rule.holds_on(facts.today))
            .filter_map(|(rule, reference)| match rule.check {
                Check::GentleFirst {
                    credibility,
                    against_waiting,
                } => Some(GentleFirst {
                    rule: reference,
                    credibility,
                    against_waiting,
                }),
                _ => None,
            })
            .max_by(|a, b| a.credibility.total_cmp(&b.credibility))
    }

    fn vetoes(&self, scene: &Scene<'_>) -> Vec<Veto> {
        let country = scene.facts.country.or(self.home);
        let holding = || {
            let packs = self.packs.iter().zip(0_u16..);
            packs.filter(move |(pack, _)| pack.holds_in(country))
        };
        let calendars: Vec<_> = holding().map(|(pack, _)| pack.holidays()).collect();
        let mut vetoes = Vec::new();
        for (pack, at) in holding() {
            for (rule, place) in pack.rules().iter().zip(0_u16..) {
                if rule.concerns(scene.facts.customer_kind) {
                    let reference = RuleRef {
                        pack: at,
                        rule: place,
                    };
                    veto::collect(rule, reference, scene, &calendars, &mut vetoes);
                }
            }
        }
        vetoes
    }
}

impl Default for Guardrails {
    fn default() -> Self {
        Self::new(&GuardrailsSpec::default()).expect("the built-in packs are tested to be readable")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_packs_are_readable() {
        let guardrails = Guardrails::default();
        assert_eq!(guardrails.packs().len(), 10);
        assert!(guardrails.pack().starts_with("global+SE+NO+FI"));
    }
}
