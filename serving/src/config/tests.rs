#![allow(clippy::unwrap_used)]

use super::{Config, ConfigError};
use crate::clock::Source;
use lagom_model::decide::PolicyKind;
use std::collections::HashMap;
use std::path::Path;

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, Path::new("/etc/lagom"), HashMap::new())
}

#[test]
fn an_empty_file_is_valid() {
    let config = Config::default();
    assert_eq!(config.grpc.to_string(), "127.0.0.1:50051");
    assert_eq!(config.http.unwrap().to_string(), "127.0.0.1:8080");
    assert_eq!(config.clock, Source::Wall);
    assert_eq!(config.policy, PolicyKind::Bandit);
    assert!(config.strategy.catalogue().len() > 10);
}

#[test]
fn what_stands_there_is_read_and_paths_start_at_the_file() {
    let config = parse(
        "[server]\nhttp = \"\"\n[store]\nurl = \"file:data/log.db\"\n[clock]\nsource = \"events\"\n\
         [learning]\nwindow_days = 14\n[bandit]\npolicy = \"uniform\"\n[bandit.cold_start]\nrounds = 7\n\
         [objective]\ncomplaint_minor = 1.0\n\
         [[experiments]]\nname = \"a\"\n\
         arms = [{name = \"x\", share = 0.5, policy = \"ladder\"}, {name = \"y\", share = 0.5, policy = \"bandit\"}]\n",
    )
    .unwrap();
    assert_eq!(config.http, None);
    assert_eq!(
        config.store.file(),
        Some(Path::new("/etc/lagom/data/log.db"))
    );
    assert_eq!(config.clock, Source::Events);
    assert_eq!(config.learning.window_days, 14);
    assert_eq!(config.policy, PolicyKind::Uniform);
    assert_eq!(config.cold_start.rounds, 7);
    assert_eq!(config.experiments.specs().len(), 1);
}

#[test]
fn how_to_train_may_stand_in_the_same_file() {
    parse("[training]\npaid_days = 14\n[learning]\nwindow_days = 14\n").unwrap();
}

#[test]
fn the_environment_overrides_the_file() {
    let environment = HashMap::from([
        ("LAGOM__SERVER__GRPC".to_owned(), "0.0.0.0:1".to_owned()),
        ("LAGOM__LEARNING__WINDOW_DAYS".to_owned(), "9".to_owned()),
        ("LAGOM_SHARED".to_owned(), "elsewhere".to_owned()),
    ]);
    let text = "[server]\ngrpc = \"127.0.0.1:2\"\nhttp = \"127.0.0.1:3\"\n";
    let config = Config::parse(text, Path::new(""), environment).unwrap();
    assert_eq!(config.grpc.to_string(), "0.0.0.0:1");
    assert_eq!(config.http.unwrap().port(), 3);
    assert_eq!(config.learning.window_days, 9);
}

#[test]
fn every_fault_is_reported_at_once_with_its_line() {
    let text = "[server]\nport = 1\n\n[store]\nurl = \"postgres\"\n[learning]\nwindow_days = 0\n\
                [typo]\n[objective]\ncash = -1.0\n";
    let error = parse(text).unwrap_err();
    let message = error.to_string();
    for part in [
        "line 2: [server] unknown field `port`",
        "line 5: [store] url: `postgres` is not a store",
        "line 7: [learning] window_days: 0",
        "line 8: [typo] is unknown",
        "line 10: [objective] cash = -1",
    ] {
        assert!(message.contains(part), "no {part:?} in\n{message}");
    }
    assert_eq!(error.0.len(), 5, "{message}");
}

#[test]
fn nobody_drains_for_hours() {
    let error = parse("[server]\ndrain_seconds = 3601\n").unwrap_err();
    let said = "line 2: [server] drain_seconds: 3601 must lie in 0 to 3600";
    assert!(error.to_string().contains(said), "{error}");
    assert!(parse("[server]\ndrain_seconds = 3600\n").is_ok());
}

#[test]
fn what_is_no_toml_is_reported_with_its_line() {
    let error = parse("[server]\ngrpc = \n").unwrap_err();
    assert_eq!(error.0[0].line, Some(2), "{error}");
}

/// The faults of a text, one a line.
fn faults(text: &str, folder: &Path) -> String {
    let error = Config::parse(text, folder, HashMap::new()).unwrap_err();
    error.to_string()
}

#[test]
fn faults_of_strategy_and_guardrails_name_their_lines() {
    let text = "[strategy]
currency = \"SEK\"
ladder = []

[[strategy.steps]]
kind = \"reminder\"
channels = [\"letter\"]
tones = [\"neutral\"]
timings = [\"tomorrow\"]
fee_minor = -1

[[strategy.stages]]
name = \"late\"
from_day = 9
until_day = 3
kinds = [\"reminder\"]

[guardrails]
packs = [
    \"SE\",
    \"XX\",
]
[[guardrails.overrides]]
rule = \"global.cooldown\"
set = { hours = 24 }
reason = \" \"
[[guardrails.overrides]]
rule = \"global.weekly_cap\"
set = { maximum = 3 }
reason = \"a test\"
";
    let message = faults(text, Path::new(""));
    for part in [
        "line 9: [strategy] steps[0].timings",
        "line 10: [strategy] steps[0].fee_minor = -1",
        "line 15: [strategy] stages[0] ends on day 3",
        "line 21: [guardrails] packs: there is no `XX`",
        "line 23: [guardrails] overrides: `global.cooldown` needs a reason",
        "line 27: [guardrails] pack global",
    ] {
        assert!(message.contains(part), "no {part:?} in\n{message}");
    }
    let misspelt = text.replace("[\"letter\"]", "[\"leter\"]");
    let message = faults(&misspelt, Path::new(""));
    assert!(
        message.contains("line 7: [strategy] `leter` is not a channel"),
        "{message}"
    );
}

#[test]
fn packs_of_the_companys_own_are_read_from_files_and_named_in_faults() {
    let folder = tempfile::tempdir().unwrap();
    let pack = "name = \"OWN\"
version = \"1\"
[[rules]]
id = \"OWN.letters\"
source = \"decided by the board\"
confidence = \"high\"
check.contacts = { max = 1, hours = 240, channels = [\"letter\"] }
";
    let text = "[guardrails]\npacks = [\"SE\"]\nfiles = [\"own.toml\"]\n";
    std::fs::write(folder.path().join("own.toml"), pack).unwrap();
    let config = Config::parse(text, folder.path(), HashMap::new()).unwrap();
    assert!(config.guardrails.pack().starts_with("global+SE+OWN#"));
    let broken = pack.replace("max = 1", "maxi = 1");
    std::fs::write(folder.path().join("own.toml"), broken).unwrap();
    let message = faults(text, folder.path());
    let expected = "line 3: [guardrails] own.toml: pack OWN, line 7, rule OWN.letters";
    assert!(message.contains(expected), "{message}");
    std::fs::remove_file(folder.path().join("own.toml")).unwrap();
    let message = faults(text, folder.path());
    assert!(
        message.contains("line 3: [guardrails] files: "),
        "{message}"
    );
}
