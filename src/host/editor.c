// SPDX-License-Identifier: Apache-2.0
//
// What an editor of scripts asks while somebody types: what is wrong and where, which arguments the function takes, its canonical layout,
// and the tables of what there is to call. Nothing runs and nothing is kept. Compiling needs a big stack, so it is a job.
#include "host/inside.h"

#include <stdlib.h>

static void put(struct heap *heap, struct value map, const char *name, struct value value)
{
    if (map.type == VALUE_MAP) {
        map_put_text(heap, map.map, view_of(name), value);
    }
}

// ---- checking -----------------------------------------------------------------------------------

struct checking {
    struct view source, name;

    struct heap *heap;
    struct diagnostics *found;
    struct value functions;
    struct fail fail; // of the compiler
    bool ok;
};

static struct value describe_function(struct heap *heap, const struct lang_function_info *info)
{
    struct value map = value_map(heap, 3), arguments = value_list(heap, (size_t)info->parameter_count + 1);
    for (int i = 0; arguments.type == VALUE_LIST && i < info->parameter_count; i++) {
        struct value item = value_map(heap, 2);
        put(heap, item, "name", value_text(heap, info->parameters[i].name));
        put(heap, item, "type", value_text(heap, info->parameters[i].type));
        list_add(heap, arguments.list, item);
    }
    put(heap, map, "name", value_text(heap, info->name));
    put(heap, map, "return_type", value_text(heap, info->return_type));
    put(heap, map, "arguments", arguments);
    return map;
}

static void check_job(void *arg)
{
    struct checking *checking = arg;
    struct unit *unit;
    struct lang_options options = {.natives = host_natives(), .file = "script", .name = checking->name};
    checking->ok = lang_compile(checking->source, &options, &unit, checking->found, &checking->fail);
    for (int i = 0; checking->ok && checking->functions.type == VALUE_LIST && i < unit_function_count(unit); i++) {
        struct lang_function_info info = lang_function_info(unit_function(unit, i));
        list_add(checking->heap, checking->functions.list, describe_function(checking->heap, &info));
    }
    if (checking->ok) {
        unit_free(unit);
    }
}

static void add_finding(struct heap *heap, struct value list, const struct diagnostic *item)
{
    struct value map = value_map(heap, 5);
    put(heap, map, "line", value_number(item->line));
    put(heap, map, "column", value_number(item->column));
    put(heap, map, "severity", value_text(heap, item->level == DIAGNOSTIC_ERROR ? VIEW("error") : VIEW("warning")));
    put(heap, map, "message", value_text(heap, item->text));
    put(heap, map, "hint", value_text(heap, item->hint));
    if (list.type == VALUE_LIST) {
        list_add(heap, list.list, map);
    }
}

struct value editor_findings(struct heap *heap, const struct diagnostics *found, bool compiled, const struct fail *why)
{
    struct value list = value_list(heap, 4);
    for (int i = 0; i < found->count; i++) {
        add_finding(heap, list, &found->items[i]);
    }
    if (!compiled && found->errors == 0) {
        struct diagnostic item = {.level = DIAGNOSTIC_ERROR,
                                  .line = why->line > 0 ? why->line : 1,
                                  .column = why->column > 0 ? why->column : 1,
                                  .text = view_of(why->text),
                                  .hint = VIEW("")};
        add_finding(heap, list, &item);
    }
    return list;
}

// `name` is what a body without a header is called: "standalone.script".
bool host_editor_check(struct view source, struct view name, struct heap *heap, struct value *ret_reply, struct fail *fail)
{
    struct arena arena;
    struct checking checking = {.source = source, .name = name, .heap = heap, .found = calloc(1, sizeof *checking.found)};
    if (!checking.found) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    arena_init(&arena, 1 << 20);
    fail_clear(&checking.fail);
    checking.found->arena = &arena;
    checking.functions = value_list(heap, 2);
    bool ran = loop_fiber() ? loop_job(check_job, &checking, fail) : (check_job(&checking), true);
    struct value reply = value_map(heap, 2);
    if (ran) {
        put(heap, reply, "diagnostics", editor_findings(heap, checking.found, checking.ok, &checking.fail));
        put(heap, reply, "functions", checking.functions);
    }
    arena_free(&arena);
    free(checking.found);
    *ret_reply = reply;
    return ran;
}

// ---- layout -------------------------------------------------------------------------------------

struct formatting {
    struct view source;
    struct buffer *out;
    struct fail *fail;
    bool ok;
};

static void format_job(void *arg)
{
    struct formatting *formatting = arg;
    formatting->ok = lang_format(formatting->source, formatting->out, NULL, formatting->fail);
}

bool host_editor_format(struct view source, struct heap *heap, struct value *ret_reply, struct fail *fail)
{
    struct buffer out;
    struct formatting formatting = {.source = source, .out = &out, .fail = fail};
    buffer_init(&out, SOURCE_BYTES_MAX + 1);
    bool ran = loop_fiber() ? loop_job(format_job, &formatting, fail) : (format_job(&formatting), true);
    bool ok = ran && formatting.ok;
    *ret_reply = value_map(heap, 1);
    if (ok) {
        put(heap, *ret_reply, "source", value_text(heap, buffer_view(&out)));
    } else if (ran && fail->code == FAIL_COMPILE) {
        fail_set(fail, FAIL_INVALID_DATA, "A script with errors cannot be formatted; see Problems.");
    }
    buffer_free(&out);
    return ok;
}

// ---- tables -------------------------------------------------------------------------------------

static const char *const words[] = {"break", "catch",  "continue", "each",      "else", "for",      "if",       "in",     "index",
                                    "info",  "return", "try",      "invokeurl", "null", "sendmail", "string",   "map",    "list",
                                    "int",   "true",   "false",    "bool",      "void", "date",     "datetime", "decimal"};

// What stands before the dot: "text" of "text.subString(…)". A plain function has nothing there.
static struct view receiver_of(const struct native *row)
{
    struct view signature = view_of(row->signature ? row->signature : "");
    struct view head = view_cut(&signature, '(');
    return row->receivers && view_find(head, VIEW(".")) > 0 ? view_cut(&head, '.') : VIEW("");
}

static struct value describe_row(struct heap *heap, const struct native *row)
{
    struct value map = value_map(heap, 4);
    put(heap, map, "name", value_text(heap, view_of(row->name)));
    put(heap, map, "receiver", value_text(heap, receiver_of(row)));
    put(heap, map, "signature", value_text(heap, view_of(row->signature ? row->signature : row->name)));
    put(heap, map, "doc", value_text(heap, view_of(row->doc ? row->doc : "")));
    return map;
}

void host_editor_language(struct heap *heap, struct value *ret_reply)
{
    const struct native_set *set = host_natives();
    struct value keywords = value_list(heap, BASE_COUNT(words)), rows = value_list(heap, native_set_count(set));
    for (size_t i = 0; keywords.type == VALUE_LIST && i < BASE_COUNT(words); i++) {
        list_add(heap, keywords.list, value_text(heap, view_of(words[i])));
    }
    for (size_t i = 0; rows.type == VALUE_LIST && i < native_set_count(set); i++) {
        const struct native *row = native_set_at(set, i);
        if (!strchr(row->name, '*')) { // answers for tasks that no row has
            list_add(heap, rows.list, describe_row(heap, row));
        }
    }
    *ret_reply = value_map(heap, 2);
    put(heap, *ret_reply, "keywords", keywords);
    put(heap, *ret_reply, "builtins", rows);
}
