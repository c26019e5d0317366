// SPDX-License-Identifier: Apache-2.0
//
// The script editor in a real browser, by the org's own functions: typing and what the program says to it, saving, executing, calling from
// outside, saved versions. usage: node test/console/editor.mjs PATH/TO/sluice
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { axeFindings, command, extension, finish, open, openBrowser, phoneOverflow, serve, temporary, test, testPages } from './rig.mjs';

const folder = temporary();
const ext = extension(join(folder, 'shop'), { name: 'Shop', namespace: 'shop', version: '1.0.0' }, { 'functions/order.dg': 'return "order";' });
const server = await serve([ext], join(folder, 'data'));
const browser = await openBrowser();
const tab = await server.signIn(browser);
const { url } = server;

const box = tab.getByRole('textbox', { name: 'Deluge Script Editor', exact: true });
const button = (name) => tab.getByRole('button', { name, exact: true });
const problems = tab.getByRole('region', { name: 'Problems', exact: true });
const result = tab.getByRole('region', { name: 'Result', exact: true });
const log = tab.getByRole('log', { name: 'Log messages', exact: true }).getByRole('listitem');
const status = (text) => tab.getByRole('status').filter({ hasText: text }).waitFor();
const alert = (text) => tab.getByRole('alert').filter({ hasText: text }).waitFor();
const dialog = (name) => tab.getByRole('dialog', { name, exact: true });
const focused = () => tab.evaluate(() => document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent);

/** The editor's whole text, also the lines that are not on the screen: what the clipboard gets of it. */
async function written() {
  await box.focus();
  await tab.keyboard.press('Control+a');
  await tab.keyboard.press('Control+c');
  return tab.evaluate(() => navigator.clipboard.readText());
}

async function type(text) {
  await box.focus();
  await tab.keyboard.press('Control+a');
  await tab.keyboard.press('Delete');
  await tab.keyboard.type(text);
}

async function newFunction(name) {
  await open(tab, `${url}/console/setup/functions/new`, 'Configure Function');
  await tab.getByRole('link', { name: 'Write your own', exact: true }).click();
  await tab.getByRole('heading', { level: 1, name: 'Write your own', exact: true }).waitFor();
  if (name) {
    await tab.getByRole('textbox', { name: 'Function Name', exact: true }).fill(name);
  }
  await box.waitFor();
}

async function openFunction(name) {
  await open(tab, `${url}/console/setup/functions/${name}`, name);
  await box.waitFor();
}

const production = async () => {
  await button('Invoke as REST API').click();
  const value = await dialog('Invoke as REST API').getByRole('textbox', { name: 'Production URL', exact: true }).inputValue();
  await button('Close').click();
  return value;
};
const answer = async (address, init) => {
  const reply = await fetch(address, init);
  const text = await reply.text();
  return { status: reply.status, json: text.startsWith('{') ? JSON.parse(text) : text };
};

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

const LONG = Array.from({ length: 900 }, (_, n) => `line_${n} = ${n};`).join('\n');

await test('fill replaces all of a long script', async () => {
  await newFunction('long_one');
  await box.fill(`${LONG}\nreturn line_899;`);
  await button('Save & Execute Script').click();
  await result.filter({ hasText: '899' }).waitFor();
  await tab.reload();
  assert.equal(await written(), `${LONG}\nreturn line_899;`);
  await box.fill('return "short";');
  assert.equal(await written(), 'return "short";');
  await button('Save & Execute Script').click();
  await result.filter({ hasText: 'short' }).waitFor();
});

await test('what is typed stands there as typed', async () => {
  const text = 'a = {"x": [1, 2]};\nif (a != null) { info "it\'s (so)"; }\nreturn a.get("x");';
  await newFunction('typed');
  await type(text);
  assert.equal(await written(), text);
  await button('Save & Execute Script').click();
  await result.filter({ hasText: '1' }).waitFor();
  assert.deepEqual(await log.allTextContents(), ['2 it\'s (so)']);
});

await test('paste, undo', async () => {
  await newFunction('pasted');
  await tab.evaluate(() => navigator.clipboard.writeText('info "pasted";\nreturn "<b>bold</b>";'));
  await box.focus();
  await tab.keyboard.press('Control+a');
  await tab.keyboard.press('Control+v');
  await button('Save & Execute Script').click();
  await result.filter({ hasText: '<b>bold</b>' }).waitFor();
  assert.equal(await tab.locator('b').count(), 0, 'text is text');
  await box.focus();
  await tab.keyboard.press('Control+z');
  assert.match(await written(), /standalone\.pasted/);
});

await test('words have colours, and the tables of the program help', async () => {
  await newFunction('helped');
  await type('info "a".sub');
  const option = tab.getByRole('option', { name: /subString/ });
  await option.first().waitFor();
  assert.ok(await tab.locator('.tok-keyword', { hasText: 'info' }).count());
  assert.ok(await tab.locator('.tok-text', { hasText: '"a"' }).count());
  await tab.keyboard.press('Tab');
  assert.match(await written(), /^info "a"\.\w*sub\w*$/i);
  await type('x = zoho.crm.getRec');
  await tab.getByRole('option', { name: /zoho\.crm\.getRecordById/ }).first().waitFor();
  assert.deepEqual(await axeFindings(tab), [], 'with its completions');
  await tab.keyboard.press('Escape');
  await type('y = zoho.crm.getRecordById("Leads", 1);');
  await tab.locator('.cm-line', { hasText: 'getRecordById' }).hover({ position: { x: 120, y: 8 } });
  await tab.locator('.cm-tooltip-hover', { hasText: 'getRecordById' }).waitFor();
});

await test('errors are marked while one types, and lead to their line', async () => {
  await newFunction('marked');
  await box.fill('a = 1;\nb = ;\nc = 3;\nreturn nothing_of_the_kind(;');
  await problems.getByRole('listitem').nth(1).waitFor();
  const names = await problems.getByRole('button').allTextContents();
  assert.equal(names.length, 2, String(names));
  assert.match(names[0], /^Line 2: ./);
  assert.match(names[1], /^Line 4: ./);
  await tab.locator('.cm-lint-marker-error').nth(1).waitFor();
  await tab.locator('.cm-lintRange-error').first().waitFor();
  assert.deepEqual(await axeFindings(tab), [], 'with its problems');
  await problems.getByRole('button', { name: /^Line 4:/ }).click();
  assert.equal(await focused(), 'Deluge Script Editor');
  await tab.keyboard.press('Home');
  await tab.keyboard.type('// ');
  await problems.getByRole('button', { name: /^Line 2:/ }).click();
  await tab.keyboard.press('End');
  await tab.keyboard.press('Home');
  await tab.keyboard.press('Shift+End');
  await tab.keyboard.type('b = 2;');
  await problems.getByRole('listitem').first().waitFor({ state: 'detached' });
  assert.equal(await written(), 'a = 1;\nb = 2;\nc = 3;\n// return nothing_of_the_kind(;');
  await tab.locator('.cm-lint-marker-error').first().waitFor({ state: 'detached' });
});

await test('a script with errors is kept, the last good version goes on serving', async () => {
  await newFunction('broken');
  await box.fill('return "good";');
  await button('Save').click();
  await status('Saved');
  const address = await production();
  assert.deepEqual((await answer(address)).json.details.output, 'good');
  await box.fill('return "bad" +;');
  await button('Save').click();
  await status('last good version');
  await problems.getByRole('button', { name: /^Line 1:/ }).waitFor();
  assert.deepEqual((await answer(address)).json.details.output, 'good');
  await tab.reload();
  await problems.getByRole('button', { name: /^Line 1:/ }).waitFor();
  assert.equal(await written(), 'return "bad" +;');
  await button('Save & Execute Script').click();
  await status('last good version');
  assert.equal(await dialog('Arguments').count(), 0);
  await box.fill('return "better";');
  await button('Save').click();
  await status('Saved');
  assert.deepEqual((await answer(address)).json.details.output, 'better');
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
  assert.equal((await answer(await production())).json.details.output, 'born');
});

await test('the arguments are asked for', async () => {
  await newFunction('sum');
  await box.fill('string standalone.sum(int a, string name, map more)\n{\n\tinfo name;\n\tinfo more.get("k");\n\treturn a + 1;\n}');
  await button('Save & Execute Script').click();
  const asked = dialog('Arguments');
  await asked.waitFor();
  assert.deepEqual(await axeFindings(tab), [], 'with its arguments');
  await asked.getByRole('textbox', { name: 'a', exact: true }).fill('41');
  await asked.getByRole('textbox', { name: 'name', exact: true }).fill('Ada <i>');
  await asked.getByRole('textbox', { name: 'more', exact: true }).fill('{"k": "v"}');
  await asked.getByRole('button', { name: 'Execute', exact: true }).click();
  await result.filter({ hasText: '42' }).waitFor();
  assert.deepEqual(await log.allTextContents(), ['3 Ada <i>', '4 v']);
  assert.equal(await asked.count(), 0);
  await button('Save & Execute Script').click();
  await asked.waitFor();
  await asked.getByRole('textbox', { name: 'a', exact: true }).fill('many');
  await tab.keyboard.press('Enter');
  await result.getByRole('alert').filter({ hasText: 'a' }).waitFor();
  await button('Save & Execute Script').focus();
  await tab.keyboard.press('Enter');
  await asked.waitFor();
  await tab.keyboard.press('Escape');
  await asked.waitFor({ state: 'detached' });
  assert.equal(await focused(), 'Save & Execute Script');
});

await test('what a script fails with is told with its line', async () => {
  await newFunction('failing');
  await box.fill('info "before";\nx = 1 / 0;\ninfo "after";');
  await button('Save & Execute Script').click();
  await result.getByRole('alert').filter({ hasText: 'Line 2' }).waitFor();
  assert.deepEqual(await log.allTextContents(), ['1 before']);
});

await test('format, Tab, Escape', async () => {
  await newFunction('laid_out');
  await box.fill('if(true){return   1;}');
  await button('Format').click();
  await status('Formatted');
  assert.match(await written(), /^if\s?\(true\)\n\{\n\treturn 1;\n\}\n?$/);
  await box.fill('return (;');
  await button('Format').click();
  await alert('cannot be formatted');
  await box.fill('return 1;');
  await tab.keyboard.press('Home');
  await tab.keyboard.press('Tab');
  assert.equal(await written(), '\treturn 1;');
  await tab.keyboard.press('Escape');
  await tab.keyboard.press('Tab');
  assert.notEqual(await focused(), 'Deluge Script Editor');
  await box.focus();
  await tab.keyboard.press('Escape');
  await tab.keyboard.press('Shift+Tab');
  assert.notEqual(await focused(), 'Deluge Script Editor');
});

await test('unsaved work is in nobody\'s way, and comes back', async () => {
  const main = (name) => tab.getByRole('navigation', { name: 'Main', exact: true }).getByRole('link', { name, exact: true }).click();
  await openFunction('typed');
  const saved = await written();
  await box.fill('return "other";');
  await main('Records');
  await tab.getByRole('heading', { level: 1, name: 'Records', exact: true }).waitFor();
  await tab.goBack();
  await tab.getByRole('heading', { level: 1, name: 'typed', exact: true }).waitFor();
  assert.equal(await written(), saved, 'what is saved is shown');
  assert.deepEqual(await axeFindings(tab), []);
  await button('Bring them back').click();
  assert.equal(await written(), 'return "other";');
  await tab.getByText('Not saved yet', { exact: true }).waitFor();
  await tab.keyboard.press('Control+s');
  await status('Saved');
  await main('Records');
  await tab.goBack();
  await box.waitFor();
  assert.equal(await written(), 'return "other";');
  assert.equal(await button('Bring them back').count(), 0);
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
  await tab.waitForFunction((text) => navigator.clipboard.readText().then((have) => have === text), address);
  assert.ok(await shown.getByText(`curl '${address}'`).count());
  assert.equal((await answer(address)).json.details.output, 'called');
  await shown.getByRole('checkbox', { name: 'API Key', exact: true }).uncheck();
  await status('an OAuth token now');
  assert.equal((await answer(address)).status, 403);
  await shown.getByRole('checkbox', { name: 'OAuth2', exact: true }).uncheck();
  await status('Nobody can call');
  await shown.getByRole('checkbox', { name: 'API Key', exact: true }).check();
  await status('its API key now');
  assert.equal((await answer(address)).json.details.output, 'called');
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
  assert.equal((await answer(await production())).json.details.output, 'first');
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

await test('all of it by keyboard alone', async () => {
  const tabTo = async (name, key = 'Tab') => {
    for (let presses = 0; presses < 80; presses++) {
      const on = await tab.evaluate(() => [document.activeElement.getAttribute('aria-label'), document.activeElement.labels?.[0]?.textContent, document.activeElement.textContent]);
      if (on.includes(name)) {
        await tab.waitForFunction(() => [document.activeElement, document.activeElement.closest('.editor')].filter(Boolean).some((one) => getComputedStyle(one).outlineStyle !== 'none'));
        return;
      }
      await tab.keyboard.press(key);
    }
    assert.fail(`${name} cannot be reached; the focus is on ${await focused()}`);
  };
  await open(tab, `${url}/console/`, 'Extensions');
  await tabTo('Setup');
  await tab.keyboard.press('Enter');
  await tabTo('Actions');
  await tab.keyboard.press('Enter');
  await tab.getByRole('heading', { level: 1, name: 'Actions', exact: true }).waitFor();
  await tabTo('Configure Function');
  await tab.keyboard.press('Space');
  await tab.getByRole('heading', { level: 1, name: 'Configure Function', exact: true }).waitFor();
  await tabTo('Write your own');
  await tab.keyboard.press('Enter');
  await box.waitFor();
  await tabTo('Function Name');
  await tab.keyboard.press('Control+a');
  await tab.keyboard.type('by_hand');
  await tabTo('Deluge Script Editor');
  await tab.keyboard.press('Control+a');
  await tab.keyboard.type('string standalone.by_hand(string name) { info "hi " + name; return nme; }');
  await problems.getByRole('listitem').first().waitFor();
  await tab.keyboard.press('Escape');
  await tabTo('Line 1: Variable \'nme\' is not defined');
  await tab.keyboard.press('Enter');
  assert.equal(await focused(), 'Deluge Script Editor');
  await tab.keyboard.press('ArrowRight');
  await tab.keyboard.type('a');
  await problems.getByRole('listitem').first().waitFor({ state: 'detached' });
  await tab.keyboard.press('Escape');
  await tabTo('Save & Execute Script', 'Shift+Tab');
  await tab.keyboard.press('Enter');
  await dialog('Arguments').waitFor();
  assert.equal(await tab.evaluate(() => document.activeElement.labels[0].textContent), 'name');
  await tab.keyboard.type('Ada');
  await tab.keyboard.press('Enter');
  await result.filter({ hasText: 'Ada' }).waitFor();
  await tabTo('Invoke as REST API');
  await tab.keyboard.press('Enter');
  await dialog('Invoke as REST API').waitFor();
  await tabTo('Close');
  await tab.keyboard.press('Enter');
  assert.equal(await focused(), 'Invoke as REST API');
});

await test('the sandbox has its own URL', async () => {
  await openFunction('typed');
  await button('Invoke as REST API').click();
  assert.equal(await dialog('Invoke as REST API').getByRole('button', { name: 'Copy Sandbox URL', exact: true }).isDisabled(), true);
  await button('Close').click();
  command('org', 'sandbox', 'default', '--data', join(folder, 'data'));
  await tab.reload();
  const environment = (name) => Promise.all([tab.waitForEvent('load'), tab.getByRole('combobox', { name: 'Environment', exact: true }).selectOption(`default/${name}`)]);
  await environment('sandbox');
  await newFunction('typed');
  await box.fill('return "in the sandbox";');
  await button('Save').click();
  await status('Saved');
  await button('Invoke as REST API').click();
  const shown = dialog('Invoke as REST API');
  const sandbox = await shown.getByRole('textbox', { name: 'Sandbox URL', exact: true }).inputValue();
  const address = await shown.getByRole('textbox', { name: 'Production URL', exact: true }).inputValue();
  assert.match(sandbox, /\/sandbox\/crm\/v2\/functions\/typed\//);
  await shown.getByRole('button', { name: 'Copy Sandbox URL', exact: true }).click();
  await tab.waitForFunction((text) => navigator.clipboard.readText().then((have) => have === text), sandbox);
  assert.equal((await answer(sandbox)).json.details.output, 'in the sandbox');
  assert.equal((await answer(address)).json.details.output, 'other');
  await button('Close').click();
  await environment('production');
});

await testPages(tab, url, [
  ['/console/setup', 'Setup'],
  ['/console/setup/actions', 'Actions'],
  ['/console/setup/functions/new', 'Configure Function'],
  ['/console/setup/functions/typed', 'typed'],
  ['/console/setup/functions/some_other', 'Write your own'],
]);

await browser.close();
await server.close();
await finish();
