//! The merchant's app: a small server that remembers every request byte for byte.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::visits::{Shared, State};
use super::{PATIENCE, Recorded, Reply};

#[derive(Clone, Debug)]
enum Place {
    Port(SocketAddr),
    Path(PathBuf),
}

/// A running app. It answers 200 `ok` unless told otherwise, and closes everything when dropped.
pub struct App {
    shared: Arc<Shared>,
    place: Place,
    door: Mutex<Option<JoinHandle<()>>>,
}

impl App {
    pub fn start() -> Self {
        Self::behind(TcpListener::bind("127.0.0.1:0").unwrap())
    }

    /// An app that comes back where one was before.
    pub fn start_on(port: u16) -> Self {
        Self::behind(TcpListener::bind(("127.0.0.1", port)).unwrap())
    }

    /// An app whose every answer is this one.
    pub fn answering(reply: Reply) -> Self {
        let app = Self::start();
        app.answer_with(move |_| reply.clone());
        app
    }

    pub fn on_unix_socket(path: &Path) -> Self {
        let listener = UnixListener::bind(path).unwrap();
        Self::open(Place::Path(path.to_owned()), move |shared| {
            let (stream, _) = listener.accept()?;
            let twin = stream.try_clone()?;
            let close = move || drop(twin.shutdown(Shutdown::Both));
            Ok(Shared::welcome(shared, stream, Arc::new(close)))
        })
    }

    /// An app behind a door that is open already.
    pub fn behind(listener: TcpListener) -> Self {
        let place = Place::Port(listener.local_addr().unwrap());
        Self::open(place, move |shared| {
            let (stream, _) = listener.accept()?;
            stream.set_nodelay(true)?;
            let twin = stream.try_clone()?;
            let close = move || drop(twin.shutdown(Shutdown::Both));
            Ok(Shared::welcome(shared, stream, Arc::new(close)))
        })
    }

    fn open<A>(place: Place, accept: A) -> Self
    where
        A: Fn(&Arc<Shared>) -> io::Result<bool> + Send + 'static,
    {
        let shared = Arc::new(Shared::default());
        let inside = Arc::clone(&shared);
        let door = thread::spawn(move || while accept(&inside).unwrap() {});
        Self {
            shared,
            place,
            door: Mutex::new(Some(door)),
        }
    }

    /// What stands under `upstream` in the configuration.
    pub fn url(&self) -> String {
        match &self.place {
            Place::Port(address) => format!("http://{address}"),
            Place::Path(path) => format!("unix:{}", path.display()),
        }
    }

    pub fn port(&self) -> u16 {
        match &self.place {
            Place::Port(address) => address.port(),
            Place::Path(_) => panic!("an app on a path has no port"),
        }
    }

    /// The answer to the next request that has none yet; queued ones go before everything else.
    pub fn next(&self, reply: Reply) -> &Self {
        self.state().next.push_back(reply);
        self
    }

    /// How to answer when nothing is queued.
    pub fn answer_with(&self, choose: impl Fn(&Recorded) -> Reply + Send + 'static) {
        self.state().choose = Some(Box::new(choose));
    }

    /// The next connections are accepted and closed before a byte is read.
    pub fn slam(&self, connections: usize) {
        self.state().slams += connections;
    }

    /// Lets every held answer go, now and from now on.
    pub fn release(&self) {
        self.state().released = true;
        self.shared.changed.notify_all();
    }

    /// Everything that reached the app whole, in order.
    pub fn requests(&self) -> Vec<Recorded> {
        self.state().requests.clone()
    }

    /// The same, each with the status that it was answered whole with, and how long the app took.
    pub fn answered(&self) -> Vec<(Recorded, Option<(u16, Duration)>)> {
        let state = self.state();
        let numbered = state.requests.iter().cloned().enumerate();
        let answer = |number| state.answers.get(&number).copied();
        numbered
            .map(|(number, request)| (request, answer(number)))
            .collect()
    }

    pub fn count(&self) -> usize {
        self.state().requests.len()
    }

    /// How often somebody connected.
    pub fn connections(&self) -> usize {
        self.state().connections
    }

    /// Waits until this many requests have come, and gives them all.
    pub fn wait_for(&self, requests: usize) -> Vec<Recorded> {
        let state = self.state();
        let (state, _) = self
            .shared
            .changed
            .wait_timeout_while(state, PATIENCE, |s| s.requests.len() < requests)
            .unwrap();
        let seen = state.requests.clone();
        // Whoever fails holds no lock: the rest of the tests goes on.
        drop(state);
        let count = seen.len();
        assert!(count >= requests, "{count} of {requests} requests came");
        seen
    }

    /// The one request that reached the app; fails if there were none or more.
    pub fn only(&self) -> Recorded {
        let mut requests = self.wait_for(1);
        assert_eq!(requests.len(), 1, "the app should have seen one request");
        requests.remove(0)
    }

    /// Lets nobody in any more, and ends every connection, in the middle of whatever it carries.
    pub fn close(&self) {
        if std::mem::replace(&mut self.state().stopping, true) {
            return;
        }
        self.release();
        // The door waits in accept: a last visitor makes it look at the flag.
        let visited = match &self.place {
            Place::Port(address) => TcpStream::connect(address).is_ok(),
            Place::Path(path) => UnixStream::connect(path).is_ok(),
        };
        if let Some(door) = self.door.lock().unwrap().take().filter(|_| visited) {
            let _ = door.join();
        }
        for close in self.state().closers.drain(..) {
            close();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap()
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.close();
    }
}
