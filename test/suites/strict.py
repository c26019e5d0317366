#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every odd request of test/http/strict/cases.txt against the real port (test/http/strict/run.py tells more)."""
import os
import subprocess
import sys

import _rig as rig

with rig.folder() as folder, rig.Server(f'{rig.ROOT}/examples/leads', data=f'{folder}/data') as server:
    code = subprocess.run([sys.executable, os.path.join(rig.ROOT, 'test/http/strict/run.py'), '%s:%d' % server.address], timeout=120).returncode
sys.exit(code)
