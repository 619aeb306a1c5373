use fast_image_resize::{
    FilterType, ImageBufferError, ResizeAlg, ResizeError, ResizeOptions, Resizer,
    images::{TypedImage, TypedImageRef},
    pixels::U8,
};

use crate::raster::Plane;

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

/// Why a plane can't be resized.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unresizable {
    #[error("the samples do not fill the plane")]
    Samples(#[from] ImageBufferError),
    #[error("the plane can't be resized")]
    Resize(#[from] ResizeError),
}

/// Resizes a plane with Lanczos3.
///
/// Everything is resized as planes of bytes: the resizer compiles itself for each kind of pixel that it is used with, and
/// that takes half a minute a kind.
pub(crate) fn resize(
    resizer: &mut Resizer,
    source: &Plane,
    (width, height): (u32, u32),
) -> Result<Plane, Unresizable> {
    let mut target = Plane::whole((width, height), Vec::new());
    if (source.width, source.height, source.covered) == (width, height, target.covered) {
        return Ok(source.clone());
    }
    target.samples.resize(width as usize * height as usize, 0);
    let from = TypedImageRef::<U8>::from_buffer(source.width, source.height, &source.samples)?;
    let mut to = TypedImage::<U8>::from_buffer(width, height, &mut target.samples)?;
    let options = ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3))
        .crop(0.0, 0.0, source.covered.0, source.covered.1);
    resizer.resize_typed(&from, &mut to, &options)?;
    Ok(target)
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
        let whole = Plane::whole((4, 1), vec![0, 0, 0, 255]);
        let cut = Plane {
            covered: (3.5, 1.0),
            ..whole.clone()
        };
        let mean = |plane: &Plane| resize(&mut Resizer::new(), plane, (1, 1)).unwrap().samples;
        assert!(mean(&cut) < mean(&whole));
    }
}
