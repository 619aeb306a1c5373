use std::collections::BTreeMap;

use actix_web::web::{self, ServiceConfig};

use crate::{
    call::{Call, HandlerResult},
    endpoints::endpoints,
    openapi,
    problem::{Problem, kinds},
    resource::PathRoutes,
};

/// Registers the routes of all endpoints and of the OpenAPI document.
pub(crate) fn configure(config: &mut ServiceConfig) {
    // Ordered by path, so that literal segments come before parameters: `{` sorts after all letters.
    let mut paths: BTreeMap<String, PathRoutes> = BTreeMap::new();
    for endpoint in endpoints() {
        let methods = endpoint.route_methods();
        let path = paths.entry(endpoint.path).or_default();
        path.add(methods, endpoint.route);
    }
    for (path, routes) in paths {
        config.service(routes.into_resource(&path));
    }
    config
        .configure(openapi::serve)
        .default_service(web::to(no_such_route));
}

async fn no_such_route(_call: Call) -> HandlerResult {
    Err(Problem::new(kinds::NO_SUCH_ROUTE))
}
