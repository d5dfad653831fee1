//! Whether the views say what the journal says: folds everything again, apart, and compares row by
//! row.
//!
//! Every command and screen reads the views. A row that was altered there would be printed as it
//! stands, however sound the chain is: so what is read is checked too, not only what it came from.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::types::Value;
use rusqlite::{Connection, Row};

use super::verify::FaultRow;
use super::{JournalError, entry::Body, fold};
use crate::db::{Db, Until};
use crate::domain::ids::hex;
use crate::domain::time::Moment;

/// Rows that are named of each table; more are counted.
const NAMED_MAX: usize = 20;
/// Numbers that rows got on arrival: they are this device's own.
const OWN: &[&str] = &["num"];
/// How often a database is read again into which others wrote meanwhile.
const TRIES: usize = 3;

/// What rows of the views of the database at `path` differ from what its journal says; nothing if
/// all are as they should be.
///
/// # Errors
/// Those of the database. It is folded again in a private file, which takes as long as opening it
/// after an upgrade.
pub fn check(path: &Path) -> Result<Vec<FaultRow>, JournalError> {
    let time_of = |body: &[u8]| Body::parse(body).map(|body| body.at.moment());
    let mut found = Vec::new();
    for _ in 0..TRIES {
        let mut folded = Db::as_of(path, Until::At(Moment(i64::MAX)), time_of)?;
        let tx = folded.begin()?;
        fold::refold(&tx)?;
        tx.commit()?;
        let moment = folded.conn.unchecked_transaction()?;
        found = differences(&moment)?;
        // What others wrote since the heads were read is no difference.
        let behind = "SELECT 1 FROM present.journal_replica p WHERE NOT EXISTS \
            (SELECT 1 FROM main.journal_replica r WHERE r.replica = p.replica AND r.head_seq = p.head_seq)";
        if found.is_empty() || !moment.prepare(behind)?.exists([])? {
            break;
        }
    }
    Ok(found)
}

fn differences(conn: &Connection) -> Result<Vec<FaultRow>, JournalError> {
    let mut found = Vec::new();
    for table in tables(conn)? {
        found.extend(of_table(conn, &table)?);
    }
    Ok(found)
}

/// The views that hold rows of their own; an index of words is made of these.
fn tables(conn: &Connection) -> rusqlite::Result<Vec<String>> {
    let sql = "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name GLOB 'view_*' AND sql NOT LIKE 'CREATE VIRTUAL%' \
        AND name NOT GLOB 'view_search*' AND name NOT GLOB 'view_precedent*' ORDER BY name";
    conn.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
}

/// A table's columns, and which of them tell a row from others.
fn columns(conn: &Connection, table: &str) -> rusqlite::Result<(Vec<String>, Vec<String>)> {
    let sql = format!("SELECT name, pk FROM pragma_table_info('{table}', 'main')");
    let rows: Vec<(String, i64)> = conn
        .prepare(&sql)?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    let all: Vec<String> = rows
        .iter()
        .map(|(name, _)| name.clone())
        .filter(|name| !OWN.contains(&name.as_str()))
        .collect();
    let key: Vec<String> = rows
        .into_iter()
        .filter(|(name, pk)| *pk > 0 && !OWN.contains(&name.as_str()))
        .map(|(name, _)| name)
        .collect();
    // A case is known by its id.
    let key = if key.is_empty() { vec!["id".to_owned()] } else { key };
    Ok((all, key))
}

/// By what tells rows apart: the row as it stands, and as the journal has it.
type Pairs = BTreeMap<String, [Option<Vec<Value>>; 2]>;

fn of_table(conn: &Connection, table: &str) -> Result<Vec<FaultRow>, JournalError> {
    let (columns, key) = columns(conn, table)?;
    let list = columns.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
    let only = |one: &str, other: &str| {
        format!("SELECT {list} FROM {one}.{table} EXCEPT SELECT {list} FROM {other}.{table}")
    };
    let mut pairs: Pairs = BTreeMap::new();
    let mut total = 0;
    for (side, sql) in [only("present", "main"), only("main", "present")].into_iter().enumerate() {
        let mut statement = conn.prepare(&sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            total += 1;
            let values = (0..columns.len())
                .map(|at| row.get(at))
                .collect::<rusqlite::Result<Vec<Value>>>()?;
            let known = name_of(row, &columns, &key)?;
            if pairs.len() < NAMED_MAX || pairs.contains_key(&known) {
                pairs.entry(known).or_default()[side] = Some(values);
            }
        }
    }
    let mut found: Vec<FaultRow> =
        pairs.into_iter().map(|(name, pair)| fault(table, &name, &columns, pair)).collect();
    if found.len() == NAMED_MAX && total > NAMED_MAX {
        found.push(of_no_entry(format!(
            "{table}: {total} rows in all are not what the journal says"
        )));
    }
    Ok(found)
}

fn fault(table: &str, name: &str, columns: &[String], pair: [Option<Vec<Value>>; 2]) -> FaultRow {
    let words = match pair {
        [Some(here), Some(folded)] => {
            let differ = columns
                .iter()
                .zip(here.iter().zip(&folded))
                .filter(|(_, (here, folded))| here != folded);
            let differ: Vec<&str> = differ.map(|(column, _)| column.as_str()).collect();
            format!("was altered: {}", differ.join(", "))
        }
        [Some(_), None] => "was added: the journal does not say that".to_owned(),
        _ => "is missing".to_owned(),
    };
    of_no_entry(format!("{table}, row {name}, {words}"))
}

fn of_no_entry(fault: String) -> FaultRow {
    FaultRow { replica: String::new(), seq: 0, fault }
}

/// What a row is known by, in words.
fn name_of(row: &Row<'_>, columns: &[String], key: &[String]) -> rusqlite::Result<String> {
    let part = |name: &String| -> rusqlite::Result<String> {
        let at = columns.iter().position(|column| column == name).unwrap_or_default();
        Ok(match row.get(at)? {
            Value::Blob(bytes) => hex(&bytes),
            Value::Text(text) => text,
            Value::Integer(number) => number.to_string(),
            Value::Real(number) => number.to_string(),
            Value::Null => "null".to_owned(),
        })
    };
    let named = |name: &String| Ok(format!("{name} {}", part(name)?));
    Ok(key.iter().map(named).collect::<rusqlite::Result<Vec<_>>>()?.join(" "))
}
