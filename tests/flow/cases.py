"""Runs a flow's cases, one after the other on one stage of real programs, and prints TAP."""
import os
import shutil
import sys
import tempfile
import time
import traceback

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tools"))
from stage import Failed, Stage  # noqa: E402


def tell(failure):
    text = str(failure) if isinstance(failure, Failed) else traceback.format_exc()
    print("\n".join(f"# {line}" for line in text.splitlines()), flush=True)


def run_cases(name, cases, prepare):
    """prepare(stage) starts the programs and gives what every case is called with. Ends with status 1 if a case failed."""
    directory = tempfile.mkdtemp(prefix=f"packtrail-{name}-")
    stage = Stage(directory, sys.argv[1])
    print(f"1..{len(cases)}", flush=True)
    failed = False
    try:
        flow = prepare(stage)
        for number, case in enumerate(cases, 1):
            began = time.monotonic()
            try:
                case(flow)
                print(f"ok {number} - {case.__name__} # {time.monotonic() - began:.1f} s", flush=True)
            except Exception as failure:  # each case is told apart; the stage lives on
                failed = True
                print(f"not ok {number} - {case.__name__}", flush=True)
                tell(failure)
    except Failed as failure:
        failed = True
        print("not ok - the stage could not be set")
        tell(failure)
    finally:
        stage.end()
    if failed:
        print(f"# everything is kept in {directory}")
    else:
        shutil.rmtree(directory, ignore_errors=True)
    sys.exit(1 if failed else 0)
