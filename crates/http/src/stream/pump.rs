use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures::StreamExt;
use rapidphoto_application::{
    UseCases,
    live::{LiveError, LiveStream},
};
use rapidphoto_domain::UserId;
use tokio::sync::{mpsc, watch};

use super::{
    frame::{HEARTBEAT, PREAMBLE},
    teller::Teller,
};

/// Moves what happens to one client, until it goes away, falls behind, or the server stops. A client that is cut off
/// resumes where it was.
pub(super) struct Pump {
    pub(super) owner: UserId,
    /// Tells the length of a photo that the stream has not told of before.
    pub(super) use_cases: Arc<UseCases>,
    pub(super) live: LiveStream,
    pub(super) frames: mpsc::Sender<Bytes>,
    pub(super) teller: Teller,
    pub(super) heartbeat: Duration,
    pub(super) closing: watch::Receiver<bool>,
}

/// How long a client may take none of the frames that wait for it.
const STALLED: Duration = Duration::from_secs(30);

/// The stream is over.
struct Over;

impl Pump {
    pub(super) async fn run(self) {
        let Self {
            owner,
            use_cases,
            mut live,
            frames,
            mut teller,
            heartbeat,
            mut closing,
        } = self;
        let gone = frames.clone();
        let telling = async {
            send(&frames, PREAMBLE).await?;
            loop {
                // Whether a pause or an item comes first, the next pause begins anew: a busy stream needs no comments.
                match tokio::time::timeout(heartbeat, live.next()).await {
                    Err(_elapsed) => send(&frames, HEARTBEAT).await?,
                    Ok(None) => return Err::<(), Over>(Over),
                    Ok(Some(Ok(item))) => {
                        if let Some(photo) = teller.lacks(&item)
                            && let Ok(Some(shown)) = use_cases.show_photo.handle(owner, photo).await
                        {
                            teller.note_length(photo, shown.view.photo.declared.bytes);
                        }
                        if let Some(frame) = teller.frame(&item).map_err(|why| broken(&why))? {
                            send(&frames, frame).await?;
                        }
                    }
                    Ok(Some(Err(LiveError::Lagged))) => {
                        tracing::info!("a watcher has fallen behind and is cut off");
                        return Err(Over);
                    }
                    Ok(Some(Err(why))) => return Err(broken(&why)),
                }
            }
        };
        tokio::select! {
            _ = telling => {}
            () = gone.closed() => {}
            _ = closing.wait_for(|closing| *closing) => {}
        }
    }
}

async fn send(frames: &mpsc::Sender<Bytes>, frame: Bytes) -> Result<(), Over> {
    match tokio::time::timeout(STALLED, frames.send(frame)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(Over),
    }
}

fn broken(why: &(dyn std::error::Error + 'static)) -> Over {
    tracing::error!(error = why, "a stream is cut off");
    Over
}
