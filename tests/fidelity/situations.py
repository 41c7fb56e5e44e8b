# SPDX-License-Identifier: Apache-2.0
"""Situations: rows of rules.py over stacks and roles, their certificates, and one cluster file in
which each is a link, for reseal to foretell.

In the role of a client or server a stack has a neutral OpenSSL at the other end, in `both` it has
itself. Of the version of TLS, the kind of key and the number of intermediates each situation gets
those with which it adds the most pairs of values that no situation had before it.
"""
import base64
import itertools
import json
import os
import random
import subprocess
from dataclasses import dataclass

import rules

KEYS = ("P-256", "RSA-2048")
DEPTHS = (1, 0, 2)
PART = 100  # situations in one cluster file


@dataclass
class Kind:
    """What is to be known of a stack to make situations for it."""
    name: str
    stack: str           # in the cluster file
    can: frozenset       # verify_ca, verify_none, crl, …; "client" and "server" are roles
    protocol: str = "http"


def roles(row, kind):
    ends = {"any": ("server", "client"), "server": ("server",), "client": ("client",)}[row.who]
    if row.by == "judge":
        ends = tuple("client" if end == "server" else "server" for end in ends)
    if not set(row.needs.split()) <= kind.can:
        return []
    return [end for end in ("client", "server") if end in ends and end in kind.can] + (
        ["both"] if {"client", "server", "both"} <= kind.can else [])


def plan(kinds, seed):
    """(row, kind, role, version, key, depth) for each situation, always the same for a seed."""
    rng = random.Random(seed)
    seen, planned = set(), []
    for row, kind in itertools.product(rules.ROWS, kinds):
        for role in roles(row, kind):
            fixed = (row.rule, row.name), kind.name, role
            choices = list(itertools.product(row.versions, KEYS, DEPTHS))
            rng.shuffle(choices)

            def pairs(choice):
                values = list(enumerate(fixed + choice))
                return {pair for pair in itertools.combinations(values, 2)}
            best = max(choices, key=lambda choice: len(pairs(choice) - seen))
            seen |= pairs(best)
            planned.append((row, kind, role) + best)
    return planned


def sample(planned, count):
    """Every rule with every stack first, each time with another of its rows, then at random."""
    rng = random.Random(count)
    order = list(range(len(planned)))
    rng.shuffle(order)
    cells, first, rest = set(), [], []
    for n in order:
        cell = planned[n][0].rule, planned[n][1].name
        (rest if cell in cells else first).append(n)
        cells.add(cell)
    return sorted((first + rest)[:max(count, len(first))])


def assemble(number, planned):
    """The situation as a record, and the orders for its certificates."""
    row, kind, role, version, key, depth = planned
    builder = rules.Builder(number, key, depth)
    scene = row.make(builder)
    presenter = row.who
    if row.who == "any":
        judge = role if role != "both" else ("client", "server")[number % 2]
        presenter = {"client": "server", "server": "client"}[judge]
        if row.by == "presenter" and role != "both":
            presenter = role
    judge = "server" if presenter == "client" else "client"
    builder.cert("good-root", key="P-256")
    builder.leaf("good-root", "good-leaf", key="P-256", cn="app", subject="CN=app")
    good = {"chain": ["good-leaf"], "anchors": ["good-root"]}

    subject = {"client", "server"} if role == "both" else {role}
    neutral = "strict" if row.by == "presenter" else "lenient"
    ends = {end: {"kind": "subject" if end in subject else neutral, "chain": [], "ca": [], "crl": []}
            for end in ("client", "server")}
    special, other = ends[presenter], ends[judge]
    special["chain"] = [] if scene.absent else scene.chain
    other["ca"], other["crl"] = scene.anchors, scene.crls
    # The other direction: the server always presents, and whoever is no neutral peer judges.
    mutual = role == "both" or (presenter == "client" and special["kind"] == "subject")
    verify, name, auth = scene.verify, scene.name, scene.auth
    if presenter == "client":
        other["chain"] = good["chain"]
        verify, name = ("full" if mutual else "none"), rules.NAME
        special["ca"] = scene.own + (good["anchors"] if mutual else [])
        if auth == "none":
            other["ca"], other["crl"] = [], []
    else:
        auth = "required" if mutual else "none"
        if scene.own and not mutual:
            auth = "optional"
        other["chain"] = good["chain"] if mutual else []
        special["ca"] = scene.own + (good["anchors"] if mutual else [])
    if verify == "none":
        ends["client"]["ca"], ends["client"]["crl"] = [], []
    return {"number": number, "rule": row.rule, "name": row.name, "stack": kind.name, "role": role,
            "version": version, "key": key, "depth": depth, "presenter": presenter, "judge": judge,
            "verify": verify, "dial": name, "auth": auth, "protocol": kind.protocol,
            "client": ends["client"], "server": ends["server"]}, builder.orders


def pem(kind, der):
    text = base64.b64encode(der).decode()
    lines = "\n".join(text[i:i + 64] for i in range(0, len(text), 64))
    return f"-----BEGIN {kind}-----\n{lines}\n-----END {kind}-----\n"


def mint(program, orders):
    made = {}
    result = subprocess.run([program], input="\n".join(orders) + "\n", capture_output=True, text=True)
    if result.returncode != 0:
        raise SystemExit(result.stderr)
    for line in result.stdout.splitlines():
        name, *values = line.split("\t")
        made[name] = [base64.b64decode(value) for value in values]
    return made


def write(path, text, mode=0o644):
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as file:
        file.write(text)


def write_files(situation, made, folder):
    """The files of both ends, and the paths of them in the situation."""
    os.makedirs(folder, exist_ok=True)
    for end in ("client", "server"):
        part = situation[end]

        def certificates(labels):
            return "".join(pem("CERTIFICATE", made[f"{situation['number']}.{label}"][0]) for label in labels)
        if part["chain"]:
            key = made[f"{situation['number']}.{part['chain'][0]}"][1]
            write(f"{folder}/{end}.pem", certificates(part["chain"]))
            write(f"{folder}/{end}.key", pem("PRIVATE KEY", key), 0o600)
        if part["ca"]:
            write(f"{folder}/{end}-ca.pem", certificates(part["ca"]))
        if part["crl"]:
            write(f"{folder}/{end}.crl", "".join(
                pem("X509 CRL", made[f"{situation['number']}.{label}"][0]) for label in part["crl"]))
        files = {"chain": f"{end}.pem", "key": f"{end}.key", "ca": f"{end}-ca.pem", "crl": f"{end}.crl"}
        part["files"] = {what: f"{folder}/{file}" for what, file in files.items()
                         if os.path.exists(f"{folder}/{file}")}
    write(f"{folder}/situation.json", json.dumps(situation, indent=1))


def cluster(situations, kinds):
    """The cluster file: reseal takes JSON, which is YAML."""
    stores, services, links = {}, {}, []
    stacks = {kind.name: kind.stack for kind in kinds}
    for situation in situations:
        n = situation["number"]
        for end in ("client", "server"):
            part, files = situation[end], situation[end]["files"]
            service = {"stack": stacks[situation["stack"]] if part["kind"] == "subject" else "openssl"}
            if "chain" in files:
                stores[f"{end}{n}"] = {"certificate": files["chain"], "key": files["key"]}
                service["identities"] = [{"store": f"{end}{n}"}]
            if "ca" in files:
                trust = {"certificates": files["ca"]}
                if "crl" in files:
                    trust["crl"] = files["crl"]
                stores[f"trust-{end}{n}"] = trust
                service["trust"] = [f"trust-{end}{n}"]
            if end == "server":
                service["client_auth"] = situation["auth"]
                service["listen"] = f"127.0.0.1:{20000 + n}"
            services[f"{end}{n}"] = service
        link = {"from": f"here/client{n}", "to": f"here/server{n}", "name": situation["dial"],
                "verify": situation["verify"]}
        if "chain" in situation["client"]["files"]:
            link["identity"] = f"client{n}"
        if "ca" in situation["client"]["files"]:
            link["trust"] = f"trust-client{n}"
        links.append(link)
    return {"cluster": "fidelity", "nodes": {"here": {"stores": stores, "services": services}}, "links": links}


def foretell_some(reseal, situations, kinds, folder):
    write(f"{folder}/cluster.yaml", json.dumps(cluster(situations, kinds)))
    result = subprocess.run([reseal, "check", "-f", f"{folder}/cluster.yaml", "--state", f"{folder}/state",
                             "--offline", "--json"], capture_output=True, text=True)
    try:
        said = json.loads(result.stdout)
        links = {int(link["to"].split("server")[-1]): link for link in said["links"]}
    except (ValueError, KeyError):
        raise SystemExit(f"reseal check ended with {result.returncode}: {result.stderr}{result.stdout[:2000]}")
    unread = [finding for finding in said["findings"] if finding["code"] in ("node_unreachable", "keystore_unreadable")]
    if unread or len(links) != len(situations) or any(link["verdict"] == "unknown" for link in links.values()):
        raise SystemExit(f"reseal could not judge every link: {unread[:3]}")
    return {number: (link["verdict"] != "broken", link["cause"]) for number, link in links.items()}


def foretell(reseal, situations, kinds, folder):
    """number -> (ok, cause) by the program that is tried. In parts, as one node must be read in the
    time that a worker has to answer, and a machine that is busy is slow."""
    verdicts = {}
    for i in range(0, len(situations), PART):
        part = f"{folder}/cluster{i // PART}"
        os.makedirs(part, exist_ok=True)
        verdicts.update(foretell_some(reseal, situations[i:i + PART], kinds, part))
    return verdicts
