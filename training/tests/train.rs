//! From tables on disk to a stored version, on a small world in which some pay late.
#![allow(clippy::unwrap_used)]

mod untaught;

use lagom_features::FeatureSpec;
use lagom_features::Recorded;
use lagom_features::domain::{
    Currency, Customer, CustomerId, Days, Event, EventId, EventType, Invoice, InvoiceId, Money,
    TenantId, Timestamp, Zone,
};
use lagom_model::artefact::ModelVersion;
use lagom_model::decide::{Snapshot, SnapshotError, SnapshotParts};
use lagom_model::hazard::Moment;
use lagom_model::linear::Term;
use lagom_model::rollout::Pointers;
use lagom_training::forecast::{ForecastError, forecast};
use lagom_training::pipeline::{
    Target, TrainError, TrainOptions, TrainReport, TrainingConfig, train,
};
use lagom_training::registry::Registry;
use lagom_training::tables::{Format, Tables};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::path::Path;
use std::sync::Arc;

const CUSTOMERS: usize = 60;
const INVOICES: usize = 10;

/// Every customer has a habit: some pay late four times in five, others once in twenty. One in
/// five of those who pay late leaves in the end.
fn world() -> Tables {
    let mut chance = ChaCha8Rng::seed_from_u64(5);
    let mut tables = Tables::default();
    let begin = Timestamp::parse("2025-01-01").unwrap();
    for customer in 0..CUSTOMERS {
        let late = if customer % 3 == 0 { 0.8 } else { 0.05 };
        let customer_id = CustomerId::new(format!("c{customer}")).unwrap();
        let known = Customer::unknown(TenantId::default(), customer_id.clone(), begin);
        tables.customers.push(Recorded::at_creation(known));
        let mut told = |id: String, kind, invoice: Option<&InvoiceId>, at: Timestamp| {
            let id = EventId::new(id).unwrap();
            let mut event = Event::new(id, kind, customer_id.clone(), at, at);
            event.invoice_id = invoice.cloned();
            event.amount = invoice.map(|_| Money::new(10_000, Currency::SEK));
            tables.events.push(event);
        };
        for number in 0..INVOICES {
            let issued_at = begin + Days::whole(30 * number as i64 + customer as i64 % 28);
            let invoice_id = InvoiceId::new(format!("i{customer}-{number}")).unwrap();
            let days = if chance.random_bool(late) {
                chance.random_range(22..60)
            } else {
                chance.random_range(2..20)
            };
            let id = format!("paid-{invoice_id}");
            let paid = issued_at + Days::whole(days);
            told(id, EventType::PaymentSucceeded, Some(&invoice_id), paid);
            tables.invoices.push(Recorded::at_issue(Invoice {
                invoice_id,
                customer_id: customer_id.clone(),
                issued_at,
                due_on: issued_at.date(&Zone::utc()).plus_days(20),
                amount: Money::new(10_000, Currency::SEK),
                terms_days: Some(20),
                payment_method: None,
                billing_channel: None,
                product: None,
            }));
        }
        if customer % 15 == 0 {
            let left = begin + Days::whole(150 + customer as i64);
            told(
                format!("left-{customer}"),
                EventType::CustomerChurned,
                None,
                left,
            );
        }
    }
    tables
}

fn options(data: &Path, models: &Path, seed: u64) -> TrainOptions {
    let text = "[training]\nform = \"plain\"\nafter_days = [7, 21]";
    TrainOptions {
        data: data.to_owned(),
        models: models.to_owned(),
        config: TrainingConfig::parse(text, FeatureSpec::built_in()).unwrap(),
        as_of: None,
        seed,
        excluded: Vec::new(),
        policy: None,
    }
}

fn trained(data: &Path, models: &Path, seed: u64) -> TrainReport {
    train(&options(data, models, seed)).unwrap()
}

/// An invoice that was just issued.
const ISSUED: Moment = Moment {
    late_in_days: 21.0,
    age_days: 0.0,
};

#[test]
fn the_same_tables_and_seed_give_the_same_bytes_in_any_format_and_order() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let mut tables = world();
    for name in ["parquet", "csv"] {
        std::fs::create_dir(at(name)).unwrap();
    }
    tables.write(&at("parquet"), Format::Parquet).unwrap();
    tables.events.reverse();
    tables.customers.reverse();
    tables.write(&at("csv"), Format::Csv).unwrap();
    let first = trained(&at("parquet"), &at("models"), 1);
    let again = trained(&at("csv"), &at("other"), 1);
    let bytes = |report: &TrainReport| {
        std::fs::read(report.path.as_ref().unwrap().join("model.json")).unwrap()
    };
    assert_eq!(first.model_id, again.model_id);
    assert_eq!(bytes(&first), bytes(&again));

    let registry = Registry::at(&at("models"));
    assert!(registry.current().unwrap().is_none(), "nothing is promoted");
    let now = Timestamp::parse("2026-01-01").unwrap();
    let pointers = Pointers::default().promote(&first.model_id, now, "");
    let text = serde_json::to_string(&pointers).unwrap();
    std::fs::write(at("models").join("pointers.json"), text).unwrap();
    let child = trained(&at("parquet"), &at("models"), 1);
    assert_eq!(child.parent.as_ref(), Some(&first.model_id));
    assert_ne!(child.model_id, first.model_id);
    assert_eq!(registry.list().unwrap().len(), 2);
}

#[test]
fn habits_are_learnt_and_judged_on_later_invoices() {
    let dir = tempfile::tempdir().unwrap();
    world().write(dir.path(), Format::Parquet).unwrap();
    let report = trained(dir.path(), &dir.path().join("models"), 1);
    let head = |target: Target| {
        report
            .heads
            .iter()
            .find(|one| one.target == target)
            .unwrap()
    };
    let late = head(Target::Late).held_out.as_ref().unwrap();
    assert!(late.fitted_before <= late.judged_from);
    assert!(late.metrics.auc.unwrap() > 0.8, "{late:?}");
    let paid = head(Target::Paid).held_out.as_ref().unwrap();
    assert!(paid.metrics.auc.unwrap() > 0.7, "{paid:?}");
    assert!(head(Target::Left).base_rate > 0.0);
    assert_eq!(report.invoices, CUSTOMERS * INVOICES);
}

#[test]
fn time_to_payment_is_one_rising_curve_that_tells_the_habits_apart() {
    let dir = tempfile::tempdir().unwrap();
    world().write(dir.path(), Format::Parquet).unwrap();
    let models = dir.path().join("models");
    let report = trained(dir.path(), &models, 1);
    assert_eq!(report.hazard.note, None);
    let days: Vec<u16> = report.hazard.held_out.iter().map(|at| at.days).collect();
    assert!(days.starts_with(&[7, 14]), "{days:?}");
    for at in &report.hazard.held_out {
        // Some tens of decisions a tenth: chance alone moves the table by about this much.
        assert!(at.metrics.ece < 0.1, "{at:?}");
    }
    let version = Registry::at(&models).get(&report.model_id).unwrap();
    let names = version.spec().names();
    let days: Vec<f64> = (0..=90).map(f64::from).collect();
    // Whoever has a rate of late payment has the shares of it too.
    let habits = ["late_share", "late_rate", "late_rate_last_5", "late_recent"];
    let curve = |rate: f64| {
        let cell = |name: &&str| {
            if habits.contains(name) {
                rate
            } else {
                f64::NAN
            }
        };
        let vector: Vec<f64> = names.iter().map(cell).collect();
        version.paid_by(&vector, ISSUED, &days).unwrap()
    };
    let (good, bad) = (curve(0.05), curve(0.8));
    assert!(good.windows(2).all(|pair| pair[0] <= pair[1]));
    assert!(good[21] > bad[21] + 0.1, "{} {}", good[21], bad[21]);
    assert_eq!(version.paid_by(&[1.0], ISSUED, &days), None);
}

/// A feature declared a spline is bent at quantiles of what training saw and nowhere else, the knots
/// are the model's, and two specs live side by side: each has a model, and neither reads the other's.
#[test]
fn two_specs_train_two_models_and_a_spline_learns_its_knots() {
    let dir = tempfile::tempdir().unwrap();
    world().write(dir.path(), Format::Parquet).unwrap();
    let models = dir.path().join("models");
    let habit = "[[feature]]\nname = \"lag\"\nsource = \"settlements\"\nwindow = \"lifetime\"\n\
                 op = \"mean\"\ncolumn = \"lag_days\"\n";
    let bent = format!("{habit}transform = \"spline\"\nknots = 4\n");
    let with = |spec: &str, form: &str| {
        let spec = FeatureSpec::parse(spec).unwrap();
        let text = format!("[training]\nform = \"{form}\"\nafter_days = [7, 21]");
        TrainingConfig::parse(&text, spec)
    };
    let plain = with(&bent, "plain").unwrap_err().to_string();
    assert!(plain.contains("spline"), "{plain}");
    let registry = Registry::at(&models);
    let [free, bent] = [habit, &bent].map(|spec| {
        let report = train(&TrainOptions {
            config: with(spec, "additive").unwrap(),
            ..options(dir.path(), &models, 1)
        });
        registry.get(&report.unwrap().model_id).unwrap()
    });
    assert_eq!(registry.list().unwrap().len(), 2);
    let curve = |version: &ModelVersion| {
        let terms = version.parts().propensity.model.parts().terms.clone();
        let shape = terms.into_iter().find_map(|term| match term {
            Term::Shape(shape) if shape.column == 0 => Some(shape),
            _ => None,
        });
        shape.unwrap()
    };
    let (free_curve, bent_curve) = (curve(&free), curve(&bent));
    assert!(free_curve.knots.len() > 4, "{free_curve:?}");
    assert!(bent_curve.knots.len() == 4 && bent_curve.special.is_empty());
    // What is served is the line between two knots, and level beyond the last.
    let model = &bent.parts().propensity.model;
    let odds = |lag: f64| model.log_odds(&[lag][..]).unwrap();
    let [.., third, last] = bent_curve.knots[..] else {
        panic!("four knots");
    };
    let middle = (odds(third) + odds(last)) / 2.0;
    assert!((odds((third + last) / 2.0) - middle).abs() < 1e-12);
    assert_eq!(odds(last).to_bits(), odds(last + 1_000.0).to_bits());

    let fingerprints = [&free, &bent].map(|version| version.spec().fingerprint().to_owned());
    assert_ne!(fingerprints[0], fingerprints[1]);
    let (_, parts) = untaught::untaught();
    let snapshot = |spec: &ModelVersion, model: &ModelVersion| {
        Snapshot::new(SnapshotParts {
            spec: spec.spec().clone(),
            model: Some(Arc::new(model.clone())),
            ..parts.clone()
        })
    };
    for (spec, model) in [(&free, &bent), (&bent, &free)] {
        let refused = snapshot(spec, model).unwrap_err();
        let foreign = matches!(refused, SnapshotError::ForeignFeatures { .. });
        assert!(foreign, "{refused}");
    }
    for version in [&free, &bent] {
        let refused = snapshot(version, version).err();
        let foreign = matches!(refused, Some(SnapshotError::ForeignFeatures { .. }));
        assert!(!foreign, "{refused:?}");
    }
}

/// Training at an earlier instant must give the numbers that training then would have given:
/// everything recorded since is taken away, and nothing may change.
#[test]
fn what_was_recorded_after_as_of_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (whole, past) = (dir.path().join("whole"), dir.path().join("past"));
    for dir in [&whole, &past] {
        std::fs::create_dir(dir).unwrap();
    }
    let mut tables = world();
    let as_of = Timestamp::parse("2025-08-01").unwrap();
    tables.write(&whole, Format::Parquet).unwrap();
    tables.events.retain(|event| event.recorded_at < as_of);
    tables
        .invoices
        .retain(|invoice| invoice.recorded_at < as_of);
    tables.write(&past, Format::Parquet).unwrap();
    let version = |data: &Path| {
        let models = data.join("models");
        let report = train(&TrainOptions {
            as_of: Some(as_of),
            ..options(data, &models, 1)
        })
        .unwrap();
        Registry::at(&models).get(&report.model_id).unwrap()
    };
    let (whole, past) = (version(&whole), version(&past));
    assert_eq!(whole.parts().propensity, past.parts().propensity);
    assert_eq!(whole.parts().lateness, past.parts().lateness);
    assert_eq!(whole.parts().churn, past.parts().churn);
    assert!(whole.parts().hazard.is_some());
    assert_eq!(whole.parts().hazard, past.parts().hazard);
}

#[test]
fn an_empty_past_is_refused_with_the_way_out() {
    let dir = tempfile::tempdir().unwrap();
    world().write(dir.path(), Format::Csv).unwrap();
    let error = train(&TrainOptions {
        as_of: Some(Timestamp::parse("2020-01-01").unwrap()),
        ..options(dir.path(), &dir.path().join("models"), 1)
    });
    let error = error.unwrap_err();
    assert!(matches!(error, TrainError::NoPoints { .. }), "{error}");
    assert!(error.to_string().contains("--as-of"), "{error}");
    assert!(!dir.path().join("models").exists());
}

#[test]
fn a_forecast_is_of_what_is_open_has_been_tried_and_has_not_seen_what_came() {
    let dir = tempfile::tempdir().unwrap();
    let as_of = Timestamp::parse("2025-09-15").unwrap();
    let mut tables = world();
    tables.write(dir.path(), Format::Parquet).unwrap();
    let models = dir.path().join("models");
    let options = TrainOptions {
        as_of: Some(as_of),
        ..options(dir.path(), &models, 1)
    };
    let report = train(&options).unwrap();
    let version = Registry::at(&models).get(&report.model_id).unwrap();
    let of = |tables: &Tables, weeks| {
        forecast(
            &tables.histories(),
            &version,
            weeks,
            Some(as_of),
            &options.config,
            1,
        )
    };
    let told = of(&tables, 4).unwrap();
    let issued = |at: Timestamp| at < as_of;
    let known = tables.invoices.iter().filter(|one| issued(one.recorded_at));
    assert!(told.invoices > 0 && told.invoices < known.count() / 2);
    assert_eq!(told.owed_minor, 10_000 * told.invoices as i64);
    assert_eq!((told.weeks.len(), told.currency.as_str()), (4, "SEK"));
    let expected: f64 = told.weeks.iter().map(|week| week.cash_minor.expected).sum();
    assert!(expected > 0.3 * told.owed_minor as f64 && expected <= told.owed_minor as f64);
    for week in &told.weeks {
        let cash = week.cash_minor;
        assert!(cash.low <= cash.expected && cash.expected <= cash.high);
    }
    // Sixteen past weeks; the first four of which errors are known cannot be judged.
    let known: Vec<usize> = told.coverage.iter().map(|row| row.known).collect();
    let judged: Vec<usize> = told.coverage.iter().map(|row| row.forecasts).collect();
    assert_eq!(
        (known, &judged[..]),
        (vec![16, 15, 14, 13], &[12, 10, 8, 6][..])
    );
    let inside: usize = told.coverage.iter().map(|row| row.inside).sum();
    assert!(
        inside * 5 > judged.iter().sum::<usize>() * 3,
        "{:?}",
        told.coverage
    );
    for (one, errors) in told.widening.iter().zip([16, 15, 14, 13]) {
        assert!(one.errors == errors && one.quantile > 1.28, "{one:?}");
    }
    let (said, came) = told.coverage.iter().fold((0.0, 0.0), |(said, came), row| {
        (said + row.said_minor, came + row.came_minor)
    });
    assert!((said / came - 1.0).abs() < 0.25, "{said} {came}");
    // Everybody is invoiced every thirty days, and some have left.
    let later = told.unissued.as_ref().unwrap();
    assert!(later.customers > CUSTOMERS * 3 / 4 && later.customers < CUSTOMERS);
    assert!(later.invoices > 0.8 * later.customers as f64 && later.go_on > 0.95);
    assert!((later.billed_minor / 10_000.0 - later.invoices).abs() < 1e-6);
    assert_eq!(later.weeks.len(), 4);
    // No invoice that is issued within the weeks is paid before it is, few in the first days.
    let first = later.weeks[0].cash_minor.expected;
    assert!(first < later.weeks[3].cash_minor.expected, "{later:?}");
    let (said, came) = later.coverage.iter().fold((0.0, 0.0), |(said, came), row| {
        (said + row.said_minor, came + row.came_minor)
    });
    assert!((said / came - 1.0).abs() < 0.25, "{said} {came}");
    assert!(later.share_of_later.is_some_and(|share| share > 0.7));
    let both = told.together.as_ref().unwrap();
    let parts = told.weeks.iter().zip(&later.weeks);
    for (sum, (open, later)) in both.weeks.iter().zip(parts) {
        let parts = open.cash_minor.expected + later.cash_minor.expected;
        assert!((sum.cash_minor.expected - parts).abs() < 1e-6, "{sum:?}");
    }
    for (sum, row) in both.coverage.iter().zip(&told.coverage) {
        assert!(sum.known == row.known && sum.came_minor >= row.came_minor);
    }

    tables.events.retain(|event| issued(event.recorded_at));
    tables
        .invoices
        .retain(|invoice| issued(invoice.recorded_at));
    assert_eq!(of(&tables, 4).unwrap(), told);
    assert!(matches!(of(&tables, 13), Err(ForecastError::Weeks(13))));
}

#[test]
fn a_version_trained_with_directions_keeps_them_in_everything_it_says() {
    let dir = tempfile::tempdir().unwrap();
    world().write(dir.path(), Format::Parquet).unwrap();
    let models = dir.path().join("models");
    let text = "[training]\nform = \"plain\"\nafter_days = [7, 21]\nmonotone = { late_rate = \"falling\" }";
    let spec = FeatureSpec::built_in();
    let config = TrainingConfig::parse(text, spec.clone()).unwrap();
    let report = train(&TrainOptions {
        config,
        ..options(dir.path(), &models, 1)
    })
    .unwrap();
    let version = Registry::at(&models).get(&report.model_id).unwrap();
    let names = spec.names();
    let place = names.iter().position(|name| *name == "late_rate").unwrap();
    let mut last: Option<(f64, Vec<f64>)> = None;
    for rate in 0..=20 {
        let mut vector = vec![f64::NAN; names.len()];
        vector[place] = f64::from(rate) / 20.0;
        let moment = Moment {
            late_in_days: 5.0,
            age_days: 16.0,
        };
        let paid = version
            .paid_by(&vector, moment, &[7.0, 30.0, 60.0])
            .unwrap();
        let late = version.lateness(&vector).unwrap();
        if let Some((less_late, more_paid)) = &last {
            assert!(late >= less_late - 1e-12, "{rate}");
            let pairs = paid.iter().zip(more_paid);
            assert!(
                pairs
                    .into_iter()
                    .all(|(now, before)| *now <= before + 1e-12)
            );
        }
        last = Some((late, paid));
    }
    let unknown = "[training]\nmonotone = { shoe_size = \"falling\" }";
    let error = TrainingConfig::parse(unknown, spec)
        .unwrap_err()
        .to_string();
    assert!(error.contains("monotone = shoe_size"), "{error}");
}
