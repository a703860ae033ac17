#!/usr/bin/env python3
"""A second verifier of packs: integrity only, written from docs/formats/pack.md and entry.md.

Shares nothing with the first one. Needs Python 3.9 and the package `cryptography`.

    verify_pack.py [--key KEY] [--checkpoint FILE] PACK     exit code 0 intact, 4 not, 5 unreadable
    verify_pack.py --table FILE      one "code<TAB>key<TAB>checkpoint or -<TAB>pack" a line: all must agree
"""

import base64
import binascii
import datetime
import hashlib
import json
import re
import sys
import time

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

MAGIC = b"countersign pack 1\n"
PLAIN = ["README.txt", "manifest.json", "checkpoint", "proofs.json"]
PACKED = ["people.json", "entries", "story.json"]
CHANNELS = """alertmanager-webhook argocd-application-watch argocd-controller-log
argocd-notification argocd-server-log argocd-stream cloudevent git-commit github-webhook
gitlab-webhook jira-webhook kubernetes-audit kubernetes-event-watch kubernetes-object-watch
ledger-redaction openbao-audit prometheus-range""".split()
AUTHS = "operator-file ledger bearer hmac client-certificate loopback".split()
README = """Countersign pack, version 1

Records of changes to production, in one file that can be checked without the
ledger, without a network and without trusting whoever handed it over:

    countersign-verify --key KEY FILE

KEY is the ledger's verifier key. Get it by another way than this file.

Ledger      {origin}
Checkpoint  {size} entries, root {root}
Covers      entries {start} to {last}
Selection   {selection}
Records     {payloads} of {entries} in full, the others by their commitment
Names       {names}
Rules       {rules}
Manifest    SHA-256 {digest}

Not shown: what never reached the ledger; who held a credential; what the
records that were left out say.

Members follow, each behind a line with its name, size and stored size.
Format: docs/formats/pack.md of Countersign.
"""
WORDS = {
    "ledger": ([], "everything"),
    "change": (["what"], "change {what}"),
    "application": (["name"], "application {name}"),
    "environment": (["name"], "environment {name}"),
    "period": (["from", "to"], "from {from} to before {to}"),
}


class Fault(Exception):
    """Something does not hold."""


def need(holds, what):
    if not holds:
        raise Fault(what)


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


# --- the packed form ---------------------------------------------------------------------------


def number(n):
    out = bytearray()
    while n >= 0x80:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def common(data, a, b):
    """How many bytes from a on and from b on are the same; a < b."""
    length, step = 0, 64
    while True:
        x, y = data[a + length : a + length + step], data[b + length : b + length + step]
        if x[: len(y)] == y:
            length += len(y)
            if len(y) < step:
                return length
            step = min(step * 2, 1 << 16)
        elif step > 8:
            step = 8
        else:
            while data[a + length] == data[b + length]:
                length += 1
            return length


def pack(data):
    table, out, at, literals, size = {}, [], 0, 0, len(data)
    while at + 8 <= size:
        key = int.from_bytes(data[at : at + 8], "little")
        slot = (key * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF) >> 48
        earlier = table.get(slot)
        table[slot] = at
        if earlier is None or data[earlier : earlier + 8] != data[at : at + 8]:
            at += 1
            continue
        length = common(data, earlier, at)
        out += [number(at - literals), data[literals:at], number(length - 8), number(at - earlier)]
        at = literals = at + length
    if literals < size:
        out += [number(size - literals), data[literals:]]
    return b"".join(out)


def unpack(stored, size):
    need(size <= 1 << 30, "packed form: too large")
    out, at = bytearray(), 0

    def take():
        nonlocal at
        value = 0
        for shift in range(0, 35, 7):
            need(at < len(stored), "packed form: cut short")
            byte = stored[at]
            at += 1
            value |= (byte & 0x7F) << shift
            if not byte & 0x80:
                return value
        raise Fault("packed form: number too long")

    while len(out) < size:
        length = take()
        need(length <= size - len(out) and at + length <= len(stored), "packed form: literals")
        out += stored[at : at + length]
        at += length
        if len(out) == size:
            break
        length, distance = take() + 8, take()
        need(length <= size - len(out) and 1 <= distance <= len(out), "packed form: match")
        start = len(out) - distance
        while length > 0:
            piece = out[start : start + length]
            out += piece
            length -= len(piece)
    need(at == len(stored), "packed form: bytes left")
    data = bytes(out)
    need(pack(data) == stored, "packed form: not the one form")
    return data


# --- the container -----------------------------------------------------------------------------


def members(data):
    need(data.startswith(MAGIC), "README.txt: not a pack of version 1")
    at, contents = len(MAGIC), {}
    for name in PLAIN + PACKED:
        end = data.find(b"\n", at, at + 40)
        need(end >= 0, f"{name}: no header line")
        header = re.fullmatch(rb"([!-~]+) (0|[1-9][0-9]*) (0|[1-9][0-9]*)", data[at:end])
        need(header is not None and header[1] == name.encode(), f"{name}: not its header line")
        size, stored = int(header[2]), int(header[3])
        at = end + 1
        need(at + stored <= len(data), f"{name}: cut short")
        raw = data[at : at + stored]
        at += stored
        if name in PLAIN:
            need(size == stored, f"{name}: two sizes")
            contents[name] = raw
        else:
            try:
                contents[name] = unpack(raw, size)
            except Fault as fault:
                raise Fault(f"{name}: {fault}") from None
    need(at == len(data), "story.json: bytes follow the last member")
    return contents


def one_form(data, name):
    """JSON in its one form: no white space, escapes only where they must be, a newline behind."""
    try:
        value = json.loads(data.decode())
        again = json.dumps(value, separators=(",", ":"), ensure_ascii=False) + "\n"
        need(again.encode() == data, f"{name}: not in its one form")
    except (ValueError, UnicodeError, RecursionError) as e:
        raise Fault(f"{name}: {e}") from None
    return value


def fields(value, names, what):
    need(isinstance(value, dict) and list(value) == names, f"{what}: other fields")


def is_number(value):
    return type(value) is int and 0 <= value < 1 << 64


def is_text(value):
    return type(value) is str


def manifest_of(data):
    m = one_form(data, "manifest.json")
    names = "pack origin key size root start end selection pseudonyms channels rules policy sha256"
    fields(m, names.split(), "manifest.json")
    need(m["pack"] == 1 and type(m["pack"]) is int, "manifest.json: version")
    need(all(is_number(m[k]) for k in ("size", "start", "end")), "manifest.json: numbers")
    need(is_number(m["rules"]) and m["rules"] < 1 << 32, "manifest.json: rules")
    need(all(is_text(m[k]) for k in ("origin", "key", "root")), "manifest.json: texts")
    need(type(m["pseudonyms"]) is bool, "manifest.json: pseudonyms")
    need(m["policy"] is None or is_text(m["policy"]), "manifest.json: policy")
    s = m["selection"]
    need(isinstance(s, dict) and s.get("of") in WORDS, "manifest.json: selection")
    fields(s, ["of"] + WORDS[s["of"]][0], "manifest.json: selection")
    need(all(is_text(v) for v in s.values()), "manifest.json: selection")
    need(isinstance(m["channels"], list), "manifest.json: channels")
    for row in m["channels"]:
        fields(row, ["channel", "entries", "payloads", "refused"], "manifest.json: channels")
        need(is_text(row["channel"]), "manifest.json: channels")
        need(all(is_number(row[k]) for k in list(row)[1:]), "manifest.json: channels")
    fields(m["sha256"], "checkpoint proofs people entries story".split(), "manifest.json: sha256")
    need(0 <= m["start"] < m["end"] <= m["size"] < 1 << 63, "manifest.json: no range")
    return m


def readme_of(m, raw):
    rows = m["channels"]
    words = WORDS[m["selection"]["of"]][1].format(**m["selection"])
    return README.format(
        origin=m["origin"], size=m["size"], root=m["root"], start=m["start"], last=m["end"] - 1,
        selection=words, rules=m["rules"],
        payloads=sum(r["payloads"] for r in rows), entries=sum(r["entries"] for r in rows),
        names="replaced by pseudonyms" if m["pseudonyms"] else "as recorded",
        digest=hashlib.sha256(raw).hexdigest(),
    ).encode()


# --- notes and trees ---------------------------------------------------------------------------


def b64(text, length=None):
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Fault("not base64") from None
    need(base64.b64encode(data).decode() == text, "not base64 in its one form")
    need(length is None or len(data) == length, "base64 of another length")
    return data


def key_of(text):
    name, _, rest = text.partition("+")
    tag, _, data = rest.partition("+")
    data = b64(data, 33)
    need(data[0] == 1, "key: not Ed25519")
    need(sha(name.encode(), b"\n", data)[:4].hex() == tag, "key: id")
    return name, bytes.fromhex(tag), data[1:]


def checkpoint_of(note, origin, key):
    """Size and root of a checkpoint that is signed by the key, or a fault."""
    try:
        text = note.decode()
    except UnicodeError:
        raise Fault("not UTF-8") from None
    split = text.rfind("\n\n")
    need(split >= 0 and text.endswith("\n"), "not a note")
    body, lines = text[: split + 1], text[split + 2 :].split("\n")[:-1]
    name, tag, public = key_of(key)
    signed = False
    need(lines, "no signature")
    for line in lines:
        match = re.fullmatch("\u2014 ([^ ]+) ([A-Za-z0-9+/=]+)", line)
        need(match is not None, "not a signature line")
        data = b64(match[2])
        need(len(data) > 4, "not a signature")
        if match[1] == name and data[:4] == tag:
            try:
                Ed25519PublicKey.from_public_bytes(public).verify(data[4:], body.encode())
            except InvalidSignature:
                raise Fault("signature does not verify") from None
            signed = True
    need(signed, "not signed by the key")
    parts = body.split("\n")
    need(len(parts) >= 4 and all(parts[:-1]), "not a checkpoint")
    need(parts[0] == origin, "another origin")
    need(re.fullmatch("0|[1-9][0-9]{0,18}", parts[1]), "no size")
    return int(parts[1]), b64(parts[2], 32)


def node(left, right):
    return sha(b"\x01", left, right)


def fold(peaks):
    """The root over peaks, from left to right."""
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = node(peak, root)
    return root


def blocks(a, b):
    """The largest aligned blocks from a to b: (level, begin)."""
    found = []
    while a < b:
        level = (a & -a).bit_length() - 1 if a else b.bit_length()
        while a + (1 << level) > b:
            level -= 1
        found.append((level, a))
        a += 1 << level
    return found


class Tree:
    """Complete subtrees from left to right; equal neighbours join."""

    def __init__(self):
        self.peaks = []

    def add(self, level, begin, digest):
        while self.peaks and self.peaks[-1][0] == level and self.peaks[-1][1] >> level & 1 == 0:
            _, begin, left = self.peaks.pop()
            digest = node(left, digest)
            level += 1
        self.peaks.append((level, begin, digest))

    def digests(self):
        return [digest for _, _, digest in self.peaks]


def lead(proof, start, leaves, size, older):
    """The root of the whole, and that of an older size within the range or None."""
    end = start + len(leaves)
    level = ((end - 1) ^ size).bit_length() - 1
    parting = size >> level << level
    before, after = blocks(0, start), blocks(end, parting)
    rest = 1 if parting < size else 0
    need(len(proof) == len(before) + len(after) + rest, "range proof of another length")
    tree, was = Tree(), None
    for (level, begin), digest in zip(before, proof):
        tree.add(level, begin, digest)
    for index, leaf in enumerate(leaves, start):
        if index == older and older > 0:
            was = fold(tree.digests())
        tree.add(0, index, leaf)
    if end == older:
        was = fold(tree.digests())
    for (level, begin), digest in zip(after, proof[len(before) :]):
        tree.add(level, begin, digest)
    return fold(tree.digests() + proof[len(proof) - rest :]), was


def consistent(proof, old, old_root, new, new_root):
    """RFC 9162 section 2.1.4.2."""
    if old == 0:
        return not proof
    if old & (old - 1) == 0:
        proof = [old_root] + proof
    if not proof:
        return False
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = proof[0]
    for c in proof[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = node(c, fr), node(c, sr)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node(sr, c)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and fr == old_root and sr == new_root


# --- entries -----------------------------------------------------------------------------------


def envelope_of(leaf):
    e = one_form(leaf + b"\n", "leaf")
    fields(e, ["auth", "channel", "id", "parser", "payload", "received_at", "v"], "leaf")
    need(all(is_text(e[k]) for k in list(e)[:-1]), "leaf: texts")
    need(type(e["v"]) is int and e["v"] == 1, "leaf: version")
    need(e["auth"] in AUTHS and e["channel"] in CHANNELS, "leaf: unknown word")
    need(re.fullmatch("[!-~]{1,512}", e["id"]), "leaf: id")
    at = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{0,8}[1-9])?Z", e["received_at"], re.A)
    need(at is not None, "leaf: time")
    try:
        datetime.datetime.strptime(at[1], "%Y-%m-%dT%H:%M:%S")
    except ValueError:
        raise Fault("leaf: time") from None
    return e, b64(e["payload"], 32)


def payload_of(stored, commitment):
    """The record, the numbers of erased segments and how many are pseudonyms."""
    at = 0

    def take(n):
        nonlocal at
        need(at + n <= len(stored), f"payload is cut short at {at}")
        at += n
        return stored[at - n : at]

    def block():
        return take(int.from_bytes(take(4), "big"))

    need(take(1) == b"\x01", "payload version")
    layout, salt = block(), take(16)
    kept = block()
    segment = b"countersign/segment/v1\n"
    commitments, values, erased, shown = [sha(segment, salt, kept)], [], [], 0
    count = int.from_bytes(take(4), "big")
    for n in range(1, count + 1):
        state = take(1)
        if state == b"\x01":
            salt = take(16)
            values.append(block())
            commitments.append(sha(segment, salt, values[-1]))
        elif state == b"\x02":
            commitments.append(take(32))
            values.append(b"[redacted]")
            erased.append(n)
        elif state == b"\x03":
            commitments.append(take(32))
            values.append(block())
            shown += 1
        else:
            raise Fault("payload: unknown state")
    need(at == len(stored), "payload: bytes follow")
    need(sha(b"countersign/payload/v1\n", layout, *commitments) == commitment, "payload: commitment")
    return record_of(layout, kept, values), erased, shown


def record_of(layout, kept, values):
    need(layout.endswith(b"\n"), "layout")
    tokens = layout[:-1].split(b" ") if len(layout) > 1 else []
    out, at, known, previous = [], 0, 0, b""
    for token in tokens:
        kind, digits = token[:1], token[1:]
        if kind in (b"k", b"p"):
            need(re.fullmatch(rb"[1-9][0-9]*", digits), "layout: number")
            n = int(digits)
            if kind == b"k":
                need(previous != b"k", "layout: two kept")
                out.append(kept[at : at + n])
                at += n
            else:
                need(n <= known + 1 and n <= len(values), "layout: order")
                known = max(known, n)
                out.append(values[n - 1])
        else:
            need(token in (b"s", b"a", b"n"), "layout: token")
            out.append(b'"[cut]"' if token == b"n" else b"[cut]")
        previous = kind
    need(at == len(kept) and known == len(values), "layout does not fit")
    return b"".join(out)


def entries_of(data, start):
    leaves, counts, erased, named, known, at, index = [], {}, {}, set(), {}, 0, start
    while at < len(data):
        where = f"entry {index}"
        try:
            need(at + 2 <= len(data), "cut short")
            end = at + 2 + int.from_bytes(data[at : at + 2], "big")
            need(end + 1 <= len(data), "cut short")
            leaf, state = data[at + 2 : end], data[end]
            at = end + 1
            need(state in (0, 1), "unknown state")
            e, commitment = envelope_of(leaf)
            count = counts.setdefault(e["channel"], [0, 0])
            count[0] += 1
            if state:
                need(at + 4 <= len(data), "cut short")
                end = at + 4 + int.from_bytes(data[at : at + 4], "big")
                need(end <= len(data), "cut short")
                record, gone, _ = payload_of(data[at + 4 : end], commitment)
                at = end
                count[1] += 1
                if gone:
                    erased[index] = gone
                if e["channel"] == "ledger-redaction":
                    named |= redacted(record)
            cite = (e["channel"], e["id"])
            need(cite not in known, f"the same record as entry {known.get(cite)}")
            known[cite] = index
        except Fault as fault:
            raise Fault(f"{where}: {fault}") from None
        leaves.append(sha(b"\x00", leaf))
        index += 1
    for entry, segments in erased.items():
        for n in segments:
            need((entry, n) in named, f"entry {entry}: segment {n} is gone and no redaction names it")
    return leaves, counts


def redacted(record):
    try:
        value = json.loads(record)
        if list(value) and set(value) == {"redaction", "reason", "segments"} and value["redaction"] == 1:
            return {(s["entry"], s["segment"]) for s in value["segments"]}
    except (ValueError, KeyError, TypeError):
        pass
    return set()


# --- the verdict -------------------------------------------------------------------------------


def verify(data, key=None, kept=None):
    """What holds, in words; raises Fault."""
    contents = members(data)
    raw = contents["manifest.json"]
    m = manifest_of(raw)
    for field, name in zip(m["sha256"], PLAIN[2:] + PACKED):
        digest = hashlib.sha256(contents[name]).hexdigest()
        need(m["sha256"][field] == digest, f"{name}: not the digest of the manifest")
    need(contents["README.txt"] == readme_of(m, raw), "README.txt: does not follow")
    try:
        need(key is None or key_of(key)[0] == m["origin"], "origin is not trusted")
        key = key or m["key"]
        size, root = checkpoint_of(contents["checkpoint"], m["origin"], key)
    except Fault as fault:
        raise Fault(f"checkpoint: {fault}") from None
    need(m["size"] == size and m["root"] == base64.b64encode(root).decode(), "manifest.json: root")
    leaves, counts = entries_of(contents["entries"], m["start"])
    need(m["start"] + len(leaves) == m["end"], "entries: another number")
    proofs = one_form(contents["proofs.json"], "proofs.json")
    fields(proofs, ["range", "consistency"], "proofs.json")
    was_size, was_root = None, None
    if kept is not None:
        try:
            was_size, was_root = checkpoint_of(kept, m["origin"], key)
            need(was_size <= size, "newer than the pack")
        except Fault as fault:
            raise Fault(f"kept checkpoint: {fault}") from None
    try:
        proof = [b64(h, 32) for h in proofs["range"]]
        found, was = lead(proof, m["start"], leaves, size, was_size)
    except (Fault, TypeError) as fault:
        raise Fault(f"proofs.json: {fault}") from None
    need(found == root, "entries: lead to another root")
    rows = m["channels"]
    need(all(a["channel"] < b["channel"] for a, b in zip(rows, rows[1:])), "manifest.json: order")
    for row in rows:
        mine = counts.pop(row["channel"], [0, 0])
        need(mine == [row["entries"], row["payloads"]], "manifest.json: counts")
    need(not counts, "manifest.json: counts")
    if m["selection"]["of"] == "ledger":
        complete = m["start"] == 0 and m["end"] == size
        need(complete and all(r["entries"] == r["payloads"] for r in rows), "manifest.json: not all")
    if was_size is not None:
        hold_kept(proofs, (was_size, was_root), was, (size, root))
    return f"intact: {len(leaves)} entries under checkpoint {size} of {m['origin']}"


def hold_kept(proofs, kept, was, new):
    size, root = kept
    if size == new[0]:
        was = new[1]
    if was is None:
        older = [c for c in proofs["consistency"] if c["size"] == size]
        if not older:
            print("kept checkpoint: cannot tell")
            return
        proof = [b64(h, 32) for h in older[0]["hashes"]]
        need(consistent(proof, size, root, *new), "kept checkpoint: contradicted")
        return
    need(was == root, "kept checkpoint: contradicted")


def one(path, key, kept):
    try:
        with open(path, "rb") as file:
            data = file.read()
        if kept:
            with open(kept, "rb") as file:
                kept = file.read()
    except OSError as e:
        return 5, str(e)
    try:
        return 0, verify(data, key, kept)
    except Fault as fault:
        return 4, str(fault)


def table(path):
    """Compares with the verdicts of another verifier."""
    wrong = total = 0
    began = time.monotonic()
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            code, key, kept, pack_path = line.rstrip("\n").split("\t")
            mine, words = one(pack_path, key, None if kept == "-" else kept)
            total += 1
            if str(mine) != code:
                wrong += 1
                print(f"DIFFERENT  {pack_path}: {code} there, {mine} here: {words}")
    print(f"{total} packs, {wrong} different verdicts, {time.monotonic() - began:.1f} s")
    return 1 if wrong else 0


def main(args):
    if args[:1] == ["--table"]:
        return table(args[1])
    key = kept = None
    while len(args) > 2:
        option, value, *args = args
        if option == "--key":
            key = value
        elif option == "--checkpoint":
            kept = value
        else:
            break
    if len(args) != 1:
        print(__doc__)
        return 2
    code, words = one(args[0], key, kept)
    print(words if code == 0 else f"NOT INTACT: {words}")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
