//! Colours as a screen shows them: sRGB.

use std::panic::{AssertUnwindSafe, catch_unwind};

use moxcms::{CmsError, ColorProfile, DataColorSpace, Layout, TransformOptions};

use crate::raster::{Colour, Plane, Raster, pixels_of, planes_of};

/// Brings a picture whose planes have one size to sRGB, or leaves grey as it is. A profile that can't be used is ignored.
pub(crate) fn to_srgb(picture: Raster, profile: Option<&[u8]>) -> Raster {
    // A profile is a stranger's program for colours; the photo is worth more than its exact tints.
    let converted = profile.and_then(|profile| {
        catch_unwind(AssertUnwindSafe(|| convert(&picture, profile)))
            .ok()?
            .ok()?
    });
    match (converted, picture.colour) {
        (Some(pixels), _) => rgb(&picture, pixels),
        (None, Colour::Cmyk) => rgb(&picture, mixed(&pixels_of(&picture.planes))),
        (None, Colour::Grey | Colour::Rgb | Colour::Ycc) => picture,
    }
}

/// Pixels in place of a picture's own.
fn rgb(picture: &Raster, pixels: Vec<u8>) -> Raster {
    let size = picture
        .planes
        .first()
        .map_or((0, 0), |plane| (plane.width, plane.height));
    let planes = planes_of(Colour::Rgb, pixels).into_iter();
    Raster {
        colour: Colour::Rgb,
        planes: planes.map(|samples| Plane::whole(size, samples)).collect(),
    }
}

fn convert(picture: &Raster, profile: &[u8]) -> Result<Option<Vec<u8>>, CmsError> {
    let profile = ColorProfile::new_from_slice(profile)?;
    let (from, space) = match picture.colour {
        Colour::Grey => (Layout::Gray, DataColorSpace::Gray),
        Colour::Rgb => (Layout::Rgb, DataColorSpace::Rgb),
        // A profile speaks of red, green and blue: whoever has one converts first.
        Colour::Ycc => return Ok(None),
        Colour::Cmyk => (Layout::Rgba, DataColorSpace::Cmyk),
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
    let source = pixels_of(&picture.planes);
    let mut target = vec![0; source.len() / picture.colour.planes() * 3];
    transform.transform(&source, &mut target)?;
    Ok(Some(target))
}

/// The red, green and blue of a picture in Y, Cb and Cr whose planes have one size (JFIF 1.02, page 3); another picture
/// as it is.
pub(crate) fn to_rgb(picture: Raster) -> Raster {
    let [light, blueness, redness] = &picture.planes[..] else {
        return picture;
    };
    if picture.colour != Colour::Ycc {
        return picture;
    }
    let mut planes: [Vec<u8>; 3] = std::array::from_fn(|_| Vec::with_capacity(light.samples.len()));
    let [reds, greens, blues] = &mut planes;
    for ((&y, &cb), &cr) in light.samples.iter().zip(&blueness.samples).zip(&redness.samples) {
        let (y, cb, cr) = (i32::from(y) << 16, i32::from(cb) - 128, i32::from(cr) - 128);
        reds.push(rounded(y + 91_881 * cr));
        greens.push(rounded(y - 22_554 * cb - 46_802 * cr));
        blues.push(rounded(y + 116_130 * cb));
    }
    let size = (light.width, light.height);
    Raster {
        colour: Colour::Rgb,
        planes: planes.map(|samples| Plane::whole(size, samples)).into(),
    }
}

/// A sample from its 65 536-fold.
fn rounded(sample: i32) -> u8 {
    u8::try_from(((sample + 32_768) >> 16).clamp(0, 255)).unwrap_or_default()
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

    fn picture(colour: Colour, pixels: &[u8]) -> Raster {
        let width = u32::try_from(pixels.len() / colour.planes()).unwrap();
        let planes = planes_of(colour, pixels.to_vec()).into_iter();
        Raster {
            colour,
            planes: planes.map(|samples| Plane::whole((width, 1), samples)).collect(),
        }
    }

    #[test]
    fn light_and_its_tints_become_red_green_and_blue() {
        // Black, white, and the primaries as JFIF's formulas give them.
        let ycc = [0, 128, 128, 255, 128, 128, 76, 85, 255, 150, 44, 21, 29, 255, 107];
        let rgb = [0, 0, 0, 255, 255, 255, 254, 0, 0, 0, 255, 1, 0, 0, 254];
        assert_eq!(to_rgb(picture(Colour::Ycc, &ycc)), picture(Colour::Rgb, &rgb));
    }

    #[test]
    fn inks_take_their_light() {
        let inks = picture(
            Colour::Cmyk,
            &[0, 0, 0, 0, 255, 0, 0, 0, 0, 0, 0, 255, 0, 255, 255, 127],
        );
        let light = picture(Colour::Rgb, &[255, 255, 255, 0, 255, 255, 0, 0, 0, 128, 0, 0]);
        assert_eq!(to_srgb(inks, None), light);
    }

    #[test]
    fn a_wide_profile_is_brought_to_srgb() {
        let profile = ColorProfile::new_display_p3().encode().unwrap();
        let wide = picture(Colour::Rgb, &[200, 40, 40, 128, 128, 128]);
        let converted = pixels_of(&to_srgb(wide, Some(&profile)).planes);
        assert!(converted[0] > 205, "P3's red is redder: {converted:?}");
        assert!(
            converted[3..].iter().all(|&grey| grey.abs_diff(128) <= 1),
            "{converted:?}"
        );
    }

    #[test]
    fn a_profile_of_another_kind_or_of_noise_is_ignored() {
        let colours = picture(Colour::Rgb, &[1, 2, 3]);
        let grey_profile = ColorProfile::new_gray_with_gamma(2.2).encode().unwrap();
        for profile in [
            &grey_profile[..],
            &[0; 60],
            &[],
            &grey_profile[..100],
            &[0xFF; 5000],
        ] {
            assert_eq!(to_srgb(colours.clone(), Some(profile)), colours);
        }
    }
}
