//! A replica that sleeps longer than its claims hold: whoever takes over is not disturbed when it wakes.

use std::thread;
use std::time::Duration;

use crate::harness::{App, Config, Connection, Kawal, Reply, Store, doku};
use crate::refusals::assert_in_flight;

#[test]
fn a_replica_that_slept_past_its_lease_takes_nothing_from_its_successor() {
    let app = App::start();
    let config = Config::new(&app).on(&Store::Redis);
    let [sleeper, successor] = Kawal::replicas(&config.set("timeouts.upstream", "2s"));
    // The app answers while nobody reads: it refuses the one, and takes the other.
    let later = Duration::from_secs(1);
    app.next(Reply::new(500).delayed(later));
    app.next(Reply::ok().body("to the sleeper").delayed(later));
    let notifications = [doku("{}"), doku("{}")];
    let mut asleep = Vec::new();
    for (nth, notification) in notifications.iter().enumerate() {
        let mut connection = Connection::open(sleeper.addr());
        connection.write(&notification.bytes()).unwrap();
        app.wait_for(nth + 1);
        asleep.push(connection);
    }
    sleeper.signal("STOP");
    let waits = notifications.each_ref().map(|notification| {
        let held = successor.send(notification);
        assert_in_flight(&held);
        held.header("retry-after").unwrap().parse::<u64>().unwrap()
    });
    // The wait is the story: its claims end while it sleeps.
    thread::sleep(Duration::from_secs(waits[1] + 1));

    app.next(Reply::ok().body("to the successor").held());
    app.next(Reply::ok().body("to the successor").held());
    let mut awake = Vec::new();
    for (nth, notification) in notifications.iter().enumerate() {
        let mut connection = Connection::open(successor.addr());
        connection.write(&notification.bytes()).unwrap();
        let seen = app.wait_for(nth + 3).remove(nth + 2);
        assert_eq!(seen.all("x-kawal-attempt"), ["2"]);
        awake.push(connection);
    }
    sleeper.signal("CONT");
    // Whatever it says of what it slept through, it has no say any more.
    for connection in &mut asleep {
        let status = connection.read("POST").unwrap().status;
        assert!([200, 500, 504].contains(&status), "{status}");
    }
    for notification in &notifications {
        assert_in_flight(&successor.send(notification));
        assert_in_flight(&sleeper.send(notification));
    }
    assert_eq!(app.count(), 4, "a third attempt beside the second");

    app.release();
    for (notification, connection) in notifications.iter().zip(&mut awake) {
        let text = connection.read("POST").unwrap().text();
        assert_eq!(text, "to the successor");
        assert_eq!(sleeper.send(notification).text(), "to the successor");
    }
    assert_eq!(app.count(), 4);
}
