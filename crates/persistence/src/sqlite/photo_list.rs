//! Pages of a user's photos, each by an index in which they stand as they are shown.

use diesel::{
    BoolExpressionMethods as _, Connection as _, ExpressionMethods as _, QueryDsl as _, QueryResult,
    RunQueryDsl as _, SqliteConnection, dsl::not,
};
use rapidphoto_application::ports::{
    PhotoListPage, PhotoListQuery, PhotoPosition, PhotoSort, PhotoView, SortDirection,
};
use rapidphoto_domain::UserId;

use super::photo_views::views;
use crate::{
    error::RecordError,
    number::limit,
    rows::{PhotoViewRow, photo_view_columns},
    schema::photos,
};

pub(super) fn page(
    connection: &mut SqliteConnection,
    namespace: &str,
    owner: UserId,
    query: &PhotoListQuery,
) -> Result<PhotoListPage, RecordError> {
    // One more than is shown tells whether there are more.
    let most = query.size.saturating_add(1);
    let list = List {
        namespace,
        owner: owner.to_string(),
        query,
    };
    let rows = connection.transaction(|connection| list.rows(connection, most))?;
    let more = rows.len() > query.size;
    let items: Vec<PhotoView> = rows
        .into_iter()
        .take(query.size)
        .map(PhotoViewRow::into_view)
        .collect::<Result<_, _>>()?;
    Ok(PhotoListPage {
        next: items
            .last()
            .filter(|_| more)
            .map(|view| PhotoPosition::of(view, query.sort)),
        items,
    })
}

struct List<'a> {
    namespace: &'a str,
    owner: String,
    query: &'a PhotoListQuery,
}

/// The photos of a list, or of the part of it that `$part` adds, sorted by `$column` and then by id.
macro_rules! sorted {
    ($list:expr, $connection:expr, $most:expr, $column:expr, |$photos:ident| $part:expr) => {{
        let mut $photos = views()
            .filter(photos::namespace.eq($list.namespace))
            .filter(photos::owner.eq(&$list.owner))
            .filter(not(photos::deleted))
            .select(photo_view_columns())
            .limit(limit($most))
            .into_boxed();
        if let Some(status) = $list.query.status {
            $photos = $photos.filter(photos::status.eq(status.as_str()));
        }
        let photos = $part;
        match $list.query.direction {
            SortDirection::Ascending => photos.order(($column.asc(), photos::photo_id.asc())),
            SortDirection::Descending => photos.order(($column.desc(), photos::photo_id.desc())),
        }
        .load::<PhotoViewRow>($connection)
    }};
}

/// The photos that follow a place in the list: a range of the index, of which those with the same value are sieved.
macro_rules! following {
    ($list:expr, $connection:expr, $most:expr, $column:expr, $after:expr) => {
        sorted!($list, $connection, $most, $column, |photos| {
            match ($after, $list.query.direction) {
                (None, _) => photos,
                (Some((value, id)), SortDirection::Ascending) => photos
                    .filter($column.ge(value))
                    .filter($column.gt(value).or(photos::photo_id.gt(id))),
                (Some((value, id)), SortDirection::Descending) => photos
                    .filter($column.le(value))
                    .filter($column.lt(value).or(photos::photo_id.lt(id))),
            }
        })
    };
}

impl List<'_> {
    fn rows(&self, connection: &mut SqliteConnection, most: usize) -> QueryResult<Vec<PhotoViewRow>> {
        match self.query.sort {
            PhotoSort::CreatedAt => {
                following!(self, connection, most, photos::created_at, self.after())
            }
            PhotoSort::Bytes => following!(self, connection, most, photos::bytes, self.after()),
            PhotoSort::TakenAt => self.by_taken_at(connection, most),
        }
    }

    /// Where the list goes on, for what has a value.
    fn after(&self) -> Option<(i64, String)> {
        let after = self.query.after.as_ref()?;
        Some((after.value?, after.photo.to_string()))
    }

    /// First the photos that say when they were taken, then those that don't: in an index, the latter stand at the
    /// beginning, whichever way the list goes.
    fn by_taken_at(&self, connection: &mut SqliteConnection, most: usize) -> QueryResult<Vec<PhotoViewRow>> {
        let silent_after = match &self.query.after {
            Some(after) if after.value.is_none() => Some(after.photo.to_string()),
            Some(_) | None => None,
        };
        let mut rows = Vec::new();
        if silent_after.is_none() {
            rows = self.with_taken_at(connection, most)?;
        }
        let room = most.saturating_sub(rows.len());
        if room > 0 {
            rows.extend(self.without_taken_at(connection, room, silent_after)?);
        }
        Ok(rows)
    }

    fn with_taken_at(
        &self,
        connection: &mut SqliteConnection,
        most: usize,
    ) -> QueryResult<Vec<PhotoViewRow>> {
        if self.query.after.is_some() {
            return following!(self, connection, most, photos::taken_at, self.after());
        }
        sorted!(self, connection, most, photos::taken_at, |photos| photos
            .filter(photos::taken_at.is_not_null()))
    }

    fn without_taken_at(
        &self,
        connection: &mut SqliteConnection,
        most: usize,
        after: Option<String>,
    ) -> QueryResult<Vec<PhotoViewRow>> {
        sorted!(self, connection, most, photos::photo_id, |photos| {
            let silent = photos.filter(photos::taken_at.is_null());
            match (after, self.query.direction) {
                (None, _) => silent,
                (Some(id), SortDirection::Ascending) => silent.filter(photos::photo_id.gt(id)),
                (Some(id), SortDirection::Descending) => silent.filter(photos::photo_id.lt(id)),
            }
        })
    }
}
