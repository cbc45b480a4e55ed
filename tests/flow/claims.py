"""Claims over the real programs: a scanner dispenses, two insurers claim in one block, lines are answered, evidence is
checked without the ledger. TAP on standard output.

  claims.py BUILD-DIR
"""
import json
import os
import subprocess
import sys
import urllib.parse

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cases import run_cases  # noqa: E402
from stage import Failed, check_digit, party, place, run  # noqa: E402

GTIN, OTHER_GTIN = "09506000134352", "09506000134369"


def gln(digits):
    return digits + check_digit(digits)


FACTORY, PHARMACY = gln("950600010000"), gln("950600030000")
INSURERS = {"insurer_a": gln("950600050000"), "insurer_b": gln("950600060000")}


def elements(serial):
    return f"(01){GTIN}(17)281231(10)L1(21){serial}"


def epc(serial):
    return f"https://id.gs1.org/01/{GTIN}/21/{serial}"


def must(condition, why):
    if not condition:
        raise Failed(why)


def settle(line, serial, units=24, **more):
    return {"line": line, "action": "settle", "pack": epc(serial), "product": {"gtin": GTIN}, "units": units, "place": place(PHARMACY),
            "eventTime": "2026-06-01T08:00:00Z", **more}


def reverse(line, serial):
    return {"line": line, "action": "reverse", "pack": epc(serial), "eventTime": "2026-06-02T08:00:00Z"}


class Flow:
    def __init__(self, stage):
        self.stage = stage
        self.url = f"https://127.0.0.1:{stage.ledger_port}"
        self.batches = 0

    def scan(self, config, task, *serials):
        run([self.stage.scanner, "--config", config, "scan", "--task", task, "--codes", "-"],
            input="\n".join(elements(serial) for serial in serials) + "\n")
        result = json.loads(run([self.stage.scanner, "--config", config, "sync", "--timeout", "60"]))
        must(result["left"] == 0, f"the terminal could not hand over: {result}")

    def claim(self, command, actor, *arguments, allowed=(0,)):
        words = [self.stage.tool, "claim", command, self.stage.path("consortium"), "--company", actor, *arguments]
        return run(words, allowed=allowed)

    def make(self, actor, lines, *arguments):
        self.batches += 1
        file = self.stage.write(f"batch{self.batches}.json", json.dumps({"batch": f"B{self.batches}", "lines": lines}))
        return json.loads(self.claim("make", actor, "--json", file, *arguments))

    def show(self, actor, *arguments, allowed=(0,)):
        out = self.claim("show", actor, "--url", self.url, *arguments, allowed=allowed)
        return json.loads(out) if out else None

    def sent(self, actor, lines):
        made = self.make(actor, lines, "--url", self.url)
        must(made["sent"] == 1 and made["waiting"] == 0, f"not sent: {made}")
        return made["statement"], self.show(actor, "--statement", made["statement"])["lines"]

    def curl(self, path, actor, *arguments, body=None):
        command = ["curl", "-s", "-S", "--max-time", "20", "--cacert", self.stage.path("consortium/ca.crt"), "-w", "\n%{http_code}"]
        if actor:
            folder = self.stage.path("consortium/actors", actor)
            own = self.stage.path(actor) if os.path.isdir(self.stage.path(actor)) else folder  # a terminal keeps its keys
            command += ["--cert", f"{folder}/tls.crt", "--key", f"{own}/tls.key"]
        if body is not None:
            command += ["--data-binary", "@-"]
        done = subprocess.run([*command, *arguments, self.url + path], input=body, capture_output=True)
        text, _, status = done.stdout.rpartition(b"\n")
        return int(status or 0), text


# --- The cases, in this order, on one stage ---

def two_insurers_claim_one_pack_in_one_block(flow):
    flow.scan(flow.factory, "commission", *[f"A{n}" for n in range(8)])
    flow.scan(flow.pharmacy, "receive", *[f"A{n}" for n in range(8)])
    flow.scan(flow.pharmacy, "dispense", "A0", "A1")
    body, made = b"", {}
    for actor in INSURERS:
        file = flow.stage.path(f"{actor}.cose")
        made[actor] = flow.make(actor, [settle("L1", "A0"), settle("L2", "A2")], "--out", file)["statement"]
        with open(file, "rb") as signed:
            body += signed.read()
    status, answer = flow.curl("/statements", "operator", "-H", "Content-Type: application/cbor-seq", body=body)
    must(status == 200, f"{status}: {answer}")
    shown = {actor: flow.show(actor, "--statement", statement) for actor, statement in made.items()}
    heights = {answer["decided_at"] for answer in shown.values()}
    must(len(heights) == 1, f"not one block: {heights}")
    first, second = (answer["lines"] for answer in shown.values())
    must(first[0]["outcome"] == "settled" and first[0]["settled_so_far"] == 24 and first[0]["content"] == 24, f"{first[0]}")
    must(second[0]["outcome"] == "refused" and second[0]["reason"] == "over_content" and second[0]["settled_so_far"] == 24, f"{second[0]}")
    must(second[0]["reason_text"]["zh"] and second[0]["evidence"]["other_claim"]["statement"] == made["insurer_a"], f"{second[0]}")
    must(first[1]["reason"] == "not_dispensed" and first[0]["evidence"]["dispensing"]["statement"], f"{first}")
    must(shown["insurer_a"]["standing"] == "final", "no standing")
    kinds = {alert["kind"] for alert in flow.stage.ask("/alerts")[1]["alerts"] if alert.get("pack") == epc("A0")}
    must("overclaimed" in kinds, f"no alert: {kinds}")
    flow.first = made


def evidence_is_checked_without_the_ledger(flow):
    file = flow.stage.path("a.evidence")
    verify = [flow.stage.tool, "claim", "verify", "--trust", flow.stage.path("consortium/actors/ledger/sign.pub")]
    flow.claim("evidence", "insurer_a", "--url", flow.url, "--statement", flow.first["insurer_a"], "--out", file)
    answer = json.loads(run([*verify, file]))
    line = answer["lines"][0]
    must(answer["verified"] and line["outcome"] == "settled" and line["place"] == "same" and line["product"] == "same", f"{answer}")
    must(line["dispensed_by"] == party(PHARMACY) and line["commissioned_by"] == party(FACTORY), f"{line}")
    other = flow.stage.path("b.evidence")
    flow.claim("evidence", "insurer_b", "--url", flow.url, "--statement", flow.first["insurer_b"], "--out", other)
    refused = json.loads(run([*verify, other]))["lines"][0]
    must(refused["reason"] == "over_content" and refused["other_claim"] == flow.first["insurer_a"], f"{refused}")
    # Another ledger's key, another genesis, and every part of the bundle changed.
    run([flow.stage.tool, "claim", "verify", "--trust", flow.stage.path("consortium/actors/gateway/sign.pub"), file], allowed=(1,))
    run([*verify, "--genesis", "00" * 32, file], allowed=(1,))
    with open(file, "rb") as bundle:
        good = bundle.read()
    for at in range(3, len(good), max(1, len(good) // 60)):
        with open(flow.stage.path("bad.evidence"), "wb") as bundle:
            bundle.write(good[:at] + bytes([good[at] ^ 4]) + good[at + 1:])
        said = json.loads(run([*verify, flow.stage.path("bad.evidence")], allowed=(1,)))
        must(said["verified"] is False and said["error"], f"changed at {at}: {said}")
    with open(flow.stage.path("bad.evidence"), "wb") as bundle:
        bundle.write(good[:-10])
    run([*verify, flow.stage.path("bad.evidence")], allowed=(1,))


def every_line_is_answered_for_itself(flow):
    lines = [settle("M1", "A1", product={"gtin": OTHER_GTIN}), settle("M2", "A1", place=place(FACTORY)), settle("M3", "NOBODY"),
             settle("M4", "A1", product={"gtin": GTIN[:-1] + "3"}), settle("M5", "A1", pack="no-code"), settle("M6", "A1", units=25),
             reverse("M7", "A1"), settle("M8", "A1", product={"insuranceCode": "XA01ABC"})]
    wanted = ["wrong_product", "other_place", "unknown_pack", "product_mistyped", "unreadable_code", "over_content", "not_your_line", None]
    _, answers = flow.sent("insurer_b", lines)
    reasons = [answer["reason"] for answer in answers]
    must(reasons == wanted, f"{reasons}")
    must(answers[7]["outcome"] == "settled", f"{answers[7]}")
    _, again = flow.sent("insurer_b", [lines[7]])
    must(again[0]["outcome"] == "duplicate", f"{again}")
    line = flow.show("insurer_b", "--line", "M8")
    must(line["outcome"] == "settled" and line["line_state"] == "settled" and line["insurer"] == party(INSURERS["insurer_b"]), f"{line}")


def a_reversal_gives_the_units_back(flow):
    _, answers = flow.sent("insurer_a", [reverse("L1", "A0")])
    must(answers[0]["outcome"] == "reversed" and answers[0]["settled_so_far"] == 0, f"{answers}")
    _, answers = flow.sent("insurer_b", [settle("L3", "A0")])
    must(answers[0]["outcome"] == "settled", f"{answers}")
    must(flow.show("insurer_a", "--line", "L1")["line_state"] == "reversed", "the line does not tell that it is reversed")
    _, answers = flow.sent("insurer_a", [settle("L1", "A0")])
    must(answers[0]["reason"] == "already_reversed", f"{answers}")


def what_comes_back_is_told(flow):
    run([flow.stage.scanner, "--config", flow.pharmacy, "undo"])
    json.loads(run([flow.stage.scanner, "--config", flow.pharmacy, "sync", "--timeout", "60"]))
    due = flow.show("insurer_b", "--due")
    must({line["line"] for line in due["lines"]} == {"L3", "M8"}, f"{due}")
    must(all(line["reversal_due"] for line in due["lines"]), f"{due}")
    must(flow.show("insurer_a", "--due")["lines"] == [], "nothing is due of the other insurer")
    flow.sent("insurer_b", [reverse("L3", "A0"), reverse("M8", "A1")])
    must(flow.show("insurer_b", "--due")["lines"] == [], "still due")
    _, answers = flow.sent("insurer_a", [settle("L9", "A1")])
    must(answers[0]["reason"] == "taken_back", f"{answers}")


def claims_are_told_to_whom_they_concern(flow):
    claim, pack = "/claims/" + flow.first["insurer_a"], "/claims?pack=" + urllib.parse.quote(epc("A0"), safe="")
    must(flow.stage.ask(claim)[0] == 403 and flow.stage.ask(pack)[0] == 403, "strangers are told of claims")
    must(flow.curl(claim, "insurer_b")[0] == 403 and flow.curl(claim + "/evidence", "insurer_b")[0] == 403, "told to another insurer")
    must(flow.curl(claim, "operator")[0] == 200 and flow.curl(claim, "insurer_a")[0] == 200, "not told to whom it concerns")
    insurer = urllib.parse.quote(party(INSURERS["insurer_a"]), safe="")
    must(flow.curl(f"/claims/{insurer}/L1", "insurer_b")[0] == 403 and flow.curl(f"/claims/{insurer}/L1", "insurer_a")[0] == 200, "a line")
    must(flow.curl(f"/claims/{insurer}/NONE", "insurer_a")[0] == 404, "a line that was never claimed")
    must(flow.curl(pack, "pharmacy")[0] == 200 and flow.curl(pack, "factory")[0] == 403, "the pharmacy sees its own, the maker does not")
    flow.scan(flow.pharmacy, "dispense", "A3")
    flow.sent("insurer_a", [settle("P1", "A3")])
    pack = "/claims?pack=" + urllib.parse.quote(epc("A3"), safe="")
    own, others = (json.loads(flow.curl(pack, actor)[1]) for actor in ("insurer_a", "insurer_b"))
    must(own["settled"] == 24 and own["lines"][0]["line"] == "P1" and own["dispensings"][0]["units"] == 24, f"{own}")
    must(others["settled"] == 24 and set(others["lines"][0]) == {"units", "line_state"}, f"{others}")
    must(flow.curl("/claims", "insurer_a")[0] == 400 and flow.curl("/claims/zz", "insurer_a")[0] == 400, "questions without sense")
    must(flow.curl("/claims/" + "0" * 64, "insurer_a")[0] == 404, "an unknown batch")


def only_an_insurers_signed_batch_is_taken(flow):
    file = flow.stage.path("direct.cose")
    flow.make("insurer_a", [settle("D1", "A3")], "--out", file)
    with open(file, "rb") as signed:
        body = signed.read()
    cose = ("-H", "Content-Type: application/cose")
    must(flow.curl("/claims", "insurer_b", *cose, body=body)[0] == 403, "sent by another")
    must(flow.curl("/claims", "insurer_a", *cose, body=b"\x80")[0] == 400, "nonsense is taken")
    changed = bytearray(body)
    changed[-1] ^= 1
    must(flow.curl("/claims", "insurer_a", *cose, body=bytes(changed))[0] == 403, "a wrong signature is taken")
    status, answer = flow.curl("/claims", "insurer_a", *cose, body=body)
    answer = json.loads(answer)
    must(status == 200 and answer["lines"][0]["reason"] == "over_content" and answer["line_count"] == 1, f"{status}: {answer}")
    # A company that is no insurer by its party's record.
    flow.stage.admin("actor", flow.stage.path("consortium"), "trader", "--role", "company", "--label", "Trader", "--party", party(FACTORY))
    flow.stage.admin("enrol", flow.stage.path("consortium"), "--operator", "operator", "--actor", "trader", "--url", flow.url)
    flow.make("trader", [settle("T1", "A3")], "--out", file)
    with open(file, "rb") as signed:
        status, answer = flow.curl("/claims", "trader", *cose, body=signed.read())
    must(status == 403, f"a trader claims: {status} {answer}")


def the_document_names_every_path(flow):
    document = flow.stage.ask("/openapi.json")[1]
    must(set(document["paths"]["/claims"]) == {"get", "post"}, "no /claims in the document")
    for path in ("/claims/{id}", "/claims/{id}/evidence", "/claims/{insurer}/{line}"):
        must("get" in document["paths"][path], f"{path} is not in the document")


def everything_ends_when_asked(flow):
    statuses = flow.stage.end()
    must(set(statuses.values()) == {0}, f"exit statuses {statuses}")
    run([flow.stage.tool, "ledger", "fsck", flow.stage.path("ledger")])


CASES = [two_insurers_claim_one_pack_in_one_block, evidence_is_checked_without_the_ledger, every_line_is_answered_for_itself,
         a_reversal_gives_the_units_back, what_comes_back_is_told, claims_are_told_to_whom_they_concern,
         only_an_insurers_signed_batch_is_taken, the_document_names_every_path, everything_ends_when_asked]


def set_up(stage):
    flow = Flow(stage)
    stage.found()
    stage.start_ledger()
    stage.start_gateway()
    flow.factory = stage.add_terminal("factory", "Factory line", FACTORY)
    flow.pharmacy = stage.add_terminal("pharmacy", "Counter", PHARMACY)
    records = [{"kind": "product", "version": 1, "validFrom": "2026-01-01T00:00:00Z", "id": f"https://id.gs1.org/01/{gtin}",
                "name": {"en": "tablets"}, "levels": [{"level": 1, "units": 24, "gtin": gtin}], "insuranceCode": code,
                "manufacturer": party(FACTORY)} for gtin, code in ((GTIN, "XA01ABC"), (OTHER_GTIN, "XB02DEF"))]
    for actor, number in INSURERS.items():
        stage.admin("actor", stage.path("consortium"), actor, "--role", "company", "--label", actor, "--party", party(number))
        stage.admin("enrol", stage.path("consortium"), "--operator", "operator", "--actor", actor, "--url", flow.url)
        records.append({"kind": "party", "version": 1, "validFrom": "2026-01-01T00:00:00Z", "id": party(number),
                        "name": {"en": actor}, "roles": ["insurer"]})
    stage.admin("master", stage.path("consortium"), "--operator", "operator", "--json", stage.write("records.json", json.dumps(records)),
                "--url", flow.url)
    return flow


run_cases("claims", CASES, set_up)
