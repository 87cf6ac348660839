//! A command reaches the store, which says what it has to say of it and nothing else.

use super::super::super::LEASE;
use super::{Command, World};
use crate::ledger::claim::Ending;
use crate::rejection::Rejection;
use proptest::prelude::*;

impl World<'_> {
    pub(super) fn execute(&mut self, command: &Command) -> Result<(), TestCaseError> {
        match &command.ending {
            None => {
                let held = self.execute_claim(command)?;
                self.tally.held_by_nobody += u32::from(held.is_some());
                Ok(())
            }
            Some(ending) => self.execute_end(command, ending),
        }
    }

    /// The number of the attempt, where it holds.
    pub(super) fn execute_claim(
        &mut self,
        command: &Command,
    ) -> Result<Option<u32>, TestCaseError> {
        let (token, content) = (command.token, command.content);
        let claimed = self.store.claim(&command.attempt, token);
        let in_flight = |claimed: &Result<u32, Rejection>| match claimed {
            Err(Rejection::InFlight { wait }) => *wait <= LEASE,
            _ => false,
        };
        match (&self.known, self.flight) {
            (Some((known, stored)), _) if *known == content => {
                prop_assert_eq!(&claimed, &Err(Rejection::Repeat(stored.clone())));
                self.tally.repeats += 1;
            }
            (Some(_), _) => prop_assert_eq!(&claimed, &Err(Rejection::Conflict)),
            (None, Some((holder, held))) if holder != token && held != content => {
                prop_assert_eq!(&claimed, &Err(Rejection::Conflict));
            }
            (None, Some((holder, _))) if holder != token => {
                prop_assert!(in_flight(&claimed), "{:?}", claimed);
            }
            (None, _) => {
                prop_assert!(claimed.is_ok(), "nobody holds it: {:?}", claimed);
                let others = self.claimants.iter().any(|other| *other != token);
                self.tally.taken_over += u32::from(others);
                self.tally.held += 1;
                self.claimants.push(token);
                self.flight = Some((token, content));
            }
        }
        Ok(claimed.ok())
    }

    fn execute_end(&mut self, command: &Command, ending: &Ending) -> Result<(), TestCaseError> {
        let (token, content) = (command.token, command.content);
        let had_a_say = self.store.end(&command.attempt, token, ending);
        let is_held = self.flight.is_some_and(|(holder, _)| holder == token);
        self.holders.retain(|holder| *holder != token);
        match (ending, &self.known) {
            (Ending::Delivered { .. }, Some((known, _))) => {
                prop_assert_eq!(had_a_say, *known == content);
                self.tally.known_again += 1;
            }
            (Ending::Free { .. }, Some(_)) => prop_assert!(!had_a_say, "a delivered one was freed"),
            (Ending::Delivered { answer, .. }, None) => {
                let overtaken = self.flight.is_some_and(|(holder, _)| holder != token);
                prop_assert!(had_a_say || overtaken, "a delivery was lost for nothing");
                prop_assert!(!had_a_say || !overtaken, "a delivery took a claim away");
                self.tally.overtaken += u32::from(!had_a_say);
                if had_a_say {
                    self.known = Some((content, answer.clone()));
                    self.flight = None;
                }
            }
            (Ending::Free { .. }, None) => {
                let overtaken = self.flight.is_some_and(|(holder, _)| holder != token);
                prop_assert!(!had_a_say || !overtaken, "a claim of another was freed");
                prop_assert!(had_a_say || !is_held, "a claim was not freed");
                if is_held {
                    self.flight = None;
                }
            }
        }
        Ok(())
    }
}
