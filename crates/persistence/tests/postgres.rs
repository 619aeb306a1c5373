//! The PostgreSQL adapter: the contract of every database, and its own guarantees.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test panics at the first failure"
)]

#[path = "postgres/attempts.rs"]
mod attempts;
#[path = "postgres/commits.rs"]
mod commits;
#[path = "postgres/contract.rs"]
mod contract;
#[path = "postgres/migrations.rs"]
mod migrations;
#[path = "postgres/outages.rs"]
mod outages;
#[path = "postgres/plans.rs"]
mod plans;
#[path = "postgres/rolling_updates.rs"]
mod rolling_updates;
#[path = "postgres/server.rs"]
mod server;
#[path = "postgres/tls.rs"]
mod tls;
#[path = "postgres/wake_ups.rs"]
mod wake_ups;
