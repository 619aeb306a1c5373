//! The inspection of photos: in child processes or on threads.

use std::{num::NonZeroUsize, sync::Arc};

use anyhow::Context;
use rapidphoto_application::ports::PhotoInspector;
use rapidphoto_imaging::{ImagingConfig, ImagingPool, ProcessConfig, ProcessPool};

use crate::config::{ImagingSection, Isolation};

/// Starts the children or threads, and logs what protects the server from a decoder's faults.
pub(crate) async fn start(section: &ImagingSection) -> anyhow::Result<Arc<dyn PhotoInspector>> {
    let processors = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let count = section.threads.and_then(NonZeroUsize::new).unwrap_or(processors);
    match section.isolation {
        Isolation::Process => Ok(Arc::new(processes(count, section.memory_budget_bytes).await?)),
        Isolation::Thread => {
            let pool = ImagingPool::new(ImagingConfig {
                threads: count,
                memory_budget_bytes: section.memory_budget_bytes,
            });
            tracing::warn!(
                threads = count,
                "photos are inspected on threads of this process: a fault of a decoder is a fault of the server"
            );
            Ok(Arc::new(
                pool.context("the threads for decoding images can't be started")?,
            ))
        }
    }
}

async fn processes(children: NonZeroUsize, memory_budget_bytes: u64) -> anyhow::Result<ProcessPool> {
    let config = ProcessConfig::new(children, memory_budget_bytes)?;
    let pool = ProcessPool::start(config)
        .await
        .context("photos can't be inspected (imaging.isolation = \"thread\" does without child processes)")?;
    let protection = pool.protection();
    let landlock = protection
        .landlock
        .map_or_else(|| "none".to_owned(), |version| format!("ABI {version}"));
    tracing::info!(
        children,
        landlock,
        seccomp = protection.seccomp,
        limits = protection.limits,
        inherited_descriptors = protection.inherited_descriptors,
        "photos are inspected in child processes"
    );
    if protection.landlock.is_none() || !protection.seccomp || !protection.limits {
        tracing::warn!("this system restricts the child processes for inspections only in part");
    }
    Ok(pool)
}
