// SPDX-License-Identifier: Apache-2.0
//
// What the programs of test/unit/crm share: a fresh organisation in memory or in a folder, a session on a fiber, and JSON in and out, so
// that a test reads like a request and its answer.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#include "crm/crm.h"
#include "loop/loop.h"

#define UNUSED __attribute__((unused))

struct fixture {
    struct store *store;
    struct store_env *env;
    struct crm *crm;
    struct heap heap;
    struct crm_session session;
    struct fail fail;
    void (*test)(struct fixture *f);
    const char *folder; // NULL: in memory
};

// Assertions inside a fiber are kept and told after the loops ended: cmocka's longjmp does not leave a fiber.
static char first_wrong[4096];

UNUSED static bool expect_at(bool so, int line, const char *what, const char *detail)
{
    if (!so && !first_wrong[0]) {
        snprintf(first_wrong, sizeof first_wrong, "line %d: %.1500s (%.2500s)", line, what, detail ? detail : "");
    }
    return so;
}
#define EXPECT(what) expect_at((what), __LINE__, #what, NULL)
#define EXPECT_OK(what) expect_at((what), __LINE__, #what, f->fail.text)
#define EXPECT_FAIL(what, expected) expect_at(!(what) && f->fail.code == (expected), __LINE__, #what, f->fail.text)

// ---- JSON ---------------------------------------------------------------------------------------

UNUSED static struct value read_json(struct fixture *f, const char *text)
{
    struct value v = value_null();
    expect_at(json_read(&f->heap, view_of(text), &v, &f->fail), __LINE__, text, f->fail.text);
    return v;
}

UNUSED static const char *write_json(struct value v)
{
    static char text[65536];
    struct fail fail = {0};
    struct buffer out;
    buffer_init(&out, sizeof text - 1);
    snprintf(text, sizeof text, "%s", json_write(&out, v, NULL, &fail) ? buffer_text(&out) : fail.text);
    buffer_free(&out);
    return text;
}

UNUSED static void expect_json_at(struct value v, const char *expected, int line)
{
    const char *text = write_json(v);
    expect_at(strcmp(text, expected) == 0, line, expected, text);
}
#define EXPECT_JSON(value, expected) expect_json_at((value), (expected), __LINE__)

UNUSED static struct value at(struct value list, uint32_t index)
{
    struct list *items = value_as_list(list);
    return items && index < items->count ? items->items[index] : value_null();
}

// "details.id" → the value there.
UNUSED static struct value get(struct value v, const char *path)
{
    struct view rest = view_of(path);
    while (rest.len) {
        struct map *map = value_as_map(v);
        struct view key = view_cut(&rest, '.');
        v = map ? map_get_text(map, key) : value_null();
    }
    return v;
}

UNUSED static bool is_text(struct value v, const char *text)
{
    return v.type == VALUE_TEXT && view_eq(value_view(v), view_of(text));
}

UNUSED static uint32_t count_of(struct value v)
{
    struct list *list = value_as_list(v);
    return list ? list->count : 0;
}

// ---- records ------------------------------------------------------------------------------------

UNUSED static struct value insert(struct fixture *f, const char *module, const char *rows)
{
    struct value results = value_null();
    expect_at(crm_records_insert(&f->session, view_of(module), read_json(f, rows), &results, &f->fail), __LINE__, rows, f->fail.text);
    return results;
}

UNUSED static int64_t id_of(struct value result)
{
    int64_t id = 0;
    crm_id_read(get(result, "details.id"), &id);
    return id;
}

// Inserts one row that must be fine; its id.
UNUSED static int64_t add(struct fixture *f, const char *module, const char *row)
{
    char rows[4096];
    snprintf(rows, sizeof rows, "[%s]", row);
    struct value result = at(insert(f, module, rows), 0);
    expect_at(is_text(get(result, "code"), "SUCCESS"), __LINE__, row, write_json(result));
    return id_of(result);
}

UNUSED static struct value fetch(struct fixture *f, const char *module, int64_t id)
{
    struct value record = value_null();
    expect_at(crm_record_get(&f->session, view_of(module), id, &record, &f->fail), __LINE__, module, f->fail.text);
    return record;
}

UNUSED static struct value update(struct fixture *f, const char *module, int64_t id, const char *fields)
{
    char rows[4096];
    struct value results = value_null();
    snprintf(rows, sizeof rows, "[{\"id\":\"%lld\"%s%s}]", (long long)id, *fields ? "," : "", fields);
    expect_at(crm_records_update(&f->session, view_of(module), read_json(f, rows), &results, &f->fail), __LINE__, rows, f->fail.text);
    return at(results, 0);
}

UNUSED static struct value search(struct fixture *f, const char *module, const char *criteria)
{
    struct crm_query query = {.criteria = view_of(criteria)};
    struct value list = value_null();
    bool more;
    expect_at(crm_records_list(&f->session, view_of(module), &query, &list, &more, &f->fail), __LINE__, criteria, f->fail.text);
    return list;
}

// ---- running ------------------------------------------------------------------------------------

static bool seed_closure(struct tx *tx, void *arg, struct fail *fail)
{
    return crm_seed_tx(tx, arg, fail);
}

static bool open_fixture(struct fixture *f)
{
    struct crm_new_org org = {.company_name = VIEW("Acme"),
                              .admin_email = VIEW("ada@acme.example"),
                              .admin_first_name = VIEW("Ada"),
                              .admin_last_name = VIEW("Admin"),
                              .time_zone = VIEW("Asia/Kolkata"),
                              .zgid = 60001234567};
    heap_init(&f->heap, 256 << 20, NULL);
    return store_open(f->folder, STORE_SYNC_NORMAL, &f->store, &f->fail) &&
           store_env_open(f->store, "orgs/acme/production", true, crm_migrations, NULL, &f->env, &f->fail) &&
           store_write(f->env, seed_closure, &org, &f->fail) && crm_open(f->env, &f->crm, &f->fail) &&
           crm_session_open(f->crm, &f->heap, &f->session, &f->fail);
}

static void run_fixture(void *arg)
{
    struct fixture *f = arg;
    if (EXPECT_OK(open_fixture(f))) {
        f->test(f);
        crm_session_close(&f->session);
    }
    crm_close(f->crm);
    store_close(f->store);
    heap_free(&f->heap);
    loop_stop();
}

UNUSED static void run_with(void (*test)(struct fixture *f), const char *folder, int workers)
{
    struct fixture f = {.test = test, .folder = folder};
    struct fail fail = {0};
    char wrong[sizeof first_wrong];
    assert_true(loop_start(workers, &fail));
    assert_true(loop_run(run_fixture, &f, &fail));
    memcpy(wrong, first_wrong, sizeof wrong);
    first_wrong[0] = 0;
    assert_string_equal(wrong, "");
}

UNUSED static void run(void (*test)(struct fixture *f))
{
    run_with(test, NULL, 1);
}

UNUSED static void remove_below(const char *path)
{
    DIR *dir = opendir(path);
    for (struct dirent *entry = dir ? readdir(dir) : NULL; entry; entry = readdir(dir)) {
        char below[1024];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        snprintf(below, sizeof below, "%s/%s", path, entry->d_name);
        if (entry->d_type == DT_DIR) {
            remove_below(below); // as deep as the test made folders
        } else {
            unlink(below);
        }
    }
    if (dir) {
        closedir(dir);
    }
    rmdir(path);
}

// The same in a data folder on disk, with two loops.
UNUSED static void run_on_disk(void (*test)(struct fixture *f))
{
    char folder[512], data[600];
    const char *base = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/sluice-crm-XXXXXX", base ? base : "/tmp");
    assert_non_null(mkdtemp(folder));
    snprintf(data, sizeof data, "%s/data", folder);
    run_with(test, data, 2);
    remove_below(folder);
}

// A test `name` is a function test_name(struct fixture *) that runs on a fiber.
#define ON_FIBER(name)                                                                                                                     \
    static void run_##name(void **state)                                                                                                   \
    {                                                                                                                                      \
        (void)state;                                                                                                                       \
        run(test_##name);                                                                                                                  \
    }
