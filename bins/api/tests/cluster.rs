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
#[path = "cluster/deployment.rs"]
mod deployment;
#[path = "cluster/faults.rs"]
mod faults;
#[path = "cluster/messages.rs"]
mod messages;
#[path = "cluster/replicas.rs"]
mod replicas;
#[path = "cluster/switch.rs"]
mod switch;
#[path = "cluster/upload.rs"]
mod upload;
