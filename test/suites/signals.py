#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Signals over REST: raised by clients with a token, refused in Zoho's words, listed in pages."""
import _rig as rig
from _rig import command, equal, ok

import json

PATH = '/crm/v2/signals/notifications'
GOOD = {'signal_namespace': 'smsext.sms', 'subject': 'Incoming', 'message': '*bold* ~br~ ^italic^', 'email': 'Jane@z.example',
        'actions': [{'type': 'link', 'display_name': 'View', 'url': 'https://z.example', 'open_in': 'tab'}]}


def token(data, scope):
    return json.loads(command('oauth', 'new', '--scope', scope, '--json', '--data', data).out)['access_token']


class Client:
    def __init__(self, server, scope):
        self.server = server
        self.headers = [('Authorization', 'Zoho-oauthtoken ' + token(server.data, scope)), ('Content-Type', 'application/json')]

    def send(self, method, path=PATH, body=None):
        return self.server.send(method, path, self.headers, b'' if body is None else body if isinstance(body, bytes) else json.dumps(body).encode())

    def raise_all(self, *signals):
        return self.send('POST', PATH, {'signals': list(signals)})


def test_raise(server, client):
    lead = client.send('POST', '/crm/v8/Leads', {'data': [{'Last_Name': 'Doe', 'Email': 'jane@z.example'}]}).json()['data'][0]['details']['id']
    reply = client.raise_all(GOOD)
    result = reply.json()['signals'][0]
    equal('a signal is raised', (reply.status, result['code'], result['status']), (201, 'SUCCESS', 'success'))
    shown = client.send('GET').json()['notifications'][0]
    equal('it is listed with its record and actions', {key: shown[key] for key in ('id', 'signal_namespace', 'subject', 'message', 'email', 'module', 'record_id', 'actions')},
          {'id': result['details']['id'], **{key: GOOD[key] for key in ('signal_namespace', 'subject', 'message', 'email', 'actions')}, 'module': 'Leads', 'record_id': lead})
    equal('both spellings, any case, and by the record\'s id', [row['code'] for row in client.raise_all(
        {**GOOD, 'signal_namespace': 'SMSEXT__SMS', 'email': None, 'id': lead}).json()['signals']], ['SUCCESS'])
    equal('with the record', client.send('GET').json()['notifications'][0]['record_id'], lead)
    equal('a map alone goes too', client.send('POST', '/crm/v8/signals/notifications', GOOD).json()['signals'][0]['code'], 'SUCCESS')


def test_wrong(server, client):
    count = len(client.send('GET').json()['notifications'])
    for name, change, code, details in (
            ('no subject', {'subject': None}, 'MANDATORY_NOT_FOUND', {'api_name': 'subject'}), ('an empty message', {'message': ''}, 'MANDATORY_NOT_FOUND', {'api_name': 'message'}),
            ('no namespace', {'signal_namespace': None}, 'MANDATORY_NOT_FOUND', {'api_name': 'signal_namespace'}),
            ('an extension that is not installed', {'signal_namespace': 'other.sms'}, 'INVALID_DATA', {'api_name': 'signal_namespace'}),
            ('a signal that it does not have', {'signal_namespace': 'smsext.call'}, 'INVALID_DATA', {'api_name': 'signal_namespace'}),
            ('a name without extension', {'signal_namespace': 'sms'}, 'INVALID_DATA', {'api_name': 'signal_namespace'}),
            ('a number for a subject', {'subject': 5}, 'INVALID_DATA', {'api_name': 'subject', 'expected_data_type': 'text'}),
            ('a map for a message', {'message': {'a': 1}}, 'INVALID_DATA', {'api_name': 'message', 'expected_data_type': 'text'}),
            ('a list for an e-mail', {'email': ['a@b.c']}, 'INVALID_DATA', {'api_name': 'email', 'expected_data_type': 'text'}),
            ('a word for an id', {'id': 'abc'}, 'INVALID_DATA', {'api_name': 'id', 'expected_data_type': 'bigint'}),
            ('101 characters', {'subject': 'ä' * 101}, 'INVALID_DATA', {'api_name': 'subject', 'maximum_length': 100}),
            ('1001 characters', {'message': 'x' * 1001}, 'INVALID_DATA', {'api_name': 'message', 'maximum_length': 1000}),
            ('actions that are none', {'actions': [{'type': 'link'}]}, 'INVALID_DATA', {'api_name': 'actions'}), ('a text of actions', {'actions': 'x'}, 'INVALID_DATA', {'api_name': 'actions'})):
        reply = client.raise_all({**GOOD, **change})
        row = reply.json()['signals'][0]
        equal(name, (reply.status, row['code'], row['details'], row['status']), (400, code, details, 'error'))
    equal('100 and 1000 characters fit', client.raise_all({**GOOD, 'subject': 'ä' * 100, 'message': '€' * 1000}).status, 201)
    reply = client.raise_all(GOOD, {**GOOD, 'subject': None}, 'text')
    equal('of several the good ones are raised', (reply.status, [row['code'] for row in reply.json()['signals']]), (207, ['SUCCESS', 'MANDATORY_NOT_FOUND', 'INVALID_DATA']))
    equal('and no others', len(client.send('GET').json()['notifications']) - count, 2)
    for name, body, status, code, details in (
            ('a body without signals', {'data': [GOOD]}, 400, 'MANDATORY_NOT_FOUND', {'api_name': 'signals'}), ('no signals', {'signals': []}, 400, 'INVALID_DATA', None),
            ('signals that are no list', {'signals': GOOD}, 400, 'INVALID_DATA', None), ('a list', [GOOD], 400, 'INVALID_DATA', None), ('no JSON', b'{"signals":', 400, None, None),
            ('no body', None, 400, None, None), ('too many', {'signals': [GOOD] * 101}, 400, 'LIMIT_EXCEEDED', None)):
        reply = client.send('POST', PATH, body)
        ok(f'{name} is refused', reply.status == status and (not code or reply.json()['code'] == code) and (details is None or reply.json()['details'] == details), reply)


def test_list(server, client):
    for i in range(3):
        client.raise_all({**GOOD, 'subject': f'page {i}', 'email': 'nobody@z.example'})
    first = client.send('GET', f'{PATH}?per_page=2').json()
    equal('the newest come first', [row['subject'] for row in first['notifications']], ['page 2', 'page 1'])
    equal('with what Zoho tells of a page', first['info'], {'per_page': 2, 'count': 2, 'page': 1, 'more_records': True})
    equal('the next page goes on', client.send('GET', f'{PATH}?per_page=2&page=2').json()['notifications'][0]['subject'], 'page 0')
    equal('behind the last there is nothing', client.send('GET', f'{PATH}?page=50').json(),
          {'notifications': [], 'info': {'per_page': 200, 'count': 0, 'page': 50, 'more_records': False}})
    rows = client.send('GET', f'{PATH}?module=leads').json()['notifications']
    ok('of one module', rows and all(row['module'] == 'Leads' for row in rows), rows)
    rows = client.send('GET', f'{PATH}?record_id={rows[0]["record_id"]}').json()['notifications']
    ok('of one record', len(rows) >= 2 and len({row['record_id'] for row in rows}) == 1, rows)
    equal('of another none', client.send('GET', f'{PATH}?record_id=1').json()['notifications'], [])
    for query in ('page=0', 'page=x', 'per_page=0', 'per_page=201', 'page=10001', 'record_id=x', 'record_id=-1', 'record_id=99999999999999999999'):
        equal(f'{query} is refused', (client.send('GET', f'{PATH}?{query}').status), 400)


def test_scopes(server, client):
    reader = Client(server, 'ZohoCRM.signals.READ')
    equal('a token to read', [reader.send('GET').status, reader.send('POST', PATH, GOOD).json()['code']], [200, 'OAUTH_SCOPE_MISMATCH'])
    equal('a token for something else', Client(server, 'ZohoCRM.modules.ALL').send('GET').json()['code'], 'OAUTH_SCOPE_MISMATCH')
    equal('no token', server.send('POST', PATH, [], json.dumps(GOOD).encode()).status, 401)
    equal('no key opens it', server.send('GET', f'{PATH}?zapikey={server.key("smsext")}').status, 401)


with rig.folder() as path:
    ext = rig.extension(f'{path}/ext', 'smsext', functions={'f': 'return 1;'}, signals=[{'namespace': 'sms', 'name': 'SMS'}])
    with rig.Server(ext, data=f'{path}/data') as server_:
        client_ = Client(server_, 'ZohoCRM.signals.ALL,ZohoCRM.modules.ALL')
        for test in (test_raise, test_wrong, test_list, test_scopes):
            test(server_, client_)
rig.done()
