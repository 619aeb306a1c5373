use crate::raster::Plane;

/// How stored pixels are turned to be shown upright (EXIF 2.32, tag 0x0112).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Orientation {
    #[default]
    Upright,
    MirroredAcross,
    HalfTurn,
    MirroredDown,
    Transposed,
    QuarterRight,
    Transversed,
    QuarterLeft,
}

impl Orientation {
    /// What EXIF's number means; anything but 1 to 8 means nothing and leaves the picture as it is.
    pub(crate) const fn from_exif(number: Option<u8>) -> Self {
        match number {
            Some(2) => Self::MirroredAcross,
            Some(3) => Self::HalfTurn,
            Some(4) => Self::MirroredDown,
            Some(5) => Self::Transposed,
            Some(6) => Self::QuarterRight,
            Some(7) => Self::Transversed,
            Some(8) => Self::QuarterLeft,
            _ => Self::Upright,
        }
    }

    /// A stored size as it is shown.
    pub(crate) const fn shown(self, (width, height): (u32, u32)) -> (u32, u32) {
        match self {
            Self::Upright | Self::MirroredAcross | Self::HalfTurn | Self::MirroredDown => (width, height),
            Self::Transposed | Self::QuarterRight | Self::Transversed | Self::QuarterLeft => (height, width),
        }
    }

    /// Turns a plane upright.
    pub(crate) fn apply(self, stored: Plane) -> Plane {
        let size = self.shown((stored.width, stored.height));
        let (width, height) = (stored.width.max(1) as usize, stored.height as usize);
        let rows = || stored.samples.chunks_exact(width);
        let shown = match self {
            Self::Upright => return stored,
            Self::MirroredAcross => rows().flat_map(|row| row.iter().rev()).copied().collect(),
            Self::HalfTurn => stored.samples.iter().rev().copied().collect(),
            Self::MirroredDown => rows().rev().flatten().copied().collect(),
            Self::Transposed => transpose(&rows(), width, height, |x| x),
            Self::QuarterRight => transpose(&rows().rev(), width, height, |x| x),
            Self::Transversed => transpose(&rows().rev(), width, height, |x| width - 1 - x),
            Self::QuarterLeft => transpose(&rows(), width, height, |x| width - 1 - x),
        };
        let mut shown = Plane::whole(size, shown);
        // What is turned round begins with what was covered in part; nothing tells that.
        match self {
            Self::MirroredAcross => shown.covered.1 = stored.covered.1,
            Self::MirroredDown => shown.covered.0 = stored.covered.0,
            Self::Transposed => shown.covered = (stored.covered.1, stored.covered.0),
            Self::QuarterRight => shown.covered.1 = stored.covered.0,
            Self::QuarterLeft => shown.covered.0 = stored.covered.1,
            Self::Upright | Self::HalfTurn | Self::Transversed => {}
        }
        shown
    }
}

/// Makes rows of columns: the row at `y` is the column `column(y)` of `rows`, in the order of `rows`.
fn transpose<'a>(
    rows: &(impl Iterator<Item = &'a [u8]> + Clone),
    width: usize,
    height: usize,
    column: impl Fn(usize) -> usize,
) -> Vec<u8> {
    /// So many rows are written side by side: as many as a cache holds the ends of.
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
    fn every_orientation_undoes_how_a_camera_stored_the_picture() {
        let (width, height) = (3_u32, 2_u32);
        let shown: Vec<u8> = (0..6).collect();
        for sample in Sample::ALL {
            let stored_size = sample.swap_size(width, height);
            let stored: Vec<u8> = (0..stored_size.1)
                .flat_map(|y| (0..stored_size.0).map(move |x| (x, y)))
                .map(|(x, y)| {
                    let (x, y) = sample.displayed_at(x, y, width, height);
                    shown[(y * width + x) as usize]
                })
                .collect();
            let orientation = Orientation::from_exif(Some(sample.exif()));
            assert_eq!(orientation.shown(stored_size), (width, height));
            assert_eq!(
                orientation.apply(Plane::whole(stored_size, stored)),
                Plane::whole((width, height), shown.clone())
            );
        }
    }

    #[test]
    fn a_picture_of_many_strips_is_turned_whole() {
        let stored = Plane::whole((100, 70), (0..7000_u32).map(|at| at.to_le_bytes()[0]).collect());
        let mut turned = stored.clone();
        for _ in 0..4 {
            assert_ne!(Orientation::QuarterRight.apply(turned.clone()), turned);
            turned = Orientation::QuarterRight.apply(turned);
        }
        assert_eq!(turned, stored);
        let there_and_back = Orientation::QuarterLeft.apply(Orientation::QuarterRight.apply(stored.clone()));
        assert_eq!(there_and_back, stored);
    }

    #[test]
    fn numbers_that_mean_nothing_turn_nothing() {
        for number in [None, Some(0), Some(1), Some(9), Some(255)] {
            assert_eq!(Orientation::from_exif(number), Orientation::Upright);
        }
    }

    #[test]
    fn what_a_picture_covers_stays_at_the_end_where_nothing_is_turned_round() {
        let covered = |orientation: Orientation| {
            let stored = Plane::tints((3, 9), vec![0; 10]);
            orientation.apply(stored).covered
        };
        for (orientation, expected) in [
            (Orientation::Upright, (1.5, 4.5)),
            (Orientation::MirroredAcross, (2.0, 4.5)),
            (Orientation::HalfTurn, (2.0, 5.0)),
            (Orientation::MirroredDown, (1.5, 5.0)),
            (Orientation::Transposed, (4.5, 1.5)),
            (Orientation::QuarterRight, (5.0, 1.5)),
            (Orientation::Transversed, (5.0, 2.0)),
            (Orientation::QuarterLeft, (4.5, 2.0)),
        ] {
            assert_eq!(covered(orientation), expected, "{orientation:?}");
        }
    }
}
