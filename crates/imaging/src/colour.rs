//! Colours as a screen shows them: sRGB.

use std::panic::{AssertUnwindSafe, catch_unwind};

use moxcms::{CmsError, ColorProfile, DataColorSpace, Layout, TransformOptions};

use crate::raster::Pixels;

/// Brings pixels to sRGB, or leaves grey as it is. A profile that can't be used is ignored.
pub(crate) fn to_srgb(pixels: Pixels, profile: Option<&[u8]>) -> Pixels {
    // A profile is a stranger's program for colours; the photo is worth more than its exact tints.
    let converted = profile.and_then(|profile| {
        catch_unwind(AssertUnwindSafe(|| convert(&pixels, profile)))
            .ok()?
            .ok()?
    });
    match (converted, pixels) {
        (Some(converted), _) => converted,
        (None, Pixels::Cmyk(inks)) => Pixels::Rgb(mixed(&inks)),
        (None, pixels) => pixels,
    }
}

fn convert(pixels: &Pixels, profile: &[u8]) -> Result<Option<Pixels>, CmsError> {
    let profile = ColorProfile::new_from_slice(profile)?;
    let (from, space) = match pixels {
        Pixels::Grey(_) => (Layout::Gray, DataColorSpace::Gray),
        Pixels::Rgb(_) => (Layout::Rgb, DataColorSpace::Rgb),
        Pixels::Cmyk(_) => (Layout::Rgba, DataColorSpace::Cmyk),
    };
    if profile.color_space != space {
        return Ok(None);
    }
    let transform = profile.create_transform_8bit(
        from,
        &ColorProfile::new_srgb(),
        Layout::Rgb,
        TransformOptions::default(),
    )?;
    let source = pixels.bytes();
    let mut target = vec![0; source.len() / pixels.channels() * 3];
    transform.transform(source, &mut target)?;
    Ok(Some(Pixels::Rgb(target)))
}

/// Light that inks leave: each takes its part, and black takes its part of the rest.
fn mixed(inks: &[u8]) -> Vec<u8> {
    let (inks, _) = inks.as_chunks::<4>();
    let left = |ink: u8, black: u8| {
        let light = u32::from(255 - ink) * u32::from(255 - black);
        u8::try_from((light + 127) / 255).unwrap_or(u8::MAX)
    };
    inks.iter()
        .flat_map(|&[cyan, magenta, yellow, black]| {
            [left(cyan, black), left(magenta, black), left(yellow, black)]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inks_take_their_light() {
        let inks = vec![0, 0, 0, 0, 255, 0, 0, 0, 0, 0, 0, 255, 0, 255, 255, 127];
        assert_eq!(
            to_srgb(Pixels::Cmyk(inks), None),
            Pixels::Rgb(vec![255, 255, 255, 0, 255, 255, 0, 0, 0, 128, 0, 0])
        );
    }

    #[test]
    fn a_wide_profile_is_brought_to_srgb() {
        let profile = ColorProfile::new_display_p3().encode().unwrap();
        let Pixels::Rgb(converted) = to_srgb(Pixels::Rgb(vec![200, 40, 40, 128, 128, 128]), Some(&profile))
        else {
            panic!("colours stay colours")
        };
        assert!(converted[0] > 205, "P3's red is redder: {converted:?}");
        assert!(
            converted[3..].iter().all(|&grey| grey.abs_diff(128) <= 1),
            "{converted:?}"
        );
    }

    #[test]
    fn a_profile_of_another_kind_or_of_noise_is_ignored() {
        let rgb = Pixels::Rgb(vec![1, 2, 3]);
        let grey_profile = ColorProfile::new_gray_with_gamma(2.2).encode().unwrap();
        for profile in [
            &grey_profile[..],
            &[0; 60],
            &[],
            &grey_profile[..100],
            &[0xFF; 5000],
        ] {
            assert_eq!(to_srgb(rgb.clone(), Some(profile)), rgb);
        }
    }
}
