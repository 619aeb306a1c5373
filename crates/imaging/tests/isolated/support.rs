//! Pools, photos and drills.

use std::{num::NonZeroUsize, path::PathBuf, time::Duration};

use bytes::Bytes;
use rapidphoto_application::ports::{InspectError, Inspection, InspectionLimits, PhotoInspector};
use rapidphoto_imaging::{Patience, ProcessConfig, ProcessPool};
use rapidphoto_sample_photos::SamplePhoto;

pub(crate) const LIMITS: InspectionLimits = InspectionLimits {
    max_pixels: 100_000_000,
    min_edge: None,
};
pub(crate) const MIB: u64 = 1 << 20;

pub(crate) fn config(children: usize) -> ProcessConfig {
    ProcessConfig {
        children: NonZeroUsize::new(children).unwrap(),
        memory_budget_bytes: 256 * MIB,
        program: PathBuf::from(env!("CARGO_BIN_EXE_inspection-child")),
        arguments: Vec::new(),
        patience: Patience::default(),
    }
}

/// A pool whose children have all started, and that gives up on a photo after this time.
pub(crate) async fn impatient_pool(children: usize, base: Duration) -> ProcessPool {
    let patience = Patience {
        base,
        ..Patience::default()
    };
    let config = config(children);
    let pool = ProcessPool::start(ProcessConfig { patience, ..config })
        .await
        .unwrap();
    new_children(&pool, children, &[]).await;
    pool
}

pub(crate) async fn pool(children: usize) -> ProcessPool {
    impatient_pool(children, Patience::default().base).await
}

pub(crate) fn photo(seed: u64) -> Bytes {
    SamplePhoto::new(seed, 320, 240).jpeg().into()
}

/// Samples of an image, the same for each call.
pub(crate) fn pixels(width: u16, height: u16, channels: usize) -> Vec<u8> {
    let count = usize::from(width) * usize::from(height) * channels;
    (0..count).map(|at| (at / 97 % 251).to_le_bytes()[0]).collect()
}

/// A photo that takes much memory: it can only be decoded whole.
pub(crate) fn lossless_webp(width: u16, height: u16) -> Bytes {
    let rgb = pixels(width, height, 3);
    let encoder = webpx::Encoder::new_rgb(&rgb, width.into(), height.into());
    let encoder = encoder.lossless(true).method(0);
    encoder.encode(webpx::Unstoppable).unwrap().into()
}

/// A file that makes its child do this.
pub(crate) fn drill(name: &str) -> Bytes {
    format!("drill: {name}").into()
}

/// Inspects a file; a test that hangs fails after a minute.
pub(crate) async fn inspect(pool: &ProcessPool, file: Bytes) -> Result<Inspection, InspectError> {
    tokio::time::timeout(Duration::from_mins(1), pool.inspect(file, LIMITS))
        .await
        .expect("the inspection did not end within a minute")
}

/// Waits until the pool has this many children, none of them among `old`.
pub(crate) async fn new_children(pool: &ProcessPool, count: usize, old: &[u32]) -> Vec<u32> {
    let replaced = async {
        loop {
            let children = pool.children();
            if children.len() == count && children.iter().all(|child| !old.contains(child)) {
                return children;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), replaced)
        .await
        .expect("the children were not replaced within a minute")
}

pub(crate) fn kill(child: u32) {
    let process = rustix::process::Pid::from_raw(child.try_into().unwrap()).unwrap();
    rustix::process::kill_process(process, rustix::process::Signal::KILL).unwrap();
}
