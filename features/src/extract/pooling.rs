//! One customer's share of what is pooled by segment: the rows pass as they do for a vector, without
//! an invoice in question.

use super::{Extractor, Moment, Scratch};
use crate::domain::Currency;
use crate::history::View;
use crate::ledger::Ledger;
use crate::spec::FeatureSpec;
use crate::spec::feature::{Aggregate, Definition, Feature};

/// The features of a spec that are pooled, compiled.
#[derive(Debug, Clone)]
pub(crate) struct Pooler {
    plan: Extractor,
    /// Of each: whether it adds up money.
    of_money: Vec<bool>,
}

impl Pooler {
    /// None where nothing is pooled.
    pub(crate) fn new(spec: &FeatureSpec) -> Option<Self> {
        let features: Vec<Feature> = spec.pooled().filter_map(unpooled).collect();
        let of_money = features.iter().filter_map(aggregate);
        let of_money: Vec<bool> = of_money.map(|one| one.op.is_of_money()).collect();
        (!of_money.is_empty()).then(|| Self {
            plan: Extractor::of(features, spec.fingerprint(), 0),
            of_money,
        })
    }

    /// How many features there are.
    pub(crate) fn len(&self) -> usize {
        self.of_money.len()
    }

    /// Whether there are features that add up money, or, not `of_money`, others.
    pub(crate) fn has(&self, of_money: bool) -> bool {
        self.of_money.contains(&of_money)
    }

    /// Hands over the place of each feature that adds up money of `currency` (or, without one, of each
    /// that does not), what the view adds to it and how much that counts.
    pub(crate) fn each(
        &self,
        scratch: &mut Scratch,
        view: &View<'_>,
        ledger: &Ledger<'_>,
        currency: Option<Currency>,
        mut take: impl FnMut(usize, f64, u64),
    ) {
        let mut moment = Moment {
            currency,
            ..Moment::of(view)
        };
        self.plan.pass(scratch, view, ledger, &mut moment);
        for (place, feature) in self.plan.features.iter().enumerate() {
            if self.of_money[place] == currency.is_some()
                && let Some(aggregate) = aggregate(feature)
            {
                let (value, counts) = scratch.folds[place].pooled(&aggregate.op);
                take(place, value, counts);
            }
        }
    }
}

fn unpooled(feature: &Feature) -> Option<Feature> {
    let Definition::Pooled(aggregate) = &feature.definition else {
        return None;
    };
    Some(Feature {
        definition: Definition::Aggregate(aggregate.clone()),
        ..feature.clone()
    })
}

fn aggregate(feature: &Feature) -> Option<&Aggregate> {
    match &feature.definition {
        Definition::Aggregate(aggregate) => Some(aggregate),
        _ => None,
    }
}
