//! The domain of RapidPhotoUpload: values, states, events and decisions.
//!
//! Everything here is synchronous and pure: no input or output, no clock, no randomness. A decision takes a state and a
//! command and gives events; a fold takes events and gives the state back.

mod event;
mod id;
pub mod job;
pub mod photo;
mod stream;
pub mod user;
pub mod values;

pub use event::{DomainEvent, EventDecodeError};
pub use id::{EventId, IdError, JobId, PhotoId, UserId};
pub use stream::{StreamId, StreamIdError, StreamType, Version};

/// A moment in UTC.
pub type Timestamp = chrono::DateTime<chrono::Utc>;
