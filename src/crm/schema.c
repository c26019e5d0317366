// SPDX-License-Identifier: Apache-2.0
// The tables that crm keeps beside the modules' own. Module names carry a double underscore when they are an extension's and are fixed when
// they are standard, so no module can take the name of one of these.
#include "crm/given.h"

static const char TABLES[] =
    "CREATE TABLE crm_org (id INTEGER PRIMARY KEY, company_name TEXT NOT NULL, zgid INTEGER NOT NULL, admin_id INTEGER NOT NULL,"
    " time_zone TEXT NOT NULL, primary_email TEXT NOT NULL, currency TEXT NOT NULL, iso_code TEXT NOT NULL, currency_symbol TEXT NOT NULL,"
    " currency_locale TEXT NOT NULL, country_code TEXT NOT NULL, created_time INTEGER NOT NULL);"
    "CREATE TABLE crm_user (id INTEGER PRIMARY KEY, email TEXT NOT NULL, first_name TEXT, last_name TEXT, full_name TEXT NOT NULL,"
    " zuid TEXT NOT NULL, role_id INTEGER NOT NULL, role_name TEXT NOT NULL, profile_id INTEGER NOT NULL, profile_name TEXT NOT NULL,"
    " time_zone TEXT NOT NULL, locale TEXT NOT NULL, status TEXT NOT NULL, confirm INTEGER NOT NULL);"
    "CREATE TABLE crm_module (id INTEGER PRIMARY KEY, api_name TEXT NOT NULL, namespace TEXT NOT NULL, name_field TEXT NOT NULL,"
    " generated_type TEXT NOT NULL, definition TEXT NOT NULL, modified_time INTEGER NOT NULL);"
    "CREATE UNIQUE INDEX crm_module_name ON crm_module (lower(api_name));"
    "CREATE TABLE crm_field (id INTEGER PRIMARY KEY, module_id INTEGER NOT NULL, position INTEGER NOT NULL, api_name TEXT NOT NULL,"
    " namespace TEXT NOT NULL, definition TEXT NOT NULL);"
    "CREATE UNIQUE INDEX crm_field_position ON crm_field (module_id, position);"
    "CREATE TABLE crm_deleted (id INTEGER PRIMARY KEY, module TEXT NOT NULL, deleted_time INTEGER NOT NULL, deleted_by INTEGER NOT NULL);"
    "CREATE INDEX crm_deleted_module ON crm_deleted (module, deleted_time);"
    "CREATE TABLE crm_signal (id INTEGER PRIMARY KEY, signal_namespace TEXT NOT NULL, subject TEXT NOT NULL, message TEXT NOT NULL,"
    " email TEXT, module TEXT, record_id INTEGER, actions TEXT NOT NULL, time INTEGER NOT NULL);";

// Links of related lists that no look-up stores (products of a lead, members of a campaign, contact roles of a deal): a row a pair, found
// from either side. The bytes of attachments. Counters that a limit a day asks for.
static const char LINKS[] =
    "CREATE TABLE crm_relation (id INTEGER PRIMARY KEY, parent_module TEXT NOT NULL, parent_id INTEGER NOT NULL, relation TEXT NOT NULL,"
    " child_module TEXT NOT NULL, child_id INTEGER NOT NULL, fields TEXT NOT NULL);"
    "CREATE UNIQUE INDEX crm_relation_pair ON crm_relation (parent_id, child_id);"
    "CREATE INDEX crm_relation_child ON crm_relation (child_id);"
    "CREATE TABLE crm_file (id INTEGER PRIMARY KEY, type TEXT NOT NULL, content BLOB NOT NULL);"
    "CREATE TABLE crm_counter (name TEXT PRIMARY KEY, day INTEGER NOT NULL, count INTEGER NOT NULL);";

// What listings of deleted records show.
static const char DELETED[] =
    "ALTER TABLE crm_deleted ADD COLUMN display_name TEXT; ALTER TABLE crm_deleted ADD COLUMN created_by INTEGER;";

// Settings of all kinds that are kept as they come (object.h).
static const char OBJECTS[] =
    "CREATE TABLE crm_object (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, module TEXT NOT NULL, name TEXT NOT NULL, definition TEXT NOT "
    "NULL,"
    " created_time INTEGER NOT NULL, created_by INTEGER NOT NULL, modified_time INTEGER NOT NULL, modified_by INTEGER NOT NULL);"
    "CREATE UNIQUE INDEX crm_object_name ON crm_object (kind, module, lower(name))";

// Files that are no attachments: uploads, photos, files of fields (file.h). An attachment owns its bytes.
static const char FILES[] =
    "ALTER TABLE crm_file ADD COLUMN name TEXT; ALTER TABLE crm_file ADD COLUMN handle TEXT; ALTER TABLE crm_file ADD COLUMN owner_id "
    "INTEGER;"
    "ALTER TABLE crm_file ADD COLUMN size INTEGER; ALTER TABLE crm_file ADD COLUMN link TEXT; ALTER TABLE crm_file ADD COLUMN created_time "
    "INTEGER; ALTER TABLE crm_file ADD COLUMN created_by INTEGER; UPDATE crm_file SET owner_id = id;"
    "CREATE UNIQUE INDEX crm_file_handle ON crm_file (handle); CREATE INDEX crm_file_owner ON crm_file (owner_id);";

// What users tell of themselves (user.c).
static const char USERS[] = "ALTER TABLE crm_user ADD COLUMN details TEXT NOT NULL DEFAULT '{}';"
                            "ALTER TABLE crm_user ADD COLUMN created_time INTEGER NOT NULL DEFAULT 0;"
                            "ALTER TABLE crm_user ADD COLUMN created_by INTEGER NOT NULL DEFAULT 0;"
                            "ALTER TABLE crm_user ADD COLUMN modified_time INTEGER NOT NULL DEFAULT 0;"
                            "ALTER TABLE crm_user ADD COLUMN modified_by INTEGER NOT NULL DEFAULT 0";

// Organisations from before there were roles and profiles get them; new ones do when they are seeded.
static bool add_roles(struct tx *tx, void *arg, struct fail *fail)
{
    (void)arg;
    return crm_roles_seed_tx(tx, fail);
}

// What writes have left to do for workflow rules and channels; which rules that run once for a record have run. Bulk jobs with their files
// in pieces.
static const char PENDING[] =
    "CREATE TABLE crm_pending (id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, target INTEGER NOT NULL, rule_id INTEGER NOT NULL,"
    " module TEXT NOT NULL, record_id INTEGER NOT NULL, depth INTEGER NOT NULL, tries INTEGER NOT NULL, taken INTEGER NOT NULL,"
    " due_time INTEGER NOT NULL, details TEXT NOT NULL);"
    "CREATE INDEX crm_pending_due ON crm_pending (due_time, id);"
    "CREATE TABLE crm_rule_done (id INTEGER PRIMARY KEY, rule_id INTEGER NOT NULL, record_id INTEGER NOT NULL);"
    "CREATE UNIQUE INDEX crm_rule_done_pair ON crm_rule_done (rule_id, record_id);"
    "CREATE TABLE crm_bulk_job (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, state TEXT NOT NULL, definition TEXT NOT NULL,"
    " progress TEXT NOT NULL, taken INTEGER NOT NULL, created_time INTEGER NOT NULL, created_by INTEGER NOT NULL);"
    "CREATE INDEX crm_bulk_job_state ON crm_bulk_job (state, id);"
    "CREATE TABLE crm_bulk_file (id INTEGER PRIMARY KEY, name TEXT NOT NULL, bytes INTEGER NOT NULL, created_time INTEGER NOT NULL,"
    " created_by INTEGER NOT NULL);"
    "CREATE TABLE crm_bulk_piece (id INTEGER PRIMARY KEY, file_id INTEGER NOT NULL, number INTEGER NOT NULL, content BLOB NOT NULL);"
    "CREATE UNIQUE INDEX crm_bulk_piece_number ON crm_bulk_piece (file_id, number);";

const struct store_migration crm_migrations[] = {
    {.room = "crm", .version = 1, .sql = TABLES},  {.room = "crm", .version = 2, .sql = LINKS},
    {.room = "crm", .version = 3, .sql = DELETED}, {.room = "crm", .version = 4, .sql = OBJECTS},
    {.room = "crm", .version = 5, .sql = FILES},   {.room = "crm", .version = 6, .sql = USERS, .fn = add_roles},
    {.room = "crm", .version = 7, .sql = PENDING}, {.room = NULL},
};
