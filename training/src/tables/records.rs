//! The rows of each canonical table.

mod customers;
mod decisions;
mod events;
mod invoices;
mod outcomes;
