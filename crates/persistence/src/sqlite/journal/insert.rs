/// Inserts rows. A single row uses a statement that is prepared once per connection; more rows use as few statements as
/// the limit of bound values permits.
macro_rules! insert_all {
    ($connection:expr, $table:expr, $rows:expr, $binds:expr) => {
        $crate::sqlite::journal::insert::insert_all!(
            $connection,
            diesel::insert_into($table),
            $rows,
            $binds,
            with
        )
    };
    ($connection:expr, $into:expr, $rows:expr, $binds:expr, with) => {{
        let rows: &[_] = $rows;
        match rows {
            [] => Ok(()),
            [row] => $into.values(row).execute($connection).map(drop),
            rows => rows
                .chunks($crate::sqlite::MAX_BINDS / $binds)
                .try_for_each(|chunk| $into.values(chunk).execute($connection).map(drop)),
        }
    }};
}
pub(super) use insert_all;
