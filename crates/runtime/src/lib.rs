//! The composition root: configuration, and every adapter put into its place. No other crate knows them all.

mod check;
pub mod config;
mod demo;
mod housekeeping;
mod lane;
mod readiness;
mod running;
mod secrets;
mod serve;
mod system;
mod termination;
mod verify;
mod wiring;

pub use check::check_config;
pub use config::{Config, ConfigError, Overrides};
pub use demo::{DemoOptions, run as demo};
pub use running::{Running, start};
pub use secrets::{Secrets, SecretsError};
pub use serve::serve;
pub use system::{SystemClock, SystemIds};
pub use termination::terminated;
pub use verify::verify;
