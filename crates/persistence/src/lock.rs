use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

/// The name of the file that is locked.
const LOCK_FILE: &str = "lock";

/// The right to serve a data directory. The system gives it back when the process ends, however it ends; the file that
/// stays behind means nothing.
#[derive(Debug)]
pub struct DataDirLock {
    // Closing the file unlocks it.
    _file: File,
}

/// Why a data directory can't be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// Another process has it.
    #[error("another process serves the data directory {}", .0.display())]
    Held(PathBuf),
    /// It can't be created or written to.
    #[error("the data directory {} can't be used", .path.display())]
    Io {
        /// The directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl DataDirLock {
    /// Locks a data directory, creating it where it is missing. Does not wait.
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
