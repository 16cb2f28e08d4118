//! `lagom bench features`: what features cost, offline beside other programs and online.

mod peers;
mod same;
mod single;
mod world;

use super::child::{self, Cost};
use crate::cli::answer::{Answer, Failure};
use crate::cli::output::Output;
use peers::Peer;
use same::Same;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::process::Command;
use world::World;

/// Twenty features that lagom and its peers all express.
const TWENTY: &str = include_str!("features/twenty.toml");

/// Times the feature matrix of a made-up data set, as whole processes from Parquet to Parquet:
/// twenty features beside the same in Python Polars and DuckDB (left out where Python or one of them
/// is missing), the built-in features at one and at ten times the events, one vector, and the
/// memory of a customer. Exits 1 where a peer's results or Spark's differ.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  lagom bench features
  lagom bench features --python venv/bin/python --customers 100000

The peers need Python with both: pip install polars duckdb")]
pub(crate) struct Args {
    /// Customers, and one more with a thousand times the events.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(100..=10_000_000))]
    customers: u32,
    /// Events a customer.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(10..=10_000))]
    events: u32,
    /// Decision points a customer.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=100))]
    points: u32,
    /// Python that has polars and duckdb.
    #[arg(long, value_name = "FILE", default_value = "python3")]
    python: PathBuf,
    /// Where to put the tables while it runs; the system's temporary folder if not named.
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,
    /// A PostgreSQL server (postgres://…), to time the same features by `lagom features --engine
    /// postgres`; or Spark Connect (sc://…), to time the built-in ones by `--engine spark` and to hold
    /// every cell against lagom's.
    #[arg(long, value_name = "URL")]
    remote: Option<String>,
}

#[derive(Debug, Serialize)]
struct Report {
    customers: u32,
    events: u64,
    points: u64,
    twenty: Cost,
    peers: Vec<Peer>,
    /// Why there are no peers.
    peers_skipped: Option<String>,
    /// CPU time of the fastest peer over lagom's.
    fastest_peer_over_lagom: Option<f64>,
    /// The same by PostgreSQL; CPU time and memory are those of lagom alone.
    postgres: Option<Cost>,
    /// Wall time of PostgreSQL over lagom's.
    postgres_over_lagom: Option<f64>,
    /// The built-in features by Spark; CPU time and memory are those of lagom alone.
    spark: Option<Cost>,
    /// Wall time of Spark over lagom's.
    spark_over_lagom: Option<f64>,
    /// Spark's cells beside lagom's.
    spark_cells: Option<Same>,
    built_in: Cost,
    built_in_of_a_tenth: Cost,
    /// CPU time of ten times the events over that of one.
    ten_times_the_events: f64,
    single: single::Single,
}

pub(crate) fn run(args: &Args, out: &mut Output) -> Result<Answer, Failure> {
    // Before anything else has used and freed memory, which would be used again unseen.
    let bytes = single::bytes_of_a_customer()?;
    let scratch = args.scratch.clone().unwrap_or_else(std::env::temp_dir);
    let scratch = tempfile::TempDir::with_prefix_in("lagom-bench-", scratch)?;
    let world = World {
        customers: args.customers,
        events: args.events,
        points: args.points,
        giant_events: args.events * 1_000,
    };
    let tenth = World {
        customers: args.customers / 10,
        giant_events: args.events * 100,
        ..world
    };
    let (large, small) = (scratch.path().join("large"), scratch.path().join("small"));
    world.write(&large)?;
    tenth.write(&small)?;
    let spec = scratch.path().join("twenty.toml");
    std::fs::write(&spec, TWENTY)?;

    let built_in_of_a_tenth = lagom(&small, None, "built-in.parquet", None)?;
    let built_in = lagom(&large, None, "built-in.parquet", None)?;
    let twenty = lagom(&large, Some(&spec), "twenty.parquet", None)?;
    let is_spark = |url: &&str| url.starts_with("sc://");
    let remote = args.remote.as_deref();
    let server = remote.filter(|url| !is_spark(url));
    let by_postgres = |url| {
        lagom(
            &large,
            Some(&spec),
            "postgres.parquet",
            Some(("postgres", url)),
        )
    };
    let postgres = server.map(by_postgres).transpose()?;
    let server = remote.filter(is_spark);
    let by_spark = |url| lagom(&large, None, "spark.parquet", Some(("spark", url)));
    let spark = server.map(by_spark).transpose()?;
    let file = |name: &str| large.join(name);
    let cells = |_: &Cost| Same::of(&file("built-in.parquet"), &file("spark.parquet"));
    let spark_cells = spark.as_ref().map(cells).transpose()?;
    let (peers, peers_skipped) = match peers::missing(&args.python) {
        None => (peers::run(&args.python, &large)?, None),
        Some(why) => (Vec::new(), Some(why)),
    };
    let fastest = peers.iter().map(|peer| peer.cost.cpu_seconds);
    let fastest = fastest.min_by(f64::total_cmp);
    let report = Report {
        customers: args.customers,
        events: world.total_events(),
        points: world.total_points(),
        fastest_peer_over_lagom: fastest.map(|seconds| seconds / twenty.cpu_seconds),
        postgres_over_lagom: postgres
            .as_ref()
            .map(|cost| cost.wall_seconds / twenty.wall_seconds),
        postgres,
        spark_over_lagom: spark
            .as_ref()
            .map(|cost| cost.wall_seconds / built_in.wall_seconds),
        spark,
        spark_cells,
        twenty,
        peers,
        peers_skipped,
        ten_times_the_events: built_in.cpu_seconds / built_in_of_a_tenth.cpu_seconds,
        built_in,
        built_in_of_a_tenth,
        single: single::measure(bytes)?,
    };
    out.report(&report, || text(&report))?;
    let equal = report.peers.iter().all(Peer::is_equal)
        && report.spark_cells.as_ref().is_none_or(Same::holds);
    Ok(if equal { Answer::Yes } else { Answer::No })
}

/// Runs this very executable.
fn lagom(
    data: &Path,
    spec: Option<&Path>,
    out: &str,
    engine: Option<(&str, &str)>,
) -> Result<Cost, Failure> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("features").arg("--data").arg(data);
    command.arg("--points").arg(data.join(world::POINTS));
    command.arg("--out").arg(data.join(out));
    if let Some(spec) = spec {
        command.arg("--spec").arg(spec);
    }
    if let Some((engine, url)) = engine {
        command.args(["--engine", engine, "--remote", url]);
    }
    Ok(child::run(command)?.0)
}

fn text(report: &Report) -> String {
    let mut text = format!(
        "{} customers and one with a thousand times the events, {} events, {} decision points\n\
         whole processes, Parquet to Parquet   CPU s   wall s   peak MiB\n{}",
        report.customers,
        report.events,
        report.points,
        line("lagom, twenty features", &report.twenty)
    );
    for peer in &report.peers {
        text += &line(&format!("{}, the same", peer.name), &peer.cost);
    }
    if let Some(cost) = &report.postgres {
        text += &line("PostgreSQL (CPU and peak of lagom)", cost);
    }
    text += &line("lagom, built-in features", &report.built_in);
    if let Some(cost) = &report.spark {
        text += &line("  by Spark (CPU and peak of lagom)", cost);
    }
    text += &line("  of a tenth of the events", &report.built_in_of_a_tenth);
    if let Some(why) = &report.peers_skipped {
        text += &format!("Polars and DuckDB skipped: {why}\n");
    }
    for peer in &report.peers {
        text += &format!("{}: {}\n", peer.name, peer.verdict());
    }
    if let Some(ratio) = report.fastest_peer_over_lagom {
        text += &format!("the faster peer takes {ratio:.1} times lagom's CPU time\n");
    }
    if let Some(ratio) = report.postgres_over_lagom {
        text += &format!("PostgreSQL takes {ratio:.0} times lagom's wall time\n");
    }
    if let (Some(ratio), Some(cells)) = (report.spark_over_lagom, &report.spark_cells) {
        text += &format!(
            "Spark takes {ratio:.0} times lagom's wall time; {}",
            cells.text()
        );
    }
    text += &format!(
        "ten times the events take {:.1} times the CPU time\n",
        report.ten_times_the_events
    );
    text + &report.single.text()
}

fn line(name: &str, cost: &Cost) -> String {
    let peak = cost
        .peak_mib
        .map_or_else(|| "-".to_owned(), |mib| format!("{mib:.0}"));
    format!(
        "{name:<36} {:>7.2} {:>8.2} {peak:>10}\n",
        cost.cpu_seconds, cost.wall_seconds
    )
}
