//! First round trip of a commit: everything whose answer decides whether it is written.

use std::collections::{BTreeSet, HashMap, HashSet};

use diesel::sql_types::{Array, BigInt, Binary, Json, Nullable, Text};
use diesel_async::AsyncPgConnection;
use futures::try_join;
use rapidphoto_application::ports::Advance;
use rapidphoto_domain::{StreamType, Version};
use serde_json::Value;

use super::{
    details::Dates,
    failure::{Failure, Refusal},
    scope::Scope,
};
use crate::{
    commit::Prepared,
    number::{count, millis, stored},
    pg::{
        pipeline::{execute, load},
        statement::statement,
        transaction::Transaction,
    },
    rows::IdempotencyRow,
};

statement! {
    /// Stores the response of an idempotent request. An expired record with the same key is replaced.
    struct KeepResponse<'a> {
        namespace: &'a str => Text,
        owner: &'a str => Text,
        key: &'a str => Text,
        fingerprint: &'a [u8] => Binary,
        photos: &'a Value => Json,
        job: Option<&'a str> => Nullable<Text>,
        expires_at: i64 => BigInt,
        at: i64 => BigInt,
    } -> BigInt
    = "INSERT INTO idempotency AS kept
           (namespace, owner, idempotency_key, fingerprint, photos, job_id, expires_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7)
       ON CONFLICT (namespace, owner, idempotency_key) DO UPDATE SET
           fingerprint = excluded.fingerprint, photos = excluded.photos, job_id = excluded.job_id,
           expires_at = excluded.expires_at
       WHERE kept.expires_at <= $8"
}

/// Locks state rows and reads their versions, after waiting for whoever holds them.
macro_rules! lock {
    ($name:ident, $table:literal, $id:literal, $strength:literal) => {
        statement! {
            struct $name<'a> {
                namespace: &'a str => Text,
                ids: Vec<String> => Array<Text>,
            } -> (Text, BigInt)
            = concat!(
                "SELECT ", $id, ", version FROM ", $table,
                " WHERE namespace = $1 AND ", $id, " = ANY($2) ORDER BY ", $id, " FOR ", $strength
            )
        }
    };
}

// `FOR KEY SHARE` would not exclude changes of the version. Tables of which the commit changes no row are locked in shared
// mode, so that guards do not wait for each other.
lock!(ChangeUsers, "users", "user_id", "NO KEY UPDATE");
lock!(GuardUsers, "users", "user_id", "SHARE");
lock!(ChangeJobs, "upload_jobs", "job_id", "NO KEY UPDATE");
lock!(GuardJobs, "upload_jobs", "job_id", "SHARE");
lock!(ChangePhotos, "photos", "photo_id", "NO KEY UPDATE");
lock!(GuardPhotos, "photos", "photo_id", "SHARE");

statement! {
    /// Advances a subscription's checkpoint if it is at the expected position and leased under the token.
    struct AdvanceCheckpoint<'a> {
        namespace: &'a str => Text,
        name: &'a str => Text,
        token: i64 => BigInt,
        from_epoch: i64 => BigInt,
        from_position: i64 => BigInt,
        to_epoch: i64 => BigInt,
        to_position: i64 => BigInt,
    } -> BigInt
    = "UPDATE subscriptions SET cursor_epoch = $6, cursor_position = $7
       WHERE namespace = $1 AND name = $2 AND token = $3 AND lease_until IS NOT NULL
         AND cursor_epoch = $4 AND cursor_position = $5"
}

statement! {
    /// Locks work that the commit changes, and reads the tokens of claims.
    struct LockWork<'a> {
        namespace: &'a str => Text,
        photos: Vec<String> => Array<Text>,
        kinds: Vec<&'static str> => Array<Text>,
    } -> (Text, Text, Nullable<BigInt>)
    = "SELECT photo_id, kind, token FROM photo_work
       WHERE namespace = $1 AND (photo_id, kind) IN (SELECT * FROM unnest($2, $3))
       ORDER BY photo_id, kind FOR UPDATE"
}

/// Ids of the rows of one table that a commit locks.
struct Ids {
    ids: Vec<String>,
    changed: bool,
}

impl Ids {
    /// Existing streams of a type, and further rows that are changed beside them. A new stream has no row: the commit that
    /// creates it second is refused by a key.
    fn of(
        commit: &Prepared,
        stream_type: StreamType,
        changed: bool,
        also: impl Iterator<Item = String>,
    ) -> Self {
        let mut ids: BTreeSet<String> = also.collect();
        let changed = changed || !ids.is_empty();
        let streams = commit
            .expected
            .iter()
            .filter(|guard| guard.version != Version::NEW && guard.stream.stream_type() == stream_type);
        ids.extend(streams.map(|guard| guard.stream.to_string()));
        Self {
            ids: ids.into_iter().collect(),
            changed,
        }
    }

    /// The ids as arguments of the two lock statements, of which at most one is executed.
    fn split(self) -> (Option<Vec<String>>, Option<Vec<String>>) {
        match self {
            Self { ids, .. } if ids.is_empty() => (None, None),
            Self { ids, changed: true } => (Some(ids), None),
            Self { ids, changed: false } => (None, Some(ids)),
        }
    }
}

/// Begins the transaction, locks the rows in the order that every commit keeps, and checks them.
pub(super) async fn lock_and_check(
    transaction: &Transaction,
    connection: &AsyncPgConnection,
    scope: &Scope,
    commit: &Prepared,
) -> Result<(), Failure> {
    let namespace = scope.namespace.as_str();
    let users_changed = !commit.users.changed.is_empty();
    let users = Ids::of(commit, StreamType::User, users_changed, details_users(commit));
    let (change_users, guard_users) = users.split();
    let jobs = Ids::of(
        commit,
        StreamType::Job,
        !commit.jobs.changed.is_empty(),
        std::iter::empty(),
    );
    let (change_jobs, guard_jobs) = jobs.split();
    let photos_changed = !commit.photos.changed.is_empty();
    let photos = Ids::of(
        commit,
        StreamType::Photo,
        photos_changed,
        Dates::of(commit).other_photos(),
    );
    let (change_photos, guard_photos) = photos.split();
    let keep = commit
        .idempotency
        .as_ref()
        .map(|row| keep_response(row, millis(commit.at)));
    let advance = commit
        .checkpoint
        .as_ref()
        .map(|advance| advance_checkpoint(namespace, advance));

    let ((), kept, users, users_guarded, jobs, jobs_guarded, photos, photos_guarded, advanced, work) = try_join!(
        transaction.begin(),
        execute(connection, keep),
        load(connection, change_users.map(|ids| ChangeUsers { namespace, ids })),
        load(connection, guard_users.map(|ids| GuardUsers { namespace, ids })),
        load(connection, change_jobs.map(|ids| ChangeJobs { namespace, ids })),
        load(connection, guard_jobs.map(|ids| GuardJobs { namespace, ids })),
        load(
            connection,
            change_photos.map(|ids| ChangePhotos { namespace, ids })
        ),
        load(connection, guard_photos.map(|ids| GuardPhotos { namespace, ids })),
        execute(connection, advance),
        load(connection, lock_work(namespace, commit)),
    )?;

    let locked = [users, users_guarded, jobs, jobs_guarded, photos, photos_guarded];
    check_versions(commit, &locked.into_iter().flatten().collect())?;
    check_claims(commit, work)?;
    if commit.checkpoint.is_some() && advanced != 1 {
        return Err(Refusal::Checkpoint.into());
    }
    if commit.idempotency.is_some() && kept != 1 {
        return Err(Refusal::IdempotencyKey.into());
    }
    Ok(())
}

/// Users whose credentials the commit changes.
fn details_users(commit: &Prepared) -> impl Iterator<Item = String> {
    let new: HashSet<&String> = commit.users.new.iter().map(|row| &row.user_id).collect();
    let details = &commit.details;
    let users: Vec<String> = (details
        .credentials
        .iter()
        .map(|credentials| credentials.user.to_string()))
    .chain(details.passwords.iter().map(|password| password.user.clone()))
    .chain(details.erased_users.iter().cloned())
    .filter(|user| !new.contains(user))
    .collect();
    users.into_iter()
}

fn keep_response(row: &IdempotencyRow, at: i64) -> KeepResponse<'_> {
    KeepResponse {
        namespace: &row.namespace,
        owner: &row.owner,
        key: &row.idempotency_key,
        fingerprint: &row.fingerprint,
        photos: &row.photos,
        job: row.job_id.as_deref(),
        expires_at: row.expires_at,
        at,
    }
}

fn advance_checkpoint<'a>(namespace: &'a str, advance: &'a Advance) -> AdvanceCheckpoint<'a> {
    AdvanceCheckpoint {
        namespace,
        name: advance.name,
        token: stored(advance.token),
        from_epoch: stored(advance.from.epoch()),
        from_position: stored(advance.from.position()),
        to_epoch: stored(advance.to.epoch()),
        to_position: stored(advance.to.position()),
    }
}

/// Work that may have a row: that of a new photo has none.
fn lock_work<'a>(namespace: &'a str, commit: &Prepared) -> Option<LockWork<'a>> {
    let new: HashSet<&String> = commit.photos.new.iter().map(|row| &row.photo_id).collect();
    let work = &commit.work;
    let mut rows: BTreeSet<(String, &'static str)> = BTreeSet::new();
    rows.extend(
        work.claims
            .iter()
            .map(|claim| (claim.photo.to_string(), claim.kind.as_str())),
    );
    rows.extend(
        work.postponed
            .iter()
            .map(|to| (to.photo.clone(), to.kind.as_str())),
    );
    for (kind, photos) in &work.removed {
        rows.extend(photos.iter().map(|photo| (photo.clone(), kind.as_str())));
    }
    let scheduled = work.scheduled.iter().map(|new| &new.row);
    rows.extend(scheduled.map(|row| (row.photo_id.clone(), row.kind)));
    rows.retain(|(photo, _)| !new.contains(photo));
    if rows.is_empty() {
        return None;
    }
    let (photos, kinds) = rows.into_iter().unzip();
    Some(LockWork {
        namespace,
        photos,
        kinds,
    })
}

fn check_versions(commit: &Prepared, locked: &HashMap<String, i64>) -> Result<(), Refusal> {
    let mut existing = commit
        .expected
        .iter()
        .filter(|guard| guard.version != Version::NEW);
    let unchanged = existing.all(|guard| {
        let version = locked.get(&guard.stream.to_string()).copied().unwrap_or(0);
        Version(count(version)) == guard.version
    });
    if unchanged { Ok(()) } else { Err(Refusal::Versions) }
}

fn check_claims(commit: &Prepared, rows: Vec<(String, String, Option<i64>)>) -> Result<(), Refusal> {
    if commit.work.claims.is_empty() {
        return Ok(());
    }
    let tokens: HashMap<(String, String), i64> = rows
        .into_iter()
        .filter_map(|(photo, kind, token)| Some(((photo, kind), token?)))
        .collect();
    let stale = commit.work.claims.iter().find(|claim| {
        let held = tokens.get(&(claim.photo.to_string(), claim.kind.as_str().to_owned()));
        held.copied() != Some(stored(claim.token))
    });
    stale.map_or(Ok(()), |claim| Err(Refusal::Claim(*claim)))
}
