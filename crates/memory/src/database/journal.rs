use async_trait::async_trait;
use rapidphoto_application::{
    log::{EncodedEvent, EventCodec},
    ports::{AggregateState, Change, Commit, CommitError, Committed, Details, Journal, Unavailable},
};
use rapidphoto_domain::Timestamp;

use super::{
    MemoryStore,
    judgement::{Judgement, judge},
    space::{Account, LogRow, Space, StateRow, concerns},
};
use crate::Operation;

#[async_trait]
impl Journal for MemoryStore {
    async fn commit(&self, commit: Commit) -> Result<Committed, CommitError> {
        let mut commit = commit;
        // Streams go in their own order, so that a job stands in the log before its photos.
        commit.changes.sort_by_key(|change| change.stream);
        let encoded = encode(&commit.changes, &self.codec)?;
        self.call(Operation::Commit, |space| {
            Ok(match judge(space, &commit)? {
                Judgement::Stands(cursor) => Committed {
                    cursor,
                    repeated: true,
                },
                Judgement::New => {
                    write(space, commit, encoded);
                    Committed {
                        cursor: space.head(),
                        repeated: false,
                    }
                }
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

fn write(space: &mut Space, commit: Commit, encoded: Vec<Vec<EncodedEvent>>) {
    for (change, events) in commit.changes.iter().zip(encoded) {
        append(space, &commit, change, events);
    }
    for change in commit.changes {
        keep_state(space, change, commit.at);
    }
    for details in commit.details {
        keep_details(space, details);
    }
    for order in &commit.work {
        space.carry_out(order);
    }
    if let Some(record) = commit.idempotency {
        space
            .idempotency
            .insert((record.owner, record.key.clone()), record);
    }
    if let Some(advance) = commit.checkpoint {
        space.subscriptions.entry(advance.name).or_default().cursor = advance.to;
    }
}

fn append(space: &mut Space, commit: &Commit, change: &Change, events: Vec<EncodedEvent>) {
    let (owner, job) = concerns(&change.state);
    let numbers = 1_u64..;
    for ((new, event), number) in change.events.iter().zip(events).zip(numbers) {
        let index = space.log.len();
        space.ids.insert(new.id, index);
        space.streams.entry(change.stream).or_default().push(index);
        space.log.push(LogRow {
            id: new.id,
            stream: change.stream,
            version: change.expected.plus(number),
            owner,
            job,
            event,
            metadata: commit.metadata.clone(),
            occurred_at: commit.at,
        });
    }
}

fn keep_state(space: &mut Space, change: Change, at: Timestamp) {
    if let AggregateState::Photo(photo) = &change.state {
        let name = (photo.owner, photo.upload_id);
        if !photo.deleted {
            space.uploads.insert(name, photo.id);
        } else if space.uploads.get(&name) == Some(&photo.id) {
            space.uploads.remove(&name);
        }
        space
            .photos_of_jobs
            .entry(photo.job)
            .or_default()
            .insert(photo.id);
    }
    let version = space.version(change.stream);
    let created_at = space.rows.get(&change.stream).map_or(at, |row| row.created_at);
    space.rows.insert(
        change.stream,
        StateRow {
            version,
            state: change.state,
            created_at,
            updated_at: at,
        },
    );
}

fn keep_details(space: &mut Space, details: Details) {
    match details {
        Details::PhotoName { photo, filename } => {
            space.names.insert(photo, filename);
        }
        Details::PhotoMetadata { photo, metadata } => {
            space.metadata.insert(photo, *metadata);
        }
        Details::ErasePhoto { photo } => {
            space.names.remove(&photo);
            space.metadata.remove(&photo);
        }
        Details::User {
            user,
            email,
            password_hash,
        } => {
            space.accounts.retain(|_, account| account.user != user);
            space.accounts.insert(email, Account { user, password_hash });
        }
    }
}
