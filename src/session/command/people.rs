//! Who may do what: looked at, let in, retired.

use super::{Command, write};
use crate::domain::ids::ReplicaId;
use crate::domain::roster::Role;
use crate::session::effect::Effect;
use crate::session::report::Report;
use crate::session::state::Session;
use crate::session::write::{Write, Writing};
use crate::workspace::WorkError;

pub const PEOPLE: Command =
    Command::new("people", "who may do what, and who asks to join", |_, _| {
        write(Look { words: String::new() })
    })
    .not_in_training()
    .not_in_calibration();

impl Session {
    /// Lets somebody in on a device, in these roles.
    pub fn admit(&mut self, name: String, replica: ReplicaId, roles: Vec<Role>) -> Vec<Effect> {
        write(Admit { name, replica, roles })
    }

    /// Retires somebody on a device, or turns them down.
    pub fn retire(&mut self, name: String, replica: ReplicaId, why: String) -> Vec<Effect> {
        write(Retire { name, replica, why })
    }
}

/// Everybody as they are after all that was written before, with words to say.
#[derive(Debug)]
struct Look {
    words: String,
}

impl Write for Look {
    fn run(self: Box<Self>, at: &mut Writing) -> Result<Report, WorkError> {
        Ok(Report::People { rows: at.workspace.everybody()?, words: self.words })
    }
}

#[derive(Debug)]
struct Admit {
    name: String,
    replica: ReplicaId,
    roles: Vec<Role>,
}

impl Write for Admit {
    fn run(self: Box<Self>, at: &mut Writing) -> Result<Report, WorkError> {
        at.workspace.admit(&self.name, &self.roles, Some(self.replica), None)?;
        Box::new(Look { words: format!("{} is admitted.", self.name) }).run(at)
    }
}

#[derive(Debug)]
struct Retire {
    name: String,
    replica: ReplicaId,
    why: String,
}

impl Write for Retire {
    fn run(self: Box<Self>, at: &mut Writing) -> Result<Report, WorkError> {
        at.workspace.retire(&self.name, Some(&self.replica.to_string()), &self.why)?;
        Box::new(Look { words: format!("{} is retired on that device.", self.name) }).run(at)
    }
}
