//! The page of policies: values, verdicts, trade-off, a canary that is watched, and every step.

use super::browser::in_order;
use lagom_features::domain::Timestamp;
use lagom_model::ope::Overlap;
use lagom_model::ope::gate::{Check, Verdict};
use lagom_model::ope::interval::Interval;
use lagom_model::ope::valuation::{self, Estimand, Figure, Judged, METRICS, Point, Valuation};
use lagom_model::rollout::guard::Watched;
use lagom_model::rollout::{Pointers, Stage};
use lagom_serving::pages::policies::{Policies, Version, render};
use lagom_serving::pages::{Lang, Reader};
use lagom_serving::rollout::{Beside, Standing};
use std::collections::BTreeMap;

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

/// Every metric a little above `value`.
fn figures(value: f64) -> BTreeMap<String, Figure> {
    let named = METRICS.iter().zip(1_i32..);
    named
        .map(|(name, n)| {
            let value = value * f64::from(n);
            let figure = Figure {
                value,
                interval: Interval {
                    low: value - 1.5,
                    high: value + 1.5,
                    confidence: 0.95,
                },
                per_decision: value,
                weighted: Some(value),
            };
            ((*name).to_owned(), figure)
        })
        .collect()
}

fn estimand(value: f64) -> Estimand {
    let overlap = Overlap::of_weights(&[1.0; 600], None);
    Estimand {
        candidate: figures(value),
        incumbent: figures(1.0),
        difference: figures(value - 1.0),
        overlap: overlap.clone(),
        incumbent_overlap: overlap,
        segments: Vec::new(),
    }
}

fn judged(id: &str, gain: f64) -> Judged {
    let check = Check {
        name: "value".to_owned(),
        passed: gain > 0.0,
        words: format!("a life is worth {gain} more"),
    };
    Judged {
        ways: None,
        format: valuation::FORMAT,
        candidate: id.to_owned(),
        against: "aaaa".to_owned(),
        valuation: Valuation {
            from: at("2026-02-01"),
            horizon_days: 60,
            lives: 600,
            decisions: 1_800,
            customers: 500,
            left_out: 0,
            reach: None,
            one_step: None,
            episode: estimand(1.0 + gain),
            calibration: None,
            verdict: Verdict::of(vec![check]),
        },
        frontier: [0.5, 1.0, 2.0]
            .map(|weight| Point {
                weight,
                episode: estimand(1.0 + gain / weight),
            })
            .to_vec(),
    }
}

fn found() -> Policies {
    let step = |pointers: Pointers, share: f64| {
        let stage = Stage::Canary { share };
        pointers.stage("bbbb", stage, at("2026-03-02"), "a life is worth 3 more")
    };
    let pointers = Pointers::default().promote("aaaa", at("2026-03-01"), "the first");
    let versions = [("bbbb", Some(3.0)), ("cccc", Some(-4.0)), ("aaaa", None)];
    Policies {
        pointers: step(step(pointers, 0.05).unwrap(), 0.25).unwrap(),
        versions: versions
            .map(|(id, gain)| Version {
                id: id.to_owned(),
                as_of: at("2026-02-01"),
                judged: gain.map(|gain| judged(id, gain)),
            })
            .to_vec(),
        standing: Standing {
            exposed: [300, 100],
            watched: vec![Watched {
                name: "complaints",
                incumbent: 0.01,
                canary: 0.02,
                p: 0.4,
                level: 0.0125,
            }],
            live: Some(Beside {
                model: "aaaa".to_owned(),
                exposed: [40, 760],
                watched: vec![Watched {
                    name: "churn",
                    incumbent: 0.025,
                    canary: 0.02,
                    p: 1.0,
                    level: 0.0125,
                }],
                harm: None,
                split_holds: false,
            }),
            ..Standing::default()
        },
    }
}

#[test]
fn the_page_says_what_was_found_in_every_language() {
    for lang in Lang::ALL {
        let reader = Reader {
            lang,
            path: "/policies".to_owned(),
            ..Reader::default()
        };
        let page = render(&reader, &found()).into_string();
        for words in [
            "/models/bbbb",
            "a life is worth 3 more",
            "×0",
            "760",
            "\u{26a0}",
            "aaaa",
            "<svg",
        ] {
            assert!(page.contains(words), "{words} is not in {page}");
        }
        assert!(
            page.contains(&lang.percent(0.25, 1)),
            "the share of the canary"
        );
        in_order(&format!("policies-{}", lang.code()), &page);
    }
    let harmed = Policies {
        standing: Standing {
            harm: Some("churn: 0.2 against 0.1".to_owned()),
            ..Standing::default()
        },
        ..Policies::default()
    };
    let page = render(&Reader::default(), &harmed).into_string();
    assert!(page.contains("churn: 0.2 against 0.1") && page.contains("None yet"));
    in_order("policies-harm", &page);
}
