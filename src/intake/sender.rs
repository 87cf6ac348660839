//! Who sent a request, where proxies stand in between.

use super::Head;
use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};

/// The address of whoever sent a request: of the connection, or what the last of the `trusted` proxies says
/// of its own. Each proxy adds the address of its peer at the right of `X-Forwarded-For`, so what stands left of an
/// address that nobody trusts may be invented. `None` where that is no address. Source:
/// <https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/X-Forwarded-For>
#[must_use]
pub fn sender(head: &Head, peer: Option<IpAddr>, trusted: &[IpNet]) -> Option<IpAddr> {
    // An IPv4 client of a dual-stack listener has a mapped address.
    let mut sender = peer?.to_canonical();
    let is_trusted = |address: &IpAddr| trusted.iter().any(|net| net.contains(address));
    if !is_trusted(&sender) {
        return Some(sender);
    }
    let lines: Vec<&str> = head
        .headers()
        .filter(|(name, _)| name.eq_ignore_ascii_case("x-forwarded-for"))
        .map(|(_, value)| value)
        .collect();
    let entries = lines.iter().rev().flat_map(|line| line.rsplit(','));
    // Empty elements of a list say nothing (RFC 9110 §5.6.1.2).
    let entries = entries.map(str::trim).filter(|entry| !entry.is_empty());
    for entry in entries {
        sender = address(entry)?;
        if !is_trusted(&sender) {
            break;
        }
    }
    Some(sender)
}

/// An address, with or without a port or brackets.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let address = bare.unwrap_or(text).parse::<IpAddr>().ok();
    let with_port = || text.parse::<SocketAddr>().ok().map(|with| with.ip());
    address
        .or_else(with_port)
        .map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn believes_trusted_proxies_from_the_right() {
        let trusted = ["10.0.0.0/8", "fd00::/8"].map(|net| net.parse().unwrap());
        for (peer, forwarded, expected) in [
            ("10.0.0.1", "", Some("10.0.0.1")),
            ("10.0.0.1", "X-Forwarded-For: 1.2.3.4", Some("1.2.3.4")),
            (
                "::ffff:10.0.0.1",
                "x-forwarded-for: ::ffff:1.2.3.4",
                Some("1.2.3.4"),
            ),
            ("192.0.2.1", "X-Forwarded-For: 1.2.3.4", Some("192.0.2.1")),
            (
                "10.0.0.1",
                "X-Forwarded-For: 9.9.9.9, 1.2.3.4,10.0.0.2",
                Some("1.2.3.4"),
            ),
            (
                "10.0.0.1",
                "X-Forwarded-For: 9.9.9.9\r\nX-Forwarded-For: 1.2.3.4",
                Some("1.2.3.4"),
            ),
            (
                "10.0.0.1",
                "X-Forwarded-For: 10.0.0.3, 10.0.0.2",
                Some("10.0.0.3"),
            ),
            (
                "10.0.0.1",
                "X-Forwarded-For: 1.2.3.4:5678, , ",
                Some("1.2.3.4"),
            ),
            (
                "fd00::1",
                "X-Forwarded-For: [2001:db8::1]:443",
                Some("2001:db8::1"),
            ),
            (
                "fd00::1",
                "X-Forwarded-For: [2001:db8::1]",
                Some("2001:db8::1"),
            ),
            ("10.0.0.1", "X-Forwarded-For: 1.2.3.4, unknown", None),
            (
                "10.0.0.1",
                "X-Forwarded-For: unknown, 1.2.3.4",
                Some("1.2.3.4"),
            ),
        ] {
            let line = match forwarded {
                "" => String::new(),
                header => format!("{header}\r\n"),
            };
            let raw = format!("POST / HTTP/1.1\r\nHost: h\r\n{line}\r\n");
            let head = Head::parse(raw.as_bytes()).unwrap();
            let found = sender(&head, Some(peer.parse().unwrap()), &trusted);
            let expected = expected.map(|text| text.parse::<IpAddr>().unwrap());
            assert_eq!(found, expected, "{peer} {forwarded}");
        }
    }
}
