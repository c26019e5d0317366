#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs test/http/AREA/*.http through the real port and store: http.py PATH/TO/sluice [AREA…]

An area is a folder: its ext*/ folders (or those its file `extensions` names, from the root of the repository) are served by one fresh server, a file
`config` becomes DATA/config, and its .http files run in name order. A file is blocks separated by a line `===`; each line that expects something is a
test, named after the block's first comment:

    # what this block shows
    > POST {{v2 ext__echo}}&x=1          the request line; then headers; after an empty `>` line the body, its lines joined by LF (CRLF in multipart)
    > Content-Type: application/json
    >
    > {"a":1}
    >@file                               bytes of a file of the area, as one line of the body
    < 200                                the status
    < Content-Type: text/plain           an exact header; `*` for present; `< !Name` for absent
    <                                    after an empty `<` line: the exact body
    < exact body
    <~ regex      <!~ regex              the body matches, or does not
    <json PATH = JSON                    a value of a JSON body: a.b[0].c; `|json` goes on in JSON that is text: details.output|json.body
    <json PATH ~ regex                   the same, as text
    <save NAME PATH                      keeps it as {{NAME}}
    ! restart                            stops the server (exit 0) and starts it on the same data; the other lines of this kind:
    ! sql QUERY = JSON                   the rows of the org's data base
    ! save NAME QUERY                    keeps its first cell, of a URL the path and query, as {{NAME}}
    ! logs FUNCTION ~ regex              what `sluice logs FUNCTION` prints, also !~
    ! out ~ regex     ! err ~ regex      the server's output; also !~
    ! secret                             no key of a served function stands in the server's error output or in a file of the data folder

Macros: {{v2 ns__fn}} {{v1 ns.fn}} path and key query, {{key ns}}, {{half ns}} of a key, {{port}}, {{crlf}} {{nul}}, {{repeat TEXT N}},
{{encode HOST v2 ns__fn}} a whole URL as a value, {{token SCOPE,…}} an access token of the super admin (all scopes without), {{token user=EMAIL SCOPE,…}} of another user, {{NAME}} what was saved."""
import json
import os
import re
import sys
import urllib.parse

import _oas
import _rig as rig

AREAS = os.path.join(rig.ROOT, 'test/http')


class Area:
    def __init__(self, name, data):
        self.folder, self.name, self.data = os.path.join(AREAS, name), name, data
        self.saved, self.last, self.tokens = {}, None, {}
        listed = os.path.join(self.folder, 'extensions')
        if os.path.exists(listed):
            self.extensions = [os.path.join(rig.ROOT, line) for line in rig.read(listed).split()]
        else:
            self.extensions = sorted(entry.path for entry in os.scandir(self.folder) if entry.is_dir() and entry.name.startswith('ext'))
        if os.path.exists(f'{self.folder}/config'):
            rig.write(f'{data}/config', rig.read(f'{self.folder}/config'))
        self.server = rig.Server(*self.extensions, data=data)

    # ---- macros

    def macro(self, match):
        words = match.group(1).split()
        if words[0] in ('v1', 'v2'):
            namespace, function = re.split(r'__|\.', words[1], maxsplit=1)
            key = self.server.key(namespace)
            if words[0] == 'v2':
                return f'/crm/v2/functions/{words[1]}/actions/execute?auth_type=apikey&zapikey={key}'
            return f'/crm/v2/settings/custom_functions/{words[1]}/execute?zapikey={key}'
        if words[0] in ('key', 'half'):
            key = self.server.key(words[1])
            return key if words[0] == 'key' else key[:len(key) // 2]
        if words[0] == 'encode':  # a whole URL as the value of a parameter
            base, inner = words[1].replace('PORT', str(self.server.address[1])), f'{{{{{words[2]} {words[3]}}}}}'
            return urllib.parse.quote(base + self.expand(inner), safe='')
        if words[0] == 'token':
            return self.token(words[1:])
        if words[0] == 'repeat':
            return words[1] * int(words[2])
        known = {'port': str(self.server.address[1]), 'crlf': '\r\n', 'nul': '\0', **self.saved}
        return known[words[0]]

    def token(self, scopes):
        if str(scopes) not in self.tokens:
            user = [word[5:] for word in scopes if word.startswith('user=')]
            rest = [word for word in scopes if not word.startswith('user=')]
            made = rig.command('oauth', 'new', '--json', *(['--scope', *rest] if rest else []), *(['--user', *user] if user else []), '--data', self.data)
            self.tokens[str(scopes)] = json.loads(made.out)['access_token']
        return self.tokens[str(scopes)]

    def expand(self, text):
        return re.sub(r'\{\{([^{}]+)\}\}', self.macro, text)

    # ---- blocks

    def run_block(self, title, lines):
        """Request lines collect until the first expectation; then they are sent."""
        request = []
        exact = None
        for line in lines:
            if line.startswith('>'):
                request.append(line)
                continue
            if line.startswith('#') or (not line.strip() and exact is None):
                continue
            if request:
                self.send(title, request)
                request = []
            if line.startswith('!'):
                self.act(title, self.expand(line[1:].strip()))
            elif exact is not None and not re.match(r'<(~|!~|json |save )', line):
                exact.append(self.expand(line[2:]))
            elif line.rstrip() == '<':
                exact = []
            else:
                self.expect(title, line)
        if exact is not None:
            rig.equal(f'{title}: body', self.last.text, '\n'.join(exact))

    def send(self, title, lines):
        method, target = self.expand(lines[0][2:]).split(' ', 1)
        headers, body, at = [], [], 1
        while at < len(lines) and lines[at].rstrip() != '>':
            name, _, value = self.expand(lines[at][2:]).partition(':')
            headers.append((name, value.strip()))
            at += 1
        for line in lines[at + 1:]:
            if line.startswith('>@'):
                with open(os.path.join(self.folder, line[2:].strip()), 'rb') as file:
                    body.append(file.read())
            else:
                body.append(self.expand(line[2:]).encode())
        multipart = any(name.lower() == 'content-type' and value.startswith('multipart/') for name, value in headers)
        self.last = self.server.send(method, target, headers, (b'\r\n' if multipart else b'\n').join(body))
        _oas.check(title, method, target, self.last)

    def expect(self, title, line):
        reply = self.last
        kind, rest = line.split(' ', 1) if ' ' in line else (line, '')
        if kind == '<~':
            rig.matches(f'{title}: body', reply.text, self.expand(rest))
        elif kind == '<!~':
            rig.ok(f'{title}: body without', not re.search(self.expand(rest), reply.text, re.S), repr(reply))
        elif kind == '<save':
            name, path = rest.split(' ', 1)
            self.saved[name] = str(self.find(path))
        elif kind == '<json':
            self.expect_json(title, rest)
        elif rest.strip().isdigit():
            rig.ok(f'{title}: status {rest}', reply.status == int(rest), repr(reply))
        elif rest.startswith('!'):
            rig.ok(f'{title}: no {rest[1:]}', reply.header(rest[1:].strip()) is None, repr(reply))
        else:
            name, _, value = (part.strip() for part in rest.partition(':'))
            got = reply.header(name)
            rig.ok(f'{title}: {name}', got is not None and value in ('*', got), f'got {got!r}, want {value!r}\n{reply!r}')

    def expect_json(self, title, rest):
        path, sign, want = re.match(r'(.*?) (=|~) (.*)', rest, re.S).groups()
        try:
            got = self.find(path)
        except (ValueError, KeyError, IndexError, TypeError) as why:
            rig.ok(f'{title}: {path}', False, f'{why!r}\n{self.last!r}')
            return
        if sign == '=':
            rig.ok(f'{title}: {path}', got == json.loads(self.expand(want)) and type(got) is type(json.loads(self.expand(want))),
                   f'got  {json.dumps(got)}\nwant {self.expand(want)}')
        else:
            rig.matches(f'{title}: {path}', got if isinstance(got, str) else json.dumps(got), self.expand(want))

    def find(self, path):
        value = json.loads(self.last.body)
        for step in re.findall(r'\|json|\[-?\d+\]|[^.\[\]|]+', path):
            if step == '|json':
                value = json.loads(value)
            elif step.startswith('['):
                value = value[int(step[1:-1])]
            elif step != '$':
                value = value[step]
        return value

    # ---- lines with !

    def act(self, title, line):
        verb, _, rest = line.partition(' ')
        if verb == 'restart':
            self.server.stop(f'{title}: exit 0')
            self.server = rig.Server(*self.extensions, data=self.data)
        elif verb == 'sql':
            query, _, want = rest.rpartition(' = ')
            rig.equal(f'{title}: {query}', rig.rows(self.data, query), json.loads(want))
        elif verb == 'save':
            name, query = rest.split(' ', 1)
            self.saved[name] = re.sub(r'^https?://[^/]*', '', str(rig.rows(self.data, query)[0][0]))
        elif verb == 'secret':
            self.check_secrets(title)
        else:
            what, sign, pattern = re.match(r'(.*?) ?(!?~) (.*)', rest).groups()
            texts = {'logs': lambda: repr(rig.command('logs', *what.split(), '--data', self.data)),
                     'out': lambda: self.server.out, 'err': lambda: self.server.err}
            look = lambda: re.search(pattern, texts[verb](), re.S)
            if sign == '!~':
                rig.ok(f'{title}: {verb} without {pattern}', not look(), texts[verb]())
            else:  # logs are written behind the replies
                rig.ok(f'{title}: {verb} {pattern}', rig.until(look, 3), texts[verb]())

    def check_secrets(self, title):
        rig.until(lambda: False, 0.5)  # the log is written behind the replies
        keys = {key for _, _, url in self.server.functions for key in re.findall(r'zapikey=([^&]*)', url)}
        texts = {'stderr': self.server.err, 'logs': repr(rig.command('logs', '--json', '--data', self.data))}
        for base, _, files in os.walk(self.data):
            texts.update({name: rig.read(os.path.join(base, name)) for name in files if os.path.isfile(os.path.join(base, name))})
        bad = [name for name, text in texts.items() if any(key in text for key in keys)]
        rig.ok(f'{title}: {len(keys)} keys stand in none of {len(texts)} places', keys and not bad, bad)


def run_area(name):
    with rig.folder() as data:
        area = Area(name, data)
        try:
            for file in sorted(entry for entry in os.listdir(area.folder) if entry.endswith('.http')):
                for block in re.split(r'(?m)^===.*\n', rig.read(os.path.join(area.folder, file))):
                    lines = block.splitlines()
                    comments = [line[1:].strip() for line in lines if line.startswith('#')]
                    area.run_block(f"{name}/{file[:-5]}: {comments[0] if comments else 'unnamed'}", lines)
        finally:
            area.server.stop(f'{name}: exit 0 at the end')


for area_name in sys.argv[2:] or sorted(entry.name for entry in os.scandir(AREAS) if entry.is_dir()):
    if any(file.endswith('.http') for file in os.listdir(os.path.join(AREAS, area_name))):
        run_area(area_name)
rig.done()
