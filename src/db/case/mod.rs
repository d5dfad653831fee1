//! Rows of cases: the queue, one case, search.

pub mod named;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{id_column, json_column, precedent, to_json};
use crate::domain::assign::CaseLoad;
use crate::domain::folding::{self, for_index};
use crate::domain::ids::{CaseId, EventId, Hash, ReplicaId};
use crate::domain::label::Outcome;
use crate::domain::resolve::{CaseState, How, Resolution};
use crate::domain::time::{Hlc, Moment};

/// Most characters of a case's text that are kept for the queue and for search.
pub const TEXT_CHARS_MAX: usize = 2_000;

/// A case as the fold knows it.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseRow {
    /// Its number on this device, in the order of arrival.
    pub num: i64,
    pub id: CaseId,
    pub stream: String,
    /// The id that the stream gave it.
    pub external_id: String,
    pub occurred_at: Moment,
    /// When it was detected.
    pub at: Hlc,
    /// The event that detected it; its payload stands beside it.
    pub event: EventId,
    pub payload: Hash,
    pub model: String,
    pub predicted: Option<String>,
    pub confidence: Option<f64>,
    pub flags: Vec<String>,
    /// 0 (most worth a label) to 1000.
    pub rank: i64,
    pub state: CaseState,
    pub due: Moment,
    pub labels: usize,
    pub outcome: Option<Outcome>,
    /// How that came to be.
    pub how: Option<How>,
    /// The language that it takes, as `en`; empty: not known.
    pub language: String,
    /// Skills that it takes.
    pub needs: Vec<String>,
    pub text: String,
    /// Its place in somebody's queue, as in [`QueueKey`]; it stands in no table.
    pub turn: u8,
}

/// Where a row stands in the queue's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct QueueKey {
    /// 0: one's own; from 1 on others' that one may take too, by how far behind the first one is.
    pub turn: u8,
    pub due: i64,
    pub rank: i64,
    pub num: i64,
}

impl QueueKey {
    pub const FIRST: Self = Self { turn: 0, due: i64::MIN, rank: i64::MIN, num: i64::MIN };
    pub const LAST: Self = Self { turn: u8::MAX, due: i64::MAX, rank: i64::MAX, num: i64::MAX };
}

impl CaseRow {
    /// What decides whose turn it is.
    pub fn work(&self) -> CaseLoad<'_> {
        let Self { id, at, due, labels, language, needs, .. } = self;
        let (case, detected) = (*id, at.moment());
        CaseLoad { case, detected, due: *due, labels: *labels, language, needs, idle: &[] }
    }

    /// How much of its time is gone; from 1 on it is due.
    pub fn part_gone(&self, now: Moment) -> f64 {
        self.work().part_gone(now)
    }

    /// The row as it looks to whom the case must seem like any other that waits.
    pub fn masked(self) -> Self {
        Self { state: CaseState::Open, outcome: None, how: None, labels: 0, ..self }
    }

    pub fn key(&self) -> QueueKey {
        QueueKey { turn: self.turn, due: self.due.0, rank: self.rank, num: self.num }
    }
}

fn needs_column(text: &str, column: usize) -> rusqlite::Result<Vec<String>> {
    if text.is_empty() { Ok(Vec::new()) } else { json_column(text, column) }
}

fn row_to_case(row: &Row<'_>) -> rusqlite::Result<CaseRow> {
    let outcome: Option<String> = row.get(18)?;
    Ok(CaseRow {
        num: row.get(0)?,
        id: id_column(row.get_ref(1)?.as_blob()?, 1, CaseId::from_bytes)?,
        stream: row.get(2)?,
        external_id: row.get(3)?,
        occurred_at: Moment(row.get(4)?),
        at: Hlc { ms: row.get(5)?, n: row.get(6)? },
        event: EventId {
            replica: id_column(row.get_ref(7)?.as_blob()?, 7, ReplicaId::from_bytes)?,
            seq: row.get(8)?,
            n: row.get(9)?,
        },
        payload: id_column(row.get_ref(10)?.as_blob()?, 10, Hash::from_bytes)?,
        model: row.get(11)?,
        predicted: row.get(12)?,
        confidence: row.get(13)?,
        flags: json_column(row.get_ref(14)?.as_str()?, 14)?,
        rank: row.get(15)?,
        state: CaseState::from_number(row.get(16)?),
        due: Moment(row.get(17)?),
        outcome: outcome.map(|text| json_column(&text, 18)).transpose()?,
        labels: row.get(19)?,
        text: row.get(20)?,
        language: row.get(21)?,
        needs: needs_column(row.get_ref(22)?.as_str()?, 22)?,
        how: row.get::<_, Option<i64>>(23)?.and_then(How::from_number),
        turn: 0,
    })
}

macro_rules! columns {
    () => {
        "num, id, stream, own, occurred_ms, at_ms, at_n, replica, seq, n, payload, model, predicted, \
                       confidence, flags, rank, state, due_ms, outcome, labels, text, language, needs, how"
    };
}

const COLUMNS: &str = columns!();

/// Inserts a case and its words for search; its `num` is given by the table. `pooled`: so that its
/// [`copies`] are found.
pub fn insert(conn: &Connection, case: &CaseRow, pooled: bool) -> rusqlite::Result<i64> {
    conn.prepare_cached(include_str!("insert.sql"))?.execute(params![
        case.id.0,
        case.stream,
        case.external_id,
        case.occurred_at.0,
        case.at.ms,
        case.at.n,
        case.event.replica.0,
        case.event.seq,
        case.event.n,
        case.payload.0,
        case.model,
        case.predicted,
        case.confidence,
        to_json(&case.flags),
        case.rank,
        case.state as i64,
        case.due.0,
        case.labels,
        case.outcome.as_ref().map(to_json),
        case.language,
        if case.needs.is_empty() { String::new() } else { to_json(&case.needs) },
        case.text,
        if pooled { copy_key(case) } else { 0 },
    ])?;
    let num = conn.last_insert_rowid();
    conn.prepare_cached(include_str!("insert_search.sql"))?
        .execute(params![num, for_index(&case.text)])?;
    Ok(num)
}

/// What cases of one stream, text and prediction have in common; 0 where nobody can tell: nothing is
/// written there, or more than stands here.
fn copy_key(case: &CaseRow) -> i64 {
    let CaseRow { stream, predicted, text, .. } = case;
    if !text.chars().any(char::is_alphanumeric) || text.chars().nth(TEXT_CHARS_MAX - 1).is_some() {
        return 0;
    }
    let mut hasher = blake3::Hasher::new();
    for part in [stream.as_str(), predicted.as_deref().unwrap_or_default(), text] {
        hasher.update(part.as_bytes());
        hasher.update(b"\0");
    }
    let bytes = hasher.finalize();
    bytes.as_bytes().first_chunk().map_or(0, |bytes| i64::from_le_bytes(*bytes))
}

/// Has the copies of all cases found from now on.
pub fn key_copies(conn: &Connection) -> rusqlite::Result<()> {
    let mut last = i64::MIN;
    loop {
        let cases: Vec<CaseRow> = conn
            .prepare_cached(concat!(
                "SELECT ",
                columns!(),
                " FROM view_case WHERE num > ?1 ORDER BY num LIMIT 1000"
            ))?
            .query_map([last], row_to_case)?
            .collect::<rusqlite::Result<_>>()?;
        let Some(end) = cases.last() else { return Ok(()) };
        last = end.num;
        let mut set = conn.prepare_cached("UPDATE view_case SET copy = ?2 WHERE num = ?1")?;
        for case in &cases {
            set.execute([case.num, copy_key(case)])?;
        }
    }
}

/// Has no copies found any more.
pub fn forget_copies(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute("UPDATE view_case SET copy = 0 WHERE copy <> 0", []).map(drop)
}

/// The other cases of the same stream, text and prediction, by id.
pub fn copies(conn: &Connection, case: &CaseRow) -> rusqlite::Result<Vec<CaseId>> {
    let key = copy_key(case);
    if key == 0 {
        return Ok(Vec::new());
    }
    conn.prepare_cached(include_str!("copies.sql"))?
        .query_map(params![key, case.id.0, case.stream, case.predicted, case.text], |row| {
            id_column(row.get_ref(0)?.as_blob()?, 0, CaseId::from_bytes)
        })?
        .collect()
}

/// Takes a case out, with its words for search.
pub fn delete(conn: &Connection, case: &CaseRow) -> rusqlite::Result<()> {
    if case.state == CaseState::Resolved {
        precedent::delete(conn, case.num, &case.text)?;
    }
    conn.prepare_cached(include_str!("delete_search.sql"))?
        .execute(params![case.num, for_index(&case.text)])?;
    conn.prepare_cached("DELETE FROM view_case WHERE num = ?1")?.execute([case.num]).map(drop)
}

pub fn by_id(conn: &Connection, id: CaseId) -> rusqlite::Result<Option<CaseRow>> {
    conn.prepare_cached(concat!("SELECT ", columns!(), " FROM view_case WHERE id = ?1"))?
        .query_row([id.0], row_to_case)
        .optional()
}

/// What the stream calls a case.
pub fn external_id(conn: &Connection, id: CaseId) -> rusqlite::Result<Option<String>> {
    conn.prepare_cached("SELECT own FROM view_case WHERE id = ?1")?
        .query_row([id.0], |row| row.get(0))
        .optional()
}

/// Gives a case another text, for the queue and for search.
pub fn set_text(
    conn: &Connection,
    case: &CaseRow,
    text: &str,
    pooled: bool,
) -> rusqlite::Result<()> {
    if case.state == CaseState::Resolved {
        precedent::delete(conn, case.num, &case.text)?;
        precedent::insert(conn, case.num, text)?;
    }
    conn.prepare_cached(include_str!("delete_search.sql"))?
        .execute(params![case.num, for_index(&case.text)])?;
    let renewed = CaseRow { text: text.to_owned(), ..case.clone() };
    let key = if pooled { copy_key(&renewed) } else { 0 };
    conn.prepare_cached("UPDATE view_case SET text = ?2, copy = ?3 WHERE num = ?1")?
        .execute(params![case.num, text, key])?;
    conn.prepare_cached(include_str!("insert_search.sql"))?
        .execute(params![case.num, for_index(text)])
        .map(drop)
}

/// What the model said of a case.
pub fn predicted(conn: &Connection, id: CaseId) -> rusqlite::Result<Option<String>> {
    let said = conn
        .prepare_cached("SELECT predicted FROM view_case WHERE id = ?1")?
        .query_row([id.0], |row| row.get(0))
        .optional()?;
    Ok(said.flatten())
}

/// The case of that number on this device.
pub fn by_num(conn: &Connection, num: i64) -> rusqlite::Result<Option<CaseRow>> {
    conn.prepare_cached(concat!("SELECT ", columns!(), " FROM view_case WHERE num = ?1"))?
        .query_row([num], row_to_case)
        .optional()
}

pub fn exists(conn: &Connection, id: CaseId) -> rusqlite::Result<bool> {
    conn.prepare_cached("SELECT 1 FROM view_case WHERE id = ?1")?.exists([id.0])
}

/// Ids between two bounds, both included: for a prefix that a person typed.
pub fn ids_between(
    conn: &Connection,
    low: CaseId,
    high: CaseId,
    limit: usize,
) -> rusqlite::Result<Vec<CaseId>> {
    let sql = "SELECT id FROM view_case WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT ?3";
    conn.prepare_cached(sql)?
        .query_map(params![low.0, high.0, limit], |row| {
            id_column(row.get_ref(0)?.as_blob()?, 0, CaseId::from_bytes)
        })?
        .collect()
}

/// Gives a case what its labels come to.
pub fn set_resolution(
    conn: &Connection,
    case: &CaseRow,
    resolution: &Resolution,
) -> rusqlite::Result<()> {
    match (case.state == CaseState::Resolved, resolution.state == CaseState::Resolved) {
        (true, false) => precedent::delete(conn, case.num, &case.text)?,
        (false, true) => precedent::insert(conn, case.num, &case.text)?,
        _ => {}
    }
    let outcome = resolution.outcome.as_ref().map(to_json);
    let values = params![
        case.num,
        resolution.state as i64,
        resolution.labels,
        outcome,
        resolution.how.map(|how| how as i64)
    ];
    conn.prepare_cached(include_str!("set_resolution.sql"))?.execute(values).map(drop)
}

/// Moves every due time by a change of the policy.
pub fn set_due(conn: &Connection, sla_ms: i64) -> rusqlite::Result<()> {
    conn.execute(
        "UPDATE view_case SET due_ms = (at_ms + ?1 + 3599999) / 3600000 * 3600000",
        [sla_ms],
    )
    .map(drop)
}

/// Which way to read the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Forward,
    Backward,
}

/// Cases of one state after (or before) a place in the queue, leaving out those that `but_not`
/// labeled.
pub fn page(
    conn: &Connection,
    state: CaseState,
    from: QueueKey,
    direction: Direction,
    but_not: Option<&str>,
    limit: usize,
) -> rusqlite::Result<Vec<CaseRow>> {
    let sql = match direction {
        Direction::Forward => include_str!("page_forward.sql"),
        Direction::Backward => include_str!("page_backward.sql"),
    };
    let sql = sql.replace("COLUMNS", COLUMNS);
    conn.prepare_cached(&sql)?
        .query_map(
            params![state as i64, from.due, from.rank, from.num, but_not, limit],
            row_to_case,
        )?
        .collect()
}

/// Cases in the order of the queue for which `keep` holds, at most `limit`; stops early if `stop`
/// says so.
pub fn scan(
    conn: &Connection,
    state: CaseState,
    limit: usize,
    mut keep: impl FnMut(&CaseRow) -> bool,
    stop: impl Fn() -> bool,
) -> rusqlite::Result<Vec<CaseRow>> {
    let sql = include_str!("scan.sql").replace("COLUMNS", COLUMNS);
    let mut cases = conn.prepare_cached(&sql)?;
    let mut rows = cases.query([state as i64])?;
    let mut kept = Vec::new();
    while let Some(row) = rows.next()? {
        let case = row_to_case(row)?;
        if keep(&case) {
            kept.push(case);
        }
        if kept.len() >= limit || stop() {
            break;
        }
    }
    Ok(kept)
}

/// Cases of the same stream that occurred nearest to one, at most `each_side` before and after it.
pub fn near(conn: &Connection, case: &CaseRow, each_side: usize) -> rusqlite::Result<Vec<CaseRow>> {
    let mut found = Vec::new();
    for (compare, order) in [("<=", "DESC"), (">", "ASC")] {
        let sql = format!(
            "SELECT {COLUMNS} FROM view_case WHERE stream = ?1 AND occurred_ms {compare} ?2 AND num != ?3
             ORDER BY occurred_ms {order} LIMIT ?4"
        );
        let values = params![case.stream, case.occurred_at.0, case.num, each_side];
        let mut statement = conn.prepare(&sql)?;
        for row in statement.query_map(values, row_to_case)? {
            found.push(row?);
        }
    }
    Ok(found)
}

/// Calls `each` with what decides whose turn every open case is that is due by a time, and where it
/// stands among them; stops if it says so.
pub fn for_each_open(
    conn: &Connection,
    until: Moment,
    mut each: impl FnMut(CaseLoad<'_>, QueueKey) -> bool,
) -> rusqlite::Result<()> {
    // All of them are read fastest as they lie.
    let how = if until == Moment(i64::MAX) { "NOT INDEXED" } else { "INDEXED BY view_case_queue" };
    let mut cases = conn.prepare_cached(&format!(
        "SELECT id, at_ms, due_ms, labels, language, needs, rank, num FROM view_case {how} WHERE state = ?1 AND due_ms <= ?2"
    ))?;
    let mut rows = cases.query([CaseState::Open as i64, until.0])?;
    while let Some(row) = rows.next()? {
        let needs = needs_column(row.get_ref(5)?.as_str()?, 5)?;
        let work = CaseLoad {
            case: id_column(row.get_ref(0)?.as_blob()?, 0, CaseId::from_bytes)?,
            detected: Moment(row.get(1)?),
            due: Moment(row.get(2)?),
            labels: row.get(3)?,
            language: row.get_ref(4)?.as_str()?,
            needs: &needs,
            idle: &[],
        };
        let key = QueueKey { turn: 0, due: work.due.0, rank: row.get(6)?, num: row.get(7)? };
        if !each(work, key) {
            break;
        }
    }
    Ok(())
}

/// Calls `each` with every case, in the order of their ids.
pub fn for_each(conn: &Connection, mut each: impl FnMut(CaseRow)) -> rusqlite::Result<()> {
    let mut cases = conn.prepare(&format!("SELECT {COLUMNS} FROM view_case ORDER BY id"))?;
    let mut rows = cases.query([])?;
    while let Some(row) = rows.next()? {
        each(row_to_case(row)?);
    }
    Ok(())
}

/// Calls `each` with the state of every case.
pub fn for_each_state(
    conn: &Connection,
    mut each: impl FnMut(CaseId, CaseState),
) -> rusqlite::Result<()> {
    for state in CaseState::ALL {
        let sql = "SELECT id FROM view_case INDEXED BY view_case_queue WHERE state = ?1";
        let mut cases = conn.prepare_cached(sql)?;
        let mut rows = cases.query([state as i64])?;
        while let Some(row) = rows.next()? {
            each(id_column(row.get_ref(0)?.as_blob()?, 0, CaseId::from_bytes)?, state);
        }
    }
    Ok(())
}

/// Which devices found cases of which stream since a moment.
pub fn finders(conn: &Connection, since: Moment) -> rusqlite::Result<Vec<(String, ReplicaId)>> {
    let sql = "SELECT DISTINCT stream, replica FROM view_case NOT INDEXED WHERE at_ms >= ?1 ORDER BY 1, 2";
    let one = |row: &Row<'_>| {
        let replica = id_column(row.get_ref(1)?.as_blob()?, 1, ReplicaId::from_bytes)?;
        Ok((row.get(0)?, replica))
    };
    conn.prepare(sql)?.query_map([since.0], one)?.collect()
}

/// Every resolved case, in the order in which they lie.
pub fn resolved_as_stored(conn: &Connection) -> rusqlite::Result<Vec<CaseId>> {
    let sql = "SELECT id FROM view_case NOT INDEXED WHERE state = ?1 ORDER BY num";
    let id = |row: &Row<'_>| id_column(row.get_ref(0)?.as_blob()?, 0, CaseId::from_bytes);
    conn.prepare(sql)?.query_map([CaseState::Resolved as i64], id)?.collect()
}

/// Newest cases whose text has all the words of `query` (the last may be unfinished), at most
/// `limit`.
pub fn search(conn: &Connection, query: &str, limit: usize) -> rusqlite::Result<Vec<CaseRow>> {
    let Some(words) = folding::query(query) else { return Ok(Vec::new()) };
    let sql = include_str!("search.sql").replace("COLUMNS", COLUMNS);
    conn.prepare_cached(&sql)?.query_map(params![words, limit], row_to_case)?.collect()
}

/// The event that detected a case.
pub fn event_of(conn: &Connection, id: CaseId) -> rusqlite::Result<Option<EventId>> {
    let to_event = |row: &Row<'_>| {
        let replica = id_column(row.get_ref(0)?.as_blob()?, 0, ReplicaId::from_bytes)?;
        Ok(EventId { replica, seq: row.get(1)?, n: row.get(2)? })
    };
    conn.prepare_cached("SELECT replica, seq, n FROM view_case WHERE id = ?1")?
        .query_row([id.0], to_event)
        .optional()
}
