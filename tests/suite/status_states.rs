//! States of a running sidecar, as the status page tells them in a real browser.

use serde_json::{Value, json};

use crate::harness::{
    App, Board, Config, Connection, Kawal, Redis, Reply, doku, pivot, pivot_with, until,
};

/// Markup that would run, in what may stand in a header without being signed away.

#[test]
fn a_gateway_that_only_observes_is_marked() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app).set("gateways.pivot.mode", "observe"));
    let board = Board::of(&kawal);
    kawal.send(&pivot_with("not-the-key-of-pivot", "{}"));
    kawal.send(&pivot("{}"));
    let rows = board.wait_for_rows(2);
    let told = |row: &Value| {
        [
            row["Outcome"].clone(),
            row["Reason"].clone(),
            row["App"].clone(),
        ]
    };
    assert_eq!(
        told(&rows[1]),
        ["rejected", "would-reject:bad_proof", "200"]
    );
    assert_eq!(told(&rows[0]), ["delivered", "accepted", "200"]);
    let marked = "observe: refuses nothing";
    for (gateway, mode) in [("pivot", "observe"), ("doku", "enforce")] {
        let card = board.card(gateway);
        assert_eq!(card["mode"], mode);
        let told = card["text"].as_str().unwrap().contains(marked);
        assert_eq!(told, mode == "observe", "{card}");
    }
    assert_eq!(board.wait_for_state("pivot only observes"), "warn");
    assert_eq!(board.wait_for_state("Serving."), "good");
}

#[test]
fn a_refused_reload_is_told_until_one_is_taken() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let board = Board::of(&kawal);
    kawal
        .config
        .clone()
        .set("gateways.doku.schema", "doku")
        .write();
    kawal.signal("HUP");
    let line = kawal.wait_for_log(|line| line["message"] == "reload refused");
    let why = line["why"].as_str().unwrap();
    assert_eq!(board.wait_for_state(why), "bad");
    let sentence = format!("The last reload was refused, what was loaded before serves on: {why}");
    assert_eq!(board.states(), [("bad".to_owned(), sentence)]);
    let reloads = || {
        let told = kawal.admin("/status.json").json()["configuration"]["reloads"].take();
        format!(
            "reloads: {} taken, {} refused",
            told["success"], told["failure"]
        )
    };
    until("they are counted", || {
        board.browser.text("#reloads") == reloads()
    });

    kawal.config.write();
    kawal.signal("HUP");
    assert_eq!(board.wait_for_state("Serving."), "good");
    assert_eq!(board.states().len(), 1);
    until("they are counted", || {
        board.browser.text("#reloads") == reloads()
    });
}

#[test]
fn gateways_come_and_go_with_the_configuration() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let board = Board::of(&kawal);
    let few = ["doku", "doku-qris", "pivot"];
    assert_eq!(board.browser.texts("h3"), few);
    board
        .browser
        .run("window.kept = document.querySelector('article')");
    kawal.config.clone().with_snap().write();
    kawal.signal("HUP");
    until("those of SNAP are there", || {
        board.browser.texts("h3").len() == 7
    });
    kawal.send(&pivot("{}"));
    until("its card counts", || {
        board.card("pivot")["outcomes"]["delivered"] == json!([1, 1])
    });
    kawal.config.write();
    kawal.signal("HUP");
    until("those of SNAP are gone", || {
        board.browser.texts("h3") == few
    });
    assert_eq!(
        board
            .browser
            .run("return kept === document.querySelector('article')"),
        true
    );
    assert_eq!(board.card("pivot")["outcomes"]["delivered"], json!([1, 1]));
    assert_eq!(board.browser.complaints(), [""; 0]);
}

#[test]
fn a_drain_is_told() {
    let app = App::answering(Reply::ok().held());
    let mut kawal = Kawal::start(Config::new(&app));
    let board = Board::of(&kawal);
    let mut busy = Connection::open(kawal.addr());
    busy.write(&doku("in flight").bytes()).unwrap();
    app.wait_for(1);
    board
        .browser
        .wait("document.getElementById('in-flight').textContent === '1'");
    kawal.signal_term();
    assert_eq!(board.wait_for_state("Draining"), "warn");
    assert_eq!(board.states().len(), 1, "it no longer serves");
    app.release();
    assert_eq!(kawal.wait_exit().code(), Some(0));
}

#[test]
fn a_store_that_does_not_answer_is_told_until_it_does() {
    let (app, redis) = (App::start(), Redis::start());
    let kawal = Kawal::start(Config::new(&app).on(&redis));
    let board = Board::of(&kawal);
    board.wait_for_state("Serving.");
    assert_eq!(board.browser.text("#ledger-name"), "Ledger (redis)");
    assert_eq!(board.browser.text("#ledger"), "store is up");
    assert_eq!(
        board
            .browser
            .run("return document.getElementById('meter').hidden"),
        true
    );
    redis.kill();
    kawal.send(&doku("{}"));
    assert_eq!(board.wait_for_state("The store does not answer."), "bad");
    assert_eq!(board.states().len(), 1);
    assert_eq!(board.browser.text("#ledger"), "store is down");
    redis.restart();
    assert_eq!(board.wait_for_state("Serving."), "good");
}

#[test]
fn a_ledger_that_fills_up_is_told_before_it_is_full() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app).set("replay.capacity", 10));
    let board = Board::of(&kawal);
    for number in 0..9 {
        assert_eq!(kawal.send(&doku(format!("{number}"))).status, 200);
        if number == 7 {
            board.wait_for_rows(8);
            assert_eq!(board.states().len(), 1);
        }
    }
    assert_eq!(board.wait_for_state("The ledger is 90 % full."), "warn");
    assert_eq!(board.wait_for_state("Serving."), "good");
    let meter = "const meter = document.getElementById('meter'); return [meter.hidden, meter.value, meter.max]";
    assert_eq!(board.browser.run(meter), json!([false, 9, 10]));
    assert_eq!(board.browser.text("#ledger"), "9");
    assert_eq!(board.browser.text("#room"), "of 10 entries");
}
