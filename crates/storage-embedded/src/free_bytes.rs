use std::{io, path::Path};

/// Bytes that a process without special rights can still write to the file system of this path.
///
/// # Errors
/// If the path is gone or can't be read.
pub fn free_bytes(path: &Path) -> io::Result<u64> {
    let file_system = rustix::fs::statvfs(path)?;
    Ok(file_system.f_bavail.saturating_mul(file_system.f_frsize))
}
