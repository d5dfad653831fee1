//! `casework help`: the manual by topic, and what each command takes.

use std::path::PathBuf;

use clap::CommandFactory as _;

use super::out::{Out, say};
use super::{Cli, CliError, Exit};
use crate::session::manual::{TOPICS, named};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// A topic of the manual, or a command
    #[arg(value_name = "TOPIC")]
    topic: Vec<String>,
}

#[derive(Debug, clap::Args)]
pub struct ManArgs {
    /// Where the pages are written
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

/// Commands as they are listed, by who needs them, each with an example.
pub static GROUPS: &[(&str, &[(&str, &str)])] = &[
    (
        "Label",
        &[
            ("queue", "casework queue --explain"),
            ("show", "casework show 5a1f5472"),
            ("attachment", "casework attachment 5a1f5472"),
            ("search", "casework search where is my parcel"),
            ("label", "casework label 5a1f5472 --answer readable=y --rationale \"plain enough\""),
            ("undo", "casework undo"),
            ("redo", "casework redo"),
            ("comment", "casework comment 5a1f5472 \"seen twice today\""),
            ("defer", "casework defer 5a1f5472 \"asked the desk\""),
            ("escalate", "casework escalate 5a1f5472 \"is this a complaint?\""),
            ("precedents", "casework precedents 5a1f5472"),
            ("train", "casework train edge-cases"),
            ("appeal", "casework appeal 5a1f5472 \"the date was not weighed\""),
            ("reliability", "casework reliability"),
            ("profile", "casework profile linear on"),
            ("demo", "casework demo"),
        ],
    ),
    (
        "Lead",
        &[
            ("protocol", "casework protocol check desk.toml"),
            ("glossary", "casework glossary check terms.toml"),
            ("gold", "casework gold list"),
            ("agreement", "casework agreement --field verdict"),
            ("disagreements", "casework disagreements --by pair"),
            (
                "arbitrate",
                "casework arbitrate 360f4c68 --take A --cause other --rationale \"it says so\"",
            ),
            ("rulings", "casework rulings --changes"),
            ("conflicts", "casework conflicts --near 0.8"),
            ("calibrate", "casework calibrate open june --divergent 12"),
            ("sla", "casework sla check"),
            ("nudge", "casework nudge --dry-run"),
            ("report", "casework report --out report.html"),
            ("policy", "casework policy set overlap=2"),
            ("roster", "casework roster admit bo --role reviewer"),
        ],
    ),
    (
        "Engineer",
        &[
            ("ingest", "casework ingest stream.jsonl --where \"confidence < 0.4\""),
            ("trap", "casework trap detect latencies.txt --detector page-hinkley"),
            ("plugin", "casework plugin check python3 detector.py"),
            ("suspects", "casework suspects --json"),
            ("traps", "casework traps --json"),
            ("reference", "casework reference set june --file june.jsonl"),
            ("labels", "casework labels --json"),
            ("import", "casework import labels old.jsonl --format jsonl"),
            ("export", "casework export --format csv --out labels.csv"),
            ("consensus", "casework consensus --method hierarchical"),
            ("cut", "casework cut june.toml --out june"),
            ("run", "casework run record --cut june --metrics metrics.json"),
            ("gate", "casework gate gate.toml --before old.csv --after new.csv"),
            ("deploy", "casework deploy record --run train.intent --to prod --share 0.1"),
            ("outcome", "casework outcome import outcomes.jsonl --source billing"),
            ("outcomes", "casework outcomes --by day"),
            ("trace", "casework trace 5a1f5472"),
            ("changelog", "casework changelog"),
            ("catalog", "casework catalog novel-class parcel"),
            ("formats", "casework formats label-studio"),
            ("proposals", "casework proposals --ask"),
        ],
    ),
    (
        "Admin",
        &[
            ("init", "casework init --name intent-team --as ana"),
            ("join", "casework join /mnt/team/store --as bo"),
            ("sync", "casework sync"),
            ("metrics", "casework metrics --out /var/lib/node_exporter/casework.prom"),
            ("status", "casework status"),
            ("serve", "casework serve --listen 0.0.0.0:2222"),
            ("vouch", "casework vouch --print"),
            ("countersign", "casework countersign --print"),
            ("verify", "casework verify --quick"),
            ("audit", "casework audit export --out audit"),
            ("erase", "casework erase 5a1f5472 --reason \"asked for by the customer\""),
            ("backup", "casework backup /mnt/backup/desk"),
            ("doctor", "casework doctor"),
            ("paths", "casework paths"),
            ("completions", "casework completions bash"),
            ("man", "casework man /usr/local/share/man/man1"),
            ("help", "casework help protocols"),
        ],
    ),
];

/// The command line with its help: commands in groups, and an example for each.
pub fn command() -> clap::Command {
    command_of(|_| true)
}

/// The same of some commands: the others are not spoken of.
pub fn command_of(spoken_of: impl Fn(&str) -> bool) -> clap::Command {
    let mut command = Cli::command();
    let mut groups = String::new();
    for (title, commands) in GROUPS {
        let (listed, others): (Vec<_>, Vec<_>) =
            commands.iter().partition(|(name, _)| spoken_of(name));
        for (name, _) in others {
            command = command.mut_subcommand(name, |one| one.hide(true));
        }
        if listed.is_empty() {
            continue;
        }
        groups.push_str(&format!("{title}:\n"));
        for (name, example) in listed {
            let about = command
                .find_subcommand(name)
                .and_then(|one| one.get_about())
                .map(ToString::to_string);
            groups.push_str(&format!("  {name:<14} {}\n", about.unwrap_or_default()));
            command = command
                .mut_subcommand(name, |one| one.after_help(format!("Example:\n  {example}")));
        }
        groups.push('\n');
    }
    let template = format!(
        "{{about-with-newline}}\n`casework` alone opens the review screen; `casework --linear` reviews line by line.\n\n\
         {{usage-heading}} {{usage}}\n\n{groups}Options of every command:\n{{options}}\n\
         `casework help TOPIC` reads the manual: {}.\n",
        TOPICS.iter().map(|topic| topic.name).collect::<Vec<_>>().join(", ")
    );
    command.help_template(template)
}

/// Prints a page of the manual, what a command takes, or which there are.
pub fn run(args: &Args) -> Result<Exit, CliError> {
    let mut out = Out::new();
    let Some(first) = args.topic.first() else {
        out.line("The manual, by topic: casework help TOPIC")?;
        for topic in TOPICS {
            out.line(&format!("  {:<14} {}", topic.name, topic.about))?;
        }
        out.line("What a command takes: casework help COMMAND, or casework COMMAND --help. All of them: casework --help")?;
        out.finish()?;
        return Ok(Exit::Done);
    };
    if let Some(topic) = named(first).filter(|_| args.topic.len() == 1) {
        out.raw(topic.text)?;
        out.finish()?;
        return Ok(Exit::Done);
    }
    let mut found = command();
    found.build();
    for name in &args.topic {
        let Some(inner) = found.find_subcommand(name).cloned() else {
            let topics: Vec<&str> = TOPICS.iter().map(|topic| topic.name).collect();
            return Err(CliError::Use(format!(
                "`{name}` is no topic and no command; topics are {}, and casework --help lists the commands",
                topics.join(", ")
            )));
        };
        found = inner;
    }
    out.raw(&found.render_long_help().to_string())?;
    out.finish()?;
    Ok(Exit::Done)
}

/// Writes a man page for casework and for each of its commands.
pub fn man(args: &ManArgs) -> Result<Exit, CliError> {
    let place = args.directory.display();
    let failed = |error: std::io::Error| CliError::Use(format!("{place}: {error}"));
    std::fs::create_dir_all(&args.directory).map_err(failed)?;
    clap_mangen::generate_to(command(), &args.directory).map_err(failed)?;
    say(&format!("The pages are in {place}: man -M, or MANPATH, shows them."));
    Ok(Exit::Done)
}

/// All commands as Markdown, for the manual.
pub fn markdown() -> String {
    let mut command = command();
    command.build();
    let mut out = String::from("# Commands\n");
    for (title, commands) in GROUPS {
        out.push_str(&format!(
            "\n## {title}\n\n| command | what it does | for example |\n| --- | --- | --- |\n"
        ));
        for (name, example) in *commands {
            let Some(one) = command.find_subcommand(name) else { continue };
            let about = one.get_about().map(ToString::to_string).unwrap_or_default();
            let inner: Vec<&str> = one
                .get_subcommands()
                .filter(|inner| !inner.is_hide_set())
                .map(clap::Command::get_name)
                .filter(|name| *name != "help")
                .collect();
            let inner =
                if inner.is_empty() { String::new() } else { format!(" ({})", inner.join(", ")) };
            out.push_str(&format!("| {name} | {about}{inner} | `{example}` |\n"));
        }
    }
    out.push_str(include_str!("../../assets/help/commands-all.txt"));
    out
}
