use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use bytes::Bytes;
use rapidphoto_application::ports::Clock;

use super::bucket::Bucket;
use crate::{Faults, lock::lock};

/// An object store in memory, for the application and for clients with presigned URLs.
///
/// Every stored object is announced in the format of AWS. The announcements are queued until a test takes them with
/// [`MemoryObjects::take_announcements`] and delivers them in any order, any number of times.
pub struct MemoryObjects {
    pub(super) name: String,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) faults: Faults,
    /// Single PUTs can't replace an object.
    pub(super) protects: AtomicBool,
    pub(super) bucket: Mutex<Bucket>,
}

impl MemoryObjects {
    /// An empty bucket.
    pub fn new(name: &str, clock: Arc<dyn Clock>) -> Self {
        Self {
            name: name.to_owned(),
            clock,
            faults: Faults::default(),
            protects: AtomicBool::new(true),
            bucket: Mutex::default(),
        }
    }

    /// Fault injection for this store.
    pub const fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Makes this a store without conditional writes, as far as the application knows.
    pub fn lack_conditional_writes(&self) {
        self.protects.store(false, Ordering::Relaxed);
    }

    /// Keys of all objects, sorted.
    pub fn keys(&self) -> Vec<String> {
        lock(&self.bucket).objects.keys().cloned().collect()
    }

    /// Bytes of an object.
    pub fn bytes(&self, key: &str) -> Option<Bytes> {
        lock(&self.bucket)
            .objects
            .get(key)
            .map(|object| object.body.clone())
    }

    /// Takes the queued announcements, oldest first.
    pub fn take_announcements(&self) -> Vec<Bytes> {
        std::mem::take(&mut lock(&self.bucket).announcements)
    }
}
