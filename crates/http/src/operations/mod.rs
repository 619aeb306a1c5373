//! Endpoints for operators, one file for each.

mod healthz;
mod metrics;
mod readyz;

pub(crate) use readyz::readiness_report;

use crate::endpoint::Endpoint;

pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![healthz::endpoint(), readyz::endpoint(), metrics::endpoint()]
}
