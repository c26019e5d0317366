#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Bulk jobs: a module read into a CSV, a CSV written into a module, also over a crash, and what is refused."""
import _rig as rig
from _rig import command, equal, matches, ok

import csv
import http.server
import io
import json
import random
import threading
import time
import zipfile

CUT = 'multipart/form-data; boundary=cut'


class Crm:
    def __init__(self, server, data, *scopes):
        self.server = server
        more = ['--scope', ','.join(scopes)] if scopes else []
        self.token = json.loads(command('oauth', 'new', '--json', *more, '--data', data).out)['access_token']

    def send(self, method, path, body=b'', headers=()):
        return self.server.send(method, path, [('Authorization', f'Zoho-oauthtoken {self.token}'), *headers], body)

    def call(self, method, path, body=None):
        reply = self.send(method, path, json.dumps(body).encode() if body is not None else b'')
        return reply.json() if reply.body else reply.status

    def insert(self, rows, module='Leads'):
        for at in range(0, len(rows), 100):
            self.call('POST', f'/crm/v8/{module}', {'data': rows[at:at + 100]})

    def upload(self, lines, name='leads.csv', content=None):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, 'w', zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name, content if content is not None else written(lines))
        body = b'--cut\r\nContent-Disposition: form-data; name="file"; filename="a.zip"\r\n\r\n' + packed.getvalue() + b'\r\n--cut--\r\n'
        return self.send('POST', '/crm/v8/upload', body, [('Content-Type', CUT), ('feature', 'bulk-write'), ('X-CRM-ORG', '1')]).json()

    def read(self, **query):
        reply = self.call('POST', '/crm/bulk/v8/read', {'query': {'module': {'api_name': 'Leads'}, **query}})
        return reply['data'][0]['details']['id'] if 'data' in reply else reply

    def write(self, operation, file_id, callback=None, **resource):
        body = {'operation': operation, 'resource': [{'type': 'data', 'module': {'api_name': 'Leads'}, 'file_id': file_id, 'file_names': ['leads.csv'], **resource}]}
        reply = self.call('POST', '/crm/bulk/v8/write', {**body, **({'callback': callback} if callback else {})})
        return reply['details']['id'] if reply['status'] == 'success' else reply

    def job(self, kind, job):
        reply = self.call('GET', f'/crm/bulk/v8/{kind}/{job}')
        return reply['data'][0] if 'data' in reply else reply

    def ended(self, kind, job, seconds=60):
        state = 'state' if kind == 'read' else 'status'
        return rig.until(lambda: (lambda row: row if row[state] in ('COMPLETED', 'FAILED') else None)(self.job(kind, job)), seconds)

    def result(self, kind, job):
        reply = self.send('GET', f'/crm/bulk/v8/{kind}/{job}/result')
        with zipfile.ZipFile(io.BytesIO(reply.body)) as archive:
            assert archive.testzip() is None
            name, = archive.namelist()
            return name, list(csv.reader(io.StringIO(archive.read(name).decode())))


def written(lines):
    out = io.StringIO()
    csv.writer(out).writerows(lines)
    return out.getvalue()


def test_read(data):
    with rig.Server(data=data) as server:
        crm = Crm(server, data)
        crm.insert([{'Last_Name': f'L{i}', 'City': 'Paris' if i % 3 else 'Rome', 'No_of_Employees': i, 'Description': 'a "b", c\nd' if i == 7 else None} for i in range(1050)])
        job = crm.read(fields=['Last_Name', 'No_of_Employees', 'Owner', 'Description'])
        row = crm.ended('read', job)
        equal('a read ends', [row['state'], row['result']['count'], row['result']['page'], row['result']['per_page'], row['result']['more_records']], ['COMPLETED', 1050, 1, 200000, False])
        equal('its result has an address', row['result']['download_url'], f'/crm/bulk/v8/read/{job}/result')
        name, lines = crm.result('read', job)
        equal('one CSV', name, f'{job}.csv')
        equal('of the fields that were asked for', lines[0], ['Id', 'Last_Name', 'No_of_Employees', 'Owner', 'Description'])
        equal('each record once, in order', [line[1] for line in lines[1:]], [f'L{i}' for i in range(1050)])
        equal('with quotes, commas and lines as they are', lines[8][4], 'a "b", c\nd')
        matches('look-ups by their id', lines[1][3], r'^\d{18}$')
        job = crm.read(criteria={'group_operator': 'and', 'group': [{'field': {'api_name': 'City'}, 'comparator': 'equal', 'value': 'Rome', 'type': 'value'},
                                                                  {'api_name': 'No_of_Employees', 'comparator': 'less_than', 'value': 30}]}, fields=['Last_Name'])
        equal('by criteria', [crm.ended('read', job)['result']['count'], len(crm.result('read', job)[1])], [10, 11])
        job = crm.read(page=2)
        equal('a page behind the last one is empty', [crm.ended('read', job)['result']['count'], len(crm.result('read', job)[1])], [0, 1])
        job = crm.read()
        crm.ended('read', job)
        lines = crm.result('read', job)[1]
        ok('without fields it is all of them', len(lines[0]) > 40 and 'Email' in lines[0], lines[0])
        views = crm.call('GET', '/crm/v8/settings/custom_views?module=Leads')['custom_views']
        job = crm.read(cvid=next(view['id'] for view in views if view['system_name'] == 'CONVERTEDVIEWS'), fields=['Last_Name'])
        equal('or a view', crm.ended('read', job)['result']['count'], 0)

        def refused(name, code, body, key=None):
            reply = crm.call('POST', '/crm/bulk/v8/read', body)
            equal(name, [reply.get('code'), reply.get('details', {}).get('api_name')], [code, key])

        module = {'api_name': 'Leads'}
        refused('no query', 'MANDATORY_NOT_FOUND', {}, 'query')
        refused('no module', 'MANDATORY_NOT_FOUND', {'query': {}}, 'module')
        refused('an unknown module', 'INVALID_MODULE', {'query': {'module': {'api_name': 'Nothing'}}}, 'module')
        refused('an unknown field', 'INVALID_DATA', {'query': {'module': module, 'fields': ['Nothing']}}, 'fields')
        refused('a field of another record', 'NOT_SUPPORTED', {'query': {'module': module, 'fields': ['Owner.email']}}, 'fields')
        refused('fields that are no list', 'INVALID_DATA', {'query': {'module': module, 'fields': 'City'}}, 'fields')
        refused('a page that is none', 'INVALID_DATA', {'query': {'module': module, 'page': 0}}, 'page')
        refused('criteria of no field', 'INVALID_DATA', {'query': {'module': module, 'criteria': {'api_name': 'Nothing', 'comparator': 'equal', 'value': '1'}}}, 'Nothing')
        refused('calendars', 'NOT_SUPPORTED', {'query': {'module': module}, 'file_type': 'ics'}, 'file_type')
        refused('a callback to nowhere', 'INVALID_DATA', {'query': {'module': module}, 'callback': {'url': 'x', 'method': 'post'}}, 'url')
        equal('a job that is none', crm.call('GET', '/crm/bulk/v8/read/1')['code'], 'RESOURCE_NOT_FOUND')
        equal('nor is a result', crm.call('GET', '/crm/bulk/v8/read/1/result')['code'], 'RESOURCE_NOT_FOUND')
        equal('a read is no write', crm.call('GET', f'/crm/bulk/v8/write/{job}')['code'], 'RESOURCE_NOT_FOUND')
        less = Crm(server, data, 'ZohoCRM.bulk.READ', 'ZohoCRM.modules.Contacts.READ')
        equal('a token needs the module, too', less.call('POST', '/crm/bulk/v8/read', {'query': {'module': module}})['code'], 'OAUTH_SCOPE_MISMATCH')
        equal('also for what others have read', less.call('GET', f'/crm/bulk/v8/read/{job}/result')['code'], 'OAUTH_SCOPE_MISMATCH')
        head = crm.send('HEAD', f'/crm/bulk/v8/read/{job}/result')
        equal('HEAD sends nothing', [head.status, head.body], [200, b''])


def test_write(data):
    told = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            told.append(json.loads(self.rfile.read(int(self.headers['Content-Length']))))
            self.send_response(200)
            self.send_header('Content-Length', '0')
            self.end_headers()

        def log_message(self, *args):
            pass

    hook = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
    threading.Thread(target=hook.serve_forever, daemon=True).start()
    rig.write(f'{data}/config', 'outbound.allow = 127.0.0.1\n')
    with rig.Server(data=data) as server:
        crm = Crm(server, data)
        lines = [['Last_Name', 'Email', 'No_of_Employees', 'Description', 'Email_Opt_Out', 'Nothing']]
        lines += [[f'W{i}', f'w{i}@example.com', i, 'two\nlines, "quoted"' if i == 3 else '', 'true' if i % 2 else '', 'x'] for i in range(250)]
        lines[101][1] = 'not an address'
        lines[151][0] = ''
        reply = crm.upload(lines)
        equal('an upload', [reply['status'], reply['code']], ['success', 'FILE_UPLOAD_SUCCESS'])
        file_id = reply['details']['file_id']
        job = crm.write('insert', file_id, {'url': f'http://127.0.0.1:{hook.server_address[1]}/', 'method': 'post'})
        row = crm.ended('write', job)
        file = row['resource'][0]['file']
        equal('a write ends', [row['status'], file['added_count'], file['skipped_count'], file['updated_count'], file['total_count']], ['COMPLETED', 248, 2, 0, 250])
        result = crm.result('write', job)[1]
        equal('its result has the columns and what came of them', result[0], lines[0] + ['STATUS', 'RECORD_ID', 'ERRORS'])
        equal('good lines', [result[1][6], result[1][8]], ['ADDED', ''])
        equal('and bad ones', [[result[101][6], result[101][8]], [result[151][6], result[151][8]]], [['SKIPPED', 'INVALID_DATA:Email'], ['SKIPPED', 'MANDATORY_NOT_FOUND:Last_Name']])
        record = crm.call('GET', f'/crm/v8/Leads/{result[4][7]}')['data'][0]
        equal('the record', [record[key] for key in ('Last_Name', 'No_of_Employees', 'Description', 'Email_Opt_Out')], ['W3', 3, 'two\nlines, "quoted"', True])
        rig.until(lambda: told)
        equal('the callback is told', [told[0]['id'], told[0]['status']], [job, 'COMPLETED'])

        ids = [line[7] for line in result[1:4]]
        update = crm.upload([['id', 'City', 'Description']] + [[ids[0], 'Bonn', ''], [ids[1], '', ''], ['1', 'Bonn', '']])['details']['file_id']
        job = crm.write('update', update, ignore_empty=True, find_by='id')
        file = crm.ended('write', job)['resource'][0]['file']
        equal('updates by id', [file['updated_count'], file['skipped_count']], [2, 1])
        equal('change what is given', crm.call('GET', f'/crm/v8/Leads/{ids[0]}')['data'][0]['City'], 'Bonn')
        upsert = crm.upload([['w1@example.com', 'New', 'Kiel'], ['new@example.com', 'New', 'Kiel']], content='a,b,c\r\nw1@example.com,Renamed,Kiel\r\nnew@example.com,New,')['details']['file_id']
        job = crm.write('upsert', upsert, find_by='Email', field_mappings=[{'api_name': 'Email', 'index': 0}, {'api_name': 'Last_Name', 'index': 1},
                                                                          {'api_name': 'City', 'index': 2, 'default_value': {'value': 'Ulm'}}])
        file = crm.ended('write', job)['resource'][0]['file']
        equal('upserts by a field, with columns by number', [file['updated_count'], file['added_count']], [1, 1])
        found = crm.call('GET', '/crm/v8/Leads/search?email=new@example.com')['data'][0]
        equal('an empty cell has its default', found['City'], 'Ulm')

        def refused(name, code, body, key):
            reply = crm.call('POST', '/crm/bulk/v8/write', body)
            equal(name, [reply.get('code'), reply.get('details', {}).get('api_name')], [code, key])

        resource = {'type': 'data', 'module': {'api_name': 'Leads'}, 'file_id': file_id, 'file_names': ['leads.csv']}
        refused('no operation', 'MANDATORY_NOT_FOUND', {'resource': [resource]}, 'operation')
        refused('another operation', 'INVALID_DATA', {'operation': 'delete', 'resource': [resource]}, 'operation')
        refused('no resource', 'MANDATORY_NOT_FOUND', {'operation': 'insert'}, 'resource')
        refused('two of them', 'NOT_SUPPORTED', {'operation': 'insert', 'resource': [resource, resource]}, 'resource')
        refused('no such file', 'INVALID_DATA', {'operation': 'insert', 'resource': [{**resource, 'file_id': '1'}]}, 'file_id')
        refused('no such module', 'INVALID_MODULE', {'operation': 'insert', 'resource': [{**resource, 'module': {'api_name': 'Nothing'}}]}, 'module')
        refused('no such field', 'INVALID_DATA', {'operation': 'insert', 'resource': [{**resource, 'field_mappings': [{'api_name': 'Nothing', 'index': 0}]}]}, 'api_name')
        equal('a zip that is none', crm.send('POST', '/crm/v8/upload', b'--cut\r\nContent-Disposition: form-data; name="file"; filename="a.zip"\r\n\r\nno zip\r\n--cut--\r\n',
                                             [('Content-Type', CUT)]).json()['code'], 'INVALID_DATA')
        equal('one without a CSV', crm.upload([], name='a.txt')['code'], 'INVALID_DATA')
        equal('no form', crm.send('POST', '/crm/v8/upload', b'x').json()['code'], 'INVALID_DATA')
        empty = crm.upload([], content='')['details']['file_id']
        row = crm.ended('write', crm.write('insert', empty))
        equal('an empty file fails', [row['status'], row['result']['error_message']], ['FAILED', 'the file is empty'])
        long = crm.upload([], content='Last_Name\n"' + random.randbytes(1500000).hex())['details']['file_id']
        matches('so does a line without end', crm.ended('write', crm.write('insert', long))['result']['error_message'], 'longer than')
        less = Crm(server, data, 'ZohoCRM.bulk.ALL', 'ZohoCRM.modules.Leads.READ')
        equal('a token needs the module, too', less.call('POST', '/crm/bulk/v8/write', {'operation': 'insert', 'resource': [resource]})['code'], 'OAUTH_SCOPE_MISMATCH')


def test_killed(data):
    """Each line is written once, whenever the process ends; a read goes on where it was."""
    server = rig.Server(data=data)
    crm = Crm(server, data)
    file_id = crm.upload([['Last_Name', 'Email']] + [[f'K{i}', f'k{i}@example.com'] for i in range(3000)])['details']['file_id']
    job = crm.write('insert', file_id)
    kills = 0
    while kills < (1 if rig.POSTGRES else 4):  # there a job is another process's for half a minute
        rig.until(lambda: rig.rows(data, f'SELECT progress FROM crm_bulk_job WHERE id = {job}')[0][0] != '{}')
        time.sleep(0.05)
        server.kill()
        kills += 1
        server = crm.server = rig.Server(data=data)
    row = crm.ended('write', job, 120)
    count = rig.rows(data, 'SELECT COUNT(*), COUNT(DISTINCT "Email") FROM "Leads"')[0]
    equal('every line is there, and once', [row['status'], count], ['COMPLETED', [3000, 3000]])
    file = row['resource'][0]['file']
    lines = crm.result('write', job)[1]
    equal('the result tells of each', [file['total_count'], len(lines)], [3000, 3001])
    equal('most of what came of it', file['added_count'] + sum(line[2] == 'UNKNOWN' for line in lines), 3000)
    job = crm.read(fields=['Last_Name'])
    server.kill()
    server = crm.server = rig.Server(data=data)
    row = crm.ended('read', job, 120)
    equal('a read is whole', [row['result']['count'], len(set(line[1] for line in crm.result('read', job)[1]))], [3000, 3001])
    server.stop()


for name, test in list(globals().items()):
    if name.startswith('test_') and (len(rig.sys.argv) < 3 or name in rig.sys.argv[2:]):
        with rig.folder() as data:
            test(data)
rig.done()
