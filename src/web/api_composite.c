// SPDX-License-Identifier: Apache-2.0
//
// POST /__composite_requests: up to five requests in one (zoho-crm-composite-requests). Each runs like one that came by itself (host's
// composite.c); what stands here is the JSON around them, the references between them, and which of them run when.
//
// A reference @{ID:$.data[0].details.id} in a sub-request's uri, params, headers or body stands for a value of the reply of the sub-request
// with that sub_request_id. A text that is nothing but a reference becomes the value as it is; within a text its printed form is put in.
// Sub-requests without references run first, beside each other when parallel_execution is not false; the others when what they refer to has
// run.
#include "web/rest.h"

enum {
    PARTS_MAX = 5,
    ID_BYTES_MAX = 100,
    URI_BYTES_MAX = 2048,
    PARAMS_MAX = 50,
    HEADERS_MAX = 30,
    PATH_STEPS_MAX = 20,
    WALK_DEPTH_MAX = 50,
    TEXT_BYTES_MAX = 10 << 20,
    REPLY_BYTES_MAX = 64 << 20,
};

enum state { WAITING, DONE, STOPPED, REFUSED };

struct part {
    const struct map *given;
    struct view id, method, uri;
    unsigned needs; // parts that it refers to, a bit each
    enum state state;
    struct value reply; // body of a part that has run
    struct value error; // of one that was refused
    struct host_part run;
    struct exchange_header headers[HEADERS_MAX];
};

struct composite {
    struct rest *rest;
    struct part parts[PARTS_MAX];
    int count;
    bool parallel, rollback;
    int64_t journal;
};

// ---- what is wrong ------------------------------------------------------------------------------

static void put(struct rest *rest, struct value map, const char *key, struct value value)
{
    if (map.type == VALUE_MAP) {
        map_put_text(&rest->answer.heap, map.map, view_of(key), value);
    }
}

static struct value make_error(struct rest *rest, const char *code, struct value details, const char *message)
{
    struct value error = value_map(&rest->answer.heap, 4);
    answer_put(&rest->answer, error, "code", view_of(code));
    put(rest, error, "details", details);
    answer_put(&rest->answer, error, "message", view_of(message));
    answer_put(&rest->answer, error, "status", VIEW("error"));
    return error;
}

static struct value details_at(struct rest *rest, int index, const char *key)
{
    struct value details = value_map(&rest->answer.heap, 3);
    answer_put(&rest->answer, details, "api_name", view_of(key));
    put(rest, details, "json_path", value_text_printf(&rest->answer.heap, "$.__composite_requests[%d].%s", index, key));
    return details;
}

static bool refuse_at(struct rest *rest, int index, enum fail_code code, const char *key, const char *message)
{
    rest->details = details_at(rest, index, key);
    return fail_set(&rest->answer.fail, code, message ? "%s" : NULL, message);
}

// ---- reading ------------------------------------------------------------------------------------

static bool read_id(struct composite *composite, int index)
{
    struct part *part = &composite->parts[index];
    struct value given = map_get_text(part->given, VIEW("sub_request_id"));
    part->id = value_view_or(given, VIEW_NONE);
    bool good = value_is_null(given) || (part->id.len > 0 && part->id.len <= ID_BYTES_MAX && part->id.data[0] != '_');
    for (size_t i = 0; good && i < part->id.len; i++) {
        char c = part->id.data[i] | 0x20;
        good = (c >= 'a' && c <= 'z') || (part->id.data[i] >= '0' && part->id.data[i] <= '9') || part->id.data[i] == '_';
    }
    if (!good) {
        return refuse_at(composite->rest, index, FAIL_INVALID_DATA, "sub_request_id", NULL);
    }
    for (int i = 0; part->id.len && i < index; i++) {
        if (view_eq(composite->parts[i].id, part->id)) {
            return refuse_at(composite->rest, index, FAIL_DUPLICATE_DATA, "sub_request_id", NULL);
        }
    }
    return true;
}

// "/crm/…/v8/…", and none that carries requests itself.
static bool check_uri(struct composite *composite, int index)
{
    struct part *part = &composite->parts[index];
    if (!view_starts(part->uri, VIEW("/crm/")) || part->uri.len > URI_BYTES_MAX || view_find(part->uri, VIEW("/v")) < 0 ||
        view_find_char(part->uri, '#') >= 0) {
        return refuse_at(composite->rest, index, FAIL_INVALID_DATA, "uri", NULL);
    }
    if (view_find(part->uri, VIEW("__composite_requests")) >= 0 || view_starts(part->uri, VIEW("/crm/bulk/"))) {
        return refuse_at(composite->rest, index, FAIL_NOT_SUPPORTED, "uri", "this request cannot be part of another one");
    }
    return true;
}

static bool check_members(struct composite *composite, int index)
{
    static const char *const maps[] = {"params", "headers", "body"};
    const struct part *part = &composite->parts[index];
    for (size_t i = 0; i < BASE_COUNT(maps); i++) {
        struct value member = map_get_text(part->given, view_of(maps[i]));
        const struct map *map = value_as_map(member);
        if (!map && !value_is_null(member)) {
            return refuse_at(composite->rest, index, FAIL_INVALID_DATA, maps[i], NULL);
        }
        if (map && i < 2 && map->count > (i == 0 ? PARAMS_MAX : HEADERS_MAX)) {
            return refuse_at(composite->rest, index, FAIL_LIMIT_EXCEEDED, maps[i], NULL);
        }
    }
    return true;
}

static bool read_part(struct composite *composite, int index, struct value given)
{
    static const struct view methods[] = {VIEW("GET"), VIEW("POST"), VIEW("PUT"), VIEW("PATCH"), VIEW("DELETE")};
    struct part *part = &composite->parts[index];
    bool known = false;
    *part = (struct part){.given = value_as_map(given), .reply = value_null(), .error = value_null()};
    if (!part->given) {
        return refuse_at(composite->rest, index, FAIL_INVALID_DATA, "__composite_requests", NULL);
    }
    struct value method = map_get_text(part->given, VIEW("method")), uri = map_get_text(part->given, VIEW("uri"));
    part->method = value_view_or(method, VIEW(""));
    part->uri = value_view_or(uri, VIEW(""));
    for (size_t i = 0; i < BASE_COUNT(methods); i++) {
        known = known || view_eq(part->method, methods[i]);
    }
    if (!known) {
        return refuse_at(composite->rest, index, value_is_null(method) ? FAIL_MANDATORY_NOT_FOUND : FAIL_INVALID_DATA, "method", NULL);
    }
    if (value_is_null(uri)) {
        return refuse_at(composite->rest, index, FAIL_MANDATORY_NOT_FOUND, "uri", NULL);
    }
    return read_id(composite, index) && check_uri(composite, index) && check_members(composite, index);
}

static bool read_flag(struct composite *composite, const struct map *body, const char *key, bool *ret_flag)
{
    struct value flag = map_get_text(body, view_of(key));
    if (!value_is_null(flag) && flag.type != VALUE_BOOL) {
        rest_refuse(composite->rest, FAIL_INVALID_DATA, "expected_data_type", VIEW("boolean"));
        answer_put(&composite->rest->answer, composite->rest->details, "api_name", view_of(key));
        return false;
    }
    *ret_flag = value_is_null(flag) ? *ret_flag : flag.boolean;
    return true;
}

static bool read_body(struct composite *composite)
{
    struct rest *rest = composite->rest;
    struct map *body;
    struct value rows;
    if (!rest_body(rest, &body) || !rest_rows(rest, body, "__composite_requests", PARTS_MAX, &rows) ||
        !read_flag(composite, body, "rollback_on_fail", &composite->rollback)) {
        return false;
    }
    composite->parallel = !composite->rollback;
    if (!read_flag(composite, body, "parallel_execution", &composite->parallel)) {
        return false;
    }
    if (composite->parallel && composite->rollback) {
        return fail_set(&rest->answer.fail, FAIL_AMBIGUITY, "rollback_on_fail and parallel_execution cannot both be true");
    }
    for (uint32_t i = 0; i < rows.list->count; i++) {
        composite->count = (int)i + 1;
        if (!read_part(composite, (int)i, rows.list->items[i])) {
            return false;
        }
    }
    return true;
}

// ---- references ---------------------------------------------------------------------------------

// The next @{ID:PATH} of a text: what stands before it, and behind it.
static bool next_reference(struct view text, struct view *ret_before, struct view *ret_id, struct view *ret_path, struct view *ret_rest)
{
    ptrdiff_t at = view_find(text, VIEW("@{"));
    struct view inner = at < 0 ? VIEW_NONE : view_from(text, (size_t)at + 2);
    ptrdiff_t end = at < 0 ? -1 : view_find_char(inner, '}');
    if (end < 0) {
        return false;
    }
    *ret_before = view_slice(text, 0, (size_t)at);
    *ret_rest = view_from(inner, (size_t)end + 1);
    inner = view_slice(inner, 0, (size_t)end);
    *ret_id = view_trim(view_cut(&inner, ':'));
    *ret_path = view_trim(inner);
    return true;
}

static int find_part(const struct composite *composite, struct view id)
{
    for (int i = 0; i < composite->count; i++) {
        if (id.len && view_eq(composite->parts[i].id, id)) {
            return i;
        }
    }
    return -1;
}

struct walk {
    struct composite *composite;
    int index; // of the part whose references these are
    bool filling; // else only noting what is needed
    int depth;
    char wrong[ID_BYTES_MAX + 64]; // the reference that stands for nothing
};

// One step of a path: .name, ['name'] or [0].
static bool step(struct view *path, struct value *value)
{
    if (view_starts(*path, VIEW("."))) {
        size_t end = 1;
        while (end < path->len && path->data[end] != '.' && path->data[end] != '[') {
            end++;
        }
        const struct map *map = value_as_map(*value);
        *value = map ? map_get_text(map, view_slice(*path, 1, end - 1)) : value_null();
        *path = view_from(*path, end);
        return map != NULL;
    }
    ptrdiff_t end = view_starts(*path, VIEW("[")) ? view_find_char(*path, ']') : -1;
    if (end < 0) {
        return false;
    }
    struct view inner = view_slice(*path, 1, (size_t)end - 1);
    int64_t number;
    const struct list *list = value_as_list(*value);
    const struct map *map = value_as_map(*value);
    bool quoted = inner.len >= 2 && (inner.data[0] == '\'' || inner.data[0] == '"');
    *path = view_from(*path, (size_t)end + 1);
    if (quoted && map) {
        *value = map_get_text(map, view_slice(inner, 1, inner.len - 2));
        return true;
    }
    bool there = list && view_to_int64(inner, &number) && number >= 0 && number < list->count;
    *value = there ? list->items[number] : value_null();
    return there;
}

static bool resolve(struct walk *walk, struct view id, struct view path, struct value *ret_value)
{
    int other = find_part(walk->composite, id);
    struct view rest = path;
    snprintf(walk->wrong, sizeof walk->wrong, "@{%.*s:%.*s}", (int)utf8_clamp(id, ID_BYTES_MAX / 2), id.data, (int)utf8_clamp(path, 50),
             path.data);
    if (other < 0 || other == walk->index || !view_starts(path, VIEW("$"))) {
        return false;
    }
    walk->composite->parts[walk->index].needs |= 1u << other;
    if (!walk->filling) {
        *ret_value = value_null();
        return true;
    }
    struct value value = walk->composite->parts[other].reply;
    bool good = walk->composite->parts[other].state == DONE;
    rest = view_from(path, 1);
    for (int i = 0; good && rest.len && i < PATH_STEPS_MAX; i++) {
        good = step(&rest, &value);
    }
    *ret_value = value;
    return good && rest.len == 0 && !value_is_null(value);
}

static bool fill_text(struct walk *walk, struct value *text)
{
    struct heap *heap = &walk->composite->rest->answer.heap;
    struct view rest = value_view(*text), before, id, path, behind;
    struct buffer out;
    struct value value;
    struct fail ignored;
    if (!next_reference(rest, &before, &id, &path, &behind)) {
        return true;
    }
    if (!before.len && !behind.len) {
        bool good = resolve(walk, id, path, &value);
        *text = good && walk->filling ? value : *text;
        return good;
    }
    buffer_init(&out, TEXT_BYTES_MAX);
    bool good = true;
    while (good && next_reference(rest, &before, &id, &path, &behind)) {
        buffer_add(&out, before);
        good = resolve(walk, id, path, &value) && value_print(&out, value, NULL, &ignored);
        rest = behind;
    }
    buffer_add(&out, rest);
    good = good && !out.failed;
    *text = good && walk->filling ? value_text(heap, buffer_view(&out)) : *text;
    buffer_free(&out);
    return good;
}

// Every text in it, at any depth.
static bool fill(struct walk *walk, struct value *value)
{
    struct list *list = value_as_list(*value);
    struct map *map = value_as_map(*value);
    bool good = true;
    if (value->type == VALUE_TEXT) {
        return fill_text(walk, value);
    }
    if ((list || map) && ++walk->depth > WALK_DEPTH_MAX) {
        return false;
    }
    for (uint32_t i = 0; good && list && i < list->count; i++) {
        good = fill(walk, &list->items[i]);
    }
    uint32_t cursor = 0;
    for (struct map_entry *entry; good && map && (entry = map_next(map, &cursor));) {
        good = fill(walk, &entry->value);
    }
    walk->depth -= list || map;
    return good;
}

static bool walk_part(struct composite *composite, int index, bool filling, struct walk *walk)
{
    static const char *const members[] = {"uri", "params", "headers", "body"};
    *walk = (struct walk){.composite = composite, .index = index, .filling = filling};
    bool good = true;
    for (size_t i = 0; good && i < BASE_COUNT(members); i++) {
        struct value member = map_get_text(composite->parts[index].given, view_of(members[i]));
        good = fill(walk, &member);
        if (good && filling && i == 0) {
            composite->parts[index].uri = value_view_or(member, VIEW(""));
        }
    }
    return good;
}

static void refuse_reference(struct composite *composite, int index, const char *reference)
{
    struct part *part = &composite->parts[index];
    struct value details = details_at(composite->rest, index, "__composite_requests");
    answer_put(&composite->rest->answer, details, "reference", view_of(reference));
    part->error = make_error(composite->rest, "INVALID_REFERENCE", details, "the reference stands for nothing");
    part->state = REFUSED;
}

// ---- one request --------------------------------------------------------------------------------

static void add_pair(struct buffer *out, struct view name, struct value value)
{
    struct buffer text;
    struct fail ignored;
    buffer_init(&text, TEXT_BYTES_MAX);
    if (value_print(&text, value, NULL, &ignored)) {
        buffer_add(out, out->len ? VIEW("&") : VIEW(""));
        form_encode(out, name, true);
        buffer_add_char(out, '=');
        form_encode(out, buffer_view(&text), true);
    }
    buffer_free(&text);
}

static bool make_query(struct part *part, struct view own, struct arena *arena)
{
    const struct map *params = value_as_map(map_get_text(part->given, VIEW("params")));
    struct buffer out;
    uint32_t cursor = 0;
    buffer_init(&out, TEXT_BYTES_MAX);
    buffer_add(&out, own);
    for (struct map_entry *entry; params && (entry = map_next(params, &cursor));) {
        add_pair(&out, value_view_or(entry->key, VIEW("")), entry->value);
    }
    part->run.query = arena_copy(arena, buffer_view(&out));
    bool fits = !out.failed && part->run.query.data;
    buffer_free(&out);
    return fits;
}

// Who asks is the caller of the whole; what names somebody else is left out.
static void make_headers(struct part *part, struct arena *arena)
{
    const struct map *headers = value_as_map(map_get_text(part->given, VIEW("headers")));
    static const struct view kept_out[] = {VIEW("authorization"), VIEW("x-crm-org"), VIEW("host"), VIEW("content-type"),
                                           VIEW("content-length")};
    uint32_t cursor = 0;
    for (struct map_entry *entry; headers && (entry = map_next(headers, &cursor));) {
        struct view name = arena_copy(arena, value_view_or(entry->key, VIEW("")));
        bool out = entry->value.type != VALUE_TEXT;
        for (size_t i = 0; name.data && i < name.len; i++) {
            char *c = (char *)name.data + i;
            *c = *c >= 'A' && *c <= 'Z' ? (char)(*c | 0x20) : *c;
        }
        for (size_t i = 0; i < BASE_COUNT(kept_out); i++) {
            out = out || view_eq(name, kept_out[i]) || view_starts(name, VIEW("x-sluice-"));
        }
        if (!out && name.data && part->run.header_count < HEADERS_MAX) {
            part->headers[part->run.header_count++] = (struct exchange_header){name, value_view(entry->value)};
        }
    }
    part->run.headers = part->headers;
}

static bool make_run(struct composite *composite, int index, struct fail *fail)
{
    struct part *part = &composite->parts[index];
    struct arena *arena = composite->rest->answer.exchange->arena;
    struct value body = map_get_text(part->given, VIEW("body"));
    struct view query = part->uri, path = view_cut(&query, '?');
    struct buffer out;
    part->run = (struct host_part){.method = part->method, .path = path};
    if (!make_query(part, query, arena)) {
        return fail_set(fail, FAIL_TOO_LARGE, NULL);
    }
    make_headers(part, arena);
    buffer_init(&out, TEXT_BYTES_MAX);
    bool good = value_is_null(body) || json_write(&out, body, NULL, fail);
    part->run.body = out.len ? arena_copy(arena, buffer_view(&out)) : VIEW("");
    good = good && (!out.failed || fail_set(fail, FAIL_TOO_LARGE, NULL));
    buffer_free(&out);
    return good;
}

static void take_reply(struct composite *composite, int index)
{
    struct part *part = &composite->parts[index];
    struct rest *rest = composite->rest;
    struct fail ignored;
    part->state = DONE;
    part->reply = value_map(&rest->answer.heap, 0);
    if (part->run.reply.len && (view_find(part->run.reply_type, VIEW("json")) < 0 ||
                                !json_read(&rest->answer.heap, part->run.reply, &part->reply, &ignored) || part->reply.type != VALUE_MAP)) {
        part->error = make_error(rest, "NOT_SUPPORTED", details_at(rest, index, "uri"), "the answer of this request is no JSON object");
        part->state = REFUSED;
    }
}

// Runs those of the bits.
static bool run_some(struct composite *composite, unsigned some)
{
    struct rest *rest = composite->rest;
    struct host_part runs[PARTS_MAX];
    int indexes[PARTS_MAX], count = 0;
    struct walk walk;
    for (int i = 0; i < composite->count; i++) {
        if (!(some & 1u << i)) {
            continue;
        }
        if (!walk_part(composite, i, true, &walk)) {
            refuse_reference(composite, i, walk.wrong);
        } else if (check_uri(composite, i) && make_run(composite, i, &rest->answer.fail)) {
            indexes[count] = i;
            runs[count++] = composite->parts[i].run;
        } else if (rest_row_failed(rest, &composite->parts[i].error)) {
            composite->parts[i].state = REFUSED;
        } else {
            return false;
        }
    }
    for (int i = 0; i < count; i++) {
        arena_init(&runs[i].arena, REPLY_BYTES_MAX);
    }
    bool good = count == 0 || host_parts_run(rest->web->host, rest->answer.exchange, runs, count, composite->journal, &rest->answer.fail);
    for (int i = 0; i < count; i++) {
        composite->parts[indexes[i]].run = runs[i];
        if (good) {
            take_reply(composite, indexes[i]);
        }
        arena_free(&runs[i].arena);
        composite->parts[indexes[i]].run.reply = VIEW("");
    }
    return good;
}

// ---- all of them --------------------------------------------------------------------------------

static bool has_failed(const struct part *part)
{
    return part->state == REFUSED || (part->state == DONE && part->run.status >= 400);
}

// What can run now: everything that waits and needs nothing that waits; one at a time unless they may run beside each other.
static unsigned find_ready(const struct composite *composite)
{
    unsigned waiting = 0, ready = 0;
    for (int i = 0; i < composite->count; i++) {
        waiting |= composite->parts[i].state == WAITING ? 1u << i : 0;
    }
    for (int i = 0; i < composite->count && (composite->parallel || !ready); i++) {
        ready |= (waiting & 1u << i) && !(composite->parts[i].needs & waiting) ? 1u << i : 0;
    }
    return ready;
}

static void refuse_loops(struct composite *composite)
{
    struct rest *rest = composite->rest;
    for (int i = 0; i < composite->count; i++) {
        if (composite->parts[i].state == WAITING) {
            composite->parts[i].state = REFUSED;
            composite->parts[i].error = make_error(rest, "LOOPING_FOUND", details_at(rest, i, "__composite_requests"),
                                                   "sub-requests refer to each other in a circle");
        }
    }
}

// With rollback_on_fail: what was done is undone, what was not begun is not.
static bool roll_back(struct composite *composite, int failed)
{
    struct rest *rest = composite->rest;
    int64_t journal = composite->journal;
    composite->journal = 0;
    if (!host_parts_end(rest->web->host, &rest->answer.exchange->identity, journal, true, &rest->answer.fail)) {
        return false;
    }
    for (int i = 0; i < composite->count; i++) {
        struct part *part = &composite->parts[i];
        struct value details = value_map(&rest->answer.heap, 1);
        put(rest, details, "rollbacked_by_sub_request_index", value_number(failed));
        if (i != failed && part->state == DONE) {
            part->error = make_error(rest, "ROLLBACK_PERFORMED", details, "the sub-request was rolled back");
            part->state = REFUSED;
        } else if (part->state == WAITING) {
            part->error = make_error(rest, "PROCESSING_STOPPED", details_at(rest, i, "__composite_requests"),
                                     "the sub-request was not run because another one failed");
            part->state = STOPPED;
        }
    }
    return true;
}

static bool run_all(struct composite *composite)
{
    for (unsigned ready; (ready = find_ready(composite));) {
        if (!run_some(composite, ready)) {
            return false;
        }
        for (int i = 0; composite->rollback && i < composite->count; i++) {
            if (has_failed(&composite->parts[i])) {
                return roll_back(composite, i);
            }
        }
    }
    refuse_loops(composite);
    return true;
}

static bool run_composite(struct composite *composite)
{
    struct rest *rest = composite->rest;
    const struct identity *who = &rest->answer.exchange->identity;
    struct walk walk;
    struct fail ignored;
    for (int i = 0; i < composite->count; i++) {
        if (!walk_part(composite, i, false, &walk)) {
            refuse_reference(composite, i, walk.wrong);
        }
    }
    if (composite->rollback && !host_parts_begin(rest->web->host, who, &composite->journal, &rest->answer.fail)) {
        return false;
    }
    bool good = run_all(composite);
    if (composite->journal) { // still open: all went well, or we did not
        bool ended = host_parts_end(rest->web->host, who, composite->journal, !good, good ? &rest->answer.fail : &ignored);
        good = good && ended;
    }
    return good;
}

static struct value show_part(struct composite *composite, int index)
{
    struct rest *rest = composite->rest;
    struct heap *heap = &rest->answer.heap;
    const struct part *part = &composite->parts[index];
    if (part->state != DONE) {
        return part->error;
    }
    struct value shown = value_map(heap, 4), details = value_map(heap, 1), response = value_map(heap, 3), headers = value_map(heap, 1);
    answer_put(&rest->answer, headers, "Content-Type", VIEW("application/json;charset=utf-8"));
    put(rest, response, "status_code", value_number(part->run.status));
    put(rest, response, "headers", headers);
    put(rest, response, "body", part->reply);
    put(rest, details, "response", response);
    answer_put(&rest->answer, shown, "code", VIEW("SUCCESS"));
    put(rest, shown, "details", details);
    answer_put(&rest->answer, shown, "message", VIEW("the sub-request was executed"));
    answer_put(&rest->answer, shown, "status", VIEW("success"));
    return shown;
}

void api_composite(struct web *web, struct exchange *exchange, const struct view *params)
{
    struct rest rest;
    (void)params;
    if (!rest_open(&rest, web, exchange)) {
        return;
    }
    struct composite *composite = arena_alloc(exchange->arena, sizeof *composite);
    bool good = composite || fail_set(&rest.answer.fail, FAIL_MEMORY, NULL);
    struct value results = value_list(&rest.answer.heap, PARTS_MAX);
    if (good) {
        composite->rest = &rest;
        good = read_body(composite) && run_composite(composite);
    }
    for (int i = 0; good && results.type == VALUE_LIST && i < composite->count; i++) {
        list_add(&rest.answer.heap, results.list, show_part(composite, i));
    }
    rest_send_results(&rest, good, "__composite_requests", results, 200);
}
