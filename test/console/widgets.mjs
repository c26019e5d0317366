// SPDX-License-Identifier: Apache-2.0
//
// Widgets in a real browser: node test/console/widgets.mjs PATH/TO/sluice. Prints TAP. A served extension has a page for each version of the SDK;
// the calls are made inside the widget's frame, as its own scripts would make them. With SLUICE_TEST_SDK=FOLDER the SDK of FOLDER/VERSION/ is put
// into the data folder first, so that the same calls are tried with the file that Zoho serves.
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { dirname, join } from 'node:path';
import { extension, finish, openBrowser, serve, temporary, test } from './rig.mjs';

const THEIRS = process.env.SLUICE_TEST_SDK;
const VERSIONS = THEIRS ? readdirSync(THEIRS) : ['1.1', '1.2', '1.4', '1.5'];
const SDK = (version) => `https://live.zwidgets.com/js-sdk/${version}/ZohoEmbededAppSDK.min.js`;

const page = (version) => `<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>w</title>${THEIRS ? '<script src="jquery.js"></script>' : ''}
<script src="${SDK(version)}"></script></head><body><p id="said">nothing yet</p><script>
  window.loads = [];
  ZOHO.embeddedApp.on('PageLoad', function (data) { window.loads.push(data); document.getElementById('said').textContent = 'loaded ' + JSON.stringify(data); });
  ZOHO.embeddedApp.init().then(function () { window.ready = true; });
</script></body></html>`;

const SCRIPTS = {
  echo: 'string ext.echo(string crmAPIRequest)\n{\n\treturn crmAPIRequest.get("params");\n}',
  add: 'string ext.add(int a, int b)\n{\n\treturn a + b;\n}',
  fails: 'x = 1 / 0;\nreturn x;',
  keyonly: 'return "no";',
};

/** A service of the world. */
async function service() {
  const seen = [];
  const server = http.createServer((request, reply) => {
    let body = '';
    request.on('data', (part) => (body += part));
    request.on('end', () => {
      seen.push({ method: request.method, url: request.url, headers: request.headers, body });
      reply.setHeader('Content-Type', 'application/json');
      reply.end(JSON.stringify({ method: request.method, url: request.url, body, type: request.headers['content-type'] ?? null, own: request.headers['x-own'] ?? null }));
    });
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return { url: `http://127.0.0.1:${server.address().port}`, seen, close: () => server.close() };
}

const folder = temporary();
const data = join(folder, 'data');
const ext = extension(join(folder, 'ext'), {
  name: 'Ext', namespace: 'ext', version: '1.0.0', variables: [{ api_name: 'mark', value: 'marked' }],
  functions: [{ api_name: 'keyonly', file: 'functions/keyonly.dg', rest_api: { apikey: true, oauth: false } }],
  widgets: VERSIONS.map((version) => ({ name: `W ${version}`, location: 'webtab', url: `app/${version}.html` })),
}, {
  ...Object.fromEntries(Object.entries(SCRIPTS).map(([name, text]) => [`functions/${name}.dg`, text])),
  ...Object.fromEntries(VERSIONS.map((version) => [`app/${version}.html`, page(version)])),
  'app/bare.html': '<!DOCTYPE html><title>bare</title><p>bare</p>',
  'app/jquery.js': 'window.$ = { extend: Object.assign };',
  'app/second.html': page('1.5').replace('<p id="said">', '<p id="second">').replace("'said'", "'second'"),
  'functions/server.dg': 'return 1;',
});
const other = extension(join(folder, 'two'), { name: 'Two', namespace: 'two', version: '1.0.0' }, { 'functions/secret.dg': 'return "secret of two";' });
for (const version of THEIRS ? VERSIONS : []) {
  const target = join(data, 'js-sdk', version, 'ZohoEmbededAppSDK.min.js');
  mkdirSync(dirname(target), { recursive: true });
  cpSync(join(THEIRS, version, 'ZohoEmbededAppSDK.min.js'), target);
}
const world = await service();
const server = await serve([ext, other], data);
const browser = await openBrowser();
const tab = await server.signIn(browser);
const requests = [];
tab.on('request', (request) => requests.push(request));

/** The widget's frame once its page was told what it shows. */
async function open(version, query = '') {
  await tab.goto(`${server.url}/console/widgets/ext/${encodeURIComponent(`W ${version}`)}${query}`);
  const title = `W ${version}`;
  await tab.getByRole('heading', { level: 1, name: title, exact: true }).waitFor();
  const element = await tab.locator(`iframe[title="${title}"]`).elementHandle();
  const frame = await element.contentFrame();
  await frame.locator('#said', { hasText: 'loaded' }).waitFor();
  await frame.waitForFunction('window.ready');
  return frame;
}

/** Runs an expression inside the widget: {good} or {bad}. */
const run = (frame, text) => frame.evaluate(async (source) => {
  const call = new Function(`return ${source}`); // eslint-disable-line no-new-func -- the test's own words
  const late = new Promise((done) => setTimeout(() => done({ hanging: source }), 15000));
  return Promise.race([late, Promise.resolve().then(call).then((good) => ({ good }), (bad) => ({ bad: bad instanceof Error ? { message: bad.message, ...bad } : bad }))]);
}, text);

async function good(frame, text) {
  const answer = await run(frame, text);
  assert.ok('good' in answer, `${text}: ${JSON.stringify(answer)}`);
  return answer.good;
}

async function bad(frame, text) {
  const answer = await run(frame, text);
  assert.ok('bad' in answer, `${text}: ${JSON.stringify(answer)}`);
  return answer.bad;
}

for (const version of VERSIONS) {
  await test(`${version}: the page is told what it shows`, async () => {
    const frame = await open(version, '?Entity=Leads&EntityId=123');
    assert.deepEqual(await frame.evaluate('window.loads'), [{ Entity: 'Leads', EntityId: '123' }]);
    const list = await open(version, '?Entity=Leads&EntityId=1&EntityId=2&ButtonPosition=ListView');
    assert.deepEqual(await list.evaluate('window.loads'), [{ Entity: 'Leads', EntityId: ['1', '2'], ButtonPosition: 'ListView' }]);
  });
  const frame = await open(version);

  await test(`${version}: functions`, async () => {
    const flat = await good(frame, `ZOHO.CRM.FUNCTIONS.execute('ext__echo', {a: 'b c&d', n: 1, m: {x: [1]}})`);
    assert.equal(flat.code, 'success');
    assert.deepEqual(JSON.parse(flat.details.output), { a: 'b c&d', n: '1', m: '{"x":[1]}' });
    const named = await good(frame, `ZOHO.CRM.FUNCTIONS.execute('add', {arguments: JSON.stringify({a: 2, b: 40})})`);
    assert.equal(named.details.output, '42');
    assert.equal((await good(frame, `ZOHO.CRM.FUNCTIONS.execute('ext__fails', {})`)).code, 'INVALID_DATA');
    assert.equal((await bad(frame, `ZOHO.CRM.FUNCTIONS.execute('two__secret', {})`)).code, 'NO_PERMISSION');
    assert.equal((await bad(frame, `ZOHO.CRM.FUNCTIONS.execute('ext__keyonly', {})`)).code, 'NO_PERMISSION');
    assert.match((await bad(frame, `ZOHO.CRM.FUNCTIONS.execute('none', {})`)).message, /does not exist/);
  });

  await test(`${version}: records`, async () => {
    const name = `Lee ${version} ${Date.now()}`;
    const made = await good(frame, `ZOHO.CRM.API.insertRecord({Entity: 'Leads', APIData: {Last_Name: '${name}', Email: 'w${version}@example.com', Company: 'c'}, Trigger: ['workflow']})`);
    assert.equal(made.data[0].code, 'SUCCESS');
    const { id } = made.data[0].details;
    const got = await good(frame, `ZOHO.CRM.API.getRecord({Entity: 'Leads', RecordID: '${id}'})`);
    assert.equal(got.data[0].Last_Name, name);
    const found = await good(frame, `ZOHO.CRM.API.searchRecord({Entity: 'Leads', Type: 'email', Query: 'w${version}@example.com'})`);
    assert.ok(found.data.some((row) => row.id === id));
    const both = await good(frame, `ZOHO.CRM.API.searchRecord({Entity: 'Leads', Type: 'criteria', Query: '((Last_Name:equals:${name})and(Company:equals:c))'})`);
    assert.deepEqual(both.data.map((row) => row.id), [id]);
    assert.equal((await good(frame, `ZOHO.CRM.API.searchRecord({Entity: 'Leads', Type: 'email', Query: 'nobody@example.com'})`)).status, 204);
    assert.equal((await good(frame, `ZOHO.CRM.API.updateRecord({Entity: 'Leads', APIData: {id: '${id}', City: 'Bonn'}})`)).data[0].code, 'SUCCESS');
    const all = await good(frame, `ZOHO.CRM.API.getAllRecords({Entity: 'Leads', sort_order: 'desc', per_page: 2, page: 1})`);
    assert.ok(all.data.length >= 1 && all.data.length <= 2 && all.info);
    const again = await good(frame, `ZOHO.CRM.API.upsertRecord({Entity: 'Leads', APIData: {Last_Name: '${name}', Email: 'w${version}@example.com', City: 'Ulm'}, duplicate_check_fields: ['Email']})`);
    assert.equal(again.data[0].action, 'update');
    assert.equal((await good(frame, `ZOHO.CRM.API.addNotes({Entity: 'Leads', RecordID: '${id}', Title: 't', Content: 'c'})`)).data[0].code, 'SUCCESS');
    const notes = await good(frame, `ZOHO.CRM.API.getRelatedRecords({Entity: 'Leads', RecordID: '${id}', RelatedList: 'Notes', page: 1, per_page: 200})`);
    assert.equal(notes.data[0].Note_Title, 't');
    const file = await good(frame, `ZOHO.CRM.API.attachFile({Entity: 'Leads', RecordID: '${id}', File: {Name: 'a.txt', Content: new File(['hello'], 'a.txt')}})`);
    assert.equal(file.data[0].code, 'SUCCESS');
    assert.equal((await good(frame, `ZOHO.CRM.API.deleteRecord({Entity: 'Leads', RecordID: '${id}'})`)).data[0].code, 'SUCCESS');
    const wrong = await good(frame, `ZOHO.CRM.API.insertRecord({Entity: 'Leads', APIData: {Company: 'x'}})`);
    assert.equal(wrong.data[0].code, 'MANDATORY_NOT_FOUND');
    assert.equal((await bad(frame, `ZOHO.CRM.API.getAllRecords({Entity: 'None'})`)).code, 'INVALID_MODULE');
    const several = await good(frame, `ZOHO.CRM.API.insertRecord({Entity: 'Leads', APIData: [{Last_Name: 'one'}, {Last_Name: 'two'}]})`);
    assert.equal(several.data.length, 2);
    const ids = JSON.stringify(several.data.map((row) => row.details.id));
    const pair = await good(frame, `ZOHO.CRM.API.getRecord({Entity: 'Leads', RecordID: ${ids}})`);
    assert.deepEqual([pair.data.length, typeof pair.info], [2, 'object']);
    assert.deepEqual((await good(frame, `ZOHO.CRM.API.deleteRecord({Entity: 'Leads', RecordID: ${ids}})`)).data.map((row) => row.code), ['SUCCESS', 'SUCCESS']);
    const spoken = await good(frame, `ZOHO.CRM.API.insertRecord({Entity: 'Leads', APIData: {Last_Name: 'Peterson', Annual_Revenue: 500, Website: 'https://example.com'}})`);
    assert.equal(spoken.data[0].code, 'SUCCESS', JSON.stringify(spoken));
  });

  await test(`${version}: files`, async () => {
    const put = await good(frame, `ZOHO.CRM.API.uploadFile(new File(['h\\u00e4llo'], 'b.txt', {type: 'text/plain'}))`);
    const { id } = put.data[0].details;
    assert.equal(Buffer.from(await good(frame, `ZOHO.CRM.API.getFile({id: '${id}'})`), 'latin1').toString(), 'hällo');
  });

  await test(`${version}: configuration and what describes the CRM`, async () => {
    const me = await good(frame, 'ZOHO.CRM.CONFIG.getCurrentUser()');
    assert.equal(me.users[0].email, 'admin@example.com');
    assert.ok((await good(frame, 'ZOHO.CRM.CONFIG.getOrgInfo()')).org.length === 1);
    assert.ok((await good(frame, 'ZOHO.CRM.CONFIG.GetCurrentEnvironment()')).ZUID);
    assert.ok((await good(frame, 'ZOHO.CRM.META.getModules()')).modules.some((module) => module.api_name === 'Leads'));
    assert.ok((await good(frame, `ZOHO.CRM.META.getFields({Entity: 'Leads'})`)).fields.some((field) => field.api_name === 'Last_Name'));
    assert.ok((await good(frame, `ZOHO.CRM.META.getLayouts({Entity: 'Leads'})`)).layouts.length > 0);
    assert.ok((await good(frame, `ZOHO.CRM.META.getRelatedList({Entity: 'Leads'})`)).related_lists.length > 0);
    assert.ok((await good(frame, `ZOHO.CRM.META.getCustomViews({Entity: 'Leads'})`)).custom_views.length > 0);
    const everybody = await good(frame, `ZOHO.CRM.API.getAllUsers({Type: 'AllUsers'})`);
    assert.deepEqual([everybody.users.length > 0, typeof everybody.info], [true, 'object']);
    const views = await good(frame, `ZOHO.CRM.META.getCustomViews({Entity: 'Leads'})`);
    assert.deepEqual([(await good(frame, `ZOHO.CRM.META.getCustomViews({Entity: 'Leads', Id: '${views.custom_views[0].id}'})`)).custom_views.length, typeof views.info], [1, 'object']);
    assert.ok((await good(frame, `ZOHO.CRM.API.coql({select_query: "select Last_Name from Leads where Last_Name is not null limit 2"})`)).data.length > 0);
    assert.equal((await good(frame, `ZOHO.CRM.API.getUser({ID: '${me.users[0].id}'})`)).users[0].id, me.users[0].id);
    assert.deepEqual(await good(frame, `ZOHO.CRM.API.getOrgVariable('ext__mark')`), { Success: { Content: 'marked' } });
  });

  await test(`${version}: connectors and the world`, async () => {
    const key = JSON.parse(await good(frame, `ZOHO.CRM.CONNECTOR.invokeAPI('crm.zapikey', {nameSpace: 'vendor.ext'})`));
    assert.equal(key.status_code, 200);
    assert.match(key.response, /^1003\.[0-9a-f]{32}\.[0-9a-f]{32}$/);
    await good(frame, `ZOHO.CRM.CONNECTOR.invokeAPI('crm.set', {apiname: 'ext__mark', value: 'set'})`);
    assert.equal((await good(frame, `ZOHO.CRM.API.getOrgVariable('ext__mark')`)).Success.Content, 'set');
    await good(frame, `ZOHO.CRM.CONNECTOR.invokeAPI('crm.set', {apiname: 'ext__mark', value: 'marked'})`);
    const got = JSON.parse(await good(frame, `ZOHO.CRM.HTTP.get({url: '${world.url}/a', params: {q: 'x y'}, headers: {'X-Own': 'own'}})`));
    assert.deepEqual([got.method, got.url, got.own], ['GET', '/a?q=x%20y', 'own']);
    const posted = JSON.parse(await good(frame, `ZOHO.CRM.HTTP.post({url: '${world.url}/b', body: '{"a":1}', CONTENT_TYPE: 'application/json'})`));
    assert.deepEqual([posted.method, posted.body, posted.type], ['POST', '{"a":1}', 'application/json']);
    const form = JSON.parse(await good(frame, `ZOHO.CRM.HTTP.post({url: '${world.url}/c', CONTENT_TYPE: 'multipart', PARTS: [{headers: 'filename', content: 'n'}, {headers: 'content', content: '__FILE__'}],
      FILE: {fileParam: 'content', file: new File(['of the file'], 'f.txt', {type: 'text/plain'})}})`));
    assert.match(form.type, /^multipart\/form-data; boundary=/);
    assert.match(form.body, /name="filename"\r\n\r\nn\r\n.*name="content"; filename="f.txt"\r\nContent-Type: text\/plain\r\n\r\nof the file\r\n--.*--\r\n$/s);
    assert.equal(await good(frame, `ZOHO.CRM.CONNECTOR.isConnectorAuthorized('service')`), false);
    assert.match((await bad(frame, `ZOHO.CRM.CONNECTOR.invokeAPI('none.such', {})`)).message, /none\.such/);
  });

  await test(`${version}: the page around it`, async () => {
    assert.equal(await good(frame, 'ZOHO.CRM.UI.Resize({width: 500, height: 321})'), true);
    const box = await tab.locator('iframe').boundingBox();
    assert.ok(Math.abs(box.height - 321) < 4 && Math.abs(box.width - 500) < 4, JSON.stringify(box));
    assert.equal(await good(frame, `ZOHO.CRM.UI.Popup.showMessage({type: 'success', message: '<b>done</b>'})`), true);
    await tab.getByRole('status').filter({ hasText: '<b>done</b>' }).waitFor();
    await good(frame, `ZOHO.CRM.UI.Popup.showMessage({type: 'error', message: 'went wrong'})`);
    await tab.getByRole('alert').filter({ hasText: 'went wrong' }).waitFor();
    for (const call of ['UI.Popup.close()', 'UI.Popup.closeReload()', `UI.Record.open({Entity: 'Leads', RecordID: '1'})`, 'UI.Record.populate({a: 1})', 'UI.Dialer.notify()', 'UI.Setting.open({})']) {
      assert.equal(await good(frame, `ZOHO.CRM.${call}`), true, call);
    }
  });

  await test(`${version}: what there is not is refused by its name`, async () => {
    for (const [call, name] of [[`API.sendMail({})`, /sendMail/], [`API.getBluePrint({Entity: 'Leads', RecordID: '1'})`, /blueprint/i], [`API.getAllActions({})`, /approvals/],
      [`META.getAssignmentRules({Entity: 'Leads'})`, /ASSIGNMENT_RULES/], [`API.updateVoiceURL({})`, /VOICE_URL/], [`CONNECTOR.authorize('service')`, /authorize/],
      [`ACTION.setConfig({})`, /ACTION/], [`API.searchRecord({Entity: 'Leads', Type: 'x', Query: 'y'})`, /Type/]]) {
      assert.match((await bad(frame, `ZOHO.CRM.${call}`)).message, name, call);
    }
  });
}

if (VERSIONS.includes('1.5')) {
  await test('1.5: zrc', async () => {
    const frame = await open('1.5');
    const got = await good(frame, `zrc.get('/crm/v8/settings/modules')`);
    assert.equal(got.status, 200);
    assert.ok(got.data.modules.length > 0);
    const made = await good(frame, `zrc.post('/crm/v8/Leads', {data: [{Last_Name: 'zrc'}]})`);
    assert.equal(made.status, 201);
    assert.equal((await good(frame, `zrc.get('https://www.zohoapis.com/crm/v8/Leads/' + '${made.data.data[0].details.id}', {params: {fields: 'Last_Name'}})`)).data.data[0].Last_Name, 'zrc');
    assert.equal((await good(frame, `zrc.get('${world.url}/far', {headers: {'X-Own': 'z'}})`)).data.own, 'z');
    const failure = await bad(frame, `zrc.get('/crm/v8/None')`);
    assert.equal(failure.response.status, 400);
    assert.equal((await bad(frame, `zrc.get('/crm/v8/settings/functions')`)).response.status, 401);
  });
  if (!THEIRS) {
    await test('1.5: a page that the widget goes to is told where it is', async () => {
      const frame = await open('1.5', '?Entity=Leads');
      await frame.evaluate(`location.href = 'second.html'`);
      await frame.locator('#second', { hasText: 'loaded {"Entity":"Leads"}' }).waitFor();
      assert.ok((await good(frame, 'ZOHO.CRM.CONFIG.getCurrentUser()')).users.length === 1);
    });
  }
}

await test('a widget reads nothing of the console', async () => {
  const frame = await open(VERSIONS[0]);
  assert.equal(await frame.evaluate('origin'), 'null');
  assert.equal(await frame.evaluate(`(() => { try { return parent.document.title; } catch (e) { return 'refused'; } })()`), 'refused');
  assert.equal(await frame.evaluate(`(() => { try { return document.cookie; } catch (e) { return 'refused'; } })()`), 'refused');
  for (const path of ['/console/api/session', '/control/ext', '/crm/v2/Leads', '/console/']) {
    assert.equal(await frame.evaluate((url) => fetch(url, { credentials: 'include' }).then((reply) => reply.status, () => 'refused'), server.url + path), 'refused', path);
  }
  assert.equal(await frame.evaluate(`(() => { try { top.location = 'about:blank'; return 'went'; } catch (e) { return 'refused'; } })()`), 'refused');
});

await test('its page acts without the session', async () => {
  const calls = requests.filter((request) => request.frame() === tab.mainFrame() && /\/crm\/|widget-call/.test(request.url()));
  assert.ok(calls.length > 20);
  for (const request of calls) {
    const headers = await request.allHeaders();
    assert.equal(headers.cookie, undefined, request.url());
    assert.match(headers.authorization, /^Zoho-oauthtoken widget\./);
  }
});

await test('only the frame itself is answered', async () => {
  const frame = await open(VERSIONS[0]);
  const before = requests.length;
  // A frame inside the widget, and the page itself, say what the widget might say.
  const heard = await frame.evaluate(() => new Promise((done) => {
    const inner = document.createElement('iframe');
    inner.srcdoc = `<script>addEventListener('message', () => parent.postMessage('answered', '*'));
      top.postMessage({type: 'SDK.EVENT', eventName: 'CRM_EVENT', promiseid: 'Promise1', data: {category: 'CONFIG', type: 'ORG'}}, '*');<\/script>`;
    addEventListener('message', (event) => event.data === 'answered' && done('answered'));
    document.body.appendChild(inner);
    setTimeout(() => done('silent'), 1500);
  }));
  assert.equal(heard, 'silent');
  assert.ok(!requests.slice(before).some((request) => /crm\/v8\/org/.test(request.url())));
});

await test('odd messages are refused or ignored', async () => {
  const frame = await open(VERSIONS[0]);
  const answers = await frame.evaluate(() => new Promise((done) => {
    const got = [];
    addEventListener('message', ({ data }) => { got.push([data.promiseid, data.eventName, data.data && data.data.message]); if (got.length === 4) { done(got); } });
    const say = (message) => parent.postMessage(message, '*');
    ['text', null, 5, [], { type: 'x' }, { type: 'SDK.EVENT' }, { type: 'SDK.EVENT', eventName: 'toString' }].forEach(say);
    say({ type: 'SDK.EVENT', eventName: 'CRM_EVENT', promiseid: 'a', data: { category: 'toString' } });
    say({ type: 'SDK.EVENT', eventName: 'CRM_EVENT', promiseid: 'b' });
    say({ type: 'SDK.EVENT', eventName: 'OTHER', promiseid: 'c' });
    say({ type: 'SDK.EVENT', eventName: 'CRM_EVENT', promiseid: 'd', data: { category: 'READ', APIData: { Entity: '../settings/functions' } } });
  }));
  assert.deepEqual(answers.map(([id]) => id).sort(), ['a', 'b', 'c', 'd']);
  assert.ok(answers.every(([, name, message]) => name === 'EVENT_RESPONSE_FAILURE' && message), JSON.stringify(answers));
});

await test('a widget without an SDK is shown, one that there is not is told', async () => {
  await tab.goto(`${server.url}/console/widgets/ext/bare`);
  const frame = await (await tab.locator('iframe[title="bare"]').elementHandle()).contentFrame();
  await frame.getByText('bare').waitFor();
  await tab.goto(`${server.url}/console/widgets/ext/none`);
  await tab.getByRole('alert').filter({ hasText: 'has no widget "none"' }).waitFor();
  await tab.goto(`${server.url}/console/widgets/none/none`);
  await tab.getByRole('alert').filter({ hasText: 'not installed' }).waitFor();
});

await test('a saved file is shown at once, and goes on being answered', async () => {
  await open(VERSIONS[0], '?Entity=Leads');
  await tab.waitForResponse((response) => /widget-call/.test(response.url()), { timeout: 30000 }); // what it waits from is known
  writeFileSync(join(ext, `app/${VERSIONS[0]}.html`), page(VERSIONS[0]).replace('loaded ', 'changed '));
  const frame = await (await tab.locator('iframe').elementHandle()).contentFrame();
  await frame.locator('#said', { hasText: 'changed {"Entity":"Leads"}' }).waitFor();
  await frame.waitForFunction('window.ready');
  assert.ok((await good(frame, 'ZOHO.CRM.CONFIG.getCurrentUser()')).users.length === 1);
});

world.close();
await browser.close();
await server.close();
finish();
