#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`sluice ext new`: what it makes passes its own tests, checks clean and serves; what it refuses leaves nothing.

usage: new.py PATH/TO/sluice"""
import json
import os
import re

import _rig as rig


def tree(path):
    return sorted(os.path.relpath(os.path.join(base, name), path) for base, _, names in os.walk(path) for name in names)


def makes(folder):
    done = rig.command('ext', 'new', 'my-shop', cwd=folder)
    rig.ok('ext new makes a folder and names the next commands', done.code == 0 and done.out.startswith('made the extension myshop in my-shop:\n') and
           '\n  sluice test my-shop\n  sluice serve my-shop\n' in done.out, done)
    files = tree(f'{folder}/my-shop')
    rig.equal('it lists the files it made', sorted(re.findall(r'^  ([\w./]+\.\w+|\.gitignore)$', done.out, re.M)), files)
    manifest = json.loads(rig.read(f'{folder}/my-shop/extension.json'))
    rig.equal('names come from the folder', (manifest['namespace'], manifest['name'], manifest['version']), ('myshop', 'My Shop', '1.0.0'))
    done = rig.command('test', 'my-shop', cwd=folder)
    rig.matches('its tests pass', f'{done.code} {done.out}', r'^0 ok .*\n[1-9]\d* passed, 0 failed\n$')
    for words in (['check', '--strict', 'my-shop'], ['fmt', '--check', 'my-shop']):
        done = rig.command(*words, cwd=folder)
        rig.equal(f'{" ".join(words)} has nothing to say', (done.code, done.out), (0, ''))
    rig.equal('no placeholder is left', [file for file in files if re.search(r'\{\{\w+\}\}', rig.read(f'{folder}/my-shop/{file}'))], [])


def serves(folder):
    with rig.Server(f'{folder}/my-shop', data=f'{folder}/sluice-data') as server:
        rig.equal('it serves', server.call('myshop__hello', 'name=Ada').output(), 'Hello Ada!')
        done = rig.command('ext', 'show', 'myshop', '--data', f'{folder}/sluice-data', '--json')
        url = json.loads(done.out)['installed'][0]['variables'][0]['value']
        rig.equal('its install action stored the URL with the key', url.split('zapikey=')[-1], server.key('myshop'))
        rig.equal('the stored URL answers on this server', server.send('GET', re.sub(r'^https://[^/]*', '', url)).output(), 'Hello world!')
        readme = rig.read(f'{folder}/my-shop/README.md')
        line = re.search(r'^ +sluice (call \S+ --param name=Ada)', readme, re.M).group(1)
        done = rig.command(*line.split(), '--data', f'{folder}/sluice-data')
        rig.ok("the README's call works", done.code == 0 and 'Hello Ada!' in done.out, done)


def names(folder):
    done = rig.command('ext', 'new', 'a/', '--namespace', 'Other_1', '--name', 'Say "hi" \\ ✓', cwd=folder)
    manifest = json.loads(rig.read(f'{folder}/a/extension.json'))
    rig.equal('--namespace and --name', (done.code, manifest['namespace'], manifest['name']), (0, 'Other_1', 'Say "hi" \\ ✓'))
    done = rig.command('test', 'a', cwd=folder)
    rig.equal('its tests pass too', done.code, 0)
    os.mkdir(f'{folder}/empty')
    done = rig.command('ext', 'new', '.', cwd=f'{folder}/empty')
    rig.equal('an empty folder is filled, and its own name counts', (done.code, json.loads(rig.read(f'{folder}/empty/extension.json'))['namespace']), (0, 'empty'))


def refuses(folder):
    rig.write(f'{folder}/full/notes.txt', 'mine')
    rig.write(f'{folder}/file', 'mine')
    before = tree(folder)
    long = 'n' * 64
    for words, code, text in (
            (['full'], 1, 'is there already and not an empty folder'),
            (['file'], 1, 'is there already and not an empty folder'),
            (['no/such/parent'], 1, 'No such file'),
            (['b', '--namespace', 'a__b'], 2, '"namespace" must be'),
            (['b', '--namespace', '_a'], 2, '"namespace" must be'),
            (['b', '--namespace', '1a'], 2, '"namespace" must be'),
            (['b', '--namespace', 'a b'], 2, '"namespace" must be'),
            (['b', '--namespace', 'zoho'], 2, 'is taken by the system'),
            (['b', '--namespace', 'standalone'], 2, 'is taken by the system'),
            (['b', '--namespace', long], 2, 'at most 63 characters'),
            (['b', '--namespace', 'a"\n'], 2, ''),
            (['b', '--name', 'x' * 101], 2, 'at most 100 bytes'),
            (['b', '--name', 'two\nlines'], 2, 'no control characters'),
            (['---'.replace('-', '_')], 2, 'give one with --namespace'),
            ([], 2, 'needs DIR')):
        done = rig.command('ext', 'new', *words, cwd=folder)
        rig.ok(f'ext new {words} is refused', done.code == code and text in done.err and done.err.startswith('sluice: '), done)
    rig.equal('refusals leave nothing', tree(folder), before)
    os.mkdir(f'{folder}/locked')
    os.chmod(f'{folder}/locked', 0o500)
    if os.geteuid() != 0:
        done = rig.command('ext', 'new', 'locked/x', cwd=folder)
        rig.ok('a folder that cannot be written', done.code == 1 and 'Permission denied' in done.err, done)


with rig.folder() as work:
    makes(work)
    serves(work)
    names(work)
    refuses(work)
rig.done()
