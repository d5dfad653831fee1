//! Cases: taking them in, finding and opening them, saying things about them.

use std::collections::{BTreeSet, HashMap};
use std::io::Read;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, PoisonError};

use super::attached;
use super::{WorkError, Workspace};
use crate::clock;
use crate::db::case::named::{Named, Reading, named};
use crate::db::case::{self, CaseRow};
use crate::db::{Db, count, store};
use crate::domain::ids::CaseId;
use crate::domain::long_text::{Ask, Page};
use crate::domain::modality::View;
use crate::domain::plugin::PluginKind;
use crate::domain::resolve::CaseState;
use crate::domain::time::Moment;
use crate::domain::traps::TrapFile;
use crate::format::log::LogOptions;
use crate::format::mapping::Mapping;
use crate::format::open::{Input, Inputs, Opened};
use crate::format::read::Options;
use crate::format::read::files::Part;
use crate::intake::follow::Places;
use crate::intake::{self, Detectors, Following, Ingest, Progress, Redact, Summary};
use crate::journal::Append;
use crate::journal::chain::Appended;
use crate::journal::kind::{CaseCommented, CaseDeferred, CaseEscalated};
use crate::journal::secret;
use crate::plugin::Host;
use crate::review::history::HistoryLine;
use crate::review::open::{self, Held};
use crate::review::sight::{Figures, Sight};
use crate::review::{Blind, OpenCase, gold};
use crate::trap::Traps;
use crate::trap::alarm::Manner;
use crate::trap::order::Past;
use crate::trap::point::Point;

/// A detector that traps ask, or why it can't be.
type Asked = (String, Result<Host, String>);

/// What to ingest, as it was asked for.
#[derive(Debug, Default)]
pub struct IngestRequest {
    pub logs: Vec<PathBuf>,
    /// What these do not say by themselves.
    pub log_options: LogOptions,
    /// Rules from the command line; with none, the configuration's traps.
    pub rules: Vec<String>,
    /// What the first of them flag their cases with; the others their expression.
    pub names: Vec<String>,
    pub neighbours: Option<usize>,
    pub dry_run: bool,
    /// The input once more, for traps that look at the order; a pipe has none.
    pub again: Option<(Inputs, Part)>,
    /// The input is a piece of one that goes on: it ends, and need not have all that rules ask for.
    pub piece: bool,
    /// What was read is read once more, for what plug-ins could not tell: cases that are known take
    /// what else flags them. Detectors are asked only of what occurred since.
    pub asked_again: bool,
    pub since: Option<Moment>,
    /// Traps to be tried instead of those in force, as if there were no cases yet.
    pub instead: Option<TrapFile>,
}

/// Where it is kept how far files were read.
const FOLLOWED: &str = "followed";

/// Some cases in words, each by what means it alone.
fn several(cases: &[CaseRow]) -> String {
    let words = cases
        .iter()
        .map(|case| format!("{} (`{}` of stream `{}`)", case.id, case.external_id, case.stream));
    words.collect::<Vec<_>>().join(", ")
}

impl Workspace {
    /// For how long whoever is at work is not shown what others said of a case.
    pub fn blindness(&self) -> Result<Blind, WorkError> {
        let is_known = self.roster_now()?.iter().any(|grant| grant.name == self.me);
        Ok(match (self.reviewers()?.contains(&self.me), self.is_lead()?) {
            // Whoever asks to be let in may be one who reviews.
            (false, false) if !is_known => Blind::UntilSettled,
            (false, _) => Blind::Never,
            (true, true) => Blind::WhileOpen,
            (true, false) => Blind::UntilSettled,
        })
    }

    /// Whose figures whoever is at work is shown.
    pub fn figures(&self) -> Result<Figures, WorkError> {
        Ok(Figures::of(&self.me, self.blindness()?))
    }

    /// What whoever is at work may see of what others said.
    pub fn sight(&self) -> Result<Sight, WorkError> {
        Ok(Sight::load(&self.db.conn, &self.me, self.blindness()?)?)
    }

    /// Those of some cases that whoever is at work may still label themselves, and of which they
    /// may not see what others said.
    pub fn blind_to(
        &self,
        cases: impl IntoIterator<Item = CaseId>,
    ) -> Result<BTreeSet<CaseId>, WorkError> {
        let mut sight = self.sight()?;
        let mut blind = BTreeSet::new();
        for id in cases {
            if sight.is_blind_to(&self.db.conn, id)? {
                blind.insert(id);
            }
        }
        Ok(blind)
    }

    /// Takes in lines, in our shape or the one that the configuration says.
    ///
    /// # Errors
    /// Those of reading and writing; what was committed before is kept.
    pub fn ingest(
        &mut self,
        lines: impl Read + Send,
        request: &IngestRequest,
        stop: &AtomicBool,
        progress: impl FnMut(Progress),
    ) -> Result<Summary, WorkError> {
        let mapping = self.mapping(&Options::default())?;
        self.take_in(Input::Lines(Box::new(lines)), mapping.as_ref(), request, stop, progress)
    }

    /// Takes in an input of any format.
    ///
    /// # Errors
    /// As [`Self::ingest`].
    pub fn ingest_opened(
        &mut self,
        opened: Opened,
        options: &Options,
        request: &IngestRequest,
        stop: &AtomicBool,
        progress: impl FnMut(Progress),
    ) -> Result<Summary, WorkError> {
        // Records were mapped as they were read.
        let lines = matches!(opened.input, Input::Lines(_)) && opened.seen.mapped;
        let mapping = options.mapping.as_ref().filter(|_| lines);
        let mut summary = self.take_in(opened.input, mapping, request, stop, progress)?;
        summary.flaws = opened.told.flaws.take();
        summary.no_case = opened.told.passed();
        Ok(summary)
    }

    /// How files are to be read: as was asked, and as the configuration says where things stand.
    ///
    /// # Errors
    /// A path of the configuration that can't be read.
    pub fn reading(&self, mut options: Options) -> Result<Options, WorkError> {
        if options.mapping.is_none() {
            options.mapping = self.mapping(&options)?;
        }
        Ok(options)
    }

    fn mapping(&self, options: &Options) -> Result<Option<Mapping>, WorkError> {
        let source = &self.config.source;
        if !source.is_mapped() {
            return Ok(None);
        }
        let source = source.with(&options.columns);
        Mapping::new(&source, options.times.clone()).map(Some).map_err(WorkError::Mapping)
    }

    fn take_in(
        &mut self,
        input: Input<'_>,
        source: Option<&Mapping>,
        request: &IngestRequest,
        stop: &AtomicBool,
        progress: impl FnMut(Progress),
    ) -> Result<Summary, WorkError> {
        if !request.dry_run {
            self.ready_to_write()?;
        }
        let traps = self.traps(request)?;
        let mut hosts: Vec<Asked> = Vec::new();
        for detector in traps.detectors() {
            let name = detector.name.clone();
            let host = self.take_host(&name, PluginKind::Detector);
            hosts.push((name, host.map_err(|error| error.told().words)));
        }
        let summary =
            self.take_in_with(input, source, request, (&traps, &mut hosts), stop, progress);
        for (name, host) in hosts {
            if let Ok(host) = host {
                self.keep_host(name, host);
            }
        }
        summary
    }

    fn take_in_with(
        &mut self,
        input: Input<'_>,
        source: Option<&Mapping>,
        request: &IngestRequest,
        (traps, hosts): (&Traps, &mut [Asked]),
        stop: &AtomicBool,
        progress: impl FnMut(Progress),
    ) -> Result<Summary, WorkError> {
        let hosts = hosts
            .iter_mut()
            .map(|(name, host)| (name.clone(), host.as_mut().map_err(|why| why.clone())));
        let detectors = Detectors::new(hosts.collect(), request.since);
        let neighbours = request.neighbours.unwrap_or(self.config.ingest.neighbours);
        let Following { mut alarms, window, kept, pasts: mut remembered } =
            self.following(request, neighbours)?;
        alarms.look_so(Manner {
            endless: request.piece || request.again.is_none(),
            reach: intake::reach(neighbours),
        });
        let (alarms, window) = (Mutex::new(alarms), Mutex::new(window));
        let redact = self.redaction(request.dry_run)?;
        let config = &self.config;
        let needs: HashMap<String, Vec<String>> = traps
            .points()
            .iter()
            .map(|point| (point.trap.name.clone(), point.trap.needs.clone()))
            .collect();
        let pasts = match &request.again {
            Some((inputs, part)) if traps.need_survey() => match inputs.again(part.clone())? {
                Some(opened) => intake::survey(opened.input, traps, source, stop)?,
                None => traps.pasts(),
            },
            // Between two pieces of a stream nothing is forgotten.
            _ => {
                let points = traps.points().iter();
                let past = |(point, new): (&Point, Option<Past>)| {
                    new.map(|new| remembered.remove(&point.version).unwrap_or(new))
                };
                points.zip(traps.pasts()).map(past).collect()
            }
        };
        let pasts = Mutex::new(pasts);
        let logs = intake::index_logs(
            &request.logs,
            request.log_options,
            &self.paths.workspace,
            config.ingest.logs,
            stop,
        )?;
        let plan = Ingest {
            traps,
            detectors: &detectors,
            alarms: &alarms,
            pasts: &pasts,
            source,
            logs: logs.as_ref(),
            neighbours,
            window: &window,
            redact: redact.as_ref(),
            roots: &config.attachments.roots,
            needs: &needs,
            stop,
            dry_run: request.dry_run,
            afresh: request.instead.is_some(),
            again: request.asked_again,
            goes_on: request.piece,
            endless: request.again.is_none() && !request.dry_run && !request.piece,
            watch: &|_| Ok(()),
        };
        let (input, unseen_fields) = if request.piece {
            (input, Vec::new())
        } else {
            let is_new = !request.rules.is_empty() || request.instead.is_some();
            intake::checked(input, (traps, is_new), plan.source, stop)?
        };
        let passed_over = |db: &Db| {
            let name = format!("state:{}", CaseState::Unsampled as i64);
            db.explained(|conn| count::get(conn, &name))
        };
        let before = passed_over(&self.db)?;
        let mut summary =
            intake::ingest(&mut self.db, &self.key, &self.me, input, &plan, clock::now, progress)?;
        let mut alarms = alarms.into_inner().unwrap_or_else(PoisonError::into_inner);
        let window = window.into_inner().unwrap_or_else(PoisonError::into_inner);
        (summary.unseen_fields, summary.takes_all) = (unseen_fields, traps.takes_all());
        (summary.late, summary.ahead) = alarms.passed_over();
        summary.untold = alarms.untold();
        summary.gave_way = passed_over(&self.db)?.saturating_sub(before);
        if !request.dry_run {
            let pasts = pasts.into_inner().unwrap_or_else(PoisonError::into_inner);
            let points = traps.points().iter();
            let pasts =
                points.zip(pasts).filter_map(|(point, past)| Some((point.version.clone(), past?)));
            let pasts = pasts.collect();
            self.keep_following(Following { alarms, window, kept, pasts }, request.piece)?;
        }
        Ok(summary)
    }

    /// How far files were read that are followed.
    pub fn followed(&self) -> Result<Places, WorkError> {
        let text = store::setting(&self.db.conn, FOLLOWED)?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
    }

    /// Keeps how far files are read: before a piece is taken in, and after.
    pub fn keep_followed(&self, places: &Places) -> Result<(), WorkError> {
        let places = crate::db::to_json(places);
        Ok(self.db.write(|conn| store::set_setting(conn, FOLLOWED, &places))?)
    }

    /// Whether anything is configured to be redacted.
    pub fn redacts(&self) -> bool {
        Redact::new(&self.config.redact, [0; 32]).is_ok_and(|redact| redact.is_some())
    }

    /// What is to be redacted; the workspace's secret makes the pseudonyms.
    /// A dry run makes no secret where there is none.
    pub(super) fn redaction(&mut self, dry_run: bool) -> Result<Option<Redact>, WorkError> {
        let without = Redact::new(&self.config.redact, [0; 32])?;
        if without.is_none() {
            return Ok(None);
        }
        if dry_run && secret::known(&self.db.conn, &self.key)?.is_empty() {
            return Ok(without);
        }
        if !dry_run {
            self.tend_secrets(true)?;
        }
        let secrets = secret::known(&self.db.conn, &self.key)?;
        // The first that was shared, for as long as the workspace lives: a pseudonym must stay what
        // it was.
        let secret = secrets.first().ok_or(WorkError::NoSecret)?;
        Ok(Redact::new(&self.config.redact, secret.derive("casework 2026-11 pseudonyms"))?)
    }

    /// The streams that cases came from.
    pub fn streams(&self) -> Result<Vec<String>, WorkError> {
        Ok(count::with_prefix(&self.db.conn, "stream:")?
            .into_iter()
            .map(|(name, _)| name)
            .collect())
    }

    /// The case that a person means, to look at: its id, the id that its stream gave it, or the
    /// first digits of its id.
    ///
    /// # Errors
    /// No case is called that, or several are: these are named.
    pub fn find_case(&self, name: &str) -> Result<CaseRow, WorkError> {
        self.named_case(name, Reading::Look)
    }

    /// The case that a person means, to change something: what could mean two is refused.
    ///
    /// # Errors
    /// As [`Self::find_case`].
    pub fn find_case_to_change(&self, name: &str) -> Result<CaseRow, WorkError> {
        self.named_case(name, Reading::Change)
    }

    fn named_case(&self, name: &str, reading: Reading) -> Result<CaseRow, WorkError> {
        match named(&self.db.conn, name, reading)? {
            Named::One(case) => Ok(*case),
            Named::None => Err(WorkError::NoCase(name.to_owned())),
            Named::Several(cases) => Err(WorkError::Ambiguous(name.to_owned(), several(&cases))),
        }
    }

    /// A case with its payload and history, as whoever is at work may see it.
    ///
    /// # Errors
    /// Those of the database.
    pub fn open_case(&mut self, row: CaseRow) -> Result<OpenCase, WorkError> {
        self.open_held(row, Held::All)
    }

    /// The same, of whose long texts only the beginnings are held: [`Self::page_of_text`] has the rest.
    ///
    /// # Errors
    /// Those of the database.
    pub fn open_to_read(&mut self, row: CaseRow) -> Result<OpenCase, WorkError> {
        let large = open::large(&self.db.conn, &row)?.is_some();
        self.open_held(row, if large { Held::Beginnings } else { Held::All })
    }

    /// Bytes that a case has, where that takes a while to be read, with what its input begins with.
    ///
    /// # Errors
    /// Those of the database.
    pub fn large_case(&self, row: &CaseRow) -> Result<Option<(u64, Option<String>)>, WorkError> {
        let Some(bytes) = open::large(&self.db.conn, row)? else { return Ok(None) };
        Ok(Some((bytes, open::beginning(&self.db.conn, row)?)))
    }

    /// What is asked for of a long text of a case.
    ///
    /// # Errors
    /// Those of the database.
    pub fn page_of_text(
        &mut self,
        case: CaseId,
        (at, name): (usize, &str),
        ask: &Ask,
    ) -> Result<Option<Page>, WorkError> {
        let Some(row) = self.case_to_open(case)? else { return Ok(None) };
        Ok(open::page_of_text(&self.db.conn, &mut self.unpacker, &row, (at, name), ask)?)
    }

    fn open_held(&mut self, row: CaseRow, held: Held) -> Result<OpenCase, WorkError> {
        let (in_round, now) = (self.in_round.clone(), self.now());
        let unseen = self.own_sealed(Some(row.id))?;
        let mut case = OpenCase::load(
            &self.db.conn,
            &mut self.unpacker,
            row,
            (&self.me, &unseen),
            in_round.as_deref(),
            held,
            now,
        )?;
        if case.row.state == CaseState::Resolved && case.session.is_none() && !case.gold {
            for (at, words, event) in self.became_of(case.row.id)? {
                case.history.push(HistoryLine { at, who: "retraining".to_owned(), words, event });
            }
        }
        let views = self.config.view.iter();
        case.views = views.map(|(name, word)| (name.clone(), View::of_word(word))).collect();
        case.attached = attached::known(&case, &self.config.attachments.roots);
        Ok(case)
    }

    pub fn search(&self, text: &str, limit: usize) -> Result<Vec<CaseRow>, WorkError> {
        self.as_i_see(case::search(&self.db.conn, text, limit)?)
    }

    /// Rows as whoever is at work may see them: those that would measure them look like any other that
    /// waits.
    pub(super) fn as_i_see(&self, rows: Vec<CaseRow>) -> Result<Vec<CaseRow>, WorkError> {
        let conn = &self.db.conn;
        let again = crate::review::retest::pending(conn, &self.me, &self.policy()?, self.now())?;
        let again = again.map(|(_, row)| row.id);
        let masked = |row: CaseRow| {
            let masked = gold::masked(conn, &self.me, row)?;
            Ok(if again == Some(masked.id) { masked.masked() } else { masked })
        };
        rows.into_iter().map(masked).collect()
    }

    pub fn comment(&mut self, case: CaseId, text: &str) -> Result<Appended, WorkError> {
        self.append(vec![Append::new(&CaseCommented::new(case, text.to_owned()))])
    }

    pub fn escalate(&mut self, case: CaseId, text: &str) -> Result<Appended, WorkError> {
        let row = case::by_id(&self.db.conn, case)?;
        let row = self.as_i_see(row.into_iter().collect())?;
        let settled = row.iter().any(|row| row.state == CaseState::Resolved);
        self.append(vec![Append::new(&CaseEscalated { case, text: text.to_owned(), settled })])
    }

    /// Puts a case off for the hours that the configuration says; returns until when.
    pub fn defer(&mut self, case: CaseId, text: &str) -> Result<Moment, WorkError> {
        let until = Moment(clock::now().0 + i64::from(self.config.review.defer_hours) * 3_600_000);
        self.append(vec![Append::new(&CaseDeferred { case, text: text.to_owned(), until })])?;
        Ok(until)
    }
}
