//! A pack: the rules of one jurisdiction, with its holidays, in one text.

use super::check::Check;
use super::holidays::{Holiday, Holidays};
use super::rule::Rule;
use super::spec::Override;
use lagom_features::domain::Country;
use serde::Deserialize;
use thiserror::Error;
use toml::Spanned;

/// Why a pack cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PackError {
    /// The text is no TOML, or not of a pack's form.
    #[error("pack {pack}: {reason}")]
    Form {
        /// The pack's name, or its place if that cannot be read.
        pack: String,
        /// What the reader says, with the line.
        reason: String,
    },
    /// A rule cannot be read.
    #[error("pack {pack}, line {line}, rule {rule}: {reason}")]
    Rule {
        /// The pack's name.
        pack: String,
        /// Line of its text, from 1.
        line: usize,
        /// The rule's id, or its place if it has none.
        rule: String,
        /// What is wrong.
        reason: String,
    },
    /// A holiday does not say when it is.
    #[error("pack {pack}, line {line}, holiday {holiday}: {reason}")]
    Holiday {
        /// The pack's name.
        pack: String,
        /// Line of its text, from 1.
        line: usize,
        /// The holiday's name.
        holiday: String,
        /// What is wrong.
        reason: String,
    },
}

impl PackError {
    /// The rule that it is about.
    #[must_use]
    pub fn rule(&self) -> Option<&String> {
        match self {
            Self::Rule { rule, .. } => Some(rule),
            Self::Form { .. } | Self::Holiday { .. } => None,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPack {
    name: String,
    version: String,
    #[serde(default)]
    countries: Vec<Country>,
    #[serde(default)]
    holidays: Vec<Spanned<Holiday>>,
    rules: Vec<Spanned<toml::Table>>,
}

/// The rules of one jurisdiction.
#[derive(Debug, Clone)]
pub struct Pack {
    name: String,
    version: String,
    countries: Vec<Country>,
    holidays: Holidays,
    rules: Vec<Rule>,
}

impl Pack {
    /// Reads a pack and applies the overrides that name its rules.
    ///
    /// # Errors
    /// Every [`PackError`] of the text.
    pub fn parse(text: &str, overrides: &[Override]) -> Result<Self, Vec<PackError>> {
        let raw: RawPack = toml::from_str(text).map_err(|error| {
            let named = toml::from_str::<toml::Table>(text).ok();
            let named = named.and_then(|table| Some(table.get("name")?.as_str()?.to_owned()));
            vec![PackError::Form {
                pack: named.unwrap_or_else(|| "without a name".to_owned()),
                reason: error.to_string().trim_end().to_owned(),
            }]
        })?;
        let mut faults = Vec::new();
        let listed: Vec<Holiday> = raw
            .holidays
            .iter()
            .map(|one| one.get_ref().clone())
            .collect();
        let holidays = Holidays::new(&listed).unwrap_or_else(|(holiday, reason)| {
            let mut all = raw.holidays.iter();
            let found = all.find(|one| one.get_ref().name == holiday);
            faults.push(PackError::Holiday {
                pack: raw.name.clone(),
                line: found.map_or(1, |one| line_at(text, one.span().start)),
                holiday,
                reason,
            });
            Holidays::default()
        });
        let mut rules: Vec<Rule> = Vec::with_capacity(raw.rules.len());
        for (place, table) in raw.rules.into_iter().enumerate() {
            let from = table.span().start;
            let table = table.into_inner();
            let id = table.get("id").and_then(toml::Value::as_str);
            let id = id.map_or_else(|| format!("[{place}]"), str::to_owned);
            let rule = read_rule(table, overrides).and_then(|rule| {
                let twice = rules.iter().any(|other| other.id == rule.id);
                fault(&raw.name, &rule, twice).map_or(Ok(rule), Err)
            });
            match rule {
                Ok(rule) => rules.push(rule),
                Err(reason) => faults.push(PackError::Rule {
                    pack: raw.name.clone(),
                    line: line_of_fault(text, from, &reason),
                    rule: id,
                    reason,
                }),
            }
        }
        if rules.is_empty() && faults.is_empty() {
            faults.push(PackError::Form {
                pack: raw.name.clone(),
                reason: "has no rules; an empty pack would allow everything".to_owned(),
            });
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(Self {
            name: raw.name,
            version: raw.version,
            countries: raw.countries,
            holidays,
            rules,
        })
    }

    /// The pack's name, such as `SE`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The day of its last change.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Countries in which it holds; empty means everywhere.
    #[must_use]
    pub fn countries(&self) -> &[Country] {
        &self.countries
    }

    /// Its rules, in the order in which they are asked.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Its public holidays.
    #[must_use]
    pub fn holidays(&self) -> &Holidays {
        &self.holidays
    }

    /// Whether it holds in `country`; one that is unknown may be any.
    #[must_use]
    pub fn holds_in(&self, country: Option<Country>) -> bool {
        self.countries.is_empty() || country.is_none_or(|one| self.countries.contains(&one))
    }
}

/// The line, from 1, of a byte.
fn line_at(text: &str, offset: usize) -> usize {
    let before = text.bytes().take(offset);
    before.filter(|byte| *byte == b'\n').count() + 1
}

/// The line of the rule that begins at byte `from` on which the word stands that `reason` quotes, or
/// else the rule's first.
fn line_of_fault(text: &str, from: usize, reason: &str) -> usize {
    let first = line_at(text, from);
    let quoted = reason.split('`').nth(1).filter(|word| !word.is_empty());
    let own = text.lines().enumerate().skip(first - 1);
    let mut own = own.take_while(|(at, line)| *at + 1 == first || !line.starts_with("[["));
    let found = quoted.and_then(|word| own.find(|(_, line)| line.contains(word)));
    found.map_or(first, |(at, _)| at + 1)
}

/// Applies overrides to the raw table, so that a misspelt number is found like any other.
fn read_rule(mut table: toml::Table, overrides: &[Override]) -> Result<Rule, String> {
    let id = table.get("id").and_then(toml::Value::as_str).unwrap_or("");
    let own: Vec<&Override> = overrides.iter().filter(|one| one.rule == id).collect();
    for change in &own {
        if let Some(enabled) = change.enabled {
            table.insert("enabled".to_owned(), enabled.into());
        }
        if change.set.is_empty() {
            continue;
        }
        let check = table.get_mut("check").and_then(toml::Value::as_table_mut);
        let numbers = check.and_then(|check| check.iter_mut().next()?.1.as_table_mut());
        let numbers = numbers.ok_or("has no numbers that `set` could change")?;
        for (name, value) in &change.set {
            numbers.insert(name.clone(), value.clone());
        }
    }
    let rule = toml::Value::Table(table).try_into::<Rule>();
    let mut rule = rule.map_err(|error| error.to_string().trim_end().to_owned())?;
    rule.overridden = own.last().map(|change| change.reason.clone());
    Ok(rule)
}

fn fault(pack: &str, rule: &Rule, twice: bool) -> Option<String> {
    if twice {
        return Some("there is another rule of this id".to_owned());
    }
    let owned = rule
        .id
        .as_str()
        .strip_prefix(pack)
        .is_some_and(|rest| rest.starts_with('.'));
    if pack != super::spec::GLOBAL && !owned {
        return Some(format!("an id begins with its pack: `{pack}.`"));
    }
    if rule.source.trim().is_empty() {
        return Some("source is empty; name the law, case or reason".to_owned());
    }
    if let Some((from, to)) = rule
        .valid_from
        .zip(rule.valid_to)
        .filter(|(from, to)| to <= from)
    {
        return Some(format!("valid_to {to} is not after valid_from {from}"));
    }
    range(&rule.check)
}

/// Numbers that the types allow and no law means.
fn range(check: &Check) -> Option<String> {
    let hours =
        |(from, until): (i32, i32)| (0..=24).contains(&from) && (from..=24).contains(&until);
    match check {
        &Check::UnmatchedPayment { share, days }
            if !(share.is_finite() && share >= 0.0) || days < 0 =>
        {
            Some(format!(
                "share {share} and days {days} must be at least zero"
            ))
        }
        &Check::GentleFirst {
            credibility,
            against_waiting,
        } => {
            let named = [
                ("credibility", credibility),
                ("against_waiting", against_waiting),
            ];
            let wrong = named.into_iter().find(|(_, one)| !(0.5..1.0).contains(one));
            wrong.map(|(name, value)| format!("{name} {value} must be at least 0.5 and below 1"))
        }
        &Check::Hours {
            weekdays,
            saturday,
            sunday,
            ..
        } => {
            let spans = [Some(weekdays), saturday, sunday];
            let wrong = spans.into_iter().flatten().find(|&span| !hours(span));
            wrong.map(|(from, until)| format!("{from} to {until} are not hours of a day, in order"))
        }
        &Check::Contacts { hours: length, .. } | &Check::Cooldown { hours: length }
            if length < 0 =>
        {
            Some(format!("{length} hours are no length of time"))
        }
        &Check::FeeScale {
            min_minor,
            max_minor,
            ..
        } if min_minor > max_minor => Some(format!(
            "min_minor {min_minor} is above max_minor {max_minor}"
        )),
        &Check::Wait {
            bank_days,
            days,
            post_days,
            ..
        } => {
            let wrong = [bank_days, days, post_days]
                .into_iter()
                .find(|n| !(0..=366).contains(n));
            wrong.map(|days| format!("{days} days is not between 0 and 366"))
        }
        _ => None,
    }
}
