//! `lagom serve`: the service.

use super::answer::{Answer, Failure};
use super::output::Output;
use crate::config::Config;
use crate::registry;
use crate::server::Server;
use crate::telemetry::Telemetry;
use std::path::PathBuf;

/// Serves decisions over gRPC, and pages and metrics over HTTP, until it is told to stop.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lagom serve --config lagom.toml\n\
                        Everything has a default; LAGOM__SECTION__KEY overrides.")]
pub(crate) struct Args {
    /// Configuration; defaults if none is named.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, out: &mut Output) -> Result<Answer, Failure> {
    let config = Config::load(args.config.as_deref())?;
    let model = registry::current(&config.models)?;
    let open = config.tls.is_none() && config.tokens.is_empty();
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let telemetry = Telemetry::start(config.traces.as_ref())?;
        let running = Server::start(config, model).await?;
        out.line(format_args!("gRPC on {}", running.grpc_addr));
        if let Some(http) = running.http_addr {
            out.line(format_args!("pages on http://{http}"));
        }
        if open {
            out.next(format_args!(
                "grpcurl -plaintext {} list",
                running.grpc_addr
            ));
        }
        running
            .until_signal(|| Config::load(args.config.as_deref()))
            .await;
        telemetry.end();
        Ok(Answer::Yes)
    })
}
