/// EXIF orientation (1 to 8): transformation of the stored pixels into the upright image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Orientation(u8);

impl Orientation {
    /// Stored upright.
    pub const UPRIGHT: Self = Self(1);

    /// Every orientation.
    pub const ALL: [Self; 8] = [
        Self(1),
        Self(2),
        Self(3),
        Self(4),
        Self(5),
        Self(6),
        Self(7),
        Self(8),
    ];

    /// Orientation with this EXIF number; `None` outside 1 to 8.
    pub const fn from_exif(number: u8) -> Option<Self> {
        match number {
            1..=8 => Some(Self(number)),
            _ => None,
        }
    }

    /// EXIF number.
    pub const fn exif(self) -> u8 {
        self.0
    }

    /// Returns true if width and height are swapped between the stored and the upright image.
    pub const fn swaps_axes(self) -> bool {
        self.0 >= 5
    }

    /// Converts the size of the upright image to that of the stored image, and vice versa.
    pub const fn swap_size<T: Copy>(self, width: T, height: T) -> (T, T) {
        if self.swaps_axes() {
            (height, width)
        } else {
            (width, height)
        }
    }

    /// Position of the stored pixel (x, y) in the upright image, which has this width and height (EXIF 2.32, tag 0x0112).
    pub const fn displayed_at(self, x: u32, y: u32, width: u32, height: u32) -> (u32, u32) {
        match self.0 {
            2 => (width - 1 - x, y),
            3 => (width - 1 - x, height - 1 - y),
            4 => (x, height - 1 - y),
            5 => (y, x),
            6 => (width - 1 - y, x),
            7 => (width - 1 - y, height - 1 - x),
            8 => (y, height - 1 - x),
            _ => (x, y),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_upright_pixel_comes_from_one_stored_pixel() {
        let (width, height) = (3, 5);
        for orientation in Orientation::ALL {
            let (stored_width, stored_height) = orientation.swap_size(width, height);
            let upright: BTreeSet<_> = (0..stored_height)
                .flat_map(|y| (0..stored_width).map(move |x| (x, y)))
                .map(|(x, y)| orientation.displayed_at(x, y, width, height))
                .collect();
            assert_eq!(upright.len(), 15, "{orientation:?}");
            assert!(upright.iter().all(|&(x, y)| x < width && y < height));
        }
    }

    #[test]
    fn the_first_stored_pixel_is_in_the_corner_that_exif_defines() {
        // "The 0th row is at the visual … of the image, and the 0th column is the visual …"
        let corners = [(0, 0), (2, 0), (2, 4), (0, 4), (0, 0), (2, 0), (2, 4), (0, 4)];
        for (orientation, corner) in Orientation::ALL.into_iter().zip(corners) {
            assert_eq!(orientation.displayed_at(0, 0, 3, 5), corner, "{orientation:?}");
        }
    }
}
