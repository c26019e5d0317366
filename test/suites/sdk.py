#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Zoho's Node SDK, unmodified, against a running server (test/sdk/sdk.mjs): with node, and after `npm ci` in test/sdk; without them it is skipped."""
import _rig as rig

import os
import re
import shutil
import subprocess

FOLDER = os.path.join(rig.ROOT, 'test/sdk')
missing = 'node is not installed' if not shutil.which('node') else '' if os.path.isdir(f'{FOLDER}/node_modules') else 'npm ci was not run in test/sdk'
if missing:
    print(f'ok 1 - the SDK # SKIP {missing}\n1..1')
else:
    with rig.folder() as path:
        ext = rig.extension(f'{path}/ext', 'sdk', functions={'hello': 'return crmAPIRequest.get("method") + " " + crmAPIRequest.get("body");'})
        with rig.Server(ext, data=f'{path}/data') as server:
            client = rig.write(f'{path}/client.json', rig.command('oauth', 'new', '--json', '--data', server.data).out)
            ran = subprocess.run(['node', 'sdk.mjs', 'http://%s:%d' % server.address, client, path], cwd=FOLDER, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
            lines = ran.stdout.decode('utf-8', 'replace')
            for good, name, detail in re.findall(r'^(ok|not ok) \d+ - (.*)\n((?:# .*\n)*)', lines, re.M):
                rig.ok(name, good == 'ok', detail)
            rig.ok('it ran to its end', ran.returncode == 0 and re.search(r'^1\.\.\d+$', lines, re.M), lines[-3000:])
    rig.done()
