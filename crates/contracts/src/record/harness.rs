use std::{future::Future, time::Duration};

use rapidphoto_application::ports::DatabasePorts;
use rapidphoto_domain::Timestamp;

/// An adapter's record as the contract meets it.
pub trait RecordHarness: Sized {
    /// A new, empty store whose clock stands still at some whole millisecond.
    fn fresh() -> impl Future<Output = Self>;

    /// The store's record.
    fn record(&self) -> DatabasePorts;

    /// Another namespace of the same store.
    fn neighbour(&self) -> DatabasePorts;

    /// What the store's clock says.
    fn now(&self) -> Timestamp;

    /// Moves the store's clock.
    fn advance(&self, by: Duration) -> impl Future<Output = ()>;

    /// The same store after its process ended and another began, where the adapter outlives its process.
    fn reopened(self) -> impl Future<Output = Self> {
        async { self }
    }
}
