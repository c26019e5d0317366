#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the console's developer pages save to: served folders and drafts, through the port with a session and by the owner. usage: drafts.py PATH/TO/sluice"""
from console import Session, cookie_of, link_of  # first: the rig takes this folder from the path
import _rig as rig
from _rig import equal, ok

import io
import json
import os
import re
import socket
import threading
import urllib.parse
import zipfile

BROKEN = 'string desk.order()\n{\n\tx = ;\n}\n'


def script(name, text):
    return f'string {name}()\n{{\n\treturn "{text}";\n}}\n'


class Desk:
    """The routes of one namespace, as a page asks them."""

    def __init__(self, session, namespace):
        self.session, self.base = session, f'/control/drafts/{namespace}'

    def get(self, path=''):
        return self.session.get(self.base + path)

    def put(self, path, **body):
        return self.session.change('PUT', self.base + path, body)

    def save(self, name, source=None, **body):
        reply = self.put(f'/functions/{name}', **({'source': source} if source is not None else {}), **body)
        return reply.json() if reply.status == 200 else reply

    def shown(self, name):
        return self.get(f'/functions/{name}').json()

    def functions(self):
        return {one['api_name']: one for one in self.get().json()['functions']}

    def delete(self, path):
        return self.session.change('DELETE', self.base + path, {})

    def publish(self, version):
        return self.session.change('POST', self.base + '/publish', {'version': version})


def owner(data, method, target, body=None):
    """The same by control.sock, as commands do it."""
    sent = json.dumps(body).encode() if body is not None else b''
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(rig.WAIT_S)
        sock.connect(f'{data}/control.sock')
        sock.sendall(f'{method} {target} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(sent)}\r\nConnection: close\r\n\r\n'.encode() + sent)
        raw = b''
        while piece := sock.recv(65536):
            raw += piece
    return rig.Reply(raw)


# ---- a served folder


def test_folder(server, session, folder):
    desk, path = Desk(session, 'desk'), f'{folder}/functions/order.dg'
    row = [one for one in session.get('/control/drafts').json() if one['namespace'] == 'desk'][0]
    equal('a served folder is listed', (row['name'], row['version'], row['folder'], row['draft']), ('Desk', '1.0.0', folder, False))
    first = desk.shown('order')
    equal('with its functions', (first['source'], first['file'], first['live'], first['diagnostics']), (script('desk.order', 'one'), 'functions/order.dg', True, []))
    saved = desk.save('order', script('desk.order', 'two'))
    equal('what is saved is live in the reply', (saved['live'], saved['diagnostics'], server.call('desk__order').output()), (True, [], 'two'))
    equal('and written to its file', rig.read(path), script('desk.order', 'two'))
    os.chmod(path, 0o640)
    saved = desk.save('order', BROKEN)
    found = saved['diagnostics'][0]
    equal('a script with errors says where', (saved['live'], found['line'], found['column'], found['severity']), (False, 3, 6, 'error'))
    equal('it is kept', (rig.read(path), desk.shown('order')['source'], desk.functions()['order']['errors']), (BROKEN, BROKEN, 1))
    equal('with the rights that the file had', os.stat(path).st_mode & 0o777, 0o640)
    equal('and the last good version serves', server.call('desk__order').output(), 'two')
    saved = desk.save('other', script('desk.other', 'new'))
    ok('a good one beside it is not live, and why is said', not saved['live'] and 'functions/order.dg:3:6: error:' in saved['messages'][0]['text'], saved)
    desk.save('order', script('desk.order', 'three'))
    equal('when it is mended both are', (desk.shown('other')['live'], server.call('desk__order').output()), (True, 'three'))
    equal('nothing is left beside the files', [name for name in os.listdir(f'{folder}/functions') if name.startswith('.')], [])


def test_history(server, session, folder):
    desk, path = Desk(session, 'desk'), f'{folder}/functions/order.dg'
    texts = [one['source'] for one in desk.get('/functions/order/history').json()]
    equal('every save is kept, and what was there before', texts, [script('desk.order', 'three'), BROKEN, script('desk.order', 'two'), script('desk.order', 'one')])
    rig.write(path, script('desk.order', 'by an editor'))
    desk.save('order', script('desk.order', 'four'))
    desk.save('order', script('desk.order', 'four'))
    saves = desk.get('/functions/Order/history').json()
    equal('what came from outside too, and nothing twice', [(one['number'], one['source']) for one in saves[:3]],
          [(6, script('desk.order', 'four')), (5, script('desk.order', 'by an editor')), (4, script('desk.order', 'three'))])
    ok('with its time', re.fullmatch(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d', saves[0]['saved_time']), saves[0]['saved_time'])
    equal('what there is not has none', [desk.get(f'/{path}/history').status for path in ('functions/none', 'actions/none')], [404, 404])
    equal('an action that was never saved has an empty one', desk.get('/actions/on_update/history').json(), [])
    for i in range(105):
        desk.save('other', script('desk.other', str(i)))
    saves = desk.get('/functions/other/history').json()
    equal('the newest hundred are kept', (len(saves), saves[0]['source'], saves[99]['source']), (100, script('desk.other', '104'), script('desk.other', '5')))
    desk.save('other', script('desk.other', 'new'))


def test_names(server, session, folder):
    desk = Desk(session, 'desk')
    saved = desk.save('order', script('desk.elsewhere', 'pinned'))
    equal('the name of the address counts', (saved['api_name'], saved['live'], server.call('desk__order').output()), ('order', True, 'pinned'))
    equal('the header stays as it was written', desk.shown('order')['source'], script('desk.elsewhere', 'pinned'))
    equal('no other function has come', sorted(desk.functions()), ['named', 'order', 'other'])
    desk.save('named', script('desk.named', 'mine'))
    equal('a file keeps its place', rig.read(f'{folder}/scripts/deep/named_file.dg'), script('desk.named', 'mine'))
    desk.save('Named', 'return "no header";')
    equal('and may go without a header', (server.call('desk__named').output(), desk.shown('desk__named')['live']), ('no header', True))
    rig.write(f'{folder}/functions/taken.dg', script('desk.named2', 'x'))
    saved = desk.save('taken', script('desk.taken', 'beside'))
    equal('a new one does not overwrite a file of another', (saved['file'], rig.read(f'{folder}/functions/taken.dg')), ('functions/taken_2.dg', script('desk.named2', 'x')))
    before = sorted(os.walk(folder))
    for name in ('../x', '..', 'a/b', '/etc/x', 'a.b', 'a__b', '_x', 'x_', '1x', 'x' * 64, 'ä', 'x\x00y', 'x y', 'on_installation/../../x'):
        reply = desk.put(f'/functions/{urllib.parse.quote(name, safe="")}', source='return 1;')
        ok(f'no file for {name!r}', 400 <= reply.status < 500, reply)
    equal('nothing was written', sorted(os.walk(folder)), before)
    for source in (5, {}, True, 'x' * (1024 * 1024 + 1)):
        reply = desk.put('/functions/order', source=source)
        ok(f'no source: {str(source)[:9]}', reply.status in (400, 413), reply)
    for name in ('taken', 'named2'):
        equal(f'{name} is removed', desk.delete(f'/functions/{name}').status, 200)
    equal('its file too', (os.path.exists(f'{folder}/functions/taken.dg'), os.path.exists(f'{folder}/functions/taken_2.dg'), desk.delete('/functions/taken').status), (False, False, 404))


def test_links(server, session, folder, outside):
    desk = Desk(session, 'desk')
    secret = rig.write(f'{outside}/secret.dg', 'return "outside";')
    os.symlink(secret, f'{folder}/functions/linked.dg')
    reply = desk.put('/functions/linked', source=script('desk.linked', 'x'))
    ok('a link is not written over', reply.status == 400 and 'functions/linked.dg' in reply.json()['message'] and 'link' in reply.json()['message'], reply)
    os.remove(f'{folder}/functions/linked.dg')
    os.rename(f'{folder}/scripts', f'{outside}/scripts')
    os.symlink(f'{outside}/scripts', f'{folder}/scripts')
    reply = desk.put('/functions/named', source='return "through the link";')
    ok('nor is a linked folder entered', reply.status == 400 and 'links are not followed' in reply.json()['message'], reply)
    equal('what lies outside is as it was', (rig.read(secret), rig.read(f'{outside}/scripts/deep/named_file.dg')), ('return "outside";', 'return "no header";'))
    os.remove(f'{folder}/scripts')
    os.rename(f'{outside}/scripts', f'{folder}/scripts')


def test_manifest_as_script(server, session, folder):
    desk, text = Desk(session, 'desk'), rig.read(f'{folder}/extension.json')
    manifest = json.loads(text)
    manifest['functions'].append({'api_name': 'self', 'file': 'extension.json'})
    rig.write(f'{folder}/extension.json', json.dumps(manifest))
    reply = desk.put('/functions/self', source='return 1;')
    ok('a script is not written over the manifest', reply.status == 400 and json.loads(rig.read(f'{folder}/extension.json')) == manifest, reply)
    equal('nor is that removed', (desk.delete('/functions/self').status, os.path.exists(f'{folder}/extension.json')), (400, True))
    rig.write(f'{folder}/extension.json', text)


def test_switches(server, session, folder):
    desk = Desk(session, 'desk')
    text = rig.read(f'{folder}/extension.json')
    saved = desk.save('other', apikey=False)
    target = re.sub('desk__order', 'desk__other', server.target('desk__order'))
    equal('a switch works at once', (saved['apikey'], saved['oauth'], server.send('POST', target).status), (False, True, 403))
    now = rig.read(f'{folder}/extension.json')
    ok('it stands in the manifest', {'apikey': False} in [one.get('rest_api') for one in json.loads(now)['functions']], now)
    ok('whose other lines are as they were', all(line in now for line in text.splitlines()[:5]), now)
    equal('and back', (desk.save('other', apikey=True)['apikey'], server.send('POST', target).status), (True, 200))
    ok('a switch of nothing makes nothing', desk.put('/functions/nobody', apikey=True).status == 404)
    equal('true and false alone', desk.put('/functions/other', apikey='yes').status, 400)


def test_together(server, session, folder):
    desk, path = Desk(session, 'desk'), f'{folder}/functions/order.dg'
    texts = [script('desk.order', str(i) * 3000) for i in range(8)]
    seen, ended = set(), threading.Event()

    def watch():
        while not ended.is_set():
            seen.add(rig.read(path))
    watcher = threading.Thread(target=watch)
    watcher.start()
    savers = [threading.Thread(target=desk.save, args=('order', text)) for text in texts]
    savers += [threading.Thread(target=desk.save, args=('other',), kwargs={'oauth': i % 2 == 0}) for i in range(4)]
    for saver in savers:
        saver.start()
    for saver in savers:
        saver.join()
    ended.set()
    watcher.join()
    last = rig.read(path)
    ok('of many saves at once one is the last', last in texts, last[:100])
    equal('the file was never torn', [text[:80] for text in seen if text not in texts and 'pinned' not in text], [])
    equal('and it is what serves', (desk.shown('order')['live'], server.call('desk__order').output() in last), (True, True))
    ok('the manifest is whole', json.loads(rig.read(f'{folder}/extension.json'))['namespace'] == 'desk')


def test_folder_actions(server, session, folder):
    desk, path = Desk(session, 'desk'), f'{folder}/install/on_uninstallation.dg'
    shown = desk.get('/actions/on_uninstallation').json()
    equal('an action that there is not is empty', (shown['source'], shown['file'], shown['diagnostics'], shown['live']), ('', 'install/on_uninstallation.dg', [], True))
    saved = desk.put('/actions/on_uninstallation', source='info installParamMap;').json()
    equal('one is saved, and what is installed has it', (saved['live'], saved['diagnostics'], rig.read(path)), (True, [], 'info installParamMap;'))
    saved = desk.put('/actions/on_uninstallation', source='info ;;x = ;').json()
    ok('with errors it is kept, and not live', not saved['live'] and saved['diagnostics'][0]['line'] == 1 and rig.read(path) == 'info ;;x = ;', saved)
    equal('the last good one stays', rig.rows(server.data, "SELECT uninstall_script FROM ext_installed WHERE namespace = 'desk'"), [['info installParamMap;']])
    saved = desk.put('/actions/on_uninstallation', source=' \n').json()
    equal('a blank one takes it away', (saved['live'], os.path.exists(path), [one['exists'] for one in desk.get().json()['actions']]), (True, False, [False] * 3))
    saved = desk.put('/actions/on_update', source='info 1;').json()
    equal('on_update is live with all the rest', (saved['live'], desk.get('/actions/on_update').json()['live']), (True, True))
    for action in ('on_delete', '..', 'On_Update', '../functions/order', ''):
        reply = desk.put(f'/actions/{urllib.parse.quote(action, safe="")}', source='info 1;')
        equal(f'there is no action {action!r}', reply.status, 404)
    equal('an action needs a source', desk.put('/actions/on_update').status, 400)


def test_folder_variables(server, session, folder):
    desk = Desk(session, 'desk')
    saved = desk.put('/variables/greeting', field_name='Greeting', value='Hello "you"').json()
    equal('a variable is made', {key: saved[key] for key in ('api_name', 'field_name', 'type', 'value', 'secret')}, {'api_name': 'greeting', 'field_name': 'Greeting', 'type': 'text', 'value': 'Hello "you"', 'secret': False})
    equal('it stands in the manifest', json.loads(rig.read(f'{folder}/extension.json'))['variables'], [{'api_name': 'greeting', 'field_name': 'Greeting', 'type': 'text', 'value': 'Hello "you"', 'secret': False}])
    desk.save('order', 'return zoho.crm.getOrgVariable("desk.greeting");')
    equal('and is installed', server.call('desk__order').output(), 'Hello "you"')
    saved = desk.put('/variables/token', field_name='Token', value='s3cr3t-value', secret=True).json()
    desk.save('order', 'return zoho.crm.getOrgVariable("desk.token");')
    equal('the value of a secret is set', (saved['value'], saved['messages'], server.call('desk__order').output()), ('', [], 's3cr3t-value'))
    ok('and is in no file', 's3cr3t' not in rig.read(f'{folder}/extension.json') and 's3cr3t' not in desk.get().text, desk.get())
    saved = desk.put('/variables/Greeting', value='Hi').json()
    equal('one is changed, whatever its case', (saved['api_name'], saved['field_name'], len(desk.get().json()['variables'])), ('greeting', 'Greeting', 2))
    for name, body in (('a b', {}), ('a__b', {}), ('1x', {}), ('..', {}), ('x' * 64, {}), ('n', {'value': 5}), ('n', {'type': 'nonsense'}), ('n', {'type': 'integer', 'value': 'x'}), ('n', {'secret': 'yes'}),
                       ('n', {'value': 'x' * 70000}), ('n', {'field_name': 'x' * 300})):
        ok(f'no variable {name[:9]} {str(body)[:30]}', desk.put(f'/variables/{urllib.parse.quote(name, safe="")}', **body).status == 400)
    equal('they go', [desk.delete('/variables/token').status, desk.delete('/variables/greeting').status, desk.delete('/variables/greeting').status, desk.get().json()['variables']], [200, 200, 404, []])


def test_broken_folder(server, session, folder):
    """What somebody has broken from outside is still there to be mended."""
    desk, manifest = Desk(session, 'desk'), rig.read(f'{folder}/extension.json')
    listed = lambda: [(one['name'], one['folder']) for one in session.get('/control/drafts').json() if one['namespace'] == 'desk']  # noqa: E731
    rig.write(f'{folder}/modules/bad.json', '{"api_name":')
    equal('with a broken module it is listed', listed(), [('Desk', folder)])
    saved = desk.save('order', script('desk.order', 'kept'))
    ok('a script is saved, and why it is not live is said', saved['diagnostics'] == [] and not saved['live'] and 'modules/bad.json:1:' in saved['messages'][0]['text'], saved)
    os.remove(f'{folder}/modules/bad.json')
    rig.write(f'{folder}/extension.json', '{ "name": }')
    equal('with a broken manifest too', listed(), [('desk', folder)])
    reply = desk.get()
    ok('it says where that is broken', reply.status == 400 and reply.json()['message'].startswith('extension.json:1:11: '), reply)
    equal('and is not written to', (desk.put('/functions/order', source='return 1;').status, rig.read(f'{folder}/functions/order.dg')), (400, script('desk.order', 'kept')))
    rig.write(f'{folder}/extension.json', manifest)
    equal('mended it is live', desk.save('order', script('desk.order', 'kept'))['live'], True)


def test_folder_publish(server, session, folder):
    desk = Desk(session, 'desk')
    equal('the manifest\'s version is offered', desk.get().json()['next_version'], '1.0.0')
    desk.save('order', BROKEN)
    refused = desk.publish('1.0.0')
    ok('with an error nothing is published, and the place is said', refused.status == 400 and 'desk/functions/order.dg:3:6: error:' in refused.json()['messages'][0]['text'], refused)
    equal('nothing is', desk.get().json()['versions'], [])
    desk.save('order', script('desk.order', 'published'))
    done = desk.publish('1.0.0').json()
    equal('a folder is published', (done['namespace'], done['version'], done['next_version']), ('desk', '1.0.0', '1.0.1'))
    refused = desk.publish('1.0.0')
    equal('a version that exists is refused', (refused.status, refused.json()['next_version']), (400, '1.0.1'))
    for version in ('1', 'x', '1.0', '1.0.0.0', '01.0.0', '1.0.0/../x', ' '):
        reply = desk.publish(version)
        ok(f'{version!r} is no version', reply.status == 400 or version == ' ' and reply.json()['version'] == '1.0.1', reply)
    equal('the next one without a word', [one['version'] for one in desk.get().json()['versions']], ['1.0.1', '1.0.0'])
    equal('it is written to the folder', json.loads(rig.read(f'{folder}/extension.json'))['version'], '1.0.1')
    equal('which goes on serving', (server.call('desk__order').output(), desk.shown('order')['live']), ('published', True))


# ---- modules and connectors

TEAM = {'api_name': 'Teams', 'singular_label': 'Team', 'plural_label': 'Teams', 'name_field': {'api_name': 'Team_Name'}, 'of_a_newer_one': [1.5, {'a': None}],
        'fields': [{'api_name': 'Size', 'data_type': 'integer', 'mandatory': True}, {'api_name': 'Kind', 'data_type': 'picklist', 'pick_list_values': ['Red "one"', 'ä\\']},
                   {'api_name': 'Ticket', 'data_type': 'lookup', 'lookup': {'module': 'Tickets'}}]}
TEAM_TEXT = r"""{
  "api_name": "Teams",
  "singular_label": "Team",
  "plural_label": "Teams",
  "name_field": { "api_name": "Team_Name" },
  "of_a_newer_one": [
    1.5,
    { "a": null }
  ],
  "fields": [
    { "api_name": "Size", "data_type": "integer", "mandatory": true },
    { "api_name": "Kind", "data_type": "picklist", "pick_list_values": ["Red \"one\"", "ä\\"] },
    { "api_name": "Ticket", "data_type": "lookup", "lookup": { "module": "Tickets" } }
  ]
}
"""
API = {'api_name': 'get', 'method': 'GET', 'url': 'https://api.example.com/${id}'}
SERVICE = {'api_name': 'service', 'name': 'Service', 'authorisation': {'type': 'basic'}, 'apis': [API]}


def deep(levels):
    value = []
    for _ in range(levels):
        value = [value]
    return value


def refused(title, reply, *words):
    ok(f'{title} is refused', reply.status == 400 and all(word in reply.json()['message'] for word in words), reply)


def test_folder_modules(server, session, folder):
    desk, path = Desk(session, 'desk'), f'{folder}/modules/Teams.json'
    ticket = desk.get('/modules/tickets').json()
    equal('a module is shown as it stands', (ticket['file'], ticket['api_name'], ticket['definition']['fields'], ticket['folder']), ('modules/tickets.json', 'Tickets', [{'api_name': 'Weight', 'data_type': 'integer'}], folder))
    reply = desk.put('/modules/Teams', **TEAM)
    equal('one is made', (reply.status, reply.json()['definition'], reply.json()['file'], [one['text'] for one in reply.json()['messages'] if one['level'] == 'error']), (200, TEAM, 'modules/Teams.json', []))
    equal('its file is laid out for people', rig.read(path), TEAM_TEXT)
    equal('it is installed', session.get('/crm/v8/settings/modules/desk__Teams').status, 200)
    labels = {one['api_name'] for one in session.get('/crm/v8/settings/fields?module=desk__Teams').json()['fields']}
    ok('with its fields', {'desk__Team_Name', 'desk__Size', 'desk__Kind', 'desk__Ticket'} <= labels, labels)
    before = os.stat(path).st_mtime_ns
    equal('saved as it is, its file stays', (desk.put('/modules/teams', **TEAM).status, os.stat(path).st_mtime_ns), (200, before))
    fields = TEAM['fields']
    for title, change, words in (('a wrong type', {'fields': [{'api_name': 'X', 'data_type': 'txt'}]}, ('field X', 'data_type', 'textarea')), ('a field without a name', {'fields': [{'data_type': 'text'}]}, ('api_name',)),
                                 ('a list that is none', {'fields': {}}, ('fields is a list',)), ('a field twice', {'fields': [fields[0], fields[0]]}, ('field Size', 'two fields')),
                                 ('a length', {'fields': [{'api_name': 'X', 'data_type': 'text', 'length': 256}]}, ('field X', 'length', '255')),
                                 ('an empty picklist', {'fields': [{'api_name': 'X', 'data_type': 'picklist', 'pick_list_values': []}]}, ('field X', 'pick_list_values')),
                                 ('a look-up to nothing', {'fields': [{'api_name': 'X', 'data_type': 'lookup', 'lookup': {'module': 'Nothing'}}]}, ('field X', 'look-up')),
                                 ('a label', {'plural_label': ''}, ('label',)), ('another name', {'api_name': 'Others'}, ('api_name', 'Teams')), ('a name that is none', {'api_name': 5}, ('api_name',))):
        refused(title, desk.put('/modules/Teams', **{**TEAM, **change}), *words)
    for name in ('a b', '../x', '..%2F..%2Fx', '1x', 'a__b', 'x' * 200, 'ä'):
        refused(f'the name {name[:12]!r}', desk.put(f'/modules/{urllib.parse.quote(name, safe="%")}', fields=[]), 'api_name')
    equal('of all of these nothing is written', (rig.read(path), sorted(os.listdir(f'{folder}/modules'))), (TEAM_TEXT, ['Teams.json', 'tickets.json']))
    equal('nor of one that is too large, or too deep', [session.change('PUT', '/control/drafts/desk/modules/Teams', {**TEAM, 'x': x}).status for x in ('x' * 1100000, deep(900))], [413, 400])
    equal('a body that is no object neither', session.change('PUT', '/control/drafts/desk/modules/Teams', [1]).status, 400)
    rig.write(f'{folder}/modules/bad.json', '{"api_name":"Bad","fields":[{"api_name":"x"}]}')
    rig.write(f'{folder}/modules/Fresh.json', '{')
    reply = desk.put('/modules/Fresh', plural_label='Fresh ones')
    equal('broken files do not hinder a save, nor are they written over', (reply.status, reply.json()['file'], reply.json()['definition']['api_name'], rig.read(f'{folder}/modules/Fresh.json')), (200, 'modules/Fresh_2.json', 'Fresh', '{'))
    ok('and why it is not live is said', [one for one in reply.json()['messages'] if one['level'] == 'error' and 'modules/' in one['text']], reply)
    equal('a broken one is mended', desk.put('/modules/Bad', plural_label='Good ones').status, 200)
    os.remove(f'{folder}/modules/Fresh.json')
    equal('then all are live', (desk.put('/modules/Leads', fields=[{'api_name': 'Extra', 'data_type': 'text'}]).json()['messages'], session.get('/crm/v8/settings/modules/desk__Fresh').status), ([], 200))
    ok('fields come to a standard module too', 'desk__Extra' in session.get('/crm/v8/settings/fields?module=Leads').text)
    refused('what another looks up to', desk.delete('/modules/Tickets'), 'Tickets', 'field Ticket')
    for name in ('Teams', 'Fresh', 'Bad', 'leads'):
        equal(f'{name} is removed', desk.delete(f'/modules/{name}').status, 200)
    equal('its file is gone, and it stays where it is installed', (os.listdir(f'{folder}/modules'), session.get('/crm/v8/settings/modules/desk__Teams').status), (['tickets.json'], 200))
    equal('what there is not', [desk.get('/modules/Teams').status, desk.delete('/modules/Teams').status, desk.get('/modules/').status], [404, 404, 404])


def test_folder_connectors(server, session, folder):
    desk, path = Desk(session, 'desk'), f'{folder}/connectors/service.json'
    reply = desk.put('/connectors/service', **SERVICE)
    equal('a connector is made', (reply.status, reply.json()['definition'], reply.json()['file'], [one for one in reply.json()['messages'] if one['level'] == 'error']), (200, SERVICE, 'connectors/service.json', []))
    text = rig.read(path)
    equal('in a file', json.loads(text), SERVICE)
    for title, change, words in (('an unknown member', {'secret': 'x'}, ('secret',)), ('a secret', {'authorisation': {'type': 'basic', 'password': 'x'}}, ('password', 'secrets are')),
                                 ('an unknown type', {'authorisation': {'type': 'magic'}}, ('"type"', 'oauth2')), ('OAuth without its address', {'authorisation': {'type': 'oauth2'}}, ('token_url',)),
                                 ('no APIs', {'apis': []}, ('apis',)), ('an API without an address', {'apis': [{'api_name': 'a'}]}, ('url',)), ('an address of a file', {'apis': [{**API, 'url': 'file:///etc/passwd'}]}, ('service.get', '"url"')),
                                 ('a method', {'apis': [{**API, 'method': 'EAT'}]}, ('service.get', '"method"', 'PATCH')), ('a placeholder', {'apis': [{**API, 'url': 'https://x/${'}]}, ('service.get', '${name}')),
                                 ('a header that is a list', {'apis': [{**API, 'headers': {'A': []}}]}, ('service.get', 'headers')), ('an API twice', {'apis': [API, API]}, ('twice',)), ('another name', {'api_name': 'other'}, ('api_name', 'service'))):
        refused(title, desk.put('/connectors/service', **{**SERVICE, **change}), *words)
    for name in ('crm', 'WGET', 'a b', '../x', '1', 'x' * 100):
        ok(f'the name {name[:12]!r} is refused', desk.put(f'/connectors/{urllib.parse.quote(name, safe="")}', apis=[API]).status == 400)
    equal('nothing of it is written', (rig.read(path), sorted(os.listdir(f'{folder}/connectors'))), (text, ['mail.json', 'service.json']))
    order = desk.shown('order')['source']
    desk.save('order', 'string desk.order()\n{\n\treturn zoho.crm.invokeConnector("service.get", {"id": 1});\n}\n')
    desk.put('/connectors/service', **{**SERVICE, 'authorisation': {'type': 'none'}, 'apis': [{**API, 'url': f'http://{server.address[0]}:{server.address[1]}/healthz?of=${{id}}'}]})
    equal('scripts call it at once', json.loads(server.call('desk__order').output())['status_code'], 200)
    equal('it is removed', (desk.delete('/connectors/SERVICE').status, os.listdir(f'{folder}/connectors')), (200, ['mail.json']))
    ok('and cannot be called any more', server.call('desk__order').status != 200 or 'service' in server.call('desk__order').text)
    equal('what there is not', [desk.get('/connectors/service').status, desk.delete('/connectors/service').status], [404, 404])
    desk.save('order', order)


def test_draft_objects(session):
    session.change('POST', '/control/drafts', {'name': 'Objects', 'namespace': 'objects'})
    objects = Desk(session, 'objects')
    equal('a draft takes modules and connectors', [objects.put('/modules/Tickets', plural_label='Tickets').status, objects.put('/modules/Teams', **TEAM).status, objects.put('/connectors/service', **SERVICE).status], [200, 200, 200])
    shown = objects.get().json()
    equal('and shows them', ([(one['api_name'], one['fields']) for one in shown['modules']], [(one['api_name'], one['apis']) for one in shown['connectors']]), ([('Teams', 3), ('Tickets', 0)], [('service', 1)]))
    refused('a mistake', objects.put('/modules/Teams', fields=[{'api_name': 'X', 'data_type': 'txt'}]), 'field X')
    equal('what it was before is there', objects.get('/modules/Teams').json()['definition'], TEAM)
    equal('it is published and installed', (objects.publish('1.0.0').status, session.change('POST', '/control/ext/install', {'namespace': 'objects'}).status, session.get('/crm/v8/settings/modules/objects__Teams').status), (200, 200, 200))
    equal('a change begins a new draft', (objects.delete('/modules/Teams').status, objects.get().json()['draft'], session.get('/crm/v8/settings/modules/objects__Teams').status), (200, True, 200))


# ---- drafts


def test_draft(server, session):
    made = session.change('POST', '/control/drafts', {'name': 'Order "Shop" ä', 'namespace': 'shop'})
    equal('an extension is made', (made.status, made.json()['namespace']), (200, 'shop'))
    for name, namespace in (('again', 'shop'), ('case', 'SHOP'), ('a served one', 'desk'), ('', 'nameless'), ('x', ''), ('x', '1x'), ('x', 'a__b'), ('x', 'a.b'), ('x', '../x'), ('x', 'x' * 64), ('x', 'crm'),
                            ('x', 'standalone'), ('x', 'button'), ('n' * 300, 'long')):
        reply = session.change('POST', '/control/drafts', {'name': name, 'namespace': namespace})
        ok(f'not with the name {name[:12]!r} and the namespace {namespace[:12]!r}', reply.status == 400 and reply.json()['message'], reply)
    shop = Desk(session, 'shop')
    shown = shop.get().json()
    equal('it is an empty draft', (shown['name'], shown['version'], shown['next_version'], shown['folder'], shown['draft'], shown['functions']), ('Order "Shop" ä', '', '1.0.0', None, True, []))
    saved = shop.save('hello', script('shop.hello', 'hi'))
    equal('a function is saved in it, not live', (saved['live'], saved['diagnostics'], saved['file']), (False, [], 'functions/hello.dg'))
    equal('with errors too', len(shop.save('hello', 'string shop.hello()\n{\n x = ;\n}')['diagnostics']), 1)
    equal('the newest is shown', (shop.shown('hello')['source'], shop.functions()['hello']['errors']), ('string shop.hello()\n{\n x = ;\n}', 1))
    equal('by the owner too', owner(server.data, 'GET', '/control/drafts/shop/functions/hello').json()['source'], 'string shop.hello()\n{\n x = ;\n}')
    equal('what there is not', [shop.get('/functions/none').status, Desk(session, 'none').get().status, Desk(session, 'none').get('/functions/x').status], [404, 404, 404])
    saved = shop.save('hello', script('shop.hello', 'hi'), oauth=False)
    equal('a switch is kept with it', (saved['apikey'], saved['oauth'], shop.shown('hello')['oauth']), (True, False, False))


def installed(session, namespace):
    reply = session.get(f'/control/ext/{namespace}')
    return reply.json()['installed'] if reply.status == 200 else []


def test_draft_publish(server, session):
    shop = Desk(session, 'shop')
    shop.put('/variables/greeting', field_name='Greeting', value='Hello')
    saved = shop.put('/variables/token', field_name='Token', value='s3cr3t-value', secret=True).json()
    ok('the value of a secret is not kept in a draft, and that is said', saved['messages'][0]['level'] == 'warning' and 's3cr3t' not in shop.get().text, saved)
    equal('the install action too', shop.put('/actions/on_installation', source='info "installed"; zoho.crm.createRecord("Leads", {"Last_Name":"by the action"});').json()['live'], False)
    shop.save('bad', 'x = ;')
    refused = shop.publish('1.0.0')
    ok('errors are said with file and line', refused.status == 400 and any('shop/functions/bad.dg:1:5: error:' in one['text'] for one in refused.json()['messages']), refused)
    equal('the draft stays', (shop.get().json()['draft'], session.get('/control/ext/shop').status), (True, 404))
    shop.delete('/functions/bad')
    done = shop.publish('1.0.0')
    equal('it is published', (done.status, done.json()['version'], done.json()['next_version']), (200, '1.0.0', '1.0.1'))
    shown = shop.get().json()
    equal('which ends the draft', (shown['draft'], shown['version'], [one['version'] for one in shown['versions']], shown['functions'][0]['live']), (False, '1.0.0', ['1.0.0'], False))
    equal('it can be installed', session.change('POST', '/control/ext/install', {'namespace': 'shop'}).status, 200)
    url = installed(session, 'shop')[0]['functions'][0]['url']
    target = re.sub('^https?://[^/]*', '', url)
    equal('and called', server.send('POST', target).output(), 'hi')
    shown = shop.shown('hello')
    equal('now it is live', (shown['live'], shown['apikey'], shown['oauth'], shown['draft']), (True, True, False, False))
    equal('and the actions', [shop.get(f'/actions/{name}').json()['live'] for name in ('on_installation', 'on_uninstallation')], [True, True])
    saved = shop.save('hello', script('shop.hello', 'newer'))
    equal('the next edit begins a draft', (saved['live'], saved['draft'], server.send('POST', target).output()), (False, True, 'hi'))
    equal('the history goes back over it', [one['source'] for one in shop.get('/functions/hello/history').json()][:2], [script('shop.hello', 'newer'), script('shop.hello', 'hi')])
    equal('with all the rest of the version', (len(shop.get().json()['variables']), shop.get('/actions/on_installation').json()['source'][:4]), (2, 'info'))
    saved = shop.save('hello', apikey=False)
    equal('a switch works at once where it is installed', (saved['apikey'], server.send('POST', target).status), (False, 403))
    equal('a version that exists is refused', shop.publish('1.0.0').status, 400)
    equal('the next is published', shop.publish('1.0.1').json()['version'], '1.0.1')
    equal('and installed', session.change('POST', '/control/ext/upgrade', {'namespace': 'shop'}).status, 200)
    equal('it has the switch', (server.send('POST', target).status, shop.shown('hello')['apikey']), (403, False))
    shop.save('hello', apikey=True)
    equal('and back at once', server.send('POST', target).output(), 'newer')
    equal('that draft is given up', [session.change('DELETE', '/control/drafts/shop', {}).status, shop.get().json()['draft'], session.change('DELETE', '/control/drafts/shop', {}).status], [200, False, 400])
    equal('one of a folder cannot be', session.change('DELETE', '/control/drafts/desk', {}).status, 400)


def test_restart(data, folder):
    with rig.Server(folder, data=data) as server:
        shown = owner(data, 'GET', '/control/drafts/keep').json()
        equal('a draft outlives the process', (shown['name'], shown['draft'], [one['api_name'] for one in shown['functions']]), ('Keep', True, ['kept']))
        equal('the owner publishes it', owner(data, 'POST', '/control/drafts/keep/publish', {'version': '2.0.0-beta'}).json()['next_version'], '2.0.0')


def zipped(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w') as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return out.getvalue()


def test_contents(server, session):
    shown = Desk(session, 'desk').get().json()
    equal('modules are shown', shown['modules'], [{'api_name': 'Tickets', 'plural_label': 'Tickets', 'fields': 1, 'file': 'modules/tickets.json'}])
    equal('connectors', shown['connectors'], [{'api_name': 'mail', 'name': 'Mail', 'apis': 1, 'file': 'connectors/mail.json'}])
    equal('signals', shown['signals'], [{'namespace': 'opened', 'name': 'Opened'}])
    equal('widgets', shown['widgets'], [{'name': 'form', 'location': 'webtab', 'url': 'app/form.html'}])
    equal('and schedules', shown['schedules'], [{'function': 'order', 'cron': '@daily', 'missed': ''}])


def test_toolkit(server, session):
    """A zip without a manifest, as the zoho-extension-toolkit makes it."""
    page = '<!DOCTYPE html><p>' + 'x' * 1000
    reply = server.send('POST', '/control/ext/publish?file=lead-form.zip', [*session.headers(True), ('Content-Type', 'application/zip')],
                        zipped({'app/form.html': page, 'app/server/source/latest/answer.dre': 'return "from the zip";'}))
    equal('one is published', reply.status, 200)
    form = Desk(session, 'lead_form')
    shown = form.get().json()
    equal('it can be edited', ([one['api_name'] for one in shown['functions']], [one['name'] for one in shown['widgets']], shown['version'], shown['draft']), (['answer'], ['form'], '1.0.0', False))
    saved = form.save('answer', 'return "edited";', oauth=False)
    equal('a function keeps its place', (saved['file'], saved['draft'], saved['oauth'], saved['diagnostics']), ('app/server/source/latest/answer.dre', True, False, []))
    form.put('/variables/color', field_name='Colour', value='red')
    equal('it takes a module', form.put('/modules/Answers', plural_label='Answers').status, 200)
    equal('it is published again', form.publish('').json().get('version'), '1.0.1')
    equal('and installed', session.change('POST', '/control/ext/install', {'namespace': 'lead_form'}).status, 200)
    there = installed(session, 'lead_form')[0]
    equal('with its variable and function', ([one['api_name'] for one in there['variables']], server.send('POST', re.sub('^https?://[^/]*', '', there['functions'][0]['url'])).output()), (['lead_form__color'], 'edited'))
    equal('and its module', session.get('/crm/v8/settings/modules/lead_form__Answers').status, 200)
    equal('and its page', server.send('GET', '/widgets/lead_form/app/form.html').text, page)


def test_power_cut(base):
    """Killed in the middle of saves: what was answered is there, and every file is an old one or a new one, whole."""
    data, folder = f'{base}/cut-data', rig.extension(f'{base}/cut', 'cut', functions={'a': script('cut.a', 'old')})
    texts, answered = [script('cut.a', str(i) * 5000) for i in range(10)], {}
    server = rig.Server(folder, data=data)
    owner(data, 'POST', '/control/drafts', {'name': 'D', 'namespace': 'dd'})

    def save(namespace):
        for text in texts * 20:
            try:
                reply = owner(data, 'PUT', f'/control/drafts/{namespace}/functions/a', {'source': text.replace('cut.a', f'{namespace}.a')})
                if reply.status == 200:
                    answered[namespace] = text.replace('cut.a', f'{namespace}.a')
            except OSError:
                return
    savers = [threading.Thread(target=save, args=(namespace,)) for namespace in ('cut', 'dd')]
    for saver in savers:
        saver.start()
    rig.until(lambda: len(answered) == 2)
    server.process.kill()
    for saver in savers:
        saver.join()
    server.kill()
    text = rig.read(f'{folder}/functions/a.dg')
    ok('the file is one that was saved, whole', text in texts, text[:200])
    with rig.Server(folder, data=data) as again:
        kept = owner(data, 'GET', '/control/drafts/dd/functions/a').json()['source']
        ok('and so is the draft', kept in [text.replace('cut.a', 'dd.a') for text in texts], kept[:200])
        at = [[text.replace('cut.a', f'{name}.a') for text in texts].index(got) for name, got in (('cut', text), ('dd', kept))]
        was = [[text.replace('cut.a', f'{name}.a') for text in texts].index(answered[name]) for name in ('cut', 'dd')]
        ok('what was answered is not lost: it is the last one answered or the one behind it', all((a - w) % 10 in (0, 1) for a, w in zip(at, was)), (at, was))
        equal('the folder serves what it holds', again.call('cut__a').output() in text, True)
        equal('nothing half-written is taken for a part of it', [one['api_name'] for one in owner(data, 'GET', '/control/drafts/cut').json()['functions']], ['a'])


def test_sizes(session):
    session.change('POST', '/control/drafts', {'name': 'Keep', 'namespace': 'keep'})
    keep = Desk(session, 'keep')
    big = '// ' + 'x' * (1024 * 1024 - 4) + '\n'
    statuses = [keep.put(f'/functions/f{i}', source=big).status for i in range(33)]
    equal('an extension has at most 32 MB', (statuses[0], statuses[30], statuses[32]), (200, 200, 413))
    for i in range(33):
        keep.delete(f'/functions/f{i}')
    keep.save('kept', 'return 1;')


def test_guards(server, session):
    for name, csrf in (('without a token', None), ('with a wrong one', '0' * 64)):
        equal(f'no save {name}', session.change('PUT', '/control/drafts/desk/functions/order', {'source': 'return 1;'}, csrf=csrf).status, 403)
    equal('nor without a session', server.send('PUT', '/control/drafts/desk/functions/order', [('Content-Type', 'application/json')], b'{"source":"return 1;"}').status, 404)
    for email, role in (('view@example.com', 'viewer'), ('dev@example.com', 'developer')):
        equal(f'an account is made for {role}', session.change('POST', '/control/users', {'email': email, 'name': role, 'role': role, 'password': 'correct horse battery'}).status, 200)
        reply = server.send('POST', '/console/api/sign-in', [('Content-Type', 'application/json')], json.dumps({'email': email, 'password': 'correct horse battery'}).encode())
        other = Session(server, cookie_of(reply))
        equal(f'a {role} reads', other.get('/control/drafts/desk/functions/order').status, 200)
        equal(f'a {role} saves or does not', other.change('PUT', '/control/drafts/desk/functions/other', {'oauth': True}).status, 403 if role == 'viewer' else 200)
        for path, body in (('modules/Tickets', {'plural_label': 'Tickets'}), ('connectors/mail', {'apis': [API]})):
            equal(f'{path} too', (other.get(f'/control/drafts/desk/{path}').status, other.change('PUT', f'/control/drafts/desk/{path}', body).status), (200, 403 if role == 'viewer' else 200))
            equal(f'or deletes {path}', other.change('DELETE', f'/control/drafts/desk/{path}', {}).status, 403 if role == 'viewer' else 200)


def main():
    with rig.folder() as base:
        data = f'{base}/data'
        manifest = ('{\n  "name": "Desk",\n  "namespace": "desk",\n  "version": "1.0.0",\n  "functions": [\n    {"api_name":"named","file":"scripts/deep/named_file.dg"}\n  ],\n'
                    '  "signals": [{"namespace":"opened","name":"Opened"}],\n  "widgets": [{"name":"form","location":"webtab","url":"app/form.html"}],\n'
                    '  "schedules": [{"function":"order","cron":"@daily"}]\n}\n')
        module = {'api_name': 'Tickets', 'singular_label': 'Ticket', 'plural_label': 'Tickets', 'fields': [{'api_name': 'Weight', 'data_type': 'integer'}]}
        connector = {'api_name': 'mail', 'name': 'Mail', 'apis': [{'api_name': 'send', 'method': 'POST', 'url': 'https://mail.example.com/send'}]}
        folder = rig.extension(f'{base}/desk', 'desk', functions={'order': script('desk.order', 'one')},
                               files={'extension.json': manifest, 'scripts/deep/named_file.dg': script('desk.named', 'first'), 'app/form.html': '<p>form',
                                      'modules/tickets.json': json.dumps(module), 'connectors/mail.json': json.dumps(connector)})
        with rig.Server(folder, data=data) as server:
            if not re.search('^console ', server.out, re.M):
                print('# skipped: this binary was built without the console (meson -Dconsole=true)')
                return
            session = Session(server, cookie_of(server.send('GET', link_of(server))))
            test_contents(server, session)
            test_folder(server, session, folder)
            test_history(server, session, folder)
            test_names(server, session, folder)
            test_links(server, session, folder, f'{base}/outside')
            test_manifest_as_script(server, session, folder)
            test_switches(server, session, folder)
            test_together(server, session, folder)
            test_folder_actions(server, session, folder)
            test_folder_variables(server, session, folder)
            test_folder_modules(server, session, folder)
            test_folder_connectors(server, session, folder)
            test_broken_folder(server, session, folder)
            test_folder_publish(server, session, folder)
            test_draft(server, session)
            test_draft_publish(server, session)
            test_draft_objects(session)
            test_toolkit(server, session)
            test_sizes(session)
            test_guards(server, session)
        test_restart(data, folder)
        test_power_cut(base)


if __name__ == '__main__':
    main()
    rig.done()
