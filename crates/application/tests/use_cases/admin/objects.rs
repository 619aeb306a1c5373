use rapidphoto_application::admin::{NamedObject, NamedObjects};
use rapidphoto_memory::TestApp;

#[tokio::test]
async fn all_objects_of_a_completed_photo_are_required() {
    let app = TestApp::new();
    let declared = app.declare(3).await;
    app.put(&declared[0]);
    app.put(&declared[1]);
    app.deliver_storage_events().await;
    app.execute_due().await;
    app.delete(declared[1].photo).await;

    let mut found = Vec::new();
    let named = NamedObjects::new(&app.ports.database, app.settings.storage.keys.clone());
    named.handle(|object| found.push(object)).await.unwrap();
    let required = |object: &&NamedObject| object.required;
    assert_eq!(found.iter().filter(required).count(), 3, "{found:?}");
    for object in found.iter().filter(required) {
        assert_eq!(object.photo, declared[0].photo);
        assert!(app.objects.bytes(&object.key).is_some(), "{object:?}");
    }
    let rest: Vec<_> = found.iter().filter(|object| !object.required).collect();
    assert_eq!(rest.len(), 1, "a deleted photo has no objects: {rest:?}");
    assert_eq!(rest[0].photo, declared[2].photo);
}
