#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the example of every row that `sluice docs builtins` prints, as a user would paste it: services need a CRM, so each gets an empty one.

A row without an example, or one whose example says something else than it prints, fails."""
import concurrent.futures
import re

import _rig as rig

page = rig.command('docs', 'builtins')
rows = re.findall(r'^## (.+)\n\n    (.+)\n\n.*\n(?:\n((?:    .*\n?)+))?', page.out, re.M)
with rig.folder() as folder:

    def run(numbered):
        number, (name, signature, example) = numbered
        if ' => ' not in example:
            return name, False, 'no example'
        script, want = example.replace('\n    ', '\n').strip().rsplit(' => ', 1)
        path = rig.write(f'{folder}/{number}.dg', script + '\n')
        done = rig.command('run', path)
        return name, done.err.rstrip('\n') == want, f'{script}\nwant {want!r}\n{done}'

    services = [row for row in enumerate(rows) if re.match(r'zoho\.crm|zoho\.[a-z]+$|zoho\.\*|invoke|getUrl|postUrl|sendmail', row[1][0])]
    rig.ok('the page lists built-ins and services', len(rows) > 200 and len(services) > 15, len(rows))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for name, good, detail in pool.map(run, services):
            rig.ok(f'the example of {name} holds', good, detail)
rig.done()
