use diesel::SqliteConnection;
use tokio::sync::oneshot;

use crate::error::StoreError;

/// A write of any result type, to be run by the writer.
pub(super) trait Task: Send {
    /// Returns true if the caller still waits for the outcome.
    fn is_awaited(&self) -> bool;

    /// Runs the write, once. Returns true if its changes are to be committed.
    fn execute(&mut self, connection: &mut SqliteConnection) -> bool;

    /// Sends the outcome to the caller after COMMIT.
    fn send_outcome(self: Box<Self>);

    /// Sends an error to the caller in place of the outcome, which was not committed.
    fn send_error(self: Box<Self>, error: StoreError);
}

/// A write with its outcome and the channel to its caller.
pub(super) struct Pending<T, E, F> {
    work: Option<F>,
    outcome: Option<Result<T, E>>,
    sender: oneshot::Sender<Result<T, E>>,
}

impl<T, E, F> Pending<T, E, F> {
    pub(super) const fn new(work: F, sender: oneshot::Sender<Result<T, E>>) -> Self {
        Self {
            work: Some(work),
            outcome: None,
            sender,
        }
    }
}

impl<T, E, F> Task for Pending<T, E, F>
where
    T: Send,
    E: From<StoreError> + Send,
    F: FnOnce(&mut SqliteConnection) -> Result<T, E> + Send,
{
    fn is_awaited(&self) -> bool {
        !self.sender.is_closed()
    }

    fn execute(&mut self, connection: &mut SqliteConnection) -> bool {
        self.outcome = self.work.take().map(|work| work(connection));
        matches!(self.outcome, Some(Ok(_)))
    }

    fn send_outcome(self: Box<Self>) {
        let outcome = self
            .outcome
            .unwrap_or_else(|| Err(StoreError::WriterStopped.into()));
        // The caller may have dropped its future; the outcome is committed all the same.
        let _ = self.sender.send(outcome);
    }

    fn send_error(self: Box<Self>, error: StoreError) {
        let _ = self.sender.send(Err(error.into()));
    }
}
