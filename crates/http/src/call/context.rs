use std::{
    cell::{Cell, RefCell},
    net::IpAddr,
    time::Instant,
};

use actix_web::{dev::ServiceRequest, http::Method};
use rapidphoto_application::ports::SessionId;
use rapidphoto_domain::UserId;

use super::{client_address::client_address, request_headers};
use crate::{limits::Allowance, problem::Problem, shared::Shared};

/// Request data known before routing, and results of the handler for the middleware.
pub(crate) struct Context {
    /// Id of the request in responses, events and logs.
    pub(crate) request_id: String,
    /// Trace context of the client.
    pub(crate) traceparent: Option<String>,
    /// Address of the client, as far as trusted proxies report it.
    pub(crate) address: Option<IpAddr>,
    pub(crate) method: Method,
    /// Path without the query, so that tickets are never logged.
    pub(crate) path: String,
    /// Time of arrival.
    pub(crate) started: Instant,
    allowance: RefCell<Option<Allowance>>,
    caller: Cell<Option<(UserId, SessionId)>>,
}

impl Context {
    pub(crate) fn new(request: &ServiceRequest, shared: &Shared) -> Self {
        let headers = request.headers();
        let config = &shared.app.config;
        Self {
            request_id: request_headers::request_id(headers)
                .unwrap_or_else(|| format!("{:032x}", shared.app.ids.ulid())),
            traceparent: request_headers::traceparent(headers),
            address: request
                .peer_addr()
                .map(|peer| client_address(peer.ip(), headers, &config.trusted_proxies, config.proxy_hops)),
            method: request.method().clone(),
            path: request.path().to_owned(),
            started: Instant::now(),
            allowance: RefCell::default(),
            caller: Cell::default(),
        }
    }

    /// Sets the rate limit's state for the response's headers.
    pub(crate) fn set_allowance(&self, allowance: Allowance) {
        *self.allowance.borrow_mut() = Some(allowance);
    }

    /// Sets the authenticated user and the session of the access token or ticket.
    pub(super) fn set_caller(&self, user: UserId, session: SessionId) {
        self.caller.set(Some((user, session)));
    }

    /// State of the rate limit that the request counted against.
    pub(crate) fn allowance(&self) -> Option<Allowance> {
        *self.allowance.borrow()
    }

    /// Session of an authorized request: it ends with a log-out, a revocation or its expiry.
    pub(crate) fn session(&self) -> Result<SessionId, Problem> {
        let session = self.caller.get().map(|(_, session)| session);
        session.ok_or_else(|| Problem::internal("the endpoint requires no authorization"))
    }

    /// Authenticated user.
    pub(crate) fn user(&self) -> Option<UserId> {
        self.caller.get().map(|(user, _)| user)
    }
}
