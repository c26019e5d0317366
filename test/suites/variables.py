#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Variables of extensions: their types, in the manifest, from scripts and by command; both spellings; secrets."""
import _rig as rig
from _rig import command, equal, matches, ok

import json
import urllib.parse

SET = '''m = Map();
m.put("apiname",crmAPIRequest.get("params").get("n"));
m.put("value",crmAPIRequest.get("params").get("v"));
return zoho.crm.invokeConnector("crm.set",m);'''
GET = 'return zoho.crm.getOrgVariable(crmAPIRequest.get("params").get("n"));'
# type → what fits, what does not
TYPES = {
    'text': (['x', 'a\nb', '12'], []),
    'textarea': (['x\ny'], []),
    'integer': (['0', '-12', '+7', '999999999'], ['1.5', 'x', '1000000000', '1e3', '1 2', '--1']),
    'long': (['999999999999999999', '-1'], ['1000000000000000000', '1.0', 'x']),
    'decimal': (['1.5', '-2', '0.001'], ['1,5', 'x', '1.5.2', 'inf', '0x10']),
    'percent': (['12.5'], ['12%', 'x']),
    'currency': (['1000.25'], ['$5', 'x']),
    'date': (['2026-11-24', '24-Nov-2026'], ['2026-02-30', 'tomorrow', '5', '2026-11-24T10:00:00+02:00']),
    'datetime': (['2026-11-24T10:00:00+02:00', '24-Nov-2026 10:00:00'], ['soon', '2026-13-01T10:00:00+02:00']),
    'email': (['a@b.example', 'a.b+c@d'], ['a', '@b', 'a@', 'a@b@c', 'a b@c.d', 'a@.d']),
    'phone': (['+1 (555) 010-0199', '5550199 x12'], ['call me', '+', '555;drop']),
    'url': (['https://x.example/a?b=c', 'www.x.example', 'ftp://h'], ['x', 'http://', '://x', 'http://a b', '.x']),
    'checkbox': (['true', 'FALSE'], ['yes', '1', 'on']),
    'boolean': (['false'], ['0']),
    'float': (['1.25'], ['x']),
}


def test_values(folder):
    """What scripts set; a type may be written in any case."""
    variables = [{'api_name': f'v_{name}', 'type': name.upper() if name == 'date' else name} for name in TYPES]
    ext = rig.extension(f'{folder}/ext', 'kinds', functions={'put': SET, 'get': GET}, variables=variables)
    with rig.Server(ext, data=f'{folder}/data') as server:
        def put(name, value):
            return json.loads(server.call('kinds__put', urllib.parse.urlencode({'n': name, 'v': value})).output())

        for name, (good, bad) in TYPES.items():
            for value in good + ['']:
                equal(f'{name} takes {value!r}', put(f'kinds__v_{name}', value)['status_code'], 200)
                equal('and gives it back as text', server.call('kinds__get', f'n=kinds.v_{name}').output() or '', value)
            put(f'KINDS.V_{name.upper()}', good[0])
            for value in bad:
                result = put(f'kinds__v_{name}', value)
                ok(f'{name} does not take {value!r}', result['status_code'] == 400 and result['response']['code'] == 'INVALID_DATA' and
                   f'kinds__v_{name}' in result['response']['message'] and f'type {name.upper() if name == "date" else name}' in result['response']['message'], result)
            equal(f'{name} keeps what it had', server.call('kinds__get', f'n=KINDS__v_{name}').output(), good[0])
        result = command('ext', 'set', 'kinds', 'v_integer', 'many', '--data', server.data)
        ok('the command is told the same', result.code == 1 and 'v_integer' in result.err and 'integer' in result.err, repr(result))
        equal('and sets what fits', command('ext', 'set', 'kinds', 'v_integer', '41', '--data', server.data).code, 0)
        equal('for scripts too', server.call('kinds__get', 'n=kinds.v_integer').output(), '41')
        matches('ext show shows it', command('ext', 'show', 'kinds', '--data', server.data, '--json').out, '"value":"41"')


def publish(folder, **variable):
    return command('ext', 'publish', rig.extension(f'{folder}/ext', 'kinds', functions={'f': 'return 1;'}, variables=[{'api_name': 'v', **variable}]),
                   '--data', f'{folder}/data')


def test_manifest(folder):
    for name, (_, bad) in TYPES.items():
        for value in bad[:2]:
            result = publish(folder, type=name, value=value)
            ok(f'a default of {name}, {value!r}, does not publish', result.code == 1 and 'extension.json' in result.err + result.out and
               f'"v" does not fit its type {name}' in result.err + result.out, repr(result))
    for kind in ('string', 'picklist', 'int', '', 'x' * 200):
        result = publish(folder, type=kind) if kind else publish(folder, type=5)
        ok(f'{kind[:20]!r} is no type', result.code == 1 and 'extension.json' in result.err + result.out and ('unknown type' in result.err + result.out or
           '"type" must be text' in result.err + result.out), repr(result))
    for value in ([1], {'a': 1}):
        result = publish(folder, type='text', value=value)
        ok(f'nor is {value} a value', result.code == 1 and 'must be text, a number, true or false' in result.err + result.out, repr(result))
    for kind, value in (('integer', 5), ('decimal', 2.5), ('checkbox', True), ('date', ''), ('text', None), ('email', 'a@b.c')):
        equal(f'a default of {kind}, {value!r}, does', publish(f'{folder}/{kind}', type=kind, value=value).code, 0)


def test_secret_default(folder):
    data = f'{folder}/data'
    ext = rig.extension(f'{folder}/ext', 'vault', functions={'get': GET}, variables=[{'api_name': 'pin', 'type': 'integer', 'secret': True, 'value': 123456}])
    with rig.Server(ext, data=data) as server:
        ok('a secret\'s default is not used, and said so', 'the secret variable "pin" is not used' in server.err and '123456' not in server.err + server.out, server.err)
        equal('it is empty', server.call('vault__get', 'n=vault.pin').output() or '', '')
        result = command('ext', 'set', 'vault', 'pin', 'top-canary', '--data', data)
        ok('a secret that does not fit is refused without showing it', result.code == 1 and 'vault' in result.err and 'canary' not in result.err + result.out, repr(result))
        equal('one that fits is taken from standard input', command('ext', 'set', 'vault', 'pin', '-', '--data', data, input=b'654321').code, 0)
        equal('and read by its own scripts', server.call('vault__get', 'n=vault__PIN').output(), '654321')
        shown = command('ext', 'show', 'vault', '--data', data).out + command('ext', 'show', 'vault', '--json', '--data', data).out
        ok('never shown', '654321' not in shown and '654321' not in server.err + server.out, shown)


for test in (test_values, test_manifest, test_secret_default):
    with rig.folder() as path:
        test(path)
rig.done()
