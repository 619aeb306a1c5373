//! Images and files made by the tests.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used
)]

pub mod definition;
pub mod huffman;
pub mod script;
pub mod truncated;

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

/// A pseudo-random generator (xorshift) with the same numbers on every run.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub fn below(&mut self, limit: usize) -> usize {
        (self.next() >> 11) as usize % limit
    }
}

/// Interleaved Y, Cb, Cr (or Y alone): waves and noise that stay clear of the ends of the range.
pub fn image_samples(width: usize, height: usize, channels: usize, noise: usize) -> Vec<u8> {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut samples = Vec::with_capacity(width * height * channels);
    for y in 0..height {
        for x in 0..width {
            for channel in 0..channels {
                let (x, y) = (
                    x as f64 / (9.0 + channel as f64),
                    y as f64 / (7.0 + channel as f64),
                );
                let wave = 128.0 + 30.0 * (x.sin() + (0.6 * y + x / 3.0).cos());
                let grain = random.below(noise + 1) as f64 - noise as f64 / 2.0;
                samples.push((wave + if channel == 0 { grain } else { grain / 4.0 }) as u8);
            }
        }
    }
    samples
}

#[derive(Clone, Copy)]
pub struct Options {
    pub quality: u8,
    pub sampling: SamplingFactor,
    pub restart_interval: u16,
    pub optimized: bool,
    pub noise: usize,
}

pub const DEFAULT_OPTIONS: Options = Options {
    quality: 90,
    sampling: SamplingFactor::F_2_2,
    restart_interval: 0,
    optimized: false,
    noise: 20,
};

pub fn colour(width: u16, height: u16, options: Options) -> Vec<u8> {
    encode(width, height, options, ColorType::Ycbcr, 3, |_| {})
}

pub fn grey(width: u16, height: u16, options: Options) -> Vec<u8> {
    encode(width, height, options, ColorType::Luma, 1, |_| {})
}

pub fn encode(
    width: u16,
    height: u16,
    options: Options,
    color_type: ColorType,
    channels: usize,
    configure: impl Fn(&mut Encoder<&mut Vec<u8>>),
) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, options.quality);
    encoder.set_sampling_factor(options.sampling);
    if options.restart_interval > 0 {
        encoder.set_restart_interval(options.restart_interval);
    }
    encoder.set_optimized_huffman_tables(options.optimized);
    configure(&mut encoder);
    let samples = image_samples(width.into(), height.into(), channels, options.noise);
    encoder.encode(&samples, width, height, color_type).unwrap();
    file
}

/// Marker segments of a file: marker, position of its 0xFF, position after the segment.
pub fn segments(file: &[u8]) -> Vec<(u8, usize, usize)> {
    let mut found = vec![(0xd8, 0, 2)];
    let mut at = 2;
    loop {
        assert_eq!(file[at], 0xff);
        let length = usize::from(u16::from_be_bytes([file[at + 2], file[at + 3]]));
        found.push((file[at + 1], at, at + 2 + length));
        at += 2 + length;
        if found.last().unwrap().0 == 0xda {
            return found;
        }
    }
}

/// Position and end of the first segment with a marker.
pub fn segment(file: &[u8], marker: u8) -> (usize, usize) {
    let (_, from, to) = segments(file).into_iter().find(|each| each.0 == marker).unwrap();
    (from, to)
}

/// Positions of the restart markers.
pub fn restarts(file: &[u8]) -> Vec<usize> {
    let data = segment(file, 0xda).1;
    (data..file.len() - 1)
        .filter(|&at| file[at] == 0xff && (0xd0..=0xd7).contains(&file[at + 1]))
        .collect()
}

/// Position of the first segment of each scan: of its tables, if it has any, otherwise of its header.
pub fn scans(file: &[u8]) -> Vec<usize> {
    let mut found = Vec::new();
    let mut at = 2;
    let mut start = None;
    loop {
        let marker = file[at + 1];
        if marker == 0xd9 {
            return found;
        }
        if matches!(marker, 0xc4 | 0xdd | 0xda) {
            start.get_or_insert(at);
        }
        at += 2 + usize::from(u16::from_be_bytes([file[at + 2], file[at + 3]]));
        if marker == 0xda {
            found.extend(start.take());
            while file[at] != 0xff || matches!(file[at + 1], 0 | 0xd0..=0xd7) {
                at += 1;
            }
        }
    }
}
