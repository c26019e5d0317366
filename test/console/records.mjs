// SPDX-License-Identifier: Apache-2.0
//
// The pages of records in a real browser: node test/console/records.mjs PATH/TO/sluice. Prints TAP.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { axeFindings, command, extension, finish, focusOn, open, openBrowser, serve, temporary, test } from './rig.mjs';

const folder = temporary();
const data = join(folder, 'data');
const shop = extension(join(folder, 'shop'), { name: 'Shop', namespace: 'shop', version: '1.0.0' }, {
  'functions/hello.dg': 'return "hello";',
  'modules/parcels.json': JSON.stringify({
    api_name: 'Parcels', singular_label: 'Parcel', plural_label: 'Parcels', name_field: { api_name: 'Parcel_Name' },
    fields: [{ api_name: 'State', data_type: 'picklist', pick_list_values: ['Packed', 'Sent'] }, { api_name: 'Lead', data_type: 'lookup', lookup: { module: 'Leads' } }],
  }),
});
const server = await serve([shop], data);
const { access_token: token } = JSON.parse(command('oauth', 'new', '--json', '--data', data));

async function ask(method, path, body) {
  const reply = await fetch(server.url + path, { method, headers: { Authorization: `Zoho-oauthtoken ${token}`, 'Content-Type': 'application/json' }, body: body && JSON.stringify(body) });
  const text = await reply.text();
  return text && JSON.parse(text);
}

const make = async (module, list) => (await ask('POST', `/crm/v8/${module}`, { data: list })).data.map((row) => row.details.id);
const hostile = '<img src=x onerror=document.title="owned">';
const [lead] = await make('Leads', [{ Last_Name: 'Okafor', First_Name: 'Grace', Company: 'Northwind', Email: 'grace@example.com', Lead_Status: 'Contacted', Description: hostile }]);
await make('Leads', Array.from({ length: 60 }, (none, at) => ({ Last_Name: `Row ${String(at).padStart(2, '0')}`, Company: at % 2 ? 'Odd, (Ltd)' : 'Even', Lead_Status: at < 5 ? 'Lost Lead' : undefined, Annual_Revenue: at * 1000 })));
const [newest] = await make('Leads', [{ Last_Name: hostile, Company: 'X' }]);
await make('Accounts', [{ Account_Name: 'Volta Solar' }, { Account_Name: 'Volta Wind' }]);

const browser = await openBrowser();
const tab = await server.signIn(browser, { timezoneId: 'Asia/Kolkata' });
const main = tab.getByRole('main');
const list = (name) => tab.getByRole('table', { name, exact: true });
const rowNames = async (name) => (await list(name).locator('tbody th').allTextContents()).map((text) => text.trim());

await test('every module is a link, by its plural label', async () => {
  await open(tab, `${server.url}/console/records`, 'Records');
  const modules = tab.getByRole('navigation', { name: 'Modules', exact: true });
  for (const label of ['Leads', 'Contacts', 'Accounts', 'Deals', 'Tasks', 'Meetings', 'Parcels']) {
    await modules.getByRole('link', { name: label, exact: true }).waitFor();
  }
  await modules.getByRole('link', { name: 'Leads', exact: true }).click();
  await tab.getByRole('heading', { level: 1, name: 'Leads', exact: true }).waitFor();
  assert.equal(new URL(tab.url()).pathname, '/console/records/Leads');
});

await test('newest first, in pages that the address remembers', async () => {
  await open(tab, `${server.url}/console/records/Leads`, 'Leads');
  await list('Leads').getByRole('link', { name: hostile, exact: true }).waitFor();
  assert.deepEqual((await rowNames('Leads')).slice(0, 1), [hostile]);
  assert.equal((await rowNames('Leads')).length, 50);
  assert.ok(await tab.getByRole('button', { name: 'Newer', exact: true }).isDisabled());
  await tab.getByRole('button', { name: 'Older', exact: true }).click();
  await list('Leads').getByRole('link', { name: 'Grace Okafor', exact: true }).waitFor();
  assert.equal((await rowNames('Leads')).length, 12);
  await tab.reload();
  await list('Leads').getByRole('link', { name: 'Grace Okafor', exact: true }).waitFor();
  await tab.getByRole('button', { name: 'Newer', exact: true }).click();
  await list('Leads').getByRole('link', { name: hostile, exact: true }).waitFor();
});

await test('search', async () => {
  const box = tab.getByRole('searchbox', { name: 'Search', exact: true });
  await box.fill('grace');
  await tab.waitForFunction(() => document.querySelectorAll('tbody tr').length === 1);
  assert.deepEqual(await rowNames('Leads'), ['Grace Okafor']);
  await tab.reload();
  await list('Leads').getByRole('link', { name: 'Grace Okafor', exact: true }).waitFor();
  assert.equal(await box.inputValue(), 'grace');
  await box.fill('no such word');
  await main.getByText('Nothing found for “no such word”').waitFor();
  await box.fill('');
  await list('Leads').getByRole('link', { name: hostile, exact: true }).waitFor();
});

await test('filter', async () => {
  await tab.getByRole('button', { name: 'Filter', exact: true }).click();
  const form = tab.getByRole('form', { name: 'Filter', exact: true });
  await form.getByRole('combobox', { name: 'Field' }).selectOption({ label: 'Lead Status' });
  await form.getByRole('combobox', { name: 'Value' }).selectOption('Lost Lead');
  await form.getByRole('button', { name: 'Apply' }).click();
  await tab.waitForFunction(() => document.querySelectorAll('tbody tr').length === 5);
  await main.getByText('Lead Status is Lost Lead').waitFor();
  await tab.reload();
  await tab.waitForFunction(() => document.querySelectorAll('tbody tr').length === 5);
  await tab.getByRole('button', { name: 'Clear filter' }).click();
  await tab.waitForFunction(() => document.querySelectorAll('tbody tr').length === 50);
  for (const [field, condition, value, count] of [['Company', 'begins with', 'Odd, (L', 30], ['Annual Revenue', 'is more than', '57000', 2], ['Company', 'is', '\\) or (', 0]]) {
    await tab.getByRole('button', { name: 'Filter', exact: true }).click();
    await form.getByRole('combobox', { name: 'Field' }).selectOption({ label: field });
    await form.getByRole('combobox', { name: 'Condition' }).selectOption({ label: condition });
    await form.locator('input').fill(value);
    await form.getByRole('button', { name: 'Apply' }).click();
    await (count ? tab.waitForFunction((wanted) => document.querySelectorAll('tbody tr').length === wanted, count) : main.getByText('No record fits the filter').waitFor());
  }
  await tab.goto(`${server.url}/console/records/Leads?filter=Nope:equals:x`);
  await main.getByRole('alert').waitFor();
});

await test('a record shows its fields, as text', async () => {
  await open(tab, `${server.url}/console/records/Leads/${lead}`, 'Grace Okafor');
  const fields = list('Fields');
  const value = async (label) => (await fields.getByRole('row').filter({ has: tab.getByRole('rowheader', { name: label, exact: true }) }).getByRole('cell').textContent()).trim();
  assert.equal(await value('Company'), 'Northwind');
  assert.equal(await value('Description'), hostile);
  await open(tab, `${server.url}/console/records/Leads/${newest}`, hostile);
  assert.equal(await tab.evaluate(() => document.querySelectorAll('main img').length), 0);
  await tab.goto(`${server.url}/console/records/Leads/123456789012345678`);
  await main.getByRole('alert').waitFor();
});

await test('a record is made; what the CRM refuses is said at the field', async () => {
  await open(tab, `${server.url}/console/records/Leads`, 'Leads');
  const opener = tab.getByRole('button', { name: 'New Lead', exact: true });
  await opener.click();
  const dialog = tab.getByRole('dialog', { name: 'New Lead', exact: true });
  await dialog.getByRole('textbox', { name: 'Company', exact: true }).fill('Copperleaf');
  await dialog.getByRole('button', { name: 'Save', exact: true }).click();
  const name = dialog.getByRole('textbox', { name: 'Last Name', exact: true });
  await dialog.locator('[aria-invalid=true]').waitFor();
  assert.equal(await name.getAttribute('aria-invalid'), 'true');
  await tab.waitForFunction((element) => element === document.activeElement, await name.elementHandle()); // the field has the focus
  assert.match(await name.evaluate((element) => document.getElementById(element.getAttribute('aria-describedby')).textContent), /Fill this in/);
  assert.match(await dialog.getByRole('alert').textContent(), /Last Name/);
  await name.fill('Raman');
  await dialog.getByRole('textbox', { name: 'Email', exact: true }).fill('no address');
  await dialog.getByRole('button', { name: 'Save', exact: true }).click();
  await dialog.getByRole('alert').filter({ hasText: 'Email: This is not valid here' }).waitFor();
  assert.deepEqual(await axeFindings(tab), []);
  await dialog.getByRole('textbox', { name: 'Email', exact: true }).fill('priya@example.com');
  await dialog.getByRole('combobox', { name: 'Lead Status', exact: true }).selectOption('Contacted');
  await dialog.getByRole('button', { name: 'Save', exact: true }).click();
  await tab.getByRole('heading', { level: 1, name: 'Raman', exact: true }).waitFor();
  await tab.getByRole('status').filter({ hasText: 'Lead created.' }).waitFor();
  const [row] = (await ask('GET', '/crm/v8/Leads/search?email=priya@example.com&fields=Company,Lead_Status')).data;
  assert.deepEqual([row.Company, row.Lead_Status], ['Copperleaf', 'Contacted']);
});

await test('Escape leaves a dialog and gives the focus back', async () => {
  await tab.getByRole('button', { name: 'Edit', exact: true }).click();
  await tab.getByRole('dialog', { name: 'Edit Lead', exact: true }).waitFor();
  await tab.keyboard.press('Escape');
  await tab.getByRole('dialog').waitFor({ state: 'detached' });
  await focusOn(tab, 'Edit');
});

await test('a record is changed; a field is emptied', async () => {
  await open(tab, `${server.url}/console/records/Leads/${lead}`, 'Grace Okafor');
  await tab.getByRole('button', { name: 'Edit', exact: true }).click();
  const dialog = tab.getByRole('dialog', { name: 'Edit Lead', exact: true });
  await dialog.getByRole('button', { name: /^Show all/ }).click();
  await dialog.getByRole('textbox', { name: 'City', exact: true }).fill('Lagos');
  await dialog.getByRole('textbox', { name: 'Description', exact: true }).fill('');
  await dialog.getByRole('spinbutton', { name: 'Annual Revenue', exact: true }).fill('1250.5');
  await dialog.getByRole('checkbox', { name: 'Email Opt Out', exact: true }).check();
  await dialog.getByRole('button', { name: 'Save', exact: true }).click();
  await tab.getByRole('status').filter({ hasText: 'Lead saved.' }).waitFor();
  const [row] = (await ask('GET', `/crm/v8/Leads/${lead}`)).data;
  assert.deepEqual([row.City, row.Description, row.Annual_Revenue, row.Email_Opt_Out, row.Company], ['Lagos', null, 1250.5, true, 'Northwind']);
});

await test('a look-up is searched and chosen by keyboard; times are local', async () => {
  await open(tab, `${server.url}/console/records/Deals`, 'Deals');
  await tab.getByRole('button', { name: 'New Deal', exact: true }).click();
  const dialog = tab.getByRole('dialog', { name: 'New Deal', exact: true });
  await dialog.getByRole('textbox', { name: 'Deal Name', exact: true }).fill('Panels');
  await dialog.getByRole('combobox', { name: 'Stage', exact: true }).selectOption('Qualification');
  const account = dialog.getByRole('combobox', { name: 'Account Name', exact: true });
  await account.fill('volta');
  await dialog.getByRole('option', { name: 'Volta Solar', exact: true }).waitFor();
  await tab.keyboard.press('Escape');
  await dialog.getByRole('option').first().waitFor({ state: 'hidden' });
  assert.ok(await dialog.isVisible(), 'Escape closes the list alone');
  await account.fill('volta w');
  await dialog.getByRole('option', { name: 'Volta Wind', exact: true }).waitFor();
  await tab.keyboard.press('ArrowDown');
  await tab.keyboard.press('Enter');
  assert.equal(await account.inputValue(), 'Volta Wind');
  await dialog.getByRole('button', { name: 'Save', exact: true }).click();
  await tab.getByRole('heading', { level: 1, name: 'Panels', exact: true }).waitFor();
  await list('Fields').getByRole('link', { name: 'Volta Wind', exact: true }).click();
  await tab.getByRole('heading', { level: 1, name: 'Volta Wind', exact: true }).waitFor();
  await list('Deals').getByRole('link', { name: 'Panels', exact: true }).waitFor();
  await open(tab, `${server.url}/console/records/Events`, 'Meetings');
  await tab.getByRole('button', { name: /^New / }).click();
  const meeting = tab.getByRole('dialog');
  await meeting.getByLabel('Title', { exact: false }).first().fill('Visit');
  await meeting.getByLabel(/^From|Start/).first().fill('2026-12-01T09:30');
  await meeting.getByLabel(/^To\b|End/).first().fill('2026-12-01T10:30');
  await meeting.getByRole('button', { name: 'Save', exact: true }).click();
  await tab.getByRole('heading', { level: 1, name: 'Visit', exact: true }).waitFor();
  const [event] = (await ask('GET', '/crm/v8/Events?fields=Start_DateTime,Event_Title')).data;
  assert.equal(new Date(event.Start_DateTime).getTime(), new Date('2026-12-01T09:30+05:30').getTime());
});

await test('a module of an extension, and a quote with its rows', async () => {
  await open(tab, `${server.url}/console/records/shop__Parcels`, 'Parcels');
  await main.getByText('No Parcels yet').waitFor();
  await tab.getByRole('button', { name: 'New Parcel', exact: true }).click();
  const dialog = tab.getByRole('dialog');
  await dialog.getByRole('textbox', { name: /Name/ }).first().fill('P-1');
  await dialog.getByRole('combobox', { name: 'Lead', exact: true }).fill('okafor');
  await dialog.getByRole('option', { name: 'Grace Okafor', exact: true }).click();
  await dialog.getByRole('button', { name: 'Save', exact: true }).click();
  await tab.getByRole('heading', { level: 1, name: 'P-1', exact: true }).waitFor();
  await list('Fields').getByRole('link', { name: 'Grace Okafor', exact: true }).waitFor();
  await open(tab, `${server.url}/console/records/Quotes`, 'Quotes');
  await tab.getByRole('button', { name: 'New Quote', exact: true }).click();
  await dialog.getByRole('textbox', { name: 'Subject', exact: true }).fill('Q-1');
  await dialog.getByRole('textbox', { name: 'Quoted Items', exact: true }).fill('[{');
  await dialog.getByRole('button', { name: 'Save', exact: true }).click();
  await dialog.getByRole('alert').filter({ hasText: 'This is no JSON' }).waitFor();
  const [product] = await make('Products', [{ Product_Name: 'Panel', Unit_Price: 100 }]);
  await dialog.getByRole('textbox', { name: 'Quoted Items', exact: true }).fill(JSON.stringify([{ Product_Name: { id: product }, Quantity: 2 }]));
  await dialog.getByRole('button', { name: 'Save', exact: true }).click();
  await tab.getByRole('heading', { level: 1, name: 'Q-1', exact: true }).waitFor();
});

await test('notes', async () => {
  await open(tab, `${server.url}/console/records/Leads/${lead}`, 'Grace Okafor');
  await tab.getByRole('button', { name: 'Add Note', exact: true }).click();
  const dialog = tab.getByRole('dialog', { name: 'Add Note', exact: true });
  await dialog.getByRole('button', { name: 'Save', exact: true }).click();
  await dialog.getByRole('alert').filter({ hasText: /\S/ }).waitFor();
  await dialog.getByRole('textbox', { name: 'Title', exact: true }).fill('First call');
  await dialog.getByRole('textbox', { name: 'Note', exact: true }).fill(hostile);
  await dialog.getByRole('button', { name: 'Save', exact: true }).click();
  await main.getByText(hostile).waitFor();
  await tab.getByRole('button', { name: 'Delete note First call', exact: true }).click();
  await main.getByText('No notes on this record.').waitFor();
});

await test('a record is deleted, after a question', async () => {
  await open(tab, `${server.url}/console/records/Leads/${newest}`, hostile);
  await tab.getByRole('button', { name: 'Delete', exact: true }).click();
  const dialog = tab.getByRole('dialog', { name: `Delete ${hostile}`, exact: true });
  await dialog.getByRole('button', { name: 'Cancel', exact: true }).click();
  await tab.getByRole('button', { name: 'Delete', exact: true }).click();
  await dialog.getByRole('button', { name: 'Delete', exact: true }).click();
  await tab.getByRole('heading', { level: 1, name: 'Leads', exact: true }).waitFor();
  await tab.getByRole('status').filter({ hasText: 'recycle bin' }).waitFor();
  assert.equal(await ask('GET', `/crm/v8/Leads/${newest}`), '');
});

await browser.close();
await server.close();
await finish();
