//! The processes below this one: what they use, and ending them all.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

/// So often in a row nothing may be found before it is believed.
const EMPTY_LOOKS: u32 = 3;
/// The kernel counts CPU time in hundredths of a second for whoever asks.
pub const TICK_MS: u64 = 10;

/// A process below this one.
pub struct Process {
    pub pid: i32,
    pub memory_bytes: u64,
    pub cpu_ms: u64,
}

#[derive(Default)]
struct Stat {
    parent: i32,
    dead: bool,
    pages: u64,
    ticks: u64,
}

/// The parts of `/proc/PID/stat` behind the name, which may hold anything.
fn stat_of(pid: i32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let rest = text.rsplit_once(") ")?.1;
    let fields: Vec<&str> = rest.split(' ').collect();
    Some(Stat {
        dead: matches!(fields.first(), Some(&"Z" | &"X")),
        parent: fields.get(1)?.parse().ok()?,
        pages: fields.get(21)?.parse().unwrap_or(0),
        ticks: [11, 12].iter().filter_map(|at| fields.get(*at)?.parse::<u64>().ok()).sum(),
    })
}

/// Every process that descends from this one.
pub fn family() -> Vec<Process> {
    below(std::process::id() as i32)
}

/// A process and all that descends from it.
pub fn family_of(leader: u32) -> Vec<Process> {
    let leader = leader as i32;
    let itself = stat_of(leader).filter(|stat| !stat.dead);
    let mut family = below(leader);
    family.extend(itself.map(|stat| process(leader, &stat)));
    family
}

fn process(pid: i32, stat: &Stat) -> Process {
    Process { pid, memory_bytes: stat.pages * 4096, cpu_ms: stat.ticks * TICK_MS }
}

fn all_pids() -> Vec<i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten();
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect()
}

fn below(ancestor: i32) -> Vec<Process> {
    let all: HashMap<i32, Stat> =
        all_pids().into_iter().filter_map(|pid| Some((pid, stat_of(pid)?))).collect();
    let descends = |pid: i32| {
        let mut at = pid;
        for _ in 0..64 {
            match all.get(&at) {
                Some(stat) if stat.parent == ancestor => return true,
                Some(stat) if stat.parent > 1 => at = stat.parent,
                _ => return false,
            }
        }
        false
    };
    let living = all.iter().filter(|(pid, stat)| !stat.dead && descends(**pid));
    living.map(|(pid, stat)| process(*pid, stat)).collect()
}

/// Ends a session and all that is left below this process, until nothing is.
pub fn end_all(leader: u32) {
    #[cfg(unix)]
    {
        use rustix::process::{Pid, Signal, kill_process, kill_process_group};
        if let Some(group) = Pid::from_raw(leader as i32) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        // One whose parent has just died is seen below nobody for a moment: it is looked more than
        // once whether nothing is left.
        let mut empty = 0;
        for _ in 0..200 {
            let left = family();
            empty = if left.is_empty() { empty + 1 } else { 0 };
            if empty == EMPTY_LOOKS {
                return;
            }
            for one in left {
                if let Some(pid) = Pid::from_raw(one.pid) {
                    let _ = kill_process(pid, Signal::KILL);
                }
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
    let _ = leader;
}

/// Ends every process whose environment has a variable with its value: what a program began and let
/// go of has what it was given.
pub fn end_marked(mark: &str) {
    #[cfg(unix)]
    {
        use rustix::process::{Pid, Signal, kill_process};
        let own = std::process::id() as i32;
        for pid in all_pids().into_iter().filter(|pid| *pid != own) {
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            let has = environment.split(|byte| *byte == 0).any(|one| one == mark.as_bytes());
            if let Some(pid) = Pid::from_raw(pid).filter(|_| has) {
                let _ = kill_process(pid, Signal::KILL);
            }
        }
    }
    let _ = mark;
}

/// Ends a process, its group and all that it began: not what else this process began.
pub fn end_below(leader: u32) {
    #[cfg(unix)]
    {
        use rustix::process::{Pid, Signal, kill_process, kill_process_group};
        let below = family_of(leader);
        if let Some(group) = Pid::from_raw(leader as i32) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        for pid in below.iter().filter_map(|one| Pid::from_raw(one.pid)) {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
    let _ = leader;
}
