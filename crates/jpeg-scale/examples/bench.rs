//! `bench ROUNDS FILE…`: CPU milliseconds to decode each photo at each scale, and to encode thumbnails, compared with
//! other Rust libraries.
//!
//! The candidates are interleaved in every round, so that load on the machine affects all alike. Prints the medians of
//! the rounds.
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::cast_precision_loss)]

use std::error::Error;
use std::time::{Duration, Instant};

use jpeg_scale::{Backend, Decoder, Encoder, Limits, Planes, Scale};
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;

/// Calls that are timed together, because some machines count CPU time in ticks of up to 4 ms.
const CALLS: u32 = 8;

/// CPU time of this thread; wall-clock time where the system does not report it.
fn cpu_time(since: Instant) -> Duration {
    let schedstat = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = schedstat.and_then(|text| text.split(' ').next()?.parse().ok());
    nanoseconds.map_or_else(|| since.elapsed(), Duration::from_nanos)
}

struct Candidate<'a> {
    name: String,
    run: Box<dyn FnMut() + 'a>,
    milliseconds: Vec<f64>,
}

impl<'a> Candidate<'a> {
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

fn decoders(file: &[u8]) -> Vec<Candidate<'_>> {
    let mut all = Vec::new();
    for (name, backend) in [("", Backend::detect()), (", portable", Backend::portable())] {
        for scale in Scale::ALL {
            let mut decoder = Decoder::with_backend(backend);
            let mut planes = Planes::default();
            all.push(Candidate::new(
                format!("{}/8{name}", scale.eighths()),
                move || {
                    let outcome = decoder.decode_into(file, scale, &Limits::default(), &mut planes);
                    assert_eq!(outcome, Ok(None));
                },
            ));
        }
    }
    all.push(Candidate::new("zune-jpeg, full size", move || {
        let options = DecoderOptions::default().jpeg_set_out_colorspace(ColorSpace::YCbCr);
        let mut decoder = zune_jpeg::JpegDecoder::new_with_options(std::io::Cursor::new(file), options);
        assert!(decoder.decode().is_ok());
    }));
    all.push(Candidate::new("jpeg-decoder, 4/8", move || {
        let mut decoder = jpeg_decoder::Decoder::new(file);
        assert!(decoder.read_info().is_ok());
        let (width, height) = decoder.info().map_or((0, 0), |info| (info.width, info.height));
        assert!(decoder.scale(width / 2, height / 2).is_ok());
        assert!(decoder.decode().is_ok());
    }));
    all
}

/// Encoders of the thumbnails of a photo, about 1024 and 256 pixels wide, from planes.
fn encoders(file: &[u8]) -> Vec<Candidate<'_>> {
    let limits = Limits::default();
    let thumbnails: Vec<Planes> = [(Scale::Half, 1024), (Scale::Eighth, 256)]
        .into_iter()
        .filter_map(|(scale, longer_side)| {
            let mut planes = Decoder::new().decode(file, scale, &limits).ok()?.planes;
            // The middle of the image, whose detail is like a thumbnail's.
            for plane in &mut planes.planes {
                let longer_side = if plane.width * 3 < planes.width * 2 {
                    longer_side / 2
                } else {
                    longer_side
                };
                let from = plane.stride * (plane.height.saturating_sub(longer_side * 3 / 4) / 2);
                plane.data.drain(..from);
                plane.width = plane.width.min(longer_side);
                plane.height = plane.height.min(longer_side * 3 / 4);
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
        all.push(Candidate::new(name, move || {
            for image in &thumbnails {
                assert!(Encoder::with_backend(80, backend).encode(image).is_ok());
            }
        }));
    }
    all.push(Candidate::new("jpeg-encoder", move || {
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

/// Interleaved samples with width and height, for an encoder without planes.
fn interleave(image: &Planes) -> (Vec<u8>, u16, u16) {
    let Some((first, _)) = image.planes.split_first() else {
        return Default::default();
    };
    let mut samples = Vec::new();
    for y in 0..first.height {
        for x in 0..first.width {
            samples.extend([0, 1, 2].map(|channel| {
                let plane = image.planes.get(channel).unwrap_or(first);
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
        let mut candidates = decoders(&file);
        candidates.extend(encoders(&file));
        for _ in 0..rounds {
            for candidate in &mut candidates {
                (candidate.run)();
                let before = cpu_time(start);
                for _ in 0..CALLS {
                    (candidate.run)();
                }
                let elapsed = cpu_time(start).saturating_sub(before) / CALLS;
                candidate.milliseconds.push(elapsed.as_secs_f64() * 1e3);
            }
        }
        for candidate in &mut candidates {
            let median = candidate.median();
            println!("  {:<24}{median:7.2} ms", candidate.name);
        }
    }
    Ok(())
}
