//! What changes outside while the server runs: the registry's pointers, the configuration file.

use crate::config::{Config, ConfigError};
use crate::engine::Engine;
use crate::registry;
use crate::tenants::Tenants;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How often the registry is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Takes up the version that the registry points at whenever that is another one, until `stop`.
/// What cannot be read or does not fit is reported once, and the last one decides on.
pub(super) async fn models(engine: Arc<Engine>, mut stop: watch::Receiver<bool>) {
    let mut refused: Option<String> = None;
    loop {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(LOOK) => {}
        }
        let looking = Arc::clone(&engine);
        let looked = tokio::task::spawn_blocking(move || take_up(&looking)).await;
        let reason = match looked {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error),
            Err(panicked) => Some(panicked.to_string()),
        };
        if let Some(error) = &reason
            && refused.as_ref() != Some(error)
        {
            engine.metrics().reload_error();
            tracing::error!(%error, "the registry's model is not taken up; the last one decides on");
        }
        refused = reason;
    }
}

fn take_up(engine: &Engine) -> Result<(), String> {
    let dir = engine.config().models.clone();
    let wanted = registry::pointers(&dir).map_err(|error| error.to_string())?;
    if wanted.current.is_none() || wanted.current.as_deref() == engine.snapshot().model_id() {
        return Ok(());
    }
    let model = registry::current(&dir).map_err(|error| error.to_string())?;
    engine
        .adopt(model.as_ref())
        .map_err(|error| error.to_string())?;
    tracing::info!(model = wanted.current, "another model decides");
    Ok(())
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
