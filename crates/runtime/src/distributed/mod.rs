//! A deployment on several machines: API and worker as processes that scale apart, over PostgreSQL, an object store and a message
//! broker.

mod adapters;
mod administration;
mod api;
mod clock;
mod init_storage;
mod migrate;
mod readiness;
mod worker;

pub use administration::{administer_cluster_users, verify_cluster};
pub use api::{ApiOptions, serve_api};
pub use init_storage::{InitStorage, init_storage};
pub use migrate::{migrate, rebase_log};
pub use worker::serve_worker;
