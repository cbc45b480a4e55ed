"""The main job: 60 packs with drawn labels go from a factory over a distributor to a pharmacy; three crimes are planted."""
import json
import os
import urllib.parse

from stage import Failed, check_digit, party, run
from story.labels import GTIN, PACKS_A_CASE, Label, TagSimulator, draw_labels, make_cases, make_packs
from story.telling import say, table
from story.work import Work

FACTORY, DISTRIBUTOR, PHARMACY, CORNER = (digits + check_digit(digits)
                                          for digits in ("950600010000", "950600020000", "950600030000", "950600070000"))


class Journey(Work):
    """From the factory line to the counter."""

    def factory(self, config, packs, cases, simulator):
        for number, case in enumerate(cases):
            inside = packs[number * PACKS_A_CASE:(number + 1) * PACKS_A_CASE]
            pictures = [pack.file for pack in inside if pack.file]
            with simulator.laying_on([pack for pack in inside if pack.tag]) as arguments:
                self.scan(config, "commission", *arguments, sources=pictures)
                self.scan(config, "pack", *arguments, sources=[case.file, *pictures])
        self.scan(config, "ship", "--to", party(DISTRIBUTOR), sources=[case.file for case in cases])
        self.sync(config)

    def distributor(self, config, cases):
        self.scan(config, "receive", "--from", party(FACTORY), sources=[case.file for case in cases])
        self.scan(config, "ship", "--to", party(PHARMACY), sources=[case.file for case in cases])
        self.sync(config)

    def pharmacy(self, config, packs, cases):
        self.scan(config, "receive", "--from", party(DISTRIBUTOR), sources=[case.file for case in cases])
        sold = [packs[0], packs[13], packs[25], packs[37], packs[49]]
        for pack in sold:
            self.scan(config, "dispense", sources=[pack.file])
        self.scan(config, "dispense", "--units", "6", sources=[packs[50].file])
        self.sync(config)
        return sold


def verify_receipt(stage, statement):
    """Fetches a statement and its receipt and verifies them without the ledger."""
    for name in ("statement", "receipt"):
        status, body = stage.ask(f"/entries/{statement}/{name}")
        if status != 200:
            raise Failed(f"no {name} for {statement}: {body}")
        with open(stage.path(f"{name}.cose"), "wb") as file:
            file.write(body)
    run([stage.tool, "receipt", "verify", "--trust", stage.path("consortium/actors/ledger/sign.pub"),
         "--statement", stage.path("statement.cose"), stage.path("receipt.cose")])
    return True


def play(stage):
    simulator = TagSimulator(stage)
    say("· three terminals make their keys and are enrolled")
    factory = stage.add_terminal("factory", "Factory line 1", FACTORY, nfc=f"pn532_uart:{simulator.link}")
    distributor = stage.add_terminal("distributor", "Distributor, gate 4", DISTRIBUTOR)
    pharmacy = stage.add_terminal("pharmacy", "Pharmacy counter", PHARMACY)
    stage.add_product(GTIN, "8123456", "阿莫西林胶囊 0.25g×24粒", "Amoxicillin capsules 250 mg, 24", party(FACTORY))
    say("· drawing 65 labels, a third of them turned, blurred or unevenly lit")
    packs, cases = make_packs(), make_cases()
    draw_labels(stage.path("labels"), packs, cases)
    story = Journey(stage)
    say("· factory: commissions 60 packs, packs 5 cases, ships them")
    story.factory(factory, packs, cases, simulator)
    say("· distributor: receives and ships 5 cases")
    story.distributor(distributor, cases)
    say("· pharmacy: receives 5 cases, dispenses 5 packs and part of a sixth")
    sold = story.pharmacy(pharmacy, packs, cases)
    before = {pack.epc: stage.verify(pack.epc) for pack in packs}

    say("· planted: a fake pack, one that a pharmacy's terminal announces as if it were the maker, a copy dispensed at another pharmacy")
    fake = Label("GS1 DataMatrix", f"https://id.gs1.org/01/{GTIN}/21/FAKE0001", f"[01]{GTIN}[17]281231[10]L2026A[21]FAKE0001")
    fake.draw(stage.path("labels/fake.png"), "turned")
    decoded = json.loads(run([stage.tool, "decode", fake.file]).splitlines()[0])
    fake_answer = stage.verify("]d2" + decoded["text"])
    forged = Label("GS1 DataMatrix", f"https://id.gs1.org/01/{GTIN}/21/FORGED01", f"[01]{GTIN}[17]281231[10]L2026A[21]FORGED01")
    forged.draw(stage.path("labels/forged.png"), None)
    story.scan(pharmacy, "commission", sources=[forged.file])
    story.sync(pharmacy)
    forged_answer = stage.verify(forged.epc)
    double_before = stage.verify(sold[0].epc)
    corner = stage.add_terminal("corner", "Corner pharmacy", CORNER)
    story.scan(corner, "dispense", sources=[sold[0].file])
    story.sync(corner)
    _, alerts = stage.ask("/alerts")
    doubles = [alert for alert in alerts["alerts"] if alert.get("pack") == sold[0].epc and alert["mode"] == "enforce"]
    return story, packs, sold, before, (fake_answer, forged_answer), double_before, doubles, alerts


def report(stage, result):
    story, packs, sold, before, fakes, double_before, doubles, alerts = result
    say("\nWhat the ledger answers about each kind of label:\n")
    rows = [("carrier", "packs", "green", "amber", "red", "example", "way")]
    for kind in dict.fromkeys(pack.kind for pack in packs):
        of_kind = [pack for pack in packs if pack.kind == kind]
        colours = [before[pack.epc]["verdict"]["colour"] for pack in of_kind]
        _, way = stage.ask("/packs/" + urllib.parse.quote(of_kind[-1].epc, safe="") + "/provenance")
        steps = " > ".join(step["event"]["bizStep"] for step in way["steps"])
        rows.append((kind, len(of_kind), colours.count("green"), colours.count("amber"), colours.count("red"),
                     of_kind[-1].epc[-24:], steps))
    table(rows)
    say("\nThe planted ones:\n")
    table([("what", "answer", "reason"),
           ("fake pack", fakes[0]["verdict"]["colour"], fakes[0]["verdict"]["reason"]["en"]),
           ("pack announced by a pharmacy", fakes[1]["verdict"]["colour"], fakes[1]["verdict"]["reason"]["en"]),
           ("sold pack, before its second dispensing", double_before["verdict"]["colour"], double_before["verdict"]["reason"]["en"]),
           ("its second dispensing", "alert", ", ".join(sorted({alert["kind"] for alert in doubles})) or "NONE RAISED")])
    _, health = stage.ask("/healthz")
    sold_epcs = {pack.epc for pack in sold}
    wrong = [pack.epc for pack in packs
             if before[pack.epc]["verdict"]["colour"] != ("red" if pack.epc in sold_epcs else "green")]
    if wrong:
        raise Failed(f"{len(wrong)} packs have an answer that they should not have, the first: {before[wrong[0]]}")
    proved = verify_receipt(stage, story.last_statement)
    say(f"\nReceipt of statement {story.last_statement[:16]}… verified offline against the ledger's public key.")
    return {"packs": len(packs), "statements": health["tree_size"], "blocks": health["height"],
            "verified": len(packs), "green": sum(a["verdict"]["colour"] == "green" for a in before.values()),
            "fakes_caught": sum(answer["verdict"]["colour"] == "red" for answer in fakes),
            "double_dispense_caught": int(double_before["verdict"]["colour"] == "red" and bool(doubles)),
            "alerts": len(alerts["alerts"]), "receipt_verified": proved}
