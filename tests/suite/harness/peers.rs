//! Senders at other addresses of this machine.

use std::io::{BufReader, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};

use tokio::net::TcpSocket;

use super::wire::read_response;
use super::{PATIENCE, Request, Response};

/// Sends it from this address, over a connection of its own.
pub fn send_from(source: &str, to: SocketAddr, request: &Request) -> Response {
    let mut stream = connect_from(source.parse().unwrap(), to);
    // Who is refused early may not be read to the end: the answer still counts.
    let _ = stream.write_all(&request.bytes());
    let answer = read_response(&mut BufReader::new(stream), &request.method);
    answer.unwrap_or_else(|error| panic!("no answer to {source}: {error}"))
}

/// The standard library binds no socket before it connects.
fn connect_from(source: IpAddr, to: SocketAddr) -> TcpStream {
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_io().build().unwrap();
    let stream = runtime.block_on(async {
        let socket = match source {
            IpAddr::V4(_) => TcpSocket::new_v4(),
            IpAddr::V6(_) => TcpSocket::new_v6(),
        };
        let socket = socket.unwrap();
        socket.bind(SocketAddr::new(source, 0)).unwrap();
        socket.connect(to).await.unwrap().into_std().unwrap()
    });
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}
