//! Conversion from video range, which VP8 uses (RFC 6386, 9.2: ITU-R BT.601), to the full range of JPEG.

/// Expands luma from 16 to 235.
pub(super) fn expand_luma(samples: &mut [u8]) {
    for sample in samples {
        // 149 / 128 is 255 / 219 within a fourteenth of a step; all values fit 16 bits.
        let full = (u16::from(sample.saturating_sub(16)) * 149 + 64) >> 7;
        *sample = full.min(255) as u8;
    }
}

/// Expands chroma from 16 to 240; 128 is neutral in both ranges.
pub(super) fn expand_chroma(samples: &mut [u8]) {
    for sample in samples {
        // 1 + 71 / 512 is 255 / 224 within a thirtieth of a step; all values fit 16 bits.
        let chroma = i16::from(*sample) - 128;
        let full = (chroma + ((chroma * 71 + 256) >> 9) + 128).clamp(0, 255);
        *sample = full.cast_unsigned().min(255) as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_is_expanded_to_the_nearest() {
        for sample in 0..=255_u8 {
            let (mut luma, mut chroma) = ([sample], [sample]);
            expand_luma(&mut luma);
            expand_chroma(&mut chroma);
            let exact_luma = ((f64::from(sample) - 16.0) * 255.0 / 219.0).clamp(0.0, 255.0);
            let exact_chroma = ((f64::from(sample) - 128.0) * 255.0 / 224.0 + 128.0).clamp(0.0, 255.0);
            assert!(
                (f64::from(luma[0]) - exact_luma).abs() < 0.6,
                "{sample}: {luma:?}"
            );
            assert!(
                (f64::from(chroma[0]) - exact_chroma).abs() < 0.6,
                "{sample}: {chroma:?}"
            );
        }
    }
}
