//! HTTP API on actix-web: endpoints, problem responses, server-sent events and the OpenAPI document.
//!
//! A handler parses the request, calls one use case and encodes its result; it never calls a port. Use cases run on the
//! main multi-threaded runtime, not on the server's worker threads: a client that disconnects does not cancel them
//! halfway, and a slow use case delays no other request of its worker.

mod admin;
mod app;
mod call;
mod commands;
mod config;
mod cursors;
mod endpoint;
mod endpoints;
mod limits;
mod middleware;
mod openapi;
mod operations;
mod origin;
mod problem;
mod process;
mod queries;
mod readiness;
mod resource;
mod routes;
mod server;
mod shared;
mod stream;
mod wire;

pub use app::{App, Dependency, DependencyState, Readiness};
pub use config::{HttpConfig, Surface};
pub use endpoint::{Access, Endpoint};
pub use endpoints::endpoints;
pub use limits::RateClass;
pub use openapi::document as openapi;
pub use process::{Process, serve_process};
pub use readiness::CachedReadiness;
pub use server::serve;
