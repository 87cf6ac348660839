//! Measures what Kawal's judgement costs, beside HAProxy and nginx on the same machine in the same
//! run. What can be asked for is said by `--help`.

mod account;
mod chart;
mod compare;
mod contestant;
mod exchange;
mod figures;
mod flood;
mod growth;
mod guard;
mod load;
mod machine;
mod plot;
mod process;
mod servers;
mod set;
mod sets;
mod signer;
mod svg;
mod table;
mod token;
mod trial;
mod words;

use std::process::ExitCode;

/// Any fault ends the run; its sentence is for who started it.
type Fallible<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> ExitCode {
    let words = match words::read(std::env::args().skip(1)) {
        Ok(words) => words,
        Err(error) => {
            eprintln!("{error}\n{}", words::HELP);
            return ExitCode::from(64);
        }
    };
    let done = match words.command {
        words::Command::Compare => compare::run(&words),
        words::Command::Draw => compare::draw(&words).and_then(|()| growth::draw(&words)),
        words::Command::Growth => growth::run(&words),
        words::Command::Help => {
            println!("{}", words::HELP);
            Ok(())
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
