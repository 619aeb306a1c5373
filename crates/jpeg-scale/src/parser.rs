//! A file up to the data of its first scan.

use crate::error::{Corrupt, Error, Unsupported};
use crate::frame::{Frame, FrameComponent};
use crate::header::Header;
use crate::script::ScanScript;
use crate::segments::{Next, SegmentReader};
use crate::sequence::SequentialScans;

/// Reads the header of a file without decoding its data.
///
/// # Errors
/// [`Error::Corrupt`] if there is no valid header. Kinds of JPEG that the decoder does not read are not an
/// error here: see [`Header::unsupported`].
pub fn read_header(bytes: &[u8]) -> Result<Header, Error> {
    match Parsed::parse(bytes).map_err(Error::Corrupt)? {
        Parsed::Sequential(scans) => Ok(scans.frame.header(None)),
        Parsed::Progressive(script) => Ok(script.frame.header(None)),
        Parsed::Unsupported(frame, reason) => Ok(frame.header(Some(reason))),
    }
}

/// A file by coding process, read up to the data of its first scan.
pub(crate) enum Parsed<'a> {
    Sequential(Box<SequentialScans<'a>>),
    Progressive(Box<ScanScript<'a>>),
    Unsupported(Frame, Unsupported),
}

impl<'a> Parsed<'a> {
    /// Reads all marker segments before the data of the first scan.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, Corrupt> {
        let mut reader = SegmentReader::new(bytes)?;
        let Next::Scan(segment) = reader.next()? else {
            return Err(Corrupt::Truncated);
        };
        let (marker, mut frame) = reader.frame.ok_or(Corrupt::Marker)?;
        frame.rgb = frame.count == 3 && reader.is_rgb(&frame.components[..3]);
        if let Some(reason) = reader.unsupported(marker, &frame) {
            return Ok(Self::Unsupported(frame, reason));
        }
        Ok(if frame.progressive {
            Self::Progressive(Box::new(ScanScript::begin(reader, frame, segment)?))
        } else {
            Self::Sequential(Box::new(SequentialScans::begin(reader, frame, segment)?))
        })
    }
}

impl SegmentReader<'_> {
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

    fn is_rgb(&self, components: &[FrameComponent]) -> bool {
        if self.is_jfif {
            return false;
        }
        match self.adobe_transform {
            Some(transform) => transform == 0,
            None => components.iter().map(|each| each.id).eq(*b"RGB"),
        }
    }
}
