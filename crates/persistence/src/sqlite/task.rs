use diesel::SqliteConnection;
use tokio::sync::oneshot;

use crate::error::RecordError;

/// Something for the writer to do, whatever it gives.
pub(super) trait Task: Send {
    /// Whether anybody still waits for it.
    fn is_awaited(&self) -> bool;

    /// Does it, once; whether what it wrote shall stay.
    fn perform(&mut self, connection: &mut SqliteConnection) -> bool;

    /// Gives the outcome, which is committed.
    fn answer(self: Box<Self>);

    /// Gives an error in place of the outcome, which is not.
    fn fail(self: Box<Self>, error: RecordError);
}

/// A task with its outcome, and with the one who waits for it.
pub(super) struct Pending<T, E, F> {
    work: Option<F>,
    outcome: Option<Result<T, E>>,
    answer: oneshot::Sender<Result<T, E>>,
}

impl<T, E, F> Pending<T, E, F> {
    pub(super) const fn new(work: F, answer: oneshot::Sender<Result<T, E>>) -> Self {
        Self {
            work: Some(work),
            outcome: None,
            answer,
        }
    }
}

impl<T, E, F> Task for Pending<T, E, F>
where
    T: Send,
    E: From<RecordError> + Send,
    F: FnOnce(&mut SqliteConnection) -> Result<T, E> + Send,
{
    fn is_awaited(&self) -> bool {
        !self.answer.is_closed()
    }

    fn perform(&mut self, connection: &mut SqliteConnection) -> bool {
        self.outcome = self.work.take().map(|work| work(connection));
        matches!(self.outcome, Some(Ok(_)))
    }

    fn answer(self: Box<Self>) {
        let outcome = self
            .outcome
            .unwrap_or_else(|| Err(RecordError::WriterGone.into()));
        // The caller may be gone; the outcome stands all the same.
        let _ = self.answer.send(outcome);
    }

    fn fail(self: Box<Self>, error: RecordError) {
        let _ = self.answer.send(Err(error.into()));
    }
}
