//! The catalogue of structured actions: which facets there are, and which combinations exist.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::error::BanditError;

/// One way in which actions differ: kind, channel, tone, timing, variant …
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facet {
    /// What the facet is called.
    pub name: String,
    /// The names of its levels, in the order of their indices.
    pub levels: Vec<String>,
    /// Whether the effect of a level depends on the context (`true`), or is the same for everybody.
    /// A facet of many levels with little data each is cheaper, and often better, without.
    pub contextual: bool,
}

impl Facet {
    /// A facet whose effects depend on the context.
    #[must_use]
    pub fn contextual<N: Into<String>>(
        name: impl Into<String>,
        levels: impl IntoIterator<Item = N>,
    ) -> Self {
        Self {
            name: name.into(),
            levels: levels.into_iter().map(Into::into).collect(),
            contextual: true,
        }
    }

    /// A facet whose effects are the same in every context.
    #[must_use]
    pub fn fixed<N: Into<String>>(
        name: impl Into<String>,
        levels: impl IntoIterator<Item = N>,
    ) -> Self {
        Self {
            contextual: false,
            ..Self::contextual(name, levels)
        }
    }
}

/// Two levels of different facets that occur together in at least one action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FacetPair {
    /// The earlier facet and its level.
    pub first: (u16, u16),
    /// The later facet and its level.
    pub second: (u16, u16),
}

/// Every action there is, as a combination of facet levels.
///
/// Actions are known by their index, `0 .. len()`. The *reference* action, where there is one, is what
/// all others are compared with: it has no coefficients of its own, so that the coefficients of the
/// others are effects against it and shrink towards "no different from it". In dunning it is to wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Catalogue", into = "Catalogue")]
pub struct ActionSpace {
    facets: Vec<Facet>,
    actions: Vec<Vec<u16>>,
    reference: Option<usize>,
    pairs: Vec<FacetPair>,
    pairs_of: Vec<Vec<u32>>,
}

/// What is stored of an [`ActionSpace`]; the rest follows from it.
#[derive(Clone, Serialize, Deserialize)]
struct Catalogue {
    facets: Vec<Facet>,
    actions: Vec<Vec<u16>>,
    reference: Option<usize>,
}

impl ActionSpace {
    /// A catalogue of `actions`, each giving one level index a facet.
    ///
    /// # Errors
    /// When there is no facet, level or action, when an action names another number of facets or an
    /// unknown level, when two actions are alike, or when `reference` is not an action.
    pub fn new(
        facets: Vec<Facet>,
        actions: Vec<Vec<u16>>,
        reference: Option<usize>,
    ) -> Result<Self, BanditError> {
        check(&facets, &actions, reference)?;
        let (pairs, pairs_of) = pairs(&actions, reference);
        Ok(Self {
            facets,
            actions,
            reference,
            pairs,
            pairs_of,
        })
    }

    /// `classes` actions that share nothing: one facet, one level an action.
    ///
    /// # Errors
    /// When `classes` is 0 or beyond 65,535.
    pub fn plain(classes: usize) -> Result<Self, BanditError> {
        let Ok(count) = u16::try_from(classes) else {
            return Err(BanditError::UnknownAction {
                action: classes,
                actions: usize::from(u16::MAX),
            });
        };
        let levels = (0..count).map(|class| class.to_string());
        let facets = vec![Facet::contextual("class", levels)];
        Self::new(facets, (0..count).map(|class| vec![class]).collect(), None)
    }

    /// Number of actions.
    #[must_use]
    pub fn len(&self) -> usize {
        self.actions.len()
    }

    /// Never: a catalogue has at least one action.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.actions.is_empty()
    }

    /// The facets, in the order of an action's levels.
    #[must_use]
    pub fn facets(&self) -> &[Facet] {
        &self.facets
    }

    /// The levels of one action, one a facet.
    #[must_use]
    pub fn levels(&self, action: usize) -> &[u16] {
        &self.actions[action]
    }

    /// What all other actions are compared with.
    #[must_use]
    pub fn reference(&self) -> Option<usize> {
        self.reference
    }

    /// Whether actions share parts, so that what is learnt of one says something of another.
    #[must_use]
    pub fn is_composed(&self) -> bool {
        self.facets.len() > 1 || self.reference.is_some()
    }

    /// The pairs of levels that occur together, in the order of their indices.
    #[must_use]
    pub fn pairs(&self) -> &[FacetPair] {
        &self.pairs
    }

    /// Indices into [`pairs`](Self::pairs) of the pairs one action is made of.
    #[must_use]
    pub fn pairs_of(&self, action: usize) -> &[u32] {
        &self.pairs_of[action]
    }
}

fn check(
    facets: &[Facet],
    actions: &[Vec<u16>],
    reference: Option<usize>,
) -> Result<(), BanditError> {
    if facets.is_empty() {
        return Err(BanditError::EmptyCatalogue { missing: "facet" });
    }
    if facets.iter().any(|facet| facet.levels.is_empty()) {
        return Err(BanditError::EmptyCatalogue {
            missing: "level in one of its facets",
        });
    }
    if actions.is_empty() {
        return Err(BanditError::EmptyCatalogue { missing: "action" });
    }
    let mut seen: HashMap<&[u16], usize> = HashMap::with_capacity(actions.len());
    for (action, levels) in actions.iter().enumerate() {
        if levels.len() != facets.len() {
            return Err(BanditError::FacetCount {
                action,
                found: levels.len(),
                expected: facets.len(),
            });
        }
        for (facet, &level) in facets.iter().zip(levels) {
            if usize::from(level) >= facet.levels.len() {
                return Err(BanditError::UnknownLevel {
                    action,
                    facet: facet.name.clone(),
                    level: usize::from(level),
                    levels: facet.levels.len(),
                });
            }
        }
        if let Some(first) = seen.insert(levels, action) {
            return Err(BanditError::DuplicateAction {
                first,
                second: action,
            });
        }
    }
    match reference {
        Some(action) if action >= actions.len() => Err(BanditError::UnknownAction {
            action,
            actions: actions.len(),
        }),
        _ => Ok(()),
    }
}

/// The pairs in order of first occurrence, and each action's share of them.
fn pairs(actions: &[Vec<u16>], reference: Option<usize>) -> (Vec<FacetPair>, Vec<Vec<u32>>) {
    let mut pairs = Vec::new();
    let mut index: HashMap<FacetPair, u32> = HashMap::new();
    let pairs_of = actions
        .iter()
        .enumerate()
        .map(|(action, levels)| {
            let mut own = Vec::new();
            if reference == Some(action) {
                return own;
            }
            for (later, &second) in levels.iter().enumerate() {
                for (earlier, &first) in levels[..later].iter().enumerate() {
                    let pair = FacetPair {
                        first: (earlier as u16, first),
                        second: (later as u16, second),
                    };
                    let next = pairs.len() as u32;
                    let at = *index.entry(pair).or_insert(next);
                    if at == next {
                        pairs.push(pair);
                    }
                    own.push(at);
                }
            }
            own
        })
        .collect();
    (pairs, pairs_of)
}

impl TryFrom<Catalogue> for ActionSpace {
    type Error = BanditError;

    fn try_from(stored: Catalogue) -> Result<Self, BanditError> {
        Self::new(stored.facets, stored.actions, stored.reference)
    }
}

impl From<ActionSpace> for Catalogue {
    fn from(space: ActionSpace) -> Self {
        Self {
            facets: space.facets,
            actions: space.actions,
            reference: space.reference,
        }
    }
}
