use std::{net::IpAddr, sync::Arc};

use rapidphoto_domain::UserId;

use super::{
    LoginLimits,
    audit::{self, SecurityEvent, Subject},
    login_limits::NotAdmitted,
    new_account::{NewAccounts, RegisterUserError},
};
use crate::{
    ports::{EventMetadata, Ports},
    settings::{AuthSettings, Registration},
};

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

/// Creates accounts.
#[derive(Clone)]
pub struct RegisterUserHandler {
    accounts: NewAccounts,
    settings: AuthSettings,
    limits: Arc<LoginLimits>,
}

impl RegisterUserHandler {
    /// Creates a handler.
    pub fn new(ports: &Ports, settings: AuthSettings, limits: Arc<LoginLimits>) -> Self {
        Self {
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
        let counted = self.limits.try_register(address).await;
        // Every attempt counts, whatever it leads to: an answer tells if an address has an account.
        counted.map_err(|not_admitted| match not_admitted {
            NotAdmitted::TooMany { retry_after } => {
                let subject = Subject {
                    address,
                    ..Subject::default()
                };
                audit::record(SecurityEvent::RegistrationDelayed, subject);
                RegisterUserError::TooMany { retry_after }
            }
            NotAdmitted::Unavailable(unavailable) => unavailable.into(),
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
