//! The shared tables in this node's own file.

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql, params_from_iter};

use super::{Cell, Row, Sql, Value};
use crate::base::{Error, Result};

impl Sql for Connection {
    fn execute(&self, statement: &str, values: &[Value]) -> Result<u64> {
        let changed = self.prepare_cached(&own(statement))?.execute(params_from_iter(values))?;
        Ok(changed as u64)
    }

    fn query(&self, statement: &str, values: &[Value]) -> Result<Vec<Row>> {
        let mut query = self.prepare_cached(&own(statement))?;
        let width = query.column_count();
        let mut answer = query.query(params_from_iter(values))?;
        let mut rows = Vec::new();
        while let Some(row) = answer.next()? {
            let cells = (0..width).map(|column| cell(row.get_ref(column)?)).collect::<Result<_>>()?;
            rows.push(Row(cells));
        }
        Ok(rows)
    }
}

/// SQLite takes `$1` for a name and counts names as they come; `?1` is the first wherever it stands.
fn own(statement: &str) -> String {
    statement.replace('$', "?")
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Self::Text(text) => text.to_sql(),
            Self::Flag(flag) => flag.to_sql(),
            Self::Number(number) => number.to_sql(),
        }
    }
}

fn cell(value: ValueRef) -> Result<Cell> {
    match value {
        ValueRef::Null => Ok(Cell::Number(None)),
        ValueRef::Integer(number) => Ok(Cell::Number(Some(number))),
        ValueRef::Text(_) => {
            let text = value.as_str().map_err(|error| Error::internal(format!("database: {error}")))?;
            Ok(Cell::Text(text.to_owned()))
        }
        ValueRef::Real(_) | ValueRef::Blob(_) => Err(Error::internal("database: a column of another kind")),
    }
}
