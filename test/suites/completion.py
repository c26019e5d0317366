#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`sluice completion`: the scripts are sourced in the shells that are here, and asked as a person with a Tab key would ask.

usage: completion.py PATH/TO/sluice"""
import re
import shutil
import subprocess

import _rig as rig


def shell(name, script, cwd):
    done = subprocess.run([name, *(['--norc', '--noprofile'] if name == 'bash' else ['-f'] if name == 'zsh' else ['--no-config']), '-c', script], cwd=cwd,
                          capture_output=True, text=True, timeout=30, env=rig.ENVIRONMENT)
    return rig.Done(done.returncode, done.stdout, done.stderr)


def bash(script, words, cwd):
    """What bash would offer behind these words; the last one is being typed."""
    quoted = ' '.join("'" + word + "'" for word in words)
    done = shell('bash', f'source {script}\nCOMP_WORDS=({quoted})\nCOMP_CWORD={len(words) - 1}\n_sluice\nprintf "%s\\n" "${{COMPREPLY[@]}}"', cwd)
    rig.ok(f'bash takes {words}', done.code == 0 and not done.err, done)
    return done.out.split()


def all_commands():
    text = rig.command('help').out
    return [line.split('  ')[1].strip() for line in text.splitlines() if re.match(r'^  \S', line)]


def in_bash(script, cwd):
    firsts = bash(script, ['sluice', ''], cwd)
    rig.equal('the first words are the first words of the help', firsts, list(dict.fromkeys(line.split()[0] for line in all_commands())))
    rig.equal('a word is completed', bash(script, ['sluice', 'ser'], cwd), ['serve'])
    rig.ok('second words', {'new', 'install', 'show'} <= set(bash(script, ['sluice', 'ext', ''], cwd)))
    rig.equal('a second word is completed', bash(script, ['sluice', 'org', 'sa'], cwd), ['sandbox'])
    rig.equal('flags', bash(script, ['sluice', 'test', '--'], cwd), ['--accept', '--filter', '--json', '--help'])
    rig.equal('a flag behind an argument', bash(script, ['sluice', 'run', 'a.dg', '--ar'], cwd), ['--arguments'])
    rig.ok('flags of a command with two words', '--namespace' in bash(script, ['sluice', 'ext', 'new', '--n'], cwd))
    rig.equal('fixed words', bash(script, ['sluice', 'docs', 'l'], cwd), ['limits'])
    rig.equal('files', bash(script, ['sluice', 'check', 'scr'], cwd), ['script.dg'])
    rig.equal('files behind a flag that takes a value', bash(script, ['sluice', 'serve', '--data', 'scr'], cwd), ['script.dg'])
    rig.equal('nothing for what is no command', bash(script, ['sluice', 'nonsense', '--'], cwd), [])


def others(folder):
    for name, check in (('zsh', '(( $+functions[_sluice] ))'), ('fish', 'functions -q __sluice_at')):
        done = rig.command('completion', name)
        script = rig.write(f'{folder}/sluice.{name}', done.out)
        rig.ok(f'{name}: every command and flag is in it', done.code == 0 and all(word in done.out for line in all_commands() for word in line.split()[:1]) and
               'accept' in done.out and 'reinstall' in done.out, done)
        rig.ok(f'{name}: quotes are even on every line', all(line.replace("'\\''", '').replace("\\'", '').count("'") % 2 == 0 for line in done.out.splitlines()))
        if shutil.which(name):
            done = shell(name, f'source {script}; and {check}; and echo good' if name == 'fish' else f'source {script} && {check} && echo good', folder)
            rig.equal(f'{name}: it can be sourced', (done.out.strip(), done.err), ('good', ''))
    if shutil.which('fish'):
        done = shell('fish', f'source {folder}/sluice.fish; complete -C "sluice ext ne"', folder)
        rig.matches('fish: a second word is completed', done.out, r'^new\t')


with rig.folder() as work:
    rig.write(f'{work}/script.dg', 'return 1;')
    made = rig.command('completion', 'bash')
    rig.equal('completion bash exits 0', made.code, 0)
    in_bash(rig.write(f'{work}/sluice.bash', made.out), work)
    others(work)
    wrong = rig.command('completion', 'csh')
    rig.ok('another shell is wrong usage', wrong.code == 2 and 'bash, zsh and fish' in wrong.err, wrong)
rig.done()
