//! Settings of the bucket: created and changed so that clients can upload and the application gets notifications.

mod bucket;
mod cors;
mod lifecycle;
mod notifications;

use std::sync::Arc;

use rapidphoto_application::ports::Clock;

use self::bucket::Bucket;
pub use self::bucket::{BucketSettings, BucketState, BucketStep, InitError, NotificationTarget};
use crate::{client, config::S3Config, credentials::CurrentCredentials};

/// Creates the bucket if it is missing and changes its settings where they differ, or with `dry_run` only tells what
/// would change. Rules and notifications of others are kept. A second run changes nothing.
///
/// # Errors
/// [`InitError`]; the steps before the failed one are done. A setting that the store does not know is no error.
pub async fn init_storage(
    config: &S3Config,
    settings: &BucketSettings,
    clock: Arc<dyn Clock>,
    dry_run: bool,
) -> Result<Vec<BucketStep>, InitError> {
    config.check()?;
    settings.check()?;
    let credentials = Arc::new(CurrentCredentials::new(config.credentials.clone(), clock));
    let bucket = Bucket {
        client: client::build(config, credentials)?,
        name: config.bucket.clone(),
        region: config.region.clone(),
        is_aws: config.endpoint.is_none(),
        dry_run,
    };
    let mut steps = vec![bucket.create().await?];
    if !matches!(
        steps.as_slice(),
        [BucketStep {
            state: BucketState::Differs(_),
            ..
        }]
    ) {
        steps.push(bucket.block_public_access().await?);
        steps.push(cors::step(&bucket, settings).await?);
        steps.push(lifecycle::step(&bucket, settings).await?);
        steps.push(notifications::step(&bucket, settings).await?);
    }
    Ok(steps)
}
