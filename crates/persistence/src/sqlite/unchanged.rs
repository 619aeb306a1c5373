//! A database file that is only read, and the directory around it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{OpenError, connection::Location, wal::beside};
use crate::{DataDirLock, lock::SharedLock};

/// Keeps a data directory as it was found.
#[derive(Debug)]
pub(super) struct Unchanged {
    /// Excludes servers.
    _lock: Option<DataDirLock>,
    /// File that SQLite creates to read a write-ahead log that was left behind.
    shared_memory: Option<PathBuf>,
}

impl Drop for Unchanged {
    fn drop(&mut self) {
        if let Some(path) = &self.shared_memory
            && let Err(error) = fs::remove_file(path)
        {
            tracing::debug!(%error, path = %path.display(), "the file can't be removed");
        }
    }
}

/// Finds out how a database can be read without changing a file.
pub(super) fn locate(path: &Path) -> Result<(Location, Unchanged), OpenError> {
    let directory = path.parent().unwrap_or(path);
    let (lock, in_use) = match DataDirLock::share(directory)? {
        SharedLock::Held(lock) => (Some(lock), false),
        SharedLock::NoFile => (None, false),
        SharedLock::InUse => (None, true),
    };
    // A server that was killed, or the copy of a running server's files, leaves a write-ahead log.
    let has_log = fs::metadata(beside(path, "-wal")).is_ok_and(|file| file.len() > 0);
    let shared_memory = beside(path, "-shm");
    let unchanged = Unchanged {
        _lock: lock,
        shared_memory: (!in_use && has_log && !shared_memory.exists()).then_some(shared_memory),
    };
    let location = Location::read_only(path, !in_use && !has_log)?;
    Ok((location, unchanged))
}
