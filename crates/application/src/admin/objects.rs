use std::sync::Arc;

use rapidphoto_domain::{
    PhotoId,
    photo::{Photo, PhotoState},
    values::KeySpace,
};

use crate::ports::{AggregateState, DatabasePorts, StateRows, Unavailable};

/// Objects of all photos that are not deleted, for backups.
#[derive(Clone)]
pub struct NamedObjects {
    rows: Arc<dyn StateRows>,
    keys: KeySpace,
}

/// Object in storage that a photo's state names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedObject {
    /// Photo of the object.
    pub photo: PhotoId,
    /// Bucket of the object.
    pub bucket: String,
    /// Key of the object.
    pub key: String,
    /// True if the photo is lost without the object. Other photos may not have been uploaded yet, or have ended without a
    /// result.
    pub required: bool,
}

/// Rows per read.
const PAGE_SIZE: usize = 500;

impl NamedObjects {
    /// Objects with keys of `keys` that the database behind these ports names.
    pub fn new(database: &DatabasePorts, keys: KeySpace) -> Self {
        Self {
            rows: Arc::clone(&database.state_rows),
            keys,
        }
    }

    /// Calls `visit` with each object.
    pub async fn handle(&self, mut visit: impl FnMut(NamedObject)) -> Result<(), Unavailable> {
        let mut after = None;
        loop {
            let page = self.rows.state_rows(after, PAGE_SIZE).await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after = Some(last.stream);
            for row in page {
                if let AggregateState::Photo(photo) = row.state {
                    self.objects_of(&photo).into_iter().for_each(&mut visit);
                }
            }
        }
    }

    fn objects_of(&self, photo: &Photo) -> Vec<NamedObject> {
        if photo.deleted {
            return Vec::new();
        }
        let object = |key, required| NamedObject {
            photo: photo.id,
            bucket: photo.object.bucket.clone(),
            key,
            required,
        };
        let verified = photo.verified_object().is_some();
        let mut objects = vec![object(photo.object.key.clone(), verified)];
        if let PhotoState::Completed { result } = &photo.state {
            objects.extend(result.thumbnails.iter().map(|thumbnail| {
                let key = self.keys.thumbnail(photo.owner, photo.id, thumbnail.edge);
                object(key, true)
            }));
        }
        objects
    }
}
