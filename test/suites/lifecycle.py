#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The life of an installed extension by command: install, upgrade, rollback, uninstall, set, list, show, in orgs and sandboxes; what stays, what goes, and that
nothing remains of what failed."""
import _rig as rig
from _rig import command, equal, matches, ok

import http.server
import json
import os
import re
import socket
import sqlite3
import threading
import time
import zipfile

WRONG_KEY = '{"code":"AUTHENTICATION_FAILURE","details":{},"message":"Authentication failed","status":"error"}'
LEVEL = {'api_name': 'Orders', 'singular_label': 'Order', 'plural_label': 'Orders', 'name_field': {'api_name': 'Order_Name'},
         'fields': [{'api_name': 'State', 'field_label': 'State', 'data_type': 'picklist', 'pick_list_values': ['Open', 'Done']}]}
ADD = '''order = zoho.crm.createRecord("shop__Orders",{"shop__Order_Name":crmAPIRequest.get("params").get("name"),"shop__State":"Open"});
return order.get("id");'''
COUNT = 'return zoho.crm.getRecords("shop__Orders").size();'


class Place:
    """Commands on one data folder and org environment."""

    def __init__(self, data, *flags):
        self.data, self.flags = data, flags

    def ext(self, verb, *words, **more):
        return command('ext', verb, *words, '--data', self.data, *(() if verb == 'show' else self.flags), **more)

    def shown(self, namespace='shop'):
        return json.loads(self.ext('show', namespace, '--json').out or '{}')

    def here(self, namespace='shop', org='default', environment='production'):
        """The extension as it is installed in one environment, None if it is not."""
        return next((place for place in self.shown(namespace).get('installed', []) if (place['org'], place['environment']) == (org, environment)), None)

    def key(self, namespace='shop'):
        return command('key', 'show', namespace, '--data', self.data, *self.flags).out.strip()


def values(place):
    return {variable['api_name']: variable['value'] for variable in place['variables']}


def target(url):
    return re.sub(r'^https?://[^/]*', '', url)


def function(place, name):
    return target(next(one['url'] for one in place['functions'] if one['api_name'] == name))


def shop(folder, version='1.0.0', name='shop', functions=None, **more):
    """The extension of most tests; each call rewrites its folder."""
    path = f'{folder}/{name}'
    for old in ('functions', 'install', 'modules'):
        for base, _, files in os.walk(f'{path}/{old}'):
            for file in files:
                os.unlink(f'{base}/{file}')
    files = {'modules/orders.json': json.dumps(LEVEL), **more.pop('files', {})}
    variables = more.pop('variables', [{'field_name': 'Greeting', 'api_name': 'greeting', 'value': 'hello'}])
    return rig.extension(path, name, version, functions={'add': ADD, 'count': COUNT, 'which': f'return "{version}";', **(functions or {})}, variables=variables,
                         files=files, **more)


def refused(name, result, pattern):
    ok(f'{name}: refused, exit 1', result.code == 1 and result.out == '', repr(result))
    matches(f'{name}: says why', result.err, pattern)


# ---- the second key procedure of the source document


def test_source_document(folder):
    """An on-installation script with the document's snippet; Custom Properties hold the URL; `ext show` displays it; calling it works."""
    snippet = '''m = { "nameSpace" : "acme.twilioext" };
apikeyresp = zoho.crm.invokeConnector("crm.zapikey", m);
zapikey = apikeyresp.get("response");
url = "https://platform.zoho.com/crm/v2/settings/custom_functions/twilioext.incoming/execute?zapikey=" + zapikey;
m = { "apiname" : "twilioext.apifunctionurl", "value" : url };
r = zoho.crm.invokeConnector("crm.set", m);
info r;
'''
    ext = rig.extension(f'{folder}/ext', 'twilioext', portal='acme', variables=[{'field_name': 'apifunctionurl', 'api_name': 'apifunctionurl', 'value': ''}],
                        functions={'incoming': 'info requestMap.get("parameters").get("action");'}, files={'install/on_installation.dg': snippet})
    place = Place(f'{folder}/data')
    equal('it publishes', place.ext('publish', ext).out, 'published twilioext@1.0.0\n')
    with rig.Server(data=place.data) as server:
        result = place.ext('install', 'twilioext')
        matches('it installs, and tells what its script logged', result.out, r'on_installation\.dg:7: .*success.*\ninstalled twilioext@1\.0\.0\n$')
        here = place.here('twilioext')
        url = values(here)['twilioext__apifunctionurl']
        matches('the property holds the URL with the key', url,
                r'^https://platform\.zoho\.com/crm/v2/settings/custom_functions/twilioext\.incoming/execute\?zapikey=1003\.[0-9a-f]{32}\.[0-9a-f]{32}$')
        matches('Extension Settings display it', place.ext('show', 'twilioext').out, r'Extension Settings\n  apifunctionurl \(twilioext__apifunctionurl\): ' + re.escape(url))
        reply = server.send('GET', target(url) + '&action=mailreceived')
        equal('calling that URL works', (reply.status, reply.text), (200, '{"status_code":200,"response":"{\\"result\\":\\"success\\",\\"info\\":[\\"mailreceived\\"]}"}'))
        equal('with the key that sluice key show tells', url.rpartition('=')[2], place.key('twilioext'))
        equal('and not with another', server.send('GET', target(url)[:-1] + ('0' if url[-1] != '0' else '1')).status, 401)


# ---- install


def test_install(folder):
    place = Place(f'{folder}/data')
    told = 'info installParamMap;'
    for version in ('1.0.0', '1.10.0', '1.9.0', '2.0.0-beta.1'):
        place.ext('publish', shop(folder, version, files={'install/on_installation.dg': told}))
    equal('versions are listed newest first', place.shown(), {'namespace': 'shop', 'name': 'Shop', 'versions': ['2.0.0-beta.1', '1.10.0', '1.9.0', '1.0.0'], 'installed': []})
    matches('a published one may be shown before it is installed', place.ext('show', 'SHOP').out, 'not installed')
    equal('it is not listed as installed', place.ext('list').out, '')
    equal('but with --all', place.ext('list', '--all').out, 'shop 1.10.0 (not installed) Shop\n')
    refused('an unknown extension', place.ext('install', 'nobody'), '"nobody" is published')
    refused('an unknown version', place.ext('install', 'shop@3.0.0'), 'version 3.0.0 of "shop" is not published')
    refused('upgrading what is not there', place.ext('upgrade', 'shop'), 'not installed here; sluice ext install shop')
    refused('rolling back what is not there', place.ext('rollback', 'shop'), 'not installed here')
    refused('uninstalling what is not there', place.ext('uninstall', 'shop'), '"shop" is not installed here')
    refused('setting what is not there', place.ext('set', 'shop', 'greeting', 'x'), '"shop" is not installed here')
    result = place.ext('install', 'shop')
    equal('without a version the newest release is installed', result.out.splitlines()[-1], 'installed shop@1.10.0')
    parameters = json.loads(result.out.split(': ', 1)[1].split('\n')[0].partition(': ')[2])
    equal('its script is told of a first installation', [parameters['isInstall'], parameters['previousVersion']], [True, None])
    matches('in which org', parameters['organizationId'], r'^6\d{10}$')
    matches('and by whom', parameters['installerId'], r'^\d{18}$')
    refused('the same again', place.ext('install', 'shop'), 'installed here in version 1.10.0; sluice ext upgrade shop')
    refused('another version over it', place.ext('install', 'shop@1.9.0'), 'sluice ext upgrade shop')
    refused('another version, --reinstall', place.ext('install', 'shop@1.9.0', '--reinstall'), 'sluice ext upgrade shop')
    again = place.ext('install', 'Shop', '--reinstall')
    ok('--reinstall runs the script again', again.code == 0 and '"isInstall":true' in again.out, repr(again))
    equal('a pre-release is installed when it is named', place.ext('upgrade', 'shop@2.0.0-beta.1').out.splitlines()[-1], 'upgraded to shop@2.0.0-beta.1')
    equal('what is installed and what is newest', place.ext('list', '--all').out, 'shop 2.0.0-beta.1 (published: 1.10.0) Shop\n')

    path = f'{folder}/lead-form.zip'
    with zipfile.ZipFile(path, 'w') as zip_:
        zip_.writestr('app/widget.html', '<p>hello</p>')
    result = place.ext('install', path, '--namespace', 'forms', '--version', '0.2.0')
    equal('a zip is published and installed in one', result.out.splitlines()[-1], 'installed forms@0.2.0')
    with zipfile.ZipFile(path, 'w') as zip_:
        zip_.writestr('app/widget.html', '<p>again</p>')
    refused('other files under the same version', place.ext('upgrade', path, '--namespace', 'forms', '--version', '0.2.0'), 'published with other files')
    equal('and upgraded to', place.ext('upgrade', path, '--namespace', 'forms', '--version', '0.3.0').out.splitlines()[-1], 'upgraded to forms@0.3.0')
    os.makedirs(f'{folder}/here/shop')
    refused('a folder of that name that is no extension is not meant', place.ext('upgrade', 'shop@1.0.0', cwd=f'{folder}/here'), 'older than the installed 2.0.0-beta.1')
    refused('also without a version', place.ext('install', 'shop', cwd=f'{folder}/here'), 'is installed here in version')
    result = place.ext('install', 'shop', '--version', '1.0.0')
    ok('--version is not for what is published: wrong usage', result.code == 2 and 'shop@VERSION' in result.err, repr(result))
    equal('--json prints one object', json.loads(place.ext('install', shop(folder, '1.0.0', name='other'), '--json').out)['namespace'], 'other')
    rig.write(f'{folder}/other/functions/broken.dg', 'x = ;')
    refused('a folder that does not compile', place.ext('upgrade', f'{folder}/other'), r'broken\.dg:1:\d+: error: ')
    rows = [json.loads(line) for line in command('logs', '--audit', '--json', '--data', place.data).out.splitlines()]
    ok('the audit log has what was done and what failed',
       {('ext install', 'shop@1.10.0', 'done'), ('ext upgrade', 'shop@2.0.0-beta.1', 'done'), ('ext install', 'shop@1.9.0', 'failed')} <=
       {(row['action'], row['subject'], row['outcome']) for row in rows}, rows)


# ---- upgrade


def ids(server, place, *names):
    return [server.send('GET', function(place, name)).json()['details']['id'] for name in names]


def test_upgrade(folder):
    place = Place(f'{folder}/data')
    old = [{'field_name': 'Greeting', 'api_name': 'greeting', 'value': 'hello'}, {'field_name': 'Token', 'api_name': 'token', 'secret': True},
           {'field_name': 'Gone', 'api_name': 'gone', 'value': 'g'}]
    new = [old[0], old[1], {'field_name': 'Added', 'api_name': 'added', 'value': 'a'}]
    peek = {'peek': 'return zoho.crm.getOrgVariable("shop__token");'}
    with rig.Server(data=place.data) as server:
        place.ext('install', shop(folder, '1.0.0', variables=old, functions=peek))
        one = place.here()
        order = server.send('POST', function(one, 'shop__add') + '&name=first').output()
        place.ext('set', 'shop', 'greeting', 'mine')
        place.ext('set', 'shop', 'gone', 'kept')
        place.ext('set', 'shop', 'token', 's3cret')
        before = ids(server, one, 'shop__count', 'shop__which')
        update = 'info "update " + installParamMap.get("previousVersion") + " " + installParamMap.get("isInstall");'
        result = place.ext('upgrade', shop(folder, '2.0.0', variables=new, functions=peek, files={'install/on_update.dg': update, 'install/on_installation.dg': 'info "wrong";'}))
        matches('on_update runs, told of the version before', result.out, r'on_update\.dg:1: update 1\.0\.0 false\nupgraded to shop@2\.0\.0\n$')
        two = place.here()
        equal('the new version answers', server.send('GET', function(two, 'shop__which')).output(), '2.0.0')
        equal('under the same URL', function(two, 'shop__which'), function(one, 'shop__which'))
        equal('functions keep their ids', ids(server, two, 'shop__count', 'shop__which'), before)
        equal('records stay', [server.send('GET', function(two, 'shop__count')).output(), order.isdigit()], ['1', True])
        equal('values stay, new ones have defaults, vanished ones are not shown', values(two),
              {'shop__greeting': 'mine', 'shop__token': None, 'shop__added': 'a'})
        equal('secrets too', server.send('GET', function(two, 'shop__peek')).output(), 's3cret')
        ok('which nothing shows', 's3cret' not in place.ext('show', 'shop').out + place.ext('show', 'shop', '--json').out)
        refused('the same version', place.ext('upgrade', 'shop@2.0.0'), 'version 2.0.0 of "shop" is installed already')
        refused('a lower one', place.ext('upgrade', 'shop@1.0.0'), 'older than the installed 2.0.0; sluice ext rollback shop@1.0.0')
        result = place.ext('upgrade', shop(folder, '2.0.1', variables=old, functions=peek, files={'install/on_installation.dg': 'info installParamMap;'}))
        matches('without on_update, on_installation does it', result.out, r'"isInstall":false,"previousVersion":"2\.0\.0"')
        equal('a variable that is back has its value', values(place.here())['shop__gone'], 'kept')
        equal('the key is the same all the while', (place.key(), place.key() in one['functions'][0]['url']), (place.key(), True))

        failing_update(folder, place, server)
        becoming_secret(folder, place, server)


def becoming_secret(folder, place, server):
    secret = [{'field_name': 'Greeting', 'api_name': 'greeting', 'secret': True}]
    peek = {'peek': 'return zoho.crm.getOrgVariable("shop__greeting");'}
    place.ext('set', 'shop', 'greeting', 'soon-secret')
    place.ext('upgrade', shop(folder, '4.0.0', variables=secret, functions=peek))
    url = function(place.here(), 'shop__peek')
    equal('a variable that becomes secret keeps its value', server.send('GET', url).output(), 'soon-secret')
    equal('which is shown no more, and not kept in the open', [values(place.here())['shop__greeting'], 'soon-secret' in str(metadata(place.data))], [None, False])
    place.ext('upgrade', shop(folder, '4.1.0', functions=peek))
    equal('one that is secret no more is not given away', [values(place.here())['shop__greeting'], server.send('GET', url).output()], ['', ''])


def failing_update(folder, place, server):
    """Of an update whose script fails nothing remains: definitions of fields that were there before included."""
    labels = {**LEVEL, 'plural_label': 'Changed', 'fields': [{'api_name': 'State', 'field_label': 'Changed', 'data_type': 'picklist', 'pick_list_values': ['Never']},
                                                           {'api_name': 'Extra', 'data_type': 'integer'}]}
    script = '''info "before it fails";
a = zoho.crm.createRecord("shop__Orders",{"shop__Order_Name":"of the script","shop__Extra":4});
b = zoho.crm.invokeConnector("crm.set",{"apiname":"shop.greeting","value":"of the script"});
key = zoho.crm.invokeConnector("crm.zapikey",{"nameSpace":"shop"}).get("response");
c = invokeurl [ url :"https://platform.zoho.com/crm/v2/functions/shop__add/actions/execute?auth_type=apikey&name=nested&zapikey=" + key type :POST ];
info c;
d = invokeurl [ url :"https://www.zohoapis.com/crm/v8/Leads" type :POST parameters:{"data":[{"Last_Name":"over REST","Company":"c"}]}.toString() connection:"crm" ];
info d;
x = 1 / 0;
'''
    command('connection', 'new', 'crm', '--data', place.data)
    state = lambda: (place.shown()['installed'], metadata(place.data), rows(place.data, 'SELECT "Last_Name" FROM "Leads"'))
    was, key = state(), place.key()
    result = place.ext('upgrade', shop(folder, '3.0.0', variables=[], functions={'more': 'return 3;'}, files={
        'install/on_update.dg': script, 'modules/orders.json': json.dumps(labels), 'modules/items.json': json.dumps({**LEVEL, 'api_name': 'Items'})}))
    ok('an update whose script fails exits 1', result.code == 1, repr(result))
    matches('its log is shown, then the error with its place', result.err, r'on_update\.dg:1: before it fails\n(?s:.*)on_update\.dg:9')
    matches('it had called a function of its own', result.err, r'on_update\.dg:6: .*"code":"success"')
    matches('and the REST API', result.err, r'on_update\.dg:8: .*"code":"SUCCESS"')
    equal('nothing of it remains, labels and pick lists included', state(), was)
    equal('the version before answers', [server.send('GET', function(place.here(), f'shop__{name}')).output() for name in ('which', 'count')], ['2.0.1', '1'])
    equal('the key is the same', place.key(), key)
    equal('the good version after it goes in', place.ext('upgrade', shop(folder, '3.0.1')).out, 'upgraded to shop@3.0.1\n')
    matches('and rollback knows nothing of the failed one', place.ext('rollback', 'shop').out, r'rolled back to shop@2\.0\.1\n$')


def rows(data, sql):
    """Of the default org's production, on either store."""
    if rig.POSTGRES:
        out = rig.query(rig.store_url(data), 'SET search_path TO "orgs/default/production"; ' + sql)
        return [tuple(line.split('|')) for line in out.splitlines()]
    base = sqlite3.connect(f'file:{data}/orgs/default/production.db?mode=ro', uri=True)
    try:
        return [tuple(str(cell) for cell in row) for row in base.execute(sql)]
    finally:
        base.close()


def tables(data):
    return [row[0] for row in rows(data, "SELECT tablename FROM pg_tables WHERE schemaname = 'orgs/default/production'" if rig.POSTGRES else
                                   "SELECT name FROM sqlite_master WHERE type = 'table'")]


def columns(data, table):
    return [row[0] for row in rows(data, f"SELECT column_name FROM information_schema.columns WHERE table_name = '{table}'" if rig.POSTGRES else
                                   f"SELECT name FROM pragma_table_info('{table}')")]


def orders(data):
    return [row[0] for row in rows(data, 'SELECT "shop__Order_Name" FROM "shop__Orders" ORDER BY id')]


def metadata(data):
    return [rows(data, sql) for sql in (
        "SELECT api_name, definition FROM crm_module WHERE namespace = 'shop' ORDER BY 1", "SELECT api_name, definition FROM crm_field WHERE namespace = 'shop' ORDER BY 1",
        'SELECT * FROM ext_variable ORDER BY id', 'SELECT * FROM ext_function ORDER BY id', 'SELECT * FROM ext_history ORDER BY position',
        'SELECT * FROM ext_installed')] + [sorted(tables(data)), columns(data, 'shop__Orders'), orders(data)]


# ---- rollback


def test_rollback(folder):
    place = Place(f'{folder}/data')
    with rig.Server(data=place.data) as server:
        place.ext('install', shop(folder, '1.0.0'))
        refused('there is nothing before the first', place.ext('rollback', 'shop'), 'no version of "shop" was installed here before')
        place.ext('set', 'shop', 'greeting', 'mine')
        key = place.key()
        more = {**LEVEL, 'fields': LEVEL['fields'] + [{'api_name': 'Extra', 'data_type': 'integer'}]}
        loud = {'install/on_installation.dg': 'info "a script ran";', 'modules/orders.json': json.dumps(more)}
        for version in ('1.1.0', '2.0.0'):
            place.ext('upgrade', shop(folder, version, files=loud, functions={'newer': 'return zoho.crm.getRecords("shop__Orders").size();'}))
        server.send('POST', function(place.here(), 'shop__add') + '&name=first')
        result = place.ext('rollback', 'Shop')
        ok('one command back', result.code == 0 and result.out.endswith('rolled back to shop@1.1.0\n'), repr(result))
        ok('no script runs', 'a script ran' not in result.out, result.out)
        matches('what stays is said', result.out, 'modules and fields that 2.0.0 brought stay')
        equal('and one more', place.ext('rollback', 'shop').out.splitlines()[-1], 'rolled back to shop@1.0.0')
        here = place.here()
        equal('the old functions answer', [server.send('GET', function(here, f'shop__{name}')).output() for name in ('which', 'count')], ['1.0.0', '1'])
        reply = server.send('GET', f'/crm/v2/functions/shop__newer/actions/execute?zapikey={key}')
        ok('those that came later do not', reply.status == 400 and 'does not exist' in reply.text, repr(reply))
        equal('values and key stay', [values(here), place.key()], [{'shop__greeting': 'mine'}, key])
        ok('fields stay', 'shop__Extra' in columns(place.data, 'shop__Orders'), columns(place.data, 'shop__Orders'))
        refused('there is nothing before it again', place.ext('rollback', 'shop'), 'no version of "shop"')
        place.ext('upgrade', 'shop@2.0.0')
        equal('a version may be named', place.ext('rollback', 'shop@1.1.0').out.splitlines()[-1], 'rolled back to shop@1.1.0')
        refused('not a newer one', place.ext('rollback', 'shop@2.0.0'), 'not older than the installed 1.1.0; sluice ext upgrade shop')
        refused('nor the same', place.ext('rollback', 'shop@1.1.0'), 'not older')
        refused('nor an unknown one', place.ext('rollback', 'shop@0.0.1'), 'not published')


# ---- uninstall


def test_uninstall(folder):
    place = Place(f'{folder}/data')
    with rig.Server(data=place.data) as server:
        stubborn = 'info "asked to go";\nx = zoho.crm.createRecord("shop__Orders",{"shop__Order_Name":"of the script"});\ny = 1 / 0;'
        place.ext('install', shop(folder, '1.0.0', files={'install/on_uninstallation.dg': stubborn}))
        server.send('POST', function(place.here(), 'shop__add') + '&name=first')
        place.ext('set', 'shop', 'greeting', 'mine')
        here, key = place.here(), place.key()
        was = metadata(place.data)
        result = place.ext('uninstall', 'shop')
        ok('a script that fails keeps the extension', result.code == 1 and 'uninstalled' not in result.out, repr(result))
        matches('its log is shown', result.err, r'on_uninstallation\.dg:1: asked to go\n')
        equal('nothing has changed', [metadata(place.data), place.here(), place.key()], [was, here, key])
        equal('it answers', server.send('GET', function(here, 'shop__which')).output(), '1.0.0')
        forced = place.ext('uninstall', 'shop', '--force')
        matches('--force goes on and says so', forced.out, r'the uninstall script failed \(.*\); going on, as asked(?s:.*)uninstalled shop\n$')
        reply = server.send('GET', function(here, 'shop__which'))
        equal('the key is dead at once', (reply.status, reply.text), (401, WRONG_KEY))
        equal('and no other shows', command('key', 'show', 'shop', '--data', place.data).code, 1)
        equal('it is listed no more', [place.ext('list').out, place.here()], ['', None])
        equal('its records are kept', orders(place.data), ['first'])

        place.ext('install', shop(folder, '1.0.1', files={'install/on_uninstallation.dg': 'info installParamMap;'}))
        again = place.here()
        equal('a later installation takes them up', [server.send('GET', function(again, 'shop__count')).output(), values(again)], ['1', {'shop__greeting': 'mine'}])
        ok('with a new key', place.key() not in ('', key), place.key())
        equal('the old one stays dead', server.send('GET', function(here, 'shop__count')).status, 401)
        refused('its history began anew', place.ext('rollback', 'shop'), 'no version of "shop"')
        result = place.ext('uninstall', 'SHOP')
        matches('its script is told what it is', result.out, r'"isInstall":false,"previousVersion":"1\.0\.1"')
        matches('in any case of the name', result.out, r'shop: its modules, records and variables\' values stay')
        equal('records still there', orders(place.data), ['first'])
        refused('a second time', place.ext('uninstall', 'shop'), 'not installed here')
        dropped = place.ext('uninstall', 'shop', '--drop-data')
        ok('what was left can be dropped later', dropped.code == 0 and 'are gone' in dropped.out, repr(dropped))
        nothing_left(place, 'dropped later')
        refused('once', place.ext('uninstall', 'shop', '--drop-data'), 'not installed here')

        place.ext('install', 'shop@1.0.0')
        order = server.send('POST', function(place.here(), 'shop__add') + '&name=second').output()
        notes = f'r = zoho.crm.createRecord("Notes",{{"Note_Title":"t","Note_Content":"c","Parent_Id":"{order}","$se_module":"shop__Orders"}});\nreturn zoho.crm.getRecords("Notes").size();'
        user = {'modules/uses.json': json.dumps({'api_name': 'Uses', 'fields': [{'api_name': 'Order', 'data_type': 'lookup', 'lookup': {'module': 'shop__Orders'}}]})}
        place.ext('install', rig.extension(f'{folder}/user', 'user', functions={
            'note': notes, 'use': f'r = zoho.crm.createRecord("user__Uses",{{"user__Name":"u","user__Order":"{order}"}});\nreturn zoho.crm.getRecordById("user__Uses",r.get("id")).get("user__Order");',
            'notes': 'return zoho.crm.getRecords("Notes").size();', 'uses': 'return zoho.crm.getRecords("user__Uses").get(0).get("user__Order");'}, files=user))
        other = place.here('user')
        equal('a record has a note, and another extension\'s looks it up', [server.send('GET', function(other, f'user__{name}')).output() for name in ('note', 'use')],
              ['1', json.dumps({'name': 'second', 'id': order}, separators=(',', ':'))])
        equal('dropping with the extension', place.ext('uninstall', 'shop', '--drop-data', '--force').code, 0)
        equal('notes go with the records, and look-ups to them are empty', [server.send('GET', function(other, f'user__{name}')).output() for name in ('notes', 'uses')], ['0', None])
        place.ext('uninstall', 'user', '--drop-data')
        nothing_left(place, 'dropped at once')
        equal('installed again it is empty', place.ext('install', 'shop@1.0.1').code, 0)
        equal('as the first time', [server.send('GET', function(place.here(), 'shop__count')).output(), values(place.here())], ['0', {'shop__greeting': 'hello'}])
        equal('functions of the org are not an extension', place.ext('uninstall', 'standalone', '--drop-data').code, 1)
        refused('a name longer than any', place.ext('uninstall', 'shop' + 'x' * 100), 'not installed here')
        equal('is not cut to another', place.here()['version'], '1.0.1')


def nothing_left(place, name):
    left = {table: rows(place.data, f'SELECT * FROM {table}') for table in tables(place.data) if re.match(r'ext_(?!variable_group)|auth_key', table)}  # groups are the org's
    equal(f'{name}: no row of it is left', {table: found for table, found in left.items() if found}, {})
    equal(f'{name}: nor a module or field', [rows(place.data, f"SELECT api_name FROM {table} WHERE namespace = 'shop'") for table in ('crm_module', 'crm_field')], [[], []])
    equal(f'{name}: nor a table', [table for table in tables(place.data) if table.startswith('shop')], [])


# ---- settings


def test_set(folder):
    place = Place(f'{folder}/data')
    variables = [{'field_name': 'Greeting', 'api_name': 'greeting', 'value': 'hello'}, {'field_name': 'Count', 'api_name': 'count', 'type': 'integer', 'value': '3'},
                 {'field_name': 'Token', 'api_name': 'token', 'secret': True}]
    place.ext('install', shop(folder, variables=variables, functions={'peek': 'return zoho.crm.getOrgVariable("shop.token") + "|" + zoho.crm.getOrgVariable("shop__greeting");'}))
    peek = lambda: command('call', 'shop__peek', '--data', place.data, '--json').out
    for spelling in ('greeting', 'shop__greeting', 'shop.GREETING', 'Greeting'):
        equal(f'{spelling} is set', place.ext('set', 'shop', spelling, f'by {spelling}').code, 0)
        equal(f'{spelling} is shown', values(place.here())['shop__greeting'], f'by {spelling}')
    rig.write(f'{folder}/value', 'from a file\n')
    place.ext('set', 'shop', 'greeting', f'@{folder}/value')
    equal('a value from a file', values(place.here())['shop__greeting'], 'from a file')
    result = place.ext('set', 'shop', 'token', '-', input=b'hush-hush\n')
    ok('a secret from standard input, not echoed', result.code == 0 and 'hush' not in repr(result), repr(result))
    matches('scripts of its extension read it', peek(), r'hush-hush\|from a file')
    equal('nobody is shown it', [variable for variable in place.here()['variables'] if variable['api_name'] == 'shop__token'],
          [{'api_name': 'shop__token', 'field_name': 'Token', 'value': None, 'secret': True}])
    base = b''.join(open(f'{base}/{file}', 'rb').read() for base, _, files in os.walk(place.data) for file in files)
    ok('and no file of the data folder holds it', b'hush-hush' not in base)
    refused('a value of the wrong type', place.ext('set', 'shop', 'count', 'many'), 'does not fit its type integer')
    equal('leaves the one before', values(place.here())['shop__count'], '3')
    refused('an unknown variable', place.ext('set', 'shop', 'nothing', 'x'), r'has no variable "nothing" here; sluice ext show shop')
    refused('a value too long', place.ext('set', 'shop', 'greeting', '-', input=b'x' * 70000), 'at most 65536 bytes')
    refused('a file that is not there', place.ext('set', 'shop', 'greeting', '@/nowhere'), '/nowhere')
    equal('two words are not enough', place.ext('set', 'shop', 'greeting').code, 2)


# ---- org environments


def test_environments(folder):
    data = f'{folder}/data'
    places = {'default production': Place(data), 'default sandbox': Place(data, '--sandbox'), 'acme production': Place(data, '--org', 'acme'),
              'acme sandbox': Place(data, '--org', 'acme', '--sandbox')}
    command('org', 'new', 'acme', '--data', data)
    for org in ('default', 'acme'):
        command('org', 'sandbox', org, '--data', data)
    first = places['default production']
    with rig.Server(data=data) as server:
        first.ext('publish', shop(folder, '1.0.0'))
        first.ext('publish', shop(folder, '2.0.0', files={'install/on_update.dg': 'info "updated from " + installParamMap.get("previousVersion");'}))
        equal('installed in a sandbox', places['acme sandbox'].ext('install', 'shop@1.0.0').code, 0)
        equal('it is there alone', [place['org'] + ' ' + place['environment'] for place in first.shown()['installed']], ['acme sandbox'])
        equal('also in the lists', [place.ext('list').out for place in places.values()], ['', '', '', 'shop 1.0.0 Shop\n'])
        for name in ('default production', 'default sandbox', 'acme production'):
            equal(f'installed in {name}', places[name].ext('install', 'shop@1.0.0').code, 0)
        shown = {f'{place["org"]} {place["environment"]}': place for place in first.shown()['installed']}
        equal('ext show has all of them', sorted(shown), sorted(places))
        keys = {name: place.key() for name, place in places.items()}
        equal('each has its own key', len(set(keys.values())), len(places))
        ok('sandbox URLs say so', all(('/sandbox/' in function(place, 'shop__add')) == name.endswith('sandbox') for name, place in shown.items()))
        for name, place in shown.items():
            url = function(place, 'shop__which')
            equal(f'{name}: its own key opens', server.send('GET', url).output(), '1.0.0')
            others = {other: server.send('GET', url.replace(keys[name], keys[other])).status for other in places if other.split()[1] != name.split()[1]}
            equal(f'{name}: keys of the other kind of environment do not', set(others.values()), {401})
        for count, (name, place) in enumerate(shown.items()):
            for _ in range(count):
                server.send('POST', function(place, 'shop__add') + '&name=x')
        equal('records are apart', [server.send('GET', function(place, 'shop__count')).output() for place in shown.values()], ['0', '1', '2', '3'])
        places['acme production'].ext('set', 'shop', 'greeting', 'acme')
        result = places['acme production'].ext('upgrade', 'shop')
        matches('one of them is upgraded', result.out, 'updated from 1.0.0\nupgraded to shop@2.0.0')
        after = {f'{place["org"]} {place["environment"]}': place for place in first.shown()['installed']}
        equal('that one alone', {name: place['version'] for name, place in after.items()}, {name: '2.0.0' if name == 'acme production' else '1.0.0' for name in places})
        equal('values are apart', [values(after[name])['shop__greeting'] for name in places], ['hello', 'hello', 'acme', 'hello'])
        equal('rolled back', places['acme production'].ext('rollback', 'shop').code, 0)
        equal('uninstalled in one sandbox', places['acme sandbox'].ext('uninstall', 'shop', '--drop-data').code, 0)
        equal('its key is dead, the others live', [server.send('GET', function(place, 'shop__which')).status for place in shown.values()],
              [401 if name == 'acme sandbox' else 200 for name in shown])
        refused('an org that does not exist', Place(data, '--org', 'nobody').ext('install', 'shop'), 'there is no org "nobody"')


# ---- served folders


def test_served(folder):
    place, ext = Place(f'{folder}/data'), shop(folder, '1.0.0')
    with rig.Server(ext, data=place.data) as server:
        equal('a folder\'s own version is shown', [place.shown()['versions'], place.here()['version']], [['1.0.0'], 'dev'])
        place.ext('publish', shop(folder, '1.0.0', name='shop'))
        served = r'"shop" is served from a folder by this server'
        for words in (('install', 'shop'), ('upgrade', 'shop'), ('rollback', 'shop@1.0.0'), ('uninstall', 'shop')):
            refused(f'{words[0]} of what is served', place.ext(*words), served)
        equal('it still answers', server.call('shop__which').output(), '1.0.0')
        rig.extension(ext, 'store', '1.0.0', functions={'add': 'return 1;', 'count': 'return 1;'}, files={'modules/orders.json': json.dumps(LEVEL)})
        ok('a namespace that was edited is told, with the way out',
           server.wait_out(r'the namespace was "shop" and is now "store"; the old one stays installed: sluice ext uninstall shop$'), server.out)
        equal('both are installed', sorted(line.split()[0] for line in place.ext('list').out.splitlines()), ['shop', 'store'])
        equal('the one that is no longer served can go', place.ext('uninstall', 'shop').code, 0)
        refused('the one that is cannot', place.ext('uninstall', 'store'), '"store" is served from a folder')
    refused('after the server, installing says what is there', place.ext('install', shop(folder, '1.0.0', name='store')), 'from a served folder; sluice ext upgrade store')
    equal('upgrading puts the published version in its place', place.ext('upgrade', 'store').out.splitlines()[-1], 'upgraded to store@1.0.0')
    equal('as list says', place.ext('list').out, 'store 1.0.0 Store\n')
    with rig.Server(ext, data=place.data):
        equal('serving the folder puts it back', place.here('store')['version'], 'dev')
    equal('rolling back goes to what was there before', place.ext('rollback', 'store').out.splitlines()[-1], 'rolled back to store@1.0.0')


# ---- at once, and without end


class Gate(http.server.BaseHTTPRequestHandler):
    """Answers when it is released: a script that asks it stands still."""
    asked, release = threading.Event(), threading.Event()

    def do_GET(self):
        Gate.asked.set()
        Gate.release.wait(30)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


def together(*calls):
    results = [None] * len(calls)

    def run(index):
        results[index] = calls[index]()
    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(calls))]
    for thread in threads:
        thread.start()
    return threads, results


def test_at_once(folder):
    gate = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Gate)
    gate.daemon_threads = True
    threading.Thread(target=gate.serve_forever, daemon=True).start()
    data = f'{folder}/data'
    place, acme = Place(data), Place(data, '--org', 'acme')
    command('org', 'new', 'acme', '--data', data)
    slow = {'install/on_installation.dg': f'r = invokeurl [ url :"http://127.0.0.1:{gate.server_port}/" type :GET ];'}
    for name, files in (('slow', slow), ('shop', {}), ('other', {})):
        place.ext('publish', shop(folder, '1.0.0', name=name, files=files, functions={'add': 'return 1;', 'count': 'return 1;'}))
    rig.write(f'{data}/config', 'outbound.allow = 127.0.0.1/32\n')
    with rig.Server(data=data) as server:
        equal('one is there before', place.ext('install', 'other').code, 0)
        Gate.asked.clear(), Gate.release.clear()
        threads, results = together(lambda: place.ext('install', 'slow'), lambda: place.ext('install', 'shop') if Gate.asked.wait(rig.WAIT_S) else None)
        ok('an install script stands still', Gate.asked.wait(rig.WAIT_S), server.err)
        equal('meanwhile the server answers', server.send('GET', function(place.here('other'), 'other__which')).output(), '1.0.0')
        equal('and installs in another org', acme.ext('install', 'shop').out, 'installed shop@1.0.0\n')
        equal('in the same org the next waits its turn', [place.here('shop'), results[1]], [None, None])
        Gate.release.set()
        for thread in threads:
            thread.join(rig.WAIT_S)
        equal('then both are there', [results[0].code, results[1].code, results[1].out], [0, 0, 'installed shop@1.0.0\n'])
        place.ext('uninstall', 'shop')
        threads, results = together(*[lambda: place.ext('install', 'shop') for _ in range(4)])
        for thread in threads:
            thread.join(rig.WAIT_S)
        equal('of one extension that several install at once, one does', sorted(result.code for result in results), [0, 1, 1, 1])
        place.ext('publish', shop(folder, '2.0.0'))
        threads, results = together(*[lambda: place.ext('upgrade', 'shop') for _ in range(4)])
        for thread in threads:
            thread.join(rig.WAIT_S)
        equal('of the same one at once, one is done and the others are told', sorted(result.code for result in results), [0, 1, 1, 1])
        ok('clearly', all('installed already' in result.err for result in results if result.code), results)
        threads, results = together(lambda: place.ext('uninstall', 'shop'), lambda: place.ext('uninstall', 'shop'))
        for thread in threads:
            thread.join(rig.WAIT_S)
        equal('and of two uninstallations', sorted(result.code for result in results), [0, 1])
    gate.shutdown()


def test_without_end(folder):
    """A script that never ends has its time limit; the folder and the org are not blocked after it."""
    place = Place(f'{folder}/data')
    numbers = ','.join(map(str, range(200)))
    endless = f'l = {{{numbers}}};\nn = 0;\nfor each a in l\n{{\nfor each b in l\n{{\nfor each c in l\n{{\nfor each d in l\n{{\nn = n + 1;\n}}\n}}\n}}\n}}\n'
    place.ext('install', shop(folder, '1.0.0', name='other', functions={'add': 'return 1;', 'count': 'return 1;'}))
    rig.write(f'{place.data}/config', 'limit.statements = 1000000000\nlimit.time_ms = 2500\n')
    with rig.Server(data=place.data) as server:
        threads, results = together(lambda: place.ext('install', shop(folder, '1.0.0', files={'install/on_installation.dg': endless})))
        ok('it runs', rig.until(lambda: place.here('shop') or results[0]), server.err)
        while threads[0].is_alive():
            if not equal('meanwhile others are answered', server.send('GET', function(place.here('other'), 'other__which')).output(), '1.0.0'):
                break
            time.sleep(0.5)
        threads[0].join(rig.WAIT_S)
        refused('it ends', results[0], 'longer than its limit of 2500 ms')
        equal('nothing of it is left', [place.here('shop'), command('key', 'show', 'shop', '--data', place.data).code], [None, 1])
        equal('the next installation goes in', place.ext('install', shop(folder, '1.0.1', files={'install/on_uninstallation.dg': endless})).code, 0)
        result = place.ext('uninstall', 'shop')
        ok('an uninstall script without end too', result.code == 1 and 'longer than its limit' in result.err, repr(result))
        equal('leaves it as it was', server.send('GET', function(place.here(), 'shop__which')).output(), '1.0.1')
        equal('and --force ends it', place.ext('uninstall', 'shop', '--force').code, 0)
    served = shop(folder, '1.0.0', name='served', functions={'add': 'return 1;', 'count': 'return 1;'}, files={'install/on_installation.dg': endless})
    with rig.Server(served, data=place.data) as server:  # a served folder of that kind
        ok('the server is there, and says what happened', server.wait_out(r'on_installation\.dg:\d+:1: error: .*longer than its limit'), server.out)
        equal('with nothing of the folder', [place.here('served'), place.ext('list').out], [None, 'other 1.0.0 Other\n'])
        rig.write(f'{served}/install/on_installation.dg', 'info "good now";')
        ok('the next save is live', rig.until(lambda: place.here('served')), server.out)
        equal('and answers', server.send('GET', function(place.here('served'), 'served__which')).output(), '1.0.0')


# ---- hostile input


def ask(data, method, path, body):
    """Over the server's socket, as its owner."""
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    raw = b''
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(rig.WAIT_S)
        sock.connect(f'{data}/control.sock')
        sock.sendall(f'{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(text)}\r\nConnection: close\r\n\r\n'.encode() + text)
        while piece := sock.recv(65536):
            raw += piece
    return rig.Reply(raw)


def test_hostile(folder):
    place = Place(f'{folder}/data')
    place.ext('publish', shop(folder, '1.0.0'))
    place.ext('install', 'shop')
    place.ext('publish', shop(folder, '1.1.0'))
    with rig.Server(data=place.data) as server:
        was = metadata(place.data)
        bodies = [b'', b'{', b'[]', b'"shop"', {}, {'namespace': 5}, {'namespace': ''}, {'namespace': 'x' * 5000}, {'namespace': '../shop'}, {'namespace': "shop'; DROP TABLE ext_installed;--"},
                  {'namespace': 'shop', 'version': '9.9.9'}, {'namespace': 'shop', 'version': '../1.0.0'}, {'namespace': 'shop', 'version': 'x' * 5000}, b'{"namespace":"sh\\u0000op"}', b'\xff\xfe',
                  b'[' * 600 + b']' * 600]
        for verb in ('install', 'upgrade', 'rollback'):
            replies = [ask(place.data, 'POST', f'/control/ext/{verb}', body) for body in bodies]
            equal(f'{verb}: wrong bodies are refused', [reply.status for reply in replies if not 400 <= reply.status < 500], [])
            ok(f'{verb}: each says why', all(reply.json().get('message') for reply in replies), replies)
        for body in ({'namespace': 'shop', 'reinstall': 'true'}, {'namespace': 'shop', 'reinstall': 1}):
            equal(f'{body} is not guessed at', ask(place.data, 'POST', '/control/ext/install', body).status, 400)
        for path in ('nobody', '%2e%2e', 'shop%00', 'x' * 3000, '%27%20OR%201=1'):
            ok(f'uninstalling {path[:20]}', 400 <= ask(place.data, 'POST', f'/control/ext/{path}/uninstall', {}).status < 500)
        for body in ({'drop_data': 'yes'}, {'force': 'no'}, b'', b'nonsense'):
            equal(f'uninstalling with {body}', ask(place.data, 'POST', '/control/ext/shop/uninstall', body).status, 400)
        for body in ({}, {'value': 5}, {'value': None}, {'value': ['x']}, b'{"value":'):
            equal(f'setting {body}', ask(place.data, 'PUT', '/control/ext/shop/variables/greeting', body).status, 400)
        equal('nothing has changed', metadata(place.data), was)
        equal('nobody else may ask', [server.send('POST', f'/control/ext/{verb}', [('Content-Type', 'application/json')], b'{"namespace":"shop"}').status
                                      for verb in ('install', 'upgrade', 'rollback', 'shop/uninstall')], [404] * 4)
        equal('and with a key neither', server.send('POST', f'/control/ext/shop/uninstall?zapikey={place.key()}', [], b'{}').status, 404)
        equal('it still answers', server.send('GET', function(place.here(), 'shop__which')).output(), '1.0.0')


def test_told(folder):
    """Values that an installation is told, and what it asks for."""
    place = Place(f'{folder}/data')
    variables = [{'field_name': 'Greeting', 'api_name': 'greeting', 'value': 'hello'}, {'field_name': 'Count', 'api_name': 'count', 'type': 'integer', 'value': '3'},
                 {'field_name': 'Token', 'api_name': 'token', 'secret': True}]
    path = shop(folder, variables=variables, functions={'peek': 'return zoho.crm.getOrgVariable("shop.token");'})
    rig.write(f'{path}/install/on_installation.dg', 'info zoho.crm.getOrgVariable("shop.greeting") + "|" + zoho.crm.getOrgVariable("shop.token");\nif(zoho.crm.getOrgVariable("shop.count") == 13)\n{\n\tx = 1 / 0;\n}\n')
    place.ext('publish', path)
    with rig.Server(data=place.data):
        asked = ask(place.data, 'GET', '/control/ext/shop/variables', b'').json()
        equal('what it asks for', [(one['api_name'], one['field_name'], one['value'], one['secret']) for one in asked],
              [('greeting', 'Greeting', 'hello', False), ('count', 'Count', '3', False), ('token', 'Token', '', True)])
        equal('of a version that there is not', ask(place.data, 'GET', '/control/ext/shop/variables?version=7.0.0', b'').status, 404)
        install = lambda values: ask(place.data, 'POST', '/control/ext/install', {'namespace': 'shop', 'variables': values})
        for name, told in (('a value of the wrong type', {'count': 'many'}), ('a variable that there is not', {'nothing': 'x'}), ('a value that is no text', {'greeting': 5}), ('one that is too long', {'greeting': 'x' * 70000})):
            reply = install(told)
            ok(f'{name} is refused, and nothing is installed', reply.status == 400 and not place.shown()['installed'], reply)
        reply = install({'count': '13', 'token': 'hush'})
        ok('nor when the script fails', reply.status == 400 and not place.shown()['installed'] and 'hello|hush' in reply.text, reply)
        reply = install({'shop__greeting': 'moin', 'token': 'hush'})
        ok('the script reads what was told', reply.status == 200 and any('moin|hush' in message['text'] for message in reply.json()['messages']), reply)
        equal('and it stays', values(place.here())['shop__greeting'], 'moin')
        matches('secrets too', command('call', 'shop__peek', '--data', place.data, '--json').out, 'hush')


def test_names(folder):
    """A plain word is a namespace first; a folder of that name is meant while nobody has published one."""
    place = Place(f'{folder}/data')
    path = shop(folder)
    equal('a folder of that name is installed', place.ext('install', 'shop', cwd=folder).out, 'installed shop@1.0.0\n')
    shop(folder, version='1.1.0')
    equal('a second version', place.ext('publish', path).code, 0)
    rig.write(f'{path}/functions/broken.dg', 'return "')
    equal('what is published counts then, whatever the folder has become', place.ext('upgrade', 'shop', cwd=folder).out, 'upgraded to shop@1.1.0\n')
    matches('also going back', place.ext('rollback', 'shop', cwd=folder).out, 'rolled back to shop@1.0.0\n')
    refused('./shop is the folder', place.ext('upgrade', './shop', cwd=folder), 'broken.dg:1')


words = rig.sys.argv[2:]
for test in (test_source_document, test_install, test_upgrade, test_rollback, test_uninstall, test_set, test_environments, test_served, test_at_once, test_without_end, test_hostile, test_told, test_names):
    if words and not any(word in test.__name__ for word in words):
        continue
    with rig.folder() as temporary:
        print(f'# {test.__name__}', flush=True)
        try:
            test(temporary)
        except Exception:  # one broken expectation must not hide the rest
            import traceback
            ok(f'{test.__name__} ran to its end', False, traceback.format_exc())
rig.done()
