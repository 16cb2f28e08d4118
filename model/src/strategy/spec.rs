//! The raw form of a strategy, as written in `[strategy]`.

use super::when::When;
use lagom_features::domain::{Channel, Currency, Kind, Tone};
use serde::{Deserialize, Serialize};

/// What stands in `[strategy]`, unchecked. Everything has a default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StrategySpec {
    /// Currency of the fees; an invoice in another one is never charged a fee.
    pub currency: Currency,
    /// Blocks of the catalogue, each a product of channels, tones and timings.
    pub steps: Vec<StepSpec>,
    /// When, in days from the due date, which steps may be used at all.
    pub stages: Vec<StageSpec>,
    /// The ladder that decides when no learnt policy does.
    pub ladder: Vec<LadderSpec>,
}

/// A block of the catalogue: `kind` × `channels` × `tones` × `timings` × `variants`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepSpec {
    /// The step.
    pub kind: Kind,
    /// Over which channels; empty for what sends no message.
    #[serde(default)]
    pub channels: Vec<Channel>,
    /// In which tones; empty for what sends no message.
    #[serde(default)]
    pub tones: Vec<Tone>,
    /// When, each as `d1-evening`.
    pub timings: Vec<String>,
    /// Wordings, where there are several.
    #[serde(default)]
    pub variants: Vec<String>,
    /// Fee charged to the customer with each of these actions, in minor units.
    #[serde(default)]
    pub fee_minor: i64,
    /// What each of these actions costs the company, in minor units, in place of the objective's price
    /// of its channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_minor: Option<i64>,
    /// Discount offered for paying soon, in minor units; only of a `discount_offer`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discount_minor: Option<i64>,
    /// Pattern of the template's name; `{kind}`, `{channel}` and `{tone}` are filled in.
    #[serde(default = "default_template")]
    pub template: String,
}

const fn friendly() -> Tone {
    Tone::Friendly
}

fn default_template() -> String {
    "{kind}_{channel}_{tone}".to_owned()
}

/// A span of days in which some steps may be used. A step is allowed if any open stage has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageSpec {
    /// For people.
    pub name: String,
    /// First day, counted from the due date; negative is before it.
    pub from_day: i32,
    /// Last day; none means that the stage stays open.
    #[serde(default)]
    pub until_day: Option<i32>,
    /// Steps that may be used.
    pub kinds: Vec<Kind>,
    /// Only over these channels; empty means all.
    #[serde(default)]
    pub channels: Vec<Channel>,
    /// Only in these tones; empty means all.
    #[serde(default)]
    pub tones: Vec<Tone>,
    /// Only for these cases.
    #[serde(default, skip_serializing_if = "When::is_always")]
    pub when: When,
    /// No longer for these cases, even where `when` holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<When>,
}

/// How a customer is treated by the ladder, by the share of invoices paid late in twelve months.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Track {
    /// Under a quarter late, or a failed debit that the customer may not know of.
    Gentle,
    /// A quarter to a half late, or fewer than three settled invoices.
    Neutral,
    /// More than half late.
    Firm,
}

/// One rung of the rules ladder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LadderSpec {
    /// What is sent; `retry_debit` sends nothing and names no channels. Where no rung tries debits
    /// again, that comes first of all; where one does, it comes when its turn has come.
    pub kind: Kind,
    /// First day, counted from the due date.
    pub from_day: i32,
    /// Last day on which it still makes sense; later it is passed over.
    #[serde(default)]
    pub until_day: Option<i32>,
    /// Days that must have passed since the rung before was carried out.
    #[serde(default)]
    pub gap_days: i32,
    /// Where the message before was neither opened nor clicked for this many days, this rung comes
    /// at once and over another channel; none means that it waits for its day over any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unseen_days: Option<u16>,
    /// Channels, best first.
    #[serde(default)]
    pub channels: Vec<Channel>,
    /// Tone on the gentle track.
    #[serde(default = "friendly")]
    pub gentle: Tone,
    /// Tone on the neutral track.
    #[serde(default = "friendly")]
    pub neutral: Tone,
    /// Tone on the firm track.
    #[serde(default = "friendly")]
    pub firm: Tone,
    /// Only for these cases.
    #[serde(default, skip_serializing_if = "When::is_always")]
    pub when: When,
}

impl LadderSpec {
    /// The tone on `track`.
    #[must_use]
    pub const fn tone(&self, track: Track) -> Tone {
        match track {
            Track::Gentle => self.gentle,
            Track::Neutral => self.neutral,
            Track::Firm => self.firm,
        }
    }
}

impl StrategySpec {
    /// Digest of everything written in the spec.
    #[must_use]
    pub fn digest(&self) -> String {
        let text = toml::to_string(self).expect("a spec is tables of texts and numbers");
        blake3::hash(text.as_bytes()).to_hex()[..16].to_owned()
    }
}

const DEFAULT: &str = include_str!("../../packs/strategy.toml");

impl Default for StrategySpec {
    /// Notices, reminders, the invoice again, instalments, another debit and a claim, without
    /// any fee, over every channel but the telephone.
    fn default() -> Self {
        // `default` on the container would call this function again for a missing key, so the
        // text is read through a type that has no defaults of its own.
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Complete {
            currency: Currency,
            steps: Vec<StepSpec>,
            stages: Vec<StageSpec>,
            ladder: Vec<LadderSpec>,
        }
        let Complete {
            currency,
            steps,
            stages,
            ladder,
        } = toml::from_str(DEFAULT).expect("the built-in strategy is tested to be readable");
        Self {
            currency,
            steps,
            stages,
            ladder,
        }
    }
}
