//! Every trait that the outside implements.

mod clock;
mod ids;
mod storage_messages;

pub use clock::Clock;
pub use ids::Ids;
pub use storage_messages::{MessageRefused, StorageMessages};

/// An error of the outside, kept as the source of a port's error.
pub type BoxError = Box<dyn std::error::Error + Send + Sync + 'static>;
