//! A proxy between a server and its database, which can be told to cut connections or to fall
//! silent.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A proxy; its threads end with the connections.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    shared: Arc<State>,
}

#[derive(Debug)]
struct State {
    to: u16,
    /// Bytes that a connection may send to the database before it is cut; none are cut if 0.
    after: AtomicU64,
    silent: AtomicBool,
    cuts: AtomicU64,
    open: Mutex<Vec<TcpStream>>,
}

impl Proxy {
    /// In front of the database on port `to`.
    ///
    /// # Panics
    /// Where it cannot listen.
    #[must_use]
    pub fn start(to: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(State {
            to,
            after: AtomicU64::new(0),
            silent: AtomicBool::new(false),
            cuts: AtomicU64::new(0),
            open: Mutex::default(),
        });
        let state = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                state.connect(stream);
            }
        });
        Self { port, shared }
    }

    /// Where it listens.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Cuts every connection after about `bytes` towards the database, wherever in a transaction that
    /// is; 0 to let them live.
    pub fn cut_after(&self, bytes: u64) {
        self.shared.after.store(bytes, Ordering::Relaxed);
    }

    /// How many connections have been cut.
    #[must_use]
    pub fn cuts(&self) -> u64 {
        self.shared.cuts.load(Ordering::Relaxed)
    }

    /// Passes nothing on while `silent`, and keeps connections open.
    pub fn silence(&self, silent: bool) {
        self.shared.silent.store(silent, Ordering::Relaxed);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        for stream in self.shared.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl State {
    fn connect(self: &Arc<Self>, client: TcpStream) {
        let address = SocketAddr::from(([127, 0, 0, 1], self.to));
        let Ok(server) = TcpStream::connect(address) else {
            return;
        };
        let (Ok(up), Ok(down)) = (client.try_clone(), server.try_clone()) else {
            return;
        };
        for stream in [&client, &server] {
            let _ = stream.set_nodelay(true);
            self.open.lock().unwrap().extend(stream.try_clone());
        }
        let (to, from) = (Arc::clone(self), Arc::clone(self));
        std::thread::spawn(move || to.pass(up, server, true));
        std::thread::spawn(move || from.pass(down, client, false));
    }

    fn pass(&self, mut from: TcpStream, mut to: TcpStream, counted: bool) {
        let mut bytes = [0; 4_096];
        let mut sent = 0;
        while let Ok(read) = from.read(&mut bytes) {
            while self.silent.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(5));
            }
            let after = self.after.load(Ordering::Relaxed);
            sent += read as u64;
            if counted && after > 0 && sent > after {
                // What came last goes half its way.
                let _ = to.write_all(&bytes[..read / 2]);
                self.cuts.fetch_add(1, Ordering::Relaxed);
                break;
            }
            if read == 0 || to.write_all(&bytes[..read]).is_err() {
                break;
            }
        }
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    }
}
