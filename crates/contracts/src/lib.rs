//! What every implementation of a port must do, as test suites that any adapter runs.
//!
//! Each case is a plain `pub async fn` that takes a harness and panics where the adapter breaks its word. An adapter
//! implements the harness and names it once; every case then is a test of its own name:
//!
//! ```text
//! struct SqliteHarness { directory: TempDir, clock: Arc<TestClock>, store: Arc<SqliteRecord>, other: Arc<SqliteRecord> }
//!
//! impl RecordHarness for SqliteHarness {
//!     async fn fresh() -> Self { /* a new file in a directory of its own */ }
//!     fn record(&self) -> DatabasePorts { DatabasePorts::of(self.store.clone()) }
//!     fn neighbour(&self) -> DatabasePorts { DatabasePorts::of(self.other.clone()) }
//!     fn now(&self) -> Timestamp { self.clock.now() }
//!     async fn advance(&self, by: Duration) { self.clock.advance(by) }
//!     async fn reopened(self) -> Self { /* close, open the same file */ }
//! }
//!
//! rapidphoto_contracts::record_contract!(SqliteHarness);
//! ```
//!
//! Where one type does not implement every port of the record, fill in [`Record`]'s fields. An object store does the
//! same with [`ObjectHarness`] and [`object_contract!`]. The tests need `tokio` (`macros`, `rt-multi-thread`) beside
//! them.
//!
//! What the suites decide where a port's words leave room:
//! - Claims are judged as they were before the commit; its orders then apply one after the other. A `Finish` or
//!   `Postpone` after a `Schedule` or `Drop` of the same work takes nothing back, whichever comes first.
//! - A lease that ran out still counts as held until somebody else claims: `renew` and commits go through.
//! - A place in the queue counts what the user has claimed and not finished, so that claims one by one take turns too.
//! - `depth` counts what could be claimed now; `make_looks_due` counts the looks that it moved.
//! - A commit's events stand together, stream by stream in the streams' order, so that a job stands before its photos.
//! - A commit's cursor is that of its last event in the log's order. A repeated commit gives the same one.
//! - Lists break ties by photo id in the direction of the sort; photos that say nothing come last, by id in the same
//!   direction. The last page says that it is the last.
//! - `by_ids` answers in the order asked, each photo once. `by_upload_ids` in any order.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::unchecked_time_subtraction,
    clippy::missing_panics_doc,
    reason = "cases are tests: they panic where an adapter breaks its word"
)]

mod cases;
pub mod objects;
pub mod record;

pub use objects::{Answer, ObjectHarness};
pub use record::RecordHarness;
