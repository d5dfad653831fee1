//! What somebody has otherwise for themselves on this device than its configuration says: where a
//! workspace is served, they have no other.

use std::collections::BTreeMap;

use super::{WorkError, Workspace};
use crate::config::Linear;
use crate::config::linear::{SETTINGS, switch};
use crate::db::store;

/// The setting that turns linear mode on.
pub const LINEAR: &str = "linear";

/// Whether a setting takes a value; whether there is one of that name, where none is said.
///
/// # Errors
/// It does not, or there is none of that name, in words.
pub fn check(linear: &Linear, name: &str, value: Option<&str>) -> Result<(), String> {
    if name != LINEAR && !SETTINGS.iter().any(|(known, _)| *known == name) {
        let names: Vec<&str> = SETTINGS.iter().map(|(name, _)| *name).collect();
        return Err(format!(
            "there is no setting `{name}`: there are {LINEAR}, {}",
            names.join(", ")
        ));
    }
    match value {
        None => Ok(()),
        Some(value) if name == LINEAR => {
            switch(value).map(drop).ok_or_else(|| format!("linear takes on or off, not `{value}`"))
        }
        Some(value) => linear.clone().set(name, value),
    }
}

impl Workspace {
    /// What whoever is at work has set for themselves, by name.
    ///
    /// # Errors
    /// Those of the database.
    pub fn profile(&self) -> Result<BTreeMap<String, String>, WorkError> {
        let kept = store::setting(&self.db.conn, &profile_of(&self.me))?;
        Ok(kept.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
    }

    /// Sets something for whoever is at work, or has them go by the configuration again. It was
    /// [checked](check).
    ///
    /// # Errors
    /// Those of the database.
    pub fn set_profile(&mut self, name: &str, value: Option<&str>) -> Result<(), WorkError> {
        let mut profile = self.profile()?;
        match value {
            Some(value) => drop(profile.insert(name.to_owned(), value.to_owned())),
            None => drop(profile.remove(name)),
        }
        let (setting, text) = (profile_of(&self.me), crate::db::to_json(&profile));
        Ok(self.db.write(|conn| store::set_setting(conn, &setting, &text))?)
    }

    /// How a review line by line goes for whoever is at work.
    ///
    /// # Errors
    /// Those of the database.
    pub fn linear(&self) -> Result<Linear, WorkError> {
        let mut linear = self.config.linear.clone();
        for (name, value) in self.profile()? {
            // What a later version knows is none of ours.
            let _ = linear.set(&name, &value);
        }
        Ok(linear)
    }

    /// Why whoever is at work wants to review line by line, if they do and nothing else says so.
    ///
    /// # Errors
    /// Those of the database.
    pub fn linear_wanted(&self) -> Result<Option<&'static str>, WorkError> {
        Ok(match self.profile()?.get(LINEAR).and_then(|word| switch(word)) {
            Some(true) => Some("your profile says so"),
            Some(false) => None,
            None if self.config.review.linear => Some("[review] linear is on in config.toml"),
            None => None,
        })
    }
}

/// The setting that holds what somebody set.
fn profile_of(name: &str) -> String {
    format!("profile {name}")
}
