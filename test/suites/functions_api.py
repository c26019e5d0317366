#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The functions-management API as the public client zcrm (npm wanas-zcrm-extractor 2.8.0) uses it: its requests, byte by byte where that counts,
with a token of `sluice oauth new`. Then what other clients may ask, and what is wrong."""
import _rig as rig
from _rig import command, equal, matches, ok

import json
import sqlite3
import urllib.parse

HELLO = 'string standalone.hello(string name)\n{\n    info "hi " + name;\n    return "Hello " + name;\n}\n'


class Client:
    def __init__(self, server, token):
        self.server, self.token = server, token

    def ask(self, method, target, body=b'', kind='application/json'):
        headers = [('Accept', 'application/json, text/plain, */*'), ('Authorization', f'Zoho-oauthtoken {self.token}')]
        headers += [] if method == 'GET' else [('Content-Type', kind)]
        return self.server.send(method, target, headers, body.encode() if isinstance(body, str) else body)

    def create(self, **metadata):
        text = json.dumps({'functions': [metadata]})
        return self.ask('POST', '/crm/v8/settings/functions?metadata=' + urllib.parse.quote_plus(text))

    def push(self, function, script, name='code'):
        """Node's FormData with one file named script.ds."""
        boundary = 'axios-1.21.1-boundary-hZr0m7XyqA2v'
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="script.ds"\r\nContent-Type: text/plain\r\n\r\n'
        script = script if isinstance(script, bytes) else script.encode()
        return self.ask('PUT', f'/crm/v8/settings/functions/{function}', head.encode() + script + f'\r\n--{boundary}--\r\n\r\n'.encode(),
                        f'multipart/form-data; boundary={boundary}')

    def test(self, function, script=None, arguments=None):
        request = {'api_name': function, 'category': 'Standalone', 'arguments': arguments or {}, **({'script': script} if script else {})}
        return self.ask('POST', f'/crm/v7/settings/functions/{function}/actions/test', json.dumps({'functions': [request]}))

    def list(self, query=''):
        return {row['api_name']: row for row in self.ask('GET', '/crm/v8/settings/functions' + query).json()['functions']}


def new_token(data, *more):
    return json.loads(command('oauth', 'new', '--json', '--data', data, *more).out)


def test_client(server, client):
    """pull, create, push, test, in the order of zcrm's own steps."""
    rows = client.list()
    hello = rows['hello']
    equal('list: what zcrm reads of a row', [hello[key] for key in ('category', 'nameSpace', 'language', 'runtime', 'arguments')],
          ['standalone', 'standalone', 'Deluge', 'Deluge 1.0', [{'type': 'string', 'name': 'name'}]])
    ok('ids are long numbers as text', hello['id'].isdigit() and len(hello['id']) >= 15, hello)
    reply = client.ask('GET', f'/crm/v8/settings/functions/{hello["id"]}/code')
    equal('pull: the code is text, as it was saved', [reply.header('Content-Type'), reply.text], ['text/plain;charset=utf-8', HELLO])
    code = client.ask('GET', f'/crm/v8/settings/functions/{rows["bare"]["id"]}/code').text
    equal('one without header gets it', code, 'string standalone.bare(string crmAPIRequest)\n{\nreturn crmAPIRequest.get("method");\n}\n')
    code = client.ask('GET', f'/crm/v8/settings/functions/{rows["old"]["id"]}/code').text
    matches('of version 1.0, too', code, r'^void standalone\.old\(map requestMap\)\n\{\n')
    reply = client.create(api_name='made', name='made', category='Standalone', language='Deluge', runtime='Deluge 1.0', source='crm', return_type='string')
    row = reply.json()['functions'][0]
    equal('create: the stub', [reply.status, row['status'], row['details']['id']], [201, 'success', client.list()['made']['id']])
    equal('compiles and runs', client.test('made').json()['functions'][0]['output'], {'value': '', 'type': 'string'})
    script = '\n\nstring standalone.made(string who)\n{\n    info {"a":1};\n    r = zoho.crm.getRecords("Leads");\n    return "made " + who;\n}\n'
    reply = client.push(row['details']['id'], script)
    equal('push: saved', [reply.status, reply.json()['functions'][0]['status']], [200, 'success'])
    equal('as it came', client.ask('GET', f'/crm/v8/settings/functions/{row["details"]["id"]}/code').text, script)
    equal('callers see it at once', json.loads(command('call', 'made', '--param', 'who=you', '--json', '--data', server.data).out)['body'].count('made you'), 1)
    result = client.test('made', script.replace('made "', 'tried "'), {'who': 'me'}).json()['functions'][0]
    equal('test: any script, with arguments', [result['status'], result['output']['value']], ['success', 'tried me'])
    equal('its log', result['logs'], [{'line_number': 5, 'category': 'info', 'value': '{"a":1}'}])
    equal('the tasks it ran', [(call['function_name'], call['status_code'], call['details']) for call in result['network_logs']],
          [('integration_task', 200, {'task': 'zoho.crm.getRecords'})])
    equal('and what it cost', [result['metrics'][key] for key in ('statements_executed', 'integration_task', 'send_mail', 'send_sms')], [3, 1, 0, 0])
    equal('the saved one stayed', client.test('made', None, {'who': 'me'}).json()['functions'][0]['output']['value'], 'made me')
    reply = client.push(row['details']['id'], 'string standalone.made()\n{\n    return nope;\n}\n')
    equal('a script that does not compile says where', [reply.status, reply.json()['code'], reply.json()['details']['errors']],
          [400, 'COMPILATION_ERROR', [{'line': 3, 'message': "Variable 'nope' is not defined"}]])
    equal('and is not saved', client.test('made', None, {'who': 'me'}).json()['functions'][0]['output']['value'], 'made me')
    equal('so does a test', client.test('made', 'x = ;').json()['code'], 'COMPILATION_ERROR')
    reply = client.test('nobody', 'return 1;')
    equal('a test of a name that is not there', [reply.status, reply.json()['code']], [400, 'INVALID_DATA'])
    reply = client.create(api_name='made', category='Standalone', language='Deluge')
    equal('a name that is taken', [reply.status, reply.json()['code']], [400, 'DUPLICATE_DATA'])
    ok('comments above the header may stay', client.push('made', '// why\n// how\n' + script.strip()).status == 200)
    last = rig.until(lambda: client.list()['hello']['last_used_time'] or command('call', 'hello', '--data', server.data) and None)
    matches('it is known when a function was last used', str(last), r'^20\d\d-')
    reply = client.ask('DELETE', f'/crm/v8/settings/functions/{row["details"]["id"]}')
    equal('delete', [reply.status, reply.json()['functions'][0]['details']['id'], 'made' in client.list()], [200, row['details']['id'], False])


def test_refresh(server, made):
    """zcrm refreshes its token with a form, and takes the API's address from the answer."""
    form = urllib.parse.urlencode({'grant_type': 'refresh_token', 'client_id': made['client_id'], 'client_secret': made['client_secret'],
                                   'refresh_token': made['refresh_token']})
    reply = server.send('POST', '/oauth/v2/token', [('Content-Type', 'application/x-www-form-urlencoded')], form.encode()).json()
    equal('a refreshed token is for our address', reply['api_domain'], f'http://{server.address[0]}:{server.address[1]}')
    equal('and opens the API', Client(server, reply['access_token']).ask('GET', '/crm/v8/settings/functions').status, 200)


def test_more(server, client):
    equal('lists by category', list(client.list('?category=Button')), ['press'])
    equal('by namespace', list(client.list('?nameSpace=ns')), ['ns__fn'])
    equal('by a part of the name, in any case', sorted(client.list('?search=EL')), ['hello'])
    equal('by language', client.list('?language=Java'), {})
    reply = client.ask('GET', '/crm/v8/settings/functions?per_page=2&page=2').json()
    equal('in pages', [len(reply['functions']), reply['info']['page'], reply['info']['more_records']], [2, 2, True])
    row = client.list()['ns__fn']
    equal('an extension\'s function', [row['category'], row['editable'], row['source']], ['extension', False, 'extension'])
    equal('shows its code', client.ask('GET', '/crm/v8/settings/functions/ns__fn/code').text, 'string ns.fn(string a) { return "ext " + a; }')
    equal('can be tested', client.test('ns__fn', None, {'a': 'x'}).json()['functions'][0]['output']['value'], 'ext x')
    for method, target in (('DELETE', '/crm/v8/settings/functions/ns.fn'), ('PUT', '/crm/v8/settings/functions/ns__fn?metadata=%7B%7D')):
        reply = client.ask(method, target)
        equal(f'{method} is not for extensions', [reply.status, reply.json()['code']], [403, 'NO_PERMISSION'])
    equal('nor is a push', client.push(row['id'], 'return 1;').json()['code'], 'NO_PERMISSION')
    equal('one function by its name', client.ask('GET', '/crm/v8/settings/functions/press').json()['functions'][0]['nameSpace'], 'button')
    result = client.test('hello', 'string standalone.hello() { info "before"; x = null; return x.get("a"); }').json()['functions'][0]
    equal('a script that fails', [result['status'], result['logs'][0]['value'], result['logs'][1]['category'], result['output']['value']],
          ['failure', 'before', 'error', None])
    text = urllib.parse.quote(json.dumps({'functions': [{'rest_api': [{'type': 'zapikey', 'active': False}]}]}))
    equal('keys are switched off', client.ask('PUT', f'/crm/v8/settings/functions/hello?metadata={text}').status, 200)
    equal('in the list as well', client.list()['hello']['rest_api'], [{'type': 'zapikey', 'active': False}, {'type': 'oauth', 'active': True}])
    for category, space in (('Automation', 'automation'), ('Related List', 'related_list'), ('Signals', 'salessignals'), ('Schedule', 'schedule')):
        name = 'm' + space.replace('_', '')
        client.create(api_name=name, category=category, return_type='void')
        equal(f'category {category}', client.list()[name]['nameSpace'], space)
    equal('commands see them', command('fn', 'show', 'automation.mautomation', '--source', '--data', server.data).out, 'void automation.mautomation()\n{\n}\n')
    runs = command('logs', 'hello', '--json', '--data', server.data).out.splitlines()
    ok('tests stand in the run log', any(json.loads(line)['trigger'] == 'test' for line in runs), runs[-1:])


def test_wrong(server, client):
    for name, reply, status, code in (
            ('an id that is not there', client.ask('GET', '/crm/v8/settings/functions/123456789012345678'), 400, 'INVALID_DATA'),
            ('code of it', client.ask('GET', '/crm/v8/settings/functions/123456789012345678/code'), 400, 'INVALID_DATA'),
            ('a push to it', client.push('123456789012345678', 'return 1;'), 400, 'INVALID_DATA'),
            ('a delete of it', client.ask('DELETE', '/crm/v8/settings/functions/99'), 400, 'INVALID_DATA'),
            ('a very long name', client.ask('GET', '/crm/v8/settings/functions/' + 'x' * 3000), 400, 'INVALID_DATA'),
            ('no metadata', client.ask('POST', '/crm/v8/settings/functions'), 400, 'INVALID_DATA'),
            ('metadata that is no JSON', client.ask('POST', '/crm/v8/settings/functions?metadata=%7B'), 400, 'INVALID_DATA'),
            ('two at once', client.ask('POST', '/crm/v8/settings/functions?metadata=' + urllib.parse.quote('{"functions":[{},{}]}')), 400, 'INVALID_DATA'),
            ('no name', client.create(category='Standalone'), 400, 'MANDATORY_NOT_FOUND'),
            ('a name that is none', client.create(api_name='a b'), 400, 'INVALID_DATA'),
            ('a name like an extension\'s', client.create(api_name='ns__x'), 400, 'INVALID_DATA'),
            ('a category that is none', client.create(api_name='a', category='Zebra'), 400, 'INVALID_DATA'),
            ('another language', client.create(api_name='a', language='Java'), 400, 'INVALID_DATA'),
            ('a return type that is none', client.create(api_name='a', return_type='zebra'), 400, 'INVALID_DATA'),
            ('a push of nothing', client.ask('PUT', '/crm/v8/settings/functions/bare', b'{}'), 400, 'EXPECTED_PARAM_MISSING'),
            ('a push under another name', client.push('bare', 'return 1;', name='kode'), 400, 'EXPECTED_PARAM_MISSING'),
            ('a form that is broken', client.ask('PUT', '/crm/v8/settings/functions/bare', b'--x\r\n', 'multipart/form-data; boundary=x'), 400, 'INVALID_DATA'),
            ('a push of another function', client.push('bare', 'string standalone.other() { return ""; }'), 400, 'INVALID_DATA'),
            ('a push of another kind', client.push('bare', 'string button.bare() { return ""; }'), 400, 'INVALID_DATA'),
            ('a push of what is no text', client.push('bare', b'return "\xff";'), 400, 'INVALID_DATA'),
            ('a test without functions', client.ask('POST', '/crm/v7/settings/functions/bare/actions/test', '{}'), 400, 'MANDATORY_NOT_FOUND'),
            ('a test of no object', client.ask('POST', '/crm/v7/settings/functions/bare/actions/test', '[1]'), 400, 'INVALID_DATA'),
            ('arguments that are no object', client.ask('POST', '/crm/v7/settings/functions/bare/actions/test',
                                                        '{"functions":[{"script":"return 1;","arguments":[1]}]}'), 400, 'INVALID_DATA'),
            ('pages of none', client.ask('GET', '/crm/v8/settings/functions?per_page=0'), 400, 'INVALID_DATA'),
            ('no token', server.send('GET', '/crm/v8/settings/functions'), 401, 'AUTHENTICATION_FAILURE'),
            ('another method', client.ask('PATCH', '/crm/v8/settings/functions/bare'), 400, 'INVALID_REQUEST_METHOD')):
        equal(name, [reply.status, reply.json()['code']], [status, code])
    equal('nothing has changed', client.ask('GET', '/crm/v8/settings/functions/bare/code').text.count('crmAPIRequest.get("method")'), 1)
    result = client.test('bare', 'for each i in leftpad("1",9000).toList("") { for each j in leftpad("1",9000).toList("") { x = 1; } }').json()['functions'][0]
    ok('a script that never ends meets its limit', result['status'] == 'failure' and 'limit of Statement' in result['message'], result)
    for scope, status in (('ZohoCRM.settings.functions.READ', [200, 401, 401]), ('ZohoCRM.settings.ALL', [200, 200, 201]), ('ZohoCRM.modules.ALL', [401] * 3)):
        other = Client(server, new_token(server.data, '--scope', scope)['access_token'])
        name = 'scoped' + str(len(scope))
        replies = [other.ask('GET', '/crm/v8/settings/functions'), other.test('bare', 'return 1;'), other.create(api_name=name)]
        equal(f'scope {scope}', [reply.status for reply in replies], status)


def test_orgs(server, client):
    """A token of one org sees and changes that org's functions alone."""
    command('org', 'new', 'acme', '--data', server.data)
    acme = Client(server, new_token(server.data, '--org', 'acme')['access_token'])
    equal('another org has none of them', acme.list(), {})
    equal('cannot read one', acme.ask('GET', '/crm/v8/settings/functions/' + client.list()['bare']['id']).status, 400)
    equal('nor change one', acme.push(client.list()['bare']['id'], 'return "stolen";').status, 400)
    acme.create(api_name='bare', return_type='string')
    equal('its own of the same name is another', acme.ask('GET', '/crm/v8/settings/functions/bare/code').text,
          'string standalone.bare()\n{\nreturn "";\n}\n')


def add_user(data, email, profile):
    """Until users can be made over REST, by hand."""
    base = sqlite3.connect(f'{data}/orgs/default/production.db')
    columns = [row[1] for row in base.execute('PRAGMA table_info(crm_user)')]
    values = dict(zip(columns, base.execute('SELECT * FROM crm_user ORDER BY id').fetchone()))
    values.update(id=values['id'] + 5000 + len(email), email=email, profile_name=profile)
    base.execute(f'INSERT INTO crm_user ({",".join(columns)}) VALUES ({",".join("?" * len(columns))})', [values[name] for name in columns])
    base.commit()
    base.close()


def test_users(server):
    """A script of the org may read what it wants, so only administrators come here."""
    for email, profile, status in (('ann@example.com', 'Standard', 403), ('eve@admin.example.com', 'Administrator', 200)):
        client = Client(server, new_token(server.data, '--user', email)['access_token'])
        replies = [client.ask('GET', '/crm/v8/settings/functions'), client.ask('GET', '/crm/v8/settings/functions/bare/code'), client.test('bare', 'return 1;')]
        equal(f'{profile}', [reply.status for reply in replies], [status] * 3)


with rig.folder() as folder:
    data = f'{folder}/data'
    sources = {'hello': HELLO, 'bare': 'return crmAPIRequest.get("method");', 'old': 'info requestMap.get("parameters");',
               'press': 'string button.press(string id) { return id; }'}
    command('fn', 'put', *[rig.write(f'{folder}/{name}.dg', text) for name, text in sources.items()], '--data', data)
    ext = rig.extension(f'{folder}/ext', 'ns', functions={'fn': 'string ns.fn(string a) { return "ext " + a; }'})
    if not rig.POSTGRES:
        add_user(data, 'ann@example.com', 'Standard')
        add_user(data, 'eve@admin.example.com', 'Administrator')
    with rig.Server(ext, data=data) as served:
        credentials = new_token(data)
        zcrm = Client(served, credentials['access_token'])
        test_client(served, zcrm)
        test_refresh(served, credentials)
        test_more(served, zcrm)
        test_wrong(served, zcrm)
        test_orgs(served, zcrm)
        if not rig.POSTGRES:
            test_users(served)
rig.done()
