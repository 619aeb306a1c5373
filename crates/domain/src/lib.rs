//! Domain of RapidPhotoUpload: values, states, events and decisions.
//!
//! The crate is synchronous and pure: no input or output, no clock, no randomness. A decision takes a state and a
//! command and returns events; a fold takes events and returns the state.

mod event;
mod id;
pub mod job;
pub mod photo;
mod stream;
mod timestamp;
pub mod user;
pub mod values;

pub use event::{DomainEvent, EventDecodeError};
pub use id::{EventId, IdError, JobId, PhotoId, UserId};
pub use stream::{StreamId, StreamIdError, StreamType, Version};
pub use timestamp::Timestamp;
