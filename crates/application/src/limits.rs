//! Limits of users.

use std::sync::Arc;

use rapidphoto_domain::UserId;

use crate::{
    ports::{Clock, Ports, Unavailable, Usage, UsageReads},
    settings::{CheckSettings, QuotaSettings, Settings, UploadSettings},
};

/// Limits of a user, and the amounts used.
#[derive(Debug, Clone)]
pub struct UserLimits {
    /// Quotas.
    pub quotas: QuotaSettings,
    /// Amounts that count against the quotas.
    pub usage: Usage,
    /// Limits of uploads.
    pub uploads: UploadSettings,
    /// Checks of photos.
    pub checks: CheckSettings,
}

/// Shows users their limits.
pub struct ShowLimitsHandler {
    usage: Arc<dyn UsageReads>,
    clock: Arc<dyn Clock>,
    settings: Arc<Settings>,
}

impl ShowLimitsHandler {
    /// A handler on these ports.
    pub fn new(ports: &Ports, settings: Arc<Settings>) -> Self {
        Self {
            usage: Arc::clone(&ports.database.usage),
            clock: Arc::clone(&ports.clock),
            settings,
        }
    }

    /// Returns the limits of a user.
    pub async fn handle(&self, owner: UserId) -> Result<UserLimits, Unavailable> {
        Ok(UserLimits {
            quotas: self.settings.quotas,
            usage: self.usage.usage(owner, self.clock.now()).await?,
            uploads: self.settings.uploads,
            checks: self.settings.checks.clone(),
        })
    }
}
