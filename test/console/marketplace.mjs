// SPDX-License-Identifier: Apache-2.0
//
// Setup's marketplace in a real browser: installing with settings, an install action that fails, upgrading, settings, uninstalling; and what a
// role that only reads is shown of all the developer's pages. usage: node test/console/marketplace.mjs PATH/TO/sluice
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { axeFindings, command, controls, extension, finish, focusOn, newTab, open, openBrowser, output, phoneOverflow, serve, temporary, test, testPages } from './rig.mjs';

const folder = temporary();
const data = join(folder, 'data');
const variables = [
  { field_name: 'Greeting <b>', api_name: 'greeting', type: 'text', value: 'hello', secret: false },
  { field_name: 'Service Token', api_name: 'token', type: 'text', value: '', secret: true },
  { field_name: 'Made At Installation', api_name: 'made', type: 'text', value: '', secret: false },
];
const functions = {
  'functions/greet.dg': 'string ext.greet()\n{\n\treturn zoho.crm.getOrgVariable("ext.greeting") + "/" + zoho.crm.getOrgVariable("ext.token");\n}\n',
};
const publish = (name, version, more = {}, manifest = {}) => {
  const path = extension(join(folder, `${name}-${version}`), { name: name === 'ext' ? 'My Extension' : 'Failing One', namespace: name, version, variables, ...manifest }, { ...functions, ...more });
  command('ext', 'publish', path, '--data', data);
};
const served = extension(join(folder, 'served'), { name: 'Served One', namespace: 'served', version: '1.0.0' }, { 'functions/f.dg': 'return "served";' });
const server = await serve([served], data);
publish('ext', '1.0.0', { 'install/on_installation.dg': 'info "greeting is " + zoho.crm.getOrgVariable("ext.greeting");\nr = zoho.crm.invokeConnector("crm.set", {"apiname" : "ext.made", "value" : "made for " + zoho.crm.getOrgVariable("ext.greeting")});\n' });
publish('fails', '1.0.0', { 'functions/greet.dg': 'return 1;', 'install/on_installation.dg': 'info "about to fail";\nx = 1 / 0;\n' }, { variables: [] });
const browser = await openBrowser();
const tab = await server.signIn(browser);
const { url } = server;

const { alert, button, dialog, field, heading, status } = controls(tab);
const choose = (name) => tab.getByRole('tab', { name, exact: true }).click();
const row = (text) => tab.getByRole('row').filter({ hasText: text });
const settings = tab.getByRole('region', { name: 'Extension Settings', exact: true });
const marketplace = () => open(tab, `${url}/console/setup/marketplace`, 'Marketplace');
const shown = () => JSON.parse(command('ext', 'show', 'ext', '--json', '--data', data)).installed[0];
const answered = () => output(shown().functions[0].url);

await test('what is published stands there, with what can be done', async () => {
  await marketplace();
  await tab.getByRole('tablist', { name: 'Marketplace', exact: true }).waitFor();
  await tab.getByRole('table', { name: 'Extensions', exact: true }).waitFor();
  await row('My Extension').filter({ hasText: '1.0.0' }).getByRole('button', { name: 'Install My Extension', exact: true }).waitFor();
  assert.equal(await row('Served One').getByRole('button').count(), 0, 'a served folder is not upgraded');
  assert.deepEqual(await axeFindings(tab), []);
  assert.equal(await phoneOverflow(tab), 0);
});

await test('the dialog asks for every setting, and the install action reads them', async () => {
  await button('Install My Extension').click();
  const asked = dialog('Install My Extension');
  assert.equal(await field(asked, 'Greeting <b>').inputValue(), 'hello');
  assert.equal(await asked.getByRole('textbox').count(), 3);
  assert.deepEqual(await axeFindings(tab), []);
  assert.equal(await phoneOverflow(tab), 0);
  await tab.keyboard.press('Escape');
  await asked.waitFor({ state: 'detached' });
  await focusOn(tab, 'Install My Extension'); // the focus is given back
  await tab.keyboard.press('Enter');
  await field(asked, 'Greeting <b>').fill('<i>moin</i>');
  await field(asked, 'Service Token').fill('hush');
  await asked.getByRole('button', { name: 'Install', exact: true }).click();
  await status('My Extension 1.0.0 is installed');
  await status('greeting is <i>moin</i>');
  assert.equal(await tab.locator('i').count(), 0, 'a log is text');
  assert.equal(await answered(), '<i>moin</i>/hush');
  await row('My Extension').filter({ hasText: 'installed 1.0.0' }).waitFor();
  assert.equal(await button('Install My Extension').count(), 0);
});

await test('an install action that fails: nothing is installed, its log is told', async () => {
  await button('Install Failing One').click();
  await dialog('Install Failing One').getByRole('button', { name: 'Install', exact: true }).click();
  await alert(/\w/);
  await status('about to fail');
  await row('Failing One').getByRole('button', { name: 'Install Failing One', exact: true }).waitFor();
  assert.equal(JSON.parse(command('ext', 'show', 'fails', '--json', '--data', data)).installed.length, 0);
  assert.deepEqual(await axeFindings(tab), []);
});

await test('the details page, and its settings', async () => {
  await choose('Installed');
  await tab.getByRole('link', { name: 'My Extension', exact: true }).click();
  await heading('My Extension');
  await tab.getByText('Extension Details', { exact: true }).waitFor();
  assert.equal(await field(settings, 'Made At Installation').inputValue(), 'made for <i>moin</i>');
  assert.equal(await field(settings, 'Service Token').inputValue(), '', 'a secret is not shown');
  await field(settings, 'Greeting <b>').fill('servus');
  await settings.getByRole('button', { name: 'Save', exact: true }).click();
  await status('saved');
  assert.equal(await answered(), 'servus/hush', 'a secret that was left empty stays');
  await field(settings, 'Service Token').fill('other');
  await settings.getByRole('button', { name: 'Save', exact: true }).click();
  await status('saved');
  assert.equal(await field(settings, 'Service Token').inputValue(), '');
  assert.equal(await answered(), 'servus/other');
  await tab.reload();
  assert.equal(await field(settings, 'Greeting <b>').inputValue(), 'servus');
  assert.equal((await tab.content()).includes('1003.') && /1003\.[0-9a-f]{32}/.test(await tab.content()), false, 'no key stands on the page');
  await tab.goBack();
  await heading('Marketplace');
  await tab.getByRole('tab', { name: 'Installed', exact: true, selected: true }).waitFor();
});

await test('the tabs move by arrow keys', async () => {
  await tab.getByRole('tab', { name: 'Installed', exact: true }).focus();
  await tab.keyboard.press('ArrowLeft');
  await tab.getByRole('tab', { name: 'All', exact: true, selected: true }).waitFor();
  await tab.keyboard.press('ArrowRight');
  await tab.getByRole('link', { name: 'My Extension', exact: true }).waitFor();
});

await test('a newer version is an upgrade: settings stay', async () => {
  publish('ext', '1.1.0', { 'functions/greet.dg': 'string ext.greet()\n{\n\treturn "new " + zoho.crm.getOrgVariable("ext.greeting");\n}\n' });
  await marketplace();
  await button('Upgrade My Extension').click();
  await dialog('Upgrade My Extension').getByRole('button', { name: 'Upgrade', exact: true }).click();
  await status('My Extension 1.1.0 is installed; it is upgraded.');
  assert.equal(await answered(), 'new servus');
  assert.equal(await button('Upgrade My Extension').count(), 0);
});

await test('an upgrade whose action fails leaves the version before', async () => {
  publish('ext', '1.2.0', { 'install/on_update.dg': 'info "updating";\nx = 1 / 0;\n' });
  await marketplace();
  await button('Upgrade My Extension').click();
  await dialog('Upgrade My Extension').getByRole('button', { name: 'Upgrade', exact: true }).click();
  await status('updating');
  await alert('Upgrade failed');
  assert.equal(await answered(), 'new servus');
  assert.equal(shown().version, '1.1.0');
});

await test('uninstalling', async () => {
  const address = shown().functions[0].url;
  await choose('Installed');
  await button('Uninstall My Extension').click();
  const asked = dialog('Uninstall My Extension');
  assert.deepEqual(await axeFindings(tab), []);
  await tab.keyboard.press('Escape');
  await asked.waitFor({ state: 'detached' });
  await button('Uninstall My Extension').click();
  await asked.getByRole('button', { name: 'Uninstall', exact: true }).click();
  await status('is uninstalled');
  assert.equal(await tab.getByRole('link', { name: 'My Extension', exact: true }).count(), 0);
  assert.equal((await fetch(address)).status, 401);
  await tab.goto(`${url}/console/setup/marketplace/ext`);
  await tab.getByText('Not installed').waitFor();
  await tab.goto(`${url}/console/setup/marketplace/nothing`);
  await tab.getByRole('main').getByRole('alert').filter({ hasText: 'nothing' }).waitFor();
});

await test('who only reads is shown no button that writes, and no key', async () => {
  writeFileSync(join(folder, 'password'), 'correct horse battery\n');
  command('user', 'new', 'view@example.com', '--role', 'viewer', '--password-file', join(folder, 'password'), '--data', data);
  const reader = await newTab(browser);
  await reader.goto(`${url}/console/sign-in`);
  await reader.getByLabel('E-mail address').fill('view@example.com');
  await reader.getByLabel('Password').fill('correct horse battery');
  await reader.keyboard.press('Enter');
  await reader.waitForURL(`${url}/console/`);
  for (const [address, name] of [['/console/extensions', 'Extensions'], ['/console/extensions/served/functions', 'Functions'], ['/console/extensions/served/functions/f', 'served__f'],
    ['/console/extensions/served/custom-properties', 'Custom Properties'], ['/console/extensions/ext/publish', 'Publish'], ['/console/setup/actions', 'Actions'],
    ['/console/setup/marketplace', 'Marketplace'], ['/console/setup/marketplace/served', 'Served One']]) {
    await open(reader, url + address, name);
    await reader.locator('[aria-busy=true]').first().waitFor({ state: 'detached' });
    const names = await reader.getByRole('main').getByRole('button').allTextContents();
    assert.deepEqual(names.filter((text) => /save|create|new|configure|delete|publish|install|execute|format|invoke/i.test(text)), [], address);
    assert.doesNotMatch(await reader.content(), /1003\.[0-9a-f]{32}/, address);
  }
});

await testPages(tab, url, [
  ['/console/setup/marketplace', 'Marketplace'],
  ['/console/setup/marketplace?tab=Installed', 'Marketplace'],
  ['/console/setup/marketplace/served', 'Served One'],
]);

await browser.close();
await server.close();
await finish();
