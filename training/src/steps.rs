//! What a channel and tone add over waiting, inside a policy that decides by chance and learns.
//!
//! Decisions that could have waited and could have used the step are compared by their logged
//! probabilities ([`lagom_model::statistics::adaptive`]); beside it stands the difference of the plain
//! means, which is confounded: a policy contacts those whom it expects to need it.

use std::collections::{BTreeMap, HashMap};

use lagom_features::domain::{Action, Channel, Timestamp, Tone};
use lagom_model::statistics::Alpha;
use lagom_model::statistics::adaptive::{Round, contrast};
use serde::Serialize;

use crate::keys::{Index, key};

/// A channel and tone against waiting.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// `sms.friendly`.
    pub step: String,
    /// Decisions that chose it.
    pub decisions: u64,
    /// Decisions in which it and waiting could be chosen.
    pub comparable: u64,
    /// What it adds to the value of a decision, in major units, with its 95 % interval.
    pub added: [f64; 3],
    /// The difference of the plain means: confounded.
    pub naive: f64,
}

/// Choices of each below which nothing is said.
const FEWEST: u64 = 30;
const MINOR: f64 = 100.0;
/// The place of waiting among the steps.
const WAIT: u16 = 0;

/// Decisions with their probabilities, until their outcomes are known.
#[derive(Debug)]
pub(crate) struct Steps {
    decisions: Index,
    customers: Index,
    kept: Vec<Kept>,
    /// Place of the step, and its probability.
    choices: Vec<(u16, f64)>,
    names: Vec<String>,
    of_action: HashMap<String, u16>,
}

#[derive(Debug, Clone, Copy)]
struct Kept {
    customer: u32,
    at: Timestamp,
    chosen: u16,
    /// Where its choices end.
    end: usize,
    /// When its value was known, and the value in minor units.
    outcome: Option<(Timestamp, f64)>,
}

impl Default for Steps {
    fn default() -> Self {
        Self {
            decisions: Index::default(),
            customers: Index::default(),
            kept: Vec::new(),
            choices: Vec::new(),
            names: vec![String::new()],
            of_action: HashMap::new(),
        }
    }
}

impl Steps {
    /// Takes a decision, with the probability of every action that could be chosen.
    pub(crate) fn decision(
        &mut self,
        (decision_id, customer_id): (&str, &str),
        at: Timestamp,
        action_id: &str,
        eligible: &[(&str, f64)],
    ) {
        if !self.decisions.place(key(decision_id)).1 {
            return;
        }
        let start = self.choices.len();
        for (action, probability) in eligible {
            let place = self.place(action);
            let of_this = self.choices[start..].iter_mut();
            match of_this.into_iter().find(|(other, _)| *other == place) {
                Some((_, sum)) => *sum += probability,
                None => self.choices.push((place, *probability)),
            }
        }
        let kept = Kept {
            customer: self.customers.place(key(customer_id)).0 as u32,
            at,
            chosen: self.place(action_id),
            end: self.choices.len(),
            outcome: None,
        };
        self.kept.push(kept);
    }

    /// Takes what became of a decision.
    pub(crate) fn outcome(&mut self, decision_id: &str, matured_at: Timestamp, value_minor: f64) {
        if let Some(place) = self.decisions.get(key(decision_id)) {
            self.kept[place].outcome = Some((matured_at, value_minor));
        }
    }

    /// The place of an action's channel and tone.
    fn place(&mut self, action_id: &str) -> u16 {
        if let Some(place) = self.of_action.get(action_id) {
            return *place;
        }
        let name = match action_id.parse::<Action>() {
            Ok(action) if action.is_wait() => String::new(),
            Ok(action) => of(&action),
            // Not of this catalogue's form: comparable with nothing else.
            Err(_) => action_id.to_owned(),
        };
        let found = self.names.iter().position(|other| *other == name);
        let place = found.unwrap_or_else(|| {
            self.names.push(name);
            self.names.len() - 1
        });
        // Channels times tones are some dozens.
        let place = u16::try_from(place).unwrap_or(u16::MAX);
        self.of_action.insert(action_id.to_owned(), place);
        place
    }

    /// Every step that was chosen often enough, by name.
    pub(crate) fn compared(&self) -> Vec<Step> {
        let mut rounds: BTreeMap<u16, Vec<Round>> = BTreeMap::new();
        let mut start = 0;
        for one in &self.kept {
            let choices = &self.choices[start..one.end];
            start = one.end;
            let Some((known_at, value_minor)) = one.outcome else {
                continue;
            };
            let wait = choices.iter().find(|(place, _)| *place == WAIT);
            let Some((_, wait)) = wait.filter(|(_, probability)| *probability > 0.0) else {
                continue;
            };
            let open = choices
                .iter()
                .filter(|(place, p)| *place != WAIT && *p > 0.0);
            for (place, probability) in open {
                let chosen = match one.chosen {
                    WAIT => Some(1),
                    chosen if chosen == *place => Some(0),
                    _ => None,
                };
                // A sum of shares may exceed 1 by its last bit.
                let propensities = [probability.min(1.0), wait.min(1.0)];
                rounds.entry(*place).or_default().push(Round {
                    at: one.at.micros(),
                    known_at: known_at.micros(),
                    customer: one.customer,
                    propensities,
                    chosen,
                    reward: value_minor / MINOR,
                });
            }
        }
        let mut steps: Vec<Step> = rounds
            .into_iter()
            .filter_map(|(place, rounds)| {
                let found = contrast(&rounds, Alpha::FIVE_PERCENT).ok()?;
                let enough = found.chosen.iter().all(|count| *count >= FEWEST);
                enough.then(|| Step {
                    step: self.names[usize::from(place)].clone(),
                    decisions: found.chosen[0],
                    comparable: found.rounds,
                    added: [found.diff, found.ci.low, found.ci.high],
                    naive: found.naive,
                })
            })
            .collect();
        steps.sort_by(|a, b| a.step.cmp(&b.step));
        steps
    }
}

fn of(action: &Action) -> String {
    let channel = action.channel.map_or("none", Channel::name);
    let tone = action.tone.map_or("none", Tone::name);
    format!("{channel}.{tone}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    const SMS: &str = "reminder.sms.friendly.d1-evening.name";
    const MAIL: &str = "reminder.email.neutral.d1-evening.name";

    #[test]
    fn a_step_adds_what_it_adds_whomever_it_is_chosen_for() {
        let mut rng = ChaCha8Rng::seed_from_u64(11);
        let mut steps = Steps::default();
        for n in 0..20_000_u32 {
            let at = Timestamp::from_micros(i64::from(n) * 60_000_000).unwrap();
            let poor: bool = rng.random();
            let (sms, mail) = if poor { (0.6, 0.1) } else { (0.1, 0.1) };
            let drawn: f64 = rng.random();
            let (chosen, added) = if drawn < sms {
                (SMS, 4.0)
            } else if drawn < sms + mail {
                (MAIL, -2.0)
            } else {
                ("wait", 0.0)
            };
            let (id, customer) = (format!("d{n}"), format!("c{}", n / 2));
            let eligible = [(SMS, sms), (MAIL, mail), ("wait", 1.0 - sms - mail)];
            steps.decision((&id, &customer), at, chosen, &eligible);
            let base = if poor { 0.0 } else { 20.0 };
            let value = 100.0 * (base + added + rng.random::<f64>());
            steps.outcome(&id, Timestamp::from_micros(at.micros() + 1).unwrap(), value);
        }
        let found = steps.compared();
        let names: Vec<&str> = found.iter().map(|one| one.step.as_str()).collect();
        assert_eq!(names, ["email.neutral", "sms.friendly"]);
        for (one, truth) in found.iter().zip([-2.0, 4.0]) {
            let [diff, low, high] = one.added;
            assert!(
                (diff - truth).abs() < 1.5 && low < truth && truth < high,
                "{one:?}"
            );
        }
        assert!(found[1].naive < -5.0, "confounded: {:?}", found[1]);
    }
}
