use std::{future::Future, pin::Pin, time::Duration};

use rapidphoto_application::ports::{Commit, CommitError, Committed, DatabasePorts};
use rapidphoto_domain::Timestamp;

/// Commit that is held open: it has its position in the log, and is not yet readable. It ends when this is awaited; if
/// it is dropped, the commit is abandoned.
pub type OpenCommit = Pin<Box<dyn Future<Output = Result<Committed, CommitError>> + Send>>;

/// A database adapter under test.
pub trait DatabaseHarness: Sized {
    /// A new, empty database. Its clock is at a whole millisecond and changes only by `advance`.
    fn fresh() -> impl Future<Output = Self>;

    /// Ports of the database.
    fn ports(&self) -> DatabasePorts;

    /// Ports of another namespace of the same database.
    fn other_namespace(&self) -> DatabasePorts;

    /// Time of the database's clock.
    fn now(&self) -> Timestamp;

    /// Advances the database's clock.
    fn advance(&self, by: Duration) -> impl Future<Output = ()>;

    /// Begins a commit and holds it open while others are written. `None` if the adapter's commits never overlap: its
    /// log then holds nothing back.
    fn open_commit(&self, commit: Commit) -> impl Future<Output = Option<OpenCommit>> {
        async {
            drop(commit);
            None
        }
    }

    /// Waits until commits whose futures were dropped are written or abandoned. Nothing to do for adapters that write one
    /// commit after the other: a later commit is acknowledged after them.
    fn settled(&self) -> impl Future<Output = ()> {
        async {}
    }

    /// The same database after a restart of its process. Adapters without persistence return themselves.
    fn reopened(self) -> impl Future<Output = Self> {
        async { self }
    }
}
