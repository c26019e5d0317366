// SPDX-License-Identifier: Apache-2.0
//
// What a shop that uses Sluice might have, made through the real API: records of several modules with notes, two extensions, functions of the org,
// runs that went well and badly, signals, accounts. For screenshots, and for tests that look at every page.
import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { command } from './rig.mjs';

export const PASSWORD = 'a long enough password';

const leads = [
  ['Grace', 'Okafor', 'Northwind Traders', 'grace.okafor@northwind.example', '+44 20 7946 0110', 'Contacted', 'Web Download'],
  ['Mateo', 'Lindqvist', 'Harbour & Finch', 'mateo@harbourfinch.example', '+46 8 5250 0140', 'Attempted to Contact', 'Trade Show'],
  ['Priya', 'Raman', 'Copperleaf Foods', 'priya.raman@copperleaf.example', '+91 44 5550 0187', 'Pre-Qualified', 'Employee Referral'],
  ['Jonas', 'Weber', 'Weber Elektrotechnik GmbH', 'j.weber@weber-elektro.example', '+49 30 5550 0122', 'Not Contacted', 'Cold Call'],
  ['Amélie', 'Durand', 'Atelier Durand', 'amelie@atelierdurand.example', '+33 1 5550 0199', 'Contact in Future', 'Online Store'],
  ['Kofi', 'Mensah', 'Volta Solar', 'kofi.mensah@voltasolar.example', '+233 30 555 0161', 'Contacted', 'External Referral'],
  ['Sara', 'Haddad', 'Cedar Logistics', 'sara.haddad@cedarlogistics.example', '+961 1 555 013', 'Lost Lead', 'Advertisement'],
  ['Yuki', 'Tanaka', 'Tanaka Precision', 'yuki@tanaka-precision.example', '+81 3 5550 0175', 'Junk Lead', 'Web Research'],
];

const functions = {
  nightly_follow_up: `// Leads that nobody has called for a week get a note.
stale = zoho.crm.searchRecords("Leads","(Lead_Status:equals:Attempted to Contact)");
for each lead in stale
{
	info "follow up " + lead.get("Full_Name");
}
return stale.size() + " leads to follow up";
`,
  quote_total: `// The total of a quote with its tax, rounded to cents.
net = ifnull(crmAPIRequest.get("params").get("net"),"0").toDecimal();
info "net " + net;
return (net * 1.19).round(2);
`,
  sync_stock: `// The stock of a product by its code; the shop sends it after each sale.
product = zoho.crm.searchRecords("Products","(Product_Code:equals:" + crmAPIRequest.get("params").get("code") + ")").get(0);
info "in stock " + product.get("Qty_in_Stock");
return product.get("Qty_in_Stock").toLong() - 1;
`,
};

/** The extensions' folders, as copies that may be written to. */
export function sampleExtensions(folder) {
  const examples = resolve(dirname(fileURLToPath(import.meta.url)), '../../examples');
  return ['leads', 'twilio-sms'].map((name) => {
    cpSync(join(examples, name), join(folder, name), { recursive: true });
    return join(folder, name);
  });
}

/** Fills a server; answers what the pages' addresses need: {lead, run, token, ask(method, path, body)}. */
export async function fill(url, data) {
  const { access_token: token } = JSON.parse(command('oauth', 'new', '--json', '--data', data));
  const ask = async (method, path, body) => {
    const reply = await fetch(url + path, { method, headers: { Authorization: `Zoho-oauthtoken ${token}`, 'Content-Type': 'application/json' }, body: body && JSON.stringify(body) });
    const text = await reply.text();
    assert.ok(reply.status < 400, `${method} ${path}: ${reply.status} ${text}`);
    return text && JSON.parse(text);
  };
  const records = async (module, list) => (await ask('POST', `/crm/v8/${module}`, { data: list })).data.map((row) => (assert.equal(row.status, 'success', JSON.stringify(row)), row.details.id));
  const accounts = await records('Accounts', ['Northwind Traders', 'Volta Solar', 'Cedar Logistics'].map((Account_Name) => ({ Account_Name, Industry: 'Small/Medium Enterprise', Website: 'https://example.com' })));
  await records('Contacts', [['Tom', 'Baker'], ['Nadia', 'Petrova'], ['Luis', 'Ferreira']].map(([First_Name, Last_Name], at) => ({ First_Name, Last_Name, Email: `${First_Name.toLowerCase()}@example.com`, Account_Name: { id: accounts[at] } })));
  await records('Deals', [['Panels for twelve roofs', 84200, 'Negotiation/Review'], ['Cold chain, second depot', 31950.5, 'Qualification'], ['Annual support', 6400, 'Closed Won']]
    .map(([Deal_Name, Amount, Stage], at) => ({ Deal_Name, Amount, Stage, Closing_Date: `2026-12-${10 + at}`, Account_Name: { id: accounts[at] } })));
  const ids = await records('Leads', leads.map(([First_Name, Last_Name, Company, Email, Phone, Lead_Status, Lead_Source]) => ({ First_Name, Last_Name, Company, Email, Phone, Lead_Status, Lead_Source })).reverse());
  const lead = ids.at(-1);
  await ask('POST', `/crm/v8/Leads/${lead}/Notes`, { data: [{ Note_Title: 'First call', Note_Content: 'Wants a quote for two depots before the end of the month.\nSpeak to her assistant about the visit.' }] });
  await records('Tasks', [{ Subject: 'Send the quote', Due_Date: '2026-12-01', What_Id: { id: lead }, $se_module: 'Leads', Status: 'In Progress', Priority: 'High' }]);
  const put = Object.entries(functions).map(([name, source]) => ask('POST', '/control/fn', { name, functions: [{ file: `${name}.dg`, source }] }));
  await Promise.all(put);
  const run = await runs(ask, url);
  for (const [subject, email] of [['Grace Okafor opened the quote', leads[0][3]], ['Payment of 6,400.00 received', leads[5][3]], ['Reply to “Your visit”', leads[2][3]]]) {
    await ask('POST', '/crm/v8/signals/notifications', { signals: [{ signal_namespace: 'twilioext.incomingsmssignal', subject, message: `${subject}. The details are on the record.`, email }] });
  }
  for (const [email, name, role] of [['ann@shop.example', 'Ann Ibsen', 'admin'], ['dev@shop.example', 'Ravi Dev', 'developer'], ['eve@shop.example', 'Eve Lund', 'viewer']]) {
    await ask('POST', '/control/users', { email, name, role, password: PASSWORD });
  }
  return { lead, run, token, ask };
}

/** Calls functions; answers the id of the first run. */
async function runs(ask, url) {
  const urls = Object.fromEntries((await ask('GET', '/control/functions?keys=true')).map((one) => [one.name ?? one.api_name, one.url]));
  const call = async (name, query, body) => {
    urls[name] ??= (await ask('GET', `/control/fn/${name}`)).url;
    const { pathname, search } = new URL(urls[name]);
    const reply = await fetch(url + pathname + search + query, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: body && JSON.stringify(body) });
    return reply.headers.get('x-request-id');
  };
  const first = await call('leads__create_lead', '', { last_name: leads[0][1], Company: leads[0][2] });
  for (const [, last_name, Company] of leads.slice(1, 3)) {
    await call('leads__hello', `&name=${last_name}`);
    await call('leads__create_lead', '', { last_name, Company });
  }
  await call('leads__find_lead', '&last_name=Turing');
  await call('sync_stock', '&code=P-1041');
  await call('leads__create_lead', '', { Company: 'No name given' });
  await call('quote_total', '&net=1200');
  await call('nightly_follow_up', '');
  return first;
}
