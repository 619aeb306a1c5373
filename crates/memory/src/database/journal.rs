use async_trait::async_trait;
use rapidphoto_application::{
    log::{EncodedEvent, EventCodec},
    ports::{AggregateState, Change, Commit, CommitError, Committed, Cursor, Details, Journal, Unavailable},
};
use rapidphoto_domain::Timestamp;

use super::{
    MemoryStore,
    namespace::{Account, LogRow, Namespace, StateRow, owner_and_job},
    validation::{Validated, validate},
};
use crate::Operation;

#[async_trait]
impl Journal for MemoryStore {
    async fn commit(&self, commit: Commit) -> Result<Committed, CommitError> {
        commit.validate()?;
        let mut commit = commit;
        // Events are stored in the order of their streams, so that a job precedes its photos.
        commit.changes.sort_by_key(|change| change.stream);
        let encoded = encode(&commit.changes, &self.codec)?;
        let held = self.while_held(encoded.iter().map(Vec::len).sum()).await;
        let first = held.as_ref().map(|positions| positions.first);
        self.call(Operation::Commit, |namespace| {
            Ok(match validate(namespace, &commit)? {
                Validated::Repeated(cursor) => Committed {
                    cursor,
                    repeated: true,
                },
                Validated::New => Committed {
                    cursor: write(namespace, commit, encoded, first, self.clock.now()),
                    repeated: false,
                },
            })
        })
        .await?
    }
}

fn encode(changes: &[Change], codec: &EventCodec) -> Result<Vec<Vec<EncodedEvent>>, Unavailable> {
    changes
        .iter()
        .map(|change| change.events.iter().map(|new| codec.encode(&new.event)).collect())
        .collect()
}

/// Writes a commit, at these positions of the log if they were given to it before. Returns the cursor of its last event.
fn write(
    namespace: &mut Namespace,
    commit: Commit,
    encoded: Vec<Vec<EncodedEvent>>,
    first: Option<u64>,
    now: Timestamp,
) -> Cursor {
    let mut last = namespace.head();
    let mut positions =
        first.unwrap_or_else(|| namespace.give_positions(encoded.iter().map(Vec::len).sum()))..;
    for (change, events) in commit.changes.iter().zip(encoded) {
        let cursors = positions.by_ref().map(|position| Cursor::new(0, position));
        last = append(namespace, &commit, change, events, cursors).unwrap_or(last);
    }
    for change in commit.changes {
        write_state(namespace, change, commit.at);
    }
    for details in commit.details {
        write_details(namespace, details);
    }
    for order in &commit.work {
        namespace.apply(order, now);
    }
    if let Some(record) = commit.idempotency {
        namespace
            .idempotency
            .insert((record.owner, record.key.clone()), record);
    }
    if let Some(advance) = commit.checkpoint {
        namespace.subscriptions.entry(advance.name).or_default().cursor = advance.to;
    }
    last
}

fn append(
    namespace: &mut Namespace,
    commit: &Commit,
    change: &Change,
    events: Vec<EncodedEvent>,
    mut cursors: impl Iterator<Item = Cursor>,
) -> Option<Cursor> {
    let mut last = None;
    let (owner, job) = owner_and_job(&change.state);
    let numbers = 1_u64..;
    for ((new, event), number) in change.events.iter().zip(events).zip(numbers) {
        let cursor = cursors.next()?;
        namespace.ids.insert(new.id, cursor);
        namespace.streams.entry(change.stream).or_default().push(cursor);
        let row = LogRow {
            id: new.id,
            stream: change.stream,
            version: change.expected.plus(number),
            owner,
            job,
            event,
            metadata: commit.metadata.clone(),
            occurred_at: commit.at,
        };
        namespace.log.insert(cursor, row);
        last = Some(cursor);
    }
    last
}

fn write_state(namespace: &mut Namespace, change: Change, at: Timestamp) {
    if let AggregateState::Photo(photo) = &change.state {
        let name = (photo.owner, photo.upload_id);
        if !photo.deleted {
            namespace.uploads.insert(name, photo.id);
        } else if namespace.uploads.get(&name) == Some(&photo.id) {
            namespace.uploads.remove(&name);
        }
        namespace
            .photos_of_jobs
            .entry(photo.job)
            .or_default()
            .insert(photo.id);
    }
    let version = namespace.version(change.stream);
    let created_at = namespace
        .rows
        .get(&change.stream)
        .map_or(at, |row| row.created_at);
    namespace.rows.insert(
        change.stream,
        StateRow {
            version,
            state: change.state,
            created_at,
            updated_at: at,
        },
    );
}

fn write_details(namespace: &mut Namespace, details: Details) {
    match details {
        Details::PhotoName { photo, filename } => {
            namespace.names.insert(photo, filename);
        }
        Details::PhotoMetadata { photo, metadata } => {
            namespace.metadata.insert(photo, *metadata);
        }
        Details::PhotoHashes { photo, hashes } => {
            namespace.hashes.insert(photo, hashes);
        }
        Details::ErasePhoto { photo } => {
            namespace.names.remove(&photo);
            namespace.metadata.remove(&photo);
            namespace.hashes.remove(&photo);
        }
        Details::User {
            user,
            email,
            password_hash,
        } => {
            namespace.accounts.retain(|_, account| account.user != user);
            namespace.accounts.insert(email, Account { user, password_hash });
        }
        Details::Password {
            user,
            replaces,
            password_hash,
        } => {
            let mut accounts = namespace.accounts.values_mut();
            let is_current =
                |account: &&mut Account| account.user == user && account.password_hash == replaces;
            if let Some(account) = accounts.find(is_current) {
                account.password_hash = password_hash;
            }
        }
        Details::EraseUser { user } => namespace.accounts.retain(|_, account| account.user != user),
    }
}
