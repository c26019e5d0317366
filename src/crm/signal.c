// SPDX-License-Identifier: Apache-2.0
// Signals: short messages that an extension raises about a lead or a contact (spec/platform.md §7). They are stored and listed; the shape
// of the result is a GUESS kept in make_result. A signal belongs to the lead or contact that has its e-mail address; without one it is
// stored all the same, so that a script under test need not make a contact first, as it must at Zoho.
#include "crm/record.h"

enum {
    SUBJECT_UNITS_MAX = 100,
    MESSAGE_UNITS_MAX = 1000,
    ACTIONS_MAX = 10,
    ACTIONS_BYTES_MAX = 16384,
    NAMESPACE_BYTES_MAX = 200,
    SIGNALS_PAGE_MAX = 1000
};

struct signal_job {
    struct crm_session *session;
    struct view namespace, subject, message, email;
    int64_t record_id; // 0 = by e-mail
    struct view actions;
    int64_t time_ms;
    int64_t id; // by the closure
};

static void put(struct heap *heap, struct value map, const char *key, struct value value)
{
    if (map.type == VALUE_MAP) {
        map_put_text(heap, map.map, view_of(key), value);
    }
}

// GUESS (spec/platform.md §7): the shape that record actions have.
static struct value make_result(struct heap *heap, const char *code, struct value details, const char *message, const char *status)
{
    struct value result = value_map(heap, 4);
    put(heap, result, "code", value_text(heap, view_of(code)));
    put(heap, result, "details", details);
    put(heap, result, "message", value_text(heap, view_of(message)));
    put(heap, result, "status", value_text(heap, view_of(status)));
    return result;
}

// Scripts test the result; a signal that cannot be raised does not end the run.
static struct value refuse(struct heap *heap, const char *code, const char *key, const char *message)
{
    struct value details = value_map(heap, 1);
    put(heap, details, "api_name", value_text(heap, view_of(key)));
    return make_result(heap, code, details, message, "error");
}

static struct value refuse_type(struct heap *heap, const char *key, const char *type)
{
    struct value error = refuse(heap, "INVALID_DATA", key, "invalid data");
    put(heap, map_get_text(error.map, VIEW("details")), "expected_data_type", value_text(heap, view_of(type)));
    return error;
}

// ---- checks -------------------------------------------------------------------------------------

// Cuts "ext.signal" and "ext__signal".
static bool split_namespace(struct view text, struct view *ret_extension, struct view *ret_signal)
{
    ptrdiff_t dot = view_find_char(text, '.'), bars = view_find(text, VIEW("__"));
    ptrdiff_t at = dot > 0 ? dot : bars;
    if (at <= 0) {
        return false;
    }
    *ret_extension = view_slice(text, 0, (size_t)at);
    *ret_signal = view_from(text, (size_t)at + (dot > 0 ? 1 : 2));
    return ret_signal->len > 0;
}

static bool is_declared(struct view signal, struct value declared)
{
    const struct list *list = value_as_list(declared);
    if (value_is_null(declared)) {
        return true;
    }
    for (uint32_t i = 0; list && i < list->count; i++) {
        struct map *map = value_as_map(list->items[i]); // a manifest's entry, or its name alone
        struct view name = value_view_or(map ? map_get_text(map, VIEW("namespace")) : list->items[i], VIEW_NONE);
        if (view_eq_nocase(name, signal)) {
            return true;
        }
    }
    return false;
}

// A script raises its own extension's signals; a prefix that nobody owns means its own (PRODUCT). A script without extension raises any.
static bool may_raise(const struct crm_session *session, struct view text, struct value declared)
{
    struct view extension, signal;
    if (text.len > NAMESPACE_BYTES_MAX || !split_namespace(text, &extension, &signal) || !is_declared(signal, declared)) {
        return false;
    }
    if (session->namespace.len == 0 || view_eq_nocase(extension, session->namespace)) {
        return true;
    }
    if (session->namespace_installed && session->namespace_installed(session->user, extension)) {
        return false;
    }
    if (session->warn) {
        char warning[3 * NAMESPACE_BYTES_MAX + 100];
        snprintf(warning, sizeof warning, "signal %.*s: no installed extension has this prefix, %.*s.%.*s was meant", VIEW_ARGS(text),
                 (int)(session->namespace.len < NAMESPACE_BYTES_MAX ? session->namespace.len : NAMESPACE_BYTES_MAX),
                 session->namespace.data, VIEW_ARGS(signal));
        session->warn(session->user, view_of(warning));
    }
    return true;
}

// NULL when the actions are fine, else what is wrong with them.
static const char *check_actions(struct value actions)
{
    const struct list *list = value_as_list(actions);
    if (value_is_null(actions) || (actions.type == VALUE_FRESH && !list)) {
        return NULL;
    }
    if (!list || list->count > ACTIONS_MAX) {
        return "actions is a list of at most 10 maps";
    }
    for (uint32_t i = 0; i < list->count; i++) {
        struct map *action = value_as_map(list->items[i]);
        if (!action || crm_map_view(action, "type").len == 0 || crm_map_view(action, "display_name").len == 0 ||
            crm_map_view(action, "url").len == 0) {
            return "an action has type, display_name and url";
        }
    }
    return NULL;
}

// Null, or the error map. Texts must be there and fit.
static struct value check_signal(const struct crm_session *session, const struct map *map, struct value declared)
{
    static const struct {
        const char *key;
        size_t units_max;
    } TEXTS[] = {{"signal_namespace", NAMESPACE_BYTES_MAX}, {"subject", SUBJECT_UNITS_MAX}, {"message", MESSAGE_UNITS_MAX}};
    struct heap *heap = session->heap;
    for (size_t i = 0; i < BASE_COUNT(TEXTS); i++) {
        struct value text = map_get_text(map, view_of(TEXTS[i].key));
        if (value_is_null(text) || (text.type == VALUE_TEXT && text.len == 0)) {
            return refuse(heap, "MANDATORY_NOT_FOUND", TEXTS[i].key, "required field not found");
        }
        if (text.type != VALUE_TEXT) {
            return refuse_type(heap, TEXTS[i].key, "text");
        }
        if (value_text_units(text) > TEXTS[i].units_max) {
            struct value error = refuse(heap, "INVALID_DATA", TEXTS[i].key, "invalid data");
            put(heap, map_get_text(error.map, VIEW("details")), "maximum_length", value_number((int64_t)TEXTS[i].units_max));
            return error;
        }
    }
    if (!may_raise(session, crm_map_view(map, "signal_namespace"), declared)) {
        return refuse(heap, "INVALID_DATA", "signal_namespace", "the signal namespace given seems to be invalid");
    }
    struct value email = map_get_text(map, VIEW("email")), id = map_get_text(map, VIEW("id"));
    int64_t record_id;
    if (!value_is_null(email) && email.type != VALUE_TEXT) {
        return refuse_type(heap, "email", "text");
    }
    if (!value_is_null(id) && value_view_or(id, VIEW("0")).len && !crm_id_read(id, &record_id)) {
        return refuse_type(heap, "id", "bigint");
    }
    const char *wrong = check_actions(map_get_text(map, VIEW("actions")));
    return wrong ? refuse(heap, "INVALID_DATA", "actions", wrong) : value_null();
}

// ---- raising ------------------------------------------------------------------------------------

// The lead or contact that the signal is about: by its id when one is given, else by its e-mail; leads first.
static bool find_record(struct tx *tx, const struct signal_job *job, struct view *ret_module, int64_t *ret_id, struct fail *fail)
{
    static const struct {
        const char *module, *by_email, *by_id;
    } PLACES[] = {
        {"Leads", "SELECT \"id\" FROM \"Leads\" WHERE \"Email\" = ? COLLATE NOCASE ORDER BY \"id\" LIMIT 1",
         "SELECT \"id\" FROM \"Leads\" WHERE \"id\" = ?"},
        {"Contacts", "SELECT \"id\" FROM \"Contacts\" WHERE \"Email\" = ? COLLATE NOCASE ORDER BY \"id\" LIMIT 1",
         "SELECT \"id\" FROM \"Contacts\" WHERE \"id\" = ?"},
    };
    bool found = false;
    struct store_param param = job->record_id ? store_int(job->record_id) : store_text(job->email);
    for (size_t i = 0; i < BASE_COUNT(PLACES) && (job->record_id || job->email.len) && !found; i++) {
        if (!tx_query_int(tx, job->record_id ? PLACES[i].by_id : PLACES[i].by_email, &param, 1, ret_id, &found, fail)) {
            return false;
        }
        *ret_module = view_of(PLACES[i].module);
    }
    if (!found) {
        *ret_id = 0;
    }
    return true;
}

static bool store_signal(struct tx *tx, void *arg, struct fail *fail)
{
    struct signal_job *job = arg;
    struct view module = VIEW_NONE;
    int64_t record_id = 0;
    fail_clear(fail);
    if (!find_record(tx, job, &module, &record_id, fail)) {
        return false;
    }
    job->id = store_id(tx, fail);
    struct store_param params[] = {store_int(job->id),
                                   store_text(job->namespace),
                                   store_text(job->subject),
                                   store_text(job->message),
                                   job->email.len ? store_text(job->email) : store_null(),
                                   record_id ? store_text(module) : store_null(),
                                   record_id ? store_int(record_id) : store_null(),
                                   store_text(job->actions),
                                   store_int(job->time_ms)};
    int64_t journal = job->session->journal;
    return job->id != 0 &&
           tx_exec(tx,
                   "INSERT INTO crm_signal (id, signal_namespace, subject, message, email, module, record_id, actions, time) "
                   "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                   params, BASE_COUNT(params), fail) &&
           (journal == 0 || crm_journal_insert(tx, journal, VIEW("crm_signal"), VIEW("crm_signal"), job->id, fail));
}

bool crm_signal_raise_declared(struct crm_session *session, struct value signal, struct value declared, struct value *ret_result,
                               struct fail *fail)
{
    struct heap *heap = session->heap;
    const struct map *map = value_as_map(signal);
    session->details = value_null();
    if (!map) {
        *ret_result = refuse(heap, "INVALID_DATA", "signal", "a signal is a map");
        return true;
    }
    struct value error = check_signal(session, map, declared);
    if (!value_is_null(error)) {
        *ret_result = error;
        return true;
    }
    struct signal_job job = {.session = session,
                             .namespace = crm_map_view(map, "signal_namespace"),
                             .subject = crm_map_view(map, "subject"),
                             .message = crm_map_view(map, "message"),
                             .email = crm_map_view(map, "email"),
                             .time_ms = clock_wall_ms() / 1000 * 1000};
    crm_id_read(map_get_text(map, VIEW("id")), &job.record_id);
    struct buffer actions;
    buffer_init(&actions, ACTIONS_BYTES_MAX);
    struct list *list = value_as_list(map_get_text(map, VIEW("actions")));
    bool written =
        list ? json_write(&actions, map_get_text(map, VIEW("actions")), heap->zone, fail) : (buffer_add(&actions, VIEW("[]")), true);
    if (!written || actions.failed) {
        buffer_free(&actions);
        fail_clear(fail);
        *ret_result = refuse(heap, "INVALID_DATA", "actions", "the actions are longer than 16384 bytes");
        return true;
    }
    job.actions = buffer_view(&actions);
    bool done = store_write(crm_env(session->crm), store_signal, &job, fail);
    buffer_free(&actions);
    if (done) {
        struct value details = value_map(heap, 1);
        put(heap, details, "id", crm_id_text(heap, job.id));
        *ret_result = make_result(heap, "SUCCESS", details, "signal raised", "success");
    }
    return done;
}

bool crm_signal_raise(struct crm_session *session, struct value signal, struct value *ret_result, struct fail *fail)
{
    return crm_signal_raise_declared(session, signal, value_null(), ret_result, fail);
}

// ---- listing ------------------------------------------------------------------------------------

struct signal_page {
    struct crm_session *session;
    struct crm_signal_query query;
    struct value list;
    bool more;
};

static struct value text_or_null(struct heap *heap, struct rows *rows, int column)
{
    return rows_type(rows, column) == STORE_TEXT ? value_text(heap, rows_text(rows, column)) : value_null();
}

static struct value make_signal(const struct crm_session *session, struct rows *rows)
{
    static const char *const KEYS[] = {"signal_namespace", "subject", "message", "email", "module"};
    struct heap *heap = session->heap;
    struct value signal = value_map(heap, 9), actions = value_null();
    struct fail ignored = {0};
    put(heap, signal, "id", crm_id_text(heap, rows_int(rows, 0)));
    for (size_t i = 0; i < BASE_COUNT(KEYS); i++) {
        put(heap, signal, KEYS[i], text_or_null(heap, rows, (int)i + 1));
    }
    put(heap, signal, "record_id", rows_type(rows, 6) == STORE_NULL ? value_null() : crm_id_text(heap, rows_int(rows, 6)));
    json_read(heap, rows_text(rows, 7), &actions, &ignored);
    put(heap, signal, "actions", actions);
    put(heap, signal, "time", crm_time_text(session, rows_int(rows, 8)));
    return signal;
}

static bool read_signals(struct tx *tx, void *arg, struct fail *fail)
{
    struct signal_page *job = arg;
    const struct crm_signal_query *query = &job->query;
    struct store_param module = store_text(query->module), record = store_int(query->record_id);
    struct store_param params[] = {module,
                                   module,
                                   record,
                                   record,
                                   store_int(query->per_page + 1), // the one more tells that there are more
                                   store_int((int64_t)(query->page - 1) * query->per_page)};
    struct rows *rows;
    fail_clear(fail);
    job->more = false;
    job->list = value_list(job->session->heap, 16);
    if (job->list.type != VALUE_LIST) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    if (!tx_query(tx,
                  "SELECT id, signal_namespace, subject, message, email, module, record_id, actions, time FROM crm_signal"
                  " WHERE (? = '' OR lower(module) = lower(?)) AND (? = 0 OR record_id = ?) ORDER BY id DESC LIMIT ? OFFSET ?",
                  params, (int)BASE_COUNT(params), &rows, fail)) {
        return false;
    }
    while (!job->more && rows_next(rows, fail)) {
        job->more = job->list.list->count == (uint32_t)query->per_page;
        if (!job->more) {
            list_add(job->session->heap, job->list.list, make_signal(job->session, rows));
        }
    }
    rows_close(rows);
    return fail->code == FAIL_NONE;
}

bool crm_signals_page(struct crm_session *session, const struct crm_signal_query *query, struct value *ret_list, bool *ret_more,
                      struct fail *fail)
{
    struct signal_page job = {.session = session, .query = *query};
    job.query.module = query->module.data ? query->module : VIEW("");
    job.query.per_page = query->per_page < 1 || query->per_page > SIGNALS_PAGE_MAX ? SIGNALS_PAGE_MAX : query->per_page;
    job.query.page = query->page < 1 ? 1 : query->page;
    if (!store_read(crm_env(session->crm), read_signals, &job, fail)) {
        return false;
    }
    *ret_list = job.list;
    *ret_more = job.more;
    return true;
}
