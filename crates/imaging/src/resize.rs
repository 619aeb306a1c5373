use jpeg_scale::{ResizeError, Resizer, Samples};

use crate::raster::Plane;

/// Width and height of a thumbnail whose longer edge has at most `edge` pixels. A smaller image keeps its size.
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

/// Resizes a plane; one that has the size already is copied.
pub(crate) fn resize(resizer: &mut Resizer, source: &Plane, size: (u32, u32)) -> Result<Plane, ResizeError> {
    let whole = (f64::from(size.0), f64::from(size.1));
    if (source.width, source.height, source.covered) == (size.0, size.1, whole) {
        return Ok(source.clone());
    }
    let samples = Samples {
        width: source.width as usize,
        height: source.height as usize,
        stride: source.width as usize,
        data: &source.samples,
    };
    let plane = resizer.resize(samples, source.covered, (size.0 as usize, size.1 as usize))?;
    Ok(Plane::new(size, plane.data))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longer_edge_fits_and_the_shorter_one_is_rounded() {
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
    fn small_images_are_not_enlarged() {
        for size in [(1, 1), (256, 256), (256, 1), (100, 30)] {
            assert_eq!(fit(size, 256), size);
        }
    }

    #[test]
    fn a_plane_of_the_target_size_is_unchanged() {
        let noise = Plane::new((2, 2), vec![0, 255, 9, 31]);
        assert_eq!(resize(&mut Resizer::default(), &noise, (2, 2)).unwrap(), noise);
    }
}
