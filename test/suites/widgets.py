#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Widgets through the port: pages whose script tags name Zoho's SDK, and the SDK itself. usage: widgets.py PATH/TO/sluice [NAME…]

What a browser makes of it is tried in test/console/widgets.mjs."""
import _rig as rig
from _rig import equal, ok

import os

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


if __name__ == '__main__':
    with rig.folder() as folder:
        ext = rig.extension(f'{folder}/ext', files={'app/page.html': '', 'app/page.txt': ''})
        with rig.Server(ext, data=f'{folder}/data') as server:
            server.folder, server.data = ext, f'{folder}/data'
            test_pages(server)
            test_sdk(server)
    rig.done()
