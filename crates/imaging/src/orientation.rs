use crate::raster::Plane;

/// Rotation or reflection that displays stored pixels upright (Exif 2.32, tag 0x0112).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Orientation {
    #[default]
    Upright,
    MirrorHorizontal,
    Rotate180,
    MirrorVertical,
    Transpose,
    Rotate90,
    Transverse,
    Rotate270,
}

impl Orientation {
    /// Orientation by its number in Exif; numbers other than 1 to 8 are ignored.
    pub(crate) const fn from_exif(number: Option<u8>) -> Self {
        match number {
            Some(2) => Self::MirrorHorizontal,
            Some(3) => Self::Rotate180,
            Some(4) => Self::MirrorVertical,
            Some(5) => Self::Transpose,
            Some(6) => Self::Rotate90,
            Some(7) => Self::Transverse,
            Some(8) => Self::Rotate270,
            _ => Self::Upright,
        }
    }

    /// Displayed width and height by the stored ones.
    pub(crate) const fn displayed_size(self, (width, height): (u32, u32)) -> (u32, u32) {
        match self {
            Self::Upright | Self::MirrorHorizontal | Self::Rotate180 | Self::MirrorVertical => {
                (width, height)
            }
            Self::Transpose | Self::Rotate90 | Self::Transverse | Self::Rotate270 => (height, width),
        }
    }

    /// Applies the orientation to a stored plane.
    pub(crate) fn apply(self, stored: Plane) -> Plane {
        let size = self.displayed_size((stored.width, stored.height));
        let (width, height) = (stored.width.max(1) as usize, stored.height as usize);
        let rows = || stored.samples.chunks_exact(width);
        let upright = match self {
            Self::Upright => return stored,
            Self::MirrorHorizontal => rows().flat_map(|row| row.iter().rev()).copied().collect(),
            Self::Rotate180 => stored.samples.iter().rev().copied().collect(),
            Self::MirrorVertical => rows().rev().flatten().copied().collect(),
            Self::Transpose => transpose(&rows(), width, height, |x| x),
            Self::Rotate90 => transpose(&rows().rev(), width, height, |x| x),
            Self::Transverse => transpose(&rows().rev(), width, height, |x| width - 1 - x),
            Self::Rotate270 => transpose(&rows(), width, height, |x| width - 1 - x),
        };
        let mut upright = Plane::new(size, upright);
        // A reflection moves the partly covered column or row to the start, which `covered` can't express.
        match self {
            Self::MirrorHorizontal => upright.covered.1 = stored.covered.1,
            Self::MirrorVertical => upright.covered.0 = stored.covered.0,
            Self::Transpose => upright.covered = (stored.covered.1, stored.covered.0),
            Self::Rotate90 => upright.covered.1 = stored.covered.0,
            Self::Rotate270 => upright.covered.0 = stored.covered.1,
            Self::Upright | Self::Rotate180 | Self::Transverse => {}
        }
        upright
    }
}

/// Turns columns into rows: row `y` of the result is column `column(y)` of `rows`, in the order of `rows`.
fn transpose<'a>(
    rows: &(impl Iterator<Item = &'a [u8]> + Clone),
    width: usize,
    height: usize,
    column: impl Fn(usize) -> usize,
) -> Vec<u8> {
    /// Rows of the result that are written at once, few enough for their ends to stay in the processor's cache.
    const STRIP: usize = 32;
    let height = height.max(1);
    let mut turned = vec![0; width * height];
    for (strip, first) in turned.chunks_mut(STRIP * height).zip((0..).step_by(STRIP)) {
        for (row, x) in rows.clone().zip(0..) {
            let targets = strip.iter_mut().skip(x).step_by(height);
            for (target, y) in targets.zip(first..width) {
                if let Some(sample) = row.get(column(y)) {
                    *target = *sample;
                }
            }
        }
    }
    turned
}

#[cfg(test)]
mod tests {
    use rapidphoto_sample_photos::Orientation as Sample;

    use super::*;

    #[test]
    fn every_orientation_displays_a_stored_image_upright() {
        let (width, height) = (3_u32, 2_u32);
        let upright: Vec<u8> = (0..6).collect();
        for sample in Sample::ALL {
            let stored_size = sample.swap_size(width, height);
            let stored: Vec<u8> = (0..stored_size.1)
                .flat_map(|y| (0..stored_size.0).map(move |x| (x, y)))
                .map(|(x, y)| {
                    let (x, y) = sample.displayed_at(x, y, width, height);
                    upright[(y * width + x) as usize]
                })
                .collect();
            let orientation = Orientation::from_exif(Some(sample.exif()));
            assert_eq!(orientation.displayed_size(stored_size), (width, height));
            assert_eq!(
                orientation.apply(Plane::new(stored_size, stored)),
                Plane::new((width, height), upright.clone())
            );
        }
    }

    #[test]
    fn large_images_are_rotated_completely() {
        let stored = Plane::new((100, 70), (0..7000_u32).map(|at| at.to_le_bytes()[0]).collect());
        let mut turned = stored.clone();
        for _ in 0..4 {
            assert_ne!(Orientation::Rotate90.apply(turned.clone()), turned);
            turned = Orientation::Rotate90.apply(turned);
        }
        assert_eq!(turned, stored);
        let restored = Orientation::Rotate270.apply(Orientation::Rotate90.apply(stored.clone()));
        assert_eq!(restored, stored);
    }

    #[test]
    fn unknown_numbers_leave_the_image_unchanged() {
        for number in [None, Some(0), Some(1), Some(9), Some(255)] {
            assert_eq!(Orientation::from_exif(number), Orientation::Upright);
        }
    }

    #[test]
    fn coverage_is_kept_along_axes_that_are_not_reflected() {
        let covered = |orientation: Orientation| {
            let stored = Plane::chroma((3, 9), vec![0; 10]);
            orientation.apply(stored).covered
        };
        for (orientation, expected) in [
            (Orientation::Upright, (1.5, 4.5)),
            (Orientation::MirrorHorizontal, (2.0, 4.5)),
            (Orientation::Rotate180, (2.0, 5.0)),
            (Orientation::MirrorVertical, (1.5, 5.0)),
            (Orientation::Transpose, (4.5, 1.5)),
            (Orientation::Rotate90, (5.0, 1.5)),
            (Orientation::Transverse, (5.0, 2.0)),
            (Orientation::Rotate270, (4.5, 2.0)),
        ] {
            assert_eq!(covered(orientation), expected, "{orientation:?}");
        }
    }
}
