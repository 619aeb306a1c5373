//! The API, the workers and the storage as processes of their own, on a real PostgreSQL and a real RabbitMQ.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a failed step fails the test"
)]

#[path = "cluster/administration.rs"]
mod administration;
#[path = "cluster/clients.rs"]
mod clients;
#[path = "cluster/clocks.rs"]
mod clocks;
#[path = "cluster/collector.rs"]
mod collector;
#[path = "cluster/deployment.rs"]
mod deployment;
#[path = "cluster/faults.rs"]
mod faults;
#[path = "cluster/messages.rs"]
mod messages;
#[path = "cluster/progress.rs"]
mod progress;
#[path = "cluster/replicas.rs"]
mod replicas;
#[path = "cluster/switch.rs"]
mod switch;
#[path = "cluster/traces.rs"]
mod traces;
#[path = "cluster/updates.rs"]
mod updates;
#[path = "cluster/upload.rs"]
mod upload;
