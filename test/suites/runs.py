#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs over /control/runs: listing, waiting for the next, one in full, repeating it, figures. usage: runs.py PATH/TO/sluice"""
import _rig as rig
from _rig import command, equal, matches, ok

import base64
import json
import re
import socket
import threading
import time

FUNCTIONS = {
    'hello': 'string hello()\n{\n\tinfo "one";\n\treturn "hello";\n}\n',
    'echo': 'string echo(string crmAPIRequest)\n{\n\tr = crmAPIRequest.toMap();\n\tinfo r.get("method");\n\tb = ifnull(r.get("body"), "");\n\tinfo "who " + r.get("params").get("who");\n'
            '\treturn b + "|" + r.get("params").get("who") + "|" + r.get("headers").get("x-own");\n}\n',
    'fails': 'string fails(string crmAPIRequest)\n{\n\tinfo "before";\n\tx = 1 / crmAPIRequest.toMap().get("params").get("n").toLong();\n\treturn "no failure";\n}\n',
    'works': 'string works()\n{\n\tm = Map();\n\tm.put("Last_Name","Kept");\n\tr = zoho.crm.createRecord("Leads", m);\n\tx = zoho.crm.getRecordById("Leads", 1);\n'
             '\ty = invokeurl\n\t[\n\t\turl :"https://www.zohoapis.com/crm/v2/functions/ext__hello/actions/execute?auth_type=apikey&zapikey=" + zoho.crm.invokeConnector("crm.zapikey", {"nameSpace":"vcrm_acme.ext"}).get("response")\n\t\ttype :POST\n\t];\n\treturn "done";\n}\n',
    'reply': 'map reply()\n{\n\tr = Map();\n\tr.put("status_code", 418);\n\tr.put("headers", {"X-Tea":"pot"});\n\tr.put("body", "I am a teapot");\n\to = Map();\n\to.put("crmAPIResponse", r);\n\treturn o;\n}\n',
}


class Owner:
    """Asks as the owner does, over control.sock, in one environment."""

    def __init__(self, server, org='default', environment='production'):
        self.path, self.headers = f'{server.data}/control.sock', [('X-Sluice-Org', org), ('X-Sluice-Environment', environment)]

    def send(self, method, target, body=None, seconds=rig.WAIT_S):
        data = b'' if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        lines = [f'{method} {target} HTTP/1.1', 'Host: x', 'Connection: close', f'Content-Length: {len(data)}', *[f'{name}: {value}' for name, value in self.headers]]
        raw = b''
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(seconds)
            sock.connect(self.path)
            sock.sendall('\r\n'.join(lines).encode() + b'\r\n\r\n' + data)
            while piece := sock.recv(65536):
                raw += piece
        return rig.Reply(raw)

    def get(self, target, **more):
        return self.send('GET', target, **more)

    def run(self, id_):
        return self.get(f'/control/runs/{id_}').json()

    def replay(self, id_, body=None):
        return self.send('POST', f'/control/runs/{id_}/replay', body)


def id_of(reply):
    return reply.header('X-Request-Id')


def header(part, name):
    return next((value for key, value in part['headers'] if key.lower() == name), None)


def test_list(server, owner):
    ids = [id_of(server.call(f'ext__{name}', 'n=0')) for name in ('hello', 'fails', 'hello', 'reply', 'fails')]
    answer = owner.get('/control/runs').json()
    equal('newest first', [run['id'] for run in answer['runs']][:5], ids[::-1])
    numbers = [run['sequence'] for run in answer['runs']]
    equal('numbered', (numbers, answer['last']), (sorted(numbers, reverse=True), numbers[0]))
    equal('a page', [run['id'] for run in owner.get('/control/runs?limit=2').json()['runs']], ids[:2:-1])
    equal('the page before it', [run['id'] for run in owner.get(f'/control/runs?limit=2&before={numbers[1]}').json()['runs']], [ids[2], ids[1]])
    equal('before the first there is none', owner.get('/control/runs?before=1').json()['runs'], [])
    equal('failures', [run['id'] for run in owner.get('/control/runs?failures=true').json()['runs']], [ids[4], ids[1]])
    equal('of one function', [run['id'] for run in owner.get('/control/runs?function=EXT.hello&limit=2').json()['runs']], [ids[2], ids[0]])
    equal('of one that there is not', owner.get('/control/runs?function=none').json()['runs'], [])
    behind = owner.get(f'/control/runs?after={numbers[3]}').json()
    equal('what is newer', ([run['id'] for run in behind['runs']], behind['last']), (ids[:1:-1], numbers[0]))
    some = owner.get(f'/control/runs?after={numbers[3]}&limit=1').json()
    equal('the first of them', ([run['id'] for run in some['runs']], some['last']), ([ids[2]], numbers[2]))
    none = owner.get(f'/control/runs?after={numbers[0]}&failures=true').json()
    equal('nothing newer', (none['runs'], none['last']), ([], numbers[0]))
    for query in ('after=x', 'before=-1', 'limit=-5', 'wait_s=1.5', 'wait_s=-1', 'after=99999999999999999999'):
        reply = owner.get(f'/control/runs?{query}')
        equal(f'{query} is refused', (reply.status, reply.json()['code']), (400, 'INVALID_DATA'))
    equal('a number that is to come', owner.get('/control/runs?after=9000000000').json()['runs'], [])


def test_wait(server, owner):
    last = owner.get('/control/runs?limit=1').json()['last']
    answers = []

    def ask(query=''):
        begun = time.monotonic()
        answer = owner.get(f'/control/runs?after={last}&wait_s=15{query}', seconds=30).json()
        answers.append((time.monotonic() - begun, answer))

    threads = [threading.Thread(target=ask) for _ in range(3)] + [threading.Thread(target=ask, args=('&failures=true',))]
    for thread in threads:
        thread.start()
    time.sleep(0.6)
    equal('it waits', answers, [])
    called = time.monotonic()
    id_ = id_of(server.call('ext__hello'))
    for thread in threads[:3]:
        thread.join(10)
    took = time.monotonic() - called
    equal('all who wait get the new run', [[run['id'] for run in answer['runs']] for _, answer in answers], [[id_]] * 3)
    ok('within a second', took < 2.5, took)
    ok('who waits for failures goes on waiting', threads[3].is_alive())
    failed = id_of(server.call('ext__fails', 'n=0'))
    threads[3].join(10)
    equal('and gets one', [run['id'] for run in answers[-1][1]['runs']], [failed])
    begun = time.monotonic()
    answer = owner.get(f'/control/runs?after={answers[-1][1]["last"]}&wait_s=1').json()
    ok('nothing comes: the answer is empty when the time is over', answer['runs'] == [] and 0.9 < time.monotonic() - begun < 5, answer)
    equal('and tells where to go on', answer['last'], answers[-1][1]['last'])


def test_many_wait(server, owner):
    """More than may wait are answered at once, and the server goes on."""
    last = owner.get('/control/runs?limit=1').json()['last']
    socks = []
    for _ in range(150):
        sock = socket.create_connection(server.address, timeout=20)
        sock.sendall(f'GET /control/runs?after={last}&wait_s=20 HTTP/1.1\r\nHost: x\r\nAuthorization: Zoho-oauthtoken {owner.token}\r\n\r\n'.encode())
        socks.append(sock)
    time.sleep(1)
    equal('while many wait, calls are answered', server.call('ext__hello').output(), 'hello')
    answered = sum(b'200 OK' in sock.recv(65536) for sock in socks)
    equal('and all who asked', answered, len(socks))
    for sock in socks:
        sock.close()


def test_one(server, owner):
    key = server.key('ext')
    body = json.dumps({'text': 'grün', 'key': key}).encode()
    reply = server.call('ext__echo', 'who=me%20too&who=you', headers=[('Authorization', 'Basic c2VjcmV0'), ('Cookie', 'a=secret-cookie'), ('X-CSRF-Token', 'secret-csrf'), ('X-Own', 'mine'), ('X-Sluice-Key', key), ('Content-Type', 'application/json')], body=body)
    run = owner.run(id_of(reply))
    request = run['request']
    equal('the request: method, path', (request['method'], request['path']), ('POST', '/crm/v2/functions/ext__echo/actions/execute'))
    equal('its query, without the key', request['query'], 'auth_type=apikey&zapikey=***&who=me%20too&who=you')
    equal('its headers', (header(request, 'x-own'), header(request, 'content-type')), ('mine', 'application/json'))
    equal('its body', json.loads(request['body'])['text'], 'grün')
    equal('and how long it was', (request['body_bytes'], request['cut']), (len(body), False))
    for name in ('authorization', 'cookie', 'x-csrf-token', 'x-sluice-key'):
        equal(f'{name} is hidden', header(request, name), '***')
    seen = run['crmAPIRequest']
    equal('what the script saw', (seen['method'], seen['params'], seen['auth_type'], seen['headers']['x-own']), ('POST', {'who': 'you'}, 'apikey', 'mine'))
    text = json.dumps(run)
    for secret in (key, key[-32:], 'c2VjcmV0', 'secret-cookie', 'secret-csrf'):
        ok(f'no {secret[:8]}… anywhere', secret not in text, text)
    equal('the reply', (run['reply']['status'], header(run['reply'], 'content-type')), (200, 'application/json;charset=utf-8'))
    equal('its body is what the caller got, without the key', run['reply']['body'], reply.text.replace(key, '1003.***'))
    equal('log lines', run['log'], [{'line': 4, 'text': 'POST'}, {'line': 6, 'text': 'who you'}])
    ok('statements used of allowed', 0 < run['statements'] < run['statements_max'] == 200000, run)
    equal('the source that ran', run['source'], FUNCTIONS['echo'])
    run = owner.run(id_of(server.call('ext__reply', method='GET')))
    equal('a reply that the script made', (run['reply']['status'], header(run['reply'], 'x-tea'), run['reply']['body']), (418, 'pot', 'I am a teapot'))
    equal('a GET has no body', (run['request']['method'], run['request']['body']), ('GET', ''))
    raw = bytes(range(256))
    request = owner.run(id_of(server.call('ext__hello', body=raw)))['request']
    equal('bytes that are no text', (base64.b64decode(request['body_base64']), request['body']), (raw, ''))
    for body in (b'x' * 262144, b'y' * 262145):
        request = owner.run(id_of(server.call('ext__hello', body=body)))['request']
        equal(f'a body of {len(body)} bytes', (len(request['body']), request['body_bytes'], request['cut']), (min(len(body), 262144), len(body), len(body) > 262144))
    equal('a failure', owner.run(id_of(server.call('ext__fails', 'n=x')))['outcome'], 'script_error')
    for id_ in ('0' * 24, 'x', 'a' * 300, '%00', "'--"):
        equal(f'no run {id_[:8]}', owner.get(f'/control/runs/{id_}').status, 404 if id_ != '%00' else 400)


def test_calls(server, owner):
    run = owner.run(id_of(server.call('ext__works')))
    names = [(call['name'], call['detail'], call['outcome']) for call in run['calls']]
    equal('services in order', [name for name, _, _ in names], ['zoho.crm.createRecord', 'zoho.crm.getRecordById', 'zoho.crm.invokeConnector', 'invokeurl'] )
    equal('what they were about', names[0], ('zoho.crm.createRecord', 'Leads', 'ok'))
    url = run['calls'][-1]
    equal('a request: no query, its status', (url['method'], url['detail'], url['status'], url['outcome']), ('POST', 'https://www.zohoapis.com/crm/v2/functions/ext__hello/actions/execute', 200, 'ok'))
    starts = [call['start_ms'] for call in run['calls']]
    ok('times', starts == sorted(starts) and all(0 <= call['duration_ms'] <= run['duration_ms'] for call in run['calls']), run['calls'])
    equal('all are there', run['calls_made'], len(names))
    ok('no key', server.key('ext') not in json.dumps(run))


def test_replay(server, owner):
    first = id_of(server.call('ext__echo', 'who=a', headers=[('X-Own', 'b'), ('Authorization', 'Basic x')], body=b'{"n":1}'))
    reply = owner.replay(first)
    run = owner.run(reply.json()['id'])
    ok('a new run', reply.status == 200 and run['id'] != first, reply)
    equal('with the same answer', json.loads(run['reply']['body'])['details']['output'], '{"n":1}|a|b')
    equal('said to be a repetition', (run['trigger'], run['outcome'], run['function']), ('replay', 'ok', 'ext__echo'))
    equal('and the script saw the same', run['crmAPIRequest'], owner.run(first)['crmAPIRequest'])
    again = owner.run(owner.replay(run['id']).json()['id'])
    equal('which can be repeated too', again['reply']['body'], run['reply']['body'])
    edited = owner.replay(first, {'method': 'PUT', 'query': 'who=c&zapikey=***', 'headers': [['X-Own', 'd'], ['Authorization', '***'], ['Content-Length', '7']], 'body': 'other'})
    run = owner.run(edited.json()['id'])
    equal('edited', json.loads(run['reply']['body'])['details']['output'], 'other|c|d')
    equal('as its request says', (run['request']['method'], run['request']['body'], header(run['request'], 'content-length')), ('PUT', 'other', '5'))
    equal('by a path with its query', json.loads(owner.run(owner.replay(first, {'path': owner.run(first)['request']['path'] + '?who=p'}).json()['id'])['reply']['body'])['details']['output'], '{"n":1}|p|b')
    failed = id_of(server.call('ext__fails', 'n=0'))
    run = owner.run(owner.replay(failed).json()['id'])
    equal('a run that failed fails again', (run['outcome'], run['error']['line'], run['log']), ('script_error', 4, [{'line': 3, 'text': 'before'}]))
    run = owner.run(owner.replay(failed, {'query': 'n=2'}).json()['id'])
    equal('with another request it does not', (run['outcome'], run['error']), ('ok', None))
    equal('an unknown run', owner.replay('0' * 24).status, 404)
    path = owner.run(first)['request']['path']
    for edit in ({'method': ''}, {'method': 'A B'}, {'method': 7}, {'query': 7}, {'query': 'a\r\nb'}, {'query': 'x' * 20000}, {'path': '/other'}, {'path': path + 'x'}, {'headers': 'x'}, {'headers': [['a']]}, {'headers': [['a b', 'c']]},
                 {'headers': [['a', 'b\nc']]}, {'headers': [[1, 2]]}, {'headers': [['a', 'b']] * 101}, {'body': 7}, {'body': {}}, {'headers': [['', 'x']]}, [], 'x'):
        reply = owner.replay(first, edit)
        equal(f'{json.dumps(edit)[:40]} is refused', (reply.status, reply.json().get('code')), (400, 'INVALID_DATA'))
    long = id_of(server.call('ext__echo', body=b'z' * 300000))
    matches('a body that is not kept whole', owner.replay(long).text, 'longer than what is kept')
    equal('may be given anew', owner.replay(long, {'body': 'short'}).status, 200)
    binary = id_of(server.call('ext__hello', body=bytes(range(256))))
    request = owner.run(owner.replay(binary).json()['id'])['request']
    equal('bytes that are no text are repeated as they are', base64.b64decode(request['body_base64']), bytes(range(256)))
    listed = owner.get('/control/runs?function=ext__echo&limit=1').json()['runs'][0]
    equal('repetitions stand in the list', listed['trigger'], 'replay')


def test_callers(server, owner, data):
    """A run is repeated as who it was, and shown so."""
    tokens = json.loads(command('oauth', 'new', '--json', '--data', data).out)
    path = server.target('ext__echo').split('?')[0]
    for who, target, headers in (('apikey', server.target('ext__echo'), []), ('oauth', f'{path}?auth_type=oauth', [('Authorization', f'Zoho-oauthtoken {tokens["access_token"]}')])):
        id_ = id_of(server.send('POST', target, [*headers, ('Cookie', 'a=1; sluice_session=' + '5' * 64)], b'x'))
        run = owner.run(id_)
        again = owner.run(owner.replay(id_).json()['id'])
        equal(f'{who}: shown and repeated', [one['crmAPIRequest']['auth_type'] for one in (run, again)], [who, who])
        equal('the same user', again['crmAPIRequest']['user_info'], run['crmAPIRequest']['user_info'])
        ok('no token, no session', tokens['access_token'] not in json.dumps([run, again]) and '55555' not in json.dumps([run, again]), run)
    run = owner.run(id_of(server.call('ext__echo', 'who=h', method='HEAD')))
    equal('a HEAD is shown as such, and is a GET for the script', (run['request']['method'], run['crmAPIRequest']['method'], run['log'][0]['text']), ('HEAD', 'GET', 'GET'))
    equal('again too', owner.run(owner.replay(run['id']).json()['id'])['log'][0]['text'], 'GET')
    nested = owner.run(id_of(server.call('ext__works')))
    inner = next(run for run in owner.get('/control/runs?function=ext__hello&limit=5').json()['runs'] if run['trigger'] == 'function')
    inner = owner.run(inner['id'])
    equal('a call of a script has a request too', (inner['request']['path'], inner['request']['query'], nested['outcome']), ('/crm/v2/functions/ext__hello/actions/execute', 'auth_type=apikey&zapikey=***', 'ok'))
    equal('and can be repeated', owner.run(owner.replay(inner['id']).json()['id'])['outcome'], 'ok')
    refused = server.send('POST', f'/crm/v2/functions/ext__no%0D%0Ax%3A%20y%20z/actions/execute?zapikey={server.key("ext")}', [('Cookie', 'b=2')])
    run = owner.run(id_of(refused))
    equal('a refused call: one line is one line', (run['outcome'], run['request']['path'], [name for name, _ in run['request']['headers']]), ('refused', '/crm/v2/functions/ext__no__x:_y_z/actions/execute', ['host', 'cookie', 'connection']))
    equal('it is refused again', owner.run(owner.replay(run['id']).json()['id'])['outcome'], 'refused')


def test_figures(server, owner):
    def of(name, query=''):
        answer = owner.get(f'/control/runs/figures{query}').json()
        return next((one for one in answer['functions'] if one['function'] == name), None), answer

    before = {name: (of(name)[0] or {'last_hour': {'calls': 0, 'errors': 0}})['last_hour'] for name in ('ext__hello', 'ext__fails')}
    took = []
    for _ in range(10):
        took.append(owner.run(id_of(server.call('ext__hello')))['duration_ms'])
    for n in ('0', '2', '0'):
        server.call('ext__fails', f'n={n}')
    for name, calls, errors in (('ext__hello', 10, 0), ('ext__fails', 3, 2)):
        one, answer = of(name)
        hour = one['last_hour']
        equal(f'{name}: calls and errors', (hour['calls'] - before[name]['calls'], hour['errors'] - before[name]['errors']), (calls, errors))
        equal('the minutes are the hour', (sum(slot['calls'] for slot in one['minutes']), sum(slot['errors'] for slot in one['minutes'])), (hour['calls'], hour['errors']))
        equal('and so are the hours of a server that began just now', (sum(slot['calls'] for slot in one['hours']), one['last_day']['calls']), (hour['calls'], hour['calls']))
        ok('latencies are in order', 0 < hour['p50_ms'] <= hour['p95_ms'] <= hour['max_ms'] < 60000, hour)
        matches('times are times', one['minutes'][0]['time'] + answer['since'], r'^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-Z]\S*){2}$')
    ok('the largest is as the log has it', of('ext__hello')[0]['last_hour']['max_ms'] + 0.001 >= max(took), (took, of('ext__hello')[0]['last_hour']))
    equal('of one function', [one['function'] for one in of('', '?function=EXT.fails')[1]['functions']], ['ext__fails'])
    equal('of one that there is not', of('', '?function=none')[1]['functions'], [])


def test_sources(server, owner, folder, data):
    """The script that ran is shown as long as it is known: older saves, versions before an upgrade."""
    first, second = 'string told()\n{\n\treturn "first";\n}\n', 'string told()\n{\n\treturn "second";\n}\n'
    ids = []
    for source in (first, second):
        equal('a function of the org is put', command('fn', 'put', rig.write(f'{folder}/told.dg', source), '--data', data).code, 0)
        ids.append(id_of(owner.get('/crm/v2/functions/told/actions/execute')))
    equal('an older save', [owner.run(id_)['source'] for id_ in ids], [first, second])
    ids = []
    for version, source in (('1.0.0', first), ('1.1.0', second)):
        rig.extension(f'{folder}/up', 'up', version, functions={'told': source})
        equal(f'{version} is published', command('ext', 'publish', f'{folder}/up', '--data', data).code, 0)
        equal(f'{version} is there', command('ext', 'install' if version == '1.0.0' else 'upgrade', f'up@{version}', '--data', data).code, 0)
        ids.append(id_of(owner.get('/crm/v2/functions/up__told/actions/execute')))
    equal('a version before', [owner.run(id_)['source'] for id_ in ids], [first, second])
    ids = []
    for text in ('one', 'two', 'three'):
        put = owner.send('PUT', '/control/drafts/ext/functions/saved', {'source': f'string saved()\n{{\n\treturn "{text}";\n}}\n'})
        equal(f'a script is saved in the served folder: {text}', put.status, 200)
        ids.append(id_of(owner.get('/crm/v2/functions/ext__saved/actions/execute')))
    equal('what ran before a save', [re.search('"(.*)"', owner.run(id_)['source'] or '""')[1] for id_ in ids], ['one', 'two', 'three'])
    tried = owner.send('POST', '/control/execute', {'source': first, 'name': 'told'}).json()['run']
    run = owner.run(tried)
    equal('a try in the editor is no call', (run['trigger'], run['request'], run['statements_max']), ('editor', None, 200000))
    matches('and is not repeated', owner.replay(tried).text, 'cannot be repeated')


def test_ring(folder, ext):
    """Many at a time on several loops, and more than is kept."""
    with rig.Server(ext, data=f'{folder}/ring', flags=['--workers', '4']) as server:
        owner, found, lock = Owner(server), {}, threading.Lock()

        def call(number):
            for i in range(25):
                text = f'{number}-{i}-' + 'x' * (number * 977 + i)
                reply = server.call('ext__echo', body=text.encode())
                with lock:
                    found[id_of(reply)] = text

        threads = [threading.Thread(target=call, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        wrong = [id_ for id_, text in found.items() if (owner.run(id_)['request'] or {}).get('body') != text]
        equal('every run of eight callers has its own request', (len(found), wrong), (200, []))
        equal('and is counted', owner.get('/control/runs/figures?function=ext__echo').json()['functions'][0]['last_hour']['calls'], 200)
        late = {}
        for i in range(110):
            text = f'late {i} ' + 'y' * (200000 + 613 * i)
            late[id_of(server.call('ext__hello', body=text.encode()))] = text[:262144]
        kept = [id_ for id_ in late if owner.run(id_)['request']]
        wrong = [id_ for id_ in kept if owner.run(id_)['request']['body'] != late[id_]]
        ok('the newest are kept, and the oldest are not', 8 <= len(kept) < 110 and list(late)[-1] in kept and list(late)[0] not in kept, (len(kept), [list(late).index(id_) for id_ in kept]))
        equal('each whole', wrong, [])


def test_places(server, owner, data):
    id_ = id_of(server.call('ext__hello'))
    for words in (('org', 'new', 'second'), ('org', 'sandbox')):
        equal(f'sluice {" ".join(words)}', command(*words, '--data', data).code, 0)
    for other in (Owner(server, 'second'), Owner(server, environment='sandbox')):
        equal('another place does not see it', (other.get(f'/control/runs/{id_}').status, other.replay(id_).status), (404, 404))
        equal('nor in its list', other.get('/control/runs').json()['runs'], [])
        equal('nor in its figures', other.get('/control/runs/figures').json()['functions'], [])
        equal('whatever it says', other.get('/control/runs?org=default&environment=production').json()['runs'], [])
    equal('nobody from outside', server.send('GET', '/control/runs').status, 404)
    equal('nor one of them', server.send('GET', f'/control/runs/{id_}').status, 404)


def test_roles(server, owner, data):
    id_ = id_of(server.call('ext__hello'))
    path = rig.write(f'{data}/../password', 'correct horse battery')
    command('user', 'new', 'view@example.com', '--role', 'viewer', '--password-file', path, '--data', data)
    reply = server.send('POST', '/console/api/sign-in', [('Content-Type', 'application/json')], json.dumps({'email': 'view@example.com', 'password': 'correct horse battery'}).encode())
    if reply.status == 404:
        print('# roles are skipped: this binary was built without the console')
        return
    cookie = ('Cookie', re.search('sluice_session=[0-9a-f]{64}', reply.header('Set-Cookie'))[0])
    token = ('X-CSRF-Token', reply.json()['csrf'])
    equal('a viewer reads runs', [server.send('GET', target, [cookie]).status for target in ('/control/runs', '/control/runs/figures', f'/control/runs/{id_}')], [200, 200, 200])
    equal('and repeats none', server.send('POST', f'/control/runs/{id_}/replay', [cookie, token]).status, 403)
    link = command('user', 'link', '--data', data).out.strip()
    reply = server.send('GET', re.sub('^http://[^/]*', '', link))
    cookie = ('Cookie', re.search('sluice_session=[0-9a-f]{64}', reply.header('Set-Cookie'))[0])
    token = ('X-CSRF-Token', server.send('GET', '/console/api/session', [cookie]).json()['csrf'])
    equal('nobody without the token of the page', server.send('POST', f'/control/runs/{id_}/replay', [cookie]).status, 403)
    equal('who may, does', server.send('POST', f'/control/runs/{id_}/replay', [cookie, token]).status, 200)


def test_ends(server, owner):
    """Who waits does not hold the end of the process."""
    last = owner.get('/control/runs?limit=1').json()['last']
    thread = threading.Thread(target=lambda: owner.get(f'/control/runs?after={last}&wait_s=25', seconds=40))
    thread.start()
    time.sleep(0.5)
    begun = time.monotonic()
    server.stop('a server that somebody waits on ends')
    thread.join(10)
    ok('at once', time.monotonic() - begun < 8, time.monotonic() - begun)


def test_after_restart(ext, data, id_):
    with rig.Server(ext, data=data) as server:
        owner = Owner(server)
        run = owner.run(id_)
        equal('the log is there after a restart; request and reply are not', (run['id'], run['request'], run['reply'], run['calls']), (id_, None, None, None))
        matches('which a repetition says', owner.replay(id_).text, 'not kept any more')


def main():
    with rig.folder() as folder:
        data, ext = f'{folder}/data', rig.extension(f'{folder}/ext', functions=FUNCTIONS, portal='acme')
        server = rig.Server(ext, data=data)
        owner = Owner(server)
        owner.token = json.loads(command('oauth', 'new', '--scope', 'Sluice.control.ALL', '--json', '--data', data).out)['access_token']
        test_list(server, owner)
        test_wait(server, owner)
        test_many_wait(server, owner)
        test_one(server, owner)
        test_calls(server, owner)
        test_replay(server, owner)
        test_callers(server, owner, data)
        test_figures(server, owner)
        test_sources(server, owner, folder, data)
        test_places(server, owner, data)
        test_roles(server, owner, data)
        id_ = id_of(server.call('ext__hello'))
        test_ends(server, owner)
        test_after_restart(ext, data, id_)
        test_ring(folder, ext)


if __name__ == '__main__':
    main()
    rig.done()
