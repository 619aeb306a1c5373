use rapidphoto_api_types as api;
use rapidphoto_application::ports::StoredEvent;
use rapidphoto_domain::{DomainEvent, PhotoId, photo::PhotoEvent};
use serde_json::Value;

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
    let (event_type, mut data) = stored.event.encode()?;
    if let (DomainEvent::Photo(PhotoEvent::PhotoMultipartOpened { .. }), Value::Object(members)) =
        (&stored.event, &mut data)
    {
        // The store's identifier of the upload stays within the servers.
        members.remove("id");
    }
    name_codes(&mut data);
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

/// Adds `code`, as snapshots name it, to findings, which are stored with `check`.
fn name_codes(data: &mut Value) {
    match data {
        Value::Array(items) => items.iter_mut().for_each(name_codes),
        Value::Object(members) => {
            members.values_mut().for_each(name_codes);
            if let Some(check @ Value::String(_)) = members.get("check").cloned() {
                members.insert("code".to_owned(), check);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
