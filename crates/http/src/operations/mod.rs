//! What those ask who operate the deployment.

pub(crate) mod healthz;
pub(crate) mod metrics;
pub(crate) mod readyz;
