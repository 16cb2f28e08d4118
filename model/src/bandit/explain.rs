//! Why an action scored as it did: exact, because the model is linear.

use super::error::BanditError;
use super::generation::Generation;
use super::layout::{Atom, AtomKind};

/// One addend of a head's prediction.
#[derive(Debug, Clone, PartialEq)]
pub struct Contribution {
    /// The part of the action it comes from, such as `channel=sms`; `baseline` for what happens whatever
    /// is done.
    pub part: String,
    /// The context entry it goes with; none for the part's constant.
    pub entry: Option<String>,
    /// What it adds, in the head's units.
    pub value: f64,
}

/// The prediction of one head for one action, taken apart.
#[derive(Debug, Clone, PartialEq)]
pub struct HeadExplanation {
    /// Name of the head.
    pub head: String,
    /// The prediction: the sum of all contributions.
    pub prediction: f64,
    /// All addends, largest magnitude first.
    pub contributions: Vec<Contribution>,
}

impl Generation {
    /// Predicts every head for one action, with each head's addends.
    ///
    /// # Errors
    /// When there is no such action or the context has another length than the layout.
    pub fn explain(
        &self,
        context: &[f64],
        action: usize,
    ) -> Result<Vec<HeadExplanation>, BanditError> {
        self.layout().check_context(context)?;
        self.layout().check_action(action)?;
        let heads = self.layout().heads().iter().enumerate();
        Ok(heads
            .map(|(head, name)| {
                let mut contributions = self.contributions(context, action, head);
                contributions.sort_by(|a, b| b.value.abs().total_cmp(&a.value.abs()));
                HeadExplanation {
                    head: name.clone(),
                    prediction: contributions.iter().map(|part| part.value).sum(),
                    contributions,
                }
            })
            .collect())
    }

    /// Predicts every head for one action.
    ///
    /// # Errors
    /// As for [`explain`](Self::explain).
    pub fn predict(&self, context: &[f64], action: usize) -> Result<Vec<f64>, BanditError> {
        self.layout().check_context(context)?;
        self.layout().check_action(action)?;
        let predict = |head: usize| -> f64 {
            let atoms = self.layout().atoms_of(action).iter();
            atoms
                .map(|&atom| {
                    let (constant, slopes) =
                        self.coefficients(&self.layout().atoms()[atom as usize], head);
                    let slopes = slopes.iter().zip(context);
                    constant + slopes.map(|(slope, entry)| slope * entry).sum::<f64>()
                })
                .sum()
        };
        Ok((0..self.layout().heads().len()).map(predict).collect())
    }

    /// An atom's constant and its context coefficients, which may be none.
    fn coefficients(&self, atom: &Atom, head: usize) -> (f64, &[f64]) {
        let own = &self.weights(atom.block, head)[atom.offset..];
        let slopes = if atom.contextual {
            self.layout().context().len()
        } else {
            0
        };
        (own[0], &own[1..=slopes])
    }

    fn contributions(&self, context: &[f64], action: usize, head: usize) -> Vec<Contribution> {
        let mut parts = Vec::new();
        for &atom in self.layout().atoms_of(action) {
            let atom = &self.layout().atoms()[atom as usize];
            let part = self.part_name(atom.kind);
            let (constant, slopes) = self.coefficients(atom, head);
            let named = self
                .layout()
                .context()
                .iter()
                .zip(slopes.iter().zip(context));
            parts.extend(named.map(|(entry, (slope, value))| Contribution {
                part: part.clone(),
                entry: Some(entry.clone()),
                value: slope * value,
            }));
            parts.push(Contribution {
                part,
                entry: None,
                value: constant,
            });
        }
        parts
    }

    fn part_name(&self, kind: AtomKind) -> String {
        let space = self.layout().space();
        let level = |facet: usize, level: usize| {
            let facet = &space.facets()[facet];
            format!("{}={}", facet.name, facet.levels[level])
        };
        match kind {
            AtomKind::Baseline => "baseline".to_owned(),
            AtomKind::Level { facet, level: own } => level(facet, own),
            AtomKind::Pair(pair) => {
                let pair = space.pairs()[pair];
                let name = |(facet, own): (u16, u16)| level(usize::from(facet), usize::from(own));
                format!("{} & {}", name(pair.first), name(pair.second))
            }
        }
    }
}

#[cfg(test)]
mod tests;
