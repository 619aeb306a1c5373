//! No photo takes more memory than it weighs: each is inspected in a process of its own, and the system says what it took.
#![cfg(target_os = "linux")]

#[cfg(test)]
mod pictures;

use std::{env, fs, process::Command};

use pictures::{vp8l::Tiled, *};
use rapidphoto_imaging::{Scratch, inspect_bytes, weight_of};

const FILE: &str = "RAPIDPHOTO_MEMORY_TEST_FILE";
const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

/// A number that the system knows of this process, in bytes.
#[cfg(test)]
fn status(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.split_whitespace().next().unwrap().parse::<u64>().unwrap() * KIB
}

/// What the other tests run once more, each in a process of its own.
#[test]
#[ignore = "inspects the file that another test names"]
fn one_file_is_inspected() {
    let Ok(path) = env::var(FILE) else {
        return;
    };
    let file = fs::read(&path).unwrap();
    let mut scratch = Scratch::new().unwrap();
    let before = status("VmRSS:");
    let inspection = inspect_bytes(&file, LIMITS, &mut scratch);
    let took = status("VmHWM:").saturating_sub(before);
    fs::write(format!("{path}.took"), took.to_string()).unwrap();
    fs::write(format!("{path}.codes"), codes(&inspection).join(",")).unwrap();
}

/// Bytes of memory that inspecting a file takes, and the checks that said no.
#[cfg(test)]
fn took(file: &[u8]) -> (u64, String) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    fs::write(&path, file).unwrap();
    let done = Command::new(env::current_exe().unwrap())
        .args(["--exact", "one_file_is_inspected", "--ignored"])
        .env(FILE, &path)
        .output()
        .unwrap();
    assert!(done.status.success(), "{done:?}");
    let said = |extension| fs::read_to_string(path.with_extension(extension)).unwrap();
    (said("took").parse().unwrap(), said("codes"))
}

/// Holds that a sound file takes no more than it weighs, and at least as much as shows that it was measured.
#[cfg(test)]
fn assert_weighed(what: &str, file: &[u8], least: u64) {
    let weight = weight_of(file, LIMITS).unwrap();
    let (took, codes) = took(file);
    println!(
        "{what}: {} of {} KiB, {} in the file",
        took / KIB,
        weight / KIB,
        file.len() as u64 / KIB
    );
    assert_eq!(codes, "", "{what}");
    assert!(took <= weight, "{what}: {took} for {weight}");
    assert!(took >= least, "{what}: {took} for {least}");
}

#[cfg(test)]
fn webp(chunks: &[([u8; 4], &[u8])]) -> Vec<u8> {
    let mut file = b"RIFF\0\0\0\0WEBP".to_vec();
    for (kind, content) in chunks {
        file.extend(kind);
        file.extend(u32::try_from(content.len()).unwrap().to_le_bytes());
        file.extend(*content);
        file.resize(file.len().next_multiple_of(2), 0);
    }
    let length = u32::try_from(file.len() - 8).unwrap();
    file[4..8].copy_from_slice(&length.to_le_bytes());
    file
}

#[test]
fn a_lossless_webp_weighs_the_tables_of_all_its_groups() {
    let plain = Tiled {
        size: (1024, 1024),
        bits: 2,
        groups: 1,
        large: false,
    };
    let many = Tiled {
        groups: 65_536,
        ..plain
    };
    let weight = |tiled: Tiled| weight_of(&webp(&[(*b"VP8L", &tiled.picture())]), LIMITS).unwrap();
    assert!(
        weight(plain) < 32 * MIB,
        "one group costs next to nothing: {}",
        weight(plain)
    );
    assert!(weight(Tiled { groups: 900, ..plain }) < 64 * MIB);
    assert_weighed("65 536 groups", &webp(&[(*b"VP8L", &many.picture())]), 350 * MIB);
    let large = Tiled {
        size: (512, 512),
        groups: 16_384,
        large: true,
        ..many
    };
    assert_weighed("large groups", &webp(&[(*b"VP8L", &large.picture())]), 200 * MIB);
}
