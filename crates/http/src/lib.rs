//! The HTTP API: routes, problems, streams and their description, on actix-web.
//!
//! Handlers parse a request, call one use case and show what came of it; no handler touches a port. Use cases run on
//! the main multi-threaded runtime, never on a worker of the server: a client that disconnects cancels nothing
//! half-done, and a slow use case delays no other request of its worker.

mod app;
mod call;
mod commands;
mod config;
mod edge;
mod limits;
mod openapi;
mod operations;
mod queries;
mod refusal;
mod routes;
mod server;
mod stream;
mod wire;

pub use app::{App, Dependency, DependencyState, Readiness};
pub use config::HttpConfig;
pub use openapi::document as openapi;
pub use server::serve;
