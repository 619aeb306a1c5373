//! Division of a file into the parts of a multipart upload.

use std::num::NonZeroU64;

use super::state::Photo;
use crate::values::PartNumber;

/// Minimum size of a part but the last, in bytes: that of S3.
pub const MIN_PART_BYTES: u64 = 5 << 20;
/// Maximum size of a part in bytes: that of S3.
pub const MAX_PART_BYTES: u64 = 5 << 30;

/// Granularity of sizes that the server chooses.
const MIB: u64 = 1 << 20;

/// A file's parts: all of the same size but the last, as some stores require (Cloudflare R2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartLayout {
    bytes: u64,
    part_size: NonZeroU64,
}

/// A part size that can't be used for a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PartSizeError {
    /// The size is outside the store's limits.
    #[error("a part has {MIN_PART_BYTES} to {MAX_PART_BYTES} bytes, not {0}")]
    OutOfRange(u64),
    /// The file would have too many parts.
    #[error("a file of {bytes} bytes in parts of {part_size} has more than {} parts; the part size must be at least {}", PartNumber::MAX, smallest(*.bytes))]
    TooManyParts {
        /// Size of the file in bytes.
        bytes: u64,
        /// Requested part size in bytes.
        part_size: u64,
    },
}

impl PartLayout {
    /// Parts for a file of this size: of 8 MiB, rising to 16 MiB from the hundredth part on, and larger only where there
    /// would be more than 10 000.
    pub fn suggested(bytes: u64) -> Self {
        let size = bytes.div_ceil(100).clamp(8 * MIB, 16 * MIB).max(smallest(bytes));
        Self {
            bytes,
            part_size: NonZeroU64::new(size.next_multiple_of(MIB)).unwrap_or(NonZeroU64::MIN),
        }
    }

    /// Parts of the client's own size.
    ///
    /// # Errors
    /// The size is outside the store's limits, or leads to too many parts.
    pub fn of_size(bytes: u64, part_size: u64) -> Result<Self, PartSizeError> {
        let layout = NonZeroU64::new(part_size)
            .filter(|size| (MIN_PART_BYTES..=MAX_PART_BYTES).contains(&size.get()))
            .map(|part_size| Self { bytes, part_size })
            .ok_or(PartSizeError::OutOfRange(part_size))?;
        if part_size < smallest(bytes) {
            return Err(PartSizeError::TooManyParts { bytes, part_size });
        }
        Ok(layout)
    }

    /// Size of all parts but the last, in bytes.
    pub const fn part_size(self) -> NonZeroU64 {
        self.part_size
    }

    /// Number of parts.
    pub fn count(self) -> u16 {
        let count = self.bytes.div_ceil(self.part_size.get()).max(1);
        u16::try_from(count).unwrap_or(u16::MAX).min(PartNumber::MAX)
    }

    /// Size of a part in bytes; `None` if the file has no such part.
    pub fn bytes_of(self, part: PartNumber) -> Option<u64> {
        if part.get() > self.count() {
            return None;
        }
        let before = self.part_size.get().saturating_mul(u64::from(part.get() - 1));
        Some(self.bytes.saturating_sub(before).min(self.part_size.get()))
    }

    /// Numbers of all parts, ascending.
    pub fn numbers(self) -> impl Iterator<Item = PartNumber> {
        (1..=self.count()).filter_map(|number| PartNumber::new(number).ok())
    }
}

/// Smallest part size with which a file has at most 10 000 parts.
fn smallest(bytes: u64) -> u64 {
    bytes.div_ceil(u64::from(PartNumber::MAX))
}

impl Photo {
    /// Parts in which the file is sent; `None` if one request sends it.
    pub fn parts(&self) -> Option<PartLayout> {
        self.part_size.map(|part_size| PartLayout {
            bytes: self.declared.bytes,
            part_size,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggested_parts_have_8_to_16_mib_and_are_at_most_10_000() {
        for (bytes, part_size, count) in [
            (1, 8 * MIB, 1),
            (8 * MIB, 8 * MIB, 1),
            (8 * MIB + 1, 8 * MIB, 2),
            (800 * MIB, 8 * MIB, 100),
            (1_600 * MIB, 16 * MIB, 100),
            (100_000 * MIB, 16 * MIB, 6_250),
            (5 << 40, 525 * MIB, 9_987),
        ] {
            let layout = PartLayout::suggested(bytes);
            assert_eq!(
                (layout.part_size().get(), layout.count()),
                (part_size, count),
                "{bytes}"
            );
        }
    }

    #[test]
    fn parts_have_equal_sizes_but_the_last_and_sum_to_the_file() {
        for (bytes, part_size) in [
            (1, MIN_PART_BYTES),
            (12_000_000, MIN_PART_BYTES),
            (MIN_PART_BYTES * 10_000, MIN_PART_BYTES),
        ] {
            let layout = PartLayout::of_size(bytes, part_size).unwrap();
            let sizes: Vec<_> = layout
                .numbers()
                .map(|part| layout.bytes_of(part).unwrap())
                .collect();
            assert_eq!(sizes.iter().sum::<u64>(), bytes);
            let (last, others) = sizes.split_last().unwrap();
            assert!(others.iter().all(|size| *size == part_size) && (1..=part_size).contains(last));
            let after = PartNumber::new(layout.count() + 1);
            assert!(after.is_err() || layout.bytes_of(after.unwrap()).is_none());
        }
    }

    #[test]
    fn part_sizes_outside_the_limits_are_refused() {
        for size in [0, 1, MIN_PART_BYTES - 1, MAX_PART_BYTES + 1, u64::MAX] {
            assert_eq!(PartLayout::of_size(1, size), Err(PartSizeError::OutOfRange(size)));
        }
        let bytes = MIN_PART_BYTES * 10_000 + 1;
        let refused = PartLayout::of_size(bytes, MIN_PART_BYTES).unwrap_err();
        assert_eq!(
            refused,
            PartSizeError::TooManyParts {
                bytes,
                part_size: MIN_PART_BYTES
            }
        );
        assert!(
            refused.to_string().ends_with("must be at least 5242881"),
            "{refused}"
        );
        assert!(PartLayout::of_size(bytes, MIN_PART_BYTES + 1).is_ok());
    }
}
