// SPDX-License-Identifier: Apache-2.0
//
// Pictures of the main pages: node take.mjs PATH/TO/sluice FOLDER (script/screenshots). The data are those of sample.mjs, so that the pictures can be
// taken anew after every change of the pages.
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { finish, open, openBrowser, serve, temporary } from '../rig.mjs';
import { fill, sampleExtensions } from '../sample.mjs';

const BYTES_MAX = 150_000;
const out = resolve(process.argv[3]);
const data = join(temporary(), 'data');
const server = await serve(sampleExtensions(temporary()), data);
const { run } = await fill(server.url, data);
const browser = await openBrowser();
const tab = await server.signIn(browser, { viewport: { width: 1200, height: 760 }, reducedMotion: 'reduce' });

async function take(name, address, heading, { colorScheme = 'light', before } = {}) {
  await tab.emulateMedia({ colorScheme });
  await open(tab, server.url + address, heading);
  await tab.locator('[aria-busy=true]').first().waitFor({ state: 'detached' });
  await before?.();
  await tab.evaluate(() => document.fonts.ready);
  const path = join(out, `${name}.png`);
  await tab.screenshot({ path, animations: 'disabled', caret: 'hide' });
  assert.ok(statSync(path).size <= BYTES_MAX, `${path} has ${statSync(path).size} bytes`);
  console.log(`# ${path}: ${statSync(path).size} bytes`);
}

/** What Save & Execute shows below the editor. */
async function execute() {
  await tab.setViewportSize({ width: 1200, height: 860 });
  await tab.getByRole('button', { name: 'Save & Execute Script', exact: true }).click();
  await tab.getByRole('log', { name: 'Log messages', exact: true }).getByRole('listitem').first().waitFor();
  await tab.getByRole('button', { name: 'Dismiss', exact: true }).click();
  await tab.evaluate(() => window.scrollTo(0, 0));
}

await take('editor', '/console/setup/functions/nightly_follow_up', 'nightly_follow_up', { before: execute });
await tab.setViewportSize({ width: 1200, height: 760 });
await take('invoke', '/console/extensions/leads/functions/create_lead', 'leads__create_lead', {
  before: async () => {
    await tab.getByRole('button', { name: 'Invoke as REST API', exact: true }).click();
    await tab.getByRole('dialog').getByRole('textbox', { name: 'Production URL', exact: true }).waitFor();
    await tab.waitForTimeout(300); // the address is on its way
  },
});
await tab.setViewportSize({ width: 1200, height: 1160 });
await take('run', `/console/runs/${run}`, `Run ${run}`);
await tab.setViewportSize({ width: 1320, height: 900 });
await take('runs-dark', '/console/runs', 'Runs', { colorScheme: 'dark' });
await tab.setViewportSize({ width: 1200, height: 760 });
await take('records', '/console/records/Leads', 'Leads');
await take('api-console', '/console/api', 'API console', {
  before: async () => {
    await tab.getByRole('button', { name: 'Send', exact: true }).click();
    await tab.getByRole('region', { name: 'Reply', exact: true }).getByText('200', { exact: true }).waitFor();
  },
});
await browser.close();
await server.close();
await finish();
