use std::marker::PhantomData;

use diesel::{
    QueryResult,
    pg::Pg,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::{Array, BigInt, Nullable, Text},
};

/// A statement whose text depends on its arguments. Each connection prepares each text once, so that there may be few
/// texts.
///
/// The values are bound as `$1`, `$2` and so on. `Row` is the SQL type of a row.
pub(super) struct Assembled<'a, Row> {
    text: String,
    values: Vec<Value<'a>>,
    row: PhantomData<Row>,
}

/// A value to bind.
pub(super) enum Value<'a> {
    Text(&'a str),
    OwnedText(String),
    OptionalText(Option<&'a str>),
    Texts(Vec<String>),
    Number(i64),
}

impl<'a, Row> Assembled<'a, Row> {
    pub(super) const fn new(text: String, values: Vec<Value<'a>>) -> Self {
        Self {
            text,
            values,
            row: PhantomData,
        }
    }
}

impl<Row> QueryFragment<Pg> for Assembled<'_, Row> {
    fn walk_ast<'bind>(&'bind self, mut out: AstPass<'_, 'bind, Pg>) -> QueryResult<()> {
        out.push_sql(&self.text);
        // As in `statement!`.
        out.push_sql("\n-- ");
        for value in &self.values {
            match value {
                Value::Text(text) => out.push_bind_param::<Text, _>(text)?,
                Value::OwnedText(text) => out.push_bind_param::<Text, _>(text)?,
                Value::OptionalText(text) => out.push_bind_param::<Nullable<Text>, _>(text)?,
                Value::Texts(texts) => out.push_bind_param::<Array<Text>, _>(texts)?,
                Value::Number(number) => out.push_bind_param::<BigInt, _>(number)?,
            }
        }
        Ok(())
    }
}

impl<Row> QueryId for Assembled<'_, Row> {
    type QueryId = ();
    /// The text is the key of the prepared statement.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Row> Query for Assembled<'_, Row> {
    type SqlType = Row;
}
