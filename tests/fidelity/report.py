# SPDX-License-Identifier: Apache-2.0
"""What came of it, for people: agreement by stack and by cell, and each disagreement."""
from collections import Counter, defaultdict

import stacks
from causes import by_client


def meant(situation, seen):
    """The causes that the refusing program's words can mean, first of the end that judges what is
    special; empty: none that is known."""
    ends = [("client", "server"), ("server", "client")]
    for end, presenter in ends if situation["judge"] == "client" else reversed(ends):
        if seen[end] is None or situation[end]["kind"] == "lenient":
            continue
        name = situation["stack"] if situation[end]["kind"] == "subject" else "openssl"
        found = stacks.STACKS[name].causes(seen[end]["code"])
        if found:
            return by_client(found) if presenter == "client" else found
    return set()


def compare(situation, verdict, seen):
    """None where both say the same; else "outcome" or "cause"."""
    ok, cause = verdict
    if ok != seen["accepted"]:
        return "outcome"
    return None if ok or cause in meant(situation, seen) else "cause"


def foretold(record):
    ok, cause = record["verdict"]
    return "ok" if ok else f"broken, {cause}"


def really(record):
    if record["seen"]["accepted"]:
        return "accepted"
    return "refused, " + ("/".join(sorted(meant(record["situation"], record["seen"]))) or "unknown cause")


def words(seen):
    said = []
    for end in ("client", "server"):
        if seen[end] is not None and not seen[end]["accepted"]:
            text = seen[end]["text"] if seen[end]["text"] not in seen[end]["code"] else ""
            said.append(f"{end} [{seen[end]['code']}] {text}".strip())
    return "; ".join(said)


def describe(record):
    situation = record["situation"]
    return (f"  {situation['number']:5} {situation['stack']}/{situation['role']}: {situation['rule']}: {situation['name']}"
            f" (TLS {situation['version']}, {situation['key']}, {situation['presenter']} presents)\n"
            f"        reseal: {foretold(record)}\n"
            f"        really: {really(record)}  {words(record['seen'])}")


def percent(part, whole):
    return f"{part}/{whole} {100 * part / max(1, whole):.1f}"


def of_stack(name, records):
    """STACK agree/total percent, and how often the cause was right of what both refuse."""
    refused = [record for record in records if not record["seen"]["accepted"]]
    both = [record for record in refused if not record["verdict"][0]]
    right = sum(record["differs"] != "outcome" for record in records)
    causes = sum(record["differs"] is None for record in both)
    return f"{name} {percent(right, len(records))}   (refused {len(refused)}, cause {percent(causes, len(both))})"


def by_stack(records):
    rows = defaultdict(list)
    for record in records:
        rows[record["situation"]["stack"]].append(record)
    return {name: rows[name] for name in stacks.STACKS if name in rows}


def summary(records):
    refused = sum(not record["seen"]["accepted"] for record in records)
    return [of_stack(name, rows) for name, rows in by_stack(records).items()] + [
        f"{len(records)} handshakes, {refused} refused ({100 * refused / max(1, len(records)):.0f} %)"]


def cells(records):
    """Each rule x stack of which less than 95 % was foretold, or that has fewer than five."""
    rows = defaultdict(Counter)
    for record in records:
        rows[record["situation"]["rule"], record["situation"]["stack"]][record["differs"]] += 1
    for (rule, name), count in sorted(rows.items()):
        total = sum(count.values())
        if count["outcome"] > 0.05 * total:
            yield f"  {rule} x {name}: {total - count['outcome']}/{total}"
        elif total < 5:
            yield f"  {rule} x {name}: only {total}"


def order(record):
    situation = record["situation"]
    return record["differs"] != "outcome", situation["rule"], situation["stack"], situation["name"], situation["number"]


def full(records):
    lines = summary(records) + ["", "cells below 95 %, or with fewer than five handshakes:"] + list(cells(records))
    for what in ("outcome", "cause"):
        group = sorted((record for record in records if record["differs"] == what), key=order)
        lines += ["", f"another {what}: {len(group)}"] + [describe(record) for record in group]
    return lines


def grouped(records):
    """Disagreements by rule x stack and row: what reseal says, what the program did, at which roles."""
    rows = defaultdict(lambda: defaultdict(list))
    every = defaultdict(list)
    for record in records:
        situation = record["situation"]
        key = situation["rule"], situation["stack"], situation["name"]
        every[key].append(record)
    for key, tried in sorted(every.items()):
        if any(record["differs"] for record in tried):
            for record in tried:
                role = f"{record['situation']['role']}({record['situation']['judge']} judges, TLS {record['situation']['version']}, {record['situation']['key']})"
                rows[key][record["differs"] or "the same", foretold(record), really(record), words(record["seen"])].append(role)
    lines, cell = summary(records), None
    for (rule, name, title), outcomes in rows.items():
        if (rule, name) != cell:
            cell = rule, name
            lines += ["", f"== {rule} x {name}"]
        lines.append(f" {title}")
        for (differs, said, did, text), roles in outcomes.items():
            lines.append(f"    {'   ' if differs == 'the same' else '***'} reseal: {said} | really: {did} | {', '.join(roles)}"
                         + (f"\n            {text[:300]}" if text else ""))
    return lines
