//! What the log keeps of a strategy: its actions, and what each of them says to the customer, so that
//! a decision can be answered again when another strategy is in force.

use lagom_features::domain::{ActionId, Currency};
use lagom_model::log::Decision;
use lagom_model::strategy::Strategy;

/// The actions of a strategy in order: decisions refer to them by place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalogue {
    /// Digest of the strategy.
    pub strategy_id: String,
    /// Its actions.
    pub actions: Vec<ActionId>,
    /// What they say; `None` in logs of versions that did not write it.
    pub terms: Option<Terms>,
}

/// What the actions of a strategy say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Of fees and discounts.
    pub currency: Currency,
    /// One of each action, in the catalogue's order.
    pub messages: Vec<Message>,
}

/// What one action says.
#[derive(Debug, Default, Clone, PartialEq, Eq, Hash)]
pub struct Message {
    /// Name of the text that the sending system fills in; none for what sends no message.
    pub template_key: Option<String>,
    /// Discount that is offered, in minor units of the strategy's currency.
    pub discount_minor: Option<i64>,
}

/// What the chosen action of a decision says, and in which currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wording {
    /// Of fee and discount.
    pub currency: Currency,
    /// Template and discount.
    pub message: Message,
}

impl Catalogue {
    /// The catalogue of a strategy.
    #[must_use]
    pub fn of(strategy: &Strategy) -> Self {
        let actions = strategy.catalogue().iter();
        let messages = actions.map(|action| Message {
            template_key: strategy.template_key(action),
            discount_minor: strategy.discount_minor(action),
        });
        Self {
            strategy_id: strategy.id().to_owned(),
            actions: strategy.ids().to_vec(),
            terms: Some(Terms {
                currency: strategy.currency(),
                messages: messages.collect(),
            }),
        }
    }

    /// What `decision`, made by this strategy, offers; `None` where the log does not say.
    #[must_use]
    pub fn wording(&self, decision: &Decision) -> Option<Wording> {
        let terms = self.terms.as_ref()?;
        let chosen = decision.action.id();
        let place = self.actions.iter().position(|action| *action == chosen)?;
        Some(Wording {
            currency: terms.currency,
            message: terms.messages.get(place)?.clone(),
        })
    }
}

impl Wording {
    /// What `decision` offers where its own strategy is at hand. Of another strategy only the currency
    /// is taken: a company seldom changes it, and a template of the same name may be another text.
    #[must_use]
    pub fn of(decision: &Decision, strategy: &Strategy) -> Self {
        let own = decision.strategy_id == strategy.id();
        let action = &decision.action;
        Self {
            currency: strategy.currency(),
            message: Message {
                template_key: own.then(|| strategy.template_key(action)).flatten(),
                discount_minor: own.then(|| strategy.discount_minor(action)).flatten(),
            },
        }
    }
}
