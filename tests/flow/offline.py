"""What a terminal knows, says and does when the line, its disk, its clock or its own standing are not as they should be, over the real
programs. TAP on standard output.

  offline.py BUILD-DIR
"""
import json
import os
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cases import run_cases  # noqa: E402
from stage import Failed, check_digit, party, run  # noqa: E402

GTIN = "09506000134352"
YEAR_MS = 365 * 86400 * 1000


def gln(digits):
    return digits + check_digit(digits)


FACTORY, PHARMACY = gln("950600010000"), gln("950600030000")


def sscc(number):
    digits = f"0950600010000{number:04d}"
    return digits + check_digit(digits)


def elements(serial):
    return f"(01){GTIN}(17)281231(10)L1(21){serial}"


def epc(serial):
    return f"https://id.gs1.org/01/{GTIN}/21/{serial}"


def must(condition, why):
    if not condition:
        raise Failed(why)


class Flow:
    def __init__(self, stage):
        self.stage = stage

    def scanner(self, config, *arguments, allowed=(0,), codes=None):
        """(exit status, lines of JSON, what was said on standard error)."""
        done = subprocess.run([self.stage.scanner, "--config", config, *arguments], input="".join(f"{c}\n" for c in codes) if codes else None,
                              capture_output=True, text=True, timeout=120)
        if done.returncode not in allowed:
            raise Failed(f"{arguments} ended with {done.returncode}: {done.stdout[-800:]}{done.stderr[-800:]}")
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr

    def work(self, config, task, *arguments, codes, allowed=(0,)):
        return self.scanner(config, "scan", "--task", task, *arguments, "--codes", "-", codes=codes, allowed=allowed)

    def sync(self, config, seconds=30, allowed=(0,)):
        return self.scanner(config, "sync", "--timeout", str(seconds), allowed=allowed)[1][-1]

    def status(self, config):
        return self.scanner(config, "status")[1][0]

    def lookup(self, name, *codes, deadline=1500):
        tool = os.path.join(sys.argv[1], "tests/flow/ask-lookup")
        out = run([tool, f"https://127.0.0.1:{self.stage.gateway_port}", self.stage.path("consortium/ca.crt"), self.stage.path(name, "tls.crt"),
                   self.stage.path(name, "tls.key"), str(deadline), *codes])
        return [json.loads(line) for line in out.splitlines()]

    def entry(self, statement):
        return self.stage.ask(f"/entries/{statement}")


def statements(lines):
    return [line["statement"] for line in lines if "statement" in line]


# --- The cases, in this order, on one stage ---

def products_and_notices_come_by_the_feed(flow):
    before = flow.status(flow.pharmacy)
    must(before["line"]["state"] == "unknown" and before["clock"]["state"] == "unmeasured" and before["recalls"]["age_s"] is None, f"before any contact: {before}")
    flow.stage.add_product(GTIN, "8123456", "阿莫西林胶囊", "Amoxicillin capsules", party(FACTORY))
    flow.work(flow.factory, "commission", codes=[elements(f"A{n}") for n in range(6)])
    flow.work(flow.factory, "pack", codes=[f"(00){sscc(1)}"] + [elements(f"A{n}") for n in range(4)])
    flow.work(flow.factory, "ship", "--to", party(PHARMACY), "--order", "desadv=urn:epcglobal:cbv:bt:9506000100005:D-77", codes=[f"(00){sscc(1)}", elements("A4")])
    flow.sync(flow.factory)
    flow.sync(flow.pharmacy)
    status = flow.status(flow.pharmacy)
    must(status["reference"]["products"] == 1 and status["reference"]["notices"] == 1 and status["reference"]["age_s"] is not None, f"what the feed said: {status}")
    must(status["line"]["state"] == "up" and status["line"]["contact_age_s"] is not None and status["line"]["why"] is None, f"the line: {status['line']}")
    must(status["clock"]["state"] == "good" and status["clock"]["error_s"] <= 3, f"one machine has one clock: {status['clock']}")
    notices = flow.scanner(flow.pharmacy, "notices")[1]
    must(len(notices) == 2 and notices[-1]["open"] == 1, f"one notice and the line of its age: {notices}")
    notice = notices[0]
    must(set(notice["packs"]) == {f"https://id.gs1.org/00/{sscc(1)}", epc("A4")} and notice["transaction"].endswith("D-77") and notice["to"] == party(PHARMACY), f"{notice}")
    flow.sync(flow.factory)
    must(flow.status(flow.factory)["reference"]["notices"] == 0, "a notice for another party came here")


def the_ledger_is_asked_through_the_gateway(flow):
    flow.work(flow.pharmacy, "receive", "--from", party(FACTORY), codes=[f"(00){sscc(1)}", elements("A4")])
    flow.sync(flow.pharmacy)
    good, other_lot, unknown, on_the_way = flow.lookup("pharmacy", elements("A0"), elements("A1").replace("L1", "L2"), elements("NOBODY"), elements("A5"))
    must(good["colour"] == "green" and good["known"] and good["state"] == "in_stock" and good["final"] and good["height"] > 0, f"{good}")
    must(abs(good["time"] - time.time() * 1000) < 600000 and good["reason"] and good["reason_zh"], f"its time, its words: {good}")
    must(other_lot["colour"] == "red", f"a lot that the ledger does not know of this pack: {other_lot}")
    must(unknown["colour"] == "red" and not unknown["known"], f"{unknown}")
    must(on_the_way["colour"] == "amber" and on_the_way["state"] == "commissioned", f"{on_the_way}")
    gateway = f"https://127.0.0.1:{flow.stage.gateway_port}"
    folder = flow.stage.path("pharmacy")
    for path, wanted in (("/alerts", 404), ("/heights/1", 404), ("/packs/../alerts", 404), ("/packs/%2e%2e/alerts", 400), ("/verify/..%2falerts", 400), ("/packs/" + "a" * 300, 400)):
        done = subprocess.run(["curl", "-s", "--path-as-is", "-o", os.devnull, "-w", "%{http_code}", "--cacert", flow.stage.path("consortium/ca.crt"), "--cert",
                               f"{folder}/tls.crt", "--key", f"{folder}/tls.key", gateway + path], capture_output=True, text=True)
        must(done.stdout in (str(wanted), "400", "404"), f"{path} through the gateway: {done.stdout}")


def a_slow_or_absent_ledger_is_an_answer_in_time(flow):
    flow.stage.kill("ledger")
    answer = flow.lookup("pharmacy", elements("A0"))[0]
    must(answer["colour"] == "none" and answer["why"] and answer["waited_ms"] < 2500, f"the ledger is away: {answer}")
    flow.stage.kill("gateway")
    answer = flow.lookup("pharmacy", elements("A0"))[0]
    must(answer["colour"] == "none" and answer["why"] and answer["waited_ms"] < 2500, f"the gateway is away: {answer}")
    flow.stage.start_ledger()
    flow.stage.start_gateway()
    answer = flow.lookup("pharmacy", elements("A0"), deadline=1)[0]
    must(answer["colour"] == "none" and answer["waited_ms"] < 1000, f"a deadline of a millisecond: {answer}")


def a_line_that_is_down_is_told_from_a_wrong_certificate(flow):
    flow.work(flow.pharmacy, "inspect", codes=[elements("A0")])
    flow.stage.kill("gateway")
    flow.sync(flow.pharmacy, 1, allowed=(3,))
    down = flow.status(flow.pharmacy)
    must(down["line"]["state"] == "down" and down["line"]["contact"] and down["line"]["why"] and down["new"] == 1, f"no gateway: {down}")
    flow.stage.start_gateway()
    # The certificate of another consortium: first the terminal's own, then what it checks the gateway against.
    other = flow.stage.path("other")
    run([flow.stage.tool, "admin", "init", other, "--name", "Another consortium", "--profile", "cn"])
    run([flow.stage.tool, "admin", "actor", other, "stranger", "--role", "operator", "--label", "Stranger", "--party", party(PHARMACY)])
    with open(flow.pharmacy, encoding="utf-8") as file:
        wrong = flow.stage.write("wrong.conf", file.read().replace(flow.stage.path("consortium/ca.crt"), flow.stage.path("other/ca.crt")))
    flow.sync(wrong, 1, allowed=(3,))
    status = flow.status(flow.pharmacy)
    must(status["line"]["state"] == "untrusted" and "certificate" in status["line"]["why"] and status["new"] == 1, f"the gateway's certificate: {status['line']}")
    own, kept = flow.stage.path("pharmacy/tls.crt"), flow.stage.path("pharmacy/kept.crt")
    os.rename(own, kept)
    flow.sync(flow.pharmacy, 1, allowed=(3,))
    missing = flow.status(flow.pharmacy)["line"]
    must(missing["state"] == "untrusted" and missing["why"], f"no certificate of its own: {missing}")
    os.rename(kept, own)
    must(flow.sync(flow.pharmacy)["left"] == 0, "nothing is left once all is well")
    must(flow.status(flow.pharmacy)["line"]["state"] == "up", "and it says so")


def the_line_comes_back_without_another_scan(flow):
    flow.stage.kill("gateway")
    process = subprocess.Popen([flow.stage.scanner, "--config", flow.pharmacy, "scan", "--task", "inspect", "--each", "--sync", "--codes", "-"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    process.stdin.write(elements("A1") + "\n")
    process.stdin.flush()
    statement = None
    while not statement:
        statement = json.loads(process.stdout.readline()).get("statement")
    time.sleep(3)
    flow.stage.start_gateway()
    began = time.monotonic()
    while flow.entry(statement)[0] != 200:
        must(time.monotonic() - began < 40, "the line was back for 40 s and nothing came")
        time.sleep(0.2)
    process.stdin.close()
    must(process.wait(timeout=60) == 0, "the terminal ends well")


def a_clock_set_back_by_a_year_is_noticed_over_a_restart(flow):
    file = flow.stage.path("pharmacy/clock.cbor")
    now = int(time.time() * 1000)

    def number(value):
        return (b"\x1b" if value >= 0 else b"\x3b") + (value if value >= 0 else -1 - value).to_bytes(8, "big")
    with open(file, "wb") as out:  # as a terminal left it that was on, in good order, a year from now
        out.write(b"\x86\x01" + number(now + YEAR_MS) + b"\x01" + number(now + YEAR_MS) + b"\x00\x18\xff")
    clock = flow.status(flow.pharmacy)["clock"]
    must(clock["state"] == "set_back" and abs(clock["error_s"] - YEAR_MS // 1000) < 86400, f"{clock}")
    flow.work(flow.pharmacy, "inspect", codes=[elements("A2")])  # work goes on
    must(flow.sync(flow.pharmacy)["left"] == 0, "and is brought")
    clock = flow.status(flow.pharmacy)["clock"]
    must(clock["state"] == "good" and clock["error_s"] <= 3, f"measured anew at the next contact: {clock}")


def a_full_disk_is_said_early_and_loses_nothing(flow):
    """The terminal's data lie on a small file system of their own, which others fill."""
    if os.geteuid() != 0:
        print("# no superuser: no small file system to fill")
        return
    mount = flow.stage.path("small")
    os.makedirs(mount)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", mount], capture_output=True).returncode != 0:
        print("# mounting is not allowed here")
        return
    try:
        flow.small = flow.stage.add_terminal("small", "Terminal with a small disk", FACTORY)
        fill_and_empty(flow, mount)
    finally:
        subprocess.run(["umount", "-l", mount], check=False)


def fill(mount, left):
    """A file of somebody else's that leaves so many bytes."""
    space = os.statvfs(mount)
    with open(os.path.join(mount, "ballast"), "ab") as file:
        file.write(b"x" * max(0, space.f_bavail * space.f_frsize - left))


def fill_and_empty(flow, mount):
    told = []
    must(flow.status(flow.small)["room"]["fill"] == "roomy", "an empty disk")
    fill(mount, 4 * 1024 * 1024 + 80 * 1024)
    fills = [flow.status(flow.small)["room"]["fill"]]
    for batch in range(40):
        status, lines, said = flow.work(flow.small, "commission", "--each", codes=[elements(f"F{batch}N{n}") for n in range(20)], allowed=(0, 3))
        told += statements(lines)
        fills.append(flow.status(flow.small)["room"]["fill"])
        if status:
            break
    must(status == 3 and "full" in said and "gateway" in said, f"no word when it was full: {status} {said}")
    must(fills[0] in ("filling", "nearly_full") and fills[-1] == "full" and len(told) > 20, f"said early: {fills}, {len(told)} told")
    # Full by the outbox's reckoning: the rest of the disk is enough for receipts.
    result = flow.sync(flow.small)
    must(result["left"] == 0 and result["received"] == len(told), f"{result}")
    # Full to the last byte: nothing can be noted, and nothing is lost.
    os.unlink(os.path.join(mount, "ballast"))
    told += statements(flow.work(flow.small, "commission", "--each", codes=[elements(f"G{n}") for n in range(10)])[1])
    fill(mount, 0)
    must(os.statvfs(mount).f_bavail == 0, "the disk is not full")
    room = flow.status(flow.small)["room"]
    must(room["fill"] == "full" and room["packs"] == 0, f"{room}")
    status, lines, said = flow.work(flow.small, "commission", "--each", codes=[elements("H1")], allowed=(3,))
    must("full" in said and not statements(lines), f"{said}")
    flow.scanner(flow.small, "sync", "--timeout", "3", allowed=(0, 3))
    for statement in told:
        must(flow.entry(statement)[0] == 200, "what was told must reach the ledger although the disk is full")
    os.unlink(os.path.join(mount, "ballast"))
    must(flow.sync(flow.small)["left"] == 0, "with room again everything is settled")
    status = flow.status(flow.small)
    must(status["next_sequence"] == len(told) and status["refused"] == 0 and status["room"]["fill"] == "roomy", f"{status}, {len(told)} told")
    leaves = {flow.entry(statement)[1]["leaf_index"] for statement in told}
    must(len(leaves) == len(told), "two statements at one place")


def a_revoked_terminal_says_so_and_signs_nothing_more(flow):
    config = flow.stage.add_terminal("lost", "Lost terminal", PHARMACY)
    early = statements(flow.work(config, "inspect", codes=[elements("A3")])[1])[0]
    kid = flow.status(config)["kid"]
    flow.stage.admin("revoke", flow.stage.path("consortium"), "--operator", "operator", "--kid", kid, "--last-trusted", "0", "--reason", "lost in a taxi",
                     "--url", f"https://127.0.0.1:{flow.stage.ledger_port}")
    must(not flow.status(config)["revoked"], "it cannot know yet")
    flow.sync(config)
    status = flow.status(config)
    must(status["revoked"] and "lost in a taxi" in status["revoked_why"], f"{status}")
    code, lines, said = flow.work(config, "dispense", codes=[elements("A3")], allowed=(1,))
    must("revoked" in said and "lost in a taxi" in said and not statements(lines), f"a revoked terminal signed: {code} {lines} {said}")
    must(flow.entry(early)[1]["result"] == "applied", "what was signed before stays good, however late it comes")
    must(flow.status(config)["new"] == 0, "and was brought")


CASES = [products_and_notices_come_by_the_feed, the_ledger_is_asked_through_the_gateway, a_slow_or_absent_ledger_is_an_answer_in_time,
         a_line_that_is_down_is_told_from_a_wrong_certificate, the_line_comes_back_without_another_scan,
         a_clock_set_back_by_a_year_is_noticed_over_a_restart, a_full_disk_is_said_early_and_loses_nothing,
         a_revoked_terminal_says_so_and_signs_nothing_more]


def prepare(stage):
    stage.found()
    stage.start_ledger()
    stage.start_gateway()
    flow = Flow(stage)
    flow.factory = stage.add_terminal("factory", "Factory line", FACTORY)
    flow.pharmacy = stage.add_terminal("pharmacy", "Counter", PHARMACY)
    return flow


run_cases("offline", CASES, prepare)
