//! What columns a canonical table has.

/// Version of the canonical tables; written into Parquet files under [`VERSION_KEY`].
///
/// A column may be added within a version if it may be missing; anything else is a new version.
pub const SCHEMA_VERSION: u32 = 1;

/// Key of [`SCHEMA_VERSION`] in a Parquet file's metadata.
pub const VERSION_KEY: &str = "lagom.schema_version";

/// Key of the table's name in a Parquet file's metadata.
pub const TABLE_KEY: &str = "lagom.table";

/// The type of a column: its Parquet type, and its form in a text file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `String`.
    Text,
    /// `Int64`.
    Whole,
    /// `UInt64`.
    Count,
    /// `Float64`, shortest form that reads back to the same number.
    Real,
    /// `Boolean`, `true` or `false`.
    Flag,
    /// `Datetime(us, UTC)`, RFC 3339.
    Instant,
    /// `Date`, `YYYY-MM-DD`.
    Day,
    /// `List(String)`, JSON.
    Texts,
    /// `List(Float64)`, null for unknown; JSON.
    Reals,
}

/// One column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Name in the header.
    pub name: &'static str,
    /// Type.
    pub kind: Kind,
    /// Whether a file without it is refused.
    pub needed: bool,
}

impl Column {
    /// A column without which a file is refused.
    #[must_use]
    pub const fn needed(name: &'static str, kind: Kind) -> Self {
        Self {
            name,
            kind,
            needed: true,
        }
    }

    /// A column whose absence means that it is unknown in every row.
    #[must_use]
    pub const fn optional(name: &'static str, kind: Kind) -> Self {
        Self {
            name,
            kind,
            needed: false,
        }
    }
}
