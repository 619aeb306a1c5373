//! The work that photos need, and who does it.

mod orders;

pub use orders::orders_after;
