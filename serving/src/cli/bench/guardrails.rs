//! `lagom bench guardrails`: what the rules cost, as a share of a decision.

use crate::cli::answer::{Answer, Failure};
use crate::cli::output::Output;
use crate::config::Config;
use lagom_features::domain::{
    Channel, Country, Currency, Customer, CustomerId, CustomerKind, Days, DecisionId, Event,
    EventId, EventType, Invoice, InvoiceId, Kind, Money, RequestId, TenantId, Timestamp, Tone,
    Zone,
};
use lagom_features::{History, Ledger, Segments};
use lagom_model::decide::{Request, Snapshot, Workspace, decide};
use lagom_model::guardrails::Facts;
use lagom_model::strategy::{StageSpec, StepSpec, Strategy, StrategySpec, When};
use serde::Serialize;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

/// Repetitions timed at once; the best and the median of [`BATCHES`] batches are reported.
const TOGETHER: u32 = 200;
const BATCHES: usize = 100;
const MONTHS: i64 = 24;

/// Times the reading of the facts and the judging of some 400 actions under every built-in pack, for
/// a customer of two years, beside the whole decision that they are a part of, in the same run.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lagom bench guardrails")]
pub(crate) struct Args {}

/// Wall time in microseconds.
#[derive(Debug, Serialize)]
struct Report {
    actions: usize,
    allowed: usize,
    rules: usize,
    events: usize,
    facts: Timed,
    screen: Timed,
    decision: Timed,
    /// Facts and screening, of the whole decision, by the medians.
    share_of_decision: f64,
}

#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Timed {
    pub(super) best_us: f64,
    pub(super) median_us: f64,
}

pub(crate) fn run(_: &Args, out: &mut Output) -> Result<Answer, Failure> {
    let config = Config {
        strategy: Arc::new(wide()?),
        ..Config::default()
    };
    let learning = config.nothing_learnt(config.spec.fingerprint())?;
    let snapshot = Snapshot::new(config.parts(None, Arc::clone(learning.generation())))?;
    let (history, invoice_id, now) = two_years()?;

    let facts_now = || -> Option<Facts> {
        let view = history.as_of(now);
        Facts::of(&view, &Ledger::of(&view), &invoice_id)
    };
    let facts = facts_now().ok_or("the invoice is not known")?;
    let mut verdicts = Vec::new();
    let guardrails = snapshot.guardrails();
    let request = Request {
        tenant: TenantId::default(),
        decision_id: DecisionId::new("bench")?,
        request_id: RequestId::new("bench")?,
        customer_id: CustomerId::new("c")?,
        invoice_id: invoice_id.clone(),
        history: &history,
        segments: Segments::none(),
        now,
        reserved: &[],
        allowed_channels: None,
        arm: None,
        policy: None,
    };
    let mut workspace = Workspace::new();
    decide(&snapshot, &request, &mut workspace)?;

    let facts_cost = timed(|| {
        black_box(facts_now());
    });
    let screen = timed(|| {
        guardrails.screen(black_box(&facts), snapshot.strategy(), None, &mut verdicts);
        black_box(&verdicts);
    });
    let decision = timed(|| {
        black_box(decide(&snapshot, &request, &mut workspace)).ok();
    });
    let report = Report {
        actions: verdicts.len(),
        allowed: verdicts.iter().filter(|one| one.is_allowed()).count(),
        rules: guardrails
            .packs()
            .iter()
            .map(|pack| pack.rules().len())
            .sum(),
        events: history.events().len(),
        facts: facts_cost,
        screen,
        decision,
        share_of_decision: (facts_cost.median_us + screen.median_us) / decision.median_us,
    };
    out.report(&report, || text(&report))?;
    Ok(Answer::Yes)
}

pub(super) fn timed(mut once: impl FnMut()) -> Timed {
    let mut batches: Vec<f64> = (0..BATCHES)
        .map(|_| {
            let started = Instant::now();
            for _ in 0..TOGETHER {
                once();
            }
            started.elapsed().as_secs_f64() * 1e6 / f64::from(TOGETHER)
        })
        .collect();
    batches.sort_by(f64::total_cmp);
    Timed {
        best_us: batches[0],
        median_us: batches[BATCHES / 2],
    }
}

/// Eight kinds of message over four channels in three tones at four times, always in stage.
fn wide() -> Result<Strategy, Failure> {
    let kinds: Vec<Kind> = Kind::ALL
        .iter()
        .copied()
        .filter(|kind| kind.is_contact() && *kind != Kind::CollectionClaim)
        .collect();
    let steps = kinds.iter().map(|&kind| StepSpec {
        kind,
        channels: vec![
            Channel::Email,
            Channel::Sms,
            Channel::Letter,
            Channel::AppPush,
        ],
        tones: vec![Tone::Friendly, Tone::Neutral, Tone::Firm],
        timings: ["d0-midday", "d1-morning", "d1-evening", "d2-morning"]
            .map(str::to_owned)
            .to_vec(),
        variants: Vec::new(),
        fee_minor: 0,
        price_minor: None,
        discount_minor: None,
        template: "{kind}".to_owned(),
    });
    Ok(Strategy::new(StrategySpec {
        currency: Currency::SEK,
        steps: steps.collect(),
        stages: vec![StageSpec {
            name: "always".to_owned(),
            from_day: -60,
            until_day: None,
            kinds: kinds.clone(),
            channels: Vec::new(),
            tones: Vec::new(),
            when: When::default(),
            exit: None,
        }],
        ladder: Vec::new(),
    })?)
}

/// A consumer in Stockholm with monthly invoices, eight events about each; the last is a week late.
pub(super) fn two_years() -> Result<(History, InvoiceId, Timestamp), Failure> {
    const STORY: [(EventType, i64); 8] = [
        (EventType::InvoiceDelivered, 0),
        (EventType::InvoiceOpened, 1),
        (EventType::InvoiceViewed, 1),
        (EventType::LinkClicked, 2),
        (EventType::ContactSent, 28),
        (EventType::SupportContacted, 30),
        (EventType::PaymentInitiated, 39),
        (EventType::PaymentSucceeded, 40),
    ];
    let customer_id = CustomerId::new("c")?;
    let start = Timestamp::parse("2024-01-08T07:00:00Z")?;
    let mut customer = Customer::unknown(TenantId::default(), customer_id.clone(), start);
    customer.kind = Some(CustomerKind::Consumer);
    customer.country = Some(Country::new("SE")?);
    customer.time_zone = Some(Zone::parse("Europe/Stockholm")?);
    let mut history = History::new();
    history.record_customer(start, customer);
    let mut last = None;
    for month in 0..=MONTHS {
        let issued_at = start + Days::whole(30 * month);
        let invoice_id = InvoiceId::new(format!("invoice-{month}"))?;
        history.record_invoice(
            issued_at,
            Invoice {
                invoice_id: invoice_id.clone(),
                customer_id: customer_id.clone(),
                issued_at,
                due_on: issued_at.date(&Zone::utc()).plus_days(30),
                amount: Money::new(49_900, Currency::SEK),
                terms_days: Some(30),
                payment_method: None,
                billing_channel: Some("email".into()),
                product: None,
            },
        );
        for (number, (kind, days)) in STORY.into_iter().enumerate() {
            let at = issued_at + Days::whole(days);
            let id = EventId::new(format!("{month}-{number}"))?;
            let mut event = Event::new(id, kind, customer_id.clone(), at, at);
            event.invoice_id = Some(invoice_id.clone());
            event.channel = (kind == EventType::ContactSent).then_some(Channel::Email);
            event.tone = event.channel.map(|_| Tone::Friendly);
            event.amount = Some(Money::new(49_900, Currency::SEK));
            history.record_event(&event);
        }
        last = Some((invoice_id, issued_at + Days::whole(37)));
    }
    let (invoice_id, now) = last.ok_or("no month")?;
    Ok((history, invoice_id, now))
}

fn text(report: &Report) -> String {
    let line = |what: &str, timed: Timed| {
        format!(
            "{what}: {:.1} us at best, {:.1} us median",
            timed.best_us, timed.median_us
        )
    };
    format!(
        "{} actions, {} of them allowed, {} rules; a customer with {} events; wall time on one core\n\
         {}\n{}\n{}\n\
         facts and rules are {:.0} % of a decision",
        report.actions,
        report.allowed,
        report.rules,
        report.events,
        line("facts of the case", report.facts),
        line("judging every action", report.screen),
        line(
            "a whole decision (history, features, rules, scores, draw, record)",
            report.decision
        ),
        100.0 * report.share_of_decision
    )
}
