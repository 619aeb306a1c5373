//! The composition root: reads the configuration and connects the use cases with the adapters. No other crate depends on
//! all of them.

mod backup;
mod check;
pub mod config;
mod data_dir;
mod demo;
mod free_space;
mod housekeeping;
mod inspection;
mod listeners;
mod manifest;
mod readiness;
mod remote_admin;
mod restore;
mod rotate_keys;
mod running;
mod secrets;
mod serve;
mod system;
mod task_group;
mod termination;
mod users;
mod verify;
mod wiring;

pub use backup::backup;
pub use check::check_config;
pub use config::{Config, ConfigError, Overrides};
pub use demo::{DEMO_LOG_FILTER, DemoOptions, run as demo};
pub use rapidphoto_domain::user::UserCommand;
pub use rapidphoto_imaging::run_inspection_child;
pub use remote_admin::{RemoteCommand, RemoteServer, administer_remotely};
pub use restore::restore;
pub use rotate_keys::rotate_keys;
pub use running::{Running, start};
pub use secrets::{PreviousKey, Secrets, SecretsError};
pub use serve::serve;
pub use system::{SystemClock, SystemIds};
pub use termination::terminated;
pub use users::{UserAdministration, administer_users};
pub use verify::verify;
