//! Word of what was just committed, for those in this process who would otherwise have to poll for it. A signal is
//! never the only way to learn of something: who misses one finds out by polling.

mod journal;
mod tally;

use tokio::sync::watch;

pub use journal::SignallingJournal;

use crate::ports::Cursor;

/// Tells of commits. All clones are one.
#[derive(Debug, Clone)]
pub struct Signals {
    work: watch::Sender<u64>,
    log: watch::Sender<Cursor>,
}

impl Default for Signals {
    fn default() -> Self {
        Self {
            work: watch::Sender::new(0),
            log: watch::Sender::new(Cursor::START),
        }
    }
}

impl Signals {
    /// There is work that is due.
    pub fn work_committed(&self) {
        self.work.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// The log reaches as far as this.
    pub fn log_committed(&self, cursor: Cursor) {
        self.log.send_if_modified(|known| {
            let further = *known < cursor;
            *known = cursor.max(*known);
            further
        });
    }

    /// Changes whenever there is new work.
    pub fn work(&self) -> watch::Receiver<u64> {
        self.work.subscribe()
    }

    /// How far the log was seen to reach; changes whenever it grows.
    pub fn log(&self) -> watch::Receiver<Cursor> {
        self.log.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn word_of_an_earlier_commit_that_comes_late_takes_nothing_back() {
        let signals = Signals::default();
        let mut log = signals.log();
        signals.log_committed(Cursor::new(0, 7));
        assert_eq!(*log.borrow_and_update(), Cursor::new(0, 7));
        signals.log_committed(Cursor::new(0, 5));
        assert!(!log.has_changed().unwrap());
        assert_eq!(*log.borrow(), Cursor::new(0, 7));
    }

    #[test]
    fn a_signal_before_the_wait_is_not_missed() {
        let signals = Signals::default();
        let work = signals.work();
        signals.work_committed();
        assert!(work.has_changed().unwrap());
    }
}
