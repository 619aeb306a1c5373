/// Decoded image as planes of samples, one for each component. Chroma planes may be smaller than the luma plane.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Raster {
    pub(crate) colour_model: ColourModel,
    pub(crate) planes: Vec<Plane>,
}

/// Colour model of a raster, with its planes in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ColourModel {
    /// Luma.
    Grey,
    /// Red, green, blue.
    Rgb,
    /// Luma, Cb and Cr in full range (JFIF 1.02); the chroma planes may be subsampled.
    YCbCr,
    /// Cyan, magenta, yellow, black; 255 is full ink.
    Cmyk,
}

/// Samples of one component, row by row, without padding.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Plane {
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// Width and height that the image covers, in samples. After scaled decoding or subsampling it may cover only a
    /// part of the last column and row.
    pub(crate) covered: (f64, f64),
    pub(crate) samples: Vec<u8>,
}

/// In an image whose shorter edge is below this many pixels, half a chroma sample is visible.
pub(crate) const THIN_IMAGE_EDGE: u32 = 16;

impl Plane {
    /// Plane that the image covers completely.
    pub(crate) fn new((width, height): (u32, u32), samples: Vec<u8>) -> Self {
        Self {
            width,
            height,
            covered: (f64::from(width), f64::from(height)),
            samples,
        }
    }

    /// Chroma plane of an image of this size, with one sample for 2 × 2 pixels. If the width or height is odd, the
    /// image covers half of the last column or row.
    pub(crate) fn chroma(image: (u32, u32), samples: Vec<u8>) -> Self {
        Self {
            covered: chroma_coverage(image),
            ..Self::new((image.0.div_ceil(2), image.1.div_ceil(2)), samples)
        }
    }

    /// Returns true if the plane has the size and coverage of [`Self::chroma`] for an image of this size.
    pub(crate) fn is_chroma_of(&self, image: (u32, u32)) -> bool {
        let size = (image.0.div_ceil(2), image.1.div_ceil(2));
        (self.width, self.height, self.covered) == (size.0, size.1, chroma_coverage(image))
    }

    /// Samples of row `y`; empty if the plane has no such row.
    pub(crate) fn row(&self, y: usize) -> &[u8] {
        let width = self.width as usize;
        self.samples.get(y * width..(y + 1) * width).unwrap_or_default()
    }

    /// Chroma plane upsampled to the luma plane's width if that is thin, and to its height if that is thin, by the
    /// nearest sample.
    pub(crate) fn upsampled_where_thin(&self, luma: &Self) -> Self {
        let (width, columns) = upsampled_length((self.width, self.covered.0), (luma.width, luma.covered.0));
        let (height, rows) = upsampled_length((self.height, self.covered.1), (luma.height, luma.covered.1));
        let mut samples = Vec::with_capacity(width.0 as usize * height.0 as usize);
        for y in 0..height.0 as usize {
            let y = rows.as_ref().map_or(Some(y), |rows| rows.get(y).copied());
            let row = y.map(|y| self.row(y)).unwrap_or_default();
            match &columns {
                Some(columns) => samples.extend(columns.iter().filter_map(|&x| row.get(x))),
                None => samples.extend_from_slice(row),
            }
        }
        Self {
            width: width.0,
            height: height.0,
            covered: (width.1, height.1),
            samples,
        }
    }

    /// Plane of half the width and height, rounded up; each sample is the mean of up to four.
    pub(crate) fn halved(&self) -> Self {
        let size = (self.width, self.height);
        let halved = (size.0.div_ceil(2), size.1.div_ceil(2));
        let width = self.width.max(1) as usize;
        let mut samples = Vec::with_capacity(halved.0 as usize * halved.1 as usize);
        for rows in self.samples.chunks(2 * width) {
            let (upper, lower) = rows.split_at(width.min(rows.len()));
            // A missing lower row or right neighbour repeats the upper row or left neighbour.
            let lower = if lower.is_empty() { upper } else { lower };
            for (above, below) in upper.chunks(2).zip(lower.chunks(2)) {
                let sum = |pair: &[u8]| match *pair {
                    [left, right] => u16::from(left) + u16::from(right),
                    [alone] => 2 * u16::from(alone),
                    _ => 0,
                };
                samples.push(u8::try_from((sum(above) + sum(below) + 2) / 4).unwrap_or(u8::MAX));
            }
        }
        Self::chroma(size, samples)
    }
}

/// Length and coverage after upsampling, with the index of the nearest sample for each position; `None` if the samples
/// are kept as they are.
fn upsampled_length(chroma: (u32, f64), luma: (u32, f64)) -> ((u32, f64), Option<Vec<usize>>) {
    if luma.0 >= THIN_IMAGE_EDGE {
        return (chroma, None);
    }
    let ends_before =
        |sample: u32, position: u32| f64::from(sample + 1) * luma.1 <= (f64::from(position) + 0.5) * chroma.1;
    let nearest = |position| {
        (0..chroma.0.saturating_sub(1))
            .take_while(|&sample| ends_before(sample, position))
            .count()
    };
    (luma, Some((0..luma.0).map(nearest).collect()))
}

/// Chroma samples that an image of this size covers, across and down.
fn chroma_coverage((width, height): (u32, u32)) -> (f64, f64) {
    let half = |length: u32| (f64::from(length) / 2.0).max(1.0);
    (half(width), half(height))
}

impl ColourModel {
    /// Number of components, and so of planes.
    pub(crate) const fn components(self) -> usize {
        match self {
            Self::Grey => 1,
            Self::Rgb | Self::YCbCr => 3,
            Self::Cmyk => 4,
        }
    }
}

/// Separates interleaved pixels into planes.
pub(crate) fn deinterleave(colour_model: ColourModel, pixels: Vec<u8>) -> Vec<Vec<u8>> {
    match colour_model {
        ColourModel::Grey => vec![pixels],
        ColourModel::Rgb | ColourModel::YCbCr => split::<3>(&pixels),
        ColourModel::Cmyk => split::<4>(&pixels),
    }
}

fn split<const COUNT: usize>(pixels: &[u8]) -> Vec<Vec<u8>> {
    let (pixels, _) = pixels.as_chunks::<COUNT>();
    let mut planes: [Vec<u8>; COUNT] = std::array::from_fn(|_| vec![0; pixels.len()]);
    for (plane, component) in planes.iter_mut().zip(0..) {
        for (sample, pixel) in plane.iter_mut().zip(pixels) {
            *sample = pixel.get(component).copied().unwrap_or_default();
        }
    }
    planes.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_halved_sample_is_the_mean_of_up_to_four() {
        let odd = Plane::new((3, 3), vec![0, 4, 9, 8, 12, 11, 1, 2, 255]);
        let halved = odd.halved();
        assert_eq!(halved, Plane::chroma((3, 3), vec![6, 10, 2, 255]));
        assert_eq!((halved.width, halved.height, halved.covered), (2, 2, (1.5, 1.5)));
        assert_eq!(Plane::new((1, 1), vec![7]).halved(), Plane::new((1, 1), vec![7]));
    }

    #[test]
    fn interleaved_pixels_are_separated_into_planes() {
        for (colour_model, count) in [
            (ColourModel::Grey, 1),
            (ColourModel::Rgb, 3),
            (ColourModel::Cmyk, 4),
        ] {
            let planes = deinterleave(colour_model, (0..24).collect());
            assert_eq!(planes.len(), count);
            for (plane, first) in planes.iter().zip(0..) {
                let expected: Vec<u8> = (first..24).step_by(count).collect();
                assert_eq!(*plane, expected);
            }
        }
    }
}
