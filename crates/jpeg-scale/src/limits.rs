//! Limits of decoding.

/// Largest image that a caller accepts, checked against the header before anything is allocated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Pixels of the full-size image.
    pub pixels: u64,
    /// Bytes of the decoded planes, padding included, and of a progressive file's coefficients: the value of
    /// [`Header::bytes`](crate::Header::bytes).
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
