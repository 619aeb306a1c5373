use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use futures::future::{BoxFuture, FutureExt as _};
use rapidphoto_application::ports::{Commit, CommitError, Committed, Journal};

use crate::bench::Bench;

type Acts = Mutex<VecDeque<BoxFuture<'static, ()>>>;

/// Counts commits, whatever comes of them, and lets others go first.
pub(crate) struct WatchedJournal {
    inner: Arc<dyn Journal>,
    commits: AtomicUsize,
    before: Acts,
    after: Acts,
}

impl WatchedJournal {
    /// Watches what the bench's handlers write from now on.
    pub(crate) fn around(bench: &mut Bench) -> Arc<Self> {
        let journal = Arc::new(Self {
            inner: Arc::clone(&bench.ports.database.journal),
            commits: AtomicUsize::new(0),
            before: Mutex::default(),
            after: Mutex::default(),
        });
        bench.ports.database.journal = journal.clone();
        journal
    }

    /// The same bench for others, whose commits are not counted.
    pub(crate) fn unwatched(&self, bench: &Bench) -> Bench {
        let mut other = bench.clone();
        other.ports.database.journal = Arc::clone(&self.inner);
        other
    }

    /// Does something just before the next commit that nothing goes before yet.
    pub(crate) fn before_next(&self, act: impl Future<Output = ()> + Send + 'static) {
        self.before.lock().unwrap().push_back(act.boxed());
    }

    /// Does something as soon as the next commit is over that nothing comes after yet.
    pub(crate) fn after_next(&self, act: impl Future<Output = ()> + Send + 'static) {
        self.after.lock().unwrap().push_back(act.boxed());
    }

    pub(crate) fn commits(&self) -> usize {
        self.commits.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Journal for WatchedJournal {
    async fn commit(&self, commit: Commit) -> Result<Committed, CommitError> {
        self.commits.fetch_add(1, Ordering::SeqCst);
        next(&self.before).await;
        let answer = self.inner.commit(commit).await;
        next(&self.after).await;
        answer
    }
}

async fn next(acts: &Acts) {
    let act = acts.lock().unwrap().pop_front();
    if let Some(act) = act {
        act.await;
    }
}
