//! `kawal sign`: a signed notification, as the gateway would send it.

use super::notification::{Body, Sender, new_id};
use super::sample::Sample;
use super::{Exit, complain, say};
use crate::config::Config;
use crate::route::{Gateway, Purpose, Route};
use crate::scheme::{Draft, Unsigned};
use crate::secret::{Client, KeyKind};
use clap::ValueEnum;
use jiff::Timestamp;
use std::io::Read as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

/// What is to be signed.
#[derive(clap::Args)]
pub(super) struct Order {
    /// The gateway that signs, by its name in the configuration
    #[arg(long, value_name = "G")]
    pub(super) gateway: String,
    /// The path that is called, with a query if wanted
    #[arg(long, value_name = "P")]
    pub(super) path: String,
    /// The body, - for stdin [default: a sample]
    #[arg(long, value_name = "FILE", conflicts_with = "sample")]
    pub(super) body: Option<PathBuf>,
    /// A built-in sample, such as va-bca, qris, snap-va, pivot-paid [default: the scheme's first]
    #[arg(long, value_name = "NAME")]
    pub(super) sample: Option<String>,
    /// The client that is notified [default: the first]
    #[arg(long, value_name = "ID")]
    pub(super) client: Option<String>,
    /// The signed time, RFC 3339 or seconds since 1970 [default: now]
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(super) at: Option<Timestamp>,
    /// The id of the notification; the same makes a repeat [default: a new one]
    #[arg(long)]
    pub(super) id: Option<String>,
}

/// How it is printed.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum As {
    /// The whole request, which `kawal verify` reads
    Http,
    /// The header lines alone
    Headers,
    /// A command for a shell
    Curl,
}

/// Why nothing was signed: the exit code and a sentence.
pub(super) type Refused = (Exit, String);

pub(super) fn run(config: &Config, order: &Order, form: As) -> Exit {
    match sign(config, order, form) {
        Ok(text) => say(&text, Exit::Done),
        Err((exit, why)) => {
            complain(&why);
            exit
        }
    }
}

fn sign(config: &Config, order: &Order, form: As) -> Result<String, Refused> {
    let plan = order.plan(config)?;
    let id = order.id.clone().unwrap_or_else(new_id);
    let draft = plan.compose(&id, order.at.unwrap_or_else(Timestamp::now))?;
    Ok(match form {
        As::Http => String::from_utf8_lossy(&draft.bytes("localhost")).into_owned(),
        As::Headers if plan.proves_in_header() => draft
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\n"))
            .collect(),
        As::Headers => {
            let says = format!(
                "scheme {} has its proof in no header; take --as http or --as curl",
                plan.gateway.scheme.name()
            );
            return Err((Exit::WrongUsage, says));
        }
        As::Curl if draft.body.contains('\0') => {
            let says = "no shell takes a body that holds a NUL byte; take --as http";
            return Err((Exit::WrongUsage, says.into()));
        }
        As::Curl => curl(&draft, config.listen),
    })
}

/// An order that can be filled.
pub(super) struct Plan<'a> {
    gateway: &'a Gateway,
    client: &'a Client,
    route: &'a Route,
    target: &'a str,
    body: Body,
}

impl Order {
    /// Looks everything up.
    pub(super) fn plan<'a>(&'a self, config: &'a Config) -> Result<Plan<'a>, Refused> {
        let usage = |says: String| (Exit::WrongUsage, says);
        let sound = |byte: u8| byte.is_ascii_graphic() && byte != b'#';
        if !self.path.starts_with('/') || !self.path.bytes().all(sound) {
            let says = "is no path; right is, for example, /payments/notifications";
            return Err(usage(format!(
                "--path `{}` {says}",
                self.path.escape_debug()
            )));
        }
        if self
            .id
            .as_ref()
            .is_some_and(|id| id.is_empty() || !id.bytes().all(|b| b.is_ascii_graphic()))
        {
            return Err(usage("--id takes visible ASCII without spaces".into()));
        }
        let named = |gateway: &&Gateway| *gateway.name == *self.gateway;
        let Some(gateway) = config.gateways.iter().map(AsRef::as_ref).find(named) else {
            let names: Vec<&str> = config
                .gateways
                .iter()
                .map(|gateway| &*gateway.name)
                .collect();
            let names = names.join(", ");
            return Err(usage(format!(
                "no gateway `{}` here; there are {names}",
                self.gateway
            )));
        };
        if gateway.scheme.key_kind() == KeyKind::PublicKey {
            let says = format!(
                "scheme {} verifies with a public key: only the gateway has the key that signs",
                gateway.scheme.name()
            );
            return Err((Exit::No, says));
        }
        Ok(Plan {
            client: self.find_client(gateway)?,
            route: self.find_route(config, gateway)?,
            target: &self.path,
            body: self.find_body(gateway)?,
            gateway,
        })
    }

    fn find_route<'a>(&self, config: &'a Config, gateway: &Gateway) -> Result<&'a Route, Refused> {
        let path = self.path.split('?').next().unwrap_or_default();
        let is_its_own = |route: &&Route| route.gateway.name == gateway.name;
        let mut routes = config.routes.iter().filter(is_its_own);
        match routes.find(|route| *route.path == *path) {
            Some(route) if route.purpose == Purpose::Token => {
                let says =
                    "is asked for access tokens: only the gateway has the key that signs for them";
                Err((Exit::No, format!("{path} {says}")))
            }
            Some(route) => Ok(route),
            None => {
                let routes = config.routes.iter().filter(is_its_own);
                let notify = routes.filter(|route| route.purpose == Purpose::Notify);
                let known: Vec<&str> = notify.map(|route| &*route.path).collect();
                let (name, known) = (&gateway.name, known.join(", "));
                let says =
                    format!("no route of gateway {name} has the path {path}; there are {known}");
                Err((Exit::WrongUsage, says))
            }
        }
    }

    fn find_client<'a>(&self, gateway: &'a Gateway) -> Result<&'a Client, Refused> {
        let clients = gateway.ring.clients();
        let client = match &self.client {
            None => clients.first(),
            Some(id) => clients
                .iter()
                .find(|client| client.id.as_deref() == Some(id)),
        };
        client.ok_or_else(|| {
            let ids = clients.iter().filter_map(|client| client.id.as_deref());
            let known = match ids.collect::<Vec<_>>().join(", ") {
                none if none.is_empty() => "its clients have no ids; leave --client out".to_owned(),
                ids => format!("there are {ids}"),
            };
            let (name, id) = (&gateway.name, self.client.as_deref().unwrap_or_default());
            (
                Exit::WrongUsage,
                format!("gateway {name} has no client `{id}`; {known}"),
            )
        })
    }

    fn find_body(&self, gateway: &Gateway) -> Result<Body, Refused> {
        let usage = |says: String| (Exit::WrongUsage, says);
        if let Some(file) = &self.body {
            return read(file).map(Body::Own).map_err(usage);
        }
        let scheme = gateway.scheme.name();
        let sample = match &self.sample {
            Some(name) => Sample::find(name).ok_or_else(|| {
                let names = Sample::names();
                usage(format!("no sample `{name}`; there are {names}"))
            })?,
            None => Sample::of_scheme(scheme).ok_or_else(|| {
                let says = "has no sample of its own; give --body FILE or --sample NAME";
                usage(format!("scheme {scheme} {says}"))
            })?,
        };
        Ok(Body::Sample(sample))
    }
}

impl Plan<'_> {
    pub(super) fn compose(&self, id: &str, at: Timestamp) -> Result<Draft, Refused> {
        let id_of_client = self.client.id.as_deref().unwrap_or_default();
        let issuer = self.gateway.issuer.as_ref();
        let token = issuer.and_then(|issuer| issuer.sample(id_of_client, at).ok());
        let sender = Sender {
            scheme: &self.gateway.scheme,
            token: token.as_deref(),
            client: self.client,
            method: self.route.methods.first().map_or("POST", |method| method),
            target: self.target,
            public_path: self.route.public_path.as_deref(),
            body: &self.body,
            signer: None,
        };
        sender.compose(id, at).map_err(|why| match why {
            Unsigned::GatewayOnly => (Exit::No, why.to_string()),
            Unsigned::Lacks(_) => (Exit::WrongUsage, why.to_string()),
        })
    }

    fn proves_in_header(&self) -> bool {
        self.gateway.scheme.proves_in_header()
    }
}

/// RFC 3339, or seconds since 1970.
pub(super) fn time(text: &str) -> Result<Timestamp, String> {
    let seconds = text.parse::<i64>().ok();
    let seconds = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
    seconds.or_else(|| text.parse().ok()).ok_or_else(|| {
        "right is, for example, 2026-01-31T09:00:00+07:00, or seconds since 1970".to_owned()
    })
}

fn read(file: &Path) -> Result<String, String> {
    let mut bytes = Vec::new();
    let told = |error| format!("{} cannot be read: {error}", file.display());
    if file.as_os_str() == "-" {
        std::io::stdin().read_to_end(&mut bytes).map_err(told)?;
    } else {
        bytes = std::fs::read(file).map_err(told)?;
    }
    String::from_utf8(bytes).map_err(|_| format!("{} holds no UTF-8 text", file.display()))
}

pub(super) fn curl(draft: &Draft, listen: SocketAddr) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "'\\''"));
    let host = match listen.ip() {
        any if any.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        ip => ip,
    };
    let url = format!(
        "http://{}{}",
        SocketAddr::new(host, listen.port()),
        draft.target
    );
    let mut command = format!("curl -i --globoff -X {} {}", draft.method, quoted(&url));
    for (name, value) in &draft.headers {
        command.push_str(&format!(" -H {}", quoted(&format!("{name}: {value}"))));
    }
    // Not --data-binary, which would take a body that begins with @ for the name of a file.
    command.push_str(&format!(" --data-raw {}", quoted(&draft.body)));
    command + "\n"
}
