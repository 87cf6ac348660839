//! What happens inside the app: who comes in, what is remembered, what is answered.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, BufReader, Read, Write};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::Reply;
use super::recorded::{Recorded, read_request};

/// How to answer when nothing is queued.
pub type Choose = Box<dyn Fn(&Recorded) -> Reply + Send>;

/// What an app remembers and intends.
#[derive(Default)]
pub struct State {
    pub requests: Vec<Recorded>,
    /// The status of each that was answered whole, and how long the app took.
    pub answers: BTreeMap<usize, (u16, Duration)>,
    pub next: VecDeque<Reply>,
    pub choose: Option<Choose>,
    pub connections: usize,
    pub slams: usize,
    pub released: bool,
    pub stopping: bool,
    pub closers: Vec<Closer>,
}

/// Ends a connection from outside.
pub type Closer = Arc<dyn Fn() + Send + Sync>;

/// The part of an app that its threads hold together.
#[derive(Default)]
pub struct Shared {
    pub state: Mutex<State>,
    pub changed: Condvar,
}

impl Shared {
    /// Takes a connection in; false when the app is closing.
    pub fn welcome<S>(shared: &Arc<Self>, stream: S, close: Closer) -> bool
    where
        S: Read + Write + Send + 'static,
    {
        let mut state = shared.state.lock().unwrap();
        if state.stopping {
            return false;
        }
        state.connections += 1;
        if state.slams > 0 {
            state.slams -= 1;
            close();
            return true;
        }
        state.closers.push(Arc::clone(&close));
        drop(state);
        let shared = Arc::clone(shared);
        thread::spawn(move || {
            // How a connection ends is the other side's affair: what counts was recorded before.
            let _ = shared.converse(stream);
            // The twin that a closer holds would keep it open.
            close();
        });
        true
    }

    fn converse(&self, stream: impl Read + Write) -> io::Result<()> {
        let mut reader = BufReader::new(stream);
        while let Some(request) = read_request(&mut reader)? {
            let method = request.method.clone();
            let begun = Instant::now();
            let (number, reply) = self.record(request);
            if reply.held {
                self.wait_for_release();
            }
            thread::sleep(reply.delay);
            let goes_on = reply.play(&method, reader.get_mut())?;
            if reply.stalls() {
                self.wait_for_release();
            }
            if reply.is_whole() {
                let answer = (reply.status, begun.elapsed());
                self.state.lock().unwrap().answers.insert(number, answer);
            }
            if !goes_on {
                return Ok(());
            }
        }
        Ok(())
    }

    fn wait_for_release(&self) {
        let state = self.state.lock().unwrap();
        drop(self.changed.wait_while(state, |s| !s.released).unwrap());
    }

    fn record(&self, request: Recorded) -> (usize, Reply) {
        let mut state = self.state.lock().unwrap();
        let reply = state
            .next
            .pop_front()
            .or_else(|| state.choose.as_ref().map(|choose| choose(&request)))
            .unwrap_or_else(Reply::ok);
        state.requests.push(request);
        self.changed.notify_all();
        (state.requests.len() - 1, reply)
    }
}
