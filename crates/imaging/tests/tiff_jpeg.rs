//! JPEG inside TIFF comes out right, and whatever is wrong with it is told.

#[cfg(test)]
mod pictures;

use jpeg_encoder::{ColorType, SamplingFactor};
use pictures::{
    tiff::{Jpegs, Picture, longs, short},
    *,
};
use rapidphoto_imaging::max_memory_bytes;
use rapidphoto_sample_photos::{Entry, Orientation, Value};

const SIZE: (u32, u32) = (301, 203);
const GREY: u16 = 1;
const RGB: u16 = 2;
const LIGHT_AND_TINTS: u16 = 6;
const JPEG_TABLES: u16 = 347;
const UNUSUAL: &str = "image/tiff with JPEG of an unusual kind inside";

/// The part of a picture of quarters that begins here and has this size; what lies beyond it is as its edges are.
#[cfg(test)]
fn part((left, top): (u32, u32), (width, height): (u32, u32), kind: &Kind) -> Vec<u8> {
    let mut pixels = Vec::new();
    for y in top..top + height {
        for x in left..left + width {
            let colour = quarter(x.min(SIZE.0 - 1), y.min(SIZE.1 - 1), SIZE);
            match kind.colour {
                ColorType::Luma => pixels.push(colour[0]),
                _ => pixels.extend(colour),
            }
        }
    }
    let edge = |edge: u32| u16::try_from(edge).unwrap();
    encode(edge(width), edge(height), &pixels, kind)
}

#[cfg(test)]
fn light_and_tints(sampling: SamplingFactor) -> Kind {
    Kind {
        sampling,
        ..Kind::default()
    }
}

/// What an encoder takes for light and tints is kept as it is.
#[cfg(test)]
fn red_green_blue() -> Kind {
    Kind {
        colour: ColorType::Ycbcr,
        sampling: SamplingFactor::R_4_4_4,
        ..Kind::default()
    }
}

#[cfg(test)]
fn in_strips() -> Picture {
    Picture {
        chunk: (None, 32),
        ..Picture::new(SIZE, 8, 3, LIGHT_AND_TINTS)
    }
}

#[cfg(test)]
fn file_in_strips() -> Vec<u8> {
    in_strips().of_jpegs(|place, size| part(place, size, &Kind::default()))
}

/// The file with its strips changed.
#[cfg(test)]
fn with_strips(change: impl Fn(usize, Vec<u8>) -> Vec<u8>) -> Vec<u8> {
    let files: Vec<_> = (0..SIZE.1)
        .step_by(32)
        .map(|top| part((0, top), (SIZE.0, 32.min(SIZE.1 - top)), &Kind::default()))
        .collect();
    let jpegs = Jpegs::of(&files);
    let chunks: Vec<_> = jpegs
        .chunks
        .into_iter()
        .enumerate()
        .map(|(number, chunk)| change(number, chunk))
        .collect();
    let kind = Picture {
        entries: vec![
            Entry::new(JPEG_TABLES, Value::Undefined(jpegs.tables)),
            short(259, 7),
        ],
        ..in_strips()
    };
    kind.around(&chunks)
}

#[test]
fn what_libtiff_writes_is_read() {
    for (what, file) in [
        (
            "strips",
            &include_bytes!("fixtures/jpeg-light-and-tints-in-strips.tif")[..],
        ),
        (
            "tiles",
            include_bytes!("fixtures/jpeg-rgb-in-tiles-big-endian.tif"),
        ),
    ] {
        let inspection = inspect(file);
        assert_quarters(&inspection, what);
        assert_eq!((inspection.width, inspection.height), SIZE, "{what}");
    }
}

#[test]
fn strips_and_tiles_of_any_size_are_put_together() {
    let samplings = [
        SamplingFactor::R_4_2_0,
        SamplingFactor::R_4_2_2,
        SamplingFactor::R_4_4_0,
        SamplingFactor::R_4_4_4,
    ];
    for chunk in [
        (None, 16),
        (None, SIZE.1),
        (None, 10_000),
        (Some(64), 48),
        (Some(512), 512),
    ] {
        let rows = if chunk.1 == 10_000 { SIZE.1 } else { chunk.1 };
        for big_endian in [false, true] {
            let kind = |photometric| Picture {
                big_endian,
                chunk: (chunk.0, rows),
                entries: if rows == chunk.1 {
                    vec![]
                } else {
                    vec![longs(278, &[chunk.1])]
                },
                ..Picture::new(SIZE, 8, 3, photometric)
            };
            let what = format!("{chunk:?}, big endian {big_endian}");
            for sampling in samplings {
                let file = kind(LIGHT_AND_TINTS)
                    .of_jpegs(|place, size| part(place, size, &light_and_tints(sampling)));
                assert_quarters(&inspect(&file), &format!("{what}, {sampling:?}"));
            }
            let file = kind(RGB).of_jpegs(|place, size| part(place, size, &red_green_blue()));
            assert_quarters(&inspect(&file), &format!("{what}, RGB"));
        }
    }
}

#[test]
fn tables_may_stand_in_each_strip_and_metadata_too() {
    let kind = Picture {
        entries: vec![short(259, 7)],
        ..in_strips()
    };
    let strips: Vec<_> = (0..SIZE.1)
        .step_by(32)
        .map(|top| {
            let strip = Kind {
                // It is the directory's word that counts.
                orientation: Some(6),
                restart: 2,
                ..Kind::default()
            };
            // Pictures are turned back by whoever made them for this: these are not.
            let mut file = part((0, top), (SIZE.0, 32.min(SIZE.1 - top)), &strip);
            file.truncate(file.len() - 2);
            file
        })
        .collect();
    assert_quarters(&inspect(&kind.around(&strips)), "tables of their own, no end");
}

#[test]
fn a_last_strip_that_is_filled_up_is_read() {
    let file = in_strips().of_jpegs(|place, (width, _)| part(place, (width, 32), &Kind::default()));
    assert_quarters(&inspect(&file), "203 rows of 224");
    for rows in [SIZE.1, 208, u32::MAX] {
        let kind = Picture {
            chunk: (None, SIZE.1),
            entries: vec![longs(278, &[rows])],
            ..in_strips()
        };
        let file = kind.of_jpegs(|place, (width, _)| part(place, (width, 208), &Kind::default()));
        assert_quarters(&inspect(&file), &format!("203 rows of {rows}, filled up to 208"));
    }
}

#[test]
fn grey_stays_grey() {
    let kind = Kind {
        colour: ColorType::Luma,
        ..Kind::default()
    };
    let picture = Picture {
        chunk: (Some(64), 64),
        ..Picture::new(SIZE, 8, 1, GREY)
    };
    let inspection = inspect(&picture.of_jpegs(|place, size| part(place, size, &kind)));
    assert_eq!(inspection.findings, []);
    for thumbnail in &inspection.thumbnails {
        let seen = see(thumbnail);
        assert_eq!(seen.channels, 1);
        for (x, y, corner) in [(1, 1, 0), (7, 1, 1), (7, 7, 2), (1, 7, 3)] {
            let grey = seen.at(seen.width * x / 8, seen.height * y / 8)[0];
            assert!(grey.abs_diff(CORNERS[corner][0]) <= 3, "{grey}");
        }
    }
}

#[test]
fn a_file_that_ends_early_is_corrupt_wherever_it_ends() {
    let file = file_in_strips();
    assert_eq!(inspect(&file).findings, []);
    for end in (8..file.len()).step_by(7).chain([file.len() - 1]) {
        assert_refused(&file[..end], "corrupt", &format!("{end} of {}", file.len()));
    }
}

#[test]
fn a_strip_that_claims_to_be_another_picture_is_never_decoded() {
    let claiming = |height: u16, width: u16| {
        with_strips(move |number, mut strip| {
            if number == 2 {
                let frame = strip.windows(2).position(|pair| pair == [0xFF, 0xC0]).unwrap();
                strip[frame + 5..frame + 7].copy_from_slice(&height.to_be_bytes());
                strip[frame + 7..frame + 9].copy_from_slice(&width.to_be_bytes());
            }
            strip
        })
    };
    let width = u16::try_from(SIZE.0).unwrap();
    assert_quarters(&inspect(&claiming(32, width)), "as it is");
    for (height, width) in [
        (65_500, 65_500),
        (33, width),
        (31, width),
        (32, width + 1),
        (32, 1),
    ] {
        let findings = inspect(&claiming(height, width)).findings;
        assert_eq!(findings, [corrupt("undecodable")], "{height} of {width}");
    }
    assert_eq!(inspect(&claiming(0, width)).findings, [unsupported(UNUSUAL)]);
}

#[test]
fn strips_that_differ_in_kind_are_refused() {
    let other = |kind: Kind| {
        in_strips().of_jpegs(move |place, size| {
            let kind = if place.1 == 64 {
                kind.clone()
            } else {
                Kind::default()
            };
            part(place, size, &kind)
        })
    };
    let tints = other(light_and_tints(SamplingFactor::R_4_4_4));
    assert_eq!(inspect(&tints).findings, [corrupt("undecodable")]);
    let grey = other(Kind {
        colour: ColorType::Luma,
        ..Kind::default()
    });
    assert_eq!(inspect(&grey).findings, [corrupt("undecodable")]);
    let progressive = other(Kind {
        progressive: true,
        ..Kind::default()
    });
    assert_eq!(inspect(&progressive).findings, [unsupported(UNUSUAL)]);
    let arithmetic = with_strips(|_, mut strip| {
        let frame = strip.windows(2).position(|pair| pair == [0xFF, 0xC0]).unwrap();
        strip[frame + 1] = 0xC9;
        strip
    });
    assert_eq!(inspect(&arithmetic).findings, [unsupported(UNUSUAL)]);
    let halved = Picture::new(SIZE, 8, 3, RGB)
        .of_jpegs(|place, size| part(place, size, &light_and_tints(SamplingFactor::R_4_2_0)));
    assert_eq!(inspect(&halved).findings, [unsupported(UNUSUAL)]);
    let odd = Picture {
        chunk: (None, 33),
        ..in_strips()
    };
    let odd = odd.of_jpegs(|place, size| part(place, size, &Kind::default()));
    assert_eq!(inspect(&odd).findings, [unsupported(UNUSUAL)]);
}

#[test]
fn strips_and_tables_that_are_no_jpeg_are_refused() {
    let broken = |change: fn(Vec<u8>) -> Vec<u8>| {
        with_strips(move |number, strip| if number == 3 { change(strip) } else { strip })
    };
    for (what, file) in [
        ("nothing", broken(|_| vec![])),
        ("text", broken(|_| b"no picture".to_vec())),
        ("no data", broken(|strip| strip[..strip.len() / 2].to_vec())),
        ("no scan", broken(|_| vec![0xFF, 0xD8, 0xFF, 0xD9])),
        (
            "ones",
            broken(|mut strip| {
                let middle = strip.len() / 2;
                strip[middle..middle + 40].fill(0xFE);
                strip
            }),
        ),
    ] {
        assert_eq!(inspect(&file).findings, [corrupt("undecodable")], "{what}");
    }
    let with_tables = |tables: Vec<u8>| {
        let kind = Picture {
            entries: vec![Entry::new(JPEG_TABLES, Value::Undefined(tables)), short(259, 7)],
            ..in_strips()
        };
        let files: Vec<_> = (0..7)
            .map(|_| part((0, 0), (SIZE.0, 32), &Kind::default()))
            .collect();
        inspect(&kind.around(&Jpegs::of(&files).chunks)).findings
    };
    for tables in [vec![], vec![0xFF, 0xD8], b"no tables".to_vec()] {
        assert_eq!(with_tables(tables.clone()), [corrupt("malformed")], "{tables:?}");
    }
    let endless = [&[0xFF, 0xD8][..], &[0xFF, 0xFE, 0, 2].repeat(2000), &[0xFF, 0xD9]].concat();
    assert_eq!(with_tables(endless), [corrupt("malformed")]);
    assert_eq!(
        with_tables(vec![0xFF, 0xD8, 0xFF, 0xD9]),
        [corrupt("undecodable")]
    );
    // A zero behind the end is nothing; tables that the file ends before are missing.
    let own = Jpegs::of(&[part((0, 0), (SIZE.0, 32), &Kind::default())]).tables;
    assert_eq!(with_tables([&own[..], &[0]].concat()), []);
    let mut cut = file_in_strips();
    let entry = cut.windows(4).position(|entry| entry == [0x5B, 1, 7, 0]).unwrap();
    let end = u32::try_from(cut.len() - 10).unwrap();
    cut[entry + 8..entry + 12].copy_from_slice(&end.to_le_bytes());
    assert_eq!(inspect(&cut).findings, [corrupt("truncated")]);
}

#[test]
fn strips_are_no_longer_than_the_file_and_not_too_many() {
    let tile = part((0, 0), (16, 16), &Kind::default());
    let kind = |edge: u32, entries| Picture {
        chunk: (Some(16), 16),
        entries: [vec![short(259, 7)], entries].concat(),
        ..Picture::new((edge, edge), 8, 3, LIGHT_AND_TINTS)
    };
    // Ten thousand tiles that are all the same one.
    let shared = kind(1600, vec![longs(324, &[8; 10_000]), longs(325, &[1000; 10_000])]);
    assert_eq!(inspect(&shared.around(&[])).findings, [corrupt("malformed")]);
    // Forty thousand, each with a file of its own.
    let many = kind(3200, vec![]).around(&vec![tile.clone(); 40_000]);
    assert_eq!(inspect(&many).findings, [corrupt("too_many_parts")]);
    let most = kind(2896, vec![]).around(&vec![tile; 181 * 181]);
    assert_eq!(inspect(&most).findings, []);
}

#[test]
fn flipped_bits_never_break_anything() {
    let file = file_in_strips();
    for at in (0..file.len()).step_by(3) {
        let mut other = file.clone();
        other[at] ^= 1 << (at % 8);
        let inspection = inspect(&other);
        assert!(
            inspection.findings.is_empty() != inspection.thumbnails.is_empty(),
            "{at}"
        );
    }
}

#[test]
fn it_weighs_its_planes_and_a_strip() {
    let weight = |rows: u32| {
        let kind = Picture {
            chunk: (None, rows),
            ..in_strips()
        };
        let file = kind.of_jpegs(|place, size| part(place, size, &Kind::default()));
        max_memory_bytes(&file, LIMITS).unwrap() - file.len() as u64
    };
    let samples = |rows: u64| u64::from(SIZE.0) * rows * 3;
    assert!(weight(203) - weight(16) >= samples(208 - 16));
    assert!(weight(16) >= (16 << 20) + samples(SIZE.1.into()));
}

#[test]
fn the_directory_says_how_it_is_turned() {
    for number in 1..=8_u16 {
        let orientation = Orientation::from_exif(u8::try_from(number).unwrap()).unwrap();
        let (width, height, pixels) = quarters(320, 192, orientation);
        let size = (u32::from(width), u32::from(height));
        let kind = Picture {
            chunk: (Some(64), 64),
            entries: vec![short(0x0112, number)],
            ..Picture::new(size, 8, 3, LIGHT_AND_TINTS)
        };
        let file = kind.of_jpegs(|(left, top), (across, down)| {
            let tile: Vec<u8> = (top..top + down)
                .flat_map(|y| (left..left + across).map(move |x| (x, y)))
                .flat_map(|(x, y)| {
                    let at = ((y.min(size.1 - 1) * size.0 + x.min(size.0 - 1)) * 3) as usize;
                    pixels[at..at + 3].to_vec()
                })
                .collect();
            let edge = |edge: u32| u16::try_from(edge).unwrap();
            encode(edge(across), edge(down), &tile, &Kind::default())
        });
        let inspection = inspect(&file);
        assert_quarters(&inspection, &format!("orientation {number}"));
        assert_eq!((inspection.width, inspection.height), (320, 192), "{number}");
    }
}
