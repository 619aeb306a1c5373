//! Use cases of operators.

mod accounts;
mod objects;
mod verify;

pub use accounts::{AccountError, Accounts};
pub use objects::{NamedObject, NamedObjects};
pub use verify::{Mismatch, VerificationReport, VerifyError, VerifyStateRows};
