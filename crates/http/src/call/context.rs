use std::{
    cell::{Cell, RefCell},
    net::IpAddr,
    time::Instant,
};

use actix_web::{dev::ServiceRequest, http::Method};
use rapidphoto_domain::UserId;

use super::origin;
use crate::{limits::Allowance, server::Shared};

/// What is known of a request before it is routed, and what its handling adds for the edge.
pub(crate) struct Context {
    /// Names the request in answers, events and logs.
    pub(crate) request_id: String,
    /// The caller's trace.
    pub(crate) traceparent: Option<String>,
    /// Who is at the other end, as far as that can be believed.
    pub(crate) address: Option<IpAddr>,
    /// The method.
    pub(crate) method: Method,
    /// The path without its query: tickets never reach a log.
    pub(crate) path: String,
    /// When it came.
    pub(crate) started: Instant,
    allowance: RefCell<Option<Allowance>>,
    user: Cell<Option<UserId>>,
}

impl Context {
    /// What a request says of itself.
    pub(crate) fn of(request: &ServiceRequest, shared: &Shared) -> Self {
        let headers = request.headers();
        let peer = request.peer_addr().map(|address| address.ip());
        Self {
            request_id: origin::request_id(headers)
                .unwrap_or_else(|| format!("{:032x}", shared.app.ids.ulid())),
            traceparent: origin::traceparent(headers),
            address: if shared.app.config.behind_proxy {
                origin::forwarded_for(headers).or(peer)
            } else {
                peer
            },
            method: request.method().clone(),
            path: request.path().to_owned(),
            started: Instant::now(),
            allowance: RefCell::default(),
            user: Cell::default(),
        }
    }

    /// Notes what is left of a rate, for the answer's headers.
    pub(super) fn note_allowance(&self, allowance: Allowance) {
        *self.allowance.borrow_mut() = Some(allowance);
    }

    /// Notes who asks, for the log.
    pub(super) fn note_user(&self, user: UserId) {
        self.user.set(Some(user));
    }

    /// What is left of the rate that the request was counted against.
    pub(crate) fn allowance(&self) -> Option<Allowance> {
        *self.allowance.borrow()
    }

    /// Who asks, once that is known.
    pub(crate) fn user(&self) -> Option<UserId> {
        self.user.get()
    }
}
