//! The pages: what people read. Plain HTML and inline SVG, no script, no request beyond this
//! server; dark, print and phone by style alone; English, Swedish and Dutch.
//!
//! **To add a page**
//! 1. A module here with a pure function from numbers to a page:
//!    `pub(crate) fn page(reader: Reader, card: &Card) -> Markup`. It ends in
//!    [`shell::page`], which brings head, navigation, style and footer.
//! 2. A route and a handler in `server/pages.rs`: fetch what the page shows, call the function.
//!    [`Reader`] is an extractor: it knows the language (`?lang=sv`, else `Accept-Language`).
//! 3. If the page belongs in the navigation, a line in `Place`.
//!
//! Words stand where they are used, in all three languages: `reader.say(["Model", "Modell",
//! "Model"])`. Numbers, money and dates go through the methods of [`Lang`]
//! (`number`, `signed`, `percent`, `money`, `date`), so that they read as in the reader's country.
//! Charts are built by [`chart`]: `Plot` for anything with two axes, `whisker` for an interval in a
//! table row, `share` for a proportion. A meaning never hangs on colour alone: a word and a symbol
//! go with it. A wide table is put into [`shell::scroll`]; the class `stack` lays its rows out as
//! cards on a phone (each `td` then needs `data-label`).

pub mod actions;
pub mod chart;
pub mod decision;
pub mod experiments;
pub mod forecast;
pub mod lang;
pub mod ledger;
pub mod model;
mod offers;
pub mod overview;
pub mod policies;
pub mod reader;
pub mod review;
pub mod rules;
pub mod shell;

pub use lang::Lang;
pub use reader::Reader;
