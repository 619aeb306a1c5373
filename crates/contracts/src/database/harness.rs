use std::{future::Future, time::Duration};

use rapidphoto_application::ports::DatabasePorts;
use rapidphoto_domain::Timestamp;

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

    /// The same database after a restart of its process. Adapters without persistence return themselves.
    fn reopened(self) -> impl Future<Output = Self> {
        async { self }
    }
}
