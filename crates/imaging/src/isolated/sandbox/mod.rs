//! Restrictions of a child process.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod other;

#[cfg(target_os = "linux")]
pub(super) use linux::{limit_memory, restrict_process, restrict_threads, watch_parent};
#[cfg(not(target_os = "linux"))]
pub(super) use other::{limit_memory, restrict_process, restrict_threads, watch_parent};

/// Memory in bytes that a child may allocate beside a photo's share: code, stacks, and what is kept from earlier photos.
pub(super) const BASE_MEMORY: u64 = 128 << 20;
