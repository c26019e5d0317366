// SPDX-License-Identifier: Apache-2.0
//
// The developer console in a real browser: an extension from its first function to its installation, as Zoho's procedure "Using Installation
// Scripts" goes, and the same pages over a served folder. usage: node test/console/developer.mjs PATH/TO/sluice
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { axeFindings, controls, extension, finish, open, openBrowser, output, phoneOverflow, serve, temporary, test, testPages } from './rig.mjs';

const folder = temporary();
const shop = extension(join(folder, 'shop'), {
  name: 'Shop', namespace: 'shop', version: '1.2.3', signals: [{ namespace: 'ordered', name: 'Ordered' }],
  widgets: [{ name: 'order-form', location: 'webtab', url: 'app/form.html' }], variables: [{ field_name: 'Greeting', api_name: 'greeting', type: 'text', value: 'hello', secret: false }],
}, { 'functions/order.dg': 'string shop.order()\n{\n\treturn "first";\n}\n', 'install/on_installation.dg': 'info "installed";\n', 'app/form.html': '<!DOCTYPE html><title>form</title><p>the form</p>',
  'modules/orders.json': JSON.stringify({ api_name: 'Orders', singular_label: 'Order', plural_label: 'Orders', name_field: { api_name: 'Order_Name' }, fields: [{ api_name: 'Amount', data_type: 'integer' }] }) });
const server = await serve([shop], join(folder, 'data'));
const browser = await openBrowser();
const tab = await server.signIn(browser);
const { url } = server;

const { alert, box, button, dialog, field, heading, link, log, problems, result, row, status } = controls(tab);
const part = (name) => tab.getByRole('navigation', { name: 'Extension', exact: true }).getByRole('link', { name, exact: true });
const folderFile = (name) => readFileSync(join(shop, name), 'utf8');
const manifest = () => JSON.parse(folderFile('extension.json'));

// ---- a draft, from nothing to an installation ---------------------------------------------------

await test('a new extension', async () => {
  await open(tab, `${url}/console/`, 'Extensions');
  await button('New Extension').click();
  const asked = dialog('New Extension');
  await field(asked, 'Name').fill('Order Desk');
  assert.equal(await field(asked, 'Namespace').inputValue(), 'orderdesk');
  await field(asked, 'Namespace').fill('bad__name');
  await asked.getByRole('button', { name: 'Create', exact: true }).click();
  await asked.getByRole('alert').filter({ hasText: /\w/ }).waitFor();
  await field(asked, 'Namespace').fill('shop');
  await asked.getByRole('button', { name: 'Create', exact: true }).click();
  await asked.getByRole('alert').filter({ hasText: 'shop' }).waitFor();
  await field(asked, 'Namespace').fill('desk');
  assert.deepEqual(await axeFindings(tab), []);
  await tab.keyboard.press('Enter');
  await heading('Functions');
  await link('Extensions').click();
  await row('Extensions', 'desk').getByRole('link', { name: 'Edit Order Desk', exact: true }).click();
  await heading('Order Desk');
});

await test('its first function', async () => {
  await part('Functions').click();
  await button('Create Function').click();
  const asked = dialog('Create Function');
  await field(asked, 'Function Name').fill('two words');
  await asked.getByRole('button', { name: 'Create', exact: true }).click();
  await asked.getByRole('alert').filter({ hasText: 'letters, digits' }).waitFor();
  await field(asked, 'Function Name').fill('take_order');
  await asked.getByRole('button', { name: 'Create', exact: true }).click();
  await heading('desk__take_order');
  await box.fill('string desk.take_order(string crmAPIRequest)\n{\n\tinfo crmAPIRequest.get("params").get("what");\n\treturn "ordered " + crmAPIRequest.get("params").get("what");\n}\n');
  await button('Save & Execute Script').click();
  await field(dialog('Arguments'), 'crmAPIRequest').fill('{"params": {"what": "tea"}}');
  await dialog('Arguments').getByRole('button', { name: 'Execute', exact: true }).click();
  await result.filter({ hasText: 'ordered tea' }).waitFor();
  assert.deepEqual(await log.allTextContents(), ['3 tea']);
  await part('Functions').click();
  await row('Functions', 'desk__take_order').getByRole('link', { name: 'desk__take_order', exact: true }).waitFor();
});

await test('a custom property', async () => {
  await part('Custom Properties').click();
  await button('Create').click();
  const asked = dialog('Create Custom Property');
  await asked.getByRole('button', { name: 'Save', exact: true }).click();
  await asked.getByRole('alert').filter({ hasText: 'Field Name' }).waitFor();
  await field(asked, 'Field Name').fill('API function URL');
  await field(asked, 'API Name').fill('1bad');
  await asked.getByRole('button', { name: 'Save', exact: true }).click();
  await asked.getByRole('alert').filter({ hasText: 'begins with a letter' }).waitFor();
  await field(asked, 'API Name').fill('apifunctionurl');
  assert.deepEqual(await axeFindings(tab), []);
  await asked.getByRole('button', { name: 'Save', exact: true }).click();
  await status('saved');
  await row('Custom Properties', 'apifunctionurl').waitFor();
  await button('Create').click();
  await field(asked, 'Field Name').fill('Token');
  await field(asked, 'API Name').fill('token');
  await asked.getByRole('checkbox', { name: 'Secret', exact: true }).check();
  await field(asked, 'Value').fill('hush');
  await asked.getByRole('button', { name: 'Save', exact: true }).click();
  await row('Custom Properties', 'token').filter({ hasText: 'yes' }).waitFor();
  await alert('Token: the value is not kept');
  await tab.reload();
  await row('Custom Properties', 'token').waitFor();
  assert.equal(await tab.getByText('hush').count(), 0, 'a secret is not shown');
  await button('Edit API function URL').click();
  await field(dialog('Edit API function URL'), 'Value').fill('not set yet');
  await tab.keyboard.press('Enter');
  await row('Custom Properties', 'not set yet').waitFor();
});

await test('the installation script of Zoho\'s procedure', async () => {
  await part('Install Actions').click();
  await link('Extension - On Installation').click();
  await heading('Extension - On Installation');
  await box.fill(`m = { "nameSpace" : "acme.desk" };
apikeyresp = zoho.crm.invokeConnector("crm.zapikey", m);
zapikey = apikeyresp.get("response");
url = "https://platform.zoho.com/crm/v2/settings/custom_functions/desk.take_order/execute?zapikey=" + zapikey;
m = { "apiname" : "desk.apifunctionurl", "value" : url };
r = zoho.crm.invokeConnector("crm.set", m);
info r;`);
  await button('Save').click();
  await status('Saved');
  await tab.goBack();
  await heading('Install Actions');
  await tab.getByText('written').waitFor();
});

await test('publishing finds what is wrong, and where', async () => {
  await part('Functions').click();
  await button('Create Function').click();
  await field(dialog('Create Function'), 'Function Name').fill('broken');
  await tab.keyboard.press('Enter');
  await heading('desk__broken');
  await box.fill('string desk.broken()\n{\n\tx = ;\n}\n');
  await button('Save').click();
  await status('an error');
  await problems.getByRole('button', { name: /^Line 3:/ }).waitFor();
  await part('Publish').click();
  const version = tab.getByRole('textbox', { name: 'Version', exact: true });
  assert.match(await version.inputValue(), /^\d+\.\d+\.\d+$/);
  await button('Publish').click();
  await alert(/\w/);
  await tab.getByRole('listitem').filter({ hasText: 'functions/broken.dg:3:' }).waitFor();
  assert.deepEqual(await axeFindings(tab), []);
  assert.equal(await phoneOverflow(tab), 0);
  await link('Open broken').click();
  await heading('desk__broken');
  await part('Functions').click();
  await button('Delete broken').click();
  await dialog('Delete broken').getByRole('button', { name: 'Delete', exact: true }).click();
  await status('deleted');
  await part('Publish').click();
  const next = await version.inputValue();
  await version.fill('not a version');
  await button('Publish').click();
  await alert('version');
  await version.fill(next);
  await button('Publish').click();
  await status('is published');
  await row('Versions', next).waitFor();
  assert.notEqual(await version.inputValue(), next, 'the next one is filled in');
});

await test('installed from the marketplace, the setting holds the URL, and the URL answers', async () => {
  await link('Setup').click();
  await tab.getByRole('navigation', { name: 'Setup', exact: true }).getByRole('link', { name: 'All', exact: true }).click();
  await button('Install Order Desk').click();
  await dialog('Install Order Desk').getByRole('button', { name: 'Install', exact: true }).click();
  await status('is installed');
  await tab.getByRole('tab', { name: 'Installed', exact: true }).click();
  await link('Order Desk').click();
  await heading('Order Desk');
  await tab.getByText('Extension Details').waitFor();
  const settings = tab.getByRole('region', { name: 'Extension Settings', exact: true });
  const address = await field(settings, 'API function URL').inputValue();
  assert.match(address, /^https:\/\/platform\.zoho\.com\/crm\/v2\/settings\/custom_functions\/desk\.take_order\/execute\?zapikey=1003\.[0-9a-f]{32}\.[0-9a-f]{32}$/);
  const reply = await fetch(`${address.replace('https://platform.zoho.com', url)}&what=tea`);
  assert.equal(reply.status, 200);
  assert.equal((await reply.json()).details.output, 'ordered tea');
});

await test('an edit of a published extension is a draft until the next version', async () => {
  await open(tab, `${url}/console/extensions/desk/functions/take_order`, 'desk__take_order');
  await button('Invoke as REST API').click();
  const address = await field(dialog('Invoke as REST API'), 'Production URL').inputValue();
  await button('Close').click();
  assert.equal(await output(`${address}&what=tea`), 'ordered tea');
  await box.fill('string desk.take_order()\n{\n\treturn "new";\n}\n');
  await button('Save').click();
  await status('Publish makes it a version');
  assert.equal(await output(`${address}&what=tea`), 'ordered tea');
  await part('Publish').click();
  await button('Publish').click();
  await status('is published');
  await open(tab, `${url}/console/setup/marketplace`, 'Marketplace');
  await button('Upgrade Order Desk').click();
  await dialog('Upgrade Order Desk').getByRole('button', { name: 'Upgrade', exact: true }).click();
  await status('it is upgraded');
  assert.equal(await output(address), 'new');
});

// ---- a served folder ----------------------------------------------------------------------------

await test('a served folder: a save is in its file and live at once', async () => {
  await open(tab, `${url}/console/extensions`, 'Extensions');
  await row('Extensions', 'shop').filter({ hasText: '1.2.3' }).getByRole('link', { name: 'Edit Shop', exact: true }).click();
  await part('Functions').click();
  await link('shop__order').click();
  await heading('shop__order');
  const address = server.functions.shop__order;
  assert.equal(await output(address), 'first');
  const text = 'string shop.order()\n{\n\treturn "second";\n}\n';
  await box.fill(text);
  await button('Save').click();
  await status('live');
  assert.equal(await output(address), 'second');
  assert.equal(folderFile('functions/order.dg').trimEnd(), text.trimEnd());
});

await test('with errors it is in its file too, and the last good one serves', async () => {
  await box.fill('string shop.order()\n{\n\tx = ;\n}\n');
  await button('Save').click();
  await status('last good version');
  await problems.getByRole('button', { name: /^Line 3:/ }).waitFor();
  assert.match(folderFile('functions/order.dg'), /x = ;/);
  assert.equal(await output(server.functions.shop__order), 'second');
  await tab.reload();
  await problems.getByRole('button', { name: /^Line 3:/ }).waitFor();
  await open(tab, `${url}/console/extensions/shop/functions`, 'Functions');
  await row('Functions', 'shop__order').getByText('has errors').waitFor();
  await link('shop__order').click();
  await box.fill('string shop.order()\n{\n\treturn "third";\n}\n');
  await button('Save').click();
  await status('live');
  assert.equal(await output(server.functions.shop__order), 'third');
});

await test('a new function of a folder is a file, and answers', async () => {
  await part('Functions').click();
  await button('Create Function').click();
  await field(dialog('Create Function'), 'Function Name').fill('order');
  await tab.keyboard.press('Enter');
  await dialog('Create Function').getByRole('alert').filter({ hasText: 'already' }).waitFor();
  await field(dialog('Create Function'), 'Function Name').fill('refund');
  await tab.keyboard.press('Enter');
  await heading('shop__refund');
  assert.match(folderFile('functions/refund.dg'), /shop\.refund/);
  await button('Invoke as REST API').click();
  const shown = dialog('Invoke as REST API');
  const address = await field(shown, 'Production URL').inputValue();
  assert.match(address, /shop__refund.*1003\.[0-9a-f]{32}\./);
  assert.equal(await output(address), '');
  await shown.getByRole('checkbox', { name: 'API Key', exact: true }).uncheck();
  await status('an OAuth token now');
  assert.equal(await output(address), 403);
  await button('Close').click();
  assert.deepEqual(manifest().functions.find((one) => one.api_name === 'refund').rest_api.apikey, false);
  await tab.reload();
  await button('Invoke as REST API').click();
  assert.equal(await shown.getByRole('checkbox', { name: 'API Key', exact: true }).isChecked(), false);
  await shown.getByRole('checkbox', { name: 'API Key', exact: true }).check();
  await status('its API key or');
  assert.equal(await output(address), '');
  await tab.keyboard.press('Escape');
  await part('Functions').click();
  await button('Delete refund').click();
  await dialog('Delete refund').getByRole('button', { name: 'Delete', exact: true }).click();
  await status('deleted');
  assert.equal(existsSync(join(shop, 'functions/refund.dg')), false);
});

await test('a folder\'s properties and install actions are in its files', async () => {
  await part('Custom Properties').click();
  await row('Custom Properties', 'greeting').filter({ hasText: 'hello' }).waitFor();
  await button('Create').click();
  const asked = dialog('Create Custom Property');
  await field(asked, 'Field Name').fill('Colour');
  assert.equal(await field(asked, 'API Name').inputValue(), 'colour');
  await field(asked, 'Value').fill('red');
  await asked.getByRole('button', { name: 'Save', exact: true }).click();
  await row('Custom Properties', 'colour').waitFor();
  assert.equal(manifest().variables.find((one) => one.api_name === 'colour').value, 'red');
  await part('Install Actions').click();
  await link('Extension - On Uninstallation').click();
  await box.fill('info "bye";');
  await button('Save').click();
  await status('Saved');
  assert.match(folderFile('install/on_uninstallation.dg'), /bye/);
});

await test('a script of an extension has a history, which is restored', async () => {
  await open(tab, `${url}/console/extensions/shop/functions/order`, 'shop__order');
  await button('History').click();
  const shown = dialog('History');
  const versions = shown.getByRole('button', { name: /^Version/ });
  await versions.nth(3).waitFor();
  await versions.last().click();
  await shown.locator('.added', { hasText: 'return "first"' }).waitFor();
  await shown.getByRole('button', { name: 'Restore', exact: true }).click();
  await status('restored');
  assert.match(folderFile('functions/order.dg'), /return "first"/);
  assert.equal(await output(server.functions.shop__order), 'first');
});

await test('what else an extension brings is shown, its widgets open', async () => {
  await part('Contents').click();
  await heading('Contents');
  await row('Modules', 'Orders').filter({ hasText: 'modules/orders.json' }).waitFor();
  await row('Signals', 'ordered').waitFor();
  await row('Widgets', 'webtab').getByRole('link', { name: 'order-form', exact: true }).click();
  await heading('order-form');
  await tab.frameLocator('iframe[title="order-form"]').getByText('the form').waitFor();
  await open(tab, `${url}/console/setup/marketplace/shop`, 'Shop');
  await row('Widgets', 'webtab').getByRole('link', { name: 'order-form', exact: true }).waitFor();
});

await test('what is written outside is shown when the page is opened', async () => {
  writeFileSync(join(shop, 'functions/order.dg'), 'string shop.order()\n{\n\treturn "outside";\n}\n');
  await open(tab, `${url}/console/extensions/shop/functions/order`, 'shop__order');
  await box.filter({ hasText: 'outside' }).waitFor();
});

await test('what is not there says so', async () => {
  for (const address of ['/console/extensions/none', '/console/extensions/none/functions', '/console/extensions/shop/functions/none', '/console/extensions/none/publish']) {
    await tab.goto(url + address);
    await tab.getByRole('main').getByRole('alert').filter({ hasText: 'none' }).waitFor();
  }
});

await testPages(tab, url, [
  ['/console/extensions', 'Extensions'],
  ['/console/extensions/shop', 'Shop'],
  ['/console/extensions/shop/functions', 'Functions'],
  ['/console/extensions/shop/functions/order', 'shop__order'],
  ['/console/extensions/shop/custom-properties', 'Custom Properties'],
  ['/console/extensions/shop/install-actions', 'Install Actions'],
  ['/console/extensions/shop/install-actions/on_installation', 'Extension - On Installation'],
  ['/console/extensions/shop/contents', 'Contents'],
  ['/console/extensions/desk/contents', 'Contents'],
  ['/console/extensions/desk/publish', 'Publish'],
]);

await browser.close();
await server.close();
await finish();
