//! An arm that decides by a strategy of its own.

use crate::house::{House, config};
use lagom_proto::v1::experiment_service_client::ExperimentServiceClient;
use lagom_proto::v1::{
    ConfirmActionRequest, ConfirmStatus, ListExperimentsRequest, NextBestActionResponse,
};
use lagom_serving::config::Config;
use lagom_tests::company::{DAY, MONDAY, at, opening, question};
use std::collections::HashMap;
use std::path::Path;

const CUSTOMERS: usize = 60;
const FILE: &str = "gentle.toml";

const EVENTS: &str = "[clock]\nsource = \"events\"\n";
const EXPERIMENT: &str = "[learning]\nwindow_days = 14\n[[experiments]]\nname = \"ladders\"\n\
    arms = [{ name = \"today\", share = 0.5, policy = \"ladder\" }, \
    { name = \"gentle\", share = 0.5, policy = \"uniform\", strategy = \"gentle.toml\" }]\n";

/// Emails alone, under a template of their own.
fn gentle(template: &str) -> String {
    format!(
        "currency = \"SEK\"\nsteps = [{{ kind = \"reminder\", channels = [\"email\"], \
         tones = [\"friendly\", \"neutral\"], timings = [\"d0-midday\", \"d1-midday\"], \
         template = \"{template}\" }}]\n\
         stages = [{{ name = \"all\", from_day = -60, kinds = [\"reminder\"] }}]\nladder = []\n"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_advises_what_its_strategy_has_and_nobody_else_does() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(FILE), gentle("kind_words")).unwrap();
    let settings = format!("{EVENTS}{EXPERIMENT}");
    let house = House::open_in(folder, &settings).await;
    house.record(opening(CUSTOMERS).events).await;
    let before = house.answers(CUSTOMERS).await;
    let everybodys = house.server.engine().snapshot().strategy().id().to_owned();
    let (gentle_arm, today): (Vec<_>, Vec<_>) = before.iter().partition(|one| one.arm == "gentle");
    assert!(gentle_arm.len() > 15 && today.len() > 15);
    assert!(today.iter().all(|one| one.strategy_id == everybodys));
    let own = &gentle_arm[0].strategy_id;
    assert_ne!(own, &everybodys);
    let mut contacts = 0;
    for one in &gentle_arm {
        assert_eq!((&one.strategy_id, &*one.policy), (own, "uniform"));
        let action = one.action.as_ref().unwrap();
        assert!(
            ["wait", "reminder.email", "human_review"]
                .iter()
                .any(|start| action.action_id.starts_with(start)),
            "{action:?}"
        );
        if action.template_key == "kind_words" {
            contacts += 1;
            let ask = ConfirmActionRequest {
                decision_id: one.decision_id.clone(),
                as_of: at(MONDAY + 600),
            };
            let confirmed = house.decisions().confirm_action(ask).await.unwrap();
            let status = confirmed.into_inner().status;
            assert_eq!(status, ConfirmStatus::Proceed as i32);
        }
    }
    assert!(contacts > 5, "{contacts}");

    let mut experiments = ExperimentServiceClient::new(house.channel.clone());
    let listed = experiments
        .list_experiments(ListExperimentsRequest {})
        .await;
    let listed = listed.unwrap().into_inner().experiments;
    let of = |name: &str| listed[0].arms.iter().find(|arm| arm.name == name).unwrap();
    assert_eq!(
        (&of("gentle").strategy_id, &*of("today").strategy_id),
        (own, "")
    );

    // Windows close, outcomes are learnt, and the same questions are answered alike afterwards.
    let mut later = question(0);
    later.request_id = "later".to_owned();
    later.as_of = at(MONDAY + 20 * DAY);
    house.decisions().next_best_action(later).await.unwrap();
    let house = House::open_in(house.close().await, &settings).await;
    assert_eq!(house.answers(CUSTOMERS).await, before, "after a restart");
    assert_eq!(house.server.engine().phases().len(), 1);

    // Another text of the same file is another agreement.
    std::fs::write(house.folder.path().join(FILE), gentle("kinder_words")).unwrap();
    let next = config(house.folder.path(), &settings);
    house.server.engine().reconfigure(next).await.unwrap();
    let someone = question(gentle_arm_place(&before));
    let anew = lagom_proto::v1::NextBestActionRequest {
        request_id: "anew".to_owned(),
        as_of: at(MONDAY + 40 * DAY),
        ..someone
    };
    let anew = house.decisions().next_best_action(anew).await.unwrap();
    let anew = anew.into_inner();
    assert!(anew.arm == "gentle" && &anew.strategy_id != own, "{anew:?}");
    assert_eq!(house.server.engine().phases().len(), 2);

    // Without the experiment everybody comes under the one strategy, and old answers stand.
    let house = House::open_in(house.close().await, EVENTS_AND_WINDOW).await;
    assert_eq!(
        house.answers(CUSTOMERS).await,
        before,
        "without the experiment"
    );
}

const EVENTS_AND_WINDOW: &str = "[clock]\nsource = \"events\"\n[learning]\nwindow_days = 14\n";

fn gentle_arm_place(answers: &[NextBestActionResponse]) -> usize {
    answers.iter().position(|one| one.arm == "gentle").unwrap()
}

#[test]
fn a_strategy_that_cannot_decide_is_refused_with_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let faults = |folder: &Path, text: &str| {
        let read = Config::parse(text, folder, HashMap::new());
        read.unwrap_err().to_string()
    };
    let missing = faults(folder.path(), EXPERIMENT);
    assert!(
        missing.contains(FILE) && missing.contains("No such file"),
        "{missing}"
    );
    std::fs::write(folder.path().join(FILE), "colour = 1\n").unwrap();
    let unknown = faults(folder.path(), EXPERIMENT);
    assert!(
        unknown.contains(FILE) && unknown.contains("colour"),
        "{unknown}"
    );
    std::fs::write(
        folder.path().join(FILE),
        gentle("x").replace("d0-midday", "noon"),
    )
    .unwrap();
    let timing = faults(folder.path(), EXPERIMENT);
    assert!(timing.contains(FILE) && timing.contains("noon"), "{timing}");
    std::fs::write(folder.path().join(FILE), gentle("x")).unwrap();
    let bandit = faults(folder.path(), &EXPERIMENT.replace("uniform", "bandit"));
    assert!(
        bandit.contains("`gentle` has a strategy of its own"),
        "{bandit}"
    );
}
