//! From the declaration of a proof to its algorithm and its messages.

use super::{Checked, fault, template};
use crate::scheme::declaration::{ProofDeclaration, ProofKind};
use crate::scheme::place::Place;
use crate::scheme::proof::{Algorithm, Encoding, Hash};
use crate::scheme::template::{Filter, Part, Source, Template};

/// How the proof is made, and written.
pub(super) fn algorithm(proof: &ProofDeclaration) -> Checked<(Algorithm, Encoding)> {
    let algorithm = match (proof.kind, proof.hash) {
        (ProofKind::Hmac, Some(hash @ (Hash::Sha256 | Hash::Sha512))) => Algorithm::Hmac(hash),
        (ProofKind::Hmac, _) => return fault("proof.hash", "kind hmac takes sha256 or sha512"),
        (ProofKind::Digest, Some(hash)) => Algorithm::Digest(hash),
        (ProofKind::Digest, None) => {
            return fault(
                "proof.hash",
                "kind digest takes md5, sha1, sha256 or sha512",
            );
        }
        (ProofKind::RsaSha256, None) => Algorithm::RsaSha256,
        (ProofKind::Ed25519, None) => Algorithm::Ed25519,
        (ProofKind::RsaSha256, Some(_)) => {
            return fault(
                "proof.hash",
                "kind rsa-sha256 names its hash already; leave it out",
            );
        }
        (ProofKind::Ed25519, Some(_)) => {
            return fault(
                "proof.hash",
                "kind ed25519 has a hash of its own; leave it out",
            );
        }
        (ProofKind::Static, None) => Algorithm::Static,
        (ProofKind::Static, Some(_)) => return fault("proof.hash", "kind static hashes nothing"),
    };
    match (algorithm, proof.encoding) {
        (Algorithm::Static, Some(_)) => fault("proof.encoding", "kind static compares plain text"),
        (Algorithm::Static, None) => Ok((algorithm, Encoding::Hex)),
        (_, Some(encoding)) => Ok((algorithm, encoding)),
        (_, None) => fault("proof.encoding", "say base64, base64url, hex or upper-hex"),
    }
}

/// What it may cover.
pub(super) fn messages(
    proof: &ProofDeclaration,
    algorithm: Algorithm,
    proof_at: &Place,
) -> Checked<Vec<Template>> {
    if (algorithm == Algorithm::Static) != proof.messages.is_empty() {
        return fault(
            "proof.messages",
            "every kind needs at least one message, but for static, which takes none",
        );
    }
    let compiled = proof.messages.iter().enumerate().map(|(index, text)| {
        let at = format!("proof.messages[{index}]");
        let message = template(&at, text, proof_at)?;
        let holds_secret = message.sources().contains(&&Source::Secret);
        if message.sources().contains(&&Source::At(proof_at.clone())) {
            let says = format!("{proof_at} is the proof, and cannot be part of what it signs");
            return fault(at, says);
        }
        if matches!(algorithm, Algorithm::Digest(_)) && can_be_continued(message.parts()) {
            let says = "the secret stands before the body and not after it: whoever saw one notification could \
                        add to its body without the secret (length extension); such a proof is none";
            return fault(at, says);
        }
        let is_checksum = |(source, filters): &(&Source, Vec<Filter>)| {
            **source == Source::Secret && filters.contains(&Filter::Crc32)
        };
        if message.values().iter().any(is_checksum) {
            let says = "a checksum of the secret is quickly guessed; {secret} takes no crc32";
            return fault(at, says);
        }
        match algorithm {
            Algorithm::Digest(_) if !holds_secret => {
                fault(at, "without {secret} everybody could make this digest")
            }
            Algorithm::Hmac(_) if holds_secret => fault(
                at,
                "{secret} is the key of an hmac and has no place in its message",
            ),
            Algorithm::RsaSha256 | Algorithm::Ed25519 if holds_secret => fault(
                at,
                "a signature is verified with a public key; there is no {secret}",
            ),
            Algorithm::Hmac(_)
            | Algorithm::Digest(_)
            | Algorithm::RsaSha256
            | Algorithm::Ed25519
            | Algorithm::Static => Ok(message),
        }
    });
    compiled.collect()
}

/// Whether a hash of these parts can be continued by whoever does not know the secret. What would be added
/// holds bytes that no text has, so only a raw body has room for it.
fn can_be_continued(parts: &[Part]) -> bool {
    let is = |wanted: &Source, part: &Part| {
        let mut values = Template::values_of(part).into_iter();
        values.any(|(source, filters)| {
            source == wanted
                && (*wanted == Source::Secret || !filters.iter().any(|filter| filter.is_digest()))
        })
    };
    let secrets = || {
        let numbered = parts.iter().enumerate();
        numbered.filter(|(_, part)| is(&Source::Secret, part))
    };
    let (first, last) = (secrets().next(), secrets().next_back());
    let body = parts.iter().rposition(|part| is(&Source::Body, part));
    match (first, last, body) {
        (Some((first, _)), Some((last, part)), Some(body)) => {
            let inside = matches!(part, Part::Nested(inner, _) | Part::Group(inner) if can_be_continued(inner));
            first < body && last < body || first == body && inside
        }
        _ => false,
    }
}
