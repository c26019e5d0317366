// SPDX-License-Identifier: Apache-2.0
//
// Inside crm: one SELECT whose rows become maps. Lists and single records (read.c) and COQL (coql_run.c) fill it and run it.
#pragma once

#include "crm/record.h"

struct crm_reader {
    struct crm_session *session;
    const struct crm_module *module;
    const struct crm_selection *selection;
    struct crm_selection *own; // the selection, when it is this read's alone
    struct value *keys; // of the selection's columns
    const char *text; // the statement, when it is not sql.text
    struct crm_sql sql;
    bool ids_only; // look-ups show as {"id"}
    struct value name_key, id_key, email_key;
    struct buffer scratch;
    // results
    struct value list;
    int limit;
    bool more;
    int64_t number;
};

// Owns nothing but two buffers and perhaps a selection: crm_reader_close on every path.
void crm_reader_open(struct crm_reader *reader, struct crm_session *session, const struct crm_module *module, struct arena *arena);
void crm_reader_close(struct crm_reader *reader);
// Room for the selection's keys, which the caller fills, and for about `rows` results.
bool crm_reader_keys(struct crm_reader *reader, size_t rows, struct fail *fail);
// Runs the statement; at most `limit` rows are kept, `more` says that there was another.
bool crm_reader_run(struct crm_reader *reader, struct fail *fail);
