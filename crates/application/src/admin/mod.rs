//! Use cases of operators.

mod verify;

pub use verify::{Mismatch, VerificationReport, VerifyError, VerifyStateRows};
