use std::collections::HashMap;

use rapidphoto_application::ports::{Guard, VersionConflict};
use rapidphoto_domain::Version;

/// Streams that are not at their expected version. `actual` has the versions by stream id, without streams that do not
/// exist.
pub(crate) fn conflicts(expected: &[Guard], actual: &HashMap<String, Version>) -> Vec<VersionConflict> {
    expected
        .iter()
        .filter_map(|Guard { stream, version }| {
            let actual = actual.get(&stream.to_string()).copied().unwrap_or_default();
            (actual != *version).then_some(VersionConflict {
                stream: *stream,
                expected: *version,
                actual,
            })
        })
        .collect()
}
