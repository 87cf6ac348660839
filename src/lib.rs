//! Kawal (Indonesian: to escort, to guard) stands in front of a merchant's app and lets only
//! genuine, fresh, first-time payment notifications through.
//!
//! # The whole program in one picture
//!
//! ```text
//!             received    authentic   fresh     authorized  payload    admitted    outbound
//!  gateway ──▶ intake ──▶ scheme ──▶ freshness ──▶ token ──▶ convert ──▶ ledger ──▶ forward ──▶ app
//!                 │          │           │           │          │          │                     │
//!                 └──────────┴───────── Rejection ───┴──────────┴──────────┘                     ▼
//!  gateway ◀───────────────────────────── answer ◀─────────────────────────────────────────── settle
//! ```
//!
//! A request is *received* whole and bounded; its proof is checked (*authentic*), then its signed
//! time (*fresh*), then the access token that it has to bear, where Kawal gives its gateway tokens
//! (*authorized*); it is brought into the form that will be forwarded (*payload*), since the ledger
//! compares what the app would see; its identity is claimed (*admitted*); it is composed for the
//! app (*outbound*); and the app's answer *settles* the claim. [`route::Route::admit`] is that
//! order, on one screen.
//!
//! # Invariants, each with the test that holds it
//!
//! - **No step can be skipped, repeated or swapped.** Each consumes the value of the step before
//!   and makes one whose fields only its own module can fill. The app's address is known to
//!   [`forward::Upstream`] alone, and an [`forward::Outbound`] is made of an
//!   [`ledger::Admitted`] only: its compile-fail example is a test.
//! - **Time and identity come from what the proof covers**, so that nobody who saw a notification
//!   can change them: a declaration that says otherwise does not compile (`scheme/tests.rs`). The
//!   client's id is part of an identity as far as its keys tell it from others (`secret.rs`).
//! - **A token is known by its key, never by what it says of itself**: the algorithm is fixed, every
//!   claim is demanded in its type (`token/tests.rs`).
//! - **What was verified is what is forwarded**, byte for byte, or JSON made from it
//!   (`tests/suite/delivery.rs`, `conversion.rs`).
//! - **Of any number of copies one passes, whichever replica they come to; a live entry is never
//!   forgotten** (`ledger/tests.rs`, `ledger/memory/tests.rs`, `tests/suite/crowds.rs`, `replicas.rs`).
//! - **A definite refusal frees a notification, an unknown outcome holds it for a lease, a
//!   delivered one is never forwarded again** (`tests/suite/retries.rs`, `unknown_outcomes.rs`).
//! - **Every refusal is one [`rejection::Rejection`], and one place answers it**: [`answer`]. All
//!   that is 401 looks alike; what is our own fault is 5xx (`tests/suite/mutations.rs`).
//! - **Imports run one way**, from the rooms late in the flow to those before; only `server` knows
//!   Pingora; the rooms up to `route` read no clock, file, socket or variable, but for `clock` and
//!   `secret`, which do nothing else, and `ledger/redis` (`tests/suite/house.rs`).
//!
//! # Gateways are data
//!
//! No gateway's name stands in code. A scheme is a declaration ([`scheme::Declaration`]): where the proof
//! stands, which message it covers, with which algorithm, and what names a notification. Built-in schemes are
//! files in the language that users write. A declaration compiles only if time and identity are taken from
//! what every message covers, and if the messages tell where these values begin and end
//! (`scheme/border.rs`): whoever replays could otherwise move a border and name another notification.
//! The same declarations sign, for `kawal sign`, `send` and `demo` ([`scheme::Scheme::sign`]).
//!
//! [`doctor`] stands beside the flow: it runs the judgement of [`route`] on a captured request, without
//! sockets or a ledger's memory, and says why one is refused. Only `kawal verify` knows it (`tests/suite/house.rs`):
//! to whoever sends requests, it would be an oracle.
//!
//! # Two ledgers, one behaviour
//!
//! The ledger is kept in this process, or in a store that replicas share ([`ledger::Kept`]). The same
//! stories are told of both (`tests/suite/`). A store may be away: then nothing is claimed, and every
//! failure closes the door ([`rejection::Rejection::StoreDown`]), unless the configuration says
//! otherwise. It may come back without its data, or with older data, and then it cannot prove that a
//! late notification was never seen: so that is asked in the same step as the claim. It also outlives a
//! configuration, and what was delivered under another name is not found ([`ledger::Basis`]). What happens in
//! it is a script each (`ledger/redis/*.lua`), which a model tries with crashes and lost commands
//! (`ledger/redis/tests/`).
//!
//! # Requests for an access token
//!
//! They take the same way to the ledger, by a scheme of their own, and end there: what they are
//! granted is a [`rejection::Rejection::Granted`], since nothing of them reaches the app. Their
//! tokens are made of the client's secret, so that every replica knows them; the ledger keeps them for
//! repeated requests only.
//!
//! # Observed, and yet not admitted
//!
//! A gateway may be observed only ([`forward::Mode`]): it is judged as ever, and what would be refused goes to
//! the app, marked. Such a request is a [`forward::Observed`], which [`route`] alone makes, of a refusal, for a
//! gateway that is observed. It holds no claim, so whatever the app makes of it the ledger does not learn
//! (`tests/suite/observe_ledger.rs`). What is genuine, and would be refused for its address or size, is
//! admitted all the same, so that the ledger knows of what the app took (`tests/suite/observe_door.rs`).
//!
//! # One configuration, whole
//!
//! What a configuration decides is one value (`server/live.rs`): a request takes it at its first byte and keeps
//! it to its answer, and a reload replaces it as a whole, or not at all (`server/reload.rs`). What outlives it is
//! the ledger, which is told of bases that come and go *before* anything is claimed under them
//! ([`ledger::Ledger::follow`]), the connections, and the counters, which are found once for each
//! configuration and counted without a lock ([`telemetry::GatewayMetrics`]).
//!
//! # What is Pingora's, and what is not
//!
//! Pingora's own proxy connects to the app before it has the body, and cancels the app's call
//! when the gateway leaves. We store, verify, then forward, so [`server`] takes Pingora's connector and
//! streams, and owns the exchange. Its messages too: a head has to be read strictly, and bounded in size and
//! time, before anything else sees it, and a codec behind that reads everything once more, into maps that
//! nobody looks at: that was a third of the instructions that a notification cost. So a message is read by
//! [`intake`] and `server/body.rs`, and written as text, head and body in one piece.
//!
//! One thread accepts, and each connection stays in the worker that has fewest, with the connections to the
//! app that it uses: handing work from thread to thread costs more than the work (`server/workers.rs`).

pub mod admin;
pub mod answer;
pub mod cli;
pub mod clock;
pub mod config;
pub mod convert;
pub mod doctor;
pub mod forward;
pub mod freshness;
pub mod intake;
pub mod ledger;
pub mod rejection;
pub mod route;
pub mod scheme;
pub mod secret;
pub mod server;
pub mod settle;
pub mod telemetry;
pub mod token;
