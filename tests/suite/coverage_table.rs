//! The README's table of built-in schemes is made from their files.

use std::fs;
use std::path::Path;

use serde_yaml::Value;

use crate::cli::kawal;

#[test]
fn the_readme_says_what_every_built_in_scheme_covers() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md"));
    let table = table();
    assert!(table.lines().count() > 18, "{table}");
    assert!(
        readme.unwrap().contains(&table),
        "the README has to hold this table:\n\n{table}"
    );
}

fn table() -> String {
    let listed = kawal(&["schemes"]).stdout;
    let rows = listed.lines().skip(1).map(|line| row(&columns(line)));
    let head =
        "| scheme | proof | covers | the same notification | confidence |\n|---|---|---|---|---|\n";
    head.to_owned() + &rows.collect::<String>()
}

fn row(columns: &[&str]) -> String {
    let [name, kind, covers, confidence, title] = columns[..] else {
        panic!("{columns:?}");
    };
    let file: Value = serde_yaml::from_str(&kawal(&["schemes", name]).stdout).unwrap();
    let at = file["proof"]["at"].as_str().unwrap();
    let each = match file["proof"]["each"].is_null() {
        true => "",
        false => ", one for each item",
    };
    let same = match (&file["identity"], covers) {
        (Value::String(identity), _) => format!(
            "`{}`",
            identity
                .replace("NotificationRequestItem/", "")
                .replace('|', "\\|")
        ),
        (_, "body") => "body".to_owned(),
        _ => "method, path, query, body".to_owned(),
    };
    let covers = covers
        .strip_prefix("fields:")
        .unwrap_or(covers)
        .replace(',', ", ");
    let at = at.replace("NotificationRequestItem/", "");
    let sources = file["source"].as_sequence().unwrap().iter().zip(1..);
    let sources: Vec<_> = sources
        .map(|(source, number)| format!("[{number}]({})", source.as_str().unwrap()))
        .collect();
    assert!(!sources.is_empty(), "{name} has no source");
    format!(
        "| `{name}`: {title} | {kind} in `{at}`{each} | {covers} | {same} | {confidence} {} |\n",
        sources.join(" ")
    )
}

/// Columns are two blanks apart at least.
fn columns(line: &str) -> Vec<&str> {
    let cells = line.split("  ").map(str::trim);
    cells.filter(|cell| !cell.is_empty()).collect()
}
