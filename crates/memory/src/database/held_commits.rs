use tokio::sync::oneshot;

use super::MemoryStore;
use crate::lock::lock;

/// A commit that is to be held open: it has its positions in the log, but is neither written nor rejected before its
/// release. Later commits overtake it, as on databases whose commits overlap.
///
/// Dropping this releases the commit. The commit is discarded if its own future is dropped.
#[derive(Debug)]
pub struct HeldCommit {
    reached: oneshot::Receiver<()>,
    release: oneshot::Sender<()>,
}

/// The commit's side of a [`HeldCommit`].
pub(super) struct Hold {
    reached: oneshot::Sender<()>,
    released: oneshot::Receiver<()>,
}

/// Positions of a commit that is held open. They are given back when this is dropped.
pub(super) struct OpenPositions<'a> {
    store: &'a MemoryStore,
    pub(super) first: u64,
}

impl HeldCommit {
    /// Waits until the commit has its positions.
    pub async fn reached(&mut self) {
        // An error means that the store has been dropped, and the caller's commit with it.
        let _ = (&mut self.reached).await;
    }

    /// Lets the commit continue.
    pub fn release(self) {
        // Sending fails if the commit's future was dropped, which has released its positions.
        let _ = self.release.send(());
    }
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
