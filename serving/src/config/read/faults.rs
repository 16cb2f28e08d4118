//! Faults, and the lines where they stand.

use super::{Reader, SECTIONS};
use crate::config::ConfigFault;
use std::fmt::Display;

impl Reader<'_> {
    pub(super) fn check<T, E: Display>(&mut self, checked: Result<T, E>) -> Option<T> {
        match checked {
            Ok(value) => Some(value),
            Err(error) => {
                let what = error.to_string();
                let line = self.line_named(&what);
                self.faults.push(ConfigFault { line, what });
                None
            }
        }
    }

    /// The line of the key that a message of the form `[section] key …` names.
    pub(super) fn line_named(&self, what: &str) -> Option<usize> {
        let (section, rest) = what.strip_prefix('[')?.split_once("] ")?;
        let section = section.trim_matches(['[', ']']).split('.').next()?;
        let key = rest.split([' ', ':']).next()?.rsplit('.').next()?;
        self.line(section, key)
    }

    /// A key that serde refuses stands between backticks in its message.
    pub(super) fn misread(&mut self, section: &str, message: &str) {
        let key = message.split('`').nth(1).unwrap_or_default();
        let line = self.line(section, key);
        let what = format!("[{section}] {message}");
        self.faults.push(ConfigFault { line, what });
    }

    pub(super) fn fault(&mut self, section: &str, key: &str, what: &str) {
        let line = self.line(section, key);
        let at = if key.is_empty() {
            String::new()
        } else {
            format!(" {key}")
        };
        let what = format!("[{section}]{at}: {what}");
        self.faults.push(ConfigFault { line, what });
    }

    pub(super) fn no_other_sections(&mut self) {
        let others: Vec<String> = self.sections.keys().cloned().collect();
        for name in others {
            let what = format!("[{name}] is unknown; known are {SECTIONS}");
            let line = self.line(&name, "");
            self.faults.push(ConfigFault { line, what });
        }
    }

    /// Where `key` of `[section]` stands, or else where the section does.
    pub(super) fn line(&self, section: &str, key: &str) -> Option<usize> {
        let mut header = None;
        let mut within = false;
        for (place, line) in self.text.lines().enumerate() {
            let line = line.trim();
            if let Some(name) = line.strip_prefix('[') {
                let name = name.trim_matches(['[', ']']);
                within = name == section || name.starts_with(&format!("{section}."));
                if within {
                    header.get_or_insert(place + 1);
                }
            } else if within
                && !key.is_empty()
                && line.split('=').next().map(str::trim) == Some(key)
            {
                return Some(place + 1);
            } else if !within && line.split('=').next().map(str::trim) == Some(section) {
                header.get_or_insert(place + 1);
            }
        }
        header
    }
}
