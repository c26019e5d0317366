#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Workflow rules, webhooks and notification channels: what a write leaves to do is done behind it, also after a crash, and never without end."""
import _rig as rig
from _rig import command, equal, matches, ok

import http.server
import json
import sqlite3
import threading
import time
import urllib.parse

NOTED = '''void automation.noted(string leadId, string lastName, map record)
{
    info "noted " + leadId + " " + lastName + " " + record.get("City");
}
'''
CHAIN = '''void automation.chain(string id)
{
    info "chain";
    r = zoho.crm.updateRecord("Leads", id, {"Rating":"" + zoho.currenttime}, {"trigger":{"workflow"}});
}
'''
SILENT = 'string standalone.silent()\n{\n    r = zoho.crm.createRecord("Leads", {"Last_Name":"Silent"});\n    return r.get("id");\n}\n'
TOLD = 'string standalone.told()\n{\n    r = zoho.crm.createRecord("Leads", {"Last_Name":"Told"}, {"trigger":{"workflow"}});\n    return r.get("id");\n}\n'
OURS = 'string standalone.ours()\n{\n    info "ours " + crmAPIRequest.get("body");\n    return "";\n}\n'


class Listener(http.server.ThreadingHTTPServer):
    """Answers every request with `status`, the first `refused` ones with 503, and keeps (method, path, headers, body)."""

    def __init__(self):
        self.got, self.refused, self.silent = [], 0, False
        super().__init__(('127.0.0.1', 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f'http://127.0.0.1:{self.server_address[1]}'

    def count(self, count, seconds=rig.WAIT_S):
        rig.until(lambda: len(self.got) >= count, seconds)
        return self.got

    def settle(self):
        count = -1
        while count != len(self.got):
            count = len(self.got)
            time.sleep(0.5)


class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self):
        body = self.rfile.read(int(self.headers.get('Content-Length') or 0)).decode()
        server = self.server
        server.got.append((self.command, self.path, dict(self.headers), body))
        refuse = server.refused > 0
        server.refused -= refuse
        if server.silent:
            time.sleep(60)
        self.send_response(503 if refuse else 200)
        self.send_header('Content-Length', '0')
        self.end_headers()

    do_GET = do_POST = do_PUT = answer

    def log_message(self, *args):
        pass


class Crm:
    def __init__(self, server, data):
        self.server = server
        self.token = json.loads(command('oauth', 'new', '--json', '--data', data).out)['access_token']

    def call(self, method, path, body=None):
        reply = self.server.send(method, '/crm/v8' + path, [('Authorization', f'Zoho-oauthtoken {self.token}')],
                                 json.dumps(body).encode() if body is not None else b'')
        return reply.json() if reply.body else reply.status

    def add(self, key, path, row):
        reply = self.call('POST', path, {key: [row]})
        ok(f'{key} {row.get("name") or row.get("channel_id")} is taken', reply.get(key) and reply[key][0]['status'] == 'success', reply)
        details = reply[key][0]['details']
        return details.get('id')

    def webhook(self, name, url, **more):
        return self.add('webhooks', '/settings/automation/webhooks', {'name': name, 'module': {'api_name': 'Leads'}, 'url': url, 'http_method': 'POST',
                                                                      'feature_type': 'workflow', **more})

    def rule(self, name, when, actions, criteria=None, module='Leads', **details):
        actions = [{'type': kind, 'id': action} for kind, action in actions]
        return self.add('workflow_rules', '/settings/automation/workflow_rules', {
            'name': name, 'module': {'api_name': module},
            'execute_when': {'type': when, 'details': {'trigger_module': {'api_name': module}, **details}},
            'conditions': [{'sequence_number': 1, 'criteria_details': {'criteria': criteria}, 'instant_actions': {'actions': actions}}]})

    def lead(self, body=None, **fields):
        return self.call('POST', '/Leads', {'data': [{'Last_Name': 'Doe', **fields}], **(body or {})})['data'][0]['details']['id']

    def update(self, lead, **fields):
        return self.call('PUT', f'/Leads/{lead}', {'data': [fields]})


def runs(data, name=''):
    lines = command('logs', *([name] if name else []), '--json', '--limit', '1000', '--data', data).out.splitlines()
    return [json.loads(line) for line in lines]


def functions(data, **sources):
    """Puts them, and gives their ids by name."""
    with rig.folder() as folder:
        files = [rig.write(f'{folder}/{name}.dg', text) for name, text in sources.items()]
        command('fn', 'put', *files, '--data', data)
    return {row['api_name']: row['id'] for row in json.loads(command('fn', 'list', '--json', '--data', data).out)}


def parameters(*pairs):
    return [{'name': name, 'value': value} for name, value in pairs]


def field(name, comparator, value):
    return {'field': {'api_name': name}, 'comparator': comparator, 'value': value}


def waiting(data):
    return rig.rows(data, 'SELECT COUNT(*) FROM crm_pending')[0][0]


def none_more(data, hook, count, name):
    """Whatever was to be done has been done."""
    rig.until(lambda: waiting(data) == 0)
    time.sleep(0.2)
    equal(name, len(hook.got), count)


def test_rules(data):
    hook = Listener()
    rig.write(f'{data}/config', 'outbound.allow = 127.0.0.1\n')
    ids = functions(data, noted=NOTED, silent=SILENT, told=TOLD, ours=OURS)
    with rig.Server(data=data) as server:
        crm = Crm(server, data)
        post = crm.webhook('Post', hook.url + '/hook?a=1', url_parameters={'custom_parameters': parameters(('who', '${Leads.Last_Name} & co'))},
                           headers={'custom_parameters': parameters(('X-Lead', '${Leads.id}')), 'module_parameters': []},
                           body={'type': 'form_data', 'form_data_content': {'module_parameters': parameters(('name', '${!Leads.Last_Name}'), ('city', '${Leads.City}')),
                                                                            'custom_parameters': parameters(('fixed', 'a b'))}})
        created = crm.rule('Created', 'create', [('webhooks', post), ('functions', ids['noted'])], field('City', 'equal', 'Paris'))
        lead = crm.lead(Last_Name='Dupont', City='Paris')
        method, path, headers, body = hook.count(1)[0]
        equal('a rule posts its webhook', [method, path], ['POST', '/hook?a=1&who=Dupont+%26+co'])
        equal('the record\'s fields stand in the body', urllib.parse.parse_qs(body), {'name': ['Dupont'], 'city': ['Paris'], 'fixed': ['a b']})
        equal('and in the headers', headers.get('X-Lead'), lead)
        rig.until(lambda: runs(data, 'automation.noted'))
        run = runs(data, 'automation.noted')[-1]
        equal('its function runs, and the log says why', [run['trigger'], run['outcome']], ['workflow', 'ok'])
        matches('with the record as its arguments', json.dumps(run), f'noted {lead} Dupont Paris')
        sent = runs(data, 'webhooks.Post')
        equal('the webhook is logged, too', [[row['outcome'], row['status'], row['trigger']] for row in sent], [['ok', 200, 'workflow']])
        crm.lead(Last_Name='Smith', City='London')
        crm.lead({'trigger': []}, City='Paris')
        crm.lead({'trigger': ['approval']}, City='Paris')
        crm.update(lead, City='Paris')
        none_more(data, hook, 1, 'not for other records, other events, or when trigger does not name workflow')
        crm.lead({'trigger': ['workflow']}, City='paris')
        hook.count(2)
        equal('when it does', len(hook.got), 2)

        crm.call('PUT', f'/settings/automation/workflow_rules/{created}', {'workflow_rules': [{'status': {'active': False}}]})
        crm.lead(City='Paris')
        none_more(data, hook, 2, 'a rule that is not active does nothing')

        raw = crm.webhook('Raw', hook.url + '/raw', body={'type': 'raw', 'format': 'JSON', 'raw_data_content': '{"id":"${Leads.Lead Id}","name":"${Leads.Last_Name}"}'})
        crm.add('workflow_rules', '/settings/automation/workflow_rules', {
            'name': 'To Rome', 'module': {'api_name': 'Leads'},
            'execute_when': {'type': 'field_update', 'details': {'trigger_module': {'api_name': 'Leads'}, 'criteria': field('City', 'equal', 'Rome'), 'repeat': True}},
            'conditions': [{'sequence_number': 1, 'criteria_details': {'criteria': None}, 'instant_actions': {'actions': [{'type': 'webhooks', 'id': raw}]}}]})
        crm.update(lead, City='Rome', Last_Name='Say "hi"\n')
        got = hook.count(3)[2]
        equal('a rule of a field\'s new value', [got[1], json.loads(got[3])], ['/raw', {'id': lead, 'name': 'Say "hi"\n'}])
        crm.update(lead, City='Rome')
        crm.update(lead, Company='Rome')
        crm.update(lead, City='Milan')
        none_more(data, hook, 3, 'only when it changes to that')

        gone = crm.webhook('Gone', hook.url + '/gone', http_method='GET', body={'type': 'form_data', 'form_data_content': {'custom_parameters': parameters(('n', '${Leads.Last_Name}'))}})
        crm.rule('Deleted', 'delete', [('webhooks', gone)])
        other = crm.lead()
        crm.call('DELETE', f'/Leads/{lead}')
        got = hook.count(4)[3]
        equal('a rule of a deleted record still knows it', [got[0], got[1]], ['GET', '/gone?n=Say+%22hi%22%0A'])
        crm.call('DELETE', f'/Leads?ids={other}&wf_trigger=false')
        none_more(data, hook, 4, 'wf_trigger=false says that it should not run')

        once = crm.webhook('Once', hook.url + '/once')
        crm.rule('Once', 'edit', [('webhooks', once)], repeat=False)
        again = crm.lead()
        crm.update(again, City='A')
        crm.update(again, City='B')
        hook.count(5)
        none_more(data, hook, 5, 'a rule without repeat runs once for a record')

        both = crm.webhook('Both', hook.url + '/both')
        crm.rule('Any', 'create_or_edit', [('webhooks', both)], {'group_operator': 'or', 'group': [field('Last_Name', 'equal', 'Silent'), field('Last_Name', 'equal', 'Told')]})
        before = len(hook.got)
        for name in ('silent', 'told'):
            server.send('GET', f'/crm/v2/functions/{name}/actions/execute?auth_type=oauth', [('Authorization', f'Zoho-oauthtoken {crm.token}')])
        hook.count(before + 1)
        none_more(data, hook, before + 1, 'a script\'s write runs rules only when its options say so')

        url = next(row['url'] for row in json.loads(command('fn', 'list', '--json', '--data', data).out) if row['api_name'] == 'ours')
        self_ = crm.webhook('Own', url, body={'type': 'raw', 'format': 'Text', 'raw_data_content': 'to ${Leads.Last_Name}'})
        crm.rule('Own', 'create', [('webhooks', self_)], field('Last_Name', 'starts_with', 'Own'))
        crm.lead(Last_Name='Owner')
        rig.until(lambda: runs(data, 'standalone.ours'))
        matches('a webhook of our own address runs the function there', json.dumps(runs(data, 'standalone.ours')), 'ours to Owner')
        reply = crm.call('DELETE', f'/settings/automation/webhooks/{self_}')
        equal('a webhook that a rule uses stays', reply['code'], 'NOT_ALLOWED')
        equal('nothing waits', rig.until(lambda: waiting(data) == 0), True)


def test_chain(data):
    """A rule whose function sets it off again comes to an end."""
    ids = functions(data, chain=CHAIN)
    with rig.Server(data=data) as server:
        crm = Crm(server, data)
        crm.rule('Chain', 'create_or_edit', [('functions', ids['chain'])])
        crm.lead()
        rig.until(lambda: len(runs(data, 'automation.chain')) >= 5)
        rig.until(lambda: waiting(data) == 0)
        time.sleep(0.5)
        found = runs(data, 'automation.chain')
        equal('five follow each other', len(found), 5)
        matches('and the last one says why there is no sixth', json.dumps(found[-1]), 'stand behind five others')


def test_retry(data):
    hook = Listener()
    hook.refused = 1
    rig.write(f'{data}/config', 'outbound.allow = 127.0.0.1\n')
    with rig.Server(data=data) as server:
        crm = Crm(server, data)
        crm.rule('Try', 'create', [('webhooks', crm.webhook('Try', hook.url + '/try'))])
        crm.lead()
        hook.count(2)
        rig.until(lambda: waiting(data) == 0)
        equal('a webhook that was refused is tried again', [row['outcome'] for row in runs(data, 'webhooks.Try')], ['failed', 'ok'])
    with rig.Server(data=data) as server:
        crm.server = server
        hook.silent = True
        crm.lead()
        hook.count(3)
        equal('what is not answered waits', waiting(data), 1)
        server.stop('a server stops while a webhook waits for its answer')
    hook.silent = False
    with rig.Server(data=data):
        hook.count(4)
        ok('and the next one sends it', rig.until(lambda: waiting(data) == 0))


def test_killed(data):
    """What an acknowledged write has left to do outlives the process."""
    hook = Listener()
    hook.silent = True
    rig.write(f'{data}/config', 'outbound.allow = 127.0.0.1\n')
    server = rig.Server(data=data)
    crm = Crm(server, data)
    crm.rule('Kill', 'create', [('webhooks', crm.webhook('Kill', hook.url + '/kill'))])
    for _ in range(20):
        crm.lead()
    server.kill()
    left = waiting(data)
    ok('some were not done', left > 0, left)
    hook.settle()  # what the killed server had sent already is still being read
    hook.silent = False
    done = len(hook.got)
    with rig.Server(data=data):
        ok('the next process does them', rig.until(lambda: waiting(data) == 0))
    equal('each of them', len(hook.got) - done, left)


def test_channels(data):
    hook = Listener()
    rig.write(f'{data}/config', 'outbound.allow = 127.0.0.1\n')
    with rig.Server(data=data) as server:
        crm = Crm(server, data)
        crm.add('watch', '/actions/watch', {'channel_id': '1000000068001', 'events': ['leads.create', 'Leads.edit', 'Contacts.all'], 'token': 'secret',
                                           'notify_url': hook.url + '/told?x=1', 'return_affected_field_values': True})
        reply = crm.call('POST', '/Leads', {'data': [{'Last_Name': 'A', 'City': 'Bonn'}, {'Last_Name': 'B'}], 'trigger': []})
        first, second = (row['details']['id'] for row in reply['data'])
        method, path, headers, body = hook.count(1)[0]
        body = json.loads(body)
        equal('one notification tells of all records of a write', [method, path, body['ids'], body['operation']], ['POST', '/told?x=1', [first, second], 'insert'])
        equal('with channel and token', [body['channel_id'], body['token'], body['module'], body['query_params']], ['1000000068001', 'secret', 'Leads', {}])
        equal('which fields', body['affected_fields'], [{first: ['Last_Name', 'City']}, {second: ['Last_Name']}])
        equal('and their values', body['affected_values'][0], {'record_id': first, 'values': {'Last_Name': 'A', 'City': 'Bonn'}})
        matches('where the record is', body['resource_uri'], r'/crm/v2/Leads$')
        crm.update(first, City='Bonn', Company='C')
        body = json.loads(hook.count(2)[1][3])
        equal('an edit tells what has changed', [body['operation'], body['affected_fields']], ['update', [{first: ['Company']}]])
        crm.call('DELETE', f'/Leads/{second}')
        none_more(data, hook, 2, 'not asked for: deleting')
        contact = crm.call('POST', '/Contacts', {'data': [{'Last_Name': 'X'}]})['data'][0]['details']['id']
        hook.count(3)
        crm.call('DELETE', f'/Contacts/{contact}')
        body = json.loads(hook.count(4)[3][3])
        equal('asked for', [body['module'], body['operation'], body['ids']], ['Contacts', 'delete', [contact]])

        crm.call('PATCH', '/actions/watch', {'watch': [{'channel_id': '1000000068001', 'notify_url': hook.url + '/selected', 'notification_condition': [
            {'type': 'field_selection', 'module': {'api_name': 'Leads'}, 'field_selection': {'group_operator': 'or', 'group': [{'api_name': 'City'}]}}]}]})
        crm.update(first, Company='D')
        none_more(data, hook, 4, 'an edit of other fields')
        crm.update(first, City='Kiel')
        equal('than the selected one', hook.count(5)[4][1], '/selected')
        rows = crm.call('GET', '/actions/watch')['watch']
        equal('they are listed by module', [[row['resource_name'], row['events']] for row in rows], [['Leads', ['Leads.create', 'Leads.edit']], ['Contacts', ['Contacts.all']]])
        reply = crm.call('DELETE', '/actions/watch?channel_ids=1000000068001')
        equal('ended', [row['status'] for row in reply['watch']], ['success', 'success'])
        crm.lead()
        none_more(data, hook, 5, 'nothing more is told')
        equal('and none is left', crm.call('GET', '/actions/watch'), 204)


def test_orgs(data):
    """Another org's environment is looked at when the server starts."""
    hook = Listener()
    hook.silent = True
    rig.write(f'{data}/config', 'outbound.allow = 127.0.0.1\n')
    command('org', 'new', 'acme', '--data', data)
    server = rig.Server(data=data)
    made = json.loads(command('oauth', 'new', '--json', '--org', 'acme', '--data', data).out)
    crm = Crm(server, data)
    crm.token = made['access_token']
    crm.rule('Acme', 'create', [('webhooks', crm.webhook('Acme', hook.url + '/acme'))])
    crm.lead()
    hook.count(1)
    server.kill()
    hook.silent = False
    with rig.Server(data=data):
        hook.count(2)
    equal('its webhook is sent by the next process', len(hook.got), 2)


if rig.POSTGRES:  # another process may be doing what a killed one had taken, so it is left alone for two minutes
    del test_killed, test_orgs
for name, test in list(globals().items()):
    if name.startswith('test_') and (len(rig.sys.argv) < 3 or name in rig.sys.argv[2:]):
        with rig.folder() as data:
            test(data)
rig.done()
