use memchr::memchr;

use super::{coverage::Coverage, frame::Frame};
use crate::error::Damage;

/// Marker segments and scans of a file, as far as they can be parsed (ITU-T T.81, annex B).
#[derive(Debug)]
pub(super) struct Layout<'a> {
    /// The whole file.
    pub(super) file: &'a [u8],
    /// Frame header; `None` if the file is damaged before it.
    pub(super) frame: Option<Frame>,
    /// TIFF structure of the Exif segment.
    pub(super) exif: Option<&'a [u8]>,
    /// True if a JFIF segment declares that three components are Y, Cb and Cr. As with Adobe's segment, it counts only
    /// before the first scan, because a decoder needs it by then.
    pub(super) has_jfif: bool,
    /// Colour transform that Adobe's segment declares.
    pub(super) adobe_transform: Option<u8>,
    /// Sections that a decoder needs, in file order; metadata is left out.
    pub(super) sections: Vec<Section<'a>>,
    /// Total length of the entropy-coded data in bytes.
    pub(super) entropy_coded_bytes: u64,
    /// Blocks that a decoder visits in all scans together.
    pub(super) block_visits: u64,
    /// Parts of the ICC profile, in file order.
    pub(super) icc_parts: Vec<IccPart<'a>>,
    /// Damage that stopped the parser.
    pub(super) damage: Option<Damage>,
    coverage: Coverage,
    scans: usize,
    /// Total length of the Huffman table segments in bytes.
    huffman_bytes: usize,
}

/// Section of a file that is passed to a decoder.
#[derive(Debug, Clone, Copy)]
pub(super) enum Section<'a> {
    /// A marker with its segment.
    Segment(&'a [u8]),
    /// Entropy-coded data of a scan.
    EntropyCoded(&'a [u8]),
}

/// Part of an ICC profile: profiles over 64 KiB take several segments (ICC.1:2022, annex B.4).
#[derive(Debug)]
pub(super) struct IccPart<'a> {
    /// Position among the parts, from 1.
    pub(super) number: u8,
    /// Declared number of parts.
    pub(super) count: u8,
    pub(super) data: &'a [u8],
}

/// Far more segments and scans than cameras and programs write.
const MAX_SEGMENTS: usize = 10_000;
const MAX_SCANS: usize = 100;
/// Five times the size of all possible Huffman tables, defined again for each scan.
const MAX_HUFFMAN_BYTES: usize = 1 << 20;

const SOF: std::ops::RangeInclusive<u8> = 0xC0..=0xCF;
const DHT: u8 = 0xC4;
const JPG: u8 = 0xC8;
const DAC: u8 = 0xCC;
const RST: std::ops::RangeInclusive<u8> = 0xD0..=0xD7;
const SOI: u8 = 0xD8;
const EOI: u8 = 0xD9;
const SOS: u8 = 0xDA;
const APP0: u8 = 0xE0;
const APP1: u8 = 0xE1;
const APP2: u8 = 0xE2;
const APP14: u8 = 0xEE;
const APP15: u8 = 0xEF;
const COM: u8 = 0xFE;
const TEM: u8 = 0x01;

impl<'a> Layout<'a> {
    /// Parses a file that starts with SOI.
    pub(super) fn read(bytes: &'a [u8]) -> Self {
        let mut layout = Self {
            file: bytes,
            frame: None,
            exif: None,
            has_jfif: false,
            adobe_transform: None,
            sections: Vec::new(),
            entropy_coded_bytes: 0,
            block_visits: 0,
            icc_parts: Vec::new(),
            damage: None,
            coverage: Coverage::default(),
            scans: 0,
            huffman_bytes: 0,
        };
        layout.damage = layout.parse(bytes).err();
        layout
    }

    fn parse(&mut self, bytes: &'a [u8]) -> Result<(), Damage> {
        let mut at = 2;
        for _ in 0..MAX_SEGMENTS {
            let (code, start) = next_marker(bytes, at).ok_or(Damage::Truncated)?;
            match code {
                EOI => return Ok(()),
                SOI => return Err(Damage::Malformed),
                TEM => at = start + 2,
                code if RST.contains(&code) => at = start + 2,
                code => {
                    let segment = segment(bytes, start)?;
                    at = start + segment.len();
                    self.add_segment(code, segment)?;
                    if code == SOS {
                        at = self.add_scan(bytes, at)?;
                        if at == bytes.len() {
                            // Only EOI is missing. If data is missing too, decoding fails.
                            return Ok(());
                        }
                    }
                }
            }
        }
        Err(Damage::TooManyParts)
    }

    fn add_segment(&mut self, code: u8, segment: &'a [u8]) -> Result<(), Damage> {
        let content = segment.get(4..).unwrap_or_default();
        match code {
            DHT => {
                self.huffman_bytes += segment.len();
                if self.huffman_bytes > MAX_HUFFMAN_BYTES {
                    return Err(Damage::TooManyParts);
                }
            }
            JPG | DAC => {}
            SOS => {
                self.scans += 1;
                let frame = self.frame.as_ref().ok_or(Damage::Malformed)?;
                self.coverage.add(frame, content);
                self.block_visits += frame.blocks_in_scan(content);
                if self.scans > MAX_SCANS {
                    return Err(Damage::TooManyParts);
                }
            }
            code if SOF.contains(&code) => {
                if self.frame.is_some() {
                    return Err(Damage::Malformed);
                }
                self.frame = Some(Frame::read(code, content).ok_or(Damage::Malformed)?);
            }
            APP0 if self.scans == 0 && content.starts_with(b"JFIF\0") => self.has_jfif = true,
            APP1 => {
                if let Some(tiff) = content.strip_prefix(b"Exif\0")
                    && self.exif.is_none()
                {
                    self.exif = tiff.get(1..);
                }
            }
            APP2 => {
                if let Some([number, count, data @ ..]) = content.strip_prefix(b"ICC_PROFILE\0") {
                    self.icc_parts.push(IccPart {
                        number: *number,
                        count: *count,
                        data,
                    });
                }
            }
            APP14 if self.scans == 0 && content.starts_with(b"Adobe") => {
                self.adobe_transform = content.get(11).copied();
            }
            _ => {}
        }
        let is_metadata = (APP0..=APP15).contains(&code) || code == COM;
        if !is_metadata {
            self.sections.push(Section::Segment(segment));
        }
        Ok(())
    }

    /// Adds a scan's data. Returns the offset of the marker that ends it, or the file's length if there is none.
    fn add_scan(&mut self, bytes: &'a [u8], start: usize) -> Result<usize, Damage> {
        let mut at = start;
        let end = loop {
            let Some(found) = bytes.get(at..).and_then(|rest| memchr(0xFF, rest)) else {
                break bytes.len();
            };
            let marker = at + found;
            match bytes.get(marker + 1) {
                Some(0) => at = marker + 2,
                Some(0xFF) => at = marker + 1,
                Some(code) if RST.contains(code) => at = marker + 2,
                Some(_) | None => break marker,
            }
        };
        let mut data = bytes.get(start..end).ok_or(Damage::Truncated)?;
        // Fill bytes belong to the marker.
        while let Some(shorter) = data.strip_suffix(&[0xFF]) {
            data = shorter;
        }
        self.sections.push(Section::EntropyCoded(data));
        self.entropy_coded_bytes += data.len() as u64;
        if end + 1 < bytes.len() {
            return Ok(end);
        }
        // Some programs leave EOI out, and so do interrupted uploads. Storage often returns zeros for bytes that it
        // never received, and coefficients without a scan are missing.
        let zeros = data.iter().rev().take_while(|&&byte| byte == 0).count();
        if zeros >= 64 || !self.coverage.is_complete() {
            return Err(Damage::Truncated);
        }
        Ok(bytes.len())
    }
}

/// Code and offset of the next marker. Some files have stray bytes before a marker, and fill bytes may precede any
/// marker.
fn next_marker(bytes: &[u8], from: usize) -> Option<(u8, usize)> {
    let mut at = from;
    loop {
        let found = at + memchr(0xFF, bytes.get(at..)?)?;
        match bytes.get(found + 1)? {
            0 => at = found + 2,
            0xFF => at = found + 1,
            code => return Some((*code, found)),
        }
    }
}

/// The marker at `start` with its segment.
fn segment(bytes: &[u8], start: usize) -> Result<&[u8], Damage> {
    let length = bytes
        .get(start + 2..start + 4)
        .and_then(<[u8]>::first_chunk)
        .map(|length| usize::from(u16::from_be_bytes(*length)))
        .ok_or(Damage::Truncated)?;
    if length < 2 {
        return Err(Damage::Malformed);
    }
    bytes.get(start..start + 2 + length).ok_or(Damage::Truncated)
}
