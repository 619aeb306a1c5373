//! Memory of the children.

use std::{fs, sync::Arc, time::Duration};

use rapidphoto_imaging::{ProcessConfig, ProcessPool, max_memory_bytes};
use tokio::sync::watch;

use crate::support::*;

/// Resident memory of a process in bytes.
fn resident(process: u32) -> u64 {
    // The process may have ended meanwhile.
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next());
    kib.map_or(0, |kib| kib.parse::<u64>().unwrap() << 10)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn resident_memory_stays_within_the_budget_and_20_mb_a_child() {
    const CHILDREN: usize = 4;
    const MB: u64 = 1_000_000;
    let photo = lossless_webp(4000, 3000);
    let memory = max_memory_bytes(&photo, LIMITS).unwrap();
    // One photo at a time fits, though there are four children.
    let budget = memory + memory / 2;
    assert!(memory > 40 * MB, "{memory}");
    let pool = ProcessPool::start(ProcessConfig {
        memory_budget_bytes: budget,
        ..config(CHILDREN)
    })
    .await
    .unwrap();
    let pool = Arc::new(pool);
    new_children(&pool, CHILDREN, &[]).await;
    let (finished, mut finishing) = watch::channel(());
    let sampler = tokio::spawn({
        let pool = Arc::clone(&pool);
        async move {
            let mut peak = 0;
            loop {
                let resident: u64 = pool.children().into_iter().map(resident).sum();
                peak = peak.max(resident);
                tokio::select! {
                    _ = finishing.changed() => return peak,
                    () = tokio::time::sleep(Duration::from_millis(1)) => {}
                }
            }
        }
    });
    let calls: Vec<_> = (0..16)
        .map(|_| {
            let (pool, photo) = (Arc::clone(&pool), photo.clone());
            tokio::spawn(async move { inspect(&pool, photo).await })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().findings, []);
    }
    finished.send(()).unwrap();
    let peak = sampler.await.unwrap();
    assert!(peak > memory / 2, "{peak} bytes were measured");
    let allowed = budget + CHILDREN as u64 * 20 * MB;
    assert!(
        peak <= allowed,
        "{peak} bytes are resident, {allowed} are allowed"
    );
}
