//! HTTP server: connections, CORS, and the headers of every response.

mod body;
mod connections;
mod cors;
mod errors;
mod handler;

pub(crate) use body::{BodyError, BodyMonitor};
pub use connections::Listener;
pub(crate) use connections::serve;
pub(crate) use handler::Handler;
