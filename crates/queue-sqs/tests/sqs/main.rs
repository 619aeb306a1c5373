//! The consumer and the dead letters on moto, an imitation of SQS, SNS, EventBridge and S3.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy.toml allows them in tests, but does not recognize these files as tests"
)]

mod consumer;
mod dead_letters;
mod outages;
mod sources;
mod support;
