// SPDX-License-Identifier: Apache-2.0
//
// Who signs in and what he may, keys, API clients, signals and the API console, in a real browser: node test/console/people.mjs PATH/TO/sluice.
import assert from 'node:assert/strict';
import http from 'node:http';
import { join } from 'node:path';
import { axeFindings, command, extension, finish, newTab, open, openBrowser, serve, temporary, test } from './rig.mjs';

const PASSWORD = 'a long enough password';
const folder = temporary();
const data = join(folder, 'data');
const shop = extension(join(folder, 'shop'), { name: 'Shop', namespace: 'shop', version: '1.0.0', signals: [{ namespace: 'order', name: 'Order' }] }, {
  'functions/hello.dg': 'string shop.hello(string crmAPIRequest)\n{\n\treturn "Hello " + crmAPIRequest.get("params").get("name");\n}\n',
});
const server = await serve([shop], data);
const browser = await openBrowser();
const tab = await server.signIn(browser);
const alert = (page, text) => page.getByRole('alert').filter({ hasText: text }).waitFor();
const status = (page, text) => page.getByRole('status').filter({ hasText: text }).waitFor();
const call = (url) => fetch(url).then(async (reply) => ({ status: reply.status, text: await reply.text() }));

async function signIn(page, email, password) {
  await page.getByRole('textbox', { name: 'E-mail address', exact: true }).fill(email);
  await page.getByRole('textbox', { name: 'Password', exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}

await test('the link works once; the page says how to get another', async () => {
  const other = await newTab(browser);
  await other.goto(server.link);
  await other.getByRole('heading', { level: 1, name: 'Sign in', exact: true }).waitFor();
  await alert(other, 'This link has been used');
  await other.getByText('sluice serve').first().waitFor();
  assert.deepEqual(await axeFindings(other), []);
  for (const path of ['/console/', '/console/records', '/console/setup/users']) {
    await other.goto(server.url + path);
    assert.equal(new URL(other.url()).pathname, '/console/sign-in', path);
  }
  await other.close();
});

await test('an admin makes users', async () => {
  await open(tab, `${server.url}/console/setup/users`, 'Users');
  await tab.getByText('No users yet').waitFor();
  const dialog = tab.getByRole('dialog', { name: 'New User', exact: true });
  for (const [email, name, role] of [['ann@example.com', 'Ann', 'admin'], ['dev@example.com', 'Dev', 'developer'], ['eve@example.com', 'Eve', 'viewer']]) {
    await tab.getByRole('button', { name: 'New User', exact: true }).click();
    await dialog.getByRole('textbox', { name: 'E-mail address', exact: true }).fill(email);
    await dialog.getByRole('textbox', { name: 'Name', exact: true }).fill(name);
    await dialog.getByRole('combobox', { name: 'Role', exact: true }).selectOption(role);
    await dialog.getByRole('textbox', { name: 'Password', exact: true }).fill('short');
    await dialog.getByRole('button', { name: 'Save', exact: true }).click();
    await dialog.getByRole('alert').filter({ hasText: 'a password has 8' }).waitFor();
    await dialog.getByRole('textbox', { name: 'Password', exact: true }).fill(PASSWORD);
    await dialog.getByRole('button', { name: 'Save', exact: true }).click();
    await status(tab, `${email} may sign in`);
  }
  await tab.getByRole('button', { name: 'New User', exact: true }).click();
  await dialog.getByRole('textbox', { name: 'E-mail address', exact: true }).fill('ANN@example.com');
  await dialog.getByRole('textbox', { name: 'Password', exact: true }).fill(PASSWORD);
  await dialog.getByRole('button', { name: 'Save', exact: true }).click();
  await dialog.getByRole('alert').filter({ hasText: /already|taken|exists/ }).waitFor();
  await dialog.getByRole('button', { name: 'Cancel', exact: true }).click();
  const rows = tab.getByRole('table', { name: 'Users', exact: true }).locator('tbody tr');
  assert.deepEqual(await rows.evaluateAll((all) => all.map((row) => [row.cells[0].textContent, row.cells[2].textContent])), [['ann@example.com', 'admin'], ['dev@example.com', 'developer'], ['eve@example.com', 'viewer']]);
});

await test('a password signs in, a wrong one does not, and after five one waits', async () => {
  const other = await newTab(browser);
  await other.goto(`${server.url}/console/sign-in`);
  await other.getByRole('button', { name: 'Sign in', exact: true }).click();
  await alert(other, 'Fill in');
  await signIn(other, 'eve@example.com', 'not the password');
  await alert(other, /password is wrong/);
  assert.equal(new URL(other.url()).pathname, '/console/sign-in');
  await signIn(other, 'eve@example.com', PASSWORD);
  await other.getByRole('heading', { level: 1, name: 'Extensions', exact: true }).waitFor();
  await other.context().close();
  const third = await newTab(browser);
  await third.goto(`${server.url}/console/sign-in`);
  for (let at = 0; at < 6; at++) {
    const answered = third.waitForResponse((reply) => reply.url().endsWith('/api/sign-in'));
    await signIn(third, 'nobody@example.com', `wrong ${at}`);
    await answered;
    await third.locator('button:not([aria-busy=true])').first().waitFor();
  }
  await alert(third, /try again in \d+ s/);
  await third.context().close();
});

/** A tab in which somebody is signed in. */
async function as(email) {
  const page = await newTab(browser);
  await page.goto(`${server.url}/console/sign-in`);
  await signIn(page, email, PASSWORD);
  await page.waitForURL(`${server.url}/console/`);
  return page;
}

await test('a viewer sees no control that he may not use', async () => {
  const eve = await as('eve@example.com');
  await eve.getByRole('banner').getByText('viewer').waitFor();
  await open(eve, `${server.url}/console/keys`, 'Keys');
  await eve.getByRole('table', { name: 'Keys', exact: true }).getByText('shop').waitFor();
  assert.equal(await eve.getByRole('button', { name: /^(Show|Rotate)/ }).count(), 0);
  assert.doesNotMatch(await eve.locator('main').textContent(), /1003\.[0-9a-f]{32}/);
  await open(eve, `${server.url}/console/records/Leads`, 'Leads');
  await eve.getByText('No Leads yet').waitFor();
  assert.equal(await eve.getByRole('button', { name: 'New Lead', exact: true }).count(), 0);
  await open(eve, `${server.url}/console/setup/users`, 'Users');
  await eve.getByText('Only admins see the users').waitFor();
  await open(eve, `${server.url}/console/setup/api-clients`, 'API clients');
  await eve.getByText('No API clients yet').waitFor();
  assert.equal(await eve.getByRole('button', { name: 'New API Client', exact: true }).count(), 0);
  await open(eve, `${server.url}/console/api`, 'API console');
  await eve.getByRole('combobox', { name: 'Method', exact: true }).selectOption('POST');
  await eve.getByRole('textbox', { name: 'Body', exact: true }).fill('{"data":[{"Last_Name":"no"}]}');
  await eve.getByRole('button', { name: 'Send', exact: true }).click();
  await eve.getByRole('region', { name: 'Reply', exact: true }).getByText('403', { exact: true }).waitFor();
  await eve.context().close();
});

await test('a session that has ended leads to the sign-in page and back', async () => {
  const dev = await as('dev@example.com');
  await open(dev, `${server.url}/console/keys`, 'Keys');
  await tab.goto(`${server.url}/console/setup/users`);
  await tab.getByRole('button', { name: 'Edit dev@example.com', exact: true }).click();
  const dialog = tab.getByRole('dialog', { name: 'Edit dev@example.com', exact: true });
  await dialog.getByRole('combobox', { name: 'Role', exact: true }).selectOption('viewer');
  await dialog.getByRole('button', { name: 'Save', exact: true }).click();
  await status(tab, 'dev@example.com is changed');
  await dev.getByRole('button', { name: 'Show shop', exact: true }).click();
  await dev.waitForURL('**/console/sign-in**');
  await alert(dev, 'Your session has ended');
  await signIn(dev, 'dev@example.com', PASSWORD);
  await dev.getByRole('heading', { level: 1, name: 'Keys', exact: true }).waitFor();
  assert.equal(await dev.getByRole('button', { name: 'Show shop', exact: true }).count(), 0);
  await dev.goto(`${server.url}/console/sign-in`);
  await dev.waitForURL(`${server.url}/console/`);
  await dev.getByRole('button', { name: 'Sign out', exact: true }).click();
  await status(dev, 'You are signed out');
  for (const to of ['https://evil.example/console/', '//evil.example/console/', '/control/orgs', 'javascript:alert(1)']) {
    await dev.goto(`${server.url}/console/sign-in?ended=1&to=${encodeURIComponent(to)}`);
    await signIn(dev, 'dev@example.com', PASSWORD);
    await dev.waitForURL(`${server.url}/console/`);
    await dev.getByRole('button', { name: 'Sign out', exact: true }).click();
    await status(dev, 'You are signed out');
  }
  await dev.context().close();
});

await test('“Sign out” ends the session on the server too', async () => {
  const ann = await as('ann@example.com');
  const cookies = await ann.context().cookies();
  const session = cookies.find((cookie) => cookie.name === 'sluice_session');
  assert.ok(session.httpOnly && ['Strict', 'Lax'].includes(session.sameSite));
  await ann.getByRole('banner').getByRole('button', { name: 'Sign out', exact: true }).click();
  await status(ann, 'You are signed out');
  const reply = await fetch(`${server.url}/console/api/session`, { headers: { Cookie: `sluice_session=${session.value}` } });
  assert.equal(reply.status, 401);
  await ann.goBack();
  await ann.getByRole('heading', { level: 1, name: 'Sign in', exact: true }).waitFor();
  await ann.context().close();
});

await test('a user’s link signs him in; a deleted user is out', async () => {
  await open(tab, `${server.url}/console/setup/users`, 'Users');
  await tab.getByRole('button', { name: 'Sign-in link of eve@example.com', exact: true }).click();
  const link = await tab.getByRole('dialog').getByRole('textbox', { name: 'Link', exact: true }).inputValue();
  await tab.getByRole('dialog').getByRole('button', { name: 'Copy link', exact: true }).click();
  assert.equal(await tab.evaluate(() => navigator.clipboard.readText()), link);
  await tab.keyboard.press('Escape');
  const eve = await newTab(browser);
  await eve.goto(link);
  await eve.getByRole('banner').getByText('Eve').waitFor();
  await tab.getByRole('button', { name: 'Delete eve@example.com', exact: true }).click();
  await tab.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click();
  await status(tab, 'eve@example.com is deleted');
  await eve.reload();
  await eve.waitForURL('**/console/sign-in');
  await eve.context().close();
});

await test('keys are shown and rotated, with a time of grace', async () => {
  const url = (key) => server.functions.shop__hello.replace(/zapikey=[^&]*/, `zapikey=${key}`);
  await open(tab, `${server.url}/console/keys`, 'Keys');
  const row = tab.getByRole('table', { name: 'Keys', exact: true }).locator('tbody tr').filter({ hasText: 'shop' });
  assert.match(await row.textContent(), /production/);
  await row.getByText('never').waitFor();
  const shown = async () => /1003\.[0-9a-f]{32}\.[0-9a-f]{32}/.exec(await row.textContent())?.[0];
  assert.equal(await shown(), undefined);
  await tab.getByRole('button', { name: 'Show shop', exact: true }).click();
  await row.getByRole('button', { name: 'Copy shop', exact: true }).waitFor();
  const first = await shown();
  assert.ok(server.functions.shop__hello.includes(first));
  assert.equal((await call(url(first))).status, 200);
  await tab.getByRole('button', { name: 'Rotate shop', exact: true }).click();
  await status(tab, 'shop has a new key');
  const second = await shown();
  assert.ok(second && second !== first);
  assert.deepEqual([(await call(url(first))).status, (await call(url(second))).status], [401, 200]);
  await tab.getByRole('combobox', { name: 'On rotation, the key before' }).selectOption({ label: 'works for another hour' });
  await tab.getByRole('button', { name: 'Rotate shop', exact: true }).click();
  await status(tab, 'works for another hour');
  assert.deepEqual([(await call(url(second))).status, (await call(url(await shown()))).status], [200, 200]);
  await row.getByText('The key before works until').waitFor();
  for (let at = 0; at < 20; at++) { // last uses are written down together, some seconds later
    await tab.reload();
    await row.waitFor();
    if ((await row.getByText('never').count()) === 0) {
      break;
    }
    await tab.waitForTimeout(500);
  }
  assert.equal(await row.getByText('never').count(), 0, 'the last use is told');
  assert.equal(await shown(), undefined, 'a page that is loaded anew shows no key');
});

await test('API clients: made, shown once, used, given codes, removed', async () => {
  await open(tab, `${server.url}/console/setup/api-clients`, 'API clients');
  await tab.getByRole('button', { name: 'New API Client', exact: true }).click();
  const dialog = tab.getByRole('dialog');
  await dialog.getByRole('textbox', { name: 'Name', exact: true }).fill('Importer');
  await dialog.getByRole('textbox', { name: 'Scopes', exact: true }).fill('ZohoCRM.nonsense.ALL');
  await dialog.getByRole('button', { name: 'Save', exact: true }).click();
  await dialog.getByRole('alert').filter({ hasText: 'nonsense' }).waitFor();
  await dialog.getByRole('textbox', { name: 'Scopes', exact: true }).fill('ZohoCRM.modules.ALL, ZohoCRM.settings.READ');
  await dialog.getByRole('button', { name: 'Save', exact: true }).click();
  await dialog.getByRole('heading', { name: 'Importer is made' }).waitFor();
  const made = {};
  for (const label of ['Client ID', 'Client Secret', 'Refresh Token', 'Access Token']) {
    made[label] = await dialog.getByRole('textbox', { name: label, exact: true }).inputValue();
  }
  assert.deepEqual(await axeFindings(tab), []);
  await dialog.getByRole('button', { name: 'Copy Client Secret', exact: true }).click();
  assert.equal(await tab.evaluate(() => navigator.clipboard.readText()), made['Client Secret']);
  await dialog.getByRole('button', { name: 'Close', exact: true }).click();
  const ask = (path) => fetch(server.url + path, { headers: { Authorization: `Zoho-oauthtoken ${made['Access Token']}` } }).then((reply) => reply.status);
  assert.deepEqual([await ask('/crm/v8/settings/modules'), await ask('/crm/v8/users')], [200, 401]);
  const exchange = (values) => fetch(`${server.url}/oauth/v2/token`, { method: 'POST', body: new URLSearchParams({ client_id: made['Client ID'], client_secret: made['Client Secret'], ...values }) }).then((reply) => reply.json());
  assert.ok((await exchange({ grant_type: 'refresh_token', refresh_token: made['Refresh Token'] })).access_token);
  assert.doesNotMatch(await tab.locator('main').textContent(), new RegExp(made['Client Secret']));
  await tab.getByRole('button', { name: 'Code of Importer', exact: true }).click();
  await dialog.getByRole('spinbutton', { name: 'Minutes', exact: true }).fill('99');
  await dialog.getByRole('button', { name: 'Generate', exact: true }).click();
  await dialog.getByRole('alert').filter({ hasText: /\S/ }).waitFor();
  await dialog.getByRole('spinbutton', { name: 'Minutes', exact: true }).fill('3');
  await dialog.getByRole('button', { name: 'Generate', exact: true }).click();
  const code = await dialog.getByRole('textbox', { name: 'Code', exact: true }).inputValue();
  assert.ok((await exchange({ grant_type: 'authorization_code', code })).access_token);
  await dialog.getByRole('button', { name: 'Close', exact: true }).click();
  await tab.getByRole('button', { name: 'Delete Importer', exact: true }).click();
  await dialog.getByRole('button', { name: 'Delete', exact: true }).click();
  await status(tab, 'Importer is deleted');
  assert.equal(await ask('/crm/v8/settings/modules'), 401);
});

await test('what a client asks for is approved and denied here', async () => {
  let back = null;
  const site = http.createServer((request, reply) => {
    if (request.url.startsWith('/back?')) {
      back = new URL(request.url, 'http://127.0.0.1');
    }
    reply.end('back');
  });
  await new Promise((done) => site.listen(0, '127.0.0.1', done));
  const home = `http://127.0.0.1:${site.address().port}/back`;
  await open(tab, `${server.url}/console/setup/api-clients`, 'API clients');
  await tab.getByRole('button', { name: 'New API Client', exact: true }).click();
  const dialog = tab.getByRole('dialog');
  await dialog.getByRole('textbox', { name: 'Name', exact: true }).fill('Web shop');
  await dialog.getByRole('textbox', { name: 'Redirect URIs', exact: true }).fill(home);
  await dialog.getByRole('button', { name: 'Save', exact: true }).click();
  const id = await dialog.getByRole('textbox', { name: 'Client ID', exact: true }).inputValue();
  await dialog.getByRole('button', { name: 'Close', exact: true }).click();
  const asked = await newTab(browser);
  const wants = new URLSearchParams({ client_id: id, response_type: 'code', scope: 'ZohoCRM.modules.READ', redirect_uri: home, state: 's1' });
  for (const [button, has, words] of [['Deny Web shop', 'error', 'is refused'], ['Approve Web shop', 'code', 'is let in']]) {
    await asked.goto(`${server.url}/oauth/v2/auth?${wants}`);
    await open(tab, `${server.url}/console/setup/api-clients`, 'API clients');
    await tab.getByRole('table', { name: 'Requests', exact: true }).getByRole('button', { name: button, exact: true }).click();
    await status(tab, words);
    await asked.waitForURL(`${home}**`, { timeout: 15000 });
    assert.ok(back.searchParams.get(has), back.href);
    assert.equal(back.searchParams.get('state'), 's1');
  }
  await asked.context().close();
  site.closeAllConnections();
  site.close();
});

await test('connections are made, tried and removed; their secrets are nowhere', async () => {
  const seen = [];
  const service = http.createServer((request, reply) => {
    seen.push(request.headers['x-api-key']);
    reply.statusCode = request.headers['x-api-key'] === 's3cret-value' ? 200 : 401;
    reply.end('{}');
  });
  await new Promise((done) => service.listen(0, '127.0.0.1', done));
  await open(tab, `${server.url}/console/setup/connections`, 'Connections');
  await tab.getByText('No connections yet').waitFor();
  await tab.getByRole('button', { name: 'New Connection', exact: true }).click();
  const dialog = tab.getByRole('dialog');
  await dialog.getByRole('textbox', { name: 'Name', exact: true }).fill('weather');
  await dialog.getByRole('button', { name: 'Save', exact: true }).click();
  await dialog.getByRole('alert').filter({ hasText: 'needs its value' }).waitFor();
  await dialog.getByRole('textbox', { name: 'Value', exact: true }).fill('s3cret-value');
  await dialog.getByRole('textbox', { name: 'Hosts', exact: true }).fill('https://127.0.0.1/');
  await dialog.getByRole('button', { name: 'Save', exact: true }).click();
  await dialog.getByRole('alert').filter({ hasText: 'a host is a name' }).waitFor();
  await dialog.getByRole('textbox', { name: 'Hosts', exact: true }).fill('127.0.0.1');
  await dialog.getByRole('button', { name: 'Save', exact: true }).click();
  await status(tab, 'Scripts may name the connection weather');
  assert.match(await tab.getByRole('table', { name: 'Connections', exact: true }).locator('tbody').textContent(), /weather.*api-key.*127\.0\.0\.1/s);
  await tab.getByRole('button', { name: 'Test weather', exact: true }).click();
  await dialog.getByRole('textbox', { name: 'URL', exact: true }).fill(`http://127.0.0.1:${service.address().port}/x`);
  await dialog.getByRole('button', { name: 'Send', exact: true }).click();
  await dialog.getByRole('status').getByText('200', { exact: true }).waitFor();
  assert.deepEqual(seen, ['s3cret-value']);
  await tab.keyboard.press('Escape');
  assert.doesNotMatch(await tab.content(), /s3cret/);
  await tab.getByRole('button', { name: 'Delete weather', exact: true }).click();
  await dialog.getByRole('button', { name: 'Delete', exact: true }).click();
  await status(tab, 'weather is deleted');
  service.closeAllConnections();
  service.close();
});

await test('the banner chooses among environments, and pages follow', async () => {
  assert.equal(await tab.getByRole('combobox', { name: 'Environment' }).count(), 0, 'there is nothing to choose yet');
  command('org', 'sandbox', '--data', data);
  await open(tab, `${server.url}/console/records/Leads`, 'Leads');
  const choice = tab.getByRole('banner').getByRole('combobox', { name: 'Environment' });
  await tab.getByRole('button', { name: 'New Lead', exact: true }).click();
  await tab.getByRole('dialog').getByRole('textbox', { name: 'Last Name', exact: true }).fill('Production');
  await tab.getByRole('dialog').getByRole('button', { name: 'Save', exact: true }).click();
  await tab.getByRole('heading', { level: 1, name: 'Production', exact: true }).waitFor();
  await open(tab, `${server.url}/console/records/Leads`, 'Leads');
  await choice.selectOption({ label: 'default · sandbox' });
  await tab.getByText('No Leads yet').waitFor();
  assert.deepEqual(await axeFindings(tab), []);
  await tab.reload();
  await tab.getByText('No Leads yet').waitFor();
  await choice.selectOption({ label: 'default · production' });
  await tab.getByRole('table', { name: 'Leads', exact: true }).getByText('Production').waitFor();
});

await test('signals appear by themselves, as text', async () => {
  await open(tab, `${server.url}/console/signals`, 'Signals');
  await tab.getByText('No signals yet').waitFor();
  const token = JSON.parse(command('oauth', 'new', '--json', '--data', data)).access_token;
  const raise = (subject) => fetch(`${server.url}/crm/v8/signals/notifications`, {
    method: 'POST', headers: { Authorization: `Zoho-oauthtoken ${token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ signals: [{ signal_namespace: 'shop.order', subject, message: '<b>bold</b>', email: 'x@example.com' }] }),
  });
  assert.ok((await raise('First order')).status < 300);
  const table = tab.getByRole('table', { name: 'Signals', exact: true });
  await table.getByText('First order').waitFor();
  await table.getByText('<b>bold</b>').waitFor();
  await raise('Second order');
  await table.getByText('Second order').waitFor();
  assert.match(await table.locator('tbody tr').first().textContent(), /Second order/);
});

await test('API console: paths, bodies, function addresses, and what goes wrong', async () => {
  await open(tab, `${server.url}/console/api`, 'API console');
  const reply = tab.getByRole('region', { name: 'Reply', exact: true });
  const send = async (method, path, body) => {
    await tab.getByRole('combobox', { name: 'Method', exact: true }).selectOption(method);
    await tab.getByRole('textbox', { name: 'Path', exact: true }).fill(path);
    if (body !== undefined) {
      await tab.getByRole('textbox', { name: 'Body', exact: true }).fill(body);
    }
    await tab.getByRole('button', { name: 'Send', exact: true }).click();
  };
  await send('POST', '/crm/v8/Leads', '{"data":[{"Last_Name":"Okafor","Company":"<i>x</i>"}]}');
  await reply.getByText('201', { exact: true }).waitFor();
  await reply.getByText('"record added"').waitFor();
  await reply.getByText('content-type', { exact: true }).waitFor();
  await send('GET', '/crm/v8/Leads?fields=Company,Last_Name');
  await reply.getByText('<i>x</i>').waitFor();
  await send('DELETE', '/crm/v8/Leads/1', '');
  await reply.getByText('400', { exact: true }).waitFor();
  await send('POST', '/crm/v2/functions/shop__hello/actions/execute?auth_type=apikey&zapikey=x', '');
  await reply.getByText('401', { exact: true }).waitFor();
  await open(tab, `${server.url}/console/keys`, 'Keys');
  await tab.getByRole('button', { name: 'Show shop', exact: true }).click();
  const key = await tab.locator('td.mono span').first().textContent();
  await open(tab, `${server.url}/console/api`, 'API console');
  await send('GET', `${server.functions.shop__hello.replace(/zapikey=[^&]*/, `zapikey=${key}`)}&name=Ada`);
  await reply.getByText('Hello Ada').waitFor();
  await send('GET', 'http://example.com/');
  await alert(tab, 'one slash');
  await send('GET', '//example.com/');
  await alert(tab, 'one slash');
  await tab.getByRole('textbox', { name: 'Path', exact: true }).fill('/crm/v8/settings/modules');
  await tab.getByRole('textbox', { name: 'Path', exact: true }).press('Enter');
  await reply.getByText('"modules"').first().waitFor();
});

await browser.close();
await server.close();
await finish();
