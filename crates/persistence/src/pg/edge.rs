/// End of the readable part of the log: the oldest running transaction that writes. Events of later ones can be stored
/// already. Events of earlier ones are all visible or rolled back.
macro_rules! edge {
    () => {
        "pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
    };
}

pub(in crate::pg) use edge;
