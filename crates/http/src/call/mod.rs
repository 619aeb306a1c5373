//! One request, as handlers see it: who asks, for what, and where use cases run.

pub(crate) mod authorization;
mod body;
mod context;
pub(crate) mod origin;
mod path;
mod query;
mod strict;

use std::{future::Future, rc::Rc, sync::Arc};

use actix_web::{
    FromRequest, HttpMessage, HttpRequest, HttpResponse, HttpResponseBuilder, dev::Payload, http::header, web,
};
use rapidphoto_application::{UseCases, ports::EventMetadata};
use rapidphoto_domain::UserId;
use serde::Serialize;
use tracing::Instrument;

pub(crate) use body::{MAX_MESSAGE, parse};
pub(crate) use context::Context;
pub(crate) use query::Query;

use crate::{limits::Allowance, refusal::Refusal, server::Shared};

/// What a handler comes to.
pub(crate) type Answer = Result<HttpResponse, Refusal>;

/// One request.
pub(crate) struct Call {
    pub(crate) shared: Arc<Shared>,
    pub(crate) context: Rc<Context>,
    request: HttpRequest,
}

impl Call {
    /// Runs a use case on the main runtime. It goes on to its end though the client, or this future, goes away.
    pub(crate) async fn on_main<T, W>(&self, work: W) -> Result<T, Refusal>
    where
        T: Send + 'static,
        W: Future<Output = T> + Send + 'static,
    {
        let work = work.instrument(tracing::Span::current());
        let running = self.shared.app.main_runtime.spawn(work);
        running.await.map_err(Refusal::internal)
    }

    /// The use cases, for work that moves to the main runtime.
    pub(crate) fn use_cases(&self) -> Arc<UseCases> {
        Arc::clone(&self.shared.app.use_cases)
    }

    /// What every event that this request leads to carries.
    pub(crate) fn metadata(&self, actor: Option<UserId>) -> EventMetadata {
        EventMetadata {
            correlation_id: Some(self.context.request_id.clone()),
            causation_id: None,
            traceparent: self.context.traceparent.clone(),
            actor,
            request_id: Some(self.context.request_id.clone()),
        }
    }

    /// Counts the request against one of its user's rates.
    pub(crate) fn within(&self, allowance: Result<Allowance, Allowance>) -> Result<(), Refusal> {
        let (allowance, refused) = match allowance {
            Ok(allowance) => (allowance, None),
            Err(allowance) => {
                let refusal = allowance.refusal();
                (allowance, Some(refusal))
            }
        };
        self.context.note_allowance(allowance);
        refused.map_or(Ok(()), Err)
    }

    /// The value of a header that is text.
    pub(crate) fn header(&self, name: &header::HeaderName) -> Option<&str> {
        self.request.headers().get(name)?.to_str().ok()
    }

    /// Whether a header is there, whatever its value.
    pub(crate) fn has_header(&self, name: &header::HeaderName) -> bool {
        self.request.headers().contains_key(name)
    }

    /// All values of a header that are text.
    pub(crate) fn headers<'a>(&'a self, name: &'a header::HeaderName) -> impl Iterator<Item = &'a str> {
        self.request
            .headers()
            .get_all(name)
            .filter_map(|value| value.to_str().ok())
    }

    /// The query's parameters.
    pub(crate) fn query(&self) -> Result<Query, Refusal> {
        Query::parse(self.request.query_string())
    }
}

impl FromRequest for Call {
    type Error = Refusal;
    type Future = std::future::Ready<Result<Self, Refusal>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let shared = request.app_data::<web::Data<Shared>>().cloned();
        let context = request.extensions().get::<Rc<Context>>().cloned();
        std::future::ready(match (shared, context) {
            (Some(shared), Some(context)) => Ok(Self {
                shared: shared.into_inner(),
                context,
                request: request.clone(),
            }),
            _ => Err(Refusal::internal("a route stands outside the edge")),
        })
    }
}

/// An answer in JSON. Nobody may keep it unless it says otherwise.
pub(crate) fn json<T: Serialize>(response: &mut HttpResponseBuilder, body: &T) -> Answer {
    let body = serde_json::to_vec(body).map_err(Refusal::internal)?;
    Ok(response.content_type(header::ContentType::json()).body(body))
}
