//! The vector in SQL, for whoever runs the text without lagom.
//!
//! Ratios of whole numbers are one IEEE division on every engine, so those columns are equal bit
//! for bit. Logarithms, sines and cosines are the engine's own: equal up to rounding, to 1e-12.

use super::cells::{DayPart, Made, Unit};
use super::{Dialect, Refusal, Refused, frame};
use crate::domain::time::DAY_MICROS;
use crate::spec::feature::{Feature, PairOp, Shrink, Transform};

const REPLAYED: &str = "its value depends on the order in which numbers are rounded, which SQL does \
                        not fix; run it by lagom (--engine postgres), or leave it out";
const PAYDAYS: &str = "days of the month are counted by lagom only; run it by lagom (--engine \
                       postgres), or leave it out";
const TRANSFORM: &str = "its transformation is made by lagom only; run it by lagom (--engine \
                         postgres), or leave it out";

struct Writer {
    dialect: Dialect,
}

/// The outer query.
pub(super) fn select(
    features: &[Feature],
    made: &[Made],
    dialect: Dialect,
) -> Result<String, Refused> {
    let writer = Writer { dialect };
    let (mut columns, mut refused): (Vec<(String, String)>, Vec<Refusal>) = Default::default();
    let mut pairs = Vec::new();
    for (feature, made) in features.iter().zip(made) {
        match writer.columns(feature, made, &columns) {
            Ok(own) => columns.extend(own),
            Err(reason) => {
                // The columns keep their places, so that later features name the right ones.
                let none = |name: &String| (name.clone(), "NULL".to_owned());
                pairs.extend(columns.len()..columns.len() + feature.columns.len());
                columns.extend(feature.columns.iter().map(none));
                refused.push(Refusal {
                    feature: feature.name.clone(),
                    line: feature.line,
                    reason: reason.to_owned(),
                });
                continue;
            }
        }
        if let Made::Pair(_, left, right) = made
            && (pairs.contains(left) || pairs.contains(right))
        {
            let last = columns.len() - feature.columns.len();
            pairs.extend(last..columns.len());
            refused.push(Refusal {
                feature: feature.name.clone(),
                line: feature.line,
                reason: "it is made of a feature that cannot be expressed; leave it out as well"
                    .to_owned(),
            });
        }
    }
    if !refused.is_empty() {
        return Err(Refused(refused));
    }
    let list = columns
        .iter()
        .map(|(name, sql)| format!(",\n  {sql} AS {}", dialect.named(name)))
        .collect::<String>();
    Ok(format!(
        "SELECT p.customer_id, p.invoice_id, p.asked_at{list}\nFROM cells AS c\n\
         JOIN point_then AS p ON p.point_id = c.point_id\nORDER BY c.point_id\n"
    ))
}

impl Writer {
    fn real(&self, number: f64) -> String {
        if number.is_finite() {
            format!("CAST('{number:?}' AS {})", self.dialect.real())
        } else {
            "NULL".to_owned()
        }
    }

    fn cast(&self, sql: &str) -> String {
        format!("CAST({sql} AS {})", self.dialect.real())
    }

    fn unit(&self, place: usize, unit: Unit) -> String {
        let own = self.cast(&format!("c.c{place}"));
        match unit {
            Unit::One => own,
            Unit::Days => format!("({own} / {})", self.cast(&DAY_MICROS.to_string())),
            Unit::Thousandths => format!("({own} / {})", self.cast("1000")),
            Unit::Hours => frame::hour(&format!("c.c{place}"), self.dialect),
            Unit::Log => format!("LN({} + {own})", self.cast("1")),
        }
    }

    fn count(&self, place: usize) -> String {
        self.cast(&format!("COALESCE(c.c{place}, 0)"))
    }

    fn ratio(above: &str, below: &str) -> String {
        format!("({above} / NULLIF({below}, 0))")
    }

    fn mean(&self, sum: &str, n: &str, shrink: Option<Shrink>) -> String {
        match shrink {
            None => Self::ratio(sum, n),
            Some(by) => {
                let drawn = self.real(by.strength * by.prior);
                Self::ratio(
                    &format!("({sum} + {drawn})"),
                    &format!("({n} + {})", self.real(by.strength)),
                )
            }
        }
    }

    /// The feature's number; NULL is unknown.
    fn number(&self, made: &Made, earlier: &[(String, String)]) -> Result<String, &'static str> {
        Ok(match made {
            Made::Number(place, unit) => self.unit(*place, *unit),
            Made::Count(place) => self.count(*place),
            Made::Any(place) => self.cast(&format!("CASE WHEN c.c{place} > 0 THEN 1 ELSE 0 END")),
            Made::Mean(sum, n, shrink) => self.mean(&self.count(*sum), &self.count(*n), *shrink),
            Made::Quantile {
                low,
                high,
                n,
                q,
                unit,
            } => {
                let (low, high) = (self.unit(*low, *unit), self.unit(*high, *unit));
                let place = format!("{} * {}", self.real(*q), self.cast(&format!("c.c{n} - 1")));
                format!("({low} + ({place} - FLOOR({place})) * ({high} - {low}))")
            }
            Made::List(..) => return Err(REPLAYED),
            Made::Share(part, whole) => {
                Self::ratio(&self.unit(*part, Unit::One), &self.unit(*whole, Unit::One))
            }
            Made::Day(place, part) => {
                let date = format!("(DATE '1970-01-01' + CAST(c.c{place} AS INTEGER))");
                match part {
                    DayPart::Weekday => self.cast(&format!("((c.c{place} + 3) % 7 + 7) % 7")),
                    DayPart::DayOfMonth => self.cast(&format!("EXTRACT(DAY FROM {date})")),
                    DayPart::Month => self.cast(&format!("EXTRACT(MONTH FROM {date})")),
                    DayPart::ToPayday(_) | DayPart::SincePayday(_) => return Err(PAYDAYS),
                }
            }
            Made::Word(place) => format!("c.c{place}"),
            Made::Pair(op, left, right) => {
                let (left, right) = (&earlier[*left].1, &earlier[*right].1);
                match op {
                    PairOp::Difference => format!("({left} - {right})"),
                    PairOp::Product => format!("({left} * {right})"),
                    PairOp::Ratio => Self::ratio(left, right),
                }
            }
        })
    }

    fn columns(
        &self,
        feature: &Feature,
        made: &Made,
        earlier: &[(String, String)],
    ) -> Result<Vec<(String, String)>, &'static str> {
        // A ratio over 0 is infinite until it is clipped, which SQL does not have.
        let ratio = matches!(made, Made::Pair(PairOp::Ratio, ..));
        let bounded = feature.clip.is_some() || matches!(feature.transform, Transform::Bins(_));
        if ratio && bounded {
            return Err(TRANSFORM);
        }
        let mut number = self.number(made, earlier)?;
        if let Some((low, high)) = feature.clip {
            let (low, high) = (self.real(low), self.real(high));
            number = format!(
                "CASE WHEN {number} < {low} THEN {low} WHEN {number} > {high} THEN {high} \
                 ELSE {number} END"
            );
        }
        let known = |sql: String| {
            if feature.missing.is_finite() {
                format!("COALESCE({sql}, {})", self.real(feature.missing))
            } else {
                sql
            }
        };
        let flag = |condition: String| {
            known(format!(
                "CASE WHEN ({number}) IS NULL THEN NULL WHEN {condition} THEN {} ELSE {} END",
                self.real(1.0),
                self.real(0.0)
            ))
        };
        let own = match &feature.transform {
            // A spline hands its number over; training places the knots.
            Transform::None | Transform::Spline(_) => vec![known(number)],
            Transform::Log1p => {
                let log = format!("LN({} + ABS({number}))", self.cast("1"));
                vec![known(format!(
                    "CASE WHEN ({number}) < 0 THEN -{log} ELSE {log} END"
                ))]
            }
            Transform::Cyclic(period) => {
                let angle = format!(
                    "{} * (({number}) / {})",
                    self.real(std::f64::consts::TAU),
                    self.real(*period)
                );
                vec![
                    known(format!("SIN({angle})")),
                    known(format!("COS({angle})")),
                ]
            }
            Transform::Bins(edges) => (0..=edges.len())
                .map(|bin| {
                    let above = bin.checked_sub(1).map(|low| &edges[low]);
                    let above = above.map(|edge| format!("({number}) >= {}", self.real(*edge)));
                    let below = edges.get(bin);
                    let below = below.map(|edge| format!("({number}) < {}", self.real(*edge)));
                    let both: Vec<String> = above.into_iter().chain(below).collect();
                    flag(both.join(" AND "))
                })
                .collect(),
            Transform::Levels(levels) => levels
                .iter()
                .map(|level| flag(format!("{number} = {}", self.dialect.quoted(level))))
                .collect(),
        };
        Ok(feature.columns.iter().cloned().zip(own).collect())
    }
}
