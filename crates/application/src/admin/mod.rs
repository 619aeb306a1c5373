//! Use cases of operators.

mod accounts;
mod verify;

pub use accounts::{AccountError, Accounts};
pub use verify::{Mismatch, VerificationReport, VerifyError, VerifyStateRows};
