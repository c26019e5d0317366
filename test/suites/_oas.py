# SPDX-License-Identifier: Apache-2.0
"""Replies of the REST API against Zoho's own OpenAPI descriptions, where the folder SLUICE_OAS holds them (one file a resource, version 8, schemas of JSON
Schema 2020-12) and Debian's python3-jsonschema is there. They are not part of this project: without them replies are not compared.

EXCEPTIONS lists where we differ on purpose; each row has its reason, and a row that is never used fails."""
import glob
import json
import os
import re

import _rig as rig

# (method and path, status, where in the reply, reason)
EXCEPTIONS = [
    ('.*', '200', r'data\.\d+\.(Created|Modified)_By$', 'real replies have an e-mail there'),
    ('.*', '200', r'info\.(next_page_token|previous_page_token|page_token_expiry)$', 'real replies have null there where there is no other page'),
    ('.*', '201', r'data\.\d+\.details', '$approval_state stands in the answers of all modules, also of notes'),
    ('post /{module}', '207', '', 'rows that are written beside rows that are refused'),
    ('put /{module}', '207', '', 'rows that are written beside rows that are refused'),
    ('put /{module}', '200', r'data\.\d+\.details$', '$approval_state stands in real answers to inserts only'),
    ('put /{module}/{recordID}', '200', r'data\.\d+\.details$', '$approval_state stands in real answers to inserts only'),
    ('put /{module}', '412', 'data', 'several records that were changed meanwhile'),
    ('delete /{module}', '412', '', 'deletes have the same condition as updates'),
    ('delete /{module}/{recordID}', '412', '', 'deletes have the same condition as updates'),
    ('delete /{module}', '400', r'data\.\d+\.code$', 'rows of ids that are not there'),
    ('post /coql', '200', r'fields\.', 'fields are shown as settings/fields shows them'),
    ('post /Notes', '400', r'\$', 'rows of notes are refused like those of all modules'),
    ('post /{module}/actions/add_tags', '207', '', 'records that are not there are told row by row'),
    ('get /settings/variable_groups', '200', r'variable_groups\.\d+$', 'nothing else says what a rid is'),
    ('get /settings/variable_groups/{id}', '200', r'variable_groups\.\d+\.description$', 'the list shows texts there, too'),
    ('delete /settings/variables', '200', '', 'only 207 is described: some rows are wrong'),
    ('post /{moduleApiName}/{recordId}/actions/get_related_records_count', '200', r'get_related_records_count\.\d+$',
     "Zoho's own clients and SDKs read a flat list of counts, which is described as a list of lists"),
    ('post /{module}/upsert', '20[01]', r'data\.\d+(\.details|\.code|\.status)?$', 'real replies have action and duplicate_field there, $approval_state only of what was added, and rows that were refused'),
    ('get /read/{jobId}', '200', r'data\.\d+$', 'the description asks for fields of attachments there'),
    ('post /settings/automation/webhooks', '400', r'webhooks\.\d+$', 'the description lists some errors only, and none of a name that is taken or of what is not supported'),
    ('post /settings/automation/workflow_rules', '400', r'workflow_rules\.\d+$', 'the description lists some errors only, and no INVALID_DATA'),
    ('put /settings/automation/workflow_rules', '400', r'workflow_rules\.\d+$', 'as for POST'),
]

FOLDER = os.environ.get('SLUICE_OAS')
VERSION = re.compile(r'^(?:/sandbox)?/crm(/bulk)?/v8(/[^?]*)')
METHODS = ('get', 'post', 'put', 'patch', 'delete')


def without_patterns(node):
    """Patterns are of JavaScript: those that Python does not read are left out."""
    if isinstance(node, dict):
        pattern = node.get('pattern')
        if isinstance(pattern, str):
            try:
                re.compile(pattern)
            except re.error:
                del node['pattern']
        for child in node.values():
            without_patterns(child)
    elif isinstance(node, list):
        for child in node:
            without_patterns(child)


def load():
    """[(method, pattern, template, {status: schema, …})], the most exact templates first."""
    found = []
    for path in sorted(glob.glob(f'{FOLDER}/*.json')):
        with open(path, encoding='utf-8') as file:
            described = json.load(file)
        without_patterns(described)
        bulk = 'bulk' if '-bulk-' in path else ''
        for template, item in described['paths'].items():
            for method in METHODS:
                if method in item:
                    pattern = re.compile('^' + re.sub(r'\\\{[^}]*\\\}', '[^/]+', re.escape(template)) + '$')
                    found.append((method, bulk, pattern, template, item[method]['responses'], described))
    return sorted(found, key=lambda row: (row[3].count('{'), -len(row[3])))


try:
    import jsonschema
    rows = load() if FOLDER else []
except ImportError:
    rows = []
used = set()


def excepted(where, status, path):
    for row in EXCEPTIONS:
        if (row[0] in ('.*', where)) and re.fullmatch(row[1], str(status)) and re.match(row[2], path):
            used.add(row)
            return True
    return False


def mistakes(schema, described, body):
    schema = {**schema, 'components': described.get('components', {})}
    for error in jsonschema.Draft202012Validator(schema).iter_errors(body):
        best = jsonschema.exceptions.best_match([error]) if error.context else error
        yield '.'.join(str(step) for step in best.absolute_path) or '$', best.message[:300]


def is_result(body, *states):
    return isinstance(body, dict) and list(body) == ['code', 'details', 'message', 'status'] and isinstance(body['details'], dict) and body['status'] in states


def is_envelope(reply):
    """The general form of an error, of the request or of its rows: descriptions list a few codes of each resource and leave out others."""
    body = reply.json()
    rows = list(body.values())[0] if isinstance(body, dict) and len(body) == 1 else None
    states = ('error', 'success') if reply.status == 207 else ('error',)
    return reply.status >= 400 and is_result(body, 'error') or \
        reply.status in (207, 400) and isinstance(rows, list) and len(rows) > 0 and all(is_result(row, *states) for row in rows)


def check(title, method, target, reply):
    """A failed test for each reply that Zoho's description does not allow."""
    match = VERSION.match(target)
    if not rows or not match or not reply.body or 'json' not in (reply.header('Content-Type') or ''):
        return
    bulk, path = 'bulk' if match[1] else '', match[2]
    for row_method, row_bulk, pattern, template, responses, described in rows:
        if row_method == method.lower() and row_bulk == bulk and pattern.match(path) and template.startswith('/settings') == path.startswith('/settings'):
            where = f'{row_method} {template}'
            found = responses.get(str(reply.status))
            if is_envelope(reply):
                bad = []
            elif not found:
                bad = [] if excepted(where, reply.status, '') else [('', f'Zoho describes no status {reply.status}, only {", ".join(responses)}')]
            else:
                schema = found.get('content', {}).get('application/json', {}).get('schema', True)
                bad = [(at, text) for at, text in mistakes(schema, described, reply.json()) if not excepted(where, reply.status, at)] if schema is not True else []
            rig.ok(f'{title}: as Zoho describes {where} {reply.status}', not bad, '\n'.join(f'{at}: {text}' for at, text in bad) + f'\n{reply!r}')
            return
