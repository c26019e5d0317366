#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the samples of README.md and docs/*.md: usage docs.py PATH/TO/sluice.

A ```deluge block that is followed by a ```text block is one sample: the script runs with `sluice run`, and the text is what it prints, log
lines and the returned value as they come, errors with the word `script` in place of the file's name. A ```deluge block without a ```text
block only has to compile. What needs a server is fenced otherwise (```sh, ```json)."""
import glob
import os
import re
import subprocess
import tempfile

from _rig import ENVIRONMENT, REPORT, ROOT, SLUICE, WAIT_S, done, equal, ok

FENCE = re.compile(r'^```(\w*)\n(.*?)^```$', re.S | re.M)


def samples(text):
    """(line, script, expected output or None): a ```text block counts only when nothing but prose of one paragraph stands between."""
    blocks = [(m.group(1), m.group(2), m.start(), m.end()) for m in FENCE.finditer(text)]
    for i, (kind, script, start, end) in enumerate(blocks):
        if kind == 'deluge':
            after = blocks[i + 1] if i + 1 < len(blocks) else ('', '', 0, 0)
            follows = after[0] == 'text' and text[end:after[2]].count('\n\n') <= 1
            yield text.count('\n', 0, start) + 1, script, after[1] if follows else None


def run(arguments, script):
    with tempfile.NamedTemporaryFile('w', suffix='.dg', encoding='utf-8') as file:
        file.write(script)
        file.flush()
        made = subprocess.run([SLUICE, *arguments, file.name], env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=WAIT_S)
        return made.returncode, made.stdout.decode('utf-8', 'replace').replace(file.name, 'script')


def check(path):
    with open(os.path.join(ROOT, path), encoding='utf-8') as file:
        text = file.read()
    for line, script, expected in samples(text):
        name = f'{path}:{line}'
        if expected is None:
            code, output = run(['check'], script)
            ok(f'{name} compiles', code == 0, output)
        else:
            _, output = run(['run'], script)
            equal(f'{name} prints what it says', output, expected)
        ok(f'{name} leaves no report', not REPORT.search(output), output)


for page in ['README.md'] + sorted(glob.glob('docs/*.md', root_dir=ROOT)):
    if os.path.exists(os.path.join(ROOT, page)):
        check(page)
done()
