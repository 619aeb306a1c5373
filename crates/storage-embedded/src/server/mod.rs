//! HTTP server: connections, CORS, and the headers of every response.

mod body;
mod connections;
mod cors;
mod diagnosis;
mod errors;
mod handler;
mod outcome;

pub(crate) use body::{BodyError, BodyMonitor};
pub use connections::Listener;
pub(crate) use connections::serve;
pub(crate) use handler::Handler;
