//! A request for a token that comes again is granted the same token, whoever answers it and whatever was lost.

use jiff::Timestamp;

use crate::harness::gateway::BRN;
use crate::harness::pair::Pair;
use crate::harness::snap::SNAP_SECRET;
use crate::harness::store_steps::{Deed, after, before};
use crate::harness::tokens::{Jwt, access_token, token_key};
use crate::harness::{Config, Kawal, Request, Script, TokenRequest, until};

fn token(kawal: &Kawal, request: &Request) -> String {
    access_token(&kawal.send(request))
}

fn issued(token: &str) -> i64 {
    let key = token_key(SNAP_SECRET, "doku-b2b", BRN);
    let (_, claims, holds) = Jwt::read(token, &key);
    assert!(holds);
    claims["iat"].as_i64().unwrap()
}

/// A token that was made anew would be another one by now.
fn wait_for_another_second() {
    let second = Timestamp::now().as_second();
    until("a second is over", || Timestamp::now().as_second() > second);
}

#[test]
fn a_grant_whose_reply_is_lost_is_the_same_grant() {
    for (at, deed) in [
        (after(Script::Keep), Deed::Cut),
        (before(Script::Keep), Deed::Cut),
        (before(Script::Keep), Deed::Twice),
    ] {
        let pair = Pair::with(Config::with_snap);
        let request = TokenRequest::new().sign();
        pair.wire.on(at, deed);
        let first = token(&pair.first, &request);
        wait_for_another_second();
        assert_eq!(token(&pair.second, &request), first, "{at:?} {deed:?}");
        assert_eq!(token(&pair.first, &request), first, "{at:?} {deed:?}");
    }
}

#[test]
fn a_grant_outlives_whoever_made_it() {
    let mut pair = Pair::with(Config::with_snap);
    let request = TokenRequest::new().sign();
    let held = pair.wire.hold(after(Script::Keep));
    let gateway = pair.begin(&request);
    held.wait();
    let known = Timestamp::now().as_second();
    pair.kill_first([gateway]);
    held.cut();

    wait_for_another_second();
    let again = token(&pair.second, &request);
    assert!(issued(&again) <= known, "{again} was made anew");
    assert_eq!(token(&pair.another(), &request), again);
}

#[test]
fn a_grant_that_was_never_made_holds_nobody_up() {
    let mut pair = Pair::with(Config::with_snap);
    let request = TokenRequest::new().sign();
    let held = pair.wire.hold(before(Script::Keep));
    let gateway = pair.begin(&request);
    held.wait();
    pair.kill_first([gateway]);
    held.cut();

    let first = token(&pair.second, &request);
    wait_for_another_second();
    assert_eq!(token(&pair.another(), &request), first);
}
