#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The life of zapikeys by command: showing, rotating at once and with grace, revoking, listing, rules; what callers see of it, and what is kept."""
import _rig as rig
from _rig import command, equal, matches, ok

import datetime
import glob
import json
import os
import re

KEY = re.compile(r'^1003\.[0-9a-f]{32}\.[0-9a-f]{32}\n$')
TELL = 'return zoho.crm.invokeConnector("crm.zapikey",{"nameSpace":"acme.ext"}).get("response");'
WRONG = '{"code":"AUTHENTICATION_FAILURE","details":{},"message":"Authentication failed","status":"error"}'


def key(server, verb, *words):
    return command('key', verb, *words, '--data', server.data)


def target(key_text, name='ext__f'):
    return f'/crm/v2/functions/{name}/actions/execute?auth_type=apikey&zapikey={key_text}'


def status(server, key_text, headers=(), name='ext__f'):
    return server.send('GET', target(key_text, name), headers).status


def listed(data, *words):
    return json.loads(command('key', 'list', '--data', data, '--json', *words).out or '[]')


def serve(folder, **more):
    ext = rig.extension(f'{folder}/ext', functions={'f': 'return "fine";', 'tell': TELL})
    return rig.Server(ext, data=f'{folder}/data', **more)


# ---- rotating and revoking


def test_rotate(folder):
    with serve(folder) as server:
        old = server.key('ext')
        equal('the key opens', status(server, old), 200)
        made = key(server, 'rotate', 'EXT')
        ok('rotate prints the new key alone', made.code == 0 and KEY.match(made.out) and made.err == '', repr(made))
        new = made.out.strip()
        ok('it is another one', new != old, new)
        equal('the old one is dead at once', server.send('GET', target(old)).text, WRONG)
        equal('the new one opens', status(server, new), 200)
        equal('show tells the new one', key(server, 'show', 'ext').out.strip(), new)
        equal('and so does crm.zapikey', server.send('GET', target(new, 'ext__tell')).output(), new)
        matches('and ext show', command('ext', 'show', 'ext', '--data', server.data).out, re.escape(new))
        result = key(server, 'rotate', 'nobody')
        ok('a namespace that has none is named', result.code == 1 and '"nobody" is installed' in result.err, repr(result))
        result = key(server, 'rotate', 'ext' + 'x' * 100)
        ok('nor is a long one cut to another', result.code == 1 and 'is installed' in result.err, repr(result))
        matches('another org has no such key', key(server, 'rotate', 'ext', '--org', 'acme').err, 'there is no org "acme"')
    offline = command('key', 'rotate', 'ext', '--data', f'{folder}/data')
    ok('rotate works without a server', offline.code == 0 and KEY.match(offline.out), repr(offline))
    with serve(folder) as server:
        equal('and holds at the next start', [status(server, new), status(server, offline.out.strip())], [401, 200])


def test_grace(folder):
    with serve(folder) as server:
        first = server.key('ext')
        equal('the first opens, and is cached', status(server, first), 200)
        second = key(server, 'rotate', 'ext', '--grace', '3s').out.strip()
        equal('with grace both open', [status(server, first), status(server, second)], [200, 200])
        rows = listed(server.data)
        equal('both are listed', [(row['namespace'], row['zapikey'], row['state']) for row in rows], [('ext', '1003.…', 'current'), ('ext', '1003.…', 'old')])
        ends = datetime.datetime.fromisoformat(rows[1]['expires_time'])
        ok('the old one with its end', rows[0]['expires_time'] is None and 0 <= (ends - datetime.datetime.now(ends.tzinfo)).total_seconds() <= 3, rows)
        ok('which comes', rig.until(lambda: status(server, first) == 401, 10))
        ok('not before its time', datetime.datetime.now(ends.tzinfo) >= ends, ends)
        equal('and leaves the new one alone', [status(server, second), len(listed(server.data))], [200, 1])
        third = key(server, 'rotate', 'ext', '--grace', '1h').out.strip()
        fourth = key(server, 'rotate', 'ext', '--grace=2d').out.strip()
        equal('several may be in grace', [status(server, text) for text in (second, third, fourth)], [200] * 3)
        fifth = key(server, 'rotate', 'ext').out.strip()
        equal('a rotation without grace ends them all', [status(server, text) for text in (second, third, fourth, fifth)], [401, 401, 401, 200])
        for grace in ('5', '5y', '-1s', '31d', '', 's', '9999999999999999999s', '1.5h'):
            result = key(server, 'rotate', 'ext', '--grace', grace)
            ok(f'{grace!r} is no time of grace', result.code == 2 and '--grace takes a time' in result.err, repr(result))
        equal('and nothing was rotated by them', status(server, fifth), 200)
        codes = [key(server, 'rotate', 'ext', '--grace', '1h').code for _ in range(17)]
        equal('only so many keys live on', codes, [0] * 16 + [1])


def test_revoke(folder):
    with serve(folder) as server:
        old = server.key('ext')
        graced = key(server, 'rotate', 'ext', '--grace', '1h').out.strip()
        equal('both open', [status(server, old), status(server, graced)], [200, 200])
        result = key(server, 'revoke', 'ext')
        ok('revoke says what it did', result.code == 0 and 'ext  revoked' in result.out, repr(result))
        equal('no key opens', [status(server, old), status(server, graced)], [401, 401])
        result = key(server, 'show', 'ext')
        ok('show says why there is none', result.code == 1 and result.out == '' and 'revoked' in result.err and 'key rotate ext' in result.err, repr(result))
        matches('crm.zapikey finds none', command('call', 'ext__tell', '--data', server.data).out, 'No key found')
        matches('ext show goes on', command('ext', 'show', 'ext', '--data', server.data).out, 'zapikey=revoked')
        equal('the list says so', [(row['state'], row['zapikey']) for row in listed(server.data)], [('revoked', None)])
    with serve(folder, flags=('--reinstall',)) as server:
        equal('an installation makes none anew', status(server, old), 401)
        matches('its URLs say so', server.out, 'zapikey=revoked')
        new = key(server, 'rotate', 'ext').out.strip()
        equal('a rotation does', [status(server, new), status(server, old)], [200, 401])


ASK = 'return zoho.crm.invokeConnector("crm.zapikey",{"nameSpace":crmAPIRequest.get("params").get("ns")}).get("response");'


def test_standalone(folder):
    """The org's own functions may ask for any installed namespace, however it is spelled."""
    data = f'{folder}/data'
    for name, portal in (('one', 'acme'), ('two', 'acme'), ('three', 'other'), ('vcrm_own', 'x')):
        rig.extension(f'{folder}/{name}', name, functions={'f': 'return "fine";'}, portal=portal)
        equal(f'{name} is installed', command('ext', 'install', f'{folder}/{name}', '--data', data).code, 0)
    equal('a function is put', command('fn', 'put', rig.write(f'{folder}/ask.dg', ASK), '--data', data).code, 0)
    keys = {name: command('key', 'show', name, '--data', data).out.strip() for name in ('one', 'two', 'three', 'vcrm_own', 'standalone')}
    ok('every namespace has its own key, the org\'s functions too', len(set(keys.values())) == 5 and all(KEY.match(text + '\n') for text in keys.values()), keys)
    with rig.Server(data=data) as server:
        for asked, name in (('one', 'one'), ('acme.one', 'one'), ('x.y.ONE', 'one'), ('two', 'two'), ('vcrm_other', 'three'), ('VCRM_OWN', 'vcrm_own'), ('standalone', 'standalone'),
                            ('vcrm_acme', None), ('vcrm_nobody', None), ('acme', None), ('four', None), ('', None), ('.', None), ('one.', None), ('x' * 5000, None)):
            reply = server.send('GET', f'/crm/v2/functions/ask/actions/execute?auth_type=apikey&zapikey={keys["standalone"]}&ns={asked}')
            equal(f'{asked[:12]!r} means {name}', reply.output(), keys.get(name, 'No key found'))
        command('key', 'revoke', 'two', '--data', data)
        reply = server.send('GET', f'/crm/v2/functions/ask/actions/execute?auth_type=apikey&zapikey={keys["standalone"]}&ns=two')
        equal('a revoked one is none', reply.output(), 'No key found')
    equal('uninstalling ends the key', command('ext', 'uninstall', 'three', '--data', data).code, 0)
    matches('for good', command('key', 'show', 'three', '--data', data).err, 'is installed here')
    equal('an installation makes another', command('ext', 'install', 'three', '--data', data).code, 0)
    ok('not the same', command('key', 'show', 'three', '--data', data).out.strip() not in ('', keys['three']))


# ---- rules


def test_rate(folder):
    with serve(folder) as server:
        secret = server.key('ext')
        result = key(server, 'set', 'ext', '--rate', '4/minute')
        ok('a rate is set', result.code == 0 and 'rate 4/minute  allow any (default)' in result.out, repr(result))
        replies = [server.send('GET', target(secret)) for _ in range(6)]
        equal('so many calls go', [reply.status for reply in replies], [200] * 4 + [429] * 2)
        equal('what is left is told from half on', [reply.header('X-API-CREDITS-REMAINING') for reply in replies], [None, '2', '1', '0', '0', '0'])
        wait = int(replies[-1].header('Retry-After'))
        ok('and when to come again', 1 <= wait <= 60 and replies[0].header('Retry-After') is None, replies[-1])
        equal('the refusal is Zoho\'s', (replies[-1].json()['code'], replies[-1].json()['status']), ('TOO_MANY_REQUESTS', 'error'))
        equal('a wrong key is told nothing of it', server.send('GET', target(secret[:-1] + ('0' if secret[-1] != '0' else '1'))).text, WRONG)
        new = key(server, 'rotate', 'ext', '--grace', '1h').out.strip()
        equal('a new key has no new minute', [status(server, new), status(server, secret)], [429, 429])
        key(server, 'set', 'ext', '--rate', 'none')
        equal('without a rate they go', [status(server, new), status(server, secret)], [200, 200])
        for rate in ('x', '0/minute', '-1/minute', '5/hour', '5', '1000001/minute', '/minute', '5/minute/minute', '5.5/minute'):
            result = key(server, 'set', 'ext', '--rate', rate)
            ok(f'{rate!r} is no rate', result.code == 1 and 'a rate is a number of calls a minute' in result.err, repr(result))
        ok('nothing to set is wrong usage', key(server, 'set', 'ext').code == 2)
        ok('nobody\'s rules are not set', key(server, 'set', 'nobody', '--rate', '5/minute').code == 1)


def test_settings(folder):
    with serve(folder, env={'SLUICE_KEY_RATE': '2/minute', 'SLUICE_KEY_ALLOW': '127.0.0.0/8'}) as server:
        secret = server.key('ext')
        equal('the settings are everybody\'s rules', [status(server, secret) for _ in range(3)], [200, 200, 429])
        row = listed(server.data)[0]
        equal('the list tells them', (row['rate'], row['rate_default'], row['allow'], row['allow_default']), ('2/minute', True, '127.0.0.0/8', True))
        key(server, 'set', 'ext', '--rate', '100/minute', '--allow', '10.0.0.0/8')
        equal('own rules go before', status(server, secret), 401)
        key(server, 'set', 'ext', '--allow', 'default')
        equal('until they are given up', status(server, secret), 200)
    for name, value in (('KEY_RATE', 'lots'), ('KEY_ALLOW', 'example.com'), ('PROXY_TRUSTED', '10.0.0.0/99')):
        result = command('serve', '--data', f'{folder}/data', '--listen', '127.0.0.1:0', env={f'SLUICE_{name}': value})
        ok(f'{name} {value!r} is refused at the start', result.code == 2 and name.lower().replace('_', '.', 1) in result.err, repr(result))


NESTED = 'r = invokeurl [ url: crmAPIRequest.get("params").get("url") type: GET ];\nreturn r;'


def test_allow(folder):
    ext = rig.extension(f'{folder}/ext', functions={'f': 'return "fine";', 'nest': NESTED})
    with rig.Server(ext, data=f'{folder}/data') as server:
        secret = server.key('ext')
        key(server, 'set', 'ext', '--allow', '10.0.0.0/8, 2001:db8::/32')
        refused = server.send('GET', target(secret))
        equal('from elsewhere a good key is a wrong one', (refused.status, refused.text), (401, WRONG))
        ok('the owner reads why', rig.until(lambda: 'refused=address address=127.0.0.1 org=default environment=production namespace=ext' in server.err),
           server.err[-2000:])
        equal('nobody writes where he comes from', status(server, secret, [('X-Forwarded-For', '10.0.0.1')]), 401)
        key(server, 'set', 'ext', '--allow', '192.0.2.1,127.0.0.1')
        equal('from an address of the list it opens', status(server, secret), 200)
        url = f'http://{server.address[0]}:{server.address[1]}{target(secret)}'
        inner = server.send('POST', target(secret, 'ext__nest'), [('Content-Type', 'application/x-www-form-urlencoded')],
                            ('url=' + url.replace('%', '%25').replace('&', '%26').replace('?', '%3F')).encode())
        ok('a script\'s own call has no address', 'fine' in inner.output(), inner)
        key(server, 'set', 'ext', '--allow', 'any')
        equal('any is anywhere', status(server, secret), 200)
        for allow in ('example.com', '10.0.0.0/33', '10.0.0.256', '::/129', '10.0.0.1:80', ','.join(['10.0.0.1'] * 33)):
            result = key(server, 'set', 'ext', '--allow', allow)
            ok(f'{allow[:20]!r} is no list', result.code == 1 and 'address' in result.err, repr(result))
        equal('and changes nothing', status(server, secret), 200)


def test_proxies(folder):
    with serve(folder, env={'SLUICE_PROXY_TRUSTED': '127.0.0.0/8,172.16.0.0/12'}) as server:
        secret = server.key('ext')
        key(server, 'set', 'ext', '--allow', '10.0.0.0/8,2001:db8::/32')
        for hops, want in ((['10.1.2.3'], 200), (['6.6.6.6, 10.1.2.3'], 200), (['10.1.2.3, 6.6.6.6'], 401), (['10.1.2.3, 172.20.0.1'], 200), (['10.1.2.3:4711'], 200),
                           (['[2001:db8::7]:4711'], 200), (['2001:db8::7'], 200), (['::ffff:10.1.2.3'], 200), (['6.6.6.6', '10.1.2.3'], 200),
                           (['10.1.2.3', '6.6.6.6'], 401), (['10.1.2.3', '172.20.0.1'], 200), (['unknown'], 401), (['10.1.2.3, junk'], 401), (['10.1.2.3,'], 401),
                           ([''], 401), ([','.join(['172.16.0.1'] * 200)], 401), ([], 401)):
            equal(f'behind a proxy, X-Forwarded-For {str(hops)[:40]}', status(server, secret, [('X-Forwarded-For', hop) for hop in hops]), want)


# ---- what is kept, and what is told


def test_list(folder):
    data = f'{folder}/data'
    with serve(folder) as server:
        secret = server.key('ext')
        row = listed(data)[0]
        equal('a key that was never used', (row['namespace'], row['state'], row['last_used_time'], row['rate'], row['allow']), ('ext', 'current', None, 'none', 'any'))
        matches('for people', key(server, 'list').out, r'^ext  1003\.…  created \S+  used never  ends never  rate none \(default\)  allow any \(default\)\n$')
        before = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=2)
        equal('is used', status(server, secret), 200)
        used = rig.until(lambda: listed(data)[0]['last_used_time'], 15)
        ok('some seconds later the list knows', used and datetime.datetime.fromisoformat(used) >= before.replace(microsecond=0), used)
        other = key(server, 'rotate', 'ext').out.strip()
        status(server, other)
        wrong = status(server, secret)
    used = listed(data)[0]['last_used_time']
    ok('a stop writes the last uses', wrong == 401 and used, listed(data))
    text = command('key', 'list', '--data', data).out + json.dumps(listed(data))
    ok('no list holds a key', secret not in text and other not in text and not re.search(r'1003\.[0-9a-f]', text), text)
    command('org', 'new', 'acme', '--data', data)
    equal('another org has its own list', listed(data, '--org', 'acme'), [])


def test_secrecy(folder):
    data = f'{folder}/data'
    with serve(folder, env={'SLUICE_LOG_LEVEL': 'debug'}) as server:
        keys = [server.key('ext')]
        for words in ((), ('--grace', '1h'), ()):
            keys.append(key(server, 'rotate', 'ext', *words).out.strip())
            for text in keys:
                status(server, text)
                server.send('GET', target('x'), [('X-Sluice-Key', text)])
                server.send('GET', '/crm/v2/functions/ext__f/actions/execute', [('X-Sluice-Key', text)])
        key(server, 'set', 'ext', '--allow', '10.0.0.1')
        status(server, keys[-1])
        key(server, 'revoke', 'ext')
        said = server.err + ''.join(server.out.splitlines(True)[-1:])
        said += command('logs', '--data', data, '--json').out + command('logs', '--audit', '--data', data, '--json').out + command('logs', '--data', data).out
    for name in glob.glob(f'{data}/**', recursive=True):
        if os.path.isfile(name):
            with open(name, 'rb') as file:
                said += file.read().decode('latin-1')
    found = [text for text in keys for part in (text, text[5:37], text[38:]) if part in said]
    equal('no key, nor half of one, stands in logs or in the data folder', found, [])


def test_audit(folder):
    data = f'{folder}/data'
    command('org', 'new', 'acme', '--data', data)
    command('org', 'sandbox', 'acme', '--data', data)
    with serve(folder) as server:
        key(server, 'rotate', 'ext', '--grace', '1h')
        key(server, 'set', 'ext', '--rate', '5/minute')
        key(server, 'set', 'ext', '--rate', 'never')
        key(server, 'revoke', 'ext')
        rows = [json.loads(line) for line in command('logs', '--audit', '--json', '--data', data).out.splitlines()]
    # rows of other actions may stand between
    mine = [(row['actor'], row['action'], row['subject'], row['org'], row['environment'], row['outcome']) for row in rows if row['action'].split()[0] in ('key', 'org')]
    equal('each change has its row', mine,
          [('owner', 'org new', 'acme', 'acme', 'production', 'done'), ('owner', 'org sandbox', 'acme', 'acme', 'sandbox', 'done'),
           ('owner', 'key rotate', 'ext', 'default', 'production', 'done'), ('owner', 'key set', 'ext', 'default', 'production', 'done'),
           ('owner', 'key set', 'ext', 'default', 'production', 'failed'), ('owner', 'key revoke', 'ext', 'default', 'production', 'done')])
    ids = [row['id'] for row in rows]
    ok('in order, with their times', ids == sorted(set(ids)) and all(datetime.datetime.fromisoformat(row['time']) for row in rows), rows)
    last = command('logs', '--audit', '--limit', '1', '--data', data)
    matches('the last ones for people, without a server', last.out, r'^\S+ owner .+ default/production done\n$')
    for words in (('-f',), ('--failures',), ('ext__f',)):
        equal(f'{words[0]} does not go with it', command('logs', '--audit', *words, '--data', data).code, 2)


for test in (test_rotate, test_grace, test_revoke, test_standalone, test_rate, test_settings, test_allow, test_proxies, test_list, test_secrecy, test_audit):
    with rig.folder() as path:
        test(path)
rig.done()
