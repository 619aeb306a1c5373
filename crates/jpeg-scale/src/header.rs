//! What a file is, told by all that stands before its first data.

use crate::Scale;
use crate::error::{Corrupt, Error, Unsupported};
use crate::huffman::Code;
use crate::layout::Layout;
use crate::script::Script;
use crate::segments::{Next, Reader};

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
    /// Why [`Decoder`](crate::Decoder) does not read this file, or none if it does.
    pub unsupported: Option<Unsupported>,
}

impl Header {
    /// Bytes that decoding the file at a scale takes: what is compared with [`Limits::bytes`](crate::Limits::bytes).
    ///
    /// These are the planes, and for a progressive file the coefficients of one row of MCUs. What a decoder takes
    /// beyond does not depend on the picture's size: some 150 KiB, and for a progressive file 20 KiB for each of its
    /// scans, of which there may be 100.
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
    match Prelude::read(bytes).map_err(Error::Corrupt)? {
        Read::Sequential(prelude) => Ok(prelude.frame.header(None)),
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
            unsupported,
        }
    }
}

/// The tables of a component in the scan.
pub(crate) struct ScanComponent {
    pub(crate) quantization: [u16; 64],
    pub(crate) dc: usize,
    pub(crate) ac: usize,
}

/// All that stands before the data of a file with one scan.
pub(crate) struct Prelude {
    pub(crate) frame: Frame,
    pub(crate) components: Vec<ScanComponent>,
    pub(crate) dc_codes: [Option<Code>; 4],
    pub(crate) ac_codes: [Option<Code>; 4],
    /// MCUs between restart markers, 0 for none.
    pub(crate) restart_interval: u16,
    /// Where the entropy-coded data begin.
    pub(crate) data: usize,
}

pub(crate) enum Read<'a> {
    Sequential(Box<Prelude>),
    Progressive(Box<Script<'a>>),
    Unsupported(Frame, Unsupported),
}

impl Prelude {
    pub(crate) fn read(bytes: &[u8]) -> Result<Read<'_>, Corrupt> {
        let mut reader = Reader::new(bytes)?;
        let Next::Scan(segment) = reader.next()? else {
            return Err(Corrupt::Truncated);
        };
        let (marker, frame) = reader.frame.ok_or(Corrupt::Marker)?;
        let (&count, rest) = segment.split_first().ok_or(Corrupt::Segment)?;
        if let Some(reason) = reader.unsupported(marker, &frame, count) {
            return Ok(Read::Unsupported(frame, reason));
        }
        if frame.progressive {
            return Ok(Read::Progressive(Box::new(Script::begin(
                reader, frame, segment,
            )?)));
        }
        Ok(Read::Sequential(Box::new(Self::new(reader, frame, count, rest)?)))
    }

    fn new(reader: Reader<'_>, frame: Frame, count: u8, rest: &[u8]) -> Result<Self, Corrupt> {
        if rest.len() != usize::from(count) * 2 + 3 || count != frame.count {
            return Err(Corrupt::Scan);
        }
        // Spectral selection and approximation (the last three bytes) have no meaning in a sequential scan and are
        // wrong in some files; libjpeg ignores them too.
        let mut components = Vec::with_capacity(3);
        for (&[id, tables], component) in rest
            .as_chunks()
            .0
            .iter()
            .zip(&frame.components)
            .take(usize::from(count))
        {
            let (dc, ac) = (usize::from(tables >> 4), usize::from(tables & 15));
            if id != component.id || dc > 3 || ac > 3 {
                return Err(Corrupt::Scan);
            }
            if reader.dc_codes[dc].is_none() || reader.ac_codes[ac].is_none() {
                return Err(Corrupt::Huffman);
            }
            let quantization = reader.quantization[usize::from(component.quantization)];
            components.push(ScanComponent {
                quantization: quantization.ok_or(Corrupt::Quantization)?,
                dc,
                ac,
            });
        }
        Ok(Self {
            frame,
            components,
            dc_codes: reader.dc_codes,
            ac_codes: reader.ac_codes,
            restart_interval: reader.restart_interval,
            data: reader.at,
        })
    }
}

impl Reader<'_> {
    fn unsupported(&self, marker: u8, frame: &Frame, in_scan: u8) -> Option<Unsupported> {
        match marker {
            0xc0..=0xc2 => {}
            0xc3 | 0xf7 => return Some(Unsupported::Lossless),
            0xc9..=0xcb => return Some(Unsupported::Arithmetic),
            _ => return Some(Unsupported::Hierarchical),
        }
        let components = &frame.components[..usize::from(frame.count).min(4)];
        if self.depth != 8 {
            Some(Unsupported::Depth)
        } else if frame.height == 0 {
            Some(Unsupported::NoHeight)
        } else if frame.count == 4 {
            Some(Unsupported::Cmyk)
        } else if frame.count != 1 && frame.count != 3 {
            Some(Unsupported::Components)
        } else if frame.count == 3 && self.is_rgb(components) {
            Some(Unsupported::Rgb)
        } else if in_scan < frame.count && !frame.progressive {
            Some(Unsupported::NonInterleaved)
        } else if frame.count == 3
            && components
                .iter()
                .any(|each| each.horizontal > 2 || each.vertical > 2)
        {
            Some(Unsupported::Sampling)
        } else {
            None
        }
    }

    /// The rule that libjpeg made customary: a JFIF header means Y, Cb, Cr; else Adobe's says; else the names do.
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
