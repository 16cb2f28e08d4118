//! Tables of any shape into the canonical ones, by a mapping file.
//!
//! A mapping is TOML. `[input]` says how the inputs are written; each `[[customers]]`,
//! `[[invoices]]` and `[[events]]` is a rule that makes one record of a row:
//!
//! ```toml
//! [input]
//! separator = ";"          # default ","
//! decimal = ","            # default "."
//! thousands = " "          # default none
//! missing = ["NA", "-"]    # beside the empty cell
//! optional = ["memo"]      # columns that an input may lack: unknown there
//! format = "%d.%m.%Y"      # of times; default RFC 3339 or a date
//! time_zone = "Europe/Stockholm"   # of local times and of days; default UTC
//!
//! [[customers]]
//! once = true              # the first row of a customer; the others are left out
//! [customers.fields]
//! customer_id = "{customer}"
//! created_at = "2020-01-01"
//! kind = { from = "{type}", map = { P = "consumer", C = "business" } }
//! segment = { from = "{limit}", bands = [1000, 5000] }   # below_1000, 1000_to_5000, from_5000
//!
//! [[invoices]]
//! input = "invoices*.csv"  # only inputs of this name; default every input
//! when = ["{amount} > 0", "{status} != draft"]
//! [invoices.fields]
//! invoice_id = "{number}"
//! customer_id = "{customer}"
//! issued_at = "{issued}"
//! due_on = { from = "{issued}", days = 30 }
//! amount_minor = { from = "{amount}", unit = "major" }
//! currency = "SEK"
//! ```
//!
//! A value is a text in which `{NAME}` is the cell of a column and `{row}` the 0-based row; if a
//! hole is unknown, so is the value. Written as a table, `from` is that text and there may be
//! more: `minus` (another number, subtracted), `at_least` (a smaller number becomes this one),
//! `unit` (`major` or `minor`, decimals by ISO 4217 and the record's currency), `format`,
//! `months` and `days` (added to a time by the calendar), `map` (with `other` for what it does not
//! list; without, an unlisted value is a fault), `bands`. Numbers are exact; `1e+05` is 100000. A condition compares two such texts with
//! `==`, `!=`, `<`, `<=`, `>` or `>=`; numbers as numbers, anything else only for equality.
//!
//! A wide table is unpivoted by lists: a rule with `each = ["statements"]` makes one record for
//! each entry of `[each]` `statements`, whose names are holes of that rule; several lists make one
//! record for each combination.
//!
//! ```toml
//! [each]
//! statements = [
//!     { month = "2005-08", bill = "{BILL_AMT2}" },
//!     { month = "2005-09", bill = "{BILL_AMT1}" },
//! ]
//!
//! [[invoices]]
//! each = ["statements"]
//! when = ["{bill} > 0"]
//! [invoices.fields]
//! invoice_id = "{ID}-{month}"
//! customer_id = "{ID}"
//! issued_at = "{month}-01"
//! due_on = { from = "{month}-01", days = 25 }
//! amount_minor = { from = "{bill}", unit = "major" }
//! currency = "TWD"
//! ```
//!
//! Inputs are CSV, JSON lines (packed with gzip or not) or Parquet; the content tells which. In JSON
//! lines `{customer.id}` is inside an object and `{lines.0.amount}` inside a list. A row with a wrong cell is
//! rejected as a whole. With more rejects than are allowed nothing is written; with fewer they
//! are listed in `rejects.csv` beside the tables.

mod condition;
mod error;
mod lists;
mod mapping;
mod moment;
mod number;
mod outlet;
mod rejects;
mod rule;
mod run;
mod template;
#[cfg(test)]
mod tests;
mod value;

pub use error::ImportError;
pub use rejects::REJECTS;

use crate::tables::{CellFault, Format};
use std::path::PathBuf;

/// What to import, and where to.
#[derive(Debug, Clone)]
pub struct ImportOptions {
    /// The mapping file.
    pub mapping: PathBuf,
    /// The inputs, in the order in which they are read.
    pub inputs: Vec<PathBuf>,
    /// The folder for the canonical tables; made if needed.
    pub out: PathBuf,
    /// How the tables are written.
    pub format: Format,
    /// Rows that may be rejected before nothing is written.
    pub max_rejects: u64,
}

/// What an import did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportReport {
    /// Rows read.
    pub rows: u64,
    /// Customers written.
    pub customers: u64,
    /// Invoices written.
    pub invoices: u64,
    /// Events written.
    pub events: u64,
    /// Rows rejected.
    pub rejected: u64,
    /// Their wrong cells, as far as they are kept.
    pub rejects: Vec<CellFault>,
}

/// Imports every input by the mapping. A table that the mapping has a rule for is replaced as a
/// whole; the others are left alone.
///
/// # Errors
/// [`ImportError`]; nothing was written then.
pub fn run(options: &ImportOptions) -> Result<ImportReport, ImportError> {
    run::run(options)
}
