//! Pages of a user's photos. Each order has an index, also among photos with one status. A page with other filters begins
//! with the index of the rarest of them, and sorts its photos.

use std::fmt::Write as _;

use diesel::{
    Connection as _, QueryResult, QueryableByName, SqliteConnection,
    sql_types::{BigInt, Nullable, Text},
    sqlite::Sqlite,
};
use rapidphoto_application::ports::{PhotoListPage, PhotoListQuery, PhotoPosition, PhotoSort, SortDirection};
use rapidphoto_domain::{UserId, photo::PhotoStatus, values::SearchWord};

use super::assembled::Assembled;
use crate::{
    error::StoreError,
    number::limit,
    photo_list::{COMMON, Candidates, TakenScan, candidates, rarest},
    rows::{PhotoViewRow, parsed, photo_page},
};

const PAGE: &str = "
    SELECT {columns} FROM {photos}
    LEFT JOIN photo_details ON photo_details.namespace = photos.namespace
                           AND photo_details.photo_id = photos.photo_id
    WHERE photos.namespace = ?1 AND photos.owner = ?2 AND NOT photos.deleted {filter}
    ORDER BY {order} LIMIT ?3";

/// Columns of a [`PhotoViewRow`].
const VIEW: &str =
    "photos.version, photos.state, photos.created_at, photos.updated_at, photo_details.filename,
           photo_details.metadata, photo_details.hashes";

/// Photos of a tag, by the index of tags. CROSS JOIN makes SQLite begin with it; of its own accord, it prefers an index that
/// has the order of the list, and reads all of the user's photos.
const TAGGED: &str = "photo_tags
    CROSS JOIN photos ON photos.namespace = photo_tags.namespace AND photos.photo_id = photo_tags.photo_id";

/// Photos with words that begin with one, by the index of words; of its own accord, SQLite reads the key in the order of
/// photos. A photo may have several such words.
const FOUND: &str = "(
        SELECT DISTINCT photo_id FROM photo_words INDEXED BY photo_words_owner
        WHERE namespace = ?1 AND owner = ?2 AND word >= {from} AND word < {end}
    ) AS found CROSS JOIN photos ON photos.namespace = ?1 AND photos.photo_id = found.photo_id";

const HAS_TAG: &str = " AND EXISTS (
        SELECT 1 FROM photo_tags WHERE namespace = ?1 AND owner = ?2 AND label = {label} AND photo_id = photos.photo_id)";

const HAS_WORD: &str = " AND EXISTS (
        SELECT 1 FROM photo_words
        WHERE namespace = ?1 AND photo_id = photos.photo_id AND word >= {from} AND word < {end})";

#[derive(QueryableByName)]
struct CountRow {
    #[diesel(sql_type = BigInt)]
    photos: i64,
}

#[derive(QueryableByName)]
struct PositionRow {
    #[diesel(sql_type = Nullable<BigInt>)]
    value: Option<i64>,
    #[diesel(sql_type = Text)]
    photo_id: String,
}

pub(super) fn page(
    connection: &mut SqliteConnection,
    namespace: &str,
    owner: UserId,
    query: &PhotoListQuery,
) -> Result<PhotoListPage, StoreError> {
    let rows = connection.transaction(|connection| rows(connection, namespace, &owner.to_string(), query))?;
    photo_page(rows, query, query.size)
}

fn rows(
    connection: &mut SqliteConnection,
    namespace: &str,
    owner: &str,
    query: &PhotoListQuery,
) -> Result<Vec<PhotoViewRow>, StoreError> {
    let mut list = List {
        namespace,
        owner,
        query,
        begins_with: None,
        after: query.after.clone(),
    };
    list.begins_with = list.rarest_filter(connection)?;
    if query.skip > 0 {
        let column = list.column();
        let columns = format!("{column} AS value, photos.photo_id");
        let skipped: Vec<PositionRow> = list.rows(connection, &columns, query.skip)?;
        match skipped.last() {
            Some(position) if skipped.len() == query.skip => {
                list.after = Some(PhotoPosition {
                    value: position.value,
                    photo: parsed("photo_id", &position.photo_id)?,
                });
            }
            // The list ends before.
            Some(_) | None => return Ok(Vec::new()),
        }
    }
    // One row more than the page size tells if there is a next page.
    Ok(list.rows(connection, VIEW, query.size.saturating_add(1))?)
}

struct List<'a> {
    namespace: &'a str,
    owner: &'a str,
    query: &'a PhotoListQuery,
    /// Filter whose photos are read and sorted; `None` to follow the index of the order.
    begins_with: Option<Candidates<'a>>,
    /// Position after which the rows start.
    after: Option<PhotoPosition>,
}

/// Photos of a list that one statement selects.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// All, those without a value last.
    All,
    /// Photos with a time of exposure, of an index that has those without one first.
    Dated,
    /// Photos without one.
    Undated,
}

impl<'a> List<'a> {
    fn rarest_filter(&self, connection: &mut SqliteConnection) -> QueryResult<Option<Candidates<'a>>> {
        let candidates = candidates(self.query);
        if let [] | [Candidates::Tag(_)] = candidates[..] {
            return Ok(candidates.first().copied());
        }
        let mut statement = Assembled::default();
        let (namespace, owner) = (statement.text(self.namespace), statement.text(self.owner));
        let counts = candidates.iter().map(|candidates| {
            let found = match candidates {
                Candidates::Tag(label) => format!("photo_tags WHERE label = {}", statement.text(label.as_str())),
                Candidates::Word(word) => format!("photo_words WHERE {}", in_range("word", word, &mut statement)),
                Candidates::Taken => format!(
                    "photos INDEXED BY photos_taken WHERE NOT deleted{}",
                    taken_in("taken_at", self.query.taken.millis(), &mut statement)
                ),
            };
            format!(
                "SELECT (SELECT count(*) FROM (SELECT 1 FROM {found} AND namespace = {namespace} AND owner = {owner}
                                               LIMIT {})) AS photos",
                COMMON + 1
            )
        });
        let text = counts.collect::<Vec<_>>().join(" UNION ALL ");
        let counts: Vec<CountRow> = statement.load(connection, text)?;
        let counts: Vec<i64> = counts.into_iter().map(|row| row.photos).collect();
        Ok(rarest(&candidates, &counts))
    }

    fn rows<Row: QueryableByName<Sqlite> + 'static>(
        &self,
        connection: &mut SqliteConnection,
        columns: &str,
        max_rows: usize,
    ) -> QueryResult<Vec<Row>> {
        if self.query.sort != PhotoSort::TakenAt || self.begins_with.is_some() {
            return self.part(connection, columns, Part::All, max_rows);
        }
        // Photos with a time come first in both directions, photos without one last.
        let mut rows = Vec::new();
        if self.after.as_ref().is_none_or(|after| after.value.is_some()) {
            rows = self.part(connection, columns, Part::Dated, max_rows)?;
        }
        let remaining = max_rows.saturating_sub(rows.len());
        if remaining > 0 && self.query.taken.is_unlimited() {
            rows.extend(self.part(connection, columns, Part::Undated, remaining)?);
        }
        Ok(rows)
    }

    fn part<Row: QueryableByName<Sqlite> + 'static>(
        &self,
        connection: &mut SqliteConnection,
        columns: &str,
        part: Part,
        max_rows: usize,
    ) -> QueryResult<Vec<Row>> {
        let mut statement = Assembled::default();
        statement.text(self.namespace);
        statement.text(self.owner);
        statement.number(limit(max_rows));
        let mut filter = String::new();
        let photos = self.photos(part, &mut statement, &mut filter);
        self.filter(part, &mut statement, &mut filter);
        let direction = match self.query.direction {
            SortDirection::Ascending => "ASC",
            SortDirection::Descending => "DESC",
        };
        let nulls = if part == Part::All && self.query.sort == PhotoSort::TakenAt {
            " NULLS LAST"
        } else {
            ""
        };
        let order = match part {
            Part::All | Part::Dated => {
                format!(
                    "{} {direction}{nulls}, photos.photo_id {direction}",
                    self.column()
                )
            }
            Part::Undated => format!("photos.photo_id {direction}"),
        };
        let text = PAGE
            .replace("{columns}", columns)
            .replace("{photos}", &photos)
            .replace("{filter}", &filter)
            .replace("{order}", &order);
        statement.load(connection, text)
    }

    /// Tables that the photos are read from, with the conditions of the index that they begin with.
    fn photos(&self, part: Part, statement: &mut Assembled, filter: &mut String) -> String {
        match self.begins_with {
            Some(Candidates::Tag(label)) => {
                let label = statement.text(label.as_str());
                let _ = write!(
                    filter,
                    " AND photo_tags.namespace = ?1 AND photo_tags.owner = ?2 AND photo_tags.label = {label}"
                );
                TAGGED.to_owned()
            }
            Some(Candidates::Word(word)) => with_range(FOUND, word, statement),
            Some(Candidates::Taken) => "photos INDEXED BY photos_taken".to_owned(),
            None => format!("photos INDEXED BY {}", self.index(part)),
        }
    }

    /// Index of the order, among photos with the status. Photos that are open, of which users have few, are sorted.
    fn index(&self, part: Part) -> &'static str {
        let is_unsuccessful = match self.query.status {
            Some(PhotoStatus::Rejected | PhotoStatus::Failed | PhotoStatus::Cancelled) => true,
            Some(PhotoStatus::Completed) | None => false,
            Some(
                PhotoStatus::Queued
                | PhotoStatus::Uploading
                | PhotoStatus::Verifying
                | PhotoStatus::Processing,
            ) => return "photos_status",
        };
        match (self.query.sort, part) {
            (PhotoSort::CreatedAt, _) if self.query.status.is_some() => "photos_status",
            (PhotoSort::CreatedAt, _) => "photos_created",
            (PhotoSort::Bytes, _) if is_unsuccessful => "photos_unsuccessful_bytes",
            (PhotoSort::Bytes, _) => "photos_bytes",
            (PhotoSort::TakenAt, _) if is_unsuccessful => "photos_unsuccessful_taken",
            (PhotoSort::TakenAt, _) => "photos_taken",
        }
    }

    const fn column(&self) -> &'static str {
        match self.query.sort {
            PhotoSort::CreatedAt => "photos.created_at",
            PhotoSort::TakenAt => "photos.taken_at",
            PhotoSort::Bytes => "photos.bytes",
        }
    }

    /// Conditions beside the owner's and that of the filter that the list begins with.
    fn filter(&self, part: Part, statement: &mut Assembled, filter: &mut String) {
        if let Some(status) = self.query.status {
            // Not bound: SQLite must know that a partial index has the status.
            let _ = write!(filter, " AND photos.status = '{}'", status.as_str());
        }
        for candidates in candidates(self.query) {
            if self.begins_with == Some(candidates) && candidates != Candidates::Taken {
                continue;
            }
            filter.push_str(&match candidates {
                Candidates::Tag(label) => HAS_TAG.replace("{label}", &statement.text(label.as_str())),
                Candidates::Word(word) => with_range(HAS_WORD, word, statement),
                Candidates::Taken => taken_in("photos.taken_at", self.query.taken.millis(), statement),
            });
        }
        let after = self.after.as_ref();
        match part {
            Part::All if self.query.sort == PhotoSort::TakenAt => {
                filter.push_str(&taken_in("photos.taken_at", self.query.taken.millis(), statement));
                self.continue_sorted(statement, filter);
            }
            Part::All => self.continue_scan(statement, filter),
            Part::Dated => {
                let scan = TakenScan::new(self.query, after.and_then(|after| after.value));
                filter.push_str(" AND photos.taken_at IS NOT NULL");
                filter.push_str(&taken_in("photos.taken_at", (scan.from, scan.before), statement));
                if scan.after {
                    self.continue_scan(statement, filter);
                }
            }
            Part::Undated => {
                filter.push_str(" AND photos.taken_at IS NULL");
                if let Some(PhotoPosition { value: None, photo }) = after {
                    let photo = statement.text(&photo.to_string());
                    let _ = write!(filter, " AND photos.photo_id {} {photo}", self.beyond());
                }
            }
        }
    }

    const fn beyond(&self) -> &'static str {
        match self.query.direction {
            SortDirection::Ascending => ">",
            SortDirection::Descending => "<",
        }
    }

    /// Condition for photos with a value after the position.
    fn continue_scan(&self, statement: &mut Assembled, filter: &mut String) {
        let Some(PhotoPosition {
            value: Some(value),
            photo,
        }) = &self.after
        else {
            return;
        };
        let (value, photo) = (statement.number(*value), statement.text(&photo.to_string()));
        let (column, beyond) = (self.column(), self.beyond());
        let _ = write!(
            filter,
            " AND ({column}, photos.photo_id) {beyond} ({value}, {photo})"
        );
    }

    /// Condition for photos after the position, of which those without a value are last.
    fn continue_sorted(&self, statement: &mut Assembled, filter: &mut String) {
        let Some(after) = &self.after else { return };
        let photo = statement.text(&after.photo.to_string());
        let (column, beyond) = (self.column(), self.beyond());
        let _ = match after.value {
            Some(value) => {
                let value = statement.number(value);
                write!(
                    filter,
                    " AND ({column} IS NULL OR ({column}, photos.photo_id) {beyond} ({value}, {photo}))"
                )
            }
            None => write!(
                filter,
                " AND {column} IS NULL AND photos.photo_id {beyond} {photo}"
            ),
        };
    }
}

/// Condition for words that begin with one.
fn in_range(column: &str, word: &SearchWord, statement: &mut Assembled) -> String {
    let (from, end) = (
        statement.text(word.as_str()),
        statement.text(&word.end_of_prefix()),
    );
    format!("{column} >= {from} AND {column} < {end}")
}

fn with_range(text: &str, word: &SearchWord, statement: &mut Assembled) -> String {
    let (from, end) = (
        statement.text(word.as_str()),
        statement.text(&word.end_of_prefix()),
    );
    text.replace("{from}", &from).replace("{end}", &end)
}

/// Conditions for times in a range.
fn taken_in(column: &str, (from, before): (Option<i64>, Option<i64>), statement: &mut Assembled) -> String {
    let mut conditions = String::new();
    if let Some(from) = from {
        let _ = write!(conditions, " AND {column} >= {}", statement.number(from));
    }
    if let Some(before) = before {
        let _ = write!(conditions, " AND {column} < {}", statement.number(before));
    }
    conditions
}
