/// Structural damage of a file, found without decoding it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Damage {
    /// The file ends before its image does.
    Truncated,
    /// The image has a width or height of 0.
    NoPixels,
    /// The file's parts contradict the format or each other.
    Malformed,
    /// The file has far more parts than encoders write; decoding them would keep a thread busy.
    TooManyParts,
}

/// Error of decoding an image.
#[derive(Debug)]
pub(crate) enum DecodeError {
    /// The file is damaged; the text is for the log.
    Damaged(String),
    /// The file uses a feature that is not supported; the text names the file's type and the feature.
    Unsupported(&'static str),
}

impl DecodeError {
    #[expect(clippy::needless_pass_by_value, reason = "passed to `map_err` by name")]
    pub(crate) fn damaged(reason: impl ToString) -> Self {
        Self::Damaged(reason.to_string())
    }
}
