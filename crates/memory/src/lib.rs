//! Every port in memory, for unit tests: as strict as the real adapters, at the speed of a map.
//!
//! [`MemoryStore`] is the record and [`MemoryObjects`] the object store; both pass the contract suites that the real
//! ones pass. [`FakeClock`] and [`SeededIds`] make a test's time and chance repeatable, [`Faults`] make the outside
//! fail in the ways it does: before the work, after it, or by answering late.

mod clock;
mod faults;
mod ids;
mod inspector;
mod lock;
mod objects;
mod passwords;
mod record;
mod test_app;
mod tokens;

pub use clock::FakeClock;
pub use faults::{Faults, Operation};
pub use ids::SeededIds;
pub use inspector::StubInspector;
pub use objects::{ClientAnswer, MemoryObjects};
pub use passwords::PlainPasswords;
pub use record::MemoryStore;
pub use test_app::{ALLOWED_FAILED_LOGINS, ConflictingJournal, DeclaredPhoto, TestApp, fixtures};
pub use tokens::PlainTokens;
