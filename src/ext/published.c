// SPDX-License-Identifier: Apache-2.0
// Published versions, in the data base `control`: all orgs install from here. A version's files are kept as they were published and never
// change; what an org has installed is a copy of its own (installed.c).
#include "ext/inside.h"

const struct store_migration ext_control_migrations[] = {
    {.room = "ext",
     .version = 1,
     .sql = "CREATE TABLE ext_published (namespace TEXT NOT NULL, version TEXT NOT NULL, name TEXT NOT NULL, portal TEXT NOT NULL, digest"
            " TEXT NOT NULL, published_ms INTEGER NOT NULL, PRIMARY KEY (namespace, version));"
            "CREATE TABLE ext_published_file (namespace TEXT NOT NULL, version TEXT NOT NULL, path TEXT NOT NULL, bytes BLOB NOT NULL,"
            " PRIMARY KEY (namespace, version, path))"},
    {.room = NULL},
};
