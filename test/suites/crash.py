#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""kill -9 at any moment: every record whose creation was answered is there after the next start, what was written together is there whole or not at all,
and nothing is left of an installation whose action had not ended."""
import _rig as rig
from _rig import command, equal, ok, rows

import collections
import http.server
import json
import os
import random
import threading
import time

ROUNDS, CLIENTS, TOGETHER = 20, 4, 3
CREATE = '''string crash.create(string crmAPIRequest)
{
	t = crmAPIRequest.get("params").get("token");
	one = zoho.crm.createRecord("Leads",{"Last_Name":t,"Company":t,"Description":t});
	rows = List();
	for each i in {1,2,3}
	{
		rows.add({"Last_Name":t,"First_Name":"" + i});
	}
	three = zoho.crm.invokeConnector("crm.create",{"module":"Contacts","data":rows});
	return {"lead":one.get("id"),"contacts":three.get("response").get("data").toString().getOccurenceCount("SUCCESS")};
}
'''


class Client(threading.Thread):
    """Creates records until the server is gone; `answered` holds what it was told is there."""

    def __init__(self, server, name):
        super().__init__(daemon=True)
        self.server, self.prefix, self.answered, self.wrong = server, name, {}, []
        self.start()

    def run(self):
        for number in range(100000):
            token = f'{self.prefix}-{number}'
            try:
                reply = self.server.call('crash__create', f'token={token}', seconds=10)
            except OSError:
                return
            if not reply.body:
                return  # the connection was cut
            try:
                found = json.loads(reply.output())
                self.answered[token] = found['lead']
                if found['contacts'] != TOGETHER:
                    self.wrong.append(reply.text)
            except (ValueError, KeyError, TypeError):
                if reply.body.rstrip().endswith(b'}'):
                    self.wrong.append(repr(reply))  # a whole reply that is not the expected one
                return


def test_records(folder):
    data, ext = f'{folder}/data', rig.extension(f'{folder}/ext', 'crash', functions={'create': CREATE})
    answered, wrong, starts, random_ = {}, [], 0, random.Random(7)
    before = time.monotonic()
    for round_ in range(ROUNDS):
        server = rig.Server(ext, data=data)
        starts += 1
        clients = [Client(server, f'{round_}-{i}') for i in range(CLIENTS)]
        time.sleep(random_.uniform(0.02, 0.5))
        server.kill()
        for client in clients:
            client.join(rig.WAIT_S)
            answered.update(client.answered)
            wrong += client.wrong
        if time.monotonic() - before > 45:
            break
    with rig.Server(ext, data=data) as server:
        leads = {token: (str(id_), company, text) for id_, token, company, text in rows(data, 'SELECT id, Last_Name, Company, Description FROM Leads')}
        contacts = collections.Counter(row[0] for row in rows(data, 'SELECT Last_Name FROM Contacts'))
        lost = [token for token, id_ in answered.items() if token not in leads or leads[token][0] != id_]
        equal(f'{starts} kills, {len(answered)} answered records: none is lost', lost, [])
        ok('there were enough to tell', len(answered) > starts, len(answered))
        equal('every answer was a whole one', wrong, [])
        equal('no record is half', [lead for token, lead in leads.items() if lead[1:] != (token, token)], [])
        equal('what was answered with it is there too', [token for token in answered if contacts[token] != TOGETHER], [])
        equal('rows that were written together are together', [token for token, number in contacts.items() if number != TOGETHER], [])
        rig.POSTGRES or equal('the data base is sound', rows(data, 'PRAGMA integrity_check'), [['ok']])
        equal('and takes more', json.loads(server.call('crash__create', 'token=last').output())['contacts'], TOGETHER)
    ids = [row[0] for row in rows(data, 'SELECT id FROM Leads UNION ALL SELECT id FROM Contacts')]
    equal('no id was given twice', len(ids), len(set(ids)))


class Upstream(http.server.BaseHTTPRequestHandler):
    """Never answers before it is released: an install action that asks it stands still."""
    asked, release = threading.Event(), threading.Event()

    def do_GET(self):
        Upstream.asked.set()
        Upstream.release.wait(60)

    def log_message(self, *_):
        pass


MODULE = '{"api_name":"Things","singular_label":"Thing","plural_label":"Things","name_field":{"api_name":"Thing_Name"},"fields":[{"api_name":"Size","data_type":"integer"}]}'
FIELD = '{"api_name":"Leads","fields":[{"api_name":"Shoe_Size","data_type":"integer"}]}'
ACTION = '''a = zoho.crm.createRecord("Leads",{"Last_Name":"from the action","Company":"c","stop__Shoe_Size":4});
b = zoho.crm.createRecord("stop__Things",{"stop__Thing_Name":"t","stop__Size":1});
c = zoho.crm.updateRecord("Contacts",zoho.crm.getRecords("Contacts").get(0).get("id"),{"Email":"changed@example.com"});
d = zoho.crm.invokeConnector("crm.set",{"apiname":"stop.url","value":"set by the action"});
r = invokeurl [ url :"http://127.0.0.1:%d/" type :GET ];
'''
WHOLE = {'leads': 'SELECT Last_Name FROM Leads', 'contacts': 'SELECT Last_Name, Email FROM Contacts', 'variables': 'SELECT canonical, value FROM ext_variable ORDER BY 1',
         'functions': 'SELECT canonical, source FROM ext_function ORDER BY 1', 'keys': 'SELECT count(*) FROM auth_key', 'installed': 'SELECT namespace, version FROM ext_installed ORDER BY 1',
         'modules': "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'stop%' ORDER BY 1", 'fields': "SELECT name FROM pragma_table_info('Leads') WHERE name LIKE 'stop%'",
         'metadata': "SELECT api_name FROM crm_field WHERE namespace LIKE 'stop%' ORDER BY 1"}


def state(data):
    return {name: rows(data, query) for name, query in WHOLE.items()}


def kill_inside(folders, data, title):
    """Starts a server whose action stands still, kills it there, and starts another without the folder."""
    Upstream.asked.clear()
    server = rig.Server(*folders, data=data, ready=False)
    ok(f'{title}: the action runs', Upstream.asked.wait(rig.WAIT_S), server.err)
    ok(f'{title}: and has written', rows(data, "SELECT 1 FROM Leads WHERE Last_Name = 'from the action'"))
    server.kill()


def test_install(folder):
    upstream = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Upstream)
    upstream.daemon_threads = True
    threading.Thread(target=upstream.serve_forever, daemon=True).start()
    data, action = f'{folder}/data', ACTION % upstream.server_port
    people = rig.extension(f'{folder}/people', 'people', functions={'hello': 'return "hello";'},
                           files={'seed/c.json': '{"records":{"Contacts":[{"Last_Name":"First","Email":"first@example.com"}]}}'})
    stop = rig.extension(f'{folder}/stop', 'stop', functions={'hello': 'return "one";'}, variables=[{'field_name': 'URL', 'api_name': 'url', 'value': 'v'}],
                         files={'install/on_installation.dg': action, 'modules/things.json': MODULE, 'modules/leads.json': FIELD})
    rig.Server(people, data=data).stop()
    before = state(data)
    kill_inside([people, stop], data, 'killed inside an install action')
    with rig.Server(people, data=data) as server:
        after = state(data)
        for name in WHOLE:
            equal(f'killed inside an install action, nothing is left: {name}', after[name], before[name])
        equal('killed inside an install action: no key', command('key', 'show', 'stop', '--data', data).code, 1)
        equal('the others answer', server.call('people__hello').output(), 'hello')
    kill_inside([people, stop], data, 'killed once more')
    command('ext', 'list', '--data', data)  # a command opens the data folder too
    equal('killed once more, then a command: nothing is left', state(data), before)

    rig.write(f'{stop}/install/on_installation.dg', 'info "short";')
    with rig.Server(people, stop, data=data) as server:
        equal('a later start installs it whole', server.call('stop__hello').output(), 'one')
    good = state(data)
    rig.write(f'{stop}/install/on_update.dg', action)
    rig.write(f'{stop}/functions/hello.dg', 'return "two";')
    rig.write(f'{stop}/modules/more.json', MODULE.replace('Thing', 'More').replace('"Mores"', '"More_Things"'))
    rig.extension(stop, 'stop', '2.0.0', variables=[{'field_name': 'URL', 'api_name': 'url', 'value': 'v'}, {'field_name': 'New', 'api_name': 'new', 'value': 'n'}])
    kill_inside([people, stop], data, 'killed inside an update action')
    with rig.Server(people, data=data) as server:
        after = state(data)
        for name in WHOLE:
            equal(f'killed inside an update action, all is as before: {name}', after[name], good[name])
        key = command('key', 'show', 'stop', '--data', data).out.strip()
        equal('and the old version answers', server.send('GET', f'/crm/v2/functions/stop__hello/actions/execute?zapikey={key}').output(), 'one')
    Upstream.release.set()
    upstream.shutdown()


def test_log(folder):
    data = f'{folder}/data'
    with rig.Server(f'{rig.ROOT}/examples/leads', data=data) as server:
        for _ in range(5):
            server.call('leads__hello')
        time.sleep(2)  # the run log may be a second behind
        server.kill()
    logged = command('logs', '--json', '--data', data).out.splitlines()
    equal('runs older than a second are in the log of a killed server', len(logged), 5)
    ok('a socket file that was left is no server', os.path.exists(f'{data}/control.sock') and command('key', 'show', 'leads', '--data', data).code == 0)


for test in (test_records, test_install, test_log):
    with rig.folder() as temporary:
        print(f'# {test.__name__}', flush=True)
        try:
            test(temporary)
        except Exception:  # one broken expectation must not hide the rest
            import traceback
            ok(f'{test.__name__} ran to its end', False, traceback.format_exc())
rig.done()
