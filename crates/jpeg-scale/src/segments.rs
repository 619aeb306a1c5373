//! Marker segments (ITU-T T.81, annex B), read up to one scan header at a time.

use crate::error::Corrupt;
use crate::frame::{Frame, FrameComponent};
use crate::huffman::Code;

const SOI: u8 = 0xd8;
const EOI: u8 = 0xd9;
const SOS: u8 = 0xda;
const DQT: u8 = 0xdb;
const DHT: u8 = 0xc4;
const DRI: u8 = 0xdd;
const JFIF: u8 = 0xe0;
const ADOBE: u8 = 0xee;

/// Reads consecutive marker segments and keeps their content.
pub(crate) struct SegmentReader<'a> {
    bytes: &'a [u8],
    /// Position of the next segment; after a scan header, the position of the scan's data.
    pub(crate) position: usize,
    /// Frame header and its SOF marker.
    pub(crate) frame: Option<(u8, Frame)>,
    pub(crate) depth: u8,
    pub(crate) quantization: [Option<[u16; 64]>; 4],
    pub(crate) dc_codes: [Option<Code>; 4],
    pub(crate) ac_codes: [Option<Code>; 4],
    /// MCUs between restart markers, 0 for none.
    pub(crate) restart_interval: u16,
    pub(crate) is_jfif: bool,
    pub(crate) adobe_transform: Option<u8>,
}

/// End of a run of marker segments.
pub(crate) enum Next<'a> {
    /// A scan with this header.
    Scan(&'a [u8]),
    /// The EOI marker.
    EndOfImage,
    /// End of the file without EOI.
    EndOfFile,
}

impl<'a> SegmentReader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Result<Self, Corrupt> {
        if bytes.first_chunk() != Some(&[0xff, SOI]) {
            return Err(Corrupt::NotJpeg);
        }
        Ok(Self {
            bytes,
            position: 2,
            frame: None,
            depth: 0,
            quantization: [None; 4],
            dc_codes: [const { None }; 4],
            ac_codes: [const { None }; 4],
            restart_interval: 0,
            is_jfif: false,
            adobe_transform: None,
        })
    }

    /// Reads up to the end of the next scan header, skipping the data of the previous scan.
    pub(crate) fn next(&mut self) -> Result<Next<'a>, Corrupt> {
        loop {
            let Some((marker, start)) = next_marker(self.bytes, self.position) else {
                return Ok(Next::EndOfFile);
            };
            // Markers without a segment: TEM and RSTn, which mean nothing here.
            if matches!(marker, 0x01 | 0xd0..=0xd7) {
                self.position = start;
                continue;
            }
            match marker {
                SOI => return Err(Corrupt::Marker),
                EOI => return Ok(Next::EndOfImage),
                _ => {}
            }
            let length = self
                .bytes
                .get(start..)
                .and_then(|rest| rest.first_chunk())
                .ok_or(Corrupt::Truncated)?;
            let length = usize::from(u16::from_be_bytes(*length));
            if length < 2 {
                return Err(Corrupt::Segment);
            }
            let segment = self
                .bytes
                .get(start + 2..start + length)
                .ok_or(Corrupt::Truncated)?;
            self.position = start + length;
            if marker == SOS {
                return Ok(Next::Scan(segment));
            }
            self.segment(marker, segment)?;
        }
    }

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
            rgb: false,
            width: u16::from_be_bytes([w1, w0]),
            height: u16::from_be_bytes([h1, h0]),
            progressive: marker == 0xc2,
            count,
            components: [FrameComponent::default(); 4],
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
                *component = FrameComponent {
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
}

/// The next marker at or after `at`, and the position after it. Data and stray bytes before it are skipped.
fn next_marker(bytes: &[u8], mut at: usize) -> Option<(u8, usize)> {
    loop {
        at += find_ff(bytes.get(at..)?)?;
        at += bytes[at..].iter().position(|&byte| byte != 0xff)? + 1;
        if bytes[at - 1] != 0 {
            return Some((bytes[at - 1], at));
        }
    }
}

/// Index of the first 0xFF.
fn find_ff(bytes: &[u8]) -> Option<usize> {
    let (chunks, _) = bytes.as_chunks::<32>();
    // Compiles to a vector comparison.
    let has_ff = |chunk: &[u8; 32]| chunk.iter().fold(0, |max, &byte| byte.max(max)) == 0xff;
    let whole = chunks.iter().position(has_ff).unwrap_or(chunks.len()) * 32;
    let found = bytes[whole..].iter().position(|&byte| byte == 0xff)?;
    Some(whole + found)
}
