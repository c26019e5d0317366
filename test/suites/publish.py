#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""sluice ext publish: folders and zips become versions that never change; what is wrong is said with file and line, and then nothing is published. Hostile
zips, packages of the zoho-extension-toolkit, the files of widgets. usage: publish.py PATH/TO/sluice [NAME…]"""
import _rig as rig
from _rig import command, equal, matches, ok

import io
import json
import os
import struct
import sys
import threading
import zipfile
import zlib

NAMESPACES = ('standalone', 'button', 'automation', 'schedule', 'validation_rule', 'related_list', 'salessignals', 'crm', 'zoho')


def published(data, path, *flags):
    return command('ext', 'publish', path, '--data', data, *flags)


def nothing_is_published(data, namespace='ext'):
    result = command('ext', 'install', namespace, '--data', data)
    return ok('and nothing is published', result.code == 1 and 'no extension with the namespace' in result.err, repr(result))


def refused(name, result, *texts):
    """Exit 1, every text is said, nothing but errors."""
    return ok(name, result.code == 1 and all(text in result.out + result.err for text in texts) and 'published ' not in result.out, f'wanted {texts}\n{result!r}')


# ---- zips

MANIFEST = json.dumps({'name': 'Ext', 'namespace': 'ext', 'version': '1.0.0'})
GOOD = {'extension.json': MANIFEST, 'functions/hello.dg': 'return "hi";'}


def pack(path, entries, compression=zipfile.ZIP_DEFLATED):
    """`entries`: a dict, or pairs of a name or ZipInfo and content."""
    with zipfile.ZipFile(path, 'w', compression) as archive:
        for name, content in entries.items() if isinstance(entries, dict) else entries:
            archive.writestr(name, content)
    return path


def unix(name, mode):
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = mode << 16
    return info


class Raw:
    """A zip made byte by byte, for what zipfile refuses to write."""

    def __init__(self):
        self.out, self.directory, self.count = io.BytesIO(), b'', 0

    def add(self, name, content=b'', size=None, method=8, flags=0x800, crc=None, system=0, attributes=0, packed=None, at=None):
        name = name if isinstance(name, bytes) else name.encode()
        crc = zlib.crc32(content) if crc is None else crc
        if packed is None:
            coder = zlib.compressobj(9, zlib.DEFLATED, -15)
            packed = coder.compress(content) + coder.flush() if method == 8 else content
        common = struct.pack('<HHHHHIIIHH', 20, flags, method, 0, 0x21, crc, len(packed), len(content) if size is None else size, len(name), 0)
        if at is None:
            at = self.out.tell()
            self.out.write(b'PK\3\4' + common + name + packed)
        self.directory += b'PK\1\2' + struct.pack('<H', 20 | system << 8) + common + struct.pack('<HHHII', 0, 0, 0, attributes, at) + name
        self.count += 1
        return at

    def bytes(self, count=None, comment=b''):
        count = self.count if count is None else count
        return self.out.getvalue() + self.directory + b'PK\5\6' + struct.pack('<HHHHIIH', 0, 0, count & 0xFFFF, count & 0xFFFF, len(self.directory), self.out.tell(),
                                                                               len(comment)) + comment


def raw(*entries, **more):
    archive = Raw()
    for name, content in GOOD.items():
        archive.add(name, content.encode())
    for entry in entries:
        archive.add(*entry[:1], **entry[1]) if isinstance(entry[1], dict) else archive.add(*entry)
    return archive.bytes(**more)


def bomb():
    """Many entries share the same compressed bytes."""
    archive = Raw()
    content = b'x' * (4 << 20)
    at = archive.add('app/0.txt', content)
    for i in range(1, 900):
        archive.add(f'app/{i}.txt', content, at=at)
    return archive.bytes()


def hostile():
    """name → (bytes, what must be said)."""
    link, device, pipe = 0o120777, 0o020666, 0o010644
    zeros = b'\0' * (60 << 20)
    yield 'a bomb of one entry', raw(('app/a.txt', zeros)), ['times as large as the archive']
    yield 'a bomb whose entries share their bytes', bomb(), ['times as large as the archive']
    yield 'an entry that is longer than it says', raw(('app/a.txt', {'content': b'x' * 100000, 'size': 10})), ['app/a.txt']
    yield 'an entry that is shorter than it says', raw(('app/a.txt', {'content': b'x' * 10, 'size': 100000})), ['app/a.txt']
    yield 'thousands of entries', raw(*[(f'app/{i}.txt', b'') for i in range(5000)]), ['more than 1000 entries']
    yield 'thousands of entries that are not told', raw(*[(f'app/{i}.txt', b'') for i in range(3000)], count=2), ['the archive is damaged']
    yield 'over 32 MB when it is unpacked', large(), ['larger than 33554432 bytes']
    for path in ('../evil.dg', 'functions/../../evil.dg', '/etc/evil.dg', 'functions/..', 'C:\\evil.dg', 'functions\\..\\..\\evil.dg', 'app/a\nb.txt'):
        yield f'the path {path!r}', raw((path, b'x')), ['not allowed']
    yield 'a long name', raw(('app/' + 'x' * 3000, b'x')), ['']
    yield 'a drive', raw(('functions/C:evil.dg', b'x')), ['is no name that every file system takes']
    yield 'a part .', raw(('app/./a.txt', b'x')), ['']
    yield 'an empty part', raw(('app//a.txt', b'x')), ['']
    yield 'a link', raw(('app/link', {'content': b'/etc/passwd', 'system': 3, 'attributes': link << 16})), ['app/link', 'is a link or a device']
    yield 'a device', raw(('app/null', {'system': 3, 'attributes': device << 16})), ['app/null', 'is a link or a device']
    yield 'a pipe', raw(('app/pipe', {'system': 3, 'attributes': pipe << 16})), ['app/pipe', 'is a link or a device']
    yield 'a link made on a Mac', raw(('app/link', {'content': b'/etc/passwd', 'system': 19, 'attributes': link << 16})), ['app/link', 'is a link or a device']
    yield 'a name twice', raw(('functions/hello.dg', b'return "other";')), ['functions/hello.dg', 'twice']
    yield 'names that differ by case', raw(('functions/HELLO.dg', b'return "other";')), ['functions/hello.dg', 'twice', 'functions/HELLO.dg']
    yield 'a name that is not UTF-8', raw((b'app/\xff\xfe.txt', {'content': b'x', 'flags': 0})), ['not UTF-8']
    yield 'a name that claims to be UTF-8', raw((b'app/\xff\xfe.txt', b'x')), ['the archive is damaged']
    yield 'an encrypted entry', raw(('app/a.txt', {'content': b'x' * 20, 'flags': 0x801})), ['password']
    yield 'a way of compressing nobody knows', raw(('app/a.txt', {'content': b'x', 'method': 93})), ['cannot be read']
    yield 'a wrong checksum', raw(('app/a.txt', {'content': b'abc', 'crc': 1})), ['app/a.txt']
    yield 'bytes that are not deflate', raw(('app/a.txt', {'content': b'abc', 'packed': b'\xff\xff\xff\xff'})), ['app/a.txt']
    whole = raw()
    yield 'a zip that is cut off', whole[:len(whole) // 2], ['no zip archive']
    yield 'a zip whose head is cut off', whole[len(whole) // 2:], ['']
    yield 'no zip at all', b'this is no zip', ['no zip archive']
    yield 'an empty file', b'', ['no zip archive']
    yield 'an empty zip', b'PK\5\6' + b'\0' * 18, ['']
    yield 'a zip without an extension', raw_of({'readme.txt': 'x'}), ['extension.json']
    yield 'a zip of two extensions', raw_of({f'{name}/{path}': text for name in 'ab' for path, text in GOOD.items()}), ['extension.json']
    yield 'a huge manifest', raw_of({'extension.json': '{"name":"' + 'x' * (2 << 20) + '"}'}), ['extension.json', 'larger than 1048576 bytes']
    yield 'a deep manifest', raw_of({'extension.json': '{"name":' + '[' * 100000 + ']' * 100000 + '}'}), ['extension.json:1:']
    yield 'a manifest that is not UTF-8', raw_of({'extension.json': b'{"name":"\xff"}'}), ['extension.json', 'UTF-8']
    yield 'a script that is not UTF-8', raw(('functions/a.dg', b'return "\xff";')), ['functions/a.dg', 'UTF-8']
    yield 'a file of a widget over 5 MB', raw(('app/a.bin', {'content': os.urandom(5 << 20) + b'x', 'method': 0})), ['app/a.bin', 'larger than 5242880 bytes']


def large():
    """Much that packs well, but not too well."""
    piece = ''.join(f'{i:06d}{os.urandom(2).hex()}' + 'x' * 90 for i in range(20000)).encode()
    return raw(*[(f'app/{i}.txt', piece) for i in range(70)])


def raw_of(files):
    archive = Raw()
    for name, content in files.items():
        archive.add(name, content if isinstance(content, bytes) else content.encode(), method=0)
    return archive.bytes()


def test_hostile(folder):
    data = f'{folder}/data'
    with rig.Server(data=data) as server:
        for name, content, texts in hostile():
            refused(name, published(data, rig.write(f'{folder}/ext.zip', content)), 'ext.zip', *texts)
        nothing_is_published(data)
        equal('the server still answers', server.send('GET', '/healthz').status, 200)


# ---- folders


def test_versions(folder):
    data = f'{folder}/data'
    ext = rig.extension(f'{folder}/ext', functions={'version': 'return "1.9.0";'}, version='1.9.0')
    equal('a folder is published', published(data, ext).out, 'published ext@1.9.0\n')
    again = published(data, ext)
    equal('the same files again are no error', (again.code, again.out), (0, 'published already: ext@1.9.0\n'))
    equal('also as JSON', {**json.loads(published(data, ext, '--json').out), 'messages': 0}, {'namespace': 'ext', 'version': '1.9.0', 'new': False, 'messages': 0})
    rig.write(f'{ext}/functions/version.dg', 'return "changed";')
    refused('a published version never changes', published(data, ext), 'version 1.9.0 of "ext" is published with other files; raise "version"')
    rig.write(f'{ext}/app/new.html', 'new')
    rig.write(f'{ext}/functions/version.dg', 'return "1.9.0";')
    refused('a new file is a change too', published(data, ext), 'is published with other files')
    for version in ('1.10.0', '2.0.0-rc.1', '2.0.0-rc.1+build.7', '1.2.0'):
        rig.extension(ext, functions={'version': f'return "{version}";'}, version=version)
        equal(f'version {version} is published', published(data, ext).out, f'published ext@{version}\n')
    equal('the newest release is installed, numbers by value', command('ext', 'install', 'ext', '--data', data).out, 'installed ext@1.10.0\n')
    equal('and it runs', command('call', 'ext__version', '--data', data).out.splitlines()[-1:], ['{"code":"success","details":{"output":"1.10.0"'] and
          [line for line in command('call', 'ext__version', '--data', data).out.splitlines() if '"output":"1.10.0"' in line])
    equal('an older one is there still', command('ext', 'upgrade', 'ext@2.0.0-rc.1', '--data', data).code, 0)
    for version in ('1', '1.0', '1.0.0.0', '01.0.0', '1.0.0-', '1.0.0-a..b', '1.0.0-01', '1.0.0+', 'v1.0.0', 'dev', 'latest', '1.0.0-' + 'x' * 40, '１.0.0', ''):
        rig.extension(ext, version=version)
        refused(f'{version!r} is no version', published(data, ext), 'extension.json:1:', '"version" must look like 1.0.0')
    equal('--version counts more than the file', published(data, ext, '--version', '3.0.0').out, 'published ext@3.0.0\n')


def test_errors(folder):
    data, ext = f'{folder}/data', f'{folder}/ext'
    manifest = """{
  "name": "Ext",
  "namespace": "ext",
  "version": "1.0.0",
  "variables": [
    {"api_name": "good", "type": "text", "value": "x"},
    {"api_name": "number", "type": "integer", "value": "12"}
  ],
  "signals": [{"namespace": "sig", "name": "Sig"}],
  "schedules": [{"function": "nowhere", "cron": "0 0 * * *"}],
  "widgets": [
    {"name": "one", "location": "webtab", "url": "app/one.html"},
    {"name": "two", "location": "webtab", "url": "app/two.html?x=1#y"},
    {"name": "there", "location": "webtab", "url": "/app/there.html"},
    {"name": "elsewhere", "location": "webtab", "url": "https://example.com/w.html"},
    {"name": "outside", "location": "webtab", "url": "extension.json"}
  ]
}"""
    module = '{"api_name":"SMS","singular_label":"s","plural_label":"p","fields":[\n {"api_name":"Good","data_type":"text"},\n  {"api_name":"Bad","data_type":"nonsense"}]}'
    good = module.replace('nonsense', 'text')
    files = {'extension.json': manifest, 'functions/a.dg': 'x = 1;\nreturn x +;', 'functions/b.dg': '\n\n  return nosuch(1);', 'functions/c.dg': 'return "fine";',
             'install/on_installation.dg': 'info nosuch2();', 'install/on_update.dg': 'if (', 'app/there.html': 'x', 'modules/a.json': good.replace('SMS', 'Other'),
             'modules/b.json': module, 'connectors/c.json': '{"api_name":"conn",\n"apis":[{"api_name":"get","url":"ftp://x"}]}'}

    def build(**change):
        for name, text in {**files, **change}.items():
            rig.write(f'{ext}/{name}', text)
        return published(data, ext)

    result = build(**{'extension.json': manifest.replace('"12"', '"twelve"').replace('"sig"', '"s i g"'), 'modules/c.json': '{\n"api_name":}'})
    os.unlink(f'{ext}/modules/c.json')
    path = os.path.realpath(ext)
    for place, text in (('functions/a.dg:2:', 'Error'), ('functions/b.dg:3:', 'nosuch'), ('install/on_installation.dg:1:', 'nosuch2'), ('install/on_update.dg:1:', ''),
                        ('modules/b.json:3:', 'field Bad'), ('connectors/c.json:2:', '"url"'), ('extension.json:12:', 'app/one.html'),
                        ('extension.json:13:', 'app/two.html'), ('extension.json:16:', 'must lie in app/'), ('extension.json:7:', '"number" does not fit'), ('extension.json:9:', '"signals" needs'),
                        ('modules/c.json:2:', '')):
        ok(f'all errors are said at once: {place}', any(line.startswith(f'{path}/{place}') and text in line for line in result.err.splitlines()), repr(result))
    equal('twelve of them, and what is right is not among them', result.err.count(': error: '), 12)
    ok('the exit code is 1 and the last line says what became of it', result.code == 1 and result.err.endswith(': nothing is published\n'), repr(result))
    nothing_is_published(data)
    for name, text, place in (
            ('an unknown type of a variable', manifest.replace('"text", "value"', '"texts", "value"'), ':6:'),
            ('a default that does not fit', manifest.replace('"12"', '"twelve"'), ':7:'),
            ('a variable twice', manifest.replace('"api_name": "good"', '"api_name": "NUMBER"'), ':7:'),
            ('a widget without a page', manifest.replace('"url": "app/one.html"', '"x": 1'), ':11:'),
            ('a list that is none', manifest.replace('"variables": [', '"functions": {}, "variables": ['), ':5:'),
            ('broken JSON', manifest.replace('"1.0.0",', '"1.0.0"'), ':5:'),
            ('a function without its file', manifest.replace('"schedules"', '"functions": [{"api_name":"gone", "file":"functions/gone.dg"}],\n "schedules"'), ':10:')):
        refused(name, build(**{'extension.json': text}), f'{path}/extension.json{place}')
    rig.write(f'{ext}/functions/a.dg', 'return 1;')
    nothing_is_published(data)
    for name in ('functions/a.dg', 'functions/b.dg', 'install/on_installation.dg', 'install/on_update.dg'):
        files[name] = 'x = 1;'
    files.update({'modules/b.json': good, 'connectors/c.json': '{"api_name":"conn","apis":[{"api_name":"get","method":"GET","url":"https://example.com/x"}]}',
                  'app/one.html': '', 'app/two.html': 'x', 'extension.json': manifest.replace('"extension.json"', '"app/one.html"')})
    refused('a schedule of a function that is not there', build(), f'{path}/extension.json:10:', '"nowhere"')
    result = build(**{'extension.json': files['extension.json'].replace('nowhere', 'c')})
    equal('without mistakes it is published', (result.code, result.out, result.err), (0, 'published ext@1.0.0\n', ''))


def test_names(folder):
    data, ext = f'{folder}/data', f'{folder}/ext'
    for namespace in (*NAMESPACES, 'CRM', 'Standalone'):
        refused(f'the namespace {namespace} is the system\'s', published(data, rig.extension(ext, namespace)), 'is taken by the system')
        refused('also when it is said on the command line', published(data, rig.extension(ext), '--namespace', namespace), 'is taken by the system')
    for namespace in ('a__b', '1a', 'a-b', 'a.b', '_a', 'a_', ' ', 'x' * 64, 'ä'):
        refused(f'{namespace!r} is no namespace', published(data, rig.extension(ext, namespace, name='Ext')), '"namespace" must be')
    equal('a portal publishes', published(data, rig.extension(ext, 'ours', portal='acme')).code, 0)
    refused('another one may not', published(data, rig.extension(ext, 'ours', version='1.0.1', portal='other')), 'belongs to the portal "acme"')
    refused('nor may nobody', published(data, rig.extension(ext, 'ours', version='1.0.1')), 'belongs to the portal "acme"')
    equal('it may again, whatever its case', published(data, rig.extension(ext, 'ours', version='1.0.1', portal='ACME')).code, 0)
    refused('a namespace that differs by case', published(data, rig.extension(ext, 'Ours', version='1.0.2', portal='acme')), 'is published as "ours"')
    clash = rig.extension(f'{folder}/clash', 'clash', functions={'a': 'string clash.hello() { return "a"; }', 'b': 'string clash__HELLO() { return "b"; }'})
    refused('functions whose names fall together', published(data, clash), 'functions/b.dg:1:1: error:', 'HELLO" is already in functions/a.dg')


def test_folder(folder):
    data = f'{folder}/data'
    secret = rig.write(f'{folder}/secret.txt', 'outside')

    def change(name, make):
        ext = rig.extension(f'{folder}/{name}', functions={'f': 'return 1;'}, files={'app/w.html': 'x'})
        make(ext)
        return published(data, ext)

    refused('a link among functions', change('l1', lambda ext: os.symlink(secret, f'{ext}/functions/x.dg')), 'functions/x.dg', 'is a link; links are not followed')
    refused('a link among widgets', change('l2', lambda ext: os.symlink(secret, f'{ext}/app/x.html')), 'app/x.html', 'is a link')
    refused('a linked folder', change('l3', lambda ext: os.symlink(folder, f'{ext}/app/sub')), 'app/sub', 'is a link')
    refused('a linked manifest', change('l4', lambda ext: (os.unlink(f'{ext}/extension.json'), os.symlink(secret, f'{ext}/extension.json'))), 'extension.json', 'is a link')
    refused('a pipe', change('p', lambda ext: os.mkfifo(f'{ext}/app/pipe')), 'app/pipe', 'is not a plain file')
    refused('a file over 5 MB', change('b', lambda ext: rig.write(f'{ext}/app/big.bin', b'x' * ((5 << 20) + 1))), 'app/big.bin', 'larger than 5242880 bytes')
    refused('over 32 MB together', change('m', lambda ext: [rig.write(f'{ext}/app/{i}.bin', b'x' * (5 << 20)) for i in range(8)]), 'larger than 33554432 bytes')
    refused('very deep folders', change('d', lambda ext: rig.write(f'{ext}/app/' + 'a/' * 15 + 'x.txt', 'x')), 'lies deeper than 10 folders')
    refused('a name no other system takes', change('n', lambda ext: rig.write(f'{ext}/app/a:b.txt', 'x')), 'app/a:b.txt', 'is no name that every file system takes')
    refused('a name that is not UTF-8', change('u', lambda ext: open(f'{ext}/app/'.encode() + b'\xff.txt', 'w').close()), 'is no name that every file system takes')
    refused('a folder that is no extension', published(data, rig.write(f'{folder}/none/readme.md', 'x') and f'{folder}/none'), 'extension.json')
    refused('nothing at all', published(data, f'{folder}/nowhere'), 'there is no such folder or zip')
    refused('a file that is no zip', published(data, secret), 'is no zip archive')
    nothing_is_published(data)
    result = change('fine', lambda ext: [rig.write(f'{ext}/{name}', 'x') for name in ('.git/config', 'app/.hidden', 'readme.md', 'tests/a.json', 'node_modules/a.js')])
    equal('hidden files and what is no part of an extension do not matter', result.out, 'published ext@1.0.0\n')
    result = change('fine', lambda ext: rig.write(f'{ext}/app/.hidden', 'other'))
    equal('nor does a change of them', result.out, 'published already: ext@1.0.0\n')
    for words in ((), ('a', 'b'), ('a', '--nonsense')):
        equal(f'wrong usage: {words}', command('ext', 'publish', *words, '--data', data).code, 2)


def test_secrets(folder):
    data = f'{folder}/data'
    ext = rig.extension(f'{folder}/ext', variables=[{'api_name': 'token', 'type': 'text', 'value': 'hunter2-in-git', 'secret': True}])
    equal('a secret with a value is published', published(data, ext).code, 0)
    kept = [name for base, _, names in os.walk(data) for name in names if b'hunter2-in-git' in open(f'{base}/{name}', 'rb').read()]
    equal('without the value', kept, [])


# ---- zips that are right


def test_zip(folder):
    data = f'{folder}/data'
    files = {**GOOD, 'app/pic.png': bytes(range(256)), 'modules/sms.json': '{"api_name":"SMS","singular_label":"s","plural_label":"p","fields":[]}'}
    equal('a zip is published', published(data, pack(f'{folder}/any name.zip', files)).out, 'published ext@1.0.0\n')
    ext = f'{folder}/folder'
    for name, content in files.items():
        rig.write(f'{ext}/{name}', content)
    equal('the same files from a folder are the same version', published(data, ext).out, 'published already: ext@1.0.0\n')
    nested = [(unix('ext-1.0/', 0o040755), b'')] + [(f'ext-1.0/{name}', content) for name, content in files.items()]
    nested += [('__MACOSX/ext-1.0/._extension.json', b'junk'), ('ext-1.0/README.md', 'read me'), ('ext-1.0/.DS_Store', b'junk'), ('ext-1.0/tests/a.json', 'x'),
               ('ext-1.0/docs/stray.dg', 'x'), ('ext-1.0/functions/readme.md', 'x'), ('ext-1.0/modules/deep/x.json', 'x'), ('ext-1.0/app/.hidden', 'x')]
    equal('so are they in the one folder of a zip, beside what is no part', published(data, pack(f'{folder}/nested.zip', nested)).out, 'published already: ext@1.0.0\n')
    named = {**GOOD, 'lib/other.dg': 'return "other";', 'functions/deep/deep.dg': 'return "deep";', 'extension.json': json.dumps({
        'name': 'N', 'namespace': 'named', 'version': '1.0.0',
        'functions': [{'api_name': 'other', 'file': 'lib/other.dg'}, {'api_name': 'deep', 'file': 'functions/deep/deep.dg'}]})}
    for name, content in named.items():
        rig.write(f'{folder}/named/{name}', content)
    equal('scripts lie where the manifest names them', published(data, f'{folder}/named').out, 'published named@1.0.0\n')
    equal('in a zip too', published(data, pack(f'{folder}/named.zip', named)).out, 'published already: named@1.0.0\n')
    command('ext', 'install', 'named', '--data', data)
    matches('and run', command('call', 'named__deep', '--data', data).out + command('call', 'named__other', '--data', data).out, '"output":"deep".*"output":"other"')
    equal('and uncompressed', published(data, pack(f'{folder}/stored.zip', files, zipfile.ZIP_STORED)).out, 'published already: ext@1.0.0\n')
    equal('and with a comment behind it', published(data, rig.write(f'{folder}/comment.zip', raw_of(files)[:-2] + struct.pack('<H', 5) + b'hello')).out,
          'published already: ext@1.0.0\n')
    equal('--namespace makes another extension of it', published(data, f'{folder}/any name.zip', '--namespace', 'twin', '--version', '2.1.0').out, 'published twin@2.1.0\n')
    equal('which installs under its name', command('ext', 'install', 'twin', '--data', data).out, 'installed twin@2.1.0\n')
    matches('and runs', command('call', 'twin__hello', '--data', data).out, '"output":"hi"')
    compiled = published(data, pack(f'{folder}/bad.zip', {**files, 'functions/hello.dg': '\nreturn 1 +;'}))
    refused('errors in a zip name its file and line', compiled, 'bad.zip/functions/hello.dg:2:')


def test_toolkit(folder):
    """Zips as `zet pack` writes them (spec/platform.md §6)."""
    data = f'{folder}/data'
    app = {'app/widget.html': '<html>hello</html>', 'app/translations/en.json': '{}', 'app/sub/other.html': 'other', 'app/img/a.png': b'\x89PNG\r\n\x1a\n\0\xff'}
    zipped = pack(f'{folder}/lead-form 2.zip', app)
    equal('the zip as it is', published(data, zipped).out, 'published lead_form_2@1.0.0\n')
    equal('again', published(data, zipped).out, 'published already: lead_form_2@1.0.0\n')
    equal('under another name and version', published(data, zipped, '--namespace', 'leads', '--version', '1.2.3').out, 'published leads@1.2.3\n')
    refused('a file name that makes no namespace', published(data, pack(f'{folder}/123.zip', app)), 'extension.json')
    for namespace in ('lead_form_2', 'leads'):
        equal('it installs', command('ext', 'install', namespace, '--data', data).code, 0)
    with rig.Server(data=data) as server:
        reply = server.send('GET', '/widgets/leads/app/widget.html')
        equal('its pages answer', (reply.status, reply.text), (200, '<html>hello</html>'))
        equal('byte by byte', server.send('GET', '/widgets/lead_form_2/app/img/a.png').body, app['app/img/a.png'])
    made = rig.write(f'{folder}/made.zip', open(f'{rig.ROOT}/test/fuzz/corpus/package/zet-lead_form.zip', 'rb').read())
    equal('a zip that the toolkit 1.0.24 itself packed', published(data, made).out, 'published made@1.0.0\n')
    sources = {'app/server/source/1/old.dre': 'return nosuch();', 'app/server/source/9/hello.dre': 'return "nine";', 'app/server/source/10/hello.dre': 'return "ten";'}
    equal('functions of its newest source folder', published(data, pack(f'{folder}/numbers.zip', {**app, 'plugin-manifest.json': '{"service":"CRM"}', **sources})).out,
          'published numbers@1.0.0\n')
    latest = {**sources, 'app/server/source/latest/hello.dre': 'string hello(String name)\n{\n  return "latest " + name;\n}'}
    equal('latest is newer than any number', published(data, pack(f'{folder}/latest.zip', {**app, **latest})).out, 'published latest@1.0.0\n')
    for name, output in (('numbers', 'ten'), ('latest', 'latest Ada')):
        command('ext', 'install', name, '--data', data)
        matches(f'functions of {name} run', command('call', f'{name}__hello', '--param', 'name=Ada', '--data', data).out, f'"output":"{output}"')
    refused('and are compiled first', published(data, pack(f'{folder}/broken.zip', {**app, 'app/server/source/latest/x.dre': '\nreturn nosuch();'})),
            'broken.zip/app/server/source/latest/x.dre:2:')
    tree = {'crm/functions/ours/ours.greet.ds': 'string ours.greet(String name)\n{\n  return "hi " + name;\n}', 'crm/functions/ours/ours.plain.ds': 'return "plain";'}
    equal('functions that were pulled', published(data, pack(f'{folder}/ours.zip', tree)).out, 'published ours@1.0.0\n')
    for name, content in tree.items():
        rig.write(f'{folder}/ours/{name}', content)
    equal('also as a folder', published(data, f'{folder}/ours').out, 'published already: ours@1.0.0\n')
    command('ext', 'install', 'ours', '--data', data)
    matches('they run', command('call', 'ours__greet', '--param', 'name=Ada', '--data', data).out, '"output":"hi Ada"')
    matches('all of them', command('call', 'ours__plain', '--data', data).out, '"output":"plain"')


# ---- a server


def test_server(folder):
    ext = rig.extension(f'{folder}/ext', functions={'f': 'return "far";'}, files={'app/w.bin': bytes(range(256))})
    with rig.Server(data=f'{folder}/data') as server:
        made = json.loads(command('oauth', 'new', '--json', '--data', server.data).out)
        far = ['--server', 'http://%s:%d' % server.address, '--token', made['access_token']]
        for path in (ext, pack(f'{folder}/z.zip', {**GOOD, 'extension.json': MANIFEST.replace('1.0.0', '1.0.1')})):
            result = command('ext', 'publish', path, *far)
            matches(f'{os.path.basename(path)} goes to a server elsewhere', result.out + result.err, r'^published ext@1\.0\.[01]\n$')
        equal('the same as from its own machine', published(server.data, ext).out, 'published already: ext@1.0.0\n')
        result = command('ext', 'publish', rig.extension(f'{folder}/bad', functions={'f': 'return 1 +;'}), *far)
        refused('errors come back', result, 'functions/f.dg:1:', 'nothing is published')
        bare = pack(f'{folder}/form.zip', {'app/a.html': 'x'})
        equal('a zip tells its name there too', command('ext', 'publish', bare, *far).out, 'published form@1.0.0\n')
        equal('and a folder', command('ext', 'publish', rig.write(f'{folder}/formfolder/app/a.html', 'x') and f'{folder}/formfolder', *far).out, 'published formfolder@1.0.0\n')
        token = [('Authorization', 'Bearer ' + made['access_token'])]
        zip_ = token + [('Content-Type', 'application/zip')]
        for name, body, headers, status in (
                ('JSON without a folder', b'{}', token, 400), ('a relative folder', b'{"folder":"x"}', token, 400), ('no JSON', b'x', token, 400), ('no zip', b'PK', zip_, 400),
                ('no body', b'', zip_, 400), ('a folder with a NUL', b'{"folder":"/a\\u0000b"}', token, 400), ('no token', b'{}', [], 404),
                ('another token', b'{}', [('Authorization', 'Bearer 1000.x.y')], 401)):
            equal(f'the route refuses {name}', server.send('POST', '/control/ext/publish', headers, body).status, status)
        rows = server.send('GET', '/control/audit', token).json()
        rows = rows if isinstance(rows, list) else next(value for value in rows.values() if isinstance(value, list))
        told = [(row['subject'], row['outcome']) for row in rows if row['action'] == 'ext publish']
        equal('the audit log has what was published and what was refused, not what was there already', told,
              [('ext@1.0.0', 'done'), ('ext@1.0.1', 'done'), ('ext@1.0.0', 'failed'), ('form@1.0.0', 'done'), ('formfolder@1.0.0', 'done')])
        with rig.socket.create_connection(server.address, timeout=rig.WAIT_S) as sock:
            sock.sendall(b'POST /control/ext/publish HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/zip\r\nContent-Length: 40000000\r\n\r\n' %
                         made['access_token'].encode())
            matches('a zip over 32 MB is refused before it is sent', sock.recv(65536).decode(), '^HTTP/1.1 413 ')


def test_at_once(folder):
    """Two builds of one version race: one of them is the version, the other is told."""
    folders = [rig.extension(f'{folder}/{name}', functions={'f': f'return "{name}";'}, files={f'app/{i}.txt': name * 1000 for i in range(50)}) for name in 'abab']
    with rig.Server(data=f'{folder}/data') as server:
        results = []
        threads = [threading.Thread(target=lambda path=path: results.append(published(server.data, path))) for path in folders]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        told = sorted('first' if result.out.startswith('published ext@') else 'again' if 'published already' in result.out else 'refused' if
                      'is published with other files' in result.err else repr(result) for result in results)
        equal('one is first, its twin is told so, the others are refused', told, ['again', 'first', 'refused', 'refused'])
        equal('what is published is one of them, whole', len({command('ext', 'install', 'ext', '--data', server.data).code, *[
            server.send('GET', f'/widgets/ext/app/{i}.txt').text[:1] for i in range(50)]}), 2)


def test_widgets(folder):
    data = f'{folder}/data'
    app = {'app/index.html': '<p>home</p>', 'app/my file.html': 'blank', 'app/ä.txt': 'ä', 'app/latin.html': b'\xe4', 'app/a.js': 'x', 'app/a.css': 'x', 'app/a.json': '{}',
           'app/a.svg': '<svg/>', 'app/a.woff2': b'\0\xff', 'app/a.unknown': b'x', 'app/empty.txt': b'', 'app/sub/x.html': 'x', 'app/big.mp4': os.urandom(5 << 20),
           'app/server/source/latest/g.dre': 'return "secret";', 'app/lib.dg': 'return "secret";', 'app/UP.DG': 'return "secret";'}
    files = {**app, 'functions/f.dg': 'return "secret";', 'install/on_installation.dg': 'info "secret";', 'app/.env': 'secret', 'app/.git/config': 'secret', '.env': 'secret'}
    ext = rig.extension(f'{folder}/ext', files=files, namespace='Ext', widgets=[{'name': 'w', 'location': 'webtab', 'url': 'app/index.html'}])
    os.symlink('/etc/passwd', f'{folder}/passwd')

    def look(server, state):
        def get(path, *headers, method='GET'):
            return server.send(method, f'/widgets/{path}', headers)

        reply = get('ext/app/index.html')
        equal(f'{state}: a page answers, whatever the case of the namespace', (reply.status, reply.text, get('EXT/app/index.html').text), (200, '<p>home</p>', '<p>home</p>'))
        equal(f'{state}: its headers', [reply.header(name) for name in ('Content-Type', 'Content-Security-Policy', 'X-Content-Type-Options', 'Cache-Control',
                                                                           'Access-Control-Allow-Origin', 'Set-Cookie')],
              ['text/html;charset=utf-8', 'sandbox allow-scripts allow-forms allow-popups', 'nosniff', 'no-cache', '*', None])
        tag = reply.header('ETag')
        for name, status in ((tag, 304), (f'"x", W/{tag}', 304), ('*', 304), ('"x"', 200), ('', 200)):
            got = get('Ext/app/index.html', ('If-None-Match', name))
            equal(f'{state}: If-None-Match: {name and "…"}', (got.status, got.header('ETag'), len(got.body)), (status, tag, 11 if status == 200 else 0))
        head = get('Ext/app/index.html', method='HEAD')
        equal(f'{state}: HEAD', (head.status, head.header('Content-Length'), head.body), (200, '11', b''))
        for path, type_ in (('a.js', 'text/javascript;charset=utf-8'), ('a.css', 'text/css;charset=utf-8'), ('a.json', 'application/json;charset=utf-8'),
                            ('a.svg', 'image/svg+xml;charset=utf-8'), ('a.woff2', 'font/woff2'), ('latin.html', 'text/html'), ('big.mp4', 'video/mp4'),
                            ('a.unknown', 'text/plain;charset=utf-8'), ('my%20file.html', 'text/html;charset=utf-8'), ('%C3%A4.txt', 'text/plain;charset=utf-8')):
            got = get(f'Ext/app/{path}')
            equal(f'{state}: {path}', (got.status, got.header('Content-Type')), (200, type_))
        ok(f'{state}: 5 MB come as they are', get('Ext/app/big.mp4').body == app['app/big.mp4'])
        equal(f'{state}: an empty file', (get('Ext/app/empty.txt').status, get('Ext/app/empty.txt').body), (200, b''))
        equal(f'{state}: a folder means its index.html', [(got.status, got.text, got.header('Location')) for got in (get('Ext/app/'), get('Ext/app'))],
              [(200, '<p>home</p>', None), (302, '', 'app/')])
        for path in ('Ext/app/none.html', 'Ext/app/sub/', 'Ext/app/sub', 'Ext/', 'Ext', 'none/app/index.html', 'Ext/extension.json', 'Ext/functions/f.dg', 'Ext/.env',
                     'Ext/install/on_installation.dg', 'Ext/app/server/source/latest/g.dre', 'Ext/app/lib.dg', 'Ext/app/UP.DG', 'Ext/app/.env', 'Ext/app/.git/config',
                     'Ext/app/../extension.json', 'Ext/app/%2e%2e/extension.json', 'Ext/app/..%2fextension.json', 'Ext/app/%2e%2e%2fextension.json', 'Ext/app//etc/passwd',
                     'Ext//app/index.html', 'Ext/app/./index.html', 'Ext/app/index.html/', 'Ext/app/link', 'Ext/app/away/passwd', 'Ext/app%2findex.html/', 'Ext/APP/index.html',
                     'Ext/app/server/../index.html', '../Ext/app/index.html', 'Ext/app/pipe', 'Ext/app/' + 'x' * 300, 'Ext/app/' + 'a/' * 80, "Ext'/app/index.html"):
            got = get(path)
            ok(f'{state}: {path[:60]} is not there', got.status == 404 and 'secret' not in got.text and 'root:' not in got.text, repr(got))
        equal(f'{state}: nor with a NUL', get('Ext/app/index.html%00.txt').status, 400)
        equal(f'{state}: it is only read', [get('Ext/app/index.html', method=method).status for method in ('POST', 'PUT', 'DELETE')], [400, 400, 400])

    with rig.Server(ext, data=f'{folder}/data-dev') as server:
        for path, target in (('app/link', '/etc/passwd'), ('app/away', folder)):
            os.symlink(target, f'{ext}/{path}')
        os.mkfifo(f'{ext}/app/pipe')
        look(server, 'served folder')
        rig.write(f'{ext}/app/index.html', 'saved')
        equal('a saved file is there at once', server.send('GET', '/widgets/Ext/app/index.html').text, 'saved')
        rig.write(f'{ext}/app/index.html', '<p>home</p>')
    with rig.Server(data=f'{folder}/data-dev') as server:
        equal('a folder that is no longer served shows nothing', server.send('GET', '/widgets/Ext/app/index.html').status, 404)
    for name in ('app/link', 'app/away', 'app/pipe'):
        os.unlink(f'{ext}/{name}')
    with rig.Server(data=data) as server:
        result = published(data, ext)
        equal('it is published', (result.code, result.err), (0, ''))
        equal('not installed it answers nothing', server.send('GET', '/widgets/Ext/app/index.html').status, 404)
        equal('it is installed', command('ext', 'install', 'Ext', '--data', data).code, 0)
        look(server, 'published')
        rig.extension(ext, namespace='Ext', version='2.0.0')
        rig.write(f'{ext}/app/index.html', 'second')
        published(data, ext)
        equal('a newer version is not shown before it is installed', server.send('GET', '/widgets/Ext/app/index.html').text, '<p>home</p>')
        command('ext', 'upgrade', 'Ext', '--data', data)
        equal('then it is', server.send('GET', '/widgets/Ext/app/index.html').text, 'second')
        command('ext', 'uninstall', 'Ext', '--data', data)
        equal('uninstalled it is gone', server.send('GET', '/widgets/Ext/app/index.html').status, 404)


if __name__ == '__main__':
    tests = {name[5:]: test for name, test in list(globals().items()) if name.startswith('test_')}
    for name in sys.argv[2:] or tests:
        with rig.folder() as path:
            tests[name](path)
    rig.done()
