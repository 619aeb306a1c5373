use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

/// Name of the locked file within the data directory.
const LOCK_FILE: &str = "lock";

/// Exclusive lock on a data directory. The operating system releases it when the process ends, also after a crash; a
/// lock file left behind has no meaning.
#[derive(Debug)]
pub struct DataDirLock {
    // Closing the file releases the lock.
    _file: File,
}

/// Error of [`DataDirLock::acquire`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// Another process holds the lock.
    #[error("another process uses the data directory {}; stop it or choose another directory", .0.display())]
    Held(PathBuf),
    /// The directory can't be created or written to.
    #[error("the data directory {} or its lock file can't be created, read or written to", .path.display())]
    Io {
        /// The data directory.
        path: PathBuf,
        /// Error of the operating system.
        #[source]
        source: io::Error,
    },
}

/// Result of [`DataDirLock::share`].
pub(crate) enum SharedLock {
    /// No process changes the directory while this lock is held.
    Held(DataDirLock),
    /// No process has ever locked the directory: it is a copy.
    NoFile,
    /// A server uses the directory.
    InUse,
}

impl DataDirLock {
    /// Excludes servers from a data directory that is only read, without creating or changing a file: others can do the same
    /// at the same time. Does not wait for a lock held by another process.
    pub(crate) fn share(directory: &Path) -> Result<SharedLock, LockError> {
        let failed = |source| LockError::Io {
            path: directory.to_owned(),
            source,
        };
        let file = match File::open(directory.join(LOCK_FILE)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(SharedLock::NoFile),
            Err(error) => return Err(failed(error)),
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(SharedLock::Held(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(SharedLock::InUse),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    /// Locks a data directory, which is created if it is missing. Does not wait for a lock held by another process.
    pub fn acquire(directory: &Path) -> Result<Self, LockError> {
        let failed = |source| LockError::Io {
            path: directory.to_owned(),
            source,
        };
        fs::create_dir_all(directory).map_err(failed)?;
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(directory.join(LOCK_FILE))
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(LockError::Held(directory.to_owned())),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }
}
