#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Text files as a C source, joined in the order given. usage: embed.py SYMBOL OUT.c FILE…

The source defines `const unsigned char SYMBOL[]` (not ended by NUL), `const size_t SYMBOL_len` and `const char SYMBOL_tag[]`, a digest of the bytes."""
import hashlib
import sys

symbol, out, *files = sys.argv[1:]
data = b''.join(open(name, 'rb').read() for name in files)
rows = [','.join(str(byte) for byte in data[i:i + 32]) for i in range(0, len(data), 32)]
with open(out, 'w', encoding='ascii') as file:
    file.write(f'#include <stddef.h>\nextern const unsigned char {symbol}[];\nextern const size_t {symbol}_len;\nextern const char {symbol}_tag[];\n'
               f'const unsigned char {symbol}[] = {{\n' + ',\n'.join(rows) + f'}};\nconst size_t {symbol}_len = {len(data)};\n'
               f'const char {symbol}_tag[] = "{hashlib.sha256(data).hexdigest()[:32]}";\n')
