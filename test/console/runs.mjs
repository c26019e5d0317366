// SPDX-License-Identifier: Apache-2.0
//
// The pages of runs in a real browser: node test/console/runs.mjs PATH/TO/sluice. Prints TAP.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { axeFindings, command, extension, finish, open, openBrowser, phoneOverflow, serve, temporary, test } from './rig.mjs';

const hostile = '<img src=x onerror=document.title="owned">';
const echo = `string echo(string crmAPIRequest)
{
	request = crmAPIRequest.toMap();
	info "method " + request.get("method");
	body = request.get("body");
	info body;
	return body + "|" + request.get("params").get("who");
}
`;
const files = {
  'functions/hello.dg': 'string hello()\n{\n\treturn "hello";\n}\n',
  'functions/echo.dg': echo,
  'functions/fails.dg': 'string fails(string crmAPIRequest)\n{\n\tinfo "before";\n\tx = 1 / crmAPIRequest.toMap().get("params").get("n").toLong();\n\treturn "went well";\n}\n',
  'functions/works.dg': 'string works()\n{\n\tm = Map();\n\tm.put("Last_Name", "Kept");\n\tr = zoho.crm.createRecord("Leads", m);\n\tx = zoho.crm.getRecordById("Leads", r.get("id").toLong());\n\treturn "done";\n}\n',
};
const folder = temporary();
const data = join(folder, 'data');
const shop = extension(join(folder, 'shop'), { name: 'Shop', namespace: 'shop', version: '1.0.0' }, files);
const server = await serve([shop], data);
const key = /zapikey=([^&]+)/.exec(server.functions.shop__hello)[1];

/** Calls a function: the run's id and what was answered. */
async function run(name, query = '', options = {}) {
  const reply = await fetch(`${server.functions[name]}${query && `&${query}`}`, { method: 'POST', ...options });
  return { id: reply.headers.get('x-request-id'), text: await reply.text() };
}

const browser = await openBrowser();
const tab = await server.signIn(browser);
const main = tab.getByRole('main');
const table = (name) => tab.getByRole('table', { name, exact: true });
const region = (name) => tab.getByRole('region', { name, exact: true });
const button = (name) => tab.getByRole('button', { name, exact: true });
const heading = (name) => tab.getByRole('heading', { level: 1, name, exact: true });
const ids = async () => (await table('Runs').locator('tbody th').allTextContents()).map((text) => text.trim());
const showRun = async (id) => {
  await open(tab, `${server.url}/console/runs/${id}`, `Run ${id}`);
  await region('Reply').waitFor();
};

await test('no runs: it says how there will be some', async () => {
  await open(tab, `${server.url}/console/runs`, 'Runs');
  await main.getByText('No runs yet').waitFor();
  assert.deepEqual(await axeFindings(tab), []);
});

await test('a call appears by itself, within a second', async () => {
  await new Promise((done) => setTimeout(done, 1500)); // the page waits by now
  const { id } = await run('shop__hello');
  const begun = Date.now();
  await table('Runs').getByRole('link', { name: id, exact: true }).waitFor();
  assert.ok(Date.now() - begun < 2000, `${Date.now() - begun} ms`);
  const row = table('Runs').getByRole('row').filter({ hasText: id });
  for (const text of ['shop__hello', 'ok', 'POST 200']) {
    assert.ok((await row.textContent()).includes(text), text);
  }
});

await test('the next ones too, newest first', async () => {
  const made = [];
  for (const n of ['0', '2', '0']) {
    made.unshift((await run('shop__fails', `n=${n}`)).id);
  }
  await table('Runs').getByRole('link', { name: made[0], exact: true }).waitFor();
  assert.deepEqual((await ids()).slice(0, 3), made);
});

await test('Failures only, which the address remembers', async () => {
  await tab.getByRole('checkbox', { name: 'Failures only', exact: true }).check();
  await tab.waitForFunction(() => document.querySelectorAll('table[aria-label=Runs] tbody tr').length === 2);
  await tab.reload();
  await tab.waitForFunction(() => document.querySelectorAll('table[aria-label=Runs] tbody tr').length === 2);
  await new Promise((done) => setTimeout(done, 1500));
  const good = await run('shop__hello');
  const bad = await run('shop__fails', 'n=0');
  await table('Runs').getByRole('link', { name: bad.id, exact: true }).waitFor();
  assert.ok(!(await ids()).includes(good.id));
  await tab.getByRole('checkbox', { name: 'Failures only', exact: true }).uncheck();
  await table('Runs').getByRole('link', { name: good.id, exact: true }).waitFor();
});

await test('figures of each function', async () => {
  const row = table('Functions').getByRole('row').filter({ hasText: 'shop__fails' });
  await tab.waitForFunction(() => [...document.querySelectorAll('table[aria-label=Functions] tbody tr')].some((one) => /^shop__fails43/.test(one.textContent)), undefined, { timeout: 8000 });
  await row.getByRole('img', { name: '4 calls in the last hour, 3 of them failed, at most', exact: false }).waitFor();
  await button('Last day').click();
  await row.getByRole('img', { name: '4 calls in the last day', exact: false }).waitFor();
  await row.getByRole('button', { name: 'shop__fails', exact: true }).click();
  await tab.waitForFunction(() => document.querySelectorAll('table[aria-label=Runs] tbody tr').length === 4);
  await main.getByText('By hour', { exact: true }).click();
  assert.equal(await table('By hour').locator('tbody tr').count(), 1);
  await button('Last hour').click();
  assert.deepEqual(await axeFindings(tab), []);
  assert.equal(await phoneOverflow(tab), 0, 'wider than a phone');
  await button('All functions').click();
  await table('Functions').getByText('shop__hello').waitFor();
});

await test('older runs', async () => {
  for (let n = 0; n < 55; n++) {
    await run('shop__hello');
  }
  await open(tab, `${server.url}/console/runs`, 'Runs');
  await tab.waitForFunction(() => document.querySelectorAll('table[aria-label=Runs] tbody tr').length === 50);
  await button('Older runs').click();
  await tab.waitForFunction(() => document.querySelectorAll('table[aria-label=Runs] tbody tr').length > 60);
  assert.equal(new Set(await ids()).size, (await ids()).length, 'each once');
});

let first;
await test('one run in full', async () => {
  first = await run('shop__echo', 'who=me', { body: hostile, headers: { 'X-Own': 'mine', Authorization: 'Basic secret', Cookie: 'a=secret' } });
  await tab.getByRole('link', { name: first.id, exact: true }).click();
  await heading(`Run ${first.id}`).waitFor();
  await region('Request').waitFor();
  const request = await region('Request').textContent();
  for (const text of ['POST', '/crm/v2/functions/shop__echo/actions/execute', 'zapikey=***', 'who=me', 'x-own', 'mine', hostile]) {
    assert.ok(request.includes(text), `${text} in ${request}`);
  }
  const reply = await region('Reply').textContent();
  assert.ok(reply.includes('200') && reply.includes('application/json') && reply.includes(JSON.stringify(`${hostile}|me`)), reply);
  const lines = await tab.getByRole('log', { name: 'Log messages', exact: true }).getByRole('listitem').allTextContents();
  assert.deepEqual(lines, ['4 method POST', `6 ${hostile}`]);
  const page = await main.textContent();
  assert.ok(!page.includes(key) && !page.includes('secret'), 'a secret is shown');
  assert.match(page, /Statements[\d,]+ of 200,000/);
  assert.notEqual(await tab.title(), 'owned');
});

await test('what the script saw, and its lines beside what they logged', async () => {
  await region('Request').getByText('as the script saw it').click();
  const seen = JSON.parse(await region('Request').locator('details pre').textContent());
  assert.deepEqual([seen.method, seen.params, seen.body], ['POST', { who: 'me' }, hostile]);
  const row = table('Source').getByRole('row').filter({ hasText: 'info "method "' });
  assert.equal(await row.locator('td').last().textContent(), 'method POST');
  assert.equal(await row.locator('th').textContent(), '4');
  assert.deepEqual(await axeFindings(tab), []);
  assert.equal(await phoneOverflow(tab), 0, 'wider than a phone');
});

await test('services with their times', async () => {
  const { id } = await run('shop__works');
  await showRun(id);
  const rows = await table('Calls').locator('tbody tr').allTextContents();
  assert.equal(rows.length, 2);
  assert.match(rows[0], /^zoho\.crm\.createRecord ?Leadsok[\d.]+ [mµ]s[\d.]+ [mµ]s$/);
  assert.match(rows[1], /^zoho\.crm\.getRecordById ?Leadsok/);
  assert.equal(await table('Calls').locator('svg rect').count(), 2);
  assert.deepEqual(await axeFindings(tab), []);
  assert.equal(await phoneOverflow(tab), 0, 'wider than a phone');
});

await test('Replay', async () => {
  await showRun(first.id);
  await button('Replay').click();
  await tab.getByRole('status').getByText(`Run ${first.id} was replayed`).waitFor();
  await tab.waitForFunction((old) => !location.pathname.endsWith(old), first.id);
  const id = new URL(tab.url()).pathname.split('/').pop();
  await heading(`Run ${id}`).waitFor();
  await region('Reply').getByText(JSON.stringify(`${hostile}|me`)).waitFor();
  assert.ok((await main.textContent()).includes('replay'));
  await tab.goBack();
  await heading(`Run ${first.id}`).waitFor();
});

await test('Edit and replay', async () => {
  await button('Edit and replay').click();
  const dialog = tab.getByRole('dialog', { name: 'Edit and replay', exact: true });
  const box = (name) => dialog.getByRole('textbox', { name, exact: true });
  assert.equal(await box('Body').inputValue(), hostile);
  await box('Headers').fill('no header');
  await dialog.getByRole('button', { name: 'Replay', exact: true }).click();
  await dialog.getByRole('alert').getByText('“no header” is no header').waitFor();
  await box('Headers').fill('X-Own: other\n');
  await box('Method').fill('PUT');
  await box('Query').fill('who=somebody%20else');
  await box('Body').fill('edited');
  assert.deepEqual(await axeFindings(tab), []);
  await dialog.getByRole('button', { name: 'Replay', exact: true }).click();
  await region('Reply').getByText('edited|somebody else').waitFor();
  assert.ok((await region('Request').textContent()).startsWith('RequestPUT'));
  await tab.goBack();
  await button('Edit and replay').click();
  await box('Method').waitFor();
  await tab.waitForFunction(() => document.activeElement.closest('dialog'));
  await tab.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  await tab.waitForFunction(() => document.activeElement.textContent === 'Edit and replay');
});

await test('a run that failed', async () => {
  const { id } = await run('shop__fails', 'n=0');
  await showRun(id);
  assert.match(await main.textContent(), /script error/);
  const row = table('Source').locator('tr.failed');
  assert.equal(await row.locator('th').textContent(), '4');
  await button('Edit and replay').click();
  await tab.getByRole('textbox', { name: 'Query', exact: true }).fill('n=5');
  await tab.getByRole('dialog').getByRole('button', { name: 'Replay', exact: true }).click();
  await region('Reply').getByText('went well').waitFor();
});

await test('Copy as curl: a line that does it again', async () => {
  await showRun(first.id);
  await button('Copy as curl').click();
  await tab.getByRole('status').getByText('in the clipboard').waitFor();
  const line = await tab.evaluate(() => navigator.clipboard.readText());
  assert.ok(line.startsWith(`curl -X 'POST' '${server.url}/crm/v2/functions/shop__echo/actions/execute?auth_type=apikey&zapikey=${key}&who=me'`), line);
  assert.ok(line.includes(`--data-binary '${hostile}'`), line);
});

await test('Save as a test: a file that passes, also in the folder that is served', async () => {
  const [download] = await Promise.all([tab.waitForEvent('download'), button('Save as a test').click()]);
  await tab.getByRole('status').getByText('Saved as tests/').waitFor();
  const name = `echo_${first.id.slice(0, 8)}.json`;
  assert.equal(download.suggestedFilename(), name);
  const text = readFileSync(await download.path(), 'utf8');
  assert.equal(readFileSync(join(shop, 'tests', name), 'utf8'), text);
  assert.match(command('test', shop), /^1 passed, 0 failed$/m);
  await button('Save as a test').click();
  await tab.getByRole('alert').getByText('is there already').waitFor();
  assert.deepEqual(readdirSync(join(shop, 'tests')), [name]);
});

await test('a run that there is not, and one that is too long ago', async () => {
  await open(tab, `${server.url}/console/runs/${'0'.repeat(24)}`, `Run ${'0'.repeat(24)}`);
  await tab.getByRole('alert').getByText('there is no run').waitFor();
});

await test('a viewer reads, and repeats nothing', async () => {
  command('user', 'new', 'view@example.com', '--role', 'viewer', '--password-file', passwordFile(), '--data', data);
  const link = command('user', 'link', 'view@example.com', '--data', data).trim();
  const context = await browser.newContext();
  const other = await context.newPage();
  await other.goto(link);
  await open(other, `${server.url}/console/runs/${first.id}`, `Run ${first.id}`);
  await other.getByRole('region', { name: 'Reply', exact: true }).waitFor();
  await other.getByRole('button', { name: 'Copy as curl', exact: true }).waitFor();
  assert.equal(await other.getByRole('button', { name: 'Replay', exact: true }).count(), 0);
  assert.ok(!(await other.getByRole('main').textContent()).includes(key));
  await context.close();
});

await test('after a restart the log is there, and what is not is said', async () => {
  await server.close();
  const again = await serve([shop], data);
  const later = await again.signIn(browser);
  await open(later, `${again.url}/console/runs/${first.id}`, `Run ${first.id}`);
  await later.getByText('The request of this run is not kept.').waitFor();
  assert.equal(await later.getByRole('log', { name: 'Log messages', exact: true }).getByRole('listitem').count(), 2);
  assert.equal(await later.getByRole('button', { name: 'Replay', exact: true }).count(), 0);
  assert.deepEqual(await axeFindings(later), []);
  await again.close();
});

function passwordFile() {
  const file = join(folder, 'password');
  existsSync(file) || extension(folder, {}, { password: 'correct horse battery' });
  return file;
}

await browser.close();
await finish();
