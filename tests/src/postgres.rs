//! A private PostgreSQL server in a folder of its own, on a free port, gone when it is dropped.

use std::fs::Permissions;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Set where a missing PostgreSQL is a failure and not a reason to skip.
const REQUIRED: &str = "LAGOM_NEEDS_POSTGRES";

/// A server.
#[derive(Debug)]
pub struct Postgres {
    folder: TempDir,
    programs: PathBuf,
    port: u16,
    /// Further settings.
    settings: Vec<String>,
    process: Option<Child>,
}

impl Postgres {
    /// Starts one, or says that the test is skipped where PostgreSQL is not installed.
    ///
    /// # Panics
    /// Where it is installed and does not start, or is required and not installed.
    #[must_use]
    #[allow(clippy::print_stdout, reason = "a skipped test says so")]
    pub fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            assert!(
                std::env::var_os(REQUIRED).is_none(),
                "no PostgreSQL, and {REQUIRED} is set"
            );
            println!("skipped: no PostgreSQL");
            return None;
        };
        let folder = TempDir::new().unwrap();
        let data = folder.path().join("data");
        if is_root() {
            let owned = Command::new("chown")
                .arg("postgres")
                .arg(folder.path())
                .status();
            assert!(owned.unwrap().success(), "no user `postgres` to run it as");
        }
        let made = unprivileged(&programs.join("initdb"))
            .args(["--username=lagom", "--auth=trust", "--no-sync"])
            .args(["--encoding=UTF8", "--locale=C", "-D"])
            .arg(&data)
            .stdout(Stdio::null())
            .status();
        assert!(made.unwrap().success(), "initdb failed");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let mut server = Self {
            folder,
            programs,
            port,
            settings: Vec::new(),
            process: None,
        };
        server.run();
        Some(server)
    }

    /// The same, with this certificate and its key, and nobody let in without TLS.
    ///
    /// # Panics
    /// As [`Self::start`].
    #[must_use]
    pub fn start_with_tls(certificate: &str, key: &str) -> Option<Self> {
        let mut server = Self::start()?;
        server.stop();
        let folder = server.folder.path().join("data");
        let files = [
            ("server.crt", certificate),
            ("server.key", key),
            ("pg_hba.conf", "hostssl all all 127.0.0.1/32 trust\n"),
        ];
        for (name, text) in files {
            let path = folder.join(name);
            std::fs::write(&path, text).unwrap();
            // A key that others could read is refused.
            std::fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
            if is_root() {
                let owned = Command::new("chown").arg("postgres").arg(&path).status();
                assert!(owned.unwrap().success());
            }
        }
        server.settings.push("ssl=on".to_owned());
        server.run();
        Some(server)
    }

    /// Starts it again after [`Self::stop`].
    ///
    /// # Panics
    /// Where it is not ready within half a minute.
    pub fn run(&mut self) {
        let mut log = std::fs::File::options();
        let log = log.create(true).append(true);
        let log = log.open(self.folder.path().join("server.log")).unwrap();
        // The machine does not crash in a test, so nothing is gained by waiting for its disk.
        let started = unprivileged(&self.programs.join("postgres"))
            .arg("-D")
            .arg(self.folder.path().join("data"))
            .args(["-p", &self.port.to_string(), "-h", "127.0.0.1", "-k", ""])
            .args(["-c", "fsync=off", "-c", "shared_buffers=32MB"])
            .args(self.settings.iter().flat_map(|setting| ["-c", setting]))
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        self.process = Some(started.unwrap());
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(30) {
            let ready = Command::new(self.programs.join("pg_isready"))
                .args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()])
                .status();
            if ready.unwrap().success() {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let log = std::fs::read_to_string(self.folder.path().join("server.log")).unwrap();
        panic!("PostgreSQL does not start: {log}");
    }

    /// Ends it at once, as a crash of the database would.
    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let pid = process.id().to_string();
            // Immediate shutdown: sessions are cut off, and what was committed is recovered.
            let _ = Command::new("kill").args(["-QUIT", &pid]).status();
            let _ = process.wait();
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address of a database, by default `postgres`, as `[store] url` takes it.
    #[must_use]
    pub fn url(&self) -> String {
        url(self.port)
    }

    /// Runs SQL as a person would.
    ///
    /// # Panics
    /// Where it is refused.
    #[must_use]
    pub fn sql(&self, sql: &str) -> String {
        let ran = Command::new(self.programs.join("psql"))
            .args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-d", &self.url()])
            .args(["-c", sql])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success(), "{sql}: {said}");
        String::from_utf8(ran.stdout).unwrap().trim().to_owned()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The address of the database that a server or a proxy on `port` gives.
#[must_use]
pub fn url(port: u16) -> String {
    format!("postgres://lagom@127.0.0.1:{port}/postgres?sslmode=disable")
}

/// The folder of the server's programs.
fn programs() -> Option<PathBuf> {
    let debian = std::fs::read_dir("/usr/lib/postgresql").ok();
    let mut folders: Vec<PathBuf> = debian
        .into_iter()
        .flatten()
        .filter_map(|version| Some(version.ok()?.path().join("bin")))
        .collect();
    folders.sort();
    folders.reverse();
    let path = std::env::var_os("PATH").unwrap_or_default();
    folders.extend(std::env::split_paths(&path));
    let all = ["initdb", "postgres", "psql", "pg_isready"];
    folders
        .into_iter()
        .find(|folder| all.iter().all(|program| folder.join(program).is_file()))
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|id| id.stdout == b"0\n")
}

/// PostgreSQL refuses to run as root. It ends with whoever started it.
fn unprivileged(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    if is_root() {
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]);
    }
    command.arg("--pdeathsig=QUIT").arg(program);
    command.current_dir("/");
    command
}
