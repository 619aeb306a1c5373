//! Files of independent encoders, and results of independent decoders. The fixtures were written by
//! libjpeg-turbo through Pillow, with its default script of ten scans (six for grey).

use super::*;
use common::script::libjpeg_script;
use jpeg_encoder::{ColorType, SamplingFactor};
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;

const FIXTURES: [(&str, &[u8]); 5] = [
    ("4:2:0", include_bytes!("../fixtures/colour-420.jpg")),
    ("4:2:2", include_bytes!("../fixtures/colour-422.jpg")),
    ("4:4:4", include_bytes!("../fixtures/colour-444.jpg")),
    ("grey", include_bytes!("../fixtures/grey.jpg")),
    ("restart markers", include_bytes!("../fixtures/restarts.jpg")),
];

fn files() -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = FIXTURES
        .iter()
        .map(|&(name, file)| (name.to_owned(), file.to_vec()))
        .collect();
    for (sampling, quality) in [
        (SamplingFactor::F_1_1, 100),
        (SamplingFactor::F_2_2, 60),
        (SamplingFactor::F_1_2, 90),
    ] {
        for restart in [0, 5] {
            let options = common::Options {
                quality,
                sampling,
                restart_interval: restart,
                ..common::DEFAULT_OPTIONS
            };
            let file = common::encode(117, 83, options, ColorType::Ycbcr, 3, |encoder| {
                encoder.set_progressive(true);
            });
            files.push((format!("{sampling:?} {restart}"), file));
        }
    }
    for seed in 0..20 {
        let factors: &[(usize, usize)] = if seed % 2 == 0 {
            &[(1, 1); 3]
        } else {
            &[(2, 2), (1, 1), (1, 1)]
        };
        let image = CoefficientImage::random(seed, (100, 75), factors, 10, 12);
        files.push((format!("at random {seed}"), image.encode(SOF2, &libjpeg_script())));
    }
    files
}

#[test]
fn full_size_luma_is_within_two_of_independent_decoders() {
    for (name, file) in files() {
        let decoded = decode_at(&file, Scale::Full).unwrap();
        assert_eq!(decoded.damage, None, "{name}");
        let luma = &decoded.planes.planes[0];
        let channels = decoded.planes.planes.len();
        let space = if channels == 1 {
            ColorSpace::Luma
        } else {
            ColorSpace::YCbCr
        };
        let options = DecoderOptions::default().jpeg_set_out_colorspace(space);
        let zune = zune_jpeg::JpegDecoder::new_with_options(std::io::Cursor::new(&file), options)
            .decode()
            .unwrap();
        let mut decoder = jpeg_decoder::Decoder::new(&*file);
        // `RGB` leaves the components as they are.
        decoder.set_color_transform(jpeg_decoder::ColorTransform::RGB);
        let other = decoder.decode().unwrap();
        for expected in [zune, other] {
            assert_eq!(expected.len(), luma.width * luma.height * channels, "{name}");
            for y in 0..luma.height {
                for (x, &sample) in luma.row(y).iter().enumerate() {
                    let difference = sample.abs_diff(expected[(y * luma.width + x) * channels]);
                    assert!(difference <= 2, "{name}: {difference} at {x}, {y}");
                }
            }
        }
    }
}

#[test]
fn full_size_chroma_is_within_two_of_an_independent_decoder() {
    let decoded = decode_at(FIXTURES[2].1, Scale::Full).unwrap().planes;
    let mut decoder = jpeg_decoder::Decoder::new(FIXTURES[2].1);
    decoder.set_color_transform(jpeg_decoder::ColorTransform::RGB);
    let expected = decoder.decode().unwrap();
    for (channel, plane) in decoded.planes.iter().enumerate() {
        for y in 0..plane.height {
            for (x, &sample) in plane.row(y).iter().enumerate() {
                assert!(sample.abs_diff(expected[(y * plane.width + x) * 3 + channel]) <= 2);
            }
        }
    }
}

#[test]
fn scaled_planes_are_truncated_transforms_of_the_full_ones() {
    for (name, file) in files() {
        let full = decode_at(&file, Scale::Full).unwrap().planes;
        for scale in [Scale::Eighth, Scale::Quarter, Scale::ThreeEighths, Scale::Half] {
            let scaled = decode_at(&file, scale).unwrap().planes;
            assert_eq!(
                (scaled.width, scaled.height),
                (scale.apply(full.width), scale.apply(full.height))
            );
            for (full, scaled) in full.planes.iter().zip(&scaled.planes) {
                common::truncated::compare(&name, full, scaled, scale.eighths());
            }
        }
    }
}
