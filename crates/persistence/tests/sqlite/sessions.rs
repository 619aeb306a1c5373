use std::time::Duration;

use diesel::connection::SimpleConnection as _;
use rapidphoto_application::ports::{
    DatabasePorts, Rotation, Session, SessionId, Sessions as _, TokenHash, TokenRotation,
};
use rapidphoto_contracts::database::fixtures;
use rapidphoto_domain::Timestamp;

use crate::support::{TestStore, open};

/// The first migration, which has created the table of refresh tokens.
const FIRST: &str = include_str!("../../../../migrations/sqlite/00000000000001_the_record/up.sql");

/// The statements of the first migration that concern refresh tokens and stream tickets.
fn old_tables() -> String {
    let concerns = |statement: &&str| {
        ["refresh_tokens", "stream_tickets"]
            .iter()
            .any(|table| statement.contains(&format!(" {table} (")))
    };
    FIRST.split_inclusive(';').filter(concerns).collect()
}

fn hash(seed: u8) -> String {
    format!("X'{}'", format!("{seed:02x}").repeat(32))
}

#[tokio::test]
async fn the_migration_keeps_logins_and_drops_what_was_revoked() {
    let db = TestStore::new().await;
    let user = fixtures::user_id();
    let now = db.now();
    let path = db.directory.path().join("record.db");
    db.store.close().await;
    let millis = |at: Timestamp| at.timestamp_millis();
    let expires_at = now + Duration::from_hours(1);
    let row = |token: u8, family: u8, revoked: bool, successor: Option<u8>| {
        let rotated_at = successor.map_or("NULL".to_owned(), |_| millis(now).to_string());
        let successor = successor.map_or("NULL".to_owned(), hash);
        format!(
            "INSERT INTO refresh_tokens VALUES ('test', {}, {}, '{user}', 'photos:read', {}, {}, {rotated_at}, {successor});",
            hash(token),
            hash(family),
            millis(expires_at),
            i32::from(revoked),
        )
    };
    let rows = [
        // Rotated twice.
        row(1, 1, false, Some(2)),
        row(2, 1, false, Some(3)),
        row(3, 1, false, None),
        // Never rotated.
        row(4, 4, false, None),
        // Revoked.
        row(5, 5, true, Some(6)),
        row(6, 5, true, None),
    ];
    db.raw_connection()
        .batch_execute(&format!(
            "DROP TABLE sessions; DROP TABLE stream_tickets; {} {}
             DELETE FROM __diesel_schema_migrations WHERE version = '00000000000040'",
            old_tables(),
            rows.concat(),
        ))
        .unwrap();

    let migrated = open(&path, "test", db.clock.clone()).await.unwrap();

    let session = |token: u8| migrated.session_of(TokenHash([token; 32]));
    let (first, second) = (SessionId([1; 16]), SessionId([4; 16]));
    for (token, expected) in [
        (1, None),
        (2, Some(first)),
        (3, Some(first)),
        (4, Some(second)),
        (5, None),
        (6, None),
    ] {
        assert_eq!(session(token).await.unwrap(), expected, "{token}");
    }
    let ends_at = expires_at + Duration::from_hours(150 * 24);
    let rotate = async |session, token: u8| {
        let rotation = TokenRotation {
            session,
            token: TokenHash([token; 32]),
            successor: TokenHash([9; 32]),
            now,
            grace: Duration::from_secs(30),
            expires_at: ends_at + Duration::from_hours(1),
        };
        migrated.rotate(&rotation).await.unwrap()
    };
    let kept = |id, expires_at| Session {
        id,
        user,
        scopes: [rapidphoto_application::ports::Scope::PhotosRead]
            .into_iter()
            .collect(),
        expires_at,
        ends_at,
    };
    assert_eq!(
        rotate(first, 2).await,
        Rotation::Repeated(kept(first, expires_at))
    );
    assert_eq!(rotate(first, 3).await, Rotation::Rotated(kept(first, ends_at)));
    assert_eq!(rotate(second, 4).await, Rotation::Rotated(kept(second, ends_at)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_first_use_of_a_valid_ticket_needs_the_writer() {
    let db = TestStore::new().await;
    let ports = DatabasePorts::of(db.store.clone());
    let now = db.now();
    let user = fixtures::user(&ports, now).await;
    let session = fixtures::session(user, now + Duration::from_hours(1));
    fixtures::open_session(&ports, &session, fixtures::token(), now, 10).await;
    let ticket = fixtures::ticket(&session, session.expires_at);
    db.store.add_ticket(&ticket, 10).await.unwrap();
    let redeem = async |ticket| db.store.use_ticket(ticket, None, now).await.unwrap();
    assert!(redeem(ticket.ticket).await.is_some());
    let mut raw_connection = db.raw_connection();
    raw_connection.batch_execute("BEGIN IMMEDIATE").unwrap();
    assert_eq!(redeem(fixtures::token()).await, None);
    assert!(redeem(ticket.ticket).await.is_some());
    raw_connection.batch_execute("ROLLBACK").unwrap();
}
