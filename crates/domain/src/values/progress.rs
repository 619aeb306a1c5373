use serde::{Deserialize, Serialize};

/// How far an upload is. It only moves forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", from = "Reported")]
pub struct Progress {
    bytes_sent: u64,
    bytes_total: u64,
}

/// What a client reports: it need not add up.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reported {
    bytes_sent: u64,
    bytes_total: u64,
}

impl From<Reported> for Progress {
    fn from(reported: Reported) -> Self {
        Self::new(reported.bytes_sent, reported.bytes_total)
    }
}

impl Progress {
    /// Progress of `bytes_sent` out of `bytes_total`; what exceeds the total is cut off.
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

    /// Everything has arrived.
    pub const fn complete(bytes_total: u64) -> Self {
        Self::new(bytes_total, bytes_total)
    }

    /// Bytes that have left the client.
    pub const fn bytes_sent(self) -> u64 {
        self.bytes_sent
    }

    /// Bytes there are.
    pub const fn bytes_total(self) -> u64 {
        self.bytes_total
    }

    /// Whole percent, rounded down: 100 means all of it. An empty file is complete.
    pub const fn percent(self) -> u8 {
        if self.bytes_total == 0 {
            return 100;
        }
        // The quotient is at most 100.
        #[expect(clippy::cast_possible_truncation, reason = "the quotient is at most 100")]
        let percent = (self.bytes_sent as u128 * 100 / self.bytes_total as u128) as u8;
        percent
    }

    /// This progress, or `other`'s if that is further, so that a late or repeated tick takes nothing back. The total
    /// stays this one's: a file does not grow, whatever a tick says, and the percentage never falls.
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
    fn a_hundred_percent_means_every_byte() {
        assert_eq!(Progress::new(999, 1000).percent(), 99);
        assert_eq!(Progress::new(1000, 1000).percent(), 100);
        assert_eq!(Progress::new(2000, 1000).percent(), 100);
        assert_eq!(Progress::new(u64::MAX, u64::MAX).percent(), 100);
        assert_eq!(Progress::new(0, 0).percent(), 100);
    }

    #[test]
    fn progress_never_falls() {
        let half = Progress::new(500, 1000);
        assert_eq!(half.max(Progress::new(100, 1000)), half);
        assert_eq!(half.max(Progress::new(600, 1000)), Progress::new(600, 1000));
        assert_eq!(half.max(Progress::new(600, 60_000)), Progress::new(600, 1000));
        assert_eq!(half.max(Progress::new(2000, 2000)), Progress::complete(1000));
    }

    #[test]
    fn a_report_of_more_than_everything_reads_as_everything() {
        let read: Progress = serde_json::from_str(r#"{"bytesSent":1000,"bytesTotal":1}"#).unwrap();
        assert_eq!(read, Progress::complete(1));
        assert_eq!(read.percent(), 100);
    }
}
