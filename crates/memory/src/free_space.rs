use std::sync::atomic::{AtomicU64, Ordering};

use rapidphoto_application::ports::{FreeSpace, Unavailable};

/// Free space that a test sets; unlimited at first.
#[derive(Debug)]
pub struct FakeSpace(AtomicU64);

impl Default for FakeSpace {
    fn default() -> Self {
        Self(AtomicU64::new(u64::MAX))
    }
}

impl FakeSpace {
    /// Sets the number of free bytes.
    pub fn set(&self, bytes: u64) {
        self.0.store(bytes, Ordering::Relaxed);
    }
}

impl FreeSpace for FakeSpace {
    fn free_bytes(&self) -> Result<u64, Unavailable> {
        Ok(self.0.load(Ordering::Relaxed))
    }
}
