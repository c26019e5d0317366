// SPDX-License-Identifier: Apache-2.0
//
// The script editor in a real browser: what is typed, what the program says to it, executing, by keyboard alone. usage: node
// test/console/editor.mjs PATH/TO/sluice
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { axeFindings, controls, finish, focusOn, open, openBrowser, serve, temporary, test } from './rig.mjs';

const folder = temporary();
const server = await serve([], join(folder, 'data'));
const browser = await openBrowser();
const tab = await server.signIn(browser);
const { url } = server;
const { alert, box, button, dialog, focused, log, newFunction, openFunction, problems, result, status, type, written } = controls(tab);

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
  await focusOn(tab, 'name');
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

await browser.close();
await server.close();
await finish();
