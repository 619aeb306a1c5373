//! HTTP server: connections, time-outs, CORS, and the headers of every response.

mod body;
mod connections;
mod cors;
mod diagnosis;
mod errors;
mod handler;
mod outcome;
mod write_timeout;

pub(crate) use body::{BodyError, BodyMonitor};
pub(crate) use connections::{Limits, serve};
pub(crate) use handler::Handler;
