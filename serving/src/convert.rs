//! Between the interface and the domain. What arrives is checked here, once, with the path of
//! the field at fault; beyond this point values are well formed.

pub mod decision;
pub mod event;
pub mod names;
pub mod scalar;

pub use names::Named;
pub use scalar::FieldFault;
