//! HTTP around the protocol: connections, time-outs, CORS and the headers of every answer.

mod body;
mod connections;
mod cors;
mod front;
mod stall;

pub(crate) use body::{BodyFailure, BodyWatch};
pub(crate) use connections::{Limits, serve};
pub(crate) use front::Front;
