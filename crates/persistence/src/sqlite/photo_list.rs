//! Pages of a user's photos. Each sort order has an index.

use diesel::{
    BoolExpressionMethods as _, Connection as _, ExpressionMethods as _, QueryDsl as _, QueryResult,
    RunQueryDsl as _, SqliteConnection, dsl::not,
};
use rapidphoto_application::ports::{PhotoListPage, PhotoListQuery, PhotoSort, SortDirection};
use rapidphoto_domain::UserId;

use super::{photo_tag_list, photo_views::views};
use crate::{
    error::StoreError,
    number::limit,
    rows::{PhotoViewRow, photo_page, photo_view_columns},
    schema::photos,
};

pub(super) fn page(
    connection: &mut SqliteConnection,
    namespace: &str,
    owner: UserId,
    query: &PhotoListQuery,
) -> Result<PhotoListPage, StoreError> {
    // One row more than the page size tells if there is a next page.
    let max_rows = query.size.saturating_add(1);
    let list = List {
        namespace,
        owner: owner.to_string(),
        query,
    };
    let rows = connection.transaction(|connection| list.rows(connection, max_rows))?;
    photo_page(rows, query, query.size)
}

struct List<'a> {
    namespace: &'a str,
    owner: String,
    query: &'a PhotoListQuery,
}

/// Selects the photos of a list, filtered by `$part`, sorted by `$column` and then by id.
macro_rules! sorted {
    ($list:expr, $connection:expr, $max_rows:expr, $column:expr, |$photos:ident| $part:expr) => {{
        let mut $photos = views()
            .filter(photos::namespace.eq($list.namespace))
            .filter(photos::owner.eq(&$list.owner))
            .filter(not(photos::deleted))
            .select(photo_view_columns())
            .limit(limit($max_rows))
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

/// Selects the photos after a position of the list: a range scan of the index, in which ties on the value are filtered
/// by id.
macro_rules! following {
    ($list:expr, $connection:expr, $max_rows:expr, $column:expr, $after:expr) => {
        sorted!($list, $connection, $max_rows, $column, |photos| {
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
    fn rows(&self, connection: &mut SqliteConnection, max_rows: usize) -> QueryResult<Vec<PhotoViewRow>> {
        if let Some(tag) = &self.query.tag {
            let filter = (tag, self.query);
            return photo_tag_list::rows(connection, self.namespace, &self.owner, filter, max_rows);
        }
        match self.query.sort {
            PhotoSort::CreatedAt => {
                following!(self, connection, max_rows, photos::created_at, self.after())
            }
            PhotoSort::Bytes => following!(self, connection, max_rows, photos::bytes, self.after()),
            PhotoSort::TakenAt => self.by_taken_at(connection, max_rows),
        }
    }

    /// Value and photo id after which the list continues; `None` at its start and after a photo without a value.
    fn after(&self) -> Option<(i64, String)> {
        let after = self.query.after.as_ref()?;
        Some((after.value?, after.photo.to_string()))
    }

    /// Photos with a time come first in both directions, photos without one last. An index sorts the latter first, so
    /// that they are selected separately.
    fn by_taken_at(
        &self,
        connection: &mut SqliteConnection,
        max_rows: usize,
    ) -> QueryResult<Vec<PhotoViewRow>> {
        let untimed_after = match &self.query.after {
            Some(after) if after.value.is_none() => Some(after.photo.to_string()),
            Some(_) | None => None,
        };
        let mut rows = Vec::new();
        if untimed_after.is_none() {
            rows = self.with_taken_at(connection, max_rows)?;
        }
        let remaining = max_rows.saturating_sub(rows.len());
        if remaining > 0 {
            rows.extend(self.without_taken_at(connection, remaining, untimed_after)?);
        }
        Ok(rows)
    }

    fn with_taken_at(
        &self,
        connection: &mut SqliteConnection,
        max_rows: usize,
    ) -> QueryResult<Vec<PhotoViewRow>> {
        if self.query.after.is_some() {
            return following!(self, connection, max_rows, photos::taken_at, self.after());
        }
        sorted!(self, connection, max_rows, photos::taken_at, |photos| photos
            .filter(photos::taken_at.is_not_null()))
    }

    fn without_taken_at(
        &self,
        connection: &mut SqliteConnection,
        max_rows: usize,
        after: Option<String>,
    ) -> QueryResult<Vec<PhotoViewRow>> {
        sorted!(self, connection, max_rows, photos::photo_id, |photos| {
            let untimed = photos.filter(photos::taken_at.is_null());
            match (after, self.query.direction) {
                (None, _) => untimed,
                (Some(id), SortDirection::Ascending) => untimed.filter(photos::photo_id.gt(id)),
                (Some(id), SortDirection::Descending) => untimed.filter(photos::photo_id.lt(id)),
            }
        })
    }
}
