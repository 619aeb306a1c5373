//! JPEG files.

mod colours;
mod headers;
mod hostile;
mod scans;
mod truncated;

use std::ops::Range;

use crate::fixtures::*;

/// Positions of all markers with a code for which `is_wanted` returns true.
fn marker_positions(file: &[u8], is_wanted: impl Fn(u8) -> bool) -> Vec<usize> {
    (0..file.len() - 1)
        .filter(|&at| file[at] == 0xFF && is_wanted(file[at + 1]))
        .collect()
}

/// Position of the first marker with this code.
fn marker_position(file: &[u8], code: u8) -> usize {
    file.windows(2).position(|bytes| bytes == [0xFF, code]).unwrap()
}

/// Ranges of all scans, from their headers to the next marker.
fn scan_ranges(file: &[u8]) -> Vec<Range<usize>> {
    let is_end = |at: &usize| file[*at] == 0xFF && !matches!(file[*at + 1], 0 | 0xD0..=0xD7);
    (0..file.len() - 1)
        .filter(|&at| file[at..at + 2] == [0xFF, 0xDA])
        .map(|start| start..(start + 2..file.len() - 1).find(is_end).unwrap())
        .collect()
}

/// The file with bytes inserted at a position.
fn insert(file: &[u8], at: usize, bytes: &[u8]) -> Vec<u8> {
    [&file[..at], bytes, &file[at..]].concat()
}

/// Two JPEGs of four quarters, and whether each is progressive.
fn baseline_and_progressive() -> [(bool, Vec<u8>); 2] {
    [false, true].map(|progressive| {
        let options = JpegOptions {
            progressive,
            ..JpegOptions::default()
        };
        (progressive, quarters_jpeg(97, 61, &options))
    })
}
