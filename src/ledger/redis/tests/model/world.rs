//! What is true at every moment of a story, whatever its processes know of it.

mod judgement;

use super::super::{LEASE, Store, answer, attempt};
use super::{Chances, Fate, PROCESSES, Says, Step};
use crate::ledger::Attempt;
use crate::ledger::claim::Ending;
use crate::rejection::Stored;
use proptest::prelude::*;
use std::time::Instant;

#[derive(Clone)]
enum Process {
    Idle,
    /// It asked and heard nothing.
    Unsure(Command),
    /// It was told that it holds, with this number, before the store was emptied so often.
    Holds(Command, u32, u32),
    /// It knows how its claim ends, and the store need not.
    Ends(Command),
}

#[derive(Clone, Debug)]
struct Command {
    attempt: Attempt,
    token: u128,
    /// A claim where there is none.
    ending: Option<Ending>,
    content: u8,
}

impl Says {
    /// What becomes of a process that hears this.
    fn ends(self, mut command: Command) -> Process {
        command.ending = Some(match self {
            Self::Taken => Ending::Delivered {
                answer: answer(&command.token.to_string()),
                at: Instant::now(),
            },
            Self::Refused => Ending::Free { seen: true },
            Self::Unsent => Ending::Free { seen: false },
            Self::Nothing => return Process::Idle,
        });
        Process::Ends(command)
    }
}

/// What an observer knows who sees everything.
pub(super) struct World<'a> {
    store: &'a mut Store,
    processes: [Process; PROCESSES],
    sent: Vec<Command>,
    tokens: u128,
    /// How often the store was emptied.
    era: u32,
    /// Whoever was told that it holds, and whose end the store has not heard of since.
    holders: Vec<u128>,
    /// In whose name the store holds it, and its content.
    flight: Option<(u128, u8)>,
    /// Everybody in whose name it was ever held.
    claimants: Vec<u128>,
    /// What the store has to answer to copies.
    known: Option<(u8, Stored)>,
    /// The attempts that the app saw.
    shown: Vec<u32>,
    tally: &'a mut Tally,
}

/// How often the interesting things happened, over all stories.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) held: u32,
    pub(super) taken_over: u32,
    pub(super) held_by_nobody: u32,
    pub(super) repeats: u32,
    pub(super) overtaken: u32,
    pub(super) known_again: u32,
}

impl<'a> World<'a> {
    pub(super) fn new(store: &'a mut Store, tally: &'a mut Tally) -> Self {
        store.empty();
        Self {
            store,
            processes: std::array::from_fn(|_| Process::Idle),
            sent: Vec::new(),
            tokens: 0,
            era: 0,
            holders: Vec::new(),
            flight: None,
            claimants: Vec::new(),
            known: None,
            shown: Vec::new(),
            tally,
        }
    }

    pub(super) fn take(&mut self, step: Step) -> Result<(), TestCaseError> {
        match step {
            Step::Goes(who, chances) => self.go(who, chances)?,
            Step::Crash(who) => self.processes[who] = Process::Idle,
            Step::Arrives(which) => {
                if !self.sent.is_empty() {
                    let command = which.get(&self.sent).clone();
                    self.execute(&command)?;
                }
            }
            Step::LeasesEnd => {
                self.store.end_leases();
                self.forget_leases();
            }
            Step::MemoryEnds => {
                // Nothing is accepted for so long, and nothing under way for so long.
                self.store.end_memory();
                self.processes = std::array::from_fn(|_| Process::Idle);
                self.sent.clear();
                self.forget_entry();
            }
            Step::Emptied => {
                self.store.empty();
                self.forget_entry();
            }
        }
        let (endless, longest) = self.store.bounds();
        prop_assert_eq!(endless, 0, "an entry stays for ever");
        prop_assert!(longest <= LEASE, "{:?} in flight", longest);
        Ok(())
    }
}

impl World<'_> {
    fn go(&mut self, who: usize, chances: Chances) -> Result<(), TestCaseError> {
        let Chances { fate, .. } = chances;
        match self.processes[who].clone() {
            Process::Idle => self.claim(who, chances),
            Process::Unsure(command) if !chances.gives_up => self.ask(who, command),
            Process::Unsure(mut command) => {
                command.ending = Some(Ending::Free { seen: false });
                self.processes[who] = Process::Idle;
                self.send(&command, fate)
            }
            Process::Holds(command, number, era) => {
                if era == self.era && !matches!(chances.says, Says::Unsent) {
                    self.shown.push(number);
                }
                self.processes[who] = chances.says.ends(command);
                Ok(())
            }
            Process::Ends(command) => {
                self.send(&command, fate)?;
                if fate == Fate::Heard {
                    self.processes[who] = Process::Idle;
                }
                Ok(())
            }
        }
    }

    fn claim(&mut self, who: usize, chances: Chances) -> Result<(), TestCaseError> {
        self.tokens += 1;
        let command = Command {
            attempt: attempt(1, chances.content),
            token: self.tokens,
            ending: None,
            content: chances.content,
        };
        if chances.fate == Fate::Heard {
            self.sent.push(command.clone());
            return self.ask(who, command);
        }
        self.send(&command, chances.fate)?;
        self.processes[who] = Process::Unsure(command);
        Ok(())
    }

    /// Claims, and hears what became of it.
    fn ask(&mut self, who: usize, command: Command) -> Result<(), TestCaseError> {
        self.processes[who] = match self.execute_claim(&command)? {
            None => Process::Idle,
            Some(number) => {
                let others = self.holders.iter().any(|token| *token != command.token);
                prop_assert!(!others, "two hold it at once");
                let seen = self.shown.iter().max().copied().unwrap_or(0);
                prop_assert!(number > seen, "attempt {} after {:?}", number, self.shown);
                self.holders.push(command.token);
                Process::Holds(command, number, self.era)
            }
        };
        Ok(())
    }

    fn send(&mut self, command: &Command, fate: Fate) -> Result<(), TestCaseError> {
        self.sent.push(command.clone());
        match fate {
            Fate::Heard | Fate::Unheard => self.execute(command),
            Fate::Late => Ok(()),
        }
    }

    /// Whoever has not been to the app does not go there any more: it knows when its lease ends.
    fn forget_leases(&mut self) {
        for process in &mut self.processes {
            if !matches!(process, Process::Ends(_)) {
                *process = Process::Idle;
            }
        }
        self.holders.clear();
        self.flight = None;
    }

    fn forget_entry(&mut self) {
        self.era += 1;
        self.holders.clear();
        self.claimants.clear();
        self.shown.clear();
        (self.flight, self.known) = (None, None);
    }
}
