//! Security audit: structured log events of the target `audit`, and their number by event in `security_events_total`.
//! Neither has an e-mail address or a secret.

use std::net::IpAddr;

use metrics::counter;
use rapidphoto_domain::UserId;

use crate::ports::SessionId;

/// Security-relevant event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SecurityEvent {
    /// Tokens were issued for a correct password.
    LoggedIn,
    /// Unknown account, wrong password or disabled account.
    LoginRefused,
    /// A login was not attempted, because a budget is used up.
    LoginDelayed,
    /// An account was created by its owner.
    Registered,
    /// A registration was not attempted, because the network's budget is used up.
    RegistrationDelayed,
    /// A session was ended by its owner.
    LoggedOut,
    /// An old refresh token was used; its session has ended.
    RefreshTokenReused,
    /// An administrator has changed an account.
    AccountChanged(&'static str),
}

impl SecurityEvent {
    const fn name(self) -> &'static str {
        match self {
            Self::LoggedIn => "logged_in",
            Self::LoginRefused => "login_refused",
            Self::LoginDelayed => "login_delayed",
            Self::Registered => "registered",
            Self::RegistrationDelayed => "registration_delayed",
            Self::LoggedOut => "logged_out",
            Self::RefreshTokenReused => "refresh_token_reused",
            Self::AccountChanged(change) => change,
        }
    }

    const fn is_suspicious(self) -> bool {
        matches!(
            self,
            Self::LoginRefused | Self::LoginDelayed | Self::RegistrationDelayed | Self::RefreshTokenReused
        )
    }
}

/// Sets the counters of all events of clients to 0.
pub(crate) fn register() {
    for event in [
        SecurityEvent::LoggedIn,
        SecurityEvent::LoginRefused,
        SecurityEvent::LoginDelayed,
        SecurityEvent::Registered,
        SecurityEvent::RegistrationDelayed,
        SecurityEvent::LoggedOut,
        SecurityEvent::RefreshTokenReused,
    ] {
        counter!("security_events_total", "event" => event.name()).increment(0);
    }
}

/// Known parties of an event. Addresses are only given where nobody is logged in or someone logs in.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Subject {
    pub(crate) user: Option<UserId>,
    pub(crate) session: Option<SessionId>,
    pub(crate) address: Option<IpAddr>,
}

/// Logs and counts an event.
pub(crate) fn record(event: SecurityEvent, subject: Subject) {
    let name = event.name();
    counter!("security_events_total", "event" => name).increment(1);
    let user = subject.user.map(tracing::field::display);
    let session = subject.session.map(tracing::field::display);
    let address = subject.address.map(tracing::field::display);
    if event.is_suspicious() {
        tracing::warn!(target: "audit", event = name, userId = user, session, address, "security event");
    } else {
        tracing::info!(target: "audit", event = name, userId = user, session, address, "security event");
    }
}
