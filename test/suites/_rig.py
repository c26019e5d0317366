# SPDX-License-Identifier: Apache-2.0
"""What the suites share: starting and stopping the real binary on a temporary data folder, a small exact HTTP client, TAP lines.

Every wait has a time limit. A server that is stopped must exit 0, and no process may leave a sanitizer's report on its standard error."""
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time

if sys.path and sys.path[0] == os.path.dirname(os.path.abspath(__file__)):
    del sys.path[0]  # the suite http.py must not hide the library of that name
SLUICE = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else ''
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WAIT_S = 20  # for anything that should happen at once: sanitizer builds on a busy machine are slow
REPORT = re.compile(r'Sanitizer|runtime error:|Assertion .* failed')
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith('SLUICE_') or name == 'SLUICE_STORE_TWICE'}


# ---- TAP

count = failures = 0


def ok(name, condition, detail=''):
    global count, failures
    count += 1
    failures += not condition
    print(f"{'ok' if condition else 'not ok'} {count} - {name}", flush=True)
    if not condition:
        for line in str(detail).splitlines()[:60]:
            print('# ' + line, flush=True)
    return bool(condition)


def equal(name, got, want):
    return ok(name, got == want, f'got  {got!r}\nwant {want!r}')


def matches(name, text, pattern, flags=re.S):
    return ok(name, re.search(pattern, text, flags), f'no match of {pattern!r} in\n{text}')


def done():
    print(f'1..{count}', flush=True)
    sys.exit(1 if failures or not count else 0)


# ---- folders


@contextlib.contextmanager
def folder():
    path = tempfile.mkdtemp(prefix='sluice-test-')
    try:
        yield path
    finally:
        for base, _, _ in os.walk(path):
            os.chmod(base, 0o700)
        shutil.rmtree(path)


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'wb') as file:
        file.write(text if isinstance(text, bytes) else text.encode())
    return path


def read(path):
    with open(path, 'rb') as file:
        return file.read().decode('utf-8', 'replace')


def extension(path, namespace='ext', version='1.0.0', functions=None, **more):
    """Writes an extension: functions by name, `files` by path, anything else into extension.json."""
    files = more.pop('files', {})
    write(f'{path}/extension.json', json.dumps({'name': namespace.title(), 'namespace': namespace, 'version': version, **more}))
    for name, source in (functions or {}).items():
        write(f'{path}/functions/{name}.dg', source)
    for name, text in files.items():
        write(f'{path}/{name}', text)
    return path


def until(condition, seconds=WAIT_S):
    """The first true answer of `condition`, else its last one."""
    end = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer or time.monotonic() > end:
            return answer
        time.sleep(0.02)


# ---- the store: SQLite, or with SLUICE_TEST_POSTGRES (test/postgres.py) a data base of that server for every data folder

POSTGRES = os.environ.get('SLUICE_TEST_POSTGRES')
bases = {}


def query(url, sql):
    done_ = subprocess.run(['psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-c', sql, url], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    if done_.returncode:
        raise RuntimeError(done_.stderr.decode())
    return done_.stdout.decode()


def store_url(data):
    """Of the data base that stands for this data folder; made when the folder is first named."""
    data = os.path.realpath(data)
    if data not in bases:
        bases[data] = f't{os.getpid()}_{len(bases)}'
        query(POSTGRES, f'CREATE DATABASE {bases[data]}')
    return POSTGRES.replace('/postgres?', f'/{bases[data]}?')


SCHEMA = 'orgs/default/production'
DIALECT = [  # what the tests' own look into the data base says otherwise on PostgreSQL
    (r"""("[^"]*"|'[^']*')|\b(\w*[A-Z]\w*[a-z]\w*)\b""", lambda m: m[1] or f'"{m[2]}"'),  # names that are not quoted lose their capitals there
    (r"sqlite_master WHERE type = 'table' AND", f"(SELECT tablename AS name FROM pg_tables WHERE schemaname = '{SCHEMA}') x WHERE"),
    (r"pragma_table_info\(('\w+')\)", rf"(SELECT column_name AS name FROM information_schema.columns WHERE table_schema = '{SCHEMA}' AND table_name = \1) x"),
    (r"json_extract\((\w+), '\$\[0\]\.(\w+)'\)", r"\1::json->0->>'\2' AS \2"),
    (r'CAST\((\w+\.content) AS TEXT\)', r"convert_from(\1, 'UTF8') AS text"),
]


def rows(data, sql):
    """Of the default org's data base, as lists."""
    if not POSTGRES:
        base = sqlite3.connect(f'file:{data}/{SCHEMA}.db?mode=ro', uri=True)
        try:
            return [list(row) for row in base.execute(sql)]
        finally:
            base.close()
    for pattern, other in DIALECT:
        sql = re.sub(pattern, other, sql)
    answer = query(store_url(data), f"SET search_path = '{SCHEMA}'; SELECT json_agg(q) FROM ({sql}) q").strip()
    return [[value for _, value in row] for row in json.loads(answer or 'null', object_pairs_hook=list) or []]


def store_env(words):
    words = list(words)
    return {'SLUICE_STORE': store_url(words[words.index('--data') + 1])} if POSTGRES and '--data' in words[:-1] else {}


# ---- commands


class Done:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def __repr__(self):
        return f'exit {self.code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}'


def command(*words, env=None, input=b'', cwd=None, seconds=60):
    """Runs `sluice WORDS`; a sanitizer's report is a failed test of its own."""
    try:
        done_ = subprocess.run([SLUICE, *words], env={**ENVIRONMENT, **store_env(words), **(env or {})}, input=input, cwd=cwd, timeout=seconds,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    except subprocess.TimeoutExpired as late:
        return Done(-1, (late.stdout or b'').decode('utf-8', 'replace'), f'no end within {seconds} s')
    result = Done(done_.returncode, done_.stdout.decode('utf-8', 'replace'), done_.stderr.decode('utf-8', 'replace'))
    if REPORT.search(result.err):
        ok(f'no sanitizer report from {words}', False, result.err[-6000:])
    return result


# ---- HTTP


class Reply:
    def __init__(self, raw):
        head, _, self.body = raw.partition(b'\r\n\r\n')
        lines = head.decode('latin-1').split('\r\n')
        words = lines[0].split(' ')
        self.status = int(words[1]) if len(words) > 1 and words[1].isdigit() else 0
        self.headers = [(name.strip(), value.strip()) for name, _, value in (line.partition(':') for line in lines[1:])]
        self.head = head.decode('latin-1')

    @property
    def text(self):
        return self.body.decode('utf-8', 'replace')

    def json(self):
            return json.loads(self.body)

    def output(self):
        """What a v2.0 function returned."""
        return self.json()['details']['output']

    def header(self, name):
        found = [value for key, value in self.headers if key.lower() == name.lower()]
        return found[-1] if found else None

    def __repr__(self):
        return f'{self.head}\n\n{self.text[:3000]}'


def send(address, method, target, headers=(), body=b'', seconds=WAIT_S):
    """One request on a connection of its own, exactly as given; only Host, Connection and Content-Length are added."""
    names = {name.lower() for name, _ in headers}
    lines = [f'{method} {target} HTTP/1.1']
    lines += [] if 'host' in names else [f'Host: {address[0]}:{address[1]}']
    lines += [f'{name}: {value}' for name, value in headers] + ['Connection: close']
    if body and not names & {'content-length', 'transfer-encoding'}:
        lines.append(f'Content-Length: {len(body)}')
    raw = b''
    with socket.create_connection(address, timeout=seconds) as sock:
        sock.sendall('\r\n'.join(lines).encode('utf-8') + b'\r\n\r\n' + body)
        while piece := sock.recv(65536):
            raw += piece
    return Reply(raw)


# ---- servers


class Server:
    """`sluice serve`; `functions` holds (version, name, URL) of its start lines."""

    def __init__(self, *folders, data, flags=(), env=None, ready=True):
        self.data = data
        self.log = tempfile.mkdtemp(prefix='sluice-test-log-')
        words = [SLUICE, 'serve', *folders, '--data', data, '--listen', '127.0.0.1:0', *flags]
        with open(f'{self.log}/out', 'wb') as out, open(f'{self.log}/err', 'wb') as err:
            self.process = subprocess.Popen(words, env={**ENVIRONMENT, **store_env(words), **(env or {})}, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        self.functions, self.address = [], None
        if ready:
            self.wait_ready()

    @property
    def out(self):
        return read(f'{self.log}/out')

    @property
    def err(self):
        return read(f'{self.log}/err')

    def wait_ready(self):
        until(lambda: '\nready\n' in '\n' + self.out or self.process.poll() is not None)
        if '\nready\n' not in '\n' + self.out:
            text = f'{self.out}\n{self.err}'
            self.kill()
            raise RuntimeError('the server did not start:\n' + text[-6000:])
        host, port = re.search(r'^listening on http://(.*):(\d+)$', self.out, re.M).groups()
        self.address = (host, int(port))
        self.functions = re.findall(r'^function (\S+) (\S+) (\S+)$', self.out, re.M)

    def wait_out(self, pattern, seconds=WAIT_S):
        return until(lambda: re.search(pattern, self.out, re.M), seconds)

    def target(self, name):
        """Path and query, with key, of a function's URL."""
        urls = [url for _, function, url in self.functions if function.lower() == name.lower()]
        if not urls:
            raise KeyError(f'no function {name} among {self.functions}')
        return re.sub(r'^https?://[^/]*', '', urls[0])

    def key(self, namespace):
        name = next(name for _, name, _ in self.functions if re.split(r'__|\.', name.lower())[0] == namespace.lower())
        return re.search(r'zapikey=([^&]*)', self.target(name)).group(1)

    def send(self, method, target, headers=(), body=b'', seconds=WAIT_S):
        return send(self.address, method, target, headers, body, seconds)

    def call(self, name, query='', method='POST', headers=(), body=b'', seconds=WAIT_S):
        return self.send(method, self.target(name) + ('&' + query if query else ''), headers, body, seconds)

    def _end(self):
        err = self.err
        shutil.rmtree(self.log)
        if REPORT.search(err):
            ok('no sanitizer report from serve', False, err[-8000:])

    def stop(self, name=None):
        """SIGTERM; True when it exits with 0."""
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(WAIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            code = 'no end'
        if name or code != 0:
            equal(name or 'serve exits 0 on SIGTERM', code, 0)
            if code != 0:
                print('# ' + '\n# '.join(self.err[-3000:].splitlines()), flush=True)
        self._end()
        return code == 0

    def kill(self):
        self.process.kill()
        self.process.wait()
        self._end()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if self.process.poll() is None:
            self.stop()
        elif os.path.exists(self.log):
            self._end()
