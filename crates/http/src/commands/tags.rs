//! Tags of a photo: one endpoint to add them, one to remove them.

use std::collections::BTreeSet;

use actix_web::HttpResponse;
use rapidphoto_api_types::{AddTagsRequest, PhotoTags};
use rapidphoto_application::{
    photos::{TagChange, TagPhoto, TagPhotoError},
    ports::Scope,
};
use rapidphoto_domain::{PhotoId, UserId, values::TagLabel};

use crate::{
    call::{Call, HandlerResult, json},
    endpoint::Endpoint,
    problem::{
        Problem,
        kinds::{self, Kind},
    },
};

/// Maximum number of labels in a request.
const MAX_LABELS: usize = 20;

const TOO_MANY_TAGS: &Kind = &Kind {
    status: 422,
    code: "too_many_tags",
    detail: "The photo would have more than 100 tags. Remove some first.",
};

pub(super) fn add_endpoint() -> Endpoint {
    Endpoint::scoped::<__path_add_tags>(Scope::PhotosWrite, add_tags).problems(&[
        kinds::NO_SUCH_PHOTO,
        TOO_MANY_TAGS,
        kinds::CONTENDED,
    ])
}

pub(super) fn remove_endpoint() -> Endpoint {
    Endpoint::scoped::<__path_remove_tag>(Scope::PhotosWrite, remove_tag).problems(&[
        kinds::NO_SUCH_PHOTO,
        kinds::INVALID_PARAMETER,
        kinds::CONTENDED,
    ])
}

/// Adds tags to a photo, which can have 100. Labels that it already has are ignored, so that the request is safe to
/// repeat.
#[utoipa::path(
    post,
    path = "/commands/photos/{photoId}/tags",
    tag = "photos",
    params(("photoId" = String, Path, description = "Id of the photo.")),
    request_body = AddTagsRequest,
    responses((status = 200, description = "All tags of the photo after the command.", body = PhotoTags))
)]
async fn add_tags(mut call: Call, owner: UserId) -> HandlerResult {
    let photo = call.photo()?;
    let request: AddTagsRequest = call.json().await?;
    let change = TagChange::Add(labels(&request.labels)?);
    change_tags(&call, owner, photo, change).await
}

/// Removes a tag from a photo. Safe to repeat: a label that the photo does not have is ignored.
#[utoipa::path(
    delete,
    path = "/commands/photos/{photoId}/tags/{label}",
    tag = "photos",
    params(
        ("photoId" = String, Path, description = "Id of the photo."),
        ("label" = String, Path, description = "Label of the tag, percent-encoded: `a%2Fb` for `a/b`.")
    ),
    responses((status = 200, description = "All tags of the photo after the command.", body = PhotoTags))
)]
async fn remove_tag(call: Call, owner: UserId) -> HandlerResult {
    let photo = call.photo()?;
    let label = TagLabel::parse(&call.path_text("label")).map_err(|error| {
        Problem::new(kinds::INVALID_PARAMETER).error_at("label", "invalid_value", error.to_string())
    })?;
    change_tags(&call, owner, photo, TagChange::Remove(label)).await
}

/// The labels of a request. All invalid labels are reported, each with its place.
fn labels(raw: &[String]) -> Result<BTreeSet<TagLabel>, Problem> {
    if !(1..=MAX_LABELS).contains(&raw.len()) {
        let message = format!("{} labels were sent; 1 to {MAX_LABELS} are allowed", raw.len());
        return Err(Problem::new(kinds::INVALID_BODY).error_at("/labels", "invalid_value", message));
    }
    let mut labels = BTreeSet::new();
    let mut errors = Vec::new();
    for (index, label) in raw.iter().enumerate() {
        match TagLabel::parse(label) {
            Ok(label) => {
                labels.insert(label);
            }
            Err(error) => errors.push((format!("/labels/{index}"), error.to_string())),
        }
    }
    if errors.is_empty() {
        return Ok(labels);
    }
    let problem = Problem::new(kinds::INVALID_BODY);
    Err(errors.into_iter().fold(problem, |problem, (pointer, message)| {
        problem.error_at(pointer, "invalid_value", message)
    }))
}

async fn change_tags(call: &Call, owner: UserId, photo: PhotoId, change: TagChange) -> HandlerResult {
    let command = TagPhoto {
        owner,
        photo,
        change,
        metadata: call.metadata(Some(owner)),
    };
    let use_cases = call.use_cases();
    let photo = call
        .on_main(async move { use_cases.tag_photo.handle(command).await })
        .await?;
    let photo = photo.map_err(problem)?;
    let body = PhotoTags {
        photo_id: photo.id.to_string(),
        tags: photo.tags.iter().map(ToString::to_string).collect(),
    };
    json(&mut HttpResponse::Ok(), &body)
}

fn problem(error: TagPhotoError) -> Problem {
    match error {
        TagPhotoError::NoSuchPhoto => Problem::new(kinds::NO_SUCH_PHOTO),
        TagPhotoError::TooManyTags(too_many) => Problem::new(TOO_MANY_TAGS)
            .detail(format!(
                "The photo has {} tags and the request adds {}, but only {} are allowed. Remove some first.",
                too_many.used, too_many.added, too_many.allowed
            ))
            .error_at("/labels", TOO_MANY_TAGS.code, too_many.to_string()),
        TagPhotoError::Contended(contended) => contended.into(),
        TagPhotoError::Unavailable(unavailable) => unavailable.into(),
        other => Problem::internal(other),
    }
}
