//! The composition root: reads the configuration and connects the use cases with the adapters. No other crate depends on
//! all of them.

mod check;
pub mod config;
mod demo;
mod housekeeping;
mod listeners;
mod readiness;
mod running;
mod secrets;
mod serve;
mod system;
mod task_group;
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
