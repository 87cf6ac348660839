//! What stands before the pods of a Service: it gives each connection to the next endpoint, as kube-proxy
//! does, and knows neither what is sent nor whether it was answered.

use std::io::{self, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

/// A balancer at work. Dropping it takes no more connections; those that are open go on.
pub struct Balancer {
    shared: Arc<Shared>,
    address: SocketAddr,
    door: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    endpoints: Mutex<Vec<SocketAddr>>,
    closing: AtomicBool,
}

impl Balancer {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        let inside = Arc::clone(&shared);
        let door = thread::spawn(move || {
            for (number, caller) in listener.incoming().enumerate() {
                if inside.closing.load(Ordering::Relaxed) {
                    return;
                }
                // Without an endpoint, or one that refuses, the caller finds its connection closed.
                if let Some(pod) = inside
                    .endpoint(number)
                    .and_then(|pod| TcpStream::connect(pod).ok())
                {
                    join(caller.unwrap(), pod).unwrap();
                }
            }
        });
        Self {
            shared,
            address,
            door: Some(door),
        }
    }

    /// Where gateways send to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// New connections go to these from now on; open ones stay where they are.
    pub fn lead_to(&self, endpoints: &[SocketAddr]) {
        *self.shared.endpoints.lock().unwrap() = endpoints.to_vec();
    }
}

impl Shared {
    fn endpoint(&self, number: usize) -> Option<SocketAddr> {
        let endpoints = self.endpoints.lock().unwrap();
        endpoints
            .iter()
            .cycle()
            .nth(number % endpoints.len().max(1))
            .copied()
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.shared.closing.store(true, Ordering::Relaxed);
        // The door waits in accept: a last visitor makes it look at the flag.
        let visited = TcpStream::connect(self.address).is_ok();
        if let Some(door) = self.door.take().filter(|_| visited) {
            let _ = door.join();
        }
    }
}

fn join(caller: TcpStream, pod: TcpStream) -> io::Result<()> {
    for stream in [&caller, &pod] {
        stream.set_nodelay(true)?;
    }
    let (from_caller, from_pod) = (caller.try_clone()?, pod.try_clone()?);
    thread::spawn(move || copy(from_caller, pod));
    thread::spawn(move || copy(from_pod, caller));
    Ok(())
}

fn copy(mut from: TcpStream, mut to: TcpStream) {
    // An end of one side, of whichever kind, is an end for the other.
    let _ = io::copy(&mut from, &mut to);
    let _ = to.flush();
    let _ = to.shutdown(Shutdown::Write);
}
