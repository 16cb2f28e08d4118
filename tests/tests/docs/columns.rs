//! Every data file beside the notebooks says where it comes from, on what terms, and what each of its
//! columns is.

use super::root;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Data files by their folder's `SOURCE.md`, which stands in the folder or above it.
fn data_files(folder: &Path, source: Option<&Path>, found: &mut Vec<(PathBuf, PathBuf)>) {
    let own = folder.join("SOURCE.md");
    let source = if own.exists() {
        Some(own.as_path())
    } else {
        source
    };
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let ends = [".csv", ".csv.gz", ".jsonl", ".parquet"];
        if path.is_dir() && !matches!(name.as_str(), "build" | "node_modules") {
            data_files(&path, source, found);
        } else if ends.iter().any(|end| name.ends_with(end)) {
            let source = source.unwrap_or_else(|| panic!("{} has no SOURCE.md", path.display()));
            found.push((path, source.to_owned()));
        }
    }
}

fn text(path: &Path) -> String {
    if path.extension().is_some_and(|end| end == "gz") {
        let unpacked = Command::new("gzip").arg("-dc").arg(path).output().unwrap();
        return String::from_utf8(unpacked.stdout).unwrap();
    }
    std::fs::read_to_string(path).unwrap()
}

/// Paths to what is no object and no list.
fn leaves(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let dot = if path.is_empty() { "" } else { "." };
                leaves(value, &format!("{path}{dot}{name}"), found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| leaves(item, path, found)),
        _ => drop(found.insert(path.to_owned())),
    }
}

fn columns(path: &Path) -> BTreeSet<String> {
    let text = text(path);
    let mut found = BTreeSet::new();
    if path.extension().is_some_and(|end| end == "jsonl") {
        for line in text.lines().filter(|line| !line.is_empty()) {
            leaves(&serde_json::from_str(line).unwrap(), "", &mut found);
        }
        // An object that is empty in one line and full in another is no column of its own.
        let all = found.clone();
        let above = |one: &String| {
            all.iter()
                .any(|other| other.starts_with(&format!("{one}.")))
        };
        found.retain(|one| !above(one));
    } else {
        let header = text.lines().next().unwrap();
        found.extend(
            header
                .split(',')
                .map(|name| name.trim_matches('"').to_owned()),
        );
    }
    found
}

/// The columns that a table of `source` explains: those below the file's name where that stands
/// alone on a line, else those of the whole text.
fn explained(source: &str, path: &Path) -> BTreeSet<String> {
    let (folder, file) = (path.parent().unwrap(), path.file_name().unwrap());
    let name = format!(
        "`{}/{}`",
        folder.file_name().unwrap().to_string_lossy(),
        file.to_string_lossy()
    );
    let own = source.lines().any(|line| line == name);
    let lines = source.lines().skip_while(|line| own && *line != name);
    let lines = lines.skip(usize::from(own));
    let lines = lines.take_while(|line| !own || !line.starts_with('`'));
    let rows = lines.filter_map(|line| line.strip_prefix("| `"));
    rows.filter(|row| row.matches('|').count() >= 3)
        .filter_map(|row| row.split('`').next().map(str::to_owned))
        .collect()
}

#[test]
fn every_data_file_has_source_terms_and_a_line_for_each_column() {
    let mut files = Vec::new();
    data_files(&root().join("notebooks-data"), None, &mut files);
    assert!(
        files.len() > 8,
        "only {} data files were found",
        files.len()
    );
    let mut missing = Vec::new();
    for (path, source) in files {
        let said = std::fs::read_to_string(&source).unwrap();
        let lower = said.to_lowercase();
        assert!(
            ["licence", "terms"].iter().any(|word| lower.contains(word)),
            "{} names no terms",
            source.display()
        );
        let explained = explained(&said, &path);
        for column in columns(&path).difference(&explained) {
            missing.push(format!("{}: {column}", path.display()));
        }
    }
    assert!(missing.is_empty(), "not explained:\n{}", missing.join("\n"));
}
