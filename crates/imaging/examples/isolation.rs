//! Compares inspections in child processes with those on threads: CPU time of all processes and wall time per photo, in
//! pairs of runs in alternating order, and the memory of the children. Linux only.
//!
//! ```text
//! cargo run --release -p rapidphoto-imaging --example isolation -- [PAIRS] [PHOTOS]
//! ```
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "an example prints and may panic"
)]

use std::{
    fs,
    num::NonZeroUsize,
    process::ExitCode,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures::future::join_all;
use rapidphoto_application::ports::{InspectionLimits, PhotoInspector};
use rapidphoto_imaging::{ImagingConfig, ImagingPool, ProcessConfig, ProcessPool};
use rapidphoto_sample_photos::SamplePhoto;
use rustix::time::{ClockId, clock_gettime};

const LIMITS: InspectionLimits = InspectionLimits {
    max_pixels: 100_000_000,
    min_edge: None,
};
const BUDGET: u64 = 1 << 30;
/// Different photos, of 12 megapixels each.
const KINDS: u64 = 8;

fn main() -> ExitCode {
    if let Some(code) = rapidphoto_imaging::run_inspection_child() {
        return code;
    }
    let number = |index| {
        std::env::args()
            .nth(index)
            .map(|text| text.parse::<usize>().unwrap())
    };
    let (pairs, photos) = (number(1).unwrap_or(7), number(2).unwrap_or(100));
    let kinds: Vec<Vec<u8>> = (0..KINDS)
        .map(|seed| SamplePhoto::new(seed, 4000, 3000).jpeg())
        .collect();
    let bytes: usize = kinds.iter().map(Vec::len).sum();
    println!("{photos} photos of {} bytes on average", bytes / kinds.len());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(compare(pairs, photos, &kinds));
    ExitCode::SUCCESS
}

async fn compare(pairs: usize, photos: usize, kinds: &[Vec<u8>]) {
    let count = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let threads = ImagingPool::new(ImagingConfig {
        threads: count,
        memory_budget_bytes: BUDGET,
    })
    .unwrap();
    let processes = ProcessPool::start(ProcessConfig::new(count, BUDGET).unwrap())
        .await
        .unwrap();
    println!("{count} at once; {:?}", processes.protection());
    for warm_up in [&threads as &dyn PhotoInspector, &processes] {
        run(warm_up, photos / 5, kinds, &processes).await;
    }
    let (mut cpu, mut wall) = (Vec::new(), Vec::new());
    for pair in 0..pairs {
        let mut results = [Run::default(); 2];
        for mode in [pair % 2, (pair + 1) % 2] {
            let pool: &dyn PhotoInspector = if mode == 0 { &threads } else { &processes };
            results[mode] = run(pool, photos, kinds, &processes).await;
        }
        let [on_threads, in_children] = results;
        cpu.push(in_children.cpu / on_threads.cpu);
        wall.push(in_children.wall / on_threads.wall);
        println!("pair {pair}: threads {on_threads:.2?}, children {in_children:.2?} ms a photo");
    }
    println!(
        "children / threads, medians: CPU {:.3}, wall {:.3}",
        median(cpu),
        median(wall)
    );
    for child in processes.children() {
        let status = fs::read_to_string(format!("/proc/{child}/status")).unwrap();
        let lines = status.lines().filter(|line| {
            ["VmHWM", "VmRSS", "RssAnon"]
                .iter()
                .any(|name| line.starts_with(name))
        });
        println!("child {child}: {}", lines.collect::<Vec<_>>().join(", "));
    }
}

/// Milliseconds a photo.
#[derive(Debug, Clone, Copy, Default)]
struct Run {
    cpu: f64,
    wall: f64,
}

async fn run(pool: &dyn PhotoInspector, photos: usize, kinds: &[Vec<u8>], children: &ProcessPool) -> Run {
    // Copies, because downloaded photos are new to the processor's caches.
    let files: Vec<Bytes> = (0..photos)
        .map(|index| kinds[index % kinds.len()].clone().into())
        .collect();
    let (started, cpu) = (Instant::now(), cpu_time(children));
    for inspection in join_all(files.into_iter().map(|file| pool.inspect(file, LIMITS))).await {
        assert_eq!(inspection.unwrap().thumbnails.len(), 2);
    }
    let per_photo = |time: Duration| time.as_secs_f64() * 1000.0 / f64::from(u32::try_from(photos).unwrap());
    Run {
        cpu: per_photo(cpu_time(children).saturating_sub(cpu)),
        wall: per_photo(started.elapsed()),
    }
}

/// CPU time of this process and its children.
fn cpu_time(pool: &ProcessPool) -> Duration {
    let own = Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap();
    pool.children().into_iter().map(child_cpu_time).sum::<Duration>() + own
}

/// Sum over the threads of a process, from the scheduler's statistics in nanoseconds.
fn child_cpu_time(child: u32) -> Duration {
    let threads = fs::read_dir(format!("/proc/{child}/task")).unwrap();
    threads
        .map(|thread| {
            let statistics = fs::read_to_string(thread.unwrap().path().join("schedstat")).unwrap();
            Duration::from_nanos(statistics.split(' ').next().unwrap().parse().unwrap())
        })
        .sum()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
