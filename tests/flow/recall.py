"""A recall over the real programs: told within seconds at the ledger, the gateway and a terminal that scans; warned of while
the line is down; followed down to the dispensed pack; lifted again. TAP on standard output.

  recall.py BUILD-DIR
"""
import csv
import io
import json
import os
import subprocess
import sys
import time
import urllib.parse

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cases import run_cases  # noqa: E402
from stage import Failed, check_digit, party, place, run  # noqa: E402

GTIN = "09506000134352"
DRUG = "8123456"
RECALL = "NMPA 2026/17"


def gln(digits):
    return digits + check_digit(digits)


FACTORY, PHARMACY, VILLAGE = gln("950600010000"), gln("950600030000"), gln("950600040000")


def elements(serial, lot="L1"):
    return f"(01){GTIN}(17)281231(10){lot}(21){serial}"


def epc(serial):
    return f"https://id.gs1.org/01/{GTIN}/21/{serial}"


def trace(number):
    return f"{DRUG}{number:013d}"


def must(condition, why):
    if not condition:
        raise Failed(why)


class Flow:
    def __init__(self, stage):
        self.stage = stage

    def work(self, config, task, *arguments, codes, allowed=(0,)):
        out = run([self.stage.scanner, "--config", config, "scan", "--task", task, *arguments, "--codes", "-"],
                  input="\n".join(codes) + "\n", allowed=allowed)
        return [json.loads(line) for line in out.splitlines()]

    def sync(self, config):
        result = json.loads(run([self.stage.scanner, "--config", config, "sync", "--timeout", "60"]))
        must(result["left"] == 0, f"receipts are missing: {result}")
        return result

    def recall(self, verb, *arguments, actor=("--operator", "operator"), allowed=(0,)):
        return run([self.stage.tool, "admin", "recall", verb, self.stage.path("consortium"), *actor, *arguments, "--url",
                    f"https://127.0.0.1:{self.stage.ledger_port}"], allowed=allowed)

    def ask(self, path, **query):
        return self.stage.ask(f"/recalls/{urllib.parse.quote(RECALL, safe='')}{path}" + ("?" + urllib.parse.urlencode(query) if query else ""))

    def via_gateway(self, path, actor="pharmacy"):
        """A terminal's own request: with its certificate, to the gateway."""
        keys = self.stage.path(actor)
        done = subprocess.run(["curl", "-s", "-S", "--max-time", "20", "--cacert", self.stage.path("consortium/ca.crt"), "--cert", f"{keys}/tls.crt",
                               "--key", f"{keys}/tls.key", f"https://127.0.0.1:{self.stage.gateway_port}{path}"], capture_output=True)
        return done.stdout


BEGIN = ["--id", RECALL, "--product", GTIN, "--product", DRUG, "--lot", "L1", "--level", "1", "--depth", "consumer",
         "--reason-zh", "含量测定不合格", "--reason-en", "assay out of range", "--instructions-en", "send back to the factory"]


# --- The cases, in this order, on one stage ---

def packs_are_in_trade(flow):
    flow.work(flow.factory, "commission", codes=[elements(f"A{n}") for n in range(8)])
    flow.work(flow.factory, "commission", codes=[elements(f"B{n}", lot="L2") for n in range(2)])
    flow.work(flow.factory, "commission", codes=[trace(1)])
    flow.work(flow.factory, "ship", "--to", party(PHARMACY), codes=[elements(f"A{n}") for n in range(6)] + [elements("B0", "L2"), trace(1)])
    flow.sync(flow.factory)
    flow.work(flow.pharmacy, "receive", codes=[elements(f"A{n}") for n in range(4)] + [elements("B0", "L2"), trace(1)])
    flow.work(flow.village, "receive", codes=[elements("A4")])
    flow.work(flow.village, "dispense", codes=[elements("A4")])
    flow.sync(flow.pharmacy)
    flow.sync(flow.village)
    must(flow.stage.verify(elements("A0"))["verdict"]["colour"] == "green", "a good pack is green before the recall")


def a_recall_reaches_a_scanning_terminal_within_seconds(flow):
    scanner = subprocess.Popen([flow.stage.scanner, "--config", flow.pharmacy, "scan", "--task", "inspect", "--sync", "--codes", "-"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, stderr=subprocess.DEVNULL)
    try:
        # At work: a code, its line. Then the recall begins elsewhere.
        scanner.stdin.write(elements("X0") + "\n")
        scanner.stdin.flush()
        must("recall" not in json.loads(scanner.stdout.readline()), "nothing is recalled yet")
        begun = time.monotonic()
        said = json.loads(flow.recall("begin", *BEGIN))
        must(said["version"] == 1 and said["waiting"] == 0, f"{said}")
        recorded = time.monotonic()
        must(flow.stage.verify(elements("A0"))["verdict"]["code"] == "recalled", "the ledger answers at once")
        must(RECALL.encode() in flow.via_gateway("/terminal/feed?kinds=4"), "the gateway passes the feed on at once")
        heard = None
        for n in range(1, 100):
            scanner.stdin.write(elements(f"X{n}") + "\n")
            scanner.stdin.flush()
            line = json.loads(scanner.stdout.readline())
            if "recall" in line:
                heard = time.monotonic()
                break
            time.sleep(0.1)
        must(heard, "the terminal never heard of the recall")
        print(f"# recorded after {recorded - begun:.2f} s, warned of at a terminal that looks every second after {heard - begun:.2f} s", flush=True)
        must(heard - begun < 5, f"the terminal heard of it only after {heard - begun:.1f} s")
        recall = line["recall"]
        must(recall["id"] == RECALL and recall["certain"] and recall["level"] == 1 and recall["list_age_s"] < 5, f"{recall}")
        must(recall["reason"] == {"zh": "含量测定不合格", "en": "assay out of range"} and "召回" in recall["advice"]["zh"], f"{recall}")
    finally:
        scanner.stdin.close()
        scanner.wait(timeout=60)


def every_answer_says_so(flow):
    answer = flow.stage.verify(elements("A0"))
    verdict = answer["verdict"]
    must(verdict["colour"] == "red" and answer["data"]["additionalInfo"] == "Recalled", f"{answer}")
    must(RECALL in verdict["reason"]["en"] and "assay out of range" in verdict["reason"]["en"] and "一级" in verdict["reason"]["zh"], f"{verdict}")
    must(answer["pack"]["recall"]["instructions"]["en"] == "send back to the factory", f"{answer['pack']}")
    must(flow.stage.verify(elements("B0", "L2"))["verdict"]["colour"] == "green", "another lot stays good")
    # A trace code bears no lot: amber until the lot on the pack is given.
    maybe = flow.stage.verify(trace(1))
    must(maybe["verdict"]["colour"] == "amber" and maybe["verdict"]["code"] == "may_be_recalled", f"{maybe['verdict']}")
    must(maybe["pack"]["recall"]["lots"] == ["L1"] and not maybe["pack"]["recall"]["certain"], f"{maybe['pack']}")
    for lot, code in (("L1", "recalled"), ("L9", "genuine")):
        answer = flow.stage.ask(f"/verify/code/{trace(1)}?lot={lot}")[1]
        must(answer["verdict"]["code"] == code, f"lot {lot}: {answer['verdict']}")
    listed = flow.stage.ask("/recalls")[1]["recalls"]
    must([r["id"] for r in listed] == [RECALL] and listed[0]["notice"]["products"] == sorted([DRUG, GTIN]), f"{listed}")
    must(json.loads(flow.via_gateway("/recalls"))["recalls"][0]["id"] == RECALL, "the gateway passes the list on")


def a_terminal_warns_while_the_line_is_down(flow):
    flow.sync(flow.village)
    flow.stage.kill("gateway")
    held = flow.work(flow.village, "dispense", "--each", codes=[elements("A5"), elements("B1", "L2")], allowed=(1,))
    must([line.get("outcome") for line in held] == ["recalled", "added", None], f"the recalled pack must be held back before it is signed: {held}")
    must(held[0]["recall"]["certain"] and "statement" in held[2], f"{held}")
    sure = flow.work(flow.village, "dispense", "--each", codes=[trace(1)])[0]["recall"]
    must(not sure["certain"] and sure["lots"] == "L1", f"no lot on the code: {sure}")
    back = flow.work(flow.village, "return", codes=[elements("A4")])
    must(back[0]["outcome"] == "added" and back[0]["recall"]["id"] == RECALL, f"a patient's pack is taken back, with the warning: {back}")
    insisted = flow.work(flow.village, "dispense", "--despite-recall", codes=[elements("A5")])
    must(insisted[0]["outcome"] == "added" and "statement" in insisted[1], f"{insisted}")
    status = [json.loads(line) for line in run([flow.stage.scanner, "--config", flow.village, "recalls"]).splitlines()]
    must(status[0]["id"] == RECALL and status[-1]["in_force"] == 1 and 0 <= status[-1]["age_s"] < 120, f"{status}")
    flow.stage.start_gateway()
    flow.sync(flow.village)
    kinds = [alert["kind"] for alert in flow.stage.ask("/alerts")[1]["alerts"] if alert.get("pack") == epc("A5")]
    must("recalled" in kinds, f"dispensing a recalled pack must raise its alert: {kinds}")


def the_reach_goes_down_to_the_dispensed_pack(flow):
    flow.work(flow.pharmacy, "quarantine", codes=[elements("A0")])
    flow.work(flow.pharmacy, "send-back", "--to", party(FACTORY), codes=[elements("A1")])
    flow.work(flow.pharmacy, "destroy", codes=[elements("A2")])
    flow.sync(flow.pharmacy)
    status, reach = flow.ask("/reach")
    must(status == 200, f"{reach}")
    states = reach["total"]["states"]
    # A0 set aside, A1 on its way back, A2 destroyed, A3 in stock, A4 returned, A5 dispensed, A6 and A7 with the factory.
    must((states["quarantined"], states["sent_back"], states["destroyed"], states["returned"], states["dispensed"], states["in_stock"]) == (1, 1, 1, 1, 1, 3),
         f"{states}")
    # The inspected X… were never announced: their lot is not known.
    must(reach["total"]["done"] == 4 and reach["total"]["open"] == 4 and reach["total"]["unsure"] >= 1, f"{reach['total']}")
    must(reach["progress"] == 0.5 and reach["height"] > 0 and reach["standing"] == "final", f"{reach}")
    where = {entry["place"]: entry for entry in reach["places"]}
    must(where[place(VILLAGE)]["states"]["dispensed"] == 1 and where[place(PHARMACY)]["done"] == 3, f"{where}")
    sold = flow.ask("/packs", state="dispensed")[1]["packs"]
    must([pack["id"] for pack in sold] == [epc("A5")] and sold[0]["place"] == place(VILLAGE) and sold[0]["time"].startswith("20"), f"{sold}")
    first = flow.ask("/packs", most=3)[1]
    second = flow.ask("/packs", most=100, after=first["next"])[1]
    ids = [pack["id"] for pack in first["packs"] + second["packs"]]
    must(ids == [epc(f"A{n}") for n in range(8)] and first["more"] and not second["more"], f"{ids}")
    rows = list(csv.DictReader(io.StringIO(flow.ask("/reach", format="csv")[1].decode())))
    must(sum(int(row["done"]) for row in rows) == 4 and {row["place"] for row in rows} >= {place(PHARMACY), place(VILLAGE)}, f"{rows}")
    rows = list(csv.DictReader(io.StringIO(flow.ask("/packs", format="csv", which="open")[1].decode())))
    must(sorted(row["id"] for row in rows) == [epc(f"A{n}") for n in (3, 5, 6, 7)], f"{rows}")
    for bad in ({"state": "sold"}, {"most": "0"}, {"after": "zz"}, {"format": "xml"}):
        must(flow.ask("/packs", **bad)[0] == 400, f"{bad}")
    must(flow.stage.ask("/recalls/none/reach")[0] == 404 and flow.stage.ask("/recalls/none")[0] == 404, "an unknown recall")


def only_who_may_changes_a_recall(flow):
    # A narrower scope, a version that stands still and an unknown recall are refused.
    refused = flow.recall("extend", "--json", flow.stage.write("narrow.json", json.dumps({
        "id": RECALL, "version": 1, "action": "begin", "level": 1, "products": [GTIN], "lots": ["L1"], "depth": "consumer",
        "reason": {"en": "x"}, "issuedAt": "2026-01-01T00:00:00Z"})), allowed=(1,))
    must(not refused, f"a recall must not shrink: {refused}")
    must(not flow.recall("end", "--id", "NONE", "--reason-en", "x", allowed=(1,)), "there is no such recall")
    said = json.loads(flow.recall("extend", "--id", RECALL, "--lot", "L2"))
    must(said["version"] == 2, f"{said}")
    must(flow.stage.verify(elements("B0", "L2"))["verdict"]["code"] == "recalled", "the recall was extended to this lot")
    history = flow.ask("")[1]["history"]
    must([step["action"] for step in history] == ["begin", "extend"], f"{history}")


def a_lifted_recall_is_forgotten_everywhere(flow):
    flow.recall("end", "--id", RECALL, "--reason-en", "the assay was wrong", "--reason-zh", "检验有误")
    must(flow.stage.verify(elements("A3"))["verdict"]["colour"] == "green", f"{flow.stage.verify(elements('A3'))['verdict']}")
    must(flow.stage.verify(elements("B0", "L2"))["verdict"]["colour"] == "green", "back to normal")
    must(flow.stage.ask("/recalls")[1]["recalls"] == [], "none is in force")
    ended = flow.stage.ask("/recalls?which=all")[1]["recalls"][0]
    must(not ended["in_force"] and ended["end_notice"]["reason"]["zh"] == "检验有误", f"{ended}")
    flow.sync(flow.pharmacy)
    line = flow.work(flow.pharmacy, "inspect", codes=[elements("A3")])[0]
    must("recall" not in line, f"the terminal must forget it, too: {line}")
    must(flow.ask("/reach")[0] == 200, "how far it had come stays known")


def everything_ends_when_asked(flow):
    statuses = flow.stage.end()
    must(set(statuses.values()) == {0}, f"exit statuses {statuses}")
    run([flow.stage.tool, "ledger", "fsck", flow.stage.path("ledger")])


CASES = [packs_are_in_trade, a_recall_reaches_a_scanning_terminal_within_seconds, every_answer_says_so, a_terminal_warns_while_the_line_is_down,
         the_reach_goes_down_to_the_dispensed_pack, only_who_may_changes_a_recall, a_lifted_recall_is_forgotten_everywhere, everything_ends_when_asked]


def add_terminal(stage, name, label, number):
    config = stage.add_terminal(name, label, number)
    with open(config, encoding="utf-8") as file:
        text = file.read()
    return stage.write(f"{name}.conf", text.replace("[gateway]\n", "[gateway]\nfeed_interval = 1s\n"))


def prepare(stage):
    stage.found()
    stage.start_ledger()
    stage.start_gateway()
    flow = Flow(stage)
    flow.factory = add_terminal(stage, "factory", "Terminal of the factory", FACTORY)
    flow.pharmacy = add_terminal(stage, "pharmacy", "Terminal of the pharmacy", PHARMACY)
    flow.village = add_terminal(stage, "village", "Terminal of the village pharmacy", VILLAGE)
    return flow


run_cases("recall", CASES, prepare)
