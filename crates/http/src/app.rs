use std::sync::Arc;

use async_trait::async_trait;
use rapidphoto_application::{UseCases, live::WatchHandler, ports::Ids};

use crate::HttpConfig;

/// Everything that the API stands on.
#[derive(Clone)]
pub struct App {
    /// What handlers call.
    pub use_cases: Arc<UseCases>,
    /// Lets users watch; its tail must be running.
    pub watch: WatchHandler,
    /// Whether what the process depends on answers.
    pub readiness: Arc<dyn Readiness>,
    /// Writes down all metrics of the process, in Prometheus' text format.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
    /// The multi-threaded runtime that use cases run on.
    pub main_runtime: tokio::runtime::Handle,
    /// Names requests that come without a name.
    pub ids: Arc<dyn Ids>,
    /// What the deployment decides.
    pub config: HttpConfig,
}

/// Asks everything that the process depends on how it is.
#[async_trait]
pub trait Readiness: Send + Sync {
    /// One answer for each dependency, always in the same order.
    async fn dependencies(&self) -> Vec<Dependency>;
}

/// How something is that the process depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// What it is, such as `record` or `object storage`.
    pub name: &'static str,
    /// How it is.
    pub state: DependencyState,
    /// Whether the API is of no use without it.
    pub required: bool,
}

/// How a dependency is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DependencyState {
    /// It answers.
    Up,
    /// It does not.
    Down {
        /// Why, for those who operate the deployment: no secrets, no addresses with passwords.
        reason: String,
    },
}
