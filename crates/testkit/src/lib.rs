//! Servers for tests: the real binary on free loopback ports.

mod server;
mod user;

pub use server::{ExitedEarly, Server, ServerOptions, command, install_crypto_provider};
pub use user::{PASSWORD, new_user};
