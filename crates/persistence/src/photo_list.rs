//! Parts of photo lists that are the same for every database.

use rapidphoto_application::ports::{PhotoListQuery, PhotoSort, SortDirection};
use rapidphoto_domain::values::{SearchWord, TagLabel};

/// Filter whose photos an index finds, in another order than that of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Candidates<'a> {
    /// Photos with the tag.
    Tag(&'a TagLabel),
    /// Photos with a word that begins with this one.
    Word(&'a SearchWord),
    /// Photos taken in the query's range.
    Taken,
}

/// Photos that a filter may have for a page to read and sort all of them. If every filter has more, a page follows the
/// order of the list and checks each photo: photos that pass the filters are found soon.
pub(crate) const COMMON: i64 = 5000;

/// Filters of a query that an index could begin with. None if the index of the list's order serves the query.
pub(crate) fn candidates(query: &PhotoListQuery) -> Vec<Candidates<'_>> {
    let tag = query.tag.iter().map(Candidates::Tag);
    let words = query.distinct_words().into_iter().map(Candidates::Word);
    let range = !query.taken.is_unlimited() && query.sort != PhotoSort::TakenAt;
    tag.chain(words)
        .chain(range.then_some(Candidates::Taken))
        .collect()
}

/// Filter with the fewest photos, unless all have more than [`COMMON`]. `counts` are in the order of the filters.
pub(crate) fn rarest<'a>(candidates: &[Candidates<'a>], counts: &[i64]) -> Option<Candidates<'a>> {
    let counted = candidates.iter().zip(counts);
    let (rarest, count) = counted.min_by_key(|(_, count)| **count)?;
    (*count <= COMMON).then_some(*rarest)
}

/// Limits of a scan in the order of the times of exposure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TakenScan {
    /// First time, in milliseconds since 1970.
    pub(crate) from: Option<i64>,
    /// First time after the scan.
    pub(crate) before: Option<i64>,
    /// True if the position of the previous page limits the scan, too.
    pub(crate) after: bool,
}

impl TakenScan {
    /// Limits for a list that continues after a photo with this time. An index has one limit at each end, so that of the
    /// range and of the position that begins later is used.
    pub(crate) fn new(query: &PhotoListQuery, after: Option<i64>) -> Self {
        let (from, before) = query.taken.millis();
        let mut scan = Self {
            from,
            before,
            after: after.is_some(),
        };
        let Some(after) = after else { return scan };
        match query.direction {
            SortDirection::Ascending if from.is_some_and(|from| after < from) => scan.after = false,
            SortDirection::Descending if before.is_some_and(|before| before <= after) => scan.after = false,
            SortDirection::Ascending => scan.from = None,
            SortDirection::Descending => scan.before = None,
        }
        scan
    }
}
