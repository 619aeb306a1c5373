//! The composition root: reads the configuration and connects the use cases with the adapters. No other crate depends on
//! all of them.

mod addresses;
mod arguments;
mod backup;
#[cfg(feature = "rabbitmq")]
mod broker;
mod check;
mod command;
pub mod config;
mod data_dir;
mod database;
mod demo;
#[cfg(feature = "distributed")]
mod distributed;
mod free_space;
mod health;
mod housekeeping;
mod inspection;
mod listeners;
mod manifest;
#[cfg(feature = "rabbitmq")]
mod operations;
mod reactors;
mod readiness;
mod remote_admin;
mod restore;
mod rotate_keys;
mod running;
mod s3_credentials;
mod secrets;
mod serve;
#[cfg(feature = "rabbitmq")]
mod store;
mod system;
mod task_group;
mod termination;
mod users;
mod verify;
mod wiring;

pub use arguments::{Account, AccountCommand};
pub use backup::backup;
pub use check::check_config;
pub use command::{exit_code, run_command};
pub use config::{Config, ConfigError, Overrides, Program};
pub use demo::{DEMO_LOG_FILTER, DemoOptions, run as demo};
#[cfg(feature = "distributed")]
pub use distributed::{
    ApiOptions, InitStorage, administer_cluster_users, init_storage, migrate, rebase_log, serve_api,
    serve_worker, verify_cluster,
};
pub use health::check_health;
pub use rapidphoto_imaging::run_inspection_child;
pub use remote_admin::{RemoteCommand, RemoteServer, administer_remotely};
pub use restore::restore;
pub use rotate_keys::rotate_keys;
pub use running::{Running, start};
pub use s3_credentials::print_s3_credentials;
pub use secrets::{PreviousKey, Secrets, SecretsError};
pub use serve::serve;
#[cfg(feature = "rabbitmq")]
pub use store::serve_store;
pub use system::{SystemClock, SystemIds};
pub use termination::terminated;
pub use users::{UserAdministration, administer_users};
pub use verify::verify;
