//! The ledger's scripts on a real server.

mod alike;
mod memory;
mod model;

use super::script::{Claimed, Scripts, Settled};
use crate::ledger::claim::Ending;
use crate::ledger::{Attempt, Basis, Key};
use crate::rejection::{Rejection, Stored};
use ::redis::{Client, Connection, cmd};
use jiff::Timestamp;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

const LEASE: Duration = Duration::from_secs(60);

/// A server of the test's own. It goes when this is dropped, and when the test is killed.
struct Server {
    shell: Child,
    folder: PathBuf,
}

impl Server {
    fn start() -> Self {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let name = format!("kawal-ledger-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let script = r#"
            redis-server --port 0 --unixsocket "$0/socket" --dir "$0" --save "" --appendonly no &
            read -r _; kill -KILL $!; rm -rf "$0"
        "#;
        let shell = Command::new("sh")
            .args(["-c", script])
            .arg(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { shell, folder }
    }

    fn store(&self) -> Store {
        let path = self.folder.join("socket");
        let until = Instant::now() + Duration::from_secs(30);
        let connection = loop {
            let client = Client::open(format!("unix:{}", path.display())).unwrap();
            match client.get_connection() {
                Ok(connection) => break connection,
                Err(error) => assert!(Instant::now() < until, "redis-server: {error}"),
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        let scripts = Scripts::new("test".into(), "process".into());
        Store {
            connection,
            scripts,
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}

/// What processes have in common.
struct Store {
    connection: Connection,
    scripts: Scripts,
}

impl Store {
    fn claim(&mut self, attempt: &Attempt, token: u128) -> Result<u32, Rejection> {
        let call = self.scripts.claim(attempt, token, Timestamp::now());
        match call.invoke(&mut self.connection).unwrap() {
            Claimed::Held(attempt) => Ok(attempt),
            Claimed::Not(why) => Err(why),
        }
    }

    /// True where it had a say.
    fn end(&mut self, attempt: &Attempt, token: u128, ending: &Ending) -> bool {
        match ending {
            Ending::Delivered { answer, .. } => {
                let call = self.scripts.settle(attempt, token, answer);
                let (settled, _, _): (Settled, i64, i64) =
                    call.invoke(&mut self.connection).unwrap();
                settled == Settled::Recorded
            }
            Ending::Free { seen } => {
                let call = self.scripts.release(attempt, token, *seen);
                call.invoke(&mut self.connection).unwrap()
            }
        }
    }

    fn empty(&mut self) {
        cmd("FLUSHALL").exec(&mut self.connection).unwrap();
    }

    /// As if so much time had passed that every lease is over.
    fn end_leases(&mut self) {
        self.change_entries("entry[5] = 0");
    }

    fn change_entries(&mut self, how: &str) {
        let script = r"
            for _, key in ipairs(redis.call('KEYS', '*}:*')) do
              if key:match('}:%x+$') then
                local entry = cmsgpack.unpack(redis.call('GET', key))
                CHANGE
                redis.call('SET', key, cmsgpack.pack(entry), 'KEEPTTL')
              end
            end";
        cmd("EVAL")
            .arg(script.replace("CHANGE", how))
            .arg(0)
            .exec(&mut self.connection)
            .unwrap();
    }

    /// As if so much time had passed that every entry is forgotten.
    fn end_memory(&mut self) {
        let script =
            "for _, key in ipairs(redis.call('KEYS', '*')) do redis.call('PEXPIRE', key, 0) end";
        cmd("EVAL")
            .arg(script)
            .arg(0)
            .exec(&mut self.connection)
            .unwrap();
    }

    /// How many entries would stay for ever, and for how long the longest lease still lasts.
    fn bounds(&mut self) -> (usize, Duration) {
        let script = r"
            local time, endless, longest = redis.call('TIME'), 0, 0
            local now = time[1] * 1000 + math.floor(time[2] / 1000)
            for _, key in ipairs(redis.call('KEYS', '*')) do
              if redis.call('PTTL', key) == -1 then endless = endless + 1 end
              local entry = key:match('}:%x+$') and cmsgpack.unpack(redis.call('GET', key))
              if entry and entry[1] == 1 then longest = math.max(longest, entry[5] - now) end
            end
            return {endless, longest}";
        let found = cmd("EVAL").arg(script).arg(0).query(&mut self.connection);
        let (endless, longest) = found.unwrap();
        (endless, Duration::from_millis(longest))
    }
}

fn attempt(key: u8, content: u8) -> Attempt {
    Attempt {
        key: Key([key; 32]),
        content: [content; 32],
        lease: LEASE,
        remember: Duration::from_secs(3600),
        unseen_since: None,
        basis: Basis::default(),
        now: Instant::now(),
    }
}

fn answer(body: &str) -> Stored {
    Stored {
        status: 200,
        content_type: None,
        body: body.as_bytes().into(),
    }
}
