#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Connections and connectors against services of this machine: what they see, what is kept, what is refused, and that no secret gets out."""
import json
import os
import re
import threading
import time
import urllib.parse

import _rig as rig
from _rig import command, equal, matches, ok

import http.server  # after _rig, which takes the suite of that name out of the way

class Service:
    """An HTTP server that keeps its requests; `answers` maps a path to a function of (handler, body) or to (status, headers, body)."""

    def __init__(self):
        service = self
        self.requests, self.answers, self.lock = [], {}, threading.Lock()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def answer(self):
                body = self.rfile.read(int(self.headers.get('Content-Length') or 0)).decode('utf-8', 'replace')
                path = self.path.split('?')[0]
                with service.lock:
                    service.requests.append({'method': self.command, 'path': self.path, 'headers': {k.lower(): v for k, v in self.headers.items()}, 'body': body})
                answer = service.answers.get(path)
                status, headers, text = answer(self, body) if callable(answer) else answer or (200, {}, json.dumps(service.requests[-1]))
                raw = text if isinstance(text, bytes) else text.encode()
                try:
                    self.send_response(status)
                    for name, value in headers.items():
                        self.send_header(name, value)
                    self.send_header('Content-Length', str(len(raw)))
                    self.end_headers()
                    self.wfile.write(raw)
                except OSError:
                    pass

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.server.daemon_threads = True
        self.url = f'http://127.0.0.1:{self.server.server_address[1]}'
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self):
        with self.lock:
            taken, self.requests[:] = list(self.requests), []
        return taken

    def close(self):
        self.server.shutdown()
        self.server.server_close()


FUNCTIONS = {
    'fetch': 'map con.fetch(string url, string conn)\n{\n\treturn invokeurl [url: url type: GET connection: conn detailed: true];\n}\n',
    'post': 'map con.post(string url, string conn)\n{\n\treturn invokeurl [url: url type: POST parameters: {"a":"b"} connection: conn detailed: true];\n}\n',
    'api': 'map con.api(string name, string input)\n{\n\treturn zoho.crm.invokeConnector(name, input.toMap());\n}\n',
    'plain': 'map con.plain(string url)\n{\n\treturn invokeurl [url: url type: GET detailed: true];\n}\n',
    'task': 'map con.task(string conn)\n{\n\treturn zoho.crm.createRecord("Leads", {"Last_Name":"Hopper"}, Map(), conn);\n}\n',
    'many': 'string con.many(string url, string conn)\n{\n\tfor each i in {1,2,3,4,5,6,7,8,9,10}\n\t{\n\t\tr = invokeurl [url: url type: GET connection: conn];\n\t}\n'
            '\treturn "done";\n}\n',
    'file': 'string con.file(string name)\n{\n\tr = zoho.crm.invokeConnector(name, {"$RESPONSE_TYPE$":"stream","id":"7"}).get("response");\n'
            '\treturn r.getFileType() + " " + r.getFileSize();\n}\n',
    'books': 'map con.books(string how)\n{\n\tif(how == "api")\n\t{\n\t\treturn invokeapi [service: zohobooks path: "/books/v3/invoices" type: GET];\n\t}\n'
             '\treturn zoho.books.getRecords("invoices", "1");\n}\n',
}


def call(server, function, /, **params):
    """The JSON that a function returned, or the message of its error."""
    reply = server.send('POST', server.target(f'con__{function}'), [('Content-Type', 'application/x-www-form-urlencoded')],
                        urllib.parse.urlencode(params).encode()).json()
    if reply['code'] != 'success':
        return reply['message']
    try:
        return json.loads(reply['details']['output'])
    except (ValueError, TypeError):
        return reply['details']['output']


def said(answer):
    """What the service saw, as it told in its answer."""
    return answer['responseText'] if isinstance(answer, dict) and 'responseText' in answer else answer


def connection(data, *words, secrets=None, folder=None):
    """`connection new` with its secrets in files."""
    flags = []
    for flag, text in (secrets or {}).items():
        path = f'{folder}/secret{len(os.listdir(folder))}'
        rig.write(path, text)
        flags += [flag, path]
    return command('connection', 'new', *words, *flags, '--data', data)


def made(name, result):
    return ok(name, result.code == 0, repr(result))


def everything(folder):
    for base, _, names in os.walk(folder):
        for name in names:
            try:
                with open(os.path.join(base, name), 'rb') as file:
                    yield os.path.join(base, name), file.read()
            except OSError:
                pass  # sockets


def leaks(folder, *secrets):
    return [(name, secret) for name, text in everything(folder) for secret in secrets if secret.encode() in text]


# ---- types ------------------------------------------------------------------------------------------


def test_types(folder, service, other):
    ext = rig.extension(f'{folder}/ext', namespace='con', functions=FUNCTIONS)
    data, url = f'{folder}/data', service.url
    with rig.Server(ext, data=data) as server:
        new = lambda *words, **secrets: connection(data, *words, secrets=secrets.get('secrets'), folder=f'{folder}')
        made('an API key is stored', new('key', '--type', 'api-key', secrets={'--value-file': 'canary-key\n'}))
        equal('it goes as X-Api-Key', said(call(server, 'fetch', url=f'{url}/a', conn='key'))['headers'].get('x-api-key'), 'canary-key')
        equal('names of connections have no case', said(call(server, 'fetch', url=f'{url}/a', conn='KEY'))['headers'].get('x-api-key'), 'canary-key')
        made('with a header of its own', new('key', '--type', 'api-key', '--header', 'X-Token', secrets={'--value-file': 'canary-key2'}))
        equal('which takes the place of the first', said(call(server, 'fetch', url=f'{url}/a', conn='key'))['headers'].get('x-token'), 'canary-key2')
        made('or in the query', new('q', '--type', 'api-key', '--query', 'api key', secrets={'--value-file': 'canary&q'}))
        equal('where it is encoded', said(call(server, 'fetch', url=f'{url}/a?b=c#d', conn='q'))['path'], '/a?b=c&api+key=canary%26q')
        made('basic', new('basic', '--type', 'basic', '--user', 'ada', secrets={'--password-file': 'canary:pass'}))
        equal('goes as RFC 7617 has it', said(call(server, 'fetch', url=f'{url}/a', conn='basic'))['headers']['authorization'], 'Basic YWRhOmNhbmFyeTpwYXNz')
        made('a bearer token', new('bearer', '--type', 'bearer', '--prefix', 'Token', secrets={'--value-file': 'canary-bearer'}))
        equal('has its word before it', said(call(server, 'post', url=f'{url}/a', conn='bearer'))['headers']['authorization'], 'Token canary-bearer')
        made('a connection without authorisation', new('open', '--type', 'none'))
        equal('adds none', said(call(server, 'fetch', url=f'{url}/a', conn='open'))['headers'].get('authorization'), None)
        result = command('connection', 'new', 'piped', '--type', 'bearer', '--value-file', '-', '--data', data, input=b'canary-piped\n')
        made('a secret comes by standard input too', result)
        equal('without its line end', said(call(server, 'fetch', url=f'{url}/a', conn='piped'))['headers']['authorization'], 'Bearer canary-piped')
        equal('a script without connection sends nothing', said(call(server, 'plain', url=f'{url}/a'))['headers'].get('authorization'), None)

        # where it goes
        service.answers['/away'] = (302, {'Location': f'{other.url}/stolen'}, '')
        service.answers['/back'] = (302, {'Location': f'{service.url}/home'}, '')
        for name in ('key', 'basic', 'bearer', 'q'):
            other.take()
            call(server, 'fetch', url=f'{url}/away', conn=name)
            taken = other.take()
            ok(f'a redirect to another origin carries nothing of {name}', len(taken) == 1 and 'canary' not in json.dumps(taken), taken)
        equal('one that stays carries it', said(call(server, 'fetch', url=f'{url}/back', conn='key'))['headers'].get('x-token'), 'canary-key2')
        made('a connection may name its hosts', new('bound', '--type', 'bearer', '--host', 'api.example.com', '--host', '*.example.org',
                                                   secrets={'--value-file': 'canary-bound'}))
        service.take()
        for target in (f'{url}/a', 'http://api.example.com.evil.test/', 'http://api.example.com@127.0.0.1/', 'http://evil.test/?api.example.com',
                       'http://xexample.org/', 'http://127.0.0.1\\@api.example.com/', 'http://api.example.com%2f@127.0.0.1/'):
            matches(f'and goes nowhere else: {target}', call(server, 'fetch', url=target, conn='bound'), 'the connection "bound" is not for the host')
        equal('nothing was sent', service.take(), [])
        made('this machine', new('bound', '--type', 'bearer', '--host', '127.0.0.1', secrets={'--value-file': 'canary-bound'}))
        equal('is a host like others', said(call(server, 'fetch', url=f'{url}/a', conn='bound'))['headers']['authorization'], 'Bearer canary-bound')

        own = f'http://127.0.0.1:{server.address[1]}/crm/v2/functions/con__plain/actions/execute?auth_type=apikey&url={url}/inner'
        rig.write(f'{folder}/own', server.key('con'))
        made('our own address', command('connection', 'new', 'own', '--type', 'api-key', '--header', 'X-Sluice-Key', '--value-file', f'{folder}/own', '--data', data))
        equal('is a service too: its key need not stand in the URL', call(server, 'fetch', url=own, conn='own')['responseCode'], 200)
        equal('and it ran', service.take()[-1]['path'], '/inner')
        equal('without the connection it does not', call(server, 'plain', url=own)['responseCode'], 401)
        command('connection', 'remove', 'own', '--data', data)

        # what is shown
        listed = command('connection', 'list', '--json', '--data', data)
        shown = {c['name']: c for c in json.loads(listed.out)}
        equal('list names them', sorted(shown), ['basic', 'bearer', 'bound', 'key', 'open', 'piped', 'q'])
        equal('with what is no secret', shown['basic'], {'name': 'basic', 'type': 'basic', 'user': 'ada'})
        one = command('connection', 'show', 'bound', '--data', data)
        equal('show prints one', one.out, 'connection bound (bearer)\n  hosts: 127.0.0.1\n')
        ok('secrets are nowhere in it', 'canary' not in listed.out + one.out, listed.out)
        equal('test sends a request', command('connection', 'test', 'key', f'{url}/a?x=1', '--data', data).out, f'{url}/a answered 200\n')
        equal('under the connection', service.take()[-1]['headers'].get('x-token'), 'canary-key2')
        matches('and wants to know where', command('connection', 'test', 'key', '--data', data).err, 'name a URL')
        equal('remove takes one away', command('connection', 'remove', 'open', '--data', data).out, 'removed open\n')
        matches('once', command('connection', 'remove', 'open', '--data', data).err, 'there is no connection "open"')
        matches('then scripts are told how to make it', call(server, 'fetch', url=f'{url}/a', conn='open'), 'the connection "open" is not set up here: sluice connection new open')
        audit = command('logs', '--audit', '--data', data).out
        ok('making and removing stand in the audit log', 'connection new' in audit and 'connection remove' in audit and 'canary' not in audit, audit)
        err = server.err
    equal('no secret is in a file of the data folder', leaks(data, 'canary'), [])
    ok('or in the output of the server', 'canary' not in err, err[-2000:])


def test_wrong(folder, service, other):
    data = f'{folder}/data'
    secret = rig.write(f'{folder}/secret', 'canary\nsecond')
    empty = rig.write(f'{folder}/empty', '\n')
    good = rig.write(f'{folder}/good', 'canary')
    for name, words, why in (
            ('an unknown type', ('x', '--type', 'magic'), 'the type of a connection is zoho'),
            ('a key without value', ('x', '--type', 'api-key'), 'needs its value'),
            ('basic without user', ('x', '--type', 'basic', '--password-file', good), 'needs its user'),
            ('OAuth without addresses', ('x', '--type', 'oauth2', '--client-id', 'i', '--client-secret-file', good), 'needs its token_url'),
            ('a secret of two lines', ('x', '--type', 'bearer', '--value-file', secret), 'must be one line'),
            ('an empty one', ('x', '--type', 'bearer', '--value-file', empty), 'is empty'),
            ('one that is not there', ('x', '--type', 'bearer', '--value-file', f'{folder}/none'), 'No such file'),
            ('a header that is none', ('x', '--type', 'api-key', '--header', 'X-A: b', '--value-file', good), 'not the name of a header'),
            ('a header with a line end', ('x', '--type', 'api-key', '--header', 'X\r\nY', '--value-file', good), 'must be one line'),
            ('a host with a path', ('x', '--type', 'bearer', '--host', 'https://a.b/', '--value-file', good), 'a host is a name like'),
            ('an address that is none', ('x', '--type', 'oauth2', '--client-id', 'i', '--client-secret-file', good, '--token-url', 'file:///etc/passwd'),
             'must begin with https'),
            ('a grant that is none', ('x', '--type', 'oauth2', '--client-id', 'i', '--client-secret-file', good, '--token-url', 'https://a.b', '--grant', 'password'),
             'the grant is'),
            ('a name with a blank', ('a b',), 'a connection\'s name is of'),
            ('a name with two dots', ('a.b.c',), 'a connection\'s name is of'),
            ('a long name', ('a' * 200,), 'a connection\'s name is of'),
            ('a connector that is not installed', ('no.such',), 'has the connector "no.such"')):
        result = command('connection', 'new', *words, '--data', data)
        ok(f'{name} is refused', result.code == 1 and why in result.err and 'canary' not in result.err, repr(result))
    ok('a secret on the command line is no flag', command('connection', 'new', 'x', '--value', 'canary', '--data', data).code == 2)
    equal('nothing was kept', command('connection', 'list', '--data', data).out, '')
    ext = rig.extension(f'{folder}/ext', namespace='con', functions=FUNCTIONS)
    with rig.Server(ext, data=data) as server:
        equal('the routes are the owner\'s', server.send('GET', '/control/connections').status, 404)
        equal('also to write', server.send('POST', '/control/connections', [], b'{"name":"x","definition":{"type":"none"}}').status, 404)
        equal('an org\'s connection', connection(data, 'mine', '--type', 'bearer', secrets={'--value-file': 'canary-a'}, folder=folder).code, 0)
        equal('another org', command('org', 'new', 'acme', '--data', data).code, 0)
        matches('is not another\'s', command('connection', 'test', 'mine', service.url, '--org', 'acme', '--data', data).err,
                r'the connection "mine" is not set up here: sluice connection new mine --org acme')
        equal('its list is empty', command('connection', 'list', '--org', 'acme', '--data', data).out, '')
        equal('a sandbox', command('org', 'sandbox', '--data', data).code, 0)
        matches('has its own too', command('connection', 'test', 'mine', service.url, '--sandbox', '--data', data).err, r'sluice connection new mine --sandbox')


# ---- OAuth 2.0 --------------------------------------------------------------------------------------


class Tokens:
    """A token address: gives numbered tokens, may rotate refresh tokens, and guards /api of its service."""

    def __init__(self, service, rotate=False, expires=3600):
        self.service, self.rotate, self.expires, self.count, self.asked = service, rotate, expires, 0, []
        self.refresh, self.live, self.lock = 'canary-refresh-0', None, threading.Lock()
        service.answers['/token'] = self.token
        service.answers['/api'] = self.api

    def token(self, handler, body):
        with self.lock:
            form = dict(urllib.parse.parse_qsl(body))
            self.asked.append((form, handler.headers.get('Authorization')))
            if form.get('grant_type') == 'refresh_token' and form.get('refresh_token') != self.refresh:
                return 400, {}, '{"error":"invalid_grant","error_description":"canary-refresh"}'
            time.sleep(0.05)  # so that others wait for it
            self.count += 1
            self.live = f'canary-access-{self.count}'
            answer = {'access_token': self.live, 'expires_in': self.expires, 'token_type': 'Bearer'}
            if self.rotate or form.get('grant_type') == 'authorization_code':
                answer['refresh_token'] = self.refresh = f'canary-refresh-{self.count}'
            return 200, {'Content-Type': 'application/json'}, json.dumps(answer)

    def api(self, handler, _):
        good = handler.headers.get('Authorization') == f'Bearer {self.live}'
        return (200, {}, '{"in":true}') if good else (401, {}, '{"in":false}')


def test_oauth(folder, service, other):
    ext = rig.extension(f'{folder}/ext', namespace='con', functions=FUNCTIONS)
    data, api, flags = f'{folder}/data', f'{service.url}/api', ('--type', 'oauth2', '--client-id', 'id', '--token-url', f'{service.url}/token')
    new = lambda *words, secrets: connection(data, *words, secrets=secrets, folder=folder)
    both = {'--client-secret-file': 'canary-client', '--refresh-token-file': 'canary-refresh-0'}
    with rig.Server(ext, data=data) as server:
        tokens = Tokens(service)
        made('a client with a refresh token', new('oa', *flags, secrets=both))
        equal('gets a token and in', call(server, 'fetch', url=api, conn='oa')['responseCode'], 200)
        equal('it asked as RFC 6749 §6 has it', tokens.asked[0][0],
              {'grant_type': 'refresh_token', 'refresh_token': 'canary-refresh-0', 'client_id': 'id', 'client_secret': 'canary-client'})
        call(server, 'fetch', url=api, conn='oa')
        equal('the token is kept', tokens.count, 1)
        tokens.live = 'revoked'
        equal('one that is refused is renewed', call(server, 'fetch', url=api, conn='oa')['responseCode'], 200)
        equal('once', tokens.count, 2)
        service.answers['/never'] = (401, {}, '{"in":false}')
        equal('a service that always refuses', call(server, 'fetch', url=f'{service.url}/never', conn='oa')['responseCode'], 401)
        equal('is asked twice, no more', [r['path'] for r in service.take()].count('/never'), 2)
        tokens.live = 'revoked'
        before, results = tokens.count, []
        threads = [threading.Thread(target=lambda: results.append(call(server, 'fetch', url=api, conn='oa')['responseCode'])) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        equal('eight at once all get in', results, [200] * 8)
        equal('with one refresh', tokens.count, before + 1)

        tokens = Tokens(service, rotate=True, expires='1')
        made('a service that replaces refresh tokens', new('oa', *flags, secrets=both))
        equal('is followed', [call(server, 'fetch', url=api, conn='oa')['responseCode'] for _ in range(2)], [200, 200])
        time.sleep(1.1)
        equal('also when the token has expired', call(server, 'fetch', url=api, conn='oa')['responseCode'], 200)
        ok('each refresh has the latest one', [form['refresh_token'] for form, _ in tokens.asked][:2] == ['canary-refresh-0', 'canary-refresh-1'], tokens.asked)
        last = tokens.refresh
        server.kill()
    with rig.Server(ext, data=data) as server:
        tokens.asked.clear()
        tokens.live = 'revoked'
        equal('after a crash the latest is there', call(server, 'fetch', url=api, conn='oa')['responseCode'], 200)
        equal('and no earlier', tokens.asked[0][0]['refresh_token'], last)

        tokens = Tokens(service)
        made('a client by itself', new('cc', *flags, '--scope', 'a.read,b.write', '--separator', ',', '--token-auth', 'header',
                                       secrets={'--client-secret-file': 'canary:client'}))
        equal('gets in', call(server, 'fetch', url=api, conn='cc')['responseCode'], 200)
        equal('by its credentials in the head', tokens.asked[0], ({'grant_type': 'client_credentials', 'scope': 'a.read,b.write'}, 'Basic aWQ6Y2FuYXJ5JTNBY2xpZW50'))
        made('a client with a code', new('code', *flags, '--authorize-url', 'https://login.example/auth', '--redirect-uri', 'https://me.example/cb', '--scope', 'a b',
                                         '--grant', 'authorization_code', secrets={'--client-secret-file': 'canary-client', '--code-file': 'canary-code'}))
        equal('gets in', call(server, 'fetch', url=api, conn='code')['responseCode'], 200)
        equal('by the code', tokens.asked[1][0], {'grant_type': 'authorization_code', 'code': 'canary-code', 'redirect_uri': 'https://me.example/cb', 'client_id': 'id',
                                                  'client_secret': 'canary-client'})
        tokens.live = 'revoked'
        equal('later', call(server, 'fetch', url=api, conn='code')['responseCode'], 200)
        equal('by the refresh token that it got', tokens.asked[2][0]['refresh_token'], 'canary-refresh-2')
        matches('show tells where a user lets it in', command('connection', 'show', 'code', '--data', data).out,
                re.escape('authorize: https://login.example/auth?response_type=code&client_id=id&redirect_uri=https%3A%2F%2Fme.example%2Fcb&scope=a+b&access_type=offline'))
        made('without a code', new('later', *flags, '--grant', 'authorization_code', secrets={'--client-secret-file': 'canary-client'}))
        matches('nothing is asked', call(server, 'fetch', url=api, conn='later'), 'has no refresh token and no code')

        begun, go = threading.Event(), threading.Event()
        service.answers['/slow'] = lambda *_: (begun.set(), go.wait(rig.WAIT_S), (200, {}, '{"access_token":"canary-late","refresh_token":"canary-late"}'))[2]
        slow = flags[:-1] + (f'{service.url}/slow',)
        made('a connection that is replaced', new('swap', *slow, secrets=both))
        late = []
        thread = threading.Thread(target=lambda: late.append(call(server, 'fetch', url=api, conn='swap')))
        thread.start()
        begun.wait(rig.WAIT_S)
        made('while it is refreshed', new('swap', '--type', 'bearer', secrets={'--value-file': 'canary-fresh'}))
        go.set()
        thread.join()
        matches('is not overwritten by what comes late', late[0], 'the connection "swap" was changed while it was refreshed')
        equal('but is the new one', said(call(server, 'fetch', url=f'{service.url}/a', conn='swap'))['headers']['authorization'], 'Bearer canary-fresh')

        made('a client of our own OAuth', new('self', *flags[:-1], 'https://accounts.zoho.com/oauth/v2/token', secrets=both))
        matches('is answered here, and never asked of Zoho', call(server, 'fetch', url=api, conn='self'), 'its token address answered 200, invalid_c')

        # token addresses that do not do what they should
        big = json.dumps({'access_token': 'canary-' + 'x' * 10_000_000})
        for name, answer, why in (
                ('garbage', (200, {}, 'canary-answer <html>'), 'its token address answered 200'),
                ('JSON without a token', (200, {}, '{"token":"canary-answer"}'), 'its token address answered 200'),
                ('a list', (200, {}, '["canary-answer"]'), 'its token address answered 200'),
                ('a token that is no text', (200, {}, '{"access_token":{"canary":1}}'), 'its token address answered 200'),
                ('a refusal', (400, {}, '{"error":"invalid_grant","error_description":"canary-answer"}'), 'answered 400, invalid_grant'),
                ('a refusal of Zoho', (200, {}, '{"error":"invalid_code"}'), 'answered 200, invalid_code'),
                ('an error of its own words', (400, {}, '{"error":"canary-answer"}'), 'answered 400'),
                ('10 MB', (200, {}, big), 'larger than the 65536 bytes'),
                ('a redirect elsewhere', (307, {'Location': f'{other.url}/token'}, ''), 'leads to another host'),
                ('a failure', (500, {}, 'canary-answer'), 'answered 500')):
            service.answers['/bad'] = answer
            made(f'a token address that answers {name}', new('bad', '--type', 'oauth2', '--client-id', 'id', '--token-url', f'{service.url}/bad', secrets=both))
            message = call(server, 'fetch', url=api, conn='bad')
            ok('is told, without what it said', isinstance(message, str) and 'got no token' in message and why in message and 'canary' not in message, message)
        equal('no secret went elsewhere', other.take(), [])
        service.answers['/bad'] = (200, {}, json.dumps({'access_token': 'canary\r\nX-Evil: 1'}))
        matches('nor is a token with a line end taken', call(server, 'fetch', url=api, conn='bad'), 'its token address answered 200')
        err = server.err
    equal('no secret is in a file of the data folder', leaks(data, 'canary'), [])
    ok('or in the output of the server', 'canary' not in err, err[-2000:])
    rig.write(f'{data}/config', 'limit.outgoing_ms = 300\nlimit.outgoing_calls = 6\n')
    with rig.Server(ext, data=data) as server:
        service.answers['/bad'] = lambda *_: (time.sleep(2), (200, {}, ''))[1]
        matches('a token address that never answers is a timeout', call(server, 'fetch', url=api, conn='bad'), 'got no token: socket timeout error')
        tokens = Tokens(service, expires=3600)
        made('a fresh client', new('oa', *flags, secrets=both))
        service.take()
        matches('every call counts', call(server, 'many', url=api, conn='oa'), 'limit of 6 outgoing calls')
        equal('token requests too', [r['path'] for r in service.take()], ['/token'] + ['/api'] * 5)


def test_processes(folder, service, other):
    """Two processes on one data base refresh a token once, whatever the service does with the tokens before."""
    ext = rig.extension(f'{folder}/ext', namespace='con', functions=FUNCTIONS)
    env = {'SLUICE_STORE': rig.store_url(f'{folder}/a'), 'SLUICE_MASTER_KEY_FILE': rig.write(f'{folder}/key', os.urandom(32).hex())}
    os.chmod(f'{folder}/key', 0o600)
    with rig.Server(ext, data=f'{folder}/a', env=env) as one, rig.Server(ext, data=f'{folder}/b', env=env) as two:
        tokens = Tokens(service, rotate=True)
        rig.write(f'{folder}/secret', 'canary')
        rig.write(f'{folder}/refresh', 'canary-refresh-0')
        made('a connection of both', command('connection', 'new', 'oa', '--type', 'oauth2', '--client-id', 'id', '--token-url', f'{service.url}/token', '--client-secret-file',
                                             f'{folder}/secret', '--refresh-token-file', f'{folder}/refresh', '--data', f'{folder}/a', env=env))
        for turn in range(3):
            results, before, tokens.live = [], tokens.count, 'revoked'
            threads = [threading.Thread(target=lambda s=s: results.append(call(s, 'fetch', url=f'{service.url}/api', conn='oa'))) for s in (one, two) * 3]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            equal('six calls of two processes all get in', [r['responseCode'] if isinstance(r, dict) else r for r in results], [200] * 6)
            equal('with one refresh', tokens.count, before + 1)


# ---- connectors -------------------------------------------------------------------------------------


def connector(url, **more):
    return json.dumps({'api_name': 'svc', 'name': 'Service', 'authorisation': {'type': 'none'}, 'apis': [
        {'api_name': 'get', 'method': 'get', 'url': url + '/items/${id}', 'params': {'q': '${q}', 'fixed': 1}},
        {'api_name': 'make', 'method': 'POST', 'url': url + '/items', 'headers': {'X-Trace': 't-${id}'}, 'body': {'id': '${id}', 'deep': [{'text': 'a ${id} b'}], 'n': 5}},
        {'api_name': 'form', 'method': 'PUT', 'url': url + '/items', 'body_type': 'form', 'body': {'a': '${id}', 'b c': 'x&y'}},
        {'api_name': 'text', 'method': 'POST', 'url': url + '/items', 'body': 'id=${id}'},
        {'api_name': 'raw', 'url': url + '/raw'},
        {'api_name': 'told', 'url': url + '/json', 'response_type': 'text'}], **more})


def test_connectors(folder, service, other):
    data, url = f'{folder}/data', service.url
    keyed = json.dumps({'api_name': 'keyed', 'authorisation': {'type': 'api_key', 'header': 'X-Svc'}, 'apis': [{'api_name': 'who', 'url': url + '/who'}]})
    oauth = json.dumps({'api_name': 'oauth', 'authorisation': {'type': 'oauth2', 'token_url': url + '/token', 'scopes': ['x', 'y']},
                        'apis': [{'api_name': 'api', 'url': url + '/api'}]})
    ext = rig.extension(f'{folder}/ext', namespace='con', functions=FUNCTIONS,
                        files={'connectors/svc.json': connector(url), 'connectors/keyed.json': keyed, 'connectors/oauth.json': oauth})
    other_ext = rig.extension(f'{folder}/other', namespace='thief', functions={'api': FUNCTIONS['api'].replace('con.', 'thief.')})
    service.answers['/json'] = (200, {'Content-Type': 'application/json'}, '{"a":[1,2]}')
    service.answers['/raw'] = (404, {'Content-Type': 'image/png'}, b'\x89PNG\xff')
    api = lambda api_name, **input: call(running, 'api', name=api_name, input=json.dumps(input))
    with rig.Server(ext, other_ext, data=data) as running:
        answer = api('con.svc.get', id='a/b ?', q='x&y=z')
        equal('an API is called with its values', (answer['status_code'], answer['response']['path']), (200, '/items/a%2Fb%20%3F?q=x%26y%3Dz&fixed=1'))
        equal('by its method', answer['response']['method'], 'GET')
        for name in ('con.get', 'svc.get', 'CON.SVC.GET'):
            equal(f'{name} names it too', api(name, id=1, q=2)['response']['path'], '/items/1?q=2&fixed=1')
        made_ = api('con.svc.make', id='7')['response']
        equal('a body is filled in depth', json.loads(made_['body']), {'id': '7', 'deep': [{'text': 'a 7 b'}], 'n': 5})
        equal('and is JSON', (made_['headers']['content-type'], made_['headers']['x-trace']), ('application/json', 't-7'))
        equal('a value keeps its type', json.loads(api('svc.make', id={'x': [1, True, None]})['response']['body'])['id'], {'x': [1, True, None]})
        equal('quotes in a value stay in it', json.loads(api('svc.make', id='","admin":"1')['response']['body'])['deep'], [{'text': 'a ","admin":"1 b'}])
        form = api('svc.form', id='ü&')['response']
        equal('a form', (form['method'], form['body'], form['headers']['content-type']), ('PUT', 'a=%C3%BC%26&b+c=x%26y', 'application/x-www-form-urlencoded'))
        equal('a text', api('svc.text', id='9')['response']['body'], 'id=9')
        equal('an answer may be asked for as text', api('svc.told')['response'], '{"a":[1,2]}')
        equal('or as a file', call(running, 'file', name='svc.raw'), 'image/png 5')
        equal('statuses are answers', api('svc.raw')['status_code'], 404)

        matches('a missing value is named', api('svc.get', id='1'), r'the value for \${q} is missing')
        matches('so is an unknown API', api('svc.nothing'), 'there is no connector API "svc.nothing"')
        matches('another extension has no part in them', call_as(running, 'thief__api', 'con.svc.get'), 'there is no connector API')
        service.take()
        matches('no header is made by a value', api('svc.make', id='x\r\nX-Evil: 1'), 'holds a line end')
        matches('no path by dots', api('svc.get', id='..', q='1'), 'cannot be dots alone')
        matches('a url has its limit', api('svc.get', id='x' * 1_100_000, q='1'), 'larger than|too long')
        equal('nothing of these was sent', service.take(), [])
        equal('a body of 1 MB is well below its', len(json.loads(api('svc.form', id='x' * 1_000_000)['response']['body'].replace('a=', '"').replace('&b+c=x%26y', '"'))), 1_000_000)

        # authorisation
        matches('an authorised connector wants the org\'s connection', api('keyed.who'),
                'the connection "con.keyed" is not set up here: sluice connection new con.keyed')
        matches('whose secret must be given', command('connection', 'new', 'con.keyed', '--data', data).err, 'needs its value')
        made('the connector says the type', connection(data, 'con.keyed', secrets={'--value-file': 'canary-svc'}, folder=folder))
        equal('and the header', api('keyed.who')['response']['headers'].get('x-svc'), 'canary-svc')
        equal('show tells both', command('connection', 'show', 'con.keyed', '--data', data).out, 'connection con.keyed (api-key)\n  header: X-Svc\n')
        tokens = Tokens(service)
        made('so with OAuth', connection(data, 'con.oauth', '--client-id', 'id', secrets={'--client-secret-file': 'canary-client'}, folder=folder))
        equal('which gets its token', api('oauth.api')['status_code'], 200)
        equal('with the connector\'s scopes', tokens.asked[0][0].get('scope'), 'x y')

        # wget
        answer = api('wget.post', url=f'{url}/w?a=1', params={'b': '2 3'}, Header={'X-A': 'b'}, Body='{"x":1}')
        seen = json.loads(answer['response'])
        equal('wget sends what it is told', (seen['method'], seen['path'], seen['headers'].get('x-a'), seen['body'], answer['status_code']),
              ('POST', '/w?a=1&b=2+3', 'b', '{"x":1}', 200))
        for method in ('get', 'put', 'patch', 'delete'):
            equal(f'wget.{method}', json.loads(api(f'wget.{method}', url=f'{url}/w')['response'])['method'], method.upper())
        equal('placeholders are no business of it', json.loads(api('wget.post', url=f'{url}/w', Body='${x}')['response'])['body'], '${x}')
        equal('its answer is text whatever it holds', api('wget.get', url=f'{url}/json')['response'], '{"a":[1,2]}')
        matches('a url must be there', api('wget.get'), 'wget needs a "url"')
        matches('a closed port is an error of the script', api('wget.get', url='http://127.0.0.1:1/'), 'failed|refused|connect')
    equal('no secret is in a file of the data folder', leaks(data, 'canary'), [])


def call_as(server, function, name):
    return server.send('POST', server.target(function), [('Content-Type', 'application/x-www-form-urlencoded')],
                       urllib.parse.urlencode({'name': name, 'input': '{"id":"1","q":"1"}'}).encode()).text


def test_published(folder, service, other):
    """Mistakes in connectors/ are found before anything is published; installed ones go with the extension."""
    url = service.url
    data = f'{folder}/data'
    publish = lambda text: command('ext', 'publish', rig.extension(f'{folder}/bad', namespace='con', functions={'f': 'return 1;'},
                                                                    files={'connectors/svc.json': text}), '--data', data)
    base = json.loads(connector(url))
    first = base['apis'][0]
    for name, change, why in (
            ('an unclosed placeholder', {'apis': [{**first, 'url': url + '/${id'}]}, r'placeholder in "url"'),
            ('one in a body', {'apis': [{**first, 'body': {'a': ['${}']}}]}, r'placeholder in "body"'),
            ('one in a header', {'apis': [{**first, 'headers': {'A': '${a b}'}}]}, r'placeholder in "headers"'),
            ('a member that there is not', {'apis': [{**first, 'metod': 'GET'}]}, r'no member "metod"'),
            ('a method that there is not', {'apis': [{**first, 'method': 'BREW'}]}, r'"method" must be GET\|POST'),
            ('a file address', {'apis': [{**first, 'url': 'file:///etc/passwd'}]}, r'"url" must be'),
            ('no url', {'apis': [{'api_name': 'x'}]}, r'needs an "api_name" and a "url"'),
            ('no apis', {'apis': []}, r'needs "apis"'),
            ('an API twice', {'apis': [first, {**first, 'api_name': 'GET'}]}, r'svc.GET is there twice'),
            ('an API that is no object', {'apis': [1]}, r'must be an object'),
            ('a secret', {'authorisation': {'type': 'oauth2', 'token_url': url, 'client_secret': 'canary'}}, r'no member "client_secret".*sluice connection new'),
            ('OAuth without addresses', {'authorisation': {'type': 'oauth2'}}, r'needs a "token_url"'),
            ('a type that there is not', {'authorisation': {'type': 'magic'}}, r'"type" must be'),
            ('the name of a built-in', {'api_name': 'crm'}, r'built-in connector'),
            ('a name with a dot', {'api_name': 'a.b'}, r'"api_name" must be')):
        result = publish(json.dumps({**base, **change}))
        ok(f'{name} does not publish', result.code == 1 and 'connectors/svc.json' in result.out + result.err and re.search(why, result.out + result.err, re.S), repr(result))
    deep = '1'
    for _ in range(40):
        deep = f'[{deep}]'
    result = publish(json.dumps({**base, 'apis': [{**first, 'body': json.loads(deep)}]}))
    ok('a deep body does not publish', result.code == 1 and 'nested deeper' in result.out + result.err, repr(result))
    equal('nothing was published', command('ext', 'list', '--data', data).out, '')
    result = publish(connector(url))
    made('the right one is', result)
    made('and installed', command('ext', 'install', 'con', '--data', data))
    matches('another connector file of that name is refused', command('ext', 'publish', rig.extension(
        f'{folder}/twice', namespace='con', version='2.0.0', functions={'f': 'return 1;'}, files={'connectors/a.json': connector(url), 'connectors/b.json': connector(url)}),
        '--data', data).err, 'is there twice')
    made('a connection of its connector', command('connection', 'new', 'con.svc', '--data', data))
    made('goes with its data', command('ext', 'uninstall', 'con', '--drop-data', '--data', data))
    equal('all of it', command('connection', 'list', '--data', data).out, '')


# ---- Zoho's hosts -----------------------------------------------------------------------------------


def test_zoho(folder, service, other):
    ext = rig.extension(f'{folder}/ext', namespace='con', functions=FUNCTIONS)
    data, leads = f'{folder}/data', 'https://www.zohoapis.com/crm/v2/Leads'
    with rig.Server(ext, data=data) as server:
        equal('without connection Zoho\'s host answers 401', call(server, 'plain', url=leads)['responseCode'], 401)
        matches('an unknown connection is told', call(server, 'fetch', url=leads, conn='crm'), 'the connection "crm" is not set up here: sluice connection new crm')
        ok('but a task of this org\'s own records needs none', 'id' in call(server, 'task', conn='crm'))
        made('one command makes it', command('connection', 'new', 'crm', '--data', data))
        equal('a task is done under it', list(call(server, 'task', conn='crm'))[:1] != [] and 'id' in call(server, 'task', conn='crm'), True)
        answer = call(server, 'fetch', url=leads, conn='crm')
        equal('and a request is answered here', (answer['responseCode'], answer['responseText']['data'][0]['Last_Name']), (200, 'Hopper'))
        equal('in every data centre', call(server, 'fetch', url=leads.replace('.com', '.eu'), conn='crm')['responseCode'], 200)
        equal('test of it needs no address', command('connection', 'test', 'crm', '--data', data).out, 'https://www.zohoapis.com/crm/v2/org answered 200\n')
        made('scopes are the connection\'s', command('connection', 'new', 'reader', '--scope', 'ZohoCRM.modules.Leads.READ,ZohoCRM.users.READ', '--data', data))
        equal('what they cover is done', call(server, 'fetch', url=leads, conn='reader')['responseCode'], 200)
        answer = call(server, 'post', url=leads, conn='reader')
        equal('what they do not is refused', (answer['responseCode'], answer['responseText']['code']), (401, 'OAUTH_SCOPE_MISMATCH'))
        matches('for tasks too', call(server, 'task', conn='reader'), 'the connection "reader" lacks the scope ZohoCRM.modules.Leads.CREATE')
        made('another type', connection(data, 'token', '--type', 'bearer', secrets={'--value-file': 'canary'}, folder=folder))
        matches('is not for Zoho\'s hosts', call(server, 'fetch', url=leads, conn='token'), 'takes one of type zoho')
        matches('and the zoho type for no other', call(server, 'fetch', url=service.url, conn='crm'), 'is of type zoho, for Zoho\'s own hosts alone')
        matches('control stays closed', json.dumps(call(server, 'fetch', url='https://crm.zoho.com/control/connections', conn='crm')), '404')
        for url, name in (('https://www.zohoapis.com/books/v3/invoices', 'Zoho Books'), ('https://desk.zoho.eu/api/v1/tickets', 'Zoho Desk'),
                          ('https://people.zoho.in/x', 'Zoho People'), ('https://something.zoho.com/x', 'this service of Zoho'), ('https://mail.zoho.com.au/api', 'Zoho Mail')):
            matches(f'{name} is told', call(server, 'fetch', url=url, conn='crm'), f'{name} is not here, and the request to .* was not sent; a test can answer it')
        matches('invokeapi of it', call(server, 'books', how='api'), 'Zoho Books is not here')
        matches('and its tasks', call(server, 'books', how='task'), 'zoho.books.getRecords is not available here')
        matches('a host that only looks so is any other', call(server, 'plain', url=f'http://127.0.0.1:1/?books.zoho.com'), 'failed|refused|connect')
        key = server.key('con')
        inner = f'https://www.zohoapis.com/crm/v7/functions/con__books/actions/execute?auth_type=apikey&zapikey={key[:-1]}x'
        equal('a key in a URL counts more than the connection', call(server, 'fetch', url=inner, conn='crm')['responseCode'], 401)
        equal('without a key the connection calls', call(server, 'fetch', url=inner.split('?')[0] + '?auth_type=oauth&how=x', conn='crm')['responseCode'], 200)
        equal('a sandbox path is another environment\'s', call(server, 'fetch', url=leads.replace('/crm', '/sandbox/crm'), conn='crm')['responseCode'], 401)
    script = rig.write(f'{folder}/s.dg', f'info invokeurl [url: "{leads}" type: GET connection: "any" detailed: true].get("responseCode");\n'
                                         'info zoho.crm.createRecord("Leads", {"Last_Name":"A"}, Map(), "any").containKey("id");\n'
                                         f'try {{ r = invokeurl [url: "{service.url}" type: GET connection: "any"]; }} catch (e) {{ info e.message; }}\n')
    result = command('run', script)
    matches('in `sluice run` any name is a connection to Zoho', result.err, r'^20[04]\ntrue\n')
    matches('and to nobody else', result.err, 'is not set up in memory; --data names a folder that has it')


for test in (test_types, test_wrong, test_oauth, *([test_processes] if rig.POSTGRES else []), test_connectors, test_published, test_zoho):
    first, second = Service(), Service()
    with rig.folder() as path:
        test(path, first, second)
    first.close()
    second.close()
rig.done()
