//! Declaration of an endpoint: its route, its authorization, its rate limit and its documentation derive from it.

use actix_web::{Handler, Route, web};
use rapidphoto_application::ports::Scope;
use rapidphoto_domain::UserId;
use utoipa::{
    __dev::{SchemaReferences, Tags},
    openapi::{HttpMethod, RefOr, Schema, path::Operation},
};

use crate::{
    call::{Call, HandlerResult, Query},
    config::Surface,
    limits::RateClass,
    problem::kinds::Kind,
};

/// Credentials that an endpoint requires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// None.
    Public,
    /// An access token with this scope.
    Scope(Scope),
    /// An access token with this scope, or a stream ticket: an `EventSource` can't send an access token.
    Stream(Scope),
}

/// Users of an endpoint, which decide the listener that it is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Audience {
    Clients,
    Operators,
    Everyone,
}

/// Endpoint of the API.
///
/// Each handler's file declares its endpoint. Method, path, parameters, request and response types come from the
/// handler's `#[utoipa::path]` attribute. The constructor decides the access and with it the handler's arguments: only
/// authorized requests reach the handler of an endpoint that is not public.
pub struct Endpoint {
    pub(crate) methods: Vec<HttpMethod>,
    pub(crate) path: String,
    pub(crate) access: Access,
    pub(crate) rate: Option<RateClass>,
    /// Problems of this endpoint, beyond those that its access, rate limit, body and parameters imply.
    pub(crate) problems: &'static [&'static Kind],
    /// True if the handler depends on the database or another external service.
    pub(crate) has_dependencies: bool,
    audience: Audience,
    pub(crate) operation: Operation,
    /// Schemas that the operation refers to.
    pub(crate) schemas: Vec<(String, RefOr<Schema>)>,
    pub(crate) route: Route,
}

/// Type that `#[utoipa::path]` generates for a handler, with the name `__path_<handler>`. utoipa-axum's `routes!` relies
/// on the same traits.
pub(crate) trait Described: utoipa::Path + SchemaReferences + for<'t> Tags<'t> {}

impl<T: utoipa::Path + SchemaReferences + for<'t> Tags<'t>> Described for T {}

impl Endpoint {
    /// An endpoint without authorization.
    pub(crate) fn public<D: Described>(handler: impl Handler<(Call,), Output = HandlerResult>) -> Self {
        Self::new::<D>(Access::Public, web::route().to(handler))
    }

    /// An endpoint for access tokens with `scope`, limited to the user's rate of requests.
    pub(crate) fn scoped<D: Described>(
        scope: Scope,
        handler: impl Handler<(Call, UserId), Output = HandlerResult>,
    ) -> Self {
        Self::rate_limited::<D>(scope, RateClass::Requests, handler)
    }

    /// An endpoint for access tokens with `scope`, limited to the user's rate of this class.
    pub(crate) fn rate_limited<D: Described>(
        scope: Scope,
        rate: RateClass,
        handler: impl Handler<(Call, UserId), Output = HandlerResult>,
    ) -> Self {
        let authorized = move |call: Call| {
            let handler = handler.clone();
            async move {
                let user = call.authorize(scope)?;
                call.check_rate(rate, user)?;
                handler.call((call, user)).await
            }
        };
        Self {
            rate: Some(rate),
            ..Self::new::<D>(Access::Scope(scope), web::route().to(authorized))
        }
    }

    /// A stream for access tokens with `scope` or tickets. The handler gets the query without the ticket.
    pub(crate) fn stream<D: Described>(
        scope: Scope,
        handler: impl Handler<(Call, UserId, Query), Output = HandlerResult>,
    ) -> Self {
        let authorized = move |call: Call| {
            let handler = handler.clone();
            async move {
                let (user, query) = call.authorize_stream(scope).await?;
                call.check_rate(RateClass::Requests, user)?;
                handler.call((call, user, query)).await
            }
        };
        Self {
            rate: Some(RateClass::Requests),
            ..Self::new::<D>(Access::Stream(scope), web::route().to(authorized))
        }
    }

    fn new<D: Described>(access: Access, route: Route) -> Self {
        let mut operation = D::operation();
        operation.tags = Some(D::tags().into_iter().map(str::to_owned).collect());
        let mut schemas = Vec::new();
        D::schemas(&mut schemas);
        Self {
            methods: D::methods(),
            path: D::path(),
            access,
            rate: None,
            problems: &[],
            has_dependencies: true,
            audience: Audience::Clients,
            operation,
            schemas,
            route,
        }
    }

    /// Adds problems of this endpoint.
    pub(crate) fn problems(self, problems: &'static [&'static Kind]) -> Self {
        Self { problems, ..self }
    }

    /// Declares that the handler depends on no external service, so that it is never `unavailable`.
    pub(crate) fn without_dependencies(self) -> Self {
        Self {
            has_dependencies: false,
            ..self
        }
    }

    /// Restricts the endpoint to the listener for operators, if there is one.
    pub(crate) fn for_operators(self) -> Self {
        Self {
            audience: Audience::Operators,
            ..self
        }
    }

    /// Adds the endpoint to the listener for operators, if there is one.
    pub(crate) fn for_everyone(self) -> Self {
        Self {
            audience: Audience::Everyone,
            ..self
        }
    }

    /// Returns true if a server with this surface has the endpoint.
    pub(crate) fn is_on(&self, surface: Surface) -> bool {
        match surface {
            Surface::Everything | Surface::EverythingButDocs => true,
            Surface::Public { .. } => self.audience != Audience::Operators,
            Surface::Operations { .. } => self.audience != Audience::Clients,
        }
    }

    /// Methods of the route: HEAD goes with GET. Streams have no HEAD, since only their body is of use.
    pub(crate) fn route_methods(&self) -> Vec<&'static str> {
        let is_stream = matches!(self.access, Access::Stream(_));
        let with_head = |method: &HttpMethod| match method {
            HttpMethod::Get if !is_stream => vec!["GET", "HEAD"],
            other => vec![method_name(other)],
        };
        self.methods.iter().flat_map(with_head).collect()
    }

    /// HTTP method.
    pub fn method(&self) -> &'static str {
        self.methods.first().map_or("", method_name)
    }

    /// Path with its parameters in braces.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Required credentials.
    pub fn access(&self) -> Access {
        self.access
    }

    /// Rate limit that requests count against.
    pub fn rate(&self) -> Option<RateClass> {
        self.rate
    }
}

fn method_name(method: &HttpMethod) -> &'static str {
    match method {
        HttpMethod::Get => "GET",
        HttpMethod::Post => "POST",
        HttpMethod::Put => "PUT",
        HttpMethod::Delete => "DELETE",
        HttpMethod::Options => "OPTIONS",
        HttpMethod::Head => "HEAD",
        HttpMethod::Patch => "PATCH",
        HttpMethod::Trace => "TRACE",
    }
}
