//! Draws of cases by trap and day, and how many were flagged: which cases are among the smallest
//! draws of their day, and which share of what was flagged that is.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::json_column;
use crate::domain::ids::CaseId;
use crate::domain::label::Outcome;
use crate::domain::resolve::CaseState;
use crate::domain::time::Moment;
use crate::domain::traps::{Why, day_of};

/// Writes why a case was detected, beside what is known of it.
pub fn insert(
    conn: &Connection,
    id: CaseId,
    stream: &str,
    at: Moment,
    why: &[Why],
) -> rusqlite::Result<()> {
    let mut insert = conn.prepare_cached(
        "INSERT INTO view_draw (trap, version, stream, day, u, id, score, rate, most, place) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) \
         ON CONFLICT DO UPDATE SET score = max(score, excluded.score), rate = max(rate, excluded.rate), \
         most = max(most, excluded.most), place = min(place, excluded.place)",
    )?;
    for (place, one) in why.iter().enumerate() {
        insert.execute(params![
            one.trap,
            one.version,
            stream,
            day_of(at),
            one.u,
            id.0,
            one.score,
            one.rate,
            one.per_day.unwrap_or(0),
            place
        ])?;
    }
    Ok(())
}

/// Whether anything is known of why a case was detected.
pub fn any_of_case(conn: &Connection, id: CaseId) -> rusqlite::Result<bool> {
    conn.prepare_cached("SELECT 1 FROM view_draw WHERE id = ?1 LIMIT 1")?.exists([id.0])
}

/// Whether a trap took a case as one of a share of all that it flags.
pub fn is_sampled(conn: &Connection, id: CaseId) -> rusqlite::Result<bool> {
    conn.prepare_cached("SELECT 1 FROM view_draw WHERE id = ?1 AND rate IS NOT NULL LIMIT 1")?
        .exists([id.0])
}

/// Whether a case is asked about whatever else is drawn: by a trap that takes all, or without one.
pub fn is_asked_for_good(conn: &Connection, id: CaseId) -> rusqlite::Result<bool> {
    conn.prepare_cached("SELECT 1 FROM view_draw WHERE id = ?1 AND most = 0 LIMIT 1")?
        .exists([id.0])
}

/// Says of a case that traps found that it was asked for without one, too: no version is empty.
pub fn insert_asked(conn: &Connection, id: CaseId) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT INTO view_draw (trap, version, stream, day, u, id, most, place) \
         VALUES ('', '', '', 0, 0, ?1, 0, 0) ON CONFLICT DO NOTHING",
    )?
    .execute([id.0])
    .map(drop)
}

/// Whether a case is among those that its traps take of their day; one without a trap always is.
pub fn is_drawn(conn: &Connection, id: CaseId) -> rusqlite::Result<bool> {
    let mut draws = conn.prepare_cached(
        "SELECT trap, version, stream, day, u, most FROM view_draw WHERE id = ?1",
    )?;
    let mut rows = draws.query([id.0])?;
    let mut any = false;
    while let Some(row) = rows.next()? {
        any = true;
        let most: u32 = row.get(5)?;
        if most == 0 {
            return Ok(true);
        }
        let before: i64 = conn
            .prepare_cached(
                "SELECT count(*) FROM (SELECT 1 FROM view_draw WHERE trap = ?1 AND version = ?2 AND stream = ?3 \
                 AND day = ?4 AND (u, id) < (?5, ?6) LIMIT ?7)",
            )?
            .query_row(
                params![
                    row.get::<_, String>(0)?,
                    row.get::<_, String>(1)?,
                    row.get::<_, String>(2)?,
                    row.get::<_, i64>(3)?,
                    row.get::<_, f64>(4)?,
                    id.0,
                    most
                ],
                |row| row.get(0),
            )?;
        if before < i64::from(most) {
            return Ok(true);
        }
    }
    Ok(!any)
}

/// The cases on either side of where a trap's share of a day ends: what a draw that comes or goes
/// can move.
pub fn at_the_edge(
    conn: &Connection,
    stream: &str,
    at: Moment,
    why: &[Why],
) -> rusqlite::Result<Vec<CaseId>> {
    let mut found = Vec::new();
    for why in why {
        let Some(most) = why.per_day.filter(|most| *most > 0) else { continue };
        let mut ids = conn.prepare_cached(
            "SELECT id FROM view_draw WHERE trap = ?1 AND version = ?2 AND stream = ?3 AND day = ?4 \
             ORDER BY u, id LIMIT 2 OFFSET ?5",
        )?;
        let key = params![why.trap, why.version, stream, day_of(at), most - 1];
        let ids = ids.query_map(key, |row| row.get::<_, [u8; 16]>(0))?;
        for id in ids {
            found.push(CaseId(id?));
        }
    }
    Ok(found)
}

/// Whether a prediction with these draws would be among those taken.
pub fn would_be_drawn(
    conn: &Connection,
    stream: &str,
    at: Moment,
    why: &[Why],
) -> rusqlite::Result<bool> {
    for one in why {
        let Some(most) = one.per_day.filter(|most| *most > 0) else { return Ok(true) };
        let last: Option<f64> = conn
            .prepare_cached(
                "SELECT u FROM view_draw WHERE trap = ?1 AND version = ?2 AND stream = ?3 AND day = ?4 \
                 ORDER BY u, id LIMIT 1 OFFSET ?5",
            )?
            .query_row(
                params![one.trap, one.version, stream, day_of(at), most - 1],
                |row| row.get(0),
            )
            .optional()?;
        if last.is_none_or(|last| one.u <= last) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The smallest draws of a trap, stream and day, as many as it takes, ascending.
pub fn smallest(
    conn: &Connection,
    (trap, version): (&str, &str),
    (stream, day): (&str, i64),
    most: u32,
) -> rusqlite::Result<Vec<f64>> {
    conn.prepare_cached(
        "SELECT u FROM view_draw WHERE trap = ?1 AND version = ?2 AND stream = ?3 AND day = ?4 \
         ORDER BY u, id LIMIT ?5",
    )?
    .query_map(params![trap, version, stream, day, most], |row| row.get(0))?
    .collect()
}

/// Adds a tally; of several of one source that counts of which plug-ins missed fewest, and of these
/// the most.
pub fn insert_tally(
    conn: &Connection,
    (stream, day, source): (&str, i64, &str),
    (trap, version): (&str, &str),
    [read, flagged, first, missed]: [u64; 4],
    again: bool,
) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT INTO view_tally (stream, day, source, trap, version, read, flagged, first, missed, again) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) \
         ON CONFLICT DO UPDATE SET \
         read = iif(excluded.missed < missed, excluded.read, max(read, excluded.read)), \
         flagged = iif(excluded.missed < missed, excluded.flagged, max(flagged, excluded.flagged)), \
         first = iif(excluded.missed < missed, excluded.first, max(first, excluded.first)), \
         missed = min(missed, excluded.missed), again = min(again, excluded.again) \
         WHERE excluded.missed <= missed",
    )?
    .execute(params![stream, day, source, trap, version, read, flagged, first, missed, again])
    .map(drop)
}

/// Whether all of this is known, from a reading in which plug-ins missed no more.
pub fn has_tally(
    conn: &Connection,
    (stream, day, source): (&str, i64, &str),
    (trap, version): (&str, &str),
    missed: u64,
) -> rusqlite::Result<bool> {
    conn.prepare_cached(
        "SELECT 1 FROM view_tally WHERE stream = ?1 AND day = ?2 AND source = ?3 AND trap = ?4 AND version = ?5 \
         AND missed <= ?6",
    )?
    .exists(params![stream, day, source, trap, version, missed])
}

/// What was read from one source of a stream and a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadSource {
    pub stream: String,
    pub day: i64,
    pub read: u64,
    /// Those of them that traps flagged first when they were read first, and in all: more than were
    /// read where it was read again under other rules.
    pub first: u64,
    pub first_in_all: u64,
}

/// What was read in all, by source.
pub fn read(conn: &Connection) -> rusqlite::Result<Vec<ReadSource>> {
    conn.prepare_cached(
        "SELECT stream, day, max(iif(again, 0, read)), sum(iif(again, 0, first)), sum(first) FROM view_tally \
         GROUP BY stream, day, source \
         ORDER BY stream, day, source",
    )?
    .query_map([], |row| {
        let (stream, day, read) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(ReadSource { stream, day, read, first: row.get(3)?, first_in_all: row.get(4)? })
    })?
    .collect()
}

/// What was counted of a trap, a stream and a day.
#[derive(Debug, Clone, PartialEq)]
pub struct Tally {
    pub trap: String,
    pub version: String,
    pub stream: String,
    pub day: i64,
    pub read: u64,
    pub flagged: u64,
    /// Those that it flagged first when they were read first, and in all.
    pub first: u64,
    pub first_in_all: u64,
}

/// All tallies, sources together.
pub fn tallies(conn: &Connection) -> rusqlite::Result<Vec<Tally>> {
    conn.prepare_cached(
        "SELECT trap, version, stream, day, sum(read), sum(flagged), sum(iif(again, 0, first)), sum(first) \
         FROM view_tally \
         GROUP BY trap, version, stream, day ORDER BY trap, version, stream, day",
    )?
    .query_map([], |row| {
        Ok(Tally {
            trap: row.get(0)?,
            version: row.get(1)?,
            stream: row.get(2)?,
            day: row.get(3)?,
            read: row.get(4)?,
            flagged: row.get(5)?,
            first: row.get(6)?,
            first_in_all: row.get(7)?,
        })
    })?
    .collect()
}

/// A draw of a case.
#[derive(Debug, Clone, PartialEq)]
pub struct Draw {
    pub trap: String,
    pub version: String,
    pub stream: String,
    pub day: i64,
    pub u: f64,
    pub case: CaseId,
    pub score: Option<f64>,
    pub rate: Option<f64>,
    /// Most of a day; 0: all.
    pub most: u32,
    /// Its place among the traps that flagged the case.
    pub place: u32,
}

fn row_to_draw(row: &rusqlite::Row<'_>) -> rusqlite::Result<Draw> {
    Ok(Draw {
        trap: row.get(0)?,
        version: row.get(1)?,
        stream: row.get(2)?,
        day: row.get(3)?,
        u: row.get(4)?,
        case: CaseId(row.get(5)?),
        score: row.get(6)?,
        rate: row.get(7)?,
        most: row.get(8)?,
        place: row.get(9)?,
    })
}

/// All draws, trap by trap and day by day, the smallest first.
pub fn all(conn: &Connection) -> rusqlite::Result<Vec<Draw>> {
    conn.prepare_cached(
        "SELECT trap, version, stream, day, u, id, score, rate, most, place FROM view_draw \
         WHERE version <> '' ORDER BY trap, version, stream, day, u, id",
    )?
    .query_map([], row_to_draw)?
    .collect()
}

/// Whether anything was drawn at all.
pub fn any(conn: &Connection) -> rusqlite::Result<bool> {
    conn.query_row("SELECT EXISTS (SELECT 1 FROM view_draw WHERE version <> '')", [], |row| {
        row.get(0)
    })
}

/// Those of one case.
pub fn of_case(conn: &Connection, id: CaseId) -> rusqlite::Result<Vec<Draw>> {
    conn.prepare_cached(
        "SELECT trap, version, stream, day, u, id, score, rate, most, place FROM view_draw \
         WHERE id = ?1 AND version <> '' ORDER BY trap, version",
    )?
    .query_map([id.0], row_to_draw)?
    .collect()
}

/// The draws of a case, each with the share of what its trap flagged that was taken; nothing where
/// that was not counted.
pub fn rates_of_case(conn: &Connection, id: CaseId) -> rusqlite::Result<Vec<(Draw, Option<f64>)>> {
    let mut flagged = conn.prepare_cached(
        "SELECT sum(flagged) FROM view_tally WHERE stream = ?1 AND day = ?2 AND trap = ?3 AND version = ?4",
    )?;
    let mut elsewhere = conn.prepare_cached(
        "SELECT rate FROM view_draw WHERE stream = ?1 AND day = ?2 AND trap = ?3 AND version = ?4 AND most = 0 LIMIT 1",
    )?;
    let rate = |draw: Draw| {
        let sampled = draw.rate.unwrap_or(1.0);
        if draw.most == 0 {
            return Ok((draw, Some(sampled)));
        }
        let key = params![draw.stream, draw.day, draw.trap, draw.version];
        let flagged: Option<f64> = flagged.query_row(key, |row| row.get(0))?;
        // An engine that drew the others of the day said which share that was.
        if flagged.is_none() {
            let key = params![draw.stream, draw.day, draw.trap, draw.version];
            let said = elsewhere.query_row(key, |row| row.get(0)).optional()?;
            return Ok((draw, said.flatten()));
        }
        let share = flagged.filter(|n| *n > 0.0).map(|n| (f64::from(draw.most) / n).min(1.0));
        Ok((draw, share.map(|share| sampled * share)))
    };
    of_case(conn, id)?.into_iter().map(rate).collect()
}

/// A case that traps found, with what it counts as.
pub struct DrawnCase {
    pub id: CaseId,
    pub state: CaseState,
    pub predicted: Option<String>,
    pub outcome: Option<Outcome>,
}

/// Each case that traps found, once.
pub fn for_each_case(
    conn: &Connection,
    mut each: impl FnMut(DrawnCase) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let mut cases = conn.prepare_cached(
        "SELECT id, state, predicted, outcome FROM view_case WHERE id IN (SELECT id FROM view_draw)",
    )?;
    let mut rows = cases.query([])?;
    while let Some(row) = rows.next()? {
        let outcome: Option<String> = row.get(3)?;
        each(DrawnCase {
            id: CaseId(row.get(0)?),
            state: CaseState::from_number(row.get(1)?),
            predicted: row.get(2)?,
            outcome: outcome.map(|text| json_column(&text, 3)).transpose()?,
        })?;
    }
    Ok(())
}
