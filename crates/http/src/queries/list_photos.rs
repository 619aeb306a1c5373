use actix_web::HttpResponse;
use chrono::{NaiveDate, NaiveDateTime, TimeDelta};
use rapidphoto_api_types::{Page, Photo};
use rapidphoto_application::ports::{PhotoListQuery, Scope, TakenRange};
use rapidphoto_domain::{
    UserId,
    photo::PhotoStatus,
    values::{SearchWord, TagLabel},
};

use super::{paging, sort::Sort};
use crate::{
    call::{Call, HandlerResult, Query, json},
    endpoint::Endpoint,
    problem::{Problem, kinds},
    wire,
};

/// Maximum product of `page` and `size`: pages that are found by their number read all photos before them.
const MAX_DEPTH: usize = 10_000;
/// Maximum length of `q` in characters.
const MAX_SEARCH: usize = 100;

pub(super) fn endpoint() -> Endpoint {
    Endpoint::scoped::<__path_list_photos>(Scope::PhotosRead, list_photos)
        .problems(&[kinds::INVALID_CURSOR, kinds::CURSOR_OF_ANOTHER_SORT])
}

/// Photos of the user, in pages.
///
/// `nextCursor` leads to the next page. Photos created or deleted in the meantime do not shift the pages, unless they are asked
/// for by their number with `page`.
///
/// `q` finds photos of whose filename, tags or camera each given word is the beginning of a word, in any order. Upper and lower
/// case and the accents of Latin, Greek and Cyrillic letters make no difference; all characters but letters and digits
/// separate words. Filters restrict each other.
#[utoipa::path(
    get,
    path = "/queries/photos",
    tag = "photos",
    params(
        ("status" = Option<rapidphoto_api_types::PhotoStatus>, Query, description = "Only photos with this status."),
        (
            "tag" = Option<String>, Query, min_length = 1, max_length = 64,
            description = "Only photos with this tag, as in a request that adds it."
        ),
        (
            "q" = Option<String>, Query, min_length = 1, max_length = 100,
            description = "Only photos with words that begin with these. Without a letter or digit it has no effect."
        ),
        (
            "takenFrom" = Option<String>, Query, pattern = "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])(T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9])?$",
            description = "Only photos taken at this time or later, by the camera's clock: `2026-07-14` or `2026-07-14T18:03:11`. \
                           Photos without a time of capture are left out."
        ),
        (
            "takenTo" = Option<String>, Query, pattern = "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])(T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9])?$",
            description = "Only photos taken on this day or in this second, or earlier."
        ),
        (
            "sort" = Option<String>, Query,
            pattern = "^-?(createdAt|takenAt|bytes)$",
            description = "`createdAt`, `-createdAt` (the default: newest first), `takenAt`, `-takenAt`, `bytes` or \
                           `-bytes`. Photos without a time of capture are last."
        ),
        ("size" = Option<u32>, Query, minimum = 1, maximum = 200, description = "Maximum number of photos per page; 50 by default."),
        (
            "cursor" = Option<String>, Query, pattern = "^[A-Za-z0-9_-]+$",
            description = "`nextCursor` of the previous page, for the same sort and filters only."
        ),
        (
            "page" = Option<u32>, Query, minimum = 1, maximum = 10000,
            description = "Number of the page, instead of `cursor`. `page` × `size` may be 10 000 at most; `nextCursor` leads further."
        )
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
    let words = query.take_as("q", "1 to 100 characters", |raw| {
        (1..=MAX_SEARCH)
            .contains(&raw.chars().count())
            .then(|| SearchWord::all_of(raw))
    })?;
    let allowed_time = "a day such as `2026-07-14` or a time such as `2026-07-14T18:03:11`";
    let from = query.take_as("takenFrom", allowed_time, |raw| moment(raw).map(|(from, _)| from))?;
    let before = query.take_as("takenTo", allowed_time, |raw| {
        moment(raw).map(|(_, before)| before)
    })?;
    let size = paging::take_size(&mut query)?;
    let allowed_page = format!("a number from 1 to {}, without `cursor`", MAX_DEPTH / size);
    let has_cursor = query.peek("cursor").is_some();
    let page = query.take_as("page", &allowed_page, |raw| {
        let page: usize = raw.parse().ok()?;
        (1..=MAX_DEPTH / size)
            .contains(&page)
            .then_some(page)
            .filter(|_| !has_cursor)
    })?;
    let after = paging::take_cursor(&mut query, |cursor| sort.position(cursor))?;
    query.finish()?;
    let list = PhotoListQuery {
        status,
        tag,
        words: words.unwrap_or_default(),
        taken: TakenRange { from, before },
        sort: sort.by,
        direction: sort.direction,
        size,
        after,
        skip: page.map_or(0, |page| (page - 1) * size),
    };
    Ok((list, sort))
}

/// Begin and end of a day or a second.
fn moment(raw: &str) -> Option<(NaiveDateTime, NaiveDateTime)> {
    // chrono also takes numbers of one digit, and years with a sign.
    if !raw.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    if raw.len() == 10 {
        let day = NaiveDate::parse_from_str(raw, "%Y-%m-%d").ok()?;
        return Some((day.into(), day.succ_opt()?.into()));
    }
    if raw.len() == 19 {
        let second = NaiveDateTime::parse_from_str(raw, "%Y-%m-%dT%H:%M:%S").ok()?;
        return Some((second, second.checked_add_signed(TimeDelta::seconds(1))?));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_day_or_a_second() {
        let at = |text: &str| text.parse::<NaiveDateTime>().unwrap();
        for (raw, from, before) in [
            ("2024-02-29", "2024-02-29T00:00:00", "2024-03-01T00:00:00"),
            (
                "2026-12-31T23:59:59",
                "2026-12-31T23:59:59",
                "2027-01-01T00:00:00",
            ),
            ("0000-01-01", "0000-01-01T00:00:00", "0000-01-02T00:00:00"),
            ("9999-12-31", "9999-12-31T00:00:00", "+10000-01-01T00:00:00"),
        ] {
            assert_eq!(moment(raw), Some((at(from), at(before))), "{raw}");
        }
        for raw in [
            "",
            "2026",
            "2026-7-14",
            "2026-02-29",
            "2026-13-01",
            "2026-07-14T",
            "2026-07-14T24:00:00",
            "2026-07-14T18:03",
            "2026-07-14T18:03:11Z",
            "2026-07-14 18:03:11",
            "+2026-07-1",
            "２０２６-07-14",
        ] {
            assert_eq!(moment(raw), None, "{raw}");
        }
    }
}
