#!/usr/bin/env python3
"""Reads lifecycle.table and writes it as C: one cell for each profile, operation and state. Refuses what is not whole."""
import re
import sys

PROFILES = ("cn", "eu")
STATES = "UNK COM STO TRA PAR DIS RET QUA REC DEC DES EXP STL SAM OUT FRE LOC WDR".split()
OPERATIONS = ("observe commission fill pack empty unpack ship void_ship receive send_back take_back dispense undo hold release "
              "recall decommission destroy steal sample export check_out free_sample lock withdraw").split()
LINE = re.compile(r"(?:(cn|eu)\s+)?((?:[A-Z]{3}\s+)+)->\s+([A-Z]{3}|=)(?:\s+(note|alert)\s+([a-z_]+)\s+(\d+))?$")


def fail(number, why):
    sys.exit(f"lifecycle.table:{number}: {why}")


def read(path):
    cells, texts, operation = {}, {}, None
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            line = line.split("#")[0].strip()
            if not line:
                continue
            head = re.fullmatch(r"operation ([a-z_]+): (.+)", line)
            if head:
                operation = head[1]
                if operation not in OPERATIONS or operation in texts:
                    fail(number, f"operation {operation} is not known, or there twice")
                texts[operation] = head[2]
                continue
            row = LINE.fullmatch(line)
            if not row or not operation:
                fail(number, "neither an operation nor a line of one")
            profile, states, to, mode, kind, confidence = row.groups()
            if confidence and int(confidence) > 100:
                fail(number, "confidence is 0 to 100")
            for state in states.split():
                for name in [profile] if profile else PROFILES:
                    key = (name, operation, state)
                    target = state if to == "=" else to
                    if state not in STATES or target not in STATES or key in cells:
                        fail(number, f"{key}: no such state, or said twice")
                    cells[key] = (target, mode, kind, confidence)
    for profile in PROFILES:
        for operation in OPERATIONS:
            for state in STATES:
                if (profile, operation, state) not in cells:
                    sys.exit(f"lifecycle.table: {profile}: {operation} of {state} is missing")
    return cells, texts


def cell(to, mode, kind, confidence):
    if not mode:
        return f"{{.to = {to}}}"
    return (f"{{.to = {to}, .alert = ALERT_{kind.upper()}, .mode = {'ALERT_SHADOW' if mode == 'note' else 'ALERT_ENFORCE'}, "
            f".confidence = {confidence}}}")


def main():
    out, path = sys.argv[1:]
    cells, texts = read(path)
    full = ("UNKNOWN COMMISSIONED IN_STOCK IN_TRANSIT PART_DISPENSED DISPENSED RETURNED QUARANTINED RECALLED DECOMMISSIONED "
            "DESTROYED EXPORTED STOLEN SAMPLE CHECKED_OUT FREE_SAMPLE LOCKED WITHDRAWN").split()
    with open(out, "w", encoding="utf-8") as file:
        file.write("// Generated from lifecycle.table.\n#include \"ledger/contracts/lifecycle_table.h\"\n\n")
        for short, name in zip(STATES, full):
            file.write(f"#define {short} LIFECYCLE_{name}\n")
        file.write("\n")
        file.write("const struct lifecycle_transition lifecycle_cells[LIFECYCLE_PROFILES][LIFECYCLE_OPERATIONS][LIFECYCLE_STATES] = {\n")
        for profile in PROFILES:
            file.write(f"    [PROFILE_{profile.upper()}] = {{\n")
            for operation in OPERATIONS:
                row = ", ".join(f"[{state}] = {cell(*cells[profile, operation, state])}" for state in STATES)
                file.write(f"        [OPERATION_{operation.upper()}] = {{{row}}},\n")
            file.write("    },\n")
        file.write("};\n\nconst char *const lifecycle_operation_texts[LIFECYCLE_OPERATIONS] = {\n")
        for operation in OPERATIONS:
            file.write(f"    [OPERATION_{operation.upper()}] = \"{texts[operation]}\",\n")
        file.write("};\n\nconst char *const lifecycle_state_shorts[LIFECYCLE_STATES] = {")
        file.write(", ".join(f"[{state}] = \"{state}\"" for state in STATES) + "};\n")


main()
