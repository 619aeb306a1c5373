use std::collections::BTreeMap;

use actix_web::web::{self, ServiceConfig};

use crate::{
    call::{Call, HandlerResult},
    config::Surface,
    endpoints::endpoints,
    openapi,
    problem::{Problem, kinds},
    resource::PathRoutes,
};

/// Registers the routes of a server's endpoints and of the OpenAPI document.
pub(crate) fn configure(surface: Surface) -> impl Fn(&mut ServiceConfig) {
    move |config| register(config, surface)
}

fn register(config: &mut ServiceConfig, surface: Surface) {
    // Ordered by path, so that literal segments come before parameters: `{` sorts after all letters.
    let mut paths: BTreeMap<String, PathRoutes> = BTreeMap::new();
    for endpoint in endpoints().into_iter().filter(|endpoint| endpoint.is_on(surface)) {
        let methods = endpoint.route_methods();
        let path = paths.entry(endpoint.path).or_default();
        path.add(methods, endpoint.route);
    }
    for (path, routes) in paths {
        config.service(routes.into_resource(&path));
    }
    if surface.has_docs() {
        config.configure(openapi::serve);
    }
    config.default_service(web::to(no_such_route));
}

async fn no_such_route(_call: Call) -> HandlerResult {
    Err(Problem::new(kinds::NO_SUCH_ROUTE))
}
