#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""OAuth 2.0 as clients use it (spec/crm-api.md §6): self clients by command, codes, refreshing, revoking, the page that asks the operator, scopes."""
import _rig as rig
from _rig import command, equal, matches, ok

import json
import re
import sqlite3
import urllib.parse

TOKEN = '/oauth/v2/token'
URI = 'https://app.example/back?x=1'
FUNCTION = 'return crmAPIRequest.get("auth_type") + " " + zoho.loginuserid;'


def new(data, *flags):
    return json.loads(command('oauth', 'new', '--json', *flags, '--data', data).out)


def form(**params):
    return [('Content-Type', 'application/x-www-form-urlencoded')], urllib.parse.urlencode(params).encode()


def parts(**params):
    body = ''.join(f'--cut\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in params.items())
    return [('Content-Type', 'multipart/form-data; boundary=cut')], f'{body}--cut--\r\n'.encode()


def ask(server, how=form, **params):
    return server.send('POST', TOKEN, *how(**params))


def bearer(token, word='Zoho-oauthtoken'):
    return [('Authorization', f'{word} {token}')]


def get(server, target, token, word='Zoho-oauthtoken'):
    return server.send('GET', target, bearer(token, word))


def code_of(reply):
    return reply.json().get('code') if reply.body else None


def test_self_client(server):
    made = new(server.data)
    matches('a client id looks as Zoho\'s do', made['client_id'], r'^1000\.[0-9A-Z]{32}$')
    matches('so does its secret', made['client_secret'], r'^[0-9a-f]{42}$')
    matches('and its tokens', made['access_token'] + ' ' + made['refresh_token'], r'^1000\.[0-9a-f]{32}\.[0-9a-f]{32} 1000\.[0-9a-f]{32}\.[0-9a-f]{32}$')
    for word in ('Zoho-oauthtoken', 'zoho-oauthtoken', 'Bearer', 'bearer'):
        equal(f'{word} TOKEN reads records', get(server, '/crm/v8/Leads?fields=Last_Name', made['access_token'], word).status, 204)
    for bad in ('', made['access_token'][:-1], made['access_token'][:-1] + 'g', made['refresh_token'], '1000.' + '0' * 32 + '.' + '0' * 32, 'x' * 4000, made['client_secret']):
        reply = get(server, '/crm/v8/Leads?fields=Last_Name', bad)
        ok(f'{bad[:40]!r} is no token', reply.status == 401 and code_of(reply) in ('INVALID_TOKEN', 'AUTHENTICATION_FAILURE'), repr(reply))
    for how in (form, parts):
        reply = ask(server, how, grant_type='refresh_token', client_id=made['client_id'], client_secret=made['client_secret'], refresh_token=made['refresh_token']).json()
        equal(f'refreshing ({how.__name__}) gives a token for an hour', [reply.get(name) for name in ('token_type', 'expires_in', 'api_domain', 'refresh_token')],
              ['Bearer', 3600, 'http://%s:%d' % server.address, None])
        equal('which works', get(server, '/crm/v8/Leads?fields=Last_Name', reply['access_token']).status, 204)
    query = urllib.parse.urlencode({'grant_type': 'refresh_token', 'client_id': made['client_id'], 'client_secret': made['client_secret'], 'refresh_token': made['refresh_token']})
    ok('parameters may stand in the query', 'access_token' in server.send('POST', f'{TOKEN}?{query}').json())
    for error, change in (('invalid_client', {'client_id': '1000.' + 'A' * 32}), ('invalid_client', {'client_id': ''}), ('invalid_client_secret', {'client_secret': 'x'}),
                          ('invalid_code', {'refresh_token': 'x'}), ('invalid_code', {'refresh_token': made['access_token']}), ('unsupported_grant_type', {'grant_type': 'password'})):
        reply = ask(server, **{'grant_type': 'refresh_token', 'client_id': made['client_id'], 'client_secret': made['client_secret'], 'refresh_token': made['refresh_token'], **change})
        equal(f'{change} is told as {error}, with status 200', [reply.status, reply.json()], [200, {'error': error}])
    equal('tokens are not to be kept by proxies', ask(server).header('Cache-Control'), 'no-store')
    equal('a GET gets none', code_of(server.send('GET', f'{TOKEN}?{query}')), 'INVALID_REQUEST_METHOD')


def test_code(server):
    made = new(server.data, '--name', 'Importer')
    equal('a code of a self client', (done := command('oauth', 'code', made['client_id'], '--scope', 'ZohoCRM.modules.leads.READ', '--data', server.data)).code, 0)
    code = done.out.strip()
    params = {'grant_type': 'authorization_code', 'client_id': made['client_id'], 'client_secret': made['client_secret'], 'code': code}
    other = new(server.data)
    equal('is no other client\'s', ask(server, **{**params, 'client_id': other['client_id'], 'client_secret': other['client_secret']}).json(), {'error': 'invalid_code'})
    tokens = ask(server, **params).json()
    equal('is changed for tokens of its scope', tokens.get('scope'), 'ZohoCRM.modules.leads.READ')
    equal('which read that module', get(server, '/crm/v8/Leads?fields=Last_Name', tokens['access_token']).status, 204)
    equal('and no other', code_of(get(server, '/crm/v8/Contacts?fields=Last_Name', tokens['access_token'])), 'OAUTH_SCOPE_MISMATCH')
    equal('and do not write', code_of(server.send('POST', '/crm/v8/Leads', bearer(tokens['access_token']), b'{"data":[{"Last_Name":"x"}]}')), 'OAUTH_SCOPE_MISMATCH')
    equal('nor delete', code_of(server.send('DELETE', '/crm/v8/Leads?ids=1', bearer(tokens['access_token']))), 'OAUTH_SCOPE_MISMATCH')
    equal('a code works once', ask(server, **params).json(), {'error': 'invalid_code'})
    equal('who uses it twice loses what it gave', code_of(get(server, '/crm/v8/Leads?fields=Last_Name', tokens['access_token'])), 'INVALID_TOKEN')
    for words, text in ((['nobody', '--scope', 'ZohoCRM.modules.ALL'], 'no OAuth client nobody'), ([made['client_id'], '--scope', 'ZohoCRM.nothing.ALL'], 'ZohoCRM.nothing'),
                        ([made['client_id']], '--scope'), ([made['client_id'], '--scope', 'ZohoCRM.modules.ALL', '--minutes', '60'], '3 to 10')):
        result = command('oauth', 'code', *words, '--data', server.data)
        ok(f'{words[1:]} is refused by name', result.code != 0 and text in result.err, repr(result))


def test_revoke(server):
    made = new(server.data)
    revoke = lambda token: server.send('POST', f'{TOKEN}/revoke?token={token}')  # noqa: E731
    equal('an access token is revoked', revoke(made['access_token']).json(), {'status': 'success'})
    equal('it dies at once', code_of(get(server, '/crm/v8/Leads?fields=Last_Name', made['access_token'])), 'INVALID_TOKEN')
    again = {'grant_type': 'refresh_token', 'client_id': made['client_id'], 'client_secret': made['client_secret'], 'refresh_token': made['refresh_token']}
    fresh = ask(server, **again).json()['access_token']
    equal('the refresh token lives', get(server, '/crm/v8/Leads?fields=Last_Name', fresh).status, 204)
    equal('until it is revoked too', revoke(made['refresh_token']).json(), {'status': 'success'})
    equal('with the access tokens it gave', code_of(get(server, '/crm/v8/Leads?fields=Last_Name', fresh)), 'INVALID_TOKEN')
    equal('then it refreshes no more', ask(server, **again).json(), {'error': 'invalid_code'})
    for token in (made['refresh_token'], 'x', ''):
        equal(f'{token[:8]!r} is told to be none', [(reply := revoke(token)).status, reply.json().get('error')], [400, 'invalid_token'])
    matches('a client is listed', command('oauth', 'list', '--data', server.data).out, made['client_id'])
    equal('and removed', command('oauth', 'remove', made['client_id'], '--data', server.data).code, 0)
    equal('with all that it had', ask(server, **again).json(), {'error': 'invalid_client'})
    matches('once', command('oauth', 'remove', made['client_id'], '--data', server.data).err, 'no OAuth client')


def authorize(server, **params):
    return server.send('GET', '/oauth/v2/auth?' + urllib.parse.urlencode(params))


def test_page(server):
    made = new(server.data, '--name', '<b>App</b>', '--redirect-uri', URI)
    good = {'response_type': 'code', 'client_id': made['client_id'], 'redirect_uri': URI, 'scope': 'ZohoCRM.modules.leads.READ,ZohoCRM.users.READ', 'access_type': 'offline', 'state': 'a&b'}
    for error, change in (('invalid_client', {'client_id': 'x'}), ('invalid_redirect_uri', {'redirect_uri': URI + 'y'}), ('invalid_redirect_uri', {'redirect_uri': ''}),
                          ('invalid_response_type', {'response_type': 'token'}), ('invalid_scope', {'scope': 'ZohoCRM.x.ALL'}), ('invalid_scope', {'scope': 'Sluice.control.ALL'}),
                          ('invalid_access_type', {'access_type': 'x'}), ('invalid_state', {'state': 'x' * 5000})):
        reply = authorize(server, **{**good, **change})
        ok(f'{error} is shown, and leads nowhere', reply.status == 400 and error in reply.text and reply.header('Location') is None, repr(reply))
    page = authorize(server, **good)
    ok('the page shows who asks, in text', page.status == 200 and '&lt;b&gt;App' in page.text and '<b>App' not in page.text, repr(page))
    matches('and what for', page.text, 'ZohoCRM.modules.leads.READ</li>')
    matches('it runs no script and stands in no frame', page.header('Content-Security-Policy'), "default-src 'none'.*frame-ancestors 'none'")
    request = re.search(r'sluice oauth approve (\S+)</pre>', page.text).group(1)
    ticket = re.search(r'\?ticket=(\S+)', page.header('Refresh')).group(1)
    poll = lambda: server.send('GET', f'/oauth/v2/auth?ticket={ticket}')  # noqa: E731
    equal('it waits', poll().status, 200)
    matches('the operator sees the request', command('oauth', 'list', '--data', server.data).out, request)
    equal('and allows it', command('oauth', 'approve', request, '--data', server.data).code, 0)
    matches('once', command('oauth', 'approve', request, '--data', server.data).err, 'no request')
    went = poll()
    location = urllib.parse.urlsplit(went.header('Location') or '')
    query = dict(urllib.parse.parse_qsl(location.query))
    equal('then the browser goes back with a code', [went.status, location.netloc, query.get('x'), query.get('state'), query.get('location'), query.get('accounts-server')],
          [302, 'app.example', '1', 'a&b', 'us', 'http://%s:%d' % server.address])
    equal('a ticket works once', poll().status, 400)
    params = {'grant_type': 'authorization_code', 'client_id': made['client_id'], 'client_secret': made['client_secret'], 'code': query['code']}
    equal('the code needs its redirect_uri', ask(server, **params).json(), {'error': 'invalid_redirect_uri'})
    tokens = ask(server, **params, redirect_uri=URI).json()
    equal('and gives tokens', [tokens.get('scope'), 'refresh_token' in tokens], ['ZohoCRM.modules.leads.READ ZohoCRM.users.READ', True])
    page = authorize(server, **{**good, 'access_type': 'online'})
    request = re.search(r'sluice oauth deny (\S+)</pre>', page.text).group(1)
    ticket = re.search(r'\?ticket=(\S+)', page.header('Refresh')).group(1)
    equal('a request is refused', command('oauth', 'deny', request, '--data', server.data).code, 0)
    matches('and the client is told', poll().header('Location') or '', r'^https://app\.example/back\?x=1&state=a%26b&error=access_denied$')
    for uri in ('javascript:alert(1)', 'https://x.example/#f', 'not a uri', 'https://x.example/' + 'a' * 5000):
        result = command('oauth', 'new', '--redirect-uri', uri, '--data', server.data)
        ok(f'{uri[:30]} is no redirect_uri', result.code == 1 and 'redirect' in result.err.lower(), repr(result))


def test_functions(server):
    made = new(server.data, '--scope', 'ZohoCRM.functions.execute.READ,ZohoCRM.functions.execute.CREATE')
    reader = new(server.data, '--scope', 'ZohoCRM.functions.execute.READ')
    target = '/crm/v2/functions/ext__who/actions/execute?auth_type=oauth'
    equal('a function runs by auth_type=oauth as the token\'s user', get(server, target, made['access_token']).output(), 'oauth admin@example.com')
    equal('by POST too', server.send('POST', target, bearer(made['access_token'])).output(), 'oauth admin@example.com')
    equal('POST needs the scope CREATE', code_of(server.send('POST', target, bearer(reader['access_token']))), 'OAUTH_SCOPE_MISMATCH')
    for method in ('PUT', 'DELETE', 'PATCH'):
        equal(f'so does {method}', code_of(server.send(method, target, bearer(reader['access_token']))), 'OAUTH_SCOPE_MISMATCH')
        equal(f'with it {method} runs', server.send(method, target, bearer(made['access_token'])).status, 200)
    equal('not without a token', code_of(server.send('GET', target)), 'AUTHENTICATION_FAILURE')
    equal('a token of a function\'s scopes reads no records', code_of(get(server, '/crm/v8/Leads?fields=Last_Name', made['access_token'])), 'OAUTH_SCOPE_MISMATCH')
    equal('a key does not open the records', code_of(server.send('GET', f'/crm/v8/Leads?fields=Last_Name&auth_type=apikey&zapikey={server.key("ext")}')), 'AUTHENTICATION_FAILURE')


def test_places(server):
    command('org', 'new', 'acme', '--data', server.data)
    command('org', 'sandbox', 'acme', '--data', server.data)
    box = new(server.data, '--org', 'acme', '--sandbox')
    home = new(server.data, '--org', 'acme')
    equal('a sandbox\'s token works there', server.send('POST', '/sandbox/crm/v8/Leads', bearer(box['access_token']), b'{"data":[{"Last_Name":"Box"}]}').status, 201)
    equal('production has none of it', get(server, '/crm/v8/Leads?fields=Last_Name', home['access_token']).status, 204)
    equal('the sandbox has', get(server, '/sandbox/crm/v8/Leads?fields=Last_Name', box['access_token']).json()['data'][0]['Last_Name'], 'Box')
    equal('its api_domain says so', ask(server, grant_type='refresh_token', client_id=box['client_id'], client_secret=box['client_secret'], refresh_token=box['refresh_token']).json()['api_domain'],
          'http://%s:%d/sandbox' % server.address)
    equal('it is no production token', code_of(get(server, '/crm/v8/Leads?fields=Last_Name', box['access_token'])), 'INVALID_TOKEN')
    equal('nor the other way round', code_of(get(server, '/sandbox/crm/v8/Leads?fields=Last_Name', home['access_token'])), 'INVALID_TOKEN')
    for words in (('--user', 'nobody@example.com'), ('--scope', 'ZohoCRM.nothing.ALL'), ('--scope', ','), ('--name', 'x' * 300)):
        result = command('oauth', 'new', *words, '--data', server.data)
        ok(f'{words[0]} {words[1][:20]} is refused', result.code == 1 and result.err, repr(result))
    scoped = new(server.data, '--scope', 'ZohoCRM.modules.ALL')
    equal('commands over the network need the operator\'s scope', command('ext', 'list', '--server', 'http://%s:%d' % server.address, '--token', scoped['access_token']).code, 1)
    owner = new(server.data)
    matches('with it they work', repr(command('ext', 'list', '--server', 'http://%s:%d' % server.address, '--token', owner['access_token'])), 'ext 1.0.0')


def test_credentials(server):
    """client_credentials: no refresh token, only what the client was made for, and Zoho's own URL for it."""
    made = new(server.data, '--scope', 'ZohoCRM.modules.ALL,ZohoCRM.org.READ')
    zgid = get(server, '/crm/v8/org', made['access_token']).json()['org'][0]['zgid']
    good = {'grant_type': 'client_credentials', 'client_id': made['client_id'], 'client_secret': made['client_secret'], 'scope': 'zohocrm.Modules.Leads.read',
            'soid': f'ZohoCRM.{zgid}'}
    reply = ask(server, **good).json()
    equal('it gives an access token alone, of scopes as the table spells them', [reply.get('scope'), 'refresh_token' in reply], ['ZohoCRM.modules.Leads.READ', False])
    equal('which works', get(server, '/crm/v8/Leads?fields=Last_Name', reply['access_token']).status, 204)
    equal('and not beyond it', code_of(get(server, '/crm/v8/Contacts?fields=Last_Name', reply['access_token'])), 'OAUTH_SCOPE_MISMATCH')
    query = urllib.parse.urlencode(good)
    ok('Zoho\'s pages post it to /oauth/v2/auth', 'access_token' in server.send('POST', f'/oauth/v2/auth?{query}').json())
    for error, change in (('invalid_soid', {'soid': 'ZohoCRM.1'}), ('invalid_soid', {'soid': ''}), ('invalid_scope', {'scope': ''}), ('invalid_scope', {'scope': 'ZohoCRM.users.READ'}),
                          ('invalid_scope', {'scope': 'ZohoCRM.modules.WRITE,Sluice.control.ALL'}), ('invalid_client_secret', {'client_secret': ''})):
        equal(f'{change} is {error}', ask(server, **{**good, **change}).json(), {'error': error})


def test_bad_bodies(server):
    for name, headers, body, want in (
            ('a form that ends too early', [('Content-Type', 'multipart/form-data; boundary=cut')], b'--cut\r\nContent-Disposition: form-data; name="grant_type"\r\n\r\nx', 400),
            ('a form without a boundary', [('Content-Type', 'multipart/form-data')], b'x', 400),
            ('JSON', [('Content-Type', 'application/json')], b'{"grant_type":"refresh_token"}', 200),
            ('bytes', [], bytes(range(256)), 200),
            ('a thousand fields and one', [], b'&'.join(b'a%d=1' % i for i in range(1001)), 400),
            ('too much', [], b'x' * 70000, 413)):
        reply = server.send('POST', TOKEN, headers, body)
        ok(f'{name} gives no token', reply.status == want and 'access_token' not in reply.text, repr(reply))


def test_dots(server):
    """ns.Module is another spelling of ns__Module: a scope of Leads is none of a module Leads__x."""
    made = new(server.data, '--scope', 'ZohoCRM.modules.Leads.ALL')
    equal('a dot does not reach below a module', code_of(get(server, '/crm/v8/Leads.x?fields=Name', made['access_token'])), 'OAUTH_SCOPE_MISMATCH')
    made = new(server.data, '--scope', 'ZohoCRM.modules.ext__x.READ')
    equal('both spellings are the same module', code_of(get(server, '/crm/v8/ext.x?fields=Name', made['access_token'])), 'INVALID_MODULE')


def test_network(server):
    """Commands from elsewhere, with the token that `oauth new` prints."""
    command('org', 'new', 'far', '--data', server.data)
    owner = new(server.data)
    there = ['--server', 'http://%s:%d' % server.address, '--token', owner['access_token']]
    result = command('call', 'ext__who', *there)
    ok('call runs a function and prints its reply', result.code == 0 and 'admin@example.com' in result.out, repr(result))
    matches('logs tells of it', command('logs', 'ext__who', *there).out, r'ext__who')
    matches('--org reaches another org', command('oauth', 'new', '--org', 'far', '--name', 'Far App', *there).out, 'client_secret')
    matches('whose client is there', command('oauth', 'list', '--org', 'far', *there).out, 'Far App')
    ok('and not here', 'Far App' not in command('oauth', 'list', *there).out)
    matches('a function is called in that org', repr(command('call', 'ext__who', '--org', 'far', *there)), 'exit 1.*does not exist')
    far = new(server.data, '--org', 'far', '--scope', 'ZohoCRM.modules.ALL')
    equal('another org\'s super admin is no operator', command('ext', 'list', *there[:3], far['access_token']).code, 1)
    result = command('oauth', 'new', '--org', 'far', '--scope', 'Sluice.control.ALL', '--data', server.data)
    ok('and cannot be made one', result.code == 1 and 'Sluice.control' in result.err, repr(result))
    equal('a refresh token is none', command('ext', 'list', *there[:3], owner['refresh_token']).code, 1)
    for action in ('oauth new', 'oauth code', 'oauth remove', 'oauth approve', 'oauth deny'):
        matches(f'{action} is in the audit log', command('logs', '--audit', '--data', server.data).out, re.escape(action))


def add_user(data, email, status='active'):
    """A second user of the default org: until users can be made over REST, by hand."""
    base = sqlite3.connect(f'{data}/orgs/default/production.db')
    columns = [row[1] for row in base.execute('PRAGMA table_info(crm_user)')]
    values = dict(zip(columns, base.execute('SELECT * FROM crm_user ORDER BY id').fetchone()))
    values.update(id=values['id'] + 5000, email=email, first_name='Ann', last_name='Other', full_name='Ann Other', status=status)
    base.execute(f'INSERT INTO crm_user ({",".join(columns)}) VALUES ({",".join("?" * len(columns))})', [values[name] for name in columns])
    base.commit()
    base.close()
    return str(values['id'])


def set_status(data, email, status):
    base = sqlite3.connect(f'{data}/orgs/default/production.db')
    base.execute('UPDATE crm_user SET status = ? WHERE email = ?', (status, email))
    base.commit()
    base.close()


def test_user(path):
    """A token of another user acts as that user."""
    ext = rig.extension(f'{path}/me', 'me', functions={
        'who': 'return zoho.loginuserid + " " + zoho.adminuserid + " " + crmAPIRequest.get("user_info").get("full_name");',
        'make': 'r = zoho.crm.createRecord("Leads",{"Last_Name":"By Ann","Company":"c"}); return zoho.crm.getRecordById("Leads",r.get("id")).get("Created_By").get("email");'})
    data = f'{path}/users'
    rig.Server(ext, data=data).stop()
    ann = add_user(data, 'ann@example.com')
    made = None
    with rig.Server(ext, data=data) as server:
        made = new(data, '--user', 'Ann@example.com')
        ok('her tokens are no operator\'s', 'Sluice' not in made['scope'], made['scope'])
        execute = '/crm/v2/functions/me__{}/actions/execute?auth_type=oauth'
        equal('a function runs as her', get(server, execute.format('who'), made['access_token']).output(), 'ann@example.com admin@example.com Ann Other')
        equal('and makes records as her', get(server, execute.format('make'), made['access_token']).output(), 'ann@example.com')
        equal('she is the current user', get(server, '/crm/v8/users?type=CurrentUser', made['access_token']).json()['users'][0]['id'], ann)
        added = server.send('POST', '/crm/v8/Leads', bearer(made['access_token']), b'{"data":[{"Last_Name":"Rest"}]}').json()['data'][0]['details']
        equal('records over REST are hers', [added['Created_By']['id'], get(server, f'/crm/v8/Leads/{added["id"]}', made['access_token']).json()['data'][0]['Owner']['id']], [ann, ann])
        equal('control is not there for her', command('ext', 'list', '--server', 'http://%s:%d' % server.address, '--token', made['access_token']).code, 1)
        matches('the list says whose a client is', command('oauth', 'list', '--data', data).out, 'ann@example.com')
        equal('the super admin by name is the operator', 'Sluice.control.ALL' in new(data, '--user', 'admin@example.com')['scope'], True)
    set_status(data, 'ann@example.com', 'disabled')
    with rig.Server(ext, data=data) as server:
        equal('whoever is not active any more is nobody', code_of(get(server, '/crm/v8/Leads?fields=Last_Name', made['access_token'])), 'INVALID_TOKEN')
        fresh = ask(server, grant_type='refresh_token', client_id=made['client_id'], client_secret=made['client_secret'], refresh_token=made['refresh_token']).json()
        equal('also with a new token', code_of(get(server, '/crm/v8/Leads?fields=Last_Name', fresh['access_token'])), 'INVALID_TOKEN')
        result = command('oauth', 'new', '--user', 'ann@example.com', '--data', data)
        ok('and gets no client', result.code == 1 and 'no active user ann@example.com' in result.err, repr(result))


def test_limits(path):
    data = f'{path}/limits'
    limits = {'SLUICE_LIMIT_OAUTH_ACCESS_TOKENS': '2', 'SLUICE_LIMIT_OAUTH_REFRESH_TOKENS': '1'}
    with rig.Server(data=data, env=limits) as server:
        made = json.loads(command('oauth', 'new', '--json', '--data', data).out)
        again = {'grant_type': 'refresh_token', 'client_id': made['client_id'], 'client_secret': made['client_secret'], 'refresh_token': made['refresh_token']}
        works = lambda token: get(server, '/crm/v8/Leads?fields=Last_Name', token).status == 204  # noqa: E731
        equal('it works', works(made['access_token']), True)
        second = ask(server, **again).json()['access_token']
        equal('two tokens live', [works(made['access_token']), works(second)], [True, True])
        third = ask(server, **again).json()['access_token']
        equal('of three the oldest goes, although it was just used', [works(made['access_token']), works(second), works(third)], [False, True, True])
        code = command('oauth', 'code', made['client_id'], '--scope', 'ZohoCRM.modules.ALL', '--data', data).out.strip()
        change = {'grant_type': 'authorization_code', 'client_id': made['client_id'], 'client_secret': made['client_secret'], 'code': code}
        equal('a second refresh token', 'refresh_token' in ask(server, **change).json(), True)
        equal('ends the first, and what came of it', [ask(server, **again).json(), works(third)], [{'error': 'invalid_code'}, False])
    short = {'SLUICE_LIMIT_OAUTH_TOKEN_S': '1', 'SLUICE_LIMIT_OAUTH_CODE_S': '1', 'SLUICE_LIMIT_OAUTH_REQUEST_S': '1'}
    with rig.Server(data=data, env=short) as server:
        made = json.loads(command('oauth', 'new', '--json', '--redirect-uri', URI, '--data', data).out)
        equal('the life of a token is told', made['expires_in'], 1)
        page = authorize(server, response_type='code', client_id=made['client_id'], redirect_uri=URI, scope='ZohoCRM.modules.ALL')
        ticket = re.search(r'\?ticket=(\S+)', page.header('Refresh')).group(1)
        request = re.search(r'sluice oauth approve (\S+)</pre>', page.text).group(1)
        code = command('oauth', 'code', made['client_id'], '--scope', 'ZohoCRM.modules.ALL', '--data', data).out.strip()
        over = lambda: code_of(get(server, '/crm/v8/Leads?fields=Last_Name', made['access_token'])) == 'INVALID_TOKEN'  # noqa: E731
        ok('and then it is over', rig.until(over))
        rig.time.sleep(1.1)
        change = {'grant_type': 'authorization_code', 'client_id': made['client_id'], 'client_secret': made['client_secret'], 'code': code}
        equal('a code too', ask(server, **change).json(), {'error': 'invalid_code'})
        matches('a request that nobody answered in time cannot be', command('oauth', 'approve', request, '--data', data).err, 'no request')
        matches('and is as good as denied', server.send('GET', f'/oauth/v2/auth?ticket={ticket}').header('Location') or '', 'error=access_denied')
        base = sqlite3.connect(f'{data}/orgs/default/production.db')
        command('oauth', 'code', made['client_id'], '--scope', 'ZohoCRM.modules.ALL', '--data', data)
        equal('what is over is swept away', base.execute('SELECT count(*) FROM auth_access WHERE expires_ms < ?', [rig.time.time() * 1000]).fetchone()[0], 0)
        base.close()


def test_flood(path):
    """Requests at /oauth/v2/auth are limited: those that wait still can be answered."""
    data = f'{path}/flood'
    with rig.Server(data=data) as server:
        made = new(data, '--redirect-uri', URI)
        pages = [authorize(server, response_type='code', client_id=made['client_id'], redirect_uri=URI, scope='ZohoCRM.modules.ALL') for _ in range(101)]
        equal('one hundred wait, and no more', [sorted({page.status for page in pages[:100]}), pages[100].status, code_of(pages[100])], [[200], 429, 'TOO_MANY_REQUESTS'])
        request = re.search(r'sluice oauth approve (\S+)</pre>', pages[0].text).group(1)
        equal('the first is answered', command('oauth', 'approve', request.lower().replace('-', ''), '--data', data).code, 0)
        equal('and makes room', authorize(server, response_type='code', client_id=made['client_id'], redirect_uri=URI, scope='ZohoCRM.modules.ALL').status, 200)


def test_rest(server, data):
    """What outlives the server, and what is nowhere in clear."""
    kept = new(data)
    server.stop()
    found = []
    for path in () if rig.POSTGRES else (f'{data}/orgs/default/production.db', f'{data}/control.db'):
        text = rig.read(path) + rig.read(f'{path}-wal') if rig.os.path.exists(f'{path}-wal') else rig.read(path)
        found += [name for name, secret in kept.items() if name.endswith(('token', 'secret')) and secret in text]
    equal('no secret of a client stands in the data folder', found, [])
    if not rig.POSTGRES:
        base = sqlite3.connect(f'{data}/orgs/default/production.db')
        base.execute('UPDATE auth_access SET expires_ms = 1')
        base.commit()
        base.close()
    with rig.Server(data=data) as again:
        params = {'grant_type': 'refresh_token', 'client_id': kept['client_id'], 'client_secret': kept['client_secret'], 'refresh_token': kept['refresh_token']}
        if not rig.POSTGRES:
            equal('an hour later an access token is over', code_of(get(again, '/crm/v8/Leads?fields=Last_Name', kept['access_token'])), 'INVALID_TOKEN')
        fresh = ask(again, **params).json()
        equal('the refresh token works after a restart', get(again, '/crm/v8/Leads?fields=Last_Name', fresh['access_token']).status, 204)


with rig.folder() as path:
    ext = rig.extension(f'{path}/ext', functions={'who': FUNCTION})
    running = rig.Server(ext, data=f'{path}/data')
    for test in (test_self_client, test_code, test_revoke, test_page, test_functions, test_places, test_credentials, test_bad_bodies, test_dots, test_network):
        test(running)
    test_rest(running, f'{path}/data')
    if not rig.POSTGRES:
        test_user(path)
        test_limits(path)
    test_flood(path)
rig.done()
