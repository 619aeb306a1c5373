//! A running deployment for tests: the real binary, on free loopback ports, with a data directory of its own.

mod server;
mod user;

pub use server::{Server, ServerOptions};
pub use user::{PASSWORD, new_user};
