use actix_web::HttpResponse;
use rapidphoto_api_types::{StoredPart, UploadedParts};
use rapidphoto_application::ports::Scope;
use rapidphoto_domain::UserId;

use crate::{
    call::{Call, HandlerResult, json},
    endpoint::Endpoint,
    problem::kinds,
};

pub(super) fn endpoint() -> Endpoint {
    Endpoint::scoped::<__path_uploaded_parts>(Scope::PhotosRead, uploaded_parts).problems(&[
        kinds::NO_SUCH_PHOTO,
        kinds::NOT_MULTIPART,
        kinds::UPLOAD_ENDED,
    ])
}

/// Parts of a file that are in storage. A client that was interrupted sends only the others.
#[utoipa::path(
    get,
    path = "/queries/upload/{photoId}/parts",
    tag = "uploads",
    params(("photoId" = String, Path, description = "Id of the photo.")),
    responses((status = 200, description = "The parts, ascending by number.", body = UploadedParts))
)]
async fn uploaded_parts(call: Call, owner: UserId) -> HandlerResult {
    let photo = call.photo()?;
    let use_cases = call.use_cases();
    let uploaded = call
        .on_main(async move { use_cases.uploaded_parts.handle(owner, photo).await })
        .await??;
    let parts = uploaded.parts.iter().map(|part| StoredPart {
        part_number: part.number.get().into(),
        e_tag: part.e_tag.as_str().to_owned(),
        bytes: part.bytes,
    });
    let body = UploadedParts {
        part_size: uploaded.layout.part_size().get(),
        parts: parts.collect(),
    };
    json(&mut HttpResponse::Ok(), &body)
}
