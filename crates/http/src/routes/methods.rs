use std::future::ready;

use actix_web::{FromRequest, Handler, HttpResponse, Resource, guard, http::Method, http::header, web};

use crate::{
    call::Answer,
    refusal::{Refusal, kinds},
};

/// A path and the methods that it takes; others are refused with `Allow`, as RFC 9110 wants it.
pub(crate) struct Methods {
    resource: Resource,
    allowed: Vec<&'static str>,
}

/// The methods of a path.
pub(crate) fn at(path: &str) -> Methods {
    Methods {
        resource: web::resource(path),
        allowed: vec!["OPTIONS"],
    }
}

impl Methods {
    /// GET, and HEAD with it: the same without a body.
    pub(crate) fn get<F, Args>(mut self, handler: F) -> Self
    where
        F: Handler<Args, Output = Answer>,
        Args: FromRequest + 'static,
        F::Output: 'static,
    {
        let either = guard::Any(guard::Get()).or(guard::Head());
        self.resource = self.resource.route(web::route().guard(either).to(handler));
        self.allowed.extend(["GET", "HEAD"]);
        self
    }

    /// GET alone: a stream without a body is nothing.
    pub(crate) fn stream<F, Args>(mut self, handler: F) -> Self
    where
        F: Handler<Args, Output = Answer>,
        Args: FromRequest + 'static,
    {
        self.resource = self.resource.route(web::get().to(handler));
        self.allowed.push("GET");
        self
    }

    /// POST.
    pub(crate) fn post<F, Args>(mut self, handler: F) -> Self
    where
        F: Handler<Args, Output = Answer>,
        Args: FromRequest + 'static,
    {
        self.resource = self.resource.route(web::post().to(handler));
        self.allowed.push("POST");
        self
    }

    /// DELETE.
    pub(crate) fn delete<F, Args>(mut self, handler: F) -> Self
    where
        F: Handler<Args, Output = Answer>,
        Args: FromRequest + 'static,
    {
        self.resource = self.resource.route(web::delete().to(handler));
        self.allowed.push("DELETE");
        self
    }

    /// The path, complete.
    pub(crate) fn done(self) -> Resource {
        let allowed = self.allowed.join(", ");
        self.resource.default_service(web::to(move |method: Method| {
            ready(other_method(&method, &allowed))
        }))
    }
}

fn other_method(method: &Method, allowed: &str) -> Answer {
    if *method == Method::OPTIONS {
        Ok(HttpResponse::NoContent()
            .insert_header((header::ALLOW, allowed))
            .finish())
    } else {
        Err(Refusal::new(kinds::METHOD_NOT_ALLOWED)
            .saying(format!("This path takes {allowed}."))
            .with_header(header::ALLOW, allowed))
    }
}
