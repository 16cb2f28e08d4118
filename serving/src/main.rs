//! The executable `lagom`.

/// A decision's answer and record are made of some thousand small pieces.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    lagom_serving::cli::main()
}
