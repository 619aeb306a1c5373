use std::time::Duration;

use tokio::{sync::watch, time::Instant};

use super::Signals;
use crate::ports::{Cursor, EventPage};

/// Waits of a reader that follows the log: for a commit, for the next poll, or for events that are held back.
pub(crate) struct LogWait {
    commits: watch::Receiver<u64>,
    poll: Duration,
    held_wait: Duration,
    /// Position up to which the last page with events held back was read.
    held_at: Option<Cursor>,
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
            held_at: None,
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
    /// While the same events are held back, the waits double from 5 ms to 250 ms. Another commit may hold back others in
    /// each page; the waits then stay short.
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
            LogEnd::Held(read_to) => {
                if self.held_at.replace(read_to) != Some(read_to) {
                    self.held_wait = MIN_HELD_WAIT;
                }
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
    /// All readable events were read, up to this position; later ones are held back by a commit in progress.
    Held(Cursor),
}

impl LogEnd {
    /// State after a page.
    pub(crate) const fn of(page: &EventPage) -> Self {
        match (page.at_end, page.held) {
            (false, _) => Self::More,
            (true, false) => Self::Reached,
            (true, true) => Self::Held(page.scanned_to),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Wait after a page whose next events are held back, in virtual time.
    async fn held_wait(wait: &mut LogWait, read_to: u64) -> Duration {
        let start = Instant::now();
        let page = LogEnd::Held(Cursor::new(1, read_to));
        wait.after_page(page, None).await;
        start.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn waits_for_held_events_stay_short_while_pages_bring_events() {
        let mut wait = LogWait::new(&Signals::default(), Duration::from_secs(5));
        for position in 1..20 {
            assert!(
                held_wait(&mut wait, position).await < 2 * MIN_HELD_WAIT,
                "{position}"
            );
        }
        for _ in 0..10 {
            held_wait(&mut wait, 20).await;
        }
        assert!(held_wait(&mut wait, 20).await >= MAX_HELD_WAIT);
        assert!(held_wait(&mut wait, 21).await < 2 * MIN_HELD_WAIT);
    }
}
