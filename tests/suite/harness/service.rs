//! One address in front of servers that come and go, as a Service of Kubernetes is.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

/// Passes bytes on to whichever server stands behind it.
pub struct Service {
    address: SocketAddr,
    shared: Arc<Mutex<State>>,
    door: Option<JoinHandle<()>>,
}

struct State {
    /// Where new connections lead; nowhere, when none.
    target: Option<SocketAddr>,
    open: Vec<TcpStream>,
    /// Words in what the server says, and those that the client hears instead.
    altered: Option<(Vec<u8>, Vec<u8>)>,
    stopping: bool,
}

impl Service {
    pub fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let shared = Arc::new(Mutex::new(State {
            target: Some(target),
            open: Vec::new(),
            altered: None,
            stopping: false,
        }));
        let inside = Arc::clone(&shared);
        Self {
            address: listener.local_addr().unwrap(),
            shared,
            door: Some(thread::spawn(move || open_door(&listener, &inside))),
        }
    }

    /// A server that says these words instead of those, which are as long.
    pub fn altering(target: SocketAddr, said: &str, heard: &str) -> Self {
        assert_eq!(said.len(), heard.len(), "replies tell their length");
        let service = Self::to(target);
        service.shared.lock().unwrap().altered = Some((said.into(), heard.into()));
        service
    }

    pub fn url(&self) -> String {
        format!("redis://{}/0", self.address)
    }

    /// Ends what is open, and leads elsewhere from now on.
    pub fn turn_to(&self, target: SocketAddr) {
        let mut state = self.shared.lock().unwrap();
        state.target = Some(target);
        state.cut();
    }
}

impl State {
    fn cut(&mut self) {
        for stream in self.open.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let mut state = self.shared.lock().unwrap();
        state.stopping = true;
        state.cut();
        drop(state);
        // The door waits in accept: a last visitor makes it look at the flag.
        let visited = TcpStream::connect(self.address).is_ok();
        if let Some(door) = self.door.take().filter(|_| visited) {
            let _ = door.join();
        }
    }
}

fn open_door(listener: &TcpListener, shared: &Arc<Mutex<State>>) {
    loop {
        let (client, _) = listener.accept().unwrap();
        let mut state = shared.lock().unwrap();
        if state.stopping {
            return;
        }
        let target = state.target.map(TcpStream::connect);
        let Some(Ok(server)) = target else {
            continue;
        };
        for stream in [&client, &server] {
            let _ = stream.set_nodelay(true);
            state.open.push(stream.try_clone().unwrap());
        }
        let ways = [
            (
                client.try_clone().unwrap(),
                server.try_clone().unwrap(),
                None,
            ),
            (server, client, state.altered.clone()),
        ];
        for (from, to, altered) in ways {
            thread::spawn(move || pass_on(from, to, altered));
        }
    }
}

/// Until one side ends, which ends the other.
fn pass_on(mut from: TcpStream, mut to: TcpStream, altered: Option<(Vec<u8>, Vec<u8>)>) {
    let mut buffer = [0; 65536];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        let bytes = &mut buffer[..length];
        if let Some((said, heard)) = &altered {
            replace(bytes, said, heard);
        }
        if to.write_all(bytes).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

fn replace(bytes: &mut [u8], said: &[u8], heard: &[u8]) {
    let mut at = 0;
    while at + said.len() <= bytes.len() {
        if bytes[at..].starts_with(said) {
            bytes[at..at + said.len()].copy_from_slice(heard);
        }
        at += 1;
    }
}
