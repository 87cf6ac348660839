//! What is under way while a reload happens ends under the configuration that it began with.

use std::io::{BufReader, Write};
use std::net::TcpStream;

use serde_json::json;

use crate::harness::gateway::{BRN, BRN_SECRET};
use crate::harness::wire::{Response, read_head, read_response};
use crate::harness::{
    App, Config, Connection, Doku, Kawal, PATIENCE, Qris, Reply, Request, doku, pivot, until,
};

/// A notification whose body is still to come; its head has been read and answered with 100.
struct Begun {
    reader: BufReader<TcpStream>,
    body: Vec<u8>,
}

impl Begun {
    fn with(kawal: &Kawal, request: &Request) -> Self {
        let request = request.clone().header("Expect", "100-continue");
        let bytes = request.bytes();
        let (head, body) = bytes.split_at(bytes.len() - request.body.len());
        let mut stream = TcpStream::connect(kawal.addr()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(head).unwrap();
        let mut reader = BufReader::new(stream);
        let told = read_head(&mut reader).unwrap().unwrap().first;
        assert!(told.starts_with("HTTP/1.1 100"), "{told}");
        Self {
            reader,
            body: body.to_vec(),
        }
    }

    fn write(&mut self, part: std::ops::Range<usize>) {
        let part = &self.body[part];
        self.reader.get_mut().write_all(part).unwrap();
    }

    /// Sends what is left after so many bytes.
    fn end(mut self, sent: usize) -> Response {
        let length = self.body.len();
        self.write(sent..length);
        read_response(&mut self.reader, "POST").unwrap()
    }
}

/// Without the gateway and its route, and with the app elsewhere.
fn without_doku(kawal: &Kawal) -> Config {
    let pivot = json!([{"path": "/payments/pivot", "gateway": "pivot"}]);
    let config = kawal.config.clone().without("gateways.doku");
    config.without("gateways.doku-qris").set("routes", pivot)
}

#[test]
fn a_body_on_its_way_is_judged_by_the_keys_of_its_beginning() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let signed = Doku::new("a".repeat(3000)).client(BRN, BRN_SECRET).sign();
    let mut begun = Begun::with(&kawal, &signed);
    begun.write(0..1000);
    kawal.config.secret("brn", "SK-another-canary-secret");
    kawal.hang_up();
    assert_eq!(kawal.send(&doku("{}")).status, 401);
    begun.write(1000..2000);
    kawal.hang_up();
    assert_eq!(begun.end(2000).status, 200);
    assert!(app.only().body == signed.body);
}

#[test]
fn a_body_on_its_way_keeps_its_route_its_limit_and_its_app() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let elsewhere = App::start();
    let forged = doku("b".repeat(3000)).body("forged".repeat(500));
    let [genuine, forged] = [doku("a".repeat(3000)), forged].map(|r| Begun::with(&kawal, &r));
    let config = without_doku(&kawal)
        .set("upstream", elsewhere.url())
        .set("limits.body", "1KiB")
        .set("timeouts.body", "1ms");
    kawal.reload(&config);
    assert_eq!(kawal.send(&doku("{}")).status, 404);
    assert_eq!(genuine.end(0).status, 200);
    assert_eq!(forged.end(0).status, 401);
    assert_eq!((app.count(), elsewhere.count()), (1, 0));
}

/// Its answer arrives, and it counts as delivered for whoever comes after.
#[test]
fn what_is_at_the_app_is_answered_though_its_route_is_gone() {
    let app = App::start();
    app.next(Reply::new(201).body("taken").held());
    let kawal = Kawal::start(Config::new(&app));
    let notification = doku("{}");
    let mut gateway = Connection::open(kawal.addr());
    gateway.write(&notification.bytes()).unwrap();
    app.wait_for(1);
    let elsewhere = App::start();
    kawal.reload(&without_doku(&kawal).set("upstream", elsewhere.url()));
    assert_eq!(kawal.send(&notification).status, 404);
    app.release();
    let answer = gateway.read("POST").unwrap();
    assert_eq!((answer.status, &*answer.text()), (201, "taken"));
    // The next one on this connection finds what is there by now.
    assert_eq!(gateway.send(&notification).status, 404);
    assert_eq!(gateway.send(&pivot("{}")).status, 200);
    assert_eq!(elsewhere.count(), 1);

    kawal.reload(&kawal.config);
    let again = kawal.send(&notification);
    assert_eq!((again.status, &*again.text()), (201, "taken"));
    assert_eq!(app.count(), 1);
}

#[test]
fn the_app_has_the_time_that_it_had_at_the_beginning() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app).set("timeouts.upstream", "1h"));
    let short = kawal.config.clone().set("timeouts.upstream", "100ms");
    app.next(Reply::ok().held());
    let mut patient = Connection::open(kawal.addr());
    patient.write(&doku("{}").bytes()).unwrap();
    app.wait_for(1);
    kawal.reload(&short);
    // When this one has been given up, the other has long been there.
    app.next(Reply::ok().held());
    assert_eq!(kawal.send(&doku("{}")).status, 504);
    app.next(Reply::ok().held());
    assert_eq!(kawal.send(&doku("{}")).status, 504);
    app.release();
    assert_eq!(patient.read("POST").unwrap().status, 200);
}

#[test]
fn the_app_has_no_more_time_than_it_had_at_the_beginning() {
    let app = App::answering(Reply::ok().held());
    let kawal = Kawal::start(Config::new(&app).set("timeouts.upstream", "3s"));
    let mut gateway = Connection::open(kawal.addr());
    gateway.write(&doku("{}").bytes()).unwrap();
    app.wait_for(1);
    kawal.reload(&kawal.config.clone().set("timeouts.upstream", "1h"));
    assert_eq!(gateway.read("POST").unwrap().status, 504);
}

/// How it is answered is settled with its route.
#[test]
fn an_answer_has_the_form_of_its_beginning() {
    let app = App::answering(Reply::new(201).body("taken").held());
    let kawal = Kawal::start(Config::new(&app));
    let qris = Qris::new().sign();
    let mut gateway = Connection::open(kawal.addr());
    gateway.write(&qris.bytes()).unwrap();
    app.wait_for(1);
    kawal.reload(
        &kawal
            .config
            .clone()
            .on_route("/payments/qris", "respond", "app"),
    );
    app.release();
    assert!(gateway.read("POST").unwrap().text().contains("SUCCESS"));
    let next = kawal.send(&Qris::new().sign());
    assert_eq!((next.status, &*next.text()), (201, "taken"));
}

#[test]
fn what_is_forwarded_unverified_ends_though_nothing_more_is() {
    let app = App::start();
    app.next(Reply::ok().body("streamed").held());
    let kawal = Kawal::start(Config::new(&app).set("unmatched", "forward"));
    let mut client = Connection::open(kawal.addr());
    client
        .write(&Request::new("GET", "/elsewhere").bytes())
        .unwrap();
    app.wait_for(1);
    kawal.reload(&kawal.config.clone().set("unmatched", "reject"));
    assert_eq!(kawal.send(&Request::new("GET", "/elsewhere")).status, 404);
    app.release();
    assert_eq!(client.read("GET").unwrap().text(), "streamed");
}

/// The drain is that of the newest configuration, and waits for what is older.
#[test]
fn a_drain_after_a_reload_waits_for_what_began_before() {
    let app = App::answering(Reply::ok().held());
    let mut kawal = Kawal::start(Config::new(&app).set("timeouts.drain", "1ms"));
    let mut gateway = Connection::open(kawal.addr());
    gateway.write(&doku("{}").bytes()).unwrap();
    app.wait_for(1);
    kawal.reload(&kawal.config.clone().set("timeouts.drain", "1h"));
    let mut newer = Connection::open(kawal.addr());
    newer.write(&doku("{}").bytes()).unwrap();
    app.wait_for(2);
    kawal.signal_term();
    until("it drains", || kawal.admin("/readyz").status == 503);
    app.release();
    for connection in [&mut gateway, &mut newer] {
        assert_eq!(connection.read("POST").unwrap().status, 200);
    }
    assert_eq!(kawal.wait_exit().code(), Some(0));
}

/// Whoever reloads while it ends ends nothing sooner, and begins nothing anew.
#[test]
fn a_hangup_while_draining_loses_nothing() {
    let app = App::answering(Reply::ok().held());
    let mut kawal = Kawal::start(Config::new(&app));
    let mut gateway = Connection::open(kawal.addr());
    gateway.write(&doku("{}").bytes()).unwrap();
    app.wait_for(1);
    kawal.signal_term();
    kawal.wait_for_log(|line| line["message"] == "draining");
    for _ in 0..3 {
        kawal.signal("HUP");
    }
    until("readiness says no", || kawal.admin("/readyz").status == 503);
    assert!(kawal.runs());
    app.release();
    assert_eq!(gateway.read("POST").unwrap().status, 200);
    assert_eq!(kawal.wait_exit().code(), Some(0));
}
