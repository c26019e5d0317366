// SPDX-License-Identifier: Apache-2.0
// Tags of records: what a request's Tag says, which tags that are, and how they are shown (spec/crm-api.md §2.6). A name that the module
// does not have yet becomes a tag in the closure that writes the record, so a record that is refused leaves no tag behind.
//
// Limits: names of 25 characters and the 13 colours are Zoho's; ten tags a record are LIKELY; how many a module has depends on Zoho's
// edition, 500 is a GUESS. An id comes before a name, as Zoho says; when no tag of the module has the id, a name beside it counts (GUESS:
// records are copied from module to module with all that they show).
#include "crm/object.h"
#include "crm/shape.h"
#include "crm/tag.h"

enum { SMALL_SQL_BYTES = 512 };

static const char *const COLORS[] = {"#F17574", "#F48435", "#E7A826", "#A8C026", "#63C57E", "#1DB9B4", "#57B1FD",
                                     "#879BFC", "#D297EE", "#FD87BD", "#969696", "#658BA8", "#B88562"};

bool crm_tag_color_valid(struct view color)
{
    for (size_t i = 0; i < BASE_COUNT(COLORS); i++) {
        if (view_eq_nocase(color, view_of(COLORS[i]))) {
            return true;
        }
    }
    return false;
}

struct value crm_tag_color(struct value definition)
{
    return shape_get(value_as_map(definition), "color_code");
}

// ---- what is stored -----------------------------------------------------------------------------

static bool has_id(const struct crm_tag_ids *ids, int64_t id)
{
    for (int i = 0; i < ids->count; i++) {
        if (ids->items[i] == id) {
            return true;
        }
    }
    return false;
}

// ["1","2"]: ids stand between quotes. Anything else is passed over.
static bool next_id(struct view *rest, int64_t *ret_id)
{
    while (rest->len) {
        struct view part = view_cut(rest, '"');
        if (part.len && part.data[0] >= '0' && part.data[0] <= '9' && view_to_int64(part, ret_id)) {
            return true;
        }
    }
    return false;
}

static struct store_param print_ids(const struct crm_tag_ids *ids, char text[CRM_TAG_IDS_BYTES_MAX])
{
    size_t len = 0;
    if (ids->count == 0) {
        return store_null();
    }
    text[len++] = '[';
    for (int i = 0; i < ids->count; i++) {
        len += (size_t)snprintf(text + len, CRM_TAG_IDS_BYTES_MAX - len, "%s\"%lld\"", i ? "," : "", (long long)ids->items[i]);
    }
    text[len++] = ']';
    return store_text((struct view){text, len});
}

struct view crm_tag_pattern(char out[CRM_TAG_PATTERN_BYTES], int64_t id)
{
    int len = snprintf(out, CRM_TAG_PATTERN_BYTES, "%%\"%lld\"%%", (long long)id);
    return (struct view){out, (size_t)len};
}

// ---- what a request says ------------------------------------------------------------------------

static bool refuse(struct crm_row_error *error, enum crm_problem problem, struct view api_name, const char *expected, int length)
{
    *error = (struct crm_row_error){.problem = problem, .api_name = api_name, .expected = expected, .length = length};
    return false;
}

static bool same_wish(const struct crm_tag_wish *a, const struct crm_tag_wish *b)
{
    return a->id && b->id ? a->id == b->id : a->name.len && view_eq_nocase(a->name, b->name);
}

static bool read_wish(struct value item, struct view api_name, struct crm_tag_wish *wish, struct crm_row_error *error)
{
    const struct map *map = value_as_map(item);
    struct value name = map ? map_get_text(map, VIEW("name")) : item, id = map ? map_get_text(map, VIEW("id")) : value_null();
    struct value color = map ? map_get_text(map, VIEW("color_code")) : value_null();
    *wish = (struct crm_tag_wish){0};
    if ((!map && item.type != VALUE_TEXT) || (!value_is_null(name) && name.type != VALUE_TEXT)) {
        return refuse(error, CRM_ROW_TYPE, api_name, map ? "string" : "jsonobject", 0);
    }
    wish->name = view_trim(value_view_or(name, VIEW("")));
    wish->color = value_view_or(color, VIEW(""));
    if ((!value_is_null(id) && !crm_id_read(id, &wish->id)) || (!wish->id && wish->name.len == 0) ||
        (!value_is_null(color) && !crm_tag_color_valid(wish->color))) {
        return refuse(error, CRM_ROW_REFERENCE, api_name, NULL, 0);
    }
    if (utf8_units(wish->name) > CRM_TAG_NAME_UNITS_MAX) {
        return refuse(error, CRM_ROW_LENGTH, api_name, NULL, CRM_TAG_NAME_UNITS_MAX);
    }
    return true;
}

bool crm_tags_wish(struct value list, struct view api_name, struct crm_tag_wishes *ret_wishes, struct crm_row_error *error)
{
    const struct list *items = value_as_list(list);
    ret_wishes->count = 0;
    if (!items) {
        return list.type == VALUE_FRESH || refuse(error, CRM_ROW_TYPE, api_name, "jsonarray", 0);
    }
    for (uint32_t i = 0; i < items->count; i++) {
        struct crm_tag_wish wish;
        bool again = false;
        if (!read_wish(value_resolve(items->items[i]), api_name, &wish, error)) {
            return false;
        }
        for (int j = 0; j < ret_wishes->count && !again; j++) {
            again = same_wish(&ret_wishes->items[j], &wish);
        }
        if (!again && ret_wishes->count == CRM_RECORD_TAGS_MAX) {
            return refuse(error, CRM_ROW_LENGTH, api_name, NULL, CRM_RECORD_TAGS_MAX);
        }
        if (!again) {
            ret_wishes->items[ret_wishes->count++] = wish;
        }
    }
    return true;
}

// ---- inside closures ----------------------------------------------------------------------------

bool crm_tag_known(struct tx *tx, struct view module, int64_t id, bool *ret_known, struct fail *fail)
{
    int64_t one;
    struct store_param params[] = {store_text(CRM_TAG_KIND), store_text(module), store_int(id)};
    return tx_query_int(tx, "SELECT 1 FROM crm_object WHERE kind = ? AND module = ? AND id = ?", params, 3, &one, ret_known, fail);
}

bool crm_tag_named(struct tx *tx, const struct crm_module *module, struct view name, int64_t *ret_id, struct fail *fail)
{
    bool found;
    struct store_param params[] = {store_text(CRM_TAG_KIND), store_text(module->api_name), store_text(name)};
    *ret_id = 0;
    return tx_query_int(tx, "SELECT id FROM crm_object WHERE kind = ? AND module = ? AND lower(name) = lower(?)", params, 3, ret_id, &found,
                        fail);
}

bool crm_tag_add_tx(struct tx *tx, struct crm_session *session, const struct crm_module *module, struct view name, struct view color,
                    int64_t *ret_id, struct fail *fail)
{
    struct value definition = value_map(session->heap, 1);
    shape_put(session->heap, definition, "color_code", color.len ? value_text(session->heap, color) : value_null());
    struct crm_object object = {
        .kind = CRM_TAG_KIND, .module = module->api_name, .name = name, .definition = definition, .created_by = session->user_id};
    return crm_object_add_tx(tx, &object, ret_id, fail) &&
           (session->journal == 0 || crm_journal_insert(tx, session->journal, VIEW("crm_object"), VIEW("crm_object"), *ret_id, fail));
}

static bool find_wish(struct tx *tx, const struct crm_module *module, const struct crm_tag_wish *wish, int64_t *ret_id, struct fail *fail)
{
    bool known = false;
    if (wish->id && !crm_tag_known(tx, module->api_name, wish->id, &known, fail)) {
        return false;
    }
    *ret_id = known ? wish->id : 0;
    return known || wish->name.len == 0 || crm_tag_named(tx, module, wish->name, ret_id, fail);
}

static bool has_room(struct tx *tx, const struct crm_module *module, int more, bool *ret_room, struct fail *fail)
{
    int64_t count = 0;
    if (!crm_object_count_tx(tx, CRM_TAG_KIND, module->api_name, &count, fail)) {
        return false;
    }
    *ret_room = count + more <= CRM_TAGS_MAX;
    return true;
}

// All are looked up before the first is made: a list that is refused makes none.
static bool look_up(struct tx *tx, const struct crm_module *module, const struct crm_tag_wishes *wishes, bool make,
                    int64_t ids[CRM_RECORD_TAGS_MAX], struct crm_row_error *late, struct fail *fail)
{
    int missing = 0;
    bool room = true;
    for (int i = 0; i < wishes->count; i++) {
        const struct crm_tag_wish *wish = &wishes->items[i];
        if (!find_wish(tx, module, wish, &ids[i], fail)) {
            return false;
        }
        if (!ids[i] && wish->name.len == 0) {
            *late = (struct crm_row_error){.problem = CRM_ROW_REFERENCE, .api_name = VIEW("Tag")};
        }
        missing += !ids[i];
    }
    if (!make || missing == 0 || late->problem != CRM_ROW_FINE) {
        return true;
    }
    if (!has_room(tx, module, missing, &room, fail)) {
        return false;
    }
    if (!room) {
        *late = (struct crm_row_error){.problem = CRM_ROW_TAG_LIMIT};
    }
    return true;
}

bool crm_tags_find(struct tx *tx, struct crm_session *session, const struct crm_module *module, const struct crm_tag_wishes *wishes,
                   bool make, struct crm_tag_ids *ret_ids, struct crm_row_error *late, struct fail *fail)
{
    int64_t ids[CRM_RECORD_TAGS_MAX];
    ret_ids->count = 0;
    if (!look_up(tx, module, wishes, make, ids, late, fail) || late->problem != CRM_ROW_FINE) {
        return late->problem != CRM_ROW_FINE && fail->code == FAIL_NONE;
    }
    for (int i = 0; i < wishes->count; i++) {
        const struct crm_tag_wish *wish = &wishes->items[i];
        // Two names that differ here may be one to the data base, which knows more letters: it is asked again.
        if (!ids[i] && make &&
            (!crm_tag_named(tx, module, wish->name, &ids[i], fail) ||
             (!ids[i] && !crm_tag_add_tx(tx, session, module, wish->name, wish->color, &ids[i], fail)))) {
            return false;
        }
        if (ids[i] && !has_id(ret_ids, ids[i])) {
            ret_ids->items[ret_ids->count++] = ids[i];
        }
    }
    return true;
}

// Those of the record that are still there.
static bool read_present(struct tx *tx, const struct crm_module *module, struct view stored, struct crm_tag_ids *ids, struct fail *fail)
{
    int64_t id;
    bool known;
    ids->count = 0;
    while (ids->count < CRM_RECORD_TAGS_MAX && next_id(&stored, &id)) {
        if (!crm_tag_known(tx, module->api_name, id, &known, fail)) {
            return false;
        }
        if (known && !has_id(ids, id)) {
            ids->items[ids->count++] = id;
        }
    }
    return true;
}

// A copy: the row's text lasts until the next query.
static bool read_stored(struct tx *tx, const struct crm_module *module, int64_t id, char out[CRM_TAG_IDS_BYTES_MAX],
                        struct view *ret_stored, bool *ret_found, struct fail *fail)
{
    char sql[SMALL_SQL_BYTES];
    struct store_param param = store_int(id);
    struct rows *rows;
    snprintf(sql, sizeof sql, "SELECT \"Tag\" FROM %.*s WHERE \"id\"=?", VIEW_ARGS(module->quoted));
    if (!tx_query(tx, sql, &param, 1, &rows, fail)) {
        return false;
    }
    *ret_found = rows_next(rows, fail);
    struct view text = *ret_found && rows_type(rows, 0) == STORE_TEXT ? rows_text(rows, 0) : VIEW("");
    size_t len = text.len < CRM_TAG_IDS_BYTES_MAX ? text.len : 0; // nothing longer was written here
    memcpy(out, text.len ? text.data : "", len);
    *ret_stored = (struct view){out, len};
    rows_close(rows);
    return fail->code == FAIL_NONE;
}

static bool add_ids(struct crm_tag_ids *ids, const struct crm_tag_ids *more)
{
    for (int i = 0; i < more->count; i++) {
        if (!has_id(ids, more->items[i])) {
            if (ids->count == CRM_RECORD_TAGS_MAX) {
                return false;
            }
            ids->items[ids->count++] = more->items[i];
        }
    }
    return true;
}

// A list that is too long makes no tags.
bool crm_tags_settle(struct tx *tx, struct crm_session *session, const struct crm_module *module, int64_t record_id,
                     struct crm_tag_wishes *wishes, struct store_param *ret_param, struct crm_row_error *late, struct fail *fail)
{
    struct crm_tag_ids wished, ids = {.count = 0}, known;
    char text[CRM_TAG_IDS_BYTES_MAX];
    struct view stored;
    bool found;
    if (record_id && wishes->append) {
        if (!read_stored(tx, module, record_id, text, &stored, &found, fail) || !read_present(tx, module, stored, &ids, fail) ||
            !crm_tags_find(tx, session, module, wishes, false, &known, late, fail)) {
            return false;
        }
        int more = wishes->count - known.count;
        if (!add_ids(&ids, &known) || ids.count + more > CRM_RECORD_TAGS_MAX) {
            *late = (struct crm_row_error){.problem = CRM_ROW_LENGTH, .api_name = VIEW("Tag"), .length = CRM_RECORD_TAGS_MAX};
        }
    }
    if (late->problem != CRM_ROW_FINE) {
        return true;
    }
    if (!crm_tags_find(tx, session, module, wishes, true, &wished, late, fail)) {
        return false;
    }
    add_ids(&ids, &wished);
    *ret_param = print_ids(&ids, wishes->text);
    return true;
}

// ---- showing ------------------------------------------------------------------------------------

static bool read_tag(struct tx *tx, struct heap *heap, int64_t id, struct value *ret_tag, struct fail *fail)
{
    struct store_param params[] = {store_text(CRM_TAG_KIND), store_int(id)};
    struct rows *rows;
    struct value definition = value_null(), tag = value_null();
    if (!tx_query(tx, "SELECT name, definition FROM crm_object WHERE kind = ? AND id = ?", params, 2, &rows, fail)) {
        return false;
    }
    if (rows_next(rows, fail)) {
        tag = value_map(heap, 3);
        shape_text(heap, tag, "name", rows_text(rows, 0));
        shape_put(heap, tag, "id", crm_id_text(heap, id));
        json_read(heap, rows_text(rows, 1), &definition, fail);
        shape_put(heap, tag, "color_code", crm_tag_color(definition));
    }
    rows_close(rows);
    *ret_tag = tag;
    return fail->code == FAIL_NONE;
}

// Each record's maps are its own; only texts are shared.
static struct value copy_tag(struct heap *heap, const struct map *tag)
{
    struct value copy = value_map(heap, 3);
    uint32_t cursor = 0;
    for (struct map_entry *entry; copy.type == VALUE_MAP && (entry = map_next(tag, &cursor));) {
        map_put(heap, copy.map, entry->key, entry->value);
    }
    return copy;
}

bool crm_tags_show(struct tx *tx, struct heap *heap, struct value memo, struct view stored, struct value *ret_list, struct fail *fail)
{
    char text[CRM_TAG_IDS_BYTES_MAX];
    struct value list = value_list(heap, 2);
    struct crm_tag_ids shown = {.count = 0};
    int64_t id;
    size_t len = stored.len < sizeof text ? stored.len : 0;
    memcpy(text, stored.len ? stored.data : "", len); // the row's text lasts until the next query
    for (struct view rest = {text, len}; shown.count < CRM_RECORD_TAGS_MAX && memo.type == VALUE_MAP && next_id(&rest, &id);) {
        struct value key = crm_id_text(heap, id), tag;
        bool known;
        tag = map_get(memo.map, key, &known);
        if (!known) {
            if (!read_tag(tx, heap, id, &tag, fail)) {
                return false;
            }
            map_put(heap, memo.map, key, tag);
        }
        if (tag.type == VALUE_MAP && !has_id(&shown, id)) {
            shown.items[shown.count++] = id;
            shape_add(heap, list, copy_tag(heap, tag.map));
        }
    }
    *ret_list = list;
    return true;
}

// ---- tags put on records and taken off ----------------------------------------------------------

enum tagging_end { TAGGING_DONE, TAGGING_GONE, TAGGING_FULL };

struct tagging_job {
    struct crm_session *session;
    struct crm_module *module;
    const struct crm_tagging *tagging;
    struct crm_tag_wishes wishes;
    int64_t now_ms;
    struct crm_row_error late; // by the closure
    struct value results; // by the closure
    bool none; // by the closure: all records are refused, and it is taken back
};

static void remove_ids(struct crm_tag_ids *ids, const struct crm_tag_ids *less)
{
    int kept = 0;
    for (int i = 0; i < ids->count; i++) {
        if (!has_id(less, ids->items[i])) {
            ids->items[kept++] = ids->items[i];
        }
    }
    ids->count = kept;
}

static bool write_ids(struct tx *tx, const struct tagging_job *job, int64_t id, const struct store_param *stored, struct fail *fail)
{
    const struct crm_fields *fields = crm_fields_of(job->module);
    char sql[SMALL_SQL_BYTES];
    struct crm_row_at at = {job->module->api_name, job->module->quoted, id};
    bool timed = fields->modified_time && fields->modified_by;
    struct store_param params[] = {*stored, store_int(job->now_ms), store_int(job->session->user_id), store_int(id)};
    if (!timed) {
        params[1] = params[3];
    }
    snprintf(sql, sizeof sql, "UPDATE %.*s SET \"Tag\"=?%s WHERE \"id\"=?", VIEW_ARGS(job->module->quoted),
             timed ? ",\"Modified_Time\"=?,\"Modified_By\"=?" : "");
    return crm_row_change(tx, job->session->journal, &at, sql, params, timed ? 4 : 2, fail);
}

// Version 2 shows the names alone, and the id as a number (LIKELY).
static struct value make_done(const struct tagging_job *job, int64_t id, struct value tags)
{
    struct heap *heap = job->session->heap;
    struct value details = value_map(heap, 2), names = value_list(heap, 2);
    const struct list *list = value_as_list(tags);
    bool bare = job->session->api_version < 3;
    for (uint32_t i = 0; bare && list && i < list->count; i++) {
        shape_add(heap, names, shape_get(value_as_map(list->items[i]), "name"));
    }
    shape_put(heap, details, "id", bare ? value_number(id) : crm_id_text(heap, id));
    shape_put(heap, details, "tags", bare ? names : tags);
    return crm_result_row(heap, "SUCCESS", details, "tags updated successfully", "success");
}

static struct value make_refused(const struct tagging_job *job, int64_t id, enum tagging_end end)
{
    struct heap *heap = job->session->heap;
    if (end == TAGGING_GONE) {
        return crm_result_id(heap, "INVALID_DATA", id, "the id given seems to be invalid", "error");
    }
    struct value row = crm_result_id(heap, "LIMIT_EXCEEDED", id, "a record has at most 10 tags", "error"); // code and words: GUESS
    shape_put(heap, shape_get(value_as_map(row), "details"), "limit", value_number(CRM_RECORD_TAGS_MAX));
    return row;
}

static bool tag_record(struct tx *tx, struct tagging_job *job, int64_t id, const struct crm_tag_ids *wished, struct fail *fail)
{
    char text[CRM_TAG_IDS_BYTES_MAX];
    struct view stored;
    struct crm_tag_ids ids = {.count = 0};
    bool found;
    struct value tags = value_null(), memo = value_map(job->session->heap, 4);
    if (!read_stored(tx, job->module, id, text, &stored, &found, fail)) {
        return false;
    }
    if (!job->tagging->overwrite && !read_present(tx, job->module, stored, &ids, fail)) {
        return false;
    }
    if (job->tagging->remove) {
        remove_ids(&ids, wished);
    } else if (found && !add_ids(&ids, wished)) {
        shape_add(job->session->heap, job->results, make_refused(job, id, TAGGING_FULL));
        return true;
    }
    if (!found) {
        shape_add(job->session->heap, job->results, make_refused(job, id, TAGGING_GONE));
        return true;
    }
    struct store_param param = print_ids(&ids, text);
    if (!write_ids(tx, job, id, &param, fail) ||
        !crm_tags_show(tx, job->session->heap, memo, param.type == STORE_TEXT ? param.text : VIEW(""), &tags, fail)) {
        return false;
    }
    shape_add(job->session->heap, job->results, make_done(job, id, tags));
    job->none = false;
    return true;
}

// When no record takes them, no tag is made.
static bool tag_records(struct tx *tx, void *arg, struct fail *fail)
{
    struct tagging_job *job = arg;
    struct crm_tag_ids wished = {.count = 0};
    fail_clear(fail);
    job->none = true;
    job->results = value_list(job->session->heap, (size_t)job->tagging->count);
    job->late = (struct crm_row_error){0};
    if (!crm_meta_check(job->session, fail) ||
        !crm_tags_find(tx, job->session, job->module, &job->wishes, !job->tagging->remove, &wished, &job->late, fail)) {
        return false;
    }
    for (int i = 0; job->late.problem == CRM_ROW_FINE && i < job->tagging->count; i++) {
        if (!tag_record(tx, job, job->tagging->ids[i], &wished, fail)) {
            return false;
        }
    }
    return job->late.problem != CRM_ROW_FINE || !job->none || fail_set(fail, FAIL_INVALID_DATA, NULL); // takes back tags that were made
}

static bool tag_once(struct crm_session *session, struct view module, const struct crm_tagging *tagging, struct value *ret_results,
                     struct crm_row_error *ret_error, struct fail *fail)
{
    struct tagging_job job = {.session = session, .tagging = tagging, .now_ms = clock_wall_ms() / 1000 * 1000};
    if (!crm_module_find(session, module, &job.module, fail)) {
        return false;
    }
    if (!crm_fields_of(job.module)->tag) {
        return fail_set(fail, FAIL_INVALID_MODULE, "the given module is not supported for this api");
    }
    if (!crm_tags_wish(tagging->tags, VIEW("tags"), &job.wishes, ret_error)) {
        return true;
    }
    if (!store_write(crm_env(session->crm), tag_records, &job, fail) && !(job.none && fail->code == FAIL_INVALID_DATA)) {
        return false;
    }
    *ret_error = job.late;
    *ret_results = job.results;
    return true;
}

// What is wrong with the tags is wrong with the request.
static bool refuse_tags(struct crm_session *session, const struct crm_row_error *error, struct fail *fail)
{
    struct value row = crm_result_error(session, 0, error);
    const struct map *map = value_as_map(row);
    session->details = shape_get(map, "details");
    if (map && session->details.type == VALUE_MAP && error->api_name.len && session->api_version >= 3) {
        shape_text(session->heap, session->details, "json_path", VIEW("$.tags"));
    }
    return fail_set(fail, error->problem == CRM_ROW_TAG_LIMIT ? FAIL_LICENSE_LIMIT : FAIL_INVALID_DATA, NULL);
}

bool crm_records_tag(struct crm_session *session, struct view module, const struct crm_tagging *tagging, struct value *ret_results,
                     struct fail *fail)
{
    struct crm_row_error error = {0};
    session->details = value_null();
    if (!tag_once(session, module, tagging, ret_results, &error, fail) &&
        !(crm_session_retry(session, fail) && tag_once(session, module, tagging, ret_results, &error, fail))) {
        return false;
    }
    return error.problem == CRM_ROW_FINE || refuse_tags(session, &error, fail);
}
