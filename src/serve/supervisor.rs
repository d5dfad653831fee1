//! Keeps an sshd running for a desk: started anew when it dies, told of doors as they change, and
//! stopped with all who are in when the desk closes.

use std::fs;
use std::io::Write as _;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::place::{Place, own};
use super::sshd::{Desk, Sshd};
use super::{ServeError, command_of, live};
use crate::clock;
use crate::domain::time::Moment;
use crate::workspace::doors::Opened;

/// How often doors are looked at, and whether sshd runs.
const TICK: Duration = Duration::from_millis(500);
/// The longest pause before sshd is started again.
const PAUSE_MAX: Duration = Duration::from_secs(60);
/// After so long a run the next failure is the first again.
const STEADY: Duration = Duration::from_secs(60);
/// How long sessions have to keep what was begun, when the desk closes.
const GOOD_BYE: Duration = Duration::from_secs(10);

/// A desk that is open.
pub struct Supervisor<'d> {
    desk: &'d Desk<'d>,
    sshd: &'d Sshd,
    listener: Option<Child>,
    started: Instant,
    pause: Duration,
    /// What stands in the file of keys.
    keys: Option<String>,
    /// And in that of names.
    principals: Option<String>,
}

/// What the log says where sshd died.
const SSHD_ENDED: &str = "sshd ended";

/// How often sshd died since a moment, as the log has it, and what was said last.
pub fn ended_since(place: &Place, since: Moment) -> (usize, Option<String>) {
    let text = fs::read(place.log()).unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    let mut died = text.lines().filter(|line| {
        let at = line.split(' ').next().and_then(Moment::parse);
        at.is_some_and(|at| at >= since) && line.contains(&format!("casework: {SSHD_ENDED}"))
    });
    (died.clone().count(), died.next_back().map(str::to_owned))
}

/// Makes the host key, the first time; `known` is what people know the desk by, if they do.
pub fn host_key(place: &Place, known: Option<&str>) -> Result<String, ServeError> {
    let path = place.host_key();
    let shown = path.display().to_string();
    // Of the private half: what stands beside it is anybody's word.
    let read = || {
        let said = Command::new("ssh-keygen")
            .arg("-y")
            .arg("-f")
            .arg(&path)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| ServeError::File("ssh-keygen".to_owned(), error))?;
        let text = String::from_utf8_lossy(&said.stdout).into_owned();
        Ok::<_, ServeError>(text.split_whitespace().take(2).collect::<Vec<_>>().join(" "))
    };
    let there = path.exists();
    if let Some(known) = known
        && (!there || read()? != known)
    {
        return Err(ServeError::HostKeyGone(shown));
    }
    if !there {
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-C", "casework", "-f"])
            .arg(&path)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .output()
            .map_err(|error| ServeError::File("ssh-keygen".to_owned(), error))?;
        if !made.status.success() {
            let said = String::from_utf8_lossy(&made.stderr).trim().to_owned();
            return Err(ServeError::File(shown, std::io::Error::other(said)));
        }
    }
    own(&path, 0o077, "read", "600")?;
    read()
}

/// Takes the host key away, so that another is made.
pub fn forget_host_key(place: &Place) -> Result<(), ServeError> {
    for path in [place.host_key(), place.host_key().with_extension("pub")] {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(ServeError::File(path.display().to_string(), error));
            }
            _ => {}
        }
    }
    Ok(())
}

impl<'d> Supervisor<'d> {
    /// Writes the files of the desk and starts its sshd; it listens when this returns.
    ///
    /// # Errors
    /// It does not, and why.
    pub fn start(
        desk: &'d Desk<'d>,
        sshd: &'d Sshd,
        doors: &[Opened],
        names: &[String],
    ) -> Result<Self, ServeError> {
        let place = desk.place;
        end_left_behind(place);
        place.write(&place.config(), &desk.config(sshd))?;
        place.write(&place.banner(), &format!("{}\n", desk.options.banner.trim_end()))?;
        let checked = Command::new(&sshd.path)
            .arg("-t")
            .arg("-f")
            .arg(place.config())
            .stdin(Stdio::null())
            .output()
            .map_err(|error| ServeError::File(sshd.path.display().to_string(), error))?;
        if !checked.status.success() {
            let said = String::from_utf8_lossy(&checked.stderr).trim().replace('\n', "; ");
            return Err(ServeError::Refused(said));
        }
        let (started, pause) = (clock::instant(), Duration::from_secs(1));
        let mut supervisor =
            Self { desk, sshd, listener: None, started, pause, keys: None, principals: None };
        supervisor.doors(doors, names)?;
        supervisor.listen()?;
        Ok(supervisor)
    }

    /// Starts sshd, and waits until it listens.
    fn listen(&mut self) -> Result<(), ServeError> {
        let place = self.desk.place;
        let log = place.append_log()?;
        let before = log.metadata().map_or(0, |about| about.len());
        let _ = fs::remove_file(place.process_id());
        let failed = |error| ServeError::File(self.sshd.path.display().to_string(), error);
        let mut command = Command::new(&self.sshd.path);
        command.arg("-D").arg("-e").arg("-f").arg(place.config()).stdin(Stdio::null());
        let mut child = command.stdout(Stdio::null()).stderr(log).spawn().map_err(failed)?;
        self.started = clock::instant();
        // It writes its number when it listens.
        while !place.process_id().exists() && self.started.elapsed() < Duration::from_secs(10) {
            if child.try_wait().map_err(failed)?.is_some() {
                let text = fs::read(place.log()).unwrap_or_default();
                let said = text.get(before as usize..).unwrap_or_default();
                let said = String::from_utf8_lossy(said).trim().replace(['\r', '\n'], " ");
                return Err(ServeError::Listen(self.desk.listen.join(", "), said));
            }
            sleep(Duration::from_millis(10));
        }
        self.listener = Some(child);
        Ok(())
    }

    /// Writes the keys of the doors that are open now, where sshd reads them from a file, and the names
    /// that certificates may be for.
    pub fn doors(&mut self, doors: &[Opened], names: &[String]) -> Result<(), ServeError> {
        if !self.desk.options.trusted_user_ca.is_empty() {
            let lines = super::principals(names, self.desk.program, self.desk.workspace);
            if self.principals.as_ref() != Some(&lines) {
                self.desk.place.write(&self.desk.place.principals(), &lines)?;
                self.principals = Some(lines);
            }
        }
        let open = doors.iter().filter(|opened| opened.shut.is_none());
        let lines: String = open
            .map(|opened| {
                let command = command_of(&opened.door, self.desk.program, self.desk.workspace);
                opened.door.line(&command, clock::local_offset) + "\n"
            })
            .collect();
        if self.keys.as_ref() != Some(&lines) {
            self.desk.place.write(&self.desk.place.authorized_keys(), &lines)?;
            self.keys = Some(lines);
        }
        Ok(())
    }

    /// Waits a moment, and starts sshd again if it has died. Says so.
    pub fn tick(&mut self) -> Option<String> {
        sleep(TICK);
        // A log that can't be kept small is no reason to let nobody in.
        let _ = self.desk.place.turn_log();
        if let Some(listener) = &mut self.listener {
            let ended = match listener.try_wait() {
                Ok(None) => return None,
                Ok(Some(status)) => status.to_string(),
                Err(error) => error.to_string(),
            };
            self.listener = None;
            if self.started.elapsed() > STEADY {
                self.pause = Duration::from_secs(1);
            }
            self.started = clock::instant();
            let secs = self.pause.as_secs();
            let words = format!(
                "sshd ended ({ended}); it is started again in {secs} s. Who is in stays in"
            );
            if let Ok(mut log) = self.desk.place.append_log() {
                let at = clock::now().rfc3339();
                let _ = writeln!(log, "{at} casework: {SSHD_ENDED} ({ended})");
            }
            return Some(words);
        }
        if self.started.elapsed() < self.pause {
            return None;
        }
        self.pause = (self.pause * 2).min(PAUSE_MAX);
        match self.listen() {
            Ok(()) => Some("sshd listens again".to_owned()),
            Err(error) => {
                self.started = clock::instant();
                Some(error.to_string())
            }
        }
    }

    /// Lets nobody in any more, and has all who are in leave; those who do not are ended.
    pub fn stop(mut self) {
        self.close();
        live::end(self.desk.place, GOOD_BYE, |_| true);
    }

    fn close(&mut self) {
        let Some(mut listener) = self.listener.take() else { return };
        if let Some(process) = Pid::from_raw(listener.id().cast_signed()) {
            let _ = kill_process(process, Signal::TERM);
        }
        let _ = listener.wait();
    }
}

/// Whoever stops in the middle leaves no sshd behind.
impl Drop for Supervisor<'_> {
    fn drop(&mut self) {
        self.close();
    }
}

/// Ends an sshd of this desk that somebody left behind who was killed.
fn end_left_behind(place: &Place) {
    let process = fs::read_to_string(place.process_id()).ok();
    let Some(process) = process.and_then(|text| text.trim().parse().ok()) else { return };
    let asked = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
    // It calls itself by the words with which it was started.
    let is_ours = String::from_utf8_lossy(&asked).contains(&place.config().display().to_string());
    if let Some(process) = Pid::from_raw(process).filter(|_| is_ours) {
        let _ = kill_process(process, Signal::TERM);
        let begun = clock::instant();
        while fs::exists(place.process_id()).unwrap_or(false)
            && begun.elapsed() < Duration::from_secs(3)
        {
            sleep(Duration::from_millis(20));
        }
    }
}
