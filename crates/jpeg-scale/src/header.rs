//! What a file is, told by all that stands before its first data.

use crate::error::Unsupported;

/// Sampling factors of a component: how many blocks wide and high it is in an MCU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sampling {
    /// 1 to 4 in a valid file; this decoder reads 1 and 2.
    pub horizontal: u8,
    /// 1 to 4 in a valid file; this decoder reads 1 and 2.
    pub vertical: u8,
}

/// What a file's header says about its picture.
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
    /// Whether the picture comes in several scans that refine each other (SOF2).
    pub progressive: bool,
    /// Whether three components are red, green and blue instead of Y, Cb and Cr, by the rule that libjpeg made customary:
    /// a JFIF header says no; else Adobe's segment says it; else the components' names do.
    pub rgb: bool,
    /// Why [`Decoder`](crate::Decoder) does not read this file, or none if it does.
    pub unsupported: Option<Unsupported>,
}
