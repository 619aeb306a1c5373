//! Frames of the pipes between a pool and its children. Numbers are little endian.
//!
//! The pool sends a [`Request`] and the file. The child answers with the memory that decoding takes, the pool sends a
//! [`Permit`] once that memory is reserved, and the child answers with the result. A file that will not be decoded gets
//! its result at once. An answer is the length of its head, the head in JSON, and the thumbnails.
//!
//! The pool trusts no answer: every length is checked before anything is allocated.

use std::io;

use bytes::Bytes;
use rapidphoto_application::ports::{EncodedThumbnail, Inspection, InspectionLimits, PhotoMetadata};
use rapidphoto_domain::{
    photo::{Finding, PerceptualHash},
    values::{MimeType, ThumbnailEdge},
};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt};

/// Maximum length of an answer's head in bytes; that of a photo with metadata has less than 4 KiB.
const MAX_HEAD: u32 = 256 << 10;
/// Maximum length of a thumbnail in bytes; one of 1024 × 1024 pixels has at most 3 MiB uncompressed.
const MAX_THUMBNAIL: u32 = 8 << 20;

/// Announcement of a file, which follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Request {
    /// Length of the file in bytes.
    pub(super) length: u64,
    pub(super) limits: InspectionLimits,
}

/// Numbers of a frame.
pub(super) type Frame<const N: usize> = [[u8; 8]; N];

impl Request {
    pub(super) fn encode(self) -> Frame<3> {
        [
            self.length,
            self.limits.max_pixels,
            encode_optional(self.limits.min_edge.map(u64::from)),
        ]
        .map(u64::to_le_bytes)
    }

    pub(super) fn decode(frame: Frame<3>) -> Self {
        let [length, max_pixels, min_edge] = frame.map(u64::from_le_bytes);
        Self {
            length,
            limits: InspectionLimits {
                max_pixels,
                min_edge: decode_optional(min_edge).map(|edge| u32::try_from(edge).unwrap_or(u32::MAX)),
            },
        }
    }
}

/// An optional number as a number: 0 without one, otherwise one more than it.
fn encode_optional(number: Option<u64>) -> u64 {
    number.map_or(0, |number| number.saturating_add(1))
}

fn decode_optional(number: u64) -> Option<u64> {
    number.checked_sub(1)
}

/// Decision about decoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Permit {
    /// The memory is reserved.
    Decode,
    /// Decoding needs more than the whole budget.
    ExceedsBudget { budget_bytes: u64 },
}

impl Permit {
    pub(super) fn encode(self) -> Frame<1> {
        let exceeded = match self {
            Self::Decode => None,
            Self::ExceedsBudget { budget_bytes } => Some(budget_bytes),
        };
        [encode_optional(exceeded).to_le_bytes()]
    }

    pub(super) fn decode([exceeded]: Frame<1>) -> Self {
        match decode_optional(u64::from_le_bytes(exceeded)) {
            None => Self::Decode,
            Some(budget_bytes) => Self::ExceedsBudget { budget_bytes },
        }
    }
}

/// Restrictions that are in force in a child process.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Protection {
    /// Landlock: version of the kernel's interface, up to which files, TCP and signals are refused; `None` if the
    /// kernel lacks it.
    pub landlock: Option<i32>,
    /// Seccomp: all system calls that decoding doesn't need are refused.
    pub seccomp: bool,
    /// Limits on memory, files and processes.
    pub limits: bool,
    /// Descriptors beside the pipes, inherited from the program that started the server. Seccomp makes them useless.
    pub inherited_descriptors: usize,
}

impl Protection {
    /// Returns true if a restriction of `other` is missing here, or Landlock refuses less.
    pub(super) fn is_weaker_than(&self, other: &Self) -> bool {
        self.landlock < other.landlock || (other.seccomp && !self.seccomp) || (other.limits && !self.limits)
    }
}

/// Head of an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Head {
    /// The child waits for files.
    Ready(Protection),
    /// Upper bound of the memory in bytes that decoding takes beside the file.
    Weight(u64),
    /// Result; its thumbnails follow.
    Done(Box<Report>),
    /// Message of a panic, after which the child ends.
    Panicked(String),
}

/// An [`Inspection`] without the bytes of its thumbnails.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Report {
    mime_type: Option<MimeType>,
    width: u32,
    height: u32,
    thumbnails: Vec<ThumbnailHead>,
    findings: Vec<Finding>,
    metadata: PhotoMetadata,
    perceptual_hash: Option<PerceptualHash>,
    sharpness: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct ThumbnailHead {
    edge: ThumbnailEdge,
    width: u32,
    height: u32,
    /// Length of the file in bytes.
    length: u32,
}

/// Answer of a child.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Answer {
    Ready(Protection),
    Weight(u64),
    Done(Box<Inspection>),
    Panicked(String),
}

/// Reasons why an answer can't be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum AnswerError {
    #[error("the pipe is closed")]
    Closed,
    #[error("the pipe can't be read")]
    Read(#[source] io::Error),
    #[error("an answer has a head of {0} bytes; at most {MAX_HEAD} are allowed")]
    HeadTooLong(u32),
    #[error("the head of an answer is malformed")]
    Malformed(#[from] serde_json::Error),
    #[error("a result has {0} thumbnails; at most {max} are allowed", max = ThumbnailEdge::ALL.len())]
    TooManyThumbnails(usize),
    #[error(
        "a thumbnail has {length} bytes and {width} × {height} pixels; at most {MAX_THUMBNAIL} bytes and {edge} pixels are allowed"
    )]
    InvalidThumbnail {
        length: u32,
        width: u32,
        height: u32,
        edge: u32,
    },
}

impl From<io::Error> for AnswerError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Closed,
            _ => Self::Read(error),
        }
    }
}

impl Answer {
    /// The bytes of this answer.
    pub(super) fn encode(self) -> io::Result<Vec<u8>> {
        let mut thumbnails = Vec::new();
        let head = match self {
            Self::Ready(protection) => Head::Ready(protection),
            Self::Weight(bytes) => Head::Weight(bytes),
            Self::Panicked(message) => Head::Panicked(message.chars().take(MAX_MESSAGE).collect()),
            Self::Done(inspection) => {
                let (report, files) = split(*inspection)?;
                thumbnails = files;
                Head::Done(Box::new(report))
            }
        };
        let head = serde_json::to_vec(&head)?;
        let length = u32::try_from(head.len()).map_err(io::Error::other)?;
        let total = 4 + head.len() + thumbnails.iter().map(Bytes::len).sum::<usize>();
        let mut frame = Vec::with_capacity(total);
        frame.extend_from_slice(&length.to_le_bytes());
        frame.extend_from_slice(&head);
        for file in &thumbnails {
            frame.extend_from_slice(file);
        }
        Ok(frame)
    }

    /// Reads the next answer.
    pub(super) async fn read(from: &mut (impl AsyncRead + Unpin)) -> Result<Self, AnswerError> {
        let length = from.read_u32_le().await?;
        if length > MAX_HEAD {
            return Err(AnswerError::HeadTooLong(length));
        }
        let head = read_bytes(from, length).await?;
        Ok(match serde_json::from_slice(&head)? {
            Head::Ready(protection) => Self::Ready(protection),
            Head::Weight(bytes) => Self::Weight(bytes),
            Head::Panicked(message) => Self::Panicked(message),
            Head::Done(report) => Self::Done(Box::new(join(*report, from).await?)),
        })
    }
}

/// Maximum length of a panic's message in characters.
const MAX_MESSAGE: usize = 1000;

fn split(inspection: Inspection) -> io::Result<(Report, Vec<Bytes>)> {
    let mut thumbnails = Vec::new();
    let mut files = Vec::new();
    for EncodedThumbnail {
        edge,
        width,
        height,
        jpeg,
    } in inspection.thumbnails
    {
        let length = u32::try_from(jpeg.len()).map_err(io::Error::other)?;
        thumbnails.push(ThumbnailHead {
            edge,
            width,
            height,
            length,
        });
        files.push(jpeg);
    }
    let report = Report {
        mime_type: inspection.mime_type,
        width: inspection.width,
        height: inspection.height,
        thumbnails,
        findings: inspection.findings,
        metadata: inspection.metadata,
        perceptual_hash: inspection.perceptual_hash,
        sharpness: inspection.sharpness,
    };
    Ok((report, files))
}

async fn join(report: Report, from: &mut (impl AsyncRead + Unpin)) -> Result<Inspection, AnswerError> {
    if report.thumbnails.len() > ThumbnailEdge::ALL.len() {
        return Err(AnswerError::TooManyThumbnails(report.thumbnails.len()));
    }
    let mut thumbnails = Vec::with_capacity(report.thumbnails.len());
    for ThumbnailHead {
        edge,
        width,
        height,
        length,
    } in report.thumbnails
    {
        let pixels = 1..=edge.pixels();
        if length > MAX_THUMBNAIL || !pixels.contains(&width) || !pixels.contains(&height) {
            let edge = edge.pixels();
            return Err(AnswerError::InvalidThumbnail {
                length,
                width,
                height,
                edge,
            });
        }
        let jpeg = read_bytes(from, length).await?.into();
        thumbnails.push(EncodedThumbnail {
            edge,
            width,
            height,
            jpeg,
        });
    }
    Ok(Inspection {
        mime_type: report.mime_type,
        width: report.width,
        height: report.height,
        thumbnails,
        findings: report.findings,
        metadata: report.metadata,
        perceptual_hash: report.perceptual_hash,
        sharpness: report.sharpness,
    })
}

/// Reads exactly this many bytes; the length is within the limits.
async fn read_bytes(from: &mut (impl AsyncRead + Unpin), length: u32) -> Result<Vec<u8>, AnswerError> {
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
    from.take(length.into()).read_to_end(&mut bytes).await?;
    if bytes.len() as u64 == u64::from(length) {
        Ok(bytes)
    } else {
        Err(AnswerError::Closed)
    }
}

#[cfg(test)]
mod tests;
