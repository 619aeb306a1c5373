use actix_web::HttpResponse;
use rapidphoto_api_types::{Page, Photo};
use rapidphoto_application::ports::{PhotoListQuery, Scope};
use rapidphoto_domain::photo::PhotoStatus;

use super::sort::Sort;
use crate::{
    call::{Answer, Call, Query, json},
    refusal::Refusal,
    wire,
};

const DEFAULT_SIZE: usize = 50;
const LARGEST_SIZE: usize = 200;

/// A user's photos, page by page.
///
/// The pages hang together by `nextCursor`: photos that come or go meanwhile shift nothing.
#[utoipa::path(
    get,
    path = "/queries/photos",
    tag = "photos",
    params(
        ("status" = Option<rapidphoto_api_types::PhotoStatus>, Query, description = "Only photos with this status."),
        (
            "sort" = Option<String>, Query,
            pattern = "^-?(createdAt|takenAt|bytes)$",
            description = "`createdAt`, `-createdAt` (the default: newest first), `takenAt`, `-takenAt`, `bytes` or \
                           `-bytes`. Photos that don't say when they were taken come last."
        ),
        ("size" = Option<u32>, Query, minimum = 1, maximum = 200, description = "How many at most; 50 by default."),
        ("cursor" = Option<String>, Query, description = "The last page's `nextCursor`; it belongs to one sort.")
    ),
    responses((status = 200, description = "A page.", body = Page<Photo>)),
    security(("bearer" = ["photos:read"]))
)]
pub(crate) async fn list_photos(call: Call) -> Answer {
    let owner = call.authorize(Scope::PhotosRead)?;
    let (wanted, sort) = read(call.query()?)?;
    let use_cases = call.use_cases();
    let (items, next) = call
        .on_main(async move { use_cases.list_photos.handle(owner, &wanted).await })
        .await??;
    let page = Page {
        items: items.into_iter().map(wire::photo).collect(),
        next_cursor: next.map(|position| sort.cursor(&position)),
    };
    json(&mut HttpResponse::Ok(), &page)
}

fn read(mut query: Query) -> Result<(PhotoListQuery, Sort), Refusal> {
    let statuses = PhotoStatus::ALL.map(PhotoStatus::as_str).join(", ");
    let status = query.take_as("status", &format!("one of {statuses}"), PhotoStatus::parse)?;
    let sort = query
        .take_as("sort", &Sort::wanted(), Sort::parse)?
        .unwrap_or_default();
    let size = query.take_as("size", "a number from 1 to 200", |raw| {
        raw.parse().ok().filter(|size| (1..=LARGEST_SIZE).contains(size))
    })?;
    let cursor = query.take("cursor")?;
    query.finish()?;
    let after = cursor.map(|cursor| sort.position(&cursor)).transpose();
    let after = after.map_err(|kind| Refusal::new(kind).at("cursor", kind.code, kind.detail))?;
    let wanted = PhotoListQuery {
        status,
        sort: sort.by,
        direction: sort.direction,
        size: size.unwrap_or(DEFAULT_SIZE),
        after,
    };
    Ok((wanted, sort))
}
