use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text};
use diesel_async::AsyncPgConnection;
use futures::try_join;
use rapidphoto_application::ports::Due;

use super::{Scope, failure::Failure};
use crate::{
    commit::WorkChanges,
    number::millis_of,
    pg::{
        pipeline::execute,
        statement::{now, statement},
    },
};

statement! {
    struct RemoveWork<'a> {
        namespace: &'a str => Text,
        photos: Vec<&'a str> => Array<Text>,
        kinds: Vec<&'static str> => Array<Text>,
    } -> BigInt
    = "DELETE FROM photo_work WHERE namespace = $1 AND (photo_id, kind) IN (SELECT * FROM unnest($2, $3))"
}

statement! {
    struct PostponeWork<'a> {
        namespace: &'a str => Text,
        photos: Vec<&'a str> => Array<Text>,
        kinds: Vec<&'static str> => Array<Text>,
        delays: Vec<i64> => Array<BigInt>,
        attempts: Vec<i64> => Array<BigInt>,
        claims: Vec<i64> => Array<BigInt>,
        keep_due_times: Vec<bool> => Array<Bool>,
        test_now: Option<i64> => Nullable<BigInt>,
    } -> BigInt
    = concat!(
        "UPDATE photo_work SET
             due_at = CASE WHEN later.keeps_due_time THEN due_at ELSE ", now!("$8"), " + later.delay END,
             parked_until = CASE WHEN later.delay > 0 THEN ", now!("$8"), " + later.delay END,
             attempts = later.attempts, claims = later.claims, token = NULL
         FROM unnest($2, $3, $4, $5, $6, $7) AS later (photo_id, kind, delay, attempts, claims, keeps_due_time)
         WHERE photo_work.namespace = $1 AND photo_work.photo_id = later.photo_id AND photo_work.kind = later.kind"
    )
}

statement! {
    /// Work that is scheduled again replaces the old row, including its claim and counts.
    pub(in crate::pg) struct ScheduleWork<'a> {
        namespace: &'a str => Text,
        photos: Vec<&'a str> => Array<Text>,
        kinds: Vec<&'static str> => Array<Text>,
        owners: Vec<&'a str> => Array<Text>,
        priorities: Vec<i32> => Array<Integer>,
        delays: Vec<i64> => Array<BigInt>,
        test_now: Option<i64> => Nullable<BigInt>,
    } -> BigInt
    = concat!(
        "INSERT INTO photo_work (namespace, photo_id, kind, owner, priority, due_at, attempts, claims, parked_until)
         SELECT $1, new.photo_id, new.kind, new.owner, new.priority, ", now!("$7"), " + new.delay, 0, 0,
                CASE WHEN new.delay > 0 THEN ", now!("$7"), " + new.delay END
         FROM unnest($2, $3, $4, $5, $6) AS new (photo_id, kind, owner, priority, delay)
         ON CONFLICT (namespace, photo_id, kind) DO UPDATE SET
             owner = excluded.owner, priority = excluded.priority, due_at = excluded.due_at,
             attempts = excluded.attempts, claims = excluded.claims, parked_until = excluded.parked_until,
             token = NULL"
    )
}

/// Writes the changes after their claims have been checked. Times are counted from the statement, by the database's clock.
pub(super) async fn write(
    connection: &AsyncPgConnection,
    scope: &Scope,
    work: &WorkChanges,
) -> Result<(), Failure> {
    try_join!(
        execute(connection, remove(&scope.namespace, work)),
        execute(connection, postpone(scope, work)),
        execute(connection, schedule(scope, work)),
    )?;
    Ok(())
}

fn remove<'a>(namespace: &'a str, work: &'a WorkChanges) -> Option<RemoveWork<'a>> {
    let removed = work.removed.iter();
    let (photos, kinds): (Vec<&str>, Vec<&'static str>) = removed
        .flat_map(|(kind, photos)| photos.iter().map(|photo| (photo.as_str(), kind.as_str())))
        .unzip();
    (!photos.is_empty()).then_some(RemoveWork {
        namespace,
        photos,
        kinds,
    })
}

fn postpone<'a>(scope: &'a Scope, work: &'a WorkChanges) -> Option<PostponeWork<'a>> {
    let postponed = &work.postponed;
    (!postponed.is_empty()).then(|| PostponeWork {
        namespace: &scope.namespace,
        photos: postponed.iter().map(|to| to.photo.as_str()).collect(),
        kinds: postponed.iter().map(|to| to.kind.as_str()).collect(),
        delays: postponed.iter().map(|to| delay(to.due)).collect(),
        attempts: postponed.iter().map(|to| to.attempts).collect(),
        claims: postponed.iter().map(|to| to.claims).collect(),
        keep_due_times: postponed.iter().map(|to| to.keeps_due_time).collect(),
        test_now: scope.test_now,
    })
}

fn schedule<'a>(scope: &'a Scope, work: &'a WorkChanges) -> Option<ScheduleWork<'a>> {
    let new = &work.scheduled;
    (!new.is_empty()).then(|| ScheduleWork {
        namespace: &scope.namespace,
        photos: new.iter().map(|new| new.row.photo_id.as_str()).collect(),
        kinds: new.iter().map(|new| new.row.kind).collect(),
        owners: new.iter().map(|new| new.row.owner.as_str()).collect(),
        priorities: new.iter().map(|new| new.row.priority).collect(),
        delays: new.iter().map(|new| delay(new.due)).collect(),
        test_now: scope.test_now,
    })
}

/// Delay in whole milliseconds, at most a hundred years, so that no time overflows.
fn delay(due: Due) -> i64 {
    const MAX: i64 = 100 * 366 * 86_400_000;
    millis_of(due.delay()).min(MAX)
}
