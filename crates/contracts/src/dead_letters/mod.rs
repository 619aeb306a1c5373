//! Contract of every dead-letter queue.

pub mod queue;
mod suites;

use std::{future::Future, sync::Arc};

use bytes::Bytes;
use rapidphoto_application::ports::DeadLetters;

/// A dead-letter queue under test.
pub trait DeadLetterHarness: Sized {
    /// Body that a queue of bytes can carry. Other queues carry text only.
    const BODY: &'static [u8] = b"\0\xff{";

    /// Empty queues.
    fn fresh() -> impl Future<Output = Self>;

    /// The port.
    fn port(&self) -> Arc<dyn DeadLetters>;

    /// Puts a message in the dead-letter queue, as the consumer of notifications does, and returns once it is stored.
    fn add(&self, reason: &str, body: Bytes) -> impl Future<Output = ()>;

    /// Removes the messages from the queue of notifications, and returns their bodies. Waits until there are `expected`
    /// of them, but for no longer than 10 s.
    fn redriven(&self, expected: usize) -> impl Future<Output = Vec<Bytes>>;
}
