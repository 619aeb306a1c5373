use crate::raster::Pixels;

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

    /// Turns pixels of this stored size upright.
    pub(crate) fn apply(self, size: (u32, u32), pixels: Pixels) -> Pixels {
        if self == Self::Upright {
            return pixels;
        }
        let turned = match pixels.channels() {
            1 => self.turn::<1>(size, pixels.bytes()),
            3 => self.turn::<3>(size, pixels.bytes()),
            _ => self.turn::<4>(size, pixels.bytes()),
        };
        pixels.with(turned)
    }

    fn turn<const CHANNELS: usize>(self, (width, height): (u32, u32), stored: &[u8]) -> Vec<u8> {
        let (width, height) = (width as usize, height as usize);
        let (stored, _) = stored.as_chunks::<CHANNELS>();
        let mut shown = Vec::with_capacity(stored.len() * CHANNELS);
        let mut row = |pixels: &mut dyn Iterator<Item = &[u8; CHANNELS]>| {
            for pixel in pixels {
                shown.extend_from_slice(pixel);
            }
        };
        let rows = || stored.chunks_exact(width.max(1));
        let column = |x: usize| stored.iter().skip(x).step_by(width.max(1)).take(height);
        match self {
            Self::Upright => row(&mut stored.iter()),
            Self::MirroredAcross => rows().for_each(|stored| row(&mut stored.iter().rev())),
            Self::HalfTurn => row(&mut stored.iter().rev()),
            Self::MirroredDown => rows().rev().for_each(|stored| row(&mut stored.iter())),
            Self::Transposed => (0..width).for_each(|x| row(&mut column(x))),
            Self::QuarterRight => (0..width).for_each(|x| row(&mut column(x).rev())),
            Self::Transversed => (0..width).rev().for_each(|x| row(&mut column(x).rev())),
            Self::QuarterLeft => (0..width).rev().for_each(|x| row(&mut column(x))),
        }
        shown
    }
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
                    let (x, y) = sample.shown_at(x, y, width, height);
                    shown[(y * width + x) as usize]
                })
                .collect();
            let orientation = Orientation::from_exif(Some(sample.exif()));
            assert_eq!(orientation.shown(stored_size), (width, height));
            assert_eq!(
                orientation.apply(stored_size, Pixels::Grey(stored.clone())),
                Pixels::Grey(shown.clone())
            );
            let stored: Vec<u8> = stored
                .iter()
                .flat_map(|&value| [value, 100 + value, 200 + value])
                .collect();
            let wanted: Vec<u8> = shown
                .iter()
                .flat_map(|&value| [value, 100 + value, 200 + value])
                .collect();
            assert_eq!(
                orientation.apply(stored_size, Pixels::Rgb(stored)),
                Pixels::Rgb(wanted)
            );
        }
    }

    #[test]
    fn numbers_that_mean_nothing_turn_nothing() {
        for number in [None, Some(0), Some(1), Some(9), Some(255)] {
            assert_eq!(Orientation::from_exif(number), Orientation::Upright);
        }
    }
}
