#!/usr/bin/env python3
"""Holds src/rooms: a file includes its own room's headers, and only the public header ROOM/ROOM.h of a room it may use; foreign headers stay caged."""
import os, re, sys

SRC = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'src')
MAY = {line.split(':')[0]: line.split(':')[1].split() for line in open(os.path.join(SRC, 'rooms')) if ':' in line}
CAGES = {'sqlite3.h': ['store/'], 'curl/': ['out/'], 'openssl/': ['base/seal.c', 'lib/crypto.c', 'auth/'], 'uv.h': ['loop/'], 'pcre2.h': ['lib/'],
         'utf8proc.h': ['lib/'], 'libxml/': ['lib/']}
wrong = []
for room in MAY:
    for name in sorted(os.listdir(os.path.join(SRC, room))):
        if not name.endswith(('.c', '.h', '.S', '.def')):
            continue
        path = f'{room}/{name}'
        for number, line in enumerate(open(os.path.join(SRC, path), encoding='utf-8'), 1):
            own, foreign = re.match(r'\s*#\s*include\s+"([^"]+)"', line), re.match(r'\s*#\s*include\s+<([^>]+)>', line)
            if own:
                other = own.group(1).split('/')[0]
                if other != room and other not in MAY[room]:
                    wrong.append(f'{path}:{number}: {room} may not use {other}')
                elif other != room and own.group(1) not in (f'{other}/{other}.h', 'base/fail.def', 'host/limits.def'):
                    wrong.append(f'{path}:{number}: only {other}/{other}.h is public')
            for header, cages in CAGES.items() if foreign else ():
                if foreign.group(1).startswith(header) and not any(path.startswith(cage) for cage in cages):
                    wrong.append(f'{path}:{number}: {foreign.group(1)} is caged in {", ".join(cages)}')
print('1..1')
print('\n'.join('# ' + w for w in wrong))
print(('not ok' if wrong else 'ok') + ' 1 - includes keep to src/rooms')
sys.exit(bool(wrong))
