#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A served folder: what is saved is live, what is broken says where and leaves the last good version serving, versions run their update action, and an
install action that fails leaves nothing behind."""
import _rig as rig
from _rig import command, equal, matches, ok

import json
import os
import re
import sqlite3


def returns(text):
    return f'string watch.hello(string crmAPIRequest)\n{{\n\treturn "{text}";\n}}\n'


def rows(data, query):
    base = sqlite3.connect(f'file:{data}/orgs/default/production.db?mode=ro', uri=True)
    try:
        return [list(row) for row in base.execute(query)]
    finally:
        base.close()


def becomes(server, name, want):
    """Waits until the function answers `want`: nothing else tells that a saved file is live."""
    return rig.until(lambda: want in server.call(name).text) and server.call(name).output()


def show(data, namespace='watch'):
    return json.loads(command('ext', 'show', namespace, '--json', '--data', data).out)['installed'][0]


def save(path, text):
    """As editors do: another file, then renamed over the first."""
    rig.write(path + '.tmp', text)
    os.rename(path + '.tmp', path)


def test_edits(folder):
    data, ext = f'{folder}/data', rig.extension(f'{folder}/ext', 'watch', functions={'hello': returns('one')})
    file = f'{ext}/functions/hello.dg'
    with rig.Server(ext, data=data) as server:
        first = server.call('watch__hello').json()['details']
        equal('what is there at the start answers', first['output'], 'one')
        rig.write(file, returns('two'))
        equal('a saved file is live', becomes(server, 'watch__hello', 'two'), 'two')
        equal('under the same id', server.call('watch__hello').json()['details']['id'], first['id'])
        save(file, returns('three'))
        equal('a file renamed over the old one too', becomes(server, 'watch__hello', 'three'), 'three')

        rig.write(file, 'string watch.hello(string crmAPIRequest)\n{\n\tx = 1;\n\treturn nosuch(x);\n}\n')
        line = server.wait_out(r'^.*/functions/hello\.dg:(\d+):(\d+): error: .*nosuch.*$')
        equal('a broken edit says FILE:LINE:COL: error:', line and line.group(1, 2), ('4', '9'))
        equal('FILE as the folder was named', line and line.group(0).split(':')[0], file)
        equal('the last good version answers', server.call('watch__hello').output(), 'three')
        rig.write(file, returns('mended'))
        equal('and a mended one again', becomes(server, 'watch__hello', 'mended'), 'mended')

        rig.write(f'{ext}/functions/fresh.dg', 'return "fresh";')
        target = server.target('watch__hello').replace('watch__hello', 'watch__fresh')
        equal('a new file is a new function', rig.until(lambda: 'fresh"' in server.send('GET', target).text) and server.send('GET', target).output(), 'fresh')
        os.remove(f'{ext}/functions/fresh.dg')
        equal('a removed file is no function any more', rig.until(lambda: server.send('GET', target).status == 400), True)
        os.makedirs(f'{ext}/functions/sub', exist_ok=True)
        equal('the others stay', server.call('watch__hello').output(), 'mended')

        rig.write(f'{ext}/extension.json', '{ "name": "Watch", "namespace": "watch", \n "version": }')
        line = server.wait_out(r'^.*/extension\.json:(\d+):\d+: error: ')
        equal('a broken manifest says where', line and line.group(1), '2')
        equal('and what was installed answers', server.call('watch__hello').output(), 'mended')
    with rig.Server(ext, data=data) as server:
        matches('a start with a broken folder says where', server.out, r'extension\.json:2:\d+: error: ')
        target = f'/crm/v2/functions/watch__hello/actions/execute?zapikey={command("key", "show", "watch", "--data", data).out.strip()}'
        equal('and serves what was installed', server.send('GET', target).output(), 'mended')
        rig.extension(ext, 'watch')
        rig.write(file, returns('at last'))
        equal('a later save mends it', rig.until(lambda: 'at last' in server.send('GET', target).text), True)


def test_manifest(folder):
    data, ext = f'{folder}/data', rig.extension(f'{folder}/ext', 'watch', functions={'hello': returns('x'),
        'set': 'return zoho.crm.invokeConnector("crm.set",{"apiname":"watch.one","value":value}).get("status_code");',
        'set_two': 'return zoho.crm.invokeConnector("crm.set",{"apiname":"watch.two","value":"x"}).get("status_code") + "|" + zoho.crm.getOrgVariable("watch.two");'},
        variables=[{'field_name': 'One', 'api_name': 'one', 'value': 'first'}])
    with rig.Server(ext, data=data) as server:
        equal('a variable is set', server.call('watch__set', 'value=mine').output(), '200')
        rig.extension(ext, 'watch', variables=[{'field_name': 'One', 'api_name': 'one', 'value': 'first'}, {'field_name': 'Two', 'api_name': 'two', 'value': '2'}])
        rig.until(lambda: len(show(data)['variables']) == 2)
        equal('a new variable comes, the old one keeps its value', {one['api_name']: one['value'] for one in show(data)['variables']},
              {'watch__one': 'mine', 'watch__two': '2'})
        rig.extension(ext, 'watch', variables=[{'field_name': 'One', 'api_name': 'one', 'value': 'first'}])
        rig.until(lambda: len(show(data)['variables']) == 1)
        equal('a removed one goes', [one['api_name'] for one in show(data)['variables']], ['watch__one'])
        equal('and cannot be set', server.call('watch__set_two').output().split('|')[0], '400')
        equal('or read', server.call('watch__set_two').output().split('|')[1], 'null')
        manifest = json.loads(rig.read(f'{ext}/extension.json'))
        manifest['functions'] = [{'api_name': 'hello', 'file': 'functions/hello.dg', 'rest_api': {'apikey': False, 'oauth': True}}]
        rig.write(f'{ext}/extension.json', json.dumps(manifest))
        equal('a manifest change counts at once: keys switched off', rig.until(lambda: server.call('watch__hello').status == 403), True)
        rig.write(f'{ext}/modules/visits.json', '{"api_name":"Visits","singular_label":"Visit","plural_label":"Visits","name_field":{"api_name":"Visit_Name"},"fields":[]}')
        rig.write(f'{ext}/functions/hello.dg', 'r = zoho.crm.createRecord("watch__Visits",{"watch__Visit_Name":"v"});\nreturn r.get("id") != null;')
        del manifest['functions']
        rig.write(f'{ext}/extension.json', json.dumps(manifest))
        equal('a new module can be used at once', becomes(server, 'watch__hello', 'true'), 'true')
        rig.write(f'{ext}/modules/visits.json', '{"api_name":"Visits","singular_label":"Visit","plural_label":"Visits","name_field":{"api_name":"Visit_Name"},'
                  '"fields":[{"api_name":"Note","data_type":"text"}]}')
        rig.write(f'{ext}/functions/hello.dg', 'r = zoho.crm.createRecord("watch__Visits",{"watch__Visit_Name":"w","watch__Note":"n"});\nreturn "note " + (r.get("id") != null);')
        equal('a new field too', becomes(server, 'watch__hello', 'note true'), 'note true')
        ok('records stay when their module changes', [['v', None]] == rows(data, "SELECT watch__Visit_Name, watch__Note FROM watch__Visits WHERE watch__Visit_Name = 'v' LIMIT 1"))


ACTION = '''m = {"Last_Name":"%s","Company":installParamMap.get("isInstall") + "/" + ifnull(installParamMap.get("previousVersion"),"none")};
r = zoho.crm.createRecord("Leads",m);
info "ran %s";
'''
LEADS = 'SELECT Last_Name, Company FROM Leads ORDER BY id'


def test_versions(folder):
    data, ext = f'{folder}/data', rig.extension(f'{folder}/ext', 'watch', '1.0.0', {'hello': returns('x')},
                                                files={'install/on_installation.dg': ACTION % ('installed', 'installation')})
    with rig.Server(ext, data=data) as server:
        equal('the install action ran', rows(data, LEADS), [['installed', 'true/none']])
        rig.write(f'{ext}/functions/hello.dg', returns('y'))
        becomes(server, 'watch__hello', '"y"')
        equal('and not again for an edit', len(rows(data, LEADS)), 1)
    with rig.Server(ext, data=data) as server:
        equal('nor for a restart', len(rows(data, LEADS)), 1)
        rig.write(f'{ext}/install/on_update.dg', ACTION % ('updated', 'update'))
        rig.extension(ext, 'watch', '1.1.0')
        rig.until(lambda: len(rows(data, LEADS)) > 1)
        equal('a new version runs on_update with previousVersion', rows(data, LEADS)[1:], [['updated', 'false/1.0.0']])
        shown = json.loads(command('ext', 'show', 'watch', '--json', '--data', data).out)
        equal('a served folder is the version dev, whatever its number', (shown['versions'], shown['installed'][0]['version']), (['1.1.0'], 'dev'))
        os.remove(f'{ext}/install/on_update.dg')
        rig.extension(ext, 'watch', '1.2.0')
        rig.until(lambda: len(rows(data, LEADS)) > 2)
        equal('without on_update the install action runs, told so', rows(data, LEADS)[2:], [['installed', 'false/1.1.0']])
    with rig.Server(ext, data=data, flags=['--reinstall']) as server:
        equal('--reinstall runs it again', rows(data, LEADS)[3:], [['installed', 'true/none']])
        equal('and keeps the key', server.call('watch__hello').output(), 'y')
    logged = [json.loads(line) for line in command('logs', '--json', '--data', data).out.splitlines()]
    equal('actions are runs in the log', [line['log'][0]['text'] for line in logged if line['trigger'] == 'install'],
          ['ran installation', 'ran update', 'ran installation', 'ran installation'])


MODULE = '{"api_name":"Visits","singular_label":"Visit","plural_label":"Visits","name_field":{"api_name":"Visit_Name"},"fields":[{"api_name":"Note","data_type":"text"}]}'
FIELD = '{"api_name":"Leads","fields":[{"api_name":"Shoe_Size","data_type":"integer"}]}'
FAILING = '''r = zoho.crm.createRecord("Leads",{"Last_Name":"half done","Company":"c"});
info "made " + (r.get("id") != null);
v = zoho.crm.createRecord("bad__Visits",{"bad__Visit_Name":"v"});
old = zoho.crm.getRecords("Contacts").get(0);
u = zoho.crm.updateRecord("Contacts",old.get("id"),{"Email":"changed@example.com"});
d = zoho.crm.invokeConnector("crm.delete",{"module":"Contacts","id":zoho.crm.getRecords("Contacts").get(1).get("id")});
s = zoho.crm.invokeConnector("crm.set",{"apiname":"bad.url","value":"set"});
x = 1 / 0;
'''
WHOLE = {'Leads': 'SELECT Last_Name FROM Leads', 'Contacts': 'SELECT Last_Name, Email FROM Contacts ORDER BY id', 'variables': 'SELECT canonical, value FROM ext_variable',
         'functions': 'SELECT * FROM ext_function', 'keys': 'SELECT count(*) FROM auth_key', 'installed': 'SELECT namespace, version FROM ext_installed',
         'modules': "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'bad%'", 'fields': "SELECT name FROM pragma_table_info('Leads') WHERE name LIKE 'bad%'"}


def state(data):
    return {name: rows(data, query) for name, query in WHOLE.items()}


def test_failing_action(folder):
    data = f'{folder}/data'
    people = rig.extension(f'{folder}/people', 'people', functions={'hello': 'return "hello";'}, files={
        'seed/c.json': '{"records":{"Contacts":[{"Last_Name":"First","Email":"first@example.com"},{"Last_Name":"Second"}]}}'})
    bad = rig.extension(f'{folder}/bad', 'bad', functions={'hello': 'return "bad";'}, variables=[{'field_name': 'URL', 'api_name': 'url', 'value': 'v'}],
                        files={'install/on_installation.dg': FAILING, 'modules/visits.json': MODULE, 'modules/leads.json': FIELD})
    rig.Server(people, data=data).stop()
    before = state(data)
    equal('there are records before', before['Contacts'], [['First', 'first@example.com'], ['Second', None]])
    result = command('ext', 'install', bad, '--data', data)
    equal('an install action that fails: exit 1', result.code, 1)
    matches('the script\'s error with its place', result.out + result.err, r'install/on_installation\.dg:8:1: error: .*Divide by zero')
    matches('and its log', result.out + result.err, r'on_installation\.dg:2: made true')
    after = state(data)
    for name in WHOLE:
        equal(f'nothing is left of it: {name}', after[name], before[name])
    equal('no key', command('key', 'show', 'bad', '--data', data).code, 1)
    with rig.Server(people, bad, data=data) as server:
        matches('serve says it too', server.out, r'install/on_installation\.dg:8:1: error: .*Divide by zero')
        equal('serves the other folder', server.call('people__hello').output(), 'hello')
        ok('prints no URL of the failed one', not [name for _, name, _ in server.functions if name.startswith('bad')], server.functions)
        equal('nothing is left of it while it serves', state(data), before)
        rig.write(f'{bad}/install/on_installation.dg', FAILING.replace('x = 1 / 0;\n', ''))
        equal('a mended action installs', rig.until(lambda: command('key', 'show', 'bad', '--data', data).code == 0), True)
        changed = rig.until(lambda: rows(data, "SELECT value FROM ext_variable WHERE value = 'set'"))
        equal('and what it does stays', (changed, rows(data, 'SELECT Email FROM Contacts')), ([['set']], [['changed@example.com']]))

        good = state(data)
        rig.write(f'{bad}/install/on_update.dg', 'r = zoho.crm.createRecord("Leads",{"Last_Name":"half","Company":"c"});\nthrow "no update today";\n')
        rig.write(f'{bad}/functions/hello.dg', 'return "new version";')
        rig.write(f'{bad}/modules/extra.json', MODULE.replace('Visit', 'Extra'))
        rig.write(f'{bad}/modules/leads.json', FIELD.replace('}]', '},{"api_name":"Hat_Size","data_type":"integer"}]'))
        rig.extension(bad, 'bad', '2.0.0', variables=[{'field_name': 'URL', 'api_name': 'url', 'value': 'v'}, {'field_name': 'New', 'api_name': 'new', 'value': 'n'}])
        ok('an update action that fails says so', server.wait_out(r'on_update\.dg:2:1: error: .*no update today'), server.out)
        rig.until(lambda: state(data) == good, 5)
        equal('and the old version is back as it was', state(data), good)
        key = command('key', 'show', 'bad', '--data', data).out.strip()
        equal('and serves', server.send('GET', f'/crm/v2/functions/bad__hello/actions/execute?zapikey={key}').output(), 'bad')


def test_two_folders(folder):
    one = rig.extension(f'{folder}/one', 'same', functions={'hello': 'return 1;'})
    two = rig.extension(f'{folder}/two', 'other', functions={'hello': 'return same.hello() + "/2";'})
    with rig.Server(one, two, data=f'{folder}/data') as server:
        equal('two folders are served side by side', {name for _, name, _ in server.functions}, {'same__hello', 'other__hello'})
        equal('and call each other\'s functions', server.call('other__hello').output(), '1/2')
        rig.write(f'{one}/functions/hello.dg', 'return 11;')
        equal('an edit of one is live in the other', becomes(server, 'other__hello', '11/2'), '11/2')
    start = re.findall(r'^\S+ \S+', server_lines(one, two, f'{folder}/data'), re.M)
    console = ['console'] if any(line.startswith('console ') for line in start) else []  # what was built without one has none
    equal('the order of the start lines', [line.split()[0] for line in start], ['listening', 'function', 'function', *console])


def server_lines(*folders_and_data):
    *folders, data = folders_and_data
    with rig.Server(*folders, data=data) as server:
        return server.out


for test in (test_edits, test_manifest, test_versions, test_failing_action, test_two_folders):
    with rig.folder() as temporary:
        print(f'# {test.__name__}', flush=True)
        try:
            test(temporary)
        except Exception:  # one broken expectation must not hide the rest
            import traceback
            ok(f'{test.__name__} ran to its end', False, traceback.format_exc())
rig.done()
