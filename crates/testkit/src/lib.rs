//! Servers for tests: the real binaries on free loopback ports.

mod process;
mod server;
mod user;

pub use process::Process;
pub use server::{ExitedEarly, Server, ServerOptions, command, install_crypto_provider};
pub use user::{PASSWORD, new_user};
