use actix_web::HttpResponse;
use rapidphoto_api_types as api;
use rapidphoto_application::{
    photos::{DownloadUrl, DownloadUrlError, Variant},
    ports::Scope,
};
use rapidphoto_domain::{UserId, values::ThumbnailEdge};

use crate::{
    call::{Call, HandlerResult, json},
    endpoint::Endpoint,
    problem::{Problem, kinds},
};

pub(super) fn endpoint() -> Endpoint {
    Endpoint::scoped::<__path_download_url>(Scope::PhotosRead, download_url).problems(&[
        kinds::NO_SUCH_PHOTO,
        kinds::PHOTO_NOT_COMPLETED,
        kinds::METADATA_STRIPPING_UNAVAILABLE,
    ])
}

/// Presigned URL to download a photo for a limited time under its original filename.
#[utoipa::path(
    get,
    path = "/queries/photos/{photoId}/download-url",
    tag = "photos",
    params(
        ("photoId" = String, Path, description = "Id of the photo."),
        ("variant" = Option<String>, Query, pattern = "^(original|256|1024)$", description = "`original` (the default), `256` or `1024`.")
    ),
    responses((status = 200, description = "The URL.", body = api::DownloadUrl))
)]
async fn download_url(call: Call, owner: UserId) -> HandlerResult {
    let photo = call.photo()?;
    let mut query = call.query()?;
    let variant = query.take_as("variant", "one of `original`, `256` and `1024`", variant)?;
    let strip = query.take_as("stripMetadata", "`true` or `false`", |raw| {
        raw.parse::<bool>().ok()
    })?;
    query.finish()?;
    if strip == Some(true) {
        return Err(Problem::at(
            kinds::METADATA_STRIPPING_UNAVAILABLE,
            "stripMetadata",
        ));
    }
    let request = DownloadUrl {
        owner,
        photo,
        variant: variant.unwrap_or_default(),
    };
    let use_cases = call.use_cases();
    let signed = call
        .on_main(async move { use_cases.download_url.handle(request).await })
        .await?;
    let signed = signed.map_err(problem)?;
    let body = api::DownloadUrl {
        url: signed.url,
        expires_at: signed.expires_at,
    };
    json(&mut HttpResponse::Ok(), &body)
}

fn variant(raw: &str) -> Option<Variant> {
    if raw == "original" {
        return Some(Variant::Original);
    }
    ThumbnailEdge::ALL
        .into_iter()
        .find(|edge| edge.pixels().to_string() == raw)
        .map(Variant::Thumbnail)
}

fn problem(error: DownloadUrlError) -> Problem {
    match error {
        DownloadUrlError::NoSuchPhoto => Problem::new(kinds::NO_SUCH_PHOTO),
        DownloadUrlError::NotCompleted { status } => Problem::new(kinds::PHOTO_NOT_COMPLETED).detail(
            format!("The photo is {status}. Only completed photos can be downloaded."),
        ),
        DownloadUrlError::Unavailable(unavailable) => unavailable.into(),
        other => Problem::internal(other),
    }
}
