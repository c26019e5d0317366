#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does what the README tells a stranger: writes its extension, serves it, calls it with its curl line, compares with its answer.

usage: readme.py PATH/TO/sluice"""
import os
import re
import subprocess

import _rig as rig

TEXT = rig.read(os.path.join(rig.ROOT, 'README.md'))


def fence(after, kind):
    """The first fenced block of that kind behind a text."""
    return re.compile(r'```' + kind + r'\n(.*?)```', re.S).search(TEXT, TEXT.index(after)).group(1)


def without_id(answer):
    return re.sub(r'"id":"\d{18}"', '"id":"…"', answer.strip())


def shell(line, cwd):
    done = subprocess.run(['sh', '-c', line], cwd=cwd, capture_output=True, text=True, timeout=30, env=rig.ENVIRONMENT)
    return rig.Done(done.returncode, done.stdout, done.stderr)


with rig.folder() as folder:
    for path, kind in (('hello/extension.json', 'json'), ('hello/functions/greet.dg', 'deluge')):
        rig.write(f'{folder}/{path}', fence(f'`{path}`', kind))
    with rig.Server(f'{folder}/hello', data=f'{folder}/sluice-data') as server:
        line = fence('Call it:', 'sh').replace('127.0.0.1:8080', '%s:%d' % server.address).replace('build/sluice', rig.SLUICE)
        rig.equal('the curl line of the README gets its answer', without_id(shell(line, folder).out), without_id(fence('Call it:', 'json')))
        logs = rig.until(lambda: (lambda d: d if 'created ' in d.out else None)(shell(fence('Read its log:', 'sh').replace('build/sluice', rig.SLUICE), folder)), 5)
        rig.ok('its log shows the info line', logs and logs.code == 0, logs)
    run = rig.command('run', 'hello/functions/greet.dg', '--param', 'name=Ada', cwd=folder)
    rig.equal('the function runs without a server', (run.code, run.out), (0, 'Hello Ada!\n'))
    check = rig.command('check', 'hello', cwd=folder)
    rig.equal('the folder checks clean', (check.code, check.out), (0, ''))
rig.done()
