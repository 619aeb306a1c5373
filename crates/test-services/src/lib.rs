//! Private servers for tests: PostgreSQL, RabbitMQ and an imitation of AWS.
//!
//! Each runs from the binaries that `scripts/test` installs, on free ports of the loopback interface and in a temporary
//! directory, and ends with the test process, however that ends. `shared()` is one server for all tests of the process,
//! which isolate themselves by names; `start()` is a server that a test may stop, kill and freeze.
//!
//! An environment variable can name a server to use instead of the shared one.
#![expect(
    clippy::expect_used,
    reason = "a test without its server must fail at once, with the reason"
)]
#![expect(clippy::disallowed_methods, reason = "the environment configures tests")]

mod moto;
mod postgres;
mod rabbitmq;
mod server;

pub use moto::MotoServer;
pub use postgres::PostgresServer;
pub use rabbitmq::RabbitServer;
pub use server::Server;
