"""A stage for the page tests: packs in every colour. Prints one JSON line with the page's address, runs until its input ends.

  stage_with_packs.py BUILD-DIR
"""
import json
import os
import shutil
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tools"))
from stage import Stage, check_digit, party, run  # noqa: E402

GTIN = "09506000134352"
FACTORY, PHARMACY = (digits + check_digit(digits) for digits in ("950600010000", "950600030000"))


def work(stage, config, task, *arguments, codes):
    run([stage.scanner, "--config", config, "scan", "--task", task, *arguments, "--codes", "-"], input="\n".join(codes) + "\n")


def main():
    directory = tempfile.mkdtemp(prefix="packtrail-pages-")
    stage = Stage(directory, sys.argv[1])
    try:
        stage.found()
        stage.start_ledger()
        stage.start_gateway()
        factory = stage.add_terminal("factory", "Factory line", FACTORY)
        pharmacy = stage.add_terminal("pharmacy", "Counter", PHARMACY)
        packs = [f"(01){GTIN}(17)281231(10)L1(21)P{n}" for n in range(4)] + ["81234567890123456789"]
        case = "0950600010000" + "0001"
        case = f"(00){case}{check_digit(case)}"
        work(stage, factory, "commission", codes=packs)
        work(stage, factory, "pack", codes=[case, *packs[:3]])
        work(stage, factory, "ship", "--to", party(PHARMACY), codes=[case, packs[3], packs[4]])
        run([stage.scanner, "--config", factory, "sync"])
        work(stage, pharmacy, "receive", codes=[case, packs[4]])
        work(stage, pharmacy, "dispense", codes=[packs[1]])
        run([stage.scanner, "--config", pharmacy, "sync"])
        work(stage, factory, "commission", codes=[f"(01){GTIN}(17)281231(10)BAD(21)R1"])
        run([stage.scanner, "--config", factory, "sync"])
        stage.admin("recall", "begin", stage.path("consortium"), "--operator", "operator", "--id", "2026-17", "--product", GTIN, "--lot", "BAD",
                    "--level", "1", "--depth", "consumer", "--reason-zh", "含量不合格", "--reason-en", "assay out of range",
                    "--instructions-zh", "请退回", "--instructions-en", "send it back", "--url", f"https://127.0.0.1:{stage.ledger_port}")
        print(json.dumps({"page": f"http://127.0.0.1:{stage.page_port}/"}), flush=True)
        for line in sys.stdin:
            if line.strip() == "stop-ledger":
                stage.kill("ledger")
                print("{}", flush=True)
    finally:
        stage.end()
        shutil.rmtree(directory, ignore_errors=True)


main()
