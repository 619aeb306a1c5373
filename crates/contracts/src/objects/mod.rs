//! What every object store must do: for the application, and for clients with presigned URLs.

pub mod downloads;
mod given;
mod harness;
pub mod store;
mod suites;
pub mod uploads;

pub use harness::{Answer, ObjectHarness};
