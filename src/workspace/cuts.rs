//! Cuts: made, listed, held against each other, withdrawn.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::error::RetrainError;
use super::{WorkError, Workspace, random, read_file};
use crate::clock;
use crate::db::{Until, document, journal};
use crate::domain::ids::{CaseId, EventId, Hash, hex};
use crate::domain::near::Pair;
use crate::domain::roster::Role;
use crate::domain::time::Moment;
use crate::format::{CaseExport, ExportRow, Rows};
use crate::journal::Append;
use crate::journal::blob::{self, Packer, Unpacker};
use crate::journal::kind::{CutFile, DatasetCut, DatasetWithdrawn, Replayed};
use crate::retrain::cut::files::{self, About, Damage, Known};
use crate::retrain::cut::select::{Against, Taking, bounds_of, select};
use crate::retrain::cut::version::{Difference, difference, next};
use crate::retrain::cut::{Cut, CutError, Member, Membership, Old, Recipe};
use crate::review::Blind;
use crate::review::sight::Sight;

/// A cut that was recorded.
#[derive(Debug, Clone)]
pub struct KnownCut {
    pub cut: DatasetCut,
    pub author: String,
    pub at: Moment,
    pub event: EventId,
    /// Why it is not to be used any longer, and who said so.
    pub withdrawn: Option<(String, String)>,
}

impl KnownCut {
    /// Its id, as people read it out.
    pub fn short(&self) -> String {
        self.cut.cut.to_string()[..12].to_owned()
    }

    pub fn json(&self) -> Value {
        let cut = &self.cut;
        json!({ "cut": cut.cut, "name": cut.name, "version": cut.version, "rows": cut.rows,
            "splits": cut.splits, "dropped": cut.dropped, "conflicts": cut.conflicts,
            "replay": cut.replay, "recipe": cut.recipe, "frontier": cut.frontier,
            "at": self.at.rfc3339(), "author": self.author, "event": self.event,
            "withdrawn": self.withdrawn.as_ref().map(|(reason, author)| json!({ "reason": reason, "author": author })) })
    }
}

/// What a cut came to.
#[derive(Debug)]
pub struct MadeCut {
    pub id: Hash,
    pub name: String,
    pub version: String,
    pub cut: Cut,
    pub directory: PathBuf,
    /// It was recorded before, with the same rows.
    pub known: bool,
}

/// A row of a cut as it was changed, by the event that changed it.
#[derive(Debug, Clone)]
pub struct ChangedRow {
    pub change: &'static str,
    pub row: String,
    pub case: Option<CaseId>,
    pub id: Option<String>,
    pub part: String,
    pub because: String,
    pub event: Option<EventId>,
}

/// Reads and checks a recipe.
pub fn read_recipe(path: &Path) -> Result<Recipe, WorkError> {
    let source = read_file(path)?;
    let name = path.display().to_string();
    Recipe::parse(&source).map_err(|faults| WorkError::Faults { name, faults })
}

/// A row with a text, in JSON lines.
#[derive(Deserialize)]
struct TextRow {
    text: String,
    #[serde(default)]
    label: Option<String>,
}

/// The rows of a file of JSON lines, each with a text.
fn text_rows(path: &Path) -> Result<(Vec<TextRow>, String), WorkError> {
    let failed = |error| WorkError::File { path: path.display().to_string(), error };
    let bytes = fs::read(path).map_err(failed)?;
    let sha256 = hex(&Sha256::digest(&bytes));
    let text = String::from_utf8_lossy(&bytes);
    let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    let row = |(line, json): (usize, &str)| {
        serde_json::from_str(json).map_err(|error| {
            let (path, message) = (path.display().to_string(), error.to_string());
            WorkError::from(RetrainError::Line { path, line, message })
        })
    };
    Ok((lines.map(row).collect::<Result<_, _>>()?, sha256))
}

/// The texts of a file of JSON lines, in which every line has one.
pub fn texts_of(path: &Path) -> Result<Vec<String>, WorkError> {
    Ok(text_rows(path)?.0.into_iter().map(|row| row.text).collect())
}

/// Texts that are nearly the same: pairs of one file, or of one with another.
pub fn near_pairs(one: &Path, other: Option<&Path>, at: f64) -> Result<Vec<Pair>, WorkError> {
    use crate::domain::near::{pairs, pairs_across};
    let texts = texts_of(one)?;
    Ok(match other {
        None => pairs(&texts, at),
        Some(other) => pairs_across(&texts, &texts_of(other)?, at),
    })
}

/// A file by its name and the SHA-256 of what is in it.
type NamedFile = (String, String);
/// A case whose input was erased, and the event that says so.
type ErasedCase = (CaseId, EventId);

/// What this program is called in what it writes.
fn program() -> String {
    format!("casework {}", env!("CARGO_PKG_VERSION"))
}

impl Workspace {
    /// Refuses who has none of some roles.
    pub(super) fn needs_role(&self, roles: &[Role], needs: &'static str) -> Result<(), WorkError> {
        let mut mine = self.roster_now()?.into_iter().filter(|grant| grant.name == self.me);
        if mine.any(|grant| roles.contains(&grant.role)) {
            return Ok(());
        }
        Err(RetrainError::Role { author: self.me.clone(), needs }.into())
    }

    /// The last entry of each chain.
    pub fn frontier(&self) -> Result<BTreeMap<String, u64>, WorkError> {
        let heads = journal::replicas(&self.db.conn)?.into_iter();
        Ok(heads.map(|head| (head.replica.to_string(), head.head_seq)).collect())
    }

    /// Every cut that was recorded, the latest first.
    pub fn cuts(&self) -> Result<Vec<KnownCut>, WorkError> {
        let mut withdrawn: HashMap<String, (String, String)> = HashMap::new();
        for row in document::of_kind(&self.db.conn, "cut withdrawn")? {
            if let Ok(event) = serde_json::from_str::<DatasetWithdrawn>(&row.body) {
                withdrawn.entry(row.name).or_insert((event.reason, row.author));
            }
        }
        let known = |row: document::DocumentRow| {
            let cut: DatasetCut = serde_json::from_str(&row.body).ok()?;
            let withdrawn = withdrawn.get(&cut.cut.to_string()).cloned();
            let (author, at, event) = (row.author, row.at.moment(), row.event);
            Some(KnownCut { cut, author, at, event, withdrawn })
        };
        Ok(document::of_kind(&self.db.conn, "cut")?.into_iter().filter_map(known).collect())
    }

    /// The cut that a person means: by name the newest that is not withdrawn, `name@1.2.0`, or by
    /// its id.
    pub fn find_cut(&self, id: &str) -> Result<KnownCut, WorkError> {
        let cuts = self.cuts()?;
        if let Some((name, version)) = id.split_once('@') {
            let found = cuts.iter().find(|one| one.cut.name == name && one.cut.version == version);
            if let Some(found) = found {
                return Ok(found.clone());
            }
        }
        let by_name = cuts.iter().find(|one| one.cut.name == id && one.withdrawn.is_none());
        if let Some(found) = by_name {
            return Ok(found.clone());
        }
        let id = id.strip_prefix("b3:").unwrap_or(id);
        let mut like: Vec<&KnownCut> = cuts
            .iter()
            .filter(|one| id.len() >= 4 && one.cut.cut.to_string().starts_with(id))
            .collect();
        like.dedup_by(|a, b| a.cut.cut == b.cut.cut);
        match like[..] {
            [one] => Ok(one.clone()),
            [] => {
                let known = cuts.iter().map(|one| format!("{}@{}", one.cut.name, one.cut.version));
                let (what, id) = ("the cut", id.to_owned());
                Err(RetrainError::Unknown { what, id, known: known.collect() }.into())
            }
            _ => {
                let found = like.iter().map(|one| one.short()).collect();
                Err(RetrainError::Several { id: id.to_owned(), found }.into())
            }
        }
    }

    /// Which rows a cut has.
    pub fn membership(&self, cut: &KnownCut) -> Result<Membership, WorkError> {
        let bytes = blob::read(&self.db.conn, &mut Unpacker::default(), cut.event)?;
        let wrong =
            || RetrainError::Wrong(format!("the rows of the cut {} can't be read", cut.short()));
        Ok(Membership::from_bytes(&bytes).ok_or_else(wrong)?)
    }

    /// Makes a cut into a new directory, and records it.
    ///
    /// # Errors
    /// Files are missing or changed, rows leak, nothing is left, or the role does not allow it.
    pub fn cut(
        &mut self,
        recipe: &Recipe,
        beside: &Path,
        out: &Path,
        proposal: Option<String>,
    ) -> Result<MadeCut, WorkError> {
        self.needs_role(&[Role::Lead, Role::Engineer], "lead or engineer")?;
        let frontier = None;
        self.make_cut(recipe, beside, out, frontier, proposal)
    }

    /// Makes a recorded cut once more.
    ///
    /// # Errors
    /// As [`Self::cut`]; what comes out may be another cut, where rows were erased since.
    pub fn cut_again(
        &mut self,
        id: &str,
        beside: &Path,
        out: &Path,
    ) -> Result<(KnownCut, MadeCut), WorkError> {
        self.needs_role(&[Role::Lead, Role::Engineer], "lead or engineer")?;
        let known = self.find_cut(id)?;
        let recipe = Recipe::parse(&known.cut.text)
            .map_err(|faults| WorkError::Faults { name: known.cut.name.clone(), faults })?;
        let made = self.make_cut(&recipe, beside, out, Some(&known), None)?;
        Ok((known, made))
    }

    fn make_cut(
        &mut self,
        recipe: &Recipe,
        beside: &Path,
        out: &Path,
        again: Option<&KnownCut>,
        proposal: Option<String>,
    ) -> Result<MadeCut, WorkError> {
        let failed = |error| WorkError::File { path: out.display().to_string(), error };
        if fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_some()) {
            return Err(WorkError::NotEmpty(out.display().to_string()));
        }
        let earlier = self.cuts()?.into_iter().find(|one| one.cut.name == recipe.name);
        let (old, replay) = self.old_rows(recipe, beside, earlier.as_ref())?;
        let mut against = Vec::new();
        let mut against_hashes = Vec::new();
        for file in &recipe.leak.against {
            let (rows, sha256) = text_rows(&beside.join(file))?;
            let texts = rows.into_iter().map(|row| row.text).collect();
            against.push(Against { file: file.clone(), texts });
            against_hashes.push((file.clone(), sha256));
        }
        let heads = again.map(|known| known.cut.frontier.clone());
        let mut past = match (&heads, recipe.at) {
            (Some(heads), at) => {
                Some(self.reopen()?.until(Until::Entries(heads), at.unwrap_or_else(clock::now))?)
            }
            (None, Some(at)) => Some(self.reopen()?.until(Until::At(at), at)?),
            (None, None) => None,
        };
        let reading = past.as_mut().unwrap_or(&mut *self);
        let frontier = reading.frontier()?;
        let mut alarms = HashMap::new();
        for alarm in reading.raised_alarms()? {
            alarms
                .extend(alarm.raised.cases.iter().map(|case| (*case, alarm.raised.alarm.clone())));
        }
        let mut taking = Taking::new(recipe, alarms).map_err(RetrainError::from)?;
        reading.each_case(|rows| Ok(taking.take_all(&rows).map_err(RetrainError::from)?))?;
        let cut = select(taking, &against, old).map_err(RetrainError::from)?;
        let why = reading.why_lines(recipe, &cut)?;
        let (id, membership) = (cut.id(), cut.membership());
        let known = again.cloned().or(earlier.clone()).filter(|one| one.cut.cut == id);
        let same = known.filter(|one| again.is_some() || one.cut.recipe == recipe.hash());
        let version = match (&same, again, &earlier) {
            (Some(same), ..) => same.cut.version.clone(),
            (None, Some(again), _) => again.cut.version.clone(),
            (None, None, Some(earlier)) => next(
                Some(&earlier.cut.version),
                &difference(&self.membership(earlier)?, &membership),
            ),
            (None, None, None) => next(None, &Difference::default()),
        };
        let about = About {
            recipe,
            version: version.clone(),
            frontier: frontier.clone(),
            program: program(),
            against: against_hashes,
            replay,
        };
        let suffix = hex(&random::<4>()?);
        let name = out.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let parent = out.parent().filter(|parent| !parent.as_os_str().is_empty());
        let parent = parent.unwrap_or(Path::new(".")).to_owned();
        let half = parent.join(format!(".{name}.{suffix}"));
        fs::create_dir_all(half.join(&name)).map_err(failed)?;
        let made = self.write_cut(&half.join(&name), &about, &cut, &why);
        let made = made.and_then(|written| {
            if same.is_none() && again.is_none() {
                self.record_cut(&about, &cut, &membership, &written, proposal)?;
            }
            if out.exists() {
                fs::remove_dir(out).map_err(failed)?;
            }
            let dvc = format!("{}.dvc", recipe.name);
            fs::rename(half.join(&name), out).map_err(failed)?;
            fs::rename(half.join(&dvc), parent.join(&dvc)).map_err(failed)
        });
        // What is half done is gone, whatever became of it.
        let _ = fs::remove_dir_all(&half);
        made?;
        let (directory, known) = (out.to_owned(), same.is_some());
        Ok(MadeCut { id, name: recipe.name.clone(), version, cut, directory, known })
    }

    fn write_cut(
        &self,
        directory: &Path,
        about: &About<'_>,
        cut: &Cut,
        why: &[u8],
    ) -> Result<Vec<files::Written>, WorkError> {
        let failed = |error| WorkError::File { path: directory.display().to_string(), error };
        files::write(directory, about, cut, why).map_err(failed)
    }

    fn record_cut(
        &mut self,
        about: &About<'_>,
        cut: &Cut,
        membership: &Membership,
        written: &[files::Written],
        proposal: Option<String>,
    ) -> Result<(), WorkError> {
        let packed = Packer::new(None)?.pack(&membership.to_bytes(), random()?)?;
        let file = |file: &files::Written| CutFile {
            path: file.path.clone(),
            bytes: file.bytes,
            sha256: file.sha256.clone(),
            md5: file.md5.clone(),
        };
        let against = about.against.iter().map(|(path, sha256)| CutFile {
            path: path.clone(),
            bytes: 0,
            sha256: sha256.clone(),
            md5: String::new(),
        });
        let event = DatasetCut {
            cut: cut.id(),
            name: about.recipe.name.clone(),
            version: about.version.clone(),
            recipe: about.recipe.hash(),
            text: about.recipe.source.clone(),
            frontier: about.frontier.clone(),
            program: about.program.clone(),
            rows: cut.rows.len() as u64,
            splits: cut.splits(),
            dropped: cut.dropped.clone(),
            replay: about.replay.as_ref().map(|(file, sha256)| Replayed {
                file: file.clone(),
                sha256: sha256.clone(),
                rows: cut.old_taken,
            }),
            against: against.collect(),
            conflicts: cut.conflicts.len() as u64,
            files: written.iter().map(file).collect(),
            proposal,
            blob: Some(packed.hash),
        };
        self.append(vec![Append::with_payload(&event, packed, String::new())]).map(drop)
    }

    /// The rows of the old training set that a recipe mixes in, with the file's name and hash.
    fn old_rows(
        &self,
        recipe: &Recipe,
        beside: &Path,
        earlier: Option<&KnownCut>,
    ) -> Result<(Vec<Old>, Option<NamedFile>), WorkError> {
        let Some(replay) = &recipe.replay else { return Ok((Vec::new(), None)) };
        let path = beside.join(&replay.file);
        let (rows, sha256) = text_rows(&path)?;
        let at_first = earlier.and_then(|one| one.cut.replay.as_ref());
        let at_first = at_first.filter(|one| one.file == replay.file).map(|one| one.sha256.clone());
        if let Some(pinned) = replay.sha256.clone().or(at_first).filter(|pinned| *pinned != sha256)
        {
            let (file, found) = (path.display().to_string(), sha256);
            return Err(RetrainError::Pinned { file, found, pinned }.into());
        }
        let mut old = Vec::with_capacity(rows.len());
        for (line, row) in (1..).zip(rows) {
            let Some(label) = row.label else {
                let (path, message) = (path.display().to_string(), "it has no `label`".to_owned());
                return Err(RetrainError::Line { path, line, message }.into());
            };
            old.push(Old { text: row.text, label });
        }
        Ok((old, Some((replay.file.clone(), sha256))))
    }

    /// Every resolved case, as an export of everything has it, whoever is at work: what is cut may
    /// not depend on that.
    fn each_case(
        &mut self,
        each: impl FnMut(Vec<CaseExport>) -> Result<(), WorkError>,
    ) -> Result<(), WorkError> {
        let sight = Sight::load(&self.db.conn, &self.me, Blind::Never)?;
        let cases = |rows: Vec<ExportRow>| -> Result<Vec<CaseExport>, WorkError> {
            let case = |row| match row {
                ExportRow::Case(case) => Some(*case),
                ExportRow::Label(_) => None,
            };
            Ok(rows.into_iter().filter_map(case).collect())
        };
        let exported = self.export_by(sight, Rows::Cases, cases, each)?;
        match exported.without_payload {
            0 => Ok(()),
            n => Err(RetrainError::NotHere(n).into()),
        }
    }

    /// Where each row of a cut comes from, a line a row, in the order of rows.
    fn why_lines(&mut self, recipe: &Recipe, cut: &Cut) -> Result<Vec<u8>, WorkError> {
        let place: HashMap<CaseId, usize> = cut
            .rows
            .iter()
            .enumerate()
            .filter_map(|(place, row)| Some((row.candidate()?.case, place)))
            .collect();
        let mut lines: Vec<String> = vec![String::new(); cut.rows.len()];
        for (at, row) in cut.rows.iter().enumerate().filter(|(_, row)| row.candidate().is_none()) {
            let replay = recipe.replay.as_ref().map(|replay| replay.file.as_str());
            lines[at] =
                json!({ "row": row.id(), "case": null, "split": row.part.as_str(), "label": row.label(), "replay": replay })
                .to_string();
        }
        self.each_case(|cases| {
            for case in cases {
                let Some(at) = place.get(&case.about.case) else { continue };
                let row = &cut.rows[*at];
                let (low, high) = bounds_of(recipe, row);
                let votes: Vec<Value> = case.votes.iter().map(|vote| json!({
                    "event": vote.event, "reviewer": vote.reviewer, "label": vote.label,
                    "outcome": vote.outcome, "path": vote.path, "protocol": vote.protocol,
                    "confidence": vote.confidence, "at": vote.at, "agrees": vote.agrees })).collect();
                lines[*at] = json!({ "row": row.id(), "case": case.about.case, "id": case.about.id,
                    "stream": case.about.stream, "occurred_at": case.about.occurred_at,
                    "detected_at": case.about.detected_at, "label": row.label(),
                    "split": row.part.as_str(), "u": row.u, "bounds": [low, high], "group": row.group,
                    "flags": case.about.why, "model": case.about.model, "predicted": case.about.predicted,
                    "how": case.how, "settled_at": case.settled_at, "labels": votes,
                    "ruling": case.ruling, "protocols": case.protocols }).to_string();
            }
            Ok(())
        })?;
        let mut bytes = Vec::new();
        for line in lines {
            bytes.extend_from_slice(line.as_bytes());
            bytes.push(b'\n');
        }
        Ok(bytes)
    }

    /// Says that a cut is not to be used any longer.
    pub fn withdraw_cut(&mut self, id: &str, reason: &str) -> Result<KnownCut, WorkError> {
        let found = self.find_cut(id)?;
        let (cut, reason) = (found.cut.cut, reason.to_owned());
        self.append(vec![Append::new(&DatasetWithdrawn { cut, reason })])?;
        Ok(found)
    }

    /// What changed between two cuts, row by row, and by which event.
    pub fn cut_changes(
        &mut self,
        one: &KnownCut,
        other: &KnownCut,
    ) -> Result<Vec<ChangedRow>, WorkError> {
        let (before, after) = (self.membership(one)?, self.membership(other)?);
        let found = difference(&before, &after);
        let now: HashMap<CaseId, Member> =
            found.added.iter().filter_map(|one| Some((one.case?, *one))).collect();
        let then: HashMap<CaseId, Member> =
            found.gone.iter().filter_map(|one| Some((one.case?, *one))).collect();
        let mut changes = Vec::new();
        for member in &found.gone {
            let relabeled = member.case.is_some_and(|case| now.contains_key(&case));
            let change = if relabeled { "changed" } else { "gone" };
            changes.push(self.changed(change, member, relabeled)?);
        }
        for member in &found.added {
            if member.case.is_some_and(|case| then.contains_key(&case)) {
                continue;
            }
            changes.push(self.changed("added", member, true)?);
        }
        for (_, member) in &found.moved {
            changes.push(self.changed("moved", member, false)?);
        }
        Ok(changes)
    }

    fn changed(
        &mut self,
        change: &'static str,
        member: &Member,
        settled: bool,
    ) -> Result<ChangedRow, WorkError> {
        let mut changed = ChangedRow {
            change,
            row: hex(&member.row),
            case: member.case,
            id: None,
            part: member.part.as_str().to_owned(),
            because: "an old row that was mixed in".to_owned(),
            event: None,
        };
        let Some(case) = member.case else { return Ok(changed) };
        let conn = &self.db.conn;
        let row = crate::db::case::by_id(conn, case)?;
        changed.id = row.map(|row| row.external_id);
        let erased = crate::db::erasure::all(conn)?
            .into_iter()
            .find(|erased| erased.id == case && erased.instead.is_none());
        let rulings = crate::db::arbitration::of_case(conn, case)?;
        let labels = crate::db::label::live_of_case(conn, case)?;
        (changed.because, changed.event) = match (erased, rulings.last(), labels.last()) {
            (Some(erased), ..) => ("its input was erased".to_owned(), Some(erased.event)),
            (_, Some(done), _) if settled => {
                (format!("adjudicated by {}", done.author), Some(done.event))
            }
            (_, _, Some(given)) if settled => {
                let label = &given.label;
                (
                    format!(
                        "labeled by {} under {} v{}",
                        label.reviewer, label.protocol.id, label.protocol.version
                    ),
                    Some(given.event),
                )
            }
            _ if change == "moved" => ("its group came together with another".to_owned(), None),
            _ => ("the recipe takes it no longer".to_owned(), None),
        };
        Ok(changed)
    }

    /// What is wrong with a cut that lies in a directory: files that changed, and cases in it that
    /// were erased since, with the events that erased them.
    pub fn verify_cut(
        &self,
        directory: &Path,
    ) -> Result<(Known, Vec<Damage>, Vec<ErasedCase>), WorkError> {
        let known =
            files::known(directory).map_err(|damage| RetrainError::Wrong(damage.to_string()))?;
        let damage = files::verify(directory, &known);
        let recorded = self.cuts()?.into_iter().find(|one| one.cut.cut == known.cut);
        let mut erased = Vec::new();
        if let Some(recorded) = recorded {
            let membership = self.membership(&recorded)?;
            let cases: std::collections::HashSet<CaseId> = membership.cases().collect();
            for one in crate::db::erasure::all(&self.db.conn)? {
                // Where another payload takes its place, only what stood beside the input went.
                let gone = one.instead.is_none() && cases.contains(&one.id);
                erased.extend(gone.then_some((one.id, one.event)));
            }
        }
        Ok((known, damage, erased))
    }
}

/// The line that says where a row of a cut comes from.
pub fn why_of(directory: &Path, row: &str) -> Result<Value, WorkError> {
    let text = read_file(&directory.join(files::WHY))?;
    let mut ids = Vec::new();
    for line in text.lines() {
        let value: Value = serde_json::from_str(line).unwrap_or_default();
        let id = value["row"].as_str().unwrap_or_default();
        if !row.is_empty()
            && (id.starts_with(row)
                || value["case"].as_str().is_some_and(|case| case.starts_with(row))
                || value["id"] == row)
        {
            return Ok(value);
        }
        if ids.len() < 8 {
            ids.push(id.to_owned());
        }
    }
    Err(RetrainError::Unknown { what: "the row", id: row.to_owned(), known: ids }.into())
}

/// The text of a row of a cut, as its files have it.
pub fn row_text(directory: &Path, row: &str) -> Option<String> {
    for name in ["train", "validation", "test"] {
        let text = fs::read_to_string(directory.join(format!("{name}.jsonl"))).unwrap_or_default();
        for line in text.lines() {
            let value: Value = serde_json::from_str(line).ok()?;
            if value["row"] == row {
                return value["text"].as_str().map(str::to_owned);
            }
        }
    }
    None
}

impl From<CutError> for WorkError {
    fn from(error: CutError) -> Self {
        Self::Retrain(error.into())
    }
}
