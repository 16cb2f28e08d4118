//! Tenants share a process and nothing else: each has its own log, histories, learning state,
//! models and metrics.

use crate::config::Config;
use crate::engine::Engine;
use lagom_features::domain::TenantId;
use std::collections::BTreeMap;
use std::sync::Arc;
use tonic::Status;

/// The engine of each tenant.
#[derive(Debug)]
pub struct Tenants(BTreeMap<TenantId, Arc<Engine>>);

impl Tenants {
    pub(crate) fn new(engines: impl IntoIterator<Item = Arc<Engine>>) -> Self {
        let keyed = engines
            .into_iter()
            .map(|engine| (engine.tenant().clone(), engine));
        Self(keyed.collect())
    }

    /// The engine of whom a call belongs to: the door has written that down, by the token.
    pub(crate) fn of<T>(&self, request: &tonic::Request<T>) -> Result<Arc<Engine>, Status> {
        let default = TenantId::default();
        let tenant = request.extensions().get().unwrap_or(&default);
        let engine = self.0.get(tenant).cloned();
        engine.ok_or_else(|| Status::permission_denied(format!("tenant `{tenant}` is not served")))
    }

    /// The engine of the tenant `default`, or of the first where no token names that one.
    #[must_use]
    pub fn main(&self) -> &Arc<Engine> {
        let default = self.0.get(&TenantId::default());
        default
            .or_else(|| self.0.values().next())
            .expect("a server serves one tenant at least")
    }

    /// All of them, by the name of the tenant.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Engine>> {
        self.0.values()
    }
}

impl Config {
    /// The same for another tenant: with a log of its own, and `models` becomes
    /// `models/tenants/TENANT`.
    #[must_use]
    pub fn of_tenant(&self, tenant: &TenantId) -> Self {
        let mut config = self.clone();
        if *tenant != self.tenant {
            config.store = self.store.of_tenant(tenant);
            config.models = self.models.join("tenants").join(tenant.as_str());
            config.tenant = tenant.clone();
        }
        config
    }

    /// Every tenant that a token names, and `default` where none does.
    #[must_use]
    pub fn tenants(&self) -> Vec<TenantId> {
        let mut tenants: Vec<TenantId> = self.tokens.iter().map(|one| one.tenant.clone()).collect();
        if tenants.is_empty() {
            tenants.push(self.tenant.clone());
        }
        tenants.sort_unstable();
        tenants.dedup();
        tenants
    }
}
