//! A set of actions, as places in a catalogue or by name.

use crate::store::record::{Unreadable, field};
use lagom_features::domain::ActionId;
use prost::Message;

/// Either a bitmap over a catalogue of `of` actions, or names.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Places {
    /// Length of the catalogue; 0 where actions are written by name.
    #[prost(uint32, tag = "1")]
    of: u32,
    /// Bit `i % 8` of byte `i / 8` stands for action `i`.
    #[prost(bytes = "vec", tag = "2")]
    bitmap: Vec<u8>,
    #[prost(string, repeated, tag = "3")]
    names: Vec<String>,
}

impl Places {
    /// Names are written where there is no catalogue, or where `actions` are not in its order.
    pub(super) fn of<'a>(
        actions: impl Iterator<Item = &'a ActionId> + Clone,
        catalogue: Option<&[ActionId]>,
    ) -> Self {
        catalogue
            .and_then(|catalogue| Self::within(actions.clone(), catalogue))
            .unwrap_or_else(|| Self {
                names: actions.map(ToString::to_string).collect(),
                ..Self::default()
            })
    }

    fn within<'a>(
        actions: impl Iterator<Item = &'a ActionId>,
        catalogue: &[ActionId],
    ) -> Option<Self> {
        let mut bitmap = vec![0; catalogue.len().div_ceil(8)];
        let mut rest = catalogue.iter().enumerate();
        for action in actions {
            let (place, _) = rest.find(|(_, known)| *known == action)?;
            bitmap[place / 8] |= 1 << (place % 8);
        }
        Some(Self {
            of: u32::try_from(catalogue.len()).ok()?,
            bitmap,
            names: Vec::new(),
        })
    }

    pub(super) fn read(self, catalogue: Option<&[ActionId]>) -> Result<Vec<ActionId>, Unreadable> {
        if self.of == 0 {
            let named = self.names.into_iter().map(ActionId::try_from);
            return field("names", named.collect());
        }
        let catalogue = catalogue.ok_or("the log has not named the catalogue of its strategy")?;
        if catalogue.len() != self.of as usize || self.bitmap.len() != catalogue.len().div_ceil(8) {
            return Err(format!(
                "a bitmap of {} bytes for {} actions, but the catalogue has {}",
                self.bitmap.len(),
                self.of,
                catalogue.len()
            ));
        }
        let chosen = |place: &usize| self.bitmap[place / 8] >> (place % 8) & 1 == 1;
        let places = (0..catalogue.len()).filter(chosen);
        Ok(places.map(|place| catalogue[place].clone()).collect())
    }
}
