// SPDX-License-Identifier: Apache-2.0
//
// Changes of the text of an extension.json. Somebody has written that file and keeps it in git, so only what changes is written anew: the
// place of a member or an item is found in the text, and the rest is copied. The text is read as JSON first; walking it can then count on
// its form, and yet never leaves it.
#include "ext/inside.h"

struct span {
    size_t from, to;
};
struct edit {
    struct heap heap;
    struct view text; // in the heap
    const struct map *map; // the text as read
    struct fail *fail;
};

// ---- walking ------------------------------------------------------------------------------------

static size_t skip_space(struct view text, size_t at)
{
    while (at < text.len && (text.data[at] == ' ' || text.data[at] == '\t' || text.data[at] == '\n' || text.data[at] == '\r')) {
        at++;
    }
    return at;
}

static size_t skip_string(struct view text, size_t at)
{
    for (at++; at < text.len && text.data[at] != '"'; at++) {
        at += text.data[at] == '\\';
    }
    return at < text.len ? at + 1 : text.len;
}

// Behind the value that begins here.
static size_t skip_value(struct view text, size_t at)
{
    int depth = 0;
    while (at < text.len) {
        char c = text.data[at];
        if (c == '"') {
            at = skip_string(text, at);
        } else {
            bool ends = depth == 0 && (c == ',' || c == '}' || c == ']' || c == ' ' || c == '\t' || c == '\n' || c == '\r');
            if (ends) {
                return at;
            }
            depth += (c == '{' || c == '[') - (c == '}' || c == ']');
            at++;
        }
        if (depth == 0 && (c == '"' || c == '}' || c == ']')) {
            return at;
        }
    }
    return at;
}

// The next thing of a list or an object, from behind its bracket or behind a comma; false at its end.
static bool next_item(struct view text, size_t *at, struct span *ret_item)
{
    size_t from = skip_space(text, *at);
    if (from < text.len && text.data[from] == ',') {
        from = skip_space(text, from + 1);
    }
    if (from >= text.len || text.data[from] == '}' || text.data[from] == ']') {
        *at = from;
        return false;
    }
    *ret_item = (struct span){from, skip_value(text, from)};
    *at = ret_item->to;
    return ret_item->to > from;
}

static bool is_key(struct edit *edit, struct span key, const char *name)
{
    struct value value;
    struct fail ignored;
    return json_read(&edit->heap, view_slice(edit->text, key.from, key.to - key.from), &value, &ignored) &&
           view_eq(value_view_or(value, VIEW("")), view_of(name));
}

// The value of a member of the object that begins at `object`; of several of one name the last, which is what reading takes.
static bool find_member(struct edit *edit, size_t object, const char *name, struct span *ret_value)
{
    size_t at = object + 1;
    bool found = false;
    struct span key;
    while (next_item(edit->text, &at, &key)) {
        size_t value = skip_space(edit->text, skip_space(edit->text, key.to) + 1); // behind the colon
        size_t end = skip_value(edit->text, value);
        if (is_key(edit, key, name)) {
            *ret_value = (struct span){value, end};
            found = true;
        }
        at = end;
    }
    return found;
}

static bool find_item(struct edit *edit, size_t list, uint32_t index, struct span *ret_item)
{
    size_t at = list + 1;
    for (uint32_t i = 0; next_item(edit->text, &at, ret_item); i++) {
        if (i == index) {
            return true;
        }
    }
    return false;
}

// ---- changing -----------------------------------------------------------------------------------

static bool read_again(struct edit *edit, struct view text)
{
    struct value value;
    if (!json_read(&edit->heap, text, &value, edit->fail) || value.type != VALUE_MAP) {
        return package_fail(edit->fail, VIEW("extension.json"), "must hold a JSON object");
    }
    fail_clear(edit->fail);
    edit->text = text;
    edit->map = value.map;
    return true;
}

// Puts `middle` in the place of a part.
static bool splice(struct edit *edit, struct span place, struct view middle)
{
    struct view text = edit->text;
    struct value whole = value_text_printf(&edit->heap, "%.*s%.*s%.*s", VIEW_ARGS(view_slice(text, 0, place.from)), VIEW_ARGS(middle),
                                           VIEW_ARGS(view_from(text, place.to)));
    return whole.type == VALUE_TEXT ? read_again(edit, value_view(whole)) : fail_set(edit->fail, FAIL_MEMORY, NULL);
}

// Adds behind the last thing of a list or an object, with the layout that stands before its first.
static bool append(struct edit *edit, size_t container, struct view item)
{
    struct span last = {0, 0}, one;
    size_t at = container + 1, first = skip_space(edit->text, at);
    while (next_item(edit->text, &at, &one)) {
        size_t end = one.to;
        if (edit->text.data[container] == '{') {
            end = skip_value(edit->text, skip_space(edit->text, skip_space(edit->text, one.to) + 1));
        }
        last = (struct span){end, end};
        at = end;
    }
    struct view layout = view_slice(edit->text, container + 1, first - container - 1);
    struct value added = last.to ? value_text_printf(&edit->heap, ",%.*s%.*s", VIEW_ARGS(layout), VIEW_ARGS(item))
                                 : value_text_printf(&edit->heap, " %.*s ", VIEW_ARGS(item));
    struct span place = last.to ? last : (struct span){container + 1, first};
    return added.type == VALUE_TEXT ? splice(edit, place, value_view(added)) : fail_set(edit->fail, FAIL_MEMORY, NULL);
}

static bool set_member(struct edit *edit, size_t object, const char *name, struct view json)
{
    struct span place;
    if (find_member(edit, object, name, &place)) {
        return splice(edit, place, json);
    }
    struct value member = value_text_printf(&edit->heap, "\"%s\": %.*s", name, VIEW_ARGS(json));
    return member.type == VALUE_TEXT ? append(edit, object, value_view(member)) : fail_set(edit->fail, FAIL_MEMORY, NULL);
}

static bool remove_item(struct edit *edit, size_t list, uint32_t index)
{
    struct span own, before, behind;
    if (!find_item(edit, list, index, &own)) {
        return true;
    }
    if (index > 0 && find_item(edit, list, index - 1, &before)) {
        return splice(edit, (struct span){before.to, own.to}, VIEW(""));
    }
    if (find_item(edit, list, 1, &behind)) {
        return splice(edit, (struct span){own.from, behind.from}, VIEW(""));
    }
    return splice(edit, (struct span){list + 1, skip_space(edit->text, own.to)}, VIEW(""));
}

// ---- one change ---------------------------------------------------------------------------------

static size_t top(const struct edit *edit)
{
    return skip_space(edit->text, 0);
}

static bool open_edit(struct edit *edit, struct view text, struct fail *fail)
{
    *edit = (struct edit){.fail = fail};
    heap_init(&edit->heap, 32 * EXT_FILE_BYTES_MAX, NULL);
    return read_again(edit, text);
}

static bool close_edit(struct edit *edit, bool good, struct buffer *out)
{
    if (good) {
        buffer_add(out, edit->text);
        good = edit->text.len <= EXT_FILE_BYTES_MAX
                   ? !out->failed || fail_set(edit->fail, FAIL_MEMORY, NULL)
                   : package_fail(edit->fail, VIEW("extension.json"), "is larger than %d bytes", EXT_FILE_BYTES_MAX);
    }
    heap_free(&edit->heap);
    return good;
}

// Where the list of that name begins; made when `make`. *ret_list NULL: there is none.
static bool find_list(struct edit *edit, const char *name, bool make, const struct list **ret_list, size_t *ret_at)
{
    struct span place;
    struct value value = map_get_text(edit->map, view_of(name));
    *ret_list = NULL;
    if (value_is_null(value)) {
        return !make || (set_member(edit, top(edit), name, VIEW("[]")) && find_list(edit, name, false, ret_list, ret_at));
    }
    if (value.type != VALUE_LIST || !find_member(edit, top(edit), name, &place)) {
        return package_fail(edit->fail, VIEW("extension.json"), "\"%s\" must be a list", name);
    }
    *ret_list = value.list;
    *ret_at = place.from;
    return true;
}

// A name in a manifest may begin with the namespace.
static bool is_name(const struct edit *edit, struct view given, struct view name)
{
    struct view namespace = value_view_or(map_get_text(edit->map, VIEW("namespace")), VIEW("")), rest = view_from(given, namespace.len);
    if (namespace.len && view_starts_nocase(given, namespace) && (view_starts(rest, VIEW(".")) || view_starts(rest, VIEW("__")))) {
        given = view_from(rest, rest.data[0] == '.' ? 1 : 2);
    }
    return view_eq_nocase(given, name);
}

static uint32_t find_entry(const struct edit *edit, const struct list *list, struct view file, struct view name)
{
    uint32_t i = 0;
    for (; list && i < list->count; i++) {
        const struct map *item = value_as_map(list->items[i]);
        struct view own_file = item ? value_view_or(map_get_text(item, VIEW("file")), VIEW("")) : VIEW("");
        struct view own_name = item ? value_view_or(map_get_text(item, VIEW("api_name")), VIEW("")) : VIEW("");
        if ((file.len && view_eq(own_file, file)) || (name.len && is_name(edit, own_name, name))) {
            break;
        }
    }
    return i;
}

static struct view quoted(struct edit *edit, struct view text)
{
    struct buffer out;
    buffer_init(&out, 8 * EXT_FILE_BYTES_MAX);
    json_write_text(&out, text);
    struct value copy = value_text(&edit->heap, buffer_view(&out));
    buffer_free(&out);
    return value_view_or(copy, VIEW("\"\""));
}

bool ext_manifest_set_version(struct view text, struct view version, struct buffer *out, struct fail *fail)
{
    struct edit edit;
    bool ok = open_edit(&edit, text, fail) && set_member(&edit, top(&edit), "version", quoted(&edit, version));
    return close_edit(&edit, ok, out);
}

// ---- functions ----------------------------------------------------------------------------------

static bool set_access(struct edit *edit, uint32_t index, const char *name, enum ext_access access)
{
    const struct list *list;
    size_t at;
    struct span item, rest;
    if (access == EXT_ACCESS_KEEP) {
        return true;
    }
    if (!find_list(edit, "functions", false, &list, &at) || !list || !find_item(edit, at, index, &item)) {
        return false;
    }
    struct value value = map_get_text(value_as_map(list->items[index]), VIEW("rest_api"));
    if (value.type != VALUE_MAP) {
        return set_member(edit, item.from, "rest_api", VIEW("{}")) && set_access(edit, index, name, access);
    }
    return find_member(edit, item.from, "rest_api", &rest) &&
           set_member(edit, rest.from, name, access == EXT_ACCESS_ON ? VIEW("true") : VIEW("false"));
}

static bool add_function(struct edit *edit, size_t at, const struct ext_manifest_function *function)
{
    struct view name = quoted(edit, function->api_name), file = quoted(edit, function->file);
    struct value item = value_text_printf(&edit->heap, "{ \"api_name\": %.*s, \"file\": %.*s }", VIEW_ARGS(name), VIEW_ARGS(file));
    return item.type == VALUE_TEXT ? append(edit, at, value_view(item)) : fail_set(edit->fail, FAIL_MEMORY, NULL);
}

static bool put_function(struct edit *edit, const struct ext_manifest_function *function)
{
    const struct list *list;
    size_t at;
    if (!find_list(edit, "functions", true, &list, &at)) {
        return false;
    }
    uint32_t index = find_entry(edit, list, function->file, function->api_name);
    return (index < list->count || add_function(edit, at, function)) && set_access(edit, index, "apikey", function->apikey) &&
           set_access(edit, index, "oauth", function->oauth);
}

bool ext_manifest_put_function(struct view text, const struct ext_manifest_function *function, struct buffer *out, struct fail *fail)
{
    struct edit edit;
    bool ok = open_edit(&edit, text, fail) && put_function(&edit, function);
    return close_edit(&edit, ok, out);
}

static bool drop(struct edit *edit, const char *member, struct view file, struct view name)
{
    const struct list *list;
    size_t at;
    if (!find_list(edit, member, false, &list, &at) || !list) {
        return edit->fail->code == FAIL_NONE;
    }
    return remove_item(edit, at, find_entry(edit, list, file, name));
}

bool ext_manifest_drop_function(struct view text, struct view file, struct buffer *out, struct fail *fail)
{
    struct edit edit;
    bool ok = open_edit(&edit, text, fail) && drop(&edit, "functions", file, VIEW(""));
    return close_edit(&edit, ok, out);
}

// ---- variables ----------------------------------------------------------------------------------

static bool put_variable(struct edit *edit, const struct ext_variable *variable)
{
    const struct list *list;
    size_t at;
    struct span item;
    if (!find_list(edit, "variables", true, &list, &at)) {
        return false;
    }
    uint32_t index = find_entry(edit, list, VIEW(""), variable->api_name);
    const struct {
        const char *name;
        struct view json;
    } members[] = {{"field_name", quoted(edit, variable->field_name)},
                   {"type", quoted(edit, variable->type)},
                   {"value", quoted(edit, variable->secret ? VIEW("") : variable->value)},
                   {"secret", variable->secret ? VIEW("true") : VIEW("false")}};
    struct value first = value_text_printf(&edit->heap, "{ \"api_name\": %.*s }", VIEW_ARGS(quoted(edit, variable->api_name)));
    bool ok = index < list->count || append(edit, at, value_view_or(first, VIEW("{}")));
    for (size_t i = 0; ok && i < BASE_COUNT(members); i++) {
        ok = find_list(edit, "variables", false, &list, &at) && list && find_item(edit, at, index, &item) &&
             set_member(edit, item.from, members[i].name, members[i].json);
    }
    return ok;
}

bool ext_manifest_put_variable(struct view text, const struct ext_variable *variable, struct buffer *out, struct fail *fail)
{
    struct edit edit;
    bool ok = open_edit(&edit, text, fail) && put_variable(&edit, variable);
    return close_edit(&edit, ok, out);
}

bool ext_manifest_drop_variable(struct view text, struct view api_name, struct buffer *out, struct fail *fail)
{
    struct edit edit;
    bool ok = open_edit(&edit, text, fail) && drop(&edit, "variables", VIEW(""), api_name);
    return close_edit(&edit, ok, out);
}
