use actix_web::HttpResponse;
use rapidphoto_api_types as api;

use crate::{
    app::{Dependency, DependencyState},
    call::{Call, HandlerResult, json},
    endpoint::Endpoint,
};

pub(super) fn endpoint() -> Endpoint {
    Endpoint::public::<__path_readyz>(readyz)
        .without_dependencies()
        .for_operators()
}

/// Readiness of the process, with the state of each dependency, at most a second old. On the listener for operators, if
/// there is one.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "operations",
    responses(
        (status = 200, description = "The process can serve requests.", body = api::Readiness),
        (status = 503, description = "The process can't serve requests: a required dependency does not respond, or \
                                      the process is stopping.",
         body = api::Readiness)
    )
)]
async fn readyz(call: Call) -> HandlerResult {
    let readiness = call.shared.app.readiness.clone();
    let dependencies = call
        .on_main_always(async move { readiness.dependencies().await })
        .await?;
    let stopping = *call.shared.app.draining.borrow() || *call.shared.closing.borrow();
    let (is_ready, report) = readiness_report(dependencies, stopping);
    let mut response = if is_ready {
        HttpResponse::Ok()
    } else {
        HttpResponse::ServiceUnavailable()
    };
    json(&mut response, &report)
}

/// Returns true if the process can serve requests, and the report.
pub(crate) fn readiness_report(dependencies: Vec<Dependency>, stopping: bool) -> (bool, api::Readiness) {
    let is_missing = |one: &Dependency| one.required && one.state != DependencyState::Up;
    let (is_ready, status) = if stopping {
        (false, "stopping")
    } else if dependencies.iter().any(is_missing) {
        (false, "not ready")
    } else {
        (true, "ready")
    };
    let report = api::Readiness {
        status: status.to_owned(),
        dependencies: dependencies.into_iter().map(report).collect(),
    };
    (is_ready, report)
}

fn report(dependency: Dependency) -> api::DependencyReport {
    let (state, reason) = match dependency.state {
        DependencyState::Up => ("up", None),
        DependencyState::Down { reason } => ("down", Some(reason)),
    };
    api::DependencyReport {
        name: dependency.name.to_owned(),
        state: state.to_owned(),
        required: dependency.required,
        reason,
    }
}
