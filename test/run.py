#!/usr/bin/env python3
"""Runs every test of a build and counts: usage run.py BUILD_DIR [WORD…]

Programs that meson knows (unit, language, fuzz replays) print TAP; so do the Python suites and, in test/console, the browser tests. Each line `ok` or
`not ok` is one test; a program that ends badly without saying `not ok` counts as one failure. What is in ON_POSTGRES runs a second time on a private
PostgreSQL, if there is one. The last line is "N passed, N failed"."""
import concurrent.futures, json, os, re, shutil, subprocess, sys

import postgres

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(ROOT, sys.argv[1])
WORDS = sys.argv[2:]
TIMEOUT_S = 300
NODE = shutil.which('node')
ON_POSTGRES = {'suite/http', 'suite/console', 'suite/drafts', 'suite/crash', 'suite/orgs', 'suite/keys', 'suite/fn', 'store/sql', 'store/write', 'store/read', 'store/journal', 'store/crash'}
RESULT = re.compile(r'^(ok|not ok)\b(.*)$')


def programs():
    """(name, command, environment) of everything to run; the slow ones first."""
    listed = json.loads(subprocess.check_output(['meson', 'introspect', '--tests', BUILD], text=True))
    for test in listed:
        yield test['name'], test['cmd'], test['env']
    binary = os.path.join(BUILD, 'sluice')
    yield 'rooms', [sys.executable, os.path.join(ROOT, 'test/rooms.py')], {}
    for suite in sorted(os.listdir(os.path.join(ROOT, 'test/suites'))):
        if suite.endswith('.py') and not suite.startswith('_'):
            yield 'suite/' + suite[:-3], [sys.executable, os.path.join(ROOT, 'test/suites', suite), binary], {}
    for page in sorted(os.listdir(os.path.join(ROOT, 'test/console'))):
        if page.endswith('.mjs') and page not in ('rig.mjs', 'sample.mjs'):
            yield 'console/' + page[:-4], [NODE, os.path.join(ROOT, 'test/console', page), binary] if NODE else ['echo', '1..0 # SKIP there is no node'], {}


def run(name, command, environment):
    env = dict(os.environ, **environment)
    env.setdefault('CMOCKA_MESSAGE_OUTPUT', 'TAP')
    try:
        done = subprocess.run(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIMEOUT_S)
        text, code = done.stdout.decode('utf-8', 'replace'), done.returncode
    except subprocess.TimeoutExpired as late:
        text, code = (late.stdout or b'').decode('utf-8', 'replace') + f'\ntimed out after {TIMEOUT_S} s', -1
    results = [m for m in map(RESULT.match, text.splitlines()) if m and '# SKIP' not in m[2]]
    passed = sum(m.group(1) == 'ok' for m in results)
    failed = len(results) - passed
    if code != 0 and failed == 0:
        failed = 1
    if not results and code == 0 and '# SKIP' not in text:
        failed, text = 1, text + '\nno test ran'
    return name, passed, failed, text, code


def wanted(todo):
    return [p for p in todo if not WORDS or any(word in p[0] for word in WORDS)]


def main():
    todo, server = wanted(programs()), None
    again = wanted(('postgres/' + name, command, env) for name, command, env in programs() if name in ON_POSTGRES)
    try:
        server = postgres.Postgres() if again else None
        todo += [(name, command, {**env, 'SLUICE_TEST_POSTGRES': server.address()}) for name, command, env in again]
    except Exception as why:
        print(f'postgres: skipped: {str(why).splitlines()[0]}', flush=True)
    try:
        run_all(todo)
    finally:
        if server:
            server.remove()


def run_all(todo):
    passed = failed = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for name, good, bad, text, code in pool.map(lambda p: run(*p), todo):
            passed, failed = passed + good, failed + bad
            print(f'{name}: {good} passed' + (f', {bad} FAILED (exit {code})' if bad else ''), flush=True)
            for why in sorted(set(re.findall(r'# SKIP (.+)', text))):
                print(f'  skipped: {why}', flush=True)
            if bad:
                shown = [line for line in text.splitlines() if not re.match(r'ok \d+ - ', line)]
                print('\n'.join(shown)[-6000:], flush=True)
    print(f'{passed} passed, {failed} failed')
    sys.exit(1 if failed or not passed else 0)


main()
