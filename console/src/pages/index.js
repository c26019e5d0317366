// SPDX-License-Identifier: Apache-2.0
//
// THE table of the console's addresses, and the sections of its navigation in their order.
import { ApiClients } from './api-clients.js';
import { ApiConsole } from './api-console.js';
import { Connections } from './connections.js';
import { ExtensionConnector, ExtensionConnectors } from './extension-connectors.js';
import { ExtensionModule, ExtensionModules } from './extension-modules.js';
import { CustomProperties, Extension, ExtensionContents, ExtensionFunction, ExtensionFunctions, Extensions, InstallAction, InstallActions, Publish } from './extensions.js';
import { Keys } from './keys.js';
import { ExtensionDetails, Marketplace } from './marketplace.js';
import { ModuleRecords, OneRecord, Records } from './records.js';
import { Run } from './run.js';
import { Runs } from './runs.js';
import { Actions, ConfigureFunction, OwnFunction, Setup } from './setup.js';
import { Signals } from './signals.js';
import { Users } from './users.js';
import { Widget } from './widget.js';

export const sections = [
  { name: 'Extensions', path: '/extensions' },
  { name: 'Setup', path: '/setup' },
  { name: 'Records', path: '/records' },
  { name: 'Runs', path: '/runs' },
  { name: 'Signals', path: '/signals' },
  { name: 'Keys', path: '/keys' },
  { name: 'API console', path: '/api' },
];

export const pages = [
  ['', Extensions],
  ['/extensions', Extensions],
  ['/extensions/:namespace', Extension],
  ['/extensions/:namespace/functions', ExtensionFunctions],
  ['/extensions/:namespace/functions/:name', ExtensionFunction],
  ['/extensions/:namespace/custom-properties', CustomProperties],
  ['/extensions/:namespace/install-actions', InstallActions],
  ['/extensions/:namespace/install-actions/:action', InstallAction],
  ['/extensions/:namespace/modules', ExtensionModules],
  ['/extensions/:namespace/modules/:name', ExtensionModule],
  ['/extensions/:namespace/connectors', ExtensionConnectors],
  ['/extensions/:namespace/connectors/:name', ExtensionConnector],
  ['/extensions/:namespace/contents', ExtensionContents],
  ['/extensions/:namespace/publish', Publish],
  ['/setup', Setup],
  ['/setup/actions', Actions],
  ['/setup/functions/new', ConfigureFunction],
  ['/setup/functions/:name', OwnFunction],
  ['/setup/users', Users],
  ['/setup/api-clients', ApiClients],
  ['/setup/connections', Connections],
  ['/setup/marketplace', Marketplace],
  ['/setup/marketplace/:namespace', ExtensionDetails],
  ['/records', Records],
  ['/records/:module', ModuleRecords],
  ['/records/:module/:id', OneRecord],
  ['/runs', Runs],
  ['/runs/:id', Run],
  ['/signals', Signals],
  ['/keys', Keys],
  ['/api', ApiConsole],
  ['/widgets/:namespace/:widget', Widget],
];
