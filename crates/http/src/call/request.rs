use std::{future::Future, rc::Rc, sync::Arc};

use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse, dev::Payload, http::header, web};
use actix_ws::{MessageStream, Session};
use rapidphoto_application::{UseCases, ports::EventMetadata, trace};
use rapidphoto_domain::UserId;
use tracing::Instrument;

use super::{context::Context, query::Query};
use crate::{
    limits::RateClass,
    origin::may_open_websocket,
    problem::{Problem, kinds},
    shared::Shared,
};

/// One request.
pub(crate) struct Call {
    pub(crate) shared: Arc<Shared>,
    pub(crate) context: Rc<Context>,
    pub(super) request: HttpRequest,
    pub(super) payload: Payload,
}

impl Call {
    /// Runs a use case on the main runtime, unless too many are running. It runs to its end even if this future is
    /// dropped, as it is when the client disconnects or the request times out.
    pub(crate) async fn on_main<T, W>(&self, work: W) -> Result<T, Problem>
    where
        T: Send + 'static,
        W: Future<Output = T> + Send + 'static,
    {
        let permit = self.shared.limits.admit()?;
        self.on_main_always(async move {
            let _permit = permit;
            work.await
        })
        .await
    }

    /// Like [`Self::on_main`], for a call without an access token, whose network has a rate.
    pub(crate) async fn on_main_anonymously<T, W>(&self, work: W) -> Result<T, Problem>
    where
        T: Send + 'static,
        W: Future<Output = T> + Send + 'static,
    {
        let permit = self.shared.limits.admit_anonymous(self.context.address)?;
        self.on_main_always(async move {
            let _permit = permit;
            work.await
        })
        .await
    }

    /// Like [`Self::on_main`], also if too many use cases are running: for operators.
    pub(crate) async fn on_main_always<T, W>(&self, work: W) -> Result<T, Problem>
    where
        T: Send + 'static,
        W: Future<Output = T> + Send + 'static,
    {
        let work = work.instrument(tracing::Span::current());
        let running = self.shared.app.main_runtime.spawn(work);
        running.await.map_err(Problem::internal)
    }

    /// Use cases, owned by the caller so that they can be moved to the main runtime.
    pub(crate) fn use_cases(&self) -> Arc<UseCases> {
        Arc::clone(&self.shared.app.use_cases)
    }

    /// Metadata of every event that this request causes.
    pub(crate) fn metadata(&self, actor: Option<UserId>) -> EventMetadata {
        EventMetadata {
            correlation_id: Some(self.context.request_id.clone()),
            causation_id: None,
            // The client's own in a process without telemetry.
            traceparent: trace::current().or_else(|| self.context.traceparent.clone()),
            actor,
            request_id: Some(self.context.request_id.clone()),
        }
    }

    /// Counts the request against the user's rate limit.
    pub(crate) fn check_rate(&self, class: RateClass, user: UserId) -> Result<(), Problem> {
        let checked = self.shared.limits.check(class, user);
        let allowance = checked.unwrap_or_else(|exceeded| exceeded);
        self.context.set_allowance(allowance);
        checked.map(drop).map_err(|exceeded| exceeded.problem())
    }

    /// Turns the connection into a WebSocket.
    pub(crate) async fn websocket(&mut self) -> Result<(HttpResponse, Session, MessageStream), Problem> {
        let payload = web::Payload::from_request(&self.request, &mut self.payload).await;
        let opened = payload.and_then(|payload| actix_ws::handle(&self.request, payload));
        opened.map_err(|error| {
            Problem::new(kinds::BAD_REQUEST).detail(format!(
                "The request does not open a WebSocket: {error}. Connect with a WebSocket client of version 13 (RFC 6455)."
            ))
        })
    }

    /// Rejects a page of an origin that may not call the API. Browsers send `Origin` with the request for a WebSocket, and
    /// let any page read it.
    pub(crate) fn check_origin(&self) -> Result<(), Problem> {
        let allowed = &self.shared.app.config.allowed_origins;
        if may_open_websocket(self.request.headers(), allowed) {
            return Ok(());
        }
        Err(Problem::new(kinds::ORIGIN_NOT_ALLOWED))
    }

    /// Value of a header, if it is visible ASCII.
    pub(crate) fn header(&self, name: &header::HeaderName) -> Option<&str> {
        self.request.headers().get(name)?.to_str().ok()
    }

    /// Returns true if the header is present, readable or not.
    pub(crate) fn has_header(&self, name: &header::HeaderName) -> bool {
        self.request.headers().contains_key(name)
    }

    /// Values of a header that are visible ASCII.
    pub(crate) fn headers<'a>(&'a self, name: &'a header::HeaderName) -> impl Iterator<Item = &'a str> {
        self.request
            .headers()
            .get_all(name)
            .filter_map(|value| value.to_str().ok())
    }

    /// Query parameters.
    pub(crate) fn query(&self) -> Result<Query, Problem> {
        Query::parse(self.request.query_string())
    }
}

impl FromRequest for Call {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let shared = request.app_data::<web::Data<Shared>>().cloned();
        let context = request.extensions().get::<Rc<Context>>().cloned();
        std::future::ready(match (shared, context) {
            (Some(shared), Some(context)) => Ok(Self {
                shared: shared.into_inner(),
                context,
                request: request.clone(),
                payload: payload.take(),
            }),
            _ => Err(Problem::internal("the route is outside of the API's middleware")),
        })
    }
}
