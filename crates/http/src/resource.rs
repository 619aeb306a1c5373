use std::future::ready;

use actix_web::{HttpResponse, Resource, Route, guard, http::Method, http::header, web};

use crate::{
    call::HandlerResult,
    problem::{Problem, kinds},
};

/// Routes of one path. Other methods get 405, and OPTIONS the list of methods in `Allow`, as RFC 9110 demands.
#[derive(Default)]
pub(crate) struct PathRoutes {
    methods: Vec<&'static str>,
    routes: Vec<Route>,
}

impl PathRoutes {
    pub(crate) fn add(&mut self, methods: Vec<&'static str>, route: Route) {
        self.methods.extend(&methods);
        let supported = guard::fn_guard(move |request| methods.contains(&request.head().method.as_str()));
        self.routes.push(route.guard(supported));
    }

    pub(crate) fn into_resource(self, path: &str) -> Resource {
        let allow = format!("OPTIONS, {}", self.methods.join(", "));
        let resource = self.routes.into_iter().fold(web::resource(path), Resource::route);
        resource.default_service(web::to(move |method: Method| {
            ready(other_method(&method, &allow))
        }))
    }
}

fn other_method(method: &Method, allow: &str) -> HandlerResult {
    if *method == Method::OPTIONS {
        Ok(HttpResponse::NoContent()
            .insert_header((header::ALLOW, allow))
            .finish())
    } else {
        Err(Problem::new(kinds::METHOD_NOT_ALLOWED)
            .detail(format!(
                "The path does not support this method. It supports {allow}."
            ))
            .with_header(header::ALLOW, allow))
    }
}
