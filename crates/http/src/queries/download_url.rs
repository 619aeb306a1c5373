use actix_web::HttpResponse;
use rapidphoto_api_types as api;
use rapidphoto_application::{
    photos::{DownloadUrl, DownloadUrlError, Variant},
    ports::Scope,
};
use rapidphoto_domain::values::ThumbnailEdge;

use crate::{
    call::{Answer, Call, json},
    refusal::{Refusal, kinds},
};

/// Where to fetch a photo: a URL that works for a while and offers the file under its own name.
#[utoipa::path(
    get,
    path = "/queries/photos/{photoId}/download-url",
    tag = "photos",
    params(
        ("photoId" = String, Path, description = "The photo."),
        ("variant" = Option<String>, Query, pattern = "^(original|256|1024)$", description = "`original` (the default), `256` or `1024`.")
    ),
    responses((status = 200, description = "The URL.", body = api::DownloadUrl)),
    security(("bearer" = ["photos:read"]))
)]
pub(crate) async fn download_url(call: Call) -> Answer {
    let owner = call.authorize(Scope::PhotosRead)?;
    let photo = call.photo()?;
    let mut query = call.query()?;
    let variant = query.take_as("variant", "one of `original`, `256` and `1024`", variant)?;
    let strip = query.take_as("stripMetadata", "`true` or `false`", |raw| {
        raw.parse::<bool>().ok()
    })?;
    query.finish()?;
    if strip == Some(true) {
        let kind = kinds::METADATA_STRIPPING_UNAVAILABLE;
        return Err(Refusal::new(kind).at("stripMetadata", kind.code, kind.detail));
    }
    let wanted = DownloadUrl {
        owner,
        photo,
        variant: variant.unwrap_or_default(),
    };
    let use_cases = call.use_cases();
    let signed = call
        .on_main(async move { use_cases.download_url.handle(wanted).await })
        .await?;
    let signed = signed.map_err(refusal)?;
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

fn refusal(error: DownloadUrlError) -> Refusal {
    match error {
        DownloadUrlError::NoSuchPhoto => Refusal::new(kinds::NO_SUCH_PHOTO),
        DownloadUrlError::NotCompleted { status } => Refusal::new(kinds::PHOTO_NOT_COMPLETED).saying(
            format!("The photo is {status}; only completed photos can be fetched."),
        ),
        DownloadUrlError::Unavailable(unavailable) => unavailable.into(),
        other => Refusal::internal(other),
    }
}
