//! Inspects files on one thread and prints what was found and how long it took:
//! `cargo run --release -p rapidphoto-imaging --example inspect-photos -- [--out DIR] ROUNDS FILE…`
#![expect(clippy::print_stdout, reason = "an example talks on its terminal")]

use std::{error::Error, fs, path::PathBuf, time::Instant};

use rapidphoto_application::ports::InspectionLimits;
use rapidphoto_imaging::{Scratch, inspect_bytes};

fn main() -> Result<(), Box<dyn Error>> {
    const USAGE: &str = "usage: inspect-photos [--out DIR] ROUNDS FILE…";
    let mut arguments = std::env::args().skip(1).peekable();
    let out = match arguments.peek().map(String::as_str) {
        Some("--out") => arguments.nth(1).map(PathBuf::from),
        _ => None,
    };
    let rounds: u32 = arguments.next().ok_or(USAGE)?.parse()?;
    let limits = InspectionLimits {
        max_pixels: 100_000_000,
        min_edge: None,
    };
    let mut scratch = Scratch::new()?;
    for path in arguments.map(PathBuf::from) {
        let bytes = fs::read(&path)?;
        let inspection = inspect_bytes(&bytes, limits, &mut scratch);
        let start = Instant::now();
        for _ in 0..rounds {
            inspect_bytes(&bytes, limits, &mut scratch);
        }
        let took = start.elapsed().as_secs_f64() * 1000.0 / f64::from(rounds.max(1));
        println!(
            "{}: {} × {}, {} bytes, {took:.1} ms, {:?} {:?}",
            path.display(),
            inspection.width,
            inspection.height,
            bytes.len(),
            inspection.findings,
            inspection.metadata
        );
        if let Some(out) = &out {
            fs::create_dir_all(out)?;
            let stem = path.file_stem().ok_or(USAGE)?.to_string_lossy().into_owned();
            for thumbnail in &inspection.thumbnails {
                fs::write(
                    out.join(format!("{stem}.{}.jpg", thumbnail.edge.pixels())),
                    &thumbnail.jpeg,
                )?;
            }
        }
    }
    Ok(())
}
