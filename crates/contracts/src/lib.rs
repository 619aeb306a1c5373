//! Contracts of the ports, as test suites that every adapter runs.
//!
//! Each case is a `pub async fn` that takes a harness and panics if the adapter violates the contract. An adapter
//! implements the harness and names it in a macro, which generates one test for each case:
//!
//! ```text
//! struct SqliteHarness { directory: TempDir, clock: Arc<FakeClock>, store: Arc<SqliteStore>, other: Arc<SqliteStore> }
//!
//! impl DatabaseHarness for SqliteHarness {
//!     async fn fresh() -> Self { /* a new file in a directory of its own */ }
//!     fn ports(&self) -> DatabasePorts { DatabasePorts::of(self.store.clone()) }
//!     fn other_namespace(&self) -> DatabasePorts { DatabasePorts::of(self.other.clone()) }
//!     fn now(&self) -> Timestamp { self.clock.now() }
//!     async fn advance(&self, by: Duration) { self.clock.advance(by) }
//!     async fn reopened(self) -> Self { /* close, open the same file */ }
//! }
//!
//! rapidphoto_contracts::database_contract!(SqliteHarness);
//! rapidphoto_contracts::single_process_contract!(SqliteHarness);
//! ```
//!
//! The second macro is for databases that only one process uses; its harness also implements [`SingleProcessHarness`].
//!
//! If no single type implements all ports of the database, fill in the fields of `DatabasePorts`. An object store uses
//! [`ObjectHarness`] and [`object_contract!`], a dead-letter queue [`DeadLetterHarness`] and [`dead_letter_contract!`].
//! The generated tests need `tokio` with `macros` and `rt-multi-thread`.
//!
//! The suites decide the following where the documentation of a port leaves room:
//! - Claims are checked against the state before the commit; then its orders apply in sequence. A `Finish` or `Postpone`
//!   does not undo a `Schedule` or `Drop` of the same work in the same commit, in either sequence.
//! - An expired lease is valid until the next claim: it can be renewed and committed under.
//! - A new database starts its turns before all owners, so that the first claim serves the least owner id.
//! - `depth` counts claimable work; `make_looks_due` counts the looks that it changed.
//! - A commit's events are consecutive and ordered by stream, so that a job precedes its photos.
//! - A commit's cursor is that of its last event in the log. A repeated commit returns the same one.
//! - Lists break ties by photo id in the direction of the sort; photos without a value are last, by id in the same
//!   direction. The last page has no next position.
//! - `by_ids` returns photos in the requested order, each once; `by_upload_ids` in any order.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::unchecked_time_subtraction,
    clippy::missing_panics_doc,
    reason = "cases are tests: they panic if an adapter violates the contract"
)]

mod cases;
pub mod database;
pub mod dead_letters;
pub mod objects;

pub use database::{DatabaseHarness, OpenCommit, SingleProcessHarness};
pub use dead_letters::DeadLetterHarness;
pub use objects::{Answer, MultipartHarness, ObjectHarness};
