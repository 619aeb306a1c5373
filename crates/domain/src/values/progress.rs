use serde::{Deserialize, Serialize};

/// Upload progress in bytes; bytes sent never exceed the total.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", from = "UncheckedProgress")]
pub struct Progress {
    bytes_sent: u64,
    bytes_total: u64,
}

/// Progress as it is serialised, possibly with more bytes sent than the total.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UncheckedProgress {
    bytes_sent: u64,
    bytes_total: u64,
}

impl From<UncheckedProgress> for Progress {
    fn from(unchecked: UncheckedProgress) -> Self {
        Self::new(unchecked.bytes_sent, unchecked.bytes_total)
    }
}

impl Progress {
    /// Progress of `bytes_sent` out of `bytes_total`; bytes beyond the total are ignored.
    pub const fn new(bytes_sent: u64, bytes_total: u64) -> Self {
        let bytes_sent = if bytes_sent > bytes_total {
            bytes_total
        } else {
            bytes_sent
        };
        Self {
            bytes_sent,
            bytes_total,
        }
    }

    /// Progress of a finished upload.
    pub const fn complete(bytes_total: u64) -> Self {
        Self::new(bytes_total, bytes_total)
    }

    /// Bytes that the client has sent.
    pub const fn bytes_sent(self) -> u64 {
        self.bytes_sent
    }

    /// Size of the file in bytes.
    pub const fn bytes_total(self) -> u64 {
        self.bytes_total
    }

    /// Whole percent, rounded down: 100 means that every byte was sent. An empty file is complete.
    pub const fn percent(self) -> u8 {
        if self.bytes_total == 0 {
            return 100;
        }
        #[expect(clippy::cast_possible_truncation, reason = "the quotient is at most 100")]
        let percent = (self.bytes_sent as u128 * 100 / self.bytes_total as u128) as u8;
        percent
    }

    /// The later of two progress values, so that a late or repeated tick never decreases it. The total of `self` is
    /// kept: the size of a file is fixed, even if a tick reports another one, and the percentage never decreases.
    pub const fn max(self, other: Self) -> Self {
        if other.bytes_sent > self.bytes_sent {
            Self::new(other.bytes_sent, self.bytes_total)
        } else {
            self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_hundred_percent_means_every_byte() {
        assert_eq!(Progress::new(999, 1000).percent(), 99);
        assert_eq!(Progress::new(1000, 1000).percent(), 100);
        assert_eq!(Progress::new(2000, 1000).percent(), 100);
        assert_eq!(Progress::new(u64::MAX, u64::MAX).percent(), 100);
        assert_eq!(Progress::new(0, 0).percent(), 100);
    }

    #[test]
    fn progress_never_decreases() {
        let half = Progress::new(500, 1000);
        assert_eq!(half.max(Progress::new(100, 1000)), half);
        assert_eq!(half.max(Progress::new(600, 1000)), Progress::new(600, 1000));
        assert_eq!(half.max(Progress::new(600, 60_000)), Progress::new(600, 1000));
        assert_eq!(half.max(Progress::new(2000, 2000)), Progress::complete(1000));
    }

    #[test]
    fn more_bytes_than_the_total_are_read_as_the_total() {
        let read: Progress = serde_json::from_str(r#"{"bytesSent":1000,"bytesTotal":1}"#).unwrap();
        assert_eq!(read, Progress::complete(1));
        assert_eq!(read.percent(), 100);
    }
}
