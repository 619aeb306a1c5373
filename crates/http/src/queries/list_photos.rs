use actix_web::HttpResponse;
use rapidphoto_api_types::{Page, Photo};
use rapidphoto_application::ports::{PhotoListQuery, Scope};
use rapidphoto_domain::{UserId, photo::PhotoStatus, values::TagLabel};

use super::sort::Sort;
use crate::{
    call::{Call, HandlerResult, Query, json},
    endpoint::Endpoint,
    problem::{Problem, kinds},
    wire,
};

/// Photos per page, if the client does not say.
const DEFAULT_SIZE: usize = 50;
/// Maximum number of photos per page.
const MAX_SIZE: usize = 200;

pub(super) fn endpoint() -> Endpoint {
    Endpoint::scoped::<__path_list_photos>(Scope::PhotosRead, list_photos)
        .problems(&[kinds::INVALID_CURSOR, kinds::CURSOR_OF_ANOTHER_SORT])
}

/// Photos of the user, in pages.
///
/// `nextCursor` leads to the next page. Photos created or deleted in the meantime do not shift the pages.
#[utoipa::path(
    get,
    path = "/queries/photos",
    tag = "photos",
    params(
        ("status" = Option<rapidphoto_api_types::PhotoStatus>, Query, description = "Only photos with this status."),
        ("tag" = Option<String>, Query, description = "Only photos with this tag."),
        (
            "sort" = Option<String>, Query,
            pattern = "^-?(createdAt|takenAt|bytes)$",
            description = "`createdAt`, `-createdAt` (the default: newest first), `takenAt`, `-takenAt`, `bytes` or \
                           `-bytes`. Photos without a time of capture are last."
        ),
        ("size" = Option<u32>, Query, minimum = 1, maximum = 200, description = "Maximum number of photos per page; 50 by default."),
        ("cursor" = Option<String>, Query, description = "`nextCursor` of the previous page, for the same sort only.")
    ),
    responses((status = 200, description = "A page.", body = Page<Photo>))
)]
async fn list_photos(call: Call, owner: UserId) -> HandlerResult {
    let (list, sort) = parse(call.query()?)?;
    let use_cases = call.use_cases();
    let (items, next) = call
        .on_main(async move { use_cases.list_photos.handle(owner, &list).await })
        .await??;
    let page = Page {
        items: items.into_iter().map(wire::photo).collect(),
        next_cursor: next.map(|position| sort.cursor(&position)),
    };
    json(&mut HttpResponse::Ok(), &page)
}

fn parse(mut query: Query) -> Result<(PhotoListQuery, Sort), Problem> {
    let statuses = PhotoStatus::ALL.map(PhotoStatus::as_str).join(", ");
    let status = query.take_as("status", &format!("one of {statuses}"), PhotoStatus::parse)?;
    let tag = query.take_as("tag", "a label of 1 to 64 characters", |raw| {
        TagLabel::parse(raw).ok()
    })?;
    let sort = query
        .take_as("sort", &Sort::allowed(), Sort::parse)?
        .unwrap_or_default();
    let size = query.take_as("size", "a number from 1 to 200", |raw| {
        raw.parse().ok().filter(|size| (1..=MAX_SIZE).contains(size))
    })?;
    let cursor = query.take("cursor")?;
    query.finish()?;
    let after = cursor.map(|cursor| sort.position(&cursor)).transpose();
    let after = after.map_err(|kind| Problem::at(kind, "cursor"))?;
    let list = PhotoListQuery {
        status,
        tag,
        sort: sort.by,
        direction: sort.direction,
        size: size.unwrap_or(DEFAULT_SIZE),
        after,
    };
    Ok((list, sort))
}
