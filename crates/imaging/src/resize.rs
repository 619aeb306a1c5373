use fast_image_resize::{
    FilterType, PixelType, ResizeAlg, ResizeError, ResizeOptions, Resizer,
    images::{Image, ImageRef},
};

use crate::raster::{Pixels, Raster};

/// Width and height of a thumbnail whose longer edge has at most `edge` pixels; a small picture keeps its size.
pub(crate) fn fit((width, height): (u32, u32), edge: u32) -> (u32, u32) {
    let longer = width.max(height);
    if longer <= edge {
        return (width, height);
    }
    let scaled = |length: u32| {
        let rounded = (u64::from(length) * u64::from(edge) * 2 + u64::from(longer)) / (u64::from(longer) * 2);
        u32::try_from(rounded).unwrap_or(edge).max(1)
    };
    (scaled(width), scaled(height))
}

/// Resizes with Lanczos3.
pub(crate) fn resize(
    resizer: &mut Resizer,
    source: &Raster,
    (width, height): (u32, u32),
) -> Result<Pixels, ResizeError> {
    let kind = match source.pixels {
        Pixels::Grey(_) => PixelType::U8,
        Pixels::Rgb(_) => PixelType::U8x3,
        Pixels::Cmyk(_) => PixelType::U8x4,
    };
    let whole = (f64::from(width), f64::from(height));
    if (source.width, source.height, source.covered) == (width, height, whole) {
        return Ok(source.pixels.clone());
    }
    let from = ImageRef::new(source.width, source.height, source.pixels.bytes(), kind)
        .map_err(|_| ResizeError::PixelTypesAreDifferent)?;
    let mut to = Image::new(width, height, kind);
    let options = ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3))
        .crop(0.0, 0.0, source.covered.0, source.covered.1)
        // The fourth channel is black ink.
        .use_alpha(false);
    resizer.resize(&from, &mut to, &options)?;
    Ok(source.pixels.with(to.into_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longer_edge_is_met_and_the_shorter_is_rounded() {
        let cases = [
            ((4000, 3000), 1024, (1024, 768)),
            ((3000, 4000), 256, (192, 256)),
            ((6000, 4000), 1024, (1024, 683)),
            ((6000, 4000), 256, (256, 171)),
            ((1, 5000), 1024, (1, 1024)),
            ((65_535, 1), 256, (256, 1)),
            ((65_500, 65_500), 1024, (1024, 1024)),
        ];
        for (size, edge, fitted) in cases {
            assert_eq!(fit(size, edge), fitted, "{size:?}");
        }
    }

    #[test]
    fn nothing_is_enlarged() {
        for size in [(1, 1), (256, 256), (256, 1), (100, 30)] {
            assert_eq!(fit(size, 256), size);
        }
    }

    #[test]
    fn a_row_that_is_there_for_a_part_counts_for_that_part() {
        // Four columns of which three and a half belong to the picture: the last is nearly cut off.
        let source = Raster::new((4, 1), (7, 2), 4, Pixels::Grey(vec![0, 0, 0, 255])).unwrap();
        let half = resize(&mut Resizer::new(), &source, (1, 1)).unwrap();
        let full = Raster {
            covered: (4.0, 1.0),
            ..source
        };
        let whole = resize(&mut Resizer::new(), &full, (1, 1)).unwrap();
        assert!(half.bytes()[0] < whole.bytes()[0], "{half:?} {whole:?}");
    }
}
