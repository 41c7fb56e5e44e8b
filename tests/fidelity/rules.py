# SPDX-License-Identifier: Apache-2.0
"""What is tried: a row for each way in which certificates can be right or wrong.

A row says what is presented to whom and nothing of what should come of it: that is for reseal to
foretell and for the programs to show. `rule` is the column of the report; `who` is which end
presents what is special (any, server, client), and `by` whose doing is looked at: the end that
judges it, or the end that presents it, before an OpenSSL that judges as usual.
"""
from dataclasses import dataclass, field
from typing import Callable

DAY = 86400
EXPIRED = {"from": -30 * DAY, "until": -DAY}
EARLY = {"from": 30 * DAY, "until": 60 * DAY}
NAME = "a.fidelity.example"


@dataclass
class Scene:
    """What one end presents and what the other judges it by."""
    certs: dict                      # by label
    chain: list                      # labels, leaf first
    anchors: list
    crls: list = field(default_factory=list)
    own: list = field(default_factory=list)  # what the presenting end has in its own trust file
    name: str = NAME
    verify: str = "full"
    auth: str = "required"
    absent: bool = False             # nothing is presented

    def but(self, **changes):
        for key, value in changes.items():
            setattr(self, key, value.split() if key in ("chain", "anchors", "own") else value)
        return self


class Builder:
    """Orders for mint, all names of one situation being its own."""

    def __init__(self, number, key, depth):
        self.number, self.key, self.depth = number, key, depth
        self.orders, self.scene_certs = [], {}

    def cert(self, label, issuer=None, ca=True, cn=None, ext=None, **fields):
        extensions = {"basicConstraints": "critical,CA:TRUE", "keyUsage": "critical,keyCertSign,cRLSign"}
        if not ca:
            extensions = {"basicConstraints": "critical,CA:FALSE", "keyUsage": "critical,digitalSignature",
                          "extendedKeyUsage": "serverAuth,clientAuth", "subjectAltName": f"DNS:{NAME}"}
        extensions["subjectKeyIdentifier"] = "hash"
        if issuer is not None:
            extensions["authorityKeyIdentifier"] = "keyid"
        extensions.update(ext or {})
        order = ["cert", self.id(label)]
        order.append("subject=" + fields.pop("subject", f"O=s{self.number}/CN={cn or label}"))
        if issuer is not None:
            order.append(f"issuer={self.id(issuer)}")
        for key in ("signer",):
            if key in fields:
                fields[key] = self.id(fields[key])
        fields.setdefault("key", self.key)
        if fields["key"].startswith("@"):
            fields["key"] = "@" + self.id(fields["key"][1:])
        order += [f"{key}={value}" for key, value in fields.items()]
        if str(fields.get("version")) != "1":
            order += [f"ext={name}={value}" for name, value in extensions.items() if value is not None]
        self.orders.append("\t".join(order))
        self.scene_certs[label] = self.id(label)
        return label

    def crl(self, label, issuer, revoked=(), **fields):
        order = ["crl", self.id(label), f"issuer={self.id(issuer)}"]
        order += [f"revoked={self.id(cert)}" for cert in revoked]
        if "signer" in fields:
            fields["signer"] = self.id(fields["signer"])
        order += [f"{key}={value}" for key, value in fields.items()]
        self.orders.append("\t".join(order))
        return label

    def id(self, label):
        return f"{self.number}.{label}"

    def path(self, root=None, inter=None, leaf=None, depth=None):
        """Root, as many intermediates as the situation's depth says but one at least where
        something is said of it, and a leaf. `inter` is what issued the leaf."""
        depth = self.depth if depth is None else depth
        issuers = ["root"]
        self.cert("root", **(root or {}))
        if depth == 2:
            issuers.append(self.cert("upper", issuer="root"))
        if depth > 0 or inter is not None:
            issuers.append(self.cert("inter", issuer=issuers[-1], **(inter or {})))
        self.leaf(issuer=issuers[-1], **(leaf or {}))
        return self.scene(["leaf"] + issuers[:0:-1], ["root"])

    def leaf(self, issuer="root", label="leaf", **fields):
        fields.setdefault("cn", "app")
        return self.cert(label, issuer=issuer, ca=False, **fields)

    def scene(self, chain, anchors, **more):
        return Scene(self.scene_certs, chain, anchors, **more)


@dataclass
class Row:
    rule: str
    name: str
    make: Callable
    who: str = "any"
    by: str = "judge"
    needs: str = ""   # what a stack must be able to do
    versions: tuple = ("1.3", "1.2")


ROWS = []


def row(rule, name, make, **more):
    ROWS.append(Row(rule, name, make, **more))


def x(**extensions):
    return {"ext": extensions}


# --- nothing is wrong ---------------------------------------------------------------------------
row("sound", "as it should be", lambda b: b.path())
row("sound", "the root alone", lambda b: b.path(depth=0))
row("sound", "two intermediates", lambda b: b.path(depth=2))
row("sound", "one intermediate", lambda b: b.path(depth=1))

# --- dates --------------------------------------------------------------------------------------
row("leaf dates", "leaf expired", lambda b: b.path(leaf=EXPIRED))
row("leaf dates", "leaf not yet valid", lambda b: b.path(leaf=EARLY))
row("intermediate dates", "intermediate expired", lambda b: b.path(inter=EXPIRED))
row("intermediate dates", "intermediate not yet valid", lambda b: b.path(inter=EARLY))
row("anchor dates", "root expired", lambda b: b.path(root=EXPIRED))
row("anchor dates", "root not yet valid", lambda b: b.path(root=EARLY))
row("anchor dates", "root expired, and sent", lambda b: sent_root(b.path(root=EXPIRED)))


def sent_root(scene):
    scene.chain = scene.chain + ["root"]
    return scene


# --- what is sent -------------------------------------------------------------------------------
row("incomplete chain", "the intermediate is missing", lambda b: b.path(inter={}, depth=1).but(chain="leaf"))
row("incomplete chain", "the upper intermediate is missing", lambda b: b.path(depth=2).but(chain="leaf inter"))
row("incomplete chain", "the lower intermediate is missing", lambda b: b.path(depth=2).but(chain="leaf upper"))
row("judge completes", "the intermediate is among the anchors", lambda b: b.path(depth=1).but(chain="leaf", anchors="root inter"))
row("judge completes", "both intermediates are", lambda b: b.path(depth=2).but(chain="leaf", anchors="root inter upper"))
row("judge completes", "intermediates first", lambda b: b.path(depth=2).but(chain="leaf", anchors="upper inter root"))
row("presenter completes", "the leaf alone, intermediate and root in its trust file",
    lambda b: b.path(depth=1).but(chain="leaf", own="inter root"), by="presenter")
row("presenter completes", "the leaf alone, two intermediates in its trust file",
    lambda b: b.path(depth=2).but(chain="leaf", own="root upper inter"), by="presenter")
row("presenter completes", "the leaf alone, the root in its trust file",
    lambda b: b.path(depth=1).but(chain="leaf", own="root"), by="presenter")
row("presenter completes", "half a chain, all in its trust file",
    lambda b: b.path(depth=2).but(chain="leaf inter", own="root upper inter"), by="presenter")
row("presenter completes", "the leaf alone, the intermediate in its trust file without the root",
    lambda b: b.path(depth=1).but(chain="leaf", own="inter"), by="presenter")


def unrelated(b, at):
    scene = b.path(depth=1)
    b.cert("other")
    scene.chain = scene.chain + ["other"] if at == "end" else ["leaf", "other", "inter"]
    return scene


row("order of chain", "intermediates the wrong way round", lambda b: b.path(depth=2).but(chain="leaf upper inter"))
row("order of chain", "the root before the intermediate", lambda b: b.path(depth=1).but(chain="leaf root inter"))
row("order of chain", "an unrelated certificate at the end", lambda b: unrelated(b, "end"))
row("order of chain", "an unrelated certificate in the middle", lambda b: unrelated(b, "middle"))
row("order of chain", "the root is sent", lambda b: sent_root(b.path()))
row("order of chain", "the intermediate twice", lambda b: b.path(depth=1).but(chain="leaf inter inter"))
row("order of chain", "the leaf twice", lambda b: b.path(depth=1).but(chain="leaf leaf inter"))

# --- anchors ------------------------------------------------------------------------------------
row("intermediate as anchor", "the intermediate alone", lambda b: b.path(depth=1).but(anchors="inter"))
row("intermediate as anchor", "the upper one, the lower one sent", lambda b: b.path(depth=2).but(anchors="upper", chain="leaf inter"))
row("intermediate as anchor", "it is expired", lambda b: b.path(inter=EXPIRED).but(anchors="inter"))
row("intermediate as anchor", "and an unrelated root", lambda b: other_root(b, b.path(depth=1), "inter other"))
row("leaf as anchor", "the leaf alone", lambda b: b.path().but(anchors="leaf"))
row("leaf as anchor", "and it is expired", lambda b: b.path(leaf=EXPIRED).but(anchors="leaf"))
row("leaf as anchor", "and an unrelated root", lambda b: other_root(b, b.path(), "other leaf"))


def other_root(b, scene, anchors):
    b.cert("other")
    return scene.but(anchors=anchors)


def self_signed(b, anchors="leaf", **fields):
    b.leaf(issuer=None, **fields)
    b.cert("other")
    return b.scene(["leaf"], anchors.split())


row("self-signed leaf", "it is the anchor", lambda b: self_signed(b))
row("self-signed leaf", "and is a CA", lambda b: self_signed(b, ext={"basicConstraints": "critical,CA:TRUE", "keyUsage": None}))
row("self-signed leaf", "without extensions but its name", lambda b: self_signed(b, ext={
    "basicConstraints": None, "keyUsage": None, "extendedKeyUsage": None}))
row("self-signed leaf", "it is expired", lambda b: self_signed(b, **EXPIRED))
row("self-signed leaf", "nobody knows it", lambda b: self_signed(b, anchors="other"))
row("self-signed leaf", "nobody knows it, and it is a CA", lambda b: self_signed(b, anchors="other", ext={"basicConstraints": "critical,CA:TRUE"}))
row("unknown issuer", "another root", lambda b: other_root(b, b.path(), "other"))
row("unknown issuer", "another root, and the right one is sent", lambda b: other_root(b, sent_root(b.path()), "other"))
row("unknown issuer", "two other roots", lambda b: other_root(b, two_more(b), "other third"))


def two_more(b):
    scene = b.path()
    b.cert("third")
    return scene


def two_roots(b, anchors, key_ids=True, old=None):
    """Two roots of one name: `root` has the right key, `old` another."""
    bare = {} if key_ids else {"ext": {"subjectKeyIdentifier": None, "authorityKeyIdentifier": None}}
    b.cert("old", cn="root", **(old or {}), **bare)
    scene = b.path(root=bare, leaf=bare, depth=0) if not key_ids else b.path()
    return scene.but(anchors=anchors)


row("two roots of one name", "the right one first", lambda b: two_roots(b, "root old"))
row("two roots of one name", "the right one last", lambda b: two_roots(b, "old root"))
row("two roots of one name", "the wrong one alone", lambda b: two_roots(b, "old"))
row("two roots of one name", "the right one first, without key identifiers", lambda b: two_roots(b, "root old", key_ids=False))
row("two roots of one name", "the right one last, without key identifiers", lambda b: two_roots(b, "old root", key_ids=False))
row("two roots of one name", "the wrong one alone, without key identifiers", lambda b: two_roots(b, "old", key_ids=False))
row("two roots of one name", "the wrong one last and expired, without key identifiers",
    lambda b: two_roots(b, "old root", key_ids=False, old=EXPIRED))


def same_key(b, anchors, old):
    """A root issued again with the same key: both fit."""
    scene = b.path()
    b.cert("old", cn="root", key="@root", **old)
    return scene.but(anchors=anchors)


row("root issued again", "the expired one first", lambda b: same_key(b, "old root", EXPIRED))
row("root issued again", "the expired one last", lambda b: same_key(b, "root old", EXPIRED))
row("root issued again", "both valid", lambda b: same_key(b, "old root", {}))
row("root issued again", "only the expired one is known, the valid one is sent",
    lambda b: sent_root(same_key(b, "old", EXPIRED)))


def crossed(b, anchors, send, cross=None):
    """`new` is a root that `root` signed as well: `cross`."""
    b.cert("root")
    b.cert("new")
    b.cert("cross", issuer="root", cn="new", key="@new", **(cross or {}))
    issuer = b.cert("inter", issuer="new") if b.depth else "new"
    b.leaf(issuer=issuer)
    return b.scene(["leaf"] + (["inter"] if b.depth else []) + send.split(), anchors.split())


row("cross-signed", "the old root is known", lambda b: crossed(b, "root", "cross"))
row("cross-signed", "the new root is known", lambda b: crossed(b, "new", "cross"))
row("cross-signed", "both are known", lambda b: crossed(b, "root new", "cross"))
row("cross-signed", "the cross certificate is expired, the new root is known", lambda b: crossed(b, "new", "cross", EXPIRED))
row("cross-signed", "the cross certificate is expired, both are known", lambda b: crossed(b, "root new", "cross", EXPIRED))
row("cross-signed", "the cross certificate is expired, the old root is known", lambda b: crossed(b, "root", "cross", EXPIRED))
row("cross-signed", "the new root is sent too", lambda b: crossed(b, "root", "new cross"))


def two_paths(b, bad, first):
    """The intermediate has two certificates of one name and key: one is good."""
    b.cert("root")
    b.cert("inter", issuer="root")
    b.cert("worse", issuer="root", cn="inter", key="@inter", **bad)
    b.leaf(issuer="inter")
    return b.scene(["leaf"] + (["worse", "inter"] if first == "worse" else ["inter", "worse"]), ["root"])


row("several candidates", "an expired intermediate before the good one", lambda b: two_paths(b, EXPIRED, "worse"))
row("several candidates", "an expired intermediate after the good one", lambda b: two_paths(b, EXPIRED, "inter"))
row("several candidates", "an intermediate that is no CA before the good one",
    lambda b: two_paths(b, x(basicConstraints="critical,CA:FALSE"), "worse"))
row("several candidates", "an intermediate with other constraints before the good one",
    lambda b: two_paths(b, x(nameConstraints="critical,permitted;DNS:other.example"), "worse"))

# --- usages -------------------------------------------------------------------------------------
row("leaf EKU", "none", lambda b: b.path(leaf=x(extendedKeyUsage=None)))
row("leaf EKU", "serverAuth alone", lambda b: b.path(leaf=x(extendedKeyUsage="serverAuth")))
row("leaf EKU", "clientAuth alone", lambda b: b.path(leaf=x(extendedKeyUsage="clientAuth")))
row("leaf EKU", "codeSigning alone", lambda b: b.path(leaf=x(extendedKeyUsage="codeSigning")))
row("leaf EKU", "any", lambda b: b.path(leaf=x(extendedKeyUsage="anyExtendedKeyUsage")))
row("issuer EKU", "the intermediate's has serverAuth alone", lambda b: b.path(inter=x(extendedKeyUsage="serverAuth")))
row("issuer EKU", "the intermediate's has clientAuth alone", lambda b: b.path(inter=x(extendedKeyUsage="clientAuth")))
row("issuer EKU", "the intermediate's has codeSigning alone", lambda b: b.path(inter=x(extendedKeyUsage="codeSigning")))
row("issuer EKU", "the intermediate's has any", lambda b: b.path(inter=x(extendedKeyUsage="anyExtendedKeyUsage")))
row("issuer EKU", "the root's has codeSigning alone", lambda b: b.path(root=x(extendedKeyUsage="codeSigning")))
row("leaf KU", "none", lambda b: b.path(leaf=x(keyUsage=None)))
row("leaf KU", "keyEncipherment alone", lambda b: b.path(leaf=x(keyUsage="critical,keyEncipherment")))
row("leaf KU", "keyAgreement alone", lambda b: b.path(leaf=x(keyUsage="critical,keyAgreement")))
row("leaf KU", "cRLSign alone", lambda b: b.path(leaf=x(keyUsage="critical,cRLSign")))
row("leaf KU", "nonRepudiation alone", lambda b: b.path(leaf=x(keyUsage="critical,nonRepudiation")))
row("issuer KU", "the intermediate has none", lambda b: b.path(inter=x(keyUsage=None)))
row("issuer KU", "the intermediate has no keyCertSign", lambda b: b.path(inter=x(keyUsage="critical,digitalSignature,cRLSign")))
row("issuer KU", "the root has none", lambda b: b.path(root=x(keyUsage=None)))
row("issuer KU", "the root has no keyCertSign", lambda b: b.path(root=x(keyUsage="critical,digitalSignature,cRLSign")))

# --- basic constraints --------------------------------------------------------------------------
row("intermediate no CA", "no basicConstraints", lambda b: b.path(inter=x(basicConstraints=None)))
row("intermediate no CA", "CA:FALSE", lambda b: b.path(inter=x(basicConstraints="critical,CA:FALSE")))
row("intermediate no CA", "neither basicConstraints nor keyUsage", lambda b: b.path(inter=x(basicConstraints=None, keyUsage=None)))
row("intermediate no CA", "version 1", lambda b: b.path(inter={"version": 1}, leaf=x(authorityKeyIdentifier=None)))
row("root no CA", "no basicConstraints", lambda b: b.path(root=x(basicConstraints=None)))
row("root no CA", "CA:FALSE", lambda b: b.path(root=x(basicConstraints="critical,CA:FALSE")))
row("root no CA", "neither basicConstraints nor keyUsage", lambda b: b.path(root=x(basicConstraints=None, keyUsage=None)))
row("root no CA", "version 1", lambda b: plain_root(b, {"version": 1}))
row("root no CA", "not critical", lambda b: b.path(root=x(basicConstraints="CA:TRUE")))


def plain_root(b, root):
    b.cert("root", **root)
    b.leaf(issuer="root", ext={"authorityKeyIdentifier": None})
    return b.scene(["leaf"], ["root"])


row("leaf is a CA", "CA:TRUE", lambda b: b.path(leaf=x(basicConstraints="critical,CA:TRUE")))
row("leaf is a CA", "CA:TRUE with keyCertSign", lambda b: b.path(leaf=x(
    basicConstraints="critical,CA:TRUE", keyUsage="critical,digitalSignature,keyCertSign")))
row("leaf is a CA", "no basicConstraints", lambda b: b.path(leaf=x(basicConstraints=None)))
row("path length", "the root's, exceeded", lambda b: b.path(root=x(basicConstraints="critical,CA:TRUE,pathlen:0"), depth=1))
row("path length", "the root's, kept", lambda b: b.path(root=x(basicConstraints="critical,CA:TRUE,pathlen:1"), depth=1))
row("path length", "the root's, exceeded by two", lambda b: b.path(root=x(basicConstraints="critical,CA:TRUE,pathlen:0"), depth=2))
row("path length", "the intermediate's, kept", lambda b: b.path(inter=x(basicConstraints="critical,CA:TRUE,pathlen:0")))
row("path length", "the upper intermediate's, exceeded", lambda b: short_upper(b))


def short_upper(b):
    b.cert("root")
    b.cert("upper", issuer="root", ext={"basicConstraints": "critical,CA:TRUE,pathlen:0"})
    b.cert("inter", issuer="upper")
    b.leaf(issuer="inter")
    return b.scene("leaf inter upper".split(), ["root"])


# --- name constraints ---------------------------------------------------------------------------
def constrained(value, at="inter", **leaf):
    def make(b):
        return b.path(**{at: x(nameConstraints="critical," + value), "leaf": leaf})
    return make


row("name constraints: dns", "permitted", constrained("permitted;DNS:fidelity.example"))
row("name constraints: dns", "another permitted", constrained("permitted;DNS:other.example"))
row("name constraints: dns", "excluded", constrained("excluded;DNS:fidelity.example"))
row("name constraints: dns", "another excluded", constrained("excluded;DNS:other.example"))
row("name constraints: dns", "another permitted, by the root", constrained("permitted;DNS:other.example", at="root"))
row("name constraints: dns", "permitted with a dot before", constrained("permitted;DNS:.fidelity.example"))
row("name constraints: dns", "another permitted, the name in the CN alone",
    constrained("permitted;DNS:other.example", subject="CN=" + NAME, **x(subjectAltName=None)))
ADDRESS = x(subjectAltName="IP:127.0.0.1")
row("name constraints: ip", "permitted", lambda b: constrained("permitted;IP:127.0.0.0/255.0.0.0", **ADDRESS)(b).but(name="127.0.0.1"))
row("name constraints: ip", "another permitted", lambda b: constrained("permitted;IP:10.0.0.0/255.0.0.0", **ADDRESS)(b).but(name="127.0.0.1"))
row("name constraints: ip", "excluded", lambda b: constrained("excluded;IP:127.0.0.0/255.0.0.0", **ADDRESS)(b).but(name="127.0.0.1"))
row("name constraints: ip", "an address permitted, the leaf has names", constrained("permitted;IP:10.0.0.0/255.0.0.0"))


def dir_name(b, kind, organisation):
    """x509v3_config takes a dirName from a section: DER says it without one."""
    text = organisation.encode()
    atom = bytes([0x0c, len(text)]) + text
    pair = bytes([0x06, 3, 0x55, 4, 10]) + atom
    name = wrap(0x30, wrap(0x31, wrap(0x30, pair)))
    tree = wrap(0xA0 if kind == "permitted" else 0xA1, wrap(0x30, wrap(0xA4, name)))
    return b.path(inter={"ext": {"2.5.29.30": "critical,DER:" + wrap(0x30, tree).hex()}})


def wrap(tag, content):
    return bytes([tag, len(content)]) + content


row("name constraints: dirname", "permitted", lambda b: dir_name(b, "permitted", f"s{b.number}"))
row("name constraints: dirname", "another permitted", lambda b: dir_name(b, "permitted", "other"))
row("name constraints: dirname", "excluded", lambda b: dir_name(b, "excluded", f"s{b.number}"))
row("name constraints: dirname", "another excluded", lambda b: dir_name(b, "excluded", "other"))

# --- critical extensions ------------------------------------------------------------------------
UNKNOWN = {"1.3.6.1.4.1.99999.1": "critical,ASN1:UTF8String:unknown"}
row("critical extension", "the leaf's is unknown", lambda b: b.path(leaf={"ext": UNKNOWN}))
row("critical extension", "the intermediate's is unknown", lambda b: b.path(inter={"ext": UNKNOWN}))
row("critical extension", "the root's is unknown", lambda b: b.path(root={"ext": UNKNOWN}))
row("critical extension", "an unknown one that is not critical", lambda b: b.path(leaf={"ext": {"1.3.6.1.4.1.99999.1": "ASN1:UTF8String:unknown"}}))

# --- strength -----------------------------------------------------------------------------------
for place in ("leaf", "inter", "root"):
    said = {"leaf": "the leaf", "inter": "the intermediate", "root": "the root"}[place]
    row("weak key", f"{said} has RSA 1024", lambda b, p=place: b.path(**{p: {"key": "RSA-1024"}}))
    row("weak signature", f"{said} is signed with SHA-1", lambda b, p=place: b.path(**{p: {"digest": "SHA1"}}))
    row("Ed25519", f"{said} has an Ed25519 key", lambda b, p=place: b.path(**{p: {"key": "ED25519"}}))
row("weak signature", "the leaf is signed by RSA with MD5", lambda b: b.path(root={"key": "RSA-2048"}, leaf={"digest": "MD5"}, depth=0))
row("weak signature", "the leaf is signed by RSA-PSS", lambda b: b.path(root={"key": "RSA-2048"}, leaf={"padding": "pss"}, depth=0))
row("weak key", "the leaf has RSA 2047", lambda b: b.path(leaf={"key": "RSA-2047"}))
row("weak key", "the leaf has RSA 3072", lambda b: b.path(leaf={"key": "RSA-3072"}))
for curve in ("P-384", "P-521"):
    row("curve", f"the leaf is on {curve}", lambda b, c=curve: b.path(leaf={"key": c}))
for curve in ("P-192", "P-224", "secp256k1"):  # which TLS 1.3 has no signatures for
    row("curve", f"the leaf is on {curve}", lambda b, c=curve: b.path(leaf={"key": c}), versions=("1.2",))
row("curve", "the intermediate is on P-521", lambda b: b.path(inter={"key": "P-521"}))
row("curve", "the intermediate is on P-224", lambda b: b.path(inter={"key": "P-224"}))

# --- names --------------------------------------------------------------------------------------
def named(rule, title, san, dialled, cn="app"):
    row(rule, title, lambda b: b.path(leaf={"subject": f"O=s{b.number}/CN={cn}", **x(subjectAltName=san)}).but(name=dialled), who="server")


named("name", "exact", f"DNS:{NAME}", NAME)
named("name", "another", "DNS:b.fidelity.example", NAME)
named("name", "the second of two", f"DNS:other.example,DNS:{NAME}", NAME)
named("name", "in capitals in the certificate", f"DNS:{NAME.upper()}", NAME)
named("name", "in capitals as dialled", f"DNS:{NAME}", NAME.upper())
named("name", "with an underscore", "DNS:a_b.fidelity.example", "a_b.fidelity.example")
named("name", "one label", "DNS:localhost", "localhost")
named("name in CN", "no subjectAltName", None, NAME, cn=NAME)
named("name in CN", "a subjectAltName with another name", "DNS:other.example", NAME, cn=NAME)
named("name in CN", "a subjectAltName with an address", "IP:127.0.0.9", NAME, cn=NAME)
named("name in CN", "a subjectAltName with a mail address", "email:a@fidelity.example", NAME, cn=NAME)
named("name in CN", "a wildcard, no subjectAltName", None, NAME, cn="*.fidelity.example")
named("wildcard", "the first label", "DNS:*.fidelity.example", NAME)
named("wildcard", "two labels", "DNS:*.fidelity.example", "b." + NAME)
named("wildcard", "no label", "DNS:*.fidelity.example", "fidelity.example")
named("wildcard", "within a label, after", "DNS:ab*.fidelity.example", "abc.fidelity.example")
named("wildcard", "within a label, before", "DNS:*bc.fidelity.example", "abc.fidelity.example")
named("wildcard", "the second label", "DNS:a.*.example", NAME)
named("wildcard", "twice", "DNS:*.*.example", NAME)
named("wildcard", "the top level's", "DNS:*.example", "fidelity.example")
named("wildcard", "alone", "DNS:*", "localhost")
named("wildcard", "for an encoded label", "DNS:*.fidelity.example", "xn--bcher-kva.fidelity.example")
named("address", "as iPAddress", "IP:127.0.0.1", "127.0.0.1")
named("address", "another iPAddress", "IP:127.0.0.2", "127.0.0.1")
named("address", "as dNSName", "DNS:127.0.0.1", "127.0.0.1")
named("address", "in the CN alone", None, "127.0.0.1", cn="127.0.0.1")
named("address", "a wildcard that fits", "DNS:*.0.0.1", "127.0.0.1")
named("trailing dot", "as dialled", f"DNS:{NAME}", NAME + ".")
named("trailing dot", "in the certificate", f"DNS:{NAME}.", NAME)
named("trailing dot", "in both", f"DNS:{NAME}.", NAME + ".")
named("trailing dot", "as dialled, a wildcard in the certificate", "DNS:*.fidelity.example", NAME + ".")
named("international name", "encoded in both", "DNS:xn--bcher-kva.example", "xn--bcher-kva.example")
named("international name", "encoded in the certificate, capitals as dialled", "DNS:xn--bcher-kva.example", "XN--BCHER-KVA.example")
named("international name", "encoded, another", "DNS:xn--bcher-kva.example", "xn--bchr-moa.example")
named("international name", "a wildcard within an encoded label", "DNS:xn--b*.example", "xn--bcher-kva.example")
row("name not verified", "another, verify: ca", lambda b: b.path(leaf=x(subjectAltName="DNS:other.example")).but(verify="ca"), who="server", needs="verify_ca")
row("name not verified", "expired, verify: ca", lambda b: b.path(leaf=EXPIRED).but(verify="ca"), who="server", needs="verify_ca")
row("name not verified", "right, verify: ca", lambda b: b.path().but(verify="ca"), who="server", needs="verify_ca")
row("nothing verified", "another name, verify: none", lambda b: b.path(leaf=x(subjectAltName="DNS:other.example")).but(verify="none"), who="server", needs="verify_none")
row("nothing verified", "expired, verify: none", lambda b: b.path(leaf=EXPIRED).but(verify="none"), who="server", needs="verify_none")
row("nothing verified", "another root, verify: none", lambda b: other_root(b, b.path(), "other").but(verify="none"), who="server", needs="verify_none")


# --- revocation ---------------------------------------------------------------------------------
def listed(revoked="", lists="root", depth=0, **fields):
    def make(b):
        scene = b.path(depth=depth)
        b.cert("other")
        for issuer in lists.split():
            has = [cert for cert in revoked.split() if (cert == "leaf") == (issuer == scene_issuer(depth))]
            scene.crls.append(b.crl(f"crl-{issuer}", issuer, has, **fields))
        return scene
    return make


def scene_issuer(depth):
    return "inter" if depth else "root"


row("revocation", "the leaf is revoked", listed("leaf"), needs="crl")
row("revocation", "nobody is revoked", listed(), needs="crl")
row("revocation", "the intermediate is revoked", listed("inter", "root inter", depth=1), needs="crl")
row("revocation", "nobody is revoked, two lists", listed("", "root inter", depth=1), needs="crl")
row("revocation", "the leaf is revoked, two lists", listed("leaf", "root inter", depth=1), needs="crl")
row("age of the list", "it is expired", listed("", until=-3600), needs="crl")
row("age of the list", "it is expired and has the leaf", listed("leaf", until=-3600), needs="crl")
row("age of the list", "it is not yet valid", listed("", **{"from": 3600}), needs="crl")
row("list of another", "of another issuer alone", listed("", "other"), needs="crl")
row("list of another", "of the root, not of the intermediate", listed("", "root", depth=1), needs="crl")
row("list of another", "of the intermediate, not of the root", listed("", "inter", depth=1), needs="crl")
row("list of another", "of the intermediate, which has the leaf, not of the root", listed("leaf", "inter", depth=1), needs="crl")
row("list of another", "signed by another", listed("", "root", signer="other"), needs="crl")


# --- clients ------------------------------------------------------------------------------------
def nothing(b, auth):
    scene = b.path().but(auth=auth)
    scene.absent = True
    return scene


for auth in ("none", "optional", "required"):
    row("client presents nothing", f"client_auth: {auth}", lambda b, a=auth: nothing(b, a), who="client")
    row("client_auth", f"{auth}, a good certificate", lambda b, a=auth: b.path().but(auth=a), who="client")
    row("client_auth", f"{auth}, an expired certificate", lambda b, a=auth: b.path(leaf=EXPIRED).but(auth=a), who="client")
    row("client_auth", f"{auth}, another issuer", lambda b, a=auth: other_root(b, b.path(), "other").but(auth=a), who="client")
    row("client_auth", f"{auth}, a server's certificate", lambda b, a=auth: b.path(leaf=x(extendedKeyUsage="serverAuth")).but(auth=a), who="client")
for auth in ("optional", "required"):
    row("selection", f"{auth}, the issuer is named", lambda b, a=auth: b.path(depth=0).but(auth=a), who="client", by="presenter")
    row("selection", f"{auth}, the issuer's issuer is named", lambda b, a=auth: b.path(depth=1).but(auth=a), who="client", by="presenter")
    row("selection", f"{auth}, the issuer's issuer is named and the issuer not sent",
        lambda b, a=auth: b.path(depth=1).but(auth=a, chain="leaf"), who="client", by="presenter")
    row("selection", f"{auth}, another is named", lambda b, a=auth: other_root(b, b.path(), "other").but(auth=a), who="client", by="presenter")
    row("selection", f"{auth}, another and the issuer are named", lambda b, a=auth: other_root(b, b.path(depth=0), "other root").but(auth=a), who="client", by="presenter")
    row("selection", f"{auth}, expired, the issuer is named", lambda b, a=auth: b.path(leaf=EXPIRED, depth=0).but(auth=a), who="client", by="presenter")
    row("selection", f"{auth}, a server's certificate, the issuer is named",
        lambda b, a=auth: b.path(leaf=x(extendedKeyUsage="serverAuth"), depth=0).but(auth=a), who="client", by="presenter")
