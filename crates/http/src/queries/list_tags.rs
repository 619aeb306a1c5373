use actix_web::HttpResponse;
use rapidphoto_api_types::{Page, TagCount};
use rapidphoto_application::ports::Scope;
use rapidphoto_domain::{UserId, values::TagLabel};

use super::paging;
use crate::{
    call::{Call, HandlerResult, json},
    endpoint::Endpoint,
    problem::kinds,
};

/// Name of the list in its cursors.
const LIST: &str = "tags";

pub(super) fn endpoint() -> Endpoint {
    Endpoint::scoped::<__path_list_tags>(Scope::PhotosRead, list_tags).problems(&[kinds::INVALID_CURSOR])
}

/// Labels of the user's photos, in pages.
///
/// They are in the order of their code points, each with its number of photos.
#[utoipa::path(
    get,
    path = "/queries/tags",
    tag = "photos",
    params(
        ("size" = Option<u32>, Query, minimum = 1, maximum = 200, description = "Maximum number of labels per page; 50 by default."),
        (
            "cursor" = Option<String>, Query, pattern = "^[A-Za-z0-9_-]+$",
            description = "`nextCursor` of the previous page."
        )
    ),
    responses((status = 200, description = "A page.", body = Page<TagCount>))
)]
async fn list_tags(call: Call, owner: UserId) -> HandlerResult {
    let mut query = call.query()?;
    let size = paging::take_size(&mut query)?;
    let after = paging::take_cursor(&mut query, |cursor| {
        let label = paging::decode_of(LIST, cursor)?;
        TagLabel::parse(&label).map_err(|_| kinds::INVALID_CURSOR)
    })?;
    query.finish()?;
    let use_cases = call.use_cases();
    let (tags, next) = call
        .on_main(async move { use_cases.list_tags.handle(owner, after.as_ref(), size).await })
        .await??;
    let items = tags.into_iter().map(|tag| TagCount {
        label: tag.label.into(),
        photos: tag.photos,
    });
    let page = Page {
        items: items.collect(),
        next_cursor: next.map(|label| paging::encode(LIST, label)),
    };
    json(&mut HttpResponse::Ok(), &page)
}
