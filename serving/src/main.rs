//! The executable `lagom`.

fn main() -> std::process::ExitCode {
    lagom_serving::cli::main()
}
