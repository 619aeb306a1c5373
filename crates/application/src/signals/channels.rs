use tokio::sync::watch;

use crate::ports::Cursor;

/// Sender and source of commit notifications. Clones share their channels.
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
    /// Announces that due work was committed.
    pub fn work_committed(&self) {
        self.work.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Announces the new end of the log; an earlier position than the known one has no effect.
    pub fn log_committed(&self, cursor: Cursor) {
        self.log.send_if_modified(|known| {
            let further = *known < cursor;
            *known = cursor.max(*known);
            further
        });
    }

    /// Channel whose value changes when due work is committed.
    pub fn work(&self) -> watch::Receiver<u64> {
        self.work.subscribe()
    }

    /// Channel with the last known end of the log.
    pub fn log(&self) -> watch::Receiver<Cursor> {
        self.log.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_signal_of_an_earlier_commit_changes_nothing() {
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
