use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use rapidphoto_application::ports::{MessageError, StorageMessages};
use tokio::sync::watch;

/// Records every event notification. Processing can be paused, or made to fail.
#[derive(Default)]
pub(crate) struct NotificationRecorder {
    received: Mutex<Vec<serde_json::Value>>,
    failing: AtomicBool,
    paused: watch::Sender<bool>,
}

impl NotificationRecorder {
    /// Makes the processing of every notification fail from now on.
    pub(crate) fn fail(&self) {
        self.failing.store(true, Ordering::SeqCst);
    }

    /// Blocks processing until [`resume`](Self::resume) is called.
    pub(crate) fn pause(&self) {
        self.paused.send_replace(true);
    }

    pub(crate) fn resume(&self) {
        self.paused.send_replace(false);
    }

    pub(crate) fn received(&self) -> Vec<serde_json::Value> {
        self.received.lock().unwrap().clone()
    }

    /// The `object` member of each notification, in order of arrival.
    pub(crate) fn objects(&self) -> Vec<serde_json::Value> {
        self.received()
            .iter()
            .map(|message| message["Records"][0]["s3"]["object"].clone())
            .collect()
    }
}

#[async_trait::async_trait]
impl StorageMessages for NotificationRecorder {
    async fn take(&self, body: Bytes) -> Result<(), MessageError> {
        self.paused.subscribe().wait_for(|paused| !paused).await.unwrap();
        self.received
            .lock()
            .unwrap()
            .push(serde_json::from_slice(&body).unwrap());
        if self.failing.load(Ordering::SeqCst) {
            return Err(MessageError::Unavailable("the database is unavailable".into()));
        }
        Ok(())
    }
}
