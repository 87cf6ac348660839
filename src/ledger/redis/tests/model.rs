//! Several processes, one notification, one store, and everything that networks and processes do: commands and
//! replies that are lost, late or doubled, crashes, leases that end, a store that is emptied.

mod world;

use super::Server;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestRunner};
use std::cell::RefCell;
use world::{Tally, World};

const PROCESSES: usize = 3;

/// What becomes of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Heard,
    /// Executed, but the reply is lost.
    Unheard,
    /// Not executed, unless it arrives later.
    Late,
}

#[derive(Clone, Copy, Debug)]
enum Says {
    Taken,
    Refused,
    /// It was never sent.
    Unsent,
    /// The app may have seen it, and nobody knows.
    Nothing,
}

#[derive(Clone, Debug)]
enum Step {
    /// A process does what comes next for it: asks, hears from the app, reports.
    Goes(usize, Chances),
    Crash(usize),
    /// A command of before arrives, once more or at last.
    Arrives(Index),
    LeasesEnd,
    MemoryEnds,
    Emptied,
}

#[derive(Clone, Copy, Debug)]
struct Chances {
    content: u8,
    fate: Fate,
    says: Says,
    gives_up: bool,
}

fn chances() -> impl Strategy<Value = Chances> {
    // Mostly the same content: other content under the same identity only ever conflicts.
    let content = prop_oneof![3 => Just(0), 1 => Just(1)];
    let fate = prop_oneof![4 => Just(Fate::Heard), 1 => Just(Fate::Unheard), 1 => Just(Fate::Late)];
    let says = prop_oneof![
        1 => Just(Says::Taken),
        2 => Just(Says::Refused),
        1 => Just(Says::Unsent),
        1 => Just(Says::Nothing),
    ];
    let all = (content, fate, says, prop::bool::weighted(0.3));
    all.prop_map(|(content, fate, says, gives_up)| Chances {
        content,
        fate,
        says,
        gives_up,
    })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        20 => (0..PROCESSES, chances()).prop_map(|(who, chances)| Step::Goes(who, chances)),
        1 => (0..PROCESSES).prop_map(Step::Crash),
        6 => any::<Index>().prop_map(Step::Arrives),
        3 => Just(Step::LeasesEnd),
        1 => Just(Step::MemoryEnds),
        1 => Just(Step::Emptied),
    ]
}

#[test]
fn no_story_of_crashes_and_lost_commands_delivers_twice() {
    let server = Server::start();
    let store = RefCell::new(server.store());
    let tally = RefCell::new(Tally::default());
    let stories = prop::collection::vec(step(), 1..200);
    let outcome = TestRunner::new(Config::default()).run(&stories, |steps| {
        let (mut store, mut tally) = (store.borrow_mut(), tally.borrow_mut());
        let mut world = World::new(&mut store, &mut tally);
        steps.into_iter().try_for_each(|step| world.take(step))
    });
    if let Err(why) = outcome {
        panic!("{why}");
    }
    let tally = tally.into_inner();
    let Tally {
        held,
        taken_over,
        held_by_nobody,
        repeats,
        overtaken,
        known_again,
    } = tally;
    for times in [
        held,
        taken_over,
        held_by_nobody,
        repeats,
        overtaken,
        known_again,
    ] {
        assert!(times > 9, "the stories are too tame: {tally:?}");
    }
}
