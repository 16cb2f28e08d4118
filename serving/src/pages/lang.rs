//! Languages, and how each writes numbers, money and dates.

use jiff::civil::Date;

/// A language of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Swedish.
    Sv,
    /// Dutch.
    Nl,
}

const NBSP: char = '\u{a0}';
const MONTHS: [[&str; 3]; 12] = [
    ["January", "januari", "januari"],
    ["February", "februari", "februari"],
    ["March", "mars", "maart"],
    ["April", "april", "april"],
    ["May", "maj", "mei"],
    ["June", "juni", "juni"],
    ["July", "juli", "juli"],
    ["August", "augusti", "augustus"],
    ["September", "september", "september"],
    ["October", "oktober", "oktober"],
    ["November", "november", "november"],
    ["December", "december", "december"],
];
/// The typographic minus, which lines up with a plus.
const MINUS: char = '\u{2212}';

impl Lang {
    /// Every language.
    pub const ALL: [Self; 3] = [Self::En, Self::Sv, Self::Nl];

    /// Its code, as in `lang="sv"`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Sv => "sv",
            Self::Nl => "nl",
        }
    }

    /// Its own name for itself.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::En => "English",
            Self::Sv => "Svenska",
            Self::Nl => "Nederlands",
        }
    }

    /// The language of a code such as `sv` or `nl-BE`.
    #[must_use]
    pub fn of(code: &str) -> Option<Self> {
        let primary = code.split('-').next()?.trim().to_ascii_lowercase();
        Self::ALL.into_iter().find(|lang| lang.code() == primary)
    }

    /// The words for this language, from `[English, Swedish, Dutch]`.
    #[must_use]
    pub const fn say(self, words: [&str; 3]) -> &str {
        match self {
            Self::En => words[0],
            Self::Sv => words[1],
            Self::Nl => words[2],
        }
    }

    const fn marks(self) -> (char, char) {
        match self {
            Self::En => (',', '.'),
            Self::Sv => (NBSP, ','),
            Self::Nl => ('.', ','),
        }
    }

    /// A number with this many decimals: `1,234.5`, `1 234,5`, `1.234,5`. What is not finite is `–`.
    #[must_use]
    pub fn number(self, value: f64, decimals: usize) -> String {
        if !value.is_finite() {
            return "–".to_owned();
        }
        let (thousands, point) = self.marks();
        let plain = format!("{:.decimals$}", value.abs());
        let (whole, rest) = plain.split_once('.').unwrap_or((&plain, ""));
        let mut text = String::new();
        // A number that rounds to zero has no sign.
        if value < 0.0 && plain.bytes().any(|b| (b'1'..=b'9').contains(&b)) {
            text.push(MINUS);
        }
        for (place, digit) in whole.chars().enumerate() {
            if place > 0 && (whole.len() - place).is_multiple_of(3) {
                text.push(thousands);
            }
            text.push(digit);
        }
        if !rest.is_empty() {
            text.push(point);
            text.push_str(rest);
        }
        text
    }

    /// A whole number.
    #[must_use]
    pub fn count(self, value: u64) -> String {
        #[expect(clippy::cast_precision_loss, reason = "a count to be read")]
        self.number(value as f64, 0)
    }

    /// As [`Self::number`], with a plus before what is above zero.
    #[must_use]
    pub fn signed(self, value: f64, decimals: usize) -> String {
        let text = self.number(value, decimals);
        let shown = text.bytes().any(|b| (b'1'..=b'9').contains(&b));
        if value > 0.0 && value.is_finite() && shown {
            format!("+{text}")
        } else {
            text
        }
    }

    /// A share as per cent: `0.106` is `10.6%`, `10,6 %`, `10,6%`.
    #[must_use]
    pub fn percent(self, share: f64, decimals: usize) -> String {
        self.with_percent(self.number(100.0 * share, decimals))
    }

    /// As [`Self::percent`], with a plus before what is above zero.
    #[must_use]
    pub fn signed_percent(self, share: f64, decimals: usize) -> String {
        self.with_percent(self.signed(100.0 * share, decimals))
    }

    fn with_percent(self, number: String) -> String {
        if number == "–" {
            return number;
        }
        match self {
            Self::En | Self::Nl => number + "%",
            Self::Sv => format!("{number}{NBSP}%"),
        }
    }

    /// A p-value: `0.031`, `<0.001`.
    #[must_use]
    pub fn p(self, p: f64) -> String {
        if p.is_finite() && p < 0.001 {
            format!("<{}", self.number(0.001, 3))
        } else {
            self.number(p, 3)
        }
    }

    /// An amount of major units: `SEK 1,234.50`, `1 234,50 kr`, `€ 1.234,50`.
    #[must_use]
    pub fn money(self, amount: f64, currency: &str, decimals: usize) -> String {
        self.in_currency(self.number(amount, decimals), currency)
    }

    /// A number, or a range of them, that stands for an amount: `SEK −65 to +43`.
    #[must_use]
    pub fn in_currency(self, number: String, currency: &str) -> String {
        match (self, currency) {
            (_, "") => number,
            (Self::Sv, "SEK") => format!("{number}{NBSP}kr"),
            (Self::Sv, _) => format!("{number}{NBSP}{currency}"),
            (Self::Nl, "EUR") => format!("€{NBSP}{number}"),
            _ => format!("{currency}{NBSP}{number}"),
        }
    }

    /// The day of an instant or date as machines write it; what is not one is left as it is.
    #[must_use]
    pub fn day(self, text: &str) -> String {
        let date = text.get(..10).and_then(|day| day.parse::<Date>().ok());
        date.map_or_else(|| text.to_owned(), |date| self.date(date))
    }

    /// An instant as machines write it, to the minute, in coordinated universal time: `25 Nov 2026,
    /// 09:30 UTC`.
    #[must_use]
    pub fn instant(self, text: &str) -> String {
        match text.get(11..16).filter(|_| text.ends_with('Z')) {
            Some(time) => format!("{}, {time}{NBSP}UTC", self.day(text)),
            None => text.to_owned(),
        }
    }

    /// A month such as `2026-11`: `November 2026`.
    #[must_use]
    pub fn month(self, text: &str) -> String {
        let number = text.get(5..).and_then(|month| month.parse::<usize>().ok());
        let name = number.and_then(|month| MONTHS.get(month.wrapping_sub(1)));
        match (name, text.get(..4)) {
            (Some(names), Some(year)) => format!("{} {year}", self.say(*names)),
            _ => text.to_owned(),
        }
    }

    /// The name of an interval that covers with this probability: `95% interval`.
    #[must_use]
    pub fn level(self, share: f64, decimals: usize) -> String {
        let share = self.percent(share, decimals);
        match self {
            Self::En => format!("{share} interval"),
            Self::Sv => format!("{share} intervall"),
            Self::Nl => format!("{share}-interval"),
        }
    }

    /// A date: `25 Nov 2026`, `2026-11-25`, `25-11-2026`.
    #[must_use]
    pub fn date(self, date: Date) -> String {
        let form = match self {
            Self::En => "%-d %b %Y",
            Self::Sv => "%Y-%m-%d",
            Self::Nl => "%d-%m-%Y",
        };
        date.strftime(form).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::Lang;

    #[test]
    fn numbers_read_as_in_the_readers_country() {
        assert_eq!(Lang::En.number(-1_234_567.891, 1), "−1,234,567.9");
        assert_eq!(Lang::Sv.number(1_234.5, 2), "1\u{a0}234,50");
        assert_eq!(Lang::Nl.number(999.0, 0), "999");
        assert_eq!(Lang::Nl.number(1_000.0, 0), "1.000");
        assert_eq!(Lang::En.number(-0.004, 2), "0.00");
        assert_eq!(Lang::En.signed(0.004, 2), "0.00");
        assert_eq!(Lang::Sv.signed_percent(0.106, 1), "+10,6\u{a0}%");
        assert_eq!(Lang::En.p(0.000_01), "<0.001");
        assert_eq!(Lang::Sv.money(115.0, "SEK", 0), "115\u{a0}kr");
        assert_eq!(Lang::En.number(f64::INFINITY, 1), "–");
        assert_eq!(Lang::of("nl-BE"), Some(Lang::Nl));
        let day = jiff::civil::date(2026, 3, 9);
        assert_eq!(Lang::En.date(day), "9 Mar 2026");
        assert_eq!(Lang::Nl.date(day), "09-03-2026");
        let at = "2026-03-09T08:05:00.000001Z";
        assert_eq!(Lang::Sv.instant(at), "2026-03-09, 08:05\u{a0}UTC");
        assert_eq!(Lang::En.day(at), "9 Mar 2026");
        assert_eq!(Lang::En.day("whenever"), "whenever");
        assert_eq!(Lang::Nl.month("2026-03"), "maart 2026");
        assert_eq!(Lang::Nl.month("2026-13"), "2026-13");
        assert_eq!(Lang::Nl.level(0.975, 1), "97,5%-interval");
    }
}
