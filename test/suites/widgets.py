#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Widgets through the port: pages whose script tags name Zoho's SDK, the SDK itself, and the token that a widget's host page acts with. usage: widgets.py PATH/TO/sluice [NAME…]

What a browser makes of it is tried in test/console/widgets.mjs."""
import _rig as rig
from _rig import command, equal, ok

import http.client
import json
import os
import socket

OURS = '/js-sdk/1.2/ZohoEmbededAppSDK.min.js'
THEIRS = 'https://live.zwidgets.com/js-sdk/1.2/ZohoEmbededAppSDK.min.js'
SCRIPT = f'<script src="{THEIRS}"></script>'

# A page → what is served. None: as it is.
PAGES = {
    'as the documentation writes it': (f'<html><head>{SCRIPT}</head></html>', f'<html><head><script src="{OURS}"></script></head></html>'),
    'single quotes, capitals, other attributes': (f"<SCRIPT type='a' SRC = '{THEIRS}' defer>", f"<SCRIPT type='a' SRC = '{OURS}' defer>"),
    'no quotes': (f'<script src={THEIRS}></script>', f'<script src={OURS}></script>'),
    'no scheme, a query': (f'<script src="{THEIRS[6:]}?v=1#x"></script>', f'<script src="{OURS}"></script>'),
    'http, blanks, other versions': ('<script src=" http://live.zwidgets.com/js-sdk/1.0.5/ZohoEmbededAppSDK.min.js\n">', '<script src="/js-sdk/1.0.5/ZohoEmbededAppSDK.min.js">'),
    'a static host': ('<script src="https://static.zohocdn.com/zwidgets/js-sdk/1.4/ZohoEmbededAppSDK.min.js">', '<script src="/js-sdk/1.4/ZohoEmbededAppSDK.min.js">'),
    'no version': ('<script src="https://static.zohocdn.com/ZohoEmbededAppSDK.js">', '<script src="/js-sdk/1.5/ZohoEmbededAppSDK.min.js">'),
    'several': (f'{SCRIPT}x{SCRIPT}', f'<script src="{OURS}"></script>x<script src="{OURS}"></script>'),
    'with a digest behind': (f'<script src="{THEIRS}" integrity="sha384-x" crossorigin>', f'<script src="{OURS}" integrity="" crossorigin>'),
    'with a digest before': (f'<script integrity=sha384-x src="{THEIRS}">', f'<script integrity="" src="{OURS}">'),
    'behind an odd comment': (f'<!-->{SCRIPT}', f'<!--><script src="{OURS}"></script>'),
    'behind a script': (f'<script>if (a<b) x("</p>")</script>{SCRIPT}', f'<script>if (a<b) x("</p>")</script><script src="{OURS}"></script>'),
    'bytes that are no UTF-8': (b'\xe4' + SCRIPT.encode(), b'\xe4<script src="' + OURS.encode() + b'"></script>'),
    'a comment': (f'<!-- {SCRIPT} -->', None),
    'a script that writes it': (f"<script>document.write('{SCRIPT[:-9]}<\\/script>')</script>", None),
    'text areas': (f'<textarea>{SCRIPT}</textarea><title>{SCRIPT}</title><style>{SCRIPT}</style>', None),
    'another attribute': (f'<script data-src="{THEIRS}"></script><a title=\'{SCRIPT}\'>', None),
    'the second of two': (f'<script src="own.js" src="{THEIRS}"></script>', None),
    'another element': (f'<img src="{THEIRS}"><link href="{THEIRS}"><scripty src="{THEIRS}">', None),
    'another host': ('<script src="https://live.zwidgets.com.evil.example/js-sdk/1.2/ZohoEmbededAppSDK.min.js">', None),
    'another host in front': ('<script src="https://evilzwidgets.com/js-sdk/1.2/ZohoEmbededAppSDK.min.js">', None),
    'a name before the host': ('<script src="https://a@live.zwidgets.com/js-sdk/1.2/ZohoEmbededAppSDK.min.js">', None),
    'another file': ('<script src="https://live.zwidgets.com/js-sdk/1.2/Other.js"></script>', None),
    'a file of its own': ('<script src="../js-sdk/1.2/ZohoEmbededAppSDK.min.js"></script>', None),
    'a tag that does not end': (f'<script src="{THEIRS}" x="', None),
    'a tag with too much in it': (f'<script {"a " * 100} src="{THEIRS}">', None),
}


def test_pages(server):
    for name, (page, served) in PAGES.items():
        page, served = [text.encode() if isinstance(text, str) else text for text in (page, page if served is None else served)]
        rig.write(f'{server.folder}/app/page.html', page)
        rig.write(f'{server.folder}/app/page.txt', page)
        reply = server.send('GET', '/widgets/ext/app/page.html')
        equal(f'{name}: {"is left alone" if page == served else "is led home"}', (reply.status, reply.body), (200, served))
        equal(f'{name}: the file is as it was', open(f'{server.folder}/app/page.html', 'rb').read(), page)
        equal(f'{name}: nothing that is no page is touched', server.send('GET', '/widgets/ext/app/page.txt').body, page)
    rig.write(f'{server.folder}/app/page.html', SCRIPT)
    tag = server.send('GET', '/widgets/ext/app/page.html').header('ETag')
    rig.write(f'{server.folder}/app/copy.txt', SCRIPT)
    ok('other bytes have another tag', tag != server.send('GET', '/widgets/ext/app/copy.txt').header('ETag'), tag)
    reply = server.send('GET', '/widgets/ext/app/page.html', [('If-None-Match', tag)])
    equal('and it is known again', (reply.status, reply.body), (304, b''))
    rig.write(f'{server.folder}/app/sub/index.html', SCRIPT)
    equal('a folder\'s page is led home too', server.send('GET', '/widgets/ext/app/sub/').text, f'<script src="{OURS}"></script>')


def test_sdk(server):
    ours = server.send('GET', OURS)
    equal('our SDK answers', (ours.status, ours.header('Content-Type'), ours.header('Access-Control-Allow-Origin'), 'embeddedApp' in ours.text),
          (200, 'text/javascript;charset=utf-8', '*', True))
    for version in ('1.1', '1.2', '1.4', '1.5', '1.0.5'):
        reply = server.send('GET', f'/js-sdk/{version}/ZohoEmbededAppSDK.min.js')
        equal(f'in version {version}', (reply.status, reply.body == ours.body), (200, True))
    equal('it is known again', server.send('GET', OURS, [('If-None-Match', ours.header('ETag'))]).status, 304)
    for path in ('/js-sdk/x/ZohoEmbededAppSDK.min.js', '/js-sdk/../ZohoEmbededAppSDK.min.js', '/js-sdk/1..2/ZohoEmbededAppSDK.min.js', '/js-sdk/1.2/other.js',
                 '/js-sdk/%2e%2e/ZohoEmbededAppSDK.min.js', '/js-sdk/1.2%2f..%2f1.2/ZohoEmbededAppSDK.min.js', '/js-sdk/.1/ZohoEmbededAppSDK.min.js', '/js-sdk/1./ZohoEmbededAppSDK.min.js',
                 '/js-sdk/1111111111111111/ZohoEmbededAppSDK.min.js'):
        equal(f'{path} is not there', server.send('GET', path).status, 404)
    rig.write(f'{server.data}{OURS}', 'theirs')
    equal('a file of the operator is served instead', server.send('GET', OURS).text, 'theirs')
    equal('for its version alone', server.send('GET', '/js-sdk/1.1/ZohoEmbededAppSDK.min.js').body, ours.body)
    os.makedirs(f'{server.data}/js-sdk/1.4')
    os.symlink('/etc/passwd', f'{server.data}/js-sdk/1.4/ZohoEmbededAppSDK.min.js')
    ok('a link leads nowhere', 'root:' not in server.send('GET', '/js-sdk/1.4/ZohoEmbededAppSDK.min.js').text)


# ---- what the page acts with that shows a widget


def owner(server, path, body, *headers):
    """Through control.sock."""
    connection = http.client.HTTPConnection('owner', timeout=rig.WAIT_S)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(f'{server.data}/control.sock')
    connection.request('POST', path, json.dumps(body), {'Content-Type': 'application/json', **dict(headers)})
    reply = connection.getresponse()
    answer = reply.status, json.loads(reply.read())
    connection.close()
    return answer


def send(server, token, method, path, body=None):
    headers = [('Authorization', f'Zoho-oauthtoken {token}'), ('Content-Type', 'application/json')]
    return server.send(method, path, headers, b'' if body is None else json.dumps(body).encode())


def call(server, token, task, name, **given):
    reply = send(server, token, 'POST', '/console/api/widget-call', {'task': task, 'name': name, **({'input': given} if given else {})})
    return reply.status, reply.json().get('result', reply.json().get('message'))


def test_token(server):
    def url(namespace, widget):
        status, answer = owner(server, '/console/api/widget-token', {'namespace': namespace, 'widget': widget})
        return status, answer.get('url', answer.get('message'))

    equal('a widget is found by its name', url('EXT', 'my widget'), (200, '/widgets/EXT/app/sub/my%20page.html'))
    equal('or by its page\'s', url('ext', 'page'), (200, '/widgets/ext/app/page.html'))
    for widget in ('none', '../functions/hello', 'page.html', 'server/x'):
        equal(f'there is no {widget}', url('ext', widget), (404, f'the extension "ext" has no widget "{widget}"'))
    equal('nor an extension that is not installed', url('none', 'page'), (404, 'the extension "none" is not installed here'))
    equal('the namespace must be said', owner(server, '/console/api/widget-token', {})[0], 400)
    status, answer = owner(server, '/console/api/widget-token', {'namespace': 'ext'})
    equal('the token lives for minutes', (status, answer['expires_in_s']), (200, 600))
    token = answer['token']
    stranger = server.send('GET', '/console/api/session').status  # 404 from a binary that has no console
    equal('nobody else gets one', [server.send('POST', '/console/api/widget-token', headers, b'{"namespace":"ext"}').status
                                   for headers in ([], [('Authorization', f'Zoho-oauthtoken {token}')])], [stranger] * 2)
    equal('and hears why', stranger in (401, 404), True)
    equal('it reads and writes records', [send(server, token, *row).status for row in (
        ('POST', '/crm/v8/Leads', {'data': [{'Last_Name': 'Lee'}]}), ('GET', '/crm/v2/Leads'), ('GET', '/crm/v8/Leads/search?word=Lee'))], [201, 200, 200])
    equal('and what describes them', [send(server, token, 'GET', f'/crm/v8/{path}').status for path in (
        'settings/modules', 'settings/fields?module=Leads', 'settings/layouts?module=Leads', 'users?type=CurrentUser', 'org', 'settings/roles')], [200] * 6)
    equal('it runs functions of its extension', send(server, token, 'POST', '/crm/v8/functions/ext__hello/actions/execute?auth_type=oauth').json()['details']['output'], 'hello')
    other = send(server, token, 'POST', '/crm/v8/functions/two__hello/actions/execute?auth_type=oauth')
    equal('no others\'', (other.status, other.json()['code']), (403, 'NO_PERMISSION'))
    equal('nor one that is not there', send(server, token, 'POST', '/crm/v8/functions/two__none/actions/execute?auth_type=oauth').text, other.text)
    for method, path in (('GET', 'settings/functions'), ('GET', 'settings/variables'), ('POST', 'settings/functions/1/actions/test'), ('POST', 'users'),
                         ('POST', 'settings/tags?module=Leads'), ('GET', 'signals/notifications')):
        equal(f'{method} {path} is not for it', send(server, token, method, f'/crm/v8/{path}', {}).status, 401)
    equal('the owner\'s routes are not', [send(server, token, 'GET', path).status for path in ('/control/ext', '/control/keys/ext', '/control/logs')], [401] * 3)
    last = '0' if token[-1] != '0' else '1'
    wrong = [token[:-1] + last, token.replace('.p.', '.s.'), token.replace('.0.', '.7.'), token.replace('.p.', '.x.'), token + '00', token[:60], 'widget.', 'widget.1.p.0.', 'widget.9.p.0.' + token[13:]]
    equal('one that was changed is none', [send(server, bad, 'GET', '/crm/v2/Leads').status for bad in wrong], [401] * len(wrong))
    equal('it is of its environment', send(server, token, 'GET', '/sandbox/crm/v2/Leads').status, 401)
    return token


def test_calls(server, token):
    with_port = f'http://{server.address[0]}:{server.address[1]}/healthz'
    status, key = call(server, token, 'connector', 'crm.zapikey', nameSpace='portal.ext')
    equal('a connector answers as in a script', (status, key), (200, {'status_code': 200, 'response': command('key', 'show', 'ext', '--data', server.data).out.strip()}))
    ok('of its own extension', 'No key found' in str(call(server, token, 'connector', 'crm.zapikey', nameSpace='two')), '')
    equal('variables are set and read', (call(server, token, 'connector', 'crm.set', apiname='ext__mark', value='new')[0], call(server, token, 'variable', 'ext__mark')),
          (200, (200, 'new')))
    equal('another extension\'s are not', call(server, token, 'connector', 'crm.set', apiname='two__mark', value='new')[1]['status_code'], 403)
    equal('the world is reached through wget', call(server, token, 'connector', 'wget.get', url=with_port), (200, {'status_code': 200, 'response': 'ok\n'}))
    status, result = call(server, token, 'request', with_port, method='POST', headers={'x': 'y'}, body='{"a":1}')
    equal('and with all of its reply', (status, result['responseCode'], result['responseText']), (200, 200, 'ok\n'))
    equal('private addresses are refused', call(server, token, 'connector', 'wget.get', url='http://10.0.0.1/')[0], 400)
    equal('what there is not is refused by name', [call(server, token, *row) for row in (('connector', 'none.such'), ('none', 'x'), ('request', ''))],
          [(400, 'there is no connector API "none.such"'), (400, '"task" is connector, variable, request, authorized or changes'), (400, 'invokeurl needs a url')])
    equal('whether a connector is let in', [call(server, token, 'authorized', name) for name in ('service', 'ext.service', 'two.service')], [(200, False)] * 3)
    equal('so is another method', call(server, token, 'request', with_port, method='GET];info 1;x[')[0], 400)
    status, number = call(server, token, 'changes', '')
    rig.write(f'{server.folder}/app/saved.txt', 'x')
    equal('a saved file is told', (status, call(server, token, 'changes', '', after=number)[1] > number), (200, True))
    client = json.loads(command('oauth', 'new', '--json', '--data', server.data).out)
    equal('tokens of other clients are not for it', call(server, client['access_token'], 'variable', 'ext__mark')[0], 403)
    equal('nor are keys', server.send('POST', f'/console/api/widget-call?zapikey={key["response"]}', [], b'{"task":"variable","name":"ext__mark"}').status, 403)
    names = {run['function'] for run in map(json.loads, command('logs', '--json', '--data', server.data).out.splitlines()) if run['trigger'] == 'widget'}
    equal('the run log knows them', names, {'ext__widget_connector', 'ext__widget_variable', 'ext__widget_request'})


if __name__ == '__main__':
    with rig.folder() as folder:
        ext = rig.extension(f'{folder}/ext', functions={'hello': 'return "hello";'}, variables=[{'api_name': 'mark'}], files={'app/page.html': '', 'app/page.txt': '', 'app/sub/my page.html': ''},
                            widgets=[{'name': 'My Widget', 'location': 'webtab', 'url': 'app/sub/my page.html'}])
        two = rig.extension(f'{folder}/two', 'two', functions={'hello': 'return "two";'}, variables=[{'api_name': 'mark'}])
        with rig.Server(ext, two, data=f'{folder}/data') as server:
            server.folder, server.data = ext, f'{folder}/data'
            test_pages(server)
            test_sdk(server)
            test_calls(server, test_token(server))
    rig.done()
