//! Pages of a user's photos. Each order has an index, also among photos with one status.

use std::fmt::Write as _;

use diesel::{
    QueryResult,
    sql_types::{Bool, Text},
};
use diesel_async::{AsyncPgConnection, RunQueryDsl as _};
use rapidphoto_application::ports::{PhotoListPage, PhotoListQuery, PhotoPosition, PhotoSort, SortDirection};
use rapidphoto_domain::{UserId, photo::PhotoStatus};

use super::{
    assembled::{Assembled, Value},
    photo_views::{PhotoViewColumns, photo_view_columns},
    statement::statement,
};
use crate::{
    error::StoreError,
    number::limit,
    rows::{PhotoViewRow, photo_page},
};

/// Maximum number of photos in a page; a larger page is cut there, and has a next one.
const MAX_SIZE: usize = 1000;

/// Limits that pages are planned for, so that there are few statements.
const LIMITS: [usize; 3] = [64, 256, MAX_SIZE + 1];

/// A bound limit is planned as a tenth of all rows, for which sorting would seem cheaper than following an index.
/// Therefore the constant one is planned for, and the bound one ends the scan.
const PAGE: &str = concat!(
    "SELECT ",
    photo_view_columns!(),
    " FROM (
         SELECT p.photo_id, p.version, p.state, p.created_at, p.updated_at, p.taken_at, p.bytes
         FROM {photos} AS p
         WHERE p.namespace = $1 AND p.owner = $2 AND NOT p.deleted {filter}
         ORDER BY {order} LIMIT {limit}
     ) AS p
     LEFT JOIN LATERAL (
         SELECT d.* FROM photo_details AS d WHERE d.namespace = $1 AND d.photo_id = p.photo_id OFFSET 0
     ) AS d ON true
     ORDER BY {order} LIMIT $3"
);

/// Photos with a tag: each by its key, in the order of the index of tags.
const TAGGED: &str = "(
         SELECT t.photo_id, t.created_at, f.namespace, f.owner, f.status, f.deleted, f.bytes, f.taken_at, f.version,
                f.state, f.updated_at
         FROM photo_tags AS t CROSS JOIN LATERAL (
             SELECT * FROM photos WHERE namespace = $1 AND photo_id = t.photo_id OFFSET 0
         ) AS f
         WHERE t.namespace = $1 AND t.owner = $2 AND t.label = {label}
     )";

/// Condition for photos with a tag, by one search of the index of tags for each photo.
const HAS_TAG: &str = " AND (
         SELECT true FROM photo_tags AS t
         WHERE t.namespace = $1 AND t.owner = $2 AND t.label = {label} AND t.created_at = p.created_at
           AND t.photo_id = p.photo_id
         LIMIT 1
     )";

statement! {
    /// True if a tag has so many photos that not all of them are read for a page. In another order than that of their
    /// creation, a page of a tag with fewer photos sorts all of them; a page of a common one follows the order, and finds a
    /// photo with the tag soon.
    struct IsCommon<'a> {
        namespace: &'a str => Text,
        owner: &'a str => Text,
        label: &'a str => Text,
    } -> Bool
    = "SELECT count(*) > 5000 FROM (
           SELECT 1 FROM photo_tags WHERE namespace = $1 AND owner = $2 AND label = $3
           ORDER BY created_at, photo_id LIMIT 5001
       ) AS tagged"
}

/// Photos with a status that few have at any time, by the index of statuses.
const OPEN: &str = "(
         SELECT * FROM photos
         WHERE namespace = $1 AND owner = $2 AND NOT deleted AND status = {status} OFFSET 0
     )";

pub(super) async fn page(
    connection: &mut AsyncPgConnection,
    namespace: &str,
    owner: UserId,
    query: &PhotoListQuery,
) -> Result<PhotoListPage, StoreError> {
    let size = query.size.min(MAX_SIZE);
    let owner = owner.to_string();
    let after = query.after.as_ref().map(|after| after.photo.to_string());
    let mut follows_order = false;
    if let Some(tag) = &query.tag
        && query.sort != PhotoSort::CreatedAt
    {
        let statement = IsCommon {
            namespace,
            owner: &owner,
            label: tag.as_str(),
        };
        follows_order = statement.get_result(connection).await?;
    }
    let list = List {
        follows_order,
        namespace,
        owner: &owner,
        query,
        after: query.after.as_ref().zip(after.as_deref()),
    };
    // One row more than the page size tells if there is a next page.
    photo_page(list.rows(connection, size + 1).await?, query, size)
}

struct List<'a> {
    namespace: &'a str,
    owner: &'a str,
    query: &'a PhotoListQuery,
    /// True if photos with the tag are looked for in the order of the list.
    follows_order: bool,
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

impl List<'_> {
    async fn rows(
        &self,
        connection: &mut AsyncPgConnection,
        max_rows: usize,
    ) -> QueryResult<Vec<PhotoViewRow>> {
        match self.query.sort {
            PhotoSort::CreatedAt => self.part(connection, Part::CreatedAt, max_rows).await,
            PhotoSort::Bytes => self.part(connection, Part::Bytes, max_rows).await,
            PhotoSort::TakenAt => self.by_taken_at(connection, max_rows).await,
        }
    }

    /// Photos with a time come first in both directions, photos without one last.
    async fn by_taken_at(
        &self,
        connection: &mut AsyncPgConnection,
        max_rows: usize,
    ) -> QueryResult<Vec<PhotoViewRow>> {
        let mut rows = Vec::new();
        if self.after.is_none_or(|(after, _)| after.value.is_some()) {
            rows = self.part(connection, Part::Dated, max_rows).await?;
        }
        let remaining = max_rows.saturating_sub(rows.len());
        if remaining > 0 {
            rows.extend(self.part(connection, Part::Undated, remaining).await?);
        }
        Ok(rows)
    }

    async fn part(
        &self,
        connection: &mut AsyncPgConnection,
        part: Part,
        max_rows: usize,
    ) -> QueryResult<Vec<PhotoViewRow>> {
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
        let planned = planned.unwrap_or(MAX_SIZE + 1);
        let text = PAGE
            .replace("{photos}", &photos)
            .replace("{filter}", &filter)
            .replace("{order}", &order)
            .replace("{limit}", &planned.to_string());
        Assembled::<PhotoViewColumns>::new(text, values)
            .load(connection)
            .await
    }

    /// True for a status that an upload has after it failed, for which there are indexes.
    fn is_unsuccessful(&self) -> bool {
        let status = self.query.status;
        status.is_some_and(|status| status.is_terminal() && status != PhotoStatus::Completed)
    }

    /// Table of the photos.
    fn photos<'a>(&'a self, part: Part, values: &mut Vec<Value<'a>>) -> String {
        if let Some(tag) = &self.query.tag
            && !self.follows_order
        {
            values.push(Value::Text(tag.as_str()));
            return TAGGED.replace("{label}", &format!("${}", values.len()));
        }
        match self.query.status {
            // The planner knows the frequencies of some time ago, and may expect many.
            Some(status) if !status.is_terminal() && part != Part::CreatedAt => {
                OPEN.replace("{status}", &literal(status))
            }
            Some(_) | None => "photos".to_owned(),
        }
    }

    /// Conditions beside the owner's.
    fn filter<'a>(&'a self, part: Part, values: &mut Vec<Value<'a>>) -> String {
        let mut filter = String::new();
        if let Some(status) = self.query.status {
            // Not bound: a prepared plan must know whether a partial index has the status.
            let _ = write!(filter, " AND p.status = {}", literal(status));
        }
        if let Some(tag) = &self.query.tag
            && self.follows_order
        {
            values.push(Value::Text(tag.as_str()));
            filter.push_str(&HAS_TAG.replace("{label}", &format!("${}", values.len())));
        }
        match part {
            Part::Dated => filter.push_str(" AND p.taken_at IS NOT NULL"),
            Part::Undated => filter.push_str(" AND p.taken_at IS NULL"),
            Part::CreatedAt | Part::Bytes => {}
        }
        let beyond = match self.query.direction {
            SortDirection::Ascending => ">",
            SortDirection::Descending => "<",
        };
        match (self.after, part.column()) {
            (
                Some((
                    PhotoPosition {
                        value: Some(value), ..
                    },
                    photo,
                )),
                Some(column),
            ) => {
                values.push(Value::Number(*value));
                values.push(Value::Text(photo));
                let (value, photo) = (values.len() - 1, values.len());
                let _ = write!(
                    filter,
                    " AND (p.{column}, p.photo_id) {beyond} (${value}, ${photo})"
                );
            }
            (Some((PhotoPosition { value: None, .. }, photo)), None) => {
                values.push(Value::Text(photo));
                let _ = write!(filter, " AND p.photo_id {beyond} ${}", values.len());
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
