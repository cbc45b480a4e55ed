"""Packtrail's demo: one medicine's way on real input, and what the rules do, on this machine.

  tools/demo            sets up what is missing, builds, plays this story, and leaves the ledger and its page running
  tools/demo --once     the same, then stops everything; the last line is one JSON object

60 packs with drawn labels (GS1 DataMatrix, GS1-128, QR with a Digital Link, Chinese Code 128, NFC tags) go from a
factory over a distributor to a pharmacy. A fake, a forged announcement and a double dispense are planted. Then the rules are
told, a short story each: a split pack, late data, a sold pack back in trade, a corrected event, a recall. Everything that is
said was answered by the ledger.
"""
import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.parse

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from stage import ROOT, Failed, Stage, run  # noqa: E402
from story import journey, rules  # noqa: E402
from story.labels import GTIN  # noqa: E402
from story.telling import say  # noqa: E402

BUILD = os.path.join(ROOT, "build")


def build():
    if not os.path.exists(os.path.join(BUILD, "build.ninja")):
        run(["meson", "setup", BUILD], cwd=ROOT)
    ninja = subprocess.Popen(["ninja", "-C", BUILD, "tools/packtrail", "tools/pn532sim", "firmware/packtrail-scanner",
                              "gateway/packtrail-gateway", "ledger/packtrail-ledger"], cwd=ROOT, stdout=subprocess.PIPE, text=True,
                             env={**os.environ, "NINJA_STATUS": "[%f/%t] "})
    said, output = -1, []
    for line in ninja.stdout:
        output.append(line)
        step = re.match(r"\[(\d+)/(\d+)\]", line)
        quarter = int(step[1]) * 4 // int(step[2]) if step else said
        if quarter > said:
            say(f"· building: {quarter * 25} %")
            said = quarter
    if ninja.wait():
        raise Failed("the build failed:\n" + "".join(output[-30:]))


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--once", action="store_true", help="stop at the end and print one JSON object")
    arguments.add_argument("--dir", default=os.path.join(ROOT, "demo-data"), help="where everything is kept (emptied first)")
    chosen = arguments.parse_args()
    if os.path.exists(chosen.dir) and not os.path.exists(os.path.join(chosen.dir, ".packtrail-demo")):
        raise Failed(f"{chosen.dir} is there and was not made by the demo; choose another --dir")
    build()
    shutil.rmtree(chosen.dir, ignore_errors=True)
    os.makedirs(chosen.dir)
    open(os.path.join(chosen.dir, ".packtrail-demo"), "w").close()
    stage = Stage(chosen.dir)
    try:
        say("· founding a consortium: keys, certificates, genesis")
        stage.found()
        stage.start_ledger()
        stage.start_gateway()
        summary = journey.report(stage, journey.play(stage))
        summary["stories"] = rules.play(stage)
        if not chosen.once:
            example = urllib.parse.quote(f"https://id.gs1.org/01/{GTIN}/21/PT107919", safe="")
            say(f"\nThe pharmacist's page: http://127.0.0.1:{stage.page_port}/?code={example}")
            say("It runs until you press Ctrl-C. Everything lies in " + chosen.dir)
            try:
                signal.pause()
            except KeyboardInterrupt:
                pass
    finally:
        stage.end()
    print(json.dumps(summary), flush=True)


if __name__ == "__main__":
    try:
        main()
    except Failed as failure:
        print(f"\ndemo: {failure}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
