//! Tasks that are stopped together, and that never end unasked without somebody noticing.

use std::future::Future;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Tasks that are stopped together.
pub(crate) struct Lane {
    stop: CancellationToken,
    broken: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

impl Lane {
    /// A lane that cancels `broken` when one of its tasks ends, or panics, before it is told to.
    pub(crate) fn new(broken: &CancellationToken) -> Self {
        Self {
            stop: CancellationToken::new(),
            broken: broken.clone(),
            tasks: Vec::new(),
        }
    }

    /// What a task of this lane has to listen to.
    pub(crate) fn stopped(&self) -> CancellationToken {
        self.stop.clone()
    }

    pub(crate) fn run(&mut self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        let watch = Watch {
            name,
            stop: self.stop.clone(),
            broken: self.broken.clone(),
        };
        self.tasks.push(tokio::spawn(async move {
            let _watch = watch;
            task.await;
        }));
    }

    /// Tells all tasks to end, and waits until they have.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        for task in self.tasks {
            if let Err(why) = task.await {
                tracing::error!(error = %why, "a task did not end in order");
            }
        }
    }
}

/// Dropped when its task is over, however that came.
struct Watch {
    name: &'static str,
    stop: CancellationToken,
    broken: CancellationToken,
}

impl Drop for Watch {
    fn drop(&mut self) {
        if !self.stop.is_cancelled() {
            tracing::error!(task = self.name, "a part of the server has ended unasked");
            self.broken.cancel();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_that_panics_or_ends_is_noticed() {
        for panics in [true, false] {
            let broken = CancellationToken::new();
            let mut lane = Lane::new(&broken);
            lane.run("short", async move { assert!(!panics, "as it should") });
            broken.cancelled().await;
            lane.stop().await;
        }
    }

    #[tokio::test]
    async fn a_task_that_ends_when_it_is_told_is_in_order() {
        let broken = CancellationToken::new();
        let mut lane = Lane::new(&broken);
        lane.run("long", lane.stopped().cancelled_owned());
        lane.stop().await;
        assert!(!broken.is_cancelled());
    }
}
