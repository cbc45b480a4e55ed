"""Writes assets.c: the page's files as arrays. Usage: embed.py OUT FILE…"""
import os
import sys

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}

out, files = sys.argv[1], sys.argv[2:]
with open(out, "w", encoding="ascii") as c:
    c.write('#include "ledger/page/assets.h"\n')
    for number, path in enumerate(files):
        with open(path, "rb") as source:
            data = source.read()
        c.write(f"\nstatic const unsigned char asset_{number}[] = {{")
        for at in range(0, len(data), 20):
            c.write("\n    " + ",".join(str(byte) for byte in data[at:at + 20]) + ",")
        c.write("\n};\n")
    c.write("\nconst struct page_asset page_assets[] = {\n")
    for number, path in enumerate(files):
        name = os.path.basename(path)
        c.write(f'    {{"{name}", "{TYPES[os.path.splitext(name)[1]]}", asset_{number}, sizeof asset_{number}}},\n')
    c.write("    {0},\n};\n")
