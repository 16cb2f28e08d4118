//! Decimal numbers as people and programs write them, exact: no float comes between.

use std::cmp::Ordering;

/// How numbers are written in an input.
#[derive(Debug, Clone, Copy)]
pub(super) struct Marks {
    pub(super) decimal: char,
    pub(super) thousands: Option<char>,
}

/// `units / 10^scale`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Decimal {
    units: i128,
    scale: u32,
}

/// More digits than any amount has; keeps every sum below within 128 bits.
const MAX_DIGITS: usize = 18;

impl Decimal {
    /// Reads digits with an optional sign, decimal part, thousands marks and power of ten: some
    /// programs write 100000 as `1e+05`.
    pub(super) fn parse(text: &str, marks: Marks) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is not a number with decimal mark `{}`",
                marks.decimal
            )
        };
        let trimmed = text.trim();
        let (negative, digits) = match trimmed.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, trimmed.strip_prefix('+').unwrap_or(trimmed)),
        };
        let (digits, power) = match digits.split_once(['e', 'E']) {
            Some((digits, power)) => (digits, power.parse().map_err(|_| wrong())?),
            None => (digits, 0_i32),
        };
        let (whole, part) = digits.split_once(marks.decimal).unwrap_or((digits, ""));
        let whole = ungrouped(whole, marks.thousands).ok_or_else(wrong)?;
        let all: String = whole.chars().chain(part.chars()).collect();
        if all.is_empty() || !all.bytes().all(|b| b.is_ascii_digit()) {
            return Err(wrong());
        }
        let long = || format!("`{text}` has more than {MAX_DIGITS} digits");
        if all.trim_start_matches('0').len() > MAX_DIGITS || part.len() > MAX_DIGITS {
            return Err(long());
        }
        let units: i128 = all.parse().map_err(|_| wrong())?;
        let units = if negative { -units } else { units };
        // A power of ten moves the decimal mark: first through the part, then into new zeros.
        let scale = (part.len() as i32).checked_sub(power).ok_or_else(long)?;
        if units.unsigned_abs() != 0 && !(-(MAX_DIGITS as i32)..=MAX_DIGITS as i32).contains(&scale)
        {
            return Err(long());
        }
        let scale = scale.clamp(-(MAX_DIGITS as i32), MAX_DIGITS as i32);
        let units = units * 10_i128.pow(scale.min(0).unsigned_abs());
        if units.unsigned_abs() >= 10_u128.pow(MAX_DIGITS as u32) {
            return Err(long());
        }
        Ok(Self {
            units,
            scale: scale.max(0) as u32,
        })
    }

    fn at_scale(self, scale: u32) -> i128 {
        self.units * 10_i128.pow(scale - self.scale)
    }

    /// The difference.
    pub(super) fn minus(self, other: Self) -> Self {
        let scale = self.scale.max(other.scale);
        Self {
            units: self.at_scale(scale) - other.at_scale(scale),
            scale,
        }
    }

    /// The larger one.
    pub(super) fn max(self, other: Self) -> Self {
        if self.compare(other) == Ordering::Less {
            other
        } else {
            self
        }
    }

    /// Which is larger.
    pub(super) fn compare(self, other: Self) -> Ordering {
        let scale = self.scale.max(other.scale);
        self.at_scale(scale).cmp(&other.at_scale(scale))
    }

    /// The number as [`Self::parse`] reads it.
    pub(super) fn text(self, marks: Marks) -> String {
        let digits = self.units.unsigned_abs().to_string();
        let width = self.scale as usize + 1;
        let padded = format!("{digits:0>width$}");
        let (whole, part) = padded.split_at(padded.len() - self.scale as usize);
        let sign = if self.units < 0 { "-" } else { "" };
        if part.is_empty() {
            format!("{sign}{whole}")
        } else {
            format!("{sign}{whole}{}{part}", marks.decimal)
        }
    }

    /// The whole number of units of `10^-digits`; `None` if it is not whole.
    pub(super) fn in_units(self, digits: u32) -> Option<i128> {
        if digits >= self.scale {
            return Some(self.at_scale(digits));
        }
        let step = 10_i128.pow(self.scale - digits);
        (self.units % step == 0).then(|| self.units / step)
    }
}

/// The text without thousands marks, which must part the digits in threes.
fn ungrouped(whole: &str, mark: Option<char>) -> Option<String> {
    let Some(mark) = mark.filter(|&mark| whole.contains(mark)) else {
        return Some(whole.to_owned());
    };
    let mut groups = whole.split(mark);
    let first = groups.next()?;
    let whole_groups = groups.clone().all(|group| group.len() == 3);
    (whole_groups && (1..=3).contains(&first.len()))
        .then(|| std::iter::once(first).chain(groups).collect())
}

/// Decimals of the minor unit by ISO 4217, where they are not two.
pub(super) fn minor_digits(currency: &str) -> u32 {
    match currency {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX"
        | "UYI" | "VND" | "VUV" | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        "CLF" | "UYW" => 4,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const SWEDISH: Marks = Marks {
        decimal: ',',
        thousands: Some(' '),
    };
    const PLAIN: Marks = Marks {
        decimal: '.',
        thousands: None,
    };

    #[test]
    fn numbers_are_read_exactly() {
        for (text, marks, minor) in [
            ("1 234 567,89", SWEDISH, 123_456_789),
            ("-0,5", SWEDISH, -50),
            ("55.94", PLAIN, 5594),
            ("+7", PLAIN, 700),
            ("3913.0", PLAIN, 391_300),
            (".5", PLAIN, 50),
            ("5.00E+05", PLAIN, 50_000_000),
            ("1e+05", PLAIN, 10_000_000),
            ("-25e-2", PLAIN, -25),
            ("1,5e3", SWEDISH, 150_000),
            ("90071992547409.93", PLAIN, 9_007_199_254_740_993),
        ] {
            let number = Decimal::parse(text, marks).unwrap();
            assert_eq!(number.in_units(2), Some(minor), "{text}");
        }
        let fine = Decimal::parse("1.005", PLAIN).unwrap();
        assert_eq!(fine.in_units(2), None);
        assert_eq!(fine.in_units(minor_digits("KWD")), Some(1005));
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for (text, marks) in [
            ("", PLAIN),
            ("-", PLAIN),
            ("1,5", PLAIN),
            ("1 23", SWEDISH),
            ("1.5", SWEDISH),
            ("1e", PLAIN),
            ("e5", PLAIN),
            ("1e18", PLAIN),
            ("1e-19", PLAIN),
            ("1e99999999999", PLAIN),
            ("1e-2147483648", PLAIN),
            ("12345678901234567890", PLAIN),
        ] {
            assert!(Decimal::parse(text, marks).is_err(), "{text}");
        }
    }

    #[test]
    fn differences_keep_every_digit() {
        let [a, b] = ["3.10", "3.005"].map(|t| Decimal::parse(t, PLAIN).unwrap());
        assert_eq!(a.minus(b).in_units(3), Some(95));
        assert_eq!(b.max(a).in_units(1), Some(31));
        assert_eq!(a.minus(b).text(SWEDISH), "0,095");
        assert_eq!(b.minus(a).text(PLAIN), "-0.095");
        assert_eq!(
            Decimal::parse("1 000", SWEDISH).unwrap().text(PLAIN),
            "1000"
        );
    }
}
