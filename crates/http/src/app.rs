use std::sync::Arc;

use async_trait::async_trait;
use rapidphoto_application::{UseCases, live::WatchHandler, ports::Ids};
use tokio::sync::watch;

use crate::config::HttpConfig;

/// Dependencies of the API.
#[derive(Clone)]
pub struct App {
    /// Use cases that handlers call.
    pub use_cases: Arc<UseCases>,
    /// Source of live events for streams; its tail must be running.
    pub watch: WatchHandler,
    /// Check of the process' dependencies, for `/readyz`.
    pub readiness: Arc<dyn Readiness>,
    /// Renders all metrics of the process in Prometheus' text format.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
    /// Multi-threaded runtime that use cases run on.
    pub main_runtime: tokio::runtime::Handle,
    /// Generator of ids for requests without an `X-Request-Id`.
    pub ids: Arc<dyn Ids>,
    /// Secret of the deployment, from which the keys of stream cursors are derived. After a change clients can't resume
    /// streams, and receive a snapshot.
    pub cursor_key: [u8; 32],
    /// True once the process is stopping: `/readyz` says so, while other requests are still served.
    pub draining: watch::Receiver<bool>,
    /// Configuration of the deployment.
    pub config: HttpConfig,
}

/// Checks the dependencies of the process.
#[async_trait]
pub trait Readiness: Send + Sync {
    /// State of each dependency, always in the same order.
    async fn dependencies(&self) -> Vec<Dependency>;
}

/// Dependency of the process and its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// Name, such as `record` or `object storage`.
    pub name: &'static str,
    /// Current state.
    pub state: DependencyState,
    /// True if the API can't serve without it.
    pub required: bool,
}

/// State of a dependency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DependencyState {
    /// It responds.
    Up,
    /// It does not respond.
    Down {
        /// Cause, for operators: no secrets, no addresses with passwords.
        reason: String,
    },
}
