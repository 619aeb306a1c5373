//! What can go wrong, as far as a caller can act on it.

/// Why a file was not decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A JPEG, but of a kind that another decoder has to read.
    #[error("not a kind of JPEG that this decoder reads: {0}")]
    Unsupported(Unsupported),
    /// Not a JPEG, or damaged where nothing can be made of it.
    #[error("not a readable JPEG: {0}")]
    Corrupt(Corrupt),
    /// Larger than the caller allows; nothing was allocated for it.
    #[error("{width} x {height} is beyond the limits")]
    Limit {
        /// Width in the file's header.
        width: u16,
        /// Height in the file's header.
        height: u16,
    },
}

/// The kinds of JPEG that are recognised and left to another decoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Unsupported {
    /// Arithmetic coding of any process (SOF9 to SOF11).
    #[error("arithmetic coding")]
    Arithmetic,
    /// Lossless process (SOF3) or JPEG-LS (SOF55).
    #[error("lossless")]
    Lossless,
    /// Hierarchical processes (SOF5 to SOF7, SOF13 to SOF15).
    #[error("hierarchical")]
    Hierarchical,
    /// Samples of another depth than 8 bits; 12 as a rule.
    #[error("samples are not of 8 bits")]
    Depth,
    /// Four components: CMYK or YCCK.
    #[error("CMYK or YCCK")]
    Cmyk,
    /// Two components, or more than four.
    #[error("an unusual number of components")]
    Components,
    /// A sampling factor above 2.
    #[error("an unusual sampling factor")]
    Sampling,
    /// The height is told after the first scan (DNL).
    #[error("no height in the header")]
    NoHeight,
}

/// What about a file is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Corrupt {
    /// Does not begin with SOI.
    #[error("no start of image")]
    NotJpeg,
    /// Ends before the first scan's data.
    #[error("ends before its first scan")]
    Truncated,
    /// A marker segment is shorter or longer than its content.
    #[error("a segment has a wrong length")]
    Segment,
    /// A marker that cannot stand where it stands.
    #[error("an unexpected marker")]
    Marker,
    /// The frame header contradicts itself.
    #[error("the frame header is invalid")]
    Frame,
    /// The scan header contradicts itself or the frame.
    #[error("the scan header is invalid")]
    Scan,
    /// More scans than any encoder writes: made to take time.
    #[error("far too many scans")]
    Scans,
    /// A Huffman table is no prefix code, or is missing.
    #[error("a Huffman table is invalid or missing")]
    Huffman,
    /// A quantisation table is invalid or missing.
    #[error("a quantisation table is invalid or missing")]
    Quantization,
}

/// What was wrong with the image data of a picture that was decoded all the same.
///
/// The parts that could not be read are mid-grey; in a progressive file they are as far as the other scans tell them.
///
/// Of a progressive file, only the scans that the scale needs are read: what is damaged in the others shows in no sample
/// and is not told. That a file is cut off is told at every scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    /// The data end too early.
    #[error("the image data end too early")]
    Truncated,
    /// The data hold a code that no table has, or a coefficient beyond its block.
    #[error("the image data hold an invalid code")]
    InvalidCode,
    /// A restart marker is missing or has another number than the one that is due.
    #[error("a restart marker is missing or out of order")]
    Restart,
    /// A restart interval holds more data than its blocks need. Told only if nothing else is wrong: the picture is whole.
    #[error("a restart interval holds more data than its blocks need")]
    Surplus,
    /// A scan behind the first is invalid or does not fit those before it, and was left out.
    ///
    /// Of a progressive file it is not told if the other scans tell every bit of every coefficient.
    ///
    /// Of a progressive file, scans are read as ITU-T T.81 allows them and not otherwise: DC coefficients before AC
    /// coefficients, each coefficient once, then one bit at a time. libjpeg only warns of other orders; no encoder
    /// writes them, and what comes of them is no picture. A script need not tell every bit of every coefficient; but
    /// every component has to have its DC coefficients.
    #[error("a scan behind the first is invalid or does not fit those before it")]
    Scan,
}

impl Damage {
    /// The first of two, but data that are left over only if nothing else is wrong: all others leave holes.
    pub(crate) fn first_of(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        match one {
            None | Some(Self::Surplus) => other.or(one),
            Some(_) => one,
        }
    }
}
