"""The verification query over TLS with keep-alive, beside nginx serving a 300-byte file with the same certificate.

  verify.py BUILD-DIR [SECONDS]

One JSON line: requests a second of both, their ratio, and the query's latency percentiles, idle and while blocks come in.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tools"))
from stage import Stage, check_digit, free_port, party, run  # noqa: E402

GTIN = "09506000134352"
CONNECTIONS = 16


def wrk(url, seconds):
    out = run(["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", url])
    rate = float(re.search(r"Requests/sec:\s*([\d.]+)", out)[1])
    if "Non-2xx" in out:
        raise SystemExit(f"answers other than 200: {out}")
    unit = {"us": 0.001, "ms": 1, "s": 1000}
    tail = {name: float(value) * unit[u] for name, value, u in re.findall(r"(50|99)%\s+([\d.]+)(us|ms|s)\b", out)}
    return rate, tail


def start_nginx(stage, port):
    folder = stage.path("nginx")
    os.makedirs(f"{folder}/html")
    with open(f"{folder}/html/file", "w", encoding="ascii") as file:
        file.write("x" * 300)
    actor = stage.path("consortium/actors/ledger")
    with open(f"{folder}/nginx.conf", "w", encoding="ascii") as file:
        file.write(f"daemon off; user root; worker_processes 2; pid {folder}/pid; error_log {folder}/error.log;\n"
                   "events { worker_connections 256; }\n"
                   f"http {{ access_log off; keepalive_requests 1000000; client_body_temp_path {folder}/a; proxy_temp_path {folder}/b;\n"
                   f"fastcgi_temp_path {folder}/c; uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;\n"
                   f"server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {actor}/tls.crt; ssl_certificate_key {actor}/tls.key; root {folder}/html; }} }}\n")
    stage.start("nginx", ["nginx", "-p", folder, "-c", f"{folder}/nginx.conf"], port)


def main():
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    directory = tempfile.mkdtemp(prefix="packtrail-bench-", dir="/var/tmp")
    stage = Stage(directory, sys.argv[1])
    stage.server_settings["ledger"] = "anonymous_rate = 0\n"
    try:
        stage.found()
        stage.start_ledger()
        stage.start_gateway()
        digits = "950600010000"
        terminal = stage.add_terminal("terminal", "Bench", digits + check_digit(digits))
        codes = "\n".join(f"(01){GTIN}(17)281231(10)L1(21)B{n}" for n in range(1000)) + "\n"
        for task in ("commission", "receive"):
            run([stage.scanner, "--config", terminal, "scan", "--task", task, "--codes", "-"], input=codes)
        run([stage.scanner, "--config", terminal, "sync"])
        port = free_port()
        start_nginx(stage, port)
        url = f"https://127.0.0.1:{stage.ledger_port}/verify/scan?code=" + urllib.parse.quote(f"(01){GTIN}(17)281231(10)L1(21)B7", safe="")
        nginx, _ = wrk(f"https://127.0.0.1:{port}/file", seconds)
        idle, idle_tail = wrk(url, seconds)
        load = subprocess.Popen([stage.tool, "load", "--consortium", stage.path("consortium"), "--operator", "operator", "--ledger",
                                 f"https://127.0.0.1:{stage.ledger_port}", "--gateway", f"https://127.0.0.1:{stage.gateway_port}",
                                 "--devices", "8", "--statements", "200000", "--rate", "2000"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        time.sleep(3)
        busy, busy_tail = wrk(url, seconds)
        load.terminate()
        load.wait()
        print(json.dumps({"bench": "verify", "connections": CONNECTIONS, "N_requests_a_second": round(nginx), "requests_a_second": round(idle),
                          "ratio_to_N": round(idle / nginx, 3), "p50_ms": idle_tail["50"], "p99_ms": idle_tail["99"],
                          "while_2000_statements_a_second_come_in": {"requests_a_second": round(busy), "p50_ms": busy_tail["50"],
                                                                     "p99_ms": busy_tail["99"]}, "load_average": os.getloadavg()[0]}))
    finally:
        stage.end()
        shutil.rmtree(directory, ignore_errors=True)


main()
