//! Stories in which somebody waits until a lease is over. They wait together, since each of them does hardly anything else.

use std::thread;

use crate::{crashes, crashes_batches, late_outcomes};

const STORIES: [(&str, fn()); 9] = [
    (
        "after_the_claim_was_executed",
        crashes::after_the_claim_was_executed,
    ),
    ("while_the_app_thinks", crashes::while_the_app_thinks),
    (
        "after_the_app_took_it_and_before_the_store_knows",
        crashes::after_the_app_took_it_and_before_the_store_knows,
    ),
    (
        "after_the_app_refused_and_before_the_store_knows",
        crashes::after_the_app_refused_and_before_the_store_knows,
    ),
    (
        "everything_that_was_in_flight_comes_through",
        crashes::everything_that_was_in_flight_comes_through,
    ),
    (
        "between_its_claims_it_comes_through",
        crashes_batches::between_its_claims_it_comes_through,
    ),
    (
        "an_outcome_that_comes_too_late_changes_nothing",
        late_outcomes::an_outcome_that_comes_too_late_changes_nothing,
    ),
    (
        "an_outcome_that_comes_too_late_takes_the_claim_from_nobody",
        late_outcomes::an_outcome_that_comes_too_late_takes_the_claim_from_nobody,
    ),
    (
        "a_refusal_that_comes_too_late_takes_the_claim_from_nobody",
        late_outcomes::a_refusal_that_comes_too_late_takes_the_claim_from_nobody,
    ),
];

#[test]
fn everything_that_waits_for_a_lease() {
    let told = STORIES.map(|(name, story)| {
        let teller = thread::Builder::new().name(name.to_owned());
        (name, teller.spawn(story).unwrap())
    });
    let ends = told.map(|(name, teller)| (name, teller.join()));
    let failed: Vec<_> = ends.iter().filter(|(_, end)| end.is_err()).collect();
    let failed: Vec<_> = failed.iter().map(|(name, _)| name).collect();
    assert!(failed.is_empty(), "{failed:?}");
}
