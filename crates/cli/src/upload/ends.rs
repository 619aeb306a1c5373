use std::collections::{BTreeMap, BTreeSet};

use rapidphoto_client::{
    ClientError, Session, WatchEvent,
    types::{PhotoStatus, Reason},
};
use tokio::sync::watch;

use crate::output::chain;

/// Final state of a photo.
#[derive(Debug, Clone)]
pub(crate) struct End {
    pub(crate) status: PhotoStatus,
    pub(crate) reasons: Vec<Reason>,
    pub(crate) warnings: Vec<Reason>,
}

/// Final states of photos as they become known, by photo id; or the reason why one is not waited for any more.
#[derive(Debug)]
pub(crate) struct Ends {
    known: watch::Sender<BTreeMap<String, Result<End, String>>>,
}

impl Ends {
    pub(crate) fn new() -> Self {
        Self {
            known: watch::Sender::default(),
        }
    }

    /// Waits for the end of a photo.
    pub(crate) async fn of(&self, photo_id: &str) -> Result<End, String> {
        let mut known = self.known.subscribe();
        let known = known.wait_for(|known| known.contains_key(photo_id)).await;
        let end = known.ok().and_then(|known| known.get(photo_id).cloned());
        end.unwrap_or_else(|| Err("its end is unknown".to_owned()))
    }

    pub(crate) fn set(&self, photo_id: &str, end: Result<End, String>) {
        self.known.send_modify(|known| {
            known.entry(photo_id.to_owned()).or_insert(end);
        });
    }

    /// Watches a job until the ends of these photos are known.
    pub(crate) async fn watch(&self, session: &Session, job_id: &str, photos: &BTreeSet<&str>) {
        let mut known = self.known.subscribe();
        let all = known.wait_for(|known| photos.iter().all(|photo| known.contains_key(*photo)));
        let error = tokio::select! {
            _ = all => return,
            error = self.follow(session, job_id, photos) => error,
        };
        let error = format!("the job can't be watched: {}", chain(error));
        for photo in photos {
            self.set(photo, Err(error.clone()));
        }
    }

    /// Follows a job; returns only on an error.
    async fn follow(&self, session: &Session, job_id: &str, photos: &BTreeSet<&str>) -> ClientError {
        let mut stream = session.watch_job(job_id);
        let ours = |id: &str, status: PhotoStatus| status.is_terminal() && photos.contains(id);
        loop {
            match stream.next().await {
                Ok(WatchEvent::Snapshot(snapshot)) => {
                    for photo in snapshot
                        .photos
                        .into_iter()
                        .filter(|photo| ours(&photo.photo_id, photo.status))
                    {
                        let end = End {
                            status: photo.status,
                            reasons: photo.reasons,
                            warnings: photo.warnings,
                        };
                        self.set(&photo.photo_id, Ok(end));
                    }
                }
                Ok(WatchEvent::Photo(photo)) if photo.deleted => {
                    self.set(&photo.photo_id, Err("it was deleted meanwhile".to_owned()));
                }
                Ok(WatchEvent::Photo(photo)) => {
                    if let Some(status) = photo.status.filter(|status| ours(&photo.photo_id, *status)) {
                        let end = End {
                            status,
                            reasons: photo.reasons,
                            warnings: photo.warnings,
                        };
                        self.set(&photo.photo_id, Ok(end));
                    }
                }
                Ok(_) => {}
                Err(error) => return error,
            }
        }
    }
}
