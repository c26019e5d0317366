#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the console's script editor asks of the server: checking, formatting, executing, the tables. usage: editor.py PATH/TO/sluice"""
import _rig as rig
from _rig import equal, matches, ok

import http.client
import json
import socket


class Socket(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__('localhost', timeout=rig.WAIT_S)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(rig.WAIT_S)
        self.sock.connect(self.path)


def ask(data, target, body=None):
    connection = Socket(f'{data}/control.sock')
    connection.request('GET' if body is None else 'POST', target, body=None if body is None else json.dumps(body))
    reply = connection.getresponse()
    text = reply.read().decode()
    connection.close()
    return reply.status, json.loads(text)


GOOD = 'string greet(string name, int count)\n{\n\tinfo "hi " + name;\n\treturn name + count;\n}\n'
BROKEN = 'string greet(string name)\n{\n\tinfo name;\n\tx = (;\n}\n'


def test_check(data):
    status, reply = ask(data, '/control/check', {'source': GOOD})
    equal('a good script has no findings', (status, reply['diagnostics']), (200, []))
    equal('its arguments are told', reply['functions'],
          [{'name': 'greet', 'return_type': 'string', 'arguments': [{'name': 'name', 'type': 'string'}, {'name': 'count', 'type': 'int'}]}])
    status, reply = ask(data, '/control/check', {'source': BROKEN})
    equal('an error is told at its line', [(one['line'], one['severity']) for one in reply['diagnostics']], [(4, 'error')])
    equal('a script with errors tells no functions', reply['functions'], [])
    equal('a body without a header tells what it reads', ask(data, '/control/check', {'source': 'return a + 1;'})[1]['functions'][0]['arguments'], [{'name': 'a', 'type': ''}])
    equal('no source is refused', ask(data, '/control/check', {})[0], 400)
    equal('deep nesting is an error, not a crash', ask(data, '/control/check', {'source': 'x = ' + '(' * 5000})[1]['diagnostics'][0]['severity'], 'error')


def test_format(data):
    equal('the layout is canonical', ask(data, '/control/format', {'source': 'string f(int n)\n{\n return n\n}'}), (200, {'source': 'string f(int n)\n{\n\treturn n;\n}\n'}))
    equal('a script with errors is refused', ask(data, '/control/format', {'source': BROKEN})[0], 400)


def test_execute(data):
    status, reply = ask(data, '/control/execute', {'source': GOOD, 'arguments': {'name': 'Ada', 'count': '3'}})
    equal('texts become the types of the header', (status, reply['output'], reply['error']), (200, 'Ada3', None))
    equal('the log has line numbers', reply['log'], [{'line': 3, 'text': 'hi Ada'}])
    runs = rig.until(lambda: [run for run in ask(data, '/control/logs')[1]['runs'] if run['id'] == reply['run']])
    equal('the run stands in the run log', [run['trigger'] for run in runs], ['editor'])
    request = json.dumps({'body': {'a': 1}, 'params': {'a b': 'x&y=é'}})
    source = 'string f(map crmAPIRequest)\n{\n\tinfo crmAPIRequest.get("body");\n\treturn crmAPIRequest.get("params").get("a b");\n}'
    reply = ask(data, '/control/execute', {'source': source, 'arguments': {'crmAPIRequest': request}})[1]
    equal('crmAPIRequest is the request', (reply['output'], reply['log'][0]['text']), ('x&y=é', '{"a":1}'))
    equal('a request that is no JSON is refused', ask(data, '/control/execute', {'source': source, 'arguments': {'crmAPIRequest': 'x'}})[0], 400)
    reply = ask(data, '/control/execute', {'source': 'string f()\n{\n\tinfo "a";\n\tx = 1 / 0;\n\treturn "";\n}'})[1]
    equal('a script that fails says where', (reply['error']['line'], len(reply['log']), reply['output']), (4, 1, None))
    equal('a value of the wrong type is named', 'count' in ask(data, '/control/execute', {'source': GOOD, 'arguments': {'count': 'x'}})[1]['error']['message'], True)
    equal('a script with errors does not run', ask(data, '/control/execute', {'source': BROKEN})[1]['error']['line'], 4)
    reply = ask(data, '/control/execute', {'source': 'map f()\n{\n\treturn {"crmAPIResponse":{"status_code":201,"body":"made"}};\n}'})[1]
    equal('a response of its own is shown', reply['reply'], {'status_code': 201, 'body': 'made'})


def test_language(data):
    status, reply = ask(data, '/control/language')
    names = {row['name'] for row in reply['builtins']}
    ok('the tables are told', status == 200 and 'toUpperCase' in names and 'zoho.crm.createRecord' in names and 'info' in reply['keywords'], names)
    equal('a method has a receiver', [row['receiver'] for row in reply['builtins'] if row['name'] == 'toUpperCase'], ['text'])



def put(data, name, source, **more):
    return ask(data, '/control/fn', {'functions': [{'file': f'{name}.dg', 'source': source}], 'name': name, **more})


def test_keep(data):
    """A save with errors is kept; what was good goes on answering."""
    output = lambda name: json.loads(rig.command('call', name, '--data', data, '--json').out)['body']
    status, reply = put(data, 'kept', 'return "good";', keep=True)
    one = reply['functions'][0]
    equal('a good one is live', (status, one['live'], one['diagnostics']), (200, True, []))
    status, reply = put(data, 'kept', 'return (;')
    ok('without keep one with errors is refused', status == 400 and ask(data, '/control/fn/kept')[1]['source'] == 'return "good";', reply)
    status, reply = put(data, 'kept', 'return (;', keep=True, apikey=False)
    kept = reply['functions'][0]
    equal('with keep it is kept', (status, kept['id'], kept['live'], [item['line'] for item in kept['diagnostics']], kept['apikey'], 'source' in kept),
          (200, one['id'], False, [1], False, False))
    shown = ask(data, '/control/fn/kept')[1]
    equal('and shown', (shown['source'], shown['live'], len(shown['diagnostics'])), ('return (;', False, 1))
    equal('in the list too, once', [(row['api_name'], row['live'], 'source' in row) for row in ask(data, '/control/fn')[1]], [('kept', False, False)])
    ok('the last good one answers', '"output":"good"' in output('kept'), output('kept'))
    equal('both are in its history', [save['source'] for save in ask(data, '/control/fn/kept/history')[1]], ['return (;', 'return "good";'])
    matches('commands say so', rig.command('fn', 'show', 'kept', '--data', data).out, r'standalone\.kept \(the newest save has errors and does not answer\)\n  http')
    equal('the old one again is live', put(data, 'kept', 'return "good";', keep=True)[1]['functions'][0]['live'], True)
    status, reply = put(data, 'first', 'return (;', keep=True)
    equal('the first save may have errors', (status, reply['functions'][0]['url'], reply['functions'][0]['live']), (200, None, False))
    equal('nothing answers then', rig.command('call', 'first', '--data', data).code, 1)
    status, reply = put(data, 'first', 'return "born";', keep=True)
    ok('until it has none', reply['functions'][0]['live'] and '"output":"born"' in output('first'), reply)
    put(data, 'never', 'return (;', keep=True, kind='button')
    equal('one that never was good can be removed', (rig.command('fn', 'remove', 'button.never', '--data', data).code, ask(data, '/control/fn/button.never')[0]), (0, 404))
    equal('a bad name is refused', put(data, '9x', 'return (;', keep=True)[0], 400)
    equal('keep is for one', ask(data, '/control/fn', {'functions': [{'file': 'a.dg', 'source': 'x'}], 'keep': True})[0], 400)


def main():
    with rig.folder() as folder:
        with rig.Server(data=f'{folder}/data'):
            for test in (test_check, test_format, test_execute, test_language, test_keep):
                test(f'{folder}/data')
    rig.done()


main()
