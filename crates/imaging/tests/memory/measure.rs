use std::{env, fs, process::Command};

use rapidphoto_imaging::{Scratch, inspect_bytes, max_memory_bytes};

use crate::fixtures::*;

/// Names of files in the working directory of the measured process.
const FILE: &str = "file";
const PEAK: &str = "peak";
const CODES: &str = "codes";
const KIB: u64 = 1 << 10;

/// Environment variable that makes [`a_small_photo_stays_within_its_memory_bound`] the measured process: it inspects the
/// file in its working directory.
const IS_MEASURED: &str = "IMAGING_TEST_IS_MEASURED";

/// A memory figure of this process in bytes, from `/proc/self/status`.
fn status(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.split_whitespace().next().unwrap().parse::<u64>().unwrap() * KIB
}

/// Inspects the file in the working directory and writes the result beside it.
fn inspect_and_report() {
    let file = fs::read(FILE).unwrap();
    let mut scratch = Scratch::new().unwrap();
    let before = status("VmRSS:");
    let inspection = inspect_bytes(&file, LIMITS, &mut scratch);
    let peak = status("VmHWM:").saturating_sub(before);
    fs::write(PEAK, peak.to_string()).unwrap();
    fs::write(CODES, finding_codes(&inspection).join(",")).unwrap();
}

/// Peak memory in bytes that inspecting a file takes in a process of its own, and the codes of its findings.
fn measure(file: &[u8]) -> (u64, String) {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join(FILE), file).unwrap();
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", "measure::a_small_photo_stays_within_its_memory_bound"])
        .env(IS_MEASURED, "yes")
        .current_dir(directory.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let read = |name| fs::read_to_string(directory.path().join(name)).unwrap();
    (read(PEAK).parse().unwrap(), read(CODES))
}

/// Asserts that a valid file takes no more memory than its bound, and at least `min`, which shows that the peak was
/// measured.
pub(crate) fn assert_within_memory_bound(case: &str, file: &[u8], min: u64) {
    let bound = max_memory_bytes(file, LIMITS).unwrap();
    let (peak, codes) = measure(file);
    println!(
        "{case}: {} of {} KiB, {} in the file",
        peak / KIB,
        bound / KIB,
        file.len() as u64 / KIB
    );
    assert_eq!(codes, "", "{case}");
    assert!(peak <= bound, "{case}: {peak} of {bound}");
    assert!(peak >= min, "{case}: {peak}, at least {min}");
}

#[test]
fn a_small_photo_stays_within_its_memory_bound() {
    if env::var_os(IS_MEASURED).is_some() {
        return inspect_and_report();
    }
    // The kernel counts pages per CPU in batches, so the measured peak of a small photo may be 0.
    assert_within_memory_bound(
        "a small photo",
        &quarters_jpeg(64, 64, &JpegOptions::default()),
        0,
    );
}
