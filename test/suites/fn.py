#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Functions of an org: kinds, names, saves, cross calls, who may call them; and the first key procedure of Zoho's page, to the letter."""
import _rig as rig
from _rig import command, equal, matches, ok

import json
import urllib.parse

HELLO = 'string standalone.hello(string name)\n{\n    info "greeting " + name;\n    return "Hello " + name;\n}\n'


class Org:
    """One data folder, and the flags that name an org in it."""

    def __init__(self, folder, *flags):
        self.folder, self.data, self.flags = folder, f'{folder}/data', flags

    def run(self, *words):
        return command(*words, '--data', self.data, *self.flags)

    def put(self, *words, **sources):
        return self.run('fn', 'put', *[rig.write(f'{self.folder}/{name}.dg', text) for name, text in sources.items()], *words)

    def call(self, name, *words):
        result = self.run('call', name, *words, '--json')
        return json.loads(result.out) if result.out.startswith('{') else result

    def output(self, name, *words):
        return json.loads(self.call(name, *words)['body'])['details']['output']

    def list(self):
        return {row['name']: row for row in json.loads(self.run('fn', 'list', '--json').out)}

    def key(self):
        return self.run('key', 'show', 'standalone').out.strip()


def test_life(org):
    result = org.put(hello=HELLO, bare='return crmAPIRequest.get("method");', v1='info requestMap.get("parameters");')
    ok('functions are put', result.code == 0 and result.out.count('put ') == 3, repr(result))
    matches('with the URL that calls one', result.out, r'put 2\.0 standalone\.hello\n  http://\S+/crm/v2/functions/hello/actions/execute\?auth_type=apikey&zapikey=1003\.')
    rows = org.list()
    equal('and listed by kind, name and version', {name: row['version'] for name, row in rows.items()},
          {'standalone.bare': '2.0', 'standalone.hello': '2.0', 'standalone.v1': '1.0'})
    identity = rows['standalone.hello']['id']
    equal('showing one', json.loads(org.run('fn', 'show', 'Standalone__HELLO', '--json').out)['id'], identity)
    equal('and its source', org.run('fn', 'show', 'hello', '--source').out, HELLO)
    org.put(hello=HELLO.replace('Hello', 'Hi'))
    equal('putting again replaces it', org.output('hello', '--param', 'name=Ann'), 'Hi Ann')
    equal('under the same id', org.list()['standalone.hello']['id'], identity)
    org.put(hello=HELLO.replace('Hello', 'Hi'))
    saves = json.loads(org.run('fn', 'history', 'hello', '--json').out)
    equal('each save that changes something is kept', [(save['number'], save['source'].count('Hello')) for save in saves], [(2, 0), (1, 1)])
    matches('a save can be made the newest', org.run('fn', 'restore', 'hello', '1').out, 'standalone.hello')
    equal('and runs', org.output('hello', '--param', 'name=Ann'), 'Hello Ann')
    equal('as a save of its own', len(json.loads(org.run('fn', 'history', 'hello', '--json').out)), 3)
    matches('removing', org.run('fn', 'remove', 'hello').out, 'removed hello')
    equal('takes it away', org.call('hello')['status_code'], 400)
    org.put(hello=HELLO)
    equal('under its id it comes back', org.list()['standalone.hello']['id'], identity)


def test_wrong(org):
    org.put(hello=HELLO)
    result = org.put(hello=HELLO.replace('Hello', 'Bye'), bad='string standalone.bad()\n{\n    return nope;\n}\n', worse='x = ;')
    ok('every compile error is said with its place', result.code == 1 and rig.re.search(r'bad\.dg:3:12: error: .*nope', result.err) and
       rig.re.search(r'worse\.dg:1:5: error: ', result.err), repr(result))
    equal('and nothing was put', [list(org.list()), org.output('hello', '--param', 'name=Ann')], [['standalone.hello'], 'Hello Ann'])
    for name, words, sources, text in (
            ('an unknown kind', ('--kind', 'zebra'), {'a': HELLO}, 'there is no kind "zebra"'),
            ('a name that is none', ('--name', 'a b'), {'a': HELLO}, 'letters, digits and single underscores'),
            ('a name that could be an extension\'s', ('--name', 'ns__fn'), {'a': HELLO}, 'letters, digits and single underscores'),
            ('a name of 100 letters', ('--name', 'n' * 100), {'a': HELLO}, 'letters, digits and single underscores'),
            ('a file name that is no name', (), {'my-file': 'return 1;'}, '--name gives another'),
            ('one name for two functions', ('--name', 'x'), {'a': HELLO, 'b': HELLO}, 'a name is for one function'),
            ('one name twice', (), {'a': HELLO, 'b': HELLO.replace('hello', 'HELLO')}, 'are both standalone'),
            ('keys for a button', ('--apikey', 'on'), {'a': 'string button.a() { return "x"; }'}, 'answer neither keys nor tokens'),
            ('a switch that is none', ('--oauth', 'maybe'), {'a': HELLO}, '--oauth is on or off'),
            ('bytes that are no text', (), {'a': b'return "\xff";'}, 'is not UTF-8'),
            ('an empty file', (), {'a': ''}, '')):
        result = org.put(*words, **sources)
        if name == 'an empty file':
            ok(f'{name} is a function that does nothing', result.code == 0, repr(result))
        else:
            ok(f'{name} is refused', result.code in (1, 2) and text in result.err, repr(result))
    ok('a file that is not there is named', 'nowhere.dg' in org.run('fn', 'put', 'nowhere.dg').err)
    for words in (('show', 'nobody'), ('remove', 'nobody'), ('history', 'nobody'), ('restore', 'nobody', '1'), ('show', 'x' * 400)):
        result = org.run('fn', *words)
        ok(f'fn {words[0]} of {words[1][:8]} says that it is not there', result.code == 1 and 'there is no function' in result.err, repr(result))
    result = org.run('fn', 'restore', 'hello', '99')
    ok('so does a version', result.code == 1 and 'has no version 99' in result.err, repr(result))
    ok('a version is a number', 'a version is a number' in org.run('fn', 'restore', 'hello', 'x').err)


def test_kinds(org):
    result = org.put(press='string button.press(string id) { return standalone.hello(id) + "!"; }', hello=HELLO,
                     rule='map validation_rule.check(String crmAPIRequest)\n{\n    r = crmAPIRequest.toMap().get("record");\n    m = Map();\n'
                          '    if(r.get("Phone") == null)\n    {\n        m.put("status","error");\n        m.put("message","Phone is missing");\n    }\n'
                          '    else\n    {\n        m.put("status","success");\n    }\n    return m;\n}\n',
                     rows='string related_list.rows(int id) { return "<record><row no=\'0\'><FL val=\'Id\'>" + id + "</FL></row></record>"; }',
                     auto='void automation.auto(string id) { info button.press(id); }',
                     night='void schedule.night() { automation.auto("night"); }',
                     wide='string standalone.wide() { automation.auto("a"); schedule.night(); return button.press("b"); }')
    equal('functions of every kind are put', result.code, 0)
    equal('a kind without header is told', org.put('--kind', 'automation', plain='info "auto " + id;').code, 0)
    equal('kinds', sorted({row['kind'] for row in org.list().values()}),
          ['automation', 'button', 'related_list', 'schedule', 'standalone', 'validation_rule'])
    equal('a button calls a standalone function, and gives text', org.output('button.press', '--arguments', '{"id":"7"}'), 'Hello 7!')
    equal('a standalone one calls every kind', org.output('wide'), 'Hello b!')
    lines = [line['text'] for line in org.call('wide')['run']['log']]
    equal('whose lines are in its log', lines, ['greeting a', 'Hello a!', 'greeting night', 'Hello night!', 'greeting b'])
    equal('a validation rule sees the record', json.loads(org.output('validation_rule.check', '--record', '{"Phone":null}')),
          {'status': 'error', 'message': 'Phone is missing'})
    equal('and may be content', json.loads(org.output('validation_rule.check', '--record', '{"Phone":"1"}')), {'status': 'success'})
    ok('a record that is none is refused', 'must be a JSON object' in json.dumps(org.call('validation_rule.check', '--record', '[1]')))
    equal('a related list gives XML', org.output('related_list.rows', '--arguments', '{"id":5}'),
          "<record><row no='0'><FL val='Id'>5</FL></row></record>")
    equal('an automation is void', org.output('automation.auto', '--arguments', '{"id":"x"}'), None)
    ok('arguments of the wrong type are told', 'cannot be read as int' in json.dumps(org.call('related_list.rows', '--arguments', '{"id":"five"}')))


def test_rest(org):
    """Only standalone functions answer the port."""
    org.put(hello=HELLO, press='string button.press() { return "x"; }', whole='return crmAPIRequest.get("record") + crmAPIRequest.get("auth_type");')
    org.put('--apikey', 'off', quiet='string standalone.quiet() { return "x"; }')
    ext = rig.extension(f'{org.folder}/ext', functions={'greet': 'string ext.greet(string name) { return standalone.hello(name); }'})
    with rig.Server(ext, data=org.data) as server:
        key = org.key()
        ok('start lines tell of the folders alone', all(name.startswith('ext__') for _, name, _ in server.functions), server.functions)

        def call(path, query='', **more):
            return server.send('POST', f'{path}?auth_type=apikey&zapikey={key}&{query}', **more)

        for path in ('/crm/v7/functions/hello/actions/execute', '/crm/v2/functions/standalone__hello/actions/execute',
                     '/crm/v2.1/functions/STANDALONE.Hello/actions/execute', '/crm/v2/settings/custom_functions/standalone.hello/execute'):
            reply = call(path, 'name=Ann')
            equal(f'{path} answers', [reply.status, reply.output(), reply.json()['details']['id']],
                  [200, 'Hello Ann', org.list()['standalone.hello']['id']])
        reply = call('/crm/v7/functions/hello/actions/execute', 'arguments=' + urllib.parse.quote('{"name":"Bob"}'))
        equal('named arguments in one', reply.output(), 'Hello Bob')
        equal('calls of the port have no record', call('/crm/v2/functions/whole/actions/execute', headers=[('X-Sluice-Record', '{"a":1}')]).output(), '{}apikey')
        equal('a key that is switched off', call('/crm/v2/functions/quiet/actions/execute').json()['code'], 'NO_PERMISSION')
        equal('a function that is not there', call('/crm/v2/functions/nobody/actions/execute').status, 400)
        for name in ('button.press', 'button__press', 'ext__greet'):
            equal(f'{name} is not this key\'s', call(f'/crm/v2/functions/{name}/actions/execute').status, 401)
        equal('an extension calls a standalone function', server.call('ext__greet', 'name=Cid').output(), 'Hello Cid')
        other = server.send('POST', f'/crm/v2/functions/hello/actions/execute?auth_type=apikey&zapikey={server.key("ext")}')
        equal('its key opens none', other.status, 401)
        token = json.loads(org.run('oauth', 'new', '--json').out)['access_token']
        for name, status, code in (('hello', 200, 'success'), ('button.press', 403, 'NO_PERMISSION'), ('quiet', 200, 'success')):
            reply = server.send('POST', f'/crm/v2/functions/{name}/actions/execute?auth_type=oauth&name=x', [('Authorization', f'Zoho-oauthtoken {token}')])
            equal(f'{name} with a token', [reply.status, reply.json()['code']], [status, code])
        there = ('--server', f'http://{server.address[0]}:{server.address[1]}')
        result = command('call', 'button.press', *there, '--token', token, '--json')
        equal('the operator\'s token runs a button from elsewhere', json.loads(json.loads(result.out)['body'])['details']['output'], 'x')
        plain = json.loads(org.run('oauth', 'new', '--scope', 'ZohoCRM.functions.execute.CREATE,ZohoCRM.functions.execute.READ', '--json').out)
        result = command('call', 'button.press', *there, '--token', plain['access_token'])
        ok('another one does not', result.code == 1 and 'NO_PERMISSION' in result.out, repr(result))
        org.put(hello=HELLO.replace('Hello', 'Moin'))
        equal('what is put while it runs is live at once', call('/crm/v7/functions/hello/actions/execute', 'name=Ann').output(), 'Moin Ann')
        equal('so is what is removed', [org.run('fn', 'remove', 'hello').code, call('/crm/v7/functions/hello/actions/execute').status], [0, 400])


def test_orgs(org):
    org.run('org', 'new', 'acme')
    org.run('org', 'sandbox', 'acme')
    acme, sandbox = Org(org.folder, '--org', 'acme'), Org(org.folder, '--org', 'acme', '--sandbox')
    acme.put(hello=HELLO)
    equal('functions are of their org', [list(acme.list()), list(org.list()), list(sandbox.list())], [['standalone.hello'], [], []])
    sandbox.put(hello=HELLO)
    ok('each environment has its own key', acme.key() != sandbox.key() and len(acme.key()) == 70, acme.key())
    matches('and a sandbox\'s URL says so', sandbox.list()['standalone.hello']['url'], '/sandbox/crm/v2/functions/hello/')


def test_key_procedure(org):
    """Zoho's page, "Using Custom Functions": publish and install the extension, paste the snippet, run it, read the key in the log."""
    path = rig.extension(f'{org.folder}/ext', 'smsext', '1.0.0', {'incoming': 'return "Lead " + crmAPIRequest.get("method");'}, portal='acme')
    equal('published', org.run('ext', 'publish', path).code, 0)
    equal('installed', org.run('ext', 'install', 'smsext').code, 0)
    org.put(getkey='m = {"nameSpace" : "acme.smsext"};\napikeyresp = zoho.crm.invokeConnector("crm.zapikey",m);\n'
                   'zapikey = apikeyresp.get("response");\ninfo zapikey;\n')
    result = org.run('call', 'getkey')
    lines = [line for line in result.err.splitlines() if line.startswith('4: ')]
    equal('the log shows the key', lines, ['4: ' + org.run('key', 'show', 'smsext').out.strip()])
    with rig.Server(data=org.data) as server:
        reply = server.send('GET', '/crm/v2/functions/smsext__incoming/actions/execute?auth_type=apikey&zapikey=' + lines[0][3:])
        equal('which opens the extension\'s function', reply.output(), 'Lead GET')


for test in (test_life, test_wrong, test_kinds, test_rest, test_orgs, test_key_procedure):
    with rig.folder() as path:
        test(Org(path))
rig.done()
