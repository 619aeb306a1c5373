use std::sync::{Arc, Mutex};

use bytes::Bytes;
use rapidphoto_application::ports::Clock;

use super::bucket::Bucket;
use crate::{Faults, lock::lock};

/// An object store in memory: what the application reads and writes, and what clients do with presigned URLs.
///
/// Every object that comes in is announced in the words of AWS; the announcements wait in order until a test takes
/// them with [`MemoryObjects::take_announcements`] and delivers them as often and in whatever order it likes.
pub struct MemoryObjects {
    pub(super) name: String,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) faults: Faults,
    pub(super) bucket: Mutex<Bucket>,
}

impl MemoryObjects {
    /// An empty bucket of this name.
    pub fn new(name: &str, clock: Arc<dyn Clock>) -> Self {
        Self {
            name: name.to_owned(),
            clock,
            faults: Faults::default(),
            bucket: Mutex::default(),
        }
    }

    /// What shall fail.
    pub const fn faults(&self) -> &Faults {
        &self.faults
    }

    /// The keys of all objects, in order.
    pub fn keys(&self) -> Vec<String> {
        lock(&self.bucket).objects.keys().cloned().collect()
    }

    /// An object's bytes.
    pub fn bytes(&self, key: &str) -> Option<Bytes> {
        lock(&self.bucket)
            .objects
            .get(key)
            .map(|object| object.body.clone())
    }

    /// Takes the announcements that have come since the last time, oldest first.
    pub fn take_announcements(&self) -> Vec<Bytes> {
        std::mem::take(&mut lock(&self.bucket).announcements)
    }
}
