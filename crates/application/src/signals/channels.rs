use tokio::sync::watch;

/// Sender and source of commit notifications. Clones share their channels.
///
/// Both channels count commits. A position would not do: commits that overlap become readable in another order than they
/// end, so that the later one may have the lower position.
#[derive(Debug, Clone)]
pub struct Signals {
    work: watch::Sender<u64>,
    log: watch::Sender<u64>,
}

impl Default for Signals {
    fn default() -> Self {
        Self {
            work: watch::Sender::new(0),
            log: watch::Sender::new(0),
        }
    }
}

impl Signals {
    /// Announces that due work was committed.
    pub fn work_committed(&self) {
        self.work.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Announces a commit to the log.
    pub fn log_committed(&self) {
        self.log.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Channel whose value changes when due work is committed.
    pub fn work(&self) -> watch::Receiver<u64> {
        self.work.subscribe()
    }

    /// Channel whose value changes with each commit to the log.
    pub(super) fn log(&self) -> watch::Receiver<u64> {
        self.log.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_commit_is_a_signal() {
        let signals = Signals::default();
        let mut log = signals.log();
        for _ in 0..3 {
            signals.log_committed();
            assert!(log.has_changed().unwrap());
            log.borrow_and_update();
        }
    }

    #[test]
    fn a_signal_before_the_wait_is_not_missed() {
        let signals = Signals::default();
        let work = signals.work();
        signals.work_committed();
        assert!(work.has_changed().unwrap());
    }
}
