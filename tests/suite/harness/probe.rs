//! A container's probes, asked from outside the pod as the kubelet asks them.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// One probe as the manifest declares it.
#[derive(Clone, Debug)]
pub struct Probe {
    port: u16,
    path: Option<String>,
    patience: Duration,
    pub delay: Duration,
    pub period: Duration,
    /// How many failures in a row are one too many.
    pub failures: u32,
}

impl Probe {
    /// The probe of this name, where the container has one.
    pub fn of(container: &Value, name: &str) -> Option<Self> {
        container
            .get(name)
            .map(|probe| Self::declared(container, probe))
    }

    /// What asks a port of this container: a probe, or a hook.
    pub fn declared(container: &Value, probe: &Value) -> Self {
        let http = &probe["httpGet"];
        let how = match http.is_object() {
            true => http,
            false => &probe["tcpSocket"],
        };
        assert!(how.is_object(), "the driver cannot ask {probe}");
        let seconds =
            |key: &str, default| Duration::from_secs(probe[key].as_u64().unwrap_or(default));
        Self {
            port: port(container, &how["port"]),
            path: http["path"].as_str().map(str::to_owned),
            patience: seconds("timeoutSeconds", 1),
            delay: seconds("initialDelaySeconds", 0),
            period: seconds("periodSeconds", 10),
            failures: u32::try_from(probe["failureThreshold"].as_u64().unwrap_or(3)).unwrap(),
        }
    }

    /// Asks once.
    pub fn succeeds(&self, pod: IpAddr) -> bool {
        self.ask(pod).unwrap_or(false)
    }

    fn ask(&self, pod: IpAddr) -> std::io::Result<bool> {
        let address = SocketAddr::new(pod, self.port);
        let mut stream = TcpStream::connect_timeout(&address, self.patience)?;
        let Some(path) = &self.path else {
            return Ok(true);
        };
        stream.set_read_timeout(Some(self.patience))?;
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nUser-Agent: kube-probe/1.33\r\nAccept: */*\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes())?;
        let mut line = [0; 12];
        stream.read_exact(&mut line)?;
        // 2xx and 3xx are well.
        Ok(line.starts_with(b"HTTP/1.1 ") && matches!(line.get(9), Some(b'2' | b'3')))
    }
}

/// A port of a container by its number or name.
pub fn port(container: &Value, port: &Value) -> u16 {
    let number = port.as_u64().or_else(|| {
        let ports = container["ports"].as_array()?;
        let found = ports.iter().find(|one| one["name"] == *port)?;
        found["containerPort"].as_u64()
    });
    let number = number.unwrap_or_else(|| panic!("no port {port} in {container}"));
    u16::try_from(number).unwrap()
}
