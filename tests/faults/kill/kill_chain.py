"""Kills terminal, gateway and ledger at random moments under load, and counts what is on the ledger afterwards.

  kill_chain.py BUILD-DIR KILLS SEED [power-cut]

With `power-cut` each process runs under the fault layer: after a kill a random part of what it had written but not yet
synced is undone or torn, as a power cut may do. TAP on standard output.
"""
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../tools"))
from stage import Failed, Stage, check_digit, run  # noqa: E402

GTIN = "09506000134352"


class Terminal:
    """A terminal that is fed codes, one event each, and remembers every statement that it told."""

    def __init__(self, stage, config, prefix):
        self.stage, self.config, self.prefix = stage, config, prefix
        self.told, self.fed = {}, 0
        self.process = None

    def start(self):
        self.process = subprocess.Popen(
            [self.stage.scanner, "--config", self.config, "scan", "--task", "commission", "--each", "--sync", "--codes", "-"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env={**os.environ, **self.stage.extra_environment.get("terminal", {})})
        self.stage.processes["terminal"] = self.process
        threading.Thread(target=self.read, args=(self.process,), daemon=True).start()

    def read(self, process):
        for line in process.stdout:
            try:
                answer = json.loads(line)
            except ValueError:
                continue  # cut off by the kill
            if "statement" in answer:
                self.told[answer["sequence"]] = answer["statement"]

    def feed(self, count):
        try:
            for _ in range(count):
                self.process.stdin.write(f"(01){GTIN}(17)281231(10)K1(21){self.prefix}{self.fed:06d}\n")
                self.fed += 1
            self.process.stdin.flush()
        except (BrokenPipeError, ValueError):
            pass


class Trial:
    def __init__(self, stage, kills, seed, power_cut):
        self.stage, self.kills, self.random, self.power_cut = stage, kills, random.Random(seed), power_cut
        self.killed = {"terminal": 0, "gateway": 0, "ledger": 0}
        self.undone = 0

    def layer(self, name, directory):
        """Puts a process under the fault layer."""
        if self.power_cut:
            log = self.stage.path(f"powercut-{name}")
            os.makedirs(log, exist_ok=True)
            self.stage.extra_environment[name] = {"LD_PRELOAD": os.environ["POWERCUT_LIB"], "POWERCUT_DIR": directory, "POWERCUT_LOG": log}

    def cut_power(self, name):
        if not self.power_cut:
            return
        environment = self.stage.extra_environment[name]
        out = run([os.environ["POWERCUT_TOOL"], "apply", "--seed", str(self.random.randrange(1 << 30)), environment["POWERCUT_DIR"],
                   environment["POWERCUT_LOG"]])
        report = json.loads(out)
        if any(file.get("undone") or file.get("torn") for file in report["files"]):
            self.undone += 1

    def start(self, name, terminal):
        {"ledger": self.stage.start_ledger, "gateway": self.stage.start_gateway, "terminal": terminal.start}[name]()

    def play(self, terminal):
        for name, directory in (("ledger", "ledger"), ("gateway", "gateway"), ("terminal", "till")):
            self.layer(name, self.stage.path(directory))
        for name in ("ledger", "gateway"):
            self.stage.kill(name)
            self.start(name, terminal)
        terminal.start()
        for _ in range(self.kills):
            terminal.feed(self.random.randint(1, 40))
            time.sleep(self.random.uniform(0, 0.12))
            name = self.random.choice(("terminal", "gateway", "ledger"))
            if self.stage.processes[name].poll() is not None:
                raise Failed(f"{name} ended by itself with {self.stage.processes[name].returncode}")
            self.stage.kill(name)
            self.killed[name] += 1
            self.cut_power(name)
            self.start(name, terminal)
        terminal.feed(5)
        terminal.process.stdin.close()
        terminal.process.wait(timeout=120)
        del self.stage.processes["terminal"]
        run([self.stage.scanner, "--config", terminal.config, "sync", "--timeout", "120"])


def check_all_there_once(stage, terminal):
    """Every statement told to the user is on the ledger, at one leaf of its own."""
    leaves = {}
    for sequence, statement in sorted(terminal.told.items()):
        status, entry = stage.ask(f"/entries/{statement}")
        if status != 200:
            raise Failed(f"statement {sequence} ({statement}) was told and is not on the ledger: {entry}")
        if entry["result"] not in ("applied", "alerted", "held"):
            raise Failed(f"statement {sequence} is on the ledger as {entry['result']}")
        if entry["leaf_index"] in leaves:
            raise Failed(f"leaf {entry['leaf_index']} stands for two statements")
        leaves[entry["leaf_index"]] = statement
    _, health = stage.ask("/healthz")
    status = json.loads(run([stage.scanner, "--config", terminal.config, "status"]))
    # Everything that the device signed, and the operator's enrolments: nothing twice, nothing else.
    if health["tree_size"] != status["next_sequence"] + 1:
        raise Failed(f"the log holds {health['tree_size']} statements, the terminal signed {status['next_sequence']} and was enrolled by 1")
    return len(leaves)


def answers(stage, terminal):
    picked = sorted(terminal.told)[::max(1, len(terminal.told) // 40)]
    _, health = stage.ask("/healthz")
    packs = []
    for number in range(0, terminal.fed, max(1, terminal.fed // 40)):
        _, pack = stage.ask(f"/packs/https%3A%2F%2Fid.gs1.org%2F01%2F{GTIN}%2F21%2F{terminal.prefix}{number:06d}/provenance")
        pack.pop("age_ms", None)
        packs.append(pack)
    return [health["entry"], health["tree_root"], [stage.ask(f"/entries/{terminal.told[s]}")[1]["leaf_index"] for s in picked], packs]


def main():
    build, kills, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    power_cut = sys.argv[4:] == ["power-cut"]
    if os.environ.get("PACKTRAIL_TEST_LENGTH") == "long":
        kills *= 5
    directory = tempfile.mkdtemp(prefix="packtrail-kill-")
    stage = Stage(directory, build)
    checks = ["every statement told is on the ledger exactly once", "fsck finds the ledger clean", "reindex gives the same answers"]
    print(f"1..{len(checks)}\n# seed {seed}, {kills} kills{', power cuts' if power_cut else ''}", flush=True)
    done = 0
    try:
        stage.found()
        stage.start_ledger()
        stage.start_gateway()
        till = "950600010000"
        terminal = Terminal(stage, stage.add_terminal("till", "Till", till + check_digit(till)), "K")
        trial = Trial(stage, kills, seed, power_cut)
        trial.play(terminal)
        count = check_all_there_once(stage, terminal)
        print(f"ok 1 - {checks[0]}\n# {count} statements, killed {trial.killed}, unsynced changes undone after {trial.undone} kills", flush=True)
        done = 1
        before = answers(stage, terminal)
        stage.extra_environment.clear()
        stage.kill("ledger")
        report = run([stage.tool, "ledger", "fsck", stage.path("ledger")])
        print(f"ok 2 - {checks[1]}\n# {report.splitlines()[-1]}", flush=True)
        done = 2
        run([stage.tool, "ledger", "reindex", stage.path("ledger")])
        stage.start_ledger()
        if answers(stage, terminal) != before:
            raise Failed("the rebuilt index answers otherwise")
        print(f"ok 3 - {checks[2]}", flush=True)
        done = 3
    except (Failed, KeyError, subprocess.TimeoutExpired) as failure:
        print(f"not ok {done + 1} - {checks[done]}")
        for line in str(failure).splitlines():
            print(f"# {line}")
        print(f"# everything is kept in {directory}")
    finally:
        stage.end()
    if done == len(checks):
        shutil.rmtree(directory, ignore_errors=True)


main()
