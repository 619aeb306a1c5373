//! Images as planes of samples.

/// Samples of one component, row by row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plane {
    /// Samples per row.
    pub width: usize,
    /// Number of rows.
    pub height: usize,
    /// Distance between the starts of rows, at least `width`.
    pub stride: usize,
    /// At least `stride × height` samples. Those after `width` in each row are padding.
    pub data: Vec<u8>,
}

impl Plane {
    /// Samples of row `y`.
    ///
    /// # Panics
    /// If `y` is not below the height.
    pub fn row(&self, y: usize) -> &[u8] {
        &self.data[y * self.stride..][..self.width]
    }

    /// A view of the plane's samples.
    pub fn samples(&self) -> Samples<'_> {
        Samples {
            width: self.width,
            height: self.height,
            stride: self.stride,
            data: &self.data,
        }
    }

    /// Sets the size of the plane, reusing its memory. The content of the samples is unspecified.
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

/// Borrowed samples of a plane, with the fields of [`Plane`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Samples<'a> {
    /// Samples per row.
    pub width: usize,
    /// Number of rows.
    pub height: usize,
    /// Distance between the starts of rows, at least `width`.
    pub stride: usize,
    /// At least `stride × height` samples.
    pub data: &'a [u8],
}

/// An image: Y alone, or Y, Cb and Cr in full range (JFIF), with Cb and Cr at full or half the width and
/// height. Components are as stored in the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Planes {
    /// Width of the image.
    pub width: usize,
    /// Height of the image.
    pub height: usize,
    /// One plane (grey) or three: Y, Cb, Cr, or red, green, blue if [`Header::rgb`](crate::Header::rgb) says
    /// so.
    pub planes: Vec<Plane>,
}
