"""One scan, three outputs: the real gateway between a terminal, a ledger and platforms that misbehave. TAP on standard output.

  settlement.py BUILD-DIR [SEED]
"""
import json
import os
import random
import subprocess
import sys
import threading
import time
import urllib.request

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cases import run_cases  # noqa: E402
from stage import ROOT, Failed, check_digit, free_port, party, place, run  # noqa: E402

DRUG, UNKNOWN_DRUG = "8123456", "8199999"
HOME = party("950600000000" + check_digit("950600000000"))


def gln(digits):
    return digits + check_digit(digits)


PHARMACY, FACTORY = gln("950600030000"), gln("950600010000")


def must(condition, why):
    if not condition:
        raise Failed(why)


def code(number, drug=DRUG):
    return f"{drug}{number:09d}4321"


def uri(number, drug=DRUG):
    return f"urn:packtrail:cn:trace:{code(number, drug)}"


class Settlement:
    def __init__(self, stage, build):
        self.stage, self.build = stage, build
        self.port = free_port()
        self.chain = (0, "-")  # of the statements that sign-event signs
        self.numbers = iter(range(1, 10**6))

    # --- The platforms ---

    def start_platforms(self):
        self.stage.start("platforms", [os.path.join(self.build, "tools/platformsim"), "--port", str(self.port)], self.port)

    def platforms(self, body=None):
        data = json.dumps(body).encode() if body else None
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/control", data=data, headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read())

    def mode(self, platform, mode, **more):
        self.platforms({"platform": platform, "mode": mode, **more})

    def documents(self, platform, pack):
        return [d for d in self.platforms()["documents"] if d["platform"] == platform and code(pack) in d["codes"]]

    # --- The gateway ---

    def curl(self, path, *arguments, actor="operator", body=None):
        folder = self.stage.path("consortium/actors", actor)
        command = ["curl", "-s", "-S", "--max-time", "20", "--cacert", self.stage.path("consortium/ca.crt"), "-w", "\n%{http_code}",
                   "--cert", f"{folder}/tls.crt", "--key", f"{folder}/tls.key"]
        if body is not None:
            command += ["--data-binary", "@-"]
        done = subprocess.run([*command, *arguments, f"https://127.0.0.1:{self.stage.gateway_port}{path}"], input=body, capture_output=True)
        text, _, status = done.stdout.rpartition(b"\n")
        return int(status or 0), text

    def ask(self, path):
        status, text = self.curl(path)
        must(status == 200, f"{path}: {status} {text[:300]}")
        return json.loads(text)

    def reports(self, query=""):
        found, start = [], 0
        while start is not None:
            page = self.ask(f"/settlement/reports?limit=50&from={start}{query}")
            found, start = found + page["reports"], page["next"]
        return found

    def report(self, statement, platform):
        status, text = self.curl(f"/settlement/reports/{statement}-{platform}")
        return json.loads(text) if status == 200 else {"state": f"HTTP {status}"}

    def wait(self, statement, platform, state, reason="", seconds=15):
        deadline = time.monotonic() + seconds
        while True:
            found = self.report(statement, platform)
            if found["state"] in ((state,) if isinstance(state, str) else state) and reason in (found.get("reason") or ""):
                return found
            must(time.monotonic() < deadline, f"{platform} report of {statement} is not {state}: {found}")
            time.sleep(0.05)

    def put_sale(self, token, **more):
        record = {"fields": {"mdtrt_sn": f"M{token}", "rtal_docno": f"R{token}"},
                  "lines": [{"product": DRUG, "feedetl_sn": f"F{token}", "manu_lotnum": "L7", "expy_end": "2028-12-31"}], **more}
        status, text = self.curl(f"/settlement/sales/{token}", "-X", "PUT", "-H", "Content-Type: application/json", body=json.dumps(record).encode())
        must(status == 204, f"sale {token}: {status} {text}")

    # --- What staff do ---

    def scan(self, task, *arguments, codes):
        out = run([self.stage.scanner, "--config", self.pharmacy, "scan", "--task", task, *arguments, "--codes", "-"], input="\n".join(codes) + "\n")
        return [line["statement"] for line in map(json.loads, out.splitlines()) if "statement" in line]

    def sync(self, allowed=(0,)):
        run([self.stage.scanner, "--config", self.pharmacy, "sync", "--timeout", "30"], allowed=allowed)

    def dispense(self, pack, token=None, units=None, sale=True, drug=DRUG):
        """One pack sold: the statement's id."""
        token = token or f"T{pack}"
        arguments = ["--order", f"urn:packtrail:btt:sale=urn:packtrail:sale:{token}"] + (["--units", str(units)] if units else [])
        statement, = self.scan("dispense", *arguments, codes=[code(pack, drug)])
        if sale:
            self.put_sale(token)
        self.sync()
        return statement

    def post_event(self, event):
        """Signs and sends an event as the office's own system would; the statement's id."""
        folder = self.stage.path("consortium/actors/office")
        done = subprocess.run([os.path.join(self.build, "tests/flow/sign-event"), f"{folder}/sign.key", self.stage.path("consortium/genesis.cbor"),
                               str(self.chain[0]), self.chain[1]], input=json.dumps(event).encode(), capture_output=True, check=True)
        status, text = self.curl("/statements", "-H", "Content-Type: application/cbor-seq", actor="office", body=done.stdout)
        answer = json.loads(text)["results"][0] if status == 200 else {}
        must(answer.get("outcome") == "accepted", f"the event was not accepted: {status} {text}")
        self.chain = (self.chain[0] + 1, answer["id"])
        return answer["id"]

    def sale_event(self, pack, token, **more):
        return {"@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"], "type": "ObjectEvent",
                "eventTime": f"2026-06-01T10:{pack % 60:02d}:00.000+08:00", "eventTimeZoneOffset": "+08:00", "epcList": [uri(pack)], "action": "OBSERVE",
                "bizStep": "dispensing", "disposition": "dispensed", "readPoint": {"id": place(PHARMACY)}, "bizLocation": {"id": place(PHARMACY)},
                "bizTransactionList": [{"type": "urn:packtrail:btt:sale", "bizTransaction": f"urn:packtrail:sale:{token}"}], **more}

    @staticmethod
    def undo(event):
        return {**event, "errorDeclaration": {"declarationTime": "2026-06-01T12:00:00.000Z", "reason": "did_not_occur"}}

    def once(self, pack, platforms=("trace", "insurer"), count=1):
        for platform in platforms:
            found = self.documents(platform, pack)
            must(len(found) == count and all(d["times"] == 1 for d in found), f"{platform}: {count} document, once: {found}")


# --- The cases, in this order, on one stage ---

def a_delivery_is_reported_to_the_trace_platform(s):
    statement, = s.scan("receive", "--from", party(FACTORY), codes=[code(n) for n in range(9001, 9004)])
    s.sync()
    report = s.wait(statement, "trace", "accepted")
    must(report["kind"] == "102" and '<Event Name="PurchaseWareHouseIn" MainAction="WareHouseIn">' in report["document"], f"{report}")
    must(report["document"].count("<Data ") == 3 and f'SN="{report["serial"]}"' in report["document"], report["document"])
    must(s.report(statement, "insurer")["state"] == "HTTP 404", "a delivery is none of the insurer's business in this mapping")
    s.once(9001, ("trace",))


def a_scan_has_three_outputs(s):
    pack = next(s.numbers)
    statement = s.dispense(pack)
    trace, insurer = s.wait(statement, "trace", "accepted"), s.wait(statement, "insurer", "accepted")
    must(code(pack) in trace["document"] and trace["level"] == "business" and trace["code"] == "OK", f"{trace}")
    lines = json.loads(insurer["document"])
    must(lines["infno"] == "3505" and lines["msgid"] == insurer["serial"], f"{lines}")
    line, = lines["input"]["selinfo"]
    must(line["med_list_codg"] == "XA01" and line["drugtracinfo"] == [{"drug_trac_codg": code(pack)}] and line["sel_retn_cnt"] == 24
         and line["trdn_flag"] == "0" and line["mdtrt_sn"] == f"MT{pack}" and line["manu_lotnum"] == "L7", f"{line}")
    deadline = time.monotonic() + 10
    while s.stage.ask(f"/entries/{statement}")[0] != 200:
        must(time.monotonic() < deadline, "the ledger event, the first output, is missing")
        time.sleep(0.05)
    raw = s.stage.ask(f"/entries/{statement}/statement")[1]
    must(f"MT{pack}".encode() not in raw and f"FT{pack}".encode() not in raw, "encounter and fee detail must stay at the pharmacy")
    status, body = s.curl(f"/settlement/reports/{statement}-trace/document")
    must(status == 200 and body.decode() == trace["document"], "the exact document")
    s.once(pack)


def part_of_a_pack_is_told_as_such(s):
    pack = next(s.numbers)
    statement = s.dispense(pack, units=6)
    line, = json.loads(s.wait(statement, "insurer", "accepted")["document"])["input"]["selinfo"]
    must(line["trdn_flag"] == "1" and line["sel_retn_cnt"] == 6, f"{line}")
    s.once(pack)


def what_is_missing_is_waited_for(s):
    pack = next(s.numbers)
    statement = s.dispense(pack, sale=False)
    report = s.wait(statement, "insurer", "waiting", "sale.mdtrt_sn")
    must(report["waits_for"] == [f"sale/T{pack}"] and report["document"] is None, f"{report}")
    s.wait(statement, "trace", "accepted")
    must(statement in [r["statement"] for r in s.reports("&state=waiting")], "it is listed")
    s.put_sale(f"T{pack}")
    s.wait(statement, "insurer", "accepted")
    unknown = next(s.numbers)
    statement = s.dispense(unknown, drug=UNKNOWN_DRUG, sale=False)
    s.put_sale(f"T{unknown}", lines=[{"codes": [code(unknown, UNKNOWN_DRUG)], "manu_lotnum": "L8", "expy_end": "2029-01-31"}])
    report = s.wait(statement, "insurer", "waiting", "product.insurance_code")
    must(report["waits_for"] == [f"product/{UNKNOWN_DRUG}"], f"{report}")
    s.add_product(UNKNOWN_DRUG, "06901234567892", "XB02")
    line, = json.loads(s.wait(statement, "insurer", "accepted")["document"])["input"]["selinfo"]
    must(line["med_list_codg"] == "XB02" and line["manu_lotnum"] == "L8", f"{line}")


def a_lot_comes_from_the_ledger(s):
    """A GS1 pack: lot and expiry are what its commissioning said."""
    element = "(01)06901234567892(17)281231(10)LOT9(21)S1"
    run([s.stage.scanner, "--config", s.factory, "scan", "--task", "commission", "--codes", "-"], input=element + "\n")
    run([s.stage.scanner, "--config", s.factory, "sync", "--timeout", "30"])
    s.put_sale("GS1SALE", lines=[])
    statement, = s.scan("dispense", "--order", "urn:packtrail:btt:sale=urn:packtrail:sale:GS1SALE", codes=[element])
    s.sync()
    line, = json.loads(s.wait(statement, "insurer", "accepted")["document"])["input"]["selinfo"]
    must(line["manu_lotnum"] == "LOT9" and line["expy_end"] == "2028-12-31", f"{line}")
    must(line["drugtracinfo"] == [{"drug_trac_codg": "010690123456789221S1"}], f"{line}")
    s.wait(statement, "trace", "void", "code")


def a_refusal_is_told_and_can_be_mended(s):
    pack = next(s.numbers)
    for platform in ("trace", "insurer"):
        s.mode(platform, "refuse", times=1, code="E42", text="数量不符")
    statement = s.dispense(pack)
    for platform in ("trace", "insurer"):
        report = s.wait(statement, platform, "refused")
        must((report["level"], report["code"], report["reason"]) == ("business", "E42", "数量不符"), f"{report}")
        status, text = s.curl(f"/settlement/reports/{statement}-{platform}/retry", "-X", "POST")
        must(status == 200, f"retry: {status} {text}")
        again = s.wait(statement, platform, "accepted")
        must(again["serial"] != report["serial"] and again["serial"].endswith("0002"), "a mended document has a serial of its own")
        status, _ = s.curl(f"/settlement/reports/{statement}-{platform}/retry", "-X", "POST")
        must(status == 409, f"an accepted report is not sent again: {status}")
    s.once(pack, count=2)


def an_unknown_outcome_is_asked_about_first(s):
    for mode in ("hold", "late", "lose", "slow", "error", "error_taken", "garbage", "pending", "busy"):
        pack = next(s.numbers)
        before = s.platforms()
        for platform in ("trace", "insurer"):
            s.mode(platform, mode, times=1, delay_ms=700)
        statement = s.dispense(pack)
        for platform in ("trace", "insurer"):
            s.wait(statement, platform, "accepted")
        s.once(pack)
        after = s.platforms()
        for platform in ("trace", "insurer"):
            asked = after["questions"][platform] - before["questions"][platform]
            must((asked > 0) == (mode != "busy"), f"{mode}: asked {asked} times")
            sent = after["sends"][platform] - before["sends"][platform]
            must(sent == (2 if mode in ("lose", "error", "busy") else 1), f"{mode}: sent {sent} times")


def reports_wait_while_a_platform_is_away(s):
    pack = next(s.numbers)
    kept = s.platforms()["documents"]
    s.stage.kill("platforms")
    statement = s.dispense(pack)
    s.wait(statement, "trace", "waiting")
    must(s.report(statement, "insurer")["level"] in ("transport", None), "the way is closed")
    s.start_platforms()
    s.wait(statement, "trace", "accepted")
    s.wait(statement, "insurer", "accepted")
    s.once(pack)
    must(len(s.platforms()["documents"]) == 2 and len(kept) > 2, "nothing that was accepted before is sent to the new one")


def an_undone_sale_is_taken_back(s):
    pack = next(s.numbers)
    s.put_sale(f"U{pack}")
    event = s.sale_event(pack, f"U{pack}")
    statement = s.post_event(event)
    serials = {p: s.wait(statement, p, "accepted")["serial"] for p in ("trace", "insurer")}
    reversal = s.post_event(s.undo(event))
    trace, insurer = s.wait(reversal, "trace", "accepted"), s.wait(reversal, "insurer", "accepted")
    must(trace["kind"] == "103" and 'Name="ReturnWareHouseIn"' in trace["document"] and trace["undo"], f"{trace}")
    lines = json.loads(insurer["document"])
    must(lines["infno"] == "3506" and lines["input"]["selinfo"][0]["fixmedins_bchno"] == serials["insurer"], f"{lines}")
    for platform in ("trace", "insurer"):
        s.wait(statement, platform, "reversed")
    s.once(pack, count=2)
    # Taken back before it was sent: nothing is left to tell.
    pack = next(s.numbers)
    event = s.sale_event(pack, f"U{pack}")
    waiting = s.post_event(event)
    s.wait(waiting, "insurer", "waiting")
    reversal = s.post_event(s.undo(event))
    s.wait(waiting, "insurer", "void")
    s.wait(reversal, "insurer", "void")
    must(not s.documents("insurer", pack), "nothing of it reaches the insurer")
    # Taken back while the outcome is unknown: the reversal waits for the answer.
    pack = next(s.numbers)
    s.put_sale(f"U{pack}")
    s.mode("insurer", "late", times=1, delay_ms=700)
    event = s.sale_event(pack, f"U{pack}")
    statement = s.post_event(event)
    s.wait(statement, "insurer", "unknown")
    reversal = s.post_event(s.undo(event))
    s.wait(reversal, "insurer", "accepted")
    s.wait(statement, "insurer", "reversed")
    names = [d["name"] for d in s.documents("insurer", pack)]
    must(names == ["3505", "3506"], f"in the order of the events: {names}")


def only_the_office_is_served(s):
    status, _ = s.curl("/settlement/reports", actor="gateway")
    must(status == 403, f"a gateway: {status}")
    status, _ = s.curl("/settlement/reports", actor="stranger")
    must(status == 403, f"another party's company: {status}")
    for path, expected in (("/settlement/reports?state=nonsense", 400), ("/settlement/reports?since=yesterday", 400), ("/settlement/reports/zz", 400),
                           ("/settlement/reports/" + "0" * 64 + "-trace", 404), ("/settlement/reports/" + "0" * 64 + "-nobody", 400)):
        status, text = s.curl(path)
        must(status == expected, f"{path}: {status} {text}")
    status, text = s.curl("/settlement/sales/X", "-X", "PUT", "-H", "Content-Type: application/json", body=b'{"fields":{"a":{}}}')
    must(status == 422 and b"/fields/a" in text, f"a bad sale names its field: {status} {text}")
    metrics = s.curl("/metrics")[1].decode()
    must('packtrail_settlement_reports{platform="trace",state="accepted"}' in metrics, "metrics")


def a_report_outlives_the_gateway_in_every_state(s):
    """waiting for data, waiting for the platform, unknown (taken, not taken, late, undecided), refused, accepted."""
    for mode in ("hold", "late", "lose", "pending", "refuse", "accept", "away", "no sale"):
        pack = next(s.numbers)
        state = {"refuse": "refused", "accept": "accepted", "away": "waiting", "no sale": "waiting"}.get(mode, "unknown")
        if mode == "away":
            s.stage.kill("platforms")
        elif mode != "no sale":
            s.mode("insurer", mode, times=1, delay_ms=900)
        statement = s.dispense(pack, sale=mode != "no sale")
        # An unknown outcome may be cleared up before it is looked at: then the gateway dies a little later.
        s.wait(statement, "insurer", (state, "accepted") if state == "unknown" else (state,))
        s.stage.kill("gateway")
        if mode == "away":
            s.start_platforms()
        s.stage.start_gateway()
        if mode == "no sale":
            must(s.report(statement, "insurer")["state"] == "waiting", "it still waits for its sale")
            s.put_sale(f"T{pack}")
        s.wait(statement, "insurer", "refused" if mode == "refuse" else "accepted")
        s.wait(statement, "trace", "accepted")
        s.once(pack)


def a_killed_gateway_loses_and_doubles_nothing(s):
    """The gateway is killed again and again while sales come in and both platforms misbehave."""
    rounds, packs, statements, random_of = 14, [], {}, random.Random(s.seed)
    modes = ["accept", "hold", "lose", "late", "error", "error_taken", "pending", "slow", "garbage"]
    for _ in range(rounds):
        batch = [next(s.numbers) for _ in range(3)]
        for pack in batch:
            s.put_sale(f"T{pack}")
            statements[pack], = s.scan("dispense", "--order", f"urn:packtrail:btt:sale=urn:packtrail:sale:T{pack}", codes=[code(pack)])
        packs += batch
        for platform in ("trace", "insurer"):
            s.mode(platform, random_of.choice(modes), times=random_of.choice((1, 2, 3)), delay_ms=600)
        syncing = threading.Thread(target=s.sync, kwargs={"allowed": (0, 3)})
        syncing.start()
        time.sleep(random_of.choice((0.02, 0.05, 0.1, 0.2, 0.4, 0.8)) * random_of.random())
        s.stage.kill("gateway")
        s.stage.start_gateway()
        syncing.join()
    s.sync()
    for platform in ("trace", "insurer"):
        s.mode(platform, "accept")
    for pack in packs:
        for platform in ("trace", "insurer"):
            s.wait(statements[pack], platform, "accepted", seconds=60)
        s.once(pack)
    everything = s.platforms()["documents"]
    must(all(d["times"] == 1 for d in everything), "no serial came twice")


def everything_ends_when_asked(s):
    statuses = s.stage.end()
    must(set(statuses.values()) == {0}, f"exit statuses {statuses}")


CASES = [a_delivery_is_reported_to_the_trace_platform, a_scan_has_three_outputs, part_of_a_pack_is_told_as_such, what_is_missing_is_waited_for,
         a_lot_comes_from_the_ledger, a_refusal_is_told_and_can_be_mended, an_unknown_outcome_is_asked_about_first,
         reports_wait_while_a_platform_is_away, an_undone_sale_is_taken_back, only_the_office_is_served,
         a_report_outlives_the_gateway_in_every_state, a_killed_gateway_loses_and_doubles_nothing, everything_ends_when_asked]


def add_product(stage, drug, gtin, insurance):
    record = {"kind": "product", "version": 1, "validFrom": "2026-01-01T00:00:00Z", "id": f"https://id.gs1.org/01/{gtin}",
              "name": {"zh": f"药品{drug}", "en": f"Product {drug}"}, "levels": [{"level": 1, "units": 24, "gtin": gtin, "drugIdentifier": drug}],
              "insuranceCode": insurance, "smallestUnit": {"zh": "片", "en": "tablet"}, "manufacturer": party(FACTORY), "prescriptionOnly": True}
    stage.admin("master", stage.path("consortium"), "--operator", "operator", "--json",
                stage.write("product.json", json.dumps(record, ensure_ascii=False)), "--url", f"https://127.0.0.1:{stage.ledger_port}")


def prepare(stage):
    s = Settlement(stage, sys.argv[1])
    s.seed = int(sys.argv[2]) if len(sys.argv) > 2 else int.from_bytes(os.urandom(4), "big")
    print(f"# seed {s.seed}", flush=True)
    with open(os.path.join(ROOT, "gateway/settlement/mapping.example.json"), encoding="utf-8") as file:
        mapping = json.load(file)
    mapping["places"] = [place(PHARMACY)]
    path = stage.write("mapping.json", json.dumps(mapping, ensure_ascii=False))
    stage.gateway_more = (f"[settlement]\nmapping = {path}\ntrace_url = http://127.0.0.1:{s.port}\ninsurer_url = http://127.0.0.1:{s.port}\n"
                          "timeout = 300ms\nleast_retry = 50ms\nmost_retry = 300ms\nprocessing = 1500ms\n")
    consortium = stage.path("consortium")
    stage.admin("init", consortium, "--name", "Packtrail settlement", "--profile", "cn")
    for name, role, whose in (("ledger", "executor", HOME), ("operator", "operator", HOME), ("gateway", "gateway", HOME), ("office", "company", HOME),
                              ("stranger", "company", party(FACTORY))):
        stage.admin("actor", consortium, name, "--role", role, "--label", name, "--party", whose, "--host", "127.0.0.1", "--host", "localhost")
    stage.admin("genesis", consortium)
    run([stage.tool, "ledger", "init", stage.path("ledger"), "--genesis", stage.path("consortium/genesis.cbor"),
         "--key", stage.path("consortium/actors/ledger/sign.key")])
    s.start_platforms()
    stage.start_ledger()
    stage.start_gateway()
    s.pharmacy, s.factory = stage.add_terminal("pharmacy", "Counter", PHARMACY), stage.add_terminal("factory", "Factory line", FACTORY)
    s.add_product = lambda *arguments: add_product(stage, *arguments)
    s.add_product(DRUG, "09506000134352", "XA01")
    return s


run_cases("settlement", CASES, prepare)
