//! `casework profile`: what somebody has otherwise for themselves than `config.toml` says.

use serde_json::json;

use super::out::{Out, done};
use super::{CliError, Context, Exit};
use crate::config::linear::SETTINGS;
use crate::workspace::profile::{LINEAR, check};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which setting: linear, width, page, hints, next or keys. Without one, all are told
    #[arg(value_name = "SETTING", requires = "value")]
    name: Option<String>,
    /// What it is to be; `default` for what config.toml says
    #[arg(value_name = "VALUE")]
    value: Option<String>,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit, CliError> {
    let mut workspace = context.open()?;
    let (Some(name), Some(value)) = (&args.name, &args.value) else {
        let profile = workspace.profile()?;
        let mut out = Out::new();
        if context.global.json {
            out.json(&json!({ "name": workspace.me, "settings": profile }))?;
        } else {
            let what = SETTINGS.iter().copied();
            let linear = (LINEAR, "on or off: whether the review goes line by line");
            for (name, takes) in std::iter::once(linear).chain(what) {
                let value = profile.get(name).map_or("default", String::as_str);
                out.line(&format!("{name:<7} {value:<8} {takes}"))?;
            }
        }
        out.finish()?;
        return Ok(Exit::Done);
    };
    let value = Some(value.as_str()).filter(|value| *value != "default");
    check(&workspace.config.linear, name, value).map_err(CliError::Use)?;
    workspace.set_profile(name, value)?;
    let words = match value {
        Some(value) => format!("{name} is {value} for {} on this device.", workspace.me),
        None => format!("{name} is what config.toml says for {} on this device.", workspace.me),
    };
    done(
        context.global.json,
        &words,
        &json!({ "name": workspace.me, "settings": workspace.profile()? }),
    )?;
    Ok(Exit::Done)
}
