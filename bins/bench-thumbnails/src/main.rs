//! Measures the CPU time of inspecting a photo as the worker does, on one thread. Prints a line of JSON per file:
//! `{"file":STEM,"ms":CPU milliseconds per photo, user and system}`.
#![expect(clippy::print_stdout, reason = "the result is printed")]

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

/// Measures the CPU time of inspecting a photo and making its thumbnails as the worker does, on one thread.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Directory to write the thumbnails to, as STEM.1024.jpg and STEM.256.jpg.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Also compute the photo's SHA-256.
    #[arg(long)]
    full: bool,
    /// Measured inspections of each file, after the warm-up.
    iters: u32,
    /// Photos to inspect.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

const LIMITS: InspectionLimits = InspectionLimits {
    max_pixels: 1_000_000_000,
    min_edge: None,
};
/// Inspections before the measurement, which fill caches and look-up tables.
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

/// The measured work: reads a photo, hashes it if `full`, and inspects it.
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

/// CPU time of all threads of this process, user and system.
fn cpu_time() -> Result<Duration> {
    Ok(Duration::try_from(clock_gettime(ClockId::ProcessCPUTime))?)
}
