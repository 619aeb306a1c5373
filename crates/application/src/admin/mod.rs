//! What operators do.

mod verify;

pub use verify::{Mismatch, VerificationReport, VerifyError, VerifyRecord};
