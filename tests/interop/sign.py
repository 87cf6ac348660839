"""Speaks as DOKU does, with DOKU's library for Python: one JSON request on stdin, one JSON answer on stdout."""

import json
import sys

import requests
from doku_python_library.src.commons import config
from doku_python_library.src.commons.snap_utils import SnapUtils
from doku_python_library.src.controller.token_controller import TokenController
from doku_python_library.src.services.token_service import TokenService


def token(base, client, privateKey):
    """get_token_b2b is all of it: get_timestamp, create_signature (RSA over client|timestamp), and
    create_token_b2b, which sends and reads the answer: it fails on a field that it does not know and
    on an expiresIn that is no number. It goes to DOKU's sandbox unless told otherwise."""
    config._Development.BASE_URL = base
    return TokenController.get_token_b2b(privateKey, client, False).json()


def notification(path, client, secret, token, body, **_):
    """generate_symmetric_signature minifies (json.dumps), digests and signs with HMAC-SHA512;
    generate_external_id and generate_request_header make the other headers, to_json names them."""
    content = json.loads(body)
    timestamp = TokenService.get_timestamp()
    signature = TokenService.generate_symmetric_signature("POST", path, token, content, timestamp, secret)
    header = SnapUtils.generate_request_header(
        "SDK", client, token, timestamp, SnapUtils.generate_external_id(), signature
    )
    # The library signs the compact body and gives the content to `requests`, which sends it with a
    # blank after each comma and colon.
    url = "http://merchant.example" + path
    sent = requests.Request("POST", url, headers=header.to_json(), json=content).prepare()
    # Framing is left to whoever sends it.
    del sent.headers["Content-Length"]
    return {"headers": dict(sent.headers), "body": sent.body.decode()}


request = json.load(sys.stdin)
speak = {"token": token, "notification": notification}[request.pop("speak")]
print(json.dumps(speak(**request)))
