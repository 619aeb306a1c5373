use std::collections::{BTreeMap, HashMap, HashSet};

use diesel::sql_types::{Array, BigInt, Json, Nullable, Text};
use diesel_async::AsyncPgConnection;
use futures::try_join;
use serde_json::Value;

use super::{failure::Failure, scope::Scope};
use crate::{
    commit::Prepared,
    error::StoreError,
    pg::{pipeline::execute, statement::statement},
};

/// New dates of photos, which are columns of their state rows.
pub(super) struct Dates<'a> {
    by_photo: BTreeMap<&'a str, Option<i64>>,
    /// Photos whose state rows the commit updates anyway.
    changed: HashSet<&'a str>,
    /// Photos whose state rows the commit inserts.
    new: HashSet<&'a str>,
}

impl<'a> Dates<'a> {
    pub(super) fn of(commit: &'a Prepared) -> Self {
        let details = &commit.details;
        let mut by_photo: BTreeMap<&str, Option<i64>> = BTreeMap::new();
        by_photo.extend(details.erased.iter().map(|photo| (photo.as_str(), None)));
        let read = details.metadata.iter();
        by_photo.extend(read.map(|change| (change.photo.as_str(), change.taken_at)));
        Self {
            by_photo,
            changed: commit
                .photos
                .changed
                .iter()
                .map(|row| row.photo_id.as_str())
                .collect(),
            new: commit
                .photos
                .new
                .iter()
                .map(|row| row.photo_id.as_str())
                .collect(),
        }
    }

    /// Returns true if the date of a photo changes.
    pub(super) fn changes(&self, photo: &str) -> bool {
        self.by_photo.contains_key(photo)
    }

    /// New date of a photo.
    pub(super) fn date(&self, photo: &str) -> Option<i64> {
        self.by_photo.get(photo).copied().flatten()
    }

    /// Existing photos that the commit changes in no other way, which it must lock.
    pub(super) fn other_photos(&self) -> impl Iterator<Item = String> {
        let others = self.by_photo.keys().filter(|photo| !self.new.contains(*photo));
        let others: Vec<String> = others
            .filter(|photo| !self.changed.contains(*photo))
            .map(|photo| (*photo).to_owned())
            .collect();
        others.into_iter()
    }
}

statement! {
    struct EraseDetails<'a> {
        namespace: &'a str => Text,
        photos: &'a [String] => Array<Text>,
    } -> BigInt
    = "DELETE FROM photo_details WHERE namespace = $1 AND photo_id = ANY($2)"
}

statement! {
    /// Writes the given details; those that are NULL stay. The owner is looked up if the commit does not change the photo.
    pub(in crate::pg) struct WriteDetails<'a> {
        namespace: &'a str => Text,
        photos: Vec<&'a str> => Array<Text>,
        owners: Vec<Option<&'a str>> => Array<Nullable<Text>>,
        names: Vec<Option<&'a str>> => Array<Nullable<Text>>,
        metadata: Vec<Option<&'a Value>> => Array<Nullable<Json>>,
        hashes: Vec<Option<&'a Value>> => Array<Nullable<Json>>,
    } -> BigInt
    = "INSERT INTO photo_details AS details (namespace, photo_id, owner, filename, metadata, hashes)
       SELECT $1, new.photo_id,
              coalesce(new.owner, (SELECT owner FROM photos
                                   WHERE photos.namespace = $1 AND photos.photo_id = new.photo_id)),
              new.filename, new.metadata, new.hashes
       FROM unnest($2, $3, $4, $5, $6) AS new (photo_id, owner, filename, metadata, hashes)
       ON CONFLICT (namespace, photo_id) DO UPDATE SET
           filename = coalesce(excluded.filename, details.filename),
           metadata = coalesce(excluded.metadata, details.metadata),
           hashes = coalesce(excluded.hashes, details.hashes)"
}

statement! {
    struct SetDates<'a> {
        namespace: &'a str => Text,
        photos: Vec<&'a str> => Array<Text>,
        dates: Vec<Option<i64>> => Array<Nullable<BigInt>>,
    } -> BigInt
    = "UPDATE photos SET taken_at = changed.taken_at
       FROM unnest($2, $3) AS changed (photo_id, taken_at)
       WHERE photos.namespace = $1 AND photos.photo_id = changed.photo_id"
}

statement! {
    struct SetCredentials<'a> {
        namespace: &'a str => Text,
        users: Vec<String> => Array<Text>,
        emails: Vec<&'a str> => Array<Text>,
        hashes: Vec<&'a str> => Array<Text>,
    } -> BigInt
    = "UPDATE users SET email = changed.email, password_hash = changed.password_hash
       FROM unnest($2, $3, $4) AS changed (user_id, email, password_hash)
       WHERE users.namespace = $1 AND users.user_id = changed.user_id"
}

statement! {
    struct ReplacePasswords<'a> {
        namespace: &'a str => Text,
        users: Vec<&'a str> => Array<Text>,
        replaced: Vec<&'a str> => Array<Text>,
        hashes: Vec<&'a str> => Array<Text>,
    } -> BigInt
    = "UPDATE users SET password_hash = changed.password_hash
       FROM unnest($2, $3, $4) AS changed (user_id, replaced, password_hash)
       WHERE users.namespace = $1 AND users.user_id = changed.user_id AND users.password_hash = changed.replaced"
}

statement! {
    struct EraseUsers<'a> {
        namespace: &'a str => Text,
        users: &'a [String] => Array<Text>,
    } -> BigInt
    = "UPDATE users SET email = NULL, password_hash = NULL WHERE namespace = $1 AND user_id = ANY($2)"
}

/// Writes personal data, after the state rows.
pub(super) async fn write(
    connection: &AsyncPgConnection,
    scope: &Scope,
    commit: &Prepared,
    dates: &Dates<'_>,
) -> Result<(), Failure> {
    let details = &commit.details;
    let namespace = scope.namespace.as_str();
    let erase = (!details.erased.is_empty()).then(|| EraseDetails {
        namespace,
        photos: &details.erased,
    });
    let erase_users = (!details.erased_users.is_empty()).then(|| EraseUsers {
        namespace,
        users: &details.erased_users,
    });
    let (_, _, _, credentials, _, _) = try_join!(
        execute(connection, erase),
        execute(connection, write_details(namespace, commit)),
        execute(connection, set_dates(namespace, dates)),
        execute(connection, set_credentials(namespace, commit)),
        execute(connection, replace_passwords(namespace, commit)),
        execute(connection, erase_users),
    )?;
    if credentials != details.credentials.len() {
        let users: Vec<String> = details
            .credentials
            .iter()
            .map(|given| given.user.to_string())
            .collect();
        return Err(StoreError::NoUser(users.join(", ")).into());
    }
    Ok(())
}

/// Details of one photo that a commit writes.
#[derive(Default)]
struct Given<'a> {
    name: Option<&'a str>,
    metadata: Option<&'a Value>,
    hashes: Option<&'a Value>,
}

fn write_details<'a>(namespace: &'a str, commit: &'a Prepared) -> Option<WriteDetails<'a>> {
    let details = &commit.details;
    let mut given: BTreeMap<&str, Given<'_>> = BTreeMap::new();
    for row in &details.names {
        given.entry(&row.photo_id).or_default().name = Some(&row.filename);
    }
    for row in &details.hashes {
        given.entry(&row.photo_id).or_default().hashes = Some(&row.hashes);
    }
    for change in &details.metadata {
        given.entry(&change.photo).or_default().metadata = Some(&change.metadata);
    }
    if given.is_empty() {
        return None;
    }
    let rows = commit.photos.new.iter().chain(&commit.photos.changed);
    let owners: HashMap<&str, &str> = rows
        .map(|row| (row.photo_id.as_str(), row.owner.as_str()))
        .collect();
    Some(WriteDetails {
        namespace,
        photos: given.keys().copied().collect(),
        owners: given.keys().map(|photo| owners.get(photo).copied()).collect(),
        names: given.values().map(|given| given.name).collect(),
        metadata: given.values().map(|given| given.metadata).collect(),
        hashes: given.values().map(|given| given.hashes).collect(),
    })
}

/// Dates of photos whose state rows are not updated anyway.
fn set_dates<'a>(namespace: &'a str, dates: &Dates<'a>) -> Option<SetDates<'a>> {
    let others = dates
        .by_photo
        .iter()
        .filter(|(photo, _)| !dates.changed.contains(*photo));
    let (photos, dates): (Vec<&str>, Vec<Option<i64>>) = others.map(|(photo, date)| (*photo, *date)).unzip();
    (!photos.is_empty()).then_some(SetDates {
        namespace,
        photos,
        dates,
    })
}

fn set_credentials<'a>(namespace: &'a str, commit: &'a Prepared) -> Option<SetCredentials<'a>> {
    let given = &commit.details.credentials;
    (!given.is_empty()).then(|| SetCredentials {
        namespace,
        users: given.iter().map(|given| given.user.to_string()).collect(),
        emails: given.iter().map(|given| given.email.as_str()).collect(),
        hashes: given.iter().map(|given| given.password_hash.0.as_str()).collect(),
    })
}

fn replace_passwords<'a>(namespace: &'a str, commit: &'a Prepared) -> Option<ReplacePasswords<'a>> {
    let given = &commit.details.passwords;
    (!given.is_empty()).then(|| ReplacePasswords {
        namespace,
        users: given.iter().map(|given| given.user.as_str()).collect(),
        replaced: given.iter().map(|given| given.replaces.0.as_str()).collect(),
        hashes: given.iter().map(|given| given.hash.0.as_str()).collect(),
    })
}
