//! A schema of a PostgreSQL database: one table of names and bytes. Who writes tells the others
//! (NOTIFY), so that their work arrives at once.
//!
//! Where the host is not this machine the connection is encrypted and the certificate checked
//! against those that the system trusts, unless the URL says `sslmode=disable`. Passwords come from
//! `PGPASSWORD` and `~/.pgpass`.

use std::path::Path;
use std::time::Duration;

use postgres::config::{Host, SslMode};
use postgres::error::SqlState;
use postgres::fallible_iterator::FallibleIterator as _;
use postgres::{Client, Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{Listed, Options, Put, Store, StoreError, StoreErrorKind};
use crate::config::Credentials;
use crate::domain::text::visible;

/// The schema that is used unless the URL names another.
const SCHEMA: &str = "casework";
/// What the table's comment says, to tell ours from another program's.
const MARK: &str = "casework store 1";
const CONNECT: Duration = Duration::from_secs(8);

struct Database {
    name: String,
    schema: String,
    config: Config,
    tls: bool,
    client: Option<Client>,
    create: bool,
}

pub(super) fn open(url: &str, options: &Options) -> Result<Box<dyn Store>, StoreError> {
    let bad = |why: String| StoreError { trouble: StoreErrorKind::Url, store: url.to_owned(), why };
    let (plain, schema) = without_schema(url);
    let schema = schema.unwrap_or_else(|| SCHEMA.to_owned());
    if !schema.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') || schema.is_empty() {
        return Err(bad("a schema's name is letters, digits and `_`".to_owned()));
    }
    let mut config: Config =
        plain.parse().map_err(|error: postgres::Error| bad(error.to_string()))?;
    if config.get_user().is_none() {
        config.user(options.credentials.pg_user.as_deref().unwrap_or("postgres"));
    }
    let local = config.get_hosts().iter().all(|host| match host {
        Host::Tcp(name) => {
            name == "localhost" || name.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    });
    let tls =
        config.get_ssl_mode() != SslMode::Disable && (!local || plain.contains("sslmode=require"));
    config.ssl_mode(if tls { SslMode::Require } else { SslMode::Disable });
    config
        .connect_timeout(CONNECT)
        .application_name("casework")
        .keepalives_idle(Duration::from_secs(30));
    if let Some(password) = password(&config, &options.credentials) {
        config.password(password);
    }
    let mut store = Database {
        name: url.to_owned(),
        schema,
        config,
        tls,
        client: None,
        create: options.create,
    };
    store.connect()?;
    Ok(Box::new(store))
}

/// The URL without our own parameter, and what that says.
fn without_schema(url: &str) -> (String, Option<String>) {
    let Some((base, query)) = url.split_once('?') else { return (url.to_owned(), None) };
    let mut schema = None;
    let mut kept = Vec::new();
    for part in query.split('&') {
        match part.strip_prefix("schema=") {
            Some(name) => schema = Some(name.to_owned()),
            None => kept.push(part),
        }
    }
    let url = if kept.is_empty() { base.to_owned() } else { format!("{base}?{}", kept.join("&")) };
    (url, schema)
}

fn password(config: &Config, credentials: &Credentials) -> Option<String> {
    if credentials.pg_password.is_some() {
        return credentials.pg_password.clone();
    }
    let path = credentials.file(credentials.pg_passfile.as_ref(), ".pgpass")?;
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(name)) => name.clone(),
        _ => "localhost".to_owned(),
    };
    let port = config.get_ports().first().copied().unwrap_or(5432).to_string();
    let user = config.get_user().unwrap_or_default().to_owned();
    let database = config.get_dbname().unwrap_or(&user).to_owned();
    password_in(&safe_file(&path)?, [&host, &port, &database, &user])
}

/// The file, if nobody else may read it: libpq's own condition.
fn safe_file(path: &Path) -> Option<String> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        if std::fs::metadata(path).ok()?.permissions().mode() & 0o077 != 0 {
            return None;
        }
    }
    std::fs::read_to_string(path).ok()
}

/// The password of the first line of a `.pgpass` file that fits:
/// `host:port:database:user:password`, `*` fits all.
fn password_in(text: &str, wanted: [&str; 4]) -> Option<String> {
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let mut fields = vec![String::new()];
        let mut escaped = false;
        for c in line.chars() {
            match c {
                '\\' if !escaped => escaped = true,
                ':' if !escaped && fields.len() < 5 => fields.push(String::new()),
                c => {
                    escaped = false;
                    if let Some(field) = fields.last_mut() {
                        field.push(c);
                    }
                }
            }
        }
        let fits =
            wanted.iter().zip(&fields).all(|(wanted, field)| field == "*" || field == wanted);
        if fits && fields.len() == 5 {
            return fields.pop();
        }
    }
    None
}

impl Database {
    fn connect(&mut self) -> Result<(), StoreError> {
        let connected = if self.tls {
            // A provider that was installed before serves as well.
            let _ = rustls::crypto::ring::default_provider().install_default();
            let certificates = MakeRustlsConnect::with_native_certs();
            let (tls, _) = certificates.map_err(|_| {
                self.error(
                    StoreErrorKind::Other,
                    "the system has no certificates to check its own by",
                )
            })?;
            self.config.connect(tls)
        } else {
            self.config.connect(NoTls)
        };
        let client = connected.map_err(|error| self.explain(&error))?;
        self.client = Some(client);
        self.look_at_table()
    }

    /// The table is there and ours, or is made.
    fn look_at_table(&mut self) -> Result<(), StoreError> {
        let schema = self.schema.clone();
        let sql = "SELECT c.oid::regclass::text, obj_description(c.oid, 'pg_class') FROM pg_class c
                   JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relkind IN ('r', 'v', 'm', 'p')";
        let tables = self.with(|client| client.query(sql, &[&schema]))?;
        let ours =
            tables.iter().any(|row| row.get::<_, Option<String>>(1).as_deref() == Some(MARK));
        if !ours && !tables.is_empty() {
            let why = format!(
                "the schema `{schema}` holds another program's tables: name another with ?schema=NAME"
            );
            return Err(self.error(StoreErrorKind::Foreign, &why));
        }
        if !ours && !self.create {
            let why =
                format!("the schema `{schema}` holds no store: `casework init --store` makes one");
            return Err(self.error(StoreErrorKind::Missing, &why));
        }
        if !ours {
            // Names compare byte by byte, whatever language the database sorts by.
            let make = format!(
                "CREATE SCHEMA IF NOT EXISTS \"{schema}\";
                 CREATE TABLE IF NOT EXISTS \"{schema}\".file (key text COLLATE \"C\" PRIMARY KEY, bytes bytea NOT NULL);
                 COMMENT ON TABLE \"{schema}\".file IS '{MARK}';"
            );
            self.with(|client| client.batch_execute(&make))?;
        }
        let listen = format!("LISTEN \"{schema}\"");
        self.with(|client| client.batch_execute(&listen))
    }

    /// Runs a statement; connects again, once, if the connection was lost.
    fn with<T>(
        &mut self,
        mut work: impl FnMut(&mut Client) -> Result<T, postgres::Error>,
    ) -> Result<T, StoreError> {
        for again in [true, false] {
            if self.client.as_ref().is_none_or(Client::is_closed) {
                self.client = None;
                self.connect()?;
            }
            let Some(client) = &mut self.client else { break };
            match work(client) {
                Ok(done) => return Ok(done),
                Err(error) if again && (error.is_closed() || client.is_closed()) => {}
                Err(error) => return Err(self.explain(&error)),
            }
        }
        Err(self.error(StoreErrorKind::Unreachable, "the connection was closed"))
    }

    fn error(&self, trouble: StoreErrorKind, why: &str) -> StoreError {
        StoreError { trouble, store: self.name.clone(), why: why.to_owned() }
    }

    fn explain(&self, error: &postgres::Error) -> StoreError {
        let words = match error.as_db_error() {
            Some(db) => db.message().to_owned(),
            None => {
                let mut words = error.to_string();
                let mut source = std::error::Error::source(error);
                while let Some(inner) = source {
                    words = inner.to_string();
                    source = inner.source();
                }
                words
            }
        };
        let trouble = match error.code() {
            Some(code)
                if *code == SqlState::INVALID_PASSWORD
                    || *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION =>
            {
                StoreErrorKind::Denied
            }
            Some(code) if *code == SqlState::INSUFFICIENT_PRIVILEGE => StoreErrorKind::Denied,
            Some(code) if *code == SqlState::READ_ONLY_SQL_TRANSACTION => StoreErrorKind::ReadOnly,
            Some(code) if *code == SqlState::DISK_FULL => StoreErrorKind::Full,
            Some(code) if *code == SqlState::INVALID_CATALOG_NAME => StoreErrorKind::Missing,
            Some(code) if *code == SqlState::UNDEFINED_TABLE => StoreErrorKind::Missing,
            Some(_) => StoreErrorKind::Other,
            None if words.contains("password missing") => StoreErrorKind::Denied,
            None => StoreErrorKind::Unreachable,
        };
        self.error(trouble, &visible(&words))
    }
}

impl Store for Database {
    fn name(&self) -> &str {
        &self.name
    }

    fn put_new(&mut self, key: &str, bytes: &[u8]) -> Result<Put, StoreError> {
        let sql = format!(
            "INSERT INTO \"{}\".file (key, bytes) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            self.schema
        );
        let channel = self.schema.clone();
        self.with(|client| {
            let mut tx = client.transaction()?;
            let created = tx.execute(sql.as_str(), &[&key, &bytes])? == 1;
            if created {
                tx.execute("SELECT pg_notify($1, '')", &[&channel])?;
            }
            tx.commit()?;
            Ok(if created { Put::Created } else { Put::Exists })
        })
    }

    fn get(&mut self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let sql = format!("SELECT bytes FROM \"{}\".file WHERE key = $1", self.schema);
        self.with(|client| Ok(client.query_opt(sql.as_str(), &[&key])?.map(|row| row.get(0))))
    }

    fn list(&mut self, prefix: &str) -> Result<Vec<Listed>, StoreError> {
        let sql = format!(
            "SELECT key, octet_length(bytes)::bigint FROM \"{}\".file WHERE key >= $1 AND key < $2 ORDER BY key",
            self.schema
        );
        // `prefix` ends with a slash; a zero is the next character.
        let end = format!("{}0", prefix.strip_suffix('/').unwrap_or(prefix));
        let rows = self.with(|client| client.query(sql.as_str(), &[&prefix, &end]))?;
        Ok(rows
            .iter()
            .map(|row| Listed { key: row.get(0), bytes: row.get::<_, i64>(1).unsigned_abs() })
            .collect())
    }

    fn delete(&mut self, key: &str) -> Result<(), StoreError> {
        let sql = format!("DELETE FROM \"{}\".file WHERE key = $1", self.schema);
        self.with(|client| client.execute(sql.as_str(), &[&key]).map(drop))
    }

    fn tells(&self) -> bool {
        true
    }

    fn wait(&mut self, time: Duration) -> Result<bool, StoreError> {
        // What we wrote ourselves is told to us as well; the next look finds nothing new then.
        self.with(|client| {
            let told = client.notifications().timeout_iter(time).next()?.is_some();
            let mut rest = client.notifications();
            let mut rest = rest.iter();
            while rest.next()?.is_some() {}
            Ok(told)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_found_as_libpq_finds_them() {
        let file = "# a comment\ndb:5432:other:*:no\n*:*:labels:ana:a\\:b\\\\c\n*:*:*:*:last\n";
        let find = |user| password_in(file, ["db", "5432", "labels", user]);
        assert_eq!(find("ana").as_deref(), Some("a:b\\c"));
        assert_eq!(find("bo").as_deref(), Some("last"));
        assert_eq!(password_in("db:1:x:y:z", ["db", "2", "x", "y"]), None);
    }

    #[test]
    fn our_own_parameter_is_not_the_servers() {
        let url = "postgres://h/d?schema=team_a&sslmode=disable";
        assert_eq!(
            without_schema(url),
            ("postgres://h/d?sslmode=disable".to_owned(), Some("team_a".to_owned()))
        );
        assert_eq!(without_schema("postgres://h/d"), ("postgres://h/d".to_owned(), None));
    }
}
