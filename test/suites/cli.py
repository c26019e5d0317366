#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The commands through the real binary: exit codes (0 done, 1 refused or failed, 2 wrong usage), the exact forms of their lines, settings and their order,
hostile input, one server a data folder, and an end that lets running calls finish."""
import _rig as rig
from _rig import command, equal, matches, ok

import http.server
import json
import os
import re
import threading
import time

COMMANDS = ['serve', 'run', 'check', 'fmt', 'ext install', 'ext list', 'ext show', 'key show', 'call', 'logs', 'docs', 'help', 'version']
KEY = r'1003\.[0-9a-f]{32}\.[0-9a-f]{32}'


def exits(name, result, code, err=None):
    ok(f'{name}: exit {code}', result.code == code, repr(result))
    if err:
        matches(f'{name}: says why', result.err, err)
    return result


# ---- help and usage


def test_help():
    result = exits('help', command('help'), 0)
    for name in COMMANDS:
        ok(f'help lists {name}', re.search(rf'^  {name}\b', result.out, re.M), result.out)
        helped = exits(f'{name} --help', command(*name.split(), '--help'), 0)
        matches(f'{name} --help: form', helped.out, rf'^usage: sluice {name}\b')
        equal(f'help {name} says the same', command('help', *name.split()).out, helped.out)
        exits(f'{name} --no-such-flag', command(*name.split(), '--no-such-flag'), 2, 'does not know the flag --no-such-flag')
    equal('--help is help', command('--help').out, result.out)
    exits('no command', command(), 2)
    exits('an unknown command', command('frobnicate'), 2, 'there is no command "frobnicate"')
    exits('half a command', command('ext'), 2, 'there is no command')
    exits('help of nothing', command('help', 'frobnicate'), 2)
    matches('version', command('version').out, r'^sluice \d+\.\d+\.\d+\n$')
    exits('a word too many', command('version', 'x'), 2)
    exits('a flag without its value', command('run', 'x.dg', '--body'), 2, '--body needs a value')
    exits('a switch with a value', command('run', 'x.dg', '--json=1'), 2, '--json takes no value')
    exits('hundreds of words', command('check', *['x'] * 300), 2)
    exits('hundreds of flags', command('run', 'x', *['--param', 'a=b'] * 300), 2)
    with open('/dev/full', 'wb') as full:
        import subprocess
        equal('a full disk behind standard output: exit 1', subprocess.run([rig.SLUICE, 'help'], stdout=full, timeout=20).returncode, 1)


def test_docs():
    rows = {'builtins': r'## toMap\n', 'errors': r'\| AUTHENTICATION_FAILURE \| 401 \|', 'limits': r'\| statements \| 200000 \|',
            'config': r'\| errors \| SLUICE_ERRORS \|', 'api': r'/crm/v\{N\}/functions/\{api_name\}/actions/execute'}
    for page, pattern in rows.items():
        result = exits(f'docs {page}', command('docs', page), 0)
        matches(f'docs {page}: a row', result.out, pattern)
    exits('docs of nothing', command('docs', 'nothing'), 2, 'there is no page "nothing"')
    exits('docs without a page', command('docs'), 2)


# ---- run


def run(folder, source, *flags, **more):
    return command('run', rig.write(f'{folder}/script.dg', source), *flags, **more)


def test_run_outputs(folder):
    greet = 'string t.greet(string crmAPIRequest)\n{\n\tinfo "one";\n\tinfo {"a":1};\n\treturn "hi " + crmAPIRequest.get("params").get("x");\n}\n'
    result = exits('run', run(folder, greet, '--param', 'x=you'), 0)
    equal('run: output alone on stdout', result.out, 'hi you\n')
    equal('run: log on stderr', result.err, 'one\n{"a":1}\n')
    equal('run: void prints nothing', run(folder, 'void t.v()\n{\n\tinfo "x";\n}\n').out, '')
    equal('run: null prints null', run(folder, 'return null;').out, 'null\n')
    equal('run: a reply prints its body', run(folder, 'return {"crmAPIResponse":{"status_code":404,"body":{"k":"v"}}};').out, '{"k":"v"}\n')
    equal('run: the first of several functions', run(folder, 'int a.one()\n{\n\treturn a.two();\n}\nint a.two()\n{\n\treturn 2;\n}\n').out, '2\n')
    equal('run: a script from standard input', command('run', '-', input=b'return 1 + 1;').out, '2\n')
    equal('run: an in-memory CRM', run(folder, 'r = zoho.crm.createRecord("Leads",{"Last_Name":"x"});\n'
                                               'return zoho.crm.getRecords("Leads").size();').out, '1\n')
    equal('run: that forgets', run(folder, 'return zoho.crm.getRecords("Leads").size();').out, '0\n')
    hashed = command('run', '-', input=b'm = "{company:Zoho, product:Creator}".toMap();\ninfo m;\nreturn m;', env={'SLUICE_JSON_KEY_ORDER': 'java-hashmap'})
    equal('run: json_key_order = java-hashmap prints as Zoho does', hashed.out + hashed.err, '{"product":"Creator","company":"Zoho"}\n' * 2)
    command('run', '-', input=b'return 1;', cwd=folder)
    ok('run: no data folder is made', not os.path.exists(f'{folder}/sluice-data'))


def test_run_inputs(folder):
    echo = 'string t.e(string crmAPIRequest)\n{\n\treturn crmAPIRequest;\n}\n'
    text = rig.write(f'{folder}/body.json', '{"b":"ü"}')
    result = json.loads(run(folder, echo, '--body', f'@{text}', '--param', 'a=1&2', '--param', 'b=c=d', '--header', 'X-One: 1', '--method', 'PUT').out)
    equal('run --body @FILE', result['body'], '{"b":"ü"}')
    equal('run --param', result['params'], {'a': '1&2', 'b': 'c=d'})
    equal('run --header', result['headers'], {'x-one': '1'})
    equal('run --method', result['method'], 'PUT')
    equal('run: GET without a body', json.loads(run(folder, echo).out)['method'], 'GET')
    equal('run: POST with one', json.loads(run(folder, echo, '--body', 'x').out)['method'], 'POST')
    equal('run --file', json.loads(run(folder, echo, '--file', text).out)['file_content'], '{"b":"ü"}')
    equal('run --arguments', run(folder, 'int t.a(int a, list l)\n{\n\treturn a + l.size();\n}\n', '--arguments', '{"a":"40","l":[1,2]}').out, '42\n')
    equal('run --v1', run(folder, 'info requestMap.get("parameters").get("x");', '--v1', '--param', 'x=1').err, '1\n')
    binary = rig.write(f'{folder}/binary', b'\x00\xff\xfe\x80')
    equal('run: a binary body is a file', run(folder, 'return crmAPIRequest.get("body").getFileSize();', '--body', f'@{binary}').out, '4\n')
    equal('run: a binary --file too', run(folder, 'return crmAPIRequest.get("file_content").getFileSize();', '--file', binary).out, '4\n')
    exits('run: a parameter that is not UTF-8', run(folder, 'return crmAPIRequest.get("params");', '--param', b'x=\xff\xfe'), 0)
    for flags, why in {('--param', 'x'): 'NAME=VALUE', ('--header', 'x'): 'Name: value', ('--arguments', '[1]'): 'JSON object',
                       ('--arguments', '{'): 'JSON object', ('--arguments', '[' * 100000): 'JSON object', ('--body', '@nothing'): 'nothing',
                       ('--file', 'nothing'): 'nothing', ('--limit', 'statements'): 'statements', ('--limit', 'nothing=1'): 'no limit "nothing"',
                       ('--limit', 'statements=x'): 'must be a number', ('--limit', 'statements=0'): 'from 1'}.items():
        exits(f'run {flags[0]} {flags[1][:20]}', run(folder, 'return 1;', *flags), 2, why)
    exits('run of nothing', command('run', f'{folder}/nothing.dg'), 2, 'nothing.dg')
    exits('run of an endless file', command('run', '/dev/zero', seconds=20), 2, 'larger than')
    exits('run of a folder', command('run', folder), 2)
    exits('run of two files', command('run', 'a.dg', 'b.dg'), 2)
    with rig.Server(data=f'{folder}/served'):
        exits('run with the data of a running server', run(folder, 'return 1;', '--data', f'{folder}/served'), 1, 'another process|holds')
    equal('run with data of its own', run(folder, 'return zoho.crm.getRecords("Leads").size();', '--data', f'{folder}/served').out, '0\n')
    exits('run with a folder that is none', run(folder, 'return 1;', '--data', text), 1, 'body.json')


def test_run_errors(folder):
    path = f'{folder}/script.dg'
    result = exits('a script error', run(folder, 'info "before";\nx = 1 / 0;\n'), 1)
    matches('a script error: FILE:LINE: message and the line', result.err, rf'^before\n{re.escape(path)}:2: .*Divide by zero error\n    x = 1 / 0;\n$')
    equal('a script error: nothing on stdout', result.out, '')
    result = exits('a compile error', run(folder, 'x = 1;\ny = nosuch(x);\n'), 1)
    matches('a compile error: FILE:LINE:COL: error: text', result.err, rf'^{re.escape(path)}:2:5: error: .*nosuch.*\n    y = nosuch\(x\);\n')
    result = exits('an argument of the wrong type', run(folder, 'int t.a(int a)\n{\n\treturn a;\n}\n', '--param', 'a=x'), 1)
    matches('an argument of the wrong type is named', result.err, r'"a"')
    exits('a limit', run(folder, 'x = 1;\ny = 2;\n', '--limit', 'statements=1'), 1, r'maximum 1\n')
    matches('a limit raised', run(folder, 'n = 0;\nfor each i in leftpad("",1000).replaceAll(" ","a,").toList()\n{\n\tn = n + 1;\n}\nreturn n;',
                                  '--limit', 'statements=5000').out, r'^100[01]\n$')
    exits('--strict', run(folder, 'string t.s()\n{\n\tx = "5" == 5;\n\treturn x;\n}\n', '--strict'), 1, ':3:')
    exits('and without', run(folder, 'string t.s()\n{\n\tx = "5" == 5;\n\treturn x;\n}\n'), 0)


def test_run_json(folder):
    result = exits('run --json', run(folder, 'info "a";\nreturn {"k":1};', '--json'), 0)
    equal('run --json: stderr is empty', result.err, '')
    found = json.loads(result.out)
    equal('run --json: members', list(found), ['output', 'output_type', 'log', 'reply', 'statements', 'error'])
    equal('run --json: output', (found['output'], found['output_type']), ('{"k":1}', 'string'))
    equal('run --json: log', found['log'], [{'line': 1, 'text': 'a'}])
    equal('run --json: reply', (found['reply']['status_code'], sorted(found['reply'])), (200, ['body', 'headers', 'status_code']))
    equal('run --json: no error', (found['statements'], found['error']), (2, None))
    result = exits('run --json of a script error', run(folder, 'void t.boom()\n{\n\tinfo "a";\n\tx = 1 / 0;\n}\n', '--json'), 1)
    found = json.loads(result.out)
    matches('run --json: the error', found['error'].pop('message'), 'Divide by zero')
    equal('run --json: where it was', found['error'], {'file': f'{folder}/script.dg', 'line': 4, 'function': 't.boom'})
    equal('run --json: the log up to there', found['log'], [{'line': 3, 'text': 'a'}])
    found = json.loads(exits('run --json of a compile error', run(folder, 'x = ;', '--json'), 1).out)
    equal('run --json: a compile error', (found['output'], found['reply'], found['error']['line']), (None, None, 1))
    found = json.loads(run(folder, 'void t.v()\n{\n\tx = 1;\n}\n', '--json').out)
    equal('run --json: void', (found['output'], found['output_type']), (None, 'void'))
    found = json.loads(run(folder, 'return {"crmAPIResponse":{"status_code":201,"headers":{"X-A":"b"},"body":"text"}};', '--json').out)
    equal('run --json: a reply', (found['reply']['status_code'], found['reply']['headers']['X-A'], found['reply']['body']), (201, 'b', 'text'))


def test_hostile_scripts(folder):
    sources = {
        'empty': b'', 'blank': b'\n\n  \n', 'a byte-order mark': b'\xef\xbb\xbfreturn 1;', 'NULs': b'x = 1;\0\0y = 2;', 'binary': bytes(range(256)) * 40,
        'not UTF-8': b'x = "\xff\xfe";', 'deep parentheses': b'x = ' + b'(' * 50000 + b'1' + b')' * 50000 + b';',
        'deep lists': b'x = ' + b'{' * 50000 + b'}' * 50000 + b';', 'deep blocks': b'if(true){' * 20000 + b'}' * 20000,
        'a long chain': b'x = 1' + b' + 1' * 100000 + b';', 'an endless text': b'x = "' + b'a' * 100000, 'an endless comment': b'/*' + b'a' * 1000,
        'too large': b'x = 1;\n' * 200000, 'a long line': b'x = ' + b'"a" + ' * 30000 + b'"a";', 'unary operators': b'x = ' + b'!' * 50000 + b'true;'}
    for name, source in sources.items():
        result = command('check', rig.write(f'{folder}/h.dg', source))
        lines = result.out.splitlines()
        form = re.compile(rf'^{re.escape(folder)}/h\.dg:\d+:\d+: (error|warning|note): .')
        ok(f'check {name}: exit 0 or 1, each line FILE:LINE:COL', result.code in (0, 1) and all(form.match(line) for line in lines), repr(result)[:2000])
        ok(f'check {name}: an error is said if it failed', (result.code == 1) == any(': error: ' in line for line in lines), repr(result)[:2000])
        result = command('run', f'{folder}/h.dg')
        ok(f'run {name}: exit 0, 1 or 2', result.code in (0, 1, 2), repr(result)[:2000])
    deep = command('check', rig.write(f'{folder}/h.dg', sources['deep blocks'])).out
    equal('check of 20,000 nested blocks is one clear error', deep.count(': error: '), 1)


# ---- check


def test_check(folder):
    rig.write(f'{folder}/src/good.dg', 'return a + 1;')
    equal('check of good files says nothing', repr(command('check', f'{folder}/src')), repr(rig.Done(0, '', '')))
    rig.write(f'{folder}/src/sub/bad.dg', 'x = 1;\n  y = nosuch(x);\n')
    rig.write(f'{folder}/src/sub/also.deluge', 'x = = 1;\n')
    rig.write(f'{folder}/src/sub/other.txt', 'not ( deluge')
    rig.write(f'{folder}/src/.git/bad.dg', 'x = = 1;\n')
    os.symlink('..', f'{folder}/src/sub/loop')
    result = exits('check of a folder', command('check', f'{folder}/src'), 1)
    files = {line.split(':')[0] for line in result.out.splitlines()}
    equal('check finds .dg and .deluge, no hidden folders, no loops', files, {f'{folder}/src/sub/bad.dg', f'{folder}/src/sub/also.deluge'})
    matches('check: lines and columns from 1', result.out, r'bad\.dg:2:7: error: ')
    found = json.loads(exits('check --json', command('check', '--json', f'{folder}/src/sub/bad.dg'), 1).out)
    equal('check --json: members', (found[0]['file'], found[0]['line'], found[0]['column'], found[0]['level']), (f'{folder}/src/sub/bad.dg', 2, 7, 'error'))
    equal('check --json of good files', json.loads(command('check', '--json', f'{folder}/src/good.dg').out), [])
    rig.write(f'{folder}/app.ds', '/*\n * Author : x\n */\n application "App"\n {\n }\n')
    matches('check refuses the export of an application', exits('check of a .ds', command('check', f'{folder}/app.ds'), 1).out, r'app\.ds:1:1: error: .*Creator')
    rig.write(f'{folder}/fn.ds', 'return 1;')
    exits('check of a .ds that is a function', command('check', f'{folder}/fn.ds'), 0)
    typed = rig.write(f'{folder}/typed.dg', 'string t.s()\n{\n\tx = "5" == 5;\n\treturn x;\n}\n')
    matches('check: types are warnings', exits('check of types', command('check', typed), 0).out, r':3:\d+: warning: ')
    matches('check --strict: errors', exits('check --strict', command('check', '--strict', typed), 1).out, r':3:\d+: error: ')
    matches('check of nothing', exits('check of a file that is not there', command('check', f'{folder}/no.dg'), 1).out, r'no\.dg:1:1: error: No such file')
    exits('check without a path', command('check'), 2)
    for example in ('leads', 'twilio-sms'):
        exits(f'check of examples/{example}', command('check', f'{rig.ROOT}/examples/{example}'), 0)


# ---- extensions, keys, calls, logs, with and without a server


def deployed(title, data):
    """The commands that need data; `data` is served or not."""
    found = json.loads(exits(f'{title}: ext list --json', command('ext', 'list', '--json', '--data', data), 0).out)
    equal(f'{title}: ext list', [(one['namespace'], one['version']) for one in found], [('cli', '1.2.0')])
    shown = json.loads(exits(f'{title}: ext show --json', command('ext', 'show', 'cli', '--json', '--data', data), 0).out)
    equal(f'{title}: ext show members', (shown['namespace'], shown['name'], list(shown)), ('cli', 'Cli', ['namespace', 'name', 'versions', 'installed']))
    place = shown['installed'][0]
    equal(f'{title}: ext show installed', (place['org'], place['environment'], place['version']), ('default', 'production', '1.2.0'))
    equal(f'{title}: ext show variables', place['variables'][0], {'api_name': 'cli__url', 'field_name': 'The URL', 'value': 'http://x/'})
    ok(f'{title}: ext show hides secrets', 'hidden-value' not in json.dumps(shown) and place['variables'][1]['value'] is None, shown)
    functions = {one['api_name']: (one['version'], one['url']) for one in place['functions']}
    matches(f'{title}: ext show functions', str(functions['cli__hello']), rf"'2\.0', 'http://.*/crm/v2/functions/cli__hello/actions/execute\?auth_type=apikey&zapikey={KEY}'")
    matches(f'{title}: ext show for people', command('ext', 'show', 'cli', '--data', data).out, r'Extension Settings\n  The URL \(cli__url\): http://x/\n')
    exits(f'{title}: ext show of nothing', command('ext', 'show', 'nothing', '--data', data), 1, 'nothing')
    key = exits(f'{title}: key show', command('key', 'show', 'cli', '--data', data), 0).out
    matches(f'{title}: key alone on stdout', key, rf'^{KEY}\n$')
    equal(f'{title}: key show without case', command('key', 'show', 'CLI', '--data', data).out, key)
    exits(f'{title}: key show of nothing', command('key', 'show', 'nothing', '--data', data), 1)
    result = exits(f'{title}: call', command('call', 'cli__hello', '--param', 'name=A&B', '--data', data), 0)
    matches(f'{title}: call prints status, headers, body', result.out, r'^status: 200\n(.+\n)*Content-Type: application/json;charset=utf-8\n(.+\n)*\n\{"code":"success".*hello A&B.*\}\n$')
    matches(f'{title}: call prints the log', result.err, r'^3: said hello\n$')
    exits(f'{title}: call of nothing', command('call', 'cli__nothing', '--data', data), 1)
    result = exits(f'{title}: call of a failing one', command('call', 'cli.boom', '--data', data), 1)
    matches(f'{title}: its error', result.err, r'error at line 3: .*Divide by zero')
    matches(f'{title}: call --body', command('call', 'cli__body', '--body', 'abc', '--data', data).out, r'POST abc')
    found = json.loads(command('call', 'cli__hello', '--json', '--data', data).out)
    equal(f'{title}: call --json', (found['status_code'], found['run']['outcome'], found['run']['log']), (200, 'ok', [{'line': 3, 'text': 'said hello'}]))


def test_follow(server, data):
    """`logs -f` prints what comes while it runs; interrupted by a signal, as people do."""
    import subprocess
    with open(f'{server.log}/follow', 'wb') as out:
        follower = subprocess.Popen([rig.SLUICE, 'logs', '-f', 'cli__hello', '--json', '--data', data], env=rig.ENVIRONMENT, stdout=out, stderr=out)
    look = lambda: rig.read(f'{server.log}/follow').splitlines()
    rig.until(lambda: len(look()) > 0)
    before = len(look())
    command('call', 'cli__hello', '--param', 'name=followed', '--data', data)
    command('call', 'cli__boom', '--data', data)
    ok('logs -f prints what comes', rig.until(lambda: len(look()) == before + 1), look())
    equal('of the function that was asked for', {json.loads(line)['function'] for line in look()}, {'cli__hello'})
    ok('logs -f goes on', follower.poll() is None)
    follower.terminate()
    follower.wait(rig.WAIT_S)


def test_logs(title, data):
    lines = [json.loads(line) for line in exits(f'{title}: logs --json', command('logs', '--json', '--data', data), 0).out.splitlines()]
    equal(f'{title}: logs --json members', list(lines[0]), ['id', 'time', 'org', 'environment', 'function', 'version', 'trigger', 'method', 'status',
                                                            'outcome', 'duration_ms', 'statements', 'log', 'error'])
    boom = [line for line in lines if line['function'] == 'cli__boom'][-1]
    equal(f'{title}: a failure', (boom['outcome'], boom['status'], boom['error']['line'], boom['version']), ('script_error', 200, 3, '1.2.0'))
    equal(f'{title}: its function', boom['error']['function'], 'cli.boom')
    failures = [json.loads(line) for line in command('logs', '--failures', '--json', '--data', data).out.splitlines()]
    ok(f'{title}: logs --failures', failures and all(line['outcome'] != 'ok' for line in failures), failures)
    named = [json.loads(line)['function'] for line in command('logs', 'CLI.hello', '--json', '--data', data).out.splitlines()]
    ok(f'{title}: logs NAME', named and set(named) == {'cli__hello'}, named)
    equal(f'{title}: logs --limit', len(command('logs', '--json', '--limit', '2', '--data', data).out.splitlines()), 2)
    for limit in ('x', '0', '-5', '99999999999999999999'):
        exits(f'{title}: logs --limit {limit}', command('logs', '--limit', limit, '--data', data), 2, '--limit')
    matches(f'{title}: logs for people', command('logs', 'cli__hello', '--data', data).out, r'^\S+ GET cli__hello 200 ok .*\n  3: said hello\n')


def test_deployed(folder):
    data = f'{folder}/data'
    ext = rig.extension(f'{folder}/ext', 'cli', '1.2.0', {
        'hello': 'string cli.hello(string crmAPIRequest)\n{\n\tinfo "said hello";\n\treturn "hello " + crmAPIRequest.get("params").get("name");\n}\n',
        'body': 'string cli.body(string crmAPIRequest)\n{\n\treturn crmAPIRequest.get("method") + " " + crmAPIRequest.get("body");\n}\n',
        'boom': 'string cli.boom(string crmAPIRequest)\n{\n\treturn 1 / 0;\n}\n'},
        variables=[{'field_name': 'The URL', 'api_name': 'url', 'value': 'http://x/'},
                   {'field_name': 'Secret', 'api_name': 'secret', 'value': 'hidden-value', 'secret': True}])
    exits('ext list without a data folder', command('ext', 'list', '--data', data), 1, 'no data folder')
    result = exits('ext install', command('ext', 'install', ext, '--data', data), 0)
    equal('ext install says what it did', result.out, 'installed cli@1.2.0\n')
    deployed('no server', data)
    test_logs('no server', data)
    exits('logs -f without a server', command('logs', '-f', '--data', data), 1, 'no server')
    with rig.Server(data=data) as server:
        equal('no function lines for folders that were not given', server.functions, [])
        deployed('with a server', data)
        test_logs('with a server', data)
        test_follow(server, data)
        exits('a second server on the data folder', command('serve', '--data', data, '--listen', '127.0.0.1:0'), 1, 'another process|holds')
        exits('the first still answers', command('ext', 'list', '--data', data), 0)
        exits('ext install into a running server', command('ext', 'install', f'{rig.ROOT}/examples/leads', '--data', data), 0)
        key = command('key', 'show', 'leads', '--data', data).out.strip()
        reply = server.send('GET', f'/crm/v2/functions/leads__hello/actions/execute?zapikey={key}')
        equal('what was installed is live', reply.output(), 'Hello world!')
    exits('ext install of nothing', command('ext', 'install', f'{folder}/nothing', '--data', data), 1, 'nothing')
    exits('ext install of a folder that is no extension', command('ext', 'install', folder, '--data', data), 1, 'extension.json')
    rig.write(f'{folder}/broken/extension.json', '{ "name": "x" ')
    matches('a broken manifest has a place', command('ext', 'install', f'{folder}/broken', '--data', data).err
            + command('ext', 'install', f'{folder}/broken', '--data', data).out, r'extension\.json:1:\d+: error: ')
    for name, manifest in {'no namespace': {'name': 'x', 'version': '1.0.0'}, 'a bad namespace': {'name': 'x', 'namespace': 'a__b', 'version': '1.0.0'},
                           'a path outside': {'name': 'x', 'namespace': 'x', 'version': '1.0.0', 'functions': [{'api_name': 'f', 'file': '../../etc/passwd'}]}}.items():
        rig.write(f'{folder}/broken/extension.json', json.dumps(manifest))
        exits(f'ext install with {name}', command('ext', 'install', f'{folder}/broken', '--data', data), 1, 'sluice: ')
    rig.write(f'{folder}/broken/extension.json', '{ "name": "x", "namespace": "x", "version": "1.0.0" }')
    os.makedirs(f'{folder}/broken/functions')
    odd = f'{folder}/broken/functions/odd.dg'
    for name, make in {'a pipe': lambda: os.mkfifo(odd), 'a link': lambda: os.symlink('/etc/passwd', odd), 'a huge file': lambda: rig.write(odd, b'x' * 3000000),
                       'a binary file': lambda: rig.write(odd, bytes(range(256)))}.items():
        make()
        matches(f'ext install with {name} among the functions', exits(f'ext install with {name}', command('ext', 'install', f'{folder}/broken', '--data', data,
                seconds=20), 1).err, r'functions/odd\.dg:\d+:\d+: error: ')
        os.remove(odd)
    rig.write(f'{folder}/broken/extension.json', '[' * 100000)
    exits('ext install of a deep manifest', command('ext', 'install', f'{folder}/broken', '--data', data), 1)
    equal('nothing of all that was installed', [one['namespace'] for one in json.loads(command('ext', 'list', '--json', '--data', data).out)], ['cli', 'leads'])


# ---- serve


def test_serve_refusals(folder):
    for listen in ('nohost', '127.0.0.1:99999', ':0', '127.0.0.1:', '127.0.0.1:x'):
        exits(f'serve --listen {listen}', command('serve', '--data', f'{folder}/d', '--listen', listen, seconds=20), 2, 'is not an address')
    for workers in ('0', '65', 'x', '-1'):
        exits(f'serve --workers {workers}', command('serve', '--data', f'{folder}/d', '--workers', workers, seconds=20), 2, 'from 1 to 64')
    exits('serve with a store it has not', command('serve', '--data', f'{folder}/d', '--store', 'mysql://x/', seconds=20), 2, 'begins with postgres://')
    exits('serve with a server that does not answer', command('serve', '--data', f'{folder}/d', '--store', 'postgres://127.0.0.1:1/x', seconds=20), 1, 'PostgreSQL cannot be reached')
    exits('serve of a folder that is not there', command('serve', f'{folder}/no', '--data', f'{folder}/d', '--listen', '127.0.0.1:0', seconds=20), 1, '/no')
    rig.write(f'{folder}/file', 'x')
    exits('serve with a file as data folder', command('serve', '--data', f'{folder}/file', '--listen', '127.0.0.1:0', seconds=20), 1, '/file')
    exits('serve below a folder that cannot be written', command('serve', '--data', '/proc/sluice', '--listen', '127.0.0.1:0', seconds=20), 1, '/proc/sluice')
    if os.geteuid() != 0:
        os.makedirs(f'{folder}/readonly', 0o500)
        exits('serve with a read-only data folder', command('serve', '--data', f'{folder}/readonly', '--listen', '127.0.0.1:0', seconds=20), 1, 'readonly')
    with rig.Server(data=f'{folder}/first') as server:
        taken = f'{server.address[0]}:{server.address[1]}'
        exits('serve at an address that is taken', command('serve', '--data', f'{folder}/d', '--listen', taken, seconds=20), 1, 'in use')
    ext = f'{rig.ROOT}/examples/leads'
    for name, path in {'data base': 'orgs/default/production.db', 'master key': 'master.key'}.items():
        with rig.folder() as data:
            rig.Server(ext, data=data).stop()
            rig.write(f'{data}/{path}', b'this is no such thing' * 1000)
            result = command('serve', ext, '--data', data, '--listen', '127.0.0.1:0', seconds=20)
            exits(f'serve with a corrupt {name}', result, 1, re.escape(os.path.basename(path)))
    rig.write(f'{folder}/first/runlog.db', b'this is no such thing' * 1000)
    with rig.Server(ext, data=f'{folder}/first') as server:  # a log is no reason to stand still
        equal('a corrupt run log keeps no function from answering', server.call('leads__hello').output(), 'Hello world!')
        ok('and is said', rig.until(lambda: 'runlog' in server.err, 5), server.err)
        exits('logs of a corrupt run log', command('logs', '--data', f'{folder}/first'), 1, 'sluice: ')


def test_settings(folder):
    data = f'{folder}/data'
    exits('a wrong setting in the file', command('serve', '--data', os.path.dirname(rig.write(f'{folder}/c1/config', '\n# c\nnothing = 1\n')), seconds=20), 2,
          r'c1/config:3: there is no setting "nothing"')
    exits('a wrong value in the file', command('serve', '--data', os.path.dirname(rig.write(f'{folder}/c2/config', 'errors = maybe')), seconds=20), 2,
          r'c2/config:1: errors must be zoho\|http')
    exits('a wrong limit in the environment', command('serve', '--data', data, env={'SLUICE_LIMIT_TIME_MS': '1'}, seconds=20), 2, 'SLUICE_LIMIT_TIME_MS')
    exits('a wrong value in the environment', command('serve', '--data', data, env={'SLUICE_ERRORS': 'x'}, seconds=20), 2, 'SLUICE_ERRORS')
    exits('SLUICE_STORE mirrors --store', command('serve', '--data', data, env={'SLUICE_STORE': 'x'}, seconds=20), 2, 'begins with postgres://')
    exits('SLUICE_WORKERS mirrors --workers', command('serve', '--data', data, env={'SLUICE_WORKERS': '0'}, seconds=20), 2, 'SLUICE_WORKERS')
    exits('SLUICE_LISTEN mirrors --listen', command('serve', '--data', f'{folder}/other', env={'SLUICE_LISTEN': 'x'}, seconds=20), 2, 'is not an address')
    exits('a time zone that is none', command('serve', '--data', data, env={'SLUICE_ORG_TIME_ZONE': 'Mars/Phobos'}, seconds=20), 2, 'Mars/Phobos')
    exits('a log level that is none', command('serve', '--data', data, env={'SLUICE_LOG_LEVEL': 'loud'}, seconds=20), 2, 'log.level')
    exits('a log format that is none', command('serve', '--data', data, env={'SLUICE_LOG_FORMAT': 'xml'}, seconds=20), 2, 'text\\|json')
    ok('no wrong setting made a data folder', not os.path.exists(data))
    ext = rig.extension(f'{folder}/ext', 'set', functions={'boom': 'string set.boom(string crmAPIRequest)\n{\n\treturn 1 / 0;\n}\n',
        'zone': 'string set.zone(string crmAPIRequest)\n{\n\treturn crmAPIRequest.get("user_info").get("time_zone") + " " + crmAPIRequest.get("user_info").get("email");\n}\n'})
    rig.write(f'{data}/config', 'errors = http\norg.time_zone = Asia/Tokyo\norg.admin_email = boss@example.org\n')
    with rig.Server(ext, data=data) as server:
        equal('the file counts', server.call('set__boom').status, 500)
        equal('settings of a new org', server.call('set__zone').output(), 'Asia/Tokyo boss@example.org')
    with rig.Server(ext, data=data, env={'SLUICE_ERRORS': 'zoho'}) as server:
        equal('the environment wins over the file', server.call('set__boom').status, 200)
    with rig.Server(ext, data=data, env={'SLUICE_LOG_FORMAT': 'json'}) as server:
        server.call('set__zone')
        server.send('GET', '/crm/"\\x')
        rig.until(lambda: server.err.count('"event":"call"') >= 2)
        lines = [json.loads(line) for line in server.err.splitlines()]
        line = next(line for line in lines if line.get('function') == 'set__zone')
        equal('log.format json: a call is an object', sorted(line), ['duration_ms', 'event', 'function', 'id', 'level', 'method', 'outcome', 'path', 'statements', 'status', 'time'])
        equal('with numbers as numbers', [line['level'], line['status'], type(line['duration_ms']), line['statements'] > 0], ['info', 200, float, True])
    with rig.Server(ext, data=data, env={'SLUICE_LOG_LEVEL': 'warn'}) as server:
        server.call('set__zone')
        server.send('GET', '/console/sign-in')
        time.sleep(0.3)
        equal('log.level warn: no lines of calls', [line for line in server.err.splitlines() if ' call ' in line], [])
    with rig.Server(ext, data=data) as server:
        server.send('GET', '/console/assets/none')
        server.send('GET', '/console/sign-in')
        server.call('set__zone')
        rig.until(lambda: 'function=set__zone' in server.err)
        ok('what the console\'s pages ask is no news', not re.search(r'path=/console/sign-in status=200', server.err), server.err)
    rig.write(f'{data}/config', 'listen = 127.0.0.1:1\nworkers = 1\n')
    with rig.Server(ext, data=data, env={'SLUICE_LISTEN': '127.0.0.1:2', 'SLUICE_WORKERS': '2'}) as server:
        ok('the flag wins over both', server.address[1] > 2, server.out)
    rig.write(f'{data}/config', '')
    result = command('ext', 'list', env={'SLUICE_DATA': data})
    matches('SLUICE_DATA names the data folder', exits('ext list with SLUICE_DATA', result, 0).out, r'^set 1\.0\.0')
    exits('--data wins over SLUICE_DATA', command('ext', 'list', '--data', f'{folder}/none', env={'SLUICE_DATA': data}), 1, 'none')
    rig.write(f'{data}/config', 'public_url = https://crm.example.org/base\n')
    with rig.Server(ext, data=data) as server:
        matches('public_url stands before printed URLs', server.out, r'function 2\.0 set__boom https://crm\.example\.org/base/crm/v2/functions/')


class Upstream(http.server.BaseHTTPRequestHandler):
    asked, release = threading.Event(), threading.Event()

    def do_GET(self):
        Upstream.asked.set()
        Upstream.release.wait(rig.WAIT_S)
        self.send_response(200)
        self.send_header('Content-Length', '4')
        self.end_headers()
        self.wfile.write(b'slow')

    def log_message(self, *_):
        pass


def test_sigterm(folder):
    upstream = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Upstream)
    threading.Thread(target=upstream.serve_forever, daemon=True).start()
    ext = rig.extension(f'{folder}/ext', 'slow', functions={
        'wait': f'string slow.wait(string crmAPIRequest)\n{{\n\tr = invokeurl [ url :"http://127.0.0.1:{upstream.server_port}/" type :GET ];\n'
                '\tx = zoho.crm.createRecord("Leads",{"Last_Name":"after the signal"});\n\treturn r + " " + (x.get("id") != null);\n}\n'})
    server = rig.Server(ext, data=f'{folder}/data')
    replies = []
    caller = threading.Thread(target=lambda: replies.append(server.call('slow__wait', seconds=60)), daemon=True)
    caller.start()
    ok('the slow call runs', Upstream.asked.wait(rig.WAIT_S))
    server.process.terminate()

    def refused():
        try:
            return server.send('GET', '/readyz', seconds=2).status in (0, 503)
        except OSError:
            return True
    ok('SIGTERM: no new calls are taken', rig.until(refused))
    ok('SIGTERM: the server waits for the running call', server.process.poll() is None)
    Upstream.release.set()
    caller.join(rig.WAIT_S)
    equal('SIGTERM: the running call finishes', [reply.output() for reply in replies], ['slow true'])
    equal('SIGTERM: then the server exits 0', server.process.wait(rig.WAIT_S), 0)
    server._end()
    ok('SIGTERM: the socket file is gone', not os.path.exists(f'{folder}/data/control.sock'))
    upstream.shutdown()
    with rig.Server(ext, data=f'{folder}/data') as server:
        server.process.send_signal(2)
        equal('SIGINT exits 0', server.process.wait(rig.WAIT_S), 0)


test_help()
test_docs()
for test in (test_run_outputs, test_run_inputs, test_run_errors, test_run_json, test_hostile_scripts, test_check, test_deployed, test_serve_refusals,
             test_settings, test_sigterm):
    with rig.folder() as temporary:
        print(f'# {test.__name__}', flush=True)
        try:
            test(temporary)
        except Exception as why:  # one broken expectation must not hide the rest
            import traceback
            ok(f'{test.__name__} ran to its end', False, traceback.format_exc())
rig.done()
