//! Limits of decoding.

/// What a caller is willing to decode; judged by the header, before anything is allocated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Pixels of the original.
    pub pixels: u64,
    /// Bytes of the decoded planes, padding included, and of a progressive file's coefficients: what
    /// [`Header::bytes`](crate::Header::bytes) tells.
    pub bytes: u64,
}

impl Default for Limits {
    /// 256 megapixels, 512 MiB.
    fn default() -> Self {
        Self {
            pixels: 256_000_000,
            bytes: 512 << 20,
        }
    }
}
