//! Surplus, missing and repeated data within scans, and restart markers.

use super::{insert, marker_position, scan_ranges};
use crate::fixtures::*;

#[test]
fn surplus_bytes_and_repeated_scans_in_a_progressive_jpeg_are_ignored() {
    let options = JpegOptions {
        progressive: true,
        ..JpegOptions::default()
    };
    // At full scale all scans are decoded, at half scale some.
    for (width, height) in [(500, 300), (3000, 600)] {
        let file = quarters_jpeg(width, height, &options);
        let scans = scan_ranges(&file);
        assert!(scans.len() > 5);
        for (number, scan) in scans.into_iter().enumerate() {
            let padded = insert(&file, scan.end, &[0; 4]);
            assert_quarters(&inspect(&padded), &format!("zeros after scan {number}"));
            let twice = insert(&file, scan.end, &file[scan.clone()]);
            assert_quarters(&inspect(&twice), &format!("scan {number} twice"));
        }
    }
}

#[test]
fn surplus_bytes_never_hide_missing_data() {
    let options = JpegOptions {
        progressive: true,
        ..JpegOptions::default()
    };
    let file = quarters_jpeg(500, 300, &options);
    let scans = scan_ranges(&file);
    let [first, second] = [scans[0].clone(), scans[1].clone()];
    let padded = insert(&file, first.end, &[0; 4]);
    let middle = padded.len() - file.len() + second.start + second.len() / 2;
    let cut = [&padded[..middle], &padded[second.end + 4..]].concat();
    assert_eq!(
        inspect(&cut).findings,
        [corrupt("undecodable")],
        "the next scan is truncated"
    );
    let mut broken = padded.clone();
    // No Huffman code consists of ones only.
    broken.splice(middle..middle + 20, [0xFF, 0].repeat(10));
    assert_eq!(
        inspect(&broken).findings,
        [corrupt("undecodable")],
        "the next scan is damaged"
    );
    let mut replaced = file.clone();
    let repeated = replaced[first].to_vec();
    replaced.splice(second, repeated);
    assert_eq!(
        inspect(&replaced).findings,
        [corrupt("undecodable")],
        "the next scan is the first one again"
    );
}

#[test]
fn restart_markers_out_of_order_never_give_a_wrong_image() {
    let options = JpegOptions {
        restart: 5,
        ..JpegOptions::default()
    };
    let file = quarters_jpeg(400, 300, &options);
    let scan = marker_position(&file, 0xDA);
    let markers: Vec<usize> = (scan..file.len() - 1)
        .filter(|&at| file[at] == 0xFF && (0xD0..=0xD7).contains(&file[at + 1]))
        .collect();
    assert!(markers.len() > 50);
    let renumbered = |renumber: fn(usize, u8) -> u8| {
        let mut other = file.clone();
        for (number, &at) in markers.iter().enumerate() {
            other[at + 1] = renumber(number, other[at + 1]);
        }
        other
    };
    let cases = [
        ("all equal", renumbered(|_, _| 0xD3)),
        (
            "one changed",
            renumbered(|number, code| if number == 20 { code ^ 3 } else { code }),
        ),
        (
            "backwards",
            renumbered(|number, _| 0xD7 - u8::try_from(number % 8).unwrap()),
        ),
    ];
    for (case, file) in cases {
        let inspection = inspect(&file);
        // Decoders may ignore their numbers, but the image must be complete.
        if inspection.findings.is_empty() {
            assert_quarters(&inspection, case);
        } else {
            assert_eq!(finding_codes(&inspection), ["corrupt"], "{case}");
        }
    }
    let mut missing = file.clone();
    missing.drain(markers[20]..markers[21]);
    assert_rejected(&missing, "corrupt", "a missing interval");
}
