//! What can go wrong at the doors of a workspace that is served.

use crate::domain::advice::Advice;

#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    #[error("nobody called `{0}` works on this device")]
    NotHere(String),
    #[error("the key {key} is {name}'s already: a key opens the door for one name")]
    Taken { key: String, name: String },
    #[error("the key {0} can't be taken: {1}")]
    Weak(String, String),
    #[error("`{0}` is no address and no network, as 10.0.0.7 or 10.0.0.0/8")]
    From(String),
    #[error("{name} has no key that begins with {key}; there are {}", if known.is_empty() { "none".to_owned() } else { known.join(", ") })]
    NoKey { name: String, key: String, known: Vec<String> },
    #[error("the door is closed for {0} with this key")]
    Closed(String),
    #[error("there is nothing of {0} on this device to sign")]
    Nothing(String),
    #[error("nothing was printed for you to sign")]
    NothingPrinted,
    #[error("the signature is by {0}, which is no key of {1}'s here")]
    NotTheirs(String, String),
}

impl Advice for DoorError {
    fn next_step(&self) -> Option<String> {
        let step = match self {
            Self::NotHere(name) => format!(
                "A lead lets them work here first: `casework roster admit {name} --role reviewer --here`."
            ),
            Self::Taken { name, key } => {
                format!("Close that door first: `casework roster key drop {name} {key}`.")
            }
            Self::Weak(..) => "`ssh-keygen -t ed25519` makes a good one.".to_owned(),
            Self::From(_) => return None,
            Self::NoKey { .. } => "`casework roster key list` shows all.".to_owned(),
            Self::Closed(_) => {
                "A lead opens it: `casework roster key add NAME FILE.pub`.".to_owned()
            }
            Self::Nothing(_) => "Label a case first.".to_owned(),
            Self::NothingPrinted => "`casework countersign --print` prints it.".to_owned(),
            Self::NotTheirs(..) => {
                "Sign with a key by which you come in; `casework roster key list` shows them."
                    .to_owned()
            }
        };
        Some(step)
    }
}
