#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does what the guides in docs/*.md tell: usage guides.py PATH/TO/sluice [PAGE…].

A page takes part when it calls the server at 127.0.0.1:8080: then one runs on a fresh `sluice-data`, every fenced block below a line that is a file's name
in backquotes is written to that file, and the ```sh blocks run in one shell, in order, in that folder. A ```text block is what the block before it prints,
both streams, where … stands for anything on a line, or for any lines when it stands alone."""
import glob
import os
import re
import subprocess
import sys

import _rig as rig

FENCE = re.compile(r'^```(\w*)\n(.*?)^```$', re.S | re.M)
FILE = re.compile(r'^`([\w./-]+)`\n+```\w*\n(.*?)^```$', re.S | re.M)
END = 'the block is over'


def steps(text):
    """(line, commands, expected output or None)"""
    blocks = [(m.group(1), m.group(2), m.start(), m.end()) for m in FENCE.finditer(text)]
    for i, (kind, commands, start, end) in enumerate(blocks):
        if kind == 'sh':
            after = blocks[i + 1] if i + 1 < len(blocks) else ('', '', 0, 0)
            follows = after[0] == 'text' and text[end:after[2]].count('\n\n') <= 1
            yield text.count('\n', 0, start) + 1, commands, after[1] if follows else None


class Shell:
    def __init__(self, folder):
        path = f'{folder}/bin:{os.environ["PATH"]}'
        os.makedirs(f'{folder}/bin')
        os.symlink(rig.SLUICE, f'{folder}/bin/sluice')
        self.process = subprocess.Popen(['sh'], cwd=folder, env={**rig.ENVIRONMENT, **rig.store_env(['--data', f'{folder}/sluice-data']), 'PATH': path},
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def run(self, commands):
        self.process.stdin.write(f'{commands}\necho; echo {END}\n'.encode())
        self.process.stdin.flush()
        lines = []
        for line in self.process.stdout:
            lines.append(line.decode('utf-8', 'replace'))
            if lines[-1] == f'{END}\n':
                return ''.join(lines[:-1]).strip('\n')
        return ''.join(lines) + '\n(the shell ended)'

    def close(self):
        self.process.stdin.close()
        self.process.wait(rig.WAIT_S)
        self.process.stdout.close()


def pattern(text):
    lines = ['.*' if line.strip() == '…' else re.escape(line).replace('…', '[^\n]*') for line in text.strip('\n').split('\n')]
    return '^' + '\n'.join(lines) + '$'


def follow(page, text):
    with rig.folder() as folder:
        folder = os.path.realpath(folder)
        for path, content in FILE.findall(text):
            rig.write(f'{folder}/{path}', content)
        with rig.Server(data=f'{folder}/sluice-data') as server:
            address = '%s:%d' % server.address
            shell = Shell(folder)
            for line, commands, expected in steps(text):
                output = shell.run(commands.replace('127.0.0.1:8080', address)).replace(address, '127.0.0.1:8080')
                if expected is not None:
                    rig.matches(f'{page}:{line} prints what it says', output, pattern(expected))
                rig.ok(f'{page}:{line} leaves no report', not rig.REPORT.search(output), output)
            shell.close()


for name in sys.argv[2:] or sorted(glob.glob('docs/*.md', root_dir=rig.ROOT)):
    page_text = rig.read(os.path.join(rig.ROOT, name))
    if any('127.0.0.1:8080' in commands for _, commands, _ in steps(page_text)):
        follow(name, page_text)
rig.done()
