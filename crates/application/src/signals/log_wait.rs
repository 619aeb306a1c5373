use std::time::Duration;

use tokio::{sync::watch, time::Instant};

use super::Signals;
use crate::ports::EventPage;

/// Waits of a reader that follows the log: for a commit, for the next poll, or for events that are held back.
pub(crate) struct LogWait {
    commits: watch::Receiver<u64>,
    poll: Duration,
    held_wait: Duration,
}

/// First wait for events that are held back. The commit that holds them may be that of another process, which sends no
/// signal here.
const MIN_HELD_WAIT: Duration = Duration::from_millis(5);
/// Longest wait for events that are held back.
const MAX_HELD_WAIT: Duration = Duration::from_millis(250);

impl LogWait {
    /// Waits for `signals`, and at most `poll`.
    pub(crate) fn new(signals: &Signals, poll: Duration) -> Self {
        Self {
            commits: signals.log(),
            poll,
            held_wait: MIN_HELD_WAIT,
        }
    }

    /// Marks all commits so far as seen. Called before the log is read, so that a commit during the read ends the next
    /// wait.
    pub(crate) fn before_read(&mut self) {
        self.commits.borrow_and_update();
    }

    /// Waits until the log should be read again after this page, at most until `deadline`. Returns at once if more of the
    /// log can be read.
    ///
    /// While events are held back, the waits double from 5 ms to 250 ms.
    pub(crate) async fn after_page(&mut self, page: LogEnd, deadline: Option<Instant>) {
        let longest = match page {
            LogEnd::More => {
                self.held_wait = MIN_HELD_WAIT;
                return;
            }
            LogEnd::Reached => {
                self.held_wait = MIN_HELD_WAIT;
                self.poll
            }
            LogEnd::Held => {
                let wait = self.held_wait;
                self.held_wait = (wait * 2).min(MAX_HELD_WAIT);
                wait.min(self.poll)
            }
        };
        let mut until = Instant::now() + longest;
        if let Some(deadline) = deadline {
            until = until.min(deadline);
        }
        // A closed channel is no error: without signals the log is polled.
        let _ = tokio::time::timeout_at(until, async {
            if self.commits.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        })
        .await;
    }
}

/// State of the log after a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogEnd {
    /// More events can be read.
    More,
    /// All events were read.
    Reached,
    /// All readable events were read; later ones are held back by a commit in progress.
    Held,
}

impl LogEnd {
    /// State after a page.
    pub(crate) const fn of(page: &EventPage) -> Self {
        match (page.at_end, page.held) {
            (false, _) => Self::More,
            (true, false) => Self::Reached,
            (true, true) => Self::Held,
        }
    }
}
