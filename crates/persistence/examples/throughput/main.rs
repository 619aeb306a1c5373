//! Benchmark of the adapters: commits, jobs, reads and claims.
//!
//! `cargo run --release -p rapidphoto-persistence --example throughput [DIRECTORY]` measures SQLite on the disk of this
//! machine: commits by 1, 16 and 100 concurrent callers, jobs of up to 1000 photos, reads, and claims from a long queue.
//!
//! `cargo run --release -p rapidphoto-persistence --features postgres --example throughput postgres://…` measures
//! PostgreSQL, with 1, 16 and 64 clients, beside a load generator that executes the same statements without the adapter.
//! It writes to a namespace of its own, and migrates the database if it is empty.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints and may panic"
)]

#[cfg(feature = "postgres")]
mod bare;
mod load;
#[cfg(feature = "postgres")]
mod measure;
#[cfg(feature = "postgres")]
mod postgres;
mod sqlite;

#[tokio::main]
async fn main() {
    let target = std::env::args_os().nth(1);
    #[cfg(feature = "postgres")]
    if let Some(url) = target.as_ref().and_then(|target| target.to_str())
        && (url.starts_with("postgres://") || url.starts_with("postgresql://"))
    {
        return postgres::run(url).await;
    }
    sqlite::run(target.map(Into::into)).await;
}
