use std::{net::IpAddr, sync::Arc, time::Duration};

use rapidphoto_domain::{UserId, values::EmailError};

use super::{
    LoginLimits,
    audit::{self, SecurityEvent, Subject},
    new_account::NewAccounts,
};
use crate::{
    ports::{BoxError, Clock, EventMetadata, Ports, Unavailable},
    settings::{AuthSettings, Registration},
};

/// Maximum length of a password, which bounds the time of hashing.
pub(crate) const MAX_PASSWORD_BYTES: usize = 1024;

/// Request for a new account.
#[derive(Clone)]
pub struct RegisterUser {
    /// E-mail address for logins.
    pub email: String,
    /// Password for logins.
    pub password: String,
    /// Client address, for the limit on registrations and the audit.
    pub address: Option<IpAddr>,
    /// Metadata of the request.
    pub metadata: EventMetadata,
}

/// Reasons why no account is created.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegisterUserError {
    /// Registration is disabled in this deployment.
    #[error("registration is closed")]
    Closed,
    /// Too many registrations from this network.
    #[error("too many registrations from this network")]
    TooMany {
        /// Time until the next attempt is allowed.
        retry_after: Duration,
    },
    /// The e-mail address is invalid.
    #[error(transparent)]
    Email(EmailError),
    /// The password is too short or too long.
    #[error("a password must have at least {min} characters and at most {MAX_PASSWORD_BYTES} bytes")]
    Password {
        /// Minimum length in characters.
        min: usize,
    },
    /// An account with this e-mail address exists.
    #[error("the e-mail address is taken")]
    EmailTaken,
    /// The password can't be hashed.
    #[error("the password can't be hashed")]
    Hashing(#[source] BoxError),
    /// The database or password hashing is unavailable.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Creates accounts.
#[derive(Clone)]
pub struct RegisterUserHandler {
    clock: Arc<dyn Clock>,
    accounts: NewAccounts,
    settings: AuthSettings,
    limits: Arc<LoginLimits>,
}

impl RegisterUserHandler {
    /// Creates a handler.
    pub fn new(ports: &Ports, settings: AuthSettings, limits: Arc<LoginLimits>) -> Self {
        Self {
            clock: Arc::clone(&ports.clock),
            accounts: NewAccounts::new(ports.write_ports(), Arc::clone(&ports.passwords), settings),
            settings,
            limits,
        }
    }

    /// Creates an account and returns the id of its user.
    pub async fn handle(&self, command: RegisterUser) -> Result<UserId, RegisterUserError> {
        if self.settings.registration == Registration::Closed {
            return Err(RegisterUserError::Closed);
        }
        let address = command.address;
        let attempt = self.limits.try_register(address, self.clock.now());
        // Every attempt counts, whatever it leads to: an answer tells if an address has an account.
        let _counted = attempt.map_err(|retry_after| {
            let subject = Subject {
                address,
                ..Subject::default()
            };
            audit::record(SecurityEvent::RegistrationDelayed, subject);
            RegisterUserError::TooMany { retry_after }
        })?;
        let user = self
            .accounts
            .create(&command.email, &command.password, command.metadata)
            .await?;
        let subject = Subject {
            user: Some(user),
            address,
            ..Subject::default()
        };
        audit::record(SecurityEvent::Registered, subject);
        Ok(user)
    }
}
