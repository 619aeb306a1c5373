//! Journal that counts commits and lets a test act at exact moments.

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
use rapidphoto_memory::TestApp;

type Actions = Mutex<VecDeque<BoxFuture<'static, ()>>>;

/// Journal that counts all commits, even failed ones, and executes actions before and after them.
pub(crate) struct RecordingJournal {
    inner: Arc<dyn Journal>,
    commits: AtomicUsize,
    before: Actions,
    after: Actions,
}

impl RecordingJournal {
    /// Records the commits of handlers that are created on `app` from now on.
    pub(crate) fn around(app: &mut TestApp) -> Arc<Self> {
        let journal = Arc::new(Self {
            inner: Arc::clone(&app.ports.database.journal),
            commits: AtomicUsize::new(0),
            before: Mutex::default(),
            after: Mutex::default(),
        });
        app.ports.database.journal = journal.clone();
        journal
    }

    /// The same application without the recording.
    pub(crate) fn unrecorded(&self, app: &TestApp) -> TestApp {
        let mut other = app.clone();
        other.ports.database.journal = Arc::clone(&self.inner);
        other
    }

    /// Executes an action just before a commit: the first action before the first commit, and so on.
    pub(crate) fn before_next(&self, action: impl Future<Output = ()> + Send + 'static) {
        self.before.lock().unwrap().push_back(action.boxed());
    }

    /// Executes an action just after a commit: the first action after the first commit, and so on.
    pub(crate) fn after_next(&self, action: impl Future<Output = ()> + Send + 'static) {
        self.after.lock().unwrap().push_back(action.boxed());
    }

    /// Number of commits.
    pub(crate) fn commits(&self) -> usize {
        self.commits.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Journal for RecordingJournal {
    async fn commit(&self, commit: Commit) -> Result<Committed, CommitError> {
        self.commits.fetch_add(1, Ordering::SeqCst);
        execute_next(&self.before).await;
        let result = self.inner.commit(commit).await;
        execute_next(&self.after).await;
        result
    }
}

async fn execute_next(actions: &Actions) {
    let action = actions.lock().unwrap().pop_front();
    if let Some(action) = action {
        action.await;
    }
}
