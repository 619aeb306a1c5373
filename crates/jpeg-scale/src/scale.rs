//! Scales of decoding.

/// Size of the decoded image as a fraction of the original's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scale {
    /// 1/8: the mean of each block.
    Eighth,
    /// 2/8.
    Quarter,
    /// 3/8.
    ThreeEighths,
    /// 4/8.
    Half,
    /// 8/8.
    Full,
}

impl Scale {
    /// All scales, smallest first.
    pub const ALL: [Self; 5] = [
        Self::Eighth,
        Self::Quarter,
        Self::ThreeEighths,
        Self::Half,
        Self::Full,
    ];

    /// Numerator N of the scale N/8.
    pub const fn eighths(self) -> usize {
        match self {
            Self::Eighth => 1,
            Self::Quarter => 2,
            Self::ThreeEighths => 3,
            Self::Half => 4,
            Self::Full => 8,
        }
    }

    /// A length of the original at this scale, rounded up.
    pub const fn apply(self, length: usize) -> usize {
        (length * self.eighths()).div_ceil(8)
    }

    /// The smallest scale at which the longer side is at least `min_length`, or full size.
    pub fn smallest_for(longer_side: usize, min_length: usize) -> Self {
        let is_enough = |scale: &Self| scale.apply(longer_side) >= min_length;
        Self::ALL.into_iter().find(is_enough).unwrap_or(Self::Full)
    }
}
