use std::collections::HashMap;

use diesel::sql_types::{Array, BigInt, Text};
use diesel_async::AsyncPgConnection;
use rapidphoto_application::ports::{CommitError, Committed, Unavailable, Unique};
use rapidphoto_domain::Version;

use super::{events, failure::Refusal, scope::Scope};
use crate::{
    commit::{Prepared, conflicts, repetition},
    error::StoreError,
    number::count,
    pg::{pipeline::load, statement::statement},
    rows::{PhotoRow, parsed},
};

statement! {
    /// Versions of streams, by one search of an index for each.
    struct Versions<'a> {
        namespace: &'a str => Text,
        streams: Vec<String> => Array<Text>,
    } -> (Text, BigInt)
    = "SELECT streams.id, last.version
       FROM unnest($2) AS streams (id)
       CROSS JOIN LATERAL (
           SELECT version FROM events WHERE namespace = $1 AND stream_id = streams.id ORDER BY version DESC LIMIT 1
       ) AS last"
}

statement! {
    /// Places of those among the given pairs of owner and upload id that photos have.
    struct TakenUploadIds<'a> {
        namespace: &'a str => Text,
        owners: Vec<&'a str> => Array<Text>,
        upload_ids: Vec<&'a str> => Array<Text>,
    } -> BigInt
    = "SELECT wanted.place
       FROM unnest($2, $3) WITH ORDINALITY AS wanted (owner, upload_id, place)
       WHERE EXISTS (SELECT 1 FROM photos
                     WHERE photos.namespace = $1 AND photos.owner = wanted.owner
                       AND photos.upload_id = wanted.upload_id AND NOT photos.deleted)
       ORDER BY wanted.place LIMIT 1"
}

/// Outcome of a refused commit, once its transaction is rolled back.
pub(super) async fn explain(
    connection: &AsyncPgConnection,
    scope: &Scope,
    commit: &Prepared,
    refusal: Refusal,
) -> Result<Committed, CommitError> {
    let stored = events::stored(connection, scope, commit)
        .await
        .map_err(unavailable)?;
    if let Some(cursor) = repetition(commit, &stored)? {
        return Ok(Committed {
            cursor,
            repeated: true,
        });
    }
    Err(match refusal {
        Refusal::Claim(claim) => CommitError::StaleClaim {
            photo: claim.photo,
            kind: claim.kind,
        },
        Refusal::Checkpoint => CommitError::StaleCheckpoint,
        Refusal::IdempotencyKey => CommitError::Duplicate(Unique::IdempotencyKey),
        Refusal::Contention => CommitError::Conflict(Vec::new()),
        Refusal::Taken(index) if index == "users_email" => CommitError::Duplicate(Unique::Email),
        Refusal::Taken(index) if index == "photos_upload" => {
            match taken_upload_id(connection, scope, &commit.photos.new).await? {
                Some(taken) => CommitError::Duplicate(taken),
                // Its photo was deleted meanwhile.
                None => CommitError::Conflict(Vec::new()),
            }
        }
        // Keys of state rows and versions of streams: another commit has created or changed the stream.
        Refusal::Versions | Refusal::Taken(_) => {
            let actual = versions(connection, scope, commit).await.map_err(unavailable)?;
            CommitError::Conflict(conflicts(&commit.expected, &actual))
        }
    })
}

fn unavailable(error: diesel::result::Error) -> Unavailable {
    StoreError::from(error).into()
}

/// Versions of the commit's streams, without those that do not exist.
async fn versions(
    connection: &AsyncPgConnection,
    scope: &Scope,
    commit: &Prepared,
) -> diesel::QueryResult<HashMap<String, Version>> {
    let streams = commit.expected.iter();
    let statement = Versions {
        namespace: &scope.namespace,
        streams: streams.map(|guard| guard.stream.to_string()).collect(),
    };
    let rows: Vec<(String, i64)> = load(connection, Some(statement)).await?;
    let versions = rows
        .into_iter()
        .map(|(id, version)| (id, Version(count(version))));
    Ok(versions.collect())
}

/// First upload id that another photo has, or that the commit has twice.
async fn taken_upload_id(
    connection: &AsyncPgConnection,
    scope: &Scope,
    rows: &[PhotoRow],
) -> Result<Option<Unique>, Unavailable> {
    let statement = TakenUploadIds {
        namespace: &scope.namespace,
        owners: rows.iter().map(|row| row.owner.as_str()).collect(),
        upload_ids: rows.iter().map(|row| row.upload_id.as_str()).collect(),
    };
    let places: Vec<i64> = load(connection, Some(statement)).await.map_err(unavailable)?;
    let taken = places
        .into_iter()
        .find_map(|place| rows.get(usize::try_from(place - 1).ok()?));
    let Some(row) = taken.or_else(|| repeated(rows)) else {
        return Ok(None);
    };
    Ok(Some(Unique::UploadId {
        owner: parsed("owner", &row.owner)?,
        upload_id: parsed("upload_id", &row.upload_id)?,
    }))
}

fn repeated(rows: &[PhotoRow]) -> Option<&PhotoRow> {
    let mut seen = std::collections::HashSet::with_capacity(rows.len());
    rows.iter().find(|row| !seen.insert((&row.owner, &row.upload_id)))
}
