//! A process, and what it cost.

use crate::cli::answer::Failure;
use serde::Serialize;
use std::io::Read;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How often a process is looked at; its last moments may be missed by as much.
const EVERY: Duration = Duration::from_millis(5);
/// Linux counts CPU time for other programs in hundredths of a second.
const TICKS_PER_SECOND: f64 = 100.0;

/// What a process cost, all its threads together.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Cost {
    /// User and system time; wall time where the system does not tell.
    pub(super) cpu_seconds: f64,
    pub(super) wall_seconds: f64,
    /// Most memory that was resident at once, if the system tells.
    pub(super) peak_mib: Option<f64>,
}

/// Runs `command` to its end; gives its cost and what it printed.
pub(super) fn run(mut command: Command) -> Result<(Cost, String), Failure> {
    let name = command.get_program().to_string_lossy().into_owned();
    let started = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{name}: {error}"))?;
    let mut stdout = child.stdout.take().ok_or("no standard output")?;
    let mut stderr = child.stderr.take().ok_or("no standard error")?;
    let printed = thread::spawn(move || {
        let mut text = String::new();
        stdout.read_to_string(&mut text).map(|_| text)
    });
    let complaint = thread::spawn(move || {
        let mut text = String::new();
        stderr.read_to_string(&mut text).map(|_| text)
    });
    let (mut cpu, mut peak_mib) = (None, None);
    // A process that has ended keeps its counts until it is waited for.
    while let Some(now) = Look::at(child.id()) {
        cpu = Some(now.cpu_seconds);
        peak_mib = now.peak_mib.or(peak_mib);
        if now.ended {
            break;
        }
        thread::sleep(EVERY);
    }
    let status = child.wait()?;
    let wall_seconds = started.elapsed().as_secs_f64();
    let printed = printed.join().map_err(|_| "reading its output failed")??;
    let complaint = complaint
        .join()
        .map_err(|_| "reading its errors failed")??;
    if !status.success() {
        return Err(format!("{name}: {status}: {}", complaint.trim()).into());
    }
    let cost = Cost {
        cpu_seconds: cpu.unwrap_or(wall_seconds),
        wall_seconds,
        peak_mib,
    };
    Ok((cost, printed))
}

/// User and system time of this process so far, if the system tells.
pub(super) fn own_cpu_seconds() -> Option<f64> {
    Look::at(std::process::id()).map(|now| now.cpu_seconds)
}

/// Most memory that this very process has held at once, if the system tells.
pub(super) fn own_peak_mib() -> Option<f64> {
    Look::at(std::process::id())?.peak_mib
}

struct Look {
    cpu_seconds: f64,
    peak_mib: Option<f64>,
    ended: bool,
}

impl Look {
    fn at(id: u32) -> Option<Self> {
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        // The name, in brackets, may hold anything; state is the first field after it.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let ticks = |place: usize| fields.get(place)?.parse::<f64>().ok();
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = peak.and_then(|text| text.split_whitespace().next()?.parse::<f64>().ok());
        Some(Self {
            cpu_seconds: (ticks(11)? + ticks(12)?) / TICKS_PER_SECOND,
            peak_mib: kib.map(|kib| kib / 1024.0),
            ended: matches!(fields.first(), Some(&("Z" | "X"))),
        })
    }
}
