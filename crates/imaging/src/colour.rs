//! Colours as a screen shows them: sRGB.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use moxcms::{CmsError, ColorProfile, DataColorSpace, Layout, Transform8BitExecutor, TransformOptions};

use crate::{
    icc::essence,
    raster::{Colour, Raster},
    ycc::{self, YccRows},
};

/// Brings pictures to sRGB, and remembers what recent profiles came to: most photos share theirs with many.
#[derive(Default)]
pub(crate) struct Colours {
    recent: Vec<Recent>,
}

struct Recent {
    colour: Colour,
    profile: Vec<u8>,
    conversion: Option<Conversion>,
}

type Conversion = Arc<Transform8BitExecutor>;

/// So many profiles are remembered, and only those of screens and cameras: a press's has megabytes.
const MOST_RECENT: usize = 8;
const LARGEST_RECENT: usize = 64 << 10;
/// A conversion that moves no colour by more than this is left out: it is the rounding of a profile that says sRGB in
/// its own words. JPEG at a thumbnail's quality moves colours further.
const UNSEEN: u8 = 2;

impl Colours {
    /// Brings a picture to grey, or to light and tints of half the size, in sRGB. A profile that can't be used is
    /// ignored.
    ///
    /// All planes have the picture's size; only tints already have half of it.
    pub(crate) fn bring_to_srgb(&mut self, picture: Raster, profile: Option<&[u8]>) -> Raster {
        let conversion = profile.and_then(|profile| self.conversion(picture.colour, profile));
        match (picture.colour, &conversion) {
            (Colour::Grey | Colour::Ycc, None) => picture,
            (Colour::Rgb | Colour::Cmyk, None) => by_rows(&picture, |pixels, rgb| match picture.colour {
                Colour::Cmyk => mix(pixels, rgb),
                Colour::Grey | Colour::Rgb | Colour::Ycc => rgb.copy_from_slice(pixels),
            }),
            (colour, Some(conversion)) => {
                let converted = by_rows(&picture, |pixels, rgb| {
                    // Sizes match, so it can't fail; were it to, the row would be the one before.
                    let done = conversion.transform(pixels, rgb);
                    debug_assert!(done.is_ok(), "{done:?}");
                });
                if colour == Colour::Grey {
                    only_light(converted)
                } else {
                    converted
                }
            }
        }
    }

    /// How pixels of this kind and profile get to sRGB; `None` if they are to stay as they are.
    fn conversion(&mut self, colour: Colour, profile: &[u8]) -> Option<Conversion> {
        let known = |recent: &Recent| recent.colour == colour && recent.profile == profile;
        if let Some(recent) = self.recent.iter().find(|recent| known(recent)) {
            return recent.conversion.clone();
        }
        // A profile is a stranger's program for colours; the photo is worth more than its exact tints.
        let conversion = catch_unwind(AssertUnwindSafe(|| conversion(colour, profile)))
            .ok()?
            .ok()
            .flatten();
        if profile.len() <= LARGEST_RECENT {
            if self.recent.len() == MOST_RECENT {
                self.recent.remove(0);
            }
            self.recent.push(Recent {
                colour,
                profile: profile.to_vec(),
                conversion: conversion.clone(),
            });
        }
        conversion
    }
}

impl fmt::Debug for Colours {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Colours")
            .field("recent", &self.recent.len())
            .finish()
    }
}

/// The conversion of whole pixels to red, green and blue in sRGB, if the profile is of such pixels and changes them.
fn conversion(colour: Colour, profile: &[u8]) -> Result<Option<Conversion>, CmsError> {
    let Some(profile) = essence(profile) else {
        return Ok(None);
    };
    let profile = ColorProfile::new_from_slice(&profile)?;
    let (from, space) = match colour {
        Colour::Grey => (Layout::Gray, DataColorSpace::Gray),
        Colour::Rgb | Colour::Ycc => (Layout::Rgb, DataColorSpace::Rgb),
        Colour::Cmyk => (Layout::Rgba, DataColorSpace::Cmyk),
    };
    if profile.color_space != space {
        return Ok(None);
    }
    let conversion = profile.create_transform_8bit(
        from,
        &ColorProfile::new_srgb(),
        Layout::Rgb,
        TransformOptions::default(),
    )?;
    let unseen = match colour {
        Colour::Grey => changes_nothing(&*conversion, (0..=255).map(|grey| [grey]))?,
        Colour::Rgb | Colour::Ycc => changes_nothing(&*conversion, colours_everywhere())?,
        Colour::Cmyk => false,
    };
    Ok((!unseen).then_some(conversion))
}

/// Colours from all over the cube, greys among them.
fn colours_everywhere() -> impl Iterator<Item = [u8; 3]> {
    let steps = || (0..=255).step_by(15);
    steps().flat_map(move |red| steps().flat_map(move |green| steps().map(move |blue| [red, green, blue])))
}

fn changes_nothing<const COUNT: usize>(
    conversion: &Transform8BitExecutor,
    pixels: impl Iterator<Item = [u8; COUNT]>,
) -> Result<bool, CmsError> {
    let pixels: Vec<[u8; COUNT]> = pixels.collect();
    let mut converted = vec![0; pixels.len() * 3];
    conversion.transform(pixels.as_flattened(), &mut converted)?;
    let unmoved = |(before, after): (&[u8; COUNT], &[u8; 3])| {
        let before = before.iter().cycle();
        after
            .iter()
            .zip(before)
            .all(|(after, before)| after.abs_diff(*before) <= UNSEEN)
    };
    Ok(pixels.iter().zip(converted.as_chunks().0).all(unmoved))
}

/// Converts a picture row by row: whole pixels of its own kind come in, red, green and blue go out.
fn by_rows(picture: &Raster, convert: impl Fn(&[u8], &mut [u8])) -> Raster {
    let Some(first) = picture.planes.first() else {
        return picture.clone();
    };
    let (width, height) = (first.width.max(1) as usize, first.height as usize);
    let mut converted = YccRows::new((first.width, first.height));
    let mut pixels = Vec::new();
    let mut rgb = vec![0; width * 3];
    for y in 0..height {
        row_of_pixels(picture, y, &mut pixels);
        convert(&pixels, &mut rgb);
        converted.push(&rgb);
    }
    converted.finish()
}

/// A row of whole pixels.
fn row_of_pixels(picture: &Raster, y: usize, pixels: &mut Vec<u8>) {
    if let (Colour::Ycc, [light, blueness, redness]) = (picture.colour, &picture.planes[..]) {
        return ycc::to_rgb(light.row(y), blueness.row(y / 2), redness.row(y / 2), pixels);
    }
    let count = picture.planes.len();
    pixels.resize(
        picture.planes.first().map_or(0, |plane| plane.row(y).len()) * count,
        0,
    );
    for (plane, component) in picture.planes.iter().zip(0..) {
        for (place, sample) in pixels.iter_mut().skip(component).step_by(count).zip(plane.row(y)) {
            *place = *sample;
        }
    }
}

/// The light alone of a picture that has no tints to see.
fn only_light(mut picture: Raster) -> Raster {
    picture.planes.truncate(1);
    Raster {
        colour: Colour::Grey,
        ..picture
    }
}

/// Light that inks leave: each takes its part, and black takes its part of the rest.
fn mix(inks: &[u8], rgb: &mut [u8]) {
    let left = |ink: u8, black: u8| {
        let light = u32::from(255 - ink) * u32::from(255 - black);
        u8::try_from((light + 127) / 255).unwrap_or(u8::MAX)
    };
    let pixels = rgb.as_chunks_mut::<3>().0.iter_mut();
    for (pixel, &[cyan, magenta, yellow, black]) in pixels.zip(inks.as_chunks::<4>().0) {
        *pixel = [left(cyan, black), left(magenta, black), left(yellow, black)];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::{Plane, planes_of};

    /// A picture of some pixels twice, above each other and beside each other, so that tints are theirs alone.
    fn picture(colour: Colour, pixels: &[u8]) -> Raster {
        let doubled: Vec<u8> = pixels
            .chunks(colour.planes())
            .flat_map(|pixel| [pixel, pixel])
            .flatten()
            .copied()
            .collect();
        let width = u32::try_from(doubled.len() / colour.planes()).unwrap();
        let planes = planes_of(colour, doubled.repeat(2)).into_iter();
        Raster {
            colour,
            planes: planes.map(|samples| Plane::whole((width, 2), samples)).collect(),
        }
    }

    /// The same, its tints once for every four pixels.
    fn tinted(pixels: &[u8]) -> Raster {
        let mut picture = picture(Colour::Ycc, pixels);
        for tint in picture.planes.iter_mut().skip(1) {
            *tint = tint.halved();
        }
        picture
    }

    fn colours_of(picture: &Raster) -> Vec<u8> {
        assert_eq!(picture.colour, Colour::Ycc);
        let mut rgb = Vec::new();
        row_of_pixels(picture, 0, &mut rgb);
        rgb.chunks(6).flat_map(|pair| &pair[..3]).copied().collect()
    }

    fn assert_near(colours: &[u8], expected: &[u8], tolerance: u8) {
        let near = |(a, b): (&u8, &u8)| a.abs_diff(*b) <= tolerance;
        assert!(
            colours.len() == expected.len() && colours.iter().zip(expected).all(near),
            "{colours:?}, not {expected:?}"
        );
    }

    #[test]
    fn inks_take_their_light() {
        let inks = picture(
            Colour::Cmyk,
            &[0, 0, 0, 0, 255, 0, 0, 0, 0, 0, 0, 255, 0, 255, 255, 127],
        );
        let light = [255, 255, 255, 0, 255, 255, 0, 0, 0, 128, 0, 0];
        assert_near(
            &colours_of(&Colours::default().bring_to_srgb(inks, None)),
            &light,
            2,
        );
    }

    #[test]
    fn a_wide_profile_is_brought_to_srgb_however_the_picture_is_kept() {
        let profile = ColorProfile::new_display_p3().encode().unwrap();
        let mut colours = Colours::default();
        let red_and_grey = [200, 60, 60, 128, 128, 128];
        // By the primaries and the transfer curve of both colour spaces.
        let expected = [217, 42, 52, 128, 128, 128];
        let rgb = picture(Colour::Rgb, &red_and_grey);
        let ycc = colours.bring_to_srgb(rgb.clone(), None);
        assert_eq!(ycc.colour, Colour::Ycc);
        for wide in [rgb, ycc] {
            // The second time from memory.
            for _ in 0..2 {
                let converted = colours.bring_to_srgb(wide.clone(), Some(&profile));
                assert_near(&colours_of(&converted), &expected, 2);
            }
        }
        assert_eq!(colours.recent.len(), 2);
    }

    #[test]
    fn a_profile_that_says_srgb_leaves_every_sample_as_it_is() {
        let profile = ColorProfile::new_srgb().encode().unwrap();
        let colours = tinted(&[76, 85, 255, 9, 140, 120]);
        assert_eq!(
            Colours::default().bring_to_srgb(colours.clone(), Some(&profile)),
            colours
        );
    }

    #[test]
    fn grey_is_brought_to_the_greys_of_srgb() {
        let profile = ColorProfile::new_gray_with_gamma(1.0).encode().unwrap();
        let converted =
            Colours::default().bring_to_srgb(picture(Colour::Grey, &[0, 55, 255]), Some(&profile));
        assert_eq!(converted.colour, Colour::Grey);
        // 55 / 255 of the light is sRGB's 128 (IEC 61966-2-1).
        assert_near(&converted.planes[0].samples[..6], &[0, 0, 128, 128, 255, 255], 1);
    }

    #[test]
    fn a_profile_of_another_kind_or_of_noise_is_ignored() {
        let colours = tinted(&[1, 2, 3]);
        let grey_profile = ColorProfile::new_gray_with_gamma(2.2).encode().unwrap();
        let mut memory = Colours::default();
        for profile in [
            &grey_profile[..],
            &[0; 60],
            &[],
            &grey_profile[..100],
            &[0xFF; 5000],
        ] {
            assert_eq!(memory.bring_to_srgb(colours.clone(), Some(profile)), colours);
        }
    }

    #[test]
    fn so_many_profiles_are_remembered_and_no_more() {
        let mut colours = Colours::default();
        for gamma in 10..30_u8 {
            let profile = ColorProfile::new_gray_with_gamma(f32::from(gamma) / 10.0)
                .encode()
                .unwrap();
            colours.bring_to_srgb(picture(Colour::Grey, &[1]), Some(&profile));
        }
        assert_eq!(colours.recent.len(), MOST_RECENT);
        colours.bring_to_srgb(picture(Colour::Grey, &[1]), Some(&vec![0; LARGEST_RECENT + 1]));
        assert!(
            colours
                .recent
                .iter()
                .all(|recent| recent.profile.len() <= LARGEST_RECENT)
        );
    }
}
