use std::{
    collections::{HashMap, HashSet},
    fmt,
    time::Duration,
};

use rapidphoto_domain::{PhotoId, Timestamp};

use super::backoff::after;

/// Kind of request to object storage. Each kind can fail for all objects while the others succeed: GET without the
/// encryption key, PUT and DELETE on a full or read-only disk or without a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Head,
    Get,
    Put,
    Delete,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Head => "HEAD",
            Self::Get => "GET",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        })
    }
}

/// Results of the requests of one kind.
#[derive(Debug, Default)]
pub(super) struct Requests {
    /// Photos with failures since the last success, up to [`FAILURE_THRESHOLD`].
    failed: HashSet<PhotoId>,
    /// Time of the first of these failures.
    since: Option<Timestamp>,
    /// Time from which a single work item may test storage; set while these requests are down.
    probe_at: Option<Timestamp>,
    successes: Successes,
    /// Photos whose work last ended with an error of these requests.
    affected: HashMap<PhotoId, FirstError>,
}

/// Latest successful requests, to tell whether other photos than a certain one were reachable.
#[derive(Debug, Default)]
struct Successes {
    /// Number of successes so far.
    count: u64,
    /// Photo of the latest success.
    latest: Option<PhotoId>,
    /// Number of the latest success of another photo than the latest one.
    latest_of_others: u64,
}

#[derive(Debug, Clone, Copy)]
struct FirstError {
    at: Timestamp,
    /// Number of successes before it.
    successes: u64,
}

/// Cause of a storage error of one photo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Blame {
    /// Storage may be unavailable for all.
    Storage,
    /// The same request succeeded for other photos since this photo's first error.
    Object,
    /// The photo has failed for [`UNCLEAR_AFTER`] in which the same request was sent for no other photo.
    Unclear,
}

/// Number of photos that fail in a row, without a success in between, after which storage counts as down. A smaller
/// number may be errors of single objects.
pub(super) const FAILURE_THRESHOLD: usize = 5;
/// Photos whose first storage error is remembered. The errors of others are taken for an outage.
const MAX_AFFECTED: usize = 10_000;
/// Time of one photo's errors after which its cause is checked, if no other photo is requested.
pub(super) const UNCLEAR_AFTER: Duration = Duration::from_hours(1);
const MIN_PROBE_INTERVAL: Duration = Duration::from_secs(1);
pub(super) const MAX_PROBE_INTERVAL: Duration = Duration::from_secs(30);

impl Requests {
    /// Time until a single work item may test storage; `None` unless these requests are down.
    pub(super) fn until_probe(&self, now: Timestamp) -> Option<Duration> {
        let wait = (self.probe_at? - now).to_std().unwrap_or_default();
        // A longer wait is that of a clock that was set back meanwhile.
        Some(if wait > MAX_PROBE_INTERVAL {
            Duration::ZERO
        } else {
            wait
        })
    }

    /// Lets the next probe wait for the probe interval, if these requests are down.
    pub(super) fn begin_probe(&mut self, now: Timestamp) {
        if self.probe_at.is_some() {
            self.probe_at = Some(self.next_probe(now));
        }
    }

    pub(super) fn succeeded(&mut self, photo: PhotoId) {
        self.failed.clear();
        self.since = None;
        self.probe_at = None;
        self.successes.add(photo);
    }

    /// Records a failure. Returns true if these requests count as down from now on.
    pub(super) fn failed(&mut self, photo: PhotoId, now: Timestamp) -> bool {
        if self.failed.len() < FAILURE_THRESHOLD {
            self.failed.insert(photo);
        }
        self.since.get_or_insert(now);
        if self.failed.len() < FAILURE_THRESHOLD {
            return false;
        }
        let was_up = self.probe_at.is_none();
        let pending = self.until_probe(now).map_or(now, |wait| after(now, wait));
        self.probe_at = Some(pending.max(self.next_probe(now)));
        was_up
    }

    /// Cause of an error with which a photo's work ended.
    pub(super) fn blame(&mut self, photo: PhotoId, now: Timestamp) -> Blame {
        match self.affected.get(&photo) {
            Some(first) if self.successes.latest_except(photo) > first.successes => Blame::Object,
            Some(first) if now >= first.at + UNCLEAR_AFTER && self.failed.len() <= 1 => Blame::Unclear,
            Some(_) => Blame::Storage,
            None => {
                if self.affected.len() < MAX_AFFECTED {
                    let first = FirstError {
                        at: now,
                        successes: self.successes.count,
                    };
                    self.affected.insert(photo, first);
                }
                Blame::Storage
            }
        }
    }

    pub(super) fn forget(&mut self, photo: PhotoId) {
        self.affected.remove(&photo);
    }

    /// Duration of the current run of failures.
    pub(super) fn outage(&self, now: Timestamp) -> Duration {
        self.since
            .and_then(|since| (now - since).to_std().ok())
            .unwrap_or_default()
    }

    fn next_probe(&self, now: Timestamp) -> Timestamp {
        let interval = self.outage(now).clamp(MIN_PROBE_INTERVAL, MAX_PROBE_INTERVAL);
        after(now, interval)
    }
}

impl Successes {
    fn add(&mut self, photo: PhotoId) {
        if self.latest != Some(photo) {
            self.latest_of_others = self.count;
            self.latest = Some(photo);
        }
        self.count += 1;
    }

    /// Number of the latest success of another photo; 0 if there is none.
    fn latest_except(&self, photo: PhotoId) -> u64 {
        if self.latest == Some(photo) {
            self.latest_of_others
        } else {
            self.count
        }
    }
}
