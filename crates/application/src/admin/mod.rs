//! Use cases of operators.

mod objects;
mod verify;

pub use objects::{NamedObject, NamedObjects};
pub use verify::{Mismatch, VerificationReport, VerifyError, VerifyStateRows};
