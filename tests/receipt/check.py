"""Checks a receipt with tools that know nothing of Countersign.

    check.py VERIFIER_KEY RECEIPT...

securesystemslib reads the file as a DSSE envelope and checks its signature; in-toto-attestation
reads the payload as a Statement v1 and validates it. Then one character of the payload is changed,
and the signature must no longer hold.
"""

import base64
import json
import sys

from google.protobuf import json_format
from in_toto_attestation.v1.statement import Statement
from in_toto_attestation.v1.statement_pb2 import Statement as StatementMessage
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey


def key_of(text):
    """The public key of a C2SP verifier key: name+id+base64(0x01 || key)."""
    name, key_id, material = text.split("+", 2)
    material = base64.b64decode(material)
    assert material[0] == 1 and len(material) == 33, "not an Ed25519 verifier key"
    public = {"public": material[1:].hex()}
    return SSlibKey(f"{name}+{key_id}", "ed25519", "ed25519", public)


def check(key, path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    # from_dict changes what it is given, so each gets its own.
    envelope = Envelope.from_dict(json.loads(text))
    accepted = envelope.verify([key], 1)
    assert list(accepted) == [key.keyid], accepted

    message = json_format.Parse(envelope.payload, StatementMessage())
    Statement.copy_from_pb(message).validate()
    assert message.predicate_type == "https://countersign.example/receipt/v1"
    subjects = [(s.name, dict(s.digest)) for s in message.subject]

    changed = json.loads(text)
    payload = bytearray(base64.b64decode(changed["payload"]))
    payload[len(payload) // 2] ^= 1
    changed["payload"] = base64.b64encode(payload).decode()
    try:
        Envelope.from_dict(changed).verify([key], 1)
    except VerificationError:
        return subjects
    raise AssertionError("a changed payload was accepted")


def main():
    key = key_of(sys.argv[1])
    for path in sys.argv[2:]:
        for name, digest in check(key, path):
            print(f"{path}: signature holds; about {name} {digest}")


if __name__ == "__main__":
    main()
