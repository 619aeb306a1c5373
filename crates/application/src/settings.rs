//! What a deployment decides about the use cases. The runtime reads it from configuration and validates it.

use std::time::Duration;

use rapidphoto_domain::{photo::CheckPolicies, values::KeySpace};

/// Everything a deployment decides.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where objects go.
    pub storage: StorageSettings,
    /// What uploads are accepted, and for how long.
    pub uploads: UploadSettings,
    /// How work is done.
    pub work: WorkSettings,
    /// How photos are judged.
    pub checks: CheckSettings,
    /// How users prove who they are.
    pub auth: AuthSettings,
}

/// Where objects go.
#[derive(Debug, Clone)]
pub struct StorageSettings {
    /// The bucket's name.
    pub bucket: String,
    /// The bucket's region.
    pub region: String,
    /// The deployment's part of the bucket.
    pub keys: KeySpace,
}

/// What uploads are accepted, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct UploadSettings {
    /// The most files in one job.
    pub max_files: usize,
    /// The most bytes in one file.
    pub max_file_bytes: u64,
    /// How long an upload or download URL works.
    pub url_lifetime: Duration,
    /// How long an upload may take, from its last sign of life.
    pub window: Duration,
    /// How long an idempotency key is kept.
    pub idempotency_lifetime: Duration,
}

/// How work is done.
#[derive(Debug, Clone, Copy)]
pub struct WorkSettings {
    /// How many photos are worked on at once.
    pub concurrency: usize,
    /// How long a claim holds without being renewed.
    pub lease: Duration,
    /// The longest pause between two looks at the record.
    pub poll: Duration,
    /// How long after a URL's end storage is asked whether the object came, for a PUT that began in time.
    pub look_grace: Duration,
    /// How often a reported object is looked for before it is called missing.
    pub max_looks: u32,
    /// The least pause between two such looks; jitter adds up to twice as much.
    pub look_pause: Duration,
    /// How many errors end the processing of a photo.
    pub max_attempts: u32,
    /// How many claims end it: a photo that kills its worker.
    pub max_claims: u32,
    /// The pause after a first error; it doubles with each.
    pub retry_pause: Duration,
    /// How long the original of a rejected photo is kept.
    pub keep_rejected: Duration,
    /// How long the original of a failed photo is kept.
    pub keep_failed: Duration,
    /// How many bytes of originals are held in memory at once; a larger one is worked on alone.
    pub download_budget_bytes: u64,
    /// How long work under way may still take when the process is told to stop; what takes longer is handed back.
    pub drain: Duration,
}

/// How photos are judged.
#[derive(Debug, Clone)]
pub struct CheckSettings {
    /// What each check's no comes to.
    pub policies: CheckPolicies,
    /// The most pixels in a photo.
    pub max_pixels: u64,
    /// The least length of a photo's shorter edge, in pixels.
    pub min_edge: Option<u32>,
}

/// How users prove who they are.
#[derive(Debug, Clone, Copy)]
pub struct AuthSettings {
    /// Whether anybody may register.
    pub registration_open: bool,
    /// How long an access token holds.
    pub access_lifetime: Duration,
    /// How long a refresh token holds.
    pub refresh_lifetime: Duration,
    /// How long after its rotation a refresh token still gets the same successor.
    pub refresh_grace: Duration,
    /// Until when a stream ticket must be used for the first time.
    pub ticket_first_use: Duration,
    /// How long a used stream ticket serves reconnects.
    pub ticket_lifetime: Duration,
    /// The least length of a password, in characters.
    pub min_password_chars: usize,
}

impl Default for UploadSettings {
    fn default() -> Self {
        Self {
            max_files: 1000,
            max_file_bytes: 100 * 1024 * 1024,
            url_lifetime: Duration::from_mins(15),
            window: Duration::from_hours(24),
            idempotency_lifetime: Duration::from_hours(24),
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
            registration_open: true,
            access_lifetime: Duration::from_mins(15),
            refresh_lifetime: Duration::from_hours(30 * 24),
            refresh_grace: Duration::from_secs(30),
            ticket_first_use: Duration::from_mins(1),
            ticket_lifetime: Duration::from_hours(24),
            min_password_chars: 10,
        }
    }
}
