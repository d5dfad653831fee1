//! `reviewer.admitted`: a lead lets a person, on a device, act in some roles.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::domain::ids::ReplicaId;
use crate::domain::roster::{Role, is_name};
use crate::journal::fold::{Fold, Stamp};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReviewerAdmitted {
    pub name: String,
    pub roles: Vec<Role>,
    /// The device whose key may sign in this name.
    pub replica: ReplicaId,
}

impl Event for ReviewerAdmitted {
    const KIND: &'static str = "reviewer.admitted";
    const ROLES: Option<&'static [Role]> = Some(&[Role::Lead]);

    fn objection(&self, _stamp: &Stamp, _roles: &[Role]) -> Option<String> {
        (!is_name(&self.name)).then(|| "a name is 1 to 40 letters, digits, `.`, `_` or `-`".to_owned())
    }

    fn fold(self, fold: &mut Fold<'_, '_>, _stamp: &Stamp) -> rusqlite::Result<()> {
        self.roles.iter().try_for_each(|role| fold.grant(&self.name, self.replica, *role))
    }
}
