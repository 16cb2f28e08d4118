//! Another model, another configuration, a customer forgotten: while the server runs.

use crate::house::{House, in_spite};
use crate::versions::{verdict, version};
use lagom_features::FeatureSpec;
use lagom_features::domain::CustomerId;
use lagom_proto::v1::privacy_service_client::PrivacyServiceClient;
use lagom_proto::v1::{
    EraseCustomerRequest, EventType, ExportCustomerRequest, GetModelRequest, ListModelsRequest,
    PromoteModelRequest, RollbackModelRequest,
};
use lagom_serving::config::Config;
use lagom_serving::registry;
use lagom_tests::Server;
use lagom_tests::company::{DAY, MONDAY, at, customer, fact, invoice, opening, question};
use lagom_training::registry::Registry;
use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;
use tokio_stream::StreamExt;
use tonic::Code;

pub(crate) async fn deciding(house: &House, key: &str) -> String {
    let mut ask = question(0);
    ask.request_id = key.to_owned();
    let answer = house.decisions().next_best_action(ask).await.unwrap();
    answer.into_inner().model_id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn models_are_promoted_and_rolled_back_while_it_runs() {
    let house = House::open("").await;
    house.record(opening(1).events).await;
    let mut models = house.models();
    let built_in = FeatureSpec::built_in();
    let other = "[[feature]]\nname = \"x\"\nsource = \"invoice\"\nattribute = \"disputed\"\n";
    let dir = house.folder.path().join("models");
    let registry = Registry::at(&dir);
    let [first, second, vague, foreign] = [
        version(1, 0.01, built_in.text()),
        version(2, 0.01, built_in.text()),
        version(3, 0.2, built_in.text()),
        version(4, 0.01, other),
    ]
    .map(|version| {
        registry.put(&version).unwrap();
        version.id().to_owned()
    });
    assert_eq!(deciding(&house, "none").await, "");
    let none = models.rollback_model(RollbackModelRequest::default()).await;
    assert_eq!(none.unwrap_err().code(), Code::FailedPrecondition);

    // The first has nobody to beat. The second is let through by a verdict of its own, against the
    // version in force, and by nothing else.
    for (place, id) in [&first, &second].into_iter().enumerate() {
        let request = PromoteModelRequest {
            model_id: id.clone(),
            ..PromoteModelRequest::default()
        };
        if *id == second {
            let not = "a life is worth 3 less";
            for (judged, words) in [
                (None, "was not valued against"),
                (
                    Some(verdict(id, "logged", true, "")),
                    "valued against logged",
                ),
                (Some(verdict(id, &first, false, not)), not),
            ] {
                if let Some(judged) = judged {
                    registry.keep(&judged).unwrap();
                }
                let refused = models.promote_model(request.clone()).await.unwrap_err();
                assert_eq!(refused.code(), Code::FailedPrecondition);
                assert!(refused.message().contains(words), "{refused}");
                assert_eq!(deciding(&house, words).await, first);
            }
            registry
                .keep(&verdict(id, &first, true, "worth 9 more"))
                .unwrap();
        }
        let promoted = models.promote_model(request).await.unwrap().into_inner();
        assert!(promoted.current && promoted.model_id == *id);
        assert_eq!(deciding(&house, &format!("promoted-{place}")).await, *id);
    }
    registry
        .keep(&verdict(&foreign, &second, true, ""))
        .unwrap();
    for (id, code, words) in [
        (vague.as_str(), Code::FailedPrecondition, "off by 0.200"),
        (&foreign, Code::FailedPrecondition, "reads features"),
        ("nothing", Code::NotFound, "`nothing` is not known"),
        ("../models", Code::NotFound, "is not known"),
        ("", Code::NotFound, "is not known"),
    ] {
        let request = PromoteModelRequest {
            model_id: id.to_owned(),
            ..PromoteModelRequest::default()
        };
        let refused = models.promote_model(request).await.unwrap_err();
        assert_eq!(refused.code(), code, "{id}: {refused}");
        assert!(refused.message().contains(words), "{id}: {refused}");
    }
    assert_eq!(deciding(&house, "refused").await, second);
    let listed = models.list_models(ListModelsRequest {}).await.unwrap();
    let listed = listed.into_inner().models;
    assert_eq!(listed.len(), 4);
    let current: Vec<_> = listed.iter().filter(|one| one.current).collect();
    assert!(current.len() == 1 && current[0].model_id == second);

    let card = models.get_model(GetModelRequest::default()).await.unwrap();
    let card = card.into_inner().card;
    assert!(card["gate"].contains("worth 9 more"), "{card:?}");
    assert_eq!(card["gate_passed"], "true");

    let asked = RollbackModelRequest {
        reason: "calls".to_owned(),
    };
    let back = models.rollback_model(asked).await;
    assert_eq!(back.unwrap().into_inner().model_id, first);
    assert_eq!(deciding(&house, "back").await, first);

    // Another process points elsewhere: taken up where it can be, and refused where not.
    registry::promote(&dir, &second, "by hand").unwrap();
    until(|| house.server.engine().snapshot().model_id() == Some(second.as_str())).await;
    registry::promote(&dir, &foreign, "by hand").unwrap();
    until(|| house.server.engine().metrics().reload_errors() > 0).await;
    assert_eq!(deciding(&house, "foreign").await, second);
    let now = GetModelRequest::default();
    let now = models.get_model(now).await.unwrap().into_inner();
    assert_eq!(now.model_id, second);

    // In spite of the gate, with a reason; every step is kept with its own.
    registry::promote(&dir, &first, "by hand").unwrap();
    let foreign_first = PromoteModelRequest {
        model_id: vague,
        in_spite: "the founder said so".to_owned(),
        ..PromoteModelRequest::default()
    };
    let forced = models.promote_model(foreign_first).await.unwrap();
    assert!(forced.into_inner().current);
    let steps = registry::pointers(&dir).unwrap().changes;
    let reasons: Vec<_> = steps.iter().map(|step| step.reason.as_str()).collect();
    assert!(reasons[0].contains("the gate was not asked"), "{reasons:?}");
    assert!(reasons[1].contains("worth 9 more"), "{reasons:?}");
    assert_eq!(reasons[2], "calls");
    assert!(
        reasons
            .last()
            .unwrap()
            .contains("in spite of the gate: the founder")
    );
}

pub(crate) async fn until(holds: impl Fn() -> bool) {
    for _ in 0..500 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("not within ten seconds");
}

pub(crate) const QUICK: &str = "[learning]\nwindow_days = 14\n[bandit.cold_start]\nrounds = 20\n";

fn config(folder: &Path, more: &str) -> Config {
    let text = format!(
        "[server]\ngrpc = \"127.0.0.1:0\"\nhttp = \"127.0.0.1:0\"\n[clock]\nsource = \"events\"\n{more}"
    );
    Config::parse(&text, folder, HashMap::new()).unwrap()
}

/// Decisions of `customers` on a Monday, payments of the even ones, and a decision of the first one
/// when everything has matured.
pub(crate) async fn a_month(house: &House, customers: &[usize]) {
    let events = customers.iter().flat_map(|&n| [customer(n), invoice(n)]);
    house.record(events.collect()).await;
    for &n in customers {
        house
            .decisions()
            .next_best_action(question(n))
            .await
            .unwrap();
    }
    let even = customers.iter().filter(|n| n.is_multiple_of(2));
    let paid = even.map(|&n| {
        let when = MONDAY + (1 + n as i64 % 9) * DAY;
        fact(n, EventType::PaymentSucceeded, when, Some(45_000))
    });
    house.record(paid.collect()).await;
    let mut later = question(customers[0]);
    later.request_id = "later".to_owned();
    later.as_of = at(MONDAY + 16 * DAY);
    house.decisions().next_best_action(later).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_configuration_is_taken_up_whole_or_not_at_all() {
    let house = House::open(QUICK).await;
    a_month(&house, &(0..40).collect::<Vec<_>>()).await;
    let engine = house.server.engine();
    let before = engine.snapshot();

    // Another catalogue, another objective, an experiment: learnt anew, under the next number.
    let changed = format!(
        "{QUICK}[objective]\ncomplaint_minor = 7.0\n[[experiments]]\nname = \"spring\"\n\
         arms = [{{name = \"a\", share = 0.5, policy = \"ladder\"}}, \
         {{name = \"b\", share = 0.5, policy = \"bandit\"}}]\n[[strategy.steps]]\nkind = \"reminder\"\n\
         channels = [\"email\", \"sms\", \"letter\"]\ntones = [\"friendly\", \"neutral\", \"firm\"]\n\
         timings = [\"d0-morning\", \"d1-morning\"]\n[[strategy.steps]]\nkind = \"due_date_notice\"\n\
         channels = [\"email\"]\ntones = [\"friendly\"]\ntimings = [\"d0-morning\"]\n\
         [[strategy.steps]]\nkind = \"collection_claim\"\nchannels = [\"letter\"]\n\
         tones = [\"final\"]\ntimings = [\"d0-morning\"]\n"
    );
    let next = config(house.folder.path(), &changed);
    let refused = engine.reconfigure(next).await.unwrap_err().to_string();
    assert!(refused.contains("no verdict speaks for them"), "{refused}");
    let same = engine.snapshot().parts().generation.digest();
    assert_eq!(same, before.parts().generation.digest());
    let changed = in_spite(&changed);
    let next = config(house.folder.path(), &changed);
    engine.reconfigure(next).await.unwrap();
    let after = engine.snapshot();
    assert_ne!(before.strategy().id(), after.strategy().id());
    assert_ne!(before.objective_id(), after.objective_id());
    let number = |snapshot: &lagom_model::decide::Snapshot| snapshot.parts().generation.number();
    assert_eq!(number(&after), number(&before) + 1);
    let mut ask = question(1);
    ask.request_id = "after".to_owned();
    ask.as_of = at(MONDAY + 17 * DAY);
    let answer = house.decisions().next_best_action(ask).await.unwrap();
    let answer = answer.into_inner();
    assert_eq!(answer.experiment, "spring");
    assert_eq!(answer.strategy_id, after.strategy().id());

    let fixed = format!("{QUICK}[store]\nurl = \"file:other.db\"\n");
    let refused = engine
        .reconfigure(config(house.folder.path(), &fixed))
        .await;
    assert!(refused.unwrap_err().to_string().contains("[store]"));
    assert_eq!(engine.snapshot().strategy().id(), after.strategy().id());

    // A restart by the same configuration finds what was in force.
    let digest = engine.snapshot().parts().generation.digest();
    let house = house.reopen(&changed).await;
    assert_eq!(
        house.server.engine().snapshot().parts().generation.digest(),
        digest
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hang_up_signal_reads_the_file_again() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), "[clock]\nsource = \"events\"\n");
    let file = folder.path().join("lagom.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let hang_up = || {
        let pid = server.pid().to_string();
        let sent = std::process::Command::new("kill")
            .args(["-HUP", &pid])
            .status();
        assert!(sent.unwrap().success());
    };
    let logged = |words: &str| {
        let log = std::fs::read_to_string(folder.path().join("server.log")).unwrap();
        log.contains(words)
    };
    std::fs::write(&file, format!("{text}[nonsense]\n")).unwrap();
    hang_up();
    until(|| logged("the last one decides on")).await;
    assert!(!logged("is read anew"));
    std::fs::write(&file, format!("{text}[objective]\ncomplaint_minor = 9.0\n")).unwrap();
    hang_up();
    until(|| logged("is read anew")).await;
    assert!(server.get("/readyz").unwrap().starts_with("HTTP/1.1 200"));
}

/// What was learnt, without the number of its publication and the digest that covers it.
pub(crate) fn learnt(house: &House) -> serde_json::Value {
    let snapshot = house.server.engine().snapshot();
    let mut state = serde_json::to_value(&*snapshot.parts().generation).unwrap();
    let fields = state.as_object_mut().unwrap();
    assert!(fields.remove("number").is_some() && fields.remove("digest").is_some());
    state
}

/// Not a byte of these in any file of the store.
pub(crate) fn no_byte_of(house: &House, traces: &[&str]) {
    for entry in std::fs::read_dir(house.folder.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            for trace in traces {
                let found = bytes.windows(trace.len()).any(|at| at == trace.as_bytes());
                assert!(!found, "{trace} in {}", path.display());
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_erased_customer_is_nowhere() {
    const ERASED: usize = 7;
    let house = House::open(QUICK).await;
    a_month(&house, &(0..60).collect::<Vec<_>>()).await;
    let twin = House::open(QUICK).await;
    let others: Vec<usize> = (0..60).filter(|n| *n != ERASED).collect();
    a_month(&twin, &others).await;
    assert!(
        learnt(&house) != learnt(&twin),
        "the customer was learnt from"
    );

    let mut privacy = PrivacyServiceClient::new(house.channel.clone());
    let whom = format!("c{ERASED}");
    let ask = ExportCustomerRequest {
        customer_id: whom.clone(),
    };
    let mut export = privacy
        .export_customer(ask.clone())
        .await
        .unwrap()
        .into_inner();
    let mut tables = Vec::new();
    while let Some(record) = export.next().await {
        let record = record.unwrap();
        assert!(!record.json.contains("\"c8\""), "{}", record.json);
        tables.push(record.table);
    }
    assert_eq!(tables, ["customers", "invoices", "decisions", "outcomes"]);
    let request = EraseCustomerRequest {
        customer_id: whom.clone(),
    };
    let erased = privacy.erase_customer(request.clone()).await.unwrap();
    assert_eq!(erased.into_inner().records, 4);

    let again = privacy.erase_customer(request).await.unwrap_err();
    assert_eq!(again.code(), Code::NotFound);
    assert_eq!(
        privacy.export_customer(ask).await.unwrap_err().code(),
        Code::NotFound
    );
    let asked = house.decisions().next_best_action(question(ERASED)).await;
    assert_eq!(asked.unwrap_err().code(), Code::NotFound);
    assert!(!house.server.engine().knows(&CustomerId::new(whom).unwrap()));
    assert!(learnt(&house) == learnt(&twin), "as if it had never been");

    // And the rest checks and reads.
    no_byte_of(&house, &["customer-7", "invoice-7"]);
    let store = house.folder.path().join("lagom.db");
    let rest = lagom_serving::export::export(&store).unwrap();
    assert_eq!(
        (rest.customers.len(), rest.outcomes.len()),
        (59, 59),
        "the others are all there"
    );
    let house = house.reopen(QUICK).await;
    assert!(learnt(&house) == learnt(&twin), "also after a restart");
    house.record(vec![customer(ERASED), invoice(ERASED)]).await;
    let mut anew = question(ERASED);
    anew.as_of = at(MONDAY + 17 * DAY);
    house.decisions().next_best_action(anew).await.unwrap();
}
