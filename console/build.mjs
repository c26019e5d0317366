// SPDX-License-Identifier: Apache-2.0
//
// Builds the console: `node console/build.mjs --out DIR [--c FILE] [--depfile FILE]`; with `--packages` alone it only installs what it needs.
// DIR gets index.html and assets/NAME.HASH.EXT (the script editor and each other part that is imported when needed is a file of its own).
// FILE is a C table of all of them, identity and gzip, for src/web/console_files.h: what the binary embeds. Packages are installed from
// the lock file when they are missing or older than it. Nothing but node is needed; the output depends on the sources alone.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, extname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';

const here = dirname(fileURLToPath(import.meta.url));
const { values: options } = parseArgs({ options: { out: { type: 'string' }, c: { type: 'string' }, depfile: { type: 'string' }, packages: { type: 'boolean' } } });
if (!options.out && !options.packages) {
  console.error('usage: node build.mjs --packages | --out DIR [--c FILE] [--depfile FILE]');
  process.exit(2);
}

const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Installs the packages of the lock file, unless npm's own record of them is newer. */
function installPackages() {
  const record = join(here, 'node_modules/.package-lock.json');
  const lock = join(here, 'package-lock.json');
  if (existsSync(record) && statSync(record).mtimeMs >= statSync(lock).mtimeMs) {
    return;
  }
  const npm = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--ignore-scripts'], { cwd: here, stdio: ['ignore', 2, 2] });
  if (npm.status !== 0) {
    console.error('npm ci failed in console/; -Dconsole=false builds without it');
    process.exit(1);
  }
}

/**
 * CodeMirror's style sheets go to a page through a style element, which the console's Content-Security-Policy does not allow. The library can
 * use document.adoptedStyleSheets, but does so for shadow roots only; here it does for documents too.
 */
const adoptedStyles = {
  name: 'adopted-styles',
  setup(build) {
    build.onLoad({ filter: /style-mod\.js$/ }, ({ path }) => {
      const text = readFileSync(path, 'utf8');
      const own = text.replace('!root.head && root.adoptedStyleSheets', 'root.adoptedStyleSheets');
      if (own === text) {
        throw new Error('style-mod has changed: see adoptedStyles in build.mjs');
      }
      return { contents: own, loader: 'js' };
    });
  },
};

/** Bundles the entry points that exist; answers what esbuild says about inputs and outputs. */
async function bundle(out) {
  const { build } = await import('esbuild');
  const entries = ['src/main.js', 'src/console.css', 'src/widget-host.js', 'src/widget-host.css'].filter((file) => existsSync(join(here, file)));
  const result = await build({
    absWorkingDir: here,
    entryPoints: entries,
    outdir: out,
    entryNames: 'assets/[name].[hash]',
    chunkNames: 'assets/[name].[hash]',
    assetNames: 'assets/[name].[hash]',
    loader: { '.svg': 'file' },
    bundle: true,
    splitting: true,
    format: 'esm',
    target: 'es2022',
    minify: true,
    legalComments: 'none',
    charset: 'utf8',
    metafile: true,
    plugins: [adoptedStyles],
    publicPath: '/console',
  });
  return result.metafile;
}

/** The names that esbuild gave the entry points: {'src/main.js': 'assets/main.HASH.js'}. */
function entryNames(metafile, out) {
  const names = {};
  for (const [file, output] of Object.entries(metafile.outputs)) {
    if (output.entryPoint) {
      names[output.entryPoint] = relative(out, resolve(here, file));
    }
  }
  return names;
}

/** Every page is a template in console/ whose {{src/NAME}} is replaced by that entry's address. */
function writePages(names, out) {
  const pages = readdirSync(here).filter((file) => file.endsWith('.html'));
  for (const page of pages) {
    const text = readFileSync(join(here, page), 'utf8').replace(/\{\{(.*?)\}\}/g, (all, entry) => {
      if (!names[entry]) {
        throw new Error(`${page}: no entry ${entry}`);
      }
      return '/console/' + names[entry];
    });
    writeFileSync(join(out, page), text);
  }
  return pages.map((page) => join(here, page));
}

function listFiles(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => (entry.isDirectory() ? listFiles(join(folder, entry.name)) : [join(folder, entry.name)]))
    .sort();
}

/** C string literals of bytes: quicker for the compiler than a list of numbers. */
function cLiteral(bytes) {
  const lines = [];
  for (let from = 0; from < bytes.length; from += 60) {
    let line = '';
    for (const byte of bytes.subarray(from, from + 60)) {
      const plain = byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c && byte !== 0x3f;
      line += plain ? String.fromCharCode(byte) : '\\' + byte.toString(8).padStart(3, '0');
    }
    lines.push(`    "${line}"`);
  }
  return lines.length ? lines.join('\n') : '    ""';
}

function writeTable(files, out, target) {
  const rows = [];
  let text = '// Made by console/build.mjs.\n#include "web/console_files.h"\n\n';
  files.forEach((file, index) => {
    const bytes = readFileSync(file);
    const packed = gzipSync(bytes, { level: 9 });
    const smaller = packed.length < bytes.length;
    text += `static const char bytes_${index}[] =\n${cLiteral(bytes)};\n`;
    text += smaller ? `static const char gzip_${index}[] =\n${cLiteral(packed)};\n` : '';
    const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 32);
    const type = types[extname(file)] ?? 'application/octet-stream';
    const path = relative(out, file);
    const gzip = smaller ? `gzip_${index}, ${packed.length}` : 'NULL, 0';
    rows.push(`    {"${path}", "${type}", bytes_${index}, ${bytes.length}, ${gzip}, "${hash}"},`);
  });
  text += `\nconst struct web_console_file web_console_files[] = {\n${rows.join('\n')}\n};\n`;
  text += `const int web_console_files_count = ${files.length};\n`;
  writeFileSync(target, text);
}

installPackages();
if (!options.out) {
  process.exit(0);
}
const out = resolve(options.out);
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
const metafile = await bundle(out);
const pages = writePages(entryNames(metafile, out), out);
if (options.c) {
  writeTable(listFiles(out), out, options.c);
}
if (options.depfile) {
  const inputs = Object.keys(metafile.inputs).map((file) => resolve(here, file));
  const all = [...inputs, ...pages, join(here, 'build.mjs'), join(here, 'package-lock.json')];
  writeFileSync(options.depfile, `${options.c ?? out}: ${all.map((file) => file.replaceAll(' ', '\\ ')).join(' \\\n  ')}\n`);
}
