"""Signs and verifies as Standard Webhooks, Svix and Stripe do, with their libraries for Python: one JSON
request on stdin, one JSON answer on stdout."""

import base64
import json
import sys
from datetime import datetime, timezone

import standardwebhooks
import stripe
import svix
from cryptography.hazmat.primitives.serialization import load_pem_private_key


def shared(module, name):
    """Both libraries make a signature and leave the headers to whoever sends it."""

    def sign(secret, id, at, body):
        signature = module.Webhook(secret).sign(id, datetime.fromtimestamp(at, timezone.utc), body)
        return {f"{name}-id": id, f"{name}-timestamp": str(at), f"{name}-signature": signature}

    def verify(secret, headers, body):
        module.Webhook(secret).verify(body, headers)

    return {"sign": sign, "verify": verify}


def sign_for_stripe(secret, id, at, body):
    return {"Stripe-Signature": stripe.WebhookSignature.generate_signature_header(body, secret, at)}


def verify_for_stripe(secret, headers, body):
    stripe.Webhook.construct_event(body, headers["stripe-signature"], secret)


def sign_with_ed25519(secret, id, at, body):
    """Neither library makes or reads v1a: the string is laid out here as the specification says, and
    `cryptography` signs it."""
    key = load_pem_private_key(secret.encode(), None)
    signature = base64.b64encode(key.sign(f"{id}.{at}.{body}".encode())).decode()
    return {"webhook-id": id, "webhook-timestamp": str(at), "webhook-signature": f"v1a,{signature}"}


LIBRARIES = {
    "standard-webhooks": shared(standardwebhooks, "webhook"),
    "svix": shared(svix, "svix"),
    "stripe": {"sign": sign_for_stripe, "verify": verify_for_stripe},
    "standard-webhooks-asymmetric": {"sign": sign_with_ed25519},
}

# What verifies is told apart from what does not by the library's own refusal, never by a fault of this script.
REFUSALS = (standardwebhooks.WebhookVerificationError, stripe.SignatureVerificationError)


def judged(verify, secret, headers, body):
    try:
        verify(secret, headers, body)
        return True
    except REFUSALS:
        return False


# What is to be signed is one notification, what is to be judged are many, each with its verdict.
request = json.load(sys.stdin)
library, secret = LIBRARIES[request["scheme"]], request["secret"]
if "sign" in request:
    print(json.dumps(library["sign"](secret, **request["sign"])))
else:
    print(json.dumps([judged(library["verify"], secret, **each) for each in request["judge"]]))
