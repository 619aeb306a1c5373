//! The record of RapidPhotoUpload in a database: log, states, work and everything else that one commit writes together.
//!
//! [`SqliteStore`] keeps it in one SQLite file, for a deployment on one machine. The tables (`schema.rs`) and the rows
//! (`rows/`) are said once, for every database; `sqlite/` holds what is SQLite's own.
//!
//! # How SQLite is driven
//!
//! **One writer.** SQLite lets one transaction write at a time, and one that reads before it writes fails if another
//! wrote between, whatever the time-out. So one thread does all writing; commits, claims, leases and sessions come to it
//! over a bounded channel. What waits there, up to 128 tasks, goes into one `BEGIN IMMEDIATE` transaction: one sync of
//! the disk for all of them. The more commits come at once, the fewer syncs each costs.
//!
//! **A savepoint for each task.** A commit that is refused is rolled back to its savepoint, and its neighbours in the
//! transaction don't notice. Nobody is answered before COMMIT: an answer says that the disk has it. When COMMIT fails,
//! nothing stands and everybody in the transaction hears `Unavailable`, also those whose commit had been refused, for
//! what refused it is gone.
//!
//! **`synchronous=FULL`, always.** In WAL mode, NORMAL would leave the last answered commits to a power cut. There is no
//! setting to make it faster and wrong.
//!
//! **Readers beside it.** In WAL mode readers see the last commit and block nobody. A bounded number of `query_only`
//! connections is used on threads that may block, each read in one transaction where it takes several statements.
//!
//! **Callers may go away.** A dropped future leaves out what the writer has not begun and breaks nothing that it has. A
//! panic over a transaction loses that transaction, answers its callers `Unavailable`, and the writer goes on with a
//! fresh connection.
//!
//! **Many rows, few statements.** A commit runs a number of statements that does not depend on how many photos it
//! brings, until a statement would bind more than 32 766 values; then there is another. Statements that the common
//! commit of one stream runs are prepared once.

mod error;
mod lock;
mod number;
mod rows;
mod schema;
mod sqlite;

pub use lock::{DataDirLock, LockError};
pub use sqlite::{OpenError, SqliteConfig, SqliteStore};
