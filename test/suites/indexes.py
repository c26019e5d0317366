#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Indexes: by command, by themselves, and what becomes of them."""
import _rig as rig
from _rig import command, equal, matches, ok

import json
import re
import sqlite3

MODULE = {'api_name': 'Boxes', 'singular_label': 'Box', 'plural_label': 'Boxes', 'name_field': {'api_name': 'Box_Name'},
          'fields': [{'api_name': 'Colour', 'field_label': 'Colour', 'data_type': 'text'}]}
FILL = '''for each n in {1,2,3,4,5,6,7,8,9}
{
	zoho.crm.createRecord("Leads",{"Last_Name":"L" + n,"City":"C" + n});
}
return "done";'''
ASK = 'return zoho.crm.searchRecords("Leads","(State:equals:" + crmAPIRequest.get("params").get("state") + ")").size();'


def indexes(data, place='orgs/default/production'):
    if rig.POSTGRES:
        return rig.query(rig.store_url(data), f"SELECT indexname FROM pg_indexes WHERE schemaname = '{place}' ORDER BY 1").split('\n')
    base = sqlite3.connect(f'file:{data}/{place}.db?mode=ro', uri=True)
    try:
        return [name for name, in base.execute("SELECT name FROM sqlite_master WHERE type = 'index' ORDER BY name")]
    finally:
        base.close()


def plan(data, sql):
    base = sqlite3.connect(f'file:{data}/orgs/default/production.db?mode=ro', uri=True)
    try:
        return repr(base.execute('EXPLAIN QUERY PLAN ' + sql).fetchall())
    finally:
        base.close()


def test_command(folder):
    data = f'{folder}/data'
    command('org', 'new', 'acme', '--data', data)
    equal('an index is made', command('index', 'new', 'Leads', 'City', '--data', data).out, 'Leads.City is indexed\n')
    ok('it is there', 'Leads.City.all' in indexes(data), indexes(data))
    equal('once', command('index', 'new', 'leads', 'city', '--data', data).out, 'leads.city is indexed already\n')
    matches('and listed', command('index', 'list', '--data', data).out, r'^Leads City  since \d{4}-\d\d-\d\dT\S+\n$')
    equal('as JSON too', [(one['module'], one['field'], one['by_itself']) for one in json.loads(command('index', 'list', '--json', '--data', data).out)], [('Leads', 'City', False)])
    if not rig.POSTGRES:
        matches('searches go by it', plan(data, "SELECT * FROM Leads t WHERE t.City COLLATE NOCASE = 'x'"), 'USING INDEX Leads.City.all')
        matches('lists too', plan(data, 'SELECT * FROM Leads t ORDER BY t.City COLLATE NOCASE ASC, t.id ASC LIMIT 5'), 'USING INDEX Leads.City.all')
    for module, field, why in (('Leads', 'Nothing', 'has no field "Nothing"'), ('Nothing', 'City', 'module name'), ('Leads', 'Tag', 'takes no index'), ('Leads', '../x', 'has no field')):
        result = command('index', 'new', module, field, '--data', data)
        ok(f'{module} {field} is refused', result.code == 1 and why in result.err, repr(result))
    equal('another org has none', command('index', 'list', '--org', 'acme', '--data', data).out, '')


def test_custom(folder):
    ext = rig.extension(f'{folder}/ext', functions={'f': 'return 1;'}, files={'modules/boxes.json': json.dumps(MODULE)})
    data = f'{folder}/data'
    command('org', 'new', 'acme', '--data', data)
    equal('it is installed', command('ext', 'install', ext, '--data', data).code, 0)
    equal('a field of an extension', command('index', 'new', 'ext__Boxes', 'ext__Colour', '--data', data).out, 'ext__Boxes.ext__Colour is indexed\n')
    equal('goes with its module', command('ext', 'uninstall', 'ext', '--drop-data', '--data', data).code, 0)
    equal('also from the list', (command('index', 'list', '--data', data).out, [name for name in indexes(data) if 'Colour' in name]), ('', []))
    command('ext', 'install', 'ext', '--data', data)
    equal('and can be made again', command('index', 'new', 'ext__Boxes', 'ext__Colour', '--data', data).out, 'ext__Boxes.ext__Colour is indexed\n')


def test_by_itself(folder):
    """With the limit slow_read_ms at 0 every read is slow."""
    ext = rig.extension(f'{folder}/ext', functions={'fill': FILL, 'ask': ASK})
    with rig.Server(ext, data=f'{folder}/data', env={'SLUICE_LIMIT_SLOW_READ_MS': '0'}) as server:
        token = json.loads(command('oauth', 'new', '--json', '--data', server.data).out)['access_token']
        get = lambda target: server.send('GET', f'/crm/v8/{target}', [('Authorization', f'Zoho-oauthtoken {token}')])  # noqa: E731
        listed = lambda: re.findall(r'^(\S+ \S+) ', command('index', 'list', '--data', server.data).out, re.M)  # noqa: E731
        server.call('ext__fill')
        for i in range(4):
            get('Leads/search?criteria=(City:equals:C1)')
        equal('after four slow searches there is no index', listed(), [])
        equal('the fifth finds what it asked for', get('Leads/search?criteria=(City:equals:C1)').json()['data'][0]['Last_Name'], 'L1')
        equal('and leaves an index', listed(), ['Leads City'])
        matches('which the log tells', server.err, r'index Leads\.City is indexed from now on')
        equal('it finds the same', get('Leads/search?criteria=(City:equals:C1)').json()['data'][0]['Last_Name'], 'L1')
        for i in range(6):
            get('Leads?fields=Last_Name&sort_by=Modified_Time')
            get('Leads/search?criteria=((Email:equals:x@y.zz)or(Zip_Code:equals:1))')
            get('Leads/search?criteria=(Street:not_equal:x)')
            get('Leads/search?word=something')
            get('Leads?fields=Last_Name')
        equal('a sorted list gets one; what an index would not serve does not', listed(), ['Leads City', 'Leads Modified_Time'])
        for i in range(6):
            server.call('ext__ask', 'state=x')
        equal('searches of scripts count', listed(), ['Leads City', 'Leads Modified_Time', 'Leads State'])
        for i in range(25):
            field = ['Company', 'Designation', 'Mobile', 'Fax', 'Website', 'Lead_Source', 'Lead_Status', 'Industry', 'No_of_Employees', 'Annual_Revenue', 'Rating', 'Skype_ID', 'Twitter',
                     'Secondary_Email', 'First_Name', 'Full_Name', 'Salutation', 'Street', 'Zip_Code', 'Country', 'Description', 'Owner', 'Created_By', 'Modified_By', 'Created_Time'][i]
            for _ in range(5):
                get(f'Leads?fields=Last_Name&sort_by={field}')
                get(f'Leads/search?criteria=({field}:equals:1)')
        equal('twenty are enough', len(listed()), 20)


for test in (test_command, test_custom, test_by_itself):
    with rig.folder() as path:
        test(path)
rig.done()
