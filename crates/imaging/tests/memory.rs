//! No photo takes more memory than it weighs: each is inspected in a process of its own, and the system says what it took.
#![cfg(target_os = "linux")]

#[cfg(test)]
mod pictures;

use std::{env, fs, io::Cursor, process::Command};

use ::tiff::encoder::{Compression, TiffEncoder, colortype};
use gif::{Encoder as GifEncoder, Frame};
use jpeg_encoder::{ColorType, SamplingFactor};
use pictures::{
    png::Png,
    tiff::{Picture, shorts},
    vp8l::Tiled,
    *,
};
use rapidphoto_imaging::{Scratch, inspect_bytes, max_memory_bytes};
use rapidphoto_sample_photos::{Entry, SamplePhoto, Value};
use webpx::{Encoder, Unstoppable};

/// Names in a directory of its own for each file.
const FILE: &str = "file";
const TOOK: &str = "took";
const CODES: &str = "codes";
const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

/// A number that the system knows of this process, in bytes.
#[cfg(test)]
fn status(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.split_whitespace().next().unwrap().parse::<u64>().unwrap() * KIB
}

/// A test that inspects the file in its directory where the environment names this: the process that is measured.
const IS_MEASURED: &str = "IMAGING_TEST_IS_MEASURED";

#[test]
fn a_small_photo_weighs_what_it_takes() {
    if env::var_os(IS_MEASURED).is_some() {
        return inspect_the_file_here();
    }
    // So little may be lost in what the kernel adds up for each CPU: the large ones show that it was measured.
    assert_weighed("a small photo", &picture(64, 64, &Kind::default()), 0);
}

#[cfg(test)]
fn inspect_the_file_here() {
    let file = fs::read(FILE).unwrap();
    let mut scratch = Scratch::new().unwrap();
    let before = status("VmRSS:");
    let inspection = inspect_bytes(&file, LIMITS, &mut scratch);
    let took = status("VmHWM:").saturating_sub(before);
    fs::write(TOOK, took.to_string()).unwrap();
    fs::write(CODES, codes(&inspection).join(",")).unwrap();
}

/// Bytes of memory that inspecting a file takes, and the checks that said no.
#[cfg(test)]
fn took(file: &[u8]) -> (u64, String) {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join(FILE), file).unwrap();
    let done = Command::new(env::current_exe().unwrap())
        .args(["--exact", "a_small_photo_weighs_what_it_takes"])
        .env(IS_MEASURED, "yes")
        .current_dir(directory.path())
        .output()
        .unwrap();
    assert!(done.status.success(), "{done:?}");
    let said = |name| fs::read_to_string(directory.path().join(name)).unwrap();
    (said(TOOK).parse().unwrap(), said(CODES))
}

/// Holds that a sound file takes no more than it weighs, and at least as much as shows that it was measured.
#[cfg(test)]
fn assert_weighed(what: &str, file: &[u8], least: u64) {
    let weight = max_memory_bytes(file, LIMITS).unwrap();
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
    let weight =
        |tiled: Tiled| max_memory_bytes(&webp::file(&[(*b"VP8L", &tiled.picture())]), LIMITS).unwrap();
    assert!(
        weight(plain) < 32 * MIB,
        "one group costs next to nothing: {}",
        weight(plain)
    );
    assert!(weight(Tiled { groups: 900, ..plain }) < 64 * MIB);
    assert_weighed(
        "65 536 groups",
        &webp::file(&[(*b"VP8L", &many.picture())]),
        350 * MIB,
    );
    let large = Tiled {
        size: (512, 512),
        groups: 16_384,
        large: true,
        ..many
    };
    assert_weighed(
        "large groups",
        &webp::file(&[(*b"VP8L", &large.picture())]),
        200 * MIB,
    );
}

/// TIFF's number of pictures in inks.
const INKS: u16 = 5;
const EDGES: (u16, u16) = (4000, 3000);
const SIZE: (u32, u32) = (EDGES.0 as u32, EDGES.1 as u32);
const PIXELS: usize = SIZE.0 as usize * SIZE.1 as usize;

/// Samples of a picture of [`SIZE`] in which there is something to see everywhere, so many of each pixel.
#[cfg(test)]
fn samples(of_a_pixel: usize) -> Vec<u8> {
    let mut noise = 0x1234_5678_u32;
    let mut samples = Vec::with_capacity(PIXELS * of_a_pixel);
    for at in (0..SIZE.0 * SIZE.1).map(|at| at / 64) {
        noise ^= noise << 13;
        noise ^= noise >> 17;
        noise ^= noise << 5;
        let [grain, light, ..] = (noise & 0x0707 | at << 8 & 0xF000).to_le_bytes();
        samples.extend((0..of_a_pixel).map(|sample| match sample {
            0 => grain.wrapping_add(light),
            3 => light | 1,
            _ => light,
        }));
    }
    samples
}

#[test]
fn a_jpeg_of_every_kind_weighs_what_it_takes() {
    let photo = |progressive| SamplePhoto {
        progressive,
        ..SamplePhoto::new(3, EDGES.0, EDGES.1)
    };
    assert_weighed("a baseline JPEG", &photo(false).jpeg(), MIB);
    assert_weighed("a progressive JPEG", &photo(true).jpeg(), MIB);
    for (what, colour, least) in [("grey", ColorType::Luma, 1), ("CMYK", ColorType::Cmyk, 4)] {
        let samples = samples(if colour == ColorType::Cmyk { 4 } else { 1 });
        for progressive in [false, true] {
            let kind = Kind {
                progressive,
                colour,
                ..Kind::default()
            };
            let file = encode(EDGES.0, EDGES.1, &samples, &kind);
            assert_weighed(&format!("{what}, progressive {progressive}"), &file, least * MIB);
        }
    }
}

#[test]
fn colours_that_are_told_late_cost_nothing() {
    let kind = Kind {
        progressive: true,
        sampling: SamplingFactor::R_4_4_4,
        ..Kind::default()
    };
    let file = encode(EDGES.0, EDGES.1, &samples(3), &kind);
    let markers = |code| {
        file.windows(2)
            .enumerate()
            .filter(move |(_, two)| *two == [0xFF, code])
    };
    let second = markers(0xDA).nth(1).unwrap().0;
    let adobe = b"\xFF\xEE\0\x0EAdobe\0\x64\0\0\0\0\0";
    // It would be red, green and blue, and all its coefficients were kept.
    let late = [&file[..second], adobe, &file[second..]].concat();
    assert_weighed("a late Adobe marker", &late, MIB);
    let weight = max_memory_bytes(&late, LIMITS).unwrap();
    assert!(weight < 2 * PIXELS as u64 + 16 * MIB, "{weight}");
}

#[test]
fn a_png_of_every_kind_weighs_what_it_takes() {
    for (depth, colour, of_a_pixel) in [(16, 6, 8), (16, 2, 6), (8, 2, 3), (8, 0, 1), (1, 3, 0)] {
        for interlaced in [false, true] {
            let kind = Png {
                interlaced,
                before: if colour == 3 {
                    vec![
                        png::chunk(*b"PLTE", &CORNERS.concat()),
                        png::chunk(*b"tRNS", &[200, 100]),
                    ]
                } else {
                    vec![]
                },
                ..Png::new(SIZE, depth, colour)
            };
            let row = |pixels: u32| {
                1 + if of_a_pixel == 0 {
                    pixels.div_ceil(8)
                } else {
                    pixels * of_a_pixel
                }
            };
            let length: u32 = if interlaced {
                let rows = png::PASSES.iter().map(|&[left, up, across, down]| {
                    (SIZE.1 - up).div_ceil(down) * row((SIZE.0 - left).div_ceil(across))
                });
                rows.sum()
            } else {
                SIZE.1 * row(SIZE.0)
            };
            let file = kind.around(&fdeflate::compress_to_vec(&vec![0; length as usize]));
            let what = format!("PNG, {depth} bits, colour {colour}, interlaced {interlaced}");
            assert_weighed(&what, &file, 11 * MIB);
        }
    }
}

#[test]
fn what_a_png_would_become_beside_its_pixels_takes_no_memory() {
    let bomb = fdeflate::compress_to_vec(&vec![0; 64 << 20]);
    for (kind, head) in [
        (*b"iCCP", &b"x\0\0"[..]),
        (*b"zTXt", b"Comment\0\0"),
        (*b"iTXt", b"Comment\0\x01\0\0\0"),
    ] {
        let png = Png {
            before: vec![png::chunk(kind, &[head, &bomb[..]].concat()); 20],
            ..Png::new((64, 64), 8, 0)
        };
        let file = png.around(&fdeflate::compress_to_vec(&[0; 64 * 65]));
        assert_weighed(std::str::from_utf8(&kind).unwrap(), &file, 0);
    }
}

#[test]
fn a_webp_of_every_kind_weighs_what_it_takes() {
    let encode = |samples: &[u8], has_alpha: bool, lossless: bool| {
        let encoder = if has_alpha {
            Encoder::new_rgba(samples, SIZE.0, SIZE.1)
        } else {
            Encoder::new_rgb(samples, SIZE.0, SIZE.1)
        };
        let encoder = encoder
            .quality(if lossless { 0.0 } else { 80.0 })
            .method(0)
            .lossless(lossless);
        encoder.encode(Unstoppable).unwrap()
    };
    for has_alpha in [false, true] {
        let samples = samples(if has_alpha { 4 } else { 3 });
        for lossless in [false, true] {
            let file = encode(&samples, has_alpha, lossless);
            let what = format!("WebP, alpha {has_alpha}, lossless {lossless}");
            assert_weighed(&what, &file, 30 * MIB);
            // Honest encoders make few groups.
            assert!(
                max_memory_bytes(&file, LIMITS).unwrap() < 13 * PIXELS as u64 + file.len() as u64 + 48 * MIB,
                "{what}"
            );
        }
    }
    let palette: Vec<u8> = samples(1)
        .iter()
        .flat_map(|&sample| CORNERS[usize::from(sample) % 4])
        .collect();
    assert_weighed("WebP of four colours", &encode(&palette, false, true), 40 * MIB);
}

#[test]
fn alpha_without_loss_weighs_the_tables_of_all_its_groups() {
    let size = (1024, 1024);
    let whole = Encoder::new_rgb(&vec![99; 3 << 20], size.0, size.1)
        .method(0)
        .encode(Unstoppable)
        .unwrap();
    assert_eq!(whole.get(12..16), Some(&b"VP8 "[..]));
    let less = [0xFF, 3, 0];
    let header = [&[0x10, 0, 0, 0][..], &less, &less].concat();
    let alpha = Tiled {
        size,
        bits: 2,
        groups: 65_536,
        large: false,
    };
    let file = webp::file(&[
        (*b"VP8X", &header),
        (*b"ALPH", &alpha.alpha()),
        (*b"VP8 ", &whole[20..]),
    ]);
    assert_weighed("alpha of 65 536 groups", &file, 350 * MIB);
}

#[test]
fn a_gif_weighs_what_it_takes() {
    let mut file = Vec::new();
    let mut encoder = GifEncoder::new(&mut file, EDGES.0, EDGES.1, &[7; 768]).unwrap();
    let frame = Frame {
        width: EDGES.0,
        height: EDGES.1,
        buffer: samples(1).into(),
        ..Frame::default()
    };
    encoder.write_frame(&frame).unwrap();
    drop(encoder);
    assert_weighed("GIF", &file, 20 * MIB);
}

#[test]
fn a_tiff_of_every_kind_weighs_what_it_takes() {
    let rgb = samples(3);
    for (what, compression) in [("none", Compression::Uncompressed), ("LZW", Compression::Lzw)] {
        for rows in [16, SIZE.1] {
            let mut file = Cursor::new(Vec::new());
            let mut encoder = TiffEncoder::new(&mut file).unwrap().with_compression(compression);
            let mut image = encoder.new_image::<colortype::RGB8>(SIZE.0, SIZE.1).unwrap();
            image.rows_per_strip(rows).unwrap();
            image.write_data(&rgb).unwrap();
            assert_weighed(
                &format!("TIFF, {what}, strips of {rows}"),
                file.get_ref(),
                15 * MIB,
            );
        }
    }
    for (bits, samples, photometric) in [(8, 4, INKS), (16, 3, 2), (16, 1, 1)] {
        for (apart, chunk) in [
            (false, (None, SIZE.1)),
            (true, (None, SIZE.1)),
            (false, (Some(4096), 4096)),
        ] {
            let kind = Picture {
                chunk,
                apart,
                ..Picture::new(SIZE, bits, samples, photometric)
            };
            let (across, down) = (chunk.0.unwrap_or(SIZE.0), chunk.1);
            let planes = if apart { samples } else { 1 };
            let bytes = across * down * u32::from(bits / 8) * u32::from(samples / planes);
            let file = kind.around(&vec![vec![99; bytes as usize]; planes.into()]);
            let what = format!("TIFF, {samples} times {bits} bits, apart {apart}, {chunk:?}");
            assert_weighed(&what, &file, 11 * MIB);
        }
    }
}

#[test]
fn a_tiff_of_numbers_or_jpegs_weighs_what_it_takes() {
    let numbers = Picture {
        chunk: (None, SIZE.1),
        entries: vec![shorts(320, (0..3 * 256).map(|value| value * 80).collect())],
        ..Picture::new(SIZE, 8, 1, 3)
    };
    let file = numbers.around(&[samples(1)]);
    assert_weighed("TIFF of numbers", &file, 15 * MIB);
    let pixels = samples(3);
    for (photometric, colour, sampling) in [
        (6, ColorType::Rgb, SamplingFactor::R_4_2_0),
        (6, ColorType::Rgb, SamplingFactor::R_4_4_4),
        (2, ColorType::Ycbcr, SamplingFactor::R_4_4_4),
    ] {
        let kind = Kind {
            sampling,
            colour,
            ..Kind::default()
        };
        for chunk in [(None, SIZE.1), (None, 64), (Some(512), 512)] {
            let picture = Picture {
                chunk,
                ..Picture::new(SIZE, 8, 3, photometric)
            };
            let file = picture.of_jpegs(|_, (width, height)| {
                let edge = |edge: u32| u16::try_from(edge).unwrap();
                let pixels = &pixels[..(width * height * 3) as usize];
                encode(edge(width), edge(height), pixels, &kind)
            });
            let what = format!("TIFF of JPEG, {photometric}, {sampling:?}, {chunk:?}");
            assert_weighed(&what, &file, 15 * MIB);
        }
    }
}

#[test]
fn a_single_row_weighs_what_it_takes() {
    const WIDTH: u32 = 24_000_000;
    let colours: Vec<u16> = (0..3 * 256).map(|value| value * 80).collect();
    for (what, bits, count, photometric, entries) in [
        ("numbers", 8, 1, 3, vec![shorts(320, colours.clone())]),
        ("small numbers", 1, 1, 3, vec![shorts(320, colours[..6].to_vec())]),
        ("RGB", 8, 3, 2, vec![]),
        ("RGB and alpha", 8, 4, 2, vec![shorts(338, vec![2])]),
        ("RGB of 16 bits", 16, 3, 2, vec![]),
        ("grey", 8, 1, 1, vec![]),
    ] {
        let row = u64::from(WIDTH) * u64::from(count) * u64::from(bits) / 8;
        let row = fdeflate::compress_to_vec(&vec![0x5A; usize::try_from(row).unwrap()]);
        let kind = Picture {
            entries: [entries, vec![shorts(259, vec![8])]].concat(),
            ..Picture::new((WIDTH, 1), bits, count, photometric)
        };
        assert_weighed(&format!("a row of {what}"), &kind.around(&[row]), 20 * MIB);
    }
    let png = Png::new((WIDTH, 1), 8, 2).file(|_, _| vec![90, 91, 92]);
    assert_weighed("a row as PNG", &png, 20 * MIB);
    let png = Png::new((1, WIDTH / 3), 8, 2).file(|_, _| vec![90, 91, 92]);
    assert_weighed("a column as PNG", &png, 20 * MIB);
}

#[test]
fn a_canvas_that_is_almost_empty_weighs_what_it_takes() {
    let picture = Encoder::new_rgb(&[9; 3], 1, 1).encode(Unstoppable).unwrap();
    let frame = [&[0; 12][..], &[0; 4], &picture[12..]].concat();
    for (width, height) in [(1 << 24, 2), (1, 1 << 24)] {
        let edge = |edge: u32| (edge - 1).to_le_bytes();
        let [w0, w1, w2, _] = edge(width);
        let [h0, h1, h2, _] = edge(height);
        let canvas = [2, 0, 0, 0, w0, w1, w2, h0, h1, h2];
        let chunks = [(*b"VP8X", &canvas[..]), (*b"ANIM", &[0; 6]), (*b"ANMF", &frame)];
        assert_weighed(&format!("{width} x {height}"), &webp::file(&chunks), 20 * MIB);
    }
}

#[test]
fn a_tiff_weighs_the_lists_of_its_strips() {
    const STRIPS: u16 = 273;
    const STRIP_LENGTHS: u16 = 279;
    let size = (4, 2_000_000);
    let list = |tag, value| Entry::new(tag, Value::Shorts(vec![value; size.1 as usize]));
    let kind = Picture {
        chunk: (None, 1),
        entries: vec![list(STRIPS, 8), list(STRIP_LENGTHS, 4)],
        ..Picture::new(size, 8, 1, 1)
    };
    assert_weighed("2 000 000 strips", &kind.around(&[]), 64 * MIB);
}
