"""watched.py - what tests/watched needs of the cluster file and of JSON: who is to be watched, and
whether what was seen is what the plans said.

    targets CLUSTER.yaml              a line for tests/watcher.c for each declared link
    judge NAME SEEN ROOT [PLAN HISTORY]...   the watcher's output against each plan and its history
"""

import json
import os
import sys
from datetime import datetime


def file_of(base, service, store, what):
    """Where a program finds a store's file: in its settings where these can be switched."""
    reference = service.get("reference", "")
    place = os.path.join(base, reference)
    if reference.endswith("etcd.yml"):
        section = {"server": "client", "peer": "peer"}[store["name"]] + "-transport-security"
        return "@%s:%s:%s" % (place, section, {"certificate": "cert-file", "key": "key-file"}[what])
    if reference.endswith("curl.conf"):
        return "@%s:url:%s" % (place, {"certificate": "cert", "key": "key"}[what])
    return os.path.join(base, store[what])


def targets(path):
    import yaml  # of Debian's python3-yaml

    with open(path) as text:
        cluster = yaml.safe_load(text)
    base = os.path.dirname(os.path.abspath(path))

    def end(name):
        node, service = name.split("/")
        node = cluster["nodes"][node]
        return node, node["services"][service]

    for link in cluster["links"]:
        node, client = end(link["from"])
        server = end(link["to"])[1]
        host, port = server["listen"].rsplit(":", 1)
        store = dict(node["stores"][link["identity"]], name=link["identity"])
        print(
            "name=%s->%s host=%s port=%s verify=%s ca=%s cert=%s key=%s say=http:%s"
            % (
                link["from"],
                link["to"],
                host,
                port,
                link["name"],
                os.path.join(base, node["stores"][link["trust"]]["certificates"]),
                file_of(base, client, store, "certificate"),
                file_of(base, client, store, "key"),
                {"etcd": "/version"}.get(server.get("group"), "/"),
            )
        )


def seconds(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def windows_of(plan_path, history_path):
    """Each step that declares an outage, with its links and the seconds in which it was done."""
    with open(plan_path) as text:
        plan = json.load(text)
    with open(history_path) as text:
        events = json.load(text)["events"]
    found = []
    for step in plan["steps"]:
        times = [seconds(e["at"]) for e in events if e["step"] == step["id"] and e["state"] in ("started", "done")]
        if step["outage"] and times:
            found.append({"service": step["node"], "links": step["outage"], "from": min(times), "to": max(times)})
    return found


def is_declared(failure, windows):
    """History has whole seconds."""
    at = failure["at"] / 1000
    return any(
        failure["target"] in window["links"] and window["from"] <= at < window["to"] + 1 for window in windows
    )


def one_at_a_time(failures, windows):
    """By the watcher's clock: nobody was refused by one while another one was not there yet."""
    for before, after in zip(windows, windows[1:]):
        if before["service"] == after["service"]:
            continue

        def refused(window):
            to = "->%s/" % window["service"]
            return [f["at"] for f in failures if to in f["target"] and window["from"] <= f["at"] / 1000 < window["to"] + 1]

        first, second = refused(before), refused(after)
        if first and second and max(first) >= min(second):
            return False
    return True


def report(name, good, *explanation):
    print(("ok " if good else "not ok ") + name)
    if not good:
        for line in explanation:
            print("# %s" % (line,))


def judge(name, seen_path, root, *runs):
    seen = []
    with open(seen_path) as lines:
        for line in lines:
            seen.append(json.loads(line))
    windows = [w for i in range(0, len(runs), 2) for w in windows_of(runs[i], runs[i + 1])]
    failures = [s for s in seen if "failed" in s]
    other = [f for f in failures if f["failed"] != "tcp"]
    undeclared = [f for f in failures if f["failed"] == "tcp" and not is_declared(f, windows)]
    totals = seen[-1]["totals"]
    issuer, asked = {}, {}
    for line in seen:
        issuer[line.get("target")] = line.get("issuer", issuer.get(line.get("target")))
        asked[line.get("target")] = line.get("acceptable", asked.get(line.get("target")))
    good = sum(t["good"] for t in totals)
    print("# %s: %d handshakes, %d TCP refusals in %d declared outages, %d others" % (
        name, good, len(failures) - len(other) - len(undeclared), len(windows), len(other) + len(undeclared)))
    report(name + ": no handshake is refused, ever", not other, *other[:5])
    report(name + ": TCP is refused in declared outages alone", not undeclared, *undeclared[:5])
    report(name + ": every link was watched all along", all(t["good"] > 0 for t in totals), *totals)
    report(name + ": one member after the other", one_at_a_time(failures, windows))
    names = [t["target"] for t in totals]
    report(name + ": everyone presents a certificate of the new root",
           all(issuer[n] == "/CN=" + root for n in names), issuer)
    report(name + ": every process asks for the new root alone",
           all(asked[n] == ["/CN=" + root] for n in names), asked)


{"targets": targets, "judge": judge}[sys.argv[1]](*sys.argv[2:])
