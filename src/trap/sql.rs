//! Point traps as one query for an engine that holds the predictions: the same cases with the same
//! draws and rates as `ingest` finds, without a line of what passes leaving the engine.
//!
//! The query gives prediction lines with `why`, which `ingest` takes for what it would have found
//! itself. What has no form in SQL is refused by name.

use std::collections::BTreeMap;

use cel::Program;
use cel::common::ast::{Expr, IdedExpr, LiteralValue};

use crate::domain::traps::{Trap, span};

/// Engines that queries are written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    DuckDb,
    Postgres,
    ClickHouse,
    Spark,
}

impl Engine {
    pub const ALL: [Self; 4] = [Self::DuckDb, Self::Postgres, Self::ClickHouse, Self::Spark];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::DuckDb => "duckdb",
            Self::Postgres => "postgres",
            Self::ClickHouse => "clickhouse",
            Self::Spark => "spark",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == name)
    }
}

/// What of a trap has no form in SQL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("trap `{trap}`: {what} has no form in {engine}")]
pub struct NoSql {
    pub trap: String,
    pub what: String,
    pub engine: &'static str,
}

/// A value's type, as far as it has to be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    Text,
    Truth,
    /// Of a field that nothing is said of.
    Unknown,
}

struct Dialect<'m> {
    engine: Engine,
    /// Fields that stand in columns of other names.
    map: &'m BTreeMap<String, String>,
}

/// The query for these traps, with the versions of their rules, over a table or what stands for one; with
/// `reach` predictions before and after each case.
pub fn query(
    engine: Engine,
    table: &str,
    map: &BTreeMap<String, String>,
    traps: &[(Trap, String)],
    reach: u64,
) -> Result<String, NoSql> {
    let dialect = Dialect { engine, map };
    let mut parts = Vec::new();
    for (trap, version) in traps {
        parts.push(dialect.flagged(trap, version)?);
    }
    let stream = dialect.coalesce(&dialect.text("stream"), "'default'");
    let (id, ms) = (dialect.text("id"), dialect.milliseconds());
    let day = match engine {
        Engine::ClickHouse => "intDiv(cw_ms, 86400000)".to_owned(),
        _ => "floor(cw_ms / 86400000.0)".to_owned(),
    };
    let (rate, line) = (dialect.rate(), dialect.line(reach > 0));
    let (near, from, join, beside) = match reach {
        0 => (String::new(), "src", "JOIN", ""),
        n => (
            format!(
                ",\ncw_near AS (\n  SELECT src.*,\n    max(coalesce(k.cw_hit, 0)) OVER (PARTITION BY src.cw_stream ORDER BY src.cw_ms, src.cw_id ROWS BETWEEN {n} PRECEDING AND {n} FOLLOWING) AS cw_beside\n  \
                 FROM src LEFT JOIN cw_kept AS k ON k.cw_stream = src.cw_stream AND k.cw_id = src.cw_id\n)"
            ),
            "cw_near",
            "LEFT JOIN",
            "\nWHERE src.cw_beside = 1",
        ),
    };
    // The row as it was, to be given back whole.
    let whole = if engine == Engine::Spark { ", struct(src.*) AS cw_row" } else { "" };
    Ok(format!(
        "-- Predictions that become cases, by casework's traps: for `casework ingest -`.\n\
         WITH cw_all AS (\n  SELECT src.*, {stream} AS cw_stream, {id} AS cw_id, {ms} AS cw_ms{whole} FROM {table} AS src\n),\n\
         cw_numbered AS (\n  SELECT cw_all.*, {day} AS cw_day,\n    row_number() OVER (PARTITION BY cw_stream, cw_id ORDER BY cw_ms) AS cw_again\n  FROM cw_all WHERE cw_id IS NOT NULL\n),\n\
         src AS (SELECT * FROM cw_numbered WHERE cw_again = 1),\n\
         cw_flagged AS (\n{}\n),\n\
         cw_ranked AS (\n  SELECT cw_flagged.*,\n    row_number() OVER (PARTITION BY cw_trap, cw_stream, cw_day ORDER BY cw_u, cw_id) AS cw_place,\n    count(*) OVER (PARTITION BY cw_trap, cw_stream, cw_day) AS cw_of\n  FROM cw_flagged\n),\n\
         cw_kept AS (\n  SELECT DISTINCT cw_stream, cw_id, 1 AS cw_hit FROM cw_ranked WHERE cw_most = 0 OR cw_place <= cw_most\n),\n\
         cw_why AS (\n  SELECT r.cw_stream, r.cw_id, {} AS why\n  FROM (SELECT cw_ranked.*, {rate} AS cw_share, CASE WHEN cw_most > 0 AND cw_place > cw_most THEN cw_most ELSE 0 END AS cw_beyond FROM cw_ranked) AS r\n  JOIN cw_kept AS k ON k.cw_stream = r.cw_stream AND k.cw_id = r.cw_id\n  GROUP BY r.cw_stream, r.cw_id\n){near}\n\
         SELECT {line}\nFROM {from} AS src {join} cw_why AS w ON w.cw_stream = src.cw_stream AND w.cw_id = src.cw_id{beside}\nORDER BY src.cw_ms, src.cw_id{}\n",
        parts.join("\n  UNION ALL\n"),
        dialect.why(),
        if engine == Engine::ClickHouse { "\nFORMAT JSONEachRow" } else { "" },
    ))
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

impl Dialect<'_> {
    fn no(&self, trap: &str, what: impl Into<String>) -> NoSql {
        NoSql { trap: trap.to_owned(), what: what.into(), engine: self.engine.as_str() }
    }

    /// A text as the engine writes it.
    fn literal(&self, text: &str) -> String {
        match self.engine {
            Engine::ClickHouse | Engine::Spark => {
                format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
            }
            _ => quoted(text),
        }
    }

    fn flagged(&self, trap: &Trap, version: &str) -> Result<String, NoSql> {
        if trap.novel.is_some() || trap.rare.is_some() || trap.plugin.is_some() {
            // Its counts are hashes that no engine makes.
            return Err(self.no(&trap.name, "what is held against a reference"));
        }
        if trap.stuck.is_some() {
            return Err(self.no(&trap.name, "stuck"));
        }
        let u = self.draw(&trap.name);
        let mut source = "src".to_owned();
        let mut conditions = Vec::new();
        if let Some(rule) = &trap.rule {
            conditions.push(self.rule(&trap.name, rule)?);
        }
        if let Some(repeat) = &trap.repeat {
            if repeat.near.is_some() {
                return Err(self.no(&trap.name, "repeat.near"));
            }
            let keys: Vec<String> = repeat
                .by
                .iter()
                .map(|field| format!("lower(trim({}))", self.coalesce(&self.text(field), "''")))
                .collect();
            let any: Vec<String> =
                repeat.by.iter().map(|field| self.coalesce(&self.text(field), "''")).collect();
            let within = span(&repeat.within).unwrap_or(0) - 1;
            let inner = conditions.pop().map_or(String::new(), |rule| format!(" WHERE {rule}"));
            source = format!(
                "(SELECT src.*, count(*) OVER (PARTITION BY cw_stream, {} ORDER BY cw_ms RANGE BETWEEN {within} PRECEDING AND CURRENT ROW) AS cw_times FROM src{inner})",
                keys.join(", ")
            );
            conditions.push(format!("cw_times >= {}", repeat.times));
            conditions.push(format!("concat({}, '') <> ''", any.join(", ")));
        }
        if let Some(rate) = trap.sample {
            conditions.push(format!("{u} < {rate:e}"));
        }
        let filter = if conditions.is_empty() {
            String::new()
        } else {
            format!(" WHERE {}", conditions.join(" AND "))
        };
        let rate = trap.sample.map_or("1.0".to_owned(), |rate| format!("{rate:e}"));
        let null = self.double(&rate);
        Ok(format!(
            "  SELECT {} AS cw_trap, {} AS cw_version, {u} AS cw_u, {null} AS cw_rate, {} AS cw_most, cw_stream, cw_id, cw_day\n  FROM {source} AS src{filter}",
            self.literal(&trap.name),
            self.literal(version),
            trap.per_day.unwrap_or(0),
        ))
    }

    fn double(&self, number: &str) -> String {
        let name = match self.engine {
            Engine::ClickHouse => "Float64",
            Engine::Postgres => "double precision",
            Engine::DuckDb | Engine::Spark => "double",
        };
        format!("CAST({number} AS {name})")
    }

    fn coalesce(&self, value: &str, other: &str) -> String {
        match self.engine {
            // An empty name is none.
            Engine::ClickHouse => format!("coalesce(nullIf(toString({value}), ''), {other})"),
            Engine::Spark => format!("coalesce(nullif(cast({value} as string), ''), {other})"),
            _ => format!("coalesce(nullif(cast({value} AS text), ''), {other})"),
        }
    }

    /// The draw, as `ingest` makes it.
    fn draw(&self, trap: &str) -> String {
        let newline = match self.engine {
            Engine::ClickHouse | Engine::Spark => "char(10)",
            _ => "chr(10)",
        };
        let text = format!(
            "concat('casework sample 1', {newline}, {}, {newline}, cw_stream, {newline}, cw_id)",
            self.literal(trap)
        );
        match self.engine {
            Engine::DuckDb => format!(
                "(CAST(concat('0x', substr(sha256({text}), 1, 13)) AS BIGINT) / 4503599627370496.0::DOUBLE)"
            ),
            Engine::Postgres => format!(
                "(CAST(CAST(CAST(concat('x000', substr(encode(sha256(convert_to({text}, 'UTF8')), 'hex'), 1, 13)) AS bit(64)) AS bigint) AS double precision) / 4503599627370496.0::double precision)"
            ),
            Engine::ClickHouse => format!(
                "(reinterpretAsUInt64(reverse(unhex(concat('000', substring(hex(SHA256({text})), 1, 13))))) / 4503599627370496)"
            ),
            Engine::Spark => format!(
                "(CAST(conv(substr(sha2({text}, 256), 1, 13), 16, 10) AS BIGINT) / 4503599627370496D)"
            ),
        }
    }

    fn milliseconds(&self) -> String {
        let at = self.text("occurred_at");
        match self.engine {
            Engine::DuckDb => format!("epoch_ms(CAST({at} AS TIMESTAMPTZ))"),
            Engine::Postgres => {
                format!(
                    "CAST(floor(extract(epoch FROM CAST({at} AS timestamptz)) * 1000) AS bigint)"
                )
            }
            Engine::ClickHouse => {
                format!(
                    "toUnixTimestamp64Milli(parseDateTime64BestEffort(toString({at}), 3, 'UTC'))"
                )
            }
            Engine::Spark => format!("unix_millis(CAST({at} AS TIMESTAMP))"),
        }
    }

    /// A field's column, or the path into one.
    fn raw(&self, field: &str) -> String {
        if let Some(column) = self.map.get(field) {
            return match self.engine {
                Engine::ClickHouse | Engine::Spark => format!("src.`{column}`"),
                _ => format!("src.\"{column}\""),
            };
        }
        let path = match field {
            "confidence" => "prediction.confidence",
            "label" => "prediction.label",
            "text" => "input.text",
            "session" => "input.session_id",
            "challenger_label" => "challenger.label",
            other => other,
        };
        let parts: Vec<&str> = path.split('.').collect();
        match self.engine {
            Engine::Postgres => format!("(src.line #>> '{{{}}}')", parts.join(",")),
            Engine::DuckDb => {
                let names: Vec<String> = parts.iter().map(|part| format!("\"{part}\"")).collect();
                format!("src.{}", names.join("."))
            }
            Engine::Spark => {
                let names: Vec<String> = parts.iter().map(|part| format!("`{part}`")).collect();
                format!("src.{}", names.join("."))
            }
            Engine::ClickHouse => {
                let first = format!("src.`{}`", parts[0]);
                parts[1..].iter().fold(first, |of, part| format!("tupleElement({of}, '{part}')"))
            }
        }
    }

    fn text(&self, field: &str) -> String {
        self.raw(field)
    }

    /// A field as a value of a kind.
    fn field(&self, field: &str, kind: Kind) -> (String, Kind) {
        let raw = self.raw(field);
        let known = match field {
            "confidence" | "prediction.confidence" | "latency_ms" => Kind::Number,
            "label" | "text" | "session" | "stream" | "source" | "id" | "challenger_label" => {
                Kind::Text
            }
            _ => kind,
        };
        let cast = match (self.engine, known) {
            (Engine::Postgres, Kind::Number) => self.double(&raw),
            (Engine::Postgres, Kind::Truth) => format!("CAST({raw} AS boolean)"),
            _ => raw,
        };
        match (field, self.engine) {
            // What a line lacks is an empty text to these.
            ("text" | "session" | "source", Engine::ClickHouse) => {
                (format!("coalesce({cast}, '')"), known)
            }
            ("text" | "session" | "source" | "challenger_label", _) => {
                (format!("coalesce({cast}, '')"), known)
            }
            ("stream", _) => ("src.cw_stream".to_owned(), known),
            ("id", _) => ("src.cw_id".to_owned(), known),
            _ => (cast, known),
        }
    }

    fn margin(&self) -> String {
        match self.engine {
            Engine::DuckDb => {
                let list = self.raw("prediction.top_k");
                format!("({list}[1].p - {list}[2].p)")
            }
            Engine::Postgres => {
                let p = |place: u8| {
                    self.double(&format!("(src.line #>> '{{prediction,top_k,{place},p}}')"))
                };
                format!("({} - {})", p(0), p(1))
            }
            Engine::Spark => {
                let list = self.raw("prediction.top_k");
                format!("(try_element_at({list}, 1).p - try_element_at({list}, 2).p)")
            }
            Engine::ClickHouse => {
                let list = self.raw("prediction.top_k");
                format!(
                    "if(length({list}) >= 2, tupleElement({list}[1], 'p') - tupleElement({list}[2], 'p'), NULL)"
                )
            }
        }
    }

    fn has_prediction(&self) -> String {
        format!("({} IS NOT NULL)", self.raw("prediction.label"))
    }

    fn rule(&self, trap: &str, source: &str) -> Result<String, NoSql> {
        // It was compiled before, so it can be read.
        let program =
            Program::compile(source).map_err(|_| self.no(trap, "a rule that can't be read"))?;
        Ok(self.expression(trap, program.expression(), Kind::Truth)?.0)
    }

    fn expression(
        &self,
        trap: &str,
        expr: &IdedExpr,
        wanted: Kind,
    ) -> Result<(String, Kind), NoSql> {
        match &expr.expr {
            Expr::Literal(literal) => self.constant(trap, literal),
            Expr::Ident(name) => Ok(match name.as_str() {
                "margin" => (self.margin(), Kind::Number),
                "draw" => (self.draw(trap), Kind::Number),
                "has_prediction" => (self.has_prediction(), Kind::Truth),
                "disagrees" => {
                    let (rival, _) = self.field("challenger_label", Kind::Text);
                    let said = self.coalesce(&self.raw("label"), "''");
                    (format!("({rival} <> '' AND {rival} <> {said})"), Kind::Truth)
                }
                name => self.field(name, wanted),
            }),
            Expr::Select(select) => {
                let path =
                    path_of(expr).ok_or_else(|| self.no(trap, "a field of what is computed"))?;
                if select.test {
                    return Ok((format!("({} IS NOT NULL)", self.raw(&path)), Kind::Truth));
                }
                Ok(self.field(&path, wanted))
            }
            Expr::Call(call) => {
                let args: Vec<&IdedExpr> =
                    call.target.iter().map(AsRef::as_ref).chain(&call.args).collect();
                self.call(trap, &call.func_name, &args)
            }
            Expr::Comprehension(_) => Err(self.no(trap, "map, filter, all, exists")),
            _ => Err(self.no(trap, "a list or a map")),
        }
    }

    fn constant(&self, trap: &str, literal: &LiteralValue) -> Result<(String, Kind), NoSql> {
        Ok(match literal {
            LiteralValue::Boolean(truth) => {
                (if *truth.inner() { "true" } else { "false" }.to_owned(), Kind::Truth)
            }
            LiteralValue::Int(n) => (n.inner().to_string(), Kind::Number),
            LiteralValue::UInt(n) => (n.inner().to_string(), Kind::Number),
            LiteralValue::Double(n) => (self.double(&format!("{:e}", n.inner())), Kind::Number),
            LiteralValue::String(text) => (self.literal(text.inner()), Kind::Text),
            LiteralValue::Null | LiteralValue::Bytes(_) => {
                return Err(self.no(trap, "null and bytes"));
            }
        })
    }

    fn call(&self, trap: &str, name: &str, args: &[&IdedExpr]) -> Result<(String, Kind), NoSql> {
        let one = |place: usize, kind| self.expression(trap, args[place], kind);
        let truth = |sql: String| Ok((sql, Kind::Truth));
        match (name, args.len()) {
            ("_&&_", 2) => {
                truth(format!("({} AND {})", one(0, Kind::Truth)?.0, one(1, Kind::Truth)?.0))
            }
            ("_||_", 2) => {
                truth(format!("({} OR {})", one(0, Kind::Truth)?.0, one(1, Kind::Truth)?.0))
            }
            ("!_", 1) => truth(format!("(NOT {})", one(0, Kind::Truth)?.0)),
            ("-_", 1) => Ok((format!("(- {})", one(0, Kind::Number)?.0), Kind::Number)),
            ("_?_:_", 3) => {
                let kind = self.both(trap, args[1], args[2])?;
                let (a, b) = (one(1, kind)?.0, one(2, kind)?.0);
                Ok((format!("CASE WHEN {} THEN {a} ELSE {b} END", one(0, Kind::Truth)?.0), kind))
            }
            ("_==_" | "_!=_" | "_<_" | "_<=_" | "_>_" | "_>=_", 2) => {
                let kind = self.both(trap, args[0], args[1])?;
                let sign = match name {
                    "_==_" => "=",
                    "_!=_" => "<>",
                    other => other.trim_matches('_'),
                };
                truth(format!("({} {sign} {})", one(0, kind)?.0, one(1, kind)?.0))
            }
            ("_+_" | "_-_" | "_*_", 2) => {
                let sign = name.trim_matches('_');
                let (a, b) = (one(0, Kind::Number)?, one(1, Kind::Number)?);
                if a.1 == Kind::Text || b.1 == Kind::Text {
                    return Err(self.no(trap, "calculating with texts"));
                }
                Ok((format!("({} {sign} {})", a.0, b.0), Kind::Number))
            }
            ("size", 1) => {
                let (text, kind) = one(0, Kind::Text)?;
                if kind != Kind::Text {
                    return Err(self.no(trap, "size of a list"));
                }
                let length = match self.engine {
                    Engine::ClickHouse => "lengthUTF8",
                    _ => "length",
                };
                Ok((format!("{length}({text})"), Kind::Number))
            }
            ("startsWith" | "endsWith" | "contains", 2) => {
                let (text, part) = (one(0, Kind::Text)?.0, one(1, Kind::Text)?.0);
                let call = match (name, self.engine) {
                    ("contains", Engine::ClickHouse) => format!("(position({text}, {part}) > 0)"),
                    ("contains", Engine::Spark) => format!("contains({text}, {part})"),
                    ("contains", _) => format!("(strpos({text}, {part}) > 0)"),
                    ("startsWith", Engine::ClickHouse) => format!("startsWith({text}, {part})"),
                    ("startsWith", Engine::Spark) => format!("startswith({text}, {part})"),
                    ("startsWith", _) => format!("starts_with({text}, {part})"),
                    (_, Engine::ClickHouse) => format!("endsWith({text}, {part})"),
                    (_, Engine::Spark) => format!("endswith({text}, {part})"),
                    (_, Engine::DuckDb) => format!("suffix({text}, {part})"),
                    _ => format!("(right({text}, length({part})) = {part})"),
                };
                truth(call)
            }
            ("@in", 2) => {
                let Expr::List(list) = &args[1].expr else {
                    return Err(self.no(trap, "`in` of what is no list of words"));
                };
                let kind = list.elements.first().map_or(Ok(Kind::Text), |first| {
                    self.expression(trap, first, Kind::Unknown).map(|(_, kind)| kind)
                })?;
                let items: Result<Vec<String>, NoSql> = list
                    .elements
                    .iter()
                    .map(|item| Ok(self.expression(trap, item, kind)?.0))
                    .collect();
                truth(format!("({} IN ({}))", one(0, kind)?.0, items?.join(", ")))
            }
            (name, _) => {
                let name = name.trim_matches('_').trim_start_matches('@');
                Err(self.no(trap, format!("`{name}`")))
            }
        }
    }

    /// The kind that two sides share: that of the one of which it is known.
    fn both(&self, trap: &str, a: &IdedExpr, b: &IdedExpr) -> Result<Kind, NoSql> {
        let kind = |expr| Ok::<_, NoSql>(self.expression(trap, expr, Kind::Unknown)?.1);
        Ok(match (kind(a)?, kind(b)?) {
            (Kind::Unknown, Kind::Unknown) => Kind::Text,
            (Kind::Unknown, known) | (known, _) => known,
        })
    }

    fn rate(&self) -> String {
        let least = match self.engine {
            Engine::ClickHouse => "least(1.0, cw_most / cw_of)".to_owned(),
            _ => format!("least(1.0, {} / cw_of)", self.double("cw_most")),
        };
        format!("cw_rate * CASE WHEN cw_most = 0 THEN 1.0 ELSE {least} END")
    }

    /// The list of traps that flag a prediction.
    fn why(&self) -> String {
        let order = "r.cw_trap, r.cw_version";
        match self.engine {
            Engine::DuckDb => format!(
                "list({{'trap': r.cw_trap, 'version': r.cw_version, 'u': r.cw_u, 'rate': r.cw_share, 'per_day': r.cw_beyond}} ORDER BY {order})"
            ),
            Engine::Postgres => format!(
                "jsonb_agg(jsonb_build_object('trap', r.cw_trap, 'version', r.cw_version, 'u', r.cw_u, 'rate', r.cw_share, 'per_day', r.cw_beyond) ORDER BY {order})"
            ),
            Engine::ClickHouse => "arraySort(groupArray(CAST((r.cw_trap, r.cw_version, r.cw_u, r.cw_share, r.cw_beyond), 'Tuple(trap String, version String, u Float64, rate Float64, per_day UInt64)')))".to_owned(),
            Engine::Spark => "sort_array(collect_list(named_struct('trap', r.cw_trap, 'version', r.cw_version, 'u', r.cw_u, 'rate', r.cw_share, 'per_day', r.cw_beyond)))".to_owned(),
        }
    }

    /// A prediction line with its `why`; of one that stands beside cases alone, a `why` that names no trap.
    fn line(&self, with_beside: bool) -> String {
        let none = match self.engine {
            Engine::DuckDb => "[{'trap': '', 'version': '', 'u': 0.0, 'rate': 0.0, 'per_day': 0}]",
            Engine::Postgres => {
                "jsonb_build_array(jsonb_build_object('trap', '', 'version', '', 'u', 0.0))"
            }
            Engine::ClickHouse => {
                "[CAST(('', '', 0.0, 0.0, 0), 'Tuple(trap String, version String, u Float64, rate Float64, per_day UInt64)')]"
            }
            Engine::Spark => {
                "array(named_struct('trap', '', 'version', '', 'u', 0D, 'rate', 0D, 'per_day', 0))"
            }
        };
        let why = match (with_beside, self.engine) {
            (false, _) => "w.why".to_owned(),
            (true, Engine::ClickHouse) => format!("if(empty(w.why), {none}, w.why)"),
            (true, _) => format!("coalesce(w.why, {none})"),
        };
        // Columns of the query's own.
        let own = match with_beside {
            true => ["cw_stream", "cw_id", "cw_ms", "cw_day", "cw_again", "cw_beside"].as_slice(),
            false => &["cw_stream", "cw_id", "cw_ms", "cw_day", "cw_again"],
        };
        match self.engine {
            Engine::DuckDb => {
                let gone: String = own.iter().map(|name| format!(", '{name}': NULL")).collect();
                format!(
                    "json_merge_patch(to_json(src), to_json({{'why': {why}, 'occurred_at': strftime(make_timestamp(src.cw_ms * 1000), '%Y-%m-%dT%H:%M:%S.%gZ'){gone}}})) AS line"
                )
            }
            Engine::Postgres => format!("src.line || jsonb_build_object('why', {why}) AS line"),
            Engine::ClickHouse => format!(
                "src.* EXCEPT (occurred_at, {}), formatDateTime(fromUnixTimestamp64Milli(src.cw_ms, 'UTC'), '%Y-%m-%dT%H:%i:%S.%fZ') AS occurred_at, {why} AS why",
                own.join(", ")
            ),
            Engine::Spark => format!(
                "to_json(struct(src.cw_row.*, {why} AS why), map('ignoreNullFields', 'false')) AS line"
            ),
        }
    }
}

/// `a.b.c` of nested fields, if that is what it is.
fn path_of(expr: &IdedExpr) -> Option<String> {
    match &expr.expr {
        Expr::Ident(name) => Some(name.clone()),
        Expr::Select(select) => Some(format!("{}.{}", path_of(&select.operand)?, select.field)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sql(engine: Engine, rule: &str) -> Result<String, String> {
        let trap = Trap { name: "t".into(), rule: Some(rule.into()), ..Trap::default() };
        query(engine, "p", &BTreeMap::new(), &[(trap, "v".into())], 0).map_err(|e| e.to_string())
    }

    #[test]
    fn rules_are_written_for_each_engine_and_what_has_no_form_is_named() {
        for engine in Engine::ALL {
            for rule in [
                "has_prediction && confidence < 0.4",
                "margin < 0.1 || disagrees",
                "input.channel in ['voice', 'web'] && !text.startsWith('a')",
                "has(input.amount) && input.amount * 2 > 10 && size(text) > 3",
                "label == 'it\\'s' ? draw < 0.5 : stream != 's'",
            ] {
                assert!(sql(engine, rule).is_ok(), "{engine:?} {rule}: {:?}", sql(engine, rule));
            }
            for (rule, what) in [
                ("text.matches('^a')", "`matches`"),
                ("prediction.top_k.exists(k, k.label == 'x')", "exists"),
                ("timestamp(occurred_at).getHours() == 0", "`getHours`"),
            ] {
                let error = sql(engine, rule).unwrap_err();
                assert!(error.contains(what) && error.contains("trap `t`"), "{error}");
            }
        }
        assert!(
            sql(Engine::Postgres, "input.amount > 3")
                .unwrap()
                .contains("CAST((src.line #>> '{input,amount}') AS double precision) > 3")
        );
        assert!(sql(Engine::DuckDb, "label == 'it\\'s'").unwrap().contains("'it''s'"));
    }
}
