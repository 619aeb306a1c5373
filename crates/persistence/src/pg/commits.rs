//! Commits of this process, for those who tell other processes of them.

use tokio::sync::watch;

/// Numbers of this process's commits.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    pub(super) log: u64,
    pub(super) work: u64,
}

/// Announces commits of this process to its [`WakeUps`].
#[derive(Clone, Default)]
pub(super) struct Commits(watch::Sender<Counts>);

impl Commits {
    /// Numbers from now on.
    pub(super) fn subscribe(&self) -> watch::Receiver<Counts> {
        self.0.subscribe()
    }

    /// Announces a commit. `wakes_workers` is true if it has work that is due soon.
    pub(super) fn announce(&self, wakes_workers: bool) {
        self.0.send_modify(|counts| {
            counts.log = counts.log.wrapping_add(1);
            if wakes_workers {
                counts.work = counts.work.wrapping_add(1);
            }
        });
    }
}
