use std::fmt;
use std::fs;
use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures::TryStreamExt as _;
use metrics::counter;
use rapidphoto_application::ports::{Clock, GetError, Ids, ObjectBody, ObjectHead, ObjectStore, Unavailable};
use rapidphoto_domain::values::{Checksum, ETag};
use tokio::io::AsyncReadExt as _;
use tokio_util::io::ReaderStream;

use crate::backend::{READ_BYTES, blocking};
use crate::config::EmbeddedConfig;
use crate::directory::{
    Checksums, Creation, Digests, Directory, ObjectHeaders, ObjectRecord, OpenError, Precondition,
    Publication, StoredObject, etag,
};

/// The objects of an open directory, for the process that serves it: without HTTP, signatures and copies between sockets.
///
/// Objects that this process stores are not announced by an event notification, and may use the space that uploads of clients must
/// leave: it finishes what was accepted.
#[derive(Clone)]
pub struct EmbeddedObjects {
    pub(crate) directory: Arc<Directory>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn Ids>,
    pub(crate) max_object_bytes: u64,
}

impl EmbeddedObjects {
    /// Opens and locks the directory, and removes the files of unfinished uploads. Blocks on file-system calls.
    ///
    /// # Errors
    /// [`OpenError`] if the configuration is invalid or the directory can't be opened.
    pub fn open(
        config: &EmbeddedConfig,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
    ) -> Result<Self, OpenError> {
        config.check().map_err(OpenError::Configuration)?;
        let directory = Directory::open(&config.root, &config.bucket)?;
        Ok(Self {
            directory: Arc::new(directory),
            clock,
            ids,
            max_object_bytes: config.max_object_bytes,
        })
    }

    /// Runs `work` on a thread that may block. Counts failures.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&Directory) -> io::Result<T> + Send + 'static,
    ) -> Result<T, Unavailable> {
        let directory = Arc::clone(&self.directory);
        blocking(move || work(&directory)).await.map_err(|error| {
            counter!("storage_errors_total", "operation" => operation).increment(1);
            Unavailable::storage(error)
        })
    }
}

impl fmt::Debug for EmbeddedObjects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedObjects").finish_non_exhaustive()
    }
}

#[async_trait]
impl ObjectStore for EmbeddedObjects {
    async fn head(&self, key: &str) -> Result<Option<ObjectHead>, Unavailable> {
        let key = key.to_owned();
        let stored = self.run("head", move |directory| directory.find(&key)).await?;
        stored.map(|stored| head(&stored)).transpose()
    }

    async fn get(&self, key: &str, if_match: &ETag) -> Result<ObjectBody, GetError> {
        let key = key.to_owned();
        let stored = self.run("get", move |directory| directory.find(&key)).await?;
        let StoredObject { file, size, record } = stored.ok_or(GetError::Missing)?;
        if e_tag(&record)? != *if_match {
            return Err(GetError::Changed);
        }
        let mut file = tokio::fs::File::from_std(file);
        file.set_max_buf_size(READ_BYTES);
        tokio::io::AsyncSeekExt::rewind(&mut file)
            .await
            .map_err(Unavailable::storage)?;
        let stream = ReaderStream::with_capacity(file.take(size), READ_BYTES);
        Ok(ObjectBody {
            bytes: size,
            checksum: checksum(&record),
            stream: Box::pin(stream.map_err(Unavailable::storage)),
        })
    }

    async fn put(&self, key: &str, body: Bytes, content_type: &str) -> Result<ETag, Unavailable> {
        let (name, sequencer, modified) = (self.ids.ulid(), self.ids.ulid(), self.clock.now());
        let (key, content_type) = (key.to_owned(), content_type.to_owned());
        let record = self.run("put", move |directory| {
            let mut digests = Digests::default();
            digests.checksums.sha256.get_or_insert_default();
            let received = directory.spool(name, digests)?.append(&body)?.finish();
            let sha256 = received.checksums.checksum_sha256.clone().unwrap_or_default();
            let record = ObjectRecord {
                key,
                etag: etag(&sha256),
                sha256,
                checksums: Checksums::new(),
                creation: Creation::Put,
                modified,
                sequencer: format!("{sequencer:032X}"),
                headers: ObjectHeaders {
                    content_type: Some(content_type),
                    ..ObjectHeaders::default()
                },
                metadata: std::collections::BTreeMap::new(),
            };
            match directory.publish(received, &record, &Precondition::None)? {
                Publication::Stored => Ok(record),
                // Only uploads with a precondition have other results.
                _ => Err(io::Error::other("the object was not replaced")),
            }
        });
        e_tag(&record.await?)
    }

    async fn delete(&self, key: &str) -> Result<(), Unavailable> {
        let key = key.to_owned();
        self.run("delete", move |directory| {
            directory.remove(&key, &Precondition::None).map(drop)
        })
        .await
    }

    async fn check(&self) -> Result<(), Unavailable> {
        self.run("check", |directory| fs::metadata(directory.bucket()).map(drop))
            .await
    }
}

fn head(stored: &StoredObject) -> Result<ObjectHead, Unavailable> {
    Ok(ObjectHead {
        e_tag: e_tag(&stored.record)?,
        bytes: stored.size,
        content_type: stored.record.headers.content_type.clone(),
        checksum: checksum(&stored.record),
    })
}

/// SHA-256 that was computed while the object was stored.
fn checksum(record: &ObjectRecord) -> Option<Checksum> {
    let bytes = STANDARD.decode(&record.sha256).ok()?;
    Some(Checksum::from_bytes(bytes.try_into().ok()?))
}

fn e_tag(record: &ObjectRecord) -> Result<ETag, Unavailable> {
    ETag::parse(&record.etag).map_err(Unavailable::storage)
}
