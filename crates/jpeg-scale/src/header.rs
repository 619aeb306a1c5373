//! Properties of a file that precede the data of its first scan.

use crate::error::Unsupported;

/// Sampling factors of a component: its width and height in an MCU, in blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sampling {
    /// 1 to 4 in a valid file; this decoder reads 1 and 2.
    pub horizontal: u8,
    /// 1 to 4 in a valid file; this decoder reads 1 and 2.
    pub vertical: u8,
}

/// Header of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Width in pixels, at least 1.
    pub width: u16,
    /// Height in pixels; 0 only where [`unsupported`](Self::unsupported) is [`Unsupported::NoHeight`].
    pub height: u16,
    /// Number of components: 1 for grey, 3 for Y, Cb, Cr, 4 for CMYK or YCCK.
    pub components: u8,
    /// Sampling factors of the first four components.
    pub sampling: [Sampling; 4],
    /// True if the image is coded in several scans that refine each other (SOF2).
    pub progressive: bool,
    /// True if three components are red, green and blue instead of Y, Cb and Cr, by libjpeg's rule: a JFIF
    /// header means Y, Cb, Cr; otherwise the transform flag of an Adobe segment decides, otherwise the
    /// component identifiers.
    pub rgb: bool,
    /// Reason for which [`Decoder`](crate::Decoder) does not read this file; none if it does.
    pub unsupported: Option<Unsupported>,
}
