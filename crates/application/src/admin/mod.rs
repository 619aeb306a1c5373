//! Use cases of operators.

mod accounts;
mod no_dead_letters;
mod objects;
mod subscriptions;
mod verify;

pub use accounts::{AccountError, Accounts};
pub use no_dead_letters::NoDeadLetters;
pub use objects::{NamedObject, NamedObjects};
pub use subscriptions::{Lag, ListSubscriptionsHandler, SubscriptionReport, Undecodable};
pub use verify::{Mismatch, VerificationReport, VerifyError, VerifyStateRows};
