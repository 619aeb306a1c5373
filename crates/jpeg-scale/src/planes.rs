//! Pictures as planes of samples.

/// One component's samples, row by row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plane {
    /// Samples in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Distance between the starts of rows, at least `width`.
    pub stride: usize,
    /// `stride × height` samples or more. What lies beyond `width` has no meaning.
    pub data: Vec<u8>,
}

impl Plane {
    /// The samples of a row.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn row(&self, y: usize) -> &[u8] {
        &self.data[y * self.stride..][..self.width]
    }

    /// The plane's samples, borrowed.
    pub fn samples(&self) -> Samples<'_> {
        Samples {
            width: self.width,
            height: self.height,
            stride: self.stride,
            data: &self.data,
        }
    }

    /// Makes it a plane of this size whose samples are still to be written, reusing its memory.
    pub(crate) fn shape(&mut self, width: usize, height: usize, stride: usize, rows: usize) {
        *self = Self {
            width,
            height,
            stride,
            data: std::mem::take(&mut self.data),
        };
        self.data.resize(stride * rows, 0);
    }
}

/// A plane's samples where they are: the same as in [`Plane`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Samples<'a> {
    /// Samples in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Distance between the starts of rows, at least `width`.
    pub stride: usize,
    /// `stride × height` samples or more.
    pub data: &'a [u8],
}

/// A picture: Y alone, or Y, Cb and Cr in full range (JFIF), Cb and Cr perhaps at half the width or height. The components
/// are given as they are stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Planes {
    /// Width of the picture.
    pub width: usize,
    /// Height of the picture.
    pub height: usize,
    /// One plane (grey) or three: Y, Cb, Cr, or what the file has in their place ([`Header::rgb`](crate::Header::rgb)).
    pub planes: Vec<Plane>,
}
