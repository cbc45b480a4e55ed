"""One medicine's way through Packtrail, on real input, on this machine.

  tools/demo            sets up what is missing, builds, plays this story, and leaves the ledger and its page running
  tools/demo --once     the same, then stops everything; the last line is one JSON object

60 packs with drawn labels (GS1 DataMatrix, GS1-128, QR with a Digital Link, Chinese Code 128, NFC tags) go from a
factory over a distributor to a pharmacy. One fake and one double dispense are planted. Everything that is said at the
end was answered by the ledger.
"""
import argparse
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.parse

sys.dont_write_bytecode = True
from stage import ROOT, Failed, Stage, check_digit, party, run  # noqa: E402

BUILD = os.path.join(ROOT, "build")
CASES, PACKS_A_CASE = 5, 12
GTIN = "09506000134352"
FACTORY, DISTRIBUTOR, PHARMACY = (digits + check_digit(digits) for digits in ("950600010000", "950600020000", "950600030000"))


def say(text):
    print(text, flush=True)


# --- Labels ---

class Label:
    """A pack's or a case's label: what it says, how it is drawn, and how the ledger will name the pack."""

    def __init__(self, kind, epc, data=None, tag=None):
        self.kind, self.epc, self.data, self.tag = kind, epc, data, tag
        self.file = None

    def draw(self, path, damage):
        symbology = {"GS1 DataMatrix": ("DATAMATRIX", ["--gs1", "--scale=3"]), "GS1-128": ("GS1_128", ["--scale=2"]),
                     "QR Digital Link": ("QRCODE", ["--scale=3"]), "Chinese Code 128": ("CODE128", ["--scale=2"])}[self.kind]
        run(["zint", "-b", symbology[0], *symbology[1], "--vwhitesp=4", "--whitesp=8", "-o", path, "-d", self.data])
        angle = "11" if self.kind in ("GS1 DataMatrix", "QR Digital Link") else "3"
        effects = {"turned": ["-background", "white", "-rotate", angle],
                   "blurred": ["-blur", "0x0.9"],
                   "unevenly lit": ["(", "+clone", "-sparse-color", "bilinear", "0,0 #fff 400,0 #ddd 0,200 #888 400,200 #555", ")",
                                    "-compose", "multiply", "-composite"]}
        if damage:
            run(["convert", path, "-colorspace", "Gray", *effects[damage], path])
        self.file = path


def make_packs():
    """60 packs: 24 DataMatrix, 12 GS1-128, 10 QR, 12 Chinese codes, 2 NFC tags."""
    packs = []
    for number in range(CASES * PACKS_A_CASE):
        serial = f"PT{100000 + number * 7919 % 899999}"
        epc = f"https://id.gs1.org/01/{GTIN}/21/{serial}"
        elements = f"[01]{GTIN}[17]281231[10]L2026A[21]{serial}"
        if number < 24:
            packs.append(Label("GS1 DataMatrix", epc, elements))
        elif number < 36:
            packs.append(Label("GS1-128", epc, elements))
        elif number < 46:
            packs.append(Label("QR Digital Link", epc, f"https://example.com/01/{GTIN}/10/L2026A/21/{serial}?17=281231"))
        elif number < 48:
            packs.append(Label("NFC tag", epc, tag=f"https://example.com/01/{GTIN}/10/L2026A/21/{serial}?17=281231"))
        else:
            code = f"8123456{number:09d}{number * 37 % 10000:04d}"
            packs.append(Label("Chinese Code 128", f"urn:packtrail:cn:trace:{code}", code))
    return packs


def make_cases():
    cases = []
    for number in range(CASES):
        digits = f"0950600010000{number:04d}"
        sscc = digits + check_digit(digits)
        cases.append(Label("GS1-128", f"https://id.gs1.org/00/{sscc}", f"[00]{sscc}"))
    return cases


def draw_labels(directory, packs, cases):
    os.makedirs(directory)
    damages = [None, "turned", None, "blurred", None, "unevenly lit"]
    for number, label in enumerate(packs):
        if label.data:
            damage = damages[number % len(damages)] if label.kind != "Chinese Code 128" or number % 6 != 1 else None
            label.draw(os.path.join(directory, f"pack-{number:02d}.png"), damage)
    for number, label in enumerate(cases):
        label.draw(os.path.join(directory, f"case-{number}.png"), None)


# --- The story ---

class Story:
    def __init__(self, stage):
        self.stage = stage
        self.statements = 0
        self.last_statement = None

    def scan(self, config, task, *arguments, sources=(), codes=None, allowed=(0,)):
        """The terminal reads and signs; gives back its lines."""
        command = [self.stage.scanner, "--config", config, "scan", "--task", task, *arguments, *sources]
        if codes is not None:
            command += ["--codes", "-"]
        out = run(command, input="\n".join(codes) + "\n" if codes is not None else None, allowed=allowed)
        lines = [json.loads(line) for line in out.splitlines()]
        signed = [line for line in lines if "statement" in line]
        self.statements += len(signed)
        self.last_statement = signed[-1]["statement"] if signed else self.last_statement
        unread = [line for line in lines if line.get("outcome") in ("rejected", "unreadable", "no_symbol")]
        if unread and 1 not in allowed:
            raise Failed(f"the terminal could not read {unread}")
        return lines

    def sync(self, config):
        run([self.stage.scanner, "--config", config, "sync", "--timeout", "60"])

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


class TagSimulator:
    """A PN532 reader on a pseudo terminal, with tags laid on one after the other."""

    def __init__(self, stage):
        self.link = stage.path("pn532")
        log = open(stage.path("pn532sim.log"), "ab")
        self.process = subprocess.Popen([stage.simulator, "--link", self.link], stdin=subprocess.PIPE,
                                        stdout=log, stderr=log, text=True)
        stage.processes["pn532sim"] = self.process
        for _ in range(100):
            if os.path.exists(self.link):
                return
            time.sleep(0.05)
        raise Failed("the NFC simulator did not start")

    @contextlib.contextmanager
    def laying_on(self, labels):
        """Lays the tags on one after the other, again and again, as long as the terminal reads."""
        done = threading.Event()

        def play():
            while labels and not done.is_set():
                for number, label in enumerate(labels):
                    for line, pause in ((f"present 04A1B2C3D4E5{number:02X} {label.tag}", 0.8), ("remove", 0.3)):
                        self.process.stdin.write(line + "\n")
                        self.process.stdin.flush()
                        done.wait(pause)

        player = threading.Thread(target=play, daemon=True)
        player.start()
        try:
            yield ["--tags", str(len(labels))] if labels else []
        finally:
            done.set()
            player.join()


def table(rows):
    widths = [max(len(str(row[i])) for row in rows) for i in range(len(rows[0]))]
    for number, row in enumerate(rows):
        say("  " + "  ".join(str(cell).ljust(width) for cell, width in zip(row, widths)).rstrip())
        if number == 0:
            say("  " + "  ".join("-" * width for width in widths))


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
    say("· founding a consortium: keys, certificates, genesis")
    stage.found()
    stage.start_ledger()
    stage.start_gateway()
    simulator = TagSimulator(stage)
    say("· three terminals make their keys and are enrolled")
    factory = stage.add_terminal("factory", "Factory line 1", FACTORY, nfc=f"pn532_uart:{simulator.link}")
    distributor = stage.add_terminal("distributor", "Distributor, gate 4", DISTRIBUTOR)
    pharmacy = stage.add_terminal("pharmacy", "Pharmacy counter", PHARMACY)
    stage.add_product(GTIN, "8123456", "阿莫西林胶囊 0.25g×24粒", "Amoxicillin capsules 250 mg, 24", party(FACTORY))
    say("· drawing 65 labels, a third of them turned, blurred or unevenly lit")
    packs, cases = make_packs(), make_cases()
    draw_labels(stage.path("labels"), packs, cases)
    story = Story(stage)
    say("· factory: commissions 60 packs, packs 5 cases, ships them")
    story.factory(factory, packs, cases, simulator)
    say("· distributor: receives and ships 5 cases")
    story.distributor(distributor, cases)
    say("· pharmacy: receives 5 cases, dispenses 5 packs and part of a sixth")
    sold = story.pharmacy(pharmacy, packs, cases)
    before = {pack.epc: stage.verify(pack.epc) for pack in packs}

    say("· planted: a fake pack, one that a pharmacy's terminal announces as if it were the maker, a pack dispensed twice")
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
    story.scan(pharmacy, "dispense", sources=[sold[0].file])
    story.sync(pharmacy)
    _, alerts = stage.ask("/alerts")
    doubles = [alert for alert in alerts["alerts"] if alert.get("pack") == sold[0].epc]
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
        summary = report(stage, play(stage))
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
