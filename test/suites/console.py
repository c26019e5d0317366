#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The console without a browser: signing in, sessions, what guards them, accounts and roles, its files. usage: console.py PATH/TO/sluice

What the pages do is tried in test/console/."""
import _rig as rig
from _rig import command, equal, matches, ok

import gzip
import json
import re
import sqlite3
import urllib.parse

PASSWORD = 'correct horse battery'
LEAD = json.dumps({'data': [{'Last_Name': 'made'}]}).encode()
JSON = ('Content-Type', 'application/json')


class Session:
    """A browser's side of one: its cookie, and its pages' token."""

    def __init__(self, server, cookie=None):
        self.server, self.cookie, self.csrf, self.user = server, cookie, None, None
        if cookie:
            reply = self.get('/console/api/session')
            if reply.status == 200:
                self.csrf, self.user = reply.json()['csrf'], reply.json()['user']

    def headers(self, csrf):
        token = self.csrf if csrf is True else csrf
        return [('Cookie', f'other=1; sluice_session={self.cookie}')] + ([('X-CSRF-Token', token)] if token else [])

    def get(self, target, *headers):
        return self.server.send('GET', target, [*self.headers(None), *headers])

    def change(self, method, target, body=b'', *headers, csrf=True):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.server.send(method, target, [*self.headers(csrf), JSON, *headers], body)


def cookie_of(reply):
    found = re.search(r'sluice_session=([0-9a-f]{64})', reply.header('Set-Cookie') or '')
    return found and found[1]


def link_of(server):
    return re.search(r'^console http://[^/]*(/console/sign-in\?link=[0-9a-f]{64})\nready$', server.out, re.M)[1]


def by_link(server, data):
    url = command('user', 'link', '--data', data).out.strip()
    return Session(server, cookie_of(server.send('GET', re.sub('^http://[^/]*', '', url))))


def sign_in(server, email, password, *headers):
    return server.send('POST', '/console/api/sign-in', [JSON, *headers], json.dumps({'email': email, 'password': password}).encode())


def test_link(server):
    link = link_of(server)
    reply = server.send('GET', link)
    equal('the link leads to the console', (reply.status, reply.header('Location')), (303, '/console/'))
    cookie = reply.header('Set-Cookie') or ''
    for part in ('HttpOnly', 'SameSite=Strict', 'Path=/'):
        ok(f'its cookie is {part}', part in cookie, cookie)
    ok('and goes over plain HTTP on this machine', 'Secure' not in cookie, cookie)
    again = server.send('GET', link)
    equal('it works once', (again.status, again.header('Location'), again.header('Set-Cookie')), (303, '/console/sign-in?failed=1', None))
    session = Session(server, cookie_of(reply))
    equal('the session is the operator\'s', session.user, {'email': '', 'name': 'Operator', 'role': 'admin'})
    for page in ('/console', '/console/', '/console/records/Leads', '/console/extensions/x/functions/y'):
        equal(f'{page} is there for it', session.get(page).status, 200)
    ok('no link is in the log', 'link=***' in server.err or link[-64:] not in server.err, server.err[-2000:])
    for bad in ('0' * 64, 'x', '', link[-64:].upper() + '0'):
        reply = server.send('GET', f'/console/sign-in?link={bad}')
        ok(f'no session for the link {bad[:6]!r}', not reply.header('Set-Cookie'), reply)
    return session


def test_without(server):
    for target in ('/console', '/console/', '/console/records', '/console/runs/x', '/console/index.html'):
        reply = server.send('GET', target)
        equal(f'{target} leads to the sign-in page', (reply.status, reply.header('Location')), (303, '/console/sign-in'))
    for method, target in (('GET', '/console/api/session'), ('POST', '/console/api/sign-out'), ('GET', '/console/api/x'), ('POST', '/console/records'), ('PUT', '/console/x/y'),
                           ('DELETE', '/console/x'), ('PATCH', '/console/x'), ('POST', '/console/api/widget-token'), ('GET', '/console/assets/none.js')):
        equal(f'{method} {target} wants a session', server.send(method, target, [JSON], b'{}' if method != 'GET' else b'').status, 401)
    for cookie in ('0' * 64, '', 'x', '0' * 63, "' OR 1=1 --"):
        equal(f'the cookie {cookie[:6]!r} is none', server.send('GET', '/console/api/session', [('Cookie', f'sluice_session={cookie}')]).status, 401)
    equal('nor does it open the API', server.send('GET', '/crm/v2/Leads', [('Cookie', f'sluice_session={"0" * 64}')]).status, 401)
    equal('nor what owners do', server.send('GET', '/control/orgs', [('Cookie', f'sluice_session={"0" * 64}')]).status, 401)
    page = server.send('GET', '/console/sign-in')
    equal('the sign-in page is there', (page.status, page.header('Content-Type')), (200, 'text/html; charset=utf-8'))


def test_headers(server, session):
    for target in ('/console/', '/console/sign-in', '/console/x/y', '/console/assets/none.js'):
        reply = session.get(target)
        policy = reply.header('Content-Security-Policy') or ''
        rules = dict(rule.strip().split(' ', 1) for rule in policy.split(';') if ' ' in rule.strip())
        equal(f'{target}: scripts from itself only', rules.get('script-src'), "'self'")
        ok(f'{target}: nothing unsafe', 'unsafe' not in policy and '*' not in policy, policy)
        ok(f'{target}: in no foreign frame', rules.get('frame-ancestors') in ("'self'", "'none'"), policy)
        equal(f'{target}: nosniff', reply.header('X-Content-Type-Options'), 'nosniff')


def test_files(server, session):
    page = session.get('/console/').text
    names = re.findall(r'(?:src|href)="?(/console/assets/[^" >]+)', page)
    ok('the page names its files', len(names) >= 2, page)
    ok('and has no script or style in itself', not re.search(r'<script(?![^>]*src)|<style| style=| on\w+=', page), page)
    for name in names:
        plain = session.get(name)
        packed = session.get(name, ('Accept-Encoding', 'br, gzip'))
        equal(f'{name} is there', (plain.status, 'immutable' in (plain.header('Cache-Control') or '')), (200, True))
        equal(f'{name} is packed where that is understood', (packed.header('Content-Encoding'), gzip.decompress(packed.body) == plain.body), ('gzip', True))
        equal(f'{name} is known again', session.get(name, ('If-None-Match', plain.header('ETag'))).status, 304)
        equal(f'{name} is not packed where that is refused', session.get(name, ('Accept-Encoding', 'gzip;q=0')).header('Content-Encoding'), None)
    equal('what is no file is not there', session.get('/console/assets/../index.html').status, 404)
    etag = session.get('/console/').header('ETag')
    equal('the page is known again', session.get('/console/', ('If-None-Match', etag)).status, 304)


def leads(session):
    reply = session.get('/crm/v2/Leads')
    return len(reply.json()['data']) if reply.status == 200 else 0


def test_csrf(server, session):
    host = f'{server.address[0]}:{server.address[1]}'
    before = leads(session)
    for name, csrf, headers in (('without a token', None, ()), ('with a wrong token', '0' * 64, ()), ('with half of it', session.csrf[:32], ()),
                                ('from a foreign page', True, [('Origin', 'http://evil.example')]), ('from another port', True, [('Origin', 'http://127.0.0.1:1')]),
                                ('from nowhere', True, [('Origin', 'null')]), ('from a name that begins like ours', True, [('Origin', f'http://{host}.evil.example')]),
                                ('across sites', True, [('Sec-Fetch-Site', 'cross-site')])):
        for method, target, body in (('POST', '/crm/v2/Leads', LEAD), ('POST', '/control/keys/x/rotate', b'{}'), ('DELETE', '/crm/v2/Leads?ids=1', b''),
                                     ('POST', '/console/api/sign-out', b'{}'), ('GET', '/crm/v2/functions/x/actions/execute', b'')):
            if method == 'GET' and headers and csrf is True and headers[0][0] != 'Origin':
                continue
            equal(f'{method} {target} {name}', session.change(method, target, body, *headers, csrf=csrf).status, 403)
    equal('nothing has changed', leads(session), before)
    equal('and the session goes on', session.get('/console/api/session').status, 200)
    reply = session.change('POST', '/crm/v2/Leads', LEAD, ('Origin', f'http://{host}'))
    equal('a page of ours changes something', (reply.status, leads(session)), (201, before + 1))


def test_host(server, session):
    for host in ('evil.example', 'evil.example:80', '127.0.0.1.evil.example', 'localhost.evil.example', '', '10.0.0.1', '127.evil.example'):
        for target in ('/console/', '/console/api/session', '/crm/v2/Leads', '/control/orgs', '/console/sign-in', '/console/assets/x.js'):
            equal(f'{target} under the name {host!r}', session.get(target, ('Host', host)).status, 403 if host else 400 if session.get(target, ('Host', host)).status == 400 else 403)
    for host in ('localhost', 'localhost:8080', 'LOCALHOST', '[::1]:80', '127.0.0.9'):
        equal(f'and under {host}', session.get('/console/api/session', ('Host', host)).status, 200)
    equal('a listed name', session.get('/console/api/session', ('Host', 'crm.example.com:443')).status, 200)
    equal('but no password over a plain line', sign_in(server, 'ann@example.com', PASSWORD, ('Host', 'crm.example.com')).status, 403)
    equal('nor a link', server.send('GET', f'/console/sign-in?link={"0" * 64}', [('Host', 'crm.example.com')]).status, 403)
    reply = sign_in(server, 'ann@example.com', PASSWORD, ('Host', 'crm.example.com'), ('X-Forwarded-Proto', 'https'))
    ok('through a proxy with TLS the cookie is Secure', reply.status == 200 and '; Secure' in reply.header('Set-Cookie'), reply)


def test_accounts(server, data):
    made = command('user', 'new', 'Ann@Example.com', '--name', 'Ann', '--role', 'admin', '--data', data, input=f'{PASSWORD}\n'.encode())
    equal('an account is made', (made.code, made.out), (0, 'user Ann@Example.com\n'))
    equal('once', command('user', 'new', 'ann@example.com', '--data', data, input=PASSWORD.encode()).code, 1)
    path = rig.write(f'{data}/../password', PASSWORD)
    for email, role in (('dev@example.com', 'developer'), ('view@example.com', 'viewer')):
        equal(f'one for {email} from a file', command('user', 'new', email, '--role', role, '--password-file', path, '--data', data).code, 0)
    for email, password, role in (('no address', PASSWORD, 'admin'), ('x@example.com', 'short', 'admin'), ('x@example.com', '', 'admin'), ('x@example.com', PASSWORD, 'king'), ('x@example.com', 'x' * 300, 'admin')):
        refused = command('user', 'new', email, '--role', role, '--data', data, input=password.encode())
        ok(f'refused: {email} {password[:6]} {role}', refused.code == 1 and refused.err.startswith('sluice: '), refused)
    listed = json.loads(command('user', 'list', '--json', '--data', data).out)
    equal('they are listed', [(user['email'], user['role']) for user in listed], [('ann@example.com', 'admin'), ('dev@example.com', 'developer'), ('view@example.com', 'viewer')])
    base = sqlite3.connect(f'file:{data}/control.db?mode=ro', uri=True) if not rig.POSTGRES else None
    if base:
        ok('no password is kept', PASSWORD not in str(base.execute('SELECT * FROM auth_account').fetchall()))
        base.close()
    wrong, unknown = sign_in(server, 'ann@example.com', 'wrong password'), sign_in(server, 'nobody@example.com', 'wrong password')
    equal('the same words for a wrong password and an unknown address', (wrong.status, wrong.text), (unknown.status, unknown.text))
    equal('which say no', (wrong.status, wrong.header('Set-Cookie')), (401, None))
    form = server.send('POST', '/console/api/sign-in', [('Content-Type', 'text/plain')], json.dumps({'email': 'ann@example.com', 'password': PASSWORD}).encode())
    equal('a form of a foreign page signs nobody in', form.status, 400)
    equal('nor does its script', sign_in(server, 'ann@example.com', PASSWORD, ('Origin', 'http://evil.example')).status, 403)
    reply = sign_in(server, 'ANN@example.com', PASSWORD)
    equal('the right one signs in', (reply.status, reply.json()['user']), (200, {'email': 'ann@example.com', 'name': 'Ann', 'role': 'admin'}))
    session = Session(server, cookie_of(reply))
    equal('with the token of its pages', session.csrf, reply.json()['csrf'])
    return session


def test_lockout(server, data):
    for email in ('dev@example.com', 'nobody2@example.com'):
        statuses = [sign_in(server, email, f'wrong {i} wrong').status for i in range(6)]
        equal(f'{email}: after five wrong passwords it waits', statuses, [401] * 5 + [429])
        reply = sign_in(server, email, PASSWORD)
        ok(f'{email}: the right one waits too', reply.status == 429 and 'try again in' in reply.text, reply)
    equal('others do not', sign_in(server, 'ann@example.com', PASSWORD).status, 200)


def test_roles(server, data):
    viewer, developer, admin = [Session(server, cookie_of(sign_in(server, f'{name}@example.com', PASSWORD))) for name in ('view', 'dev', 'ann')]
    rows = [  # method, target, body, viewer may, developer may
        ('GET', '/crm/v2/settings/modules', b'', True, True), ('POST', '/crm/v2/coql', b'{"select_query":"select Last_Name from Leads where Last_Name is not null"}', True, True),
        ('POST', '/crm/v2/Leads', LEAD, False, True), ('GET', '/control/logs', b'', True, True), ('GET', '/control/keys', b'', True, True), ('GET', '/control/keys/ext', b'', False, True),
        ('POST', '/control/keys/ext/rotate', b'{}', False, True), ('GET', '/crm/v2/functions/ext__hello/actions/execute', b'', False, True), ('GET', '/control/orgs', b'', True, True),
        ('POST', '/control/orgs', b'{"name":"another"}', False, False), ('GET', '/control/users', b'', False, False),
        ('POST', '/control/users', b'{"email":"more@example.com","password":"long enough"}', False, False), ('DELETE', '/control/users/more@example.com', b'', False, False),
        ('POST', '/control/links', b'{}', False, False), ('GET', '/control/oauth', b'', True, True), ('POST', '/control/oauth', b'{"name":"x"}', False, False),
        ('POST', '/control/oauth/1000.X/code', b'{"scope":"ZohoCRM.modules.READ"}', False, False), ('DELETE', '/control/oauth/1000.X', b'', False, False),
        ('POST', '/control/oauth/requests/1/approve', b'{}', False, False), ('POST', '/control/oauth/requests/1/deny', b'{}', False, False), ('POST', '/console/api/widget-token', b'{"namespace":"ext"}', True, True)]
    for method, target, body, may_view, may_develop in rows:
        for name, session, may in (('viewer', viewer, may_view), ('developer', developer, may_develop), ('admin', admin, True)):
            status = session.change(method, target, body).status
            ok(f'{name}: {method} {target}{"" if may else " is refused"}', (status in (200, 201, 204) or (status in (400, 404) and '/control/oauth/' in target)) if may else status == 403, status)
    key = server.key('ext')
    ok('a viewer sees no key', key not in viewer.get('/control/functions?keys=true').text)
    admin.change('POST', '/control/fn', {'functions': [{'file': 'own.dg', 'source': 'return 1;'}]})
    for target in ('/control/fn', '/control/fn/own', '/control/ext/ext'):
        ok(f'nor in {target}', '1003.\u2026' in viewer.get(target).text and key not in viewer.get(target).text, viewer.get(target).text)
        ok(f'a developer does in {target}', re.search(r'1003\.[0-9a-f]{32}', developer.get(target).text))
    ok('a developer does', '1003.' in developer.get('/control/functions?keys=true').text)
    equal('each may end his session', viewer.change('POST', '/console/api/sign-out', {}).status, 200)
    equal('on the server too', viewer.get('/console/api/session').status, 401)


def test_places(server, session, data):
    equal('an org is made', session.change('POST', '/control/orgs', {'name': 'second'}).status, 200)
    equal('a page names it', session.change('POST', '/crm/v2/Leads', LEAD, ('X-Sluice-Org', 'second')).status, 201)
    equal('and reads there', len(session.get('/crm/v2/Leads', ('X-Sluice-Org', 'second')).json()['data']), 1)
    equal('one that there is not', session.get('/crm/v2/Leads', ('X-Sluice-Org', 'none')).status, 404)


def test_ends(server, session, data):
    audit = command('logs', '--audit', '--data', data).out
    for pattern in ('ann@example.com .*console sign-in', 'console link', 'user new', 'org new second'):
        matches(f'the audit log has: {pattern}', audit, pattern, 0)
    ok('and no secret', PASSWORD not in audit and not re.search('[0-9a-f]{64}', audit), audit)
    before = Session(server, cookie_of(sign_in(server, 'view@example.com', PASSWORD)))
    equal('a new password', command('user', 'password', 'view@example.com', '--data', data, input=b'quite another one').code, 0)
    equal('ends the sessions', before.get('/console/api/session').status, 401)
    equal('the old one is wrong', sign_in(server, 'view@example.com', PASSWORD).status, 401)
    after = Session(server, cookie_of(sign_in(server, 'view@example.com', 'quite another one')))
    equal('the new one signs in', after.user and after.user['email'], 'view@example.com')
    equal('an account is removed', command('user', 'remove', 'view@example.com', '--data', data).code, 0)
    equal('with its sessions', after.get('/console/api/session').status, 401)
    equal('and is not there any more', command('user', 'remove', 'view@example.com', '--data', data).code, 1)
    url = command('user', 'link', 'dev@example.com', '--data', data).out.strip()
    reply = server.send('GET', re.sub('^http://[^/]*', '', url))
    equal('a link signs in as a user', Session(server, cookie_of(reply)).user['email'], 'dev@example.com')
    equal('not as one that there is not', command('user', 'link', 'no@example.com', '--data', data).code, 1)
    cookies = [by_link(server, data) for _ in range(22)]
    equal('sessions are bounded: the oldest have ended', [s.get('/console/api/session').status for s in (cookies[0], cookies[-1])], [401, 200])
    signed = session.change('POST', '/console/api/sign-out', {})
    ok('signing out takes the cookie away', signed.status == 200 and 'Max-Age=0' in signed.header('Set-Cookie'), signed)
    equal('and ends the session', (session.get('/console/api/session').status, session.get('/console/').header('Location')), (401, '/console/sign-in'))
    equal('its token too', session.change('POST', '/crm/v2/Leads', LEAD).status, 401)


def test_pages_of_scripts(server):
    reply = server.call('ext__page')
    equal('a page that a script answers has no origin of ours', (reply.status, reply.header('Content-Security-Policy')), (200, 'sandbox allow-scripts allow-forms allow-popups'))
    for kind in ('application/json, text/html', 'text/plain;x,text/html', 'text/plainer', 'image/svg+xml', 'application/xhtml+xml', 'text/xml', 'text/htm\u006c', 'x', ' '):
        target = server.target('ext__typed') + '&type=' + urllib.parse.quote(kind)
        ok(f'nor has one that calls itself {kind!r}', (server.send('GET', target).header('Content-Security-Policy') or '').startswith('sandbox '), server.send('GET', target))
    for kind in ('application/json', 'Text/Plain; charset=utf-8', 'text/csv', 'application/json;charset=UTF-8'):
        equal(f'{kind} is data', server.send('GET', server.target('ext__typed') + '&type=' + urllib.parse.quote(kind)).header('Content-Security-Policy'), None)
    equal('data is left alone', server.call('ext__hello').header('Content-Security-Policy'), None)


def test_scripts_see_no_session(server, session):
    for name, headers, csrf in (('by its key', [], None), ('from a page', [], True)):
        target = server.target('ext__seen') if not csrf else '/crm/v2/functions/ext__seen/actions/execute'
        reply = server.send('POST', target, [('Cookie', f'a=1; sluice_session={session.cookie}; b=2'), ('Cookie', f'sluice_session={session.cookie}'), *([('X-CSRF-Token', session.csrf)] if csrf else [])])
        seen = reply.text
        ok(f'{name}: a script sees neither session nor token', reply.status == 200 and session.cookie not in seen and session.csrf not in seen, seen)
        ok(f'{name}: but other cookies', 'a=1; b=2' in seen, seen)
    reply = server.call('ext__signs', body=session.cookie.encode())
    equal('nor can it sign anybody in', [value for name, value in reply.headers if name.lower() == 'set-cookie'], ['mine=1'])


FUNCTIONS = {'hello': 'string hello()\n{\n\treturn "hello";\n}\n',
             'seen': 'string seen(string crmAPIRequest)\n{\n\treturn crmAPIRequest.get("headers").toString();\n}\n',
             'signs': 'map signs()\n{\n\treturn {"crmAPIResponse":{"status_code":200,"body":"x","headers":{"Set-Cookie":"mine=1","set-cookie":"sluice_session=0; Path=/"}}};\n}\n',
             'typed': 'map typed(string crmAPIRequest)\n{\n\treturn {"crmAPIResponse":{"Content-Type":crmAPIRequest.get("params").get("type"),"body":"<script>1</script>"}};\n}\n',
             'page': 'map page()\n{\n\tr = Map();\n\tr.put("Content-Type","text/html");\n\tr.put("body","<script>1</script>");\n\to = Map();\n\to.put("crmAPIResponse",r);\n\treturn o;\n}\n'}


def main():
    with rig.folder() as folder:
        data, ext = f'{folder}/data', rig.extension(f'{folder}/ext', functions=FUNCTIONS)
        env = {'SLUICE_CONSOLE_HOSTS': 'crm.example.com, other.example.com', 'SLUICE_PROXY_TRUSTED': '127.0.0.1'}
        with rig.Server(ext, data=data, env=env) as server:
            if not re.search('^console ', server.out, re.M):
                equal('a binary without a console has none', (server.send('GET', '/console/').status, server.send('GET', '/console/api/session').status), (404, 404))
                print('# the rest is skipped: this binary was built without the console (meson -Dconsole=true)')
                return
            session = test_link(server)
            test_without(server)
            test_pages_of_scripts(server)
            test_scripts_see_no_session(server, session)
            test_headers(server, session)
            test_files(server, session)
            test_csrf(server, session)
            admin = test_accounts(server, data)
            test_host(server, admin)
            test_roles(server, data)
            test_places(server, admin, data)
            test_ends(server, admin, data)
            test_lockout(server, data)


if __name__ == '__main__':
    main()
    rig.done()
