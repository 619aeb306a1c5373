use actix_web::HttpResponse;
use rapidphoto_api_types::{CheckLimits, CheckPolicy, Limits, Quota};
use rapidphoto_application::{limits::UserLimits, ports::Scope, settings::CheckSettings};
use rapidphoto_domain::{
    UserId,
    photo::{Check, Policy},
};

use crate::{
    call::{Call, HandlerResult, json},
    config::HttpConfig,
    endpoint::Endpoint,
};

pub(super) fn endpoint() -> Endpoint {
    Endpoint::scoped::<__path_limits>(Scope::PhotosRead, limits)
}

/// Limits of the user, the amounts used, the types that can be processed, and the policy of each check.
#[utoipa::path(
    get,
    path = "/queries/limits",
    tag = "photos",
    responses((status = 200, description = "The limits.", body = Limits))
)]
async fn limits(call: Call, owner: UserId) -> HandlerResult {
    let use_cases = call.use_cases();
    let limits = call
        .on_main(async move { use_cases.show_limits.handle(owner).await })
        .await??;
    json(&mut HttpResponse::Ok(), &body(&limits, &call.shared.app.config))
}

fn body(limits: &UserLimits, config: &HttpConfig) -> Limits {
    let UserLimits {
        quotas,
        usage,
        uploads,
        checks,
    } = limits;
    let quota = |used, allowed| Quota {
        used,
        allowed: (allowed > 0).then_some(allowed),
    };
    let is_checked = |check: &Check| match check {
        // No check of this version leads to these findings.
        Check::Blurry | Check::NearDuplicate | Check::Infected | Check::Moderation => false,
        Check::UnsupportedFormat
        | Check::TypeMismatch
        | Check::SizeMismatch
        | Check::TooLarge
        | Check::TooSmallResolution
        | Check::TooManyPixels
        | Check::Corrupt
        | Check::ChecksumMismatch => true,
    };
    let of_check = |check: Check| {
        let limits = CheckLimits {
            policy: policy(checks.policies.policy(check)),
            threshold: threshold(check, checks, uploads.max_file_bytes),
        };
        (check.code().to_owned(), limits)
    };
    Limits {
        open_photos: quota(usage.open_photos, quotas.open_photos),
        stored_bytes: quota(usage.stored_bytes, quotas.stored_bytes),
        photos_per_day: quota(usage.photos_of_day, quotas.photos_per_day),
        jobs_per_minute: config.jobs_per_minute.get(),
        progress_per_second: config.progress_per_second.get(),
        requests_per_second: config.requests_per_second.get(),
        streams: config.streams.get(),
        files_per_job: uploads.max_files as u64,
        file_bytes: uploads.max_file_bytes,
        readable_types: uploads.readable_types.iter().map(ToString::to_string).collect(),
        checks: Check::ALL.into_iter().filter(is_checked).map(of_check).collect(),
    }
}

fn threshold(check: Check, checks: &CheckSettings, max_file_bytes: u64) -> Option<u64> {
    match check {
        Check::TooLarge => Some(max_file_bytes),
        Check::TooManyPixels => Some(checks.max_pixels),
        Check::TooSmallResolution => checks.min_edge.map(u64::from),
        _ => None,
    }
}

const fn policy(policy: Policy) -> CheckPolicy {
    match policy {
        Policy::Off => CheckPolicy::Off,
        Policy::Warn => CheckPolicy::Warn,
        Policy::Reject => CheckPolicy::Reject,
    }
}
