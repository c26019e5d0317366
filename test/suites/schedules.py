#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Functions that run by the clock: setting, listing, running by command, due times, missed runs, runs that overlap, what extensions bring.

Nothing here waits for a minute to pass: due times are moved in the data base of a server that is stopped."""
import _rig as rig
from _rig import command, equal, matches, ok

import json
import sqlite3
import subprocess
import time

TICK = 'void schedule.tick()\n{\n    info "tick";\n    zoho.crm.createRecord("Leads",{"Last_Name":"Tick"});\n}\n'
FAIL = 'void schedule.broken()\n{\n    info "before";\n    x = null;\n    y = x.get("a");\n}\n'
SLOW = 'void schedule.slow()\n{\n    s = invokeurl [ url: "http://127.0.0.1:PORT/" type: GET ];\n}\n'


def listed(data, *more):
    return {row['function']: row for row in json.loads(command('schedule', 'list', '--json', '--data', data, *more).out or '[]')}


def runs(data, name=''):
    lines = command('logs', *([name] if name else []), '--json', '--limit', '1000', '--data', data).out.splitlines()
    return [json.loads(line) for line in lines]


def put(data, **sources):
    with rig.folder() as folder:
        files = [rig.write(f'{folder}/{name}.dg', text) for name, text in sources.items()]
        return command('fn', 'put', *files, '--data', data)


def sql(data, statement, *values, base='orgs/default/production'):
    """Only SQLite's files can be reached from here; the suite leaves these tests out on PostgreSQL."""
    with sqlite3.connect(f'{data}/{base}.db', timeout=20) as connection:
        rows = connection.execute(statement, values).fetchall()
    connection.close()
    return rows


def due(data, function, seconds, **more):
    """Its next time is so many seconds from now, negative: before."""
    sql(data, 'UPDATE ext_schedule SET next_ms = ? WHERE function = ?', int((time.time() + seconds) * 1000), function, **more)


def test_commands(data):
    put(data, tick=TICK, broken=FAIL)
    result = command('schedule', 'set', 'tick', '0 2 * * *', '--zone', 'Europe/Berlin', '--missed', 'all', '--data', data)
    matches('setting says when it is next', result.out, r'^schedule\.tick "0 2 \* \* \*" Europe/Berlin, missed runs: all\n  next \d{4}-\d\d-\d\dT02:00:00\+0[12]:00')
    row = listed(data)['schedule.tick']
    equal('it is listed', [row[key] for key in ('cron', 'zone', 'missed', 'extension', 'running', 'last_time')],
          ['0 2 * * *', 'Europe/Berlin', 'all', None, False, None])
    command('schedule', 'set', 'schedule.tick', '@hourly', '--data', data)
    row = listed(data)
    equal('setting again replaces it', [len(row), row['schedule.tick']['cron'], row['schedule.tick']['missed']], [1, '@hourly', 'skip'])
    matches('in the zone of the org', row['schedule.tick']['next_time'], r':00:00[+-]')
    result = command('schedule', 'run', 'tick', '--data', data)
    ok('running it by command shows its log and outcome', result.code == 0 and '3: tick' in result.err and result.out.startswith('ok '), repr(result))
    row = listed(data)['schedule.tick']
    ok('then it is known when it last ran', row['last_time'] and row['last_outcome'] == 'ok', row)
    equal('the run log has it, with its trigger', [(run['function'], run['trigger'], run['outcome']) for run in runs(data)],
          [('schedule__tick', 'schedule', 'ok')])
    command('schedule', 'set', 'broken', '@daily', '--data', data)
    result = command('schedule', 'run', 'broken', '--data', data)
    ok('one that fails exits 1 and says why', result.code == 1 and result.out.startswith('script_error ') and "'get' function cannot be applied" in result.err,
       repr(result))
    matches('it can be taken away', command('schedule', 'remove', 'tick', '--data', data).out, 'removed tick')
    equal('and is gone', list(listed(data)), ['schedule.broken'])


def test_wrong(data):
    put(data, tick=TICK)
    for words, text in ((('tick', '* * * *'), 'no cron expression'), (('tick', '61 * * * *'), r'"61" is no minute'),
                        (('tick', '0 0 30 2 *'), 'never comes'), (('tick', '@reboot'), 'no cron expression'),
                        (('nobody', '@daily'), 'there is no function "nobody"'), (('tick', '@daily', '--zone', 'Mars/Base'), 'no time zone "Mars/Base"'),
                        (('tick', '@daily', '--missed', 'twice'), 'skip, once or all'), (('x' * 300, '@daily'), 'there is no function')):
        result = command('schedule', 'set', *words, '--data', data)
        ok(f'set {words[0][:9]} {words[1:]} is refused', result.code == 1 and rig.re.search(text, result.err), repr(result))
    equal('nothing was set', listed(data), {})
    for verb in ('run', 'remove'):
        result = command('schedule', verb, 'tick', '--data', data)
        ok(f'{verb} of what has no schedule', result.code == 1 and '"tick" has no schedule' in result.err, repr(result))
    equal('words that are missing are wrong usage', command('schedule', 'set', 'tick', '--data', data).code, 2)


def test_due(data):
    put(data, tick=TICK)
    command('schedule', 'set', 'tick', '0 0 1 1 *', '--data', data)
    due(data, 'schedule.tick', 1.5)
    with rig.Server(data=data):
        rig.until(lambda: runs(data))
        equal('what is due runs, as the super admin', [(run['function'], run['trigger'], run['outcome']) for run in runs(data)],
              [('schedule__tick', 'schedule', 'ok')])
        row = listed(data)['schedule.tick']
        matches('the next time stands in the data', row['next_time'], r'-01-01T00:00:00')
        equal('the outcome stands with it', rig.until(lambda: listed(data)['schedule.tick']['last_outcome']), 'ok')
    equal('what it did is there', sql(data, 'SELECT count(*) FROM "Leads"') if not rig.POSTGRES else None, [(1,)] if not rig.POSTGRES else None)
    next_time = listed(data)['schedule.tick']['next_time']
    with rig.Server(data=data):
        equal('the next time outlives a restart', listed(data)['schedule.tick']['next_time'], next_time)
    equal('which runs nothing', len(runs(data)), 1)


def missed(data, policy, cron, seconds):
    put(data, tick=TICK)
    command('schedule', 'set', 'tick', cron, '--missed', policy, '--data', data)
    due(data, 'schedule.tick', -seconds)
    with rig.Server(data=data):
        command('schedule', 'list', '--data', data)
        rig.until(lambda: sql(data, 'SELECT next_ms > ? FROM ext_schedule', int(time.time() * 1000)) == [(1,)])
        time.sleep(0.3)
    return len(runs(data))


def test_missed(data):
    equal('missed runs are left out', missed(f'{data}-skip', 'skip', '0 * * * *', 5 * 3600), 0)
    equal('or one is made up for', missed(f'{data}-once', 'once', '0 * * * *', 5 * 3600), 1)
    count = missed(f'{data}-all', 'all', '0 * * * *', 5 * 3600)
    ok('or each', count in (5, 6), count)  # the moved time itself, and the full hours since
    rig.write(f'{data}-most/config', 'limit.schedule_missed = 3\n')
    equal('of which there is a limit', missed(f'{data}-most', 'all', '* * * * *', 5 * 3600), 3)


def test_killed(data):
    """A run that was taken and never began is made up for, where missed ones are."""
    put(data, tick=TICK)
    command('schedule', 'set', 'tick', '@yearly', '--missed', 'once', '--data', data)
    sql(data, 'UPDATE ext_schedule SET owed = 1, running_ms = ?', int(time.time() * 1000))
    with rig.Server(data=data):
        rig.until(lambda: runs(data))
    equal('what was owed runs after a crash', len(runs(data)), 1)
    equal('and no mark is left', sql(data, 'SELECT owed, running_ms FROM ext_schedule'), [(0, 0)])


def test_overlap(data):
    """While a run waits for an answer, the next is due."""
    import socket
    with socket.create_server(('127.0.0.1', 0)) as silent:
        rig.write(f'{data}/config', 'outbound.allow = 127.0.0.1\n')
        put(data, tick=TICK, slow=SLOW.replace('PORT', str(silent.getsockname()[1])))
        command('schedule', 'set', 'slow', '@yearly', '--data', data)
        with rig.Server(data=data):
            running = subprocess.Popen([rig.SLUICE, 'schedule', 'run', 'slow', '--data', data], env=rig.ENVIRONMENT, stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE)
            ok('it runs', rig.until(lambda: listed(data)['schedule.slow']['running']))
            peer, _ = silent.accept()
            result = command('schedule', 'run', 'slow', '--data', data)
            ok('a second run at the same time is refused', result.code == 1 and 'is running now' in result.err, repr(result))
            due(data, 'schedule.slow', -1)
            command('schedule', 'set', 'tick', '@yearly', '--data', data)  # makes it look
            skipped = rig.until(lambda: runs(data, 'schedule.slow'))
            matches('one that is due is skipped, and the log says so', json.dumps(skipped), 'was skipped: the one before is still running')
            peer.recv(65536)
            peer.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
            peer.close()
            equal('the first one ends well', running.wait(rig.WAIT_S), 0)
            running.communicate()
            equal('nothing was made up for', [run['outcome'] for run in runs(data, 'schedule.slow')], ['refused', 'ok'])


def test_stop(data):
    """A run that goes on when the server is told to stop is ended after the usual time limit."""
    rig.write(f'{data}/config', 'limit.time_ms = 300\nlimit.statements = 1000000000\n')
    put(data, long='void schedule.long()\n{\n    items = leftpad("1",20000).toList("");\n    for each i in items\n    {\n        for each j in items\n'
                   '        {\n            x = 1;\n        }\n    }\n}\n')
    command('schedule', 'set', 'long', '@yearly', '--data', data)
    due(data, 'schedule.long', 1)
    with rig.Server(data=data) as server:
        ok('it is longer than a call may be', rig.until(lambda: listed(data)['schedule.long']['running']))
        time.sleep(0.6)
        ok('and still runs', listed(data)['schedule.long']['running'])
        server.stop('the server stops all the same')
    equal('the run ended by its limit', [run['outcome'] for run in runs(data)], ['limit'])
    row = listed(data)['schedule.long']
    equal('which is known', [row['running'], row['last_outcome']], [False, 'limit'])


def test_orgs(data):
    """Other orgs and sandboxes have schedules of their own; their environments are opened because of them."""
    command('org', 'new', 'acme', '--time-zone', 'Asia/Kolkata', '--data', data)
    command('org', 'sandbox', 'acme', '--data', data)
    with rig.folder() as folder:
        file = rig.write(f'{folder}/tick.dg', TICK)
        for more in ((), ('--sandbox',)):
            command('fn', 'put', file, '--org', 'acme', '--data', data, *more)
            command('schedule', 'set', 'tick', '30 0 * * *', '--org', 'acme', '--data', data, *more)
    row = listed(data, '--org', 'acme')['schedule.tick']
    matches('an org\'s own zone counts', row['next_time'], r'T00:30:00\+05:30')
    equal('the default org has none', listed(data), {})
    for environment in ('production', 'sandbox'):
        due(data, 'schedule.tick', 1, base=f'orgs/acme/{environment}')
    with rig.Server(data=data):
        rig.until(lambda: len(runs(data)) >= 2)
    equal('both environments ran theirs', sorted((run['org'], run['environment']) for run in runs(data)), [('acme', 'production'), ('acme', 'sandbox')])


def test_extension(data):
    """Schedules of a manifest come and go with the extension; what the org says of them counts."""
    with rig.folder() as folder:
        functions = {'sync': 'void ns.sync() { info "sync"; }', 'other': 'void ns.other() { info "other"; }'}
        schedules = [{'function': 'sync', 'cron': '0 3 * * *', 'missed': 'once'}, {'function': 'ns.other', 'cron': '@hourly'}]

        def release(version, **more):
            path = rig.extension(f'{folder}/{version}', 'ns', version, functions, **more)
            return command('ext', 'publish', path, '--data', data)

        for wrong, text in (([{'function': 'nobody', 'cron': '@daily'}], 'names the function "nobody"'), ([{'function': 'sync', 'cron': '* *'}], 'no cron expression'),
                            ([{'function': 'sync', 'cron': '@daily', 'missed': 'maybe'}], 'skip, once or all'), ([{'function': 'x.sync', 'cron': '@daily'}], 'names the function')):
            result = release('0.0.1', schedules=wrong)
            ok(f'a manifest with {wrong} is not published', result.code == 1 and text in result.err + result.out, repr(result))
        release('1.0.0', schedules=schedules)
        equal('installing', command('ext', 'install', 'ns', '--data', data).code, 0)
        rows = listed(data)
        equal('brings them', {name: (row['cron'], row['missed'], row['extension']) for name, row in rows.items()},
              {'ns.sync': ('0 3 * * *', 'once', 'ns'), 'ns.other': ('@hourly', 'skip', 'ns')})
        matches('with their next times', rows['ns.sync']['next_time'], 'T03:00:00')
        command('schedule', 'set', 'ns.sync', '0 5 * * *', '--data', data)
        command('schedule', 'remove', 'ns.other', '--data', data)
        release('1.1.0', schedules=schedules)
        equal('an upgrade', command('ext', 'upgrade', 'ns', '--data', data).code, 0)
        rows = listed(data)
        equal('leaves what the org said', {name: (row['cron'], row['extension']) for name, row in rows.items()}, {'ns.sync': ('0 5 * * *', None)})
        release('2.0.0', schedules=[{'function': 'other', 'cron': '@daily'}], files={'install/on_update.dg': 'x = null;\ny = x.get("a");\n'})
        equal('one that fails', command('ext', 'upgrade', 'ns', '--data', data).code, 1)
        equal('changes nothing', list(listed(data)), ['ns.sync'])
    with rig.folder() as folder:
        other = f'{data}-two'
        path = rig.extension(f'{folder}/ext', 'ns', '1.0.0', {'sync': 'void ns.sync() { info "sync"; }'}, schedules=[{'function': 'sync', 'cron': '@hourly'}])
        command('ext', 'publish', path, '--data', other)
        command('ext', 'install', 'ns', '--data', other)
        equal('uninstalling', command('ext', 'uninstall', 'ns', '--data', other).code, 0)
        equal('takes them away', listed(other), {})


TESTS = (test_commands, test_wrong, test_extension)
FILES = (test_due, test_missed, test_killed, test_overlap, test_stop, test_orgs)  # these look into SQLite's files
for test in TESTS + (() if rig.POSTGRES else FILES):
    with rig.folder() as path:
        test(f'{path}/data')
rig.done()
