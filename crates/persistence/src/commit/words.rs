use std::collections::{BTreeMap, BTreeSet};

use diesel::{
    QueryableByName,
    sql_types::{Nullable, Text},
};
use rapidphoto_application::ports::{
    Details, NewEvent, PhotoMetadata, words_of_camera, words_of_filename, words_of_tags,
};
use rapidphoto_domain::{
    PhotoId,
    photo::Photo,
    values::{Filename, SearchWord, TagLabel},
};

use super::tags::changed_labels;
use crate::{error::StoreError, rows::parsed};

/// Changes of the index of photos by word, to be written in the order of the fields.
#[derive(Default)]
pub(crate) struct WordChanges {
    /// Photos whose words of one source are removed.
    pub(crate) cleared: Vec<(String, WordSource)>,
    pub(crate) removed: Vec<Word>,
    pub(crate) added: Vec<Word>,
}

/// Word of a photo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) photo: String,
    pub(crate) source: WordSource,
    pub(crate) text: String,
}

/// Part of a photo's data that a word is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WordSource {
    Filename,
    Camera,
    Tag,
}

impl WordSource {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Filename => "filename",
            Self::Camera => "camera",
            Self::Tag => "tag",
        }
    }
}

impl WordChanges {
    /// Collects the changes that details make. Erasing a photo's details discards those given earlier in the same commit.
    pub(crate) fn new(details: &[Details]) -> Self {
        let mut names: BTreeMap<PhotoId, &Filename> = BTreeMap::new();
        let mut metadata: BTreeMap<PhotoId, &PhotoMetadata> = BTreeMap::new();
        let mut erased = BTreeSet::new();
        for detail in details {
            match detail {
                Details::PhotoName { photo, filename } => {
                    names.insert(*photo, filename);
                }
                Details::PhotoMetadata {
                    photo,
                    metadata: read,
                } => {
                    metadata.insert(*photo, read);
                }
                Details::ErasePhoto { photo } => {
                    names.remove(photo);
                    metadata.remove(photo);
                    erased.insert(*photo);
                }
                Details::PhotoHashes { .. }
                | Details::User { .. }
                | Details::Password { .. }
                | Details::EraseUser { .. } => {}
            }
        }
        let mut changes = Self::default();
        for photo in erased.iter().chain(names.keys()) {
            changes.cleared.push((photo.to_string(), WordSource::Filename));
        }
        for photo in erased.iter().chain(metadata.keys()) {
            changes.cleared.push((photo.to_string(), WordSource::Camera));
        }
        for (photo, filename) in names {
            changes.add(photo, WordSource::Filename, words_of_filename(filename));
        }
        for (photo, metadata) in metadata {
            changes.add(photo, WordSource::Camera, words_of_camera(metadata));
        }
        changes
    }

    /// Adds the changes that a photo's new events make; `photo` is the state after them.
    pub(crate) fn add_tags(&mut self, photo: &Photo, events: &[NewEvent]) {
        let changed: BTreeSet<&TagLabel> = events
            .iter()
            .filter_map(|event| changed_labels(photo, &event.event))
            .flatten()
            .collect();
        if changed.is_empty() {
            return;
        }
        let present = if photo.deleted {
            BTreeSet::new()
        } else {
            words_of_tags(&photo.tags)
        };
        let (added, removed) = words_of_tags(changed)
            .into_iter()
            .partition(|word| present.contains(word));
        self.add(photo.id, WordSource::Tag, added);
        self.removed.extend(rows(photo.id, WordSource::Tag, removed));
    }

    /// Drops what the commit need not clear: new photos have no words yet.
    pub(crate) fn keep_new<'a>(&mut self, new_photos: impl Iterator<Item = &'a str>) {
        let new: BTreeSet<&str> = new_photos.collect();
        self.cleared.retain(|(photo, _)| !new.contains(photo.as_str()));
    }

    fn add(&mut self, photo: PhotoId, source: WordSource, words: BTreeSet<SearchWord>) {
        self.added.extend(rows(photo, source, words));
    }
}

fn rows(photo: PhotoId, source: WordSource, words: BTreeSet<SearchWord>) -> impl Iterator<Item = Word> {
    words.into_iter().map(move |word| Word {
        photo: photo.to_string(),
        source,
        text: word.as_str().to_owned(),
    })
}

/// Stored photo whose words are not indexed yet.
#[derive(QueryableByName)]
pub(crate) struct UnindexedPhoto {
    #[diesel(sql_type = Text)]
    pub(crate) namespace: String,
    #[diesel(sql_type = Text)]
    pub(crate) photo_id: String,
    /// JSON array of labels.
    #[diesel(sql_type = Text)]
    tags: String,
    #[diesel(sql_type = Nullable<Text>)]
    filename: Option<String>,
    /// JSON object.
    #[diesel(sql_type = Nullable<Text>)]
    metadata: Option<String>,
}

impl UnindexedPhoto {
    /// Words of the photo.
    pub(crate) fn words(&self) -> Result<Vec<Word>, StoreError> {
        let photo: PhotoId = parsed("photo_id", &self.photo_id)?;
        let malformed = |what: &'static str| move |error| StoreError::malformed(what)(Box::new(error));
        let tags: BTreeSet<TagLabel> = serde_json::from_str(&self.tags).map_err(malformed("tags"))?;
        let mut words: Vec<Word> = rows(photo, WordSource::Tag, words_of_tags(&tags)).collect();
        if let Some(filename) = &self.filename {
            let filename: Filename = parsed("filename", filename)?;
            words.extend(rows(photo, WordSource::Filename, words_of_filename(&filename)));
        }
        if let Some(metadata) = &self.metadata {
            let metadata: PhotoMetadata = serde_json::from_str(metadata).map_err(malformed("metadata"))?;
            words.extend(rows(photo, WordSource::Camera, words_of_camera(&metadata)));
        }
        Ok(words)
    }
}
