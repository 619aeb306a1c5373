//! `bench ROUNDS FILE…`: CPU milliseconds to decode each photo at each scale, and to encode thumbnails, beside other
//! libraries of Rust.
//!
//! All take turns in every round, so that a busy machine treats them alike; the medians of the rounds are printed.
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::cast_precision_loss)]

use std::error::Error;
use std::time::{Duration, Instant};

use jpeg_scale::{Backend, Decoder, Encoder, Limits, Planes, Scale};
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;

/// Calls that are timed together: CPU time is counted in ticks of up to 4 ms on some machines.
const CALLS: u32 = 8;

/// Time that this thread has been on a CPU; where the system does not tell, the time that went by.
fn cpu_time(since: Instant) -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = told.and_then(|text| text.split(' ').next()?.parse().ok());
    nanoseconds.map_or_else(|| since.elapsed(), Duration::from_nanos)
}

struct Contestant<'a> {
    name: String,
    run: Box<dyn FnMut() + 'a>,
    milliseconds: Vec<f64>,
}

impl<'a> Contestant<'a> {
    fn new(name: impl Into<String>, run: impl FnMut() + 'a) -> Self {
        Self {
            name: name.into(),
            run: Box::new(run),
            milliseconds: Vec::new(),
        }
    }

    fn median(&mut self) -> f64 {
        self.milliseconds.sort_by(f64::total_cmp);
        self.milliseconds
            .get(self.milliseconds.len() / 2)
            .copied()
            .unwrap_or_default()
    }
}

fn decoders(file: &[u8]) -> Vec<Contestant<'_>> {
    let mut all = Vec::new();
    for (name, backend) in [("", Backend::detect()), (", portable", Backend::portable())] {
        for scale in Scale::ALL {
            let mut decoder = Decoder::with_backend(backend);
            let mut planes = Planes::default();
            all.push(Contestant::new(
                format!("{}/8{name}", scale.eighths()),
                move || {
                    let outcome = decoder.decode_into(file, scale, &Limits::default(), &mut planes);
                    assert_eq!(outcome, Ok(None));
                },
            ));
        }
    }
    all.push(Contestant::new("zune-jpeg, full size", move || {
        let options = DecoderOptions::default().jpeg_set_out_colorspace(ColorSpace::YCbCr);
        let mut decoder = zune_jpeg::JpegDecoder::new_with_options(std::io::Cursor::new(file), options);
        assert!(decoder.decode().is_ok());
    }));
    all.push(Contestant::new("jpeg-decoder, 4/8", move || {
        let mut decoder = jpeg_decoder::Decoder::new(file);
        assert!(decoder.read_info().is_ok());
        let (width, height) = decoder.info().map_or((0, 0), |info| (info.width, info.height));
        assert!(decoder.scale(width / 2, height / 2).is_ok());
        assert!(decoder.decode().is_ok());
    }));
    all
}

/// Encoding of the thumbnails of a photo, 1024 and 256 pixels wide or so, from planes.
fn encoders(file: &[u8]) -> Vec<Contestant<'_>> {
    let limits = Limits::default();
    let thumbnails: Vec<Planes> = [(Scale::Half, 1024), (Scale::Eighth, 256)]
        .into_iter()
        .filter_map(|(scale, longest)| {
            let mut planes = Decoder::new().decode(file, scale, &limits).ok()?.planes;
            // The middle of the picture; its detail is that of a thumbnail.
            for plane in &mut planes.planes {
                let longest = if plane.width * 3 < planes.width * 2 {
                    longest / 2
                } else {
                    longest
                };
                let from = plane.stride * (plane.height.saturating_sub(longest * 3 / 4) / 2);
                plane.data.drain(..from);
                plane.width = plane.width.min(longest);
                plane.height = plane.height.min(longest * 3 / 4);
            }
            Some(planes)
        })
        .collect();
    let interleaved: Vec<_> = thumbnails.iter().map(interleave).collect();
    let mut all = Vec::new();
    for (name, backend) in [
        ("encode", Backend::detect()),
        ("encode, portable", Backend::portable()),
    ] {
        let thumbnails = thumbnails.clone();
        all.push(Contestant::new(name, move || {
            for picture in &thumbnails {
                assert!(Encoder::with_backend(80, backend).encode(picture).is_ok());
            }
        }));
    }
    all.push(Contestant::new("jpeg-encoder", move || {
        for (samples, width, height) in &interleaved {
            let mut encoder = jpeg_encoder::Encoder::new(Vec::new(), 80);
            encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::F_2_2);
            assert!(
                encoder
                    .encode(samples, *width, *height, jpeg_encoder::ColorType::Ycbcr)
                    .is_ok()
            );
        }
    }));
    all
}

/// What an encoder without planes needs.
fn interleave(picture: &Planes) -> (Vec<u8>, u16, u16) {
    let Some((first, _)) = picture.planes.split_first() else {
        return Default::default();
    };
    let mut samples = Vec::new();
    for y in 0..first.height {
        for x in 0..first.width {
            samples.extend([0, 1, 2].map(|channel| {
                let plane = picture.planes.get(channel).unwrap_or(first);
                plane.row(y * plane.height / first.height)[x * plane.width / first.width]
            }));
        }
    }
    (samples, first.width as u16, first.height as u16)
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let rounds: usize = arguments.next().ok_or("usage: bench ROUNDS FILE…")?.parse()?;
    let start = Instant::now();
    for path in arguments {
        let file = std::fs::read(&path)?;
        println!("{path}, {:.2} MB", file.len() as f64 / 1e6);
        let mut contestants = decoders(&file);
        contestants.extend(encoders(&file));
        for _ in 0..rounds {
            for contestant in &mut contestants {
                (contestant.run)();
                let before = cpu_time(start);
                for _ in 0..CALLS {
                    (contestant.run)();
                }
                let taken = cpu_time(start).saturating_sub(before) / CALLS;
                contestant.milliseconds.push(taken.as_secs_f64() * 1e3);
            }
        }
        for contestant in &mut contestants {
            let median = contestant.median();
            println!("  {:<24}{median:7.2} ms", contestant.name);
        }
    }
    Ok(())
}
