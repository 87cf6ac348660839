//! An address where nobody answers, until somebody moves in.

use super::App;

/// An address that refuses connections, and is nobody else's, until an app opens there.
pub struct Vacant {
    socket: tokio::net::TcpSocket,
}

impl Vacant {
    pub fn new() -> Self {
        // Bound but not listening: the only way to keep a free port free.
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        Self { socket }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.socket.local_addr().unwrap())
    }

    pub fn open(self) -> App {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()
            .unwrap();
        let inside = runtime.enter();
        let listener = self.socket.listen(64).unwrap().into_std().unwrap();
        drop(inside);
        listener.set_nonblocking(false).unwrap();
        App::behind(listener)
    }
}
