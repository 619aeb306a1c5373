//! All ports in memory, for unit tests: as strict as the real adapters, at the speed of a map.
//!
//! [`MemoryStore`] is the database and [`MemoryObjects`] the object store; both pass the contract suites of the real
//! adapters. [`FakeClock`] and [`SeededIds`] make time and randomness repeatable. [`Faults`] make calls fail as real
//! services do: before they take effect, or after it by losing the response.
//!
//! [`TestApp`] is the complete application on these adapters, and [`fixtures`] has the values that its tests share.

mod clock;
mod database;
mod dead_letters;
mod events;
mod faults;
mod free_space;
mod ids;
mod inspector;
mod lock;
mod objects;
mod passwords;
mod test_app;
mod tokens;

pub use clock::FakeClock;
pub use database::{HeldCommit, MemoryStore};
pub use dead_letters::MemoryDeadLetters;
pub use events::MemoryEvents;
pub use faults::{Faults, Operation};
pub use free_space::FakeSpace;
pub use ids::SeededIds;
pub use inspector::StubInspector;
pub use objects::{ClientAnswer, MemoryObjects};
pub use passwords::PlainPasswords;
pub use test_app::{ALLOWED_FAILED_LOGINS, ConflictingJournal, DeclaredPhoto, TestApp, fixtures};
pub use tokens::PlainTokens;
