//! Cuts: made, listed, held against each other, withdrawn.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::error::RetrainError;
use super::{WorkError, Workspace};
use crate::db::{document, journal};
use crate::domain::ids::{CaseId, EventId, Hash, hex};
use crate::domain::near::Pair;
use crate::domain::resolve::CaseState;
use crate::domain::roster::Role;
use crate::domain::time::Moment;
use crate::journal::Append;
use crate::journal::blob::{self, Unpacker};
use crate::journal::kind::{CutFile, DatasetCut, DatasetWithdrawn};
use crate::retrain::cut::files::{self, Damage, Known};
use crate::retrain::cut::select::REPLAYED;
use crate::retrain::cut::version::difference;
use crate::retrain::cut::{CutError, Member, Membership, Recipe};

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
    /// That it is not to be used any longer.
    pub fn withdrawn_words(&self) -> Option<String> {
        let (reason, who) = self.withdrawn.as_ref()?;
        let (name, version) = (&self.cut.name, &self.cut.version);
        Some(format!("{name} {version} was withdrawn by {who}: {reason}"))
    }

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

/// A row with a text, in JSON lines.
#[derive(Deserialize)]
pub(super) struct TextRow {
    pub text: String,
    #[serde(default)]
    pub label: Option<String>,
}

/// The rows of a file of JSON lines, each with a text.
pub(super) fn text_rows(path: &Path) -> Result<(Vec<TextRow>, String), WorkError> {
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

/// A case whose input was erased, and the event that says so.
type ErasedCase = (CaseId, EventId);

/// How alike the recipes of two cuts are.
#[derive(Debug, Clone, Copy)]
struct Recipes {
    are_one: bool,
    split_alike: bool,
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

    /// Whether whoever is at work may be given entries as they are: what everybody said stands in
    /// them.
    pub fn may_read_journal(&self) -> Result<(), WorkError> {
        let may = [Role::Lead, Role::Engineer, Role::Auditor];
        self.needs_role(&may, "lead, engineer or auditor")
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
        if let Some(withdrawn) = cuts.iter().find(|one| one.cut.name == id) {
            return Err(RetrainError::Wrong(format!(
                "every cut {id} is withdrawn: {id}@{} names the latest",
                withdrawn.cut.version
            ))
            .into());
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
        Ok(Membership::from_bytes(bytes).ok_or_else(wrong)?)
    }

    /// That what a run learned from is not to be used any longer.
    pub fn withdrawn_words(&self, cut: Option<Hash>) -> Result<Option<String>, WorkError> {
        let cuts = self.cuts()?;
        let cut = cuts.iter().find(|one| Some(one.cut.cut) == cut);
        Ok(cut.and_then(KnownCut::withdrawn_words))
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
        let split = |cut: &KnownCut| Recipe::parse(&cut.cut.text).ok().map(|recipe| recipe.split);
        let recipes = Recipes {
            are_one: one.cut.recipe == other.cut.recipe,
            split_alike: split(one) == split(other),
        };
        let now: HashMap<CaseId, Member> =
            found.added.iter().filter_map(|one| Some((one.case?, *one))).collect();
        let then: HashMap<CaseId, Member> =
            found.gone.iter().filter_map(|one| Some((one.case?, *one))).collect();
        let mut changes = Vec::new();
        for member in &found.gone {
            let relabeled = member.case.is_some_and(|case| now.contains_key(&case));
            let change = if relabeled { "changed" } else { "gone" };
            changes.push(self.changed(change, member, relabeled, recipes)?);
        }
        for member in &found.added {
            if member.case.is_some_and(|case| then.contains_key(&case)) {
                continue;
            }
            changes.push(self.changed("added", member, true, recipes)?);
        }
        for member in &found.changed {
            changes.push(self.changed("changed", member, true, recipes)?);
        }
        for (_, member) in &found.moved {
            changes.push(self.changed("moved", member, false, recipes)?);
        }
        Ok(changes)
    }

    fn changed(
        &mut self,
        change: &'static str,
        member: &Member,
        settled: bool,
        recipes: Recipes,
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
        let state = row.as_ref().map_or(CaseState::Resolved, |row| row.state);
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
            _ if change == "moved" && !recipes.split_alike => {
                ("the recipe splits rows otherwise".to_owned(), None)
            }
            _ if change == "moved" => ("its group came together with another".to_owned(), None),
            _ if settled => ("it is resolved".to_owned(), None),
            (_, _, None) => ("its labels were taken back".to_owned(), None),
            _ if state != CaseState::Resolved => {
                (format!("it is not resolved any more, but {}", state.as_str()), None)
            }
            _ if recipes.are_one => ("it does not fit the recipe any more".to_owned(), None),
            _ => ("the recipe takes it no longer".to_owned(), None),
        };
        Ok(changed)
    }

    /// What the manifest of a cut in a directory says of it.
    ///
    /// # Errors
    /// There is none.
    pub fn cut_in(&self, directory: &Path) -> Result<Known, WorkError> {
        let known = files::known(directory);
        Ok(known.map_err(|damage| RetrainError::Wrong(damage.to_string()))?)
    }

    /// What is wrong with a cut that lies in a directory: files that changed, and cases in it that
    /// were erased since, with the events that erased them.
    pub fn verify_cut(&self, directory: &Path) -> Result<Verified, WorkError> {
        let known = self.cut_in(directory)?;
        let mut damage = files::verify(directory, &known);
        // Other recipes may have come to the same rows.
        let mut recorded = self.cuts()?;
        recorded.retain(|one| one.cut.cut == known.cut);
        recorded.sort_by_cached_key(|one| otherwise(&known, &one.cut).len());
        let recorded = recorded.into_iter().next();
        let is_recorded = recorded.is_some();
        let mut erased = Vec::new();
        if let Some(recorded) = recorded {
            let differ = otherwise(&known, &recorded.cut);
            let of_manifest = recorded.cut.files.iter().find(|file| file.path == files::MANIFEST);
            // Another version of this program may write other things into it.
            let same_program = known.program == recorded.cut.program;
            if let (true, true, Some(file)) = (differ.is_empty(), same_program, of_manifest)
                && files::hashed(directory, files::MANIFEST)
                    .is_ok_and(|there| there.sha256 != file.sha256)
            {
                damage.push(Damage::Manifest("it is not the one that was recorded".to_owned()));
            }
            damage.extend(differ);
            let membership = self.membership(&recorded)?;
            let cases: std::collections::HashSet<CaseId> = membership.cases().collect();
            for one in crate::db::erasure::all(&self.db.conn)? {
                // Where another payload takes its place, only what stood beside the input went.
                let gone = one.instead.is_none() && cases.contains(&one.id);
                erased.extend(gone.then_some((one.id, one.event)));
            }
        }
        Ok(Verified { known, damage, erased, is_recorded })
    }
}

/// What a cut in a directory was found to be.
pub struct Verified {
    pub known: Known,
    pub damage: Vec<Damage>,
    /// Cases in it that were erased since, with the events that erased them.
    pub erased: Vec<ErasedCase>,
    /// Whether this workspace recorded it; else it is held against its own manifest alone.
    pub is_recorded: bool,
}

/// What a manifest says otherwise than what was recorded of its cut.
fn otherwise(known: &Known, recorded: &DatasetCut) -> Vec<Damage> {
    let json = |value: &BTreeMap<String, u64>| crate::db::to_json(value);
    let hashes = |files: Vec<(&str, &str)>| {
        let mut files: Vec<String> =
            files.into_iter().map(|(path, hash)| format!("{path} {hash}")).collect();
        files.sort();
        files.join(", ")
    };
    let of = |file: &CutFile| (file.path.clone(), file.sha256.clone());
    // The manifest can't hold its own hash.
    let others = recorded.files.iter().filter(|file| file.path != files::MANIFEST);
    let recorded_files: Vec<(String, String)> = others.map(of).collect();
    let said: Vec<(String, String)> =
        known.files.iter().map(|file| (file.path.clone(), file.sha256.clone())).collect();
    let words = |files: &[(String, String)]| {
        hashes(files.iter().map(|(path, hash)| (path.as_str(), hash.as_str())).collect())
    };
    let pairs = [
        ("name", known.name.clone(), recorded.name.clone()),
        ("version", known.version.clone(), recorded.version.clone()),
        ("number of rows", known.rows.to_string(), recorded.rows.to_string()),
        ("recipe", known.recipe.text.clone(), recorded.text.clone()),
        ("frontier", json(&known.frontier), json(&recorded.frontier)),
        ("splits", json(&known.splits), json(&recorded.splits)),
        ("dropped", json(&known.dropped), json(&recorded.dropped)),
        ("files", words(&said), words(&recorded_files)),
    ];
    let differ = pairs.into_iter().filter(|(_, said, recorded)| said != recorded);
    let short = |text: String| crate::domain::text::head(&text, 60).to_owned();
    let damage = |(what, said, recorded): (&str, String, String)| Damage::Recorded {
        what: what.to_owned(),
        said: short(said),
        recorded: short(recorded),
    };
    differ.map(damage).collect()
}

/// The line that says where a row of a cut comes from: by its id or a part of it; or by its case.
pub fn why_of(directory: &Path, row: &str) -> Result<Value, WorkError> {
    let path = directory.join(files::WHY);
    let failed = |error| WorkError::File { path: path.display().to_string(), error };
    let is_id = !row.is_empty() && row.len() <= 16 && row.bytes().all(|b| b.is_ascii_hexdigit());
    let mut found = if is_id { files::lines_of_row(&path, row).map_err(failed)? } else { vec![] };
    if found.len() > 1 {
        let id = |line: &Value| line["row"].as_str().unwrap_or_default().to_owned();
        let (id, found) = (row.to_owned(), found.iter().map(id).collect());
        return Err(RetrainError::Several { id, found }.into());
    }
    if let Some(found) = found.pop() {
        return Ok(found);
    }
    // By its case every line is looked at, and by its row where lines are not what they were.
    let (mut known, mut found) = (Vec::new(), Vec::<Value>::new());
    for line in BufReader::with_capacity(1 << 18, fs::File::open(&path).map_err(failed)?).lines() {
        let line = line.map_err(failed)?;
        let may_be = !row.is_empty() && line.contains(row);
        if !may_be && known.len() >= 8 {
            continue;
        }
        let value: Value = serde_json::from_str(&line).unwrap_or_default();
        let begins = |key: &str| value[key].as_str().is_some_and(|id| id.starts_with(row));
        if may_be && value["id"] == row {
            return Ok(value);
        }
        if known.len() < 8 {
            known.extend(value["row"].as_str().map(str::to_owned));
        }
        if may_be && found.len() < 8 && (begins("case") || begins("row")) {
            found.push(value);
        }
    }
    if found.len() > 1 {
        let id = |line: &Value| line["case"].as_str().unwrap_or_default().to_owned();
        let (id, found) = (row.to_owned(), found.iter().map(id).collect());
        return Err(RetrainError::Several { id, found }.into());
    }
    let unknown = || RetrainError::Unknown { what: "the row", id: row.to_owned(), known };
    Ok(found.pop().ok_or_else(unknown)?)
}

/// The text of a row of a cut that went to a part, as its file has it.
pub fn row_text(directory: &Path, part: &str, row: &str) -> Option<String> {
    let path = directory.join(format!("{part}.jsonl"));
    let text = |line: &Value| line["text"].as_str().map(str::to_owned);
    if let Some(line) = files::lines_of_row(&path, row).ok()?.pop() {
        return text(&line);
    }
    // It is not in the order in which it was written.
    let lines = BufReader::new(fs::File::open(&path).ok()?).lines().map_while(Result::ok);
    let lines = lines.filter(|line| line.contains(row));
    let mut lines = lines.filter_map(|line| serde_json::from_str::<Value>(&line).ok());
    text(&lines.find(|line| line["row"] == row)?)
}

/// Where a cut lies on this device: in the directory that was said, else in one beside a file or here,
/// known by its manifest. None where it lies in none of these.
///
/// # Errors
/// What was said is another cut, or none.
pub(super) fn directory_of(
    cut: &KnownCut,
    said: Option<&Path>,
    beside: &Path,
) -> Result<Option<PathBuf>, WorkError> {
    let is_it =
        |directory: &Path| files::known(directory).is_ok_and(|known| known.cut == cut.cut.cut);
    if let Some(directory) = said {
        return match is_it(directory) {
            true => Ok(Some(directory.to_owned())),
            false => Err(RetrainError::Wrong(format!(
                "{} is not the cut {}",
                directory.display(),
                cut.short()
            ))
            .into()),
        };
    }
    let here = if beside.as_os_str().is_empty() { Path::new(".") } else { beside };
    let entries =
        [here, Path::new(".")].into_iter().filter_map(|place| fs::read_dir(place).ok()).flatten();
    Ok(entries.filter_map(|entry| Some(entry.ok()?.path())).find(|place| is_it(place)))
}

/// The texts of old rows that were mixed into the training part of a cut, as its file has them, with their
/// rows' ids.
///
/// # Errors
/// Those of reading.
pub(super) fn old_rows_in(directory: &Path) -> Result<Vec<(String, String)>, WorkError> {
    #[derive(Deserialize)]
    struct Line {
        row: String,
        text: String,
        origin: String,
    }
    let path = directory.join("train.jsonl");
    let failed = |error| WorkError::File { path: path.display().to_string(), error };
    let mut found = Vec::new();
    for line in BufReader::new(fs::File::open(&path).map_err(failed)?).lines() {
        let line: Line = serde_json::from_str(&line.map_err(failed)?)
            .map_err(|error| failed(std::io::Error::other(error)))?;
        if line.origin == REPLAYED {
            found.push((line.row, line.text));
        }
    }
    Ok(found)
}

impl From<CutError> for WorkError {
    fn from(error: CutError) -> Self {
        Self::Retrain(error.into())
    }
}
