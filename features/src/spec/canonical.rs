//! One spelling a meaning: what the fingerprint is taken of.
//!
//! Comments, the order and the layout of keys, descriptions and owners do not change a number, so
//! they are left out. Everything else is in, with every default written out, in the order of the
//! features, because the order is that of the vector.

use super::feature::{Aggregate, Definition, Feature, Filter, Op, Rows, Shrink, Transform, Window};
use std::fmt::{Display, Write};

/// Changes when the meaning of an unchanged spec does.
const FORMAT: &str = "lagom feature spec 1";

/// The canonical text of `features`.
pub(super) fn text(features: &[Feature]) -> String {
    let mut out = format!("{FORMAT}\n");
    for feature in features {
        put(&mut out, "feature", &feature.name);
        put(&mut out, "unit", &format!("{:?}", feature.unit));
        definition(&mut out, &feature.definition);
        if let Some((low, high)) = feature.clip {
            put(&mut out, "clip", &format!("{} {}", real(low), real(high)));
        }
        match &feature.transform {
            Transform::None => {}
            Transform::Log1p => put(&mut out, "transform", &"log1p"),
            Transform::Cyclic(period) => put(&mut out, "cyclic", &real(*period)),
            Transform::Bins(edges) => {
                let edges: Vec<_> = edges.iter().copied().map(real).collect();
                put(&mut out, "bins", &edges.join(" "));
            }
            Transform::Spline(knots) => put(&mut out, "spline", knots),
            Transform::Levels(levels) => put(&mut out, "levels", &format!("{levels:?}")),
        }
        put(&mut out, "missing", &real(feature.missing));
    }
    out
}

fn put(out: &mut String, key: &str, value: &dyn Display) {
    writeln!(out, "{key} {value}").expect("writing to a string cannot fail");
}

/// A number by its bits, which have one spelling.
fn real(number: f64) -> String {
    let number = if number.is_nan() {
        f64::NAN
    } else {
        number + 0.0
    };
    format!("{:016x}", number.to_bits())
}

fn definition(out: &mut String, definition: &Definition) {
    match definition {
        Definition::Aggregate(one) => aggregate(out, one),
        Definition::Pooled(one) => {
            put(out, "key", &"segment, as of a Monday");
            aggregate(out, one);
        }
        Definition::Attribute { attribute, days } => {
            put(out, "attribute", attribute);
            put(out, "days", &format!("{days:?}"));
        }
        Definition::Pair { op, left, right } => put(out, "pair", &format!("{op} {left} {right}")),
    }
}

fn aggregate(out: &mut String, aggregate: &Aggregate) {
    put(out, "rows", &rows(&aggregate.rows));
    filter(out, "where", &aggregate.filter);
    put(out, "scope", &aggregate.scope);
    put(out, "window", &window(aggregate.window));
    op(out, &aggregate.op);
}

fn rows(rows: &Rows) -> String {
    match rows {
        Rows::Events(types) => {
            let names: Vec<_> = types.iter().map(|kind| kind.name()).collect();
            format!("events {}", names.join(" "))
        }
        Rows::Contacts => "contacts".to_owned(),
        Rows::Settlements => "settlements".to_owned(),
        Rows::Dues => "dues".to_owned(),
        Rows::Invoices => "invoices".to_owned(),
    }
}

fn filter(out: &mut String, key: &str, filter: &Filter) {
    let Filter {
        channel,
        tone,
        method,
        device,
        within_hours,
        open,
        late,
    } = filter;
    let channel: Vec<_> = channel.iter().map(|one| one.name()).collect();
    let tone: Vec<_> = tone.iter().map(|one| one.name()).collect();
    let value = format!("{channel:?} {tone:?} {method:?} {device:?} {open:?} {late:?}");
    // Specs that do not use it mean, and are called, what they always did.
    let value = match within_hours {
        None => value,
        Some(hours) => format!("{value} within {hours} hours of the day"),
    };
    put(out, key, &value);
}

fn window(window: Window) -> String {
    match window {
        Window::Lifetime => "lifetime".to_owned(),
        Window::Length(length) => format!("{} microseconds", length.micros()),
        Window::Last(rows) => format!("last {rows}"),
        Window::SinceDue => "since_due".to_owned(),
        Window::SinceIssue => "since_issue".to_owned(),
    }
}

fn shrink(shrink: Option<Shrink>) -> String {
    shrink.map_or_else(String::new, |by| {
        format!(" prior {} strength {}", real(by.prior), real(by.strength))
    })
}

fn op(out: &mut String, op: &Op) {
    let value = match op {
        Op::Count => "count".to_owned(),
        Op::Any => "any".to_owned(),
        Op::Sum(column) => format!("sum {column}"),
        Op::Mean(column, by) => format!("mean {column}{}", shrink(*by)),
        Op::Min(column) => format!("min {column}"),
        Op::Max(column) => format!("max {column}"),
        Op::Last(column) => format!("last {column}"),
        Op::DaysSince => "days_since".to_owned(),
        Op::DaysSinceFirst => "days_since_first".to_owned(),
        Op::Distinct(facet) => format!("distinct {facet}"),
        Op::Quantile(column, q) => format!("quantile {column} {}", real(*q)),
        Op::Streak(column) => format!("streak {column}"),
        Op::Rate(_, by) => format!("rate{}", shrink(*by)),
        Op::Decayed(column, half_life) => {
            let column = column.map_or("rows", |column| column.name());
            format!("decayed {column} {} microseconds", half_life.micros())
        }
    };
    put(out, "op", &value);
    if let Op::Rate(of, _) = op {
        filter(out, "of", of);
    }
}
