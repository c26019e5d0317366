#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`sluice fmt` through the real binary: which files it finds, what it prints, what it writes and how; and what `check` prints of its findings."""
import _rig as rig
from _rig import command, equal, matches, ok

import os
import stat

LOOSE = 'if(a==1){b=2;// why\n}'
NEAT = 'if(a == 1)\n{\n\tb = 2; // why\n}\n'
BROKEN = 'a = ;\nb = (1;\n'


def test_in_place(folder):
    loose, neat = rig.write(f'{folder}/s/b/loose.dg', LOOSE), rig.write(f'{folder}/s/neat.deluge', NEAT)
    hidden, other = rig.write(f'{folder}/s/.git/x.dg', LOOSE), rig.write(f'{folder}/s/notes.txt', LOOSE)
    os.chmod(loose, 0o640)
    before = os.stat(neat)
    equal('--check prints the names, exit 1', repr(command('fmt', '--check', f'{folder}/s')), repr(rig.Done(1, f'{loose}\n', '')))
    equal('--check writes nothing', rig.read(loose), LOOSE)
    equal('fmt prints the names of changed files', repr(command('fmt', f'{folder}/s')), repr(rig.Done(0, f'{loose}\n', '')))
    equal('the file is formatted', rig.read(loose), NEAT)
    equal('its mode is kept', stat.S_IMODE(os.stat(loose).st_mode), 0o640)
    equal('hidden folders and other files are left alone', (rig.read(hidden), rig.read(other)), (LOOSE, LOOSE))
    equal('a neat file is not written', os.stat(neat).st_ino, before.st_ino)
    equal('no temporary file is left', sorted(os.listdir(f'{folder}/s/b')), ['loose.dg'])
    equal('a second time nothing changes', repr(command('fmt', f'{folder}/s')), repr(rig.Done(0, '', '')))
    equal('--check is content', repr(command('fmt', '--check', f'{folder}/s')), repr(rig.Done(0, '', '')))


def test_named_files(folder):
    text = rig.write(f'{folder}/script.txt', LOOSE)
    equal('a file that is named has any ending', command('fmt', text).out, f'{text}\n')
    equal('… and is formatted', rig.read(text), NEAT)
    target = rig.write(f'{folder}/target.dg', LOOSE)
    os.symlink('target.dg', f'{folder}/link.dg')
    command('fmt', f'{folder}/link.dg')
    ok('a link stays a link', os.path.islink(f'{folder}/link.dg'))
    equal('what it names is formatted', rig.read(target), NEAT)
    marked = rig.write(f'{folder}/mark.dg', b'\xef\xbb\xbfa = "x\r\ny";\r\n')
    command('fmt', marked)
    with open(marked, 'rb') as file:
        equal('mark and carriage returns go, but not those of a text', file.read(), b'a = "x\r\ny";\n')


def test_standard_input(folder):
    equal('- reads and writes', repr(command('fmt', '-', input=LOOSE.encode())), repr(rig.Done(0, NEAT, '')))
    equal('--check - prints its name', repr(command('fmt', '--check', '-', input=LOOSE.encode())), repr(rig.Done(1, '-\n', '')))
    equal('--check - of a neat one', repr(command('fmt', '--check', '-', input=NEAT.encode())), repr(rig.Done(0, '', '')))
    broken = command('fmt', '-', input=BROKEN.encode())
    equal('a broken one gives no output', (broken.code, broken.out), (1, ''))


def test_errors(folder):
    broken, loose = rig.write(f'{folder}/s/a.dg', BROKEN), rig.write(f'{folder}/s/b.dg', LOOSE)
    done = command('fmt', f'{folder}/s')
    equal('an error: exit 1, the others are formatted', (done.code, done.out), (1, f'{loose}\n'))
    matches('every error is told with its place', done.err, r'a\.dg:1:5: error: .*\n.*a\.dg:2:7: error: ')
    equal('the broken file is left as it is', rig.read(broken), BROKEN)
    done = command('fmt', rig.write(f'{folder}/app.ds', 'application "x"\n{\n}\n'))
    matches('the export of an application is refused', done.err, r'app\.ds:1:1: error: .*Creator')
    done = command('fmt', f'{folder}/no.dg')
    equal('a file that is not there: exit 1', done.code, 1)
    matches('… with the reason', done.err, r'no\.dg:1:1: error: No such file')
    equal('no path: wrong usage', command('fmt').code, 2)
    equal('not UTF-8: exit 1', command('fmt', rig.write(f'{folder}/u.dg', b'a = "\xff";')).code, 1)


def test_check_lines(folder):
    path = rig.write(f'{folder}/c.dg', 'void f()\n{\n\tx = 1\n\ty = \U0001f600;\n\tif(x = 1) { info 1; }\n}\n')
    lines = command('check', path).out.splitlines()
    ok('check prints one line a finding', lines and all(line.startswith(f'{path}:') for line in lines), lines)
    explained = command('check', '--explain', path).out.splitlines()
    equal('--explain keeps those lines', [line for line in explained if line.startswith(f'{path}:')], lines)
    at = explained.index(next(line for line in explained if line.startswith(f'{path}:3:')))
    equal('--explain: the source line, a caret, what to do', explained[at + 1:at + 4],
          ['    \tx = 1', '    \t     ^', '    Add a ; at the end of this statement.'])
    long = rig.write(f'{folder}/l.dg', 'void f()\n{\n\tx = "' + 'é' * 3000 + '" ? 1;\n}\n')
    explained = command('check', '--explain', long).out.splitlines()
    ok('--explain cuts long lines around the finding', len(explained) >= 3 and len(explained[1]) < 200 and '?' in explained[1], explained)
    equal('… and the caret is below', explained[1][explained[2].index('^')], '?')


MODULES = """void f()
{
	a = zoho.crm.getRecords("Leadz");
	b = zoho.crm.getRecords("own.Things");
	c = zoho.crm.getRelatedRecords("Notes","Nope",1);
	d = zoho.crm.searchRecords("Leads" + a,"(A:equals:" + b + ")");
	e = zoho.crm.getRecordById("Contacts",zoho.crm.createRecord("Other",{"a":"b"}).get("id"));
}
"""


def test_check_modules(folder):
    files = {'modules/things.json': '{"api_name":"Things","singular_label":"Thing","plural_label":"Things","name_field":{"api_name":"Name"},"fields":[]}'}
    rig.extension(f'{folder}/own', 'own', functions={'f': MODULES}, files=files)
    path, lonely = f'{folder}/own/functions/f.dg', rig.write(f'{folder}/lonely.dg', MODULES)
    told = ''.join(f"{{}}:{line}:{column}: warning: The module '{name}' does not exist\n" for line, column, name in
                   [(3, 26, 'Leadz'), (5, 41, 'Nope'), (7, 62, 'Other')])
    equal('modules that are not there are warnings, in an extension', repr(command('check', f'{folder}/own')), repr(rig.Done(0, told.replace('{}', path), '')))
    equal('a file alone says nothing of modules', repr(command('check', lonely)), repr(rig.Done(0, '', '')))
    data = f'{folder}/data'
    equal('the extension is installed', command('ext', 'install', f'{folder}/own', '--data', data).code, 0)
    equal('--data: its modules are known', repr(command('check', '--data', data, lonely)), repr(rig.Done(0, told.replace('{}', lonely), '')))
    absent = command('check', '--data', f'{folder}/absent', lonely)
    equal('a data folder that is not there: exit 1', (absent.code, os.path.exists(f'{folder}/absent')), (1, False))
    matches('… with the reason', absent.err, 'no data folder')


for test in (test_in_place, test_named_files, test_standard_input, test_errors, test_check_lines, test_check_modules):
    with rig.folder() as temporary:
        print(f'# {test.__name__}', flush=True)
        try:
            test(temporary)
        except Exception as why:  # one broken expectation must not hide the rest
            import traceback
            ok(f'{test.__name__} ran to its end', False, traceback.format_exc())
rig.done()
