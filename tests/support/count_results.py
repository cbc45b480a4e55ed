"""Adds up the TAP lines in the kept logs of a run (FOLDER/*.json of Meson, *.tap) and prints "N passed, N failed, N skipped".

A program that ended badly without a failing line of its own (crash, time-out) and each report that a sanitizer wrote
(FOLDER/sanitizer.*) count as one failure. Exit status 1 if anything failed or nothing ran.
"""
import collections
import glob
import json
import re
import sys

totals = collections.Counter()
failures = []


def fail(what):
    totals["failed"] += 1
    failures.append(what)


def count(text, name):
    """Returns how many result lines there were, and how many of them failed."""
    lines = [match for match in (re.match(r"(not )?ok\b(.*)", line) for line in text.splitlines()) if match]
    bad = 0
    for match in lines:
        if re.search(r"#\s*SKIP", match.group(2), re.IGNORECASE):
            totals["skipped"] += 1
        elif match.group(1):
            bad += 1
            fail(f"{name}: {match.group(2).strip(' -')}")
        else:
            totals["passed"] += 1
    return len(lines), bad


def count_meson(path):
    with open(path, encoding="utf-8") as tests:
        for test in map(json.loads, tests):
            lines, bad = count(test.get("stdout") or "", test["name"])
            if test["result"] == "SKIP":
                totals["skipped"] += lines == 0
            elif test["result"] not in ("OK", "EXPECTEDFAIL"):
                if bad == 0:
                    fail(f"{test['name']}: ended with {test['result']}, status {test['returncode']}")
            elif lines == 0:
                fail(f"{test['name']}: ended well but reported no result")


def main(folder):
    for path in sorted(glob.glob(folder + "/*.json")):
        count_meson(path)
    for path in sorted(glob.glob(folder + "/*.tap")):
        with open(path, encoding="utf-8", errors="replace") as text:
            count(text.read(), "step")
    for path in sorted(glob.glob(folder + "/sanitizer.*")):
        with open(path, encoding="utf-8", errors="replace") as text:
            report = text.read()
        print(report[:6000])
        first = next((line for line in report.splitlines() if line.strip("= ")), "no text")
        fail("sanitizer: " + first.strip("= "))
    for failure in failures:
        print("failed:", failure)
    if not totals:
        print("failed: no test ran")
    print(f"{totals['passed']} passed, {totals['failed']} failed, {totals['skipped']} skipped")
    return 1 if totals["failed"] or not totals["passed"] else 0


sys.exit(main(sys.argv[1]))
