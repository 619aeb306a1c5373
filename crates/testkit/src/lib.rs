//! A running deployment for tests: the real binary, on free loopback ports, with a data directory of its own.

mod server;
mod user;

pub use server::{EndedEarly, Server, ServerOptions, command};
pub use user::{PASSWORD, new_user};
