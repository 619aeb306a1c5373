use tokio::sync::oneshot;

use super::{
    MemoryStore,
    held_commits::{HeldCommit, Hold},
};
use crate::lock::lock;

/// Positions of a commit that is held open. They are given back when this is dropped.
pub(super) struct OpenPositions<'a> {
    store: &'a MemoryStore,
    pub(super) first: u64,
}

impl MemoryStore {
    /// Holds the next commit of any view of this database open.
    pub fn hold_next_commit(&self) -> HeldCommit {
        let (reached_sender, reached) = oneshot::channel();
        let (release, released) = oneshot::channel();
        *lock(&self.next_hold) = Some(Hold {
            reached: reached_sender,
            released,
        });
        HeldCommit { reached, release }
    }

    /// Waits as long as the commit is held; returns its positions if it was.
    pub(super) async fn while_held(&self, events: usize) -> Option<OpenPositions<'_>> {
        let hold = lock(&self.next_hold).take()?;
        let first = self.with_namespace(|namespace| namespace.begin_commit(events));
        let positions = OpenPositions { store: self, first };
        let _ = hold.reached.send(());
        let _ = hold.released.await;
        Some(positions)
    }
}

impl Drop for OpenPositions<'_> {
    fn drop(&mut self) {
        self.store
            .with_namespace(|namespace| namespace.end_commit(self.first));
    }
}
