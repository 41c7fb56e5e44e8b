# SPDX-License-Identifier: Apache-2.0
"""What tests/fidelity is made of, compiled."""
import os
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))


def build(folder, others=True):
    """The folder with mint and the programs of the ends; without `others` those in C alone."""
    programs = folder + "/programs"
    os.makedirs(programs, exist_ok=True)
    cc = ["cc", "-std=c17", "-D_GNU_SOURCE", "-O1"]
    env = dict(os.environ, GOCACHE=programs + "/cache", CGO_ENABLED="0", GO111MODULE="off", GOFLAGS="", HOME=programs)
    steps = [cc + ["-o", programs + "/mint", HERE + "/mint.c", "-lcrypto"],
             cc + ["-o", programs + "/end", HERE + "/end.c", "-lssl", "-lcrypto", "-lpthread"]]
    if others:
        steps += [["javac", "-d", programs, HERE + "/End.java"],
                  ["go", "build", "-o", programs + "/end-go", HERE + "/end.go"]]
    for step in steps:
        done = subprocess.run(step, env=env, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"fidelity: {' '.join(step)}: {done.stderr}")
    return programs
