//! Errors and damage, as far as a caller can act on them.

/// Reasons for which a file is not decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A JPEG of a kind that another decoder has to read.
    #[error("unsupported kind of JPEG: {0}")]
    Unsupported(Unsupported),
    /// Not a JPEG, or damaged beyond recovery.
    #[error("not a valid JPEG: {0}")]
    Corrupt(Corrupt),
    /// Larger than the caller's limits; nothing was allocated for it.
    #[error("{width} x {height} pixels exceed the limits")]
    Limit {
        /// Width in the frame header.
        width: u16,
        /// Height in the frame header.
        height: u16,
    },
}

/// Kinds of JPEG that are recognised and left to another decoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Unsupported {
    /// Arithmetic coding of any process (SOF9 to SOF11).
    #[error("arithmetic coding")]
    Arithmetic,
    /// Lossless process (SOF3) or JPEG-LS (SOF55).
    #[error("lossless process")]
    Lossless,
    /// Hierarchical processes (SOF5 to SOF7, SOF13 to SOF15).
    #[error("hierarchical process")]
    Hierarchical,
    /// Samples of a depth other than 8 bits, usually 12.
    #[error("sample depth other than 8 bits")]
    Depth,
    /// Four components: CMYK or YCCK.
    #[error("four components (CMYK or YCCK)")]
    Cmyk,
    /// Two components, or more than four.
    #[error("two components, or more than four")]
    Components,
    /// A sampling factor above 2.
    #[error("a sampling factor above 2")]
    Sampling,
    /// The number of lines follows the first scan (DNL).
    #[error("no height in the frame header")]
    NoHeight,
}

/// Defects for which a file cannot be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Corrupt {
    /// Does not begin with SOI.
    #[error("the file does not begin with a start-of-image marker")]
    NotJpeg,
    /// Ends before the data of its first scan.
    #[error("the file ends before the data of its first scan")]
    Truncated,
    /// A marker segment is shorter or longer than its content.
    #[error("a marker segment has a wrong length")]
    Segment,
    /// A marker that is not allowed at its position.
    #[error("an unexpected marker")]
    Marker,
    /// The frame header is inconsistent.
    #[error("the frame header is invalid")]
    Frame,
    /// The scan header is inconsistent or contradicts the frame header.
    #[error("the scan header is invalid")]
    Scan,
    /// More scans than any encoder writes, as in files made to exhaust a decoder's time.
    #[error("the file has more than 100 scans")]
    TooManyScans,
    /// A Huffman table is missing or is not a prefix code.
    #[error("a Huffman table is invalid or missing")]
    Huffman,
    /// A quantization table is invalid or missing.
    #[error("a quantization table is invalid or missing")]
    Quantization,
}

/// Defects of the data of an image that was decoded nevertheless.
///
/// Samples that could not be decoded are mid-grey; in a progressive file they are as accurate as the
/// remaining scans make them.
///
/// Of a progressive file, only the scans that the scale needs are read: damage in other scans affects no
/// sample and is not reported. Truncation is reported at every scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    /// The data end too early.
    #[error("the image data end too early")]
    Truncated,
    /// The data contain a code that is not in the Huffman table, or a coefficient beyond the end of its
    /// block.
    #[error("the image data contain an invalid code")]
    InvalidCode,
    /// A restart marker is missing or has a number other than the expected one.
    #[error("a restart marker is missing or out of order")]
    Restart,
    /// A restart interval has more data than its blocks need. Reported only without other damage: the image
    /// is complete.
    #[error("a restart interval has more data than its blocks need")]
    Surplus,
    /// A scan after the first is invalid or contradicts the scans before it, and was skipped.
    ///
    /// Of a progressive file this is not reported if the other scans contain every bit of every coefficient.
    ///
    /// The scans of a progressive file are read only in the orders that ITU-T T.81 allows: DC coefficients
    /// before AC coefficients, each coefficient once, then one bit at a time. libjpeg merely warns of other
    /// orders, but no encoder writes them, and they do not decode to a meaningful image. A script need not
    /// contain every bit of every coefficient, but every component needs its DC coefficients.
    #[error("a scan after the first is invalid or contradicts the scans before it")]
    Scan,
}

impl Damage {
    /// The first of two defects. [`Self::Surplus`] has the lowest precedence: all others leave samples undecoded.
    pub(crate) fn first_of(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        match one {
            None | Some(Self::Surplus) => other.or(one),
            Some(_) => one,
        }
    }
}
