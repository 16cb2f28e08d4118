//! The catalogue of a strategy as a record.

use super::{Unreadable, field};
use crate::store::catalogue::{self, Terms};
use lagom_features::domain::{ActionId, Currency};
use prost::Message;
use std::collections::HashMap;

/// The actions of a strategy, and the few messages that they share.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Catalogue {
    #[prost(string, tag = "1")]
    strategy_id: String,
    #[prost(string, repeated, tag = "2")]
    actions: Vec<String>,
    /// Absent in records from before messages were written.
    #[prost(string, optional, tag = "3")]
    currency: Option<String>,
    /// Each once.
    #[prost(message, repeated, tag = "4")]
    messages: Vec<Said>,
    /// Which of `messages` an action has, in the order of `actions`.
    #[prost(uint32, repeated, tag = "5")]
    message_of: Vec<u32>,
}

#[derive(Clone, PartialEq, Message)]
struct Said {
    #[prost(string, optional, tag = "1")]
    template_key: Option<String>,
    #[prost(sint64, optional, tag = "2")]
    discount_minor: Option<i64>,
}

impl Catalogue {
    pub(super) fn of(one: &catalogue::Catalogue) -> Self {
        let mut record = Self {
            strategy_id: one.strategy_id.clone(),
            actions: one.actions.iter().map(ToString::to_string).collect(),
            ..Self::default()
        };
        let Some(terms) = &one.terms else {
            return record;
        };
        record.currency = Some(terms.currency.to_string());
        let mut places: HashMap<&catalogue::Message, u32> = HashMap::new();
        for message in &terms.messages {
            let next = u32::try_from(places.len()).unwrap_or(u32::MAX);
            let place = *places.entry(message).or_insert(next);
            if place == next {
                record.messages.push(Said {
                    template_key: message.template_key.clone(),
                    discount_minor: message.discount_minor,
                });
            }
            record.message_of.push(place);
        }
        record
    }

    pub(super) fn read(self) -> Result<catalogue::Catalogue, Unreadable> {
        let actions = self.actions.into_iter().map(ActionId::try_from);
        let actions: Vec<ActionId> = field("actions", actions.collect())?;
        let terms = match self.currency {
            None => None,
            Some(currency) => Some(Terms {
                currency: field("currency", Currency::new(&currency))?,
                messages: messages(&self.messages, &self.message_of, actions.len())?,
            }),
        };
        Ok(catalogue::Catalogue {
            strategy_id: self.strategy_id,
            actions,
            terms,
        })
    }
}

fn messages(
    said: &[Said],
    places: &[u32],
    actions: usize,
) -> Result<Vec<catalogue::Message>, Unreadable> {
    if places.len() != actions {
        return Err(format!("{actions} actions have {} messages", places.len()));
    }
    let one = |&place: &u32| {
        let said = said.get(place as usize);
        let said = said.ok_or_else(|| format!("there is no message {place}"))?;
        Ok(catalogue::Message {
            template_key: said.template_key.clone(),
            discount_minor: said.discount_minor,
        })
    };
    places.iter().map(one).collect()
}
