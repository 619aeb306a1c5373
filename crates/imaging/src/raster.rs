/// A picture as planes of samples, one for each component. Planes may differ in size: eyes see light sharper than colour.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Raster {
    pub(crate) colour: Colour,
    pub(crate) planes: Vec<Plane>,
}

/// What the planes of a picture mean, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Colour {
    /// Light.
    Grey,
    /// Red, green, blue.
    Rgb,
    /// Light, and how blue and how red it is (JFIF); the two may have fewer samples.
    Ycc,
    /// Amounts of ink: cyan, magenta, yellow, black.
    Cmyk,
}

/// Samples, row by row, without gaps.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Plane {
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// How much of width and height holds the picture: after reduced decoding, the last column and row may be there for
    /// a part only.
    pub(crate) covered: (f64, f64),
    pub(crate) samples: Vec<u8>,
}

/// In a picture whose shorter edge is below this, the half of a tint is a part that is seen.
pub(crate) const THIN: u32 = 16;

impl Plane {
    /// A plane that is covered by its picture to its edges.
    pub(crate) fn whole((width, height): (u32, u32), samples: Vec<u8>) -> Self {
        Self {
            width,
            height,
            covered: (f64::from(width), f64::from(height)),
            samples,
        }
    }

    /// The tints of a picture of this size, one for up to four pixels: of an odd width or height, the last count for less.
    pub(crate) fn tints(picture: (u32, u32), samples: Vec<u8>) -> Self {
        Self {
            covered: halves(picture),
            ..Self::whole((picture.0.div_ceil(2), picture.1.div_ceil(2)), samples)
        }
    }

    /// Whether it has the size of the tints of a picture of this size.
    pub(crate) fn is_half_of(&self, picture: (u32, u32)) -> bool {
        let size = (picture.0.div_ceil(2), picture.1.div_ceil(2));
        (self.width, self.height, self.covered) == (size.0, size.1, halves(picture))
    }

    /// A row of samples; of a row that is not there, none.
    pub(crate) fn row(&self, y: usize) -> &[u8] {
        let width = self.width as usize;
        self.samples.get(y * width..(y + 1) * width).unwrap_or_default()
    }

    /// With a sample for each of `like`'s, in the direction in which that is thin.
    pub(crate) fn spread(&self, like: &Self) -> Self {
        let (width, columns) = spread((self.width, self.covered.0), (like.width, like.covered.0));
        let (height, rows) = spread((self.height, self.covered.1), (like.height, like.covered.1));
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

    /// Half as wide and high, rounded up, each sample the mean of up to four.
    pub(crate) fn halved(&self) -> Self {
        let size = (self.width, self.height);
        let halved = (size.0.div_ceil(2), size.1.div_ceil(2));
        let width = self.width.max(1) as usize;
        let mut samples = Vec::with_capacity(halved.0 as usize * halved.1 as usize);
        for rows in self.samples.chunks(2 * width) {
            let (upper, lower) = rows.split_at(width.min(rows.len()));
            // Where there is no lower row or right neighbour, its twin stands in.
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
        Self::tints(size, samples)
    }
}

/// A length with how much of it is covered, and the samples to take for it unless each is taken once.
fn spread(own: (u32, f64), like: (u32, f64)) -> ((u32, f64), Option<Vec<usize>>) {
    if like.0 >= THIN {
        return (own, None);
    }
    let ends_before =
        |sample: u32, place: u32| f64::from(sample + 1) * like.1 <= (f64::from(place) + 0.5) * own.1;
    let nearest = |place| {
        (0..own.0.saturating_sub(1))
            .take_while(|&sample| ends_before(sample, place))
            .count()
    };
    (like, Some((0..like.0).map(nearest).collect()))
}

/// How much of its tints a picture covers.
fn halves((width, height): (u32, u32)) -> (f64, f64) {
    let half = |length: u32| (f64::from(length) / 2.0).max(1.0);
    (half(width), half(height))
}

impl Colour {
    /// How many planes it takes.
    pub(crate) const fn planes(self) -> usize {
        match self {
            Self::Grey => 1,
            Self::Rgb | Self::Ycc => 3,
            Self::Cmyk => 4,
        }
    }
}

/// Pulls pixels apart into planes.
pub(crate) fn planes_of(colour: Colour, pixels: Vec<u8>) -> Vec<Vec<u8>> {
    match colour {
        Colour::Grey => vec![pixels],
        Colour::Rgb | Colour::Ycc => split::<3>(&pixels),
        Colour::Cmyk => split::<4>(&pixels),
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
    fn half_a_plane_is_the_mean_of_its_squares() {
        let odd = Plane::whole((3, 3), vec![0, 4, 9, 8, 12, 11, 1, 2, 255]);
        let halved = odd.halved();
        assert_eq!(halved, Plane::tints((3, 3), vec![6, 10, 2, 255]));
        assert_eq!((halved.width, halved.height, halved.covered), (2, 2, (1.5, 1.5)));
        assert_eq!(
            Plane::whole((1, 1), vec![7]).halved(),
            Plane::whole((1, 1), vec![7])
        );
    }

    #[test]
    fn pixels_are_pulled_apart_into_planes() {
        for (colour, count) in [(Colour::Grey, 1), (Colour::Rgb, 3), (Colour::Cmyk, 4)] {
            let planes = planes_of(colour, (0..24).collect());
            assert_eq!(planes.len(), count);
            for (plane, first) in planes.iter().zip(0..) {
                let expected: Vec<u8> = (first..24).step_by(count).collect();
                assert_eq!(*plane, expected);
            }
        }
    }
}
