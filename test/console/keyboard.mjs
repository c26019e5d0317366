// SPDX-License-Identifier: Apache-2.0
//
// The console by keyboard alone, and its dialogs: node test/console/keyboard.mjs PATH/TO/sluice. Prints TAP.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { axeFindings, finish, focusOn, open, openBrowser, phoneOverflow, serve, temporary, test } from './rig.mjs';
import { fill, sampleExtensions } from './sample.mjs';

const folder = temporary();
const data = join(folder, 'data');
const server = await serve(sampleExtensions(folder), data);
const { lead } = await fill(server.url, data);
const browser = await openBrowser();
const tab = await server.signIn(browser);

/** Presses Tab until the focus is on what `wanted` says, within so many steps. */
async function tabTo(wanted, steps = 80) {
  for (let at = 0; at < steps; at++) {
    await tab.keyboard.press('Tab');
    const here = await tab.evaluate(() => {
      const one = document.activeElement;
      const style = getComputedStyle(one);
      return { text: (one.getAttribute('aria-label') ?? one.textContent).trim(), tag: one.tagName, seen: style.outlineStyle !== 'none' || style.boxShadow !== 'none' || !!one.closest('.editor') };
    });
    if (here.tag !== 'BODY') {
      assert.ok(here.seen, `the focus on ${here.tag} “${here.text}” is not seen`);
    }
    if (here.text === wanted) {
      return;
    }
  }
  assert.fail(`Tab does not reach “${wanted}”`);
}

await test('by keyboard alone: from the first page to a record, its dialog and back', async () => {
  await open(tab, `${server.url}/console/`, 'Extensions');
  await tabTo('Records');
  await tab.keyboard.press('Enter');
  await tab.getByRole('heading', { level: 1, name: 'Records', exact: true }).waitFor();
  await tab.waitForFunction(() => document.activeElement.tagName === 'H1'); // the new page has the focus
  await tabTo('Leads');
  await tab.keyboard.press('Enter');
  await tab.getByRole('link', { name: 'Grace Okafor', exact: true }).waitFor();
  await tabTo('Grace Okafor');
  await tab.keyboard.press('Enter');
  await tab.getByRole('heading', { level: 1, name: 'Grace Okafor', exact: true }).waitFor();
  await tabTo('Edit');
  await tab.keyboard.press('Enter');
  const dialog = tab.getByRole('dialog', { name: 'Edit Lead', exact: true });
  await dialog.waitFor();
  for (let at = 0; at < 40; at++) {
    await tab.keyboard.press('Tab');
    assert.ok(await tab.evaluate(() => !!document.activeElement.closest('dialog') || document.activeElement === document.body), 'a dialog keeps the focus');
  }
  await tab.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  await focusOn(tab, 'Edit');
});

const dialogs = [
  ['/console/extensions', 'Extensions', 'New Extension'], ['/console/extensions/leads/functions', 'Functions', 'Create Function'], ['/console/extensions/leads/functions/create_lead', 'leads__create_lead', 'Invoke as REST API'],
  ['/console/extensions/twilioext/custom-properties', 'Custom Properties', 'Create'], ['/console/setup/users', 'Users', 'New User'], ['/console/setup/users', 'Users', 'Edit ann@shop.example'],
  ['/console/setup/api-clients', 'API clients', 'New API Client'], ['/console/setup/connections', 'Connections', 'New Connection'], ['/console/records/Leads', 'Leads', 'New Lead'],
  [`/console/records/Leads/${lead}`, 'Grace Okafor', 'Edit'], [`/console/records/Leads/${lead}`, 'Grace Okafor', 'Delete'], [`/console/records/Leads/${lead}`, 'Grace Okafor', 'Add Note'],
];
for (const [address, heading, button] of dialogs) {
  await test(`${address}: the dialog of “${button}” can be read, takes the focus and gives it back`, async () => {
    await open(tab, server.url + address, heading);
    const opener = tab.getByRole('button', { name: button, exact: true });
    await opener.focus();
    await tab.keyboard.press('Enter');
    const dialog = tab.getByRole('dialog');
    await dialog.waitFor();
    await tab.waitForFunction(() => document.activeElement.closest('dialog')); // the focus is in it
    assert.ok((await dialog.getAttribute('aria-labelledby')) || (await dialog.getAttribute('aria-label')));
    assert.deepEqual(await axeFindings(tab), []);
    assert.equal(await phoneOverflow(tab), 0);
    await tab.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    await tab.waitForFunction((element) => element === document.activeElement, await opener.elementHandle()); // the focus is back
  });
}

await test('what was chosen of an org that is not here is forgotten', async () => {
  await tab.evaluate(() => sessionStorage.setItem('sluice.place', JSON.stringify({ org: 'gone', environment: 'sandbox' })));
  await open(tab, `${server.url}/console/records/Leads`, 'Leads');
  await tab.getByRole('link', { name: 'Grace Okafor', exact: true }).waitFor();
});

await test('tabs move by arrow keys', async () => {
  await open(tab, `${server.url}/console/setup/marketplace`, 'Marketplace');
  await tab.getByRole('tab', { name: 'All', exact: true }).focus();
  await tab.keyboard.press('ArrowRight');
  assert.equal(await tab.getByRole('tab', { name: 'Installed', exact: true }).getAttribute('aria-selected'), 'true');
  await focusOn(tab, 'Installed');
});

await test('the skip link leads to the page', async () => {
  await open(tab, `${server.url}/console/keys`, 'Keys');
  await tab.keyboard.press('Tab');
  await focusOn(tab, 'Skip to the page');
  await tab.keyboard.press('Enter');
  await focusOn(tab, 'content');
});

await browser.close();
await server.close();
await finish();
