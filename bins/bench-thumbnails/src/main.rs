//! CPU time of a photo's inspection, as the worker does it, on one thread. One line of JSON for each file:
//! `{"file":STEM,"ms":user and system CPU milliseconds a photo}`.
#![expect(clippy::print_stdout, reason = "its result is what it prints")]

use std::{
    fs,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result, anyhow, ensure};
use bytes::Bytes;
use clap::Parser;
use rapidphoto_application::ports::{Inspection, InspectionLimits, PhotoInspector as _};
use rapidphoto_imaging::{ImagingConfig, ImagingPool};
use rustix::time::{ClockId, clock_gettime};
use sha2::{Digest as _, Sha256};

/// Measures the CPU time of a photo's thumbnails, made as the worker makes them, on one thread.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Write STEM.1024.jpg and STEM.256.jpg here.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Do all the work on a photo: its SHA-256 too.
    #[arg(long)]
    full: bool,
    /// Inspections of each file that are measured, after a warm-up.
    iters: u32,
    /// Photos.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

const LIMITS: InspectionLimits = InspectionLimits {
    max_pixels: 1_000_000_000,
    min_edge: None,
};
/// What libraries open files several times for: pages, caches, look-up tables.
const WARM_UP: u32 = 2;

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    ensure!(arguments.iters > 0, "ITERS is at least 1");
    let pool = ImagingPool::new(ImagingConfig {
        threads: NonZeroUsize::MIN,
        memory_budget_bytes: 4 << 30,
    })?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    for file in &arguments.files {
        let work = || work(&runtime, &pool, file, arguments.full);
        let stem = file.file_stem().context("a file has a name")?.to_string_lossy();
        for _ in 0..WARM_UP {
            let inspection = work()?;
            if let Some(directory) = &arguments.out {
                write(directory, &stem, &inspection)?;
            }
        }
        let start = cpu_time()?;
        for _ in 0..arguments.iters {
            work()?;
        }
        let took = cpu_time()?.saturating_sub(start).as_secs_f64() * 1000.0 / f64::from(arguments.iters);
        println!("{}", serde_json::json!({"file": stem, "ms": took}));
    }
    Ok(())
}

/// All that is measured: from a path to thumbnails.
fn work(
    runtime: &tokio::runtime::Runtime,
    pool: &ImagingPool,
    file: &Path,
    full: bool,
) -> Result<Inspection> {
    let name = || file.display().to_string();
    let bytes = Bytes::from(fs::read(file).with_context(name)?);
    if full {
        std::hint::black_box(Sha256::digest(&bytes));
    }
    let inspection = runtime.block_on(pool.inspect(bytes, LIMITS)).with_context(name)?;
    if inspection.thumbnails.is_empty() {
        return Err(anyhow!("no thumbnails: {:?}", inspection.findings)).with_context(name);
    }
    Ok(inspection)
}

fn write(directory: &Path, stem: &str, inspection: &Inspection) -> Result<()> {
    fs::create_dir_all(directory)?;
    for thumbnail in &inspection.thumbnails {
        let name = format!("{stem}.{}.jpg", thumbnail.edge.pixels());
        fs::write(directory.join(name), &thumbnail.jpeg)?;
    }
    Ok(())
}

/// The CPU time, user and system, that this process has taken in all its threads.
fn cpu_time() -> Result<Duration> {
    Ok(Duration::try_from(clock_gettime(ClockId::ProcessCPUTime))?)
}
