#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the table of standard modules as a C array: embed.py IN.json OUT.c

What the table says about its own evidence (about, sure, unsure) stays in the JSON file; the program needs names, labels, types and values only.
"""
import json
import sys

EVIDENCE = {"about", "sure", "unsure", "in_default_fields"}


def strip(node):
    if isinstance(node, dict):
        return {key: strip(value) for key, value in node.items() if key not in EVIDENCE}
    if isinstance(node, list):
        return [strip(value) for value in node]
    return node


with open(sys.argv[1], encoding="utf-8") as source:
    data = json.dumps(strip(json.load(source)), separators=(",", ":"), ensure_ascii=False).encode("utf-8")
with open(sys.argv[2], "w", encoding="ascii") as target:
    target.write("// Made by embed.py from standard_modules.json\n#include \"crm/seed.h\"\n\n")
    target.write("const char crm_standard_modules[] = {\n")
    for start in range(0, len(data), 32):
        target.write(",".join(str(byte if byte < 128 else byte - 256) for byte in data[start : start + 32]) + ",\n")
    target.write("0};\nconst size_t crm_standard_modules_bytes = sizeof crm_standard_modules - 1;\n")
