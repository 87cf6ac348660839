//! Judges notifications without a socket: from the bytes of a head to the request for the app, and to the entry
//! of one that the app took. `tests/suite/instructions.rs` counts the instructions of it.

use bytes::Bytes;
use jiff::Timestamp;
use kawal::clock::Moment;
use kawal::config::Config;
use kawal::intake::{Head, Received};
use kawal::ledger::Ledger;
use kawal::rejection::{Rejection, Stored};
use kawal::route::{Found, Known};
use std::error::Error;
use std::hint::black_box;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;
use std::{env, fs};

const USAGE: &str =
    "usage: judge CONFIG FOLDER TIME COUNT: the first COUNT requests in FOLDER, at TIME";

fn main() -> ExitCode {
    let words: Vec<_> = env::args().skip(1).collect();
    let [config, folder, time, count] = words.as_slice() else {
        println!("{USAGE}");
        return ExitCode::from(u8::from(words != ["--version"]));
    };
    if let Err(why) = run(Path::new(config), Path::new(folder), time, count) {
        eprintln!("{why}");
        return ExitCode::FAILURE;
    }
    // What is left is not dropped: that would be counted.
    std::process::exit(0)
}

fn run(config: &Path, folder: &Path, time: &str, count: &str) -> Result<(), Box<dyn Error>> {
    let config = Config::load(config).map_err(|faults| format!("{faults:?}"))?;
    let (wall, count): (Timestamp, usize) = (time.parse()?, count.parse()?);
    let ledger = Arc::new(Ledger::new(&config.store, &config.bases, wall));
    // All are read, however many of them are judged: what remains of two counts is the judgement alone.
    let requests = read_all(folder)?;
    let now = Moment {
        wall,
        steady: Instant::now(),
        fell_behind: false,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let chosen = requests.get(..count).ok_or("there are not so many")?;
    runtime.block_on(async {
        for (head, body) in chosen {
            let judged = judge(&config, &ledger, now, head, body.clone()).await;
            judged.map_err(|why| format!("{why:?}"))?;
        }
        std::mem::forget((config, ledger));
        Ok(())
    })
}

/// Every step of a notification but those over the network.
async fn judge(
    config: &Config,
    ledger: &Arc<Ledger>,
    now: Moment,
    head: &[u8],
    body: Bytes,
) -> Result<(), Rejection> {
    let received = Received::new(Head::parse(head)?, body);
    let Found::Route(route) = config.routes.find(received.head())? else {
        return Err(Rejection::NoRoute);
    };
    route.accept(received.head(), None)?;
    let mut known = Known::default();
    let admitted = match route.admit(received, ledger, now, &mut known).await {
        // The app has no part in requests for a token.
        Err(Rejection::Granted(grant)) => {
            black_box(grant);
            return Ok(());
        }
        admitted => admitted?,
    };
    let outbound = config.upstream.address(admitted, &route.gateway.name, None);
    let (request, mut claim) = outbound.open();
    black_box((request.open(), known));
    claim.sent();
    let answer = Stored {
        status: 200,
        content_type: Some("text/plain".into()),
        body: b"OK".as_slice().into(),
    };
    claim.deliver(answer, now.steady).await;
    Ok(())
}

type Request = (Vec<u8>, Bytes);

/// The head and the body of each, by name.
fn read_all(folder: &Path) -> Result<Vec<Request>, Box<dyn Error>> {
    let files = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
    let mut files: Vec<_> = files.collect::<Result<_, _>>()?;
    files.sort();
    let read = |file| -> Result<Request, Box<dyn Error>> {
        let mut head = fs::read(file)?;
        let end = head.windows(4).position(|bytes| bytes == b"\r\n\r\n");
        let body = head.split_off(end.ok_or("a head without an end")? + 4);
        Ok((head, body.into()))
    };
    files.iter().map(read).collect()
}
