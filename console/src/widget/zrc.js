// SPDX-License-Identifier: Apache-2.0
//
// zrc.* of SDK 1.5: requests of a widget to the CRM it is shown in, which the page makes with its token, and to the rest of the world, which a
// script of the extension makes, under a connection if one is named.
import { Refusal } from './agent.js';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];
const ZOHO = /^(?:[a-z0-9-]+\.)*(?:zoho|zohoapis|zohosandbox|zohoplatform)\.(?:com|eu|in|com\.au|com\.cn|jp|sa|ca|uk)$/i;

function fail(errorType, errorMessage, request, response) {
  throw new Refusal({ error: { errorType, errorMessage }, request, response });
}

/** The path below our own address, if the request is one to the CRM. */
function ownPath(url) {
  const ours = url.origin === location.origin || ZOHO.test(url.hostname);
  return ours && /^\/crm\/v[2-9]/.test(url.pathname) ? url.pathname + url.search : null;
}

function formOf(fields) {
  const form = new FormData();
  Object.entries(fields ?? {}).forEach(([name, value]) => form.append(name, value));
  return form;
}

async function ownRequest(path, method, config, isForm, { agent }) {
  const headers = Object.fromEntries(Object.entries(config.headers ?? {}).filter(([name]) => !/^(authorization|cookie|host|content-length|x-sluice-.*)$/i.test(name)));
  if (isForm) {
    Object.keys(headers).filter((name) => /^content-type$/i.test(name)).forEach((name) => delete headers[name]);
  }
  const body = isForm ? formOf(config.body) : config.body;
  const reply = await agent.send(method, path, { headers, body: method === 'GET' ? undefined : body, responseType: config.responseType });
  return { status: reply.status, headers: reply.headers, data: reply.body };
}

function readData(text, how) {
  try {
    return how === 'text' ? text : JSON.parse(text);
  } catch {
    return text;
  }
}

async function farRequest(url, method, config, { agent }) {
  const input = { method };
  if (config.headers && Object.keys(config.headers).length) {
    input.headers = config.headers;
  }
  if (config.connection) {
    input.connection = config.connection;
  }
  if (typeof config.body === 'string') {
    input.body = config.body;
  }
  const reply = await agent.ask('request', url.href, input);
  return { status: reply.responseCode, headers: reply.responseHeader, data: readData(reply.responseText, config.responseType) };
}

export async function zrcRequest(data, tools) {
  const config = data.requestConfig ?? {};
  const request = { url: data.url, method: config.method, headers: config.headers };
  const method = String(config.method ?? 'GET').toUpperCase();
  let url;
  try {
    url = new URL(data.url, location.origin);
  } catch {
    return fail('ZrcValidationError', 'The address is none', request);
  }
  if (!METHODS.includes(method)) {
    return fail('ZrcValidationError', `zrc with the method ${method} is not available in Sluice`, request);
  }
  const path = config.connection ? null : ownPath(url);
  const isForm = data.options?.bodyDataType === 'formData';
  if (!path && isForm) {
    return fail('ZrcError', 'zrc sends forms to the CRM alone in Sluice', request);
  }
  let response;
  try {
    response = path ? await ownRequest(path, method, config, isForm, tools) : await farRequest(url, method, config, tools);
  } catch (failure) {
    return fail(config.connection ? 'ConnectionError' : 'ZrcError', failure.message, request);
  }
  return response.status < 400 ? response : fail('ApiError', `The server answered ${response.status}`, request, response);
}
