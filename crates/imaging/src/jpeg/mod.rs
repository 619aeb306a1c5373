//! A JPEG file's outer form (ITU-T T.81, annex B): which segments it has, before any of its pixels is decoded.

mod coverage;
mod decode;
mod frame;
mod pieces;
mod route;
mod scaled;

use std::borrow::Cow;

use memchr::memchr;

use crate::{
    form::{Damage, DecodeError, Form, LARGEST_PROFILE},
    inspect::Scratch,
    raster::Raster,
};
use coverage::Coverage;
use frame::{Coding, Frame};
use route::Route;
pub(crate) use scaled::Scaled;

/// A file's segments as far as they can be read.
#[derive(Debug)]
pub(crate) struct Layout<'a> {
    /// The whole file.
    pub(crate) file: &'a [u8],
    /// The frame header, unless the file is damaged before it.
    pub(crate) frame: Option<Frame>,
    /// EXIF's TIFF file.
    pub(crate) exif: Option<&'a [u8]>,
    /// Says that three components are Y, Cb and Cr. As with Adobe's code, only what stands before the first scan counts:
    /// then a decoder has to know.
    pub(crate) jfif: bool,
    /// Adobe's code of how colours are stored.
    pub(crate) adobe: Option<u8>,
    /// All that a decoder needs to see, in order, without metadata.
    pub(crate) pieces: Vec<Piece<'a>>,
    /// Bytes of compressed pixels.
    pub(crate) compressed: u64,
    /// What is wrong with the file's form.
    pub(crate) damage: Option<Damage>,
    icc: Vec<IccPart<'a>>,
    coverage: Coverage,
    scans: usize,
    /// Bytes of Huffman tables.
    codes: usize,
    /// Blocks that all scans together look at.
    visits: u64,
    route: Route,
}

/// A part of the file for a decoder.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Piece<'a> {
    /// A marker with its segment.
    Segment(&'a [u8]),
    /// A scan's compressed data.
    Scan(&'a [u8]),
}

#[derive(Debug)]
struct IccPart<'a> {
    number: u8,
    of: u8,
    data: &'a [u8],
}

/// No camera and no program comes near.
const MOST_SEGMENTS: usize = 10_000;
const MOST_SCANS: usize = 100;
/// Bytes of Huffman tables: all that there can be, anew for each scan, take a fifth.
const MOST_CODES: usize = 1 << 20;

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
    /// Reads a file that begins as a JPEG does.
    pub(crate) fn read(bytes: &'a [u8]) -> Self {
        let mut layout = Self {
            file: bytes,
            frame: None,
            exif: None,
            jfif: false,
            adobe: None,
            pieces: Vec::new(),
            compressed: 0,
            damage: None,
            icc: Vec::new(),
            coverage: Coverage::default(),
            scans: 0,
            codes: 0,
            visits: 0,
            route: Route::General,
        };
        let damage = layout.walk(bytes).err();
        layout.route = Route::of(&layout);
        layout.damage = damage.or_else(|| layout.judge());
        layout
    }

    fn walk(&mut self, bytes: &'a [u8]) -> Result<(), Damage> {
        let mut at = 2;
        for _ in 0..MOST_SEGMENTS {
            let (code, start) = next_marker(bytes, at).ok_or(Damage::Truncated)?;
            match code {
                EOI => return Ok(()),
                SOI => return Err(Damage::Malformed),
                TEM => at = start + 2,
                code if RST.contains(&code) => at = start + 2,
                code => {
                    let segment = segment(bytes, start)?;
                    at = start + segment.len();
                    self.segment(code, segment)?;
                    if code == SOS {
                        at = self.scan(bytes, at)?;
                        if at == bytes.len() {
                            // Only the end of image is missing, if all scans are there: decoding will tell.
                            return Ok(());
                        }
                    }
                }
            }
        }
        Err(Damage::TooManyParts)
    }

    /// Takes notice of one marker and its segment.
    fn segment(&mut self, code: u8, segment: &'a [u8]) -> Result<(), Damage> {
        let content = segment.get(4..).unwrap_or_default();
        match code {
            DHT => {
                self.codes += segment.len();
                if self.codes > MOST_CODES {
                    return Err(Damage::TooManyParts);
                }
            }
            JPG | DAC => {}
            SOS => {
                self.scans += 1;
                let frame = self.frame.as_ref().ok_or(Damage::Malformed)?;
                self.coverage.add(frame, content);
                self.visits += frame.blocks_in_scan(content);
                if self.scans > MOST_SCANS {
                    return Err(Damage::TooManyParts);
                }
            }
            code if SOF.contains(&code) => {
                if self.frame.is_some() {
                    return Err(Damage::Malformed);
                }
                self.frame = Some(Frame::read(code, content).ok_or(Damage::Malformed)?);
            }
            APP0 if self.scans == 0 && content.starts_with(b"JFIF\0") => self.jfif = true,
            APP1 => {
                if let Some(tiff) = content.strip_prefix(b"Exif\0")
                    && self.exif.is_none()
                {
                    self.exif = tiff.get(1..);
                }
            }
            APP2 => {
                if let Some([number, of, data @ ..]) = content.strip_prefix(b"ICC_PROFILE\0") {
                    self.icc.push(IccPart {
                        number: *number,
                        of: *of,
                        data,
                    });
                }
            }
            APP14 if self.scans == 0 && content.starts_with(b"Adobe") => {
                self.adobe = content.get(11).copied();
            }
            _ => {}
        }
        let is_metadata = (APP0..=APP15).contains(&code) || code == COM;
        if !is_metadata {
            self.pieces.push(Piece::Segment(segment));
        }
        Ok(())
    }

    /// Takes a scan's data, and gives the place of the marker that ends it, or the file's length if none does.
    fn scan(&mut self, bytes: &'a [u8], start: usize) -> Result<usize, Damage> {
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
        self.pieces.push(Piece::Scan(data));
        self.compressed += data.len() as u64;
        if end + 1 < bytes.len() {
            return Ok(end);
        }
        // Some programs leave the end of image away, and broken uploads do too. What storage never received often reads
        // as zeros; what no scan brought is missing.
        let zeros = data.iter().rev().take_while(|&&byte| byte == 0).count();
        if zeros >= 64 || !self.coverage.is_complete() {
            return Err(Damage::Truncated);
        }
        Ok(bytes.len())
    }

    /// What is wrong once all segments are known.
    fn judge(&self) -> Option<Damage> {
        let Some(frame) = &self.frame else {
            return Some(Damage::Malformed);
        };
        if frame.width == 0 || frame.height == 0 {
            return Some(Damage::NoPixels);
        }
        // A block takes a bit at least, in the shortest code that there is.
        if frame.is_readable() && self.compressed.saturating_mul(8) < frame.blocks() {
            return Some(Damage::Truncated);
        }
        // The scaled decoder passes over blocks that get nothing; to the general one each costs as much as a full one.
        if !matches!(self.route, Route::Scaled(_)) && self.visits > frame.most_visits() {
            return Some(Damage::TooManyParts);
        }
        None
    }
}

impl Form for Layout<'_> {
    fn size(&self) -> Option<(u32, u32)> {
        let frame = self.frame.as_ref()?;
        Some((frame.width.into(), frame.height.into()))
    }

    fn exif(&self) -> Option<&[u8]> {
        self.exif
    }

    fn obstacle(&self) -> Option<&'static str> {
        self.frame.as_ref()?.obstacle()
    }

    fn damage(&self) -> Option<Damage> {
        self.damage
    }

    fn weight(&self, edge: u16) -> u64 {
        decode::weight(self, edge)
    }

    fn profile(&self) -> Option<Cow<'_, [u8]>> {
        let total: usize = self.icc.iter().map(|part| part.data.len()).sum();
        if self.icc.is_empty() || total > LARGEST_PROFILE {
            return None;
        }
        let mut parts: Vec<_> = self.icc.iter().collect();
        parts.sort_by_key(|part| part.number);
        let complete = parts
            .iter()
            .zip(1_usize..)
            .all(|(part, number)| usize::from(part.number) == number && usize::from(part.of) == parts.len());
        complete.then(|| parts.iter().flat_map(|part| part.data).copied().collect())
    }

    fn decode(&self, edge: u16, scratch: &mut Scratch) -> Result<Raster, DecodeError> {
        decode::decode(self, edge, &mut scratch.scaled, &scratch.decoding)
    }
}

/// The code and place of the next marker. Some files have stray bytes before a marker, and any marker may be preceded by
/// fill bytes.
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

/// A marker with its segment.
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
