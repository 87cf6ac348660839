//! What is typed behind the program's name.

use std::path::PathBuf;

use crate::Fallible;

pub(crate) const HELP: &str = "\
bench-peers [compare|growth|draw] [OPTION]...

  compare   measures all contestants in turn, prints the tables and stores them
  growth    measures what grows with what; of the options --rounds, --only, --binary and --out
  draw      writes tables and charts anew from the stored figures

  --rounds N                   how often each contestant is measured (5)
  --notifications N            how many each is sent in a round (50000)
  --sizes BYTES,..             sizes of bodies (90,1024,65536)
  --only NAME,..               of the contestants only these; --only help names them
  --binary [LABEL=]PATH        a Kawal; several are compared with each other (target/release/kawal)
  --connections N              of wrk (32)
  --no-flood                   without genuine notifications beside a flood of forgeries
  --out FOLDER                 where tables, figures and charts go (target/bench)
  --readme FILE                whose short table is replaced as well";

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Compare,
    Draw,
    Growth,
    Help,
}

/// A Kawal to be measured.
#[derive(Clone, Debug)]
pub(crate) struct Binary {
    /// How it is told from others; empty where there is only one.
    pub(crate) label: String,
    pub(crate) path: PathBuf,
}

/// All that was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Words {
    pub(crate) command: Command,
    pub(crate) rounds: usize,
    pub(crate) notifications: usize,
    pub(crate) sizes: Vec<usize>,
    /// All where it is empty.
    pub(crate) only: Vec<String>,
    pub(crate) binaries: Vec<Binary>,
    pub(crate) connections: usize,
    pub(crate) flood: bool,
    pub(crate) out: PathBuf,
    /// Whose short table is replaced.
    pub(crate) readme: Option<PathBuf>,
}

pub(crate) fn read(words: impl Iterator<Item = String>) -> Fallible<Words> {
    let mut read = Words {
        command: Command::Compare,
        rounds: 5,
        notifications: 50_000,
        sizes: vec![90, 1024, 65_536],
        only: Vec::new(),
        binaries: Vec::new(),
        connections: 32,
        flood: true,
        out: PathBuf::from("target/bench"),
        readme: None,
    };
    let mut words = words.peekable();
    match words.peek().map(String::as_str) {
        Some("compare") => drop(words.next()),
        Some("growth") => {
            words.next();
            read.command = Command::Growth;
        }
        Some("draw") => {
            words.next();
            read.command = Command::Draw;
        }
        Some("help" | "--help" | "-h") => {
            words.next();
            read.command = Command::Help;
        }
        _ => {}
    }
    while let Some(word) = words.next() {
        if word == "--no-flood" {
            read.flood = false;
            continue;
        }
        let value = words
            .next()
            .ok_or_else(|| format!("{word} lacks its value"))?;
        match word.as_str() {
            "--rounds" => read.rounds = value.parse()?,
            "--notifications" => read.notifications = value.parse()?,
            "--sizes" => read.sizes = value.split(',').map(str::parse).collect::<Result<_, _>>()?,
            "--only" => read.only = value.split(',').map(str::to_owned).collect(),
            "--binary" => read.binaries.push(binary(&value)?),
            "--connections" => read.connections = value.parse()?,
            "--out" => read.out = PathBuf::from(value),
            "--readme" => read.readme = Some(PathBuf::from(value)),
            _ => return Err(format!("{word} is nothing that can be asked for").into()),
        }
    }
    if read.rounds == 0 || read.notifications == 0 || read.connections == 0 {
        return Err("rounds, notifications and connections are at least 1".into());
    }
    if read.binaries.is_empty() && read.command != Command::Draw {
        read.binaries.push(binary("target/release/kawal")?);
    }
    Ok(read)
}

/// Servers are started in folders of their own, so the path becomes absolute.
fn binary(value: &str) -> Fallible<Binary> {
    let (label, path) = value.split_once('=').unwrap_or(("", value));
    let path = std::fs::canonicalize(path).map_err(|error| format!("{path}: {error}"))?;
    Ok(Binary {
        label: label.to_owned(),
        path,
    })
}
