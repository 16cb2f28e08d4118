//! From cells to the vector, in the extractor's own arithmetic.

use super::cells::{DayPart, Made, Replay, Unit};
use crate::domain::Date;
use crate::domain::time::DAY_MICROS;
use crate::extract::{attribute, finish};
use crate::spec::feature::Feature;

/// A cell of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// A whole number, or none.
    Whole(Option<i64>),
    /// Text, or none.
    Text(Option<&'a str>),
}

impl Unit {
    fn of(self, number: i64) -> f64 {
        match self {
            Self::One => number as f64,
            Self::Days => number as f64 / DAY_MICROS as f64,
            Self::Thousandths => number as f64 / 1000.0,
            Self::Hours => {
                let (minutes, seconds) = (number / 60 % 60, number % 60);
                (number / 3600) as f64 + minutes as f64 / 60.0 + seconds as f64 / 3600.0
            }
            Self::Log => libm::log1p(number as f64),
        }
    }
}

struct Row<'a>(&'a [Value<'a>]);

impl Row<'_> {
    fn whole(&self, place: usize) -> Result<Option<i64>, String> {
        match self.0.get(place) {
            Some(Value::Whole(number)) => Ok(*number),
            _ => Err(format!("column c{place} of the answer is no whole number")),
        }
    }

    fn text(&self, place: usize) -> Result<Option<&str>, String> {
        match self.0.get(place) {
            Some(Value::Text(text)) => Ok(*text),
            _ => Err(format!("column c{place} of the answer is no text")),
        }
    }

    fn count(&self, place: usize) -> Result<f64, String> {
        Ok(self.whole(place)?.unwrap_or(0) as f64)
    }

    fn number(&self, place: usize, unit: Unit) -> Result<f64, String> {
        Ok(self
            .whole(place)?
            .map_or(f64::NAN, |number| unit.of(number)))
    }

    fn replay(&self, place: usize, unit: Unit, replay: Replay) -> Result<f64, String> {
        let text = self.text(place)?.unwrap_or_default();
        let (mut sum, mut n) = (0.0, 0_u64);
        for item in text.split(',').filter(|item| !item.is_empty()) {
            let pair = item.split_once(':').and_then(|(value, age)| {
                Some((value.parse::<i64>().ok()?, age.parse::<i64>().ok()?))
            });
            let (value, age) =
                pair.ok_or_else(|| format!("`{item}` in column c{place} is not value:age"))?;
            let weight = match replay {
                Replay::Decayed(half_life) => {
                    let age = Unit::Days.of(age) * DAY_MICROS as f64;
                    Some(libm::exp2(-(age / half_life.micros() as f64)))
                }
                Replay::Sum | Replay::Mean(_) => None,
            };
            let value = weight.map_or(unit.of(value), |weight| unit.of(value) * weight);
            if !value.is_nan() {
                sum += value;
                n += 1;
            }
        }
        Ok(match replay {
            Replay::Sum | Replay::Decayed(_) => sum,
            Replay::Mean(shrink) => finish::mean(sum, n as f64, shrink),
        })
    }

    fn value(&self, made: &Made, out: &[f64]) -> Result<f64, String> {
        Ok(match made {
            Made::Number(place, unit) => self.number(*place, *unit)?,
            Made::Count(place) => self.count(*place)?,
            Made::Any(place) => f64::from(u8::from(self.count(*place)? > 0.0)),
            Made::Mean(sum, n, shrink) => finish::mean(self.count(*sum)?, self.count(*n)?, *shrink),
            Made::Quantile {
                low,
                high,
                n,
                q,
                unit,
            } => {
                let (low, high) = (self.number(*low, *unit)?, self.number(*high, *unit)?);
                let place = q * (self.count(*n)? - 1.0);
                finish::between(low, high, place)
            }
            Made::List(place, unit, replay) => self.replay(*place, *unit, *replay)?,
            Made::Share(part, whole) => {
                self.number(*part, Unit::One)? / self.number(*whole, Unit::One)?
            }
            Made::Day(place, part) => {
                let day = self.whole(*place)?.and_then(|day| i32::try_from(day).ok());
                day.map_or(f64::NAN, |day| of_day(Date::from_days(day), part))
            }
            Made::Word(_) => f64::NAN,
            Made::Pair(op, left, right) => finish::pair(*op, out[*left], out[*right]),
        })
    }
}

fn of_day(date: Date, part: &DayPart) -> f64 {
    match part {
        DayPart::Weekday => attribute::weekday(date),
        DayPart::DayOfMonth => f64::from(date.civil().day()),
        DayPart::Month => f64::from(date.civil().month()),
        DayPart::ToPayday(days) => attribute::to_payday(date, days, 1),
        DayPart::SincePayday(days) => attribute::to_payday(date, days, -1),
    }
}

/// Writes the vector that `cells` give to `out`.
pub(super) fn vector(
    features: &[Feature],
    made: &[Made],
    cells: &[Value<'_>],
    out: &mut Vec<f64>,
) -> Result<(), String> {
    out.clear();
    let row = Row(cells);
    for (feature, made) in features.iter().zip(made) {
        if let Made::Word(place) = made {
            finish::levels(feature, row.text(*place)?, out);
            continue;
        }
        let value = row.value(made, out)?;
        finish::transformed(feature, value, out);
    }
    Ok(())
}
