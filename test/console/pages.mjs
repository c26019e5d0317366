// SPDX-License-Identifier: Apache-2.0
//
// What holds on every page of the console, in a real browser and with data in it: node test/console/pages.mjs PATH/TO/sluice. Prints TAP.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { finish, open, openBrowser, serve, temporary, test, testPages } from './rig.mjs';
import { fill, sampleExtensions } from './sample.mjs';

const folder = temporary();
const data = join(folder, 'data');
const server = await serve(sampleExtensions(folder), data);
const { lead, run } = await fill(server.url, data);
const browser = await openBrowser();
const tab = await server.signIn(browser);

const pages = [
  ['/console/', 'Extensions'], ['/console/extensions', 'Extensions'], ['/console/extensions/twilioext', 'Twilio SMS'], ['/console/extensions/leads/functions', 'Functions'],
  ['/console/extensions/leads/functions/create_lead', 'leads__create_lead'], ['/console/extensions/twilioext/custom-properties', 'Custom Properties'],
  ['/console/extensions/twilioext/install-actions', 'Install Actions'], ['/console/extensions/twilioext/contents', 'Contents'], ['/console/extensions/leads/publish', 'Publish'], ['/console/setup', 'Setup'], ['/console/setup/actions', 'Actions'],
  ['/console/setup/functions/new', 'Configure Function'], ['/console/setup/functions/quote_total', 'quote_total'], ['/console/setup/marketplace', 'Marketplace'],
  ['/console/setup/marketplace/twilioext', 'Twilio SMS'], ['/console/setup/users', 'Users'], ['/console/setup/api-clients', 'API clients'], ['/console/setup/connections', 'Connections'], ['/console/records', 'Records'],
  ['/console/records/Leads', 'Leads'], ['/console/records/Campaigns', 'Campaigns'], [`/console/records/Leads/${lead}`, 'Grace Okafor'], ['/console/runs', 'Runs'],
  [`/console/runs/${run}`, `Run ${run}`], ['/console/signals', 'Signals'], ['/console/keys', 'Keys'], ['/console/api', 'API console'], ['/console/no/such/page', 'No such page'],
];

await test('the first page takes at most 400 kB, and nothing comes from another host', async () => {
  const fresh = await tab.context().newPage();
  const wire = await fresh.context().newCDPSession(fresh);
  await wire.send('Network.enable');
  await wire.send('Network.setCacheDisabled', { cacheDisabled: true });
  let bytes = 0;
  const hosts = new Set();
  wire.on('Network.loadingFinished', (event) => (bytes += event.encodedDataLength));
  fresh.on('request', (request) => request.url().startsWith('data:') || hosts.add(new URL(request.url()).origin));
  await open(fresh, `${server.url}/console/`, 'Extensions');
  await fresh.waitForLoadState('networkidle').catch(() => {});
  assert.ok(bytes > 10_000 && bytes <= 400_000, `${bytes} bytes`);
  for (const [address, heading] of pages) {
    await open(fresh, server.url + address, heading);
  }
  assert.deepEqual([...hosts], [server.url]);
  await fresh.close();
});

await testPages(tab, server.url, pages);

await test('headings step down one level at a time; every table has a name, every field a label', async () => {
  for (const [address, heading] of pages) {
    await open(tab, server.url + address, heading);
    await tab.locator('[aria-busy=true]').first().waitFor({ state: 'detached' });
    const levels = await tab.locator('main :is(h1,h2,h3,h4)').evaluateAll((all) => all.map((one) => Number(one.tagName[1])));
    levels.forEach((level, at) => assert.ok(at === 0 ? level === 1 : level <= levels[at - 1] + 1, `${address}: ${levels}`));
    assert.deepEqual(await tab.locator('table:not([aria-label]):not([aria-labelledby])').count(), 0, address);
  }
});

await test('the links of the navigation, and Back', async () => {
  await open(tab, `${server.url}/console/`, 'Extensions');
  const names = ['Extensions', 'Setup', 'Records', 'Runs', 'Signals', 'Keys', 'API console'];
  const nav = tab.getByRole('navigation', { name: 'Main', exact: true });
  assert.deepEqual((await nav.getByRole('link').allTextContents()).map((text) => text.trim()), names);
  for (const name of names) {
    await nav.getByRole('link', { name, exact: true }).click();
    await tab.getByRole('heading', { level: 1, name, exact: true }).waitFor();
    assert.equal(await nav.getByRole('link', { name, exact: true }).getAttribute('aria-current'), 'page');
    await tab.waitForFunction((begin) => document.title.startsWith(begin), `${name} · `);
  }
  for (const name of names.slice(0, -1).reverse()) {
    await tab.goBack();
    await tab.getByRole('heading', { level: 1, name, exact: true }).waitFor();
  }
  await tab.goForward();
  await tab.getByRole('heading', { level: 1, name: 'Setup', exact: true }).waitFor();
});

await browser.close();
await server.close();
await finish();
