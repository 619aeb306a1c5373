use diesel::{
    QueryResult, QueryableByName, RunQueryDsl as _, SqliteConnection, sql_query,
    sql_types::{BigInt, Text},
    sqlite::Sqlite,
};

/// A statement whose text depends on its arguments, with the values that it binds.
#[derive(Default)]
pub(super) struct Assembled {
    values: Vec<Value>,
}

enum Value {
    Text(String),
    Number(i64),
}

impl Assembled {
    /// Adds a value and returns its placeholder.
    pub(super) fn text(&mut self, value: &str) -> String {
        self.value(Value::Text(value.to_owned()))
    }

    /// Adds a value and returns its placeholder.
    pub(super) fn number(&mut self, value: i64) -> String {
        self.value(Value::Number(value))
    }

    fn value(&mut self, value: Value) -> String {
        self.values.push(value);
        format!("?{}", self.values.len())
    }

    /// Executes the statement.
    pub(super) fn load<Row>(self, connection: &mut SqliteConnection, text: String) -> QueryResult<Vec<Row>>
    where
        Row: QueryableByName<Sqlite> + 'static,
    {
        let mut query = sql_query(text).into_boxed::<Sqlite>();
        for value in self.values {
            query = match value {
                Value::Text(text) => query.bind::<Text, _>(text),
                Value::Number(number) => query.bind::<BigInt, _>(number),
            };
        }
        query.load(connection)
    }
}
