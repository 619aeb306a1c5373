use std::{collections::HashMap, sync::Arc, time::Duration};

use anyhow::{Context, bail};
use futures::{StreamExt, TryStreamExt, stream};
use rapidphoto_client::{
    ClientError, Session, Transfer, WatchEvent,
    types::{JobItem, Photo, PhotoStatus, ProgressTick},
};
use tokio::sync::Semaphore;

use super::{photos::DemoPhoto, progress_bars::ProgressBars};

/// Concurrent uploads, as many as browsers open connections to a host.
const CONCURRENT_UPLOADS: usize = 6;
/// Interval between progress reports.
const REPORT_INTERVAL: Duration = Duration::from_millis(200);

/// Final state of one photo.
#[derive(Debug, Clone)]
pub(super) struct PhotoResult {
    pub(super) photo: Photo,
}

impl PhotoResult {
    pub(super) fn is_completed(&self) -> bool {
        self.photo.status == PhotoStatus::Completed
    }
}

/// One upload in progress.
struct Upload<'a> {
    item: &'a JobItem,
    photo: &'a DemoPhoto,
    transfer: Transfer,
}

/// Uploads photos as one job and watches them until all are in a final state.
pub(super) async fn run_job(session: &Session, photos: &[DemoPhoto]) -> anyhow::Result<Vec<PhotoResult>> {
    let files: Vec<_> = photos.iter().map(DemoPhoto::file).collect();
    let job = session
        .create_job(&files, None)
        .await
        .context("the job can't be created")?;
    let job_id = job.job_id.clone().context("the response contains no job ID")?;
    let slots = Arc::new(Semaphore::new(CONCURRENT_UPLOADS));
    let uploads: Vec<Upload<'_>> = job
        .items
        .iter()
        .zip(photos)
        .map(|(item, photo)| Upload {
            item,
            photo,
            transfer: Transfer::new(Arc::clone(&slots)),
        })
        .collect();
    let mut bars = ProgressBars::new(&job.items, photos);
    tokio::try_join!(send_all(session, &uploads), watch(session, &job_id, &mut bars))?;
    bars.clear();

    let mut results = Vec::with_capacity(job.items.len());
    for item in &job.items {
        results.push(PhotoResult {
            photo: session.photo(&item.photo_id).await?,
        });
    }
    Ok(results)
}

async fn send_all(session: &Session, uploads: &[Upload<'_>]) -> anyhow::Result<()> {
    let sending = stream::iter(uploads)
        .map(|upload| async move {
            let sent = session
                .upload(upload.item, &upload.photo.content, &upload.transfer)
                .await;
            match sent {
                Err(error @ (ClientError::File(_) | ClientError::Changed { .. })) => {
                    tracing::warn!("skipped: {}: {:#}", upload.photo.name, anyhow::Error::from(error));
                    // Cancels it, so that the job does not wait for it.
                    session.delete_photo(&upload.item.photo_id).await.map(drop)
                }
                other => other.map(drop),
            }
            .with_context(|| format!("{} can't be uploaded", upload.photo.name))
        })
        .buffer_unordered(CONCURRENT_UPLOADS)
        .try_collect::<()>();
    tokio::select! {
        done = sending => done,
        failed = report_progress(session, uploads) => failed,
    }
}

/// Reports progress until it is dropped; returns only on an error.
async fn report_progress(session: &Session, uploads: &[Upload<'_>]) -> anyhow::Result<()> {
    loop {
        tokio::time::sleep(REPORT_INTERVAL).await;
        let ticks: Vec<ProgressTick> = uploads
            .iter()
            .map(|upload| ProgressTick {
                photo_id: upload.item.photo_id.clone(),
                bytes_sent: upload.transfer.sent(),
                bytes_total: upload.photo.bytes(),
            })
            .filter(|tick| (1..tick.bytes_total).contains(&tick.bytes_sent))
            .collect();
        if !ticks.is_empty() {
            session.report_progress(&ticks).await?;
        }
    }
}

/// Follows the job's event stream until all photos are in a final state.
async fn watch(session: &Session, job_id: &str, bars: &mut ProgressBars) -> anyhow::Result<()> {
    let mut stream = session.watch_job(job_id);
    let mut statuses: HashMap<String, PhotoStatus> = HashMap::new();
    loop {
        match stream.next().await? {
            WatchEvent::Snapshot(snapshot) => {
                for photo in &snapshot.photos {
                    statuses.insert(photo.photo_id.clone(), photo.status);
                    bars.status(&photo.photo_id, photo.status);
                }
            }
            WatchEvent::Photo(event) => {
                if let Some(progress) = event.progress {
                    bars.progress(&event.photo_id, progress.percent);
                }
                if let Some(status) = event.status {
                    bars.status(&event.photo_id, status);
                    statuses.insert(event.photo_id, status);
                }
            }
            WatchEvent::Job(_) => {}
            other => bail!("unknown event in the job's stream: {other:?}"),
        }
        if !statuses.is_empty() && statuses.values().all(|status| status.is_terminal()) {
            return Ok(());
        }
    }
}
