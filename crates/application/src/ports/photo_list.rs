use std::{collections::BTreeSet, fmt, str::FromStr};

use chrono::NaiveDateTime;
use rapidphoto_domain::{
    PhotoId,
    photo::PhotoStatus,
    values::{Filename, SearchWord, TagLabel},
};

use super::{PhotoMetadata, PhotoView};

/// Sort key of a list of photos.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PhotoSort {
    /// Time at which the photo was declared.
    #[default]
    CreatedAt,
    /// Time of the exposure in EXIF. Photos without it come last in either direction.
    TakenAt,
    /// Declared size in bytes.
    Bytes,
}

/// Sort direction of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SortDirection {
    /// Smallest or oldest first.
    Ascending,
    /// Largest or newest first.
    #[default]
    Descending,
}

/// Query for a page of a user's photos.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PhotoListQuery {
    /// Status to filter by.
    pub status: Option<PhotoStatus>,
    /// Tag to filter by.
    pub tag: Option<TagLabel>,
    /// Prefixes to filter by: for each of them, a photo's filename, tags or camera must have a word that begins with it.
    pub words: BTreeSet<SearchWord>,
    /// Times of the exposure to filter by.
    pub taken: TakenRange,
    /// Sort key; photos with equal values are sorted by id.
    pub sort: PhotoSort,
    /// Sort direction.
    pub direction: SortDirection,
    /// Maximum number of photos in the page.
    pub size: usize,
    /// Position after which the page starts; `None` for the first page.
    pub after: Option<PhotoPosition>,
    /// Number of photos to skip after that position.
    pub skip: usize,
}

impl PhotoListQuery {
    /// Words to look for: without those that are prefixes of others, which the others imply.
    pub fn distinct_words(&self) -> Vec<&SearchWord> {
        // In their order, a word is followed by those that begin with it.
        let mut following = self.words.iter().skip(1);
        self.words
            .iter()
            .filter(|word| following.next().is_none_or(|next| !next.starts_with(word)))
            .collect()
    }
}

/// Range of times of the exposure, in the camera's local time. Photos without a time are in no range but the unlimited one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TakenRange {
    /// First time of the range.
    pub from: Option<NaiveDateTime>,
    /// First time after the range.
    pub before: Option<NaiveDateTime>,
}

impl TakenRange {
    /// Returns true if the range contains all photos, also those without a time.
    pub const fn is_unlimited(&self) -> bool {
        self.from.is_none() && self.before.is_none()
    }

    /// First time of the range and first time after it, in milliseconds since 1970.
    pub fn millis(&self) -> (Option<i64>, Option<i64>) {
        let millis = |time: NaiveDateTime| time.and_utc().timestamp_millis();
        (self.from.map(millis), self.before.map(millis))
    }
}

/// Position in a list: the sort value and id of a page's last photo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhotoPosition {
    /// Sort value in milliseconds since 1970 or in bytes; `None` if the photo has none.
    pub value: Option<i64>,
    /// Identifier of the photo.
    pub photo: PhotoId,
}

impl PhotoPosition {
    /// Position of a photo in a list with this sort key. The time of the exposure is the camera's local time: most
    /// cameras record no offset, and photos of the same event should be adjacent.
    pub fn of(view: &PhotoView, sort: PhotoSort) -> Self {
        let value = match sort {
            PhotoSort::CreatedAt => Some(view.created_at.timestamp_millis()),
            PhotoSort::TakenAt => view
                .metadata
                .taken_at
                .map(|taken| taken.local.and_utc().timestamp_millis()),
            PhotoSort::Bytes => Some(i64::try_from(view.photo.declared.bytes).unwrap_or(i64::MAX)),
        };
        Self {
            value,
            photo: view.photo.id,
        }
    }
}

impl fmt::Display for PhotoPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.value {
            Some(value) => write!(f, "{value}.{}", self.photo),
            None => write!(f, ".{}", self.photo),
        }
    }
}

impl FromStr for PhotoPosition {
    type Err = ();

    fn from_str(raw: &str) -> Result<Self, ()> {
        let (value, photo) = raw.split_once('.').ok_or(())?;
        let value = if value.is_empty() {
            None
        } else {
            Some(value.parse().map_err(|_| ())?)
        };
        Ok(Self {
            value,
            photo: photo.parse().map_err(|_| ())?,
        })
    }
}

/// Page of a list of photos.
#[derive(Debug, Clone, PartialEq)]
pub struct PhotoListPage {
    /// Photos of the page.
    pub items: Vec<PhotoView>,
    /// Position after which the next page starts; `None` at the end.
    pub next: Option<PhotoPosition>,
}

/// Label with the number of photos that have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagCount {
    /// The label.
    pub label: TagLabel,
    /// Number of photos, without deleted ones.
    pub photos: u64,
}

/// Words of a filename, its extension included.
pub fn words_of_filename(filename: &Filename) -> BTreeSet<SearchWord> {
    SearchWord::all_of(filename.as_str())
}

/// Words of the camera's make and model and of its lens.
pub fn words_of_camera(metadata: &PhotoMetadata) -> BTreeSet<SearchWord> {
    let camera = metadata.camera.iter();
    camera
        .flat_map(|camera| [&camera.make, &camera.model, &camera.lens])
        .flatten()
        .flat_map(|text| SearchWord::all_of(text))
        .collect()
}

/// Words of labels.
pub fn words_of_tags<'a>(labels: impl IntoIterator<Item = &'a TagLabel>) -> BTreeSet<SearchWord> {
    let labels = labels.into_iter();
    labels
        .flat_map(|label| SearchWord::all_of(label.as_str()))
        .collect()
}
