// SPDX-License-Identifier: Apache-2.0
//
// What scripts and widgets of others may do in a browser that is signed in, tried from inside: node test/console/safety.mjs PATH/TO/sluice.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { extension, finish, open, openBrowser, serve, temporary, test } from './rig.mjs';

// Tells what it can reach of the console by the page's own text: no test code runs inside.
const attack = `document.documentElement.dataset.ran = '1';
  var told = { origin: self.origin, cookie: null, session: null, write: null, storage: null };
  try { told.cookie = document.cookie; } catch (e) { told.cookie = 'refused'; }
  try { told.storage = String(sessionStorage.length); } catch (e) { told.storage = 'refused'; }
  fetch('/console/api/session', { credentials: 'include' }).then(function (r) { return r.text(); }).catch(function () { return 'refused'; }).then(function (text) {
    told.session = text;
    return fetch('/crm/v8/Leads', { method: 'POST', credentials: 'include', mode: 'no-cors', body: '{"data":[{"Last_Name":"stolen"}]}' }).then(function () { return 'sent'; }, function () { return 'refused'; });
  }).then(function (write) {
    told.write = write;
    var out = document.createElementNS('http://www.w3.org/1999/xhtml', 'pre');
    out.id = 'told';
    out.textContent = JSON.stringify(told);
    document.documentElement.appendChild(out);
  });`;
const bodies = {
  'text/html': `<!doctype html><title>x</title><body><script>${attack}</script>`,
  'application/json, text/html': `<!doctype html><title>x</title><body><script>${attack}</script>`,
  'text/html; charset=utf-8': `<!doctype html><title>x</title><body><script>${attack}</script>`,
  'image/svg+xml': `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><script><![CDATA[${attack}]]></script></svg>`,
  'application/xhtml+xml': `<html xmlns="http://www.w3.org/1999/xhtml"><head><title>x</title></head><body><script><![CDATA[${attack}]]></script></body></html>`,
};
const folder = temporary();
const data = join(folder, 'data');
const evil = extension(join(folder, 'evil'), { name: '<b>Evil</b>', namespace: 'evil', version: '1.0.0', widgets: [{ name: 'W', location: 'webtab', url: 'app/w.html' }] }, {
  'functions/page.dg': 'map evil.page(string crmAPIRequest)\n{\n\treturn {"crmAPIResponse":{"Content-Type":crmAPIRequest.get("params").get("type"),"headers":{"Content-Disposition":"inline"},"body":crmAPIRequest.get("body")}};\n}\n',
  'functions/logs.dg': 'string evil.logs(string crmAPIRequest)\n{\n\tinfo "<img src=x onerror=\\"document.title=1\\">";\n\tinfo crmAPIRequest.get("headers").toString();\n\treturn "<script>document.title=2</script>";\n}\n',
  'app/w.html': bodies['text/html'],
  'app/w.svg': bodies['image/svg+xml'],
});
const server = await serve([evil], data);
const browser = await openBrowser();
const tab = await server.signIn(browser);
const session = (await tab.context().cookies()).find((cookie) => cookie.name === 'sluice_session').value;

/** What the page could reach; null when its script did not run. */
async function toldBy(page) {
  const told = page.locator('#told');
  await told.waitFor({ timeout: 4000 }).catch(() => {});
  return (await told.count()) ? JSON.parse(await told.textContent()) : null;
}

function assertNothing(told, where) {
  assert.ok(told, `${where}: the attack did not run; the test would prove nothing`);
  assert.deepEqual([told.origin, told.cookie, told.storage, told.session], ['null', 'refused', 'refused', 'refused'], where);
}

for (const [type, body] of Object.entries(bodies)) {
  await test(`a function’s reply of type ${type} reaches nothing of the console`, async () => {
    const page = await tab.context().newPage();
    const url = `${server.functions.evil__page}&type=${encodeURIComponent(type)}`;
    // The browser itself sends the form, as a link to the function on any page would.
    await page.route('**/evil__page/**', (route) => route.continue({ method: 'POST', postData: body }));
    await page.goto(url);
    assertNothing(await toldBy(page), type);
    await page.close();
  });
}

await test('a widget’s files, opened by themselves, reach nothing of the console', async () => {
  for (const name of ['w.html', 'w.svg']) {
    const page = await tab.context().newPage();
    await page.goto(`${server.url}/widgets/evil/app/${name}`);
    assertNothing(await toldBy(page), name);
    await page.close();
  }
});

await test('nothing was written on the way', async () => {
  await open(tab, `${server.url}/console/records/Leads`, 'Leads');
  await tab.getByText('No Leads yet').waitFor();
});

await test('what scripts log and answer is text on every page, and holds no session', async () => {
  const reply = await tab.evaluate(async (url) => {
    const answer = await fetch(url, { credentials: 'include' });
    return { id: answer.headers.get('x-request-id'), text: await answer.text() };
  }, server.functions.evil__logs);
  assert.match(reply.text, /<script>/);
  await open(tab, `${server.url}/console/runs/${reply.id}`, `Run ${reply.id}`);
  await tab.getByRole('log', { name: 'Log messages', exact: true }).getByText('<img src=x').waitFor();
  const text = await tab.locator('main').textContent();
  assert.ok(!text.includes(session), 'the session is not in the log');
  assert.equal(await tab.locator('main img, main script').count(), 0);
  await open(tab, `${server.url}/console/extensions`, 'Extensions');
  await tab.getByRole('table', { name: 'Extensions', exact: true }).getByText('<b>Evil</b>', { exact: true }).waitFor();
  for (const path of ['/console/setup/marketplace', '/console/extensions/evil', '/console/setup/marketplace/evil']) {
    await tab.goto(server.url + path);
    await tab.getByText('<b>Evil</b>').first().waitFor();
    assert.equal(await tab.locator('main b').count(), 0, path);
  }
});

await test('no page of another site acts with the session', async () => {
  const page = await tab.context().newPage();
  await page.goto('about:blank');
  // The same host by another name is another site: its forms and frames carry no session, and the console is in no foreign frame.
  const other = server.url.replace('127.0.0.1', 'localhost');
  await page.route('http://foreign.example/', (route) => route.fulfill({ contentType: 'text/html', body: `<iframe src="${server.url}/console/"></iframe>` }));
  await page.goto('http://foreign.example/');
  const frame = await (await page.locator('iframe').elementHandle()).contentFrame();
  await page.waitForTimeout(500);
  assert.notEqual(await frame.evaluate('document.querySelector("h1")?.textContent ?? ""'), 'Extensions');
  for (const url of [server.url, other]) {
    const status = await page.evaluate(async (target) => fetch(`${target}/crm/v8/Leads`, { method: 'POST', credentials: 'include', mode: 'no-cors', body: '{"data":[{"Last_Name":"x"}]}' }).then((answer) => answer.type, () => 'refused'), url);
    assert.ok(['opaque', 'refused'].includes(status));
  }
  await page.close();
  await tab.goto(`${server.url}/console/records/Leads`);
  await tab.getByText('No Leads yet').waitFor();
});

await browser.close();
await server.close();
await finish();
