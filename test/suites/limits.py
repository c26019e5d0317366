#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Scripts that want everything: they get their error, and other callers' functions go on answering meanwhile. Too many calls at once are told to wait."""
import _rig as rig
from _rig import equal, matches, ok

import http.server
import threading

TEN = '{1,2,3,4,5,6,7,8,9,10}'


def nest(inside, depth=9):
    """`inside` 10^depth times."""
    head = ''.join(f'for each i{n} in ten\n{{\n' for n in range(depth))
    return f'ten = {TEN};\n{head}{inside}\n' + '}\n' * depth


GREEDY = {
    'loop': ('n = 0;\n' + nest('n = n + 1;') + 'return n;', 'ms'),
    'while_loop': ('n = 0;\nwhile(true)\n{\n\tn = n + 1;\n}\nreturn n;', 'ms'),
    'list': ('l = List();\n' + nest('l.add("a text that takes some room " + l.size());') + 'return l.size();', '[Mm]emory'),
    'doubling': ('s = "0123456789";\n' + nest('s = s + s;') + 'return s.length();', '[Mm]emory'),
    'maps': ('m = Map();\n' + nest('m.put("key " + m.size(),{"a":m.size()});') + 'return m.size();', '[Mm]emory'),
    'recursion': ('return greedy.recursion();', '75'),
    'pattern': ('s = leftpad("",60).replaceAll(" ","a") + "!";\nreturn s.matches("(a+)+(a+)+(a+)+b");', '.'),
    'log': (nest('info "line of text that fills the log";') + 'return "";', 'ms'),
}


class Upstream(http.server.BaseHTTPRequestHandler):
    waiting, release = threading.Semaphore(0), threading.Event()

    def do_GET(self):
        Upstream.waiting.release()
        Upstream.release.wait(30)
        self.send_response(200)
        self.send_header('Content-Length', '2')
        self.end_headers()
        self.wfile.write(b'ok')

    def log_message(self, *_):
        pass


def test_greedy(folder):
    functions = {name: source for name, (source, _) in GREEDY.items()}
    ext = rig.extension(f'{folder}/ext', 'greedy', functions={**functions, 'hello': 'return "hello";',
                        'lead': 'r = zoho.crm.createRecord("Leads",{"Last_Name":"meanwhile"});\nreturn r.get("id") != null;'})
    environment = {'SLUICE_LIMIT_STATEMENTS': '1000000000000', 'SLUICE_LIMIT_TIME_MS': '8000', 'SLUICE_LIMIT_MEMORY_BYTES': str(32 << 20)}
    with rig.Server(ext, data=f'{folder}/data', env=environment, flags=['--workers', '2']) as server:
        replies, done = {}, threading.Event()

        def run(name, number):
            replies[name, number] = server.call(f'greedy__{name}', seconds=60)
            if len(replies) == 2 * len(GREEDY):
                done.set()
        for name in GREEDY:
            for number in range(2):
                threading.Thread(target=run, args=(name, number), daemon=True).start()
        meanwhile, wrong = 0, []
        while not done.is_set() and meanwhile < 100000:
            for name, want in (('hello', 'hello'), ('lead', 'true')):
                reply = server.call(f'greedy__{name}', seconds=30)
                if reply.status != 200 or f'"{want}"' not in reply.text:
                    wrong.append(repr(reply))
            meanwhile += not done.is_set()
        ok(f'{2 * meanwhile} other calls were answered meanwhile', meanwhile >= 5, meanwhile)
        equal('and well', wrong[:3], [])
        for (name, number), reply in sorted(replies.items()):
            if name == 'pattern':  # PCRE2's own limit or an answer: but an end
                ok(f'{name} {number}: an answer', reply.status == 200, repr(reply))
                continue
            equal(f'{name} {number}: X-Sluice-Error', (reply.status, reply.header('X-Sluice-Error')), (200, 'limit'))
            matches(f'{name} {number}: which limit', reply.json()['message'], GREEDY[name][1])
        equal('afterwards all is well', server.call('greedy__hello').output(), 'hello')


def test_crowd(folder, limit, status):
    upstream = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Upstream)
    upstream.daemon_threads = True
    threading.Thread(target=upstream.serve_forever, daemon=True).start()
    Upstream.release.clear()
    ext = rig.extension(f'{folder}/ext', 'crowd', functions={'hello': 'return "hello";',
                        'wait': f'r = invokeurl [ url :"http://127.0.0.1:{upstream.server_port}/" type :GET ];\nreturn r;'})
    with rig.Server(ext, data=f'{folder}/data', env={limit: '2'}) as server:
        replies = []
        threads = [threading.Thread(target=lambda: replies.append(server.call('crowd__wait', seconds=40)), daemon=True) for _ in range(2)]
        for thread in threads:
            thread.start()
        for _ in threads:
            ok(f'{limit}: a call waits', Upstream.waiting.acquire(timeout=rig.WAIT_S))
        reply = server.call('crowd__hello')
        equal(f'{limit}: one more is refused', (reply.status, reply.json()['code']), (status, 'TOO_MANY_REQUESTS'))
        matches(f'{limit}: told when to come again', reply.header('Retry-After') or '', r'^\d+$')
        equal(f'{limit}: and how much is left', reply.header('X-API-CREDITS-REMAINING'), '0')
        equal(f'{limit}: health is no call', server.send('GET', '/healthz').status, 200)
        Upstream.release.set()
        for thread in threads:
            thread.join(rig.WAIT_S)
        equal(f'{limit}: those that waited are answered', [reply.output() for reply in replies], ['ok', 'ok'])
        equal(f'{limit}: then there is room', server.call('crowd__hello').output(), 'hello')
    upstream.shutdown()


for test in (test_greedy, lambda path: test_crowd(path, 'SLUICE_LIMIT_KEY_RUNS', 429), lambda path: test_crowd(path, 'SLUICE_LIMIT_PROCESS_RUNS', 503)):
    with rig.folder() as temporary:
        try:
            test(temporary)
        except Exception:  # one broken expectation must not hide the rest
            import traceback
            ok('the test ran to its end', False, traceback.format_exc())
rig.done()
