// SPDX-License-Identifier: Apache-2.0
//
// The SDK that widgets load where they would load Zoho's: the same globals (ZOHO.embeddedApp, ZOHO.CRM.*, zrc) over the same messages, written
// from the protocol. It has no dependency, speaks every version from 1.1 to 1.5, and goes by the one in its own address:
//   up to 1.4  registers when init() is called       1.5  registers when it is loaded, and again after a handshake
//   from 1.2   asks for the ZDK before init() is over 1.5  has zrc
// Only the window above may speak to it. A message of the page (PageLoad) that comes before its listener waits for it.
(function (window) {
  'use strict';

  const NEWEST = [1, 5];
  const version = versionOf(document.currentScript && document.currentScript.src);
  const query = readQuery(window.location.search);
  const waiting = new Map(); // promise id -> {resolve, reject}
  const listeners = new Map(); // event name -> functions
  const early = new Map(); // event name -> data that nobody has heard yet
  let parentOrigin = query.serviceOrigin;
  let promises = 100;
  let context = null; // of SET_CONTEXT
  let ready = null; // promise of init()
  let tellReady = null;

  function versionOf(address) {
    const match = /\/js-sdk\/(\d+)\.(\d+)(?:\.\d+)*\//.exec(address || '');
    return match ? [Number(match[1]), Number(match[2])] : NEWEST;
  }

  function isFrom(major, minor) {
    return version[0] > major || (version[0] === major && version[1] >= minor);
  }

  function readQuery(search) {
    const found = {};
    search.replace(/^\?/, '').split('&').forEach((pair) => {
      const at = pair.indexOf('=');
      if (at > 0) {
        found[pair.slice(0, at)] = pair.slice(at + 1);
      }
    });
    if (found.serviceOrigin) {
      found.serviceOrigin = decodeURIComponent(found.serviceOrigin);
    }
    return found;
  }

  // ---- messages -------------------------------------------------------------------------------

  function ownAddress() {
    return encodeURIComponent(window.location.protocol + '//' + window.location.host + window.location.pathname);
  }

  function post(message) {
    if (!parentOrigin) {
      throw new Error('The page was opened without serviceOrigin: it is no widget here');
    }
    window.parent.postMessage(Object.assign({ type: 'SDK.EVENT', appOrigin: ownAddress() }, message), parentOrigin);
  }

  function register() {
    post(isFrom(1, 5) ? { eventName: 'REGISTER', sdkVersion: '1.5' } : { eventName: 'REGISTER' });
  }

  /** Sends an event that is answered. */
  function request(eventName, data) {
    const promiseid = 'Promise' + promises++;
    return new Promise((resolve, reject) => {
      post({ eventName, uniqueID: context ? context.uniqueID : undefined, time: Date.now(), promiseid, data });
      waiting.set(promiseid, { resolve, reject });
    });
  }

  function settle(message, how) {
    const promise = waiting.get(message.promiseid);
    waiting.delete(message.promiseid);
    if (promise) {
      promise[how](message.data);
    }
  }

  function tell(name, data) {
    const own = listeners.get(name);
    if (own) {
      own.forEach((listener) => listener(data));
    } else {
      early.set(name, data);
    }
  }

  function setContext(data) {
    context = data || {};
    if (tellReady) {
      tellReady();
    }
  }

  function receive(event) {
    let message = event.data;
    if (event.source !== window.parent) {
      return;
    }
    if (typeof message === 'string') {
      try {
        message = JSON.parse(message);
      } catch (error) {
        return;
      }
    }
    if (!message || typeof message !== 'object') {
      return;
    }
    if (message.eventName === '__HANDSHAKE__' && isFrom(1, 5)) {
      parentOrigin = message.data && message.data.parentOrigin;
      register();
    } else if (message.type === 'FRAMEWORK.EVENT') {
      handle(message);
    }
  }

  function handle(message) {
    switch (message.eventName) {
      case 'SET_CONTEXT': return setContext(message.data);
      case 'EVENT_RESPONSE': return settle(message, 'resolve');
      case 'EVENT_RESPONSE_FAILURE': return settle(message, 'reject');
      case 'UPDATE_CONTEXT': return undefined;
      default: return tell(message.eventName, message.data);
    }
  }

  // ---- ZOHO.embeddedApp -----------------------------------------------------------------------

  function on(name, listener) {
    if (typeof listener !== 'function') {
      return;
    }
    listeners.set(name, ready ? (listeners.get(name) || []).concat(listener) : [listener]);
    if (ready && early.has(name)) {
      const data = early.get(name);
      early.delete(name);
      listener(data);
    }
  }

  // What came before init() is told once it is over.
  function tellEarly() {
    early.forEach((data, name) => {
      if (listeners.has(name)) {
        early.delete(name);
        tell(name, data);
      }
    });
  }

  function loadZdk(url) {
    if (typeof url !== 'string') {
      return;
    }
    const script = document.createElement('script');
    script.src = url;
    document.body.appendChild(script);
  }

  function init() {
    if (ready) {
      return ready;
    }
    ready = new Promise((resolve) => {
      tellReady = resolve;
    });
    if (context) {
      tellReady();
    } else if (!isFrom(1, 5)) {
      register();
    }
    if (isFrom(1, 2)) { // without a ZDK the rest works all the same
      ready = ready.then(() => request('ZDK_EVENT', { action: 'get_zdk_url' })).then(loadZdk, () => undefined);
    }
    ready = ready.then(tellEarly);
    return ready;
  }

  // ---- ZOHO.CRM -------------------------------------------------------------------------------

  function call(data) {
    if (!ready) {
      return Promise.reject(new Error('Call ZOHO.embeddedApp.init() first'));
    }
    return request('CRM_EVENT', Object.assign({}, data, { sdkVersion: isFrom(1, 5) ? '1.5' : '1' }));
  }

  const read = (APIData) => call({ category: 'READ', APIData });
  const config = (type, nameSpace, APIData) => call({ category: 'CONFIG', type, nameSpace, APIData });
  const meta = (type) => (data) => call(Object.assign({}, data, { category: 'META', type }));
  const ui = (action, data) => call({ category: 'UI', action, data });
  const action = (type, object) => call({ category: 'ACTION', type, object });
  const user = (data) => call(Object.assign({}, data, { category: 'USER' }));
  const approval = (name) => (data) => call(Object.assign({}, data, { category: 'APPROVALS', action: name }));
  const blueprint = (name) => (data) => call(Object.assign({}, data, { category: 'BLUEPRINT', action: name }));

  function role(type, data) {
    const rest = Object.assign({}, data, { category: 'ROLES', type });
    if (rest.id) {
      rest.roleId = rest.id;
      delete rest.id;
    }
    return call(rest);
  }

  // A list of records carries its options beside the records.
  const withOptions = (records, more) => Object.assign(Array.isArray(records) ? records.slice() : Object.assign({}, records), more);

  function create(data, more, type, RelatedID) {
    return call({ category: 'CREATE', type, Entity: data.Entity, RelatedID, APIData: withOptions(data.APIData, more) });
  }

  function upsert(data) {
    const fields = data.duplicate_check_fields;
    const more = { trigger: data.Trigger, action: 'UPSERT' };
    if (Array.isArray(fields)) {
      more.duplicate_check_fields = fields.join(',');
    }
    return create(data, more, 'RECORD');
  }

  function addNotes(data) {
    const APIData = { data: [{ Note_Title: data.Title, Note_Content: data.Content }] };
    return call({ category: 'CREATE', type: 'NOTES', Entity: data.Entity, RelatedID: data.RecordID, APIData });
  }

  function attachFile(data) {
    const APIData = { FileName: data.File && data.File.Name, FileData: data.File && data.File.Content };
    return call({ category: 'CREATE', type: 'ATTACHMENT', Entity: data.Entity, RelatedID: data.RecordID, APIData });
  }

  function related(category) {
    return (data) => call({
      category, type: 'RELATED_RECORD', Entity: data.Entity, RecordID: data.RecordID, RelatedList: data.RelatedList,
      RelatedRecordID: data.RelatedRecordID, APIData: data.APIData,
    });
  }

  function getOrgVariable(data) {
    if (typeof data !== 'object' || data === null) {
      return config('VARIABLE', data);
    }
    const rest = Object.assign({}, data);
    const names = rest.nameSpace || rest.apiKeys;
    delete rest.nameSpace;
    delete rest.apiKeys;
    return config('VARIABLE', Array.isArray(names) ? { apiKeys: names } : names, rest);
  }

  function uploadFile(file) {
    return file instanceof Blob ? call({ category: 'FILES', type: 'UPLOAD_FILE', FileData: file })
      : Promise.reject(new Error('uploadFile takes a File'));
  }

  function remote(nameSpace) {
    return (data) => {
      if (!data || !data.url) {
        return Promise.reject(new Error('The request has no url'));
      }
      const pairs = Object.keys(data.params || {}).map((key) => encodeURIComponent(key) + '=' + encodeURIComponent(data.params[key]));
      const url = pairs.length ? data.url + (data.url.includes('?') ? '&' : '?') + pairs.join('&') : data.url;
      return call({
        category: 'CONNECTOR', nameSpace, cacheControl: data['$Cache-Control'],
        data: {
          url, Header: data.headers, Body: data.body, CONTENT_TYPE: data.CONTENT_TYPE, RESPONSE_TYPE: data.RESPONSE_TYPE, PARTS: data.PARTS,
          PARTS_BOUNDARY: data.PART_BOUNDARY, FILE: data.FILE,
        },
      });
    };
  }

  const connector = (nameSpace, data, type) => call({ category: 'CONNECTOR', nameSpace, data, type });

  function invokeConnection(connectionName, data) {
    const inner = {
      url: data.url, method: data.method, param_type: data.param_type, parameters: JSON.stringify(data.parameters),
      headers: JSON.stringify(data.headers),
    };
    return call({ category: 'CRM_CONNECTION', connectionName, data: { data: inner } });
  }

  const openRecord = (how) => (data) => ui({ record: how }, { Entity: data.Entity, RecordID: data.RecordID, target: data.Target });

  const CRM = {
    ACTION: {
      setConfig: (data) => action('CUSTOM_ACTION_SAVE_CONFIG', data),
      enableAccountAccess: (data) => action('ENABLE_ACCOUNT_ACCESS', data),
    },
    FUNCTIONS: {
      execute: (name, data) => call({
        category: 'FUNCTIONS_EXECUTE', customFunctionName: name, data: { data: Object.assign({}, data, { auth_type: 'oauth' }) },
      }),
    },
    CONFIG: {
      getOrgInfo: (data) => config('ORG', undefined, data),
      getCurrentUser: (data) => config('CURRENT_USER', undefined, data),
      GetCurrentEnvironment: () => config('ORG_LEVEL_INFO'),
      createUser: (data) => config('CREATEUSER', '', data),
      editUser: (data) => config('EDITUSER', '', data),
      deleteUser: (data) => config('DELETEUSER', '', data),
    },
    META: {
      getFields: meta('FIELD_LIST'),
      getModules: meta('MODULE_LIST'),
      getAssignmentRules: meta('ASSIGNMENT_RULES'),
      getRelatedList: meta('RELATED_LIST'),
      getLayouts: (data) => {
        const Id = data.Id || data.LayoutId;
        return meta(Id ? 'LAYOUT' : 'LAYOUTS')(Object.assign({}, data, { Id }));
      },
      getCustomViews: (data) => meta(data.Id ? 'CUSTOM_VIEW' : 'CUSTOM_VIEWS')(data),
      EMAIL: { getAvailableFromAliases: () => meta('EMAIL')({ subType: 'GET_ALIAS' }) },
    },
    API: {
      getRecord: read,
      getAllRecords: read,
      getRelatedRecords: read,
      getContactRole: (data) => read(Object.assign({}, data, { type: 'CONTACT_ROLE' })),
      getContactRoleById: (data) => read(Object.assign({}, data, { type: 'CONTACT_ROLE' })),
      insertRecord: (data) => create(data, { trigger: data.Trigger }, 'RECORD'),
      upsertRecord: upsert,
      addNotes,
      addNotesAttachment: (data) => call({
        category: 'UPDATE', type: 'NOTES', Entity: data.Entity, RecordID: data.RecordID, RelatedRecordID: data.RelatedRecordID,
        APIData: { Files: { FileName: data.File && data.File.Name, FileData: data.File && data.File.Content } },
      }),
      attachFile,
      updateRecord: (data) => call({
        category: 'UPDATE', type: 'RECORD', Entity: data.Entity, APIData: withOptions(data.APIData, { trigger: data.Trigger }),
      }),
      updateRelatedRecords: related('UPDATE'),
      updateVoiceURL: (data) => call({ category: 'UPDATE', type: 'VOICE_URL', APIData: data }),
      deleteRecord: (data) => call({ category: 'DELETE', type: 'RECORD', Entity: data.Entity, RecordID: data.RecordID }),
      delinkRelatedRecord: related('DELETE'),
      searchRecord: (data) => call({ category: 'SEARCH', APIData: data }),
      coql: (data) => call({ category: 'QUERY', APIData: data }),
      getAllUsers: user,
      getUser: user,
      getAllRoles: (data) => role('ROLES', data),
      getRoleById: (data) => role('ROLE', data),
      getAllProfiles: (data) => call({ category: 'PROFILES', type: 'GET_ALL_PROFILES', APIData: data }),
      getProfile: (data) => call({ category: 'PROFILES', type: 'GET_PROFILE', ID: data.ID, APIData: data }),
      updateProfile: (data) => call({ category: 'UPDATE', type: 'PROFILE', ID: data.ID, APIData: data.APIData }),
      getAllActions: approval('GET_ALL_ACTIONS'),
      getApprovalRecords: approval('GET_APPROVAL_RECORDS'),
      getApprovalById: approval('GET_APPROVALBYID'),
      getApprovalsHistory: approval('GET_APPROVALS_HISTORY'),
      approveRecord: approval('UPDATE_APPROVAL'),
      getBluePrint: blueprint('GET_BLUEPRINT_STATUS'),
      updateBluePrint: blueprint('UPDATE_BLUEPRINT_STATUS'),
      uploadFile,
      getFile: (data) => call(Object.assign({}, data, { category: 'FILES', type: 'DOWNLOAD_FILE' })),
      getOrgVariable,
      sendMail: (data) => call({ category: 'MAIL', APIData: data }),
    },
    CACHE: { Drop: (bucket) => ui({ cache: 'DROP' }, bucket) },
    UI: {
      Resize: (data) => ui('RESIZE', { width: data.width, height: data.height }),
      Setting: { open: (data) => ui({ setting: 'OPEN' }, data) },
      Dialer: {
        maximize: () => ui({ telephony: 'MAXIMIZE' }),
        minimize: () => ui({ telephony: 'MINIMIZE' }),
        notify: () => ui({ telephony: 'NOTIFY' }),
      },
      Record: {
        open: openRecord('OPEN'),
        edit: openRecord('EDIT'),
        create: openRecord('CREATE'),
        populate: (data) => ui({ record: 'POPULATE' }, data),
      },
      Popup: {
        close: () => ui({ popup: 'CLOSE' }),
        closeReload: () => ui({ popup: 'CLOSE_RELOAD' }),
        showMessage: (data) => ui({ popup: 'SHOW_MSG' }, data),
      },
      WebTab: {
        open: (data) => ui({ webTab: 'OPEN' }, data),
        history: { pushState: (data) => ui({ webTab: 'HISTORY' }, data) },
      },
      Sidebar: { open: (data) => ui({ sidebar: 'OPEN' }, data), close: (data) => ui({ sidebar: 'CLOSE' }, data) },
    },
    HTTP: { get: remote('wget.get'), post: remote('wget.post'), put: remote('wget.put'), patch: remote('wget.patch'), delete: remote('wget.delete') },
    CONNECTOR: {
      invokeAPI: (nameSpace, data) => connector(nameSpace, data, 'CONNECTOR_API'),
      authorize: (nameSpace) => connector(nameSpace, {}, 'CONNECTOR_AUTHORIZE'),
      isConnectorAuthorized: (nameSpace) => connector(nameSpace, { invokeType: 'ISAUTHORIZE' }, 'CONNECTOR_API'),
      revokeConnector: (nameSpace) => connector(nameSpace, {}, 'CONNECTOR_REVOKE'),
    },
    CONNECTION: { invoke: invokeConnection },
    BLUEPRINT: { proceed: (data) => call(Object.assign({}, data, { category: 'CRM_BLUEPRINT' })) },
    WIZARD: { post: (data) => call(Object.assign({}, data, { category: 'CRM_WIZARD' })) },
  };

  // ---- zrc (1.5) ------------------------------------------------------------------------------

  function zrcError(failure) {
    const told = failure && failure.error && failure.error.errorType ? failure.error : failure;
    const error = Object.assign(new Error(told && told.errorMessage ? told.errorMessage : String(told)), { name: (told && told.errorType) || 'ZrcError' });
    if (told === failure) {
      throw error;
    }
    throw Object.assign({}, failure, { error });
  }

  function bodyOf(body) {
    if (!(body instanceof FormData)) {
      return body;
    }
    const fields = {};
    body.forEach((value, key) => {
      fields[key] = value;
    });
    return fields;
  }

  function isJson(body) {
    return body !== null && typeof body === 'object' &&
      !(body instanceof Blob || body instanceof FormData || body instanceof URLSearchParams || body instanceof ArrayBuffer);
  }

  async function zrcRequest(options) {
    const requestConfig = Object.assign({}, options, { headers: {} });
    Object.keys(options.headers || {}).forEach((name) => {
      requestConfig.headers[name.toLowerCase()] = options.headers[name];
    });
    const address = options.path || options.url || '';
    const url = new URL(address, options.baseUrl || await call({ category: 'GET_PARENT_URL' }));
    Object.keys(options.params || {}).forEach((key) => {
      [].concat(options.params[key]).filter((value) => value !== null && value !== undefined)
        .forEach((value) => url.searchParams.append(Array.isArray(options.params[key]) ? key + '[]' : key, value));
    });
    if (isJson(options.body)) {
      requestConfig.body = JSON.stringify(options.body);
      requestConfig.headers['content-type'] = requestConfig.headers['content-type'] || 'application/json';
    }
    ['path', 'url', 'params', 'baseUrl', 'signal'].forEach((name) => delete requestConfig[name]);
    const form = options.body instanceof FormData ? { bodyDataType: 'formData' } : {};
    requestConfig.body = bodyOf(requestConfig.body);
    return call({ category: 'ZRC_REQUEST', url: url.href, options: form, requestConfig, zrcVersion: '1.0' }).catch(zrcError);
  }

  function zrcInstance(base) {
    const send = (method, path, body, options) => zrcRequest(Object.assign({}, base, options, { method, path, body }));
    return {
      get: (path, options) => send('GET', path, undefined, options),
      head: (path, options) => send('HEAD', path, undefined, options),
      options: (path, options) => send('OPTIONS', path, undefined, options),
      post: (path, body, options) => send('POST', path, body, options),
      put: (path, body, options) => send('PUT', path, body, options),
      patch: (path, body, options) => send('PATCH', path, body, options),
      delete: (path, options) => send('DELETE', path, undefined, options),
      request: (options) => zrcRequest(Object.assign({}, base, options)),
    };
  }

  window.ZOHO = Object.assign(window.ZOHO || {}, { embeddedApp: { on, init }, CRM });
  window.addEventListener('message', receive);
  window.addEventListener('pagehide', () => {
    if (context) {
      post({ eventName: 'DEREGISTER', uniqueID: context.uniqueID });
    }
  });
  if (isFrom(1, 5)) {
    window.SDK_VERSION = '1.5';
    window.zrc = Object.assign(zrcInstance({}), { createInstance: zrcInstance });
    if (parentOrigin) {
      register();
    }
  }
})(window);
