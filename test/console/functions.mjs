// SPDX-License-Identifier: Apache-2.0
//
// The org's own functions in a real browser: Zoho's procedure "Using Custom Functions", names, saves with errors, calling from outside, saved
// versions, kinds, the sandbox. usage: node test/console/functions.mjs PATH/TO/sluice
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { axeFindings, command, controls, extension, finish, open, openBrowser, output, phoneOverflow, serve, temporary, test, testPages } from './rig.mjs';

const folder = temporary();
const ext = extension(join(folder, 'shop'), { name: 'Shop', namespace: 'shop', version: '1.0.0' }, { 'functions/order.dg': 'return "order";' });
const server = await serve([ext], join(folder, 'data'));
const browser = await openBrowser();
const tab = await server.signIn(browser);
const { url } = server;
const { alert, box, button, dialog, focused, log, newFunction, openFunction, problems, production, result, status, written } = controls(tab);

await test('the key by a function of one\'s own, step by step as Zoho writes it', async () => {
  await tab.getByRole('link', { name: 'Setup', exact: true }).click();
  await tab.getByRole('navigation', { name: 'Setup', exact: true }).getByRole('link', { name: 'Actions', exact: true }).click();
  await tab.getByRole('tablist', { name: 'Actions', exact: true }).getByRole('tab', { name: 'Functions', exact: true }).click();
  await button('Configure Function').click();
  await tab.getByRole('link', { name: 'Write your own', exact: true }).click();
  assert.match(await tab.getByRole('textbox', { name: 'Function Name', exact: true }).inputValue(), /^[a-z]\w*$/);
  await box.fill('m = {"nameSpace" : "acme.shop"};\napikeyresp = zoho.crm.invokeConnector("crm.zapikey",m);\nzapikey = apikeyresp.get("response");\ninfo zapikey;');
  await button('Save & Execute Script').click();
  await log.first().waitFor();
  const key = new URL(server.functions.shop__order).searchParams.get('zapikey');
  assert.deepEqual(await log.allTextContents(), [`4 ${key}`]);
  assert.match(key, /^1003\.[0-9a-f]{32}\.[0-9a-f]{32}$/);
  await tab.getByRole('heading', { level: 1, name: 'function_1', exact: true }).waitFor();
  await tab.reload();
  await box.filter({ hasText: 'crm.zapikey' }).waitFor();
});

await test('a free name is filled in, a taken one is refused', async () => {
  await newFunction();
  assert.equal(await tab.getByRole('textbox', { name: 'Function Name', exact: true }).inputValue(), 'function_2');
  await tab.getByRole('textbox', { name: 'Function Name', exact: true }).fill('function_1');
  await box.fill('return "mine";');
  await button('Save').click();
  await alert('function_1');
  await tab.getByRole('textbox', { name: 'Function Name', exact: true }).fill('9 lives');
  await button('Save').click();
  await alert('letters, digits');
  await tab.getByRole('textbox', { name: 'Function Name', exact: true }).fill('nine_lives');
  await button('Save').click();
  await status('Saved');
  await tab.getByRole('heading', { level: 1, name: 'nine_lives', exact: true }).waitFor();
  await openFunction('function_1');
  assert.match(await written(), /crm\.zapikey/);
});

await test('a script with errors is kept, the last good version goes on serving', async () => {
  await newFunction('broken');
  await box.fill('return "good";');
  await button('Save').click();
  await status('Saved');
  const address = await production();
  assert.deepEqual(await output(address), 'good');
  await box.fill('return "bad" +;');
  await button('Save').click();
  await status('last good version');
  await problems.getByRole('button', { name: /^Line 1:/ }).waitFor();
  assert.deepEqual(await output(address), 'good');
  await tab.reload();
  await problems.getByRole('button', { name: /^Line 1:/ }).waitFor();
  assert.equal(await written(), 'return "bad" +;');
  await button('Save & Execute Script').click();
  await status('last good version');
  assert.equal(await dialog('Arguments').count(), 0);
  await box.fill('return "better";');
  await button('Save').click();
  await status('Saved');
  assert.deepEqual(await output(address), 'better');
  assert.equal(await problems.getByRole('listitem').count(), 0);
});

await test('the first save may have errors', async () => {
  await newFunction('unborn');
  await box.fill('return (;');
  await button('Save').click();
  await status('error');
  await tab.getByRole('heading', { level: 1, name: 'unborn', exact: true }).waitFor();
  await tab.reload();
  assert.equal(await written(), 'return (;');
  await open(tab, `${url}/console/setup/actions`, 'Actions');
  await tab.getByRole('link', { name: 'unborn', exact: true }).click();
  await box.fill('return "born";');
  await button('Save').click();
  await status('Saved');
  assert.equal(await output(await production()), 'born');
});

await test('Invoke as REST API: addresses, copies, switches at once', async () => {
  await newFunction('called');
  await box.fill('return "called";');
  assert.equal(await button('Invoke as REST API').count(), 0, 'not before it is saved');
  await button('Save').click();
  await button('Invoke as REST API').click();
  const shown = dialog('Invoke as REST API');
  const field = (name) => shown.getByRole('textbox', { name, exact: true });
  const address = await field('Production URL').inputValue();
  assert.match(address, /^http:\/\/127\.0\.0\.1:\d+\/crm\/v2\/functions\/called\/actions\/execute\?auth_type=apikey&zapikey=1003\./);
  assert.equal(await field('Sandbox URL').inputValue(), '', 'there is no sandbox yet');
  assert.equal(await field('Production URL').isEditable(), false);
  assert.deepEqual(await axeFindings(tab), [], 'the dialog');
  assert.equal(await phoneOverflow(tab), 0);
  await shown.getByRole('button', { name: 'Copy Production URL', exact: true }).click();
  await shown.getByRole('status').filter({ hasText: 'in the clipboard' }).waitFor();
  await tab.waitForFunction((text) => navigator.clipboard.readText().then((have) => have === text), address);
  await shown.getByRole('button', { name: 'Copy curl line, API key', exact: true }).click();
  await tab.waitForFunction((text) => navigator.clipboard.readText().then((have) => have === text), `curl '${address}' -d '{}'`);
  assert.equal(await output(address), 'called');
  await shown.getByRole('checkbox', { name: 'API Key', exact: true }).uncheck();
  await status('an OAuth token now');
  assert.equal(await output(address), 403);
  await shown.getByRole('checkbox', { name: 'OAuth2', exact: true }).uncheck();
  await status('Nobody can call');
  await shown.getByRole('checkbox', { name: 'API Key', exact: true }).check();
  await status('its API key now');
  assert.equal(await output(address), 'called');
  await tab.keyboard.press('Escape');
  await shown.waitFor({ state: 'detached' });
  assert.equal(await focused(), 'Invoke as REST API');
  await tab.reload();
  await button('Invoke as REST API').click();
  assert.equal(await shown.getByRole('checkbox', { name: 'API Key', exact: true }).isChecked(), true);
  assert.equal(await shown.getByRole('checkbox', { name: 'OAuth2', exact: true }).isChecked(), false);
  await button('Close').click();
  await box.fill('return "called again";');
  await button('Save').click();
  await status('Saved');
  await button('Invoke as REST API').click();
  assert.equal(await shown.getByRole('checkbox', { name: 'OAuth2', exact: true }).isChecked(), false, 'saving changes no switch');
  await button('Close').click();
});

await test('saved versions: what restoring changes, and restoring', async () => {
  await newFunction('versions');
  for (const text of ['first', 'second']) {
    await box.fill(`info "same";\nreturn "${text}";`);
    await button('Save').click();
    await status('Saved');
    await button('Save').click();
  }
  await button('History').click();
  const shown = dialog('History');
  await shown.getByRole('button', { name: /^Version 1/ }).click();
  assert.equal(await shown.locator('.added').textContent(), '+ return "first";\n');
  assert.equal(await shown.locator('.gone').textContent(), '- return "second";\n');
  assert.deepEqual(await axeFindings(tab), [], 'the history');
  await shown.getByRole('button', { name: 'Restore', exact: true }).click();
  await status('Version 1 is restored');
  await shown.waitFor({ state: 'detached' });
  assert.equal(await written(), 'info "same";\nreturn "first";');
  assert.equal(await output(await production()), 'first');
});

await test('a function may be called new', async () => {
  await newFunction('new');
  await box.fill('return "new one";');
  await button('Save').click();
  await status('Saved');
  await tab.reload();
  await tab.getByRole('heading', { level: 1, name: 'new', exact: true }).waitFor();
  assert.equal(await written(), 'return "new one";');
  assert.equal(await output(await production()), 'new one');
});

await test('a function is deleted', async () => {
  await open(tab, `${url}/console/setup/actions`, 'Actions');
  await button('Delete versions').click();
  await dialog('Delete versions').getByRole('button', { name: 'Delete', exact: true }).click();
  await status('deleted');
  assert.equal(await tab.getByRole('link', { name: 'versions', exact: true }).count(), 0);
});

await test('other kinds are run by name', async () => {
  await newFunction('pressed');
  await box.fill('string button.pressed(string who)\n{\n\treturn "hello " + who;\n}');
  await button('Save & Execute Script').click();
  await dialog('Arguments').getByRole('textbox', { name: 'who', exact: true }).fill('Ada');
  await dialog('Arguments').getByRole('button', { name: 'Execute', exact: true }).click();
  await result.filter({ hasText: 'hello Ada' }).waitFor();
  assert.equal(await button('Invoke as REST API').count(), 0);
  await open(tab, `${url}/console/setup/actions`, 'Actions');
  const row = tab.getByRole('row').filter({ hasText: 'pressed' });
  await row.getByText('button', { exact: true }).waitFor();
  await row.getByRole('link', { name: 'pressed', exact: true }).click();
  assert.match(await written(), /button\.pressed/);
});

await test('the sandbox has its own URL', async () => {
  await openFunction('nine_lives');
  await button('Invoke as REST API').click();
  assert.equal(await dialog('Invoke as REST API').getByRole('button', { name: 'Copy Sandbox URL', exact: true }).isDisabled(), true);
  await button('Close').click();
  command('org', 'sandbox', 'default', '--data', join(folder, 'data'));
  await tab.reload();
  const environment = (name) => Promise.all([tab.waitForEvent('load'), tab.getByRole('combobox', { name: 'Environment', exact: true }).selectOption(`default/${name}`)]);
  await environment('sandbox');
  await newFunction('nine_lives');
  await box.fill('return "in the sandbox";');
  await button('Save').click();
  await status('Saved');
  await button('Invoke as REST API').click();
  const shown = dialog('Invoke as REST API');
  const sandbox = await shown.getByRole('textbox', { name: 'Sandbox URL', exact: true }).inputValue();
  const address = await shown.getByRole('textbox', { name: 'Production URL', exact: true }).inputValue();
  assert.match(sandbox, /\/sandbox\/crm\/v2\/functions\/nine_lives\//);
  await shown.getByRole('button', { name: 'Copy Sandbox URL', exact: true }).click();
  await tab.waitForFunction((text) => navigator.clipboard.readText().then((have) => have === text), sandbox);
  assert.equal(await output(sandbox), 'in the sandbox');
  assert.equal(await output(address), 'mine');
  await button('Close').click();
  await environment('production');
});

await testPages(tab, url, [
  ['/console/setup', 'Setup'],
  ['/console/setup/actions', 'Actions'],
  ['/console/setup/functions/new', 'Configure Function'],
  ['/console/setup/functions/nine_lives', 'nine_lives'],
  ['/console/setup/functions/some_other', 'Write your own'],
]);

await browser.close();
await server.close();
await finish();
