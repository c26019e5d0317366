// SPDX-License-Identifier: Apache-2.0
//
// What the browser tests stand on: TAP lines, folders, the real binary, Debian's Chromium, people's ways through a page. Each test file is run as
// `node FILE PATH/TO/sluice`; it skips itself where the binary has no console, or Chromium or the packages of console/ are missing. When a test
// fails, what its tabs show is kept as pictures in a folder that the output names.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const chromiumPath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const sluice = resolve(process.argv[2] ?? 'build/sluice');
const ACTION_MS = 8000;
const folders = [];
const tabs = new Set();
const faults = [];
let pictures = null;
let count = 0;
let failures = 0;

function skip(why) {
  console.log(`1..0 # SKIP ${why}`);
  process.exit(0);
}

let playwright;
let axeSource;
try {
  const packages = createRequire(join(root, 'console/package.json'));
  playwright = packages('playwright-core');
  axeSource = readFileSync(packages.resolve('axe-core/axe.min.js'), 'utf8');
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
    await picture();
  }
}

/** Keeps what every open tab shows. */
async function picture() {
  pictures ??= mkdtempSync(join(tmpdir(), 'sluice-pictures-'));
  for (const [index, tab] of [...tabs].entries()) {
    const file = join(pictures, `${count}-${index}.png`);
    await tab.screenshot({ path: file, fullPage: true, timeout: 5000 }).then(
      () => console.log(`# ${tab.url()} looks like ${file}`),
      () => {},
    );
  }
}

/** Ends the file: the scripts of no page have failed, and nothing they did was against the page's policy. */
export async function finish() {
  await test('no page fails behind its back', () => assert.deepEqual(faults, []));
  folders.forEach((folder) => rmSync(folder, { recursive: true, force: true }));
  console.log(`1..${count}`);
  process.exit(failures ? 1 : 0);
}

export function temporary() {
  folders.push(mkdtempSync(join(tmpdir(), 'sluice-console-')));
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

/** Tests read the clipboard, so they may; a tab's failures are kept for finish(). */
export async function newTab(browser, options) {
  const context = await browser.newContext({ permissions: ['clipboard-read', 'clipboard-write'], ...options });
  context.setDefaultTimeout(ACTION_MS);
  const tab = await context.newPage();
  tabs.add(tab);
  tab.on('close', () => tabs.delete(tab));
  tab.on('pageerror', (error) => faults.push(`${tab.url()}: ${error.message}`));
  // What the tests themselves do to a page may be against its policy; that has no source file.
  await tab.addInitScript(() => addEventListener('securitypolicyviolation', (event) => {
    event.sourceFile && console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`);
  }));
  tab.on('console', (line) => line.text().startsWith('policy: ') && faults.push(`${tab.url()}: ${line.text()}`));
  return tab;
}

/**
 * A server on a free port.
 * @param more more words of the command
 * @returns {{url, link, functions: {NAME: URL}, output: function(): string, signIn: function(browser, options?), close: function()}}
 */
export async function serve(extensions, data, more = []) {
  const child = spawn(sluice, ['serve', ...extensions, '--data', data, '--listen', '127.0.0.1:0', ...more], { stdio: ['ignore', 'pipe', 'pipe'] });
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
    link,
    functions: Object.fromEntries([...out.matchAll(/^function \S+ (\S+) (\S+)$/gm)].map(([, name, address]) => [name, address])),
    output: () => out + told,
    signIn: async (browser, options) => {
      const tab = await newTab(browser, options);
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

// ---- what tests ask of a page -------------------------------------------------------------------

/** A command of the binary: its output. */
export function command(...words) {
  const done = spawnSync(sluice, words, { encoding: 'utf8', timeout: 30000 });
  assert.equal(done.status, 0, `sluice ${words.join(' ')}: ${done.stderr}`);
  return done.stdout;
}

/** The controls of a page, by role and accessible name as a screen reader has them. */
export function controls(tab) {
  const box = tab.getByRole('textbox', { name: 'Deluge Script Editor', exact: true });
  return {
    box,
    button: (name) => tab.getByRole('button', { name, exact: true }),
    link: (name) => tab.getByRole('link', { name, exact: true }),
    dialog: (name) => tab.getByRole('dialog', { name, exact: true }),
    field: (where, name) => where.getByRole('textbox', { name, exact: true }),
    row: (table, text) => tab.getByRole('table', { name: table, exact: true }).getByRole('row').filter({ hasText: text }),
    heading: (name) => tab.getByRole('heading', { level: 1, name, exact: true }).waitFor(),
    problems: tab.getByRole('region', { name: 'Problems', exact: true }),
    result: tab.getByRole('region', { name: 'Result', exact: true }),
    log: tab.getByRole('log', { name: 'Log messages', exact: true }).getByRole('listitem'),
    status: (text) => tab.getByRole('status').filter({ hasText: text }).waitFor(),
    alert: (text) => tab.getByRole('alert').filter({ hasText: text }).waitFor(),
    focused: () => tab.evaluate(() => document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent),
    /** The editor's whole text, also the lines that are not on the screen: what the clipboard gets of it. */
    written: async () => {
      await box.focus();
      await tab.keyboard.press('Control+a');
      await tab.keyboard.press('Control+c');
      return tab.evaluate(() => navigator.clipboard.readText());
    },
    type: async (text) => {
      await box.focus();
      await tab.keyboard.press('Control+a');
      await tab.keyboard.press('Delete');
      await tab.keyboard.type(text);
    },
    /** Begins one of the org's own functions by its page's link. */
    newFunction: async (name) => {
      await open(tab, `${new URL(tab.url()).origin}/console/setup/functions/new`, 'Configure Function');
      const checked = tab.waitForResponse(/\/control\/check$/);
      await tab.getByRole('link', { name: 'Write your own', exact: true }).click();
      await tab.getByRole('heading', { level: 1, name: 'Write your own', exact: true }).waitFor();
      name && (await tab.getByRole('textbox', { name: 'Function Name', exact: true }).fill(name));
      await box.waitFor();
      await checked; // the editor is at rest
    },
    openFunction: async (name) => {
      const checked = tab.waitForResponse(/\/control\/check$/);
      await open(tab, `${new URL(tab.url()).origin}/console/setup/functions/${name}`, name);
      await box.waitFor();
      await checked;
    },
    /** The production URL that the dialog "Invoke as REST API" shows. */
    production: async () => {
      await tab.getByRole('button', { name: 'Invoke as REST API', exact: true }).click();
      const shown = tab.getByRole('dialog', { name: 'Invoke as REST API', exact: true });
      const value = await shown.getByRole('textbox', { name: 'Production URL', exact: true }).inputValue();
      await shown.getByRole('button', { name: 'Close', exact: true }).click();
      return value;
    },
  };
}

/** What calling a function's URL gives: its output, or its status when it is none of success. */
export async function output(address, init) {
  const reply = await fetch(address, init);
  const text = await reply.text();
  return reply.status === 200 ? (text.startsWith('{') ? JSON.parse(text).details.output : text) : reply.status;
}

/** Opens a page of the console and waits for its heading. */
export async function open(tab, url, heading) {
  await tab.goto(url);
  await tab.getByRole('heading', { level: 1, name: heading, exact: true }).waitFor();
}

/** Waits until the focus is on what has this id, name or text. */
export const focusOn = (tab, what) => tab.waitForFunction((wanted) => {
  const one = document.activeElement;
  return [one.id, one.getAttribute('aria-label'), one.labels?.[0]?.textContent, one.textContent].includes(wanted);
}, what);

/** axe-core's serious and critical findings on what the tab shows, light and dark. */
export async function axeFindings(tab) {
  const found = [];
  for (const colorScheme of ['light', 'dark']) {
    await tab.emulateMedia({ colorScheme });
    await tab.evaluate(axeSource);
    const { violations } = await tab.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
    for (const one of violations.filter((rule) => ['serious', 'critical'].includes(rule.impact))) {
      found.push(`${colorScheme}: ${one.id}: ${one.nodes.map((node) => `${node.target.join(' ')} (${node.failureSummary.split('\n').slice(1).join('; ').trim()})`).slice(0, 4).join(' | ')}`);
    }
  }
  await tab.emulateMedia({ colorScheme: null });
  return found;
}

/** By how much the page is wider than a phone. */
export async function phoneOverflow(tab) {
  const before = tab.viewportSize();
  await tab.setViewportSize({ width: 375, height: 800 });
  const over = await tab.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  await tab.setViewportSize(before);
  return over;
}

/** What the pages of `tab` must be, wherever they stand: each [address, heading] opens directly, reloads, has no serious finding and fits a phone. */
export async function testPages(tab, url, pages) {
  for (const [address, heading] of pages) {
    await test(`${address}: opens directly, reloads, can be read by everybody and on a phone`, async () => {
      await open(tab, url + address, heading);
      await tab.reload();
      await tab.getByRole('heading', { level: 1, name: heading, exact: true }).waitFor();
      await tab.locator('[aria-busy=true]').first().waitFor({ state: 'detached' });
      assert.equal(await tab.getByRole('heading', { level: 1 }).count(), 1, 'one heading of level 1');
      assert.equal((await tab.getByRole('alert').allTextContents()).join(''), '', 'nothing has failed');
      for (const landmark of ['banner', 'main']) {
        assert.equal(await tab.getByRole(landmark).count(), 1, landmark);
      }
      await tab.getByRole('navigation', { name: 'Main', exact: true }).waitFor();
      assert.deepEqual(await axeFindings(tab), []);
      assert.equal(await phoneOverflow(tab), 0, 'wider than a phone');
    });
  }
}

export const openBrowser = () => playwright.chromium.launch({ executablePath: chromiumPath, args: ['--no-sandbox'] });
