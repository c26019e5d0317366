// SPDX-License-Identifier: Apache-2.0
//
// Text that holds JSON or a list: toMap, toList, toJSONList, toListString, getJSON, and get on a text. Zoho passes maps and lists through
// `string` functions and request bodies as text, and goes on to use them as maps and lists (spec/deluge-language.md §9.2), so all of these
// take both forms.
#include "lib/inside.h"

static const char json_text[] = "Invalid JSON Format String"; // spec/deluge-builtins.md §12

bool lib_json(struct native_call *call, struct view text, struct value *ret_value)
{
    if (text.len > LIB_JSON_BYTES_MAX) {
        return native_fail(call, "%s: the text is larger than 5 MB", json_text);
    }
    lib_cost_bytes(call, text.len);
    struct fail ignored = {0};
    if (json_read(call->heap, text, ret_value, &ignored)) {
        return true;
    }
    // Lenient reading takes almost anything in braces; a text that does not look like JSON at all is refused before.
    if (json_looks_like(text) && json_read_lenient(call->heap, text, ret_value, &ignored)) {
        return true;
    }
    return call->heap->failed ? lib_memory_fail(call) : native_fail(call, "%s", json_text);
}

// ---- maps ---------------------------------------------------------------------------------------

// A map, or a collection of pairs, is returned as it is and stays shared.
static bool json_to_map(struct native_call *call)
{
    struct value v = call->args[0], read;
    struct map *map = value_as_map(v);
    if (map != NULL) {
        return lib_return(call, (struct value){.type = VALUE_MAP, .map = map});
    }
    if (v.type == VALUE_FRESH || v.type == VALUE_COLLECTION) {
        return lib_map(call, 0, &map) && lib_return(call, (struct value){.type = VALUE_MAP, .map = map});
    }
    if (!lib_json(call, value_view(v), &read)) {
        return false;
    }
    if (read.type != VALUE_MAP) {
        return native_fail(call, "%s", json_text);
    }
    return lib_return(call, read);
}

// An element of a text that holds JSON: by number of an array, by key of an object; null if it has none.
static bool json_get(struct native_call *call)
{
    struct value read, key = call->args[1];
    if (!lib_json(call, value_view(call->args[0]), &read)) {
        return false;
    }
    if (read.type == VALUE_LIST) {
        uint32_t index = 0;
        return lib_list_at(call, read.list, 1, &index) && lib_return(call, read.list->items[index]);
    }
    if (read.type != VALUE_MAP) {
        return native_fail(call, "%s", json_text);
    }
    struct value found = value_null();
    lib_map_find(call, read.map, key, &found);
    return lib_return(call, found);
}

// How many elements the array or object in a text has: lists come back from `string` functions as text.
static bool json_size(struct native_call *call)
{
    struct value read;
    if (!lib_json(call, value_view(call->args[0]), &read)) {
        return false;
    }
    if (read.type != VALUE_LIST && read.type != VALUE_MAP) {
        return native_fail(call, "%s", json_text);
    }
    return lib_return_number(call, read.type == VALUE_LIST ? read.list->count : read.map->count);
}

// As get, but scalars of a text come as text (spec/deluge-builtins.md §1).
static bool json_get_json(struct native_call *call)
{
    struct value found = value_null();
    struct map *map = value_as_map(call->args[0]);
    if (map != NULL) {
        lib_map_find(call, map, call->args[1], &found);
        return lib_return(call, found);
    }
    if (!json_get(call)) {
        return false;
    }
    found = *call->ret;
    if (found.type == VALUE_NUMBER || found.type == VALUE_DECIMAL || found.type == VALUE_BOOL) {
        found = value_to_text(call->heap, found, call->fail);
    }
    return found.type != VALUE_NULL || !call->heap->failed ? lib_return(call, found) : lib_memory_fail(call);
}

// ---- lists --------------------------------------------------------------------------------------

// Single ASCII characters cost no memory: the loop idiom splits texts of thousands of blanks.
static bool push_text(struct native_call *call, struct list *list, struct view piece)
{
    struct value v =
        piece.len == 1 && (unsigned char)piece.data[0] < 0x80 ? lib_byte_text((unsigned char)piece.data[0]) : value_text(call->heap, piece);
    return v.type == VALUE_TEXT ? lib_push(call, list, v) : lib_memory_fail(call);
}

// One element per UTF-16 character; a pair stays one element, since half of it is no text.
static bool split_characters(struct native_call *call, struct view text, struct list *list)
{
    size_t steps = 0;
    for (size_t i = 0; i < text.len; steps++) {
        size_t start = i;
        utf8_next(text, &i);
        if (lib_interrupted(call) || !push_text(call, list, (struct view){text.data + start, i - start})) {
            return false;
        }
    }
    lib_cost_elements(call, steps);
    return true;
}

// Literal separator; neighbours give empty elements.
static bool split_text(struct native_call *call, struct view text, struct view separator, struct list *list)
{
    if (separator.len == 0) {
        return split_characters(call, text, list);
    }
    size_t steps = 0;
    for (;; steps++) {
        ptrdiff_t at = view_find(text, separator);
        struct view piece = at < 0 ? text : view_slice(text, 0, (size_t)at);
        if (lib_interrupted(call) || !push_text(call, list, piece)) {
            return false;
        }
        if (at < 0) {
            break;
        }
        text = view_from(text, (size_t)at + separator.len);
    }
    lib_cost_elements(call, steps);
    return true;
}

// Texts of a list of maps as they print, `{…},{…}`, and JSON arrays.
static bool read_json_list(struct native_call *call, struct view text, struct value *ret_list)
{
    struct fail ignored = {0};
    if (text.len > LIB_JSON_BYTES_MAX) {
        return false;
    }
    if (text.data[0] == '[') {
        return (json_read(call->heap, text, ret_list, &ignored) || json_read_lenient(call->heap, text, ret_list, &ignored)) &&
               ret_list->type == VALUE_LIST;
    }
    struct buffer wrapped;
    lib_buffer(call, &wrapped);
    buffer_add_char(&wrapped, '[');
    buffer_add(&wrapped, text);
    buffer_add_char(&wrapped, ']');
    bool ok = !wrapped.failed && json_read(call->heap, buffer_view(&wrapped), ret_list, &ignored) && ret_list->type == VALUE_LIST;
    buffer_free(&wrapped);
    return ok;
}

static bool return_list(struct native_call *call, struct list *list)
{
    return lib_return(call, (struct value){.type = VALUE_LIST, .list = list});
}

// Text is JSON only when no separator was given; with one it is always split (spec/deluge-builtins.md §1).
static bool json_to_list(struct native_call *call)
{
    struct value v = call->args[0], made, text;
    struct list *list = value_as_list(v);
    if (list != NULL) {
        return return_list(call, list);
    }
    if (v.type == VALUE_FRESH || v.type == VALUE_COLLECTION) {
        return lib_list(call, 0, &list) && return_list(call, list);
    }
    struct view separator = VIEW(",");
    if (!lib_text(call, 0, &text) || (call->count > 1 && !arg_text(call, 1, &separator)) || !lib_list_new(call, 0, &made)) {
        return false;
    }
    struct view all = value_view(text), trimmed = view_trim(all);
    lib_cost_bytes(call, all.len);
    if (call->count == 1 && trimmed.len == 0) {
        return lib_return(call, made); // "".toList() is empty: GUESS, spec/deluge-language.md §9.6
    }
    if (call->count == 1 && json_looks_like(trimmed) && read_json_list(call, trimmed, &made)) {
        return lib_return(call, made);
    }
    return split_text(call, all, separator, made.list) && lib_return(call, made);
}

// Stricter than toList: text that is no JSON is an error here.
static bool json_to_json_list(struct native_call *call)
{
    struct value v = call->args[0], made;
    struct list *list = value_as_list(v);
    if (list != NULL) {
        return return_list(call, list);
    }
    if (v.type == VALUE_FRESH || v.type == VALUE_COLLECTION) {
        return lib_list(call, 0, &list) && return_list(call, list);
    }
    if (v.type == VALUE_MAP) { // one object where an array was expected
        return lib_list_new(call, 1, &made) && lib_push(call, made.list, v) && lib_return(call, made);
    }
    struct view text = view_trim(value_view(v));
    if (text.len == 0 || !json_looks_like(text) || !read_json_list(call, text, &made)) {
        return call->heap->failed ? lib_memory_fail(call) : native_fail(call, "%s", json_text);
    }
    lib_cost_bytes(call, text.len);
    return lib_return(call, made);
}

static bool json_to_list_string(struct native_call *call)
{
    struct value made;
    struct list *list = value_as_list(call->args[0]);
    if (list == NULL) {
        struct value text;
        return lib_text(call, 0, &text) && lib_list_new(call, 0, &made) &&
               (text.len == 0 || split_text(call, value_view(text), VIEW(","), made.list)) && lib_return(call, made);
    }
    if (!lib_list_new(call, list->count, &made)) {
        return false;
    }
    lib_cost_elements(call, list->count);
    for (uint32_t i = 0; i < list->count; i++) {
        struct value text = value_to_text(call->heap, list->items[i], call->fail);
        if (text.type != VALUE_TEXT) {
            return call->heap->failed ? lib_memory_fail(call) : false;
        }
        if (lib_interrupted(call) || !lib_push(call, made.list, text)) {
            return false;
        }
    }
    return lib_return(call, made);
}

// ---- the table ----------------------------------------------------------------------------------

enum {
    JSON_MAPS = NATIVE_TEXT | NATIVE_MAP | NATIVE_COLLECTION,
    JSON_LISTS = NATIVE_TEXT | NATIVE_LIST | NATIVE_COLLECTION | NATIVE_TYPE(VALUE_MAP),
};

static const struct native rows[] = {
    {"toMap", JSON_MAPS, 1, 1, 0, 10, json_to_map, "text.toMap() → MAP",
     "The map that the JSON text describes, read leniently; a map is itself.",
     "info \"{company:Zoho, product:Creator}\".toMap().get(\"product\"); => Creator", "SURE builtins §1"},
    {"toList", LIB_PRINTS, 1, 2, 0, 6, json_to_list, "text.toList(TEXT separator?) → LIST",
     "The text cut at each separator (literal; \",\" if none is given; an empty one gives the characters). Without separator a JSON array "
     "is read; a list is itself.",
     "info \"ZohoCreator/ZohoCRM\".toList(\"/\"); => ZohoCreator,ZohoCRM", "SURE builtins §1; default separator LIKELY"},
    {"toJSONList", JSON_LISTS, 1, 1, 0, 10, json_to_json_list, "text.toJSONList() → LIST",
     "The list that the JSON text describes; a list is itself.",
     "info \"[{\\\"a\\\":1},{\\\"a\\\":2}]\".toJSONList().get(1).get(\"a\"); => 2", "SURE builtins §1"},
    {"toListString", LIB_PRINTS, 1, 1, 0, 6, json_to_list_string, "text.toListString() → LIST",
     "The pieces between commas, every one a text.", "info \"1,2,3\".toListString().size(); => 3", "SURE builtins §1"},
    {"getJSON", NATIVE_TEXT | LIB_MAP_ONLY, 2, 2, 0, 10, json_get_json, "text.getJSON(TEXT key) → any",
     "The value of a key in a JSON text or map; null if absent. Numbers and booleans of a text come as text.",
     "info \"{\\\"a\\\":{\\\"id\\\":\\\"EMP-001\\\"}}\".getJSON(\"a\").getJSON(\"id\"); => EMP-001", "SURE builtins §1"},
    {"size", NATIVE_TEXT, 1, 1, 0, 10, json_size, "text.size() → NUMBER", "How many elements the JSON array or object in the text has.",
     "info \"[10,20]\".size(); => 2", "LIKELY language §9.2"},
    {"get", NATIVE_TEXT, 2, 2, 0, 10, json_get, "text.get(key or index) → any",
     "The element of a text that holds a JSON object or array; null if the object has no such key.", "info \"[10,20]\".get(1); => 20",
     "SURE language §9.2"},
};

const struct lib_table lib_json_table = LIB_TABLE(rows);
