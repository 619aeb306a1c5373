//! Accepts TCP connections from the internet for both servers of the application (the API and the embedded storage).
//!
//! An [`Acceptor`] bounds the number of connections, overall and per client address, terminates TLS, and ends
//! connections whose client holds them without using them:
//!
//! | the client | ends after |
//! |---|---|
//! | does not complete its TLS handshake or the head of a request | [`Limits::head_timeout`] |
//! | sends no request | [`Limits::idle_timeout`] |
//! | reads a response at less than [`MIN_BYTES_PER_SECOND`] | [`Limits::stall_timeout`] of waiting |
//!
//! The limits hold for every request of a connection. A server tells its connection when a request begins and ends
//! ([`Activity::request`]); the time in between is the server's, which limits the transfer of bodies itself.
//!
//! No connection has a timer: one task ([`Acceptor::run`]) looks at all of them once a second.

mod acceptor;
mod activity;
mod address;
mod connection;
mod limits;
mod pace;
mod registry;
mod tls;

pub use acceptor::{Acceptor, Refused};
pub use activity::{Activity, RequestInProgress};
pub use connection::Connection;
pub use limits::Limits;
pub use pace::MIN_BYTES_PER_SECOND;
pub use tls::{Tls, TlsError, TlsFiles, install_crypto_provider};
