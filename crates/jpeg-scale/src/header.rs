//! What a file is, told by all that stands before its first data.

use crate::Scale;
use crate::error::{Corrupt, Error, Unsupported};
use crate::layout::Layout;
use crate::script::Script;
use crate::segments::{Next, Reader};
use crate::sequence::Sequence;

/// The order of coefficients in a file: the place (row × 8 + column) of each (ITU-T T.81, figure 5).
pub(crate) const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7,
    14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39,
    46, 53, 60, 61, 54, 47, 55, 62, 63,
];

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

impl Header {
    /// Bytes that decoding the file at a scale takes: what is compared with [`Limits::bytes`](crate::Limits::bytes).
    ///
    /// These are the planes, and for a progressive file the coefficients of one row of MCUs. What a decoder takes
    /// beyond does not depend on the picture's size: some 150 KiB, and for a progressive file some 30 KiB for each of
    /// its scans, of which there may be 100.
    pub fn bytes(&self, scale: Scale) -> u64 {
        Layout::new(self, scale).bytes()
    }
}

/// Reads a file's header without decoding anything.
///
/// # Errors
/// [`Error::Corrupt`] if there is no valid header. Kinds that the decoder does not read are no error here:
/// see [`Header::unsupported`].
pub fn read_header(bytes: &[u8]) -> Result<Header, Error> {
    match Read::begin(bytes).map_err(Error::Corrupt)? {
        Read::Sequential(sequence) => Ok(sequence.frame.header(None)),
        Read::Progressive(script) => Ok(script.frame.header(None)),
        Read::Unsupported(frame, reason) => Ok(frame.header(Some(reason))),
    }
}

#[derive(Clone, Copy, Default)]
pub(crate) struct Component {
    pub(crate) id: u8,
    pub(crate) horizontal: u8,
    pub(crate) vertical: u8,
    pub(crate) quantization: u8,
}

#[derive(Clone, Copy)]
pub(crate) struct Frame {
    pub(crate) width: u16,
    pub(crate) height: u16,
    pub(crate) progressive: bool,
    pub(crate) rgb: bool,
    pub(crate) count: u8,
    pub(crate) components: [Component; 4],
}

impl Frame {
    pub(crate) fn header(&self, unsupported: Option<Unsupported>) -> Header {
        let sampling = self.components.map(|each| Sampling {
            horizontal: each.horizontal,
            vertical: each.vertical,
        });
        Header {
            width: self.width,
            height: self.height,
            components: self.count,
            sampling,
            progressive: self.progressive,
            rgb: self.rgb,
            unsupported,
        }
    }
}

/// A file by how it is decoded.
pub(crate) enum Read<'a> {
    Sequential(Box<Sequence<'a>>),
    Progressive(Box<Script<'a>>),
    Unsupported(Frame, Unsupported),
}

impl<'a> Read<'a> {
    /// Reads all that stands before the data of the first scan.
    pub(crate) fn begin(bytes: &'a [u8]) -> Result<Self, Corrupt> {
        let mut reader = Reader::new(bytes)?;
        let Next::Scan(segment) = reader.next()? else {
            return Err(Corrupt::Truncated);
        };
        let (marker, mut frame) = reader.frame.ok_or(Corrupt::Marker)?;
        frame.rgb = frame.count == 3 && reader.is_rgb(&frame.components[..3]);
        if let Some(reason) = reader.unsupported(marker, &frame) {
            return Ok(Self::Unsupported(frame, reason));
        }
        Ok(if frame.progressive {
            Self::Progressive(Box::new(Script::begin(reader, frame, segment)?))
        } else {
            Self::Sequential(Box::new(Sequence::begin(reader, frame, segment)?))
        })
    }
}

impl Reader<'_> {
    fn unsupported(&self, marker: u8, frame: &Frame) -> Option<Unsupported> {
        match marker {
            0xc0..=0xc2 => {}
            0xc3 | 0xf7 => return Some(Unsupported::Lossless),
            0xc9..=0xcb => return Some(Unsupported::Arithmetic),
            _ => return Some(Unsupported::Hierarchical),
        }
        if self.depth != 8 {
            Some(Unsupported::Depth)
        } else if frame.height == 0 {
            Some(Unsupported::NoHeight)
        } else if frame.count == 4 {
            Some(Unsupported::Cmyk)
        } else if frame.count != 1 && frame.count != 3 {
            Some(Unsupported::Components)
        } else if frame.count == 3
            && frame.components[..3]
                .iter()
                .any(|each| each.horizontal > 2 || each.vertical > 2)
        {
            Some(Unsupported::Sampling)
        } else {
            None
        }
    }

    fn is_rgb(&self, components: &[Component]) -> bool {
        if self.is_jfif {
            return false;
        }
        match self.adobe_transform {
            Some(transform) => transform == 0,
            None => components.iter().map(|each| each.id).eq(*b"RGB"),
        }
    }
}
