"""A week of work without the line: a terminal signs tens of thousands of statements while its power is cut at random writes, then brings
them to a real gateway and ledger, with the power cut at random writes, too. Nothing is lost, nothing is there twice, the device's chain
is whole, and the process stays small. TAP on standard output.

  week.py BUILD-DIR STATEMENTS CUTS SEED
"""
import hashlib
import http.client
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../tools"))
from stage import Failed, Stage, check_digit, run  # noqa: E402

GTIN = "09506000134352"
MOST_MEMORY = 64 * 1024  # KiB
CUTS_WHILE_SYNCING = 0.2  # of all cuts


class Week:
    def __init__(self, stage, config, statements, cuts, seed):
        self.stage, self.config, self.statements, self.random = stage, config, statements, random.Random(seed)
        self.cuts_signing = round(cuts * (1 - CUTS_WHILE_SYNCING))
        self.cuts_syncing = cuts - self.cuts_signing
        self.told, self.fed = {}, 0
        self.memory = {"scan": 0, "sync": 0, "status": 0}  # KiB, the most of any process
        self.cut, self.undone = 0, 0
        self.writes_a_statement = 4.0  # measured as it goes
        self.number = 0

    # One process under the layer. kill_at: the power goes at its so many-th write; None: it runs to its end.
    def play(self, command, arguments, kill_at, codes=""):
        log = self.stage.path(f"layer-{self.number}")
        self.number += 1
        directory = self.stage.path("till")
        layer = {"LD_PRELOAD": os.environ["POWERCUT_LIB"], "POWERCUT_DIR": directory, "POWERCUT_LOG": log}
        if kill_at:
            layer["POWERCUT_FAIL"] = f"write:{kill_at}:KILL"
        process = subprocess.Popen([self.stage.scanner, "--config", self.config, command, *arguments], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env={**os.environ, **layer})
        watcher = threading.Thread(target=self.watch, args=(process, command), daemon=True)
        feeder = threading.Thread(target=self.feed, args=(process, codes), daemon=True)
        watcher.start()
        feeder.start()
        lines = self.read(process)
        status = process.wait()
        watcher.join()
        feeder.join()
        if kill_at and status == -signal.SIGKILL:
            self.cut += 1
            report = json.loads(run([os.environ["POWERCUT_TOOL"], "apply", "--seed", str(self.random.randrange(1 << 30)), directory, log]))
            self.undone += any(file.get("undone") or file.get("torn") for file in report["files"])
        elif status != 0:
            raise Failed(f"`{command}` ended with {status}: {lines[-1:]}")
        shutil.rmtree(log, ignore_errors=True)
        return status, lines

    @staticmethod
    def feed(process, codes):
        try:
            process.stdin.write(codes)
            process.stdin.close()
        except (BrokenPipeError, ValueError):
            pass

    def read(self, process):
        lines = []
        for line in process.stdout:
            try:
                answer = json.loads(line)
            except ValueError:
                continue  # cut off
            if "statement" in answer:
                if answer["sequence"] in self.told:
                    raise Failed(f"sequence {answer['sequence']} was given twice")
                self.told[answer["sequence"]] = answer["statement"]
            else:
                lines = [answer]
        return lines

    def watch(self, process, command):
        """The high-water mark of its memory, as long as it lives."""
        while process.poll() is None:
            try:
                with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
                    for line in status:
                        if line.startswith("VmHWM:"):
                            self.memory[command] = max(self.memory[command], int(line.split()[1]))
            except (OSError, ValueError):
                return
            time.sleep(0.01)

    def codes(self, count):
        first, self.fed = self.fed, self.fed + count
        return "".join(f"(01){GTIN}(17)281231(10)K1(21)W{number:06d}\n" for number in range(first, first + count))

    def sign(self):
        scan = ["--task", "commission", "--each", "--codes", "-"]
        a_run = max(1, self.statements // 2 // self.cuts_signing)
        while self.cut < self.cuts_signing:
            before = len(self.told)
            kill_at = self.random.randint(1, max(2, round(2 * a_run * self.writes_a_statement)))
            status, _ = self.play("scan", scan, kill_at, self.codes(3 * a_run))
            came = len(self.told) - before
            if status != 0 and came > 20:
                self.writes_a_statement = kill_at / came
        while len(self.told) < self.statements:  # the other half in one long piece of work, for its memory
            self.play("scan", scan, None, self.codes(self.statements - len(self.told)))

    def bring(self):
        writes = 2 * self.statements // (self.cuts_syncing + 1)
        done = False
        while not done and self.cut < self.cuts_signing + self.cuts_syncing:
            status, _ = self.play("sync", ["--timeout", "300"], self.random.randint(1, max(2, writes)))
            done = status == 0
        _, last = self.play("sync", ["--timeout", "300"], None)
        if last[-1]["left"] or last[-1]["refused"]:
            raise Failed(f"something was left: {last[-1]}")

    def status(self):
        return self.play("status", [], None)[1][-1]


def walk_chain(stage, week, signed):
    """From the newest statement back to the first, each fetched from the ledger by the hash that its follower names."""
    ledger = http.client.HTTPConnection("127.0.0.1", stage.page_port, timeout=20)
    at, chain = week.told[signed - 1], {}
    for sequence in range(signed - 1, -1, -1):
        ledger.request("GET", f"/entries/{at}/statement")
        answer = ledger.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise Failed(f"statement {sequence} ({at}) is not on the ledger: {answer.status}")
        if hashlib.sha256(body).hexdigest() != at:
            raise Failed(f"statement {sequence} is not what its follower names")
        chain[sequence] = at
        # Tag 18, array of four, then the protected header, which ends with the hash of the statement before.
        start = {0x58: 4, 0x59: 5}[body[2]]
        protected = body[start:start + int.from_bytes(body[3:start], "big")]
        at = protected[-32:].hex()
    if at != "00" * 32:
        raise Failed("the first statement names one before it")
    for sequence, statement in week.told.items():
        if chain.get(sequence) != statement:
            raise Failed(f"statement {sequence} was told as {statement} and is {chain.get(sequence)} on the ledger")


def main():
    build, statements, cuts, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    if os.environ.get("PACKTRAIL_TEST_LENGTH") == "long":
        statements = 100000
    directory = tempfile.mkdtemp(prefix="packtrail-week-")
    stage = Stage(directory, build)
    checks = ["everything is queued through every power cut", "everything is brought through every power cut",
              "nothing is lost or there twice, and the chain is whole", "the process stays under 64 MB"]
    print(f"1..{len(checks)}\n# seed {seed}, {statements} statements, {cuts} cuts", flush=True)
    done = 0
    try:
        stage.found()
        stage.start_ledger()
        stage.start_gateway()
        digits = "950600010000"
        week = Week(stage, stage.add_terminal("till", "Till", digits + check_digit(digits)), statements, cuts, seed)
        began = time.monotonic()
        week.sign()
        status = week.status()
        signed = status["next_sequence"]
        if status["new"] != signed or signed < len(week.told) or status["refused"]:
            raise Failed(f"{len(week.told)} were told, the outbox holds {status}")
        signing = time.monotonic() - began
        print(f"ok 1 - {checks[0]}\n# {signed} signed ({len(week.told)} told) in {signing:.1f} s, {week.cut} cuts, "
              f"{status['bytes'] / 1e6:.1f} MB, {signed - len(week.told)} signed and not told when the power went", flush=True)
        done = 1
        began, before = time.monotonic(), week.cut
        week.bring()
        status = week.status()
        if status["new"] or status["sent"] or status["refused"] or status["next_sequence"] != signed:
            raise Failed(f"the outbox should be empty: {status}")
        print(f"ok 2 - {checks[1]}\n# {time.monotonic() - began:.1f} s, {week.cut - before} cuts, {status['bytes'] / 1e6:.1f} MB left, "
              f"unsynced changes undone after {week.undone} of all cuts", flush=True)
        done = 2
        _, health = stage.ask("/healthz")
        if health["tree_size"] != signed + 1:  # and the operator's enrolment
            raise Failed(f"the log holds {health['tree_size']} statements, the terminal signed {signed}")
        walk_chain(stage, week, signed)
        kinds = {alert["kind"] for alert in stage.ask("/alerts")[1]["alerts"]}
        if kinds & {"gap", "equivocation", "device_gap"}:
            raise Failed(f"alerts: {kinds}")
        print(f"ok 3 - {checks[2]}", flush=True)
        done = 3
        figures = ", ".join(f"{name} {kib / 1024:.1f} MB" for name, kib in week.memory.items())
        if max(week.memory.values()) >= MOST_MEMORY or not week.memory["scan"] or not week.memory["sync"]:
            raise Failed(figures)
        print(f"ok 4 - {checks[3]}\n# {figures}", flush=True)
        done = 4
    except (Failed, KeyError, IndexError, ValueError, OSError, subprocess.TimeoutExpired) as failure:
        print(f"not ok {done + 1} - {checks[done]}")
        for line in f"{type(failure).__name__}: {failure}".splitlines():
            print(f"# {line}")
        print(f"# everything is kept in {directory}")
    finally:
        stage.end()
    if done == len(checks):
        shutil.rmtree(directory, ignore_errors=True)


main()
