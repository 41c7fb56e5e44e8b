# SPDX-License-Identifier: Apache-2.0
"""The real programs: how each is made one end of a connection.

A stack is a Kind (what is to be known of it), its ends, and its table of causes.
"""
import itertools
import os
import queue
import re
import signal
import subprocess
import threading
import time
from dataclasses import dataclass

import causes
from situations import Kind

WAIT = 10


@dataclass
class Result:
    accepted: bool
    code: str = ""
    text: str = ""


class LineEnds:
    """A program that takes jobs on standard input: end.c, End.java, end.go."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.answers, self.lock, self.jobs = {}, threading.Lock(), itertools.count()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            job, *answer = line.rstrip("\n").split("\t")
            self.answers[job].put(answer)

    def ask(self, verb, fields):
        with self.lock:
            job = str(next(self.jobs))
            self.answers[job] = queue.Queue()
            print(verb, job, *[f"{key}={value}" for key, value in fields.items()], sep="\t",
                  file=self.process.stdin, flush=True)
        return job

    def answer(self, job, wait=WAIT):
        try:
            return self.answers[job].get(timeout=wait)
        except queue.Empty:
            return ["", "refused", "silent", "no answer"]

    @staticmethod
    def fields(situation, end):
        part = situation[end]
        fields = dict(part["files"], tls=situation["version"], proto=situation["protocol"])
        if part["kind"] == "lenient":
            fields["lenient"] = 1
        return fields

    def serve(self, situation):
        fields = self.fields(situation, "server")
        fields["auth"] = situation["auth"]
        job = self.ask("serve", fields)
        answer = self.answer(job)
        if answer[0] == "listening":
            return int(answer[1]), lambda: self.result(job, 2)  # the client is through by then
        return None, lambda: Result(False, *answer[2:4])

    def result(self, job, wait=WAIT):
        answer = self.answer(job, wait)
        return Result(answer[1] == "accepted", *answer[2:4])

    def dial(self, situation, port):
        fields = self.fields(situation, "client")
        fields.update(port=port, name=situation["dial"], verify=situation["verify"])
        return self.result(self.ask("dial", fields))

    def stop(self):
        self.process.stdin.close()
        self.process.kill()
        self.process.wait()


ports = itertools.count(21000)


def is_listening(port):
    wanted = f":{port:04X} "
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with open(table) as lines:
            if any(wanted in line[:60] and " 0A " in line for line in lines):
                return True
    return False


def started(command, port, **more):
    """A server that is listening, its output in a file; or None where it ended."""
    output = open(more.pop("output"), "w+")
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, **more)
    until = time.monotonic() + WAIT
    while not is_listening(port) and process.poll() is None and time.monotonic() < until:
        time.sleep(0.005)
    return process, output


def ended(process, output, how=signal.SIGTERM):
    """What it said, all of it."""
    process.send_signal(how)
    try:
        process.wait(2)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    output.seek(0)
    with output:
        return output.read()


def run(command, request, **more):
    try:
        done = subprocess.run(command, input=request, capture_output=True, timeout=WAIT, **more)
        return done.stdout.decode(errors="replace") + done.stderr.decode(errors="replace")
    except subprocess.TimeoutExpired as late:
        return ((late.stdout or b"") + (late.stderr or b"")).decode(errors="replace") + "\nno answer"


HTTP = b"GET / HTTP/1.0\r\n\r\n"


class Gnutls:
    """gnutls-cli and gnutls-serv: one process for each connection."""

    @staticmethod
    def options(situation, end):
        files = situation[end]["files"]
        names = {"chain": "--x509certfile", "key": "--x509keyfile", "ca": "--x509cafile", "crl": "--x509crlfile"}
        return [f"--priority=NORMAL:-VERS-ALL:+VERS-TLS{situation['version']}"] + [
            f"{names[what]}={path}" for what, path in files.items()]

    @staticmethod
    def said(text):
        """The lines that say why."""
        lines = [line for line in text.splitlines()
                 if re.search(r"Status:|rror in|\*\*\*|rror:|No certificate", line)]
        return " | ".join(lines)[:400]

    def serve(self, situation):
        port = next(ports)
        auth = {"none": ["--disable-client-cert"], "optional": ["--verify-client-cert"],
                "required": ["--require-client-cert", "--verify-client-cert"]}[situation["auth"]]
        process, output = started(["stdbuf", "-oL", "gnutls-serv", "--http", f"--port={port}"] + auth +
                                  self.options(situation, "server"), port, output=situation["folder"] + "/gnutls-serv.log")

        def result():
            text = ended(process, output)
            return Result("Error in" not in text and "Description:" in text, self.said(text), self.said(text))
        return (port if process.poll() is None else None), result

    def dial(self, situation, port):
        command = ["gnutls-cli", "--port", str(port), f"--verify-hostname={situation['dial']}"]
        if not re.fullmatch(r"[0-9.]+", situation["dial"]):
            command.append(f"--sni-hostname={situation['dial'].rstrip('.')}")  # RFC 6066, 3
        if situation["verify"] == "none":
            command.append("--insecure")
        text = run(command + self.options(situation, "client") + ["127.0.0.1"], HTTP)
        return Result(" 200 OK" in text, self.said(text), self.said(text))

    def stop(self):
        pass


@dataclass
class Stack:
    kind: Kind
    begin: object        # (folder of programs) -> its ends
    causes: object       # code -> set of causes


def kind(name, stack, can, **more):
    return Kind(name, stack, frozenset(can.split()), **more)


ALL = "client server both verify_ca verify_none crl"
STACKS = {stack.kind.name: stack for stack in (
    Stack(kind("openssl", "openssl", ALL), lambda made: LineEnds([made + "/end"]), causes.openssl_causes),
    Stack(kind("gnutls", "gnutls", "client server both verify_none crl"), lambda made: Gnutls(), causes.texts(causes.GNUTLS)),
    Stack(kind("jsse", "jsse", ALL), lambda made: LineEnds(["java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", made, "End"]), causes.jsse_causes),
    Stack(kind("go", "go", "client server both verify_ca verify_none"), lambda made: LineEnds([made + "/end-go"]), causes.go_causes),
)}
