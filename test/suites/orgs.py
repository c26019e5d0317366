#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Organisations by command: making, listing, sandboxes, and that an org's commands reach that org alone."""
import _rig as rig
from _rig import command, equal, matches, ok

import json


def test_commands(folder):
    data = f'{folder}/data'
    made = command('org', 'new', 'acme', '--company', 'Acme Ltd', '--admin-email', 'boss@acme.example', '--time-zone', 'Asia/Kolkata', '--json',
                   '--data', data)
    org = json.loads(made.out or '{}')
    equal('an org is made with its own company, admin and zone',
          [org.get(name) for name in ('name', 'company_name', 'primary_email', 'time_zone')],
          ['acme', 'Acme Ltd', 'boss@acme.example', 'Asia/Kolkata'])
    equal('it has production only', [place['environment'] for place in org['environments']], ['production'])
    matches('the same name again is refused', command('org', 'new', 'acme', '--data', data).err, 'already an org "acme"')
    for name in ('Acme', '1st', 'a b', '../x', 'x' * 41, ''):
        result = command('org', 'new', name, '--data', data)
        ok(f'{name!r} is no name', result.code == 1 and 'org\'s name has 1 to 40' in result.err, repr(result))
    result = command('org', 'new', 'beta', '--time-zone', 'Mars/Base', '--data', data)
    ok('nor is a zone that does not exist', result.code == 1 and 'no time zone "Mars/Base"' in result.err, repr(result))
    result = command('ext', 'list', '--org', 'acme', '--sandbox', '--data', data)
    ok('its sandbox is not there, and the way to it is told', result.code == 1 and 'sluice org sandbox acme' in result.err, repr(result))
    matches('the sandbox is made', command('org', 'sandbox', 'acme', '--data', data).out, r'sandbox +http://.*/sandbox')
    matches('once', command('org', 'sandbox', 'acme', '--data', data).err, 'has a sandbox already')
    equal('then it answers', command('ext', 'list', '--org', 'acme', '--sandbox', '--data', data).code, 0)
    matches('the default org is there too', command('org', 'list', '--data', data).out, r'(?s)default \(default\).*acme \(Acme Ltd\)')
    matches('an unknown org is named', command('org', 'show', 'nobody', '--data', data).err, 'there is no org "nobody"')
    matches('also where a command takes one', command('ext', 'list', '--org', 'nobody', '--data', data).err, 'there is no org "nobody"')


def test_served(folder):
    """The same over a running server's socket; orgs made meanwhile are there at once."""
    ext = rig.extension(f'{folder}/ext', functions={'f': 'return "fine";'})
    with rig.Server(ext, data=f'{folder}/data') as server:
        equal('an org is made while the server runs', command('org', 'new', 'acme', '--data', server.data).code, 0)
        equal('nothing is installed in it', command('ext', 'list', '--org', 'acme', '--data', server.data).out, '')
        matches('what the default org has stays there', command('ext', 'list', '--data', server.data).out, '^ext 1.0.0')
        equal('org routes are nobody else\'s', server.send('GET', '/control/orgs').status, 404)
        equal('also with a made-up token', server.send('GET', '/control/orgs', [('Authorization', 'Bearer x')]).status, 401)
    matches('it is still there at the next start', command('org', 'list', '--data', f'{folder}/data').out, 'acme')


for test in (test_commands, test_served):
    with rig.folder() as path:
        test(path)
rig.done()
