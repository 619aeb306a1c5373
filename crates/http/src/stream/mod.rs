//! Streams of live events, as server-sent events (`text/event-stream` of the HTML standard) or over a WebSocket.

mod encoder;
mod forwarder;
mod frame;
mod slots;
mod websocket;

use std::convert::Infallible;

use actix_web::{HttpResponse, http::header};
use futures::{StreamExt as _, stream};
use rapidphoto_application::live::LiveStream;
use rapidphoto_domain::UserId;
use tokio::{sync::mpsc, task::JoinHandle};

use crate::{call::Call, problem::Problem};
use encoder::EventEncoder;
use forwarder::{Ended, Forwarder};
use frame::{Frame, PREAMBLE};
pub(crate) use slots::{StreamSlot, StreamSlots};
pub(crate) use websocket::upgrade;

/// Number of frames buffered for a slow client. Further events wait in the live tail, which disconnects a watcher that
/// falls too far behind.
const FRAME_BUFFER: usize = 64;

/// Response that streams live events to the client, as long as it holds its `slot`.
pub(crate) fn response(
    call: &Call,
    owner: UserId,
    live: LiveStream,
    slot: StreamSlot,
) -> Result<HttpResponse, Problem> {
    let (frames, _forwarding) = forward(call, owner, live, slot)?;
    let frames = stream::unfold(frames, |mut frames| async move {
        let frame = frames.recv().await?;
        Some((frame.into_sse(), frames))
    });
    let preamble = stream::once(async { PREAMBLE });
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((header::CACHE_CONTROL, "no-store, no-transform"))
        // Disables response buffering in nginx and compatible proxies.
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(preamble.chain(frames).map(Ok::<_, Infallible>)))
}

/// Frames of live events, and the task that forwards them. Events are read and encoded on the main runtime; the worker
/// thread only writes frames.
fn forward(
    call: &Call,
    owner: UserId,
    live: LiveStream,
    slot: StreamSlot,
) -> Result<(mpsc::Receiver<Frame>, JoinHandle<Ended>), Problem> {
    let config = &call.shared.app.config;
    let (frames, receiver) = mpsc::channel(FRAME_BUFFER);
    let session = call.context.session()?;
    let forwarder = Forwarder {
        owner,
        use_cases: call.use_cases(),
        live,
        frames,
        encoder: EventEncoder::new(owner, call.shared.cursors.clone(), config.poll_after),
        heartbeat: config.heartbeat,
        closing: call.shared.closing.clone(),
        slot,
        session: call.use_cases().session_watches.watch(session),
    };
    Ok((receiver, call.shared.app.main_runtime.spawn(forwarder.run())))
}
