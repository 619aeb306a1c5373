use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use s3s::S3Result;

use super::blocking::blocking;
use super::errors;
use crate::free_bytes;

/// Free space of the disk, less what uploads in progress have still to write.
pub(crate) struct Space {
    root: PathBuf,
    /// Free bytes that uploads of clients must leave; 0 for none.
    min_free_bytes: u64,
    reserved: Mutex<u64>,
}

/// Bytes that an upload has still to write. Dropping it frees them for other uploads.
pub(super) struct Reservation {
    space: Arc<Space>,
    bytes: u64,
}

impl Space {
    pub(crate) fn new(root: PathBuf, min_free_bytes: u64) -> Self {
        Self {
            root,
            min_free_bytes,
            reserved: Mutex::default(),
        }
    }

    /// Reserves space for an upload of this size.
    ///
    /// # Errors
    /// If too little space would be left.
    pub(super) async fn reserve(self: &Arc<Self>, size: u64) -> S3Result<Reservation> {
        let space = Arc::clone(self);
        let reserve = move || space.try_reserve(size);
        blocking(reserve)
            .await
            .map_err(|error| errors::from_io("accept an upload", error))
    }

    fn try_reserve(self: Arc<Self>, bytes: u64) -> io::Result<Reservation> {
        let mut reserved = self.reserved();
        if self.min_free_bytes > 0 {
            // Uploads write before they reduce their reservations: no byte that is still to be written is missed.
            let free = free_bytes(&self.root)?;
            let needed = self
                .min_free_bytes
                .saturating_add(*reserved)
                .saturating_add(bytes);
            if free < needed {
                return Err(io::ErrorKind::StorageFull.into());
            }
        }
        *reserved = reserved.saturating_add(bytes);
        drop(reserved);
        Ok(Reservation { space: self, bytes })
    }

    fn reserved(&self) -> MutexGuard<'_, u64> {
        self.reserved.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reservation {
    /// Notes that bytes of the upload are on the disk.
    pub(super) fn written(&mut self, bytes: u64) {
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        let mut reserved = self.space.reserved();
        *reserved = reserved.saturating_sub(bytes);
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.written(self.bytes);
    }
}
