//! One policy in one world: a company's months, lived through a real server.

use super::backend::{Advice, Backend, Question};
use crate::cli::answer::Failure;
use crate::server::Running;
use lagom_features::domain::{Date, Zone};
use lagom_training::nightly::{ASKS_AT, Nightly, Planned};
use lagom_training::simulator::{Life, Sent, Tally, World};

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

/// Whether two steps may be confirmed at once without their order mattering: they are due at the
/// same instant, for different customers.
fn alike(one: &Planned<Advice>, next: &Planned<Advice>) -> bool {
    one.send_at == next.send_at && one.customer_id != next.customer_id
}

/// What a sender remembers between days.
#[derive(Debug)]
struct Months {
    nightly: Nightly<Advice>,
    lived: Lived,
}

impl Default for Months {
    fn default() -> Self {
        Self {
            nightly: Nightly::default(),
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
        let open = self.nightly.questions(life, now);
        let questions: Vec<Question> = (open.iter())
            .map(|(customer_id, invoice_id)| Question {
                customer_id: customer_id.to_string(),
                invoice_id: invoice_id.clone(),
                as_of: now,
            })
            .collect();
        // One question a customer and call: a customer's decisions see each other, in this order.
        let mut advice = Vec::with_capacity(questions.len());
        for wave in questions.chunk_by(|one, next| one.customer_id != next.customer_id) {
            advice.extend(backend.ask(wave).await?);
        }
        for ((customer_id, invoice_id), advice) in open.into_iter().zip(advice) {
            self.lived.decisions += 1;
            self.lived.generations = self.lived.generations.max(advice.generation);
            self.lived.last_decision = Some(advice.decision_id.to_string());
            self.nightly
                .ask_again(invoice_id.clone(), advice.next_evaluation_at);
            if !advice.action.is_wait() {
                let send_at = advice.send_at;
                let step = Planned {
                    customer_id,
                    invoice_id,
                    send_at,
                    advice,
                };
                self.nightly.plan(send_at.date(zone), step);
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
        let planned = self.nightly.due(life.today());
        let mut proceed = Vec::with_capacity(planned.len());
        for wave in planned.chunk_by(alike) {
            let advice: Vec<Advice> = wave.iter().map(|one| one.advice.clone()).collect();
            proceed.extend(backend.confirm(&advice).await?);
        }
        let mut events = Vec::new();
        for (step, proceed) in planned.into_iter().zip(proceed) {
            if !proceed {
                self.lived.cancelled += 1;
                continue;
            }
            events.extend(life.receive(&Sent {
                decision_id: &step.advice.decision_id,
                customer_id: &step.customer_id,
                invoice_id: &step.invoice_id,
                action: &step.advice.action,
                at: step.send_at.max(life.today().at(ASKS_AT, zone)),
            }));
        }
        backend.tell(Vec::new(), events).await
    }
}
