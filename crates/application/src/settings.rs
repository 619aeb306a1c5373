//! Settings of the use cases. The runtime reads them from the configuration and validates them.

use std::time::Duration;

use rapidphoto_domain::{
    photo::CheckPolicies,
    values::{KeySpace, MimeType},
};
use serde::{Deserialize, Serialize};

use crate::ports::Claim;

/// All settings of the use cases.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Location of stored objects.
    pub storage: StorageSettings,
    /// Limits and lifetimes of uploads.
    pub uploads: UploadSettings,
    /// Quotas of each user, and back-pressure.
    pub quotas: QuotaSettings,
    /// Scheduling, retries and retention of background work.
    pub work: WorkSettings,
    /// Validation of photos.
    pub checks: CheckSettings,
    /// Registration, passwords and token lifetimes.
    pub auth: AuthSettings,
}

/// Location of stored objects. There are no defaults.
#[derive(Debug, Clone)]
pub struct StorageSettings {
    /// Name of the bucket.
    pub bucket: String,
    /// Region of the bucket.
    pub region: String,
    /// Key space of the deployment: its prefix in the bucket.
    pub keys: KeySpace,
}

/// Limits and lifetimes of uploads.
#[derive(Debug, Clone, Copy)]
pub struct UploadSettings {
    /// Maximum number of files in one job. Default: 1000.
    pub max_files: usize,
    /// Maximum size of a file in bytes. Default: 100 MiB. Larger files are rejected.
    pub max_file_bytes: u64,
    /// Types that the deployment can decode. Files of other types are not accepted unless the policy of
    /// `unsupported_format` lets them pass. Default: all.
    pub readable_types: &'static [MimeType],
    /// Validity of upload and download URLs. Default: 15 minutes.
    pub url_lifetime: Duration,
    /// Upload window: an upload expires this long after its last activity (creation, renewal, part URLs or progress).
    /// Default: 24 hours.
    pub window: Duration,
    /// Retention of idempotency keys. Default: 24 hours. A later request with the same key creates a new job.
    pub idempotency_lifetime: Duration,
}

/// Margin beyond an upload's window.
const INACTIVITY_MARGIN: Duration = Duration::from_hours(1);

impl UploadSettings {
    /// Time without progress after which an upload is over.
    pub fn inactivity_limit(&self) -> Duration {
        self.window + INACTIVITY_MARGIN
    }
}

/// Bounds on new photos: of each user, and of the deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuotaSettings {
    /// Maximum number of photos of a user that have not ended; 0 for none. Default: 10 000.
    pub open_photos: u64,
    /// Maximum number of bytes of a user's photos; 0 for none. Default: 1 TiB.
    pub stored_bytes: u64,
    /// Maximum number of photos that a user creates on one day in UTC; 0 for none. Default: 50 000.
    pub photos_per_day: u64,
    /// Free space in bytes that new photos must leave; 0 for none. Default: 1 GiB.
    pub min_free_bytes: u64,
    /// Time that the oldest photo may wait for processing before no jobs are accepted; zero for any time. Default: 1 hour.
    pub max_work_age: Duration,
}

/// Scheduling, retries and retention of background work.
#[derive(Debug, Clone, Copy)]
pub struct WorkSettings {
    /// Maximum number of concurrent work items per worker pool. Default: 8.
    pub concurrency: usize,
    /// Validity of a claim that is not renewed. Default: 1 minute. Work of a crashed process is claimed again after
    /// this time.
    pub lease: Duration,
    /// Maximum interval between two polls of the work queue. Default: 5 seconds.
    pub poll: Duration,
    /// Delay of the first look for an object after its upload URL expired. Default: 30 seconds. A PUT that began before
    /// the expiry can finish in this time.
    pub look_grace: Duration,
    /// Number of looks for a reported object before its photo fails as `upload_missing`. Default: 3.
    pub max_looks: u32,
    /// Minimum interval between two of these looks. Default: 5 seconds. Jitter adds up to twice as much.
    pub look_pause: Duration,
    /// Number of failed attempts after which the processing of a photo fails. Default: 3.
    pub max_attempts: u32,
    /// Number of executions of orphaned work after which the processing of a photo fails. Default: 6. Bounds the
    /// attempts of a photo that crashes its worker, which are not counted as failed attempts. Orphaned work is executed
    /// alone; the first claim, beside other work, does not count.
    pub max_claims: u32,
    /// Delay after the first failed attempt. Default: 2 seconds. It doubles with each further one, up to 5 minutes.
    pub retry_pause: Duration,
    /// Retention of the originals of rejected photos. Default: 7 days.
    pub keep_rejected: Duration,
    /// Retention of the originals of failed photos. Default: 30 days.
    pub keep_failed: Duration,
    /// Maximum total size of originals in memory, in bytes. Default: 256 MiB. A larger original is processed alone.
    pub download_budget_bytes: u64,
    /// Time that running work has to finish during shutdown. Default: 20 seconds. Work that takes longer is aborted and
    /// its claim released.
    pub drain: Duration,
}

/// Validation of photos.
#[derive(Debug, Clone)]
pub struct CheckSettings {
    /// Effect of each failed check: none, a warning or rejection. Default: see [`CheckPolicies`].
    pub policies: CheckPolicies,
    /// Maximum number of pixels, width times height. Default: 100 000 000.
    pub max_pixels: u64,
    /// Minimum length of the shorter edge, in pixels. Default: none.
    pub min_edge: Option<u32>,
}

/// Creation of accounts by their owners.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Registration {
    /// Anyone can create an account.
    #[default]
    Open,
    /// Only administrators create accounts.
    Closed,
}

/// Registration, passwords and token lifetimes.
#[derive(Debug, Clone, Copy)]
pub struct AuthSettings {
    /// Creation of accounts by their owners. Default: open.
    pub registration: Registration,
    /// Validity of access tokens. Default: 15 minutes.
    pub access_lifetime: Duration,
    /// Validity of refresh tokens. Default: 30 days.
    pub refresh_lifetime: Duration,
    /// Lifetime of a session, however often its token is refreshed. Default: 180 days.
    pub session_lifetime: Duration,
    /// Maximum number of sessions of a user. Default: 50. A login beyond ends the one that was used least recently.
    pub max_sessions: usize,
    /// Maximum number of stream tickets of a user. Default: 100. One beyond replaces the one that expires first.
    pub max_tickets: usize,
    /// Time after its rotation in which a refresh token still returns the same successor. Default: 30 seconds. Lets a
    /// client whose response was lost repeat the request; later use revokes the login.
    pub refresh_grace: Duration,
    /// Time in which a stream ticket must be used first. Default: 1 minute.
    pub ticket_first_use: Duration,
    /// Time in which a used stream ticket is accepted for reconnects. Default: 24 hours.
    pub ticket_lifetime: Duration,
    /// Minimum length of a password, in characters. Default: 10.
    pub min_password_chars: usize,
    /// Attempts that are allowed in one minute.
    pub budgets: LoginBudgets,
}

/// Numbers of attempts that are allowed in one minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoginBudgets {
    /// Failed logins for one account from one network. Default: 5. Four times as many are allowed from all networks
    /// together from which nobody has logged in to the account before.
    pub failed_logins: usize,
    /// Logins from one network, successful or not. Default: 60.
    pub logins: usize,
    /// Registrations from one network, successful or not. Default: 10.
    pub registrations: usize,
}

impl Default for UploadSettings {
    fn default() -> Self {
        Self {
            max_files: 1000,
            readable_types: &MimeType::ALL,
            max_file_bytes: 100 * 1024 * 1024,
            url_lifetime: Duration::from_mins(15),
            window: Duration::from_hours(24),
            idempotency_lifetime: Duration::from_hours(24),
        }
    }
}

impl WorkSettings {
    /// Returns true if the work has been executed alone [`max_claims`](Self::max_claims) times and never released.
    pub(crate) const fn claims_exhausted(&self, claim: &Claim) -> bool {
        claim.claims > self.max_claims.saturating_add(1)
    }
}

impl Default for QuotaSettings {
    fn default() -> Self {
        Self {
            open_photos: 10_000,
            stored_bytes: 1 << 40,
            photos_per_day: 50_000,
            min_free_bytes: 1 << 30,
            max_work_age: Duration::from_hours(1),
        }
    }
}

impl Default for WorkSettings {
    fn default() -> Self {
        Self {
            concurrency: 8,
            lease: Duration::from_mins(1),
            poll: Duration::from_secs(5),
            look_grace: Duration::from_secs(30),
            max_looks: 3,
            look_pause: Duration::from_secs(5),
            max_attempts: 3,
            max_claims: 6,
            retry_pause: Duration::from_secs(2),
            keep_rejected: Duration::from_hours(7 * 24),
            keep_failed: Duration::from_hours(30 * 24),
            download_budget_bytes: 256 * 1024 * 1024,
            drain: Duration::from_secs(20),
        }
    }
}

impl Default for CheckSettings {
    fn default() -> Self {
        Self {
            policies: CheckPolicies::default(),
            max_pixels: 100_000_000,
            min_edge: None,
        }
    }
}

impl Default for AuthSettings {
    fn default() -> Self {
        Self {
            registration: Registration::Open,
            access_lifetime: Duration::from_mins(15),
            refresh_lifetime: Duration::from_hours(30 * 24),
            session_lifetime: Duration::from_hours(180 * 24),
            max_sessions: 50,
            max_tickets: 100,
            refresh_grace: Duration::from_secs(30),
            ticket_first_use: Duration::from_mins(1),
            ticket_lifetime: Duration::from_hours(24),
            min_password_chars: 10,
            budgets: LoginBudgets::default(),
        }
    }
}

impl Default for LoginBudgets {
    fn default() -> Self {
        Self {
            failed_logins: 5,
            logins: 60,
            registrations: 10,
        }
    }
}
