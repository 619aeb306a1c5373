use std::{io::Write as _, sync::Arc};

use rapidphoto_storage_s3::{BucketSettings, NotificationTarget};

use crate::{Config, SystemClock, wiring};

/// Age in days at which incomplete multipart uploads are removed: longer than any upload window takes.
const ABORT_UPLOADS_AFTER_DAYS: i32 = 7;

/// Options of the preparation of a bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InitStorage {
    /// Only print what would change.
    pub dry_run: bool,
    /// Receiver of notifications: the ARN of a queue or topic, or `eventbridge`.
    pub notify: Option<String>,
    /// Age in days at which originals move to infrequent access.
    pub infrequent_access_after_days: Option<i32>,
}

/// Creates the bucket if it is missing, with CORS for `server.allowed_origins`, lifecycle rules and notifications, and prints
/// each step. A second run changes nothing.
pub async fn init_storage(config: &Config, options: InitStorage) -> anyhow::Result<()> {
    rapidphoto_listener::install_crypto_provider();
    let settings = BucketSettings {
        allowed_origins: config.server.allowed_origins.clone(),
        prefix: format!("{}/", config.storage.environment),
        abort_uploads_after_days: ABORT_UPLOADS_AFTER_DAYS,
        infrequent_access_after_days: options.infrequent_access_after_days,
        notifications: options.notify.map(target).transpose()?,
    };
    let store = wiring::s3(config)?;
    let clock = Arc::new(SystemClock);
    let steps = rapidphoto_storage_s3::init_storage(&store, &settings, clock, options.dry_run).await?;
    for step in steps {
        writeln!(std::io::stdout(), "{step}")?;
    }
    Ok(())
}

/// ARNs are `arn:partition:service:region:account:name`. RustFS and MinIO call all of their targets `sqs`.
fn target(text: String) -> anyhow::Result<NotificationTarget> {
    if text.eq_ignore_ascii_case("eventbridge") {
        return Ok(NotificationTarget::EventBridge);
    }
    match text.split(':').collect::<Vec<_>>().as_slice() {
        ["arn", _, "sqs", ..] => Ok(NotificationTarget::Queue(text)),
        ["arn", _, "sns", ..] => Ok(NotificationTarget::Topic(text)),
        _ => anyhow::bail!(
            "--notify {text}: must be the ARN of an SQS queue or an SNS topic, or `eventbridge`"
        ),
    }
}
