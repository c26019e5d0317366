// SPDX-License-Identifier: Apache-2.0
//
// Modules and connectors in the developer console: made in a draft, published, installed, used; and the same pages over a served folder, whose
// files keep what the pages do not know. usage: node test/console/manifest.mjs PATH/TO/sluice
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { axeFindings, extension, finish, newTab, open, openBrowser, phoneOverflow, serve, temporary, test, testPages } from './rig.mjs';

const folder = temporary();
const module = { api_name: 'Orders', singular_label: 'Order', plural_label: 'Orders', name_field: { api_name: 'Order_Name' }, of_another: [1.5],
  fields: [{ api_name: 'State', data_type: 'picklist', pick_list_values: [{ actual_value: 'new', display_value: 'New' }, 'sent'], tooltip: 'kept' }, { api_name: 'Total', data_type: 'formula' }] };
const shop = extension(join(folder, 'shop'), { name: 'Shop', namespace: 'shop', version: '1.0.0' }, {
  'functions/order.dg': 'string shop.order()\n{\n\treturn "first";\n}\n', 'modules/orders.json': JSON.stringify(module),
});
const asked = [];
const service = createServer((request, reply) => {
  let body = '';
  request.on('data', (part) => (body += part));
  request.on('end', () => {
    asked.push({ method: request.method, url: request.url, station: request.headers['x-station'], body });
    reply.setHeader('Content-Type', 'application/json').end(JSON.stringify({ made: 'here' }));
  });
});
await new Promise((done) => service.listen(0, '127.0.0.1', done));
const serviceUrl = `http://127.0.0.1:${service.address().port}`;
const data = join(folder, 'data');
mkdirSync(data);
writeFileSync(join(data, 'config'), 'outbound.allow = 127.0.0.1\n');
const server = await serve([shop], data);
const browser = await openBrowser();
const tab = await server.signIn(browser);
const { url } = server;

const button = (name, where = tab) => where.getByRole('button', { name, exact: true });
const part = (name) => tab.getByRole('navigation', { name: 'Extension', exact: true }).getByRole('link', { name, exact: true });
const heading = (name) => tab.getByRole('heading', { level: 1, name, exact: true }).waitFor();
const dialog = (name) => tab.getByRole('dialog', { name, exact: true });
const field = (where, name) => where.getByRole('textbox', { name, exact: true });
const choice = (where, name) => where.getByRole('combobox', { name, exact: true });
const row = (table, text) => tab.getByRole('table', { name: table, exact: true }).getByRole('row').filter({ hasText: text });
const status = (text) => tab.getByRole('status').filter({ hasText: text }).waitFor();
const refused = (where, text) => where.getByRole('alert').filter({ hasText: text }).waitFor();
const folderFile = (name) => JSON.parse(readFileSync(join(shop, name), 'utf8'));
const usable = async () => {
  assert.deepEqual(await axeFindings(tab), []);
  assert.equal(await phoneOverflow(tab), 0, 'wider than a phone');
};

async function addField(label, type, fill = async () => {}) {
  await button('Add Field').click();
  const form = dialog('Add Field');
  await field(form, 'Label').fill(label);
  await choice(form, 'Type').selectOption(type);
  await fill(form);
  await button('Save', form).click();
  await form.waitFor({ state: 'detached' });
}

// ---- a draft ------------------------------------------------------------------------------------

await test('a module is created in a draft', async () => {
  await open(tab, `${url}/console/`, 'Extensions');
  await button('New Extension').click();
  await field(dialog('New Extension'), 'Name').fill('Desk');
  await tab.keyboard.press('Enter');
  await heading('Functions');
  await part('Modules').click();
  await heading('Modules');
  await tab.getByText('No modules yet').waitFor();
  await usable();
  await button('Create Module').click();
  const form = dialog('Create Module');
  await button('Create', form).click();
  await refused(form, 'Singular Label');
  await field(form, 'Singular Label').fill('Support Ticket');
  assert.deepEqual([await field(form, 'Plural Label').inputValue(), await field(form, 'API Name').inputValue(), await field(form, 'Name Field').inputValue()], ['Support Tickets', 'Support_Tickets', 'Support Ticket Name']);
  await field(form, 'API Name').fill('two words');
  await button('Create', form).click();
  await refused(form, 'letters, digits');
  await field(form, 'API Name').fill('x'.repeat(120));
  await button('Create', form).click();
  await refused(form, 'api_name');
  await usable();
  await field(form, 'API Name').fill('Tickets');
  await tab.keyboard.press('Enter');
  await heading('Tickets');
  await status('Saved in the draft');
});

await test('it gets fields', async () => {
  await tab.getByText('No fields yet').waitFor();
  await button('Add Field').click();
  const form = dialog('Add Field');
  await button('Save', form).click();
  await refused(form, 'Label');
  await field(form, 'Label').fill('Level');
  await choice(form, 'Type').selectOption({ label: 'Pick list' });
  await button('Save', form).click();
  await refused(form, 'Pick List Values');
  await field(form, 'Pick List Values').fill(`low\n\n high \n${'x'.repeat(121)}`);
  await button('Save', form).click();
  await refused(form, 'pick_list_values is a text of 1 to 120 characters');
  await field(form, 'Pick List Values').fill('low\n\n high ');
  await form.getByRole('checkbox', { name: 'Mandatory', exact: true }).check();
  await usable();
  await button('Save', form).click();
  await row('Fields', 'Level').filter({ hasText: 'low, high' }).filter({ hasText: 'mandatory' }).waitFor();
  await addField('Code', 'text', async (inner) => {
    await field(inner, 'Length').fill('256');
    await inner.getByRole('checkbox', { name: 'Unique', exact: true }).check();
    await button('Save', inner).click();
    await refused(inner, 'length is a number from 1 to 255');
    await field(inner, 'Length').fill('20');
  });
  await addField('Person', 'lookup', async (inner) => {
    await button('Save', inner).click();
    await refused(inner, 'Look-up Module');
    await choice(inner, 'Look-up Module').selectOption('Contacts');
  });
  await addField('Parent', 'lookup', (inner) => choice(inner, 'Look-up Module').selectOption('Tickets'));
  await button('Add Field').click();
  await field(form, 'Label').fill('code');
  await button('Save', form).click();
  await refused(form, 'There is a field code already');
  await tab.keyboard.press('Escape');
  await form.waitFor({ state: 'detached' });
  await row('Fields', 'Code').filter({ hasText: 'unique' }).waitFor();
  await usable();
});

await test('every type can be chosen', async () => {
  await button('Add Field').click();
  const types = await choice(dialog('Add Field'), 'Type').getByRole('option').evaluateAll((all) => all.map((one) => one.value));
  await tab.keyboard.press('Escape');
  assert.ok(types.length > 20, String(types));
  for (const type of types) {
    await addField(`Of ${type}`, type, async (form) => {
      /pick/.test(type) && (await field(form, 'Pick List Values').fill('one'));
      /^lookup|selectlookup/.test(type) && (await choice(form, 'Look-up Module').selectOption('Leads'));
    });
  }
  await row('Fields', 'Of_imageupload').waitFor();
});

await test('a connector is created with its first API', async () => {
  await part('Connectors').click();
  await heading('Connectors');
  await button('Create Connector').click();
  const form = dialog('Create Connector');
  await button('Next', form).click();
  await refused(form, 'Name');
  await field(form, 'Name').fill('Weather');
  assert.equal(await field(form, 'API Name').inputValue(), 'weather');
  await choice(form, 'Authentication').selectOption({ label: 'OAuth 2.0' });
  await button('Next', form).click();
  await refused(form, 'Token URL');
  await usable();
  await choice(form, 'Authentication').selectOption({ label: 'None' });
  await button('Next', form).click();
  const first = dialog('First API');
  await field(first, 'Name').fill('Forecast');
  await field(first, 'URL').fill('ftp://x');
  await button('Create', first).click();
  await refused(first, 'https://');
  await field(first, 'URL').fill(`${serviceUrl}/v1/\${`);
  await button('Create', first).click();
  await refused(first, 'weather.Forecast: a placeholder in "url" is written ${name}');
  await field(first, 'URL').fill(`${serviceUrl}/v1/\${city}`);
  await field(first, 'Parameters').fill('days');
  await button('Create', first).click();
  await refused(first, 'name: value');
  await field(first, 'Parameters').fill('days: ${days}');
  await usable();
  await button('Create', first).click();
  await heading('weather');
  await row('APIs', 'Forecast').filter({ hasText: 'GET' }).waitFor();
});

await test('and another one, with a body', async () => {
  await button('Add API').click();
  const form = dialog('Add API');
  await field(form, 'Name').fill('report');
  await choice(form, 'Method').selectOption('POST');
  await field(form, 'URL').fill(`${serviceUrl}/reports`);
  await field(form, 'Headers').fill('X-Station: ${station}');
  await field(form, 'Body').fill('{"values": ');
  await button('Save', form).click();
  await refused(form, 'it is no JSON');
  await field(form, 'Body').fill('{"values": "${values}"}');
  await usable();
  await button('Save', form).click();
  await row('APIs', 'report').filter({ hasText: 'POST' }).waitFor();
  const report = async () => (await tab.evaluate(async () => (await fetch('/control/drafts/desk/connectors/weather')).json())).definition.apis[1];
  const made = await report();
  assert.deepEqual(made, { api_name: 'report', name: 'report', method: 'POST', url: `${serviceUrl}/reports`, headers: { 'X-Station': '${station}' }, body: { values: '${values}' } });
  await button('Edit report').click();
  await choice(dialog('Edit report'), 'Body Type').selectOption('form');
  await field(dialog('Edit report'), 'Headers').fill('');
  await button('Save', dialog('Edit report')).click();
  await dialog('Edit report').waitFor({ state: 'detached' });
  assert.deepEqual(await report(), { api_name: 'report', name: 'report', method: 'POST', url: made.url, body: made.body, body_type: 'form' });
  await button('Edit report').click();
  await choice(dialog('Edit report'), 'Body Type').selectOption('json');
  await field(dialog('Edit report'), 'Headers').fill('X-Station: ${station}');
  await button('Save', dialog('Edit report')).click();
  await dialog('Edit report').waitFor({ state: 'detached' });
  assert.deepEqual(await report(), { ...made, body_type: 'json' });
  await button('Edit report').click();
  await choice(dialog('Edit report'), 'Body Type').selectOption('text');
  await button('Save', dialog('Edit report')).click();
  await dialog('Edit report').waitFor({ state: 'detached' });
  assert.deepEqual(await report(), { ...made, body: '{\n  "values": "${values}"\n}', body_type: 'text' });
  await button('Edit report').click();
  await choice(dialog('Edit report'), 'Body Type').selectOption('json');
  await button('Save', dialog('Edit report')).click();
  await dialog('Edit report').waitFor({ state: 'detached' });
  assert.deepEqual(await report(), { ...made, body_type: 'json' });
  await button('Edit Connector').click();
  await choice(dialog('Edit weather'), 'Authentication').selectOption({ label: 'API key' });
  await button('Save', dialog('Edit weather')).click();
  await refused(dialog('Edit weather'), 'Header');
  await field(dialog('Edit weather'), 'Header').fill('bad header');
  await button('Save', dialog('Edit weather')).click();
  await refused(dialog('Edit weather'), '"header" must be the name of a header');
  await tab.keyboard.press('Escape');
  await usable();
});

await test('published and installed, the module has its page and takes a record', async () => {
  await part('Publish').click();
  await button('Publish').click();
  await status('is published');
  await open(tab, `${url}/console/setup/marketplace`, 'Marketplace');
  await button('Install Desk').click();
  await button('Install', dialog('Install Desk')).click();
  await dialog('Install Desk').waitFor({ state: 'detached' });
  await open(tab, `${url}/console/records`, 'Records');
  await tab.getByRole('navigation', { name: 'Modules', exact: true }).getByRole('link', { name: 'Support Tickets', exact: true }).click();
  await heading('Support Tickets');
  await button('New Support Ticket').click();
  const form = tab.getByRole('dialog');
  await form.getByRole('textbox', { name: /Support Ticket Name/ }).fill('It rains');
  await form.getByRole('textbox', { name: /^Code/ }).fill('c-1');
  await button('Save', form).click();
  await refused(form, 'Level: Fill this in');
  await form.getByRole('combobox', { name: /^Level/ }).selectOption('high');
  await button('Save', form).click();
  await form.waitFor({ state: 'detached' });
  await open(tab, `${url}/console/records/desk__Tickets`, 'Support Tickets');
  await row('Support Tickets', 'It rains').waitFor();
  await button('New Support Ticket').click();
  await form.getByRole('textbox', { name: /Support Ticket Name/ }).fill('It snows');
  await form.getByRole('combobox', { name: /^Level/ }).selectOption('low');
  await form.getByRole('textbox', { name: /^Code/ }).fill('c-1');
  await button('Save', form).click();
  await refused(form, 'Code: ');
  await tab.keyboard.press('Escape');
});

await test('and scripts call the connector', async () => {
  const source = 'r = zoho.crm.invokeConnector("weather.Forecast", {"city": "Neu Ulm", "days": 3});\ns = zoho.crm.invokeConnector("weather.report", {"station": "s1", "values": {1, 2}});\nreturn r.get("status_code") + " " + r.get("response").get("made") + " " + s.get("status_code");';
  const said = await tab.evaluate(async (text) => {
    const { csrf } = await (await fetch('/console/api/session')).json();
    const sent = await fetch('/control/execute', { method: 'POST', headers: { 'Content-Type': 'application/json', 'X-CSRF-Token': csrf }, body: JSON.stringify({ source: text, namespace: 'desk', arguments: {} }) });
    return sent.json();
  }, source);
  assert.equal(said.output, '200 here 200', JSON.stringify(said));
  assert.deepEqual(asked, [{ method: 'GET', url: '/v1/Neu%20Ulm?days=3', station: undefined, body: '' }, { method: 'POST', url: '/reports', station: 's1', body: '{"values":[1,2]}' }]);
});

await test('what is deleted goes from the draft', async () => {
  await open(tab, `${url}/console/extensions/desk/modules`, 'Modules');
  await button('Delete Tickets').click();
  await dialog('Delete Tickets').getByText('its records stay').waitFor();
  await tab.keyboard.press('Escape');
  await button('Delete Tickets').click();
  await usable();
  await button('Delete', dialog('Delete Tickets')).click();
  await tab.getByText('No modules yet').waitFor();
  await status('Tickets is deleted');
  await open(tab, `${url}/console/records/desk__Tickets`, 'Support Tickets');
  await row('Support Tickets', 'It rains').waitFor();
  await open(tab, `${url}/console/extensions/desk/connectors/weather`, 'weather');
  await button('Delete Forecast').click();
  await button('Delete', dialog('Delete Forecast')).click();
  await dialog('Delete Forecast').waitFor({ state: 'detached' });
  await button('Delete report').click();
  await button('Delete', dialog('Delete report')).click();
  await refused(dialog('Delete report'), 'needs "apis"');
  await tab.keyboard.press('Escape');
  await part('Connectors').click();
  await button('Delete weather').click();
  await button('Delete', dialog('Delete weather')).click();
  await tab.getByText('No connectors yet').waitFor();
});

// ---- a served folder ----------------------------------------------------------------------------

await test('files that are odd are shown as far as they can be, and mended or deleted', async () => {
  mkdirSync(join(shop, 'connectors'));
  writeFileSync(join(shop, 'connectors/odd.json'), JSON.stringify({ api_name: 'odd', authorisation: { type: 5 }, apis: 'none' }));
  writeFileSync(join(shop, 'modules/odd.json'), JSON.stringify({ api_name: 'Odd', plural_label: '<b>Odd</b>', fields: { not: 'a list' } }));
  const odd = { api_name: 7, field_label: {}, data_type: ['x'], pick_list_values: 'x', lookup: 5, length: {}, unique: 'no' };
  writeFileSync(join(shop, 'modules/odder.json'), JSON.stringify({ api_name: 'Odder', singular_label: {}, name_field: 5, fields: [5, null, odd] }));
  writeFileSync(join(shop, 'connectors/odder.json'), JSON.stringify({ api_name: 'odder', name: {}, authorisation: { type: 'basic', scopes: [{}], header: {} }, apis: [null, { api_name: 7, method: 1, url: {}, params: 'text', headers: [1], body: null }] }));
  await open(tab, `${url}/console/extensions/shop/modules/Odder`, 'Odder');
  await button('Edit 7').click();
  await button('Save', dialog('Edit 7')).click();
  await refused(dialog('Edit 7'), 'Label');
  await field(dialog('Edit 7'), 'Label').fill('Seven');
  await button('Save', dialog('Edit 7')).click();
  await refused(dialog('Edit 7'), 'begins with a letter');
  await tab.keyboard.press('Escape');
  await button('Edit Labels').click();
  await button('Cancel', dialog('Edit Labels')).click();
  await button('Delete 7').click();
  await button('Delete', dialog('Delete 7')).click();
  await refused(dialog('Delete 7'), 'a label is a text');
  await open(tab, `${url}/console/extensions/shop/connectors/odder`, 'odder');
  await button('Edit 7').click();
  await button('Save', dialog('Edit 7')).click();
  await refused(dialog('Edit 7'), 'begins with a letter');
  await tab.keyboard.press('Escape');
  await button('Edit Connector').click();
  await button('Save', dialog('Edit odder')).click();
  await refused(dialog('Edit odder'), /\w/);
  for (const name of ['modules/odder.json', 'connectors/odder.json']) {
    rmSync(join(shop, name));
  }
  await open(tab, `${url}/console/extensions/shop/modules`, 'Modules');
  await row('Modules', '<b>Odd</b>').getByRole('link', { name: 'Odd', exact: true }).click();
  await heading('Odd');
  await addField('Mended', 'text');
  await row('Fields', 'Mended').waitFor();
  assert.deepEqual(folderFile('modules/odd.json').fields, [{ api_name: 'Mended', field_label: 'Mended', data_type: 'text' }]);
  await open(tab, `${url}/console/extensions/shop/connectors/odd`, 'odd');
  await button('Add API').waitFor();
  await open(tab, `${url}/console/extensions/shop/connectors`, 'Connectors');
  await button('Delete odd').click();
  await button('Delete', dialog('Delete odd')).click();
  await status('odd is deleted: Saved, and live.');
  assert.deepEqual(readdirSync(join(shop, 'connectors')), []);
});

await test('a change is written to the file, with what the pages do not know', async () => {
  await open(tab, `${url}/console/extensions/shop/contents`, 'Contents');
  await tab.getByRole('link', { name: 'Orders', exact: true }).click();
  await heading('Orders');
  await button('Edit State').click();
  const form = dialog('Edit State');
  assert.equal(await field(form, 'Pick List Values').inputValue(), 'new\nsent');
  await field(form, 'Label').fill('Condition');
  await field(form, 'Pick List Values').fill('new\nsent\nlost');
  await button('Save', form).click();
  await status('State: Saved, and live.');
  await button('Edit Labels').click();
  await field(dialog('Edit Labels'), 'Plural Label').fill('All Orders');
  await button('Save', dialog('Edit Labels')).click();
  await dialog('Edit Labels').waitFor({ state: 'detached' });
  assert.deepEqual(folderFile('modules/orders.json'), { ...module, plural_label: 'All Orders',
    fields: [{ ...module.fields[0], field_label: 'Condition', pick_list_values: [...module.fields[0].pick_list_values, 'lost'] }, module.fields[1]] });
  await open(tab, `${url}/console/records/shop__Orders`, 'All Orders');
});

await test('a field of a standard module', async () => {
  await open(tab, `${url}/console/extensions/shop/modules`, 'Modules');
  await button('Create Module').click();
  await choice(dialog('Create Module'), 'Kind').selectOption({ label: 'Fields for a standard module' });
  await choice(dialog('Create Module'), 'Standard Module').selectOption('Leads');
  await button('Create', dialog('Create Module')).click();
  await heading('Leads');
  await addField('Wish', 'text');
  assert.deepEqual(folderFile('modules/Leads.json').fields, [{ api_name: 'Wish', field_label: 'Wish', data_type: 'text' }]);
  assert.equal(await button('Edit Labels').count(), 0, 'a standard module keeps its labels');
});

await test('what cannot be installed is said, and kept', async () => {
  await button('Edit Wish').click();
  await choice(dialog('Edit Wish'), 'Type').selectOption('integer');
  await button('Save', dialog('Edit Wish')).click();
  await status('Saved, but not live yet.');
  await tab.getByRole('alert').filter({ hasText: 'cannot become a integer' }).waitFor();
  await button('Edit Wish').click();
  await choice(dialog('Edit Wish'), 'Type').selectOption('text');
  await button('Save', dialog('Edit Wish')).click();
  await status('Wish: Saved, and live.');
  await button('Delete Wish').click();
  await button('Delete', dialog('Delete Wish')).click();
  await tab.getByText('No fields yet').waitFor();
  assert.ok(existsSync(join(shop, 'modules/Leads.json')));
});

await test('a viewer reads only', async () => {
  await tab.evaluate(async () => {
    const { csrf } = await (await fetch('/console/api/session')).json();
    await fetch('/control/users', { method: 'POST', headers: { 'Content-Type': 'application/json', 'X-CSRF-Token': csrf }, body: JSON.stringify({ email: 'v@example.com', name: 'V', role: 'viewer', password: 'correct horse battery' }) });
  });
  const other = await newTab(browser);
  await other.goto(`${url}/console/sign-in`);
  await other.getByRole('textbox', { name: 'E-mail address', exact: true }).fill('v@example.com');
  await other.getByLabel('Password', { exact: true }).fill('correct horse battery');
  await other.getByRole('button', { name: 'Sign in', exact: true }).click();
  await other.waitForURL(`${url}/console/`);
  for (const [address, name] of [['modules', 'Modules'], ['modules/Orders', 'Orders'], ['connectors', 'Connectors']]) {
    await open(other, `${url}/console/extensions/shop/${address}`, name);
    await other.locator('[aria-busy=true]').first().waitFor({ state: 'detached' });
    assert.deepEqual(await other.getByRole('main').getByRole('button').allTextContents(), [], address);
  }
  await other.context().close();
});

await testPages(tab, url, [['/console/extensions/shop/modules', 'Modules'], ['/console/extensions/shop/modules/Orders', 'Orders'], ['/console/extensions/shop/connectors', 'Connectors']]);

await browser.close();
service.close();
await server.close();
await finish();
