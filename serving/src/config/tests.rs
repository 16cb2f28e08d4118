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
    assert_eq!(config.store, Path::new("/etc/lagom/data/log.db"));
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
        "[objective] cash = -1",
    ] {
        assert!(message.contains(part), "no {part:?} in\n{message}");
    }
    assert_eq!(error.0.len(), 5, "{message}");
}

#[test]
fn what_is_no_toml_is_reported_with_its_line() {
    let error = parse("[server]\ngrpc = \n").unwrap_err();
    assert_eq!(error.0[0].line, Some(2), "{error}");
}
