//! Sets of actions as bits: one bit for each kind, channel, tone and fee.
//!
//! An action has exactly one bit in each of the four groups. A refusal has any number in each,
//! and meets an action that lies in it in all four. So one `and` decides.

use lagom_features::domain::{Action, Channel, Kind, Tone};

const KINDS: u32 = 12;
const CHANNELS: u32 = 7;
const TONES: u32 = 5;
const FEES: u32 = 16;

const CHANNEL_SHIFT: u32 = KINDS;
const TONE_SHIFT: u32 = CHANNEL_SHIFT + CHANNELS;
const FEE_SHIFT: u32 = TONE_SHIFT + TONES;

const fn ones(count: u32, shift: u32) -> u64 {
    ((1 << count) - 1) << shift
}

const KIND_BITS: u64 = ones(KINDS, 0);
const CHANNEL_BITS: u64 = ones(CHANNELS, CHANNEL_SHIFT);
const TONE_BITS: u64 = ones(TONES, TONE_SHIFT);
const FEE_BITS: u64 = ones(FEES, FEE_SHIFT);

const NO_CHANNEL: u64 = 1 << (CHANNEL_SHIFT + CHANNELS - 1);
const NO_TONE: u64 = 1 << (TONE_SHIFT + TONES - 1);

fn tone_bits(keep: impl Fn(Tone) -> bool) -> u64 {
    let kept = Tone::ALL.iter().filter(|&&tone| keep(tone));
    kept.fold(0, |set, tone| {
        set | (1 << (TONE_SHIFT as usize + tone.index()))
    })
}

/// A product of sets of kinds, channels, tones and fees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Facets(u64);

impl Facets {
    /// Everything that rules may refuse while something is owed: all but waiting and a person's
    /// review.
    pub(crate) const ACTING: Self = Self(
        (KIND_BITS | CHANNEL_BITS | TONE_BITS | FEE_BITS)
            & !(1 << Kind::Wait.index())
            & !(1 << Kind::HumanReview.index()),
    );

    /// Everything but waiting: what is left to do where nothing is owed.
    pub(crate) const ALL_BUT_WAITING: Self =
        Self((KIND_BITS | CHANNEL_BITS | TONE_BITS | FEE_BITS) & !(1 << Kind::Wait.index()));

    /// Of one action, whose fee stands at place `fee` of the list of fees.
    pub(crate) fn of(action: &Action, fee: usize) -> Self {
        let channel = action.channel.map_or(NO_CHANNEL, |one| {
            1 << (CHANNEL_SHIFT as usize + one.index())
        });
        let tone = action
            .tone
            .map_or(NO_TONE, |one| 1 << (TONE_SHIFT as usize + one.index()));
        let fee = 1 << (FEE_SHIFT as usize + fee.min(FEES as usize - 1));
        Self(1 << action.kind.index() | channel | tone | fee)
    }

    /// Every action that sends a message.
    pub(crate) fn contacts() -> Self {
        Self::ACTING.kinds(Kind::is_contact)
    }

    /// Of these, those of kinds that `keep` holds.
    pub(crate) fn kinds(self, keep: impl Fn(Kind) -> bool) -> Self {
        let kept = Kind::ALL.iter().filter(|&&kind| keep(kind));
        let kept = kept.fold(0, |set, kind| set | (1 << kind.index()));
        Self(self.0 & (kept | !KIND_BITS))
    }

    /// Of these, those over a channel that `keep` holds.
    pub(crate) fn channels(self, keep: impl Fn(Channel) -> bool) -> Self {
        let kept = Channel::ALL.iter().filter(|&&channel| keep(channel));
        let kept = kept.fold(0, |set, channel| {
            set | (1 << (CHANNEL_SHIFT as usize + channel.index()))
        });
        Self(self.0 & (kept | !CHANNEL_BITS))
    }

    /// Of these, those over one of `channels`, or all where it names none.
    pub(crate) fn over(self, channels: &[Channel]) -> Self {
        if channels.is_empty() {
            return self;
        }
        self.channels(|channel| channels.contains(&channel))
    }

    /// Of these, those over any other channel than `channels`, or over none.
    pub(crate) fn without_channels(self, channels: &[Channel]) -> Self {
        let dropped = channels.iter().fold(0, |set, channel| {
            set | (1 << (CHANNEL_SHIFT as usize + channel.index()))
        });
        Self(self.0 & !dropped)
    }

    /// Of these, those in a tone that `keep` holds.
    pub(crate) fn tones(self, keep: impl Fn(Tone) -> bool) -> Self {
        Self(self.0 & (tone_bits(keep) | !TONE_BITS))
    }

    /// Of these, those in no tone that `drop` holds.
    pub(crate) fn without_tones(self, drop: impl Fn(Tone) -> bool) -> Self {
        Self(self.0 & !tone_bits(drop))
    }

    /// Of these, those whose fee `keep` holds, by the list of fees.
    pub(crate) fn fees(self, fees: &[i64], keep: impl Fn(i64) -> bool) -> Self {
        let kept = fees.iter().enumerate().filter(|&(_, &fee)| keep(fee));
        let kept = kept.fold(0, |set, (at, _)| set | (1 << (FEE_SHIFT as usize + at)));
        Self(self.0 & (kept | !FEE_BITS))
    }

    /// Whether one of the four groups is empty, so that no action can lie in it.
    pub(crate) const fn is_empty(self) -> bool {
        self.0 & KIND_BITS == 0
            || self.0 & CHANNEL_BITS == 0
            || self.0 & TONE_BITS == 0
            || self.0 & FEE_BITS == 0
    }

    /// Whether the action with these facets lies in this set.
    pub(crate) const fn has(self, action: Self) -> bool {
        action.0 & !self.0 == 0
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn facets(action: &str, fee: usize) -> Facets {
        Facets::of(&action.parse().unwrap(), fee)
    }

    #[test]
    fn a_set_holds_what_lies_in_all_its_groups() {
        let firm_sms = Facets::contacts()
            .over(&[Channel::Sms])
            .tones(|tone| tone >= Tone::Firm);
        assert!(firm_sms.has(facets("reminder.sms.firm.d0-morning", 0)));
        assert!(!firm_sms.has(facets("reminder.sms.neutral.d0-morning", 0)));
        assert!(!firm_sms.has(facets("reminder.email.firm.d0-morning", 0)));
        assert!(!firm_sms.has(facets("retry_debit.none.none.d0-morning", 0)));
        let charged = Facets::ACTING.fees(&[0, 6000], |fee| fee > 0);
        assert!(charged.has(facets("reminder.letter.firm.d0-morning", 1)));
        assert!(!charged.has(facets("reminder.letter.firm.d0-morning", 0)));
        assert!(Facets::ACTING.fees(&[0], |fee| fee > 0).is_empty());
    }

    #[test]
    fn no_set_holds_waiting_or_a_person() {
        for action in ["wait", "human_review.none.none.none"] {
            assert!(!Facets::ACTING.has(facets(action, 0)));
        }
        assert!(Facets::ALL_BUT_WAITING.has(facets("human_review.none.none.none", 0)));
        assert!(!Facets::ALL_BUT_WAITING.has(facets("wait", 0)));
        assert!(Facets::ACTING.has(facets("retry_debit.none.none.d2-morning", 0)));
        assert_eq!(Kind::ALL.len(), KINDS as usize);
        assert_eq!(Channel::ALL.len() + 1, CHANNELS as usize);
        assert_eq!(Tone::ALL.len() + 1, TONES as usize);
    }
}
