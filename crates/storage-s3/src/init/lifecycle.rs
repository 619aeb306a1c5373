use aws_sdk_s3::{
    error::BuildError,
    types::{
        AbortIncompleteMultipartUpload, BucketLifecycleConfiguration, ExpirationStatus, LifecycleRule,
        LifecycleRuleAndOperator, LifecycleRuleFilter, Transition, TransitionStorageClass,
    },
};

use super::bucket::{
    Bucket, BucketSettings, BucketStep, Found, InitError, add_md5, failed, found, unsupported, up_to_date,
};

const PART: &str = "lifecycle";
const ABORT_ID: &str = "rapidphoto-abort-uploads";
const TRANSITION_ID: &str = "rapidphoto-infrequent-access";

/// Size in bytes from which objects are originals: thumbnails have at most 1,024 pixels a side.
const ORIGINAL_SIZE: i64 = 512 * 1024;

/// Removes incomplete uploads, and moves originals to infrequent access.
pub(super) async fn step(bucket: &Bucket, settings: &BucketSettings) -> Result<BucketStep, InitError> {
    let request = bucket
        .client
        .get_bucket_lifecycle_configuration()
        .bucket(&bucket.name);
    let (present, minimum_size) = match found(PART, request.send().await)? {
        Found::Some(lifecycle) => (
            lifecycle.rules.unwrap_or_default(),
            lifecycle.transition_default_minimum_object_size,
        ),
        Found::None => (Vec::new(), None),
        Found::Unsupported => return Ok(unsupported(PART, description(settings))),
    };
    let wanted = rules(settings).map_err(|error| failed(PART, error))?;
    let (ours, others): (Vec<_>, Vec<_>) = present
        .into_iter()
        .partition(|rule| matches!(rule.id(), Some(ABORT_ID | TRANSITION_ID)));
    if ours.len() == wanted.len()
        && wanted
            .iter()
            .all(|rule| ours.iter().any(|other| is_same(rule, other)))
    {
        return Ok(up_to_date(PART));
    }
    let configuration = BucketLifecycleConfiguration::builder()
        .set_rules(Some(others.into_iter().chain(wanted).collect()))
        .build()
        .map_err(|error| failed(PART, error))?;
    let request = bucket
        .client
        .put_bucket_lifecycle_configuration()
        .bucket(&bucket.name)
        .set_transition_default_minimum_object_size(minimum_size)
        .lifecycle_configuration(configuration)
        .customize()
        .mutate_request(add_md5);
    bucket.apply(PART, description(settings), request.send()).await
}

/// Compares what the rules do: stores differ in the place of the prefix.
fn is_same(one: &LifecycleRule, other: &LifecycleRule) -> bool {
    let days = |rule: &LifecycleRule| {
        (
            rule.abort_incomplete_multipart_upload()
                .and_then(AbortIncompleteMultipartUpload::days_after_initiation),
            rule.transitions()
                .iter()
                .map(|transition| (transition.days(), transition.storage_class().cloned()))
                .collect::<Vec<_>>(),
        )
    };
    one.id() == other.id()
        && one.status() == other.status()
        && prefix(one) == prefix(other)
        && days(one) == days(other)
}

fn prefix(rule: &LifecycleRule) -> Option<&str> {
    let filter = rule.filter();
    filter
        .and_then(LifecycleRuleFilter::prefix)
        .or_else(|| filter?.and()?.prefix())
        .or_else(|| {
            #[expect(deprecated, reason = "older stores answer with it")]
            rule.prefix()
        })
}

fn description(settings: &BucketSettings) -> String {
    let prefix = &settings.prefix;
    let abort = format!(
        "remove incomplete multipart uploads to {prefix} after {} days",
        settings.abort_uploads_after_days
    );
    match settings.infrequent_access_after_days {
        None => abort,
        Some(days) => {
            format!("{abort}, move objects of 512 KiB and more in {prefix} to STANDARD_IA after {days} days")
        }
    }
}

fn rules(settings: &BucketSettings) -> Result<Vec<LifecycleRule>, BuildError> {
    let abort = AbortIncompleteMultipartUpload::builder()
        .days_after_initiation(settings.abort_uploads_after_days)
        .build();
    let abort = LifecycleRule::builder()
        .id(ABORT_ID)
        .status(ExpirationStatus::Enabled)
        .filter(LifecycleRuleFilter::builder().prefix(&settings.prefix).build())
        .abort_incomplete_multipart_upload(abort)
        .build()?;
    let Some(days) = settings.infrequent_access_after_days else {
        return Ok(vec![abort]);
    };
    let originals = LifecycleRuleAndOperator::builder()
        .prefix(&settings.prefix)
        .object_size_greater_than(ORIGINAL_SIZE - 1)
        .build();
    let transition = Transition::builder()
        .days(days)
        .storage_class(TransitionStorageClass::StandardIa)
        .build();
    let transition = LifecycleRule::builder()
        .id(TRANSITION_ID)
        .status(ExpirationStatus::Enabled)
        .filter(LifecycleRuleFilter::builder().and(originals).build())
        .transitions(transition)
        .build()?;
    Ok(vec![abort, transition])
}
