//! Database of RapidPhotoUpload: event log, states, work and everything else that one commit writes together.
//!
//! [`SqliteStore`] stores it in one SQLite file, for a deployment on one machine. The tables (`schema.rs`) and the rows
//! (`rows/`) are the same for every database; `sqlite/` is specific to SQLite.
//!
//! # Use of SQLite
//!
//! **One writer.** SQLite allows one write transaction at a time, and a transaction that reads before it writes fails if
//! another one wrote in between, whatever the time-out. Therefore one thread does all writing; commits, claims, leases and
//! sessions are sent to it over a bounded channel. Up to 128 queued tasks share one `BEGIN IMMEDIATE` transaction and
//! thereby one sync of the disk. The more commits arrive at once, the fewer syncs each costs.
//!
//! **A savepoint for each task.** A rejected commit is rolled back to its savepoint without an effect on the other tasks
//! of the transaction. Outcomes are sent after COMMIT, so that an acknowledged commit is on disk. If COMMIT fails, nothing
//! is written and all tasks of the transaction receive `Unavailable`, including rejected ones, because the rows that they
//! conflicted with may have been rolled back.
//!
//! **`synchronous=FULL`, always.** In WAL mode, NORMAL could lose the last acknowledged commits in a power failure. There
//! is no setting that trades durability for speed.
//!
//! **Concurrent readers.** In WAL mode readers see the last commit and block no one else. Reads use a bounded number of
//! `query_only` connections on threads that may block; a read of several statements runs in one transaction.
//!
//! **Cancellation.** If a caller drops its future, the writer skips the task if it has not started, and completes it
//! otherwise. A panic during a transaction rolls it back, its callers receive `Unavailable`, and the writer continues with
//! a new connection.
//!
//! **Erased data is gone.** Deleted bytes are overwritten with zeros (`secure_delete`). The write-ahead log keeps earlier
//! contents until it is emptied, for which the program calls [`SqliteStore::empty_log`] at intervals.
//!
//! **Many rows, few statements.** The number of statements of a commit does not depend on its number of photos, unless a
//! statement would bind more than 32 766 values and has to be split. The statements of the common commit of one stream
//! are prepared once per connection.

mod commit;
mod error;
#[cfg(feature = "sqlite")]
mod lock;
mod number;
#[cfg(feature = "postgres")]
mod pg;
mod photo_list;
mod rows;
mod schema;
#[cfg(feature = "sqlite")]
mod sqlite;
mod turns;

#[cfg(feature = "sqlite")]
pub use lock::{DataDirLock, LockError};
#[cfg(feature = "postgres")]
#[doc(hidden)]
pub use pg::texts as pg_texts;
#[cfg(feature = "postgres")]
pub use pg::{PgConfig, PgOpenError, PgStore, WakeUps, migrate, rebase_log, revert};
#[cfg(feature = "sqlite")]
pub use sqlite::{OpenError, SqliteConfig, SqliteStore};
