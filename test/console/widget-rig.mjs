// SPDX-License-Identifier: Apache-2.0
//
// What the widgets' browser test stands on: TAP lines, folders, the real binary, Debian's Chromium.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const chromiumPath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const sluice = resolve(process.argv[2] ?? 'build/sluice');
const folders = [];
let count = 0;
let failures = 0;

function skip(why) {
  console.log(`1..0 # SKIP ${why}`);
  process.exit(0);
}

let playwright;
try {
  playwright = createRequire(join(root, 'console/package.json'))('playwright-core');
} catch {
  skip('npm ci has not run in console/');
}
if (!existsSync(chromiumPath)) {
  skip(`there is no ${chromiumPath}`);
}

export async function test(name, body) {
  count++;
  try {
    await body();
    console.log(`ok ${count} - ${name}`);
  } catch (error) {
    failures++;
    console.log(`not ok ${count} - ${name}\n${String(error.stack ?? error).split('\n').slice(0, 30).map((line) => '# ' + line).join('\n')}`);
  }
}

export function finish() {
  folders.forEach((folder) => rmSync(folder, { recursive: true, force: true }));
  console.log(`1..${count}`);
  process.exit(failures ? 1 : 0);
}

export function temporary() {
  folders.push(mkdtempSync(join(tmpdir(), 'sluice-widgets-')));
  return folders.at(-1);
}

/** Writes an extension's folder. */
export function extension(folder, manifest, files) {
  for (const [name, text] of Object.entries({ 'extension.json': JSON.stringify(manifest), ...files })) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

/** A server on a free port: {url, signIn(browser), close()}. */
export async function serve(extensions, data) {
  const child = spawn(sluice, ['serve', ...extensions, '--data', data, '--listen', '127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let told = '';
  child.stderr.on('data', (part) => (told += part));
  await new Promise((done, fail) => {
    const late = setTimeout(() => fail(new Error(`the server is not ready: ${out}${told}`)), 60000);
    child.on('exit', () => fail(new Error(`the server ended: ${told}`)));
    child.stdout.on('data', (part) => {
      out += part;
      if (/^ready$/m.test(out)) {
        clearTimeout(late);
        done();
      }
    });
  });
  const [, url] = /^listening on (\S+)$/m.exec(out);
  const link = /^console (\S+)$/m.exec(out)?.[1];
  const stop = () => new Promise((done) => {
    child.removeAllListeners('exit');
    child.on('exit', done);
    child.kill('SIGTERM');
  });
  if (!link) {
    await stop();
    skip('this binary has no console');
  }
  return {
    url,
    signIn: async (browser) => {
      const tab = await browser.newPage();
      await tab.goto(link);
      await tab.waitForURL(`${url}/console/**`);
      return tab;
    },
    close: async () => {
      const code = await stop();
      await test('the server ends well', () => {
        if (code !== 0 || /Sanitizer|runtime error:/.test(told)) {
          throw new Error(`exit ${code}\n${told.slice(-3000)}`);
        }
      });
    },
  };
}

export const openBrowser = () => playwright.chromium.launch({ executablePath: chromiumPath, args: ['--no-sandbox'] });
