//! Walks two JSON documents and notes where they differ.

use serde_json::Value;

/// What the walk found.
#[derive(Debug, Default)]
pub(crate) struct Agreement {
    /// Leaves compared and found equal.
    pub(crate) checked: usize,
    /// Largest relative difference of a leaf compared by value.
    pub(crate) worst: f64,
    /// Where it was.
    pub(crate) worst_at: String,
    /// Leaves of the reference that were not computed.
    pub(crate) missing: Vec<String>,
    /// Leaves that differ.
    pub(crate) wrong: Vec<String>,
}

impl Agreement {
    /// Compares every leaf of `reference` with the one of `ours` at the same place.
    pub(crate) fn walk(&mut self, path: &str, reference: &Value, ours: &Value) {
        match reference {
            Value::Object(members) => {
                for (key, value) in members {
                    self.walk(&format!("{path}/{key}"), value, &ours[key]);
                }
            }
            Value::Array(items) => {
                for (index, value) in items.iter().enumerate() {
                    self.walk(&format!("{path}/{index}"), value, &ours[index]);
                }
            }
            Value::Number(number) => self.number(path, number.as_f64().unwrap(), ours),
            leaf if ours.is_null() => self.missing.push(format!("{path} = {leaf}")),
            leaf if leaf == ours => self.checked += 1,
            leaf => self
                .wrong
                .push(format!("{path}: expected {leaf}, found {ours}")),
        }
    }

    fn number(&mut self, path: &str, expected: f64, ours: &Value) {
        let Some(found) = ours.as_f64() else {
            self.missing.push(format!("{path} = {expected}"));
            return;
        };
        if is_p_value(path) && expected > 0.0 && expected < 1e-12 {
            if (found.ln() - expected.ln()).abs() <= 1e-6 {
                self.checked += 1;
            } else {
                self.wrong
                    .push(format!("{path}: expected {expected:e}, found {found:e}"));
            }
            return;
        }
        let difference = if expected == found {
            0.0
        } else {
            (found - expected).abs() / expected.abs()
        };
        if difference <= 1e-9 {
            self.checked += 1;
        } else {
            self.wrong.push(format!(
                "{path}: expected {expected}, found {found} ({difference:.1e})"
            ));
        }
        if difference > self.worst {
            self.worst = difference;
            self.worst_at = path.to_owned();
        }
    }
}

fn is_p_value(path: &str) -> bool {
    path.contains("multiplicity")
        || path
            .rsplit('/')
            .next()
            .is_some_and(|key| key.starts_with('p'))
}
