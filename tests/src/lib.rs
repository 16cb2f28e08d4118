//! How we know: a `lagom` process on free ports with a folder of its own, and clients to it.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

pub mod company;
pub mod postgres;
pub mod proxy;

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use tonic::transport::{Channel, Endpoint};

/// The executable under test, built once with the profile of the tests.
///
/// # Panics
/// Where it cannot be built.
#[must_use]
pub fn lagom() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let test = std::env::current_exe().unwrap();
        let profile = test.parent().unwrap().parent().unwrap();
        let mut build = Command::new(env!("CARGO"));
        build
            .args(["build", "--release", "--bin", "lagom", "--target-dir"])
            .arg(profile.parent().unwrap())
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
        // What cargo tells this test of its own package is no news for the build of another: build scripts
        // that ask for it (ring's does) would run again, and with them half of the dependencies.
        let of_this_package = |name: &String| {
            name == "OUT_DIR"
                || [
                    "CARGO_PKG_",
                    "CARGO_MANIFEST_",
                    "CARGO_CRATE_",
                    "CARGO_BIN_",
                ]
                .iter()
                .any(|start| name.starts_with(start))
        };
        for (name, _) in std::env::vars().filter(|(name, _)| of_this_package(name)) {
            build.env_remove(name);
        }
        let built = build.status().unwrap();
        assert!(built.success(), "lagom does not build");
        profile.join("lagom")
    })
}

/// The section that names a store.
#[must_use]
pub fn on(url: &str) -> String {
    format!("[store]\nurl = \"{url}\"\n")
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// A server process. Dropped, it is killed.
#[derive(Debug)]
pub struct Server {
    process: Child,
    grpc: SocketAddr,
    http: SocketAddr,
}

impl Server {
    /// Starts `lagom serve` with its store in `folder`, unless `more`, which is added to the
    /// configuration, names another, and waits until it is ready.
    ///
    /// # Panics
    /// Where it is not ready within a minute.
    #[must_use]
    pub fn start(folder: &Path, more: &str) -> Self {
        Self::start_by(folder, more, Command::new(lagom()))
    }

    /// The same, by `command`.
    ///
    /// # Panics
    /// As [`Self::start`].
    #[must_use]
    pub fn start_by(folder: &Path, more: &str, command: Command) -> Self {
        let mut server = Self::spawn(folder, more, command);
        server.wait_until_ready(folder);
        server
    }

    /// The same, with files that can grow to `kibibytes` and no further, as on a disk that is full.
    ///
    /// # Panics
    /// Where it is not ready within a minute.
    #[must_use]
    pub fn start_with_little_disk(folder: &Path, more: &str, kibibytes: u32) -> Self {
        let mut shell = Command::new("bash");
        // Only the soft limit, so that it can be lifted; the signal would end the process.
        let script = format!("trap '' XFSZ; ulimit -S -f {kibibytes}; exec \"$0\" \"$@\"");
        shell.arg("-c").arg(script).arg(lagom());
        Self::start_by(folder, more, shell)
    }

    /// Starts the process, by `command` if it is not the executable itself, and does not wait.
    ///
    /// # Panics
    /// Where it cannot be started.
    #[must_use]
    pub fn spawn(folder: &Path, more: &str, mut command: Command) -> Self {
        let (grpc, http) = (free_port(), free_port());
        let config = folder.join("lagom.toml");
        let store = match more.contains("[store]") {
            true => String::new(),
            false => on(&format!("file:{}", folder.join("store.db").display())),
        };
        let text = format!(
            "[server]\ngrpc = \"127.0.0.1:{grpc}\"\nhttp = \"127.0.0.1:{http}\"\n\
             {store}[models]\ndir = \"{}\"\n{more}",
            folder.join("models").display(),
        );
        std::fs::write(&config, text).unwrap();
        let process = command
            .args(["serve", "--config"])
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(folder.join("server.log")).unwrap())
            .spawn()
            .unwrap();
        Self {
            process,
            grpc: SocketAddr::from(([127, 0, 0, 1], grpc)),
            http: SocketAddr::from(([127, 0, 0, 1], http)),
        }
    }

    fn wait_until_ready(&mut self, folder: &Path) {
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(60) {
            if let Some(status) = self.process.try_wait().unwrap() {
                let log = std::fs::read_to_string(folder.join("server.log")).unwrap();
                panic!("the server ended with {status}: {log}");
            }
            if self
                .get("/readyz")
                .is_some_and(|answer| answer.starts_with("HTTP/1.1 200"))
            {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("the server is not ready after a minute");
    }

    /// The whole answer to a GET, if there is one.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<String> {
        use std::io::{Read, Write};
        let mut stream = std::net::TcpStream::connect(self.http).ok()?;
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .ok()?;
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }

    /// A connection for gRPC clients.
    ///
    /// # Panics
    /// Where there is none to be had.
    pub async fn channel(&self) -> Channel {
        let endpoint = Endpoint::from_shared(format!("http://{}", self.grpc)).unwrap();
        endpoint.connect().await.unwrap()
    }

    /// Ends the process without a warning, as a power cut would.
    ///
    /// # Panics
    /// Where the process cannot be killed.
    pub fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// The process id, to send it a signal.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Waits for the process to end by itself and tells whether it ended well.
    ///
    /// # Panics
    /// Where it is still there after half a minute.
    #[must_use]
    pub fn ended_well(mut self) -> bool {
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(30) {
            if let Some(status) = self.process.try_wait().unwrap() {
                return status.success();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("the server does not end");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
