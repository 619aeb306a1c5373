//! Images made from the input, encoded by one independent library and decoded by another: our planes equal theirs within
//! a stated error, at full size and reduced by the definition (a truncated DCT in floating point). Chroma is compared
//! only where it has the size of luma, because the other decoder enlarges it otherwise.

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use jpeg_scale::{Decoder, Limits, Plane, Scale};
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;

use crate::common::definition::truncated;

/// Both decoders round once, and the other's inverse DCT is in fixed point.
const FULL_SIZE_ERROR: u8 = 2;
/// Rounding once, and the most that rounding 64 full-size samples contributes.
const SCALED_ERROR: f64 = 3.0;

pub(crate) fn check(data: &[u8]) {
    let Some((&[width, height, quality, kind, restart], samples)) = data.split_first_chunk() else {
        return;
    };
    if samples.is_empty() {
        return;
    }
    let (width, height) = (u16::from(width % 80) + 1, u16::from(height % 80) + 1);
    let (color_type, channels) = if kind & 4 == 0 {
        (ColorType::Ycbcr, 3)
    } else {
        (ColorType::Luma, 1)
    };
    let subsampling = usize::from(kind & 3);
    let sampling = [
        SamplingFactor::F_1_1,
        SamplingFactor::F_2_1,
        SamplingFactor::F_1_2,
        SamplingFactor::F_2_2,
    ][subsampling];
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, quality % 100 + 1);
    encoder.set_sampling_factor(sampling);
    if restart > 127 {
        encoder.set_restart_interval(u16::from(restart - 127));
    }
    // Spectral selection only; the `scripts` target covers all other progressive files.
    encoder.set_progressive(kind & 8 != 0);
    let size = usize::from(width) * usize::from(height) * channels;
    let image: Vec<u8> = samples.iter().copied().cycle().take(size).collect();
    encoder
        .encode(&image, width, height, color_type)
        .expect("encoded");

    let space = if channels == 1 {
        ColorSpace::Luma
    } else {
        ColorSpace::YCbCr
    };
    let options = DecoderOptions::default().jpeg_set_out_colorspace(space);
    let expected = zune_jpeg::JpegDecoder::new_with_options(std::io::Cursor::new(&file), options)
        .decode()
        .expect("decoded by zune-jpeg");
    let (width, height) = (usize::from(width), usize::from(height));
    let has_full_size_chroma = subsampling == 0;
    let comparable = if has_full_size_chroma { channels } else { 1 };
    let expected: Vec<Vec<Vec<u8>>> = (0..comparable)
        .map(|channel| {
            let row = |y| {
                (0..width)
                    .map(|x| expected[(y * width + x) * channels + channel])
                    .collect()
            };
            (0..height).map(row).collect()
        })
        .collect();

    let mut decoder = Decoder::new();
    for scale in Scale::ALL {
        let decoded = decoder.decode(&file, scale, &Limits::default()).expect("decoded");
        assert_eq!(decoded.damage, None);
        for (plane, expected) in decoded.planes.planes.iter().zip(&expected) {
            compare(plane, expected, scale);
        }
    }
}

fn compare(plane: &Plane, expected: &[Vec<u8>], scale: Scale) {
    let (width, height) = (expected[0].len(), expected.len());
    if scale == Scale::Full {
        for (y, row) in expected.iter().enumerate() {
            for (ours, theirs) in plane.row(y).iter().zip(row) {
                assert!(ours.abs_diff(*theirs) <= FULL_SIZE_ERROR, "{ours} for {theirs}");
            }
        }
        return;
    }
    let n = scale.eighths();
    for block_y in 0..height / 8 {
        for block_x in 0..width / 8 {
            let block: Vec<&[u8]> = expected[block_y * 8..][..8]
                .iter()
                .map(|row| &row[block_x * 8..][..8])
                .collect();
            // Clipped full-size samples do not determine the coefficients.
            if block
                .iter()
                .any(|row| row.iter().any(|sample| matches!(sample, 0 | 255)))
            {
                continue;
            }
            for (at, sample) in truncated(|x, y| f64::from(block[y][x]), n)
                .into_iter()
                .enumerate()
            {
                let ours = f64::from(plane.row(block_y * n + at / n)[block_x * n + at % n]);
                assert!(
                    (ours - sample.clamp(0.0, 255.0)).abs() < SCALED_ERROR,
                    "{ours} for {sample}"
                );
            }
        }
    }
}
