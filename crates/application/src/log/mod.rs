//! Stored form of events, shared by all event log adapters.

mod codec;
mod upcasters;

pub use codec::{EncodedEvent, EventCodec};
pub use upcasters::Upcasters;
