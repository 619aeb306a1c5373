//! From the range of studio video, which VP8 has (RFC 6386, 9.2: ITU-R BT.601), to that of JPEG.

/// Light from 16 to 235 to the full range.
pub(super) fn widen_light(samples: &mut [u8]) {
    for sample in samples {
        // 149 / 128 is 255 / 219 to a fourteenth of a step; all fits 16 bits.
        let wide = (u16::from(sample.saturating_sub(16)) * 149 + 64) >> 7;
        *sample = wide.min(255) as u8;
    }
}

/// Tints from 16 to 240 to the full range; 128 is no tint in both.
pub(super) fn widen_tint(samples: &mut [u8]) {
    for sample in samples {
        // 1 + 71 / 512 is 255 / 224 to a thirtieth of a step; all fits 16 bits.
        let tint = i16::from(*sample) - 128;
        let wide = (tint + ((tint * 71 + 256) >> 9) + 128).clamp(0, 255);
        *sample = wide.cast_unsigned().min(255) as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_is_widened_to_the_nearest() {
        for sample in 0..=255_u8 {
            let (mut light, mut tint) = ([sample], [sample]);
            widen_light(&mut light);
            widen_tint(&mut tint);
            let exact_light = ((f64::from(sample) - 16.0) * 255.0 / 219.0).clamp(0.0, 255.0);
            let exact_tint = ((f64::from(sample) - 128.0) * 255.0 / 224.0 + 128.0).clamp(0.0, 255.0);
            assert!(
                (f64::from(light[0]) - exact_light).abs() < 0.6,
                "{sample}: {light:?}"
            );
            assert!(
                (f64::from(tint[0]) - exact_tint).abs() < 0.6,
                "{sample}: {tint:?}"
            );
        }
    }
}
