//! Unsupported formats, inconsistent headers, and random damage.

use super::*;

#[test]
fn fill_bytes_are_skipped() {
    let file = colour(
        64,
        64,
        Options {
            restart_interval: 2,
            ..DEFAULT_OPTIONS
        },
    );
    let expected = decode(&file);
    let mut filled = Vec::new();
    let markers: Vec<_> = segments(&file)
        .iter()
        .skip(1)
        .map(|each| each.1)
        .chain(restarts(&file))
        .collect();
    for (at, &byte) in file.iter().enumerate() {
        if markers.contains(&at) {
            filled.extend([0xff; 5]);
        }
        filled.push(byte);
    }
    assert!(filled.len() > file.len() + 50);
    assert_eq!(decode(&filled), expected);
}

#[test]
fn unsupported_kinds_are_recognised() {
    let unsupported = |file: &[u8], reason| {
        assert_eq!(decode(file).unwrap_err(), Error::Unsupported(reason));
        assert_eq!(read_header(file).unwrap().unsupported, Some(reason));
    };
    let plain = |color_type, channels| encode(48, 40, DEFAULT_OPTIONS, color_type, channels, |_| {});
    unsupported(&plain(ColorType::Cmyk, 4), Unsupported::Cmyk);
    unsupported(&plain(ColorType::CmykAsYcck, 4), Unsupported::Cmyk);

    let file = colour(48, 40, DEFAULT_OPTIONS);
    let (frame, _) = segment(&file, SOF0);
    for (marker, reason) in [
        (0xc3, Unsupported::Lossless),
        (0xc5, Unsupported::Hierarchical),
        (0xc6, Unsupported::Hierarchical),
        (0xc7, Unsupported::Hierarchical),
        (0xc9, Unsupported::Arithmetic),
        (0xca, Unsupported::Arithmetic),
        (0xcb, Unsupported::Arithmetic),
        (0xcd, Unsupported::Hierarchical),
        (0xf7, Unsupported::Lossless),
    ] {
        let mut other = file.clone();
        other[frame + 1] = marker;
        unsupported(&other, reason);
    }
    let mut wide = file.clone();
    wide[frame + 11] = 0x41;
    unsupported(&wide, Unsupported::Sampling);
    let mut deep = file.clone();
    deep[frame + 1] = 0xc1;
    assert_eq!(
        decode(&deep),
        decode(&file),
        "extended sequential with 8 bits is the same"
    );
    deep[frame + 4] = 12;
    unsupported(&deep, Unsupported::Depth);

    // Transform 0 in an Adobe segment means red, green, blue.
    let jfif = segment(&file, 0xe0);
    let adobe = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00";
    let untransformed = replace(&file, jfif, adobe);
    assert!(read_header(&untransformed).unwrap().rgb && !read_header(&file).unwrap().rgb);
    assert_eq!(decode(&untransformed), decode(&file), "given as they are stored");
    let mut transformed = adobe.to_vec();
    transformed[15] = 1;
    assert!(!read_header(&replace(&file, jfif, &transformed)).unwrap().rgb);
    // A JFIF header takes precedence.
    assert!(!read_header(&insert_before(&file, SOF0, adobe)).unwrap().rgb);
}

#[test]
fn inconsistent_headers_are_errors() {
    let file = colour(48, 40, DEFAULT_OPTIONS);
    let (frame, frame_end) = segment(&file, SOF0);
    let (scan, _) = segment(&file, SOS);
    let patched = |at: usize, value: u8| {
        let mut file = file.clone();
        file[at] = value;
        decode(&file)
    };
    let corrupt = |outcome: Result<Decoded, Error>, reason| {
        assert_eq!(outcome.unwrap_err(), Error::Corrupt(reason));
    };
    corrupt(patched(0, 0), Corrupt::NotJpeg);
    corrupt(patched(frame + 9, 0), Corrupt::Frame);
    corrupt(patched(frame + 9, 2), Corrupt::Segment);
    corrupt(patched(frame + 11, 0x02), Corrupt::Frame);
    corrupt(patched(frame + 11, 0x25), Corrupt::Frame);
    corrupt(patched(frame + 12, 4), Corrupt::Frame);
    corrupt(patched(frame + 3, 10), Corrupt::Segment);
    corrupt(patched(scan + 4, 4), Corrupt::Scan);
    corrupt(patched(scan + 5, 77), Corrupt::Scan);
    corrupt(patched(scan + 6, 0x40), Corrupt::Scan);
    corrupt(patched(scan + 6, 0x03), Corrupt::Huffman);
    corrupt(patched(scan + 3, 3), Corrupt::Scan);
    corrupt(decode(&replace(&file, (frame, frame_end), &[])), Corrupt::Marker);
    let twice = insert_before(&file, SOS, &file[frame..frame_end]);
    corrupt(decode(&twice), Corrupt::Marker);
    corrupt(
        decode(&insert_before(&file, SOS, &[0xff, 0xdd, 0, 3, 0])),
        Corrupt::Segment,
    );
    corrupt(
        decode(&insert_before(&file, SOS, &[0xff, 0xe5, 0, 1])),
        Corrupt::Segment,
    );
    corrupt(decode(b""), Corrupt::NotJpeg);
    corrupt(decode(b"\xff\xd8"), Corrupt::Truncated);
    corrupt(decode(b"\xff\xd8\xff\xd9"), Corrupt::Truncated);
    corrupt(
        decode(&[b"\xff\xd8".as_slice(), &[0xff; 100]].concat()),
        Corrupt::Truncated,
    );
}

#[test]
fn random_damage_never_panics() {
    let mut random = common::Random(11);
    let mut decoder = Decoder::new();
    for sampling in [SamplingFactor::F_1_1, SamplingFactor::F_2_2] {
        let file = colour(
            90,
            70,
            Options {
                sampling,
                restart_interval: 3,
                ..DEFAULT_OPTIONS
            },
        );
        for _ in 0..3000 {
            let mut file = file.clone();
            for _ in 0..=random.below(6) {
                let at = random.below(file.len());
                file[at] = random.next() as u8;
            }
            file.truncate(file.len() - random.below(20) * random.below(20));
            let scale = Scale::ALL[random.below(5)];
            let limits = Limits {
                pixels: 1 << 22,
                bytes: 1 << 24,
            };
            let _ = decoder.decode(&file, scale, &limits);
        }
    }
}
