"""A consortium on this machine: its directory, its processes, and the ways to ask it. For the demo and the tests."""
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class Failed(Exception):
    """A step that did not go as it must; the text says which and what was printed."""


def run(command, **options):
    """Runs a command to its end and gives its output; Failed, with what it said, if it ends badly."""
    allowed = options.pop("allowed", (0,))
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if done.returncode not in allowed:
        raise Failed(f"`{' '.join(command)}` ended with {done.returncode}:\n{done.stdout[-1500:]}{done.stderr[-1500:]}")
    return done.stdout


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def check_digit(digits):
    """GS1 modulo 10 check digit."""
    return str(-sum(int(d) * (3 if i % 2 == 0 else 1) for i, d in enumerate(reversed(digits))) % 10)


def party(gln):
    return f"https://id.gs1.org/417/{gln}"


def place(gln):
    return f"https://id.gs1.org/414/{gln}"


class Stage:
    """One ledger node, one gateway and any number of terminals below `directory`, from the programs in `build`."""

    def __init__(self, directory, build=os.path.join(ROOT, "build")):
        self.dir = directory
        self.tool = os.path.join(build, "tools/packtrail")
        self.scanner = os.path.join(build, "firmware/packtrail-scanner")
        self.gateway = os.path.join(build, "gateway/packtrail-gateway")
        self.ledger = os.path.join(build, "ledger/packtrail-ledger")
        self.simulator = os.path.join(build, "tools/pn532sim")
        self.processes = {}
        self.extra_environment = {}
        self.server_settings = {}  # further lines of the [server] section, by actor
        self.gateway_more = ""  # further sections of the gateway's configuration
        self.gateway_port, self.ledger_port, self.page_port = free_port(), free_port(), free_port()

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def write(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def admin(self, *arguments):
        return run([self.tool, "admin", *arguments])

    def found(self):
        consortium = self.path("consortium")
        home = party("950600000000" + check_digit("950600000000"))
        self.admin("init", consortium, "--name", "Packtrail demonstration", "--profile", "cn")
        self.admin("actor", consortium, "ledger", "--role", "executor", "--label", "Ledger of the association",
                   "--party", home, "--host", "127.0.0.1", "--host", "localhost")
        self.admin("actor", consortium, "operator", "--role", "operator", "--label", "Operator", "--party", home)
        self.admin("actor", consortium, "gateway", "--role", "gateway", "--label", "Gateway of the site",
                   "--party", home, "--host", "127.0.0.1", "--host", "localhost")
        self.admin("genesis", consortium)
        run([self.tool, "ledger", "init", self.path("ledger"), "--genesis", self.path("consortium/genesis.cbor"),
             "--key", self.path("consortium/actors/ledger/sign.key")])

    def start(self, name, command, ready_port):
        with open(self.path(f"{name}.log"), "ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, **self.extra_environment.get(name, {})})
        self.processes[name] = process
        for _ in range(400):
            if process.poll() is not None:
                with open(self.path(f"{name}.log"), encoding="utf-8") as text:
                    raise Failed(f"{name} ended at its start:\n{text.read()[-1500:]}")
            with socket.socket() as probe:
                probe.settimeout(0.2)
                if not ready_port or probe.connect_ex(("127.0.0.1", ready_port)) == 0:
                    return
            time.sleep(0.05)
        raise Failed(f"{name} does not listen on port {ready_port}; see {self.path(name + '.log')}")

    def server_section(self, actor, port):
        actors = self.path("consortium/actors", actor)
        return f"[server]\nport = {port}\ncertificate = {actors}/tls.crt\nkey = {actors}/tls.key\nca = {self.path('consortium/ca.crt')}\n{self.server_settings.get(actor, '')}"

    def start_ledger(self):
        config = self.write("ledger.conf", f"[ledger]\ndata = {self.path('ledger')}\n"
                            f"sign_key = {self.path('consortium/actors/ledger/sign.key')}\n"
                            + self.server_section("ledger", self.ledger_port) +
                            f"local_port = {self.page_port}\n[access]\nanonymous = read\n")
        self.start("ledger", [self.ledger, "--config", config], self.ledger_port)

    def start_gateway(self):
        config = self.write("gateway.conf", f"[gateway]\ndata = {self.path('gateway')}\n"
                            f"genesis = {self.path('consortium/genesis.cbor')}\n"
                            f"sign_key = {self.path('consortium/actors/gateway/sign.key')}\n"
                            + self.server_section("gateway", self.gateway_port) +
                            f"[ledger]\nurl = https://127.0.0.1:{self.ledger_port}\nfeed_interval = 1s\n" + self.gateway_more)
        self.start("gateway", [self.gateway, "--config", config], self.gateway_port)

    def add_terminal(self, name, label, gln, nfc="", key=""):
        config = self.write(f"{name}.conf", f"[device]\ndata = {self.path(name)}\ngenesis = {self.path('consortium/genesis.cbor')}\n"
                            f"key = {key}\nname = {label}\nparty = {party(gln)}\nplace = {place(gln)}\n"
                            f"[gateway]\nurl = https://127.0.0.1:{self.gateway_port}\nca = {self.path('consortium/ca.crt')}\n"
                            f"[scan]\nnfc = {nfc}\n")
        run([self.scanner, "--config", config, "request"])
        self.admin("enrol", self.path("consortium"), "--operator", "operator", "--request", self.path(name, "enrolment.request"),
                   "--as", name, "--url", f"https://127.0.0.1:{self.ledger_port}")
        shutil.copy(self.path("consortium/actors", name, "tls.crt"), self.path(name, "tls.crt"))
        return config

    def add_product(self, gtin, drug_identifier, zh, en, maker):
        """A product's master record, signed by the operator; from then on only its maker commissions its packs."""
        levels = {"level": 1, "units": 24, "gtin": gtin, "drugIdentifier": drug_identifier}
        record = {"kind": "product", "version": 1, "validFrom": "2026-01-01T00:00:00Z", "id": f"https://id.gs1.org/01/{gtin}",
                  "name": {"zh": zh, "en": en}, "levels": [levels], "smallestUnit": {"zh": "片", "en": "tablet"}, "manufacturer": maker}
        self.admin("master", self.path("consortium"), "--operator", "operator", "--json",
                   self.write("product.json", json.dumps(record, ensure_ascii=False)), "--url", f"https://127.0.0.1:{self.ledger_port}")

    def ask(self, path):
        """GET of the ledger; (status, JSON or bytes)."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.page_port}{path}")
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                body = answer.read()
                return answer.status, json.loads(body) if "json" in answer.headers.get("Content-Type", "") else body
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"{}")

    def verify(self, code):
        status, answer = self.ask("/verify/scan?code=" + urllib.parse.quote(code, safe=""))
        if status != 200:
            raise Failed(f"the ledger could not judge {code}: {answer}")
        return answer

    def kill(self, name):
        """The end that a power cut brings: no chance to tidy up."""
        process = self.processes.pop(name)
        process.kill()
        process.wait()

    def end(self):
        """Asks every process to stop and waits for it; gives back the exit statuses by name."""
        for process in self.processes.values():
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        statuses = {}
        for name, process in self.processes.items():
            try:
                statuses[name] = process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                statuses[name] = "did not stop"
        self.processes = {}
        return statuses
