use std::{cell::Cell, io::ErrorKind, time::Duration};

use actix_web::HttpResponse;
use actix_ws::{CloseCode, CloseReason, Message, MessageStream, ProtocolError, Session};
use rapidphoto_application::live::LiveStream;
use rapidphoto_domain::UserId;
use tokio::{sync::mpsc, task::JoinHandle, time::timeout};

use super::{Ended, Frame, StreamSlot, forward};
use crate::{call::Call, problem::Problem};

/// Maximum size of a client's frame in bytes. Clients send only control frames, which have at most 125.
const MAX_FRAME: usize = 1024;
/// Time in which a client must take the last frames of a stream.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// Response that turns the connection into a WebSocket with live events, as long as it holds its `slot`.
pub(crate) async fn upgrade(
    mut call: Call,
    owner: UserId,
    live: LiveStream,
    slot: StreamSlot,
) -> Result<HttpResponse, Problem> {
    let (response, session, messages) = call.websocket().await?;
    let (frames, forwarding) = forward(&call, owner, live, slot)?;
    let socket = WebSocket {
        session,
        is_pinged: Cell::new(false),
    };
    let messages = messages.max_frame_size(MAX_FRAME);
    // On the worker thread of the connection, which the messages can't leave.
    actix_web::rt::spawn(socket.run(messages, frames, forwarding));
    Ok(response)
}

struct WebSocket {
    session: Session,
    /// True while a ping has no answer.
    is_pinged: Cell<bool>,
}

impl WebSocket {
    async fn run(
        self,
        messages: MessageStream,
        frames: mpsc::Receiver<Frame>,
        forwarding: JoinHandle<Ended>,
    ) {
        let reason = tokio::select! {
            reason = self.write(frames, forwarding) => reason,
            reason = self.read(messages) => reason,
        };
        if let Some(reason) = reason {
            // A client that doesn't read is not waited for: the connection is closed when the session is dropped.
            let _ = timeout(CLOSE_TIMEOUT, self.session.close(Some(reason))).await;
        }
    }

    /// Writes frames until the stream ends; `None` if the client is gone.
    async fn write(
        &self,
        frames: mpsc::Receiver<Frame>,
        mut forwarding: JoinHandle<Ended>,
    ) -> Option<CloseReason> {
        let mut writing = std::pin::pin!(self.write_frames(frames));
        let ended = tokio::select! {
            written = &mut writing => {
                written?;
                forwarding.await
            }
            ended = &mut forwarding => {
                if !matches!(ended, Ok(Ended::TooSlow)) {
                    let _ = timeout(CLOSE_TIMEOUT, writing).await;
                }
                ended
            }
        };
        let (code, description) = match ended {
            Ok(Ended::Disconnected) => return None,
            Ok(Ended::Complete) => (CloseCode::Normal, "the job is terminal"),
            Ok(Ended::Session) => (CloseCode::Policy, "the session has ended"),
            Ok(Ended::Closing) => (CloseCode::Away, "the server stops; resume after the last event"),
            Ok(Ended::TooSlow) => (
                CloseCode::Again,
                "the client reads too slowly; resume after the last event",
            ),
            Ok(Ended::Failed) | Err(_) => (
                CloseCode::Error,
                "the stream has failed; resume after the last event",
            ),
        };
        Some(reason(code, description))
    }

    /// Writes frames until there are no more; `None` if the client is gone.
    async fn write_frames(&self, mut frames: mpsc::Receiver<Frame>) -> Option<()> {
        let mut session = self.session.clone();
        while let Some(frame) = frames.recv().await {
            match frame.into_message() {
                Some(message) => session.text(message).await.ok()?,
                // The client has had the time between two heartbeats.
                None if self.is_pinged.replace(true) => return None,
                None => session.ping(b"").await.ok()?,
            }
        }
        Some(())
    }

    /// Reads control frames until the client closes the connection; any other frame is an error. `None` if the client is
    /// gone.
    async fn read(&self, mut messages: MessageStream) -> Option<CloseReason> {
        let mut session = self.session.clone();
        loop {
            match messages.recv().await? {
                Ok(Message::Ping(payload)) => session.pong(&payload).await.ok()?,
                Ok(Message::Pong(_)) => self.is_pinged.set(false),
                Ok(Message::Nop) => {}
                Ok(Message::Close(given)) => {
                    return Some(given.unwrap_or_else(|| CloseCode::Normal.into()));
                }
                Ok(Message::Text(_) | Message::Binary(_) | Message::Continuation(_)) => {
                    return Some(reason(CloseCode::Unsupported, "this stream takes no messages"));
                }
                Err(ProtocolError::Overflow) => {
                    return Some(reason(CloseCode::Size, "frames may have 1024 bytes at most"));
                }
                // A text that is not UTF-8.
                Err(ProtocolError::Io(error)) if error.kind() == ErrorKind::InvalidData => {
                    return Some(reason(CloseCode::Unsupported, "this stream takes no messages"));
                }
                Err(ProtocolError::Io(_)) => return None,
                Err(error) => return Some(reason(CloseCode::Protocol, &error.to_string())),
            }
        }
    }
}

fn reason(code: CloseCode, description: &str) -> CloseReason {
    CloseReason {
        code,
        description: Some(description.to_owned()),
    }
}
