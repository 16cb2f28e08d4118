//! What a row of a canonical table is made of and into.

use super::fields::Fields;
use super::out::OutRow;
use super::schema::Column;
use lagom_features::domain::Fault;

mod sealed {
    pub trait Sealed {}
    impl Sealed for lagom_features::Recorded<lagom_features::domain::Customer> {}
    impl Sealed for lagom_features::Recorded<lagom_features::domain::Invoice> {}
    impl Sealed for lagom_features::domain::Event {}
    impl Sealed for lagom_model::log::Decision {}
    impl Sealed for lagom_model::log::Outcome {}
}

/// A domain type that is a row of a canonical table.
pub trait Record: Sized + sealed::Sealed {
    /// Name of the table and of its file.
    const TABLE: &'static str;
    /// Its columns, in the order in which they are written.
    const COLUMNS: &'static [Column];

    /// Reads a row; `None` where a fault was noted.
    #[doc(hidden)]
    fn read(fields: &mut Fields<'_, '_>) -> Option<Self>;

    /// Puts every column, in the order of [`Self::COLUMNS`].
    #[doc(hidden)]
    fn write<'a>(&'a self, out: &mut OutRow<'a>);

    /// Every fault that the types alone cannot exclude.
    fn row_faults(&self) -> Vec<Fault>;

    /// The key that may occur only once in the table, where repeating it is a fault.
    fn unique_key(&self) -> Option<(&'static str, &str)> {
        None
    }
}
