//! Whoever reads the log may stop, or go: notifications pass all the same, and what was not told is counted.

use std::fs;
use std::io::{BufRead, BufReader, PipeReader};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use crate::harness::lines::{self, Line};
use crate::harness::{
    App, Config, Connection, Form, Notice, Plain, Request, doku, kind, unique, until,
};

/// More than any pipe and any queue hold.
const LOAD: usize = 22_000;
const THREADS: usize = 4;
const DROPPED: &str = "kawal_log_lines_dropped_total";

/// Every request is answered as it should be; one in a hundred is delivered.
fn load(kawal: &Plain, requests: usize) {
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let mut connection = Connection::open(kawal.addr());
                let nobody = Request::post("/payments/notifications", "{}");
                for nth in 0..requests / THREADS {
                    let (request, status) = match nth % 100 {
                        99 => (doku("{}"), 200),
                        _ => (nobody.clone(), 401),
                    };
                    assert_eq!(connection.send(&request).status, status, "request {nth}");
                }
            });
        }
    });
}

#[test]
fn a_log_that_nobody_reads_stops_no_notification() {
    let app = App::start();
    let (kawal, pipe) = Plain::piped(Config::kinds(&app));
    load(&kawal, 400);
    assert_eq!(kawal.page().value(DROPPED, &[]), 0.0);
    let before = resident_kib(kawal.pid());
    load(&kawal, LOAD);
    let grown = resident_kib(kawal.pid()).saturating_sub(before);
    assert!(grown < 30 * 1024, "{grown} KiB more");
    assert_eq!(app.count(), (LOAD + 400) / 100);
    let page = kawal.page();
    let dropped = page.value(DROPPED, &[]);
    // 8192 wait, and the pipe holds 64 KiB.
    let most = (LOAD + 400 - 8192) as f64;
    assert!((most - 1000.0..=most + 1.0).contains(&dropped), "{dropped}");
    assert_eq!(
        page.sum("kawal_notifications_total", &[]),
        (LOAD + 400) as f64
    );

    // Somebody reads again: what waited comes, then what is new, and no line is torn or told twice.
    let reader = Reader::of(pipe);
    tells_again(&kawal, &reader);
    let dropped = kawal.page().value(DROPPED, &[]);
    let sent = kawal.page().sum("kawal_notifications_total", &[]);
    drop(kawal.end());
    let lines = reader.all();
    let told = lines.iter().filter(|line| line.is("notification")).count() as f64;
    assert_eq!(told + dropped, sent, "told and dropped");
    assert!(lines.last().unwrap().is("ended"), "{lines:?}");
}

/// Waits until what happens now is told.
fn tells_again(kawal: &Plain, reader: &Reader) {
    until("it is told", || {
        let id = unique("evt_again").replace('-', "_");
        let dropped = kawal.page().value(DROPPED, &[]);
        let event = format!("{{\"id\":\"{id}\"}}");
        kawal.send(&Notice::new(kind("stripe")).body(&event).sign());
        reader.waits_for(|text| text.contains(&id) || kawal.page().value(DROPPED, &[]) > dropped);
        reader.text().contains(&id)
    });
}

#[test]
fn a_process_ends_as_it_should_though_nobody_reads_its_log() {
    for requests in [400, LOAD] {
        let app = App::start();
        let (mut kawal, pipe) = Plain::piped(Config::new(&app));
        load(&kawal, requests);
        let stuck = kawal.page().value(DROPPED, &[]) > 0.0;
        assert_eq!(stuck, requests == LOAD);
        kawal.signal("TERM");
        let status = kawal.wait_exit();
        assert_eq!(status.code(), Some(0), "{status:?} {}", kawal.errors());
        assert_eq!(kawal.errors(), "");
        drop(pipe);
    }
}

#[test]
fn a_request_in_flight_is_finished_though_nobody_reads_the_log() {
    let app = App::start();
    let (mut kawal, pipe) = Plain::piped(Config::new(&app));
    load(&kawal, LOAD);
    app.next(crate::harness::Reply::ok().held());
    let mut busy = Connection::open(kawal.addr());
    busy.write(&doku("{}").bytes()).unwrap();
    app.wait_for(LOAD / 100 + 1);
    kawal.signal("TERM");
    until("it drains", || kawal.admin("/readyz").status == 503);
    app.release();
    assert_eq!(busy.read("POST").unwrap().status, 200);
    assert_eq!(kawal.wait_exit().code(), Some(0));
    drop(pipe);
}

#[test]
fn a_reader_that_is_gone_ends_nothing() {
    let app = App::start();
    let (mut kawal, pipe) = Plain::piped(Config::new(&app));
    load(&kawal, 400);
    drop(pipe);
    load(&kawal, LOAD);
    assert!(kawal.runs(), "{}", kawal.errors());
    assert_eq!(app.count(), (LOAD + 400) / 100);
    kawal.signal("TERM");
    let status = kawal.wait_exit();
    assert_eq!(status.code(), Some(0), "{status:?} {}", kawal.errors());
    assert_eq!(kawal.errors(), "");
}

/// One that reads slowly gets all that there was room for, each line whole.
#[test]
fn a_slow_reader_gets_whole_lines() {
    let app = App::start();
    let (kawal, pipe) = Plain::piped(Config::new(&app));
    load(&kawal, 4000);
    assert_eq!(kawal.page().value(DROPPED, &[]), 0.0);
    let reader = Reader::of(pipe);
    reader.waits_for(|text| text.matches("\"notification\"").count() == 4000);
    drop(kawal.end());
    let lines = reader.all();
    let told = lines.iter().filter(|line| line.is("notification")).count();
    assert_eq!(told, 4000);
}

/// Somebody who reads in small pieces.
struct Reader {
    text: Arc<Mutex<String>>,
    thread: JoinHandle<()>,
}

impl Reader {
    fn of(pipe: PipeReader) -> Self {
        let text = Arc::new(Mutex::new(String::new()));
        let inside = Arc::clone(&text);
        let thread = thread::spawn(move || {
            for line in BufReader::with_capacity(100, pipe).lines() {
                let line = line.unwrap() + "\n";
                inside.lock().unwrap().push_str(&line);
            }
        });
        Self { text, thread }
    }

    fn text(&self) -> String {
        self.text.lock().unwrap().clone()
    }

    fn waits_for(&self, holds: impl Fn(&str) -> bool) {
        until("it is read", || holds(&self.text()));
    }

    /// Every line, once nobody writes any more.
    fn all(self) -> Vec<Line> {
        self.thread.join().unwrap();
        let text = self.text.lock().unwrap();
        lines::read(Form::Json, &text)
    }
}

/// What the process holds in memory.
fn resident_kib(pid: u32) -> usize {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.unwrap().trim().trim_end_matches(" kB");
    number.parse().unwrap()
}
