//! The documents tell the truth: every command in a fenced `sh` block of a Markdown file runs, every
//! configuration in a `toml` block is valid, and every link leads somewhere.
//!
//! The commands of a file run one after another in a folder of their own, in which the tree's
//! folders, and tables of the names that the documents use, are at hand. What is changed before they
//! run: addresses become free ports, `ID` the newest model version, and worlds get smaller. What is
//! run elsewhere is listed in [`commands::ELSEWHERE`], with the place where it is run.

#![allow(clippy::unwrap_used)]

#[path = "docs/columns.rs"]
mod columns;
#[path = "docs/commands.rs"]
mod commands;
#[path = "docs/links.rs"]
mod links;
#[path = "docs/tables.rs"]
mod tables;

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()
        .unwrap()
}

/// Every Markdown file of the tree, by its path from the root.
fn documents() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let hidden = name.starts_with('.') || name == "target" || name == "build";
            if path.is_dir() && !hidden {
                folders.push(path);
            } else if name.ends_with(".md") {
                found.push(path.strip_prefix(root()).unwrap().to_owned());
            }
        }
    }
    found.sort();
    assert!(found.contains(&PathBuf::from("README.md")));
    found
}

/// The fenced blocks of a text in a language, each with the line on which it begins.
fn blocks(text: &str, language: &str) -> Vec<(usize, String)> {
    let fence = format!("```{language}");
    let mut found = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (number, line) in (1..).zip(text.lines()) {
        match &mut open {
            None if line.trim() == fence => open = Some((number, String::new())),
            None => {}
            Some(_) if line.trim() == "```" => found.extend(open.take()),
            Some((_, block)) => {
                block.push_str(line);
                block.push('\n');
            }
        }
    }
    found
}
