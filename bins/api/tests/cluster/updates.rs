//! A rolling update, seen by the processes of this release: the next one migrates the database under them.

use std::time::Duration;

use tokio::time::sleep;

use crate::{
    deployment::Deployment,
    faults::{MACHINE, completes},
};

/// Version of a migration of the next release.
const NEXT: &str = "99999999999999";

#[tokio::test(flavor = "multi_thread")]
async fn photos_are_completed_once_while_the_next_release_expands_the_schema() {
    let _machine = MACHINE.lock().await;
    let mut deployment = Deployment::start(2, 2).await;
    completes(&mut deployment, 2, async |deployment| {
        sleep(Duration::from_secs(1)).await;
        let tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'";
        let tables = deployment.query(tables);
        assert!(tables.lines().count() > 10, "{tables}");
        for table in tables.lines() {
            deployment.query(&format!(
                "ALTER TABLE {table} ADD COLUMN of_next_release text, ADD COLUMN count_of_next_release integer NOT NULL DEFAULT 0"
            ));
        }
        deployment.query("CREATE INDEX ON photos (namespace, of_next_release)");
        deployment.query("CREATE TABLE albums (album_id text PRIMARY KEY)");
        deployment.query(&format!("INSERT INTO __diesel_schema_migrations (version) VALUES ('{NEXT}')"));
        // A process of this release that starts now could not know what the new columns mean.
        let refused = deployment.command(&["admin", "verify"]);
        assert!(!refused.status.success());
        assert!(String::from_utf8_lossy(&refused.stderr).contains(NEXT), "{refused:?}");
        deployment.query(&format!("DELETE FROM __diesel_schema_migrations WHERE version = '{NEXT}'"));
    })
    .await;
    let written = deployment.query("SELECT count(*) > 100 FROM events WHERE count_of_next_release = 0");
    assert_eq!(written, "t");
}
