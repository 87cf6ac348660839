//! Connections: what an idle one takes, and what a notification costs when there are many.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::thread;
use std::time::Duration;

use super::{Curve, Field, Role};
use crate::Fallible;
use crate::account::memory;
use crate::load::Plan;
use crate::process::PATIENCE;
use crate::servers::{Server, USUAL, nginx_peer};
use crate::signer::{Kind, Times, head, own, rest};
use crate::trial::check_lines;

const IDLE: [usize; 5] = [0, 256, 1024, 2048, 4096];
const BUSY: [usize; 7] = [1, 8, 32, 128, 512, 2048, 4096];
const COUNT: usize = 20_000;
/// For each connection, so that opening it is not what is measured.
const EACH: usize = 20;

/// More connections than the default, and none is closed while it is looked at.
const MORE: &str = "limits: {connections: 9000}\ntimeouts: {idle: 1h}\n";

/// Memory of connections that wait: of those on which a notification was sent, and of those on which
/// nothing was yet.
pub(super) fn idle(field: &Field<'_>) -> Fallible<Curve> {
    let mut without = [0.0; 2];
    Curve::measure(
        ("Idle connections", "connections"),
        &IDLE,
        &[
            ("KiB each", 1, Role::Unit),
            ("before its first request", 1, Role::Beside),
            ("MiB", 1, Role::Told),
        ],
        field.rounds,
        |_, step| {
            let mut resident = [0.0; 2];
            for (resident, used) in resident.iter_mut().zip([false, true]) {
                let server = start(field)?;
                let open = open(&server, step, used)?;
                thread::sleep(Duration::from_millis(300));
                *resident = memory(server.process.pid())?.resident / 1024.0;
                drop(open);
            }
            if step == 0 {
                without = resident;
            }
            let each = |index: usize| {
                let value = |of: &[f64; 2]| of.get(index).copied().unwrap_or_default();
                (value(&resident) - value(&without)) / step as f64
            };
            let [_, used] = resident;
            Ok(vec![each(1), each(0), used / 1024.0])
        },
    )
}

fn open(server: &Server<'_>, count: usize, used: bool) -> Fallible<Vec<TcpStream>> {
    let times = Times::now()?;
    let rest = rest(&Kind::Doku, 90)?;
    let mut open = Vec::new();
    for number in 1..=count {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, server.port))?;
        if used {
            let whole = own(&Kind::Doku, number) + &rest;
            let head = head(&Kind::Doku, number, &times, whole.as_bytes())?;
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.write_all((head + &whole).as_bytes())?;
            let mut answer = [0; 4096];
            let length = stream.read(&mut answer)?;
            let answer = answer.get(..length).unwrap_or_default();
            if !answer.starts_with(b"HTTP/1.1 200 ") {
                return Err(String::from_utf8_lossy(answer).into_owned().into());
            }
        }
        open.push(stream);
    }
    Ok(open)
}

/// Cost of a notification while so many connections send; of a peer's too, for it is the kernel that
/// has more to do first.
pub(super) fn busy(field: &Field<'_>) -> Fallible<Curve> {
    let plan = |connections: usize| Plan {
        connections,
        count: COUNT.max(connections * EACH),
    };
    let most = BUSY.iter().map(|step| plan(*step).whole()).max();
    let set = field.sign(90, 1..1 + most.unwrap_or_default())?;
    Curve::measure(
        ("Connections that send", "connections"),
        &BUSY,
        &[
            ("CPU µs each", 1, Role::Unit),
            ("nginx + njs, HMAC only", 1, Role::Beside),
            ("per second", 0, Role::Told),
            ("p99 ms", 1, Role::Told),
            ("MiB after", 1, Role::Told),
        ],
        field.rounds,
        |_, step| {
            let peer = nginx_peer(field.guard, field.app.port, 16_384)?;
            let named = |fault| format!("nginx: {fault}");
            let beside = field.cost(&peer, &set, plan(step)).map_err(named)?;
            drop(peer);
            let server = start(field)?;
            let sample = field.cost(&server, &set, plan(step))?;
            check_lines(&server)?;
            Ok(vec![
                sample.user + sample.system,
                beside.user + beside.system,
                sample.rate,
                sample.p99 / 1e3,
                sample.after,
            ])
        },
    )
}

fn start<'a>(field: &Field<'a>) -> Fallible<Server<'a>> {
    field.start(&format!("{USUAL}{MORE}"), 200_000, 0)
}
