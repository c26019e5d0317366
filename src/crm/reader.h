// SPDX-License-Identifier: Apache-2.0
//
// Inside crm: one SELECT whose rows become maps. Lists and single records (read.c) and COQL (coql_run.c) fill it and run it.
#pragma once

#include "crm/record.h"

struct crm_reader {
    struct crm_session *session;
    struct heap *heap; // where values are made: the session's, or that of the row that is being written
    const struct crm_module *module;
    const struct zone *zone; // in which times are shown
    const struct crm_selection *selection;
    struct crm_selection *own; // the selection, when it is this read's alone
    struct value *keys; // of the selection's columns
    const char *text; // the statement, when it is not sql.text
    struct crm_sql sql;
    bool ids_only; // look-ups show as {"id"}
    bool single; // one record, with all there is of it
    bool paged; // the end of the list goes into session->cursor
    const struct crm_field *sort; // NULL: by id
    bool ascending;
    struct value name_key, id_key, email_key;
    struct value tags; // those that this read has met
    struct buffer scratch;
    // results
    struct value list; // or:
    struct crm_written *written;
    size_t written_before; // bytes of written->text that are not ours
    int limit, count;
    int64_t last_id; // of the last row, when paged
    bool more;
    int64_t number;
};

// Owns nothing but two buffers and perhaps a selection: crm_reader_close on every path.
void crm_reader_open(struct crm_reader *reader, struct crm_session *session, const struct crm_module *module, struct arena *arena);
void crm_reader_close(struct crm_reader *reader);
// Room for the selection's keys, which the caller fills, and for about `rows` results.
bool crm_reader_keys(struct crm_reader *reader, size_t rows, struct fail *fail);
// ---- system.c -----------------------------------------------------------------------------------

// Adds the `$` keys to a whole record; `rows` stands at its row.
void crm_record_system(const struct crm_reader *reader, struct value record, struct rows *rows);

// ---- page.c -------------------------------------------------------------------------------------

bool crm_page_sort(struct crm_reader *reader, const struct crm_query *query, struct fail *fail); // chooses the order
// Adds the condition that goes on behind query->cursor; `bare`: the statement has no conditions yet.
bool crm_page_behind(struct crm_reader *reader, const struct crm_query *query, bool bare, struct fail *fail);
void crm_page_order(struct crm_reader *reader); // adds ORDER BY
bool crm_page_limit(struct crm_reader *reader, const struct crm_query *query, struct fail *fail); // adds LIMIT and OFFSET
// session->cursor for going on behind the record.
bool crm_page_cursor(struct tx *tx, struct crm_reader *reader, int64_t last_id, struct fail *fail);

// Runs the statement; at most `limit` rows are kept, `more` says that there was another.
bool crm_reader_run(struct crm_reader *reader, struct fail *fail);
