//! Server-sent events (`text/event-stream` of the HTML standard).

mod encoder;
mod forwarder;
mod frame;
mod slots;

use actix_web::{HttpResponse, http::header};
use bytes::Bytes;
use futures::stream;
use rapidphoto_application::live::LiveStream;
use rapidphoto_domain::UserId;
use tokio::sync::mpsc;

use crate::{call::Call, problem::Problem};
use encoder::EventEncoder;
use forwarder::Forwarder;
pub(crate) use slots::{StreamSlot, StreamSlots};

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
    let config = &call.shared.app.config;
    let (frames, receiver) = mpsc::channel::<Bytes>(FRAME_BUFFER);
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
    // Events are read and encoded on the main runtime; the worker thread only writes frames.
    call.shared.app.main_runtime.spawn(forwarder.run());
    let body = stream::unfold(receiver, |mut receiver| async move {
        let frame = receiver.recv().await?;
        Some((Ok::<_, std::convert::Infallible>(frame), receiver))
    });
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((header::CACHE_CONTROL, "no-store, no-transform"))
        // Disables response buffering in nginx and compatible proxies.
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(body))
}
