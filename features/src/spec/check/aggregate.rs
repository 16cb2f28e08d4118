//! The keys of features that are made of rows.

use super::super::feature::{
    Aggregate, Column, Definition, Filter, Key, Op, Rows, Scope, Shrink, Window,
};
use super::super::raw::{self, RawFilter, Words};
use super::Checker;
use crate::domain::Days;
use std::fmt::Display;
use std::str::FromStr;
use toml::Spanned;

/// Longest window and half-life, in days.
const MAX_DAYS: i64 = 36_500;

impl<'a> Checker<'a> {
    pub(super) fn aggregate(&mut self, rows: Rows) -> Option<Definition> {
        let filter = self.take("where", &self.raw.filter);
        let filter = filter.map_or_else(Filter::default, |raw| self.filter(raw.get_ref(), &rows));
        let scope = match self.take("scope", &self.raw.scope) {
            Some(word) => self.named(word)?,
            None => Scope::Customer,
        };
        let window = self.need("window", &self.raw.window, "a source of rows")?;
        let window = self.window(window)?;
        let op = self.op(&rows)?;
        let aggregate = Box::new(Aggregate {
            rows,
            filter,
            scope,
            window,
            op,
        });
        Some(match self.key()? {
            Key::Customer => Definition::Aggregate(aggregate),
            Key::Segment => {
                self.poolable(&aggregate);
                Definition::Pooled(aggregate)
            }
        })
    }

    fn window(&mut self, word: &Spanned<String>) -> Option<Window> {
        let text = word.get_ref().as_str();
        let last = text.strip_prefix("last ").and_then(|n| n.parse().ok());
        match text {
            "lifetime" => Some(Window::Lifetime),
            "since_due" => Some(Window::SinceDue),
            "since_issue" => Some(Window::SinceIssue),
            _ => last
                .filter(|&n| n > 0)
                .map(Window::Last)
                .or_else(|| span(text).map(Window::Length))
                .or_else(|| {
                    let reason = format!(
                        "`{text}` is not a window: write 90d, 12h, last 5, lifetime, since_due or \
                         since_issue; at most {MAX_DAYS}d"
                    );
                    self.fault(word.span(), reason);
                    None
                }),
        }
    }

    fn op(&mut self, rows: &Rows) -> Option<Op> {
        let word = self.need("op", &self.raw.op, "a source of rows")?;
        Some(match word.get_ref().as_str() {
            "count" => Op::Count,
            "any" => Op::Any,
            "sum" => Op::Sum(self.column(rows)?),
            "mean" => {
                let column = self.column(rows)?;
                Op::Mean(column, self.shrink())
            }
            "min" => Op::Min(self.column(rows)?),
            "max" => Op::Max(self.column(rows)?),
            "last" => Op::Last(self.column(rows)?),
            "streak" => Op::Streak(self.column(rows)?),
            "days_since" => Op::DaysSince,
            "days_since_first" => Op::DaysSinceFirst,
            "distinct" => {
                let facet = self.need("column", &self.raw.column, "op `distinct`")?;
                Op::Distinct(self.named(facet)?)
            }
            "quantile" => {
                let column = self.column(rows)?;
                let q = self.need("q", &self.raw.q, "op `quantile`")?;
                if !(0.0..=1.0).contains(q.get_ref()) {
                    self.fault(q.span(), "`q` lies between 0 and 1");
                }
                Op::Quantile(column, *q.get_ref())
            }
            "rate" => {
                let of = self.need("of", &self.raw.of, "op `rate`")?;
                let of = self.filter(of.get_ref(), rows);
                Op::Rate(of, self.shrink())
            }
            "decayed" => {
                let half_life = self.need("half_life", &self.raw.half_life, "op `decayed`")?;
                let Some(length) = span(half_life.get_ref()) else {
                    self.fault(half_life.span(), "`half_life` reads 30d or 12h");
                    return None;
                };
                let column = match self.raw.column {
                    Some(_) => Some(self.column(rows)?),
                    None => None,
                };
                Op::Decayed(column, length)
            }
            other => {
                let reason = format!(
                    "`{other}` is not an operation; known are count, any, sum, mean, min, max, \
                     last, days_since, days_since_first, distinct, quantile, streak, rate, decayed"
                );
                self.fault(word.span(), reason);
                return None;
            }
        })
    }

    fn column(&mut self, rows: &Rows) -> Option<Column> {
        let word = self.need("column", &self.raw.column, "this operation")?;
        let column: Column = self.named(word)?;
        if !rows.columns().contains(&column) {
            let known: Vec<_> = rows.columns().iter().map(|column| column.name()).collect();
            let source = self.raw.source.get_ref();
            let reason = format!(
                "the rows of `{source}` have no `{column}`; they have {}",
                known.join(", ")
            );
            self.fault(word.span(), reason);
        }
        Some(column)
    }

    fn shrink(&mut self) -> Option<Shrink> {
        let prior = self.take("prior", &self.raw.prior);
        let strength = self.take("strength", &self.raw.strength);
        let (prior, strength) = match (prior, strength) {
            (None, None) => return None,
            (Some(prior), Some(strength)) => (prior, strength),
            (Some(one), None) | (None, Some(one)) => {
                self.fault(one.span(), "`prior` and `strength` stand together");
                return None;
            }
        };
        if !prior.get_ref().is_finite() {
            self.fault(prior.span(), "`prior` is a number");
        }
        if !(strength.get_ref().is_finite() && *strength.get_ref() > 0.0) {
            self.fault(strength.span(), "`strength` is a number of rows above zero");
        }
        Some(Shrink {
            prior: *prior.get_ref(),
            strength: *strength.get_ref(),
        })
    }

    fn filter(&mut self, raw: &'a RawFilter, rows: &Rows) -> Filter {
        let for_events = [&raw.channel, &raw.tone, &raw.method, &raw.device];
        let for_invoices = [&raw.open, &raw.late];
        let source = self.raw.source.get_ref();
        if rows.are_events() {
            for key in for_invoices.into_iter().flatten() {
                self.fault(key.span(), format!("`{source}` is not a list of invoices"));
            }
        } else {
            let spans = for_events.into_iter().flatten().map(Spanned::span);
            for span in spans.chain(raw.within_hours.iter().map(Spanned::span)) {
                self.fault(span, format!("`{source}` is not a list of events"));
            }
        }
        let within_hours = raw.within_hours.as_ref();
        if let Some(key) = within_hours.filter(|key| !(1..12).contains(key.get_ref())) {
            self.fault(
                key.span(),
                "`within_hours` is a number of hours from 1 to 11; within 12 lies every hour",
            );
        }
        Filter {
            channel: self.words(&raw.channel),
            tone: self.words(&raw.tone),
            method: self.words(&raw.method),
            device: self.words(&raw.device),
            within_hours: within_hours.map(|key| *key.get_ref()),
            open: raw.open.as_ref().map(|key| *key.get_ref()),
            late: raw.late.as_ref().map(|key| *key.get_ref()),
        }
    }

    fn words<T: FromStr<Err: Display> + Ord>(&mut self, key: &raw::Key<Words>) -> Vec<T> {
        let Some(key) = key else { return Vec::new() };
        let list = key.get_ref().list();
        if list.is_empty() {
            self.fault(key.span(), "an empty list would refuse every row");
        }
        let mut words: Vec<T> = list
            .iter()
            .filter_map(|word| self.word(word, key.span()))
            .collect();
        words.sort_unstable();
        words.dedup();
        words
    }
}

/// Reads `30d` or `12h`.
fn span(text: &str) -> Option<Days> {
    let number = |unit: char| -> Option<i64> {
        let digits = text.strip_suffix(unit)?;
        let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| digits.parse().ok())?
    };
    let days = number('d').filter(|days| (1..=MAX_DAYS).contains(days));
    let hours = number('h').filter(|hours| (1..=24 * MAX_DAYS).contains(hours));
    days.map(Days::whole).or_else(|| hours.map(Days::hours))
}
