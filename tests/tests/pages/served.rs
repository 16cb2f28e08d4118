//! One experiment over gRPC, on its page and on the command line: the same numbers.

use lagom_proto::v1::decision_service_client::DecisionServiceClient;
use lagom_proto::v1::event_service_client::EventServiceClient;
use lagom_proto::v1::experiment_service_client::ExperimentServiceClient;
use lagom_proto::v1::{EventType, RecordEventsRequest, ReviewExperimentRequest};
use lagom_tests::company::{DAY, MONDAY, at, fact, opening, question};
use lagom_tests::{Server, lagom};
use serde_json::Value;
use std::process::Command;

const CUSTOMERS: usize = 240;
const CONFIG: &str = "\
[clock]\nsource = \"events\"\n\
[[experiments]]\nname = \"spring\"\n\
[[experiments.arms]]\nname = \"ladder\"\nshare = 0.5\npolicy = \"ladder\"\n\
[[experiments.arms]]\nname = \"bandit\"\nshare = 0.5\npolicy = \"bandit\"\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn grpc_page_and_command_line_say_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), CONFIG);
    let mut events = EventServiceClient::new(server.channel().await);
    let mut decisions = DecisionServiceClient::new(server.channel().await);
    let mut experiments = ExperimentServiceClient::new(server.channel().await);
    events.record_events(opening(CUSTOMERS)).await.unwrap();
    let mut first = String::new();
    for n in 0..CUSTOMERS {
        let decision = decisions
            .next_best_action(question(n))
            .await
            .unwrap()
            .into_inner();
        assert_eq!(decision.experiment, "spring");
        first = decision.decision_id;
    }
    let paid = (0..CUSTOMERS).step_by(2).map(|n| {
        let when = MONDAY + (1 + n as i64 % 20) * DAY;
        fact(n, EventType::PaymentSucceeded, when, Some(45_000))
    });
    let told = RecordEventsRequest {
        events: paid.collect(),
        as_of: at(MONDAY + 70 * DAY),
    };
    events.record_events(told).await.unwrap();

    let asked = ReviewExperimentRequest {
        name: "spring".to_owned(),
        as_of: at(MONDAY + 70 * DAY),
    };
    let reviewed = experiments
        .review_experiment(asked)
        .await
        .unwrap()
        .into_inner();
    let review: Value = serde_json::from_str(&reviewed.review_json).unwrap();
    let rate = &review["comparisons"]["ladder_vs_bandit"]["metrics"]["ratio.collection_rate"];
    let of = |key: &str| rate[key].as_f64().unwrap();
    assert_eq!(
        of("n_c") + of("n_t"),
        CUSTOMERS as f64,
        "every window has closed"
    );
    assert_eq!(
        of("total_c") + of("total_t"),
        450.0 * CUSTOMERS as f64 / 2.0
    );
    assert_eq!(
        of("denominator_c") + of("denominator_t"),
        450.0 * CUSTOMERS as f64
    );
    let churn = &review["comparisons"]["ladder_vs_bandit"]["metrics"]["mean.churn"];
    assert_eq!(
        churn["guardrail"]["state"], "not_yet_shown_safe",
        "nobody left, but 240 customers do not show a margin of a point"
    );
    let log = &review["log"];
    assert_eq!(log["arms"]["bandit"]["without_outcome"], 0);
    assert_eq!(log["currency"], "SEK");
    assert!(log["rmst"]["bandit"]["control"]["rmst"].as_f64().unwrap() > 0.0);

    // Fewer than a hundred in an arm, or enough: either way the page says what the JSON says.
    let page = server.get("/experiments/spring").unwrap();
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    let headers = page.to_ascii_lowercase();
    assert!(headers.contains("content-security-policy: default-src 'none'"));
    assert!(page.contains(review["plan_digest"].as_str().unwrap()));
    assert!(page.contains(review["facts_digest"].as_str().unwrap()));
    let swedish = server.get("/experiments/spring?lang=sv").unwrap();
    assert!(swedish.contains("Går siffrorna att lita på?"));

    for (path, words) in [
        ("/", "Deciding"),
        ("/experiments", "spring"),
        ("/policies", "No version is on its way"),
        (&*format!("/decisions/{first}"), "Why this step?"),
    ] {
        let page = server.get(path).unwrap();
        assert!(
            page.starts_with("HTTP/1.1 200") && page.contains(words),
            "{path}: {page}"
        );
        super::browser::in_order(path.trim_matches('/'), body(&page));
    }
    super::browser::in_order(
        "experiment",
        body(&server.get("/experiments/spring").unwrap()),
    );
    let numbers = server.get("/experiments/spring/review.json").unwrap();
    let numbers: Value = serde_json::from_str(&numbers[numbers.find('{').unwrap()..]).unwrap();
    assert_eq!(numbers["facts_digest"], review["facts_digest"]);
    assert_eq!(numbers["comparisons"], review["comparisons"]);
    let missing = server.get("/experiments/autumn").unwrap();
    assert!(
        missing.starts_with("HTTP/1.1 404") && missing.contains("autumn"),
        "{missing}"
    );
    let missing = server.get("/decisions/nothing").unwrap();
    assert!(missing.starts_with("HTTP/1.1 404"), "{missing}");

    server.kill();
    let run = |args: &[&str]| {
        let output = Command::new(lagom())
            .args(args)
            .current_dir(folder.path())
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "lagom {args:?}: {error}");
        String::from_utf8(output.stdout).unwrap()
    };
    run(&["export", "--config", "lagom.toml", "--out", "export"]);
    let as_of = log["as_of"].as_str().unwrap();
    let data = [
        "review",
        "--data",
        "export",
        "--experiment",
        "spring",
        "--config",
        "lagom.toml",
    ];
    let offline = run(&[
        &data[..],
        &["--as-of", as_of, "--csv", "facts.csv", "--json"],
    ]
    .concat());
    let offline: Value = serde_json::from_str(&offline).unwrap();
    assert_eq!(offline["log"], review["log"]);
    assert_eq!(offline["facts_digest"], review["facts_digest"]);
    assert!(
        offline == review,
        "the command that the page prints makes its numbers"
    );
    let facts = std::fs::read_to_string(folder.path().join("facts.csv")).unwrap();
    assert_eq!(facts.lines().count(), CUSTOMERS + 1);

    // A plan that was not agreed, and learning from those who are judged, withhold the verdict.
    let withheld = |name: &str, more: &[&str], why: &str| {
        let html = format!("{name}.html");
        run(&[&data[..], more, &["--as-of", as_of, "--html", &html]].concat());
        let page = std::fs::read_to_string(folder.path().join(html)).unwrap();
        assert!(page.contains("Cannot be judged"), "{name}: {page}");
        assert!(page.contains(why), "{name}: {page}");
        super::browser::in_order(name, &page);
    };
    let plan = "experiment = \"spring\"\ncontrol = \"ladder\"\nplanned_customers = 99\n\
        [columns]\ncustomer = \"customer_id\"\narm = \"arm\"\n\
        [[metrics]]\nname = \"churn\"\nrole = \"guardrail\"\ndirection = \"lower\"\n\
        value = \"churn\"\nmargin = { absolute = 0.01 }\n";
    std::fs::write(folder.path().join("other.toml"), plan).unwrap();
    let other = ["--plan", "other.toml"];
    withheld(
        "plan-changed",
        &other,
        "The plan was changed after the start.",
    );

    let file = folder.path().join("export/experiments.json");
    let mut design: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let late = |number: u64| {
        serde_json::json!({
            "number": number, "published_at": "2099-01-01T00:00:00Z", "excluded": [],
        })
    };
    design["generations"] = (0..100).map(late).collect();
    std::fs::write(&file, design.to_string()).unwrap();
    let learnt = "The reviewed policy learnt from this experiment&#39;s own customers.";
    withheld("not-isolated", &[], &learnt.replace("&#39;", "'"));
}

fn body(answer: &str) -> &str {
    &answer[answer.find("<!DOCTYPE").unwrap()..answer.rfind("</html>").unwrap() + 7]
}
