//! Scales of decoding.

/// How large the decoded picture is, as a part of the original.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scale {
    /// 1/8: the means of blocks.
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

    /// The N of N/8.
    pub const fn eighths(self) -> usize {
        match self {
            Self::Eighth => 1,
            Self::Quarter => 2,
            Self::ThreeEighths => 3,
            Self::Half => 4,
            Self::Full => 8,
        }
    }

    /// What a length of the original becomes, rounded up.
    pub const fn apply(self, length: usize) -> usize {
        (length * self.eighths()).div_ceil(8)
    }

    /// The smallest scale that leaves a picture's longer side at least as long as this, or full size.
    pub fn reaching(longer_side: usize, wanted: usize) -> Self {
        let reaches = |scale: &Self| scale.apply(longer_side) >= wanted;
        Self::ALL.into_iter().find(reaches).unwrap_or(Self::Full)
    }
}
