//! Conversion of colours to sRGB.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use moxcms::{CmsError, ColorProfile, DataColorSpace, Layout, Transform8BitExecutor, TransformOptions};

use crate::{
    icc::minimal_profile,
    raster::{ColourModel, Raster},
    ycbcr::{self, YCbCrRows},
};

/// Converts images to sRGB, with a cache of the conversions of recent profiles: most photos share a profile with many
/// others.
#[derive(Default)]
pub(crate) struct ColourConverter {
    /// Oldest first.
    cache: Vec<CachedConversion>,
}

struct CachedConversion {
    colour_model: ColourModel,
    profile: Vec<u8>,
    /// `None` if the profile is not used.
    conversion: Option<Conversion>,
}

type Conversion = Arc<Transform8BitExecutor>;

/// Bounds of the cache. Only profiles of displays and cameras are cached, those of printing presses take megabytes.
const MAX_CACHED_PROFILES: usize = 8;
const MAX_CACHED_PROFILE_BYTES: usize = 64 << 10;
/// A conversion that changes no sample by more than this is skipped: it is the rounding error of a profile that is
/// sRGB. JPEG at a thumbnail's quality changes samples more.
const INVISIBLE_DIFFERENCE: u8 = 2;

impl ColourConverter {
    /// Converts an image to sRGB, as greyscale or as YCbCr with chroma of half the size. A profile that can't be used
    /// is ignored.
    ///
    /// All planes must have the image's size, and chroma planes half of it.
    pub(crate) fn convert_to_srgb(&mut self, image: Raster, profile: Option<&[u8]>) -> Raster {
        let conversion = profile.and_then(|profile| self.conversion(image.colour_model, profile));
        match (image.colour_model, &conversion) {
            (ColourModel::Grey | ColourModel::YCbCr, None) => image,
            (ColourModel::Rgb | ColourModel::Cmyk, None) => {
                convert_rows(&image, |pixels, rgb| match image.colour_model {
                    ColourModel::Cmyk => cmyk_to_rgb(pixels, rgb),
                    ColourModel::Grey | ColourModel::Rgb | ColourModel::YCbCr => rgb.copy_from_slice(pixels),
                })
            }
            (colour_model, Some(conversion)) => {
                let converted = convert_rows(&image, |pixels, rgb| {
                    // The lengths match, so this never fails; if it did, the previous row would be repeated.
                    let result = conversion.transform(pixels, rgb);
                    debug_assert!(result.is_ok(), "{result:?}");
                });
                if colour_model == ColourModel::Grey {
                    luma_only(converted)
                } else {
                    converted
                }
            }
        }
    }

    /// Conversion of a profile for this colour model; `None` if the samples are already sRGB or the profile can't be
    /// used.
    fn conversion(&mut self, colour_model: ColourModel, profile: &[u8]) -> Option<Conversion> {
        let matches =
            |cached: &CachedConversion| cached.colour_model == colour_model && cached.profile == profile;
        if let Some(cached) = self.cache.iter().find(|cached| matches(cached)) {
            return cached.conversion.clone();
        }
        // The profile is untrusted and may make the library panic; a photo without its exact colours is better than
        // none.
        let conversion = catch_unwind(AssertUnwindSafe(|| new_conversion(colour_model, profile)))
            .ok()?
            .ok()
            .flatten();
        if profile.len() <= MAX_CACHED_PROFILE_BYTES {
            if self.cache.len() == MAX_CACHED_PROFILES {
                self.cache.remove(0);
            }
            self.cache.push(CachedConversion {
                colour_model,
                profile: profile.to_vec(),
                conversion: conversion.clone(),
            });
        }
        conversion
    }
}

impl fmt::Debug for ColourConverter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ColourConverter")
            .field("cache", &self.cache.len())
            .finish()
    }
}

/// Conversion of interleaved pixels to RGB in sRGB, if the profile is for this colour model and differs visibly from
/// sRGB.
fn new_conversion(colour_model: ColourModel, profile: &[u8]) -> Result<Option<Conversion>, CmsError> {
    let Some(profile) = minimal_profile(profile) else {
        return Ok(None);
    };
    let profile = ColorProfile::new_from_slice(&profile)?;
    let (layout, colour_space) = match colour_model {
        ColourModel::Grey => (Layout::Gray, DataColorSpace::Gray),
        ColourModel::Rgb | ColourModel::YCbCr => (Layout::Rgb, DataColorSpace::Rgb),
        ColourModel::Cmyk => (Layout::Rgba, DataColorSpace::Cmyk),
    };
    if profile.color_space != colour_space {
        return Ok(None);
    }
    let conversion = profile.create_transform_8bit(
        layout,
        &ColorProfile::new_srgb(),
        Layout::Rgb,
        TransformOptions::default(),
    )?;
    let is_srgb = match colour_model {
        ColourModel::Grey => is_invisible(&*conversion, (0..=255).map(|grey| [grey]))?,
        ColourModel::Rgb | ColourModel::YCbCr => is_invisible(&*conversion, rgb_grid())?,
        ColourModel::Cmyk => false,
    };
    Ok((!is_srgb).then_some(conversion))
}

/// Grid of colours that covers the RGB cube, greys included.
fn rgb_grid() -> impl Iterator<Item = [u8; 3]> {
    let steps = || (0..=255).step_by(15);
    steps().flat_map(move |red| steps().flat_map(move |green| steps().map(move |blue| [red, green, blue])))
}

/// Returns true if a conversion changes no sample of these pixels by more than [`INVISIBLE_DIFFERENCE`].
fn is_invisible<const COUNT: usize>(
    conversion: &Transform8BitExecutor,
    pixels: impl Iterator<Item = [u8; COUNT]>,
) -> Result<bool, CmsError> {
    let pixels: Vec<[u8; COUNT]> = pixels.collect();
    let mut converted = vec![0; pixels.len() * 3];
    conversion.transform(pixels.as_flattened(), &mut converted)?;
    let is_unchanged = |(before, after): (&[u8; COUNT], &[u8; 3])| {
        // A grey pixel is compared with each of red, green and blue.
        let before = before.iter().cycle();
        after
            .iter()
            .zip(before)
            .all(|(after, before)| after.abs_diff(*before) <= INVISIBLE_DIFFERENCE)
    };
    Ok(pixels.iter().zip(converted.as_chunks().0).all(is_unchanged))
}

/// Converts an image row by row: `convert` gets interleaved pixels and writes RGB.
fn convert_rows(image: &Raster, convert: impl Fn(&[u8], &mut [u8])) -> Raster {
    let Some(first) = image.planes.first() else {
        return image.clone();
    };
    let (width, height) = (first.width.max(1) as usize, first.height as usize);
    let mut converted = YCbCrRows::new((first.width, first.height));
    let mut pixels = Vec::new();
    let mut rgb = vec![0; width * 3];
    for y in 0..height {
        interleave_row(image, y, &mut pixels);
        convert(&pixels, &mut rgb);
        converted.push(&rgb);
    }
    converted.finish()
}

/// Row `y` as interleaved pixels; YCbCr is converted to RGB.
fn interleave_row(image: &Raster, y: usize, pixels: &mut Vec<u8>) {
    if let (ColourModel::YCbCr, [luma, cb, cr]) = (image.colour_model, &image.planes[..]) {
        return ycbcr::to_rgb(luma.row(y), cb.row(y / 2), cr.row(y / 2), pixels);
    }
    let count = image.planes.len();
    pixels.resize(
        image.planes.first().map_or(0, |plane| plane.row(y).len()) * count,
        0,
    );
    for (plane, component) in image.planes.iter().zip(0..) {
        for (target, sample) in pixels.iter_mut().skip(component).step_by(count).zip(plane.row(y)) {
            *target = *sample;
        }
    }
}

/// The luma plane of an image whose chroma is neutral.
fn luma_only(mut image: Raster) -> Raster {
    image.planes.truncate(1);
    Raster {
        colour_model: ColourModel::Grey,
        ..image
    }
}

/// Naive conversion for CMYK without a profile: each ink absorbs its part of the light, and black absorbs its part of
/// the rest.
fn cmyk_to_rgb(cmyk: &[u8], rgb: &mut [u8]) {
    let reflected = |ink: u8, black: u8| {
        let product = u32::from(255 - ink) * u32::from(255 - black);
        u8::try_from((product + 127) / 255).unwrap_or(u8::MAX)
    };
    let pixels = rgb.as_chunks_mut::<3>().0.iter_mut();
    for (pixel, &[cyan, magenta, yellow, black]) in pixels.zip(cmyk.as_chunks::<4>().0) {
        *pixel = [
            reflected(cyan, black),
            reflected(magenta, black),
            reflected(yellow, black),
        ];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::{Plane, deinterleave};

    /// Image with each pixel repeated as a block of 2 × 2, so that no two pixels share a chroma sample.
    fn image(colour_model: ColourModel, pixels: &[u8]) -> Raster {
        let doubled: Vec<u8> = pixels
            .chunks(colour_model.components())
            .flat_map(|pixel| [pixel, pixel])
            .flatten()
            .copied()
            .collect();
        let width = u32::try_from(doubled.len() / colour_model.components()).unwrap();
        let planes = deinterleave(colour_model, doubled.repeat(2)).into_iter();
        Raster {
            colour_model,
            planes: planes.map(|samples| Plane::new((width, 2), samples)).collect(),
        }
    }

    /// The same in YCbCr, with subsampled chroma.
    fn subsampled(pixels: &[u8]) -> Raster {
        let mut image = image(ColourModel::YCbCr, pixels);
        for chroma in image.planes.iter_mut().skip(1) {
            *chroma = chroma.halved();
        }
        image
    }

    fn colours_of(image: &Raster) -> Vec<u8> {
        assert_eq!(image.colour_model, ColourModel::YCbCr);
        let mut rgb = Vec::new();
        interleave_row(image, 0, &mut rgb);
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
    fn cmyk_without_a_profile_is_converted_by_absorption() {
        let cmyk = image(
            ColourModel::Cmyk,
            &[0, 0, 0, 0, 255, 0, 0, 0, 0, 0, 0, 255, 0, 255, 255, 127],
        );
        let rgb = [255, 255, 255, 0, 255, 255, 0, 0, 0, 128, 0, 0];
        assert_near(
            &colours_of(&ColourConverter::default().convert_to_srgb(cmyk, None)),
            &rgb,
            2,
        );
    }

    #[test]
    fn a_wide_gamut_profile_is_converted_from_rgb_and_from_ycbcr() {
        let profile = ColorProfile::new_display_p3().encode().unwrap();
        let mut converter = ColourConverter::default();
        let red_and_grey = [200, 60, 60, 128, 128, 128];
        // By the primaries and the transfer function of both colour spaces.
        let expected = [217, 42, 52, 128, 128, 128];
        let rgb = image(ColourModel::Rgb, &red_and_grey);
        let ycbcr = converter.convert_to_srgb(rgb.clone(), None);
        assert_eq!(ycbcr.colour_model, ColourModel::YCbCr);
        for wide in [rgb, ycbcr] {
            // The second time with the cached conversion.
            for _ in 0..2 {
                let srgb = converter.convert_to_srgb(wide.clone(), Some(&profile));
                assert_near(&colours_of(&srgb), &expected, 2);
            }
        }
        assert_eq!(converter.cache.len(), 2);
    }

    #[test]
    fn an_srgb_profile_leaves_every_sample_unchanged() {
        let profile = ColorProfile::new_srgb().encode().unwrap();
        let image = subsampled(&[76, 85, 255, 9, 140, 120]);
        assert_eq!(
            ColourConverter::default().convert_to_srgb(image.clone(), Some(&profile)),
            image
        );
    }

    #[test]
    fn greyscale_with_a_profile_is_converted_to_greyscale() {
        let profile = ColorProfile::new_gray_with_gamma(1.0).encode().unwrap();
        let converted = ColourConverter::default()
            .convert_to_srgb(image(ColourModel::Grey, &[0, 55, 255]), Some(&profile));
        assert_eq!(converted.colour_model, ColourModel::Grey);
        // A linear 55 / 255 is 128 in sRGB (IEC 61966-2-1).
        assert_near(&converted.planes[0].samples[..6], &[0, 0, 128, 128, 255, 255], 1);
    }

    #[test]
    fn profiles_of_another_colour_model_and_malformed_ones_are_ignored() {
        let image = subsampled(&[1, 2, 3]);
        let grey_profile = ColorProfile::new_gray_with_gamma(2.2).encode().unwrap();
        let mut converter = ColourConverter::default();
        for profile in [
            &grey_profile[..],
            &[0; 60],
            &[],
            &grey_profile[..100],
            &[0xFF; 5000],
        ] {
            assert_eq!(converter.convert_to_srgb(image.clone(), Some(profile)), image);
        }
    }

    #[test]
    fn the_cache_is_bounded() {
        let mut converter = ColourConverter::default();
        for gamma in 10..30_u8 {
            let profile = ColorProfile::new_gray_with_gamma(f32::from(gamma) / 10.0)
                .encode()
                .unwrap();
            converter.convert_to_srgb(image(ColourModel::Grey, &[1]), Some(&profile));
        }
        assert_eq!(converter.cache.len(), MAX_CACHED_PROFILES);
        converter.convert_to_srgb(
            image(ColourModel::Grey, &[1]),
            Some(&vec![0; MAX_CACHED_PROFILE_BYTES + 1]),
        );
        assert!(
            converter
                .cache
                .iter()
                .all(|cached| cached.profile.len() <= MAX_CACHED_PROFILE_BYTES)
        );
    }
}
