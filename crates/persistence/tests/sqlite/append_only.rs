use diesel::{
    QueryableByName, RunQueryDsl as _, SqliteConnection, connection::SimpleConnection as _, sql_query,
};
use rapidphoto_application::ports::{EventLog as _, Journal as _};
use rapidphoto_domain::Version;

use crate::{commits::new_job, support::TestStore};

/// SQL statements that change the log; each must fail.
const FORBIDDEN_CHANGES: [&str; 8] = [
    "UPDATE events SET payload = '{}'",
    "UPDATE OR REPLACE events SET version = 1",
    "DELETE FROM events",
    "DELETE FROM events WHERE position = 1",
    // By position, by event id, and by stream and version: REPLACE deletes every conflicting row.
    "REPLACE INTO events SELECT * FROM events",
    "REPLACE INTO events (namespace, event_id, stream_type, stream_id, version, owner, event_type, schema_version,
                          payload, metadata, occurred_at)
     SELECT namespace, event_id, 'job', 'another', 1, owner, event_type, 1, '{}', '{}', 0 FROM events",
    "INSERT OR REPLACE INTO events (namespace, event_id, stream_type, stream_id, version, owner, event_type,
                          schema_version, payload, metadata, occurred_at)
     SELECT namespace, 'another', stream_type, stream_id, version, owner, event_type, 1, '{}', '{}', 0 FROM events",
    "INSERT INTO events SELECT * FROM events WHERE true
     ON CONFLICT (namespace, event_id) DO UPDATE SET payload = '{}'",
];

#[tokio::test]
async fn stored_events_cannot_be_changed() {
    let db = TestStore::new().await;
    let (commit, job) = new_job(db.now());
    db.store.commit(commit).await.unwrap();
    let stored = db.store.events(job.into(), Version::NEW).await.unwrap();
    assert_eq!(stored.len(), 1);
    for recursive in ["OFF", "ON"] {
        let mut raw_connection = db.raw_connection();
        raw_connection
            .batch_execute(&format!("PRAGMA recursive_triggers = {recursive}"))
            .unwrap();
        for change in FORBIDDEN_CHANGES {
            let error = raw_connection.batch_execute(change).unwrap_err();
            assert_eq!(error.to_string(), "the event log is append-only", "{change}");
        }
        // The insert trigger does not reject valid rows.
        assert_eq!(count(&mut raw_connection), 1);
    }
    assert_eq!(db.store.events(job.into(), Version::NEW).await.unwrap(), stored);
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    events: i64,
}

fn count(connection: &mut SqliteConnection) -> i64 {
    sql_query("SELECT count(*) AS events FROM events")
        .get_result::<Count>(connection)
        .unwrap()
        .events
}
