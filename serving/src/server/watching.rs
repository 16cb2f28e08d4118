//! What changes outside while the server runs: the registry's pointers, the configuration file.

use crate::config::{Config, ConfigError};
use crate::engine::Engine;
use crate::tenants::Tenants;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How often the registry is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Follows the registry, and rolls a canary back that harms, until `stop`. What cannot be read or
/// does not fit is reported once, and the last one decides on.
pub(super) async fn models(engine: Arc<Engine>, mut stop: watch::Receiver<bool>) {
    let mut refused: Option<String> = None;
    loop {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(LOOK) => {}
        }
        let followed = engine.follow().await;
        let reason = followed.err().map(|error| error.to_string());
        if let Some(error) = &reason
            && refused.as_ref() != Some(error)
        {
            engine.metrics().reload_error();
            tracing::error!(%error, "the registry is not followed; the last version decides on");
        }
        refused = reason;
    }
}

/// Takes up a configuration, whole or not at all.
pub(super) async fn reload(tenants: &Tenants, read: Result<Config, ConfigError>) {
    for engine in tenants.all() {
        let tenant = engine.tenant();
        let changed = match &read {
            Ok(config) => {
                let changed = engine.reconfigure(config.of_tenant(tenant)).await;
                changed.map_err(|error| error.to_string())
            }
            Err(error) => Err(error.to_string()),
        };
        match changed {
            Ok(()) => tracing::info!(%tenant, "the configuration is read anew"),
            Err(error) => {
                engine.metrics().reload_error();
                tracing::error!(
                    %tenant, %error, "the configuration is refused; the last one decides on"
                );
            }
        }
    }
}

/// SIGHUP, where there is such a thing.
pub(super) struct HangUp {
    #[cfg(unix)]
    signal: Option<tokio::signal::unix::Signal>,
}

impl HangUp {
    #[cfg(unix)]
    pub(super) fn new() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        Self {
            signal: signal(SignalKind::hangup()).ok(),
        }
    }

    #[cfg(not(unix))]
    pub(super) fn new() -> Self {
        Self {}
    }

    /// Returns when it was received once more.
    pub(super) async fn received(&mut self) {
        #[cfg(unix)]
        if let Some(signal) = &mut self.signal
            && signal.recv().await.is_some()
        {
            return;
        }
        std::future::pending::<()>().await;
    }
}
