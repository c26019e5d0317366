#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""kill -9 in the middle of installing, upgrading and uninstalling, at moments spread over the whole of it: after the next start either the state before is there,
whole, or the one after; what was answered is there, and the key is the same."""
import _rig as rig
from _rig import command, equal, ok

import json
import re
import shutil
import socket
import sqlite3
import threading
import time

KILLS = 15
MODULE = {'api_name': 'Orders', 'plural_label': 'Orders', 'name_field': {'api_name': 'Order_Name'}, 'fields': [{'api_name': 'State', 'data_type': 'picklist', 'pick_list_values': ['Open']}]}
# Long enough that kills fall into it; each write is a transaction of its own.
SCRIPT = '''for each i in {1,2,3,4,5,6,7,8}
{
	a = zoho.crm.createRecord("shop__Orders",{"shop__Order_Name":"script " + i});
	b = zoho.crm.invokeConnector("crm.set",{"apiname":"shop.url","value":"step " + i});
	c = zoho.crm.createRecord("Leads",{"Last_Name":"script " + i,"Company":"c"});
}
for each lead in zoho.crm.getRecords("Leads")
{
	d = zoho.crm.updateRecord("Leads",lead.get("id"),{"Description":"seen by %s"});
}
'''
# What must be whole, without what differs from run to run (ids and times).
WHOLE = ['SELECT namespace, version, dev, manifest, uninstall_script FROM ext_installed', 'SELECT canonical, source, live FROM ext_function ORDER BY 1',
         'SELECT canonical, type, value, live FROM ext_variable ORDER BY 1', 'SELECT namespace, version FROM ext_history ORDER BY position', 'SELECT namespace, count(*) FROM auth_key GROUP BY 1',
         "SELECT m.api_name, f.api_name, f.definition FROM crm_module m JOIN crm_field f ON f.module_id = m.id WHERE f.namespace = 'shop' ORDER BY 1, 2",
         "SELECT api_name, definition FROM crm_module WHERE namespace = 'shop'", 'SELECT "Last_Name", "Description" FROM "Leads" ORDER BY 1',
         "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'shop%' ORDER BY 1", "SELECT name FROM pragma_table_info('Leads') WHERE name LIKE 'shop%'",
         'SELECT count(*) FROM ext_pending', 'SELECT count(*) FROM store_journals']


def state(data):
    base = sqlite3.connect(f'file:{data}/orgs/default/production.db?mode=ro', uri=True)
    try:
        whole = [base.execute(sql).fetchall() for sql in WHOLE]
        orders = base.execute('SELECT shop__Order_Name FROM shop__Orders ORDER BY 1').fetchall() if ('shop__Orders',) in whole[8] else None
        return whole + [orders, base.execute('PRAGMA integrity_check').fetchall()]
    finally:
        base.close()


def ask(data, path, body, answer):
    """A POST over the server's socket; answer[0] is the whole reply, when one comes."""
    text = json.dumps(body).encode()
    head = f'POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(text)}\r\nConnection: close\r\n\r\n'.encode()
    raw = b''
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(rig.WAIT_S)
        try:
            sock.connect(f'{data}/control.sock')
            sock.sendall(head + text)
            while piece := sock.recv(65536):
                raw += piece
        except OSError:
            pass
    answer.append(rig.Reply(raw) if b'\r\n\r\n' in raw else None)


def once(base, data, path, body, delay=None):
    """On a copy of the folder: the operation, killed after the delay, or not at all. Gives the reply and how long it took."""
    shutil.rmtree(data, ignore_errors=True)
    shutil.copytree(base, data)
    answer = []
    server = rig.Server(data=data)
    thread = threading.Thread(target=ask, args=(data, path, body, answer))
    before = time.monotonic()
    thread.start()
    if delay is None:
        thread.join(rig.WAIT_S)
        took = time.monotonic() - before
        server.stop()
    else:
        time.sleep(delay)
        server.kill()
        thread.join(rig.WAIT_S)
        took = delay
    return answer[0] if answer else None, took


def key_of(data):
    return command('key', 'show', 'shop', '--data', data).out.strip()


def kills(title, base, data, path, body):
    was, key = state(base), key_of(base)
    reply, took = once(base, data, path, body)
    ok(f'{title}: it works', reply and reply.status == 200, reply)
    will = state(data)
    ok(f'{title}: and does something', was != will)
    seen, wrong = {'before': 0, 'after': 0}, []
    for number in range(KILLS):
        reply, _ = once(base, data, path, body, took * 2 * number / KILLS)
        listed = command('ext', 'list', '--data', data)  # the next start
        now = state(data)
        which = 'before' if now == was else 'after' if now == will else 'neither'
        if which == 'neither' or (which == 'before' and reply and reply.status == 200):
            wrong.append((number, which, listed, now))
            continue
        seen[which] += 1
        now_key = key_of(data)
        if key and now_key != (key if which == 'before' or 'uninstall' not in path else ''):
            wrong.append((number, 'key', key, now_key))
    equal(f'{title}: {KILLS} kills, {seen["before"]} found before it and {seen["after"]} after: nothing half', wrong, [])
    print(f'# {title}: took {took * 1000:.0f} ms')


def ext(folder, version, **more):
    files = {'modules/orders.json': json.dumps(MODULE), 'install/on_installation.dg': SCRIPT % version, **more}
    return rig.extension(f'{folder}/shop', 'shop', version, functions={'which': f'return "{version}";'}, variables=[{'field_name': 'URL', 'api_name': 'url', 'value': 'v'}], files=files)


def test_crashes(folder):
    """The three in one, as each begins with what the one before has left."""
    bases = {name: f'{folder}/{name}' for name in ('empty', 'one', 'two')}
    with rig.Server(data=bases['empty']):
        command('ext', 'publish', ext(folder, '1.0.0', **{'install/on_uninstallation.dg': SCRIPT % 'the end'}), '--data', bases['empty'])
        more = {**MODULE, 'plural_label': 'All Orders', 'fields': [{'api_name': 'State', 'data_type': 'picklist', 'pick_list_values': ['Open', 'Done']}, {'api_name': 'Size', 'data_type': 'integer'}]}
        command('ext', 'publish', ext(folder, '2.0.0', **{'modules/orders.json': json.dumps(more), 'modules/leads.json': json.dumps({'api_name': 'Leads', 'fields': [
            {'api_name': 'Size', 'data_type': 'integer'}]}), 'functions/new.dg': 'return 2;'}), '--data', bases['empty'])
    kills('install', bases['empty'], bases['one'], '/control/ext/install', {'namespace': 'shop', 'version': '1.0.0'})
    once(bases['empty'], bases['one'], '/control/ext/install', {'namespace': 'shop', 'version': '1.0.0'})
    kills('upgrade', bases['one'], bases['two'], '/control/ext/upgrade', {'namespace': 'shop'})
    kills('uninstall', bases['one'], bases['two'], '/control/ext/shop/uninstall', {})
    kills('uninstall with its data', bases['one'], bases['two'], '/control/ext/shop/uninstall', {'drop_data': True})
    with rig.Server(data=bases['one']) as server:
        url = json.loads(command('ext', 'show', 'shop', '--json', '--data', bases['one']).out)['installed'][0]['functions'][0]['url']
        equal('what was copied and killed so often still answers', server.send('GET', re.sub(r'^https?://[^/]*', '', url)).output(), '1.0.0')


if rig.POSTGRES:  # a data base cannot be copied with its folder; test/suites/cluster.py kills processes there
    ok('skipped: these are tests of files', True)
    rig.done()
with rig.folder() as temporary:
    try:
        test_crashes(temporary)
    except Exception:
        import traceback
        ok('test_crashes ran to its end', False, traceback.format_exc())
rig.done()
