// SPDX-License-Identifier: Apache-2.0
// Zoho's Node SDK, unmodified, against a running Sluice: node sdk.mjs BASE_URL CLIENT.json FOLDER. Prints TAP. CLIENT.json is what `sluice oauth new --json` printed.
import * as Z from '@zohocrm/nodejs-sdk-8.0';
import fs from 'node:fs';

const [base, client, folder] = process.argv.slice(2);
const { Record: R, Notes: N, ParameterMap, HeaderMap } = Z;
const leads = () => new R.RecordOperations('Leads');
let count = 0;

function ok(name, good, detail) {
  console.log(`${good ? 'ok' : 'not ok'} ${++count} - ${name}`);
  if (!good) console.log('# ' + String(detail).replaceAll('\n', '\n# '));
}

/** Runs one call; `see` looks at the object of the answer and says whether it is right. */
async function step(name, call, see) {
  try {
    const answer = await call();
    const object = answer.getObject();
    const failure = object?.constructor.name.includes('Exception') ? `${object.getCode().getValue()}: ${object.getMessage?.()?.getValue?.() ?? ''}` : '';
    ok(name, !failure && see(object, answer.getStatusCode()), failure || `${answer.getStatusCode()} ${object?.constructor.name}`);
    return object;
  } catch (error) {
    ok(name, false, error.stack ?? `${error.code} ${error.message}`);
  }
}

function params(pairs) {
  const map = new ParameterMap();
  return Promise.all(pairs.map(([param, value]) => map.add(param, value))).then(() => map);
}

function lead(name, more = {}) {
  const record = new R.Record();
  for (const [key, value] of Object.entries({ Last_Name: name, Email: `${name.toLowerCase()}@example.com`, Company: 'Engines', ...more })) record.addKeyValue(key, value);
  return record;
}

function body(...records) {
  const wrapper = new R.BodyWrapper();
  wrapper.setData(records);
  return wrapper;
}

const done = (object) => object.getData().every((row) => row.constructor.name === 'SuccessResponse');

async function signIn() {
  const { client_id: id, client_secret: secret, refresh_token: refresh } = JSON.parse(fs.readFileSync(client));
  const resources = `${folder}/sdk/`;
  fs.mkdirSync(`${resources}resources`, { recursive: true });
  const environment = Z.DataCenter.setEnvironment(base, `${base}/oauth/v2/token`, base);
  const token = new Z.OAuthBuilder().clientId(id).clientSecret(secret).refreshToken(refresh).build();
  const config = new Z.SDKConfigBuilder().pickListValidation(false).autoRefreshFields(true).build();
  const logger = new Z.LogBuilder().level(Z.Levels.ERROR).filePath(`${folder}/sdk.log`).build();
  await (await new Z.InitializeBuilder()).environment(environment).token(token).store(new Z.FileStore(`${folder}/tokens.txt`)).SDKConfig(config).resourcePath(resources).logger(logger).initialize();
}

await signIn();
let id;
await step('a record is created', () => leads().createRecords(body(lead('Lovelace', { City: 'London' })), new HeaderMap()), (object, status) => {
  id = BigInt(object.getData()[0].getDetails().get('id'));
  return done(object) && status === 201;
});
await step('a hundred at once', () => leads().createRecords(body(...Array.from({ length: 100 }, (_, i) => lead(`Mass${i}`))), new HeaderMap()), (object) => object.getData().length === 100 && done(object));
await step('it is read', () => leads().getRecord(id, new ParameterMap(), new HeaderMap()), (object) => {
  const record = object.getData()[0];
  return record.getId() === id && record.getKeyValue('City') === 'London' && record.getCreatedTime() instanceof Date && record.getKeyValue('Owner').getName() !== null;
});
await step('records are listed', async () => leads().getRecords(await params([[R.GetRecordsParam.FIELDS, 'Last_Name,Email'], [R.GetRecordsParam.PER_PAGE, 40]]), new HeaderMap()),
  (object) => object.getData().length === 40 && object.getInfo().getMoreRecords() === true && object.getInfo().getNextPageToken().length > 0);
await step('searched by criteria', async () => leads().searchRecords(await params([[R.SearchRecordsParam.CRITERIA, '(Last_Name:equals:Lovelace)']]), new HeaderMap()), (object) => object.getData().length === 1);
await step('searched by e-mail', async () => leads().searchRecords(await params([[R.SearchRecordsParam.EMAIL, 'mass7@example.com']]), new HeaderMap()), (object) => object.getData()[0].getKeyValue('Last_Name') === 'Mass7');
await step('updated', () => {
  const record = new R.Record();
  record.addKeyValue('City', 'Rome');
  return leads().updateRecord(id, body(record), new HeaderMap());
}, done);
await step('upserted', () => {
  const wrapper = body(lead('Lovelace', { City: 'Oslo' }), lead('Babbage'));
  wrapper.setDuplicateCheckFields(['Email']);
  return leads().upsertRecords(wrapper, new HeaderMap());
}, (object) => done(object) && object.getData().map((row) => row.getAction().getValue()).join() === 'update,insert');
await step('counted', () => leads().recordCount(new ParameterMap()), (object) => Number(object.getCount()) === 102);
await step('a note is added', () => {
  const note = new N.Note(), parent = new N.ParentId(), module = new Z.Modules.MinifiedModule(), wrapper = new N.BodyWrapper();
  module.setAPIName('Leads');
  parent.setId(id);
  parent.setModule(module);
  note.setNoteTitle('Title');
  note.setNoteContent('Content');
  note.setParentId(parent);
  wrapper.setData([note]);
  return new N.NotesOperations().createNotes(wrapper);
}, done);
await step('notes are listed', async () => new N.NotesOperations().getNotes(await params([[N.GetNotesParam.FIELDS, 'Note_Title,Note_Content']]), new HeaderMap()), (object) => object.getData()[0].getNoteContent() === 'Content');
await step('as a related list too', async () => new Z.RelatedRecords.RelatedRecordsOperations('Notes', 'Leads').getRelatedRecords(id, await params([[Z.RelatedRecords.GetRelatedRecordsParam.FIELDS, 'Note_Title']]), new HeaderMap()),
  (object) => object.getData().length === 1);
await step('COQL', () => {
  const query = new Z.Coql.BodyWrapper();
  query.setSelectQuery("select Last_Name, Owner from Leads where Last_Name like 'Mass%' limit 5");
  return new Z.Coql.CoqlOperations().getRecords(query);
}, (object) => object.getData().length === 5);
await step('users', async () => new Z.Users.UsersOperations().getUsers(await params([[Z.Users.GetUsersParam.TYPE, 'ActiveUsers']]), new HeaderMap()), (object) => object.getUsers()[0].getEmail().includes('@'));
await step('the organisation', () => new Z.Org.OrgOperations().getOrganization(), (object) => object.getOrg().length === 1);
await step('modules', () => new Z.Modules.ModulesOperations().getModules(new ParameterMap(), new HeaderMap()), (object) => object.getModules().some((module) => module.getAPIName() === 'Leads'));
await step('fields', async () => new Z.Fields.FieldsOperations().getFields(await params([[Z.Fields.GetFieldsParam.MODULE, 'Leads']])), (object) => object.getFields().some((field) => field.getAPIName() === 'Last_Name'));
await step('layouts', async () => new Z.Layouts.LayoutsOperations().getLayouts(await params([[Z.Layouts.GetLayoutsParam.MODULE, 'Leads']])), (object) => object.getLayouts().length === 1);
await step('views', async () => new Z.CustomViews.CustomViewsOperations().getCustomViews(await params([[Z.CustomViews.GetCustomViewsParam.MODULE, 'Leads']])), (object) => object.getCustomViews().length > 1);
await step('related lists', async () => new Z.RelatedLists.RelatedListsOperations().getRelatedLists(await params([[Z.RelatedLists.GetRelatedListsParam.MODULE, 'Leads']])), (object) => object.getRelatedLists().length > 1);
await step('roles', () => new Z.Roles.RolesOperations().getRoles(), (object) => object.getRoles().length > 0);
await step('profiles', () => new Z.Profiles.ProfilesOperations(null).getProfiles(new ParameterMap()), (object) => object.getProfiles().length > 0);
await step('a function by GET', () => new Z.Functions.FunctionsOperations('sdk__hello', 'oauth', null).executeFunctionUsingParameters(new ParameterMap(), new HeaderMap()),
  (object) => object.getDetails().get('output') === 'GET ');
await step('a function by POST', () => {
  const wrapper = new Z.Functions.BodyWrapper();
  wrapper.setBody(new Map([['a', 'b']]));
  return new Z.Functions.FunctionsOperations('sdk__hello', 'oauth', null).executeFunctionUsingRequestBody(wrapper, new ParameterMap(), new HeaderMap());
}, (object) => object.getDetails().get('output') === 'POST {"a":"b"}');
await step('a copy', () => leads().cloneRecord(id), done);
await step('a record is deleted', () => leads().deleteRecord(id, new ParameterMap(), new HeaderMap()), done);
await step('and listed as such', () => leads().getDeletedRecords(new ParameterMap(), new HeaderMap()), (object) => object.getData().some((record) => record.getId() === id));
console.log(`1..${count}`);
