//! Marker segments up to the first scan (ITU-T T.81, annex B).

use crate::error::{Corrupt, Error, Unsupported};
use crate::huffman::Code;

const SOI: u8 = 0xd8;
const EOI: u8 = 0xd9;
const SOS: u8 = 0xda;
const DQT: u8 = 0xdb;
const DHT: u8 = 0xc4;
const DRI: u8 = 0xdd;
const JFIF: u8 = 0xe0;
const ADOBE: u8 = 0xee;

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
    /// Why [`Decoder`](crate::Decoder) does not read this file, or none if it does.
    pub unsupported: Option<Unsupported>,
}

/// Reads a file's header without decoding anything.
///
/// # Errors
/// [`Error::Corrupt`] if there is no valid header. Kinds that the decoder does not read are no error here:
/// see [`Header::unsupported`].
pub fn read_header(bytes: &[u8]) -> Result<Header, Error> {
    match Prelude::read(bytes).map_err(Error::Corrupt)? {
        Read::Supported(prelude) => Ok(prelude.frame.header(None)),
        Read::Unsupported(frame, reason) => Ok(frame.header(Some(reason))),
    }
}

#[derive(Clone, Copy, Default)]
pub(crate) struct Component {
    id: u8,
    pub(crate) horizontal: u8,
    pub(crate) vertical: u8,
    quantization: u8,
}

pub(crate) struct Frame {
    pub(crate) width: u16,
    pub(crate) height: u16,
    count: u8,
    components: [Component; 4],
}

impl Frame {
    fn header(&self, unsupported: Option<Unsupported>) -> Header {
        let sampling = self.components.map(|each| Sampling {
            horizontal: each.horizontal,
            vertical: each.vertical,
        });
        Header {
            width: self.width,
            height: self.height,
            components: self.count,
            sampling,
            unsupported,
        }
    }
}

/// The tables and sampling of a component in the scan.
pub(crate) struct ScanComponent {
    pub(crate) horizontal: u8,
    pub(crate) vertical: u8,
    pub(crate) quantization: [u16; 64],
    pub(crate) dc: usize,
    pub(crate) ac: usize,
}

/// All that stands before the entropy-coded data.
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

pub(crate) enum Read {
    Supported(Box<Prelude>),
    Unsupported(Frame, Unsupported),
}

#[derive(Default)]
struct Parser {
    frame: Option<(u8, Frame)>,
    depth: u8,
    quantization: [Option<[u16; 64]>; 4],
    dc_codes: [Option<Code>; 4],
    ac_codes: [Option<Code>; 4],
    restart_interval: u16,
    is_jfif: bool,
    adobe_transform: Option<u8>,
}

impl Prelude {
    pub(crate) fn read(bytes: &[u8]) -> Result<Read, Corrupt> {
        if bytes.first_chunk() != Some(&[0xff, SOI]) {
            return Err(Corrupt::NotJpeg);
        }
        let mut parser = Parser::default();
        let mut at = 2;
        loop {
            let (marker, start) = next_marker(bytes, at)?;
            // Markers that stand alone: TEM and RSTn, which mean nothing here.
            if matches!(marker, 0x01 | 0xd0..=0xd7) {
                at = start;
                continue;
            }
            if matches!(marker, SOI | EOI) {
                return Err(if marker == EOI {
                    Corrupt::Truncated
                } else {
                    Corrupt::Marker
                });
            }
            let length = bytes
                .get(start..)
                .and_then(|rest| rest.first_chunk())
                .ok_or(Corrupt::Truncated)?;
            let length = usize::from(u16::from_be_bytes(*length));
            if length < 2 {
                return Err(Corrupt::Segment);
            }
            let segment = bytes.get(start + 2..start + length).ok_or(Corrupt::Truncated)?;
            at = start + length;
            if marker == SOS {
                return parser.scan(segment, at);
            }
            parser.segment(marker, segment)?;
        }
    }
}

/// The next marker at or behind `at`, and the place behind it. Stray bytes before it are passed over.
fn next_marker(bytes: &[u8], mut at: usize) -> Result<(u8, usize), Corrupt> {
    loop {
        let rest = bytes.get(at..).ok_or(Corrupt::Truncated)?;
        let ff = rest
            .iter()
            .position(|&byte| byte == 0xff)
            .ok_or(Corrupt::Truncated)?;
        let code = rest[ff..]
            .iter()
            .position(|&byte| byte != 0xff)
            .ok_or(Corrupt::Truncated)?
            + ff;
        at += code + 1;
        if rest[code] != 0 {
            return Ok((rest[code], at));
        }
    }
}

impl Parser {
    fn segment(&mut self, marker: u8, segment: &[u8]) -> Result<(), Corrupt> {
        match marker {
            DQT => self.quantization_tables(segment),
            DHT => self.huffman_tables(segment),
            DRI => {
                let interval = segment
                    .first_chunk()
                    .filter(|_| segment.len() == 2)
                    .ok_or(Corrupt::Segment)?;
                self.restart_interval = u16::from_be_bytes(*interval);
                Ok(())
            }
            JFIF => {
                self.is_jfif |= segment.starts_with(b"JFIF\0");
                Ok(())
            }
            ADOBE => {
                if segment.starts_with(b"Adobe") {
                    self.adobe_transform = segment.get(11).copied();
                }
                Ok(())
            }
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf | 0xf7 => {
                self.start_of_frame(marker, segment)
            }
            _ => Ok(()),
        }
    }

    fn quantization_tables(&mut self, mut segment: &[u8]) -> Result<(), Corrupt> {
        while let Some((&head, rest)) = segment.split_first() {
            let (wide, slot) = (head >> 4, usize::from(head & 15));
            if wide > 1 || slot > 3 {
                return Err(Corrupt::Quantization);
            }
            let size = if wide == 1 { 128 } else { 64 };
            let values = rest.get(..size).ok_or(Corrupt::Segment)?;
            let mut table = [0; 64];
            for (k, entry) in table.iter_mut().enumerate() {
                *entry = match wide {
                    0 => u16::from(values[k]),
                    _ => u16::from_be_bytes([values[2 * k], values[2 * k + 1]]),
                };
            }
            self.quantization[slot] = Some(table);
            segment = &rest[size..];
        }
        Ok(())
    }

    fn huffman_tables(&mut self, mut segment: &[u8]) -> Result<(), Corrupt> {
        while let Some((&head, rest)) = segment.split_first() {
            let (class, slot) = (head >> 4, usize::from(head & 15));
            if class > 1 || slot > 3 {
                return Err(Corrupt::Huffman);
            }
            let (counts, rest) = rest.split_first_chunk::<16>().ok_or(Corrupt::Segment)?;
            let total: usize = counts.iter().map(|&count| usize::from(count)).sum();
            let symbols = rest.get(..total).ok_or(Corrupt::Segment)?;
            let code = Some(Code::new(*counts, symbols)?);
            match class {
                0 => self.dc_codes[slot] = code,
                _ => self.ac_codes[slot] = code,
            }
            segment = &rest[total..];
        }
        Ok(())
    }

    fn start_of_frame(&mut self, marker: u8, segment: &[u8]) -> Result<(), Corrupt> {
        if self.frame.is_some() {
            return Err(Corrupt::Marker);
        }
        let (&[depth, h1, h0, w1, w0, count], rest) = segment.split_first_chunk().ok_or(Corrupt::Segment)?;
        let mut frame = Frame {
            width: u16::from_be_bytes([w1, w0]),
            height: u16::from_be_bytes([h1, h0]),
            count,
            components: [Component::default(); 4],
        };
        if frame.width == 0 || count == 0 {
            return Err(Corrupt::Frame);
        }
        if rest.len() != usize::from(count) * 3 {
            return Err(Corrupt::Segment);
        }
        for (index, &[id, sampling, quantization]) in rest.as_chunks().0.iter().enumerate() {
            let (horizontal, vertical) = (sampling >> 4, sampling & 15);
            if !(1..=4).contains(&horizontal) || !(1..=4).contains(&vertical) || quantization > 3 {
                return Err(Corrupt::Frame);
            }
            if let Some(component) = frame.components.get_mut(index) {
                *component = Component {
                    id,
                    horizontal,
                    vertical,
                    quantization,
                };
            }
        }
        self.depth = depth;
        self.frame = Some((marker, frame));
        Ok(())
    }

    fn scan(self, segment: &[u8], data: usize) -> Result<Read, Corrupt> {
        let Some((marker, ref frame)) = self.frame else {
            return Err(Corrupt::Marker);
        };
        let (&count, rest) = segment.split_first().ok_or(Corrupt::Segment)?;
        if let Some(reason) = self.unsupported(marker, frame, count) {
            let Some((_, frame)) = self.frame else {
                return Err(Corrupt::Marker);
            };
            return Ok(Read::Unsupported(frame, reason));
        }
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
            if self.dc_codes[dc].is_none() || self.ac_codes[ac].is_none() {
                return Err(Corrupt::Huffman);
            }
            let quantization = self.quantization[usize::from(component.quantization)];
            // A grey picture's blocks lie in rows whatever its sampling factors say.
            let alone = count == 1;
            components.push(ScanComponent {
                horizontal: if alone { 1 } else { component.horizontal },
                vertical: if alone { 1 } else { component.vertical },
                quantization: quantization.ok_or(Corrupt::Quantization)?,
                dc,
                ac,
            });
        }
        let Some((_, frame)) = self.frame else {
            return Err(Corrupt::Marker);
        };
        Ok(Read::Supported(Box::new(Prelude {
            frame,
            components,
            dc_codes: self.dc_codes,
            ac_codes: self.ac_codes,
            restart_interval: self.restart_interval,
            data,
        })))
    }

    fn unsupported(&self, marker: u8, frame: &Frame, in_scan: u8) -> Option<Unsupported> {
        match marker {
            0xc0 | 0xc1 => {}
            0xc2 => return Some(Unsupported::Progressive),
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
        } else if in_scan < frame.count {
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
