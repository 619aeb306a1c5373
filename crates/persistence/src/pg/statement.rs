/// Declares a statement with a constant text, which each connection prepares once.
///
/// Diesel does not cache the statements of `sql_query`, batch inserts, updates and upserts: each execution then costs a
/// round trip to parse it, during which no other statement of the connection is sent.
///
/// The fields are bound in their order, as `$1`, `$2` and so on, each with its SQL type; the text may use them in any
/// order, any number of times. After the arrow is the SQL type of a row.
///
/// ```text
/// statement! {
///     /// Versions of photos.
///     pub(super) struct Versions<'a> {
///         namespace: &'a str => Text,
///         photos: Vec<&'a str> => Array<Text>,
///     } -> (Text, BigInt)
///     = "SELECT photo_id, version FROM photos WHERE namespace = $1 AND photo_id = ANY($2)"
/// }
/// let rows: Vec<(String, i64)> = Versions { namespace, photos }.load(&mut connection).await?;
/// ```
macro_rules! statement {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident $(<$lifetime:lifetime>)? {
            $($field:ident: $type:ty => $sql_type:ty),* $(,)?
        } -> $row:ty
        = $text:expr
    ) => {
        $(#[$meta])*
        $vis struct $name $(<$lifetime>)? {
            $($vis $field: $type,)*
        }

        impl $(<$lifetime>)? $name $(<$lifetime>)? {
            pub(in crate::pg) const TEXT: &'static str = $text;
        }

        const _: () = {
            /// Key of the cached statement.
            pub(in crate::pg) struct Id;

            impl $(<$lifetime>)? diesel::query_builder::QueryFragment<diesel::pg::Pg> for $name $(<$lifetime>)? {
                fn walk_ast<'bind>(
                    &'bind self,
                    mut out: diesel::query_builder::AstPass<'_, 'bind, diesel::pg::Pg>,
                ) -> diesel::QueryResult<()> {
                    out.push_sql(Self::TEXT);
                    // Diesel writes a placeholder for each bound value: in a comment, so that the text can have its own.
                    out.push_sql("\n-- ");
                    $(out.push_bind_param::<$sql_type, _>(&self.$field)?;)*
                    Ok(())
                }
            }

            impl $(<$lifetime>)? diesel::query_builder::QueryId for $name $(<$lifetime>)? {
                type QueryId = Id;
                const HAS_STATIC_QUERY_ID: bool = true;
            }

            impl $(<$lifetime>)? diesel::query_builder::Query for $name $(<$lifetime>)? {
                type SqlType = $row;
            }
        };
    };
}

/// The database's clock in milliseconds since 1970, or the time of a test's clock, bound to the placeholder if it is not
/// NULL.
///
/// The start of the statement: `now()` is the start of the transaction, which may have waited for locks since.
macro_rules! now {
    ($placeholder:literal) => {
        concat!(
            "coalesce(",
            $placeholder,
            ", (extract(epoch FROM statement_timestamp()) * 1000)::bigint)"
        )
    };
}

pub(in crate::pg) use {now, statement};
