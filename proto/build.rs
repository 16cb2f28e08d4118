//! Compiles `lagom.v1` in pure Rust, so that nobody needs `protoc` and nothing generated is kept.

use prost::Message;
use std::error::Error;
use std::path::PathBuf;

const FILES: [&str; 6] = [
    "lagom/v1/common.proto",
    "lagom/v1/event.proto",
    "lagom/v1/decision.proto",
    "lagom/v1/experiment.proto",
    "lagom/v1/model.proto",
    "lagom/v1/privacy.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=lagom");
    let descriptors = protox::compile(FILES, ["."])?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(
        out.join("lagom_descriptor.bin"),
        descriptors.encode_to_vec(),
    )?;
    tonic_prost_build::configure()
        .extern_path(".lagom.v1.BlockedAction", "crate::blocked::BlockedAction")
        .compile_fds(descriptors)?;
    Ok(())
}
