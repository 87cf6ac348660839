//! What a query asks for: enough of PromQL to find the names in it.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

/// The names in a query.
#[derive(Debug)]
pub struct Query {
    pub selectors: Vec<Selector>,
    /// What it groups or joins by.
    pub labels: BTreeSet<String>,
}

/// A metric, and the values that its labels shall have.
#[derive(Debug)]
pub struct Selector {
    pub metric: String,
    pub matchers: Vec<(String, String)>,
}

static SELECTOR: LazyLock<Regex> = LazyLock::new(|| pattern(r"([a-zA-Z_:][\w:]*)\s*\{([^}]*)\}"));
static MATCHER: LazyLock<Regex> =
    LazyLock::new(|| pattern(r#"(\w+)\s*(?:=~|!~|!=|=)\s*"([^"]*)""#));
static GROUPING: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)"));
static RANGE: LazyLock<Regex> = LazyLock::new(|| pattern(r"\[[^\]]*\]"));
static NAME: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b[a-zA-Z_:][\w:]*\b\s*\(?"));

/// What stands between operands.
const WORDS: [&str; 5] = ["and", "or", "unless", "offset", "bool"];

impl Query {
    pub fn read(text: &str) -> Self {
        let mut selectors: Vec<_> = SELECTOR
            .captures_iter(text)
            .map(|found| Selector {
                metric: found[1].to_owned(),
                matchers: MATCHER
                    .captures_iter(&found[2])
                    .map(|matcher| (matcher[1].to_owned(), matcher[2].to_owned()))
                    .collect(),
            })
            .collect();
        let rest = RANGE.replace_all(text, " ");
        let rest = SELECTOR.replace_all(&rest, " ");
        let labels = GROUPING
            .captures_iter(&rest)
            .flat_map(|found| names(&found[1]))
            .collect();
        let rest = GROUPING.replace_all(&rest, " ");
        // What is left are functions, words of the language, and metrics without labels.
        let bare = NAME.find_iter(&rest).map(|found| found.as_str().trim());
        let bare = bare.filter(|name| !name.ends_with('(') && !WORDS.contains(name));
        selectors.extend(bare.map(|name| Selector {
            metric: name.to_owned(),
            matchers: Vec::new(),
        }));
        Self { selectors, labels }
    }
}

fn names(list: &str) -> Vec<String> {
    let names = list.split(',').map(str::trim);
    names
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

fn pattern(text: &str) -> Regex {
    Regex::new(text).unwrap()
}
