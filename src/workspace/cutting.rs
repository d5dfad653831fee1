//! A cut is made: what was read is taken through the recipe's steps, written into a directory that
//! nobody sees before it is whole, and recorded.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::cuts::{KnownCut, text_rows};
use super::error::RetrainError;
use super::export::Asked;
use super::{WorkError, Workspace, random, read_file};
use crate::clock;
use crate::db::erasure::{self, ErasedRow};
use crate::db::{Until, case};
use crate::domain::ids::{Hash, hex};
use crate::domain::roster::Role;
use crate::format::{CaseExport, ExportRow, Rows};
use crate::journal::Append;
use crate::journal::blob::Packer;
use crate::journal::kind::{CutFile, DatasetCut, Replayed};
use crate::retrain::cut::files::{self, About};
use crate::retrain::cut::select::{Against, bounds_of, select};
use crate::retrain::cut::taking::{Taking, Weighed, Weighing};
use crate::retrain::cut::told::{Finished, Kept};
use crate::retrain::cut::version::{Difference, difference, next};
use crate::retrain::cut::{Chosen, Cut, Membership, Old, Recipe};
use crate::review::Blind;
use crate::review::rows::Beside;
use crate::review::sight::Sight;

/// A file by its name and the SHA-256 of what is in it.
type NamedFile = (String, String);

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

/// Reads and checks a recipe.
pub fn read_recipe(path: &Path) -> Result<Recipe, WorkError> {
    let source = read_file(path)?;
    let name = path.display().to_string();
    Recipe::parse(&source).map_err(|faults| WorkError::Faults { name, faults })
}

/// What this program is called in what it writes.
fn program() -> String {
    format!("casework {}", env!("CARGO_PKG_VERSION"))
}

impl Workspace {
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
        self.check_label_field(&recipe.rows.label)?;
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

    /// Refuses a field as the label that no protocol sets and no resolved case has: no row would have
    /// one.
    fn check_label_field(&self, field: &str) -> Result<(), WorkError> {
        let protocols = self.protocols()?;
        let mut known: BTreeSet<String> = BTreeSet::new();
        for published in protocols.in_force() {
            known.extend(published.protocol.fields().map(str::to_owned));
        }
        if known.contains(field) {
            return Ok(());
        }
        case::for_each(&self.db.conn, |row| {
            known.extend(row.outcome.into_iter().flatten().map(|(field, _)| field));
        })?;
        if known.contains(field) || known.is_empty() {
            return Ok(());
        }
        let known: Vec<String> = known.into_iter().collect();
        Err(RetrainError::Wrong(format!(
            "[rows] label = \"{field}\": no case says such a field. There are {}",
            known.join(", ")
        ))
        .into())
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
        let suffix = hex(&random::<4>()?);
        let name = out.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let parent = out.parent().filter(|parent| !parent.as_os_str().is_empty());
        let parent = parent.unwrap_or(Path::new(".")).to_owned();
        let lacking = parent.ancestors().take_while(|place| !place.as_os_str().is_empty());
        let made = lacking.take_while(|place| !place.exists()).map(Path::to_owned).collect();
        let half = Half { place: parent.join(format!(".{name}.{suffix}")), made };
        fs::create_dir_all(half.place.join(&name)).map_err(failed)?;
        let kept = Kept::within(&half.place).map_err(failed)?;
        let weighing = Weighing::new(recipe, alarms).map_err(RetrainError::from)?;
        let mut taking = Taking::new(recipe, kept);
        reading
            .each_case(&weighing, recipe.rows.rule.is_some(), |weighed| {
                Ok(taking.take(weighed).map_err(RetrainError::from)?)
            })
            .map_err(|error| self.lacks_for_good(error, again))?;
        // What was cut once is cut the same again.
        if again.is_none() {
            taking.check_groups().map_err(RetrainError::from)?;
        }
        let (cut, told) = select(taking, &against, old).map_err(RetrainError::from)?;
        let (id, membership) = cut.sealed();
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
            cut: id,
            recipe,
            version: version.clone(),
            frontier: frontier.clone(),
            program: program(),
            against: against_hashes,
            replay,
        };
        let mut bytes = Vec::new();
        let why = |row: &Chosen, line: &mut Vec<u8>| why_line(recipe, row, &told, &mut bytes, line);
        let written = files::write(&half.place.join(&name), &about, &cut, why).map_err(failed)?;
        if same.is_none() && again.is_none() {
            self.record_cut(&about, &cut, &membership, &written, proposal)?;
        }
        if out.exists() {
            fs::remove_dir(out).map_err(failed)?;
        }
        let dvc = format!("{}.dvc", recipe.name);
        fs::rename(half.place.join(&name), out).map_err(failed)?;
        fs::rename(half.place.join(&dvc), parent.join(&dvc)).map_err(failed)?;
        let (directory, known) = (out.to_owned(), same.is_some());
        Ok(MadeCut { id, name: recipe.name.clone(), version, cut, directory, known })
    }

    /// Why a cut that was made once lacks inputs now: where cases were erased since, none of them comes
    /// from anywhere.
    fn lacks_for_good(&self, error: WorkError, again: Option<&KnownCut>) -> WorkError {
        let (WorkError::Retrain(RetrainError::NotHere(_)), Some(cut)) = (&error, again) else {
            return error;
        };
        let since = |erased: &ErasedRow| erased.instead.is_none() && erased.at >= cut.at;
        let Ok(all) = erasure::all(&self.db.conn) else { return error };
        let erased: Vec<ErasedRow> = all.into_iter().filter(since).collect();
        let Some(first) = erased.first() else { return error };
        let called = case::by_id(&self.db.conn, first.id).ok().flatten();
        RetrainError::Erased {
            n: erased.iter().map(|one| one.id).collect::<BTreeSet<_>>().len(),
            first: called.map_or_else(|| first.id.to_string(), |case| case.external_id),
            day: first.at.rfc3339()[..10].to_owned(),
        }
        .into()
    }

    fn record_cut(
        &mut self,
        about: &About<'_>,
        cut: &Cut,
        membership: &Membership,
        written: &[files::Written],
        proposal: Option<String>,
    ) -> Result<(), WorkError> {
        let packed = Packer::new(None)?.pack(membership.to_bytes(), random()?)?;
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
            cut: about.cut,
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
        weighing: &Weighing<'_>,
        has_rule: bool,
        each: impl FnMut(Weighed) -> Result<(), WorkError>,
    ) -> Result<(), WorkError> {
        let sight = Sight::load(&self.db.conn, &self.me, Blind::Never)?;
        // What is made of rows crosses threads, and not the rows.
        let weighed = |rows: Vec<ExportRow>| -> Result<Weighed, WorkError> {
            let case = |row| match row {
                ExportRow::Case(case) => Some(*case),
                ExportRow::Label(_) => None,
            };
            let cases: Vec<CaseExport> = rows.into_iter().filter_map(case).collect();
            Ok(weighing.weigh(&cases).map_err(RetrainError::from)?)
        };
        // Only a rule asks for what other cases say.
        let beside = if has_rule { Beside::All } else { Beside::Nothing };
        let exported = self.export_by(
            sight,
            Asked { rows: Rows::Cases, beside, as_stored: true },
            weighed,
            each,
        )?;
        match exported.without_payload {
            0 => Ok(()),
            n => Err(RetrainError::NotHere(n).into()),
        }
    }
}

/// A directory with what is half done: it is gone, whatever became of it, and so are those that were
/// made around it where nothing is in them.
struct Half {
    place: PathBuf,
    made: Vec<PathBuf>,
}

impl Drop for Half {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.place);
        self.made.iter().for_each(|made| drop(fs::remove_dir(made)));
    }
}

/// The line that says where a row of a cut comes from, without its end.
fn why_line(
    recipe: &Recipe,
    row: &Chosen,
    told: &Finished,
    bytes: &mut Vec<u8>,
    line: &mut Vec<u8>,
) -> io::Result<()> {
    let (id, label, part) = (row.id(), row.label(), row.part.as_str());
    let Some(case) = row.candidate() else {
        let replay = recipe.replay.as_ref().map(|replay| replay.file.as_str());
        let of =
            json!({ "row": id, "case": null, "split": part, "label": label, "replay": replay });
        line.extend_from_slice(of.to_string().as_bytes());
        return Ok(());
    };
    let (head, tail) = told.read(case.told, bytes)?;
    let text = |text: &str| serde_json::to_string(text).unwrap_or_default();
    let (low, high) = bounds_of(recipe, row);
    let chosen = format!(
        "\"label\":{},\"split\":\"{part}\",\"u\":{},\"bounds\":{},\"group\":{}",
        text(label),
        json!(row.u),
        json!([low, high]),
        text(&row.group)
    );
    let row = format!("{{\"row\":\"{id}\",");
    for piece in [row.as_bytes(), head, b",", chosen.as_bytes(), b",", tail, b"}"] {
        line.extend_from_slice(piece);
    }
    Ok(())
}
