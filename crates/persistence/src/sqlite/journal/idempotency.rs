use diesel::{
    ExpressionMethods as _, RunQueryDsl as _, SqliteConnection, query_dsl::methods::FilterDsl as _,
    upsert::excluded,
};
use rapidphoto_application::ports::{CommitError, Unique};
use rapidphoto_domain::Timestamp;

use super::failure::Failure;
use crate::{number::millis, rows::IdempotencyRow, schema::idempotency};

/// Stores the response of an idempotent request. An expired record with the same key is replaced.
pub(super) fn write(
    connection: &mut SqliteConnection,
    row: &IdempotencyRow,
    at: Timestamp,
) -> Result<(), Failure> {
    let written = diesel::insert_into(idempotency::table)
        .values(row)
        .on_conflict((
            idempotency::namespace,
            idempotency::owner,
            idempotency::idempotency_key,
        ))
        .do_update()
        .set((
            idempotency::fingerprint.eq(excluded(idempotency::fingerprint)),
            idempotency::photos.eq(excluded(idempotency::photos)),
            idempotency::job_id.eq(excluded(idempotency::job_id)),
            idempotency::expires_at.eq(excluded(idempotency::expires_at)),
        ))
        .filter(idempotency::expires_at.le(millis(at)))
        .execute(connection)?;
    if written == 1 {
        Ok(())
    } else {
        Err(CommitError::Duplicate(Unique::IdempotencyKey).into())
    }
}
