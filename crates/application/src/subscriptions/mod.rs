//! Reactions to events: subscriptions read the log in order, each by one runner at a time.

mod account_erasure;
mod fence;
mod job_completion;
mod reactor;
mod relay;
mod runner;

pub use account_erasure::AccountErasure;
pub use job_completion::JobCompletion;
pub use reactor::{ReactError, Reactor};
pub use relay::Relay;
pub use runner::SubscriptionRunner;
