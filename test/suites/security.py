#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What somebody who means ill finds: secrets at rest and in logs, headers and addresses that scripts choose, and the data folder. The lines
are those of DESIGN, Security; what a key opens is in test/http/keys, what greedy scripts get in limits.py."""
import _rig as rig
from _rig import command, equal, matches, ok

import glob
import os
import socket
import stat
import threading


def mode(path):
    return oct(stat.S_IMODE(os.stat(path).st_mode))


def everything(path):
    """name → bytes of every file below."""
    found = {}
    for name in glob.glob(f'{path}/**', recursive=True):
        if os.path.isfile(name):
            with open(name, 'rb') as file:
                found[name] = file.read()
    return found


# ---- 1: secrets at rest


def test_master_key(folder):
    ext = rig.extension(f'{folder}/ext', functions={'f': 'return "fine";'})
    data = f'{folder}/data'
    with rig.Server(ext, data=data) as server:
        equal('1 the master key is for its owner', mode(f'{data}/master.key'), '0o600')
        key, target = server.key('ext'), server.target('ext__f')
    equal('1 the key is the same at the next start', command('key', 'show', 'ext', '--data', data).out.strip(), key)
    os.chmod(f'{data}/master.key', 0o640)
    result = command('serve', '--data', data, '--listen', '127.0.0.1:0')
    ok('1 a master key that others may read is refused', result.code == 1 and 'others may read the master key' in result.err, repr(result))
    os.chmod(f'{data}/master.key', 0o600)
    rig.write(f'{folder}/other.key', '00' * 32 + '\n')
    os.chmod(f'{folder}/other.key', 0o600)
    env = {'SLUICE_MASTER_KEY_FILE': f'{folder}/other.key'}
    with rig.Server(data=data, env=env) as server:
        equal('1 under another master key no old key opens', server.send('POST', target).status, 401)
        matches('1 and none is shown', command('key', 'show', 'ext', '--data', data).err, 'master key')
    with rig.Server(ext, data=f'{folder}/named', env=env) as server:
        equal('1 a named key file is used', server.call('ext__f').output(), 'fine')
        ok('1 and none is made beside it', not os.path.exists(f'{folder}/named/master.key'))
    os.unlink(f'{folder}/other.key')
    result = command('serve', '--data', f'{folder}/named', '--listen', '127.0.0.1:0', env=env)
    ok('1 a named key file that is gone is not made anew', result.code == 1 and not os.path.exists(f'{folder}/other.key'), repr(result))


def test_variables(folder):
    variables = [{'api_name': 'token', 'secret': True, 'value': 'from-the-manifest'}, {'api_name': 'open'}]
    take = 'return zoho.crm.getOrgVariable("vault.token");'
    keep = 'zoho.crm.invokeConnector("crm.set",{"apiname":"vault__token","value":crmAPIRequest.get("params").get("v")});\nreturn "";'
    vault = rig.extension(f'{folder}/vault', 'vault', functions={'take': take, 'keep': keep}, variables=variables)
    thief = rig.extension(f'{folder}/thief', 'thief', functions={'take': take, 'put': keep})
    data = f'{folder}/data'
    with rig.Server(vault, thief, data=data) as server:
        equal('1 a secret has no value from the manifest', server.call('vault__take').json()['details']['output'] or '', '')
        server.call('vault__keep', 'v=hunter2-canary')
        equal('1 its own extension reads a secret', server.call('vault__take').output(), 'hunter2-canary')
        equal('3 another extension does not', server.call('thief__take').json()['details']['output'], None)
        server.call('thief__put', 'v=stolen')
        equal('3 nor does it write one', server.call('vault__take').output(), 'hunter2-canary')
        shown = command('ext', 'show', 'vault', '--data', data, '--json').out
        ok('1 ext show does not show it', 'vault__token' in shown and 'canary' not in shown, shown)
    bad = [name for name, text in everything(data).items() if b'hunter2-canary' in text or b'from-the-manifest' in text]
    equal('1 no secret stands in the data folder', bad, [])


# ---- 2: secrets in logs

SECRETS = {'zapikey': 'canary1', 'access_token': 'canary2', 'code': 'canary3', 'client_secret': 'canary4', 'refresh_token': 'canary5', '%7aapikey': 'canary6'}
HEADERS = [('Authorization', 'Zoho-oauthtoken canary7'), ('Cookie', 'session=canary8'), ('X-Sluice-Key', '1003.canary9')]


def test_logs(folder):
    ext = rig.extension(f'{folder}/ext', functions={'f': 'return "fine";', 'bad': 'a = 1 / 0;\nreturn a;'})
    data = f'{folder}/data'
    query = '&'.join(f'{name}={value}' for name, value in SECRETS.items())
    with rig.Server(ext, data=data, env={'SLUICE_LOG_LEVEL': 'debug'}) as server:
        paths = ['/crm/v2/functions/ext__f/actions/execute', '/crm/v2/functions/ext__none/actions/execute', '/crm/v2/functions/x/y',
                 '/crm/v2/settings/custom_functions/ext.f/execute', '/oauth/v2/token', '/%zz', '/metrics', '/crm/v2/Leads']
        replies = [server.send('POST', f'{path}?{query}', HEADERS) for path in paths]
        replies += [server.send('GET', f'{path}?auth_type=oauth&{query}', HEADERS) for path in paths]
        replies += [server.call(name, '&'.join(f'{name}={value}' for name, value in SECRETS.items() if 'apikey' not in name), headers=HEADERS[1:2])
                    for name in ('ext__f', 'ext__bad')]
        ok('2 no reply repeats a secret', not [r for r in replies if 'canary' in r.head + r.text], [r for r in replies if 'canary' in r.head + r.text])
        equal('2 calls with other secrets beside the key go on', replies[-2].output(), 'fine')
        rig.until(lambda: server.err.count(' call ') >= len(replies), 5)
        ok('2 each exchange has its line', server.err.count(' call ') >= len(replies), server.err[-3000:])
        ok('2 no line of the log holds a secret', 'canary' not in server.err + server.out, server.err[-6000:])
        logs = command('logs', '--data', data, '--json').out
        ok('2 nor does the run log', 'ext__bad' in logs and 'canary' not in logs, logs[-3000:])
        metrics = server.send('GET', '/metrics').text
        ok('2 nor do metrics', 'sluice_' in metrics and 'canary' not in metrics and server.key('ext') not in metrics, metrics)
    equal('2 nor does a file', [name for name, text in everything(data).items() if b'canary' in text], [])
    with rig.Server(data=data) as server:
        ok('2 serve tells no key of a folder that it was not given', '1003.' not in server.out.replace('1003.…', ''), server.out)


# ---- 4, 5: what scripts send


class Upstream:
    """Takes connections one after the other, keeps what came, and answers what it is told to."""

    def __init__(self, answer):
        self.requests, self.answer = [], answer
        self.socket = socket.create_server(('127.0.0.1', 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                sock, _ = self.socket.accept()
            except OSError:
                return
            with sock:
                sock.settimeout(5)
                raw = b''
                try:
                    while b'\r\n\r\n' not in raw:
                        piece = sock.recv(65536)
                        if not piece:
                            break
                        raw += piece
                    self.requests.append(raw)
                    sock.sendall(self.answer(raw))
                except OSError:
                    pass

    def close(self):
        self.socket.close()


FINE = b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok'
CRLF = 'hexToText("0d0a")'
SEND = 'try\n{{\n\tr = invokeurl [ url: {url} type: {type} headers: h detailed: true ];\n}}\ncatch (e)\n{{\n\treturn "refused: " + e;\n}}\nreturn "sent";'


def test_headers(folder):
    upstream = Upstream(lambda raw: FINE)
    url = f'"http://127.0.0.1:{upstream.port}/x"'
    send = SEND.format(url=url, type='POST')
    functions = {
        'reply': f'return {{"crmAPIResponse":{{"headers":{{"X-A":"1" + {CRLF} + "X-Evil: 1","X-B":"good","Content-Length":"1"}},"body":"body"}}}};',
        'value': f'h = {{"X-A":"1" + {CRLF} + "X-Evil: 1"}};\n' + send,
        'name': f'h = {{"X-A: 1" + {CRLF} + "X-Evil":"1"}};\n' + send,
        'ours': 'h = {"Host":"evil","Content-Length":"999","Transfer-Encoding":"chunked","Connection":"upgrade","X-B":"good"};\n' + send,
        'path': 'h = Map();\n' + SEND.format(url=f'"http://127.0.0.1:{upstream.port}/x HTTP/1.1" + {CRLF} + "X-Evil: 1" + {CRLF} + "X:"', type='GET'),
        'method': 'h = Map();\n' + SEND.format(url=url, type='"GET / HTTP/1.1"'),
    }
    with rig.Server(rig.extension(f'{folder}/ext', functions=functions), data=f'{folder}/data') as server:
        reply = server.call('ext__reply')
        equal('4 a reply is not split', (reply.text, reply.header('X-Evil'), reply.header('X-B'), reply.header('Content-Length')), ('body', None, 'good', '4'))
        matches('4 a line end in an outgoing value is refused', server.call('ext__value').output(), '^refused: ')
        matches('4 a line end in an outgoing name is refused', server.call('ext__name').output(), '^refused: ')
        matches('4 a method with more in it is refused', server.call('ext__method').text, 'does not know the type')
        equal('4 nothing of these was sent', upstream.requests, [])
        equal('4 names that are ours are left out', server.call('ext__ours').output(), 'sent')
        head = upstream.requests[-1].decode('latin-1').lower()
        ok('4 the rest goes out', 'x-b: good\r\n' in head and f'host: 127.0.0.1:{upstream.port}\r\n' in head, head)
        ok('4 and they do not', not [word for word in ('evil', '999', 'chunked', 'upgrade') if word in head], head)
        equal('4 a line end in a URL is encoded', server.call('ext__path').output(), 'sent')
        ok('4 and splits no request', b'\r\nx-evil' not in upstream.requests[-1].lower() and b'%0D%0A' in upstream.requests[-1], upstream.requests[-1])
    upstream.close()


CLOSED = ['http://127.0.0.1:{port}/', 'http://localhost:{port}/', 'http://[::1]:{port}/', 'http://0.0.0.0:{port}/', 'http://[::]:{port}/',
          'http://127.1:{port}/', 'http://2130706433:{port}/', 'http://0x7f.0.0.1:{port}/', 'http://0177.0.0.1:{port}/', 'http://[::ffff:127.0.0.1]:{port}/',
          'http://user@127.0.0.1:{port}/', 'http://10.0.0.1/', 'http://172.16.0.1/', 'http://192.168.1.1/', 'http://169.254.169.254/latest/meta-data/',
          'http://100.64.0.1/', 'http://224.0.0.1/', 'http://[fe80::1]/', 'http://[fd00::1]/', 'file:///etc/passwd', 'ftp://127.0.0.1/', 'gopher://127.0.0.1:{port}/_x',
          'dict://127.0.0.1:{port}/', '//127.0.0.1:{port}/']


def test_addresses(folder):
    upstream = Upstream(lambda raw: FINE)
    fetch = 'h = Map();\n' + SEND.format(url='crmAPIRequest.get("params").get("url")', type='GET')
    data = f'{folder}/data'
    ext = rig.extension(f'{folder}/ext', functions={'f': fetch})
    equal('5 installed', command('ext', 'install', ext, '--data', data).code, 0)
    key = command('key', 'show', 'ext', '--data', data).out.strip()
    target = f'/crm/v2/functions/ext__f/actions/execute?auth_type=apikey&zapikey={key}&url='
    with rig.Server(data=data, env={'http_proxy': f'http://127.0.0.1:{upstream.port}', 'ALL_PROXY': f'http://127.0.0.1:{upstream.port}'}) as server:
        for url in CLOSED:
            matches(f'5 {url} is closed', server.send('GET', target + url.format(port=upstream.port)).output(), '^refused: ')
        for path in ('/control/ext', '/control/keys/ext', '/control/functions?keys=true', '/metrics'):
            inside = server.send('GET', target + f'http://{server.address[0]}:{server.address[1]}{path}'.replace('?', '%3F'))
            equal(f'5 {path} is answered inside', inside.output(), 'sent')
    equal('5 nothing arrived', upstream.requests, [])
    upstream.close()


def test_redirects(folder):
    def answer(raw):
        path = raw.split(b' ')[1].decode('latin-1')
        where = {'/meta': 'http://169.254.169.254/', '/file': 'file:///etc/passwd', '/loop': '/loop', '/ten': 'http://10.1.2.3/'}.get(path)
        return FINE if not where else f'HTTP/1.1 302 Found\r\nLocation: {where}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'.encode()

    upstream = Upstream(answer)
    fetch = 'h = Map();\n' + SEND.format(url=f'"http://127.0.0.1:{upstream.port}" + crmAPIRequest.get("params").get("path")', type='GET')
    peek = 'r = invokeurl [ url: "http://HOST" + crmAPIRequest.get("params").get("path") type: GET detailed: true ];\nreturn r.get("responseCode");'
    with rig.Server(rig.extension(f'{folder}/ext', functions={'f': fetch}), data=f'{folder}/data') as server:
        equal('5 a served folder may reach loopback', server.call('ext__f', 'path=/').output(), 'sent')
        for path in ('/meta', '/ten', '/file'):
            matches(f'5 a redirect to {path} is closed', server.call('ext__f', f'path={path}').output(), '^refused: ')
        before = len(upstream.requests)
        matches('5 redirects end', server.call('ext__f', 'path=/loop').output(), 'refused: .*redirects')
        equal('5 after five', len(upstream.requests) - before, 6)
        rig.extension(f'{folder}/ext', functions={'f': fetch, 'peek': peek.replace('HOST', f'{server.address[0]}:{server.address[1]}')})
        target = server.target('ext__f').replace('ext__f', 'ext__peek')
        rig.until(lambda: server.send('POST', target + '&path=/healthz').text.find('"200"') >= 0)
        equal('5 our own address is answered inside', server.send('POST', target + '&path=/healthz').output(), '200')
        for path in ('/control/ext', '/control/keys/ext', '/control/functions', '/control/logs', '/metrics'):
            equal(f'5 a script is not the owner: {path}', server.send('POST', target + f'&path={path}').output(), '404')
    upstream.close()


# ---- 10: the data folder


def test_folder(folder):
    data = f'{folder}/data'
    os.mkdir(data)
    os.chmod(data, 0o755)
    ext = rig.extension(f'{folder}/ext', functions={'f': 'return "fine";'})
    with rig.Server(ext, data=data) as server:
        equal('10 a folder that others may enter is closed', mode(data), '0o700')
        equal('10 control.sock is for its owner', mode(f'{data}/control.sock'), '0o600')
        result = command('serve', '--data', data, '--listen', '127.0.0.1:0')
        ok('10 a second server is refused', result.code == 1 and 'another process' in result.err, repr(result))
        equal('10 and the first goes on', server.call('ext__f').output(), 'fine')
    with rig.Server(ext, data=f'{folder}/made') as server:
        equal('10 a new folder is for its owner', mode(f'{folder}/made'), '0o700')
        equal('10 and so is its master key', mode(f'{folder}/made/master.key'), '0o600')
        server.kill()
    ok('10 a killed server leaves no lock', command('key', 'show', 'ext', '--data', f'{folder}/made').code == 0)
    os.symlink('/etc/passwd', f'{folder}/elsewhere')
    result = command('serve', '--data', f'{folder}/elsewhere', '--listen', '127.0.0.1:0')
    ok('10 a file is no data folder', result.code == 1 and 'not a folder' in result.err, repr(result))
    os.mkdir(f'{folder}/linked', 0o700)
    rig.write(f'{folder}/target', 'precious')
    os.symlink(f'{folder}/target', f'{folder}/linked/lock')
    result = command('serve', '--data', f'{folder}/linked', '--listen', '127.0.0.1:0')
    ok('10 a linked lock is refused', result.code == 1, repr(result))
    equal('10 and what it names is left alone', rig.read(f'{folder}/target'), 'precious')


TESTS = [test_master_key, test_variables, test_logs, test_headers, test_addresses, test_redirects, test_folder]

for test in TESTS:
    with rig.folder() as path:
        test(path)
rig.done()
