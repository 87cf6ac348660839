//! The words for a step of the ledger between Kawal and its store, and for what becomes of it there.

use super::Script;

/// On which side of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Kawal has sent the command, the store has not got it.
    Before,
    /// The store has executed it, Kawal has not heard of it.
    After,
}

/// A place in a story: the n-th command of a script from now on, on one side of the store.
#[derive(Clone, Copy, Debug)]
pub struct At {
    pub script: Script,
    pub moment: Moment,
    /// 1 for the next one.
    pub nth: usize,
}

/// When Kawal has asked and the store has not heard.
pub fn before(script: Script) -> At {
    let moment = Moment::Before;
    At {
        script,
        moment,
        nth: 1,
    }
}

/// When the store has executed and Kawal has not heard.
pub fn after(script: Script) -> At {
    let moment = Moment::After;
    At {
        script,
        moment,
        nth: 1,
    }
}

impl At {
    /// Lets the ones before the n-th pass.
    pub fn nth(mut self, nth: usize) -> Self {
        self.nth = nth;
        self
    }
}

/// What becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    Pass,
    /// The connection breaks at this moment.
    Cut,
    /// The connection stays, and from this moment nothing passes on it.
    Silence,
    /// The store gets the command twice; Kawal hears of one.
    Twice,
}

/// A command as Kawal sent it.
#[derive(Clone, Debug)]
pub struct Command {
    pub words: Vec<Vec<u8>>,
    pub script: Option<Script>,
}

impl Command {
    /// What the script is given, however it was named.
    pub fn arguments(&self) -> &[Vec<u8>] {
        &self.words[2..]
    }
}
