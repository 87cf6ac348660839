//! Known answers, as their tables hold them.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::tests_folder;

/// One row: what goes in, and what is to come out.
#[derive(Deserialize)]
pub struct Vector<E> {
    pub name: String,
    pub scheme: String,
    pub inputs: Value,
    pub expected: E,
}

impl<E> Vector<E> {
    pub fn input(&self, key: &str) -> &str {
        let value = self.inputs[key].as_str();
        value.unwrap_or_else(|| panic!("{}: no {key}", self.name))
    }
}

/// All rows of a table.
pub fn vectors<E: DeserializeOwned>(file: &str, at_least: usize) -> Vec<Vector<E>> {
    let path = tests_folder().join("vectors").join(file);
    let table: Vec<_> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert!(table.len() >= at_least, "the table is thinner than it was");
    table
}
