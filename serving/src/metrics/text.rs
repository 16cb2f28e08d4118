//! Samples of one name, and the text format of Prometheus.

use std::fmt::Write;

/// Samples of one name.
pub(super) struct Family {
    pub(super) name: &'static str,
    pub(super) kind: &'static str,
    pub(super) help: &'static str,
    /// What follows the name, labels, and value of each.
    pub(super) samples: Vec<(&'static str, String, f64)>,
}

impl Family {
    /// Of one or many values that go by the name itself.
    pub(super) fn plain(
        name: &'static str,
        kind: &'static str,
        help: &'static str,
        samples: impl IntoIterator<Item = (String, f64)>,
    ) -> Self {
        let samples = samples.into_iter();
        Self {
            name,
            kind,
            help,
            samples: samples.map(|(labels, value)| ("", labels, value)).collect(),
        }
    }
}

/// Everything of every tenant: each gives the same names in the same order.
pub(super) fn text(each: &[Vec<Family>]) -> String {
    let mut text = String::new();
    let Some(first) = each.first() else {
        return text;
    };
    for (place, family) in first.iter().enumerate() {
        let Family {
            name, kind, help, ..
        } = family;
        // Writing to a String cannot fail.
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for families in each {
            for (suffix, labels, value) in &families[place].samples {
                let _ = writeln!(text, "{name}{suffix}{{{labels}}} {value}");
            }
        }
    }
    text
}

pub(super) fn escaped(label: &str) -> String {
    label
        .replace('\\', r"\\")
        .replace('"', "\\\"")
        .replace('\n', r"\n")
}
