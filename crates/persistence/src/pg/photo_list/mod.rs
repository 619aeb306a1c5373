//! Pages of a user's photos. Each order has an index, also among photos with one status. A page with other filters begins
//! with the index of the rarest of them, and sorts its photos; the photos of a tag are in the order of their creation.

mod sql;

use std::fmt::Write as _;

use diesel::{
    QueryResult,
    sql_types::{BigInt, Nullable, Text},
};
use diesel_async::{AsyncPgConnection, RunQueryDsl as _};
use rapidphoto_application::ports::{PhotoListPage, PhotoListQuery, PhotoPosition, PhotoSort, SortDirection};
use rapidphoto_domain::{UserId, photo::PhotoStatus, values::SearchWord};

use self::sql::{COUNT, FOUND, HAS_TAG, HAS_WORD, OPEN, PAGE, PHOTOS_OF_PAGE, POSITIONS, TAGGED, TAKEN};
use super::{
    assembled::{Assembled, Value},
    photo_views::PhotoViewColumns,
};
use crate::{
    error::StoreError,
    number::limit,
    photo_list::{COMMON, Candidates, TakenScan, candidates, rarest},
    rows::{PhotoViewRow, parsed, photo_page},
};

/// Maximum number of photos in a page; a larger page is cut there, and has a next one.
const MAX_SIZE: usize = 1000;

/// Limits that pages are planned for, so that there are few statements.
const LIMITS: [usize; 3] = [64, 256, MAX_SIZE + 1];

pub(super) async fn page(
    connection: &mut AsyncPgConnection,
    namespace: &str,
    owner: UserId,
    query: &PhotoListQuery,
) -> Result<PhotoListPage, StoreError> {
    let size = query.size.min(MAX_SIZE);
    let owner = owner.to_string();
    let after = query.after.as_ref().map(|after| after.photo.to_string());
    let mut list = List {
        begins_with: None,
        namespace,
        owner: &owner,
        query,
        after: query.after.as_ref().zip(after.as_deref()),
    };
    list.begins_with = list.rarest_filter(connection).await?;
    let position;
    let position_photo;
    if query.skip > 0 {
        let skipped = list.positions(connection, query.skip).await?;
        match skipped.into_iter().nth(query.skip - 1) {
            Some((value, photo)) => {
                position_photo = photo;
                position = PhotoPosition {
                    value,
                    photo: parsed("photo_id", &position_photo)?,
                };
                list.after = Some((&position, &position_photo));
            }
            // The list ends before.
            None => return photo_page(Vec::new(), query, size),
        }
    }
    // One row more than the page size tells if there is a next page.
    photo_page(list.rows(connection, size + 1).await?, query, size)
}

struct List<'a> {
    namespace: &'a str,
    owner: &'a str,
    query: &'a PhotoListQuery,
    /// Filter whose photos are read and sorted; `None` to follow the index of the order.
    begins_with: Option<Candidates<'a>>,
    /// Position after which the page starts, with its photo's id as text.
    after: Option<(&'a PhotoPosition, &'a str)>,
}

/// Photos of a list that are sorted by one index.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    CreatedAt,
    Bytes,
    /// Photos with a time of exposure.
    Dated,
    /// Photos without one.
    Undated,
}

impl<'a> List<'a> {
    async fn rarest_filter(&self, connection: &mut AsyncPgConnection) -> QueryResult<Option<Candidates<'a>>> {
        let candidates = candidates(self.query);
        let by_creation = self.query.sort == PhotoSort::CreatedAt;
        match candidates[..] {
            [] => return Ok(None),
            // Its photos are in the order of the list.
            [tag @ Candidates::Tag(_)] if by_creation => return Ok(Some(tag)),
            _ => {}
        }
        let mut values = vec![Value::Text(self.namespace), Value::Text(self.owner)];
        let counts = candidates.iter().enumerate().map(|(place, candidates)| {
            let (found, order) = match *candidates {
                Candidates::Tag(label) => {
                    let label = bound(&mut values, Value::Text(label.as_str()));
                    (
                        format!("photo_tags WHERE label = {label}"),
                        "created_at, photo_id",
                    )
                }
                Candidates::Word(word) => {
                    let text = with_range(
                        "photo_words WHERE word >= {from} AND word < {end}",
                        word,
                        &mut values,
                    );
                    (text, "word, photo_id")
                }
                Candidates::Taken => {
                    let range = taken_in("taken_at", self.query.taken.millis(), &mut values);
                    let text = format!("photos WHERE NOT deleted AND taken_at IS NOT NULL{range}");
                    (text, "taken_at, photo_id")
                }
            };
            COUNT
                .replace("{place}", &place.to_string())
                .replace("{found}", &found)
                .replace("{order}", order)
                .replace("{limit}", &(COMMON + 1).to_string())
        });
        let text = format!(
            "{} ORDER BY place",
            counts.collect::<Vec<_>>().join(" UNION ALL ")
        );
        let counts: Vec<(i64, i64)> = Assembled::<(BigInt, BigInt)>::new(text, values)
            .load(connection)
            .await?;
        let counts: Vec<i64> = counts.into_iter().map(|(_, photos)| photos).collect();
        let tag = candidates
            .iter()
            .find(|filter| matches!(filter, Candidates::Tag(_)));
        Ok(rarest(&candidates, &counts).or(tag.copied().filter(|_| by_creation)))
    }

    async fn rows(
        &self,
        connection: &mut AsyncPgConnection,
        max_rows: usize,
    ) -> QueryResult<Vec<PhotoViewRow>> {
        let mut rows: Vec<PhotoViewRow> = Vec::new();
        for part in self.parts() {
            let remaining = max_rows - rows.len();
            if remaining > 0 {
                let (text, values) = self.part(PAGE, part, remaining);
                let statement = Assembled::<PhotoViewColumns>::new(text, values);
                rows.append(&mut statement.load(connection).await?);
            }
        }
        Ok(rows)
    }

    /// Positions of the next photos.
    async fn positions(
        &self,
        connection: &mut AsyncPgConnection,
        max_rows: usize,
    ) -> QueryResult<Vec<(Option<i64>, String)>> {
        let mut rows: Vec<(Option<i64>, String)> = Vec::new();
        for part in self.parts() {
            let remaining = max_rows - rows.len();
            if remaining > 0 {
                let (text, values) = self.part(POSITIONS, part, remaining);
                let statement = Assembled::<(Nullable<BigInt>, Text)>::new(text, values);
                rows.append(&mut statement.load(connection).await?);
            }
        }
        Ok(rows)
    }

    /// Parts of the list in their order: photos with a time come first in both directions, photos without one last.
    fn parts(&self) -> Vec<Part> {
        match self.query.sort {
            PhotoSort::CreatedAt => vec![Part::CreatedAt],
            PhotoSort::Bytes => vec![Part::Bytes],
            PhotoSort::TakenAt => {
                let dated = self.after.is_none_or(|(after, _)| after.value.is_some());
                let undated = self.query.taken.is_unlimited();
                let dated = dated.then_some(Part::Dated);
                dated
                    .into_iter()
                    .chain(undated.then_some(Part::Undated))
                    .collect()
            }
        }
    }

    /// Statement that selects photos of a part, and its values.
    fn part(&self, select: &str, part: Part, max_rows: usize) -> (String, Vec<Value<'a>>) {
        let mut values = vec![
            Value::Text(self.namespace),
            Value::Text(self.owner),
            Value::Number(limit(max_rows)),
        ];
        let photos = self.photos(part, &mut values);
        let filter = self.filter(part, &mut values);
        let direction = match self.query.direction {
            SortDirection::Ascending => "ASC",
            SortDirection::Descending => "DESC",
        };
        // The index of photos that ended without success has those without a date in the order of this column, too.
        let column = part.column().or(self.is_unsuccessful().then_some("taken_at"));
        let order = match column {
            Some(column) => format!("p.{column} {direction}, p.photo_id {direction}"),
            None => format!("p.photo_id {direction}"),
        };
        let planned = LIMITS.into_iter().find(|planned| *planned >= max_rows);
        let text = select
            .replace("{page}", PHOTOS_OF_PAGE)
            .replace("{photos}", &photos)
            .replace("{filter}", &filter)
            .replace("{order}", &order)
            .replace("{column}", part.column().unwrap_or("taken_at"))
            .replace("{limit}", &planned.unwrap_or(max_rows).to_string());
        (text, values)
    }

    /// True for a status that an upload has after it failed, for which there are indexes.
    fn is_unsuccessful(&self) -> bool {
        let status = self.query.status;
        status.is_some_and(|status| status.is_terminal() && status != PhotoStatus::Completed)
    }

    /// Table of the photos.
    fn photos(&self, part: Part, values: &mut Vec<Value<'a>>) -> String {
        match (self.begins_with, self.query.status) {
            (Some(Candidates::Tag(label)), _) => {
                TAGGED.replace("{label}", &bound(values, Value::Text(label.as_str())))
            }
            (Some(Candidates::Word(word)), _) => with_range(FOUND, word, values),
            (Some(Candidates::Taken), _) => {
                let range = taken_in("taken_at", self.query.taken.millis(), values);
                TAKEN.replace("{range}", &range)
            }
            // The planner knows the frequencies of some time ago, and may expect many.
            (None, Some(status)) if !status.is_terminal() && part != Part::CreatedAt => {
                OPEN.replace("{status}", &literal(status))
            }
            (None, _) => "photos".to_owned(),
        }
    }

    /// Conditions beside the owner's and that of the filter that the list begins with.
    fn filter(&self, part: Part, values: &mut Vec<Value<'a>>) -> String {
        let mut filter = String::new();
        if let Some(status) = self.query.status {
            // Not bound: a prepared plan must know whether a partial index has the status.
            let _ = write!(filter, " AND p.status = {}", literal(status));
        }
        for candidates in candidates(self.query) {
            if self.begins_with == Some(candidates) {
                continue;
            }
            filter.push_str(&match candidates {
                Candidates::Tag(label) => {
                    HAS_TAG.replace("{label}", &bound(values, Value::Text(label.as_str())))
                }
                Candidates::Word(word) => with_range(HAS_WORD, word, values),
                Candidates::Taken => taken_in("p.taken_at", self.query.taken.millis(), values),
            });
        }
        let mut continues = true;
        match part {
            Part::Dated => {
                let scan = TakenScan::new(self.query, self.after.and_then(|(after, _)| after.value));
                filter.push_str(" AND p.taken_at IS NOT NULL");
                filter.push_str(&taken_in("p.taken_at", (scan.from, scan.before), values));
                continues = scan.after;
            }
            Part::Undated => filter.push_str(" AND p.taken_at IS NULL"),
            Part::CreatedAt | Part::Bytes => {}
        }
        let beyond = match self.query.direction {
            SortDirection::Ascending => ">",
            SortDirection::Descending => "<",
        };
        match (self.after.filter(|_| continues), part.column()) {
            (
                Some((
                    PhotoPosition {
                        value: Some(value), ..
                    },
                    photo,
                )),
                Some(column),
            ) => {
                let value = bound(values, Value::Number(*value));
                let photo = bound(values, Value::Text(photo));
                let _ = write!(
                    filter,
                    " AND (p.{column}, p.photo_id) {beyond} ({value}, {photo})"
                );
            }
            (Some((PhotoPosition { value: None, .. }, photo)), None) => {
                let photo = bound(values, Value::Text(photo));
                let _ = write!(filter, " AND p.photo_id {beyond} {photo}");
            }
            // The first page, or the part begins after the position.
            (None | Some(_), _) => {}
        }
        filter
    }
}

impl Part {
    /// Column by which the photos are sorted before their ids.
    const fn column(self) -> Option<&'static str> {
        match self {
            Self::CreatedAt => Some("created_at"),
            Self::Bytes => Some("bytes"),
            Self::Dated => Some("taken_at"),
            Self::Undated => None,
        }
    }
}

fn literal(status: PhotoStatus) -> String {
    format!("'{}'", status.as_str())
}

/// Adds a value and returns its placeholder.
fn bound<'a>(values: &mut Vec<Value<'a>>, value: Value<'a>) -> String {
    values.push(value);
    format!("${}", values.len())
}

/// Text with the limits of words that begin with one.
fn with_range<'a>(text: &str, word: &'a SearchWord, values: &mut Vec<Value<'a>>) -> String {
    let from = bound(values, Value::Text(word.as_str()));
    let end = bound(values, Value::OwnedText(word.end_of_prefix()));
    text.replace("{from}", &from).replace("{end}", &end)
}

/// Conditions for times in a range.
fn taken_in(column: &str, (from, before): (Option<i64>, Option<i64>), values: &mut Vec<Value<'_>>) -> String {
    let mut conditions = String::new();
    if let Some(from) = from {
        let _ = write!(
            conditions,
            " AND {column} >= {}",
            bound(values, Value::Number(from))
        );
    }
    if let Some(before) = before {
        let _ = write!(
            conditions,
            " AND {column} < {}",
            bound(values, Value::Number(before))
        );
    }
    conditions
}
