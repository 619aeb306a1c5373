//! Messages recorded from real stores, in `tests/fixtures/storage-events`.

use std::{collections::BTreeMap, fs, path::Path};

use rapidphoto_application::intake::StorageMessage;

/// Messages by file name.
fn recorded() -> BTreeMap<String, StorageMessage> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/storage-events");
    fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let message = StorageMessage::read(&fs::read(&path).unwrap());
            (
                name.clone(),
                message.unwrap_or_else(|error| panic!("{name}: {error}")),
            )
        })
        .collect()
}

#[test]
fn keys_of_recorded_messages_are_decoded() {
    let mut new_objects = 0;
    for (name, message) in recorded() {
        assert!(message.malformed.is_empty(), "{name}");
        if name.contains("test-event") {
            continue;
        }
        let [event] = message.created.as_slice() else {
            panic!("{name}: one new object, not {:?}", message.created);
        };
        assert_eq!(event.bucket, "uploads", "{name}");
        assert_eq!(event.key, "in/a b+ü.jpg", "{name}");
        assert_eq!(event.size, Some(1000), "{name}");
        assert!(message.ignored.is_empty(), "{name}");
        new_objects += 1;
    }
    assert!(new_objects >= 13, "only {new_objects} recorded messages");
}

#[test]
fn recorded_test_events_are_ignored() {
    let messages = recorded();
    let tests = messages.iter().filter(|(name, _)| name.contains("test-event"));
    let ignored = tests.map(|(name, message)| {
        assert!(message.created.is_empty(), "{name}");
        assert_eq!(message.ignored, ["s3:TestEvent"], "{name}");
    });
    assert!(ignored.count() >= 3);
}
