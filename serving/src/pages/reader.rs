//! Who reads: the language, and the page they are on.

use super::Lang;
use axum::extract::FromRequestParts;
use axum::http::header::ACCEPT_LANGUAGE;
use axum::http::request::Parts;
use std::convert::Infallible;

/// A reader of a page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reader {
    /// The language to speak.
    pub lang: Lang,
    /// Path of the page, so that it can be offered in other languages.
    pub path: String,
    /// Whether the language was asked for in the address, so that links keep it.
    pub asked: bool,
    /// Whether the page is a file by itself, without a server around it.
    pub alone: bool,
}

impl Reader {
    /// The reader of a page written to a file.
    #[must_use]
    pub fn of_file(lang: Lang) -> Self {
        Self {
            lang,
            alone: true,
            ..Self::default()
        }
    }

    /// The words for this reader, from `[English, Swedish, Dutch]`.
    #[must_use]
    pub const fn say<'a>(&self, words: [&'a str; 3]) -> &'a str {
        self.lang.say(words)
    }

    /// The address of another page, in the language this one was asked for.
    #[must_use]
    pub fn link(&self, path: &str) -> String {
        if self.asked {
            format!("{path}?lang={}", self.lang.code())
        } else {
            path.to_owned()
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Reader {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let query = parts.uri.query().unwrap_or("");
        let asked = query
            .split('&')
            .find_map(|pair| Lang::of(pair.strip_prefix("lang=")?));
        let accepted = || {
            let header = parts.headers.get(ACCEPT_LANGUAGE)?.to_str().ok()?;
            header
                .split(',')
                .find_map(|one| Lang::of(one.split(';').next()?))
        };
        Ok(Self {
            lang: asked.or_else(accepted).unwrap_or_default(),
            path: parts.uri.path().to_owned(),
            asked: asked.is_some(),
            alone: false,
        })
    }
}
