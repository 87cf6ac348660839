//! The status page in a real browser, of a real process with real notifications.

use std::time::Duration;

use serde_json::json;

use crate::harness::gateway::BRN_SECRET;
use crate::harness::{App, Board, Config, Doku, Kawal, Reply, ago, doku, pivot, until};

/// Markup that would run, in what may stand in a header without being signed away.
const HOSTILE: &str = "\"'><img/src=x/onerror=hit=1><script>hit=1</script>&lt;b&gt;";

/// One of each: delivered, repeated, refused by the app, lost at the app, forged, too old.
fn one_of_each(kawal: &Kawal, app: &App) {
    let first = doku("{}");
    kawal.send(&first);
    kawal.send(&first);
    app.next(Reply::new(503));
    kawal.send(&pivot("{}"));
    app.next(Reply::hangup());
    kawal.send(&doku("lost"));
    kawal.send(&doku("forged").replace("Signature", "HMACSHA256=Zm9yZ2Vk"));
    let old = ago(Duration::from_secs(10 * 24 * 3600));
    kawal.send(&Doku::new("old").at(&old).sign());
}

#[test]
fn each_notification_has_a_row_that_says_what_the_log_says() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let board = Board::of(&kawal);
    one_of_each(&kawal, &app);
    let mut rows = board.wait_for_rows(6);
    // The newest stands first.
    rows.reverse();
    let lines = kawal.notifications(6);
    let outcomes: Vec<_> = rows
        .iter()
        .map(|row| row["Outcome"].as_str().unwrap())
        .collect();
    let expected = [
        "delivered",
        "duplicate",
        "refused by app",
        "unknown",
        "rejected",
        "rejected",
    ];
    assert_eq!(outcomes, expected);
    for (row, line) in rows.iter().zip(&lines) {
        let says = |key: &str| match line[key].as_str() {
            Some(text) => text.to_owned(),
            None if line[key].is_null() => "–".to_owned(),
            None => line[key].to_string(),
        };
        let columns = [
            ("Reason", "reason"),
            ("Gateway", "gateway"),
            ("Route", "route"),
            ("Client", "client"),
            ("Try", "attempt"),
            ("Status", "status"),
            ("App", "app_status"),
        ];
        for (column, key) in columns {
            assert_eq!(row[column], says(key), "{column} of {row} and {line}");
        }
        assert_eq!(row["Outcome"], says("outcome").replace('_', " "));
        let id = says("id");
        let (short, whole) = match id.len() {
            64 => (format!("{}…", &id[..8]), id),
            _ => ("–".to_owned(), String::new()),
        };
        assert_eq!(
            (&row["Id"], &row["Id title"]),
            (&json!(short), &json!(whole)),
            "{line}"
        );
        assert_ne!(row["Took"], "–");
    }
    let told = kawal.admin("/status.json").json();
    for (row, one) in rows.iter().rev().zip(told["decisions"].as_array().unwrap()) {
        assert_eq!(row["Time title"], one["time"]);
        let time = one["time"].as_str().unwrap();
        assert!(
            row["Time"].as_str().unwrap().ends_with(&time[11..19]),
            "{row}"
        );
    }
    assert_eq!(rows[0]["Age"], format!("{} s", lines[0]["age_s"]));
    assert_eq!(board.browser.complaints(), [""; 0]);
}

#[test]
fn a_card_counts_outcomes_and_reasons_of_its_gateway() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let board = Board::of(&kawal);
    let card = board.card("doku");
    assert_eq!(
        card["outcomes"],
        json!({"delivered": [0, 0], "rejected": [0, 0]})
    );
    let text = card["text"].as_str().unwrap().to_owned();
    assert!(
        text.contains("nothing came") && text.contains("last genuine none yet"),
        "{text}"
    );

    one_of_each(&kawal, &app);
    board.wait_for_rows(6);
    until("both cards count", || {
        board.card("doku")["outcomes"]["rejected"] == json!([2, 2])
            && board.card("pivot")["outcomes"]["refused by app"] == json!([1, 1])
    });
    let card = board.card("doku");
    let outcomes =
        json!({"delivered": [1, 1], "duplicate": [1, 1], "unknown": [1, 1], "rejected": [2, 2]});
    assert_eq!(card["outcomes"], outcomes);
    let reasons = kawal.admin("/status.json").json()["gateways"][0]["reasons"].take();
    for (reason, count) in reasons.as_object().unwrap() {
        assert_eq!(card["reasons"][reason], json!([count]), "{reason}");
    }
    assert_eq!(card["reasons"]["bad_proof"], json!([1]));
    assert_eq!(
        card["label"],
        "1 delivered, 1 duplicate, 2 rejected, 1 unknown"
    );
    let text = card["text"].as_str().unwrap();
    assert!(text.contains("scheme doku, mode enforce"), "{text}");
    assert!(text.contains("s ago"), "{text}");
    let other = board.card("pivot");
    assert_eq!(
        other["outcomes"]["refused by app"],
        json!([1, 1]),
        "{other}"
    );
    assert_eq!(other["outcomes"]["delivered"], json!([0, 0]), "{other}");
}

#[test]
fn bars_are_as_high_as_what_they_count() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let board = Board::of(&kawal);
    for number in 0..6 {
        kawal.send(&doku(format!("{number}")));
    }
    app.next(Reply::new(500));
    kawal.send(&doku("refused"));
    for _ in 0..3 {
        kawal.send(&doku("forged").replace("Signature", "HMACSHA256=Zm9yZ2Vk"));
    }
    let label = "6 delivered, 3 rejected, 1 refused by app";
    until(label, || board.card("doku")["label"] == label);

    let bars = board.bars("doku");
    let total = |outcome: &str| -> f64 {
        let of = bars.iter().filter(|bar| bar.outcome == outcome);
        of.map(|bar| bar.count()).sum()
    };
    let totals = ["delivered", "rejected", "refused_by_app"].map(total);
    assert_eq!(totals, [6.0, 3.0, 1.0], "{bars:?}");
    let unit = bars[0].height / bars[0].count();
    for bar in &bars {
        assert!(
            (bar.height - unit * bar.count()).abs() < 1e-6,
            "{bar:?} of {bars:?}"
        );
        // The ten minutes are 600 wide, and this was just now.
        assert!((500.0..600.0).contains(&bar.x), "{bar:?}");
        assert!(bar.top >= 0.0 && bar.top + bar.height <= 96.0, "{bar:?}");
        let below = bar.top >= 64.0;
        assert_eq!(below, bar.outcome != "delivered", "{bar:?}");
        let touches = |other: &&_| {
            let other: &crate::harness::board::Bar = other;
            other.x == bar.x
                && other.top < bar.top + bar.height
                && bar.top < other.top + other.height
        };
        assert_eq!(
            bars.iter().filter(touches).count(),
            1,
            "{bar:?} of {bars:?}"
        );
    }
    // It makes use of its place.
    let highest = bars.iter().map(|bar| bar.height).fold(0.0, f64::max);
    assert!(highest > 12.0, "{bars:?}");
    assert_eq!(board.bars("pivot").len(), 0);
}

#[test]
fn the_page_follows_by_itself_and_leaves_alone_what_has_not_changed() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let board = Board::of(&kawal);
    kawal.send(&doku("first"));
    board.wait_for_rows(1);
    board.browser.run(
        "window.kept = document.querySelector('#decisions tr');
         getSelection().selectAllChildren(kept.cells[4]);
         window.touched = [];
         const watch = new MutationObserver(found => touched.push(...found.map(one => one.type)));
         for (const id of ['state', 'decisions']) watch.observe(document.getElementById(id),
           {childList: true, characterData: true, attributes: true, subtree: true});",
    );
    let asked = "performance.getEntriesByType('resource').length";
    let before = board.browser.run(&format!("return {asked}"));
    board.browser.wait(&format!("{asked} > {before} + 1"));
    assert_eq!(board.browser.run("return touched"), json!([]));

    kawal.send(&pivot("second"));
    let rows = board.wait_for_rows(2);
    assert_eq!(
        (&rows[0]["Gateway"], &rows[1]["Gateway"]),
        (&json!("pivot"), &json!("doku"))
    );
    let kept =
        "return kept === document.querySelectorAll('#decisions tr')[1] && String(getSelection())";
    assert_eq!(board.browser.run(kept), "/payments/notifications");
}

#[test]
fn the_page_speaks_with_nobody_but_the_admin_listener() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let board = Board::of(&kawal);
    one_of_each(&kawal, &app);
    board.wait_for_rows(6);
    let visited = board.browser.visited();
    let admin = kawal.admin_addr();
    let page = format!("http://{admin}/status");
    let data = format!("http://{admin}/status.json");
    assert_eq!(
        visited.iter().filter(|url| **url == page).count(),
        1,
        "{visited:?}"
    );
    assert!(
        visited.iter().filter(|url| **url == data).count() > 1,
        "{visited:?}"
    );
    assert!(
        visited.iter().all(|url| [&page, &data].contains(&url)),
        "{visited:?}"
    );
    assert_eq!(board.browser.complaints(), [""; 0]);
    // Whatever got into the page could not leave it, nor run.
    board.browser.run(
        "window.hit = 0;
         const script = document.createElement('script');
         script.textContent = 'window.hit = 1';
         document.body.append(script, Object.assign(document.createElement('img'), {src: 'x.png'}));
         fetch('http://127.0.0.1:9/').catch(() => { window.refused = 1; });",
    );
    board.browser.wait("window.refused");
    assert_eq!(board.browser.run("return window.hit"), 0);
    let complaints = board.browser.complaints();
    for forbidden in ["script-src", "default-src", "connect-src"] {
        let told = complaints.iter().any(|line| line.contains(forbidden));
        assert!(told, "{forbidden}: {complaints:?}");
    }
}

#[test]
fn what_others_wrote_stays_text() {
    let app = App::start();
    let mut config = Config::new(&app);
    let secret = config.secret("hostile", BRN_SECRET);
    let long = format!("{HOSTILE}{}", "x".repeat(200));
    let client = json!([{"id": long, "secrets": [secret]}]);
    config = config.set("gateways.doku.clients", client);
    let kawal = Kawal::start(config);
    let board = Board::of(&kawal);
    let answer = kawal.send(&Doku::new("{}").client(&long, BRN_SECRET).sign());
    assert_eq!(answer.status, 200);
    let row = board.wait_for_rows(1).remove(0);
    assert_eq!(row["Client title"], long);
    assert_eq!(row["Client"], format!("{}…", &long[..32]));

    let broken = kawal
        .config
        .clone()
        .set(&format!("gateways.{HOSTILE}"), json!({}));
    broken.write();
    kawal.signal("HUP");
    assert_eq!(board.wait_for_state("hit=1</script>"), "bad");
    let strange = "return [document.images.length, document.scripts.length, document.querySelectorAll('b b').length, String(window.hit)]";
    assert_eq!(board.browser.run(strange), json!([0, 1, 0, "undefined"]));
    assert_eq!(board.browser.complaints(), [""; 0]);
    for width in [360, 1400] {
        board.browser.resize(width, 900);
        assert!(board.overflow() <= 0, "at {width}: {}", board.overflow());
    }
}

#[test]
fn a_page_without_an_answer_says_so_and_since_when() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let board = Board::of(&kawal);
    kawal.send(&doku("{}"));
    board.wait_for_rows(1);
    for signal in ["STOP", "KILL"] {
        kawal.signal(signal);
        assert_eq!(
            board.wait_for_state("Kawal does not answer."),
            "bad",
            "{signal}"
        );
        let since = board.browser.text("#as-of").replace("as of ", "");
        let sentence = format!("Kawal does not answer. This is what it said at {since}.");
        assert_eq!(board.states(), [("bad".to_owned(), sentence.clone())]);
        assert_eq!(
            board.browser.run("return document.title"),
            format!("Kawal: {sentence}")
        );
        assert_eq!(board.rows().len(), 1, "{signal}");
        if signal == "STOP" {
            kawal.signal("CONT");
            assert_eq!(board.wait_for_state("Serving."), "good");
            assert_eq!(board.states().len(), 1);
        }
    }
}

#[test]
fn the_last_50_decisions_stand_there_newest_first() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let board = Board::of(&kawal);
    for number in 0..57 {
        assert_eq!(kawal.send(&doku(format!("{number}"))).status, 200);
    }
    let mut sent: Vec<_> = app
        .requests()
        .iter()
        .map(|request| request.header("X-Kawal-Notification-Id").unwrap())
        .collect();
    sent.reverse();
    let shown = || -> Vec<_> {
        let rows = board.rows();
        rows.iter()
            .map(|row| row["Id title"].as_str().unwrap().to_owned())
            .collect()
    };
    until("the last 50", || shown() == sent[..50]);
    assert_eq!(board.card("doku")["outcomes"]["delivered"], json!([57, 57]));
}
