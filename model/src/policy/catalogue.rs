//! The strategy's catalogue as the bandit sees it: actions as combinations of facet levels, with
//! waiting as what all others are compared with.

use crate::bandit::{ActionSpace, BanditError, Facet};
use crate::strategy::{Strategy, WAIT};
use lagom_features::domain::Action;

/// Level of a facet that does not apply.
const NONE: &str = "none";

fn level(levels: &mut Vec<String>, name: String) -> Result<u16, BanditError> {
    let place = levels
        .iter()
        .position(|other| *other == name)
        .unwrap_or_else(|| {
            levels.push(name);
            levels.len() - 1
        });
    u16::try_from(place).map_err(|_| BanditError::UnknownAction {
        action: place,
        actions: usize::from(u16::MAX),
    })
}

fn facets(action: &Action) -> [String; 6] {
    let or_none = |name: Option<String>| name.unwrap_or_else(|| NONE.to_owned());
    [
        action.kind.name().to_owned(),
        or_none(action.channel.map(|one| one.name().to_owned())),
        or_none(action.tone.map(|one| one.name().to_owned())),
        or_none(action.timing.map(|one| format!("d{}", one.day_offset))),
        or_none(action.timing.map(|one| one.part.name().to_owned())),
        or_none(action.variant.clone()),
    ]
}

/// The action space of a strategy: kind, channel and tone depend on the context; day, part of the
/// day and variant act alike on everybody until there is reason to think otherwise.
///
/// # Errors
/// [`BanditError`] where the catalogue is too large.
pub fn action_space(strategy: &Strategy) -> Result<ActionSpace, BanditError> {
    let mut levels: [Vec<String>; 6] = Default::default();
    let mut actions = Vec::with_capacity(strategy.catalogue().len());
    for action in strategy.catalogue() {
        let mut row = Vec::with_capacity(levels.len());
        for (names, name) in levels.iter_mut().zip(facets(action)) {
            row.push(level(names, name)?);
        }
        actions.push(row);
    }
    let names = ["kind", "channel", "tone", "day", "part", "variant"];
    let facets = names
        .into_iter()
        .zip(levels)
        .map(|(name, levels)| match name {
            "kind" | "channel" | "tone" => Facet::contextual(name, levels),
            _ => Facet::fixed(name, levels),
        })
        .collect();
    ActionSpace::new(facets, actions, Some(WAIT))
}
