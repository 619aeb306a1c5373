//! The stored form of events, shared by every adapter that keeps a log.

mod codec;
mod upcasters;

pub use codec::{EncodedEvent, EventCodec};
pub use upcasters::Upcasters;
