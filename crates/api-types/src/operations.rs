use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Liveness of the process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// Status, always `alive`.
    #[schema(example = "alive")]
    pub status: String,
}

/// Readiness of the process to serve requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Readiness {
    /// Status: `ready`, `not ready` or `stopping`.
    #[schema(example = "ready")]
    pub status: String,
    /// Services that the process depends on.
    pub dependencies: Vec<DependencyReport>,
}

/// State of a service that the process depends on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DependencyReport {
    /// Name of the service.
    #[schema(example = "record")]
    pub name: String,
    /// State: `up` or `down`.
    #[schema(example = "up")]
    pub state: String,
    /// True if the process is not ready without this service.
    pub required: bool,
    /// Reason why the service is down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}
