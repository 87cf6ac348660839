//! A wire between Kawal and its store on which a test says what becomes of a command or of its reply.
//! So the shipped binary can be held at any step, with no breakpoints in it.

use std::io::{self, BufReader, ErrorKind, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

use super::frames::{is_push, read_value, words};
use super::store_steps::{At, Command, Deed, Moment};
use super::store_traps::{Held, Traps};
use super::{Backend, Config, Redis, Script};

/// Sees each command and each reply. Dropping it ends every connection.
pub struct StoreProxy {
    traps: Arc<Traps>,
    address: SocketAddr,
    door: Option<JoinHandle<()>>,
}

impl StoreProxy {
    pub fn before(redis: &Redis) -> Self {
        let store = SocketAddr::from(([127, 0, 0, 1], redis.port()));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let traps = Arc::new(Traps::default());
        let inside = Arc::clone(&traps);
        let door = thread::spawn(move || {
            for kawal in listener.incoming() {
                if inside.is_closing() {
                    return;
                }
                // Without a store, or while it is away, the caller finds the door shut again.
                let Some(store) = TcpStream::connect(store).ok().filter(|_| !inside.is_away())
                else {
                    continue;
                };
                Wire::lay(&inside, kawal.unwrap(), store).unwrap();
            }
        });
        Self {
            traps,
            address,
            door: Some(door),
        }
    }

    pub fn url(&self) -> String {
        format!("redis://{}/0", self.address)
    }

    /// Stops a command or its reply, and all that comes after it on its connection, until told what to do.
    pub fn hold(&self, at: At) -> Held {
        Traps::hold(&self.traps, at)
    }

    /// Does this once.
    pub fn on(&self, at: At, deed: Deed) {
        self.traps.set(at, deed, false);
    }

    /// Does this every time until `clear`.
    pub fn on_every(&self, at: At, deed: Deed) {
        self.traps.set(at, deed, true);
    }

    /// Ends what is done every time.
    pub fn clear(&self) {
        self.traps.clear();
    }

    /// Ends every connection and takes no other until `back`.
    pub fn away(&self) {
        self.traps.away(true);
    }

    pub fn back(&self) {
        self.traps.away(false);
    }

    /// How many of this script Kawal has sent, whatever became of them.
    pub fn sent(&self, script: Script) -> usize {
        self.traps.sent(script)
    }

    /// The commands of this script that were passed on to the store, in order.
    pub fn passed(&self, script: Script) -> Vec<Command> {
        self.traps.passed(script)
    }

    /// Waits until this many were passed on.
    pub fn wait_for(&self, script: Script, count: usize) -> Vec<Command> {
        self.traps.wait_for(script, count)
    }
}

impl Drop for StoreProxy {
    fn drop(&mut self) {
        self.traps.close();
        // The door waits in accept: a last visitor makes it look at the flag.
        let visited = TcpStream::connect(self.address).is_ok();
        if let Some(door) = self.door.take().filter(|_| visited) {
            let _ = door.join();
        }
    }
}

impl Backend for StoreProxy {
    fn configure(&self, config: Config) -> Config {
        config
            .set("replay.store", "redis")
            .set("replay.redis.url", self.url())
    }
}

/// One connection of Kawal's, and the one to the store that belongs to it.
struct Wire {
    number: usize,
    traps: Arc<Traps>,
    kawal: TcpStream,
    store: TcpStream,
    silent: AtomicBool,
}

/// What the store owes a reply to.
struct Asked {
    command: Command,
    /// Kawal asked once, the store was asked twice.
    ours: bool,
}

impl Wire {
    fn lay(traps: &Arc<Traps>, kawal: TcpStream, store: TcpStream) -> io::Result<()> {
        kawal.set_nodelay(true)?;
        store.set_nodelay(true)?;
        let number = traps.keep(kawal.try_clone()?, store.try_clone()?);
        let wire = Arc::new(Self {
            number,
            traps: Arc::clone(traps),
            kawal,
            store,
            silent: AtomicBool::new(false),
        });
        let (owed, asked) = channel();
        let twin = Arc::clone(&wire);
        // How a connection ends is the other side's affair: what counts was recorded before.
        thread::spawn(move || {
            match wire.commands(&owed) {
                Err(e) if e.kind() == ErrorKind::ConnectionAborted => wire.cut(),
                // What Kawal has sent before it left is executed, and may be answered.
                _ => drop(wire.store.shutdown(Shutdown::Write)),
            }
        });
        thread::spawn(move || {
            let _ = twin.replies(&asked);
            twin.cut();
        });
        Ok(())
    }

    fn commands(&self, owed: &Sender<Asked>) -> io::Result<()> {
        let mut from = BufReader::new(&self.kawal);
        while let Some(raw) = read_value(&mut from)? {
            let command = self.traps.read(words(&raw)?);
            self.traps.note(&command);
            let times = match self.decide(Moment::Before, &command) {
                Deed::Cut => return Err(ErrorKind::ConnectionAborted.into()),
                Deed::Silence => 0,
                Deed::Pass => 1,
                Deed::Twice => 2,
            };
            for time in 0..times {
                let command = command.clone();
                self.traps.record(&command);
                let ours = time > 0;
                let _ = owed.send(Asked { command, ours });
                (&self.store).write_all(&raw)?;
            }
        }
        Ok(())
    }

    fn replies(&self, asked: &Receiver<Asked>) -> io::Result<()> {
        let mut from = BufReader::new(&self.store);
        while let Some(raw) = read_value(&mut from)? {
            if !is_push(&raw) {
                let Ok(asked) = asked.recv() else {
                    return Ok(());
                };
                if asked.ours {
                    continue;
                }
                match self.decide(Moment::After, &asked.command) {
                    Deed::Cut => return Ok(()),
                    Deed::Silence => continue,
                    Deed::Pass | Deed::Twice => {}
                }
            }
            (&self.kawal).write_all(&raw)?;
        }
        Ok(())
    }

    /// Once silent, always silent: a protocol without numbers cannot miss a single reply.
    fn decide(&self, moment: Moment, command: &Command) -> Deed {
        if self.silent.load(Ordering::SeqCst) {
            return Deed::Silence;
        }
        let deed = self.traps.decide(moment, command);
        if deed == Deed::Silence {
            self.silent.store(true, Ordering::SeqCst);
        }
        deed
    }

    fn cut(&self) {
        let _ = self.kawal.shutdown(Shutdown::Both);
        let _ = self.store.shutdown(Shutdown::Both);
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.traps.forget(self.number);
    }
}
