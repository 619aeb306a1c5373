use actix_web::HttpResponse;
use rapidphoto_api_types as api;

use crate::{
    Dependency, DependencyState,
    call::{Answer, Call, json},
};

/// Whether the process can serve, with the state of everything that it depends on.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "operations",
    responses(
        (status = 200, description = "It can.", body = api::Readiness),
        (status = 503, description = "It can't: something that it needs does not answer, or it is being stopped.",
         body = api::Readiness)
    )
)]
pub(crate) async fn readyz(call: Call) -> Answer {
    let readiness = call.shared.app.readiness.clone();
    let dependencies = call
        .on_main(async move { readiness.dependencies().await })
        .await?;
    let lacking = |one: &Dependency| one.required && one.state != DependencyState::Up;
    let (mut response, status) = if *call.shared.closing.borrow() {
        (HttpResponse::ServiceUnavailable(), "stopping")
    } else if dependencies.iter().any(lacking) {
        (HttpResponse::ServiceUnavailable(), "not ready")
    } else {
        (HttpResponse::Ok(), "ready")
    };
    let body = api::Readiness {
        status: status.to_owned(),
        dependencies: dependencies.into_iter().map(dependency).collect(),
    };
    json(&mut response, &body)
}

fn dependency(one: Dependency) -> api::DependencyReport {
    let (state, reason) = match one.state {
        DependencyState::Up => ("up", None),
        DependencyState::Down { reason } => ("down", Some(reason)),
    };
    api::DependencyReport {
        name: one.name.to_owned(),
        state: state.to_owned(),
        required: one.required,
        reason,
    }
}
