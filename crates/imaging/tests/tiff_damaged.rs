//! TIFF files that are damaged, hostile or of a kind that is not read are told so and never cost more than they claim.

#[cfg(test)]
mod pictures;

use pictures::{
    tiff::{Picture, longs, short, shorts},
    *,
};
use rapidphoto_domain::photo::{Check, Finding};
use rapidphoto_sample_photos::{Entry, Value};

const SIZE: (u32, u32) = (97, 61);
const RGB: u16 = 2;

#[cfg(test)]
fn noise(x: u32, y: u32) -> Vec<u16> {
    [x * y, x * x + y, x ^ y]
        .map(|sample| u16::try_from(sample % 251).unwrap())
        .to_vec()
}

/// A file whose directory says something else as well.
#[cfg(test)]
fn with(entries: Vec<Entry>) -> Vec<u8> {
    let kind = Picture {
        entries,
        ..Picture::new(SIZE, 8, 3, RGB)
    };
    kind.file(noise)
}

#[test]
fn a_file_that_ends_early_is_corrupt_wherever_it_ends() {
    for chunk in [(None, 8), (Some(32), 16)] {
        let kind = Picture {
            chunk,
            ..Picture::new(SIZE, 8, 3, RGB)
        };
        let file = kind.file(noise);
        assert_eq!(inspect(&file).findings, []);
        let step = (file.len() / 500).max(1);
        for end in (8..400)
            .chain((400..file.len()).step_by(step))
            .chain([file.len() - 1])
        {
            assert_refused(&file[..end], "corrupt", &format!("{end} of {}", file.len()));
        }
        // A directory that stands behind the pixels never came.
        assert_eq!(inspect(b"II*\0\0\x10\0\0").findings, [corrupt("truncated")]);
    }
}

#[test]
fn compressed_pixels_that_end_early_are_corrupt() {
    let rows: Vec<u8> = (0..61)
        .flat_map(|y| (0..97).flat_map(move |x| noise(x, y)))
        .map(|sample| sample.try_into().unwrap())
        .collect();
    let stream = fdeflate::compress_to_vec(&rows);
    let kind = Picture {
        chunk: (None, SIZE.1),
        entries: vec![short(259, 8)],
        ..Picture::new(SIZE, 8, 3, RGB)
    };
    assert_eq!(inspect(&kind.around(std::slice::from_ref(&stream))).findings, []);
    for part in 0..20 {
        let cut = stream[..stream.len() * part / 20].to_vec();
        assert_eq!(
            inspect(&kind.around(&[cut])).findings,
            [corrupt("undecodable")],
            "{part} of 20"
        );
    }
}

#[test]
fn flipped_bits_never_break_anything() {
    for chunk in [(None, 8), (Some(32), 16)] {
        let kind = Picture {
            chunk,
            ..Picture::new(SIZE, 8, 3, RGB)
        };
        let file = kind.file(noise);
        assert_flips_are_borne(&file, 0..400);
    }
}

#[test]
fn dimensions_are_judged_before_anything_is_allocated() {
    let claimed = |width: u32, height: u32| inspect(&with(vec![longs(256, &[width]), longs(257, &[height])]));
    for (width, height) in [(65_500, 65_500), (u32::MAX, u32::MAX), (u32::MAX, 1)] {
        let pixels = u64::from(width) * u64::from(height);
        let findings = claimed(width, height).findings;
        assert!(
            findings.contains(&Finding::measured(Check::TooManyPixels, pixels, 100_000_000)),
            "{findings:?}"
        );
    }
    assert_eq!(claimed(0, 10).findings, [corrupt("no_pixels")]);
    assert_eq!(claimed(10, 0).findings, [corrupt("no_pixels")]);
    assert_eq!(claimed(9_000, 9_000).findings, [corrupt("malformed")]);
    // One strip that should hold them all.
    let one = |height: u32| {
        let kind = Picture {
            entries: vec![longs(257, &[height]), longs(278, &[u32::MAX])],
            ..Picture::new((9_000, 1), 16, 4, RGB)
        };
        inspect(&kind.around(&[vec![0; 72_000]]))
    };
    assert_eq!(one(1).findings, []);
    assert_eq!(one(9_000).findings, [corrupt("undecodable")]);
}

#[test]
fn places_and_counts_that_lie_are_refused() {
    let most = [u32::MAX];
    let cases = [
        ("a strip beyond the file", vec![longs(273, &most)], "truncated"),
        ("no strips", vec![longs(273, &[])], "malformed"),
        ("strips of no rows", vec![longs(278, &[0])], "malformed"),
        (
            "more strips than rows",
            vec![longs(273, &[8; 5000]), longs(279, &[1; 5000])],
            "malformed",
        ),
        (
            "tiles and strips",
            vec![longs(322, &[16]), longs(323, &[16]), longs(324, &[8])],
            "malformed",
        ),
        (
            "tiles without width",
            vec![longs(322, &[0]), longs(323, &[16])],
            "malformed",
        ),
        ("tiles without height", vec![longs(322, &[16])], "malformed"),
        (
            "strips that are a text",
            vec![Entry::new(273, Value::Text("here".to_owned()))],
            "malformed",
        ),
    ];
    for (what, entries, how) in cases {
        assert_eq!(inspect(&with(entries)).findings, [corrupt(how)], "{what}");
    }
    // A count of 2^32 − 1 strips in twelve bytes.
    let mut file = with(vec![]);
    let entry = file.windows(4).position(|tag| tag == [0x11, 1, 4, 0]).unwrap();
    file[entry + 4..entry + 8].fill(0xFF);
    assert_eq!(inspect(&file).findings, [corrupt("truncated")]);

    // Tiles of 4 billion by 4 billion pixels for a picture of one.
    let huge = Picture {
        chunk: (Some(1), 1),
        entries: vec![longs(322, &most), longs(323, &most)],
        ..Picture::new((1, 1), 8, 3, RGB)
    };
    let inspection = inspect(&huge.around(&[vec![0; 3]]));
    assert_eq!(inspection.findings, [corrupt("malformed")]);
}

#[test]
fn tiles_that_lie_beyond_the_picture_are_not_decoded_for_ever() {
    // A few bytes that become four billion pixels, of which a column is the picture.
    let (width, height) = (65_520, 16);
    let tile = fdeflate::compress_to_vec(&vec![0; (width * height * 3) as usize]);
    let length = u32::try_from(tile.len()).unwrap();
    let tiles = |edge: u32| {
        let count = edge.div_ceil(height) as usize;
        let at = |place: u32| {
            let kind = Picture {
                chunk: (Some(width), height),
                entries: vec![
                    short(259, 8),
                    longs(324, &vec![place; count]),
                    longs(325, &vec![length; count]),
                ],
                ..Picture::new((1, edge), 8, 3, RGB)
            };
            kind.around(std::slice::from_ref(&tile))
        };
        at(u32::try_from(at(0).len()).unwrap() - length)
    };
    assert_eq!(inspect(&tiles(160)).findings, []);
    assert_eq!(inspect(&tiles(65_535)).findings, [corrupt("malformed")]);
    let thin = Picture {
        chunk: (Some(512), 512),
        ..Picture::new((1, 65_535), 8, 1, 1)
    };
    assert_eq!(inspect(&thin.file(|_, _| vec![99])).findings, []);
}

#[test]
fn numbers_of_a_kind_that_only_the_decoder_knows_are_malformed() {
    const LONG8: u16 = 16;
    const DIRECTORY: u16 = 13;
    let kind = Picture {
        chunk: (Some(16), 16),
        entries: vec![short(317, 1), short(338, 0), short(266, 1)],
        ..Picture::new((16, 1), 8, 4, RGB)
    };
    let file = kind.file(|_, _| vec![9; 4]);
    assert_eq!(inspect(&file).findings, []);
    for tag in [
        256_u16, 257, 258, 259, 262, 266, 277, 284, 317, 322, 323, 324, 325, 338,
    ] {
        let count = usize::from(u16::from_le_bytes([file[8], file[9]]));
        let entry = (0..count)
            .map(|index| 10 + index * 12)
            .find(|&at| file[at..at + 2] == tag.to_le_bytes())
            .unwrap();
        for number in [LONG8, DIRECTORY] {
            let mut other = file.clone();
            other[entry + 2..entry + 4].copy_from_slice(&number.to_le_bytes());
            assert_eq!(
                inspect(&other).findings,
                [corrupt("malformed")],
                "{tag}, {number}"
            );
        }
    }
}

#[test]
fn directories_in_circles_cost_nothing() {
    // The directory names itself as its child, and as its EXIF and GPS.
    let here = [8_u32];
    let mut file = with(vec![
        longs(330, &here),
        longs(0x8769, &here),
        longs(0x8825, &here),
    ]);
    let inspection = inspect(&file);
    assert_eq!(inspection.findings, []);
    assert_eq!(inspection.thumbnails.len(), 2);
    // And as the one that follows it.
    let count = usize::from(u16::from_le_bytes([file[8], file[9]]));
    let next = 10 + count * 12;
    file[next..next + 4].copy_from_slice(&8_u32.to_le_bytes());
    assert_eq!(inspect(&file).findings, [corrupt("undecodable")]);

    // Sixty-five thousand entries, none of which is there.
    let crowded = [b"II*\0\x08\0\0\0\xFF\xFF", &[1; 600][..]].concat();
    assert_refused(&crowded, "corrupt", "a crowded directory");
}

#[test]
fn kinds_that_can_not_be_read_are_named() {
    let cases = [
        (
            "image/x-adobe-dng",
            vec![Entry::new(50_706, Value::Bytes(vec![1, 4, 0, 0]))],
        ),
        (
            "image/tiff of a camera's raw data",
            vec![longs(254, &[1]), longs(330, &[8])],
        ),
        ("image/tiff of a camera's raw data", vec![short(262, 32_803)]),
        ("image/tiff of a camera's raw data", vec![short(262, 34_892)]),
        (
            "image/tiff with JPEG of an unusual kind inside",
            vec![short(259, 7), short(277, 4)],
        ),
        (
            "image/tiff with JPEG of an unusual kind inside",
            vec![short(259, 7), short(284, 2)],
        ),
        (
            "image/tiff with JPEG of an unusual kind inside",
            vec![short(259, 7), short(262, 5)],
        ),
        (
            "image/tiff with JPEG of an unusual kind inside",
            vec![short(259, 6)],
        ),
        ("image/tiff in an unusual compression", vec![short(259, 4)]),
        ("image/tiff in an unusual compression", vec![short(259, 34_713)]),
        (
            "image/tiff with samples other than whole numbers",
            vec![short(339, 3)],
        ),
        (
            "image/tiff with an unusual number of bits or colours",
            vec![short(262, 3)],
        ),
        ("image/tiff in an unusual colour space", vec![short(262, 6)]),
        ("image/tiff in an unusual colour space", vec![short(262, 8)]),
        (
            "image/tiff with an unusual number of bits or colours",
            vec![Entry::new(258, Value::Shorts(vec![32; 3]))],
        ),
        (
            "image/tiff with an unusual number of bits or colours",
            vec![Entry::new(258, Value::Shorts(vec![12; 3]))],
        ),
        (
            "image/tiff with an unusual number of bits or colours",
            vec![short(277, 2)],
        ),
    ];
    for (name, entries) in cases {
        let file = with(entries.clone());
        let inspection = inspect(&file);
        assert_eq!(inspection.findings, [unsupported(name)], "{entries:?}");
        assert!(inspection.thumbnails.is_empty());
    }
    let mut canon = with(vec![]);
    canon.splice(8..8, *b"CR\x02\0\0\0\0\0");
    assert_eq!(inspect(&canon).findings, [unsupported("image/x-canon-cr2")]);
    for big in [
        &b"II\x2B\0\x08\0\0\0\x10\0\0\0\0\0\0\0"[..],
        b"MM\0\x2B\0\x08\0\0",
    ] {
        assert_eq!(inspect(big).findings, [unsupported("image/tiff of the big kind")]);
    }
}

#[test]
fn a_palette_of_other_than_its_colours_is_malformed() {
    const PALETTE: u16 = 3;
    for colours in [
        None,
        Some(0),
        Some(3),
        Some(3 * 16 - 1),
        Some(3 * 16 + 1),
        Some(70_000),
    ] {
        let kind = Picture {
            entries: colours
                .map(|count| shorts(320, vec![7; count]))
                .into_iter()
                .collect(),
            ..Picture::new(SIZE, 4, 1, PALETTE)
        };
        let findings = inspect(&kind.file(|x, _| vec![u16::try_from(x % 16).unwrap()])).findings;
        assert_eq!(findings, [corrupt("malformed")], "{colours:?}");
    }
    // One that the file ends before, and one with the picture where the directory says that there is one.
    let whole = |entries: Vec<Entry>| Picture {
        entries: [vec![shorts(320, vec![7; 3 * 256])], entries].concat(),
        ..Picture::new(SIZE, 8, 1, PALETTE)
    };
    let mut cut = whole(vec![]).file(|_, _| vec![3]);
    let entry = cut.windows(4).position(|entry| entry == [0x40, 1, 3, 0]).unwrap();
    let end = u32::try_from(cut.len() - 9).unwrap();
    cut[entry + 8..entry + 12].copy_from_slice(&end.to_le_bytes());
    assert_eq!(inspect(&cut).findings, [corrupt("truncated")]);
    let over = whole(vec![
        longs(273, &[8]),
        longs(278, &[1000]),
        longs(279, &[97 * 61]),
    ]);
    assert_eq!(
        inspect(&over.around(&[vec![3; 97 * 61]])).findings,
        [corrupt("malformed")]
    );
    // Bits of less than a byte in an order that is not read.
    let odd = [unsupported("image/tiff with an unusual order of bits")];
    for entry in [short(266, 2), short(317, 2)] {
        let kind = Picture {
            entries: vec![shorts(320, vec![7; 3 * 16]), entry],
            ..Picture::new(SIZE, 4, 1, PALETTE)
        };
        assert_eq!(inspect(&kind.file(|_, _| vec![3])).findings, odd);
    }
    assert_eq!(inspect(&with(vec![short(266, 2)])).findings, odd);
    // Tiles whose rows end within a byte.
    for (width, findings) in [(8, vec![]), (12, odd.to_vec()), (16, vec![])] {
        let kind = Picture {
            chunk: (Some(width), 16),
            ..Picture::new((96, 96), 1, 1, 1)
        };
        assert_eq!(inspect(&kind.file(|_, _| vec![1])).findings, findings, "{width}");
    }
}

#[test]
fn a_directory_without_a_picture_is_malformed() {
    let empty = Picture::new(SIZE, 8, 3, RGB);
    let bare = rapidphoto_sample_photos::Tiff {
        big_endian: false,
        entries: vec![short(0x0112, 6)],
    };
    assert_eq!(inspect(&bare.bytes()).findings, [corrupt("malformed")]);
    assert_eq!(inspect(&empty.around(&[])).findings, [corrupt("malformed")]);
    assert_eq!(inspect(b"II*\0").findings, [corrupt("truncated")]);
}

#[test]
fn directories_that_say_two_things_are_malformed() {
    let file = with(vec![]);
    let place = u32::from_le_bytes(file[4..8].try_into().unwrap()) as usize;
    let count = u16::from_le_bytes(file[place..place + 2].try_into().unwrap());
    let entries = &file[place + 2..place + 2 + usize::from(count) * 12];
    let with_entry = |entry: &[u8], times: u16| {
        let end = u32::try_from(file.len()).unwrap().to_le_bytes();
        let count = (count + times).to_le_bytes();
        let more = entry.repeat(times.into());
        let directory = [&count[..], entries, &more, &[0; 4]].concat();
        [&file[..4], &end, &file[8..], &directory].concat()
    };
    for entry in entries.chunks_exact(12) {
        assert_eq!(inspect(&with_entry(entry, 1)).findings, [], "the same twice");
        let mut other = entry.to_vec();
        other[8] ^= 1;
        assert_eq!(
            inspect(&with_entry(&other, 1)).findings,
            [corrupt("malformed")],
            "{entry:?}"
        );
    }
    let crowd = with_entry(&[0xFF, 0xFF, 3, 0, 1, 0, 0, 0, 0, 0, 0, 0], 2000);
    assert_eq!(inspect(&crowd).findings, [corrupt("too_many_parts")]);
}
