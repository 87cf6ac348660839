//! What a test wants to become of commands to the store, and what it has seen of them.

use std::collections::HashMap;
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use super::scripts::Scripts;
use super::store_steps::{At, Command, Deed, Moment};
use super::{PATIENCE, Script};

#[derive(Default)]
pub struct Traps {
    scripts: Scripts,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    traps: Vec<Trap>,
    passed: Vec<Command>,
    sent: Vec<Script>,
    wires: usize,
    sockets: HashMap<usize, [TcpStream; 2]>,
    away: bool,
    closing: bool,
}

struct Trap {
    at: At,
    /// Nothing: whoever holds the trap decides when something is in it.
    deed: Option<Deed>,
    every: bool,
    caught: Option<Command>,
}

impl Traps {
    pub fn hold(traps: &Arc<Self>, at: At) -> Held {
        let number = traps.add(at, None, false);
        let traps = Arc::clone(traps);
        Held { traps, number }
    }

    pub fn set(&self, at: At, deed: Deed, every: bool) {
        self.add(at, Some(deed), every);
    }

    fn add(&self, at: At, deed: Option<Deed>, every: bool) -> usize {
        let mut state = self.state();
        state.traps.push(Trap {
            at,
            deed,
            every,
            caught: None,
        });
        state.traps.len() - 1
    }

    /// A command as it will be decided about.
    pub fn read(&self, words: Vec<Vec<u8>>) -> Command {
        let script = self.scripts.of(&words);
        Command { words, script }
    }

    /// What becomes of this one. Waits where a test holds it.
    pub fn decide(&self, moment: Moment, command: &Command) -> Deed {
        let mut state = self.state();
        let number = state.traps.iter_mut().position(|trap| {
            let fits = trap.at.moment == moment && Some(trap.at.script) == command.script;
            if !fits || trap.at.nth == 0 {
                return false;
            }
            // At 0 it is spent.
            trap.at.nth -= 1;
            trap.at.nth == 0
        });
        let Some(number) = number else {
            return Deed::Pass;
        };
        let trap = &mut state.traps[number];
        trap.at.nth = usize::from(trap.every);
        trap.caught = Some(command.clone());
        self.changed.notify_all();
        let undecided = |state: &mut State| !state.closing && state.traps[number].deed.is_none();
        let state = self.changed.wait_while(state, undecided).unwrap();
        state.traps[number].deed.unwrap_or(Deed::Cut)
    }

    /// The traps stay where they are: their numbers are known.
    pub fn clear(&self) {
        let mut state = self.state();
        for trap in state.traps.iter_mut().filter(|trap| trap.every) {
            trap.at.nth = 0;
        }
    }

    pub fn record(&self, command: &Command) {
        self.state().passed.push(command.clone());
        self.changed.notify_all();
    }

    /// Kawal has sent it.
    pub fn note(&self, command: &Command) {
        self.state().sent.extend(command.script);
    }

    pub fn sent(&self, script: Script) -> usize {
        let state = self.state();
        state.sent.iter().filter(|sent| **sent == script).count()
    }

    pub fn passed(&self, script: Script) -> Vec<Command> {
        self.state().passed_of(script)
    }

    pub fn wait_for(&self, script: Script, count: usize) -> Vec<Command> {
        let fewer = |state: &mut State| state.passed_of(script).len() < count;
        let waited = self
            .changed
            .wait_timeout_while(self.state(), PATIENCE, fewer);
        let found = waited.unwrap().0.passed_of(script);
        let seen = found.len();
        assert!(seen >= count, "{seen} of {count} {script:?} came");
        found
    }

    /// Ends of a wire, to be shut when the store goes away.
    pub fn keep(&self, kawal: TcpStream, store: TcpStream) -> usize {
        let mut state = self.state();
        state.wires += 1;
        let number = state.wires;
        state.sockets.insert(number, [kawal, store]);
        number
    }

    pub fn forget(&self, wire: usize) {
        self.state().sockets.remove(&wire);
    }

    pub fn away(&self, away: bool) {
        let mut state = self.state();
        state.away = away;
        if away {
            state.end_all();
        }
    }

    pub fn is_away(&self) -> bool {
        self.state().away
    }

    pub fn close(&self) {
        let mut state = self.state();
        state.closing = true;
        state.end_all();
        self.changed.notify_all();
    }

    pub fn is_closing(&self) -> bool {
        self.state().closing
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl State {
    fn passed_of(&self, script: Script) -> Vec<Command> {
        let passed = self.passed.iter();
        let of = passed.filter(|command| command.script == Some(script));
        of.cloned().collect()
    }

    fn end_all(&mut self) {
        for socket in self.sockets.values().flatten() {
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}

/// A place where a command or reply is stopped. Dropping it cuts the connection of what is in it.
pub struct Held {
    traps: Arc<Traps>,
    number: usize,
}

impl Held {
    /// Waits until something is in it.
    pub fn wait(&self) -> Command {
        let empty = |state: &mut State| state.traps[self.number].caught.is_none();
        let state = self.traps.state();
        let waited = self
            .traps
            .changed
            .wait_timeout_while(state, PATIENCE, empty);
        let caught = waited.unwrap().0.traps[self.number].caught.clone();
        caught.unwrap_or_else(|| panic!("no such command came"))
    }

    pub fn pass(self) {
        self.decide(Deed::Pass);
    }

    pub fn cut(self) {
        self.decide(Deed::Cut);
    }

    fn decide(&self, deed: Deed) {
        let mut state = self.traps.state();
        let trap = &mut state.traps[self.number];
        trap.deed.get_or_insert(deed);
        trap.at.nth = 0;
        self.traps.changed.notify_all();
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.decide(Deed::Cut);
    }
}
