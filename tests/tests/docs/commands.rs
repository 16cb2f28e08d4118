//! The commands of the documents, run.

use super::{blocks, documents, root, tables};
use std::net::TcpListener;
use std::num::NonZero;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Beginnings of commands that are not run here, with the file that does, and how it says so there.
pub(crate) const ELSEWHERE: &[(&str, &str, &str)] = &[
    ("cargo build", ".ci/run", "cargo build --release"),
    (
        "cargo run --release --bin lagom -- demo",
        ".ci/run",
        "-- demo --exit",
    ),
    (
        "cargo test --release --workspace",
        ".ci/run",
        "cargo test --release --workspace",
    ),
    ("curl ", "tests/tests/serving/standard.rs", "/readyz"),
    (
        "export PATH",
        "tests/tests/docs/commands.rs",
        "env(\"PATH\"",
    ),
    ("grpcurl", "tests/tests/serving/standard.rs", "reflection"),
    ("lagom demo", ".ci/run", "-- demo --exit"),
    ("lagom backup", "tests/tests/crash/backup.rs", "\"backup\""),
    ("lagom copy", "tests/tests/replicas/copy.rs", "\"copy\""),
    (
        "lagom features --data data --engine",
        "tests/tests/engines.rs",
        "--engine postgres",
    ),
    (
        "lagom review --data data --experiment",
        "tests/tests/pages/served.rs",
        "--experiment",
    ),
    ("node ", ".ci/run", "notebooks-data/examples/run.sh"),
    (
        "notebooks-data/examples/run.sh",
        ".ci/run",
        "notebooks-data/examples/run.sh",
    ),
    (
        "notebooks-data/notebooks/run.sh",
        ".ci/run",
        "notebooks-data/notebooks/run.sh",
    ),
    (
        "notebooks-data/python/test.sh",
        ".ci/run",
        "notebooks-data/python/test.sh",
    ),
    ("npm ", "notebooks-data/examples/run.sh", "npm install"),
    (
        "pip install",
        "notebooks-data/python/test.sh",
        "pip\" install",
    ),
    (
        "protoc ",
        "notebooks-data/examples/run.sh",
        "grpc_tools.protoc",
    ),
    (
        "python",
        "notebooks-data/python/tests/test_first_decision.py",
        "first_decision.py",
    ),
];

/// Sizes of worlds that the documents suggest, and those that are run.
const SMALLER: &[(&str, &str)] = &[
    ("--customers 2000", "--customers 120"),
    ("--customers 5000", "--customers 120"),
    ("--customers 10000", "--customers 120"),
    ("--days 365", "--days 200"),
];

/// A command of a document: what it says, and on which line.
struct Told {
    line: usize,
    command: String,
}

fn told(text: &str) -> Vec<Told> {
    let mut commands = Vec::new();
    for (start, block) in blocks(text, "sh") {
        let mut whole = String::new();
        for (line, part) in (start + 1..).zip(block.lines()) {
            let part = part.split(" #").next().unwrap().trim();
            if part.starts_with('#') || part.is_empty() {
                continue;
            }
            if let Some(begun) = part.strip_suffix('\\') {
                whole += begun;
                continue;
            }
            whole += part;
            let command = std::mem::take(&mut whole);
            commands.push(Told { line, command });
        }
    }
    commands
}

/// A folder in which the commands of one document run, with its server, if it starts one.
struct Desk {
    folder: tempfile::TempDir,
    grpc: String,
    http: String,
    server: Option<Child>,
}

impl Drop for Desk {
    fn drop(&mut self) {
        if let Some(server) = &mut self.server {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

fn free() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for entry in std::fs::read_dir(root()).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap();
            if name != "target" && !name.to_string_lossy().starts_with('.') {
                std::os::unix::fs::symlink(&path, folder.path().join(name)).unwrap();
            }
        }
        tables::write(folder.path());
        Self {
            folder,
            grpc: free(),
            http: free(),
            server: None,
        }
    }

    fn command(&self, line: &str) -> Command {
        let binaries = lagom_tests::lagom().parent().unwrap();
        let path = format!(
            "{}:{}",
            binaries.display(),
            std::env::var("PATH").unwrap_or_default()
        );
        let mut command = Command::new("bash");
        command
            .args(["-euo", "pipefail", "-c", line])
            .current_dir(self.folder.path())
            .env("PATH", path)
            .env("LAGOM__SERVER__GRPC", &self.grpc)
            .env("LAGOM__SERVER__HTTP", &self.http)
            .stdin(Stdio::null());
        command
    }

    fn newest_model(&self) -> String {
        let listed = self.command("lagom models --models models --json");
        let listed = { listed }.output().unwrap();
        let models: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
        models[0]["id"].as_str().unwrap_or("none").to_owned()
    }

    /// The command as it is run.
    fn ready(&self, command: &str) -> String {
        let mut line = command
            .replace("127.0.0.1:50051", &self.grpc)
            .replace("127.0.0.1:8080", &self.http);
        for (large, small) in SMALLER {
            line = line.replace(large, small);
        }
        let id = line.split_whitespace().position(|word| word == "ID");
        if id.is_some() {
            line = line.replace(" ID", &format!(" {}", self.newest_model()));
        }
        line
    }

    fn serve(&mut self, line: &str) -> Result<(), String> {
        let line = format!("exec {}", line.trim_end_matches('&').trim());
        let log = self.folder.path().join("server.log");
        let mut command = self.command(&line);
        command
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(&log).unwrap());
        let mut server = command.spawn().unwrap();
        let start = Instant::now();
        while std::net::TcpStream::connect(&self.grpc).is_err() {
            if server.try_wait().unwrap().is_some() || start.elapsed() > Duration::from_secs(60) {
                let _ = server.kill();
                return Err(std::fs::read_to_string(log).unwrap());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        if let Some(mut before) = self.server.replace(server) {
            let _ = before.kill();
            let _ = before.wait();
        }
        Ok(())
    }

    /// Runs a command; 1 is an answer of lagom's too, namely no.
    fn run(&mut self, command: &str) -> Result<(), String> {
        let line = self.ready(command);
        if line.starts_with("lagom serve") {
            if let Some(mut before) = self.server.take() {
                let _ = before.kill();
                let _ = before.wait();
            }
            return self.serve(&line);
        }
        let done = self.command(&line).output().unwrap();
        let fine = match done.status.code() {
            Some(0) => true,
            Some(1) => line.starts_with("lagom "),
            _ => false,
        };
        if fine {
            return Ok(());
        }
        Err(format!(
            "{}\n{}{}",
            done.status,
            String::from_utf8_lossy(&done.stdout),
            String::from_utf8_lossy(&done.stderr)
        ))
    }
}

fn run_elsewhere(command: &str) -> bool {
    let Some((_, file, needle)) = ELSEWHERE
        .iter()
        .find(|(beginning, _, _)| command.starts_with(beginning))
    else {
        return false;
    };
    let text = std::fs::read_to_string(root().join(file)).unwrap();
    assert!(text.contains(needle), "{file} does not run `{command}`");
    true
}

fn run_document(document: &Path) -> (usize, Vec<String>) {
    let text = std::fs::read_to_string(root().join(document)).unwrap();
    let commands = told(&text);
    let mut failed = Vec::new();
    let mut desk = Desk::new();
    for Told { line, command } in &commands {
        if run_elsewhere(command) {
            continue;
        }
        if let Err(reason) = desk.run(command) {
            let place = format!("{}, line {line}", document.display());
            failed.push(format!("{place}: {command}\n{reason}"));
        }
    }
    (commands.len(), failed)
}

#[test]
fn every_command_runs() {
    let waiting = Mutex::new(documents());
    let next = || waiting.lock().unwrap().pop();
    let found = Mutex::new((0, Vec::new()));
    let work = || {
        while let Some(document) = next() {
            let (commands, faults) = run_document(&document);
            let mut found = found.lock().unwrap();
            found.0 += commands;
            found.1.extend(faults);
        }
    };
    // Each has a folder and ports of its own, so that they do not meet.
    let workers = std::thread::available_parallelism().map_or(1, NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(work);
        }
    });
    let (count, failed) = found.into_inner().unwrap();
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
    assert!(count > 10, "only {count} commands were found");
}
