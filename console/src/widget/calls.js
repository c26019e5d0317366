// SPDX-License-Identifier: Apache-2.0
//
// Every call of a widget (CRM_EVENT, by its category) and what answers it: a route of the REST API, a script of the extension, or the page
// itself. What there is no answer for is refused by its name. A handler gets the event's data and {agent, namespace, ui}; it returns what the
// widget's promise resolves with, or throws a Refusal.
import { Refusal, fieldsOf, refuse } from './agent.js';
import { zrcRequest } from './zrc.js';

const V2 = '/crm/v2'; // records without a list of fields
const V8 = '/crm/v8';
const seg = (text) => encodeURIComponent(String(text ?? ''));

function without(values, ...names) {
  const rest = { ...values };
  names.concat('sdkVersion', 'category', 'type', 'action').forEach((name) => delete rest[name]);
  return rest;
}

function need(value, name) {
  if (value === undefined || value === null || value === '') {
    refuse('REQUIRED_PARAM_MISSING', `${name} is missing`);
  }
  return value;
}

const missing = (what) => () => refuse('NOT_SUPPORTED', `${what} is not available in Sluice`);

/** By `type`, or the whole refused by name. */
const byType = (what, table) => (data, tools) => {
  const handler = Object.hasOwn(table, data.type) ? table[data.type] : missing(`${what} ${data.type ?? ''}`.trim());
  return handler(data, tools);
};

function fileOf(content, name) {
  const blob = content instanceof Blob ? content : new Blob([content ?? '']);
  const form = new FormData();
  form.append('file', blob, name || blob.name || 'file');
  return form;
}

// ---- functions ----------------------------------------------------------------------------------

/** A name alone is one of the widget's own extension. */
const fullName = (name, namespace) => (/__|\./.test(name) ? name : `${namespace}__${name}`);

function executeFunction(data, { agent, namespace }) {
  const name = fullName(String(need(data.customFunctionName, 'The name of the function')), namespace);
  const given = { ...(data.data?.data ?? data.data) };
  delete given.auth_type;
  return agent.rest('POST', `${V8}/functions/${seg(name)}/actions/execute?auth_type=oauth`, { body: fieldsOf(given) });
}

// ---- configuration ------------------------------------------------------------------------------

async function environment(data, { agent }) {
  const [org, users] = await Promise.all([agent.rest('GET', `${V8}/org`), agent.rest('GET', `${V8}/users?type=CurrentUser`)]);
  return { deployment: 'US', ZGID: org.org?.[0]?.zgid, ZUID: users.users?.[0]?.zuid, appDetails: { appUrl: location.origin } };
}

async function orgVariable(data, { agent }) {
  const names = data.nameSpace?.apiKeys;
  if (!Array.isArray(names)) {
    return { Success: { Content: await agent.ask('variable', String(need(data.nameSpace, 'The name of the variable'))) } };
  }
  const values = await Promise.all(names.map((name) => agent.ask('variable', String(name))));
  return { Success: { content: Object.fromEntries(names.map((name, index) => [name, { value: values[index] }])) } };
}

const config = byType('ZOHO.CRM.CONFIG', {
  ORG: (data, { agent }) => agent.rest('GET', `${V8}/org`),
  CURRENT_USER: (data, { agent }) => agent.rest('GET', `${V8}/users?type=CurrentUser`),
  ORG_LEVEL_INFO: environment,
  VARIABLE: orgVariable,
});

const setting = (path) => ({ Entity }, { agent }) => agent.rest('GET', `${V8}/settings/${path}`, { params: { module: need(Entity, 'Entity') } });
const oneSetting = (path) => ({ Entity, Id }, { agent }) =>
  agent.rest('GET', `${V8}/settings/${path}/${seg(Id)}`, { params: { module: need(Entity, 'Entity') } });

const meta = byType('ZOHO.CRM.META', {
  MODULE_LIST: (data, { agent }) => agent.rest('GET', `${V8}/settings/modules`),
  FIELD_LIST: setting('fields'),
  LAYOUTS: setting('layouts'),
  LAYOUT: oneSetting('layouts'),
  RELATED_LIST: setting('related_lists'),
  CUSTOM_VIEWS: setting('custom_views'),
  CUSTOM_VIEW: oneSetting('custom_views'),
});

// ---- records ------------------------------------------------------------------------------------

/** RecordID is one id, a list of them, or several with commas. */
const idsOf = (given) => (Array.isArray(given) ? given : String(given ?? '').split(',')).map((id) => String(id).trim()).filter(Boolean);

function read(data, { agent }) {
  const api = data.APIData ?? data;
  if (api.type === 'CONTACT_ROLE') {
    return missing('ZOHO.CRM.API.getContactRole')();
  }
  const params = without(api, 'Entity', 'RecordID', 'RelatedList', 'APIData');
  if (Array.isArray(params.fields)) {
    params.fields = params.fields.join(',');
  }
  const ids = idsOf(api.RecordID);
  if (ids.length > 1 && !api.RelatedList) {
    return agent.rest('GET', `${V2}/${seg(need(api.Entity, 'Entity'))}`, { params: { ...params, ids: ids.join(',') } });
  }
  const path = [need(api.Entity, 'Entity'), ids[0], api.RelatedList].filter((part) => part !== undefined && part !== null && part !== '');
  return agent.rest('GET', `${V2}/${path.map(seg).join('/')}`, { params });
}

/** The rows of APIData, which is a record, a list of them, or {data: [...]}, with options beside. */
function rowsOf(api) {
  if (Array.isArray(api)) {
    return [...api];
  }
  if (Array.isArray(api?.data)) {
    return api.data;
  }
  const row = { ...api };
  ['trigger', 'action', 'duplicate_check_fields'].forEach((name) => delete row[name]);
  return [row];
}

const written = (api) => ({ data: rowsOf(api), ...(api?.trigger === undefined ? {} : { trigger: api.trigger }) });

function createRecord({ Entity, APIData }, { agent }) {
  const json = written(APIData);
  if (APIData?.action !== 'UPSERT') {
    return agent.rest('POST', `${V8}/${seg(need(Entity, 'Entity'))}`, { json });
  }
  if (APIData.duplicate_check_fields) {
    json.duplicate_check_fields = String(APIData.duplicate_check_fields).split(',');
  }
  return agent.rest('POST', `${V8}/${seg(need(Entity, 'Entity'))}/upsert`, { json });
}

const recordPath = (data, id) => `${V8}/${seg(need(data.Entity, 'Entity'))}/${seg(need(id, 'RecordID'))}`;

const create = byType('ZOHO.CRM.API', {
  RECORD: createRecord,
  NOTES: (data, { agent }) => agent.rest('POST', `${recordPath(data, data.RelatedID)}/Notes`, { json: { data: rowsOf(data.APIData) } }),
  ATTACHMENT: (data, { agent }) => agent.rest('POST', `${recordPath(data, data.RelatedID)}/Attachments`, {
    form: fileOf(need(data.APIData?.FileData, 'File.Content'), data.APIData.FileName),
  }),
});

function updateRelated(data, { agent }) {
  const path = `${recordPath(data, data.RecordID)}/${seg(need(data.RelatedList, 'RelatedList'))}`;
  if (data.APIData instanceof Blob) {
    return agent.rest('POST', path, { form: fileOf(data.APIData) });
  }
  return agent.rest('PUT', `${path}/${seg(need(data.RelatedRecordID, 'RelatedRecordID'))}`, { json: { data: rowsOf(data.APIData) } });
}

function updateNotes(data, { agent }) {
  const file = data.APIData?.Files;
  if (file) {
    return agent.rest('POST', `${V8}/Notes/${seg(need(data.RelatedRecordID, 'RelatedRecordID'))}/Attachments`, {
      form: fileOf(need(file.FileData, 'File.Content'), file.FileName),
    });
  }
  return agent.rest('PUT', `${recordPath(data, data.RecordID)}/Notes/${seg(need(data.RelatedRecordID, 'RelatedRecordID'))}`, { json: written(data.APIData) });
}

const update = byType('ZOHO.CRM.API update', {
  RECORD: (data, { agent }) => agent.rest('PUT', `${V8}/${seg(need(data.Entity, 'Entity'))}`, { json: written(data.APIData) }),
  RELATED_RECORD: updateRelated,
  NOTES: updateNotes,
});

const remove = byType('ZOHO.CRM.API delete', {
  RECORD: (data, { agent }) => {
    const ids = idsOf(data.RecordID);
    return ids.length > 1 ? agent.rest('DELETE', `${V8}/${seg(need(data.Entity, 'Entity'))}`, { params: { ids: ids.join(',') } }) : agent.rest('DELETE', recordPath(data, ids[0]));
  },
  RELATED_RECORD: (data, { agent }) =>
    agent.rest('DELETE', `${recordPath(data, data.RecordID)}/${seg(need(data.RelatedList, 'RelatedList'))}/${seg(need(data.RelatedRecordID, 'RelatedRecordID'))}`),
});

const SEARCHES = ['criteria', 'email', 'phone', 'word'];

function search(data, { agent }) {
  const api = data.APIData ?? data;
  const kind = String(api.Type ?? api.type ?? '').toLowerCase();
  if (!SEARCHES.includes(kind)) {
    refuse('INVALID_DATA', `Type is one of ${SEARCHES.join(', ')}`);
  }
  const params = { ...without(api, 'Entity', 'Type', 'Query', 'delay', 'APIData'), [kind]: need(api.Query, 'Query') };
  return agent.rest('GET', `${V2}/${seg(need(api.Entity, 'Entity'))}/search`, { params });
}

// ---- people, files ------------------------------------------------------------------------------

function users(data, { agent }) {
  const { ID, type, page, per_page: size } = data;
  return ID ? agent.rest('GET', `${V8}/users/${seg(ID)}`) : agent.rest('GET', `${V8}/users`, { params: { type: type ?? 'AllUsers', page, per_page: size } });
}

function roles(data, { agent }) {
  return agent.rest('GET', data.roleId ? `${V8}/settings/roles/${seg(data.roleId)}` : `${V8}/settings/roles`);
}

function profiles(data, { agent }) {
  return agent.rest('GET', data.ID ? `${V8}/settings/profiles/${seg(data.ID)}` : `${V8}/settings/profiles`);
}

/** One character a byte, as Zoho's page gives it. */
async function binaryText(blob) {
  return Array.from(new Uint8Array(await blob.arrayBuffer()), (byte) => String.fromCharCode(byte)).join('');
}

const files = byType('ZOHO.CRM.API files', {
  UPLOAD_FILE: (data, { agent }) => agent.rest('POST', `${V8}/files`, { form: fileOf(need(data.FileData, 'File')) }),
  DOWNLOAD_FILE: async (data, { agent }) => {
    const file = await agent.rest('GET', `${V8}/files`, { params: { id: need(data.id, 'id') }, responseType: 'blob' });
    return file instanceof Blob ? binaryText(file) : file;
  },
});

// ---- connectors, the world ----------------------------------------------------------------------

function blobOf(file) {
  const bytes = Uint8Array.from(atob(file.base64), (character) => character.charCodeAt(0));
  return new Blob([bytes], { type: file.content_type ?? 'application/octet-stream' });
}

async function fileGiven(blob) {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  let text = '';
  for (let from = 0; from < bytes.length; from += 32768) {
    text += String.fromCharCode(...bytes.subarray(from, from + 32768));
  }
  return { base64: btoa(text), content_type: blob.type || 'application/octet-stream', file_name: blob.name || 'file' };
}

/** The head of a part of a form; `headers` is the field's name, or all of them. */
function partHead(headers, file) {
  if (headers && typeof headers === 'object') {
    return Object.entries(headers).map(([name, value]) => `${name}: ${value}`).join('\r\n');
  }
  const name = String(headers).replace(/[\r\n"]/g, '_');
  const fileName = file ? `; filename="${String(file.name || 'file').replace(/[\r\n"]/g, '_')}"\r\nContent-Type: ${file.type || 'application/octet-stream'}` : '';
  return `Content-Disposition: form-data; name="${name}"${fileName}`;
}

/** PARTS and FILE as the bytes of a form; "__FILE__" stands for the file. */
function formBytes({ PARTS, FILE, PARTS_BOUNDARY }) {
  const boundary = PARTS_BOUNDARY || `sluice-${crypto.randomUUID()}`;
  const parts = PARTS ?? [{ headers: FILE.fileParam ?? 'file', content: '__FILE__' }];
  const pieces = parts.flatMap(({ headers, content }) => {
    const file = content === '__FILE__' ? need(FILE?.file, 'FILE.file') : null;
    const text = content !== null && typeof content === 'object' ? JSON.stringify(content) : String(content ?? '');
    return [`--${boundary}\r\n${partHead(headers, file)}\r\n\r\n`, file ?? text, '\r\n'];
  });
  return new Blob([...pieces, `--${boundary}--\r\n`], { type: `multipart/form-data; boundary=${boundary}` });
}

/** ZOHO.CRM.HTTP.*: the reply's body. */
async function http(data, { agent }) {
  const { url, Header, Body, CONTENT_TYPE, RESPONSE_TYPE, PARTS, FILE } = data.data ?? {};
  const input = { url: need(url, 'url'), ...(Header ? { Header } : {}), ...(Body === undefined ? {} : { Body }), ...(CONTENT_TYPE ? { CONTENT_TYPE } : {}) };
  if (PARTS || FILE) {
    const form = formBytes(data.data);
    input.Body = await fileGiven(form);
    input.Header = { ...Header, 'Content-Type': form.type };
    delete input.CONTENT_TYPE;
  } else if (Body instanceof Blob) {
    input.Body = await fileGiven(Body);
    input.Header = { 'Content-Type': CONTENT_TYPE || Body.type || 'application/octet-stream', ...Header };
  }
  if (RESPONSE_TYPE) {
    input.$RESPONSE_TYPE$ = RESPONSE_TYPE;
  }
  const result = await agent.ask('connector', data.nameSpace, input);
  const response = result?.response;
  return response?.base64 === undefined ? response : blobOf(response);
}

const authorise = (how) => (data) =>
  refuse('NOT_SUPPORTED', `ZOHO.CRM.CONNECTOR.${how} is not available in Sluice: the operator connects ${data.nameSpace} with "sluice connection"`);

async function invokeConnector(data, { agent }) {
  const given = data.data ?? {};
  if (given.invokeType === 'ISAUTHORIZE') {
    return agent.ask('authorized', data.nameSpace);
  }
  if (given.FILE || given.PARTS) {
    refuse('NOT_SUPPORTED', 'ZOHO.CRM.CONNECTOR.invokeAPI with PARTS or FILE is not available in Sluice');
  }
  const input = { ...given, ...given.VARIABLES };
  delete input.VARIABLES;
  return JSON.stringify(await agent.ask('connector', data.nameSpace, input));
}

function connector(data, tools) {
  if (/^wget\./i.test(data.nameSpace ?? '')) {
    return http(data, tools);
  }
  const types = { CONNECTOR_API: invokeConnector, CONNECTOR_AUTHORIZE: authorise('authorize'), CONNECTOR_REVOKE: authorise('revokeConnector') };
  return byType('ZOHO.CRM.CONNECTOR', types)({ ...data, type: data.type ?? 'CONNECTOR_API' }, tools);
}

function parseMap(text) {
  try {
    return typeof text === 'string' ? JSON.parse(text) : text;
  } catch {
    return undefined;
  }
}

/** param_type 2 sends the parameters as the body, 1 in the address (GUESS: Zoho's page does not say). */
async function connection(data, { agent }) {
  const { url, method = 'GET', param_type: kind, parameters, headers } = data.data?.data ?? {};
  const given = parseMap(parameters);
  const input = { method: String(method).toUpperCase(), connection: need(data.connectionName, 'The name of the connection') };
  const inBody = Number(kind) === 2;
  if (parseMap(headers)) {
    input.headers = parseMap(headers);
  }
  if (given && inBody) {
    input.body = JSON.stringify(given);
  }
  const query = given && !inBody ? fieldsOf(given).toString() : '';
  const target = String(need(url, 'url')) + (query && (String(url).includes('?') ? '&' : '?') + query);
  const reply = await agent.ask('request', target, input);
  const body = parseMap(reply.responseText) ?? reply.responseText;
  const good = reply.responseCode < 400;
  const message = good ? 'Connection invoked successfully' : 'Connection invoke failed';
  return { code: good ? 'SUCCESS' : 'ERROR', details: { statusMessage: body, status: String(good) }, message, status: good ? 'success' : 'error' };
}

// ---- the page itself ----------------------------------------------------------------------------

function nameOf(action) {
  const [part, what] = typeof action === 'string' ? ['', action] : Object.entries(action ?? {})[0] ?? [];
  return part === undefined ? '' : `${part}.${what}`.replace(/^\./, '');
}

function uiCall(data, { ui }) {
  const name = nameOf(data.action);
  const given = data.data ?? {};
  switch (name) {
    case 'RESIZE': return ui.resize(given.width, given.height);
    case 'popup.SHOW_MSG': return ui.message(given);
    case 'popup.CLOSE': return ui.note('The widget has closed its popup.');
    case 'popup.CLOSE_RELOAD': return ui.note('The widget has closed its popup; the page behind it would be loaded again.');
    case 'record.OPEN':
    case 'record.EDIT': return ui.link(`The widget opens the record ${given.RecordID} of ${given.Entity}.`, given);
    case 'record.CREATE': return ui.note(`The widget opens a new record of ${given.Entity}.`);
    case 'record.POPULATE':
    case 'webTab.OPEN':
    case 'webTab.HISTORY':
    case 'telephony.MAXIMIZE':
    case 'telephony.MINIMIZE':
    case 'telephony.NOTIFY':
    case 'setting.OPEN':
    case 'sidebar.OPEN':
    case 'sidebar.CLOSE':
    case 'cache.DROP': return true; // nothing of the kind surrounds a widget here
    default: return missing(`ZOHO.CRM.UI ${name}`)();
  }
}

const handlers = {
  FUNCTIONS_EXECUTE: executeFunction,
  CONFIG: config,
  META: meta,
  READ: read,
  CREATE: create,
  UPDATE: update,
  DELETE: remove,
  SEARCH: search,
  QUERY: (data, { agent }) => agent.rest('POST', `${V8}/coql`, { json: { select_query: need(data.APIData?.select_query, 'select_query') } }),
  USER: users,
  ROLES: roles,
  PROFILES: profiles,
  FILES: files,
  CONNECTOR: connector,
  CRM_CONNECTION: connection,
  UI: uiCall,
  GET_PARENT_URL: () => location.href,
  ZRC_REQUEST: zrcRequest,
  APPROVALS: missing('ZOHO.CRM.API approvals'),
  BLUEPRINT: missing('ZOHO.CRM.API blueprint'),
  CRM_BLUEPRINT: missing('ZOHO.CRM.BLUEPRINT'),
  CRM_WIZARD: missing('ZOHO.CRM.WIZARD'),
  MAIL: missing('ZOHO.CRM.API.sendMail'),
  ACTION: missing('ZOHO.CRM.ACTION'),
  PUSH_DATA_WIDGET: missing('PUSH_DATA_WIDGET'),
};

/** Answers one CRM_EVENT. */
export async function answerCall(data, tools) {
  const category = data?.category;
  if (typeof category !== 'string' || !Object.hasOwn(handlers, category)) {
    throw new Refusal({ code: 'NOT_SUPPORTED', details: {}, message: `There is no call ${String(category)}`, status: 'error' });
  }
  return handlers[category](data, tools);
}

/** HTTP_REQUEST, the plain request of the SDK's core: {url, method or type, headers, params, data or body}. */
export async function answerRequest(data, { agent }) {
  const { url, method, type, headers, params, data: given, body = given } = data ?? {};
  const query = params ? fieldsOf(params).toString() : '';
  const input = { method: String(method ?? type ?? 'GET').toUpperCase(), ...(headers ? { headers } : {}) };
  if (body !== undefined && input.method !== 'GET') {
    input.body = typeof body === 'string' ? body : JSON.stringify(body);
  }
  const reply = await agent.ask('request', String(need(url, 'url')) + (query && (String(url).includes('?') ? '&' : '?') + query), input);
  return reply.responseText;
}
