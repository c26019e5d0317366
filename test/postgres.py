#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A private PostgreSQL for tests: `postgres.py [--durable] COMMAND…` runs COMMAND with SLUICE_TEST_POSTGRES set to its address, and removes it after.

The server lives in a temporary folder, listens on a Unix socket there, and runs as an unprivileged user when we are root, as it must. Without
--durable it does not wait for the disk: a killed Sluice loses nothing by that, only a power cut would. When there is no PostgreSQL, COMMAND runs with
SLUICE_TEST_POSTGRES_MISSING telling why."""
import glob
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time

START_S = 60


def programs():
    """The folder of initdb and postgres, newest first; Debian does not put them on the path."""
    found = sorted(glob.glob('/usr/lib/postgresql/*/bin/initdb'), key=lambda path: -int(path.split('/')[4].split('.')[0]))
    other = shutil.which('initdb')
    return os.path.dirname(found[0]) if found else os.path.dirname(other) if other else None


class Postgres:
    def __init__(self, durable=False):
        self.bin = programs()
        if not self.bin:
            raise RuntimeError('there is no PostgreSQL on this machine (Debian: postgresql-15)')
        self.folder = tempfile.mkdtemp(prefix='sluice-postgres-')
        self.user = None
        if os.geteuid() == 0:
            self.user = next((name for name in ('postgres', 'nobody') if name in {entry.pw_name for entry in pwd.getpwall()}), None)
            shutil.chown(self.folder, self.user)
        self.data = f'{self.folder}/data'
        self.durable = durable
        try:
            self._run([f'{self.bin}/initdb', '-D', self.data, '-U', 'sluice', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync'])
            self.start()
        except Exception:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise

    def _who(self):
        if not self.user:
            return {}
        entry = pwd.getpwnam(self.user)
        return {'user': entry.pw_uid, 'group': entry.pw_gid, 'extra_groups': []}

    def _run(self, words):
        done = subprocess.run(words, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=START_S, **self._who())
        if done.returncode:
            raise RuntimeError(f'{words[0]}: {done.stdout.decode()[-2000:]}')

    def start(self):
        settings = {'listen_addresses': '', 'unix_socket_directories': self.folder, 'max_connections': 400, 'shared_buffers': '64MB',
                    'fsync': 'on' if self.durable else 'off', 'synchronous_commit': 'on', 'full_page_writes': 'on' if self.durable else 'off',
                    'log_min_messages': 'warning', 'max_locks_per_transaction': 256, 'max_pred_locks_per_transaction': 256}
        words = [f'{self.bin}/postgres', '-D', self.data] + [f'--{name}={value}' for name, value in settings.items()]
        with open(f'{self.folder}/log', 'ab') as log:
            self.process = subprocess.Popen(words, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **self._who())
        end = time.monotonic() + START_S
        while self.process.poll() is None and time.monotonic() < end:
            if not subprocess.call([f'{self.bin}/pg_isready', '-q', '-h', self.folder, '-U', 'sluice'], stdout=subprocess.DEVNULL):
                return
            time.sleep(0.05)
        self.stop()
        raise RuntimeError('PostgreSQL did not start: ' + open(f'{self.folder}/log').read()[-2000:])

    def stop(self, how=signal.SIGQUIT):
        if self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(START_S)

    def remove(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def address(self):
        return f'postgres://sluice@/postgres?host={self.folder}'


def main():
    words = sys.argv[1:]
    durable = words[:1] == ['--durable']
    words = words[durable:]
    env = dict(os.environ)
    try:
        server = Postgres(durable)
        env['SLUICE_TEST_POSTGRES'] = server.address()
    except Exception as why:
        server = None
        env['SLUICE_TEST_POSTGRES_MISSING'] = str(why).splitlines()[0]
    try:
        code = subprocess.call(words, env=env)
    finally:
        if server:
            server.remove()
    sys.exit(code)


if __name__ == '__main__':
    main()
