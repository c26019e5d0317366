// SPDX-License-Identifier: Apache-2.0
//
// XML from values, as Zoho's toXml does and as executeXPath reads JSON: everything stands in <root>, a key is an element, a list repeats
// the element of its key (spec/deluge-builtins.md §1; Zoho's example has it so). Null prints as null, inner lists are elements named array,
// as org.json writes them. The keys keep their order. GUESS: characters that cannot stand in a name become _.
#include "lib/xml.h"

enum { DEPTH_MAX = 200 }; // libxml2 reads 256

static const char *entity(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&apos;";
    default:
        return NULL;
    }
}

// Control characters have no place in XML and are left out.
void xml_write_text(struct buffer *out, struct view text)
{
    size_t copied = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        const char *name = entity((char)c);
        bool control = c < 0x20 && c != '\t' && c != '\n' && c != '\r';
        if (name == NULL && !control) {
            continue;
        }
        buffer_add(out, view_slice(text, copied, i - copied));
        buffer_add(out, view_of(name));
        copied = i + 1;
    }
    buffer_add(out, view_from(text, copied));
}

static void add_name(struct buffer *out, struct view name)
{
    if (name.len == 0 || (name.data[0] >= '0' && name.data[0] <= '9') || name.data[0] == '-' || name.data[0] == '.') {
        buffer_add_char(out, '_');
    }
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.data[i], low = c | 32;
        bool fits = c >= 0x80 || (low >= 'a' && low <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' || c == ':';
        buffer_add_char(out, fits ? (char)c : '_');
    }
}

static void add_tag(struct buffer *out, struct view name, bool end)
{
    buffer_add(out, end ? VIEW("</") : VIEW("<"));
    add_name(out, name);
    buffer_add_char(out, '>');
}

static bool add_scalar(struct native_call *call, struct buffer *out, struct value v)
{
    struct buffer text;
    if (v.type == VALUE_TEXT) {
        xml_write_text(out, value_view(v));
        return true;
    }
    lib_buffer(call, &text);
    bool ok = v.type == VALUE_NULL || value_print(&text, v, call->heap->zone, call->fail);
    if (ok) {
        xml_write_text(out, v.type == VALUE_NULL ? VIEW("null") : buffer_view(&text));
    }
    buffer_free(&text);
    return ok;
}

static bool add_element(struct native_call *call, struct buffer *out, struct view name, struct value v, int depth);

static bool add_items(struct native_call *call, struct buffer *out, struct view name, const struct list *list, int depth)
{
    for (uint32_t i = 0; i < list->count; i++) {
        if (!add_element(call, out, name, list->items[i], depth + 1)) {
            return false;
        }
    }
    return true;
}

static bool add_entries(struct native_call *call, struct buffer *out, const struct map *map, int depth)
{
    uint32_t cursor = 0;
    for (struct map_entry *entry; (entry = map_next(map, &cursor)) != NULL;) {
        struct value key = entry->key;
        if (key.type != VALUE_TEXT) {
            key = value_to_text(call->heap, key, call->fail);
            if (key.type != VALUE_TEXT) {
                return call->heap->failed ? lib_memory_fail(call) : false;
            }
        }
        struct list *list = value_as_list(entry->value);
        bool ok = list != NULL ? add_items(call, out, value_view(key), list, depth + 1)
                               : add_element(call, out, value_view(key), entry->value, depth + 1);
        if (!ok) {
            return false;
        }
    }
    return true;
}

// Recursive, to DEPTH_MAX; a list that holds itself ends there.
static bool add_element(struct native_call *call, struct buffer *out, struct view name, struct value v, int depth)
{
    if (depth > DEPTH_MAX) {
        return native_fail(call, "the value is nested deeper than %d levels", DEPTH_MAX);
    }
    if (out->failed) {
        return lib_memory_fail(call);
    }
    if (lib_interrupted(call)) {
        return false;
    }
    v = value_resolve(v);
    struct map *map = value_as_map(v);
    struct list *list = value_as_list(v);
    add_tag(out, name, false);
    bool ok = true;
    if (map != NULL) {
        ok = add_entries(call, out, map, depth);
    } else if (list != NULL) {
        ok = add_items(call, out, VIEW("array"), list, depth);
    } else if (v.type != VALUE_FRESH && v.type != VALUE_COLLECTION) { // what is left of these is empty
        ok = add_scalar(call, out, v);
    }
    add_tag(out, name, true);
    return ok;
}

struct writing {
    struct native_call *call;
    struct buffer *out;
    struct value value;
    bool ok;
};

static void run_writing(void *arg)
{
    struct writing *writing = arg;
    writing->ok = add_element(writing->call, writing->out, VIEW("root"), writing->value, 0);
}

// Two hundred levels are more than a fiber's stack holds.
bool xml_write(struct native_call *call, struct buffer *out, struct value v)
{
    struct writing writing = {.call = call, .out = out, .value = v};
    if (!foreign_run(call, run_writing, &writing, false)) {
        return false;
    }
    lib_cost_bytes(call, out->len * 4);
    return writing.ok && (!out->failed || lib_memory_fail(call));
}
