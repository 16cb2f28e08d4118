//! What the rules refuse in one case, as a short list of sets of actions.

mod budget;
mod clock;
mod fee;
mod reach;
mod step;
mod stop;

use super::RuleRef;
use super::check::Check;
use super::facets::Facets;
use super::holidays::Holidays;
use super::rule::Rule;
use super::scene::Scene;

/// One set of refused actions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Veto {
    /// By this rule.
    pub(crate) rule: RuleRef,
    /// Actions with these facets,
    pub(crate) facets: Facets,
    /// in these slots,
    pub(crate) slots: u64,
    /// and, if set, only where no stage of the strategy is open for them.
    pub(crate) unless_staged: bool,
}

/// Collects what one rule refuses, on the days on which the rule holds.
pub(crate) struct Vetoes<'a> {
    list: &'a mut Vec<Veto>,
    rule: RuleRef,
    holds: u64,
}

impl Vetoes<'_> {
    /// Refuses actions with these facets in these slots.
    pub(crate) fn refuse(&mut self, facets: Facets, slots: u64) {
        self.push(facets, slots, false);
    }

    /// Refuses actions with these facets if `when`.
    pub(crate) fn refuse_if(&mut self, when: bool, facets: Facets) {
        if when {
            self.refuse(facets, u64::MAX);
        }
    }

    fn refuse_unless_staged(&mut self) {
        self.push(Facets::ACTING, u64::MAX, true);
    }

    fn push(&mut self, facets: Facets, slots: u64, unless_staged: bool) {
        let slots = slots & self.holds;
        if slots != 0 && !facets.is_empty() {
            self.list.push(Veto {
                rule: self.rule,
                facets,
                slots,
                unless_staged,
            });
        }
    }
}

/// Adds to `list` what `rule` refuses in `scene`.
pub(crate) fn collect(
    rule: &Rule,
    reference: RuleRef,
    scene: &Scene<'_>,
    holidays: &[&Holidays],
    list: &mut Vec<Veto>,
) {
    let holds = if rule.valid_from.is_none() && rule.valid_to.is_none() {
        u64::MAX
    } else {
        scene.slots_where(|slot| rule.holds_on(slot.day))
    };
    let mut vetoes = Vetoes {
        list,
        rule: reference,
        holds,
    };
    judge(&rule.check, scene, holidays, &mut vetoes);
}

/// One arm a check, and no arm for the rest: a check that nobody judges must not compile.
fn judge(check: &Check, scene: &Scene<'_>, holidays: &[&Holidays], vetoes: &mut Vetoes<'_>) {
    let stops = &scene.facts.stops;
    let acting = Facets::ACTING;
    match check {
        Check::Deceased => vetoes.refuse_if(stops.deceased, acting),
        Check::Bankrupt => vetoes.refuse_if(stops.bankrupt, acting),
        Check::Minor => vetoes.refuse_if(stops.minor, acting),
        Check::Closed => vetoes.refuse_if(stops.closed, Facets::ALL_BUT_WAITING),
        Check::InCollection => vetoes.refuse_if(stops.in_collection, acting),
        Check::Disputed => vetoes.refuse_if(stops.disputed, acting),
        Check::PlanRunning => vetoes.refuse_if(stops.plan_running, acting),
        Check::PaymentInFlight => vetoes.refuse_if(stops.payment_in_flight, acting),
        &Check::UnmatchedPayment { days, share } => stop::unmatched(scene, days, share, vetoes),
        &Check::Promise { grace_days } => stop::promise(scene, grace_days, vetoes),
        Check::Hold => stop::holds(scene, vetoes),
        &Check::Standstill {
            at_least_days,
            after_treatment_days,
        } => stop::standstill(scene, at_least_days, after_treatment_days, vetoes),
        &Check::PlanInPreparation { days } => stop::plan_in_preparation(scene, days, vetoes),
        Check::Vulnerable => stop::vulnerable(scene, vetoes),
        Check::RequestChannels => reach::request_channels(scene, vetoes),
        Check::Consent => reach::consent(scene, vetoes),
        &Check::Undelivered { days } => reach::undelivered(scene, days, vetoes),
        // Judged where there are estimates, by `Guardrails::gentle_first`.
        Check::GentleFirst { .. } => {}
        Check::PastSlot => vetoes.refuse(acting, scene.slots_where(|slot| slot.past)),
        Check::Stage => vetoes.refuse_unless_staged(),
        Check::MinimumBalance {
            minor,
            otherwise_minor,
        } => {
            let least = minor.get(&scene.facts.currency).unwrap_or(otherwise_minor);
            let small = scene.facts.outstanding_minor < *least;
            vetoes.refuse_if(small, Facets::contacts());
        }
        Check::Contacts {
            max,
            hours,
            channels,
            on_invoice,
        } => budget::contacts(scene, (*max, *hours), channels, *on_invoice, vetoes),
        &Check::Lifetime { max } => {
            let spent = scene.facts.contacts_on_invoice().count() >= max;
            vetoes.refuse_if(spent, Facets::contacts());
        }
        &Check::Cooldown { hours } => budget::cooldown(scene, hours, vetoes),
        Check::Conversation { days, channels } => {
            budget::conversation(scene, *days, channels, vetoes);
        }
        Check::Hours {
            channels,
            weekdays,
            saturday,
            sunday,
        } => clock::hours(scene, channels, (*weekdays, *saturday, *sunday), vetoes),
        Check::QuietDays {
            channels,
            sundays,
            holidays: on_holidays,
        } => {
            let holidays = if *on_holidays { holidays } else { &[] };
            clock::quiet_days(scene, channels, *sundays, holidays, vetoes);
        }
        Check::OneRung => step::one_rung(scene, vetoes),
        Check::AfterDue { kinds, days } => {
            let early = scene.slots_where(|slot| slot.days_from_due < *days);
            vetoes.refuse(acting.kinds(|kind| kinds.contains(&kind)), early);
        }
        Check::Wait {
            after,
            then,
            days,
            bank_days,
            post_days,
        } => {
            let wait = step::Wait {
                days: *days,
                bank_days: *bank_days,
                post_days: *post_days,
            };
            step::wait(scene, holidays, (after, then), wait, vetoes);
        }
        Check::Steps { kinds, max } => step::count(scene, kinds, *max, vetoes),
        Check::Debit {
            methods,
            attempts,
            gap_hours,
        } => step::debit(scene, methods, *attempts, *gap_hours, vetoes),
        Check::Review { kinds, fees } => {
            vetoes.refuse(acting.kinds(|kind| kinds.contains(&kind)), u64::MAX);
            vetoes.refuse_if(*fees, fee::charged(scene));
        }
        Check::FeeAgreed => vetoes.refuse_if(!scene.fees_agreed, fee::charged(scene)),
        Check::FeeCurrency => vetoes.refuse_if(!scene.fees_in_currency, fee::charged(scene)),
        Check::FeeOnce => fee::once(scene, vetoes),
        Check::FeeCap {
            kinds,
            max_minor,
            currency,
            owed_from_minor,
            owed_below_minor,
        } => {
            let owed = scene.facts.outstanding_minor;
            let meant = owed_from_minor.is_none_or(|from| owed >= from)
                && owed_below_minor.is_none_or(|below| owed < below);
            if meant {
                fee::cap(scene, kinds, *max_minor, *currency, vetoes);
            }
        }
        Check::FeeScale {
            currency,
            min_minor,
            max_minor,
            bands,
        } => {
            let owed = scene.facts.outstanding_minor;
            let most = fee::on_scale(owed, bands).clamp(*min_minor, *max_minor);
            fee::cap(scene, &[], most, *currency, vetoes);
        }
        Check::FeeCount { kinds, max } => fee::count(scene, kinds, *max, vetoes),
        &Check::FeeGap { days } => fee::gap(scene, days, vetoes),
        &Check::FeeAfterDue { days } => {
            let early = scene.slots_where(|slot| slot.days_from_due < days);
            vetoes.refuse(fee::charged(scene), early);
        }
        &Check::FeeAfterReminder { days } => fee::after_reminder(scene, days, vetoes),
        Check::FeeChannels { channels } => {
            let unwritten = fee::charged(scene).without_channels(channels);
            vetoes.refuse(unwritten, u64::MAX);
        }
    }
}
