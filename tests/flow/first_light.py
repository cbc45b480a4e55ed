"""One pack's whole way over the real programs, and what hostile or mistaken callers get. TAP on standard output.

  first_light.py BUILD-DIR
"""
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.parse

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cases import run_cases  # noqa: E402
from stage import Failed, check_digit, party, run  # noqa: E402

GTIN = "09506000134352"
GS = "\u001d"


def gln(digits):
    return digits + check_digit(digits)


FACTORY, PHARMACY = gln("950600010000"), gln("950600030000")


def sscc(number):
    digits = f"0950600010000{number:04d}"
    return digits + check_digit(digits)


def elements(serial, lot="L1"):
    return f"(01){GTIN}(17)281231(10){lot}(21){serial}"


def epc(serial):
    return f"https://id.gs1.org/01/{GTIN}/21/{serial}"


def must(condition, why):
    if not condition:
        raise Failed(why)


class Flow:
    def __init__(self, stage):
        self.stage = stage
        self.statements = []

    def work(self, config, task, *arguments, codes, allowed=(0,)):
        out = run([self.stage.scanner, "--config", config, "scan", "--task", task, *arguments, "--codes", "-"],
                  input="\n".join(codes) + "\n", allowed=allowed)
        lines = [json.loads(line) for line in out.splitlines()]
        self.statements += [line["statement"] for line in lines if "statement" in line]
        return lines

    def sync(self, config):
        return json.loads(run([self.stage.scanner, "--config", config, "sync", "--timeout", "60"]))

    def state(self, serial):
        return self.stage.ask("/packs/" + urllib.parse.quote(epc(serial), safe=""))[1]

    def curl(self, url, actor, *arguments, body=None):
        """The status and the body that a client with this actor's certificate gets; status 0 without an answer."""
        command = ["curl", "-s", "-S", "--max-time", "20", "--cacert", self.stage.path("consortium/ca.crt"), "-w", "\n%{http_code}"]
        if actor:
            folder = self.stage.path("consortium/actors", actor)
            command += ["--cert", f"{folder}/tls.crt", "--key", f"{folder}/tls.key"]
        if body is not None:
            command += ["--data-binary", "@-"]
        done = subprocess.run([*command, *arguments, url], input=body, capture_output=True)
        text, _, status = done.stdout.rpartition(b"\n")
        return int(status or 0), text

    def post_statements(self, body, actor="operator", port=None):
        return self.curl(f"https://127.0.0.1:{port or self.stage.gateway_port}/statements", actor, "-H",
                         "Content-Type: application/cbor-seq", body=body)

    def statement(self, statement_id):
        status, body = self.stage.ask(f"/entries/{statement_id}/statement")
        must(status == 200, f"no statement {statement_id}")
        return body


# --- The cases, in this order, on one stage ---

def packs_travel_in_their_case(flow):
    flow.work(flow.factory, "commission", codes=[elements(f"A{n}") for n in range(6)])
    flow.work(flow.factory, "pack", codes=[f"(00){sscc(1)}"] + [elements(f"A{n}") for n in range(6)])
    flow.work(flow.factory, "ship", "--to", party(PHARMACY), codes=[f"(00){sscc(1)}"])
    result = flow.sync(flow.factory)
    must(result["left"] == 0 and result["received"] == 3, f"receipts for all three events are missing: {result}")
    pack = flow.state("A0")
    must(pack["state"] == "in_transit" and "inferred" in pack["reasons"], f"the case moved, the pack did not: {pack}")
    must(pack["lot"] == "L1" and pack["expiry"] == "2028-12-31", f"lot and expiry: {pack}")
    must(flow.stage.verify(epc("A0"))["verdict"]["colour"] == "amber", "a pack on the way must be amber")
    flow.work(flow.pharmacy, "receive", "--from", party(FACTORY), codes=[f"(00){sscc(1)}"])
    flow.sync(flow.pharmacy)
    answer = flow.stage.verify(epc("A0"))
    must(answer["verdict"]["colour"] == "green" and answer["data"]["verified"], f"received and genuine: {answer}")
    must(answer["standing"] == "final" and answer["height"] > 0 and "age_ms" in answer, f"height, age and standing: {answer}")


def a_pack_is_dispensed_once(flow):
    flow.work(flow.pharmacy, "dispense", codes=[elements("A0")])
    flow.sync(flow.pharmacy)
    must(flow.stage.verify(epc("A0"))["verdict"]["code"] == "already_dispensed", "a sold pack must be told as sold")
    must(flow.state("A1")["state"] == "in_stock", "its neighbour stays in stock")
    for config, expected in ((flow.pharmacy, ("double_scan", "shadow")), (flow.factory, ("double_dispense", "enforce"))):
        flow.work(config, "dispense", codes=[elements("A0")])
        flow.sync(config)
        kinds = {(alert["kind"], alert["mode"]) for alert in flow.stage.ask("/alerts")[1]["alerts"] if alert.get("pack") == epc("A0")}
        must(expected in kinds, f"scanned again at once it is a mistake, elsewhere a second supply: {kinds}")


def a_mistake_is_taken_back(flow):
    flow.work(flow.pharmacy, "dispense", codes=[elements("A5")])
    mistake = flow.statements[-1]
    undone = json.loads(run([flow.stage.scanner, "--config", flow.pharmacy, "undo"]))
    must(undone["undoes"] == mistake, f"not the last event was undone: {undone}")
    lines = run([flow.stage.scanner, "--config", flow.pharmacy, "history", "--most", "2"]).splitlines()
    must([json.loads(line)["undoing"] for line in lines] == [True, False], f"the history does not tell both: {lines}")
    again = run([flow.stage.scanner, "--config", flow.pharmacy, "undo"], allowed=(1,))
    must(not again, "an undoing was undone")
    run([flow.stage.scanner, "--config", flow.pharmacy, "undo", "--statement", "00" * 32], allowed=(1,))
    flow.sync(flow.pharmacy)
    must(flow.state("A5")["state"] == "in_stock", f"the sale was not undone: {flow.state('A5')}")
    must(flow.stage.verify(epc("A5"))["verdict"]["colour"] == "green", "a sale that was taken back leaves the pack good")


def unknown_and_mislabelled_packs_are_red(flow):
    for code, reason in ((elements("FAKE"), "unknown"), (elements("A2", lot="OTHER"), "lot_mismatch"),
                         (elements("A2").replace("281231", "290101"), "expiry_mismatch")):
        verdict = flow.stage.verify(code)["verdict"]
        must(verdict["colour"] == "red" and verdict["code"] == reason, f"{code}: {verdict}")


def the_verification_message_has_its_reasons(flow):
    base = f"/verify/gtin/{GTIN}/lot/L1/ser/A2?exp=281231&corrUUID=21EC2020-3AEA-4069-A2DD-08002B30309D"
    status, answer = flow.stage.ask(base)
    must(status == 200 and answer["data"] == {"verified": True} and answer["corrUUID"].startswith("21EC"), f"{answer}")
    for path, reason in ((base.replace("/ser/A2", "/ser/NONE"), "No_match_GTIN_Serial"), (base.replace("/lot/L1", "/lot/X"), "No_match_GTIN_Serial_Lot"),
                         (base.replace("281231", "290131"), "No_match_GTIN_Serial_Expiry"),
                         (base.replace("281231", "290131").replace("/lot/L1", "/lot/X"), "No_match_GTIN_Serial_Lot_Expiry"),
                         (base.replace("/ser/A2", "/ser/A0"), "Not_for_re-distribution")):
        status, answer = flow.stage.ask(path)
        must(status == 200 and answer["data"].get("verificationFailureReason") == reason, f"{path}: {answer}")
    for bad in (base.replace(GTIN, "09506000134353"), base.replace("281231", "281331"), "/verify/code/1234"):
        status, answer = flow.stage.ask(bad)
        must(status == 400 and answer["detail"], f"{bad}: {status} {answer}")


def a_code_without_its_separator_is_no_fake(flow):
    answer = flow.stage.verify(f"]d201{GTIN}1728123110L1{GS}21A3")
    must(answer["verdict"]["colour"] == "green", f"{answer['verdict']}")
    status, answer = flow.stage.ask("/verify/scan?code=" + urllib.parse.quote("6901234567892"))
    must(status == 400 and "product code" in answer["detail"], f"an EAN-13 is a product code: {answer}")


def a_product_has_its_names(flow):
    must(flow.stage.verify(epc("A2"))["pack"]["product"] is None, "nobody has named the product yet")
    flow.stage.add_product(GTIN, "8123456", "阿莫西林胶囊", "Amoxicillin capsules", party(FACTORY))
    must(flow.stage.verify(epc("A2"))["pack"]["product"] == {"zh": "阿莫西林胶囊", "en": "Amoxicillin capsules"}, "its names")
    must(flow.stage.verify("81234567890123456789")["pack"]["product"]["en"] == "Amoxicillin capsules", "by its drug identifier, too")


def only_the_maker_announces_packs(flow):
    flow.work(flow.pharmacy, "commission", codes=[elements("FORGED")])
    flow.sync(flow.pharmacy)
    must(flow.stage.ask(f"/entries/{flow.statements[-1]}")[1]["result"] == "not_allowed", "recorded, and refused")
    must(flow.stage.verify(elements("FORGED"))["verdict"]["code"] == "unknown", "what a pharmacy announces stays unknown")
    flow.work(flow.factory, "commission", codes=[elements("A6")])
    flow.sync(flow.factory)
    must(flow.state("A6")["state"] == "commissioned", "its maker goes on")


def every_step_has_a_proof(flow):
    _, way = flow.stage.ask("/packs/" + urllib.parse.quote(epc("A0"), safe="") + "/provenance")
    steps = [(step["event"]["bizStep"], step.get("via")) for step in way["steps"]]
    must([name for name, _ in steps[:5]] == ["commissioning", "packing", "shipping", "receiving", "dispensing"], f"{steps}")
    must(steps[2][1] == f"https://id.gs1.org/00/{sscc(1)}", f"the shipping came by the case: {steps}")
    trust = flow.stage.path("consortium/actors/ledger/sign.pub")
    for step in way["steps"]:
        for name in ("statement", "receipt"):
            with open(flow.stage.path(f"{name}.cose"), "wb") as file:
                file.write(flow.stage.ask(f"/entries/{step['statement']}/{name}")[1])
        command = [flow.stage.tool, "receipt", "verify", "--trust", trust, "--statement", flow.stage.path("statement.cose"), flow.stage.path("receipt.cose")]
        run(command)
        with open(flow.stage.path("statement.cose"), "r+b") as file:
            file.seek(200)
            byte = file.read(1)
            file.seek(200)
            file.write(bytes([byte[0] ^ 1]))
        run(command, allowed=(1,))


def proofs_between_sizes_hold(flow):
    _, health = flow.stage.ask("/healthz")
    for path, kind in ((f"/proofs/inclusion?index=1&size={health['tree_size']}", "inclusion"), ("/proofs/consistency?from=2", "consistency")):
        status, proof = flow.stage.ask(path)
        must(status == 200, f"{path}: {proof}")
        with open(flow.stage.path("proof.json"), "w", encoding="utf-8") as file:
            json.dump(proof, file)
        run([flow.stage.tool, "merkle", kind, flow.stage.path("proof.json")])
        proof["proof"] = proof["proof"][::-1] + ["A" * 43 + "="]
        with open(flow.stage.path("proof.json"), "w", encoding="utf-8") as file:
            json.dump(proof, file)
        run([flow.stage.tool, "merkle", kind, flow.stage.path("proof.json")], allowed=(1,))


def what_was_sent_twice_is_there_once(flow):
    _, before = flow.stage.ask("/healthz")
    body = b"".join(flow.statement(s) for s in flow.statements[:3])
    for _ in range(3):
        status, answer = flow.post_statements(body)
        must(status == 200, f"{status} {answer}")
        must({r["outcome"] for r in json.loads(answer)["results"]} <= {"accepted", "duplicate"}, answer)
    for _ in range(100):
        if json.loads(flow.curl(f"https://127.0.0.1:{flow.stage.gateway_port}/healthz", "operator")[1])["unfinished"] == 0:
            break
        time.sleep(0.1)
    time.sleep(0.5)
    _, after = flow.stage.ask("/healthz")
    must(after["tree_size"] == before["tree_size"], f"{before['tree_size']} became {after['tree_size']}")


def hostile_statements_are_refused(flow):
    good = flow.statement(flow.statements[0])
    tampered = good[:-1] + bytes([good[-1] ^ 1])
    status, answer = flow.post_statements(tampered)
    must(status == 200 and json.loads(answer)["results"][0]["outcome"] == "refused", f"a bad signature: {status} {answer}")
    status, answer = flow.post_statements(good[:-1])
    must(status == 400, f"cut short: {status} {answer}")
    status, answer = flow.post_statements(b"")
    must(status == 400, f"empty: {status} {answer}")
    status, answer = flow.post_statements(b"\x9f" * 100000)
    must(status in (400, 413), f"nested without end: {status} {answer}")
    status, answer = flow.post_statements(b"\x00" * 3000000)
    must(status == 413, f"too large: {status}")
    status, answer = flow.post_statements(b"\x00" * 2000)
    must(status in (400, 413), f"too many items: {status} {answer}")
    status, answer = flow.curl(f"https://127.0.0.1:{flow.stage.gateway_port}/statements", "operator", "-H", "Content-Type: text/plain", body=good)
    must(status == 415, f"another type: {status}")
    status, _ = flow.curl(f"https://127.0.0.1:{flow.stage.ledger_port}/blocks", "gateway", "-H",
                          "Content-Type: application/vnd.packtrail.block+cbor", body=b"\x82\x40\x80")
    must(status in (200, 400, 422), f"a block that is none: {status}")
    must(flow.stage.ask("/healthz")[0] == 200, "the ledger must stand")


def only_enrolled_clients_are_served(flow):
    status, _ = flow.curl(f"https://127.0.0.1:{flow.stage.gateway_port}/healthz", None)
    must(status == 0, f"without a certificate the handshake must fail: {status}")
    other = flow.stage.path("other")
    run([flow.stage.tool, "admin", "init", other, "--name", "Another consortium", "--profile", "cn"])
    run([flow.stage.tool, "admin", "actor", other, "stranger", "--role", "operator", "--label", "Stranger", "--party", party(FACTORY)])
    stranger = [flow.stage.path("other/actors/stranger", name) for name in ("tls.crt", "tls.key")]
    done = subprocess.run(["curl", "-s", "--cacert", flow.stage.path("consortium/ca.crt"), "--cert", stranger[0], "--key", stranger[1],
                           f"https://127.0.0.1:{flow.stage.gateway_port}/healthz"], capture_output=True)
    must(done.returncode != 0, "a certificate of another consortium must not be let in")
    status, _ = flow.curl(f"https://127.0.0.1:{flow.stage.ledger_port}/terminal/feed", None)
    must(status == 403, f"the feed is for enrolled actors: {status}")
    status, _ = flow.curl(f"https://127.0.0.1:{flow.stage.ledger_port}/blocks", "operator", "-H",
                          "Content-Type: application/vnd.packtrail.block+cbor", body=b"\x82\x40\x80")
    must(status == 403, f"an operator seals no blocks: {status}")


def a_revoked_terminal_changes_nothing_more(flow):
    config = flow.stage.add_terminal("lost", "Lost terminal", PHARMACY)
    flow.work(config, "inspect", codes=[elements("A4")])
    flow.sync(config)
    kid = json.loads(run([flow.stage.scanner, "--config", config, "request"]))["kid"]
    flow.stage.admin("revoke", flow.stage.path("consortium"), "--operator", "operator", "--kid", kid, "--last-trusted", "0",
                     "--reason", "lost", "--url", f"https://127.0.0.1:{flow.stage.ledger_port}")
    flow.work(config, "dispense", codes=[elements("A4")])
    run([flow.stage.scanner, "--config", config, "sync", "--timeout", "10"], allowed=(0, 1, 3))
    time.sleep(0.5)
    must(flow.state("A4")["state"] == "in_stock", f"the thief's event must change nothing: {flow.state('A4')}")


def a_terminal_works_while_the_line_is_down(flow):
    flow.stage.kill("gateway")
    flow.work(flow.pharmacy, "dispense", codes=[elements("A5")])
    result = json.loads(run([flow.stage.scanner, "--config", flow.pharmacy, "sync", "--timeout", "1"], allowed=(3,)))
    must(not result["reachable"] and result["left"] == 1, f"{result}")
    flow.stage.kill("ledger")
    flow.stage.start_gateway()
    run([flow.stage.scanner, "--config", flow.pharmacy, "sync", "--timeout", "2"], allowed=(3,))
    flow.stage.start_ledger()
    flow.sync(flow.pharmacy)
    must(flow.state("A5")["state"] == "dispensed", f"{flow.state('A5')}")


def the_rules_change_at_a_height(flow):
    before = flow.stage.ask("/rules")[1]
    must(before["settings"] == {} and before["pending"] == [], f"rules that nobody has changed: {before}")
    height = before["height"] + 3
    change = ["rules", flow.stage.path("consortium"), "--operator", "operator", "--from-height", str(height), "--reason", "too many of them",
              "--url", f"https://127.0.0.1:{flow.stage.ledger_port}"]
    flow.stage.admin(*change, "--set", "alert.dead_code.mode=shadow")
    waiting = flow.stage.ask("/rules")[1]
    must(waiting["settings"] == {} and [item["from_height"] for item in waiting["pending"]] == [height], f"a change that waits: {waiting}")
    modes = {}
    for number in range(4):
        serial = f"RULE{number}"
        flow.work(flow.factory, "commission", codes=[elements(serial)])
        flow.work(flow.factory, "destroy", codes=[elements(serial)])
        flow.work(flow.factory, "ship", codes=[elements(serial)])
        flow.sync(flow.factory)
        for alert in flow.stage.ask("/alerts?order=newest")[1]["alerts"]:
            if alert.get("pack") == epc(serial) and alert["kind"] == "dead_code":
                modes[number] = alert["mode"]
    must(list(modes) == [0, 1, 2, 3] and modes[3] == "shadow", f"the alert's mode, block by block: {modes}")
    after = flow.stage.ask("/rules")[1]
    must(after["settings"] == {"alert.dead_code.mode": 1} and after["pending"] == [], f"after the height: {after}")
    refused = run([flow.stage.tool, "admin", "rules", flow.stage.path("consortium"), "--operator", "operator", "--from-height", "1",
                   "--set", "alert.dead_code.mode=enforce", "--reason", "in the past", "--url", f"https://127.0.0.1:{flow.stage.ledger_port}"], allowed=(0, 1))
    must(flow.stage.ask("/rules")[1]["pending"] == [], f"a change for a height that is over was taken: {refused}")


def a_key_on_a_token_signs(flow):
    if not shutil.which("softhsm2-util"):
        return
    os.environ["SOFTHSM2_CONF"] = flow.stage.write("token/softhsm2.conf", f"directories.tokendir = {flow.stage.path('token')}\n")
    pin = flow.stage.write("token/pin", "1234\n")
    run(["softhsm2-util", "--init-token", "--free", "--label", "terminal", "--pin", "1234", "--so-pin", "5678"])
    uri = f"pkcs11:token=terminal;object=sign?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:{pin}"
    chip = flow.stage.add_terminal("chip", "Terminal with a chip", FACTORY, key=uri)
    must(not os.path.exists(flow.stage.path("chip/sign.key")), "the key lies in a file although there is a token")
    flow.work(chip, "commission", codes=[elements("CHIP1")])
    must(flow.sync(chip)["left"] == 0, "the statement signed by the token has no receipt")
    must(flow.state("CHIP1")["state"] == "commissioned", "what the token signed has not been applied")


def the_api_is_as_its_document_says(flow):
    status, document = flow.stage.ask("/openapi.json")
    must(status == 200, "no document")
    flow.stage.admin("recall", "begin", flow.stage.path("consortium"), "--operator", "operator", "--id", "R-1", "--product", "8123456",
                     "--level", "3", "--depth", "wholesale", "--reason-en", "trial", "--url", f"https://127.0.0.1:{flow.stage.ledger_port}")
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if method != "get" or path in ("/terminal/feed",) or path.startswith("/claims"):  # claims.py
                continue
            filled = path.replace("/00/{rest}", f"/00/{sscc(1)}")
            example = {"gtin": GTIN, "lot": "L1", "ser": "A2", "code": "81234567890123456789", "rest": f"{GTIN}/21/A2", "name": "page.css",
                       "id": urllib.parse.quote(epc("A2"), safe="") if path.startswith("/packs") else "R-1" if path.startswith("/recalls") else flow.statements[0], "height": "1", "number": "1"}
            for parameter in operation["parameters"]:
                if parameter["in"] == "path":
                    filled = filled.replace("{" + parameter["name"] + "}", example[parameter["name"]])
            query = {"code": elements("A2"), "index": "0", "from": "1"}
            wanted = {p["name"]: query[p["name"]] for p in operation["parameters"] if p["in"] == "query" and p["required"]}
            status, _ = flow.stage.ask(filled + ("?" + urllib.parse.urlencode(wanted) if wanted else ""))
            must(str(status) in operation["responses"] and status == 200, f"{filled}: {status}")
    must(flow.stage.ask("/no/such/path")[0] == 404, "an unknown path is 404")
    must(flow.stage.ask("/entries/zz")[0] == 400 and flow.stage.ask("/entries/" + "0" * 64)[0] == 404, "bad and unknown ids")


def everything_ends_when_asked(flow):
    statuses = flow.stage.end()
    must(set(statuses.values()) == {0}, f"exit statuses {statuses}")
    run([flow.stage.tool, "ledger", "fsck", flow.stage.path("ledger")])


CASES = [packs_travel_in_their_case, a_pack_is_dispensed_once, a_mistake_is_taken_back, unknown_and_mislabelled_packs_are_red,
         the_verification_message_has_its_reasons, a_code_without_its_separator_is_no_fake, a_product_has_its_names, only_the_maker_announces_packs, every_step_has_a_proof,
         proofs_between_sizes_hold, what_was_sent_twice_is_there_once, hostile_statements_are_refused,
         only_enrolled_clients_are_served, a_revoked_terminal_changes_nothing_more, a_terminal_works_while_the_line_is_down,
         the_rules_change_at_a_height, a_key_on_a_token_signs, the_api_is_as_its_document_says, everything_ends_when_asked]


def prepare(stage):
    stage.found()
    stage.start_ledger()
    stage.start_gateway()
    flow = Flow(stage)
    flow.factory = stage.add_terminal("factory", "Factory line", FACTORY)
    flow.pharmacy = stage.add_terminal("pharmacy", "Counter", PHARMACY)
    return flow


run_cases("first-light", CASES, prepare)
