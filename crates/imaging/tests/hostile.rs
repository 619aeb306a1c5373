//! Files that are made to cost much or to be taken for something else.

#[cfg(test)]
mod pictures;

use std::time::Duration;

use jpeg_encoder::{ColorType, SamplingFactor};
use moxcms::ColorProfile;
use pictures::{
    cpu_time::CpuTime,
    png::{Png, chunk},
    *,
};
use rapidphoto_domain::values::MimeType;
use rapidphoto_imaging::{Sniffed, sniff};
use rapidphoto_sample_photos::Orientation;

/// A file with something between its start and its first segment.
#[cfg(test)]
fn with_segments(file: &[u8], segments: &[u8]) -> Vec<u8> {
    [&file[..2], segments, &file[2..]].concat()
}

#[cfg(test)]
fn segment(code: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
    [&[0xFF, code], &length[..], content].concat()
}

#[test]
fn a_gigabyte_of_zeros_behind_a_photo_is_not_looked_at() {
    let file = picture(500, 300, &Kind::default());
    // Pages of zeros take memory only when they are touched.
    let mut large = vec![0; 1 << 30];
    large[..file.len()].copy_from_slice(&file);
    let inspecting = CpuTime::start();
    assert_quarters(&inspect(&large), "with a gigabyte");
    let inspecting = inspecting.elapsed();
    // Every line of the cache, once: less than anybody needs to look for something.
    let reading = CpuTime::start();
    assert!(large[file.len()..].iter().step_by(64).all(|byte| *byte == 0));
    let reading = reading.elapsed();
    assert!(
        inspecting < reading / 2,
        "{inspecting:?}, {reading:?} to look at it all"
    );
}

#[test]
fn a_flood_of_huffman_tables_is_refused() {
    let file = picture(500, 300, &Kind::default());
    let table = file.windows(2).position(|marker| marker == [0xFF, 0xC4]).unwrap();
    let length = usize::from(u16::from_be_bytes([file[table + 2], file[table + 3]]));
    let flood = |bytes: usize| {
        let once = &file[table + 4..table + 2 + length];
        let segment = segment(0xC4, &once.repeat(60_000 / once.len()));
        let flood = segment.repeat(bytes / segment.len());
        inspect(&[&file[..table], &flood, &file[table..]].concat())
    };
    assert_quarters(&flood(500_000), "half a megabyte of tables");
    assert_eq!(flood(2_000_000).findings, [corrupt("too_many_parts")]);
}

#[test]
fn four_components_are_inks_as_libjpeg_has_it() {
    // Adobe says 0 for CMYK and 2 for YCCK; libjpeg takes whatever else it says for YCCK, too.
    let seen = |colour, transform: u8| {
        let kind = Kind {
            colour,
            ..Kind::default()
        };
        let mut file = encode(64, 48, &[40, 90, 140, 20].repeat(64 * 48), &kind);
        let adobe = file.windows(5).position(|name| name == b"Adobe").unwrap();
        assert_eq!(file[adobe + 11], if colour == ColorType::Cmyk { 0 } else { 2 });
        file[adobe + 11] = transform;
        inspect(&file).thumbnails.remove(0).jpeg
    };
    for transform in [1, 3, 255] {
        assert_eq!(
            seen(ColorType::CmykAsYcck, transform),
            seen(ColorType::CmykAsYcck, 2)
        );
    }
    assert_ne!(seen(ColorType::CmykAsYcck, 2), seen(ColorType::CmykAsYcck, 0));
}

#[test]
fn a_photo_that_is_a_page_as_well_is_a_photo_alone() {
    let page = b"<!DOCTYPE html><script>alert(document.domain)</script>";
    let file = picture(500, 300, &Kind::default());
    let polyglot = [with_segments(&file, &segment(0xFE, page)), page.to_vec()].concat();
    assert_eq!(sniff(&polyglot), Sniffed::Image(MimeType::Jpeg));
    let inspection = inspect(&polyglot);
    assert_quarters(&inspection, "a page");
    for thumbnail in &inspection.thumbnails {
        assert!(!thumbnail.jpeg.windows(6).any(|part| part == b"script"));
    }
    // The other way round, it is a text.
    let text = [page.repeat(10), file].concat();
    assert_eq!(inspect(&text).findings, [unsupported("text/plain")]);
}

/// A file with a segment behind its first scan.
#[cfg(test)]
fn with_segment_behind_the_first_scan(file: &[u8], segment: &[u8]) -> Vec<u8> {
    let scan = file.windows(2).position(|marker| marker == [0xFF, 0xDA]).unwrap();
    let end = (scan + 2..file.len() - 1)
        .find(|&at| file[at] == 0xFF && !matches!(file[at + 1], 0 | 0xD0..=0xD7))
        .unwrap();
    [&file[..end], segment, &file[end..]].concat()
}

#[test]
fn what_is_said_of_colours_behind_the_first_scan_is_not_heard() {
    let adobe = segment(0xEE, b"Adobe\0\x64\0\0\0\0\0");
    let jfif = segment(0xE0, b"JFIF\0\x01\x02\0\0\x01\0\x01\0\0");
    let (width, height, pixels) = quarters(400, 300, Orientation::UPRIGHT);
    for progressive in [false, true] {
        let kind = Kind {
            progressive,
            sampling: SamplingFactor::R_4_4_4,
            ..Kind::default()
        };
        let without_jfif = |mut file: Vec<u8>| {
            assert_eq!(file[2..4], [0xFF, 0xE0]);
            file.drain(2..20);
            file
        };
        let luma_and_chroma = without_jfif(encode(width, height, &pixels, &kind));
        let late_adobe = with_segment_behind_the_first_scan(&luma_and_chroma, &adobe);
        assert_quarters(&inspect(&late_adobe), "a late Adobe marker");

        let as_they_are = Kind {
            colour: ColorType::Ycbcr,
            ..kind
        };
        let rgb = without_jfif(encode(width, height, &pixels, &as_they_are));
        let rgb = with_segments(&rgb, &adobe);
        assert_quarters(&inspect(&rgb), "RGB");
        let late_jfif = with_segment_behind_the_first_scan(&rgb, &jfif);
        assert_quarters(&inspect(&late_jfif), "a late JFIF marker");
    }
}

#[test]
fn restart_markers_out_of_order_never_show_what_is_not_there() {
    let kind = Kind {
        restart: 5,
        ..Kind::default()
    };
    let file = picture(400, 300, &kind);
    let scan = file.windows(2).position(|marker| marker == [0xFF, 0xDA]).unwrap();
    let markers: Vec<usize> = (scan..file.len() - 1)
        .filter(|&at| file[at] == 0xFF && (0xD0..=0xD7).contains(&file[at + 1]))
        .collect();
    assert!(markers.len() > 50);
    let renamed = |rename: fn(usize, u8) -> u8| {
        let mut other = file.clone();
        for (number, &at) in markers.iter().enumerate() {
            other[at + 1] = rename(number, other[at + 1]);
        }
        other
    };
    let cases = [
        ("all the same", renamed(|_, _| 0xD3)),
        (
            "one of them another",
            renamed(|number, code| if number == 20 { code ^ 3 } else { code }),
        ),
        (
            "backwards",
            renamed(|number, _| 0xD7 - u8::try_from(number % 8).unwrap()),
        ),
    ];
    for (what, file) in cases {
        let inspection = inspect(&file);
        // Whether they count is a matter of taste; a picture with holes is not.
        if inspection.findings.is_empty() {
            assert_quarters(&inspection, what);
        } else {
            assert_eq!(codes(&inspection), ["corrupt"], "{what}");
        }
    }
    let mut missing = file.clone();
    missing.drain(markers[20]..markers[21]);
    assert_refused(&missing, "corrupt", "a stretch that is missing");
}

#[test]
fn fifty_megabytes_of_exif_cost_nothing() {
    const LENGTH: usize = 50 << 20;
    // A directory of as many entries as can be said, all of which lead far away, and nothing but zeros.
    let mut crowded = b"II*\0\x08\0\0\0\xFF\xFF".to_vec();
    crowded.extend([0x0F, 0x01, 2, 0, 0xFF, 0xFF, 0x0F, 0, 0, 0, 1, 0].repeat(65_535));
    crowded.resize(LENGTH, b'x');
    for exif in [crowded, vec![0; LENGTH]] {
        let kind = Png {
            after: vec![chunk_without_sum(*b"eXIf", &exif)],
            ..Png::new((64, 64), 8, 2)
        };
        let file = kind.file(|x, y| quarter(x, y, (64, 64)).map(u16::from).to_vec());
        let started = CpuTime::start();
        let inspection = inspect(&file);
        assert!(
            started.elapsed() < Duration::from_secs(1),
            "{:?}",
            started.elapsed()
        );
        assert_quarters(&inspection, "a large EXIF");
        assert_eq!(inspection.metadata.orientation, None);
    }
    // A JPEG has to cut it up, and only its first part counts.
    let part = segment(0xE1, &[b"Exif\0\0", &vec![7; 65_000][..]].concat());
    let file = picture(64, 64, &Kind::default());
    let large = with_segments(&file, &part.repeat(LENGTH / part.len()));
    assert_quarters(&inspect(&large), "a large EXIF");
}

/// What no decoder sees needs no sum, and sums of many megabytes take long.
#[cfg(test)]
fn chunk_without_sum(kind: [u8; 4], content: &[u8]) -> Vec<u8> {
    let mut whole = chunk(kind, &[]);
    whole[..4].copy_from_slice(&u32::try_from(content.len()).unwrap().to_be_bytes());
    whole.splice(8..8, content.iter().copied());
    whole
}

#[test]
fn five_megabytes_of_a_sound_profile_are_left_out() {
    let of_length = |length: usize| {
        let mut profile = ColorProfile::new_display_p3().encode().unwrap();
        profile.resize(length, 0);
        profile[..4].copy_from_slice(&u32::try_from(length).unwrap().to_be_bytes());
        let kind = Kind {
            profile,
            ..Kind::default()
        };
        inspect(&picture(300, 300, &kind))
    };
    let applied = of_length(3 << 20);
    assert_eq!(applied.findings, []);
    for thumbnail in &applied.thumbnails {
        let red = see(thumbnail).corners()[0];
        assert!(!near(red, RED), "a profile of this length counts: {red:?}");
    }
    assert_quarters(&of_length(5 << 20), "a large profile");
}

/// A progressive picture in four grey inks. Of each scan that is told by component (`None`: all), coefficients, and bits,
/// nothing is to be seen: its blocks come in runs of 32 767 that are empty.
#[cfg(test)]
fn inks_in_scans((width, height): (u16, u16), scans: &[(Option<u8>, (u8, u8), u8)]) -> Vec<u8> {
    let size = [height.to_be_bytes(), width.to_be_bytes()].concat();
    let components = (1..=4).flat_map(|name| [name, 0x11, 0]).collect();
    let frame = [vec![8], size, vec![4], components].concat();
    let code = |slot: u8, symbol: u8| segment(0xC4, &[&[slot, 1][..], &[0; 15], &[symbol]].concat());
    let mut file = [
        vec![0xFF, 0xD8],
        segment(0xDB, &[&[0][..], &[1; 64]].concat()),
        segment(0xC2, &frame),
        code(0, 0),
        code(0x10, 0xE0),
    ]
    .concat();
    let blocks = usize::from(width).div_ceil(8) * usize::from(height).div_ceil(8);
    for &(component, (first, last), approximation) in scans {
        let names: Vec<u8> = component.map_or(vec![1, 2, 3, 4], |name| vec![name]);
        let selectors: Vec<u8> = names.iter().flat_map(|&name| [name, 0]).collect();
        let count = u8::try_from(names.len()).unwrap();
        let header = [vec![count], selectors, vec![first, last, approximation]].concat();
        file.extend(segment(0xDA, &header));
        if first == 0 {
            file.resize(file.len() + (blocks * names.len()).div_ceil(8), 0);
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
fn scans_that_bring_nothing_and_cost_much_are_refused() {
    let size = (3200, 3200);
    let each = |band: (u8, u8), approximation: u8| (1..=4).map(move |name| (Some(name), band, approximation));
    // As libjpeg writes them.
    let mut scans = vec![(None, (0, 0), 0x01)];
    scans.extend(each((1, 5), 0x02).chain(each((6, 63), 0x02)));
    scans.extend(each((1, 63), 0x21));
    scans.push((None, (0, 0), 0x10));
    scans.extend(each((1, 63), 0x10));
    let honest = inspect(&inks_in_scans(size, &scans));
    assert_eq!(honest.findings, []);
    assert_eq!(honest.thumbnails.len(), 2);
    // A few hundred bytes more, and each would be another look at every block.
    scans.extend(each((1, 63), 0x10).cycle().take(99 - scans.len()));
    assert_eq!(
        inspect(&inks_in_scans(size, &scans)).findings,
        [corrupt("too_many_parts")]
    );
    // Where there are few blocks, it does not matter.
    assert_eq!(inspect(&inks_in_scans((640, 480), &scans)).findings, []);
}
