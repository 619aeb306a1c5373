use diesel::{
    QueryableByName, RunQueryDsl as _, SqliteConnection, connection::SimpleConnection as _, sql_query,
};
use rapidphoto_application::ports::{EventLog as _, Journal as _};
use rapidphoto_domain::Version;

use crate::support::{Rig, new_job};

/// A change to the log by somebody who knows SQL, each refused.
const ATTEMPTS: [&str; 8] = [
    "UPDATE events SET payload = '{}'",
    "UPDATE OR REPLACE events SET version = 1",
    "DELETE FROM events",
    "DELETE FROM events WHERE position = 1",
    // By position, by event id and by stream and version: REPLACE deletes whatever stands in its way.
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
async fn nobody_changes_the_log() {
    let rig = Rig::new().await;
    let (commit, job) = new_job(rig.now());
    rig.store.commit(commit).await.unwrap();
    let before = rig.store.events(job.into(), Version::NEW).await.unwrap();
    assert_eq!(before.len(), 1);
    for recursive in ["OFF", "ON"] {
        let mut stranger = rig.stranger();
        stranger
            .batch_execute(&format!("PRAGMA recursive_triggers = {recursive}"))
            .unwrap();
        for attempt in ATTEMPTS {
            let refused = stranger.batch_execute(attempt).unwrap_err();
            assert_eq!(refused.to_string(), "the event log is append-only", "{attempt}");
        }
        // A new event is no change.
        assert_eq!(count(&mut stranger), 1);
    }
    assert_eq!(rig.store.events(job.into(), Version::NEW).await.unwrap(), before);
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
