//! A version on its way: in shadow, for some of the customers, and back where it harms.

use crate::changes::until;
use crate::house::House;
use crate::versions::{verdict, version};
use lagom_features::FeatureSpec;
use lagom_model::log::Decision;
use lagom_model::rollout::{Step, Target};
use lagom_proto::v1::{
    EventType, GetModelRequest, PromoteModelRequest, RollbackModelRequest, RolloutStage,
};
use lagom_serving::registry;
use lagom_serving::store::Entry;
use lagom_tests::company::{DAY, MONDAY, at, fact, opening, question};
use lagom_training::registry::Registry;
use std::collections::BTreeSet;
use std::path::PathBuf;
use tonic::Code;

const CUSTOMERS: usize = 80;

/// A house with customers, a version in force, and another one that the gate has let through.
async fn house() -> (House, PathBuf, [String; 2]) {
    house_with("").await
}

async fn house_with(more: &str) -> (House, PathBuf, [String; 2]) {
    let house = House::open(more).await;
    house.record(opening(CUSTOMERS).events).await;
    let dir = house.folder.path().join("models");
    let registry = Registry::at(&dir);
    let text = FeatureSpec::built_in();
    let ids = [1, 2].map(|seed| {
        let version = version(seed, 0.01, text.text());
        registry.put(&version).unwrap();
        version.id().to_owned()
    });
    registry::promote(&dir, &ids[0], "the first").unwrap();
    house.server.engine().follow().await.unwrap();
    (house, dir, ids)
}

fn staged(id: &str, stage: RolloutStage, share: f64) -> PromoteModelRequest {
    PromoteModelRequest {
        model_id: id.to_owned(),
        stage: stage.into(),
        share,
        ..PromoteModelRequest::default()
    }
}

/// Who decides about each customer, asked under a key of its own.
async fn deciders(house: &House, round: &str, days: i64) -> Vec<String> {
    let mut models = Vec::new();
    for n in 0..CUSTOMERS {
        let mut ask = question(n);
        ask.request_id = format!("{round}-{n}");
        ask.as_of = at(MONDAY + days * DAY);
        let answer = house.decisions().next_best_action(ask).await.unwrap();
        models.push(answer.into_inner().model_id);
    }
    models
}

fn logged(house: &House) -> (Vec<Decision>, Vec<Decision>) {
    let (mut decided, mut shadowed) = (Vec::new(), Vec::new());
    let store = house.server.engine();
    store
        .store()
        .scan(&mut |_, entry| {
            match entry {
                Entry::Decided(one) => decided.push((*one).clone()),
                Entry::Shadowed(one) => shadowed.push((*one).clone()),
                _ => {}
            }
            Ok(())
        })
        .unwrap();
    (decided, shadowed)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shadow_decides_without_effect_and_is_logged() {
    let (house, _, [first, second]) = house().await;
    let mut models = house.models();
    let request = staged(&second, RolloutStage::Shadow, 0.0);
    let answer = models.promote_model(request).await.unwrap().into_inner();
    assert!(!answer.current && answer.stage() == RolloutStage::Shadow);
    let all = deciders(&house, "shadow", 0).await;
    assert!(all.iter().all(|id| *id == first), "a shadow has no effect");
    let mut dry = question(0);
    dry.dry_run = true;
    house.decisions().next_best_action(dry).await.unwrap();
    let (decided, shadowed) = logged(&house);
    assert_eq!((decided.len(), shadowed.len()), (CUSTOMERS, CUSTOMERS));
    for (decision, shadow) in decided.iter().zip(&shadowed) {
        assert_eq!(decision.decision_id, shadow.decision_id);
        assert_eq!(shadow.model_id.as_ref(), Some(&second));
        let sum: f64 = shadow.eligible.iter().map(|one| one.probability).sum();
        assert!((sum - 1.0).abs() < 1e-12 && shadow.features.is_empty());
        // Both versions say the same of everybody, so they choose alike, by the same draw.
        assert_eq!(decision.eligible, shadow.eligible);
        assert_eq!(decision.action, shadow.action);
    }
    let text = house.page("/metrics").await;
    assert!(text.contains("stage=\"shadow\"} 0"), "{text}");

    // A restart goes on where it was; a rollback takes the shadow away and leaves the first.
    let house = house.reopen("").await;
    deciders(&house, "again", 1).await;
    assert_eq!(logged(&house).1.len(), 2 * CUSTOMERS);
    let back = RollbackModelRequest::default();
    let back = house.models().rollback_model(back).await.unwrap();
    assert_eq!(back.into_inner().model_id, first);
    deciders(&house, "after", 2).await;
    assert_eq!(logged(&house).1.len(), 2 * CUSTOMERS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_canary_keeps_its_customers_and_goes_when_they_complain() {
    let (house, dir, [first, second]) = house().await;
    let mut models = house.models();
    let request = staged(&second, RolloutStage::Canary, 0.5);
    let refused = models.promote_model(request.clone()).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert!(
        refused.message().contains("was not valued against"),
        "{refused}"
    );
    let nobody = staged(&second, RolloutStage::Canary, 0.0);
    let refused = models.promote_model(nobody).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(refused.message().contains("share"), "{refused}");

    let registry = Registry::at(&dir);
    registry.keep(&verdict(&second, &first, true, "")).unwrap();
    models.promote_model(request).await.unwrap();
    let sides = deciders(&house, "one", 0).await;
    let in_canary = |n: &usize| sides[*n] == second;
    let canary: Vec<usize> = (0..CUSTOMERS).filter(in_canary).collect();
    assert!((20..=60).contains(&canary.len()), "{} of 80", canary.len());
    let known: BTreeSet<_> = sides.iter().collect();
    assert_eq!(known, BTreeSet::from([&first, &second]));
    assert_eq!(
        deciders(&house, "two", 1).await,
        sides,
        "the same every day"
    );

    // More customers of the canary, and the same ones among them.
    let larger = staged(&second, RolloutStage::Canary, 0.8);
    models.promote_model(larger).await.unwrap();
    let more = deciders(&house, "three", 2).await;
    assert!(canary.iter().all(|&n| more[n] == second));
    let back = staged(&second, RolloutStage::Canary, 0.5);
    models.promote_model(back).await.unwrap();
    assert_eq!(deciders(&house, "four", 3).await, sides);

    // Complaints of both sides alike are no harm; the sequence goes on across a restart.
    let others = (0..CUSTOMERS).filter(|n| !in_canary(n));
    let complain = |n: usize, day: i64| {
        let when = MONDAY + day * DAY;
        fact(n, EventType::ComplaintMade, when, None)
    };
    let both = canary.iter().copied().take(2).chain(others.take(2));
    house.record(both.map(|n| complain(n, 4)).collect()).await;
    let house = house.reopen("").await;
    assert_eq!(
        deciders(&house, "five", 5).await,
        sides,
        "the same after a restart"
    );
    let standing = house.server.engine().standing();
    assert_eq!(standing.exposed.iter().sum::<u64>(), CUSTOMERS as u64);
    let complaints = &standing.watched[1];
    let of = |n: f64, of: usize| (n / of as f64 * 1e9).round();
    assert_eq!((complaints.canary * 1e9).round(), of(2.0, canary.len()));
    assert!(
        complaints.p > 0.5 && standing.harm.is_none(),
        "{standing:?}"
    );

    let angry: Vec<_> = canary.iter().skip(2).take(18).copied().collect();
    house
        .record(angry.iter().map(|&n| complain(n, 6)).collect())
        .await;
    until(|| house.server.engine().candidate().is_none()).await;
    until(|| registry::pointers(&dir).unwrap().candidate.is_none()).await;
    let last = registry::pointers(&dir).unwrap().changes.pop().unwrap();
    assert_eq!(last.step, Step::Withdrawn);
    assert!(
        last.reason.starts_with("rolled back: complaints"),
        "{}",
        last.reason
    );
    let text = house.page("/metrics").await;
    assert!(
        text.contains("dunning_rollbacks_total{tenant=\"default\",metric=\"complaints\"} 1"),
        "{text}"
    );
    let all = deciders(&house, "six", 7).await;
    assert!(all.iter().all(|id| *id == first));
    let house = house.reopen("").await;
    let all = deciders(&house, "seven", 8).await;
    assert!(all.iter().all(|id| *id == first), "also after a restart");
    let now = GetModelRequest { model_id: second };
    let now = house.models().get_model(now).await.unwrap().into_inner();
    assert_eq!(now.stage(), RolloutStage::Unspecified);
}

/// The process ended after the log knew of the rollback and before the registry did.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rollback_that_the_registry_missed_is_finished_after_a_restart() {
    let (house, dir, [first, second]) = house().await;
    let canary: Target = "canary=0.5".parse().unwrap();
    let file = dir.join("pointers.json");
    registry::put(&dir, &second, canary, "by hand").unwrap();
    let before = std::fs::read_to_string(&file).unwrap();
    house.server.engine().follow().await.unwrap();
    let sides = deciders(&house, "one", 0).await;
    let angry = (0..CUSTOMERS).filter(|&n| sides[n] == second).take(18);
    let angry = angry.map(|n| fact(n, EventType::CustomerChurned, MONDAY + DAY, None));
    house.record(angry.collect()).await;
    until(|| registry::pointers(&dir).unwrap().candidate.is_none()).await;
    let House { server, folder, .. } = house;
    server.shutdown().await;
    std::fs::write(&file, before).unwrap();
    let house = House::open_in(folder, "[clock]\nsource = \"events\"\n").await;
    let all = deciders(&house, "two", 2).await;
    assert!(all.iter().all(|id| *id == first));
    until(|| registry::pointers(&dir).unwrap().candidate.is_none()).await;
    let last = registry::pointers(&dir).unwrap().changes.pop().unwrap();
    assert!(
        last.reason.starts_with("rolled back: churn"),
        "{}",
        last.reason
    );
}

/// Nobody stands beside a version that is live for all but those for whom the ladder decides for good.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_live_version_that_harms_beside_the_holdout_is_taken_back() {
    let holdout = "[holdout]\nshare = 0.5\n";
    let (house, dir, [first, second]) = house_with(holdout).await;
    registry::promote(&dir, &second, "the gate said so").unwrap();
    house.server.engine().follow().await.unwrap();
    deciders(&house, "one", 0).await;
    let (decided, _) = logged(&house);
    let held_out = |n: &usize| {
        let id = &decided[*n].customer_id;
        let of = decided.iter().find(|one| &one.customer_id == id);
        of.unwrap().arm.as_deref() == Some("holdout")
    };
    let standing = house.server.engine().standing().live.unwrap();
    assert_eq!(standing.model, second);
    assert_eq!(standing.exposed.iter().sum::<u64>(), CUSTOMERS as u64);
    assert!(standing.split_holds && standing.harm.is_none());

    // Complaints on both sides alike are no harm, and are counted across a restart.
    let complain = |n: usize, day: i64| {
        let when = MONDAY + day * DAY;
        fact(n, EventType::ComplaintMade, when, None)
    };
    let (out, under): (Vec<usize>, Vec<usize>) = (0..CUSTOMERS).partition(held_out);
    assert!(under.len() > 24 && out.len() > 24, "{}", under.len());
    let both = out.iter().chain(under.iter()).copied();
    let alike: Vec<usize> = both.filter(|n| n % 20 == 0).collect();
    let told = alike.iter().map(|&n| complain(n, 1));
    house.record(told.collect()).await;
    let house = house.reopen(holdout).await;
    let standing = house.server.engine().standing().live.unwrap();
    assert_eq!((standing.model, standing.harm), (second.clone(), None));

    let angry = under
        .iter()
        .copied()
        .filter(|n| !alike.contains(n))
        .take(20);
    house.record(angry.map(|n| complain(n, 2)).collect()).await;
    until(|| registry::pointers(&dir).unwrap().current.as_ref() == Some(&first)).await;
    let last = registry::pointers(&dir).unwrap().changes.pop().unwrap();
    assert_eq!(last.step, Step::RolledBack);
    let words = "rolled back: complaints";
    assert!(last.reason.starts_with(words), "{}", last.reason);
    assert!(last.reason.contains("holdout"), "{}", last.reason);
    until(|| house.server.engine().snapshot().model_id() == Some(first.as_str())).await;

    // The version before it is watched from zero; where it harms too and nothing is before it that
    // did not, the one that harmed is not tried again without being asked for.
    let all = deciders(&house, "two", 3).await;
    assert!(all.iter().all(|id| *id == first));
    let standing = house.server.engine().standing().live.unwrap();
    assert_eq!((standing.model, standing.harm), (first.clone(), None));
    let house = house.reopen(holdout).await;
    let all = deciders(&house, "three", 4).await;
    assert!(all.iter().all(|id| *id == first), "also after a restart");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_version_that_harms_leaves_the_ladder() {
    let holdout = "[holdout]\nshare = 0.5\n";
    let (house, _, [first, _]) = house_with(holdout).await;
    deciders(&house, "one", 0).await;
    let (decided, _) = logged(&house);
    let under = (0..CUSTOMERS).filter(|&n| decided[n].arm.as_deref() == Some("lagom"));
    let angry = under.take(20);
    let left = EventType::CustomerChurned;
    let left = angry.map(|n| fact(n, left, MONDAY + DAY, None));
    house.record(left.collect()).await;
    until(|| {
        house
            .server
            .engine()
            .policy_change()
            .is_some_and(|one| one.paused)
    })
    .await;
    let change = house.server.engine().policy_change().unwrap();
    assert!(
        change.reason.starts_with("rolled back: churn"),
        "{change:?}"
    );
    assert_eq!(
        house.server.engine().snapshot().model_id(),
        Some(first.as_str())
    );
    // Who resumes it is not overruled by the same evidence, nor by a restart.
    let resumed = house.server.engine().pause(false, "looked at".to_owned());
    resumed.await.unwrap();
    let house = house.reopen(holdout).await;
    deciders(&house, "two", 3).await;
    house.server.engine().follow().await.unwrap();
    assert!(!house.server.engine().policy_change().unwrap().paused);
}
