"""packtrail watch against a real node: it goes on, falls silent, is rolled back from a backup, and tells another history. TAP.

  watch.py BUILD-DIR
"""
import glob
import json
import os
import shutil
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cases import run_cases  # noqa: E402
from stage import Failed, check_digit, party, run  # noqa: E402

GLN = "950600010000" + check_digit("950600010000")


def must(condition, why):
    if not condition:
        raise Failed(why)


class Watching:
    def __init__(self, stage):
        self.stage = stage
        self.products = 0

    def watch(self, *arguments, expect=0, memory="watch.json"):
        url = f"http://127.0.0.1:{self.stage.page_port}"
        out = run([self.stage.tool, "watch", "--genesis", self.stage.path("consortium/genesis.cbor"), "--memory", self.stage.path(memory),
                   "--url", url, "--once", *arguments], allowed=(expect,))
        return [json.loads(line) for line in out.splitlines()]

    def grow(self):
        """One more height: a master record of the operator's."""
        self.products += 1
        body = f"0950600013{self.products:03d}"
        self.stage.add_product(body + check_digit(body), f"81{self.products:05d}", "某", "Some", party(GLN))

    def restart(self, name="ledger"):
        process = self.stage.processes.pop(name)
        process.terminate()
        must(process.wait(timeout=20) == 0, "the ledger did not end well")


def a_growing_ledger_is_ok(w):
    w.grow()
    first = w.watch()[0]
    w.grow()
    w.grow()
    second = w.watch()[0]
    must(first["state"] == second["state"] == "ok" and second["height"] == first["height"] + 2, f"{first} {second}")
    must(w.watch()[0]["state"] == "ok", "nothing new is no harm")


def silence_is_stalled(w):
    time.sleep(1.2)
    must("no new height" in w.watch("--stale", "1", expect=4)[0]["why"], "an old height is stalled")
    w.restart()
    line = w.watch("--stale", "1", expect=4)[0]
    must(line["state"] == "stalled" and line["why"], f"a node that is off: {line}")
    must(w.watch("--stale", "3600", expect=0)[0]["state"] == "ok", "a short silence is none yet")
    w.stage.start_ledger()
    w.grow()
    must(w.watch()[0]["state"] == "ok", "after a restart it goes on")


def a_rollback_is_told(w):
    w.restart()
    shutil.copytree(w.stage.path("ledger"), w.stage.path("backup"))
    w.stage.start_ledger()
    w.grow()
    w.grow()
    w.watch()
    w.restart()
    shutil.rmtree(w.stage.path("ledger"))
    shutil.copytree(w.stage.path("backup"), w.stage.path("ledger"))
    w.stage.start_ledger()
    line = w.watch(expect=6)[0]
    must(line["state"] == "rolled-back", f"{line}")
    evidence = json.load(open(w.stage.path("watch.json.evidence-1"), encoding="utf-8"))
    must(evidence["known"] != evidence["seen"] and evidence["state"] == "rolled-back", f"{evidence}")
    w.watch(expect=6)
    must(len(glob.glob(w.stage.path("watch.json.evidence-*"))) == 2, "each finding has evidence of its own")


def another_history_is_a_fork(w):
    for _ in range(4):
        w.grow()
    line = w.watch(expect=5)[0]
    must(line["state"] == "forked" and line["why"], f"{line}")
    must(w.watch(memory="fresh.json")[0]["state"] == "ok", "who never saw the old history sees nothing wrong")


def what_is_no_ledger_is_told(w):
    other = tempfile.mkdtemp()
    try:
        w.stage.admin("init", other + "/c", "--name", "Other", "--profile", "cn")
        w.stage.admin("actor", other + "/c", "ledger", "--role", "executor", "--label", "L", "--party", party(GLN), "--host", "127.0.0.1")
        w.stage.admin("actor", other + "/c", "operator", "--role", "operator", "--label", "O", "--party", party(GLN))
        w.stage.admin("actor", other + "/c", "gateway", "--role", "gateway", "--label", "G", "--party", party(GLN), "--host", "127.0.0.1")
        w.stage.admin("genesis", other + "/c")
        out = run([w.stage.tool, "watch", "--genesis", other + "/c/genesis.cbor", "--memory", other + "/m", "--url",
                   f"http://127.0.0.1:{w.stage.page_port}", "--once"], allowed=(4,))
        must("no executor of the genesis signed it" in out, f"a checkpoint by strangers: {out}")
    finally:
        shutil.rmtree(other)
    with open(w.stage.path("broken.json"), "w", encoding="utf-8") as file:
        file.write('{"http://127.0.0.1:%d":{"checkpoint":"AAAA","advanced":"2026-01-01T00:00:00Z"}}' % w.stage.page_port)
    w.watch(expect=1, memory="broken.json")
    run([w.stage.tool, "watch", "--once"], allowed=(2,))


CASES = [a_growing_ledger_is_ok, silence_is_stalled, a_rollback_is_told, another_history_is_a_fork, what_is_no_ledger_is_told]


def prepare(stage):
    stage.found()
    stage.start_ledger()
    return Watching(stage)


run_cases("watch", CASES, prepare)
