// SPDX-License-Identifier: Apache-2.0
//
// Inside crm: what the two kinds of bulk jobs share. A job's row carries what was asked (definition) and how far it came (progress), both
// JSON; each step writes progress, and the piece of the result that goes with it, in one closure, and only while the job is still this
// process's
// (`taken` is the end of its lease and its mark).
#pragma once

#include "crm/automation.h"
#include "crm/shape.h"

enum { BULK_FIELDS_MAX = 200, BULK_JSON_BYTES_MAX = 1 << 20 };

struct bulk_step {
    struct crm_session *session;
    struct crm_bulk job;
    int64_t taken, busy_ms; // the mark before and after
    struct value progress; // of the job's, changed by the step
    struct buffer piece; // of the result, to be added as piece number `piece_number`; empty: none
    int64_t piece_number;
    const char *state; // what the job becomes
    bool ended;
};

static inline int64_t bulk_int(const struct map *progress, const char *key)
{
    return crm_map_int(progress, key, 0);
}
static inline void bulk_set(struct bulk_step *step, const char *key, int64_t number)
{
    shape_put(step->session->heap, step->progress, key, value_number(number));
}

bool bulk_refuse(struct crm_session *session, enum fail_code code, const char *api_name, const char *text, struct fail *fail);
bool bulk_add(struct crm_session *session, const char *kind, struct value definition, int64_t *ret_id, struct fail *fail);
// Commits the step; by itself, or in a closure that does more.
bool bulk_commit(struct bulk_step *step, struct fail *fail);
bool bulk_commit_tx(struct tx *tx, void *step, struct fail *fail);
bool bulk_callback_read(struct crm_session *session, const struct map *request, struct value *ret_callback, struct fail *fail);
bool bulk_read_step(struct bulk_step *step, struct fail *fail);
bool bulk_write_step(struct bulk_step *step, struct fail *fail);
// A field of a CSV line.
void bulk_csv_add(struct buffer *out, struct view text, bool first);
// One CSV file as a zip: what goes before the bytes and behind them. Nothing is packed: a result of any size is written piece by piece.
void bulk_zip_head(struct buffer *out, struct view name, uint32_t crc, uint32_t bytes);
void bulk_zip_tail(struct buffer *out, struct view name, uint32_t crc, uint32_t bytes);
uint32_t bulk_zip_crc(uint32_t crc, struct view bytes);
