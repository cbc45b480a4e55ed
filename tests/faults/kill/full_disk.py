"""Fills the disk under gateway and ledger while a terminal works, then gives the space back. TAP on standard output.

  full_disk.py BUILD-DIR
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../tools"))
from stage import Failed, Stage, check_digit, run  # noqa: E402

GTIN = "09506000134352"


def scan(stage, config, first, count):
    codes = "".join(f"(01){GTIN}(17)281231(10)K1(21)F{number:05d}\n" for number in range(first, first + count))
    out = run([stage.scanner, "--config", config, "scan", "--task", "commission", "--each", "--codes", "-"], input=codes)
    return [json.loads(line)["statement"] for line in out.splitlines() if '"statement"' in line]


def sync(stage, config, seconds, allowed=(0,)):
    return json.loads(run([stage.scanner, "--config", config, "sync", "--timeout", str(seconds)], allowed=allowed).splitlines()[-1])


def fill(stage, name, directory, start, room):
    """Starts the process anew with so many bytes left on its disk."""
    log = stage.path(f"layer-{name}-{time.monotonic_ns()}")
    os.makedirs(log)
    stage.kill(name)
    stage.extra_environment[name] = {"LD_PRELOAD": os.environ["POWERCUT_LIB"], "POWERCUT_DIR": directory, "POWERCUT_LOG": log,
                                     "POWERCUT_ENOSPC_AFTER": str(room)}
    start()


def give_back(stage, name, start):
    stage.extra_environment.pop(name)
    process = stage.processes[name]
    if process.poll() is None:
        stage.kill(name)
    else:
        del stage.processes[name]
    start()


def all_there(stage, statements):
    leaves = set()
    for statement in statements:
        status, entry = stage.ask(f"/entries/{statement}")
        if status != 200 or entry["result"] != "applied":
            raise Failed(f"{statement}: {status} {entry}")
        leaves.add(entry["leaf_index"])
    if len(leaves) != len(statements):
        raise Failed("two statements at one place")


def a_full_gateway_stops_with_a_word_and_loses_nothing(stage, config):
    statements = scan(stage, config, 0, 60)
    fill(stage, "gateway", stage.path("gateway"), stage.start_gateway, 12000)
    before = sync(stage, config, 4, allowed=(0, 1, 3))
    if before["left"] == 0:
        raise Failed("the disk was not full: the test tests nothing")
    process = stage.processes["gateway"]
    for _ in range(100):
        if process.poll() is not None:
            break
        time.sleep(0.1)
    with open(stage.path("gateway.log"), encoding="utf-8") as log:
        if process.poll() != 3 or "No space left on device" not in log.read():
            raise Failed(f"the gateway should end with 3 and say why; it ended with {process.poll()}")
    give_back(stage, "gateway", stage.start_gateway)
    sync(stage, config, 60)
    all_there(stage, statements)


def a_full_ledger_says_so_and_loses_nothing(stage, config):
    statements = scan(stage, config, 1000, 200)
    fill(stage, "ledger", stage.path("ledger"), stage.start_ledger, 20000)
    sync(stage, config, 5, allowed=(0, 1, 3))
    status, health = stage.ask("/healthz")
    if status != 503 or health["status"] != "failed":
        raise Failed(f"the ledger should say that it failed: {status} {health}")
    verdict = stage.ask(f"/verify/scan?code=(01){GTIN}(21)F00001")[1]["verdict"]
    if verdict["colour"] == "green":
        raise Failed("a node that cannot write must not answer green")
    give_back(stage, "ledger", stage.start_ledger)
    sync(stage, config, 60)
    all_there(stage, statements)


def the_ledger_is_clean_afterwards(stage, config):
    stage.end()
    run([stage.tool, "ledger", "fsck", stage.path("ledger")])


CASES = [a_full_gateway_stops_with_a_word_and_loses_nothing, a_full_ledger_says_so_and_loses_nothing, the_ledger_is_clean_afterwards]


def main():
    directory = tempfile.mkdtemp(prefix="packtrail-full-")
    stage = Stage(directory, sys.argv[1])
    print(f"1..{len(CASES)}", flush=True)
    number, failed = 0, False
    try:
        stage.found()
        stage.start_ledger()
        stage.start_gateway()
        digits = "950600010000"
        config = stage.add_terminal("till", "Till", digits + check_digit(digits))
        for number, case in enumerate(CASES, 1):
            case(stage, config)
            print(f"ok {number} - {case.__name__}", flush=True)
    except (Failed, KeyError, subprocess.TimeoutExpired) as failure:
        failed = True
        print(f"not ok {number or 1} - {CASES[max(number, 1) - 1].__name__}\n# " + str(failure).replace("\n", "\n# "))
        print(f"# everything is kept in {directory}")
    finally:
        stage.end()
    if not failed:
        shutil.rmtree(directory, ignore_errors=True)


main()
