use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Whether the process is alive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// Always `alive`.
    #[schema(example = "alive")]
    pub status: String,
}

/// Whether the process can serve.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Readiness {
    /// `ready`, `not ready`, or `stopping`.
    #[schema(example = "ready")]
    pub status: String,
    /// Everything that it depends on.
    pub dependencies: Vec<DependencyReport>,
}

/// How something is that the process depends on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DependencyReport {
    /// What it is.
    #[schema(example = "record")]
    pub name: String,
    /// `up` or `down`.
    #[schema(example = "up")]
    pub state: String,
    /// Whether nothing can be served without it.
    pub required: bool,
    /// Why it is down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}
