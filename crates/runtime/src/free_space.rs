//! Free space of the file systems that hold the data.

use std::{
    io,
    path::{Path, PathBuf},
};

use metrics::gauge;
use rapidphoto_application::ports::Unavailable;

/// Directories whose free space is watched.
#[derive(Debug, Clone)]
pub(crate) struct FreeSpace {
    /// Directory of the database.
    data: PathBuf,
    /// Directory of the objects.
    store: PathBuf,
}

impl FreeSpace {
    pub(crate) fn new(data: &Path, store: &Path) -> Self {
        Self {
            data: data.to_owned(),
            store: store.to_owned(),
        }
    }

    /// Sets the metrics and returns the smaller of both values. Blocks on file-system calls.
    ///
    /// # Errors
    /// If a directory is gone or can't be read.
    pub(crate) fn record(&self) -> io::Result<u64> {
        let (data, store) = (free_bytes(&self.data)?, free_bytes(&self.store)?);
        // Exact below 2^53 bytes (8 PiB).
        #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
        let as_gauge = |bytes: u64| bytes as f64;
        gauge!("data_free_bytes").set(as_gauge(data));
        gauge!("store_free_bytes").set(as_gauge(store));
        Ok(data.min(store))
    }
}

impl rapidphoto_application::ports::FreeSpace for FreeSpace {
    fn free_bytes(&self) -> Result<u64, Unavailable> {
        self.record().map_err(Unavailable::disk)
    }
}

/// Bytes that this process can still write.
fn free_bytes(path: &Path) -> io::Result<u64> {
    #[cfg(feature = "failpoints")]
    fail::fail_point!("free-space", |bytes| Ok(bytes
        .and_then(|bytes| bytes.parse().ok())
        .unwrap_or(0)));
    rapidphoto_storage_embedded::free_bytes(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_directory_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        assert!(
            FreeSpace::new(directory.path(), directory.path())
                .record()
                .is_ok()
        );
        let gone = directory.path().join("gone");
        assert!(FreeSpace::new(directory.path(), &gone).record().is_err());
    }
}
