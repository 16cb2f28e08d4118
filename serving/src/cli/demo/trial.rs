//! One policy in one world: a company's months, lived through a real server.

use super::backend::{Advice, Backend, Question};
use crate::cli::answer::Failure;
use crate::server::Running;
use lagom_features::domain::{Date, InvoiceId, Timestamp, Zone};
use lagom_training::simulator::{Life, Sent, Tally, World};
use std::collections::{BTreeMap, HashMap};

/// Days after the due date until a case is left to others.
const PATIENCE_DAYS: i32 = 60;
/// When the nightly run asks, local time.
const ASKS_AT: i8 = 6;

/// How long a world is lived, and by how many.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) world: World,
    pub(super) customers: usize,
    pub(super) start: Date,
    /// Invoices due from the first to the second day are judged.
    pub(super) judged: (Date, Date),
    /// The first day that is not lived.
    pub(super) end: Date,
}

/// What came of it.
#[derive(Debug, Clone)]
pub(super) struct Lived {
    pub(super) tally: Tally,
    pub(super) decisions: u64,
    pub(super) generations: u64,
    pub(super) cancelled: u64,
    pub(super) last_decision: Option<String>,
}

/// Lives `plan` with the luck of `seed`, asking `server` for every step. Before each nightly run
/// the server's learner catches up, so that equal seeds live equal lives.
pub(super) async fn live(
    plan: &Plan,
    seed: u64,
    server: &Running,
    mut each_day: impl FnMut(),
) -> Result<Lived, Failure> {
    let mut backend = Backend::connect(server.grpc_addr).await?;
    let zone = plan.world.time_zone.clone();
    let mut life = Life::begin(
        plan.world.clone(),
        plan.customers,
        seed,
        plan.start,
        plan.judged,
    );
    backend
        .describe(life.customers(), plan.start.at(1, &zone))
        .await?;
    let mut months = Months::default();
    while life.today() < plan.end {
        server.settle().await;
        months.ask(&life, &mut backend, &zone).await?;
        months.send(&mut life, &mut backend, &zone).await?;
        let day = life.live_day();
        backend.tell(day.invoices, day.events).await?;
        each_day();
    }
    Ok(Lived {
        tally: life.tally().clone(),
        ..months.lived
    })
}

/// A step that is planned: for whom, about what, on which advice.
type Planned = (String, InvoiceId, Advice);

/// Whether two steps may be confirmed at once without their order mattering: they are due at the
/// same instant, for different customers.
fn alike(one: &Planned, next: &Planned) -> bool {
    one.2.send_at == next.2.send_at && one.0 != next.0
}

/// What a sender remembers between days.
#[derive(Debug)]
struct Months {
    ask_again: HashMap<InvoiceId, Timestamp>,
    planned: BTreeMap<Date, Vec<Planned>>,
    lived: Lived,
}

impl Default for Months {
    fn default() -> Self {
        Self {
            ask_again: HashMap::new(),
            planned: BTreeMap::new(),
            lived: Lived {
                tally: Tally::default(),
                decisions: 0,
                generations: 0,
                cancelled: 0,
                last_decision: None,
            },
        }
    }
}

impl Months {
    /// The nightly run: every invoice that is due and unpaid, when its time has come.
    async fn ask(
        &mut self,
        life: &Life,
        backend: &mut Backend,
        zone: &Zone,
    ) -> Result<(), Failure> {
        let now = life.today().at(ASKS_AT, zone);
        let mut questions: Vec<Question> = life
            .unpaid()
            .filter(|(_, invoice_id, due_on)| {
                let after = life.today().days_since(*due_on);
                let again = self.ask_again.get(invoice_id);
                (0..=PATIENCE_DAYS).contains(&after) && again.is_none_or(|&at| at <= now)
            })
            .map(|(customer_id, invoice_id, _)| Question {
                customer_id: customer_id.to_string(),
                invoice_id: invoice_id.clone(),
                as_of: now,
            })
            .collect();
        // One question a customer and call: a customer's decisions see each other, in this order.
        questions
            .sort_by(|a, b| (&a.customer_id, &a.invoice_id).cmp(&(&b.customer_id, &b.invoice_id)));
        let mut advice = Vec::with_capacity(questions.len());
        for wave in questions.chunk_by(|one, next| one.customer_id != next.customer_id) {
            advice.extend(backend.ask(wave).await?);
        }
        for (question, advice) in questions.into_iter().zip(advice) {
            self.lived.decisions += 1;
            self.lived.generations = self.lived.generations.max(advice.generation);
            self.lived.last_decision = Some(advice.decision_id.to_string());
            self.ask_again
                .insert(question.invoice_id.clone(), advice.next_evaluation_at);
            if !advice.action.is_wait() {
                let on = advice.send_at.date(zone);
                let planned = self.planned.entry(on).or_default();
                planned.push((question.customer_id, question.invoice_id, advice));
            }
        }
        Ok(())
    }

    /// What was planned for today: confirmed right before, sent, and reported.
    async fn send(
        &mut self,
        life: &mut Life,
        backend: &mut Backend,
        zone: &Zone,
    ) -> Result<(), Failure> {
        let mut planned = self.planned.remove(&life.today()).unwrap_or_default();
        planned.sort_by(|a, b| (a.2.send_at, &a.0, &a.1).cmp(&(b.2.send_at, &b.0, &b.1)));
        let mut proceed = Vec::with_capacity(planned.len());
        for wave in planned.chunk_by(alike) {
            let advice: Vec<Advice> = wave.iter().map(|(.., advice)| advice.clone()).collect();
            proceed.extend(backend.confirm(&advice).await?);
        }
        let mut events = Vec::new();
        for ((customer_id, invoice_id, advice), proceed) in planned.into_iter().zip(proceed) {
            if !proceed {
                self.lived.cancelled += 1;
                continue;
            }
            events.extend(life.receive(&Sent {
                decision_id: &advice.decision_id,
                customer_id: &customer_id.try_into()?,
                invoice_id: &invoice_id,
                action: &advice.action,
                at: advice.send_at.max(life.today().at(ASKS_AT, zone)),
            }));
        }
        backend.tell(Vec::new(), events).await
    }
}
