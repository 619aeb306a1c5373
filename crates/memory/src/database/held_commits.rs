use tokio::sync::oneshot;

/// A commit that is to be held open: it has its positions in the log, but is neither written nor rejected before its
/// release. Later commits overtake it, as on databases whose commits overlap.
///
/// Dropping this releases the commit. The commit is discarded if its own future is dropped.
#[derive(Debug)]
pub struct HeldCommit {
    pub(super) reached: oneshot::Receiver<()>,
    pub(super) release: oneshot::Sender<()>,
}

/// The commit's side of a [`HeldCommit`].
pub(super) struct Hold {
    pub(super) reached: oneshot::Sender<()>,
    pub(super) released: oneshot::Receiver<()>,
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
