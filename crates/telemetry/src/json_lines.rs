use std::fmt;

use serde_json::{Map, Value};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    fmt::{
        FmtContext, FormatEvent, FormattedFields,
        format::{Format, Json, JsonFields, Writer},
    },
    registry::LookupSpan,
};

/// Ids that are members of a line itself. A line whose event lacks one has that of the innermost span with it.
const IDS: [&str; 4] = ["traceId", "jobId", "photoId", "userId"];

/// JSON lines with the ids of the spans around them, so that `photoId` finds all lines about a photo.
pub(crate) struct JsonLines(Format<Json>);

impl JsonLines {
    pub(crate) fn new() -> Self {
        Self(Format::default().json().flatten_event(true).with_span_list(false))
    }
}

impl<S> FormatEvent<S, JsonFields> for JsonLines
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, JsonFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = String::new();
        self.0.format_event(context, Writer::new(&mut line), event)?;
        let ids = missing_ids(context, event);
        match line.trim_end().strip_suffix('}') {
            Some(members) if !ids.is_empty() => {
                writer.write_str(members)?;
                for (name, id) in ids {
                    write!(writer, ",\"{name}\":{id}")?;
                }
                writer.write_str("}\n")
            }
            _ => writer.write_str(&line),
        }
    }
}

/// Ids of the spans around an event that the event itself does not have.
fn missing_ids<S>(context: &FmtContext<'_, S, JsonFields>, event: &Event<'_>) -> Vec<(&'static str, Value)>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let mut missing = Missing(IDS.to_vec());
    event.record(&mut missing);
    let mut found = Vec::new();
    for span in context.event_scope().into_iter().flatten() {
        if missing.0.is_empty() {
            break;
        }
        let extensions = span.extensions();
        let fields = extensions.get::<FormattedFields<JsonFields>>();
        // A span without fields has none of the ids.
        let Some(Ok(mut fields)) = fields.map(|fields| serde_json::from_str::<Map<String, Value>>(fields))
        else {
            continue;
        };
        missing.0.retain(|name| match fields.remove(*name) {
            Some(id) => {
                found.push((*name, id));
                false
            }
            None => true,
        });
    }
    found
}

/// Ids that an event does not have.
struct Missing(Vec<&'static str>);

impl Visit for Missing {
    fn record_debug(&mut self, field: &Field, _: &dyn fmt::Debug) {
        self.0.retain(|name| *name != field.name());
    }
}
