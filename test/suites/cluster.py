#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two processes on one PostgreSQL data base: each sees at once what the other writes, installs and revokes; neither undoes the other's running
installation, both undo a dead one's; records that must be unique stay so; a server that goes away is told, not hidden.

Runs on a private server of its own (test/postgres.py). Usage: cluster.py SLUICE"""
import concurrent.futures
import json
import os
import shutil
import sys
import time

sys.path.insert(1, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import _rig as rig
import postgres

CREATE = '''string shared.add(Map crmAPIRequest)
{
  r = zoho.crm.createRecord("Leads",{"Last_Name":crmAPIRequest.get("params").get("name"),"Company":"C"});
  return r.get("id");
}'''
FIND = '''string shared.find(Map crmAPIRequest)
{
  r = zoho.crm.searchRecords("Leads","(Last_Name:equals:" + crmAPIRequest.get("params").get("name") + ")");
  return r.size();
}'''
UPSERT = '''string shared.meet(Map crmAPIRequest)
{
  r = zoho.crm.upsert("Leads",{"Last_Name":"Same","Company":"C","Email":crmAPIRequest.get("params").get("email")},{"duplicate_check_fields":{"Email"}});
  return r;
}'''
SLOW_ACTION = '''void install_action(Map installParamMap)
{
  zoho.crm.createRecord("Leads",{"Last_Name":"Half","Company":"installed"});
  postUrl("http://127.0.0.1:PORT/",{"a":"b"});
}'''


class Pair:
    """Two data folders with the same master key, on one data base."""

    def __init__(self, folder, server, base):
        rig.query(server.address(), f'CREATE DATABASE {base}')
        self.url = server.address().replace('/postgres?', f'/{base}?')
        self.folder, self.key = folder, f'{folder}/master.key'
        self.env = {'SLUICE_STORE': self.url, 'SLUICE_MASTER_KEY_FILE': self.key}
        with open(self.key, 'wb') as file:
            file.write(os.urandom(32).hex().encode())
        os.chmod(self.key, 0o600)

    def serve(self, name, *folders, **more):
        return rig.Server(*folders, data=f'{self.folder}/{name}', env=self.env, **more)

    def sql(self, query):
        return rig.query(self.url, f"SET search_path = 'orgs/default/production'; {query}").strip()


def test_each_sees_the_other(pair):
    ext = rig.extension(f'{pair.folder}/shared', 'shared', functions={'add': CREATE, 'find': FIND, 'meet': UPSERT})
    a = pair.serve('a', ext)
    b = pair.serve('b')
    add, find, meet = a.target('shared__add'), a.target('shared__find'), a.target('shared__meet')
    rig.equal('a record written through one is found through the other',
              [(a.send('POST', add + f'&name=n{i}').status, b.send('POST', find + f'&name=n{i}').output()) for i in range(10)], [(200, '1')] * 10)
    ids = [int((a, b)[i % 2].send('POST', add + '&name=order').output()) for i in range(10)]
    rig.equal('ids grow in the order of the writes, whoever writes', ids, sorted(set(ids)))

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda i: (a, b)[i % 2].send('POST', meet + f'&email=m{i % 3}@example.com'), range(60)))
    rig.ok('upserts of the same record through both at once all succeed', all(r.status == 200 and 'success' in r.output() for r in replies), replies)
    rig.equal('and make one record each', pair.sql('SELECT "Email", count(*) FROM "Leads" WHERE "Last_Name" = \'Same\' GROUP BY 1 ORDER BY 1'),
              'm0@example.com|1\nm1@example.com|1\nm2@example.com|1')

    for i in range(3):
        rig.write(f'{ext}/functions/add.dg', f'string shared.add(Map crmAPIRequest)\n{{\n  return "edit {i}";\n}}')
        rig.until(lambda: a.send('POST', add).output() == f'edit {i}')
        rig.equal(f'an edit that one serves is served by the other at once ({i})', b.send('POST', add).output(), f'edit {i}')
    done = rig.command('key', 'revoke', 'shared', '--data', a.data, env=pair.env)
    rig.ok('a key is revoked through one', done.code == 0, done)
    rig.equal('and is good for neither', [server.send('POST', add).status for server in (a, b)], [401, 401])
    b.stop('the second process: exit 0')
    a.stop('the first process: exit 0')


def control(server, method, target, body):
    """By control.sock, as its owner."""
    import socket
    sent = json.dumps(body).encode()
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(rig.WAIT_S)
        sock.connect(f'{server.data}/control.sock')
        sock.sendall(f'{method} {target} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(sent)}\r\nConnection: close\r\n\r\n'.encode() + sent)
        raw = b''
        while piece := sock.recv(65536):
            raw += piece
    return rig.Reply(raw)


def test_drafts(pair):
    """Changes of one draft through both at once: none is lost, although each reads the manifest and writes it back."""
    a = pair.serve('a')
    b = pair.serve('b')
    rig.equal('an extension is begun', control(a, 'POST', '/control/drafts', {'name': 'Both', 'namespace': 'both'}).status, 200)
    rig.equal('once', control(b, 'POST', '/control/drafts', {'name': 'Both', 'namespace': 'both'}).status, 400)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda i: control((a, b)[i % 2], 'PUT', f'/control/drafts/both/variables/v{i}', {'value': str(i)}), range(40)))
        replies += pool.map(lambda i: control((a, b)[i % 2], 'PUT', f'/control/drafts/both/functions/f{i % 5}', {'source': f'return {i};'}), range(20))
    rig.ok('every save is done', all(reply.status == 200 for reply in replies), [reply for reply in replies if reply.status != 200])
    shown = control(b, 'GET', '/control/drafts/both', {}).json()
    rig.equal('and there', (sorted(one['value'] for one in shown['variables']), len(shown['functions'])), (sorted(map(str, range(40))), 5))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        replies = list(pool.map(lambda server: control(server, 'POST', '/control/drafts/both/publish', {'version': '1.0.0'}), (a, b)))
    rig.equal('a version is published once', sorted(reply.status for reply in replies), [200, 400])
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        replies = list(pool.map(lambda i: control((a, b)[i], 'PUT', f'/control/drafts/both/functions/g{i}', {'source': 'return 1;'}), range(2)))
    shown = control(a, 'GET', '/control/drafts/both', {}).json()
    rig.equal('of two first edits of a version one begins the draft, and both are in it',
              ([reply.status for reply in replies], shown['draft'], len(shown['functions'])), ([200, 200], True, 7))
    b.stop()
    a.stop()


def test_another_master_key(pair):
    a = pair.serve('a')
    other = rig.command('serve', '--data', f'{pair.folder}/c', '--listen', '127.0.0.1:0', env={'SLUICE_STORE': pair.url}, seconds=30)
    rig.ok('a process with another master key is refused', other.code == 1 and 'master key' in other.err, other)
    a.stop()


def test_installations(pair):
    """The action hangs in a request to a listener that does not answer."""
    import socket
    listener = socket.socket()
    listener.bind(('127.0.0.1', 0))
    listener.listen(4)
    port = listener.getsockname()[1]
    ext = rig.extension(f'{pair.folder}/slow', 'slow', functions={'hi': 'string slow.hi()\n{\n  return "hi";\n}'},
                        files={'install/on_installation.dg': SLOW_ACTION.replace('PORT', str(port))})
    half = lambda: pair.sql('SELECT count(*) FROM "Leads" WHERE "Last_Name" = \'Half\'')
    first = pair.serve('a')
    first.stop()
    a = pair.serve('a', ext, ready=False)
    rig.until(lambda: half() == '1')
    rig.equal('an installation is half done', half(), '1')
    b = pair.serve('b')
    rig.equal('another process that starts leaves it alone', (half(), pair.sql('SELECT count(*) FROM ext_pending')), ('1', '1'))
    a.kill()
    b.stop()
    b = pair.serve('b')
    rig.equal('what a killed process had installed is undone by the next that starts', (half(), pair.sql('SELECT count(*) FROM ext_pending')),
              ('0', '0'))
    rig.equal('with its functions', pair.sql("SELECT count(*) FROM ext_function WHERE namespace = 'slow'"), '0')
    b.stop()
    listener.close()


def test_server_goes(pair, server):
    ext = rig.extension(f'{pair.folder}/shared', 'shared', functions={'add': CREATE, 'find': FIND})
    a = pair.serve('a', ext)
    add, find = a.target('shared__add'), a.target('shared__find')
    rig.equal('before', a.send('POST', add + '&name=before').status, 200)
    server.stop()
    gone = a.send('POST', add + '&name=gone')
    rig.ok('without the server a call fails and says so', gone.status == 503, gone)
    server.start()
    back = rig.until(lambda: a.send('POST', add + '&name=after').status == 200)
    rig.ok('with the server back the next calls work', back)
    rig.equal('nothing was lost, nothing was made up',
              [a.send('POST', find + f'&name={name}').output() for name in ('before', 'gone')], ['1', '0'])
    a.stop('exit 0 after all that')


def main():
    try:
        server = postgres.Postgres(durable=True)
    except Exception as why:
        print(f'1..0 # SKIP {str(why).splitlines()[0]}')
        print(f'ok 1 - skipped: {str(why).splitlines()[0]}')
        return
    try:
        for number, test in enumerate((test_each_sees_the_other, test_drafts, test_another_master_key, test_installations, test_server_goes)):
            with rig.folder() as folder:
                pair = Pair(folder, server, f'cluster{number}')
                test(*(pair, server)[:test.__code__.co_argcount])
    finally:
        server.remove()
    rig.done()


main()
