"""The labels of the demo's packs and cases: what they say, how they are drawn, and the reader for those that are tags."""
import contextlib
import os
import subprocess
import threading
import time

from stage import Failed, check_digit, run

CASES, PACKS_A_CASE = 5, 12
GTIN = "09506000134352"


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
