//! How a server ends: callers are sent elsewhere first, what is under way ends, and then it closes.

use super::pages::Door;
use super::{Running, SERVICES, set_health, watching};
use crate::config::{Config, ConfigError};
use std::sync::Arc;
use std::time::Duration;
use tonic_health::ServingStatus;

/// How long calls that are under way may take to end.
const UNDER_WAY: Duration = Duration::from_secs(10);

/// Who asks a process to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// A person at a terminal, who does not want to wait.
    Interrupt,
    /// Whatever runs it.
    Terminate,
}

impl Running {
    /// Serves until the process is asked to end, then shuts down; by SIGTERM, it answers on for
    /// `[server] drain_seconds` while health sends callers elsewhere, until it is asked again. Asked by
    /// SIGHUP, it takes up what `load` reads, or keeps what it has.
    pub async fn until_signal(self, load: impl Fn() -> Result<Config, ConfigError>) {
        let mut hang_up = watching::HangUp::new();
        let mut ending = std::pin::pin!(asked_to_end());
        let asked = loop {
            tokio::select! {
                asked = &mut ending => break asked,
                () = hang_up.received() => watching::reload(&self.tenants, load()).await,
            }
        };
        if asked == Asked::Terminate && !self.drain.is_zero() {
            tracing::info!(seconds = self.drain.as_secs(), "callers are sent elsewhere");
            self.leave().await;
            // Whoever asks again does not want to wait.
            let _ = tokio::time::timeout(self.drain, asked_to_end()).await;
        }
        tracing::info!("draining");
        self.shutdown().await;
    }

    /// Has health say that callers should go elsewhere; who comes nevertheless is answered.
    async fn leave(&self) {
        set_health(&self.health, ServingStatus::NotServing).await;
        self.open
            .send_replace(Door::Leaving(Arc::clone(&self.tenants)));
    }

    /// Refuses new calls, lets those under way end, stops learning, closes the store.
    pub async fn shutdown(mut self) {
        set_health(&self.health, ServingStatus::NotServing).await;
        // Who watches health would otherwise be waited for.
        for service in SERVICES {
            self.health.clear_service_status(service).await;
        }
        self.open.send_replace(Door::Shut);
        self.stop.send_replace(true);
        for server in self.servers.drain(..) {
            let mut server = server;
            if tokio::time::timeout(UNDER_WAY, &mut server).await.is_err() {
                tracing::warn!("calls did not end in time and are cut off");
                server.abort();
            }
        }
        for learner in self.learners.drain(..) {
            // A panic of the learner has been reported when it happened.
            let _ = tokio::task::spawn_blocking(move || learner.join()).await;
        }
    }
}

/// Waits for SIGTERM or Ctrl-C.
async fn asked_to_end() -> Asked {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            return tokio::select! {
                _ = interrupt => Asked::Interrupt,
                _ = terminate.recv() => Asked::Terminate,
            };
        }
    }
    let _ = interrupt.await;
    Asked::Interrupt
}
