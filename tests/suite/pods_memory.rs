//! The example's memory limit holds when all that its configuration allows is there at once.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::harness::*;

/// The longest answer that is stored.
const ANSWER: usize = 8 * 1024;
/// The longest body that is observed.
const LARGEST: usize = 16 << 20;

#[test]
fn the_limit_holds_with_a_full_ledger_and_the_largest_bodies_on_every_connection() {
    let Some(kubelet) = Kubelet::find() else {
        return;
    };
    let template = Template::example()
        .reconfigured("mode: observe", "mode: enforce")
        .container("shop", |one| {
            let one = one.as_object_mut().unwrap();
            // How many threads the app may have is not asked here, and its probe would take the
            // place of one of the connections.
            one.remove("resources").unwrap();
            one.remove("readinessProbe").unwrap();
        });
    let config: Value = serde_yaml::from_str(&template.config_text()).unwrap();
    let number = |value: &Value| usize::try_from(value.as_u64().unwrap()).unwrap();
    let capacity = number(&config["replay"]["capacity"]);
    let connections = number(&config["limits"]["connections"]);
    let body = config["limits"]["body"].as_str().unwrap();
    let body = body.strip_suffix("KiB").unwrap().parse::<usize>().unwrap() * 1024;
    let pod = kubelet.start(&template);
    let (kawal, door) = (pod.container("kawal"), pod.address(&template.target_port()));
    pod.app().wait_for(|line| line["message"] == "listening");
    let limit = kawal.memory(("limit_in_bytes", "max"));
    assert_eq!(limit, 256 << 20);

    // What the app refuses is remembered as well: a retry is known as one.
    fill(door, capacity, 500, 0);
    fill(door, capacity - connections, 200, ANSWER);
    let held = hold(door, connections, body);
    until("the app has them all", || {
        pod.app().log().matches(r#"\"held\":true"#).count() == connections
    });
    let busy = doku("no connection is left").send(door);
    assert_eq!(
        (busy.status, &busy.json()["error"]),
        (503, &"saturated".into())
    );
    pod.app().signal("USR1");
    for mut connection in held {
        let answer = connection.read("POST").unwrap();
        assert_eq!((answer.status, answer.body.len()), (200, ANSWER));
    }

    let full = doku("no place is left").send(door);
    assert_eq!(
        (full.status, &full.json()["error"]),
        (503, &"saturated".into())
    );
    assert_eq!(kawal.restarts(), 0);
    assert_eq!(kawal.memory(("oom_control", "events")), 0);
    let most = kawal.most_resident();
    assert!(most < limit, "{most} of {limit} bytes");
}

/// While observing, bodies far above the limit are taken as well: of strangers too.
#[test]
fn the_limit_holds_while_large_bodies_are_observed() {
    let Some(kubelet) = Kubelet::find() else {
        return;
    };
    let template = Template::example();
    assert!(template.config_text().contains("mode: observe"));
    let pod = kubelet.start(&template);
    let (kawal, door) = (pod.container("kawal"), pod.address(&template.target_port()));
    let mut bytes = doku("").body(vec![b'x'; LARGEST]).bytes();
    // It does not end, so that it is held for as long as there is patience.
    bytes.pop();
    let upload = || {
        let mut stream = TcpStream::connect(door).unwrap();
        // Those that are not read from give up.
        stream
            .set_write_timeout(Some(Duration::from_secs(2)))
            .unwrap();
        let written = stream.write_all(&bytes);
        (stream, written)
    };
    let uploads: Vec<_> = thread::scope(|scope| {
        let started: Vec<_> = (0..24).map(|_| scope.spawn(upload)).collect();
        started.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let whole = uploads
        .iter()
        .filter(|(_, written)| written.is_ok())
        .count();
    assert!(whole > 0, "{uploads:?}");
    assert_eq!(doku("genuine").send(door).text(), "ok");
    assert_eq!(kawal.restarts(), 0);
    assert_eq!(kawal.memory(("oom_control", "events")), 0);
}

/// So many notifications, answered like this.
fn fill(door: SocketAddr, count: usize, status: u16, answer: usize) {
    const SENDERS: usize = 8;
    thread::scope(|scope| {
        for sender in 0..SENDERS {
            scope.spawn(move || {
                let mut connection = Connection::open(door);
                for _ in (sender..count).step_by(SENDERS) {
                    let body = format!(r#"{{"status":{status},"answer_bytes":{answer}}}"#);
                    assert_eq!(connection.send(&doku(body)).status, status);
                }
            });
        }
    });
}

/// So many connections, each with a body of this size, which the app does not answer yet.
fn hold(door: SocketAddr, connections: usize, size: usize) -> Vec<Connection> {
    let words = format!(r#"{{"held":true,"answer_bytes":{ANSWER},"rest":""#);
    let body = format!(r#"{words}{}"}}"#, "x".repeat(size - words.len() - 2));
    assert_eq!(body.len(), size);
    let open = |_| {
        let mut connection = Connection::open(door);
        connection.write(&doku(&body).bytes()).unwrap();
        connection
    };
    (0..connections).map(open).collect()
}
