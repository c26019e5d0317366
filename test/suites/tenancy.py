#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""DESIGN security 6: every route there is, tried for one org environment by those who belong to another.

Two orgs, each with production and sandbox, have the same extension, the same functions and records that carry the name of their place. The routes come
from `sluice docs api`; routes() below says for each what stands for its parameters and what its body is, so that the request would do something if it were
let in. A route that is not there fails the suite: add a line to it.

Attackers bring the keys and tokens of the other places, in every way there is, and the headers that name the victim's org to an owner. Nothing of the
victim's may stand in a reply, and not one row of its data base may change. Then the same requests are made by the owner of the victim's org: a request that
would not have worked anyway has proved nothing."""
import _rig as rig
from _rig import command, equal, ok

import http.client
import io
import json
import re
import socket
import sqlite3
import urllib.parse
import zipfile

PLACES = [(org, environment) for org in ('alpha', 'beta') for environment in ('production', 'sandbox')]
VICTIM = ('alpha', 'production')
JSON = 'application/json'
FORM = 'multipart/form-data; boundary=cut'
FETCH = '''h = Map();
h.put("X-Sluice-Org","alpha");
h.put("X-Sluice-Environment","production");
r = invokeurl [ url: crmAPIRequest.get("params").get("url") type: GET headers: h ];
return r;'''


def lead(name):
    return {'data': [{'Last_Name': name, 'Email': f'{name}@example.com'}]}


def webhook(name):
    return {'webhooks': [{'name': name, 'module': {'api_name': 'Solutions'}, 'url': 'http://127.0.0.1:1/', 'http_method': 'POST', 'feature_type': 'workflow'}]}


def rule(name, webhook_):
    actions = {'actions': [{'type': 'webhooks', 'id': webhook_}]}
    return {'workflow_rules': [{'name': name, 'module': {'api_name': 'Solutions'}, 'execute_when': {'type': 'create', 'details': {'trigger_module': {'api_name': 'Solutions'}}},
                                'conditions': [{'sequence_number': 1, 'criteria_details': {'criteria': None}, 'instant_actions': actions}]}]}


def zipped(name):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, 'w') as archive:
        archive.writestr('vendors.csv', f'Vendor_Name\n{name}\n')
    return b'--cut\r\nContent-Disposition: form-data; name="file"; filename="a.zip"\r\n\r\n' + packed.getvalue() + b'\r\n--cut--\r\n'


def bulk(file):
    return {'operation': 'insert', 'resource': [{'type': 'data', 'module': {'api_name': 'Vendors'}, 'file_id': file}]}


def watch(channel):
    return {'watch': [{'channel_id': channel, 'events': ['Solutions.all'], 'notify_url': 'http://127.0.0.1:1/'}]}


# pattern → (parameters, query, body, Content-Type), in an order in which all of them can be done one after another. `v` is what there is of the victim's.
def routes(v):
    leads = iter(v['leads'])
    fresh = lambda: next(leads)  # noqa: E731, a record of its own for what deletes or links one
    function = {'functions': [{'file': 'made.dg', 'source': 'string made()\n{\n\treturn "made";\n}'}]}
    attachment = f'--cut\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n{v["mark"]}\r\n--cut--\r\n'
    return [
        ('any /healthz', {}, '', None), ('any /readyz', {}, '', None), ('GET /metrics', {}, '', None),
        # functions
        ('any /crm/v{N}/functions/{api_name}/actions/execute', {'api_name': 'ten__who'}, '', None),
        ('any /crm/v{N}/settings/custom_functions/{api_name}/execute', {'api_name': 'ten.who'}, '', None),
        # OAuth, and what everybody may see: here for what it tells
        ('POST /oauth/v2/token', {}, '', Form(grant_type='refresh_token', client_id=v['client'], client_secret='x', refresh_token='y')),
        ('POST /oauth/v2/auth', {}, '', Form(grant_type='client_credentials', client_id=v['client'], client_secret='x')),
        ('POST /oauth/v2/token/revoke', {}, '', Form(token='x')), ('GET /oauth/v2/auth', {}, f'response_type=code&client_id={v["client"]}', None),
        ('GET /widgets/{namespace}/{path*}', {'namespace': 'ten', 'path': 'app/widget.html'}, '', None),
        ('POST /console/api/widget-token', {}, '', {'namespace': 'ten'}),
        ('POST /console/api/widget-call', {}, '', {'namespace': 'ten', 'task': 'variable', 'name': 'ten.mark'}),
        ('GET /js-sdk/{version}/ZohoEmbededAppSDK.min.js', {'version': '1.2'}, '', None),
        # the org, by its owner
        # the console: what nobody's place is
        ('GET /console', {}, '', None), ('GET /console/', {}, '', None), ('any /console/{path*}', {'path': 'records'}, '', {}), ('GET /console/api/session', {}, '', None),
        ('POST /console/api/sign-in', {}, '', {'email': 'nobody@example.com', 'password': 'wrong password'}), ('POST /console/api/sign-out', {}, '', {}),
        ('GET /control/users', {}, '', None), ('POST /control/users', {}, '', {'email': 'made@example.com', 'password': 'long enough', 'role': 'viewer'}),
        ('PUT /control/users/{email}', {'email': 'made@example.com'}, '', {'role': 'developer'}), ('DELETE /control/users/{email}', {'email': 'made@example.com'}, '', None),
        ('POST /control/links', {}, '', {}),
        ('GET /control/orgs', {}, '', None), ('GET /control/orgs/{org}', {'org': 'alpha'}, '', None),
        ('POST /control/orgs', {}, '', {'name': 'gamma'}), ('POST /control/orgs/{org}/sandbox', {'org': 'gamma'}, '', {}),
        ('GET /control/ext', {}, '', None), ('GET /control/ext/{namespace}', {'namespace': 'ten'}, '', None),
        ('GET /control/ext/{namespace}/variables', {'namespace': 'ten'}, '', None),
        ('PUT /control/ext/{namespace}/variables/{variable}', {'namespace': 'ten', 'variable': 'other'}, '', {'value': 'changed'}),
        ('GET /control/drafts', {}, '', None), ('POST /control/drafts', {}, '', {'name': 'Made', 'namespace': 'made'}), ('GET /control/drafts/{namespace}', {'namespace': 'made'}, '', None),
        ('PUT /control/drafts/{namespace}/functions/{name}', {'namespace': 'made', 'name': 'f'}, '', {'source': 'return "made";'}),
        ('GET /control/drafts/{namespace}/functions/{name}', {'namespace': 'made', 'name': 'f'}, '', None),
        ('PUT /control/drafts/{namespace}/tests/{name}', {'namespace': 'made', 'name': 'f'}, '', {'source': '{"tests":[]}'}),
        ('GET /control/drafts/{namespace}/functions/{name}/history', {'namespace': 'made', 'name': 'f'}, '', None),
        ('GET /control/drafts/{namespace}/actions/{action}/history', {'namespace': 'made', 'action': 'on_update'}, '', None),
        ('DELETE /control/drafts/{namespace}/functions/{name}', {'namespace': 'made', 'name': 'f'}, '', None),
        ('PUT /control/drafts/{namespace}/actions/{action}', {'namespace': 'made', 'action': 'on_update'}, '', {'source': 'info 1;'}),
        ('GET /control/drafts/{namespace}/actions/{action}', {'namespace': 'made', 'action': 'on_update'}, '', None),
        ('PUT /control/drafts/{namespace}/variables/{variable}', {'namespace': 'made', 'variable': 'v'}, '', {'field_name': 'V', 'value': 'made'}),
        ('DELETE /control/drafts/{namespace}/variables/{variable}', {'namespace': 'made', 'variable': 'v'}, '', None),
        ('PUT /control/drafts/{namespace}/modules/{module}', {'namespace': 'made', 'module': 'Things'}, '', {'plural_label': 'Made'}),
        ('GET /control/drafts/{namespace}/modules/{module}', {'namespace': 'made', 'module': 'Things'}, '', None),
        ('DELETE /control/drafts/{namespace}/modules/{module}', {'namespace': 'made', 'module': 'Things'}, '', None),
        ('PUT /control/drafts/{namespace}/connectors/{connector}', {'namespace': 'made', 'connector': 'c'}, '', {'apis': [{'api_name': 'get', 'url': 'https://made.example.com'}]}),
        ('GET /control/drafts/{namespace}/connectors/{connector}', {'namespace': 'made', 'connector': 'c'}, '', None),
        ('DELETE /control/drafts/{namespace}/connectors/{connector}', {'namespace': 'made', 'connector': 'c'}, '', None),
        ('POST /control/drafts/{namespace}/publish', {'namespace': 'made'}, '', {'version': '1.0.0'}),
        ('PUT /control/drafts/{namespace}/variables/{variable}', {'namespace': 'made', 'variable': 'w'}, '', {'field_name': 'W'}),
        ('DELETE /control/drafts/{namespace}', {'namespace': 'made'}, '', None),
        ('GET /control/keys', {}, '', None), ('GET /control/keys/{namespace}', {'namespace': 'ten'}, '', None),
        ('PUT /control/keys/{namespace}', {'namespace': 'ten'}, '', {'rate': '1000/minute'}),
        ('POST /control/keys/{namespace}/rotate', {'namespace': 'ten'}, '', {'grace_ms': 3600000}),
        ('GET /control/fn', {}, '', None), ('GET /control/fn/{name}', {'name': 'told'}, '', None), ('POST /control/fn', {}, '', function),
        ('GET /control/fn/{name}/history', {'name': 'told'}, '', None),
        ('POST /control/fn/{name}/restore/{version}', {'name': 'told', 'version': '1'}, '', {}),
        ('GET /control/oauth', {}, '', None), ('POST /control/oauth', {}, '', {'name': 'made', 'scope': 'ZohoCRM.modules.ALL'}),
        ('POST /control/oauth/{client}/code', {'client': v['client']}, '', {'scope': 'ZohoCRM.modules.ALL', 'minutes': 10}),
        ('POST /control/oauth/requests/{request}/approve', {'request': v['requests'][0]}, '', {}),
        ('POST /control/oauth/requests/{request}/deny', {'request': v['requests'][1]}, '', {}),
        ('GET /control/schedules', {}, '', None), ('PUT /control/schedules/{function}', {'function': 'ticks'}, '', {'cron': '0 3 * * *'}),
        ('POST /control/schedules/{function}/run', {'function': 'ticks'}, '', {}), ('DELETE /control/schedules/{function}', {'function': 'ticks'}, '', None),
        ('GET /control/connections', {}, '', None), ('GET /control/connections/{name}', {'name': 'held'}, '', None),
        ('POST /control/connections', {}, '', {'name': 'made', 'definition': {'type': 'none'}, 'secrets': {}}),
        ('POST /control/connections/{name}/test', {'name': 'inner'}, '', {}),
        ('GET /control/indexes', {}, '', None), ('PUT /control/indexes/{module}/{field}', {'module': 'Leads', 'field': 'City'}, '', {}),
        ('POST /control/check', {}, '', {'source': 'info 1;'}), ('POST /control/format', {}, '', {'source': 'info 1;'}),
        ('POST /control/execute', {}, '', {'source': 'info 1;'}), ('GET /control/language', {}, '', None),
        ('GET /control/runs', {}, '', None), ('GET /control/runs/figures', {}, '', None), ('GET /control/runs/{id}', {'id': v['run']}, '', None), ('POST /control/runs/{id}/replay', {'id': v['run']}, '', {}),
        ('GET /control/functions', {}, 'keys=true', None), ('GET /control/logs', {}, '', None), ('GET /control/audit', {}, '', None),
        # the CRM
        ('GET /crm/v{N}/settings/modules', {}, '', None), ('GET /crm/v{N}/settings/modules/{module}', {'module': 'Leads'}, '', None),
        ('GET /crm/v{N}/settings/fields', {}, 'module=Leads', None), ('GET /crm/v{N}/settings/fields/{field}', {'field': 'Last_Name'}, 'module=Leads', None),
        ('GET /crm/v{N}/settings/related_lists', {}, 'module=Leads', None), ('GET /crm/v{N}/settings/related_lists/{id}', {'id': v['related_list']}, 'module=Leads', None),
        ('GET /crm/v{N}/settings/layouts', {}, 'module=Leads', None), ('GET /crm/v{N}/settings/layouts/{id}', {'id': v['layout']}, 'module=Leads', None),
        ('GET /crm/v{N}/settings/custom_views', {}, 'module=Leads', None), ('GET /crm/v{N}/settings/custom_views/{id}', {'id': v['view']}, 'module=Leads', None),
        ('PUT /crm/v{N}/settings/custom_views/actions/change_sort', {}, 'module=Leads', {'custom_views': [{'id': v['view'], 'sort_by': {'api_name': 'City'}, 'sort_order': 'asc'}]}),
        ('PUT /crm/v{N}/settings/custom_views/{id}/actions/change_sort', {'id': v['view']}, 'module=Leads', {'custom_views': [{'sort_by': {'api_name': 'City'}, 'sort_order': 'desc'}]}),
        ('GET /crm/v{N}/org', {}, '', None), ('GET /crm/v{N}/users', {}, '', None), ('GET /crm/v{N}/users/{id}', {'id': v['user']}, '', None),
        ('POST /crm/v{N}/users', {}, '', {'users': [{'first_name': 'New', 'email': 'new@tenancy.example', 'role': v['role'], 'profile': v['profile']}]}),
        ('PUT /crm/v{N}/users', {}, '', {'users': [{'id': v['user'], 'city': 'changed'}]}), ('PUT /crm/v{N}/users/{id}', {'id': v['user']}, '', {'users': [{'city': 'changed again'}]}),
        ('DELETE /crm/v{N}/users/{id}', {'id': v['colleague']}, '', None),
        ('POST /crm/v{N}/settings/modules', {'N': '8'}, '', {'modules': [{'plural_label': 'Mades', 'singular_label': 'Made', 'profiles': [{'id': v['profile']}]}]}),
        ('PUT /crm/v{N}/settings/modules', {'N': '8'}, '', {'modules': [{'id': v['module'], 'singular_label': 'Changed'}]}),
        ('PUT /crm/v{N}/settings/modules/{module}', {'N': '8', 'module': 'Own'}, '', {'modules': [{'singular_label': 'Changed again'}]}),
        ('POST /crm/v{N}/settings/fields', {}, 'module=Own', {'fields': [{'field_label': 'made', 'data_type': 'text'}]}),
        ('PATCH /crm/v{N}/settings/fields', {}, 'module=Own', {'fields': [{'id': v['field'], 'field_label': 'changed'}]}),
        ('PATCH /crm/v{N}/settings/fields/{field}', {'field': v['field']}, 'module=Own', {'fields': [{'field_label': 'changed again'}]}),
        ('GET /crm/v{N}/settings/fields/{field}/pick_list_values', {'field': v['field']}, 'module=Own', None),
        ('DELETE /crm/v{N}/settings/fields/{field}', {'field': v['field']}, 'module=Own', None),
        ('any /crm/v{N}/settings/global_picklists', {}, '', {}), ('any /crm/v{N}/settings/global_picklists/{path*}', {'path': '1'}, '', {}),
        ('GET /crm/v{N}/settings/variables', {}, '', None), ('GET /crm/v{N}/settings/variables/{variable}', {'variable': 'place'}, 'group=General', None),
        ('POST /crm/v{N}/settings/variables', {}, '', {'variables': [{'api_name': 'made', 'name': 'made', 'variable_group': {'name': 'made'}}]}),
        ('PUT /crm/v{N}/settings/variables', {}, '', {'variables': [{'id': v['variable'], 'value': 'changed'}]}),
        ('PUT /crm/v{N}/settings/variables/{variable}', {'variable': 'place'}, '', {'variables': [{'value': 'changed again'}]}),
        ('GET /crm/v{N}/settings/variable_groups', {}, '', None), ('GET /crm/v{N}/settings/variable_groups/{id}', {'id': v['variable_group']}, '', None),
        ('PUT /crm/v{N}/settings/variable_groups', {}, '', {'variable_groups': [{'id': v['variable_group'], 'description': 'changed'}]}),
        ('PUT /crm/v{N}/settings/variable_groups/{id}', {'id': v['variable_group']}, '', {'variable_groups': [{'description': 'changed again'}]}),
        ('DELETE /crm/v{N}/settings/variables', {}, f'ids={v["variable"]}', None), ('DELETE /crm/v{N}/settings/variables/{variable}', {'variable': 'spare'}, '', None),
        ('GET /crm/v{N}/settings/roles', {}, '', None), ('GET /crm/v{N}/settings/roles/{id}', {'id': v['role']}, '', None),
        ('POST /crm/v{N}/settings/roles', {}, '', {'roles': [{'name': 'made', 'reporting_to': {'id': v['role']}}]}),
        ('PUT /crm/v{N}/settings/roles', {}, '', {'roles': [{'id': v['role'], 'description': 'changed'}]}),
        ('PUT /crm/v{N}/settings/roles/{id}', {'id': v['role']}, '', {'roles': [{'description': 'changed again'}]}),
        ('DELETE /crm/v{N}/settings/roles/{id}', {'id': v['spare_role']}, f'transfer_to_id={v["role"]}', None),
        ('GET /crm/v{N}/settings/profiles', {}, '', None), ('GET /crm/v{N}/settings/profiles/{id}', {'id': v['profile']}, '', None),
        ('POST /crm/v{N}/settings/profiles/{id}/actions/clone', {'id': v['profile']}, '', {'profiles': [{'name': 'made'}]}),
        ('PUT /crm/v{N}/settings/profiles/{id}', {'id': v['spare_profile']}, '', {'profiles': [{'description': 'changed'}]}),
        ('DELETE /crm/v{N}/settings/profiles/{id}', {'id': v['spare_profile']}, f'transfer_to_id={v["profile"]}', None),
        ('GET /crm/v{N}/settings/functions', {}, '', None), ('GET /crm/v{N}/settings/functions/{function}', {'function': v['function']}, '', None),
        ('GET /crm/v{N}/settings/functions/{function}/code', {'function': v['function']}, '', None),
        ('POST /crm/v{N}/settings/functions', {}, 'metadata=' + urllib.parse.quote(json.dumps({'functions': [{'api_name': 'empty', 'category': 'Standalone', 'return_type': 'string'}]})), {}),
        ('PUT /crm/v{N}/settings/functions/{function}', {'function': v['function']}, '',
         '--cut\r\nContent-Disposition: form-data; name="code"; filename="script.ds"\r\n\r\nstring told()\n{\n\treturn "changed";\n}\r\n--cut--\r\n'),
        ('POST /crm/v{N}/settings/functions/{function}/actions/test', {'function': v['function']}, '', {'functions': [{'script': 'string told()\n{\n\treturn "tried";\n}'}]}),
        ('GET /crm/v{N}/settings/recycle_bin', {}, '', None), ('GET /crm/v{N}/settings/recycle_bin/actions/count', {}, '', None),
        ('GET /crm/v{N}/settings/recycle_bin/{id}', {'id': v['deleted']}, '', None),
        ('GET /crm/v{N}/settings/tags', {}, 'module=Leads', None), ('POST /crm/v{N}/settings/tags', {}, 'module=Leads', {'tags': [{'name': 'made'}]}),
        ('PUT /crm/v{N}/settings/tags', {}, 'module=Leads', {'tags': [{'id': v['tags'][0], 'name': 'renamed'}]}),
        ('PUT /crm/v{N}/settings/tags/{id}', {'id': v['tags'][0]}, 'module=Leads', {'tags': [{'name': 'renamed again'}]}),
        ('GET /crm/v{N}/settings/tags/{id}/actions/records_count', {'id': v['tags'][0]}, 'module=Leads', None),
        ('POST /crm/v{N}/settings/tags/{id}/actions/merge', {'id': v['tags'][0]}, '', {'tags': [{'conflict_id': v['tags'][1]}]}),
        ('DELETE /crm/v{N}/settings/tags/{id}', {'id': v['tags'][2]}, '', None),
        ('POST /crm/v{N}/{module}/actions/add_tags', {'module': 'Leads'}, '', {'ids': [v['lead']], 'tags': [{'name': 'put'}]}),
        ('POST /crm/v{N}/{module}/{id}/actions/add_tags', {'module': 'Leads', 'id': v['lead']}, '', {'tags': [{'name': 'put too'}]}),
        ('POST /crm/v{N}/{module}/actions/remove_tags', {'module': 'Leads'}, '', {'ids': [v['lead']], 'tags': [{'name': 'put'}]}),
        ('POST /crm/v{N}/{module}/{id}/actions/remove_tags', {'module': 'Leads', 'id': v['lead']}, '', {'tags': [{'name': 'put too'}]}),
        ('POST /crm/v{N}/{module}/actions/mass_update', {'module': 'Leads'}, '', {'data': [{'City': 'mass'}], 'ids': [v['lead']]}),
        ('GET /crm/v{N}/{module}/actions/mass_update', {'module': 'Leads'}, f'job_id={v["job"]}', None),
        ('POST /crm/v{N}/{module}/{id}/actions/get_related_records_count', {'module': 'Leads', 'id': v['lead']}, '', {'get_related_records_count': [{'related_list': {'api_name': 'Notes'}}]}),
        ('PUT /crm/v{N}/{module}/{id}/Notes', {'module': 'Leads', 'id': v['lead']}, '', {'data': [{'id': v['notes'][0], 'Note_Title': 'changed'}]}),
        ('GET /crm/v{N}/{module}/{id}/Notes/{note}', {'module': 'Leads', 'id': v['lead'], 'note': v['notes'][0]}, '', None),
        ('PUT /crm/v{N}/{module}/{id}/Notes/{note}', {'module': 'Leads', 'id': v['lead'], 'note': v['notes'][0]}, '', {'data': [{'Note_Title': 'again'}]}),
        ('DELETE /crm/v{N}/{module}/{id}/Notes/{note}', {'module': 'Leads', 'id': v['lead'], 'note': v['notes'][0]}, '', None),
        ('DELETE /crm/v{N}/{module}/{id}/Notes', {'module': 'Leads', 'id': v['lead']}, f'ids={v["notes"][1]}', None),
        ('POST /crm/v{N}/files', {}, '', attachment), ('GET /crm/v{N}/files', {}, f'id={v["file"]}', None),
        ('POST /crm/v{N}/{module}/{id}/photo', {'module': 'Leads', 'id': v['lead']}, '', attachment.replace(v['mark'], 'GIF89a ' + v['mark'])),
        ('GET /crm/v{N}/{module}/{id}/photo', {'module': 'Leads', 'id': v['lead']}, '', None),
        ('DELETE /crm/v{N}/{module}/{id}/photo', {'module': 'Leads', 'id': v['lead']}, '', None),
        ('GET /crm/v{N}/settings/automation/workflow_rules', {}, '', None), ('POST /crm/v{N}/settings/automation/workflow_rules', {}, '', rule('made', v['webhook'])),
        ('PUT /crm/v{N}/settings/automation/workflow_rules', {}, '', {'workflow_rules': [{'id': v['rule'], 'name': 'renamed'}]}),
        ('GET /crm/v{N}/settings/automation/workflow_rules/{id}', {'id': v['rule']}, '', None),
        ('PUT /crm/v{N}/settings/automation/workflow_rules/{id}', {'id': v['rule']}, '', {'workflow_rules': [{'name': 'renamed again'}]}),
        ('DELETE /crm/v{N}/settings/automation/workflow_rules/{id}', {'id': v['rule']}, '', None),
        ('DELETE /crm/v{N}/settings/automation/workflow_rules', {}, f'ids={v["spare_rule"]}', None),
        ('GET /crm/v{N}/settings/automation/webhooks', {}, '', None), ('POST /crm/v{N}/settings/automation/webhooks', {}, '', webhook('made')),
        ('PUT /crm/v{N}/settings/automation/webhooks', {}, '', {'webhooks': [{'id': v['webhook'], 'name': 'renamed'}]}),
        ('GET /crm/v{N}/settings/automation/webhooks/{id}', {'id': v['webhook']}, '', None),
        ('PUT /crm/v{N}/settings/automation/webhooks/{id}', {'id': v['webhook']}, '', {'webhooks': [{'name': 'renamed again'}]}),
        ('DELETE /crm/v{N}/settings/automation/webhooks/{id}', {'id': v['webhooks'][0]}, '', None), ('DELETE /crm/v{N}/settings/automation/webhooks', {}, f'ids={v["webhooks"][1]}', None),
        ('any /crm/v{N}/settings/automation/{path*}', {'path': 'field_updates'}, '', {}),
        ('GET /crm/v{N}/actions/watch', {}, '', None), ('POST /crm/v{N}/actions/watch', {}, '', watch('2')), ('PUT /crm/v{N}/actions/watch', {}, '', watch('1')),
        ('PATCH /crm/v{N}/actions/watch', {}, '', watch('1')), ('DELETE /crm/v{N}/actions/watch', {}, 'channel_ids=1', None),
        ('POST /crm/bulk/v{N}/read', {}, '', {'query': {'module': {'api_name': 'Leads'}}}), ('GET /crm/bulk/v{N}/read/{job}', {'job': v['read']}, '', None),
        ('GET /crm/bulk/v{N}/read/{job}/result', {'job': v['read']}, '', None), ('POST /crm/v{N}/upload', {}, '', zipped(v['mark'])),
        ('POST /crm/bulk/v{N}/write', {}, '', bulk(v['upload'])), ('GET /crm/bulk/v{N}/write/{job}', {'job': v['write']}, '', None),
        ('GET /crm/bulk/v{N}/write/{job}/result', {'job': v['write']}, '', None),
        ('POST /crm/v{N}/__composite_requests', {}, '', {'__composite_requests': [{'method': 'GET', 'uri': f'/crm/v2/Leads/{v["lead"]}'}, {'method': 'POST', 'uri': '/crm/v2/Leads', 'body': lead('together')}]}),
        ('POST /crm/v{N}/coql', {}, '', {'select_query': 'select Last_Name from Leads where Last_Name is not null'}),
        ('GET /crm/v{N}/signals/notifications', {}, '', None),
        ('POST /crm/v{N}/signals/notifications', {}, '', {'signals': [{'signal_namespace': 'ten.sign', 'subject': 's', 'message': 'm'}]}),
        ('GET /crm/v{N}/{module}/search', {'module': 'Leads'}, f'word={v["mark"]}', None),
        ('POST /crm/v{N}/{module}/upsert', {'module': 'Leads'}, '', {**lead('upserted'), 'duplicate_check_fields': ['Email']}),
        ('GET /crm/v{N}/{module}/deleted', {'module': 'Leads'}, '', None), ('GET /crm/v{N}/{module}/actions/count', {'module': 'Leads'}, '', None),
        ('GET /crm/v{N}/{module}', {'module': 'Leads'}, '', None), ('POST /crm/v{N}/{module}', {'module': 'Leads'}, '', lead('added')),
        ('PUT /crm/v{N}/{module}', {'module': 'Leads'}, '', {'data': [{'id': v['lead'], 'City': 'changed'}]}),
        ('GET /crm/v{N}/{module}/{id}', {'module': 'Leads', 'id': v['lead']}, '', None),
        ('PUT /crm/v{N}/{module}/{id}', {'module': 'Leads', 'id': v['lead']}, '', {'data': [{'City': 'changed again'}]}),
        ('POST /crm/v{N}/{module}/{id}/actions/clone', {'N': '8', 'module': 'Leads', 'id': v['lead']}, '', {'data': [{'Last_Name': 'copied'}]}),
        ('POST /crm/v{N}/{module}/{id}/Notes', {'module': 'Leads', 'id': v['lead']}, '', {'data': [{'Note_Title': 't', 'Note_Content': 'c'}]}),
        ('POST /crm/v{N}/{module}/{id}/Attachments', {'module': 'Leads', 'id': v['lead']}, '', attachment),
        ('GET /crm/v{N}/{module}/{id}/Attachments/{attachment}', {'module': 'Leads', 'id': v['lead'], 'attachment': v['attachment']}, '', None),
        ('GET /crm/v{N}/{module}/{id}/{relation}', {'module': 'Leads', 'id': v['lead'], 'relation': 'Notes'}, '', None),
        ('PUT /crm/v{N}/{module}/{id}/{relation}', {'module': 'Leads', 'id': v['lead'], 'relation': 'Campaigns'}, '', {'data': [{'id': v['campaign']}]}),
        ('DELETE /crm/v{N}/{module}/{id}/{relation}', {'module': 'Leads', 'id': v['lead'], 'relation': 'Campaigns'}, f'ids={v["campaign"]}', None),
        ('PUT /crm/v{N}/{module}/{id}/{relation}/{related}', {'module': 'Leads', 'id': v['lead'], 'relation': 'Campaigns', 'related': v['campaign']}, '', {'data': [{}]}),
        ('DELETE /crm/v{N}/{module}/{id}/{relation}/{related}', {'module': 'Leads', 'id': v['lead'], 'relation': 'Campaigns', 'related': v['campaign']}, '', None),
        ('DELETE /crm/v{N}/{module}/{id}/Attachments/{attachment}', {'module': 'Leads', 'id': v['lead'], 'attachment': v['attachment']}, '', None),
        ('DELETE /crm/v{N}/{module}', {'module': 'Leads'}, f'ids={fresh()}', None), ('DELETE /crm/v{N}/{module}/{id}', {'module': 'Leads', 'id': fresh()}, '', None),
        ('POST /crm/v{N}/Leads/{id}/actions/convert', {'id': fresh()}, '', {'data': [{}]}),
        # versions, and what takes something away
        ('POST /control/ext/publish', {}, '', {'folder': v['folder']}), ('POST /control/ext/install', {}, '', {'namespace': 'ten', 'version': '1.0.0', 'reinstall': True}),
        ('POST /control/ext/upgrade', {}, '', {'namespace': 'ten', 'version': '1.1.0'}), ('POST /control/ext/rollback', {}, '', {'namespace': 'ten'}),
        ('DELETE /crm/v{N}/settings/functions/{function}', {'function': 'spare'}, '', None), ('DELETE /control/oauth/{client}', {'client': v['client']}, '', None),
        ('DELETE /control/fn/{name}', {'name': 'told'}, '', None), ('DELETE /control/connections/{name}', {'name': 'held'}, '', None),
        ('POST /control/keys/{namespace}/revoke', {'namespace': 'ten'}, '', {}),
        ('POST /control/ext/{namespace}/uninstall', {'namespace': 'ten'}, '', {'drop_data': True}),
    ]


# ---- requests


class Form(str):
    """A body as pages send it."""

    def __new__(cls, **params):
        return super().__new__(cls, urllib.parse.urlencode(params))


class Request:
    def __init__(self, name, params, query, body):
        self.name = name
        self.method, pattern = name.split(' ', 1)
        self.method = 'POST' if self.method == 'any' else self.method
        self.path = re.sub(r'\{(\w+)\*?\}', lambda found: params.get(found[1], '2') if found[1] == 'N' else params[found[1]], pattern)
        self.query = query.replace(' ', '%20')
        self.headers = [] if body is None else [('Content-Type', 'application/x-www-form-urlencoded' if isinstance(body, Form) else FORM if isinstance(body, (str, bytes)) else JSON)]
        self.body = b'' if body is None else body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()

    def target(self, prefix='', more=''):
        query = '&'.join(part for part in (self.query, more) if part)
        return prefix + self.path + ('?' + query if query else '')


class ToSocket(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__('x', timeout=rig.WAIT_S)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(rig.WAIT_S)
        self.sock.connect(self.path)


class Reply:
    def __init__(self, connection, method, target, headers, body):
        """Reads as much as Content-Length says: a refused body is not waited for."""
        connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in [*headers, *([('Content-Length', str(len(body)))] if body else [])]:
            connection.putheader(name, value)
        connection.endheaders(body or None)
        answer = connection.getresponse()
        self.status, self.head, self.text = answer.status, str(answer.headers), answer.read().decode('utf-8', 'replace')
        self.id = answer.getheader('X-Request-Id')
        connection.close()

    def json(self):
        return json.loads(self.text)

    def output(self):
        return self.json()['details']['output']

    def __repr__(self):
        return f'{self.status}\n{self.head}\n{self.text[:2000]}'


def send(server, method, target, headers=(), body=b''):
    return Reply(http.client.HTTPConnection(*server.address, timeout=rig.WAIT_S), method, target, headers, body)


def owner(server, org, environment, method, target, headers=(), body=b''):
    """One request over control.sock, as the owner of a place."""
    place = [('X-Sluice-Org', org), ('X-Sluice-Environment', environment)]
    return Reply(ToSocket(f'{server.data}/control.sock'), method, target, [*headers, *place], body)


def done(result):
    if result.code != 0:
        raise RuntimeError(f'the places cannot be prepared: {result!r}')
    return result.out


# ---- places


def mark_of(place):
    return 'canary-' + '-'.join(place)


def where(place, data):
    return ['--org', place[0], *(['--sandbox'] if place[1] == 'sandbox' else []), '--data', data]


def make_record(server, place, module, record):
    reply = owner(server, *place, 'POST', f'/crm/v2/{module}', [('Content-Type', JSON)], json.dumps({'data': [record]}).encode())
    return reply.json()['data'][0]['details']['id']


def fill(server, place, folder):
    """The same in every place, with its mark in it. Gives what the suite needs of it."""
    mark, flags = mark_of(place), where(place, server.data)
    done(command('ext', 'install', 'ten@1.0.0', *flags))
    done(command('ext', 'set', 'ten', 'mark', mark, *flags))
    told = rig.write(f'{folder}/{mark}/told.dg', f'string told()\n{{\n\treturn "{mark}";\n}}\n')
    done(command('fn', 'put', told, *flags))
    done(command('fn', 'put', rig.write(f'{folder}/{mark}/spare.dg', 'string spare()\n{\n\treturn "spare";\n}\n'), *flags))
    done(command('fn', 'put', rig.write(f'{folder}/{mark}/ticks.dg', 'void ticks()\n{\n\tinfo 1;\n}\n'), '--kind', 'schedule', *flags))
    secret = rig.write(f'{folder}/{mark}/secret', f'secret-{mark}')
    done(command('connection', 'new', 'held', '--type', 'bearer', '--value-file', secret, *flags))
    done(command('connection', 'new', 'inner', *flags))
    lead = make_record(server, place, 'Leads', {'Last_Name': mark, 'Email': f'{mark}@example.com'})
    notes = owner(server, *place, 'POST', f'/crm/v2/Leads/{lead}/Notes', [('Content-Type', JSON)], json.dumps({'data': [{'Note_Title': mark, 'Note_Content': mark}] * 3}).encode())
    form = f'--cut\r\nContent-Disposition: form-data; name="file"; filename="{mark}.txt"\r\n\r\n{mark}\r\n--cut--\r\n'.encode()
    attached = owner(server, *place, 'POST', f'/crm/v2/Leads/{lead}/Attachments', [('Content-Type', FORM)], form)
    uploaded = owner(server, *place, 'POST', '/crm/v2/files', [('Content-Type', FORM)], form)
    signal = {'signals': [{'signal_namespace': 'ten.sign', 'subject': mark, 'message': mark, 'email': f'{mark}@example.com'}]}
    owner(server, *place, 'POST', '/crm/v2/signals/notifications', [('Content-Type', JSON)], json.dumps(signal).encode())
    tags = owner(server, *place, 'POST', '/crm/v2/settings/tags?module=Leads', [('Content-Type', JSON)], json.dumps({'tags': [{'name': f't{i}'} for i in range(3)]}).encode())
    view = owner(server, *place, 'GET', '/crm/v2/settings/custom_views?module=Leads').json()['custom_views'][0]['id']
    job = owner(server, *place, 'POST', '/crm/v2/Leads/actions/mass_update', [('Content-Type', JSON)], json.dumps({'data': [{'City': 'x'}], 'cvid': view}).encode())
    def post(path, key, body):
        return owner(server, *place, 'POST', f'/crm/v2/{path}', [('Content-Type', JSON)], json.dumps(body).encode()).json()[key][0]['details'].get('id')

    webhooks = [post('settings/automation/webhooks', 'webhooks', webhook(f'{mark}-{i}')) for i in range(3)]
    rules = [post('settings/automation/workflow_rules', 'workflow_rules', rule(f'{mark}-{i}', webhooks[2])) for i in range(2)]
    post('actions/watch', 'watch', watch('1'))
    upload = owner(server, *place, 'POST', '/crm/v2/upload', [('Content-Type', FORM)], zipped(mark)).json()['details']['file_id']
    write = owner(server, *place, 'POST', '/crm/bulk/v2/write', [('Content-Type', JSON)], json.dumps(bulk(upload)).encode()).json()['details']['id']
    read = owner(server, *place, 'POST', '/crm/bulk/v2/read', [('Content-Type', JSON)], json.dumps({'query': {'module': {'api_name': 'Leads'}}}).encode()).json()['data'][0]['details']['id']
    rig.until(lambda: all('COMPLETED' in owner(server, *place, 'GET', f'/crm/bulk/v2/{job}').text for job in (f'read/{read}', f'write/{write}')))
    deleted = make_record(server, place, 'Leads', {'Last_Name': mark})
    owner(server, *place, 'DELETE', f'/crm/v2/Leads/{deleted}')
    setting = lambda key: owner(server, *place, 'GET', f'/crm/v2/settings/{key}?module=Leads').json()[key][0]['id']  # noqa: E731
    return {
        **people(server, place),
        'related_list': setting('related_lists'), 'layout': setting('layouts'), 'view': setting('custom_views'),
        'notes': [row['details']['id'] for row in notes.json()['data']], 'job': job.json()['data'][0]['details']['job_id'],
        'deleted': deleted, 'file': uploaded.json()['data'][0]['details']['id'], 'tags': [row['details']['id'] for row in tags.json()['tags']],
        'upload': upload, 'write': write, 'read': read, 'webhook': webhooks[2], 'webhooks': webhooks, 'rule': rules[0], 'spare_rule': rules[1],
        'run': owner(server, *place, 'POST', '/crm/v2/functions/ten__who/actions/execute').id,
        'mark': mark, 'folder': f'{folder}/ten', 'lead': lead, 'attachment': attached.json()['data'][0]['details']['id'],
        'leads': [make_record(server, place, 'Leads', {'Last_Name': f'{mark}-{i}', 'Company': 'c'}) for i in range(3)],
        'campaign': make_record(server, place, 'Campaigns', {'Campaign_Name': mark}),
        'key': done(command('key', 'show', 'ten', *flags)).strip(),
        **oauth(server, flags),
        'function': next(row['id'] for row in owner(server, *place, 'GET', '/crm/v2/settings/functions').json()['functions'] if row['api_name'] == 'told'),
    }


def people(server, place):
    """The super admin and a colleague, a role and a profile that nobody has, and variables."""
    def post(path, key, row):
        return owner(server, *place, 'POST', f'/crm/v8/{path}', [('Content-Type', JSON)], json.dumps({key: [row]}).encode()).json()[key][0]['details']['id']
    user = owner(server, *place, 'GET', '/crm/v2/users').json()['users'][0]
    role, profile = user['role']['id'], user['profile']['id']
    variable = post('settings/variables', 'variables', {'api_name': 'place', 'name': 'place', 'value': mark_of(place), 'variable_group': {'name': 'General'}})
    post('settings/variables', 'variables', {'api_name': 'spare', 'name': 'spare', 'variable_group': {'name': mark_of(place)}})
    return {
        'module': post('settings/modules', 'modules', {'plural_label': 'Own', 'singular_label': 'Own One', 'profiles': [{'id': profile}]}),
        'field': post('settings/fields?module=Own', 'fields', {'field_label': mark_of(place), 'data_type': 'picklist', 'pick_list_values': [{'display_value': 'a', 'actual_value': 'a'}]}),
        'variable': variable, 'variable_group': owner(server, *place, 'GET', '/crm/v2/settings/variable_groups').json()['variable_groups'][1]['id'],
        'user': user['id'], 'role': role, 'profile': profile,
        'spare_role': post('settings/roles', 'roles', {'name': mark_of(place), 'reporting_to': role}),
        'spare_profile': post(f'settings/profiles/{profile}/actions/clone', 'profiles', {'name': mark_of(place)}),
        'colleague': post('users', 'users', {'first_name': mark_of(place), 'email': f'{mark_of(place)}@users.example', 'role': role, 'profile': profile}),
    }


def oauth(server, flags):
    """A self client of the place's super admin with every scope, and two requests of another client that wait for the operator."""
    client = json.loads(done(command('oauth', 'new', '--json', *flags)))
    app = json.loads(done(command('oauth', 'new', '--redirect-uri', 'https://app.example/', '--json', *flags)))
    query = urllib.parse.urlencode({'response_type': 'code', 'client_id': app['client_id'], 'redirect_uri': 'https://app.example/', 'scope': 'ZohoCRM.users.READ', 'access_type': 'online'})
    pages = [send(server, 'GET', f'/oauth/v2/auth?{query}').text for _ in range(2)]
    return {'client': client['client_id'], 'token': client['access_token'], 'requests': [re.search(r'sluice oauth approve (\S+)', page)[1] for page in pages]}


def prepare(folder, data):
    functions = {'who': 'return zoho.crm.getOrgVariable("ten.mark");', 'fetch': FETCH}
    more = {'variables': [{'api_name': 'mark'}, {'api_name': 'other'}], 'signals': [{'namespace': 'sign', 'name': 'Sign'}]}
    for version in ('1.0.0', '1.1.0'):
        rig.extension(f'{folder}/ten', 'ten', version, functions, files={'app/widget.html': '<p>ten</p>'}, **more)
        done(command('ext', 'publish', f'{folder}/ten', '--data', data))
    done(command('ext', 'install', 'ten@1.0.0', '--data', data))  # widgets' files are those of the default org
    for org in ('alpha', 'beta'):
        done(command('org', 'new', org, '--company', f'company-{org}', '--data', data))
        done(command('org', 'sandbox', org, '--data', data))


def dump(path):
    """Every row of every table."""
    base = sqlite3.connect(f'file:{path}?mode=ro', uri=True)
    # What attackers do at home has its rows in the audit log; when a key was last used is written later than it is used.
    tables = [name for name, in base.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    rows = {name: base.execute(f'SELECT * FROM "{name}"').fetchall() for name in tables if name not in ('auth_audit', 'auth_key')}
    if 'auth_key' in tables:
        rows['auth_key'] = base.execute('SELECT namespace, mac, sealed, created_ms FROM auth_key').fetchall()
    if 'auth_audit' in tables:
        rows['auth_audit'] = base.execute('SELECT * FROM auth_audit WHERE org = ? AND environment = ?', VICTIM).fetchall()
    base.close()
    return rows


# ---- attacks


def credentials(place, held):
    """(query, headers) in which a key or token of a place may come; each also with the headers that tell an owner's org."""
    claims = [('X-Sluice-Org', VICTIM[0]), ('X-Sluice-Environment', VICTIM[1])]
    key, token = held[place]['key'], held[place]['token']
    return [(f'zapikey={key}', claims), ('auth_type=apikey', [('X-Sluice-Key', key), *claims]),
            ('', [('Authorization', f'Zoho-oauthtoken {token}'), *claims]), ('auth_type=oauth', [('Authorization', f'Bearer {token}'), *claims]),
            ('', claims)]


def secrets_from(place, held):
    """What an attacker of this place must not see."""
    found = [text for other in PLACES if other != place for text in (held[other]['mark'], held[other]['key'], held[other]['token'], held[other]['lead'])]
    return found + [f'company-{org}' for org in ('alpha', 'beta') if org != place[0]]


def attack(server, request, kind, held):
    """The bad replies, in words."""
    bad = []
    for place in PLACES:
        hidden = secrets_from(place, held)
        for prefix in ('', '/sandbox'):
            for query, headers in credentials(place, held) if place != VICTIM else []:
                reply = send(server, request.method, request.target(prefix, query), [*request.headers, *headers], request.body)
                told = [text for text in hidden if text in reply.text or text in reply.head]
                # What was sent may come back: the victim's record ids stand in paths and bodies of ours.
                told = [text for text in told if text not in request.target() and text not in request.body.decode()]
                if told or (kind == 'owner (control.sock)' and reply.status not in (401, 404)):
                    bad.append(f'{place} {prefix} {query[:12]} {[name for name, _ in headers]}: {told} in\n{reply}')
    return '\n'.join(bad)


def test_routes(server, held):
    rows = re.findall(r'^\| (\S+) \| (\S+) \| (.+?) \|', done(command('docs', 'api')), re.M)[1:]
    kinds = {f'{method} {path}': kind for method, path, kind in rows}
    requests = [Request(*row) for row in routes(held[VICTIM])]
    known = {request.name for request in requests}
    for name in kinds:
        ok(f'{name} has a line in routes() of this suite', name in known, 'say there what stands for its parameters, and its body')
    equal('every line there is a route', sorted(known - set(kinds)), [])
    path = f'{server.data}/orgs/{"/".join(VICTIM)}.db'
    before, control = dump(path), dump(f'{server.data}/control.db')
    for request in requests:
        bad = attack(server, request, kinds[request.name], held)
        ok(f'{request.name} is no way into another place', not bad, bad)
    after = dump(path)
    equal('not one row of the victim\'s changed', [name for name in before if before[name] != after.get(name)], [])
    after = dump(f'{server.data}/control.db')
    equal('nor one of those that span orgs', [name for name in control if control[name] != after.get(name)], [])
    for request in requests:
        reply = owner(server, *VICTIM, request.method, request.target(), request.headers, request.body)
        worked = reply.status in (200, 201, 204) or (kinds[request.name] == 'none' and reply.status == 400) or (reply.status == 400 and 'NOT_SUPPORTED' in reply.text)
        worked = worked or ('/console' in request.name and kinds[request.name] in ('none', 'session of the console') and reply.status in (303, 401, 404, 429))
        worked = worked or (request.name == 'POST /control/links' and 'without the console' in reply.text)
        ok(f'{request.name} would have worked', worked, f'{request.target()} {request.body[:300]}\n{reply}')


def test_keys(server, held):
    """Each key opens its own place and no other, whichever URL it comes by."""
    for place in PLACES:
        for prefix, environment in (('', 'production'), ('/sandbox', 'sandbox')):
            for target in ('/crm/v2/functions/ten__who/actions/execute?auth_type=apikey', '/crm/v2/settings/custom_functions/ten.who/execute?x=1'):
                reply = send(server, 'GET', f'{prefix}{target}&zapikey={held[place]["key"]}', [('X-Sluice-Org', 'alpha')])
                want = (200, mark_of(place)) if environment == place[1] else (401, None)
                equal(f'{place} by {prefix}{target[:20]}', (reply.status, reply.output() if reply.status == 200 else None), want)


def test_tokens(server, held):
    """The same of tokens, in both spellings."""
    for place in PLACES:
        for prefix, environment in (('', 'production'), ('/sandbox', 'sandbox')):
            for word in ('Zoho-oauthtoken', 'Bearer'):
                headers = [('Authorization', f'{word} {held[place]["token"]}'), ('X-Sluice-Org', 'alpha')]
                reply = send(server, 'GET', f'{prefix}/crm/v2/Leads', headers)
                own = environment == place[1]
                ok(f'{place} by {prefix}/crm/v2/Leads, {word}', reply.status == (200 if own else 401) and (mark_of(place) in reply.text) == own, reply)
                theirs = [other for other in PLACES if other != place and mark_of(other) in reply.text]
                equal('and of nobody else', theirs, [])


def test_scripts(server, held):
    """A script that calls our own URLs is its own org's, whatever it writes into its headers."""
    place = ('beta', 'production')
    for url in ('https://www.zohoapis.com/crm/v2/Leads', f'https://www.zohoapis.com/crm/v2/Leads/{held[VICTIM]["lead"]}', 'https://crm.zoho.com/control/keys/ten',
                'https://www.zohoapis.com/crm/v2/functions/ten__who/actions/execute?auth_type=apikey', 'https://www.zohoapis.com/sandbox/crm/v2/Leads'):
        reply = send(server, 'POST', f'/crm/v2/functions/ten__fetch/actions/execute?auth_type=apikey&zapikey={held[place]["key"]}',
                            [('Content-Type', 'application/x-www-form-urlencoded')], ('url=' + url.replace('&', '%26').replace('?', '%3F')).encode())
        told = [text for text in secrets_from(place, held) if text in reply.text and text not in url]
        ok(f'a script of another org gets nothing from {url[:60]}', reply.status == 200 and not told, f'{told}\n{reply}')


with rig.folder() as folder_:
    prepare(folder_, f'{folder_}/data')
    with rig.Server(data=f'{folder_}/data') as server_:
        held_ = {place: fill(server_, place, folder_) for place in PLACES}
        for test in (test_keys, test_tokens, test_scripts, test_routes):
            test(server_, held_)
rig.done()
