//! Protocols, glossary and policy: reading, checking and publishing them.

use std::collections::BTreeSet;
use std::path::Path;

use super::error::PublishError;
use super::{STANDARD_INPUT, WorkError, Workspace, read_file};
use crate::domain::glossary::Glossary;
use crate::domain::glossary_diff;
use crate::domain::policy::Policy;
use crate::domain::protocol::parse::{LabelSource, label_source};
use crate::domain::protocol::{self, Fault, Protocol};
use crate::domain::require::Occasion;
use crate::domain::roster::Role;
use crate::journal::Append;
use crate::journal::kind::{GlossaryPublished, PolicySet, ProtocolPublished};
use crate::journal::views;
use crate::review::glossary::{self, PublishedGlossary};

/// Reads and checks a protocol file strictly, with the label file it may name beside it. Terms must
/// stand in `glossary`.
pub fn read_protocol(path: &Path, glossary: Option<&Glossary>) -> Result<Protocol, WorkError> {
    let name = path.display().to_string();
    let source = read_file(path)?;
    let labels = match label_source(&source) {
        // What came from elsewhere names no file of this machine.
        Some(LabelSource::File(file)) if path.as_os_str() == STANDARD_INPUT => {
            let line = 1 + source.lines().take_while(|line| !line.contains(&file)).count();
            let message = format!(
                "labels stand in the file {file}, which standard input has not beside it: write them here"
            );
            let faults = vec![Fault { line, message }];
            return Err(WorkError::Faults { name, faults });
        }
        Some(LabelSource::File(file)) => {
            Some(read_file(&path.parent().unwrap_or(Path::new("")).join(file))?)
        }
        _ => None,
    };
    let protocol = protocol::parse_strictly(&source, labels.as_deref())
        .map_err(|faults| WorkError::Faults { name: name.clone(), faults })?;
    let faults = glossary.map_or_else(Vec::new, |glossary| unknown_terms(&protocol, glossary));
    if faults.is_empty() { Ok(protocol) } else { Err(WorkError::UnknownTerms { name, faults }) }
}

fn unknown_terms(protocol: &Protocol, glossary: &Glossary) -> Vec<Fault> {
    let mut faults = Vec::new();
    for question in &protocol.questions {
        for term in question.terms.iter().filter(|term| glossary.term(term).is_none()) {
            let message =
                format!("`{}` names the term `{term}`, which is not in the glossary", question.id);
            faults.push(Fault { line: question.line, message });
        }
    }
    faults
}

pub fn read_glossary(path: &Path) -> Result<Glossary, WorkError> {
    let source = read_file(path)?;
    Glossary::parse(&source)
        .map_err(|faults| WorkError::Faults { name: path.display().to_string(), faults })
}

impl Workspace {
    /// Publishes a protocol; returns its version. One that is published already, unchanged, keeps
    /// its version. From the second version on it must be said what changed.
    pub fn publish_protocol(
        &mut self,
        protocol: &Protocol,
        changes: &str,
    ) -> Result<u32, WorkError> {
        let protocols = self.protocols()?;
        let latest =
            protocols.published.iter().find(|published| published.protocol.id == protocol.id);
        if let Some(same) = latest.filter(|published| published.reference.hash == protocol.hash()) {
            return Ok(same.reference.version);
        }
        // Models, and labels of before, go on saying what was renamed once.
        let dropped =
            latest.iter().flat_map(|latest| &latest.protocol.renames.labels).find(|(old, _)| {
                let is_label = protocol.has_label(old) && !protocol.labels.is_empty();
                !is_label && !protocol.renames.labels.contains_key(*old)
            });
        if let Some((old, new)) = dropped {
            return Err(PublishError::RenameDropped {
                id: protocol.id.clone(),
                old: old.clone(),
                new: new.clone(),
            }
            .into());
        }
        let version = protocols.next_version(&protocol.id);
        let changes = match (changes.trim(), version) {
            ("", 1) => "The first version.",
            ("", _) => {
                return Err(PublishError::NoChanges { id: protocol.id.clone(), version }.into());
            }
            (changes, _) => changes,
        };
        self.append(vec![Append::new(&ProtocolPublished::new(protocol, version, changes))])?;
        Ok(version)
    }

    /// Publishes a glossary; returns its version. One that is published already, unchanged, keeps
    /// its version. Where nobody says what changed, it is found by comparing.
    pub fn publish_glossary(
        &mut self,
        glossary: &Glossary,
        changes: &str,
    ) -> Result<u32, WorkError> {
        let protocols = self.protocols()?;
        let in_force: Vec<&Protocol> =
            protocols.in_force().into_iter().map(|published| &published.protocol).collect();
        let gone = |term: &&String| {
            glossary.term(term).is_none() && protocols.glossary.term(term).is_some()
        };
        let used = in_force
            .iter()
            .flat_map(|protocol| protocol.questions.iter().flat_map(|question| &question.terms));
        let mut gone: Vec<String> = used.filter(gone).cloned().collect();
        if !gone.is_empty() {
            gone.sort();
            gone.dedup();
            return Err(PublishError::TermsInUse(gone).into());
        }
        if protocols.glossary_version > 0 && protocols.glossary.source == glossary.source {
            return Ok(protocols.glossary_version);
        }
        let version = protocols.glossary_version + 1;
        let changes = match changes.trim() {
            "" => glossary_diff::diff(&protocols.glossary, glossary).join("; "),
            changes => changes.to_owned(),
        };
        let source = glossary.source.clone();
        self.append(vec![Append::new(&GlossaryPublished { version, source, changes })])?;
        Ok(version)
    }

    /// Every version of the glossary, the latest first.
    pub fn glossaries(&self) -> Result<Vec<PublishedGlossary>, WorkError> {
        Ok(glossary::versions(&self.db.conn)?)
    }

    pub fn policy(&self) -> Result<Policy, WorkError> {
        let mut policy = views::policy(&self.db.conn)?;
        policy.hide.extend(self.hide_today.iter().copied());
        Ok(policy)
    }

    pub fn set_policy(&mut self, policy: Policy) -> Result<(), WorkError> {
        let protocols = self.protocols()?;
        let known: BTreeSet<&str> =
            protocols.in_force().iter().flat_map(|published| published.protocol.fields()).collect();
        let asked = policy.require.iter().filter_map(|rule| match &rule.occasion {
            Occasion::Outcome { field, .. } => Some(field),
            _ => None,
        });
        if let Some(field) = policy
            .on
            .iter()
            .chain(asked)
            .find(|field| !known.is_empty() && !known.contains(field.as_str()))
        {
            return Err(
                PublishError::PolicyField(format!("no protocol in force sets `{field}`")).into()
            );
        }
        let leads = |name: &str| {
            Ok::<_, WorkError>(
                self.roster_now()?
                    .iter()
                    .any(|grant| grant.name == name && grant.role == Role::Lead),
            )
        };
        if !policy.owner.is_empty()
            && policy.owner != self.policy()?.owner
            && !leads(&policy.owner)?
        {
            return Err(PublishError::OwnerNoLead(policy.owner).into());
        }
        self.append(vec![Append::new(&PolicySet { policy })])?;
        Ok(())
    }
}
