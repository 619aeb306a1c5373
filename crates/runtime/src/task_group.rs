//! Groups of tasks that are stopped together and report a task that ends unexpectedly.

use std::future::Future;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Tasks that are stopped together.
pub(crate) struct TaskGroup {
    stop: CancellationToken,
    failed: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

impl TaskGroup {
    /// An empty group. It cancels `failed` when one of its tasks returns or panics before [`Self::stop`].
    pub(crate) fn new(failed: &CancellationToken) -> Self {
        Self {
            stop: CancellationToken::new(),
            failed: failed.clone(),
            tasks: Vec::new(),
        }
    }

    /// Starts a task; `name` is used in log messages. `task` receives the token that is cancelled when it must end.
    pub(crate) fn spawn<F>(&mut self, name: &'static str, task: impl FnOnce(CancellationToken) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let task = task(self.stop.clone());
        let guard = TaskGuard {
            name,
            stop: self.stop.clone(),
            failed: self.failed.clone(),
        };
        self.tasks.push(tokio::spawn(async move {
            let _guard = guard;
            task.await;
        }));
    }

    /// Cancels the stop token and waits until all tasks have ended.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        for task in self.tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "a task panicked");
            }
        }
    }
}

/// Dropped when its task has returned or panicked.
struct TaskGuard {
    name: &'static str,
    stop: CancellationToken,
    failed: CancellationToken,
}

impl Drop for TaskGuard {
    fn drop(&mut self) {
        if !self.stop.is_cancelled() {
            tracing::error!(task = self.name, "a task of the server ended unexpectedly");
            self.failed.cancel();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_that_panics_or_returns_early_is_reported() {
        for panics in [true, false] {
            let failed = CancellationToken::new();
            let mut group = TaskGroup::new(&failed);
            group.spawn(
                "short",
                |_| async move { assert!(!panics, "this panic is expected") },
            );
            failed.cancelled().await;
            group.stop().await;
        }
    }

    #[tokio::test]
    async fn a_task_that_ends_after_stop_is_not_reported() {
        let failed = CancellationToken::new();
        let mut group = TaskGroup::new(&failed);
        group.spawn("long", CancellationToken::cancelled_owned);
        group.stop().await;
        assert!(!failed.is_cancelled());
    }
}
