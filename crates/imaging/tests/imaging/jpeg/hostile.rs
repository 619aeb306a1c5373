//! Files that would keep a decoder busy, and files that are also valid in another format.

use rapidphoto_domain::values::MimeType;
use rapidphoto_imaging::{Sniffed, sniff};

use super::{insert, marker_position};
use crate::fixtures::*;

#[test]
fn excessive_segments_and_scans_are_rejected() {
    let file = quarters_jpeg(64, 64, &JpegOptions::default());
    let tables = marker_position(&file, 0xDB);
    let many_comments = insert(&file, tables, &[0xFF, 0xFE, 0, 2].repeat(100_000));
    assert_eq!(inspect(&many_comments).findings, [corrupt("too_many_parts")]);

    let progressive = quarters_jpeg(
        64,
        64,
        &JpegOptions {
            progressive: true,
            ..JpegOptions::default()
        },
    );
    let scan = marker_position(&progressive, 0xDA);
    let mut many_scans = progressive[..scan].to_vec();
    for _ in 0..5_000 {
        many_scans.extend([0xFF, 0xDA, 0, 8, 1, 1, 0, 1, 63, 0x10, 0]);
    }
    many_scans.extend(&progressive[scan..]);
    assert_eq!(inspect(&many_scans).findings, [corrupt("too_many_parts")]);
}

#[test]
fn excessive_huffman_tables_are_rejected() {
    let file = quarters_jpeg(500, 300, &JpegOptions::default());
    let table = marker_position(&file, 0xC4);
    let length = usize::from(u16::from_be_bytes([file[table + 2], file[table + 3]]));
    let inspect_with_tables = |bytes: usize| {
        let tables = &file[table + 4..table + 2 + length];
        let segment = segment(0xC4, &tables.repeat(60_000 / tables.len()));
        let segments = segment.repeat(bytes / segment.len());
        inspect(&insert(&file, table, &segments))
    };
    assert_quarters(&inspect_with_tables(500_000), "half a megabyte of tables");
    assert_eq!(
        inspect_with_tables(2_000_000).findings,
        [corrupt("too_many_parts")]
    );
}

/// A grey progressive CMYK file with the given scans: component (`None` for all), first and last coefficient, and
/// successive approximation (Ah and Al). All blocks are empty, in end-of-band runs of 32 767.
fn grey_cmyk_jpeg((width, height): (u16, u16), scans: &[(Option<u8>, (u8, u8), u8)]) -> Vec<u8> {
    let size = [height.to_be_bytes(), width.to_be_bytes()].concat();
    let components = (1..=4).flat_map(|id| [id, 0x11, 0]).collect();
    let frame = [vec![8], size, vec![4], components].concat();
    let huffman_table =
        |destination: u8, symbol: u8| segment(0xC4, &[&[destination, 1][..], &[0; 15], &[symbol]].concat());
    let mut file = [
        vec![0xFF, 0xD8],
        segment(0xDB, &[&[0][..], &[1; 64]].concat()),
        segment(0xC2, &frame),
        huffman_table(0, 0),
        huffman_table(0x10, 0xE0),
    ]
    .concat();
    let blocks = usize::from(width).div_ceil(8) * usize::from(height).div_ceil(8);
    for &(component, (first, last), approximation) in scans {
        let ids: Vec<u8> = component.map_or(vec![1, 2, 3, 4], |id| vec![id]);
        let selectors: Vec<u8> = ids.iter().flat_map(|&id| [id, 0]).collect();
        let count = u8::try_from(ids.len()).unwrap();
        let header = [vec![count], selectors, vec![first, last, approximation]].concat();
        file.extend(segment(0xDA, &header));
        if first == 0 {
            file.resize(file.len() + (blocks * ids.len()).div_ceil(8), 0);
        } else {
            let mut bits = [&[false][..], &[true; 14]]
                .concat()
                .repeat(blocks.div_ceil(32_767));
            bits.resize(bits.len().next_multiple_of(8), true);
            for byte in bits.chunks(8) {
                let byte = byte.iter().fold(0, |byte, &bit| byte << 1 | u8::from(bit));
                file.push(byte);
                file.extend((byte == 0xFF).then_some(0));
            }
        }
    }
    file.extend([0xFF, 0xD9]);
    file
}

#[test]
fn excessive_empty_scans_of_many_blocks_are_rejected() {
    let size = (3200, 3200);
    let each = |band: (u8, u8), approximation: u8| (1..=4).map(move |id| (Some(id), band, approximation));
    // The default scans of libjpeg.
    let mut scans = vec![(None, (0, 0), 0x01)];
    scans.extend(each((1, 5), 0x02).chain(each((6, 63), 0x02)));
    scans.extend(each((1, 63), 0x21));
    scans.push((None, (0, 0), 0x10));
    scans.extend(each((1, 63), 0x10));
    let default = inspect(&grey_cmyk_jpeg(size, &scans));
    assert_eq!(default.findings, []);
    assert_eq!(default.thumbnails.len(), 2);
    // A few hundred bytes more, each of which would make the decoder visit every block again.
    scans.extend(each((1, 63), 0x10).cycle().take(99 - scans.len()));
    assert_eq!(
        inspect(&grey_cmyk_jpeg(size, &scans)).findings,
        [corrupt("too_many_parts")]
    );
    // With few blocks they are harmless.
    assert_eq!(inspect(&grey_cmyk_jpeg((640, 480), &scans)).findings, []);
}

#[test]
fn a_jpeg_that_is_also_html_is_only_a_jpeg() {
    let html = b"<!DOCTYPE html><script>alert(document.domain)</script>";
    let file = quarters_jpeg(500, 300, &JpegOptions::default());
    let polyglot = [with_segments(&file, &segment(0xFE, html)), html.to_vec()].concat();
    assert_eq!(sniff(&polyglot), Sniffed::Image(MimeType::Jpeg));
    let inspection = inspect(&polyglot);
    assert_quarters(&inspection, "with HTML");
    for thumbnail in &inspection.thumbnails {
        assert!(!thumbnail.jpeg.windows(6).any(|bytes| bytes == b"script"));
    }
    // HTML followed by a JPEG is text.
    let text = [html.repeat(10), file].concat();
    assert_eq!(inspect(&text).findings, [unsupported("text/plain")]);
}
