use rapidphoto_api_types as api;
use rapidphoto_application::ports::StoredEvent;
use rapidphoto_domain::PhotoId;

/// Events of a photo.
pub(crate) fn history(
    photo: PhotoId,
    events: Vec<StoredEvent>,
) -> Result<api::PhotoHistory, serde_json::Error> {
    let events = events.into_iter().map(entry).collect::<Result<_, _>>()?;
    Ok(api::PhotoHistory {
        photo_id: photo.to_string(),
        events,
    })
}

fn entry(stored: StoredEvent) -> Result<api::HistoryEntry, serde_json::Error> {
    let (event_type, data) = stored.event.encode()?;
    Ok(api::HistoryEntry {
        event_id: stored.id.to_string(),
        version: stored.version.0,
        event_type,
        occurred_at: stored.occurred_at,
        actor: stored.metadata.actor.map(|user| user.to_string()),
        request_id: stored.metadata.request_id,
        data,
    })
}
