//! Features on a data set: their values, the matrix as a file.

use super::{compare, engine, spark};
use crate::cli::answer::{Answer, Failure};
use crate::cli::output::Output;
use crate::cli::terminal::progress;
use lagom_features::domain::Timestamp;
use lagom_features::spec::FeatureSpec;
use lagom_features::sql::Dialect;
use lagom_training::matrix::{
    MatrixOptions, MatrixReport, Range, expressible, matrix, matrix_by, read_questions,
};
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder of canonical tables to compute the features on.
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
    /// Write one row a decision point here, as Parquet; unknown is null.
    #[arg(long, value_name = "FILE", requires = "data", conflicts_with_all = ["check", "drift"])]
    out: Option<PathBuf>,
    /// Only these decision points: a table of customer_id, invoice_id and at.
    #[arg(long, value_name = "FILE", requires = "data", conflicts_with_all = ["check", "drift"])]
    points: Option<PathBuf>,
    /// Compare the vectors of logged decisions with recomputed ones; 1 on any difference.
    #[arg(long, requires = "data", conflicts_with = "drift")]
    check: bool,
    /// Compare the decision points before this instant with those from it on; 1 if any moved.
    #[arg(long, value_name = "T", requires = "data", value_parser = crate::cli::parse_time)]
    drift: Option<Timestamp>,
    /// Nothing recorded from this instant on is read.
    #[arg(long, value_name = "T", requires = "data", value_parser = crate::cli::parse_time)]
    as_of: Option<Timestamp>,
    /// Days after the due date at which there are decision points.
    #[arg(long, value_delimiter = ',', default_values_t = [3, 7, 14, 21, 28, 45, 60])]
    after_days: Vec<u16>,
    /// Days within which an invoice counts as paid.
    #[arg(long, default_value_t = 30)]
    paid_days: u16,
    /// Days within which a customer counts as having left.
    #[arg(long, default_value_t = 90)]
    left_days: u16,
    /// About how many events to hold in memory; larger data is read in parts. Ten million if not
    /// given (some 60 bytes each), two million with --check, which holds the decisions as well.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    events_at_once: Option<u64>,
    /// What computes the features.
    #[arg(long, value_enum, default_value_t = engine::Kind::Lagom, requires = "data", conflicts_with_all = ["check", "drift"])]
    engine: engine::Kind,
    /// The server of --engine postgres (postgres://USER@HOST/DATABASE; the tables go to temporary
    /// tables there) or of --engine spark (sc://HOST:15002; more after /; such as token=TOKEN,
    /// use_ssl=true, user_id=NAME).
    #[arg(long, value_name = "URL", requires = "data")]
    remote: Option<String>,
    /// A folder through which tables and answers go with --engine spark: its driver and workers must
    /// see it under the same path. The folder of --out if not given. Addresses of object stores are
    /// not taken.
    #[arg(long, value_name = "DIR", requires = "data")]
    stage: Option<PathBuf>,
}

pub(super) fn run(
    args: &Args,
    data: &Path,
    spec: &FeatureSpec,
    out: &mut Output,
) -> Result<Answer, Failure> {
    let usual = match args.engine {
        engine::Kind::Postgres | engine::Kind::Spark => 1_000_000,
        _ if args.check => 2_000_000,
        _ => 10_000_000,
    };
    let events = args.events_at_once.unwrap_or(usual);
    if args.check {
        return compare::check(data, spec, events, out);
    }
    if let Some(at) = args.drift {
        return compare::drift(data, spec, (&args.after_days, at), events, out);
    }
    let afar = [engine::Kind::Postgres, engine::Kind::Spark].contains(&args.engine);
    if args.remote.is_some() && !afar {
        return Err(
            "--remote is of --engine postgres and --engine spark; name one of them with it, \
                    or leave it out"
                .into(),
        );
    }
    if args.stage.is_some() && args.engine != engine::Kind::Spark {
        return Err("--stage is of --engine spark; name both, or leave it out".into());
    }
    if args.engine != engine::Kind::Lagom {
        lagom_features::sql::check(spec)?;
    }
    if args.engine == engine::Kind::DuckdbSql {
        let (points, file) = (args.points.as_deref(), args.out.as_deref());
        return engine::duckdb(data, points, file, spec, out);
    }
    let questions = args.points.as_deref().map(read_questions).transpose()?;
    let options = MatrixOptions {
        spec,
        as_of: args.as_of,
        after_days: args.after_days.clone(),
        label_days: (args.paid_days, args.left_days),
        questions: questions.as_ref(),
        events_at_once: events,
    };
    let bar = progress(0, "parts");
    let told = |done: usize, parts: usize| {
        bar.set_length(parts as u64);
        bar.set_position(done as u64);
    };
    let file = args.out.as_deref();
    let report = match args.engine {
        engine::Kind::Postgres => {
            let mut server = engine::Postgres::connect(args.remote.as_deref())?;
            matrix_by(&mut server, data, file, &options, told)?
        }
        engine::Kind::Spark => {
            expressible(spec, Dialect::Spark)?;
            let stage = args.stage.clone().unwrap_or_else(|| beside(file));
            let mut server = spark::Spark::connect(args.remote.as_deref(), &stage)?;
            matrix_by(&mut server, data, file, &options, told)?
        }
        _ => matrix(data, file, &options, told)?,
    };
    bar.finish_and_clear();
    out.report(&report, || text(&report, spec))?;
    match &args.out {
        Some(path) => out.next(format_args!(
            "python -c \"import polars; print(polars.read_parquet('{}'))\"",
            path.display()
        )),
        None => out.next(format_args!(
            "lagom features --data {} --out features.parquet",
            data.display()
        )),
    }
    Ok(Answer::Yes)
}

/// The folder of a file that is to be written, or else of temporary files.
fn beside(file: Option<&Path>) -> PathBuf {
    match file.and_then(Path::parent) {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        Some(_) => PathBuf::from("."),
        None => std::env::temp_dir(),
    }
}

fn text(report: &MatrixReport, spec: &FeatureSpec) -> String {
    let mut text = format!(
        "{} decision points of {} customers, {} columns, fingerprint {}\n",
        report.rows,
        report.customers,
        report.ranges.len(),
        report.feature_fingerprint
    );
    if report.unanswered > 0 {
        text += &format!(
            "{} points left out: their invoice was not known then\n",
            report.unanswered
        );
    }
    text += "\n                         known    least     mean     most\n";
    let columns = spec.features().iter().flat_map(|feature| {
        let columns = feature.columns.iter();
        columns.map(move |column| (column, feature))
    });
    for (range, (column, feature)) in report.ranges.iter().zip(columns) {
        text += &format!("{column:<24} {}  {}\n", numbers(range), feature.description);
    }
    text
}

fn numbers(range: &Range) -> String {
    let rows = (range.known + range.unknown).max(1);
    let known = 100.0 * range.known as f64 / rows as f64;
    let number = |value: Option<f64>| match value {
        Some(value) => format!("{value:>8.2}"),
        None => format!("{:>8}", "-"),
    };
    format!(
        "{known:>3.0} % {} {} {}",
        number(range.least),
        number(range.mean),
        number(range.most)
    )
}
