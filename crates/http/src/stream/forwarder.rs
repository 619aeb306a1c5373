use std::{sync::Arc, time::Duration};

use futures::StreamExt;
use rapidphoto_api_types::StreamEndReason;
use rapidphoto_application::{
    UseCases,
    auth::SessionWatch,
    live::{LiveError, LiveStream},
};
use rapidphoto_domain::UserId;
use tokio::sync::{mpsc, watch};

use super::{
    StreamSlot,
    encoder::{EventEncoder, end},
    frame::Frame,
};

/// Forwards live events to one client until the client disconnects, is too slow, or the server stops. A disconnected
/// client resumes at its last event.
pub(super) struct Forwarder {
    pub(super) owner: UserId,
    /// Source of the declared size of photos that the stream has not seen before.
    pub(super) use_cases: Arc<UseCases>,
    pub(super) live: LiveStream,
    pub(super) frames: mpsc::Sender<Frame>,
    pub(super) encoder: EventEncoder,
    pub(super) heartbeat: Duration,
    pub(super) closing: watch::Receiver<bool>,
    /// Place among the streams of the user.
    pub(super) slot: StreamSlot,
    /// Session of the access token or ticket that opened the stream.
    pub(super) session: SessionWatch,
}

/// Time in which a client must read at least one of its buffered frames.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// Reason for the end of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// The job is terminal.
    Complete,
    /// The client has disconnected.
    Disconnected,
    /// The client reads too slowly.
    TooSlow,
    /// The session has ended.
    Session,
    /// The server stops.
    Closing,
    /// The log can't be read, or an event can't be encoded.
    Failed,
}

impl Forwarder {
    pub(super) async fn run(self) -> Ended {
        let Self {
            owner,
            use_cases,
            mut live,
            frames,
            mut encoder,
            heartbeat,
            mut closing,
            slot,
            mut session,
        } = self;
        let client = frames.clone();
        let forwarding = async {
            loop {
                // The time-out restarts with every event: a busy stream needs no heartbeat.
                match tokio::time::timeout(heartbeat, live.next()).await {
                    Err(_elapsed) => send(&frames, Frame::Heartbeat).await?,
                    Ok(None) => return Err::<(), Ended>(Ended::Complete),
                    Ok(Some(Ok(item))) => {
                        if let Some(photo) = encoder.needs_size_of(&item)
                            && let Ok(Some(found)) = use_cases.show_photo.handle(owner, photo).await
                        {
                            encoder.set_size(photo, found.view.photo.declared.bytes);
                        }
                        if let Some(frame) = encoder.encode(&item).map_err(|error| failed(&error))? {
                            send(&frames, frame).await?;
                        }
                    }
                    Ok(Some(Err(LiveError::Lagged))) => {
                        tracing::info!("disconnecting a stream whose client reads too slowly");
                        return Err(Ended::TooSlow);
                    }
                    Ok(Some(Err(error))) => return Err(failed(&error)),
                }
            }
        };
        let ended = tokio::select! {
            forwarded = forwarding => forwarded.err().unwrap_or(Ended::Complete),
            () = client.closed() => Ended::Disconnected,
            () = session.ended() => {
                tracing::info!(userId = %owner, "closing a stream whose session has ended");
                if let Ok(frame) = end(StreamEndReason::SessionEnded) {
                    // A client that doesn't read is not waited for.
                    let _ = client.try_send(frame);
                }
                Ended::Session
            }
            _ = closing.wait_for(|closing| *closing) => Ended::Closing,
        };
        drop(slot);
        ended
    }
}

async fn send(frames: &mpsc::Sender<Frame>, frame: Frame) -> Result<(), Ended> {
    match tokio::time::timeout(WRITE_TIMEOUT, frames.send(frame)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(Ended::Disconnected),
        Err(_elapsed) => Err(Ended::TooSlow),
    }
}

fn failed(error: &(dyn std::error::Error + 'static)) -> Ended {
    tracing::error!(error, "disconnecting a stream after an error");
    Ended::Failed
}
