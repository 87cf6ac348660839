//! The right key, and another message than ours.

use super::{Case, Cause, cause};
use crate::doctor::{moment, reformat};
use crate::intake::minify;
use crate::scheme::{Place, Scope, visible};

impl Case<'_> {
    pub(super) fn trailing_slash(&self) -> Option<Cause> {
        let path = self.known_path();
        let other = match path.strip_suffix('/') {
            Some(shorter) => shorter.to_owned(),
            None => format!("{path}/"),
        };
        let says = format!(
            "the gateway signed {other}: register the other URL, or set public_path: {other}"
        );
        self.holds_at(Some(&other))
            .then(|| cause("trailing-slash", says))
            .flatten()
    }

    /// The path that the message holds.
    fn known_path(&self) -> String {
        let path = self.route.public_path.as_deref();
        let path = path.unwrap_or(self.capture.path());
        path.split('?').next().unwrap_or_default().to_owned()
    }

    /// Signed with the query where the scheme leaves it out, or without it.
    pub(super) fn query(&self) -> Option<Cause> {
        let path = self.known_path();
        let (_, query) = self.capture.target().split_once('?')?;
        let whole = format!("{path}?{query}");
        let with = |message: Vec<u8>| replaced(message, &path, &whole);
        let without = |message: Vec<u8>| replaced(message, &whole, &path);
        let says = match (
            self.scheme.holds_for(self.trial(), &with),
            self.scheme.holds_for(self.trial(), &without),
        ) {
            (true, _) => "the gateway signed the path with its query, which the scheme leaves out",
            (_, true) => "the gateway signed the path without the query, which the scheme takes in",
            (false, false) => return None,
        };
        cause("query", says)
    }

    pub(super) fn path(&self) -> Option<Cause> {
        if !self.scheme.covers_path() {
            return None;
        }
        let path = self.capture.path();
        if self.route.public_path.is_some() && self.holds_at(None) {
            let says = "the gateway signed the path as it came: leave public_path out";
            return cause("public-path", says);
        }
        let hinted = self.hinted_paths();
        if let Some(signed) = hinted.iter().find(|hint| self.holds_at(Some(hint))) {
            let says =
                format!("the gateway signed {signed}: set public_path: {signed} on this route");
            return cause("public-path", says);
        }
        let ends = path.match_indices('/').filter_map(|(at, _)| path.get(at..));
        let mut others: Vec<String> = ends.skip(1).map(str::to_owned).collect();
        others.extend(USUAL_PREFIXES.map(|prefix| format!("{prefix}{path}")));
        others.extend([path.to_ascii_lowercase(), path.to_ascii_uppercase()]);
        let signed = others
            .into_iter()
            .find(|other| self.holds_at(Some(other)))?;
        let says = format!("the gateway signed {signed}: set public_path: {signed} on this route");
        cause("path", says)
    }

    /// Paths that the request or the configuration names.
    fn hinted_paths(&self) -> Vec<String> {
        let path = self.capture.path();
        let whole = [
            "X-Original-URI",
            "X-Original-URL",
            "X-Forwarded-Uri",
            "X-Rewrite-URL",
            "X-Envoy-Original-Path",
            "X-Forwarded-Path",
        ];
        let whole = whole.iter().filter_map(|name| self.capture.header(name));
        let prefixes = ["X-Forwarded-Prefix", "X-Script-Name"];
        let prefixes = prefixes.iter().filter_map(|name| self.capture.header(name));
        let prefixed = prefixes.map(|prefix| format!("{}{path}", prefix.trim_end_matches('/')));
        let routes = self.chart.routes.iter().flat_map(|route| {
            let public = route.public_path.as_deref();
            [Some(&*route.path), public].into_iter().flatten()
        });
        let all = whole.chain(routes).map(str::to_owned).chain(prefixed);
        all.filter(|hint| hint.starts_with('/') && hint != path)
            .collect()
    }

    pub(super) fn body(&self) -> Option<Cause> {
        let (body, whole) = (self.capture.body(), self.capture.whole_body());
        let of_whole = || self.body_from(whole.trim_ascii_end());
        self.body_from(body)
            .or_else(|| (whole != body).then(of_whole).flatten())
    }

    /// What was signed, made from this body.
    fn body_from(&self, body: &[u8]) -> Option<Cause> {
        let newlines = [
            Some([body, b"\n"].concat()),
            Some([body, b"\r\n"].concat()),
            body.strip_suffix(b"\n").map(<[u8]>::to_vec),
            body.strip_suffix(b"\r\n").map(<[u8]>::to_vec),
        ];
        let holds = |body: &Vec<u8>| self.holds_with(&self.capture.with_body(body.clone()));
        if newlines.iter().flatten().any(holds) {
            let says = "the body that was signed and the one that came differ by a line end: something on \
                        the way added or dropped one";
            return cause("body-newline", says);
        }
        let minified = minify(body).into_owned();
        if minified != body && holds(&minified) {
            let says = "the gateway signed the body without white space, and it came with some";
            return cause("body-minified", says);
        }
        let mut variants = reformat::variants(body).into_iter();
        let (how, _) = variants.find(|(_, body)| holds(body))?;
        cause(
            "body-reserialised",
            format!(
                "the gateway signed the same JSON written otherwise ({how}): something on the way wrote it anew"
            ),
        )
    }

    pub(super) fn bearer(&self) -> Option<Cause> {
        let value = self.capture.header("authorization")?;
        let kept = format!("Bearer {value}");
        let says = "the gateway signed the whole of Authorization, not the token alone";
        self.holds_with(&self.capture.with_header("Authorization", &kept))
            .then(|| cause("bearer", says))
            .flatten()
    }

    /// The same moment, written otherwise.
    pub(super) fn time(&self) -> Option<Cause> {
        let place = self.scheme.time_place()?;
        let header = match place {
            Place::Header(name) | Place::Entry(name, _) => name,
            Place::Query(_)
            | Place::Form(_)
            | Place::Param(_)
            | Place::Json(_)
            | Place::Item(_) => {
                return None;
            }
        };
        let sent = self.capture.header(header)?;
        let text = &*place.read(Scope::whole(self.received)).ok()??;
        let changed = |other: &str| self.capture.with_header(header, &sent.replace(text, other));
        let others = moment::otherwise(text);
        let other = others
            .into_iter()
            .find(|other| self.holds_with(&changed(other)))?;
        cause(
            "time-format",
            format!(
                "the gateway signed the time as `{other}`, and it came as `{}`",
                visible(text.as_bytes())
            ),
        )
    }

    pub(super) fn letter_case(&self) -> Option<Cause> {
        let method = self.received.head().method();
        let holds =
            |change: &dyn Fn(Vec<u8>) -> Vec<u8>| self.scheme.holds_for(self.trial(), change);
        let says = if holds(&|message| message.to_ascii_uppercase()) {
            "the gateway signed the message in upper case"
        } else if holds(&|message| message.to_ascii_lowercase()) {
            "the gateway signed the message in lower case"
        } else if holds(&|message| in_upper_case(message)) {
            "the gateway wrote the digest in the message in upper case"
        } else if holds(&|message| replaced(message, method, &method.to_ascii_lowercase())) {
            "the gateway signed the method in lower case"
        } else {
            return None;
        };
        cause("letter-case", says)
    }
}

/// What ingresses take away from paths most often.
const USUAL_PREFIXES: [&str; 14] = [
    "/api",
    "/api/v1",
    "/v1",
    "/v1.0",
    "/v1.1",
    "/v2",
    "/payment",
    "/payments",
    "/webhook",
    "/webhooks",
    "/callback",
    "/notify",
    "/public",
    "/index.php",
];

fn replaced(message: Vec<u8>, from: &str, to: &str) -> Vec<u8> {
    match String::from_utf8(message) {
        Ok(text) => text.replacen(from, to, 1).into_bytes(),
        Err(error) => error.into_bytes(),
    }
}

/// Every hex digest in upper case.
fn in_upper_case(message: Vec<u8>) -> Vec<u8> {
    let is_hex = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f');
    let mut changed = message;
    for run in changed.chunk_by_mut(|a, b| is_hex(a) == is_hex(b)) {
        if run.len() >= 32 {
            run.make_ascii_uppercase();
        }
    }
    changed
}
