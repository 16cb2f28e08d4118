//! Local time without an engine's time zones: offsets by instant and by day, as rows.

use super::query::Query;
use super::{Calendar, Dialect};
use crate::domain::time::DAY_MICROS;
use crate::domain::{Date, Zone};
use std::collections::BTreeMap;

/// Writes `zone_spans` (instant + shift is local time) and `zone_days` (day · 24 h − shift is the
/// day's first instant), both from `since` up to and without `upto`.
pub(super) fn write(query: &mut Query, dialect: Dialect, calendar: &Calendar) {
    let mut zones: BTreeMap<String, Zone> = BTreeMap::new();
    for zone in calendar.zones.iter().cloned().chain([Zone::utc()]) {
        zones.insert(zone.name().to_lowercase(), zone);
    }
    let (from, to) = (calendar.from, calendar.to);
    let (mut spans, mut days) = (Vec::new(), Vec::new());
    for (name, zone) in &zones {
        let name = dialect.quoted(name);
        for (since, upto, shift) in zone.spans(from, to) {
            // Far enough for any instant, and not so far that a sum overflows.
            let (since, upto) = (since.max(-(1 << 60)), upto.min(1 << 60));
            spans.push(format!("({name}, {since}, {upto}, {shift})"));
        }
        let first = from.date(&Zone::utc()).days() - 2;
        let last = to.date(&Zone::utc()).days() + 3;
        let shift =
            |day: i32| i64::from(day) * DAY_MICROS - Date::from_days(day).start(zone).micros();
        let mut since = first;
        for day in first..=last {
            if day == last || shift(day + 1) != shift(since) {
                days.push(format!("({name}, {since}, {}, {})", day + 1, shift(since)));
                since = day + 1;
            }
        }
    }
    let columns = " (zone, since, upto, shift)";
    let list = |rows: Vec<String>| format!("VALUES\n  {}", rows.join(",\n  "));
    query.rows("zone_spans", columns, list(spans));
    query.rows("zone_days", columns, list(days));
}
