// SPDX-License-Identifier: Apache-2.0
//
// For tests of what an author sees: compile a text with a handful of natives, look at what was found. Used by the programs of this folder.
#pragma once

#include "lang/lang.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
// cmocka wants the ones above first
#include <cmocka.h>

static bool answer_null(struct native_call *call)
{
    (void)call;
    return true;
}

static const struct native few_natives[] = {
    {.name = "get",
     .receivers = NATIVE_MAP | NATIVE_TEXT,
     .args_min = 2,
     .args_max = 2,
     .fn = answer_null,
     .signature = "map.get(ANY key) → ANY"},
    {.name = "put", .receivers = NATIVE_MAP, .args_min = 3, .args_max = 3, .fn = answer_null},
    {.name = "length", .receivers = NATIVE_TEXT, .args_min = 1, .args_max = 1, .fn = answer_null, .signature = "text.length() → NUMBER"},
    {.name = "toString", .receivers = NATIVE_ANY, .args_min = 1, .args_max = 2, .fn = answer_null, .signature = "toString(ANY) → TEXT"},
    {.name = "isNull", .receivers = NATIVE_ANY, .args_min = 1, .args_max = 1, .fn = answer_null, .signature = "isNull(ANY) → BOOLEAN"},
    {.name = "zoho.currentdate", .flags = NATIVE_VARIABLE, .fn = answer_null},
    {.name = "today", .flags = NATIVE_VARIABLE, .fn = answer_null},
    {.name = "zoho.crm.getRecordById", .args_min = 2, .args_max = 3, .fn = answer_null},
    {.name = "invokeurl", .args_min = 1, .args_max = 1, .flags = NATIVE_TASK, .fn = answer_null},
    {.name = "sendmail", .args_min = 1, .args_max = 1, .flags = NATIVE_TASK, .fn = answer_null},
};

struct findings {
    struct native_set *natives;
    struct arena texts;
    struct diagnostics list;
    struct unit *unit; // NULL when refused
    struct fail fail;
};

static struct findings found; // of the last compile; closed by the next one

static inline void findings_close(void)
{
    if (found.natives) {
        unit_free(found.unit);
        native_set_free(found.natives);
        arena_free(&found.texts);
    }
    memset(&found, 0, sizeof found);
}

static inline bool compile_view(struct view source, struct lang_options options)
{
    findings_close();
    found.natives = native_set_new();
    assert_non_null(found.natives);
    assert_true(native_set_add(found.natives, few_natives, BASE_COUNT(few_natives), &found.fail));
    arena_init(&found.texts, 1 << 20);
    found.list.arena = &found.texts;
    options.natives = found.natives;
    options.file = "test.dg";
    return lang_compile(source, &options, &found.unit, &found.list, &found.fail);
}

static inline bool compile_text(const char *source, bool strict)
{
    return compile_view(view_of(source), (struct lang_options){.strict = strict, .name = VIEW("ns.test")});
}

// "LINE:COL error|warning: text" of a finding.
static inline const char *finding(int index)
{
    static char line[1024];
    if (index >= found.list.count) {
        return "nothing";
    }
    const struct diagnostic *d = &found.list.items[index];
    snprintf(line, sizeof line, "%d:%d %s: %.*s", d->line, d->column, d->level == DIAGNOSTIC_ERROR ? "error" : "warning",
             VIEW_ARGS(d->text));
    return line;
}

// Compiles without a word.
static inline void accepts(const char *source)
{
    bool done = compile_text(source, false);
    assert_string_equal(finding(0), "nothing");
    assert_true(done);
}

// Compiles, and the first finding is this warning.
static inline void warns(const char *source, const char *expected)
{
    bool done = compile_text(source, false);
    assert_string_equal(finding(0), expected);
    assert_true(done);
}

static inline void refuses_as(bool strict, const char *source, const char *expected)
{
    bool done = compile_text(source, strict);
    const char *first = "nothing";
    for (int i = 0; i < found.list.count; i++) {
        if (found.list.items[i].level == DIAGNOSTIC_ERROR) {
            first = finding(i);
            break;
        }
    }
    assert_string_equal(first, expected);
    assert_false(done);
    assert_int_equal(found.fail.code, FAIL_COMPILE);
}

// Does not compile; the first error is this one.
static inline void refuses(const char *source, const char *expected)
{
    refuses_as(false, source, expected);
}

static inline void refuses_strictly(const char *source, const char *expected)
{
    refuses_as(true, source, expected);
}
