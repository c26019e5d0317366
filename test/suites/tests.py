#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`sluice test`: the examples' tests, every sample of docs/testing.md, each kind of expectation failing for its reason, --accept, and files that
are broken or hostile.

usage: tests.py PATH/TO/sluice"""
import json
import os
import re

import _rig as rig

HELLO = 'string ext.hello(string crmAPIRequest)\n{\n\tinfo "called";\n\treturn "Hello " + ifnull(crmAPIRequest.get("params").get("name"),"world");\n}\n'
LEAD = '''map ext.lead(string name)
{
	info "making " + name;
	r = zoho.crm.createRecord("Leads",{"Last_Name":name,"Company":"Navy"});
	return {"id":r.get("id"),"name":name};
}
'''
FETCH = '''string ext.fetch(string crmAPIRequest)
{
	r = invokeurl
	[
		url : "https://api.example/v1/things?key=s3cret"
		type : POST
		parameters : {"a":1}.toString()
		headers : {"X-Colour":"blue","Content-Type":"application/json"}
	];
	return r;
}
'''
CAUGHT = '''string ext.caught()
{
	try
	{
		r = getUrl("https://api.example/caught");
	}
	catch (e)
	{
		return "caught";
	}
	return "answered";
}
'''
BROKEN = 'string ext.broken()\n{\n\tx = "a";\n\treturn x.toLong() / 0;\n}\n'
ERROR = 'string ext.error()\n{\n\tinfo "before";\n\tx = null;\n\treturn x.get("a");\n}\n'
VARIABLE = 'string ext.variable()\n{\n\tzoho.crm.invokeConnector("crm.set",{"apiname":"ext.colour","value":"green"});\n\treturn zoho.crm.getOrgVariable("ext.colour");\n}\n'
SIGNAL = '''string ext.signal()
{
	return zoho.crm.invokeConnector("raisesignal",{"signal_namespace":"ext.bell","email":"ada@example.com","subject":"ring","message":"ring ring"});
}
'''
OWN = 'void ext.own()\n{\n\tzoho.crm.createRecord("ext.Books",{"ext.Books_Name":"SICP","ext.Pages":657});\n}\n'
MAIL = '''void ext.mail()
{
	sendmail
	[
		from : zoho.adminuserid
		to : "a@example.com,b@example.com"
		cc : "c@example.com"
		subject : "Hi"
		message : "<b>Hello</b>"
		attachments : file:"text".toFile("note.txt")
	]
}
'''
NESTED = '''string ext.nested(string crmAPIRequest)
{
	info "outer";
	key = zoho.crm.invokeConnector("crm.zapikey",{"nameSpace":"ext"}).get("response");
	return getUrl("https://platform.zoho.com/crm/v2/functions/ext__hello/actions/execute?auth_type=apikey&zapikey=" + key).get("details").get("output");
}
'''
LOOP = 'string ext.loop()\n{\n\tn = 0;\n\tfor each i in {1,2,3,4,5,6,7,8,9,10}\n\t{\n\t\tn = n + i;\n\t}\n\treturn n;\n}\n'
CLOCK = 'string ext.clock()\n{\n\tr = zoho.crm.createRecord("Leads",{"Last_Name":"A"});\n\treturn zoho.currenttime.toString("yyyy-MM-dd HH:mm") + " " + r.get("Created_Time");\n}\n'
BOOKS = {'api_name': 'Books', 'singular_label': 'Book', 'plural_label': 'Books', 'name_field': {'api_name': 'Books_Name'},
         'fields': [{'api_name': 'Pages', 'field_label': 'Pages', 'data_type': 'integer'}]}
FUNCTIONS = {'hello': HELLO, 'lead': LEAD, 'fetch': FETCH, 'caught': CAUGHT, 'error': ERROR, 'variable': VARIABLE, 'signal': SIGNAL, 'own': OWN,
             'mail': MAIL, 'nested': NESTED, 'loop': LOOP, 'clock': CLOCK}


def make(folder, functions=None, **more):
    more.setdefault('files', {})
    more['files'] = {'modules/books.json': json.dumps(BOOKS), 'seed/leads.json': '{"records":{"Leads":[{"Last_Name":"Seed"}]}}', **more['files']}
    return rig.extension(f'{folder}/ext', functions=FUNCTIONS if functions is None else functions,
                         variables=[{'field_name': 'Colour', 'api_name': 'colour', 'type': 'text', 'value': 'red'},
                                    {'field_name': 'Token', 'api_name': 'token', 'type': 'text', 'value': '', 'secret': True}],
                         signals=[{'namespace': 'bell', 'name': 'Bell'}], **more)


def run(folder, content, *flags, name='case'):
    """Runs one test file in the extension: tests as a list, or the file's text, or its value."""
    text = content if isinstance(content, (str, bytes)) else json.dumps({'tests': content} if isinstance(content, list) else content, indent=1)
    path = rig.write(f'{folder}/ext/tests/{name}.json', text)
    done = rig.command('test', 'ext/tests/%s.json' % name, *flags, cwd=folder)
    os.remove(path)
    return done


def passes(folder, name, test):
    done = run(folder, [dict({'name': name}, **test)])
    rig.equal(f'passes: {name}', (done.code, done.out), (0, 'ok   ext/tests/case.json: 1 test\n1 passed, 0 failed\n'))


def fails(folder, name, test, *shown):
    """Exit 1, and every text of `shown` in the report."""
    done = run(folder, [dict({'name': name}, **test)])
    good = done.code == 1 and done.out.endswith('0 passed, 1 failed\n') and all(text in done.out for text in shown)
    rig.ok(f'fails: {name}', good, f'{done}\nwant all of {shown}')


# ---- the examples and the documentation


def examples():
    done = rig.command('test', 'examples', cwd=rig.ROOT)
    rig.matches("the examples' tests pass", f'{done.code} {done.out}', r'^0 ok .*\n[1-9]\d* passed, 0 failed\n$')
    named = set()
    for extension in ('leads', 'twilio-sms'):
        for file in sorted(name for name in os.listdir(f'{rig.ROOT}/examples/{extension}/tests') if name.endswith('.json')):
            content = json.loads(rig.read(f'{rig.ROOT}/examples/{extension}/tests/{file}'))
            named |= {test.get('function', content.get('function')) for test in content['tests']}
        for file in os.listdir(f'{rig.ROOT}/examples/{extension}/functions'):
            rig.ok(f'examples/{extension} tests {file}', file.removesuffix('.dg') in named)


def documentation():
    text = rig.read(f'{rig.ROOT}/docs/testing.md')
    files = re.findall(r'^`([\w/.]+)`\n```\w+\n(.*?)^```$', text, re.S | re.M)
    expected = re.search(r'```sh\nsluice (test tests/failing.json)\n```\n```text\n(.*?)```', text, re.S)
    with rig.folder() as folder:
        for path, content in files:
            rig.write(f'{folder}/{path}', content)
        tests = [path for path, _ in files if path.startswith('tests/') and 'failing' not in path]
        for path in tests:
            done = rig.command('test', path, cwd=folder)
            rig.matches(f'docs/testing.md: {path} passes', f'{done.code} {done.out}', r'^0 ok .* tests?\n\d+ passed, 0 failed\n$')
        rig.ok('docs/testing.md has samples', len(tests) >= 7, tests)
        done = rig.command(*expected.group(1).split(), cwd=folder)
        rig.equal('docs/testing.md: the failing sample fails as shown', re.sub(r'\d{18}', 'ID', done.out), expected.group(2))
        rig.equal('the checker likes the samples', rig.command('check', '.', cwd=folder).code, 0)
        for word in re.findall(r'^\| `?([^|]*?)`? \|', text, re.M):
            for member in re.findall(r'`(\w+)`', f'`{word}`'):
                rig.ok(f'docs/testing.md: {member} is in a sample or a known word', member in ''.join(c for _, c in files) or
                       member in KNOWN_WITHOUT_SAMPLE, member)


KNOWN_WITHOUT_SAMPLE = {'oauth', 'owner', 'wrong', 'none', 'apikey', 'member', 'signals', 'install', 'seed', 'variables', 'network', 'file', 'arguments', 'auth', 'url'}


# ---- what passes


def passing(folder):
    passes(folder, 'exact output', {'function': 'hello', 'request': {'params': {'name': 'Ada'}}, 'expect': {'output': 'Hello Ada'}})
    passes(folder, 'a full name', {'function': 'ext__hello', 'expect': {'output': {'$matches': '^Hello'}}})
    passes(folder, 'a dotted name in another case', {'function': 'EXT.Hello', 'expect': {'output': {'$contains': 'world'}}})
    passes(folder, 'a number in the output', {'function': 'loop', 'expect': {'output': 55}})
    passes(folder, 'the method decides nothing', {'function': 'hello', 'request': {'method': 'DELETE'}, 'expect': {'status': 200}})
    passes(folder, 'an own module by its bare name', {'function': 'own', 'records': {'Books': [{'ext.Books_Name': 'K&R'}]}, 'expect': {
        'records': {'Books': [{'ext.Books_Name': 'SICP', 'ext__Pages': 657}, {'ext.Books_Name': 'K&R', 'ext.Pages': None}]}, 'output': None}})
    passes(folder, 'records do not outlive a test', {'function': 'lead', 'request': {'params': {'name': 'B'}}, 'expect': {'records': {'Leads': {'$count': 1}}}})
    passes(folder, 'seed records when asked for', {'seed': True, 'expect': {'records': {'Leads': [{'Last_Name': 'Seed'}]}}})
    passes(folder, 'no seed records otherwise', {'expect': {'records': {'Leads': []}}})
    passes(folder, 'a variable before and after', {'function': 'variable', 'variables': {'colour': 'blue', 'ext.token': 'x'}, 'expect': {
        'output': 'green', 'variables': {'ext.colour': 'green', 'ext__token': 'x'}}})
    passes(folder, 'a signal', {'function': 'signal', 'records': {'Leads': [{'$as': 'ada', 'Last_Name': 'Ada', 'Email': 'ada@example.com'}]}, 'expect': {
        'signals': [{'signal_namespace': 'ext.bell', 'record_id': '${ada}'}]}})
    passes(folder, 'a mail', {'function': 'mail', 'expect': {'mails': [{'to': ['a@example.com', 'b@example.com'], 'cc': ['c@example.com'], 'bcc': [],
           'message': '<b>Hello</b>', 'attachments': [{'name': 'note.txt', 'content': 'text'}]}]}})
    passes(folder, 'a request and its answer', {'function': 'fetch', 'answers': [
        {'url': 'https://other.example/*', 'reply': {'body': 'no'}},
        {'url': 'https://api.example/*', 'method': 'get', 'reply': {'body': 'no'}},
        {'url': 'https://api.example/*', 'headers': {'X-Colour': 'red'}, 'reply': {'body': 'no'}},
        {'url': 'https://api.example/*', 'body': {'a': 2}, 'reply': {'body': 'no'}},
        {'url': 'https://api.example/v1/*', 'method': 'post', 'params': {'key': 's3cret'}, 'headers': {'X-Colour': 'blue'}, 'body': {'a': 1},
         'reply': {'body': 'yes', 'headers': {'X-A': 'b'}}}],
        'expect': {'output': 'yes', 'requests': [{'method': 'POST', 'url': 'https://api.example/v1/things?key=s3cret', 'body': {'$is': {'a': 1}},
                                                  'headers': {'X-COLOUR': 'blue'}}]}})
    passes(folder, 'a failure instead of an answer', {'function': 'caught', 'answers': [{'url': '*', 'reply': {'fail': 'no route'}}],
                                                     'expect': {'output': 'caught'}})
    passes(folder, 'a call to a Zoho host is answered inside', {'function': 'nested', 'expect': {'output': 'Hello world', 'log': ['outer'], 'outgoing': 1}})
    passes(folder, 'a test may answer for a Zoho host', {'function': 'nested', 'answers': [
        {'url': 'https://platform.zoho.com/*', 'reply': {'body': {'details': {'output': 'mine'}}}}], 'expect': {'output': 'mine'}})
    passes(folder, 'an error by message', {'function': 'error', 'expect': {'error': {'message': {'$contains': 'get'}, 'line': 5}, 'status': 200, 'log': ['before']}})
    passes(folder, 'an outcome', {'function': 'error', 'expect': {'outcome': 'script_error'}})
    passes(folder, 'a limit', {'function': 'loop', 'limits': {'statements': 5}, 'expect': {'outcome': 'limit', 'error': {'$any': True}}})
    passes(folder, 'a fixed clock', {'function': 'clock', 'now': '2024-02-29T23:59:00+00:00', 'expect': {
        'output': '2024-02-29 23:59 2024-02-29T23:59:00+00:00', 'records': {'Leads': [{'Created_Time': '2024-02-29T23:59:00+00:00'}]}}})
    passes(folder, 'a refused call', {'function': 'hello', 'request': {'auth': 'none'}, 'expect': {'status': 401}})
    passes(folder, 'statements at most', {'function': 'loop', 'expect': {'statements': {'$at_least': 11, '$at_most': 100}}})


def callers(folder):
    whoami = 'map ext.whoami(string crmAPIRequest)\n{\n\tm = crmAPIRequest.toMap();\n\treturn {"by":m.get("auth_type"),"user":m.get("user_info").get("email"),"record":m.get("record")};\n}\n'
    rig.write(f'{folder}/ext/functions/whoami.dg', whoami)
    rig.write(f'{folder}/ext/tests/data/plain.dg', 'string plain(string name)\n{\n\tinfo "plain";\n\treturn "plain " + name;\n}\n')
    rig.write(f'{folder}/ext/tests/data/press.dg', 'string button.press(int id)\n{\n\treturn zoho.crm.getRecordById("Leads",id).get("Last_Name");\n}\n')
    rig.write(f'{folder}/ext/tests/data/bad.dg', 'string button.bad(\n')
    rig.write(f'{folder}/ext/tests/data/calls.dg', 'string calls()\n{\n\treturn standalone.plain("inner");\n}\n')
    passes(folder, 'by key', {'function': 'whoami', 'expect': {'output': {'by': 'apikey', 'record': {}}}})
    passes(folder, 'by token', {'function': 'whoami', 'request': {'auth': 'oauth'}, 'expect': {'output': {'by': 'oauth', 'user': 'admin@example.com'}}})
    passes(folder, 'by the owner', {'function': 'whoami', 'request': {'auth': 'owner'}, 'expect': {'status': 200}})
    passes(folder, 'with a record', {'function': 'whoami', 'request': {'record': {'a': 1}}, 'expect': {'output': {'record': {'$is': {'a': 1}}}}})
    fails(folder, 'a record by key', {'function': 'whoami', 'request': {'record': {}, 'auth': 'apikey'}, 'expect': {'status': 200}}, 'only the owner says a record')
    passes(folder, 'a function of the org', {'functions': ['data/plain.dg'], 'function': 'standalone.plain', 'request': {'params': {'name': 'tea'}}, 'expect': {
        'output': 'plain tea', 'log': ['plain']}})
    passes(folder, 'a button', {'functions': ['data/press.dg'], 'function': 'button.press', 'records': {'Leads': [{'$as': 'one', 'Last_Name': 'One'}]},
                                'request': {'params': {'id': '${one}'}}, 'expect': {'output': 'One'}})
    passes(folder, 'a button by key is refused', {'functions': ['data/press.dg'], 'function': 'button.press', 'request': {'auth': 'apikey'}, 'expect': {'status': 401}})
    passes(folder, 'one function calls another', {'functions': ['data/plain.dg', 'data/calls.dg'], 'function': 'standalone.calls', 'expect': {'output': 'plain inner'}})
    fails(folder, 'a function that does not compile', {'functions': ['data/bad.dg'], 'function': 'button.bad', 'expect': {'output': ''}}, 'data/bad.dg:', 'error: ')
    fails(folder, 'a function that is not there', {'functions': ['data/none.dg'], 'function': 'button.bad', 'expect': {'output': ''}}, 'tests[0].functions[0]', 'No such file')
    with rig.folder() as other:
        rig.write(f'{other}/plain.dg', rig.read(f'{folder}/ext/tests/data/plain.dg'))
        rig.write(f'{other}/tests/org.json', json.dumps({'functions': ['../plain.dg'], 'tests': [
            {'name': 'bare', 'function': 'plain', 'request': {'params': {'name': 'a'}}, 'expect': {'output': 'plain a'}}]}))
        done = rig.command('test', 'tests/org.json', cwd=other)
        rig.equal('functions without an extension', (done.code, done.out), (0, 'ok   tests/org.json: 1 test\n1 passed, 0 failed\n'))


def files_of_requests(folder):
    rig.write(f'{folder}/ext/tests/data/lead.json', '{"params": {"name": "File"}}')
    echo = 'map ext.echo(string crmAPIRequest)\n{\n\treturn crmAPIRequest.toMap();\n}\n'
    rig.write(f'{folder}/ext/functions/echo.dg', echo)
    passes(folder, 'a body from a file', {'function': 'echo', 'request': {'body': '@data/lead.json'}, 'expect': {'output': {'body': {'params': {'name': 'File'}}}}})
    passes(folder, 'an upload from a file', {'function': 'echo', 'request': {'file': '@data/lead.json'}, 'expect': {'output': {'file_content': {'$contains': 'File'}}}})
    passes(folder, 'a text that begins with @', {'function': 'echo', 'request': {'body': '@@home'}, 'expect': {'output': {'body': '@home'}}})
    passes(folder, 'arguments', {'function': 'lead', 'request': {'arguments': {'name': 'Args'}}, 'expect': {'output': {'name': 'Args'}}})
    fails(folder, 'a file that is not there', {'function': 'echo', 'request': {'body': '@data/none.json'}, 'expect': {'output': ''}},
          'tests[0].request.body', 'none.json: No such file')


# ---- what fails, and why


def failing(folder):
    fails(folder, 'output', {'function': 'hello', 'expect': {'output': 'Hello moon'}},
          'FAIL ext/tests/case.json: output\n', 'ext/tests/case.json:7: tests[0].expect.output\n    expected    "Hello moon"\n    got         "Hello world"\n',
          '  log\n    ext__hello:3: called\n', '  reply 200\n    {"code":"success"')
    fails(folder, 'status', {'function': 'hello', 'expect': {'status': 201}}, 'tests[0].expect.status', 'expected    201\n    got         200')
    fails(folder, 'header', {'function': 'hello', 'expect': {'headers': {'X-None': 'a'}}}, 'tests[0].expect.headers.X-None', 'got         nothing')
    fails(folder, 'body', {'function': 'hello', 'expect': {'body': {'details': {'output': 'x'}}}}, 'tests[0].expect.body.details.output', '"Hello world"')
    fails(folder, 'type', {'function': 'hello', 'expect': {'body': {'code': 1}}}, 'expected    1\n    got         "success"')
    fails(folder, 'log', {'function': 'hello', 'expect': {'log': []}}, 'expected    []\n    got         ["called"]')
    fails(folder, 'a line', {'function': 'hello', 'expect': {'log': ['Called']}}, 'tests[0].expect.log[0]')
    fails(folder, 'count', {'function': 'lead', 'request': {'params': {'name': 'A'}}, 'expect': {'records': {'Leads': []}}},
          'tests[0].expect.records.Leads\n    expected    []\n    got         [{')
    fails(folder, 'a field', {'function': 'lead', 'request': {'params': {'name': 'A'}}, 'expect': {'records': {'Leads': [{'Last_Name': 'B'}]}}},
          'tests[0].expect.records.Leads[0].Last_Name\n    expected    "B"\n    got         "A"')
    fails(folder, 'records in any order', {'records': {'Leads': [{'Last_Name': 'A'}, {'Last_Name': 'B'}]}, 'expect': {
        'records': {'Leads': [{'Last_Name': 'B'}, {'Last_Name': 'C'}]}}}, 'tests[0].expect.records.Leads[1].Last_Name\n    expected    "C"\n    got         "A"')
    fails(folder, 'a module', {'expect': {'records': {'Nothing': []}}}, 'tests[0].expect.records.Nothing\n    the module name given seems to be invalid')
    fails(folder, 'a variable', {'expect': {'variables': {'colour': 'blue'}}}, 'expected    "blue"\n    got         "red"')
    fails(folder, 'no such variable', {'expect': {'variables': {'size': ''}}}, 'there is no variable "size"')
    fails(folder, 'a signal', {'expect': {'signals': {'$count': 1}}}, 'expected    {"$count":1}\n    got         []')
    fails(folder, 'a mail', {'function': 'mail', 'expect': {'mails': []}}, 'tests[0].expect.mails', '"subject":"Hi"')
    fails(folder, 'a request', {'function': 'fetch', 'answers': [{'url': '*', 'reply': {}}], 'expect': {'requests': [{'method': 'GET'}]}},
          'tests[0].expect.requests[0].method\n    expected    "GET"\n    got         "POST"')
    fails(folder, 'a regular expression', {'function': 'hello', 'expect': {'output': {'$matches': '^moon$'}}}, '{"$matches":"^moon$"}')
    fails(folder, 'a broken one', {'function': 'hello', 'expect': {'output': {'$matches': '('}}}, 'the regular expression is broken')
    fails(folder, 'an endless one', {'function': 'hello', 'expect': {'output': {'$matches': '(H|He|e|l|o|.)*x$'}}}, 'tests[0].expect.output')
    fails(folder, '$is', {'function': 'hello', 'expect': {'body': {'$is': {'code': 'success'}}}}, '{"$is":{"code":"success"}}')
    fails(folder, '$absent', {'function': 'hello', 'expect': {'body': {'code': {'$absent': True}}}}, '{"$absent":true}')
    fails(folder, '$any', {'function': 'hello', 'expect': {'error': {'$any': True}}}, 'tests[0].expect.error')
    fails(folder, '$at_most', {'function': 'loop', 'expect': {'statements': {'$at_most': 2}}}, '{"$at_most":2}')
    fails(folder, '$contains', {'function': 'hello', 'expect': {'log': {'$contains': ['called', 'called']}}}, 'got         ["called"]')
    fails(folder, 'an error that does not come', {'function': 'hello', 'expect': {'error': 'x'}}, 'expected    "x"\n    got         null')
    fails(folder, 'an error that comes', {'function': 'error', 'expect': {'log': ['before']}}, 'the run failed: ', 'at line 5; if it should: "error"')
    fails(folder, 'a refusal', {'function': 'hello', 'request': {'auth': 'wrong'}, 'expect': {'log': []}}, 'the call was refused with status 401')
    fails(folder, 'no such function', {'function': 'nope', 'expect': {'output': ''}}, 'ext__nope does not exist')
    fails(folder, 'no answer', {'function': 'fetch', 'expect': {'output': ''}}, 'POST https://api.example/v1/things has no answer',
          '"answers": [{"method": "POST", "url": "https://api.example/v1/things"', '"network": true')
    fails(folder, 'no answer, and the script does not mind', {'function': 'caught', 'expect': {'output': 'caught'}}, 'GET https://api.example/caught has no answer')
    fails(folder, 'all replies given', {'function': 'caught', 'answers': [{'url': '*', 'replies': []}], 'expect': {'output': 'answered'}}, 'has no answer')
    fails(folder, 'a record that the CRM refuses', {'records': {'Leads': [{'Last_Name': 'A'}, {'Company': 'B'}]}, 'expect': {'log': []}},
          'tests[0].records.Leads[1]', 'the record was refused', 'MANDATORY_NOT_FOUND')
    fails(folder, 'a time that is none', {'now': 'tomorrow', 'expect': {'log': []}}, 'tests[0].now', 'date and time')
    fails(folder, 'a limit that is none', {'limits': {'patience': 3}, 'expect': {'log': []}}, 'tests[0].limits.patience', 'sluice docs limits')
    fails(folder, 'an authentication that is none', {'function': 'hello', 'request': {'auth': 'magic'}, 'expect': {'status': 200}}, 'tests[0].request.auth')
    fails(folder, 'a version that is none', {'function': 'hello', 'request': {'url': 'v9'}, 'expect': {'status': 200}}, 'tests[0].request.url')
    secret = run(folder, [{'name': 'a', 'function': 'fetch', 'expect': {'output': ''}}])
    rig.ok("a query's secret is not told", 's3cret' not in secret.out, secret)


def installing(folder):
    with rig.folder() as other:
        make(other, {'hello': HELLO}, files={'install/on_installation.dg': 'info "installing";\nx = null;\nx.get("a");\n'})
        fails(other, 'the action fails before a call', {'function': 'hello', 'expect': {'output': 'Hello world'}}, 'install/on_installation.dg')
        passes(other, 'the action fails, and the test says so', {'expect': {'error': {'line': 3}, 'log': ['installing']}})
        passes(other, 'without the action', {'function': 'hello', 'install': False, 'expect': {'log': ['called']}})
        make(other, {'hello': HELLO, 'broken': 'string ext.broken(\n'})
        fails(other, 'a script that does not compile', {'function': 'hello', 'expect': {'output': ''}}, 'functions/broken.dg:1:')
        done = run(other, [{'name': name, 'function': 'hello', 'expect': {'output': ''}} for name in 'abc'])
        rig.ok('that is told once, and all tests count as failed', done.out.count('functions/broken.dg:1:') == 1 and
               done.out.endswith('  2 tests more of this file did not run\n0 passed, 3 failed\n'), done)
    with rig.folder() as other:
        rig.write(f'{other}/tests/a.json', '{"tests":[{"name":"a","expect":{}}]}')
        done = rig.command('test', f'{other}/tests/a.json')
        rig.ok('a test file without an extension', done.code == 1 and 'no folder above it holds an extension.json' in done.out, done)


# ---- broken and hostile files


def broken(folder, name, text, *shown):
    done = run(folder, text)
    rig.ok(f'broken: {name}', done.code == 1 and done.out.endswith('0 passed, 1 failed\n') and all(s in done.out for s in shown), f'{done}\nwant {shown}')


def broken_files(folder):
    broken(folder, 'no JSON', '{"tests": [\n  {"name": }\n]}', 'ext/tests/case.json:2:12: error: ')
    broken(folder, 'nothing', '', 'ext/tests/case.json:1:')
    broken(folder, 'not UTF-8', b'{"tests": [{"name": "\xff\xfe"}]}', 'ext/tests/case.json:1:')
    broken(folder, 'a list', '[]', 'a test file is an object')
    broken(folder, 'no tests', '{"tests": []}', 'a test file is {"tests"')
    broken(folder, 'tests of another type', '{"tests": {}}', 'a test file is {"tests"')
    broken(folder, 'a test that is none', '{"tests": [1]}', 'ext/tests/case.json:1:12: error: a test is an object')
    broken(folder, 'an unknown member', '{"tests": [\n {"name": "a",\n  "expects": {},\n  "expect": {}}]}',
           'ext/tests/case.json:3:3: error: a test has no member "expects"; it may have: name, function')
    broken(folder, 'an unknown expectation', '{"tests": [\n {"name": "a",\n  "expect": {"stauts": 200}}]}', ':3:14: error: an expectation has no member "stauts"')
    broken(folder, 'an unknown member of the file', '{"test": 1, "tests": [{"name": "a", "expect": {}}]}', ':1:2: error: a test file has no member "test"')
    broken(folder, 'a name for all tests', '{"name": "x", "tests": [{"name": "a", "expect": {}}]}', 'belongs into one of the "tests"')
    broken(folder, 'an unknown word', '{"tests": [{"name": "a", "expect": {"output": {"$regex": "a"}}}]}', '"$regex" is no word of an expectation')
    broken(folder, 'a word beside a member', '{"tests": [{"name": "a", "expect": {"body": {"$any": true, "code": "a"}}}]}', '"code" is no word')
    broken(folder, 'a type', '{"tests": [{"name": "a", "install": "no", "expect": {}}]}', '"install" must be true or false')
    broken(folder, 'several types', '{"tests": [{"name": "a", "expect": {"status": "200"}}]}', '"status" must be a whole number or an object')
    broken(folder, 'no name', '{"tests": [{"expect": {}}]}', 'a test needs a "name"')
    broken(folder, 'no expectation', '{"tests": [{"name": "a"}]}', 'a test needs "expect"')
    broken(folder, 'an answer for nothing', '{"tests": [{"name": "a", "answers": [{"reply": {}}], "expect": {}}]}', 'an answer needs a "url" or a "task"')
    broken(folder, 'an answer without a reply', '{"tests": [{"name": "a", "answers": [{"url": "*"}], "expect": {}}]}', 'an answer needs a "reply"')
    broken(folder, 'a body and a form', '{"tests": [{"name": "a", "request": {"body": "", "form": {}}, "expect": {}}]}', 'a request has a body, or a form and a file')
    broken(folder, 'records that are no list', '{"tests": [{"name": "a", "records": {"Leads": {}}, "expect": {}}]}', 'the records of a module are a list')
    broken(folder, 'a header that is no text', '{"tests": [{"name": "a", "request": {"headers": {"X": []}}, "expect": {}}]}', '"X" must be text')
    broken(folder, 'many errors', json.dumps({'tests': [{'name': 'a', 'expect': {f'x{i}': 1 for i in range(50)}}]}), 'and 30 errors more')
    broken(folder, 'deep', '{"tests": [{"name": "a", "expect": {"body": ' + '[' * 100 + ']' * 100 + '}}]}', 'nested deeper than 40 levels')
    broken(folder, 'very deep', '[' * 100000 + ']' * 100000, 'ext/tests/case.json:1:')
    broken(folder, 'huge', '{"tests": "' + 'x' * (5 << 20) + '"}', 'is larger than 4194304 bytes')
    broken(folder, 'too many tests', json.dumps({'tests': [{'name': 'a', 'expect': {}}] * 1001}), 'a file holds at most 1000 tests')
    done = run(folder, '{"tests": [1]}', '--json')
    rig.ok('--json keeps errors off standard output', json.loads(done.out) == {'passed': 0, 'failed': 1, 'tests': []} and 'a test is an object' in done.err, done)
    keys = run(folder, '{"tests": [{"name": "esc\\u0061ped \\"keys\\"", "expect": {"v\\u0061riables": {"colour": "x"}}}]}')
    rig.ok('escapes in names and keys', 'FAIL ext/tests/case.json: escaped "keys"' in keys.out and 'tests[0].expect.variables.colour' in keys.out, keys)


def paths(folder):
    rig.write(f'{folder}/ext/tests/one.json', json.dumps({'tests': [{'name': 'alpha', 'function': 'hello', 'expect': {'status': 200}},
                                                                    {'name': 'beta', 'function': 'loop', 'expect': {'status': 200}}]}))
    rig.write(f'{folder}/ext/tests/data/not_a_test.json', '[]')
    rig.write(f'{folder}/other/tests/not_a_test.json', '[]')
    good = (0, 'ok   %s/tests/one.json: 2 tests\n2 passed, 0 failed\n')
    for path in ('ext', 'ext/', '.', 'ext/tests', 'ext/tests/one.json'):
        done = rig.command('test', path, cwd=folder)
        rig.equal(f'test {path}', (done.code, done.out.replace('//', '/')), (good[0], good[1] % 'ext'))
    done = rig.command('test', cwd=f'{folder}/ext')
    rig.equal('test in the folder itself', (done.code, done.out), (0, 'ok   tests/one.json: 2 tests\n2 passed, 0 failed\n'))
    done = rig.command('test', 'ext', 'ext/tests/one.json', cwd=folder)
    rig.matches('a file that is named twice runs once', done.out, r'\n2 passed, 0 failed\n$')
    for text, count in (('ALPHA', 1), ('loop', 1), ('a', 2)):
        done = rig.command('test', 'ext', '--filter', text, cwd=folder)
        rig.matches(f'--filter {text}', done.out, rf'(^|\n){count} passed, 0 failed\n$')
    done = rig.command('test', 'ext', '--json', cwd=folder)
    answer = json.loads(done.out)
    rig.equal('--json', (answer['passed'], answer['failed'], [(t['name'], t['passed'], t['status'], t['failures']) for t in answer['tests']]),
              (2, 0, [('alpha', True, 200, []), ('beta', True, 200, [])]))
    rig.equal('--json has the log', answer['tests'][0]['log'], [{'function': 'ext__hello', 'line': 3, 'text': 'called'}])
    for words in (['test', 'ext', '--filter', 'gamma'], ['test', 'nowhere'], ['test', 'other'], ['test', '--no-such-flag']):
        done = rig.command(*words, cwd=folder)
        rig.ok(f'{words} is wrong usage', done.code == 2 and done.err.startswith('sluice: '), done)
    done = rig.command('test', 'ext', 'nowhere', cwd=folder)
    rig.ok('a path that is not there beside one that is', done.code == 1 and '2 passed' in done.out and 'nowhere' in done.err, done)
    os.remove(f'{folder}/ext/tests/one.json')


# ---- --accept


ACCEPT = '''{
  "function": "lead",   "tests": [
    { "name": "changes", "request": {"params": {"name": "Ada"}},
      "expect": { "output": {"name": "Bob"},
                  "log": ["making Bob", "more"], "status": 200,
                  "records": {"Leads": [{"Last_Name": "Bob", "Company": "Navy"}]} } },
    { "name": "stays",   "request": {"params": {"name": "Eve"}}, "expect": {"output": {"name": "Eve"}}},
    { "name": "begins",  "function": "hello", "expect": {} },
    { "name": "ids",     "records": {"Leads": [{"$as": "one", "Last_Name": "One"}]}, "function": "ids", "expect": {} },
    { "name": "errs",    "function": "error", "expect": {"log": []} },
    { "name": "asks",    "function": "caught", "expect": {"output": "x"} }
  ]
}
'''
ACCEPTED = '''{
  "function": "lead",   "tests": [
    { "name": "changes", "request": {"params": {"name": "Ada"}},
      "expect": { "output": {"name": "Ada"},
                  "log": ["making Ada"], "status": 200,
                  "records": {"Leads": [{"Last_Name": "Ada", "Company": "Navy"}]} } },
    { "name": "stays",   "request": {"params": {"name": "Eve"}}, "expect": {"output": {"name": "Eve"}}},
    { "name": "begins",  "function": "hello", "expect": {"status": 200, "output": "Hello world", "log": ["called"]} },
    { "name": "ids",     "records": {"Leads": [{"$as": "one", "Last_Name": "One"}]}, "function": "ids", "expect": {"status": 200, "output": "${one} (a+b)", "log": [{"$matches": "^new \\\\d{18} \\\\(a\\\\+b\\\\)$"}]} },
    { "name": "errs",    "function": "error", "expect": {"log": []} },
    { "name": "asks",    "function": "caught", "expect": {"output": "x"} }
  ]
}
'''
IDS = '''string ext.ids()
{
	info "new " + zoho.crm.createRecord("Leads",{"Last_Name":"Two"}).get("id") + " (a+b)";
	return zoho.crm.searchRecords("Leads","(Last_Name:equals:One)").get(0).get("id") + " (a+b)";
}
'''


def accepting(folder):
    rig.write(f'{folder}/ext/functions/ids.dg', IDS)
    path = rig.write(f'{folder}/ext/tests/accept.json', ACCEPT)
    os.chmod(path, 0o640)
    done = rig.command('test', path, '--accept', cwd=folder)
    rig.ok('--accept says what it did', done.code == 1 and done.out.count('accepted ' + path) == 3 and done.out.count('  not accepted: ') == 2 and
           done.out.endswith('3 accepted\n4 passed, 2 failed\n'), done)
    rig.equal('--accept changes what differed and nothing else', rig.read(path), ACCEPTED)
    rig.equal('the file keeps its mode, and nothing lies beside it',
              (os.stat(path).st_mode & 0o777, sorted(os.listdir(f'{folder}/ext/tests'))), (0o640, ['accept.json', 'data']))
    again = rig.command('test', path, cwd=folder)
    rig.matches('what was accepted passes', again.out, r'\n4 passed, 2 failed\n$')
    once_more = rig.command('test', path, '--accept', cwd=folder)
    rig.ok('a second --accept changes nothing', rig.read(path) == ACCEPTED and once_more.out.endswith('4 passed, 2 failed\n'), once_more)
    os.remove(path)


def many(folder):
    tests = [{'name': f't{i}', 'function': 'lead', 'request': {'params': {'name': f'L{i}'}}, 'expect': {'records': {'Leads': [{'Last_Name': f'L{i}'}]}}} for i in range(60)]
    done = run(folder, tests)
    rig.equal('many tests know nothing of each other', (done.code, done.out), (0, 'ok   ext/tests/case.json: 60 tests\n60 passed, 0 failed\n'))


examples()
documentation()
with rig.folder() as work:
    make(work)
    paths(work)
    passing(work)
    files_of_requests(work)
    callers(work)
    failing(work)
    installing(work)
    broken_files(work)
    accepting(work)
    many(work)
rig.done()
