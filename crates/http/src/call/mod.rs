//! Request as handlers see it: its user, its parameters and body, and the runtime for use cases.

mod authorization;
mod body;
mod client_address;
mod context;
mod json;
mod path;
mod query;
mod request;
pub(crate) mod request_headers;
mod strict;

pub(crate) use context::Context;
pub(crate) use json::{HandlerResult, json, parse};
pub(crate) use query::Query;
pub(crate) use request::Call;
