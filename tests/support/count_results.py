"""Adds up the TAP lines in the kept logs of test runs and prints "N passed, N failed, N skipped".

A program that ended badly without a failing line of its own (crash, time-out, sanitizer report) counts as one failure.
Exit status 1 if anything failed or nothing ran.
"""
import glob
import json
import re
import sys

passed = failed = skipped = 0
failures = []


def count(text, name):
    global passed, failed, skipped
    bad = 0
    for line in text.splitlines():
        match = re.match(r"(not )?ok\b(.*)", line)
        if not match:
            continue
        if re.search(r"#\s*SKIP", line, re.IGNORECASE):
            skipped += 1
        elif match.group(1):
            bad += 1
            failures.append(f"{name}: {match.group(2).strip(' -')}")
        else:
            passed += 1
    failed += bad
    return bad


folder = sys.argv[1]
for path in glob.glob(folder + "/*.json"):
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            test = json.loads(line)
            bad = count(test.get("stdout", ""), test["name"])
            if test["result"] == "SKIP" and "ok " not in test.get("stdout", ""):
                skipped += 1
            elif test["result"] not in ("OK", "SKIP", "EXPECTEDFAIL") and bad == 0:
                failed += 1
                failures.append(f"{test['name']}: ended with {test['result']}")
for path in glob.glob(folder + "/fuzz.txt"):
    with open(path, encoding="utf-8", errors="replace") as text:
        count(text.read(), "fuzz")

for failure in failures:
    print("failed:", failure)
print(f"{passed} passed, {failed} failed, {skipped} skipped")
sys.exit(1 if failed or not passed else 0)
