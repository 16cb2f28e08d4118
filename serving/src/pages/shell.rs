//! What every page has: head, navigation, languages, style.

use super::{Lang, Reader};
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// Nothing is loaded, nothing runs, nobody frames it.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; \
     img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const STYLE: &str = include_str!("style.css");

/// A place in the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// `/`
    Overview,
    /// `/experiments`
    Experiments,
    /// `/ledger`
    Ledger,
    /// `/policies`
    Policies,
    /// `/models`
    Models,
    /// `/forecast`
    Forecast,
    /// A page that is reached from others only.
    Elsewhere,
}

impl Place {
    /// The navigation, in order. A place is listed once its page is served.
    const LISTED: [(Self, &'static str, [&'static str; 3]); 5] = [
        (Self::Overview, "/", ["Overview", "Översikt", "Overzicht"]),
        (
            Self::Experiments,
            "/experiments",
            ["Experiments", "Experiment", "Experimenten"],
        ),
        (
            Self::Ledger,
            "/ledger",
            ["What it caused", "Vad det orsakade", "Wat het veroorzaakte"],
        ),
        (
            Self::Policies,
            "/policies",
            ["Policies", "Policyer", "Beleid"],
        ),
        (
            Self::Forecast,
            "/forecast",
            ["Forecast", "Prognos", "Prognose"],
        ),
    ];
}

/// A whole page: `title` for the window, `body` for `main` (begin it with an `h1`).
#[must_use]
pub fn page(reader: &Reader, place: Place, title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang=(reader.lang.code()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " · lagom" }
                link rel="icon" href="data:,";
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#content" {
                    (reader.say(["Skip to the content", "Hoppa till innehållet", "Naar de inhoud"]))
                }
                @if !reader.alone { (top(reader, place)) }
                main #content tabindex="-1" { (body) }
            }
        }
    }
}

fn top(reader: &Reader, place: Place) -> Markup {
    html! {
        header.top {
            div {
                a.name href=(reader.link("/")) { "lagom" }
                nav aria-label=(reader.say(["Pages", "Sidor", "Pagina's"])) {
                    ul {
                        @for (one, path, words) in Place::LISTED {
                            li {
                                a href=(reader.link(path)) aria-current=[(one == place).then_some("page")] {
                                    (reader.say(words))
                                }
                            }
                        }
                    }
                }
                nav.languages aria-label=(reader.say(["Language", "Språk", "Taal"])) {
                    ul {
                        @for lang in Lang::ALL {
                            li {
                                @if lang == reader.lang {
                                    span aria-current="true" lang=(lang.code()) { (lang.name()) }
                                } @else {
                                    a href={ (reader.path) "?lang=" (lang.code()) } lang=(lang.code()) hreflang=(lang.code()) {
                                        (lang.name())
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Something wide: it scrolls by itself, by keyboard too, and the page does not.
#[must_use]
pub fn scroll(label: &str, inside: &Markup) -> Markup {
    html! { div.scroll tabindex="0" role="region" aria-label=(label) { (inside) } }
}

/// A list of terms and what they are.
#[must_use]
pub fn facts(rows: &[(&str, Markup)]) -> Markup {
    html! { dl.facts { @for (name, value) in rows { dt { (name) } dd { (value) } } } }
}

/// How something stands: good, bad, needs a look, or simply so. Always beside a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// As hoped.
    Good,
    /// Not as hoped.
    Bad,
    /// To be looked at.
    Warn,
    /// Neither.
    Quiet,
}

impl Tone {
    /// The class that colours it.
    #[must_use]
    pub const fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Warn => "warn",
            Self::Quiet => "soft",
        }
    }

    /// The symbol that goes with the colour.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Good => "✓",
            Self::Bad => "✗",
            Self::Warn => "⚠",
            Self::Quiet => "–",
        }
    }
}

/// A small card: a label, a value with a symbol, a note.
#[must_use]
pub fn card(tone: Tone, label: &str, value: &str, note: &str) -> Markup {
    html! {
        li class=(tone.class()) {
            span.label { (label) }
            span.value {
                @if tone != Tone::Quiet { span aria-hidden="true" { (tone.symbol()) " " } }
                (value)
            }
            @if !note.is_empty() { span.note { (note) } }
        }
    }
}
