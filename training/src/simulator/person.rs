//! A simulated customer: what a company sees of them, and the latent traits that it never does.

use super::noise::{For, Noise};
use super::parameters::{Effects, World};
use lagom_features::domain::{Customer, CustomerId, Date, Kind, TenantId, Tone};

/// Draws about the person as such are keyed by this day, which no simulation lives.
const BIRTH: i32 = i32::MIN;

/// A message that arrived, and what it does from then on.
#[derive(Debug, Clone)]
pub(super) struct Received {
    pub(super) kind: Kind,
    pub(super) arrives_on: Date,
    pub(super) opened: bool,
    /// Added to the factor of the hazard on the day of opening.
    pub(super) boost: f64,
    /// Invoice serial, so that a message about one invoice does not pay another.
    pub(super) invoice: usize,
    /// Firm or harder, to somebody never late before.
    pub(super) harsh_to_newcomer: bool,
}

/// One customer with all that happened to them.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) customer: Customer,
    pub(super) payer: usize,
    /// Position among the world's markets, where it has any.
    pub(super) market: Option<usize>,
    /// Day of the month on which invoices are issued.
    pub(super) issue_day: i8,
    /// Day of the month on which wages come.
    pub(super) payday: i8,
    pub(super) amount_minor: i64,
    pub(super) left_on: Option<Date>,
    pub(super) times_late: u32,
    pub(super) received: Vec<Received>,
}

/// The first place at which the sum of `shares` exceeds `draw`; `shares` has `count` of them.
fn pick(shares: impl Iterator<Item = f64>, count: usize, draw: f64) -> usize {
    let mut below = 0.0;
    let mut shares = shares;
    shares
        .position(|share| {
            below += share;
            draw < below
        })
        .unwrap_or(count - 1)
}

impl Person {
    /// Person number `who` of a seeded world.
    pub(super) fn born(world: &World, noise: Noise, who: usize, start: Date) -> Self {
        let shares = world.payer.iter().map(|payer| payer.share);
        let payer = pick(
            shares,
            world.payer.len(),
            noise.uniform(who, BIRTH, For::Payer),
        );
        let market = (!world.market.is_empty()).then(|| {
            let shares = world.market.iter().map(|market| market.share);
            let draw = noise.uniform(who, BIRTH, For::Market);
            pick(shares, world.market.len(), draw)
        });
        let home = market.map(|place| &world.market[place]);
        let paydays = [25, 25, 25, 1, 15];
        let payday = paydays[(noise.uniform(who, BIRTH, For::Payday) * 5.0) as usize];
        let log_amount = noise.normal(who, BIRTH, For::Amount) * world.invoices.log_sd;
        let vulnerable = noise.happens(0.02, who, BIRTH, For::Vulnerable);
        let reliable = world.payer[payer].on_time > 0.9;
        let autopay = reliable && noise.happens(0.4, who, BIRTH, For::Autopay);
        let created_on =
            start.plus_days(-30 - (noise.uniform(who, BIRTH, For::Open) * 1500.0) as i32);
        let customer_id =
            CustomerId::new(format!("c{who:06}")).expect("a number makes a well-formed id");
        Self {
            customer: Customer {
                kind: Some(world.kind),
                country: Some(home.map_or(world.country, |market| market.country)),
                time_zone: Some(world.time_zone.clone()),
                language: Some(home.map_or("sv", |market| &market.language).to_owned()),
                segment: Some(if autopay { "autopay" } else { "invoice" }.to_owned()),
                autopay: Some(autopay),
                annual_margin_minor: Some(world.churn.annual_margin_minor),
                currency: Some(world.currency),
                vulnerable: Some(vulnerable),
                minor: Some(false),
                ..Customer::unknown(
                    TenantId::default(),
                    customer_id,
                    created_on.at(9, &world.time_zone),
                )
            },
            payer,
            market,
            issue_day: 1 + (noise.uniform(who, BIRTH, For::IssueDay) * 28.0) as i8,
            payday,
            amount_minor: (world.invoices.median_minor * log_amount.exp()).round() as i64,
            left_on: None,
            times_late: 0,
            received: Vec::new(),
        }
    }

    /// Whether `day` is one of the three days after the pay-day.
    pub(super) fn has_just_been_paid(&self, day: Date) -> bool {
        (0..3).any(|ago| day.plus_days(-ago).civil().day() == self.payday)
    }

    /// Messages that arrived within `days` before `day`.
    pub(super) fn arrived_within(&self, days: u16, day: Date) -> impl Iterator<Item = &Received> {
        let from = day.plus_days(-i32::from(days));
        self.received
            .iter()
            .filter(move |one| one.arrives_on > from && one.arrives_on <= day)
    }

    /// Factor of the daily hazard of paying `invoice` from the messages about it, less 1.
    ///
    /// ```text
    /// Σ boost_i · ½^((day − arrived_i) / half-life)
    /// ```
    pub(super) fn boost(&self, world: &World, invoice: usize, day: Date) -> f64 {
        self.received
            .iter()
            .filter(|one| one.invoice == invoice && one.opened && one.arrives_on <= day)
            .map(|one| {
                let age = f64::from(day.days_since(one.arrives_on));
                one.boost * 0.5_f64.powf(age / world.message.half_life_days)
            })
            .sum()
    }

    /// Daily probability of leaving, also with more messages than were received.
    /// `effects` are those of the person's market and of the day.
    pub(super) fn churn_hazard(
        &self,
        world: &World,
        effects: &Effects,
        day: Date,
        further: &[Received],
    ) -> f64 {
        let churn = &world.churn;
        let base = 1.0 - (1.0 - churn.annual).powf(1.0 / 365.0);
        let mut factor = world.payer[self.payer].churn;
        if self.customer.autopay == Some(true) {
            factor *= churn.autopay;
        }
        let (mut reminders, mut claimed, mut harsh) = (0_i32, false, false);
        let from = day.plus_days(-i32::from(churn.window_days));
        let further = further
            .iter()
            .filter(|one| one.arrives_on > from && one.arrives_on <= day);
        for one in self.arrived_within(churn.window_days, day).chain(further) {
            match one.kind {
                Kind::PreDueNotice | Kind::DueDateNotice => {}
                Kind::CollectionClaim => claimed = true,
                _ => reminders += 1,
            }
            harsh |= one.harsh_to_newcomer;
        }
        if reminders > 0 {
            factor *= churn.after_reminder * churn.after_further_reminder.powi(reminders - 1);
        }
        for (applies, by) in [
            (reminders > 0 || claimed, effects.churn),
            (claimed, churn.after_claim),
            (harsh, churn.firm_to_first_time_late),
            (
                (claimed || reminders > 0) && self.customer.vulnerable == Some(true),
                churn.vulnerable,
            ),
        ] {
            if applies {
                factor *= by;
            }
        }
        (base * factor).min(1.0)
    }

    /// Whether a tone of this hardness meets somebody who was never late.
    pub(super) fn is_newcomer_to(&self, tone: Option<Tone>) -> bool {
        self.times_late == 0 && tone.is_some_and(|tone| tone >= Tone::Firm)
    }
}
