// SPDX-License-Identifier: Apache-2.0
// Bulk jobs at work: one fiber an environment does one job after the other, a step at a time, with a turn for the others between steps. How
// far a job came is committed with each step (crm's bulk.c), so the next server goes on where this one ended. Also the zips that come in
// and go out.
#include "host/automation.h"
#include "lib/lib.h"

#include <stdlib.h>

enum {
    STEP_HEAP_BYTES_MAX = 256 << 20,
    LEASE_MS = 30000, // a step takes far less
    UNPACKED_BYTES_MAX = 64 << 20, // of an upload
    STEP_TRIES = 3,
};

// ---- work ---------------------------------------------------------------------------------------

static bool do_step(struct host_env *env, int64_t id, bool *ret_ended, struct fail *fail)
{
    struct crm_session session;
    struct heap heap;
    heap_init(&heap, STEP_HEAP_BYTES_MAX, NULL);
    bool ok = crm_session_open(env->crm, &heap, &session, fail);
    if (ok) {
        heap.zone = crm_zone(&session);
        ok = crm_bulk_step(&session, id, clock_wall_ms() + LEASE_MS, ret_ended, fail);
        crm_session_close(&session);
    }
    heap_free(&heap);
    return ok;
}

// What is wrong with the request or the file ends the job; what is wrong with the machine is tried again.
static bool ends_job(const struct fail *fail, int tries)
{
    return fail->code != FAIL_CANCELLED && (fail_status(fail->code) < 500 || tries >= STEP_TRIES);
}

// False: the process ends, or the job is somebody else's now.
static bool do_job(struct host_env *env, int64_t id)
{
    bool ended = false;
    int tries = 0;
    struct fail fail;
    while (!ended && !env->host->automation.closing) {
        fail_clear(&fail);
        bool ok = do_step(env, id, &ended, &fail);
        tries = ok ? 0 : tries + 1;
        if (!ok && !ends_job(&fail, tries) && fail.code == FAIL_CANCELLED) {
            return false;
        }
        if (!ok && ends_job(&fail, tries)) {
            char reason[FAIL_TEXT_MAX];
            snprintf(reason, sizeof reason, "%s", fail_status(fail.code) < 500 ? fail.text : fail_default_text(FAIL_INTERNAL));
            log_line(LOG_WARN, "bulk", "org=%s job=%lld %s", env->org, (long long)id, fail.text);
            return crm_bulk_fail(env->crm, id, view_of(reason), &fail);
        }
        if (!loop_yield(&fail)) {
            return false;
        }
    }
    return ended;
}

static void bulk_fiber(void *arg)
{
    struct host_env *env = arg;
    struct host *host = env->host;
    struct fail fail;
    int64_t id = 0;
    bool ok = true;
    while (ok && !host->automation.closing) {
        fail_clear(&fail);
        ok = crm_bulk_take(env->crm, clock_wall_ms() + LEASE_MS, &id, &fail);
        if (!ok && fail.code != FAIL_CANCELLED) {
            log_line(LOG_ERROR, "bulk", "org=%s %s", env->org, fail.text);
        }
        if (!ok || !id) {
            break;
        }
        ok = do_job(env, id);
        env->bulk_left = host->automation.closing ? id : 0;
    }
    env->bulk_running = false;
    automation_finish(host);
}

void bulk_look(struct host_env *env)
{
    struct fail fail;
    if (env->bulk_running || env->host->automation.closing) {
        return;
    }
    env->bulk_running = true;
    env->host->automation.fibers++;
    if (!loop_spawn(bulk_fiber, env, &fail)) {
        env->bulk_running = false;
        env->host->automation.fibers--;
        log_line(LOG_ERROR, "bulk", "org=%s %s", env->org, fail.text);
    }
}

// ---- zips that come in --------------------------------------------------------------------------

struct unpacking {
    struct heap *heap;
    struct view zip;
    struct map *files;
    bool ok;
    struct fail *fail;
};

static void unpack_job(void *arg)
{
    struct unpacking *unpacking = arg;
    unpacking->ok = lib_archive_extract(unpacking->heap, unpacking->zip, UNPACKED_BYTES_MAX, &unpacking->files, unpacking->fail);
}

// What macOS and others put beside a file is passed over.
static bool find_csv(const struct map *files, struct view *ret_name, struct view *ret_bytes, struct fail *fail)
{
    uint32_t cursor = 0;
    int count = 0;
    for (struct map_entry *entry; (entry = map_next(files, &cursor));) {
        struct view name = value_view_or(entry->key, VIEW(""));
        if (view_starts(name, VIEW("__MACOSX/")) || entry->value.type != VALUE_FILE || view_ends(name, VIEW("/"))) {
            continue;
        }
        *ret_name = name;
        *ret_bytes = entry->value.file->bytes;
        count++;
    }
    if (count != 1) {
        return fail_set(fail, FAIL_INVALID_DATA, "the zip must hold one CSV file");
    }
    return view_ends(*ret_name, VIEW(".csv")) || fail_set(fail, FAIL_INVALID_DATA, "the file in the zip is no .csv");
}

bool host_bulk_upload(struct host *host, const struct identity *who, struct crm_session *session, struct view zip, int64_t *ret_file_id,
                      struct fail *fail)
{
    struct heap heap;
    struct view name, bytes;
    heap_init(&heap, UNPACKED_BYTES_MAX + (8 << 20), NULL);
    struct unpacking unpacking = {.heap = &heap, .zip = zip, .fail = fail};
    (void)host;
    (void)who;
    bool ran = loop_fiber() ? loop_job(unpack_job, &unpacking, fail) : (unpack_job(&unpacking), true);
    bool ok =
        ran && unpacking.ok && find_csv(unpacking.files, &name, &bytes, fail) && crm_bulk_file_add(session, name, bytes, ret_file_id, fail);
    heap_free(&heap);
    return ok;
}

// ---- and go out ---------------------------------------------------------------------------------

struct sending {
    struct crm *crm;
    int64_t file_id, number;
    struct buffer piece;
};

static bool next_piece(void *arg, struct view *ret_piece)
{
    struct sending *sending = arg;
    struct fail fail;
    buffer_reset(&sending->piece);
    fail_clear(&fail);
    if (!crm_bulk_file_piece(sending->crm, sending->file_id, sending->number++, &sending->piece, &fail)) {
        return false;
    }
    *ret_piece = buffer_view(&sending->piece);
    return true;
}

static void end_sending(void *arg)
{
    struct sending *sending = arg;
    buffer_free(&sending->piece);
}

bool host_bulk_send(struct host *host, struct exchange *exchange, int64_t file_id, struct fail *fail)
{
    struct host_env *env;
    int64_t bytes;
    struct sending *sending = arena_alloc(exchange->arena, sizeof *sending);
    if (!sending) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    if (!host_env_of(host, &exchange->identity, &env, fail) || !crm_bulk_file_size(env->crm, file_id, &bytes, fail)) {
        return false;
    }
    *sending = (struct sending){.crm = env->crm, .file_id = file_id};
    buffer_init(&sending->piece, 32 << 20);
    exchange->reply_length = bytes;
    exchange->reply_next = next_piece;
    exchange->reply_end = end_sending;
    exchange->reply_arg = sending;
    return true;
}
