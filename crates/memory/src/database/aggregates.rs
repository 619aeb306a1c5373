use std::{collections::BTreeSet, ops::Bound};

use async_trait::async_trait;
use rapidphoto_application::ports::{
    AggregateRow, AggregateState, Aggregates, StateRows, TagMismatch, TracedPhoto, Unavailable,
    UsageMismatch, Versioned,
};
use rapidphoto_domain::{JobId, PhotoId, StreamId, UserId, job::UploadJob, photo::Photo, user::User};

use super::{MemoryStore, namespace::Namespace};

#[async_trait]
impl Aggregates for MemoryStore {
    async fn photo(&self, id: PhotoId) -> Result<Option<Versioned<Photo>>, Unavailable> {
        self.read(|namespace| photo(namespace, id)).await
    }

    async fn traced_photo(&self, id: PhotoId) -> Result<Option<TracedPhoto>, Unavailable> {
        self.read(|namespace| {
            let first = namespace.streams.get(&id.into())?.first()?;
            Some(TracedPhoto {
                photo: photo(namespace, id)?,
                traceparent: namespace.log.get(first)?.metadata.traceparent.clone(),
            })
        })
        .await
    }

    async fn job(&self, id: JobId) -> Result<Option<Versioned<UploadJob>>, Unavailable> {
        self.read(|namespace| {
            let row = namespace.state(id)?;
            match &row.state {
                AggregateState::Job(job) => Some(Versioned {
                    version: row.version,
                    value: job.clone(),
                }),
                AggregateState::Photo(_) | AggregateState::User(_) => None,
            }
        })
        .await
    }

    async fn user(&self, id: UserId) -> Result<Option<Versioned<User>>, Unavailable> {
        self.read(|namespace| {
            let row = namespace.state(id)?;
            match &row.state {
                AggregateState::User(user) => Some(Versioned {
                    version: row.version,
                    value: user.clone(),
                }),
                AggregateState::Photo(_) | AggregateState::Job(_) => None,
            }
        })
        .await
    }

    async fn photos_of_job(&self, job: JobId) -> Result<Vec<Versioned<Photo>>, Unavailable> {
        self.read(|namespace| {
            let ids = namespace.photos_of_jobs.get(&job).into_iter().flatten();
            ids.filter_map(|id| photo(namespace, *id)).collect()
        })
        .await
    }

    async fn open_jobs(&self, jobs: &[JobId]) -> Result<BTreeSet<JobId>, Unavailable> {
        self.read(|namespace| {
            let is_open = |id: &PhotoId| {
                let row = namespace.photo_row(*id);
                row.is_some_and(|(photo, _)| !photo.status().is_terminal())
            };
            let photos = |job| namespace.photos_of_jobs.get(job).into_iter().flatten();
            let open = jobs.iter().filter(|job| photos(job).any(is_open));
            open.copied().collect()
        })
        .await
    }
}

fn photo(namespace: &Namespace, id: PhotoId) -> Option<Versioned<Photo>> {
    let (photo, row) = namespace.photo_row(id)?;
    Some(Versioned {
        version: row.version,
        value: photo.clone(),
    })
}

#[async_trait]
impl StateRows for MemoryStore {
    async fn state_rows(
        &self,
        after: Option<StreamId>,
        limit: usize,
    ) -> Result<Vec<AggregateRow>, Unavailable> {
        self.read(|namespace| {
            let from = after.map_or(Bound::Unbounded, Bound::Excluded);
            namespace
                .rows
                .range((from, Bound::Unbounded))
                .take(limit)
                .map(|(stream, row)| AggregateRow {
                    stream: *stream,
                    version: row.version,
                    state: row.state.clone(),
                })
                .collect()
        })
        .await
    }

    async fn stream_count(&self) -> Result<u64, Unavailable> {
        self.read(|namespace| namespace.streams.len() as u64).await
    }

    /// Lists are filtered by the states themselves: there is no index that could differ from them.
    async fn tag_mismatches(&self) -> Result<Vec<TagMismatch>, Unavailable> {
        self.read(|_| Vec::new()).await
    }

    /// Usage is counted from the states themselves: nothing is stored that could differ from them.
    async fn usage_mismatches(&self) -> Result<Vec<UsageMismatch>, Unavailable> {
        self.read(|_| Vec::new()).await
    }
}
