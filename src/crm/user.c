// SPDX-License-Identifier: Apache-2.0
// Users (spec/crm-api.md §2.10; messages: Zoho's description of /users). An invited user is active and confirmed at once: nobody has to
// answer a mail here. A deleted one stays, because records name him; he is shown under type=DeletedUsers and his tokens end.
//
// What a user tells of himself (phone, street, …) is one JSON text in the row; what the program looks at has columns.
#include "crm/given.h"

enum { EMAIL_UNITS_MAX = 100, NAME_UNITS_MAX = 50, FULL_NAME_BYTES = 1024, SQL_BYTES = 512 };

// ---- as REST shows them -------------------------------------------------------------------------

#define USER_COLUMNS                                                                                                                       \
    "SELECT id, email, first_name, last_name, full_name, zuid, role_id, role_name, profile_id, profile_name, time_zone, locale, status, "  \
    "confirm, details, created_time, created_by, modified_time, modified_by FROM crm_user"

static void put_text(struct heap *heap, struct value user, const char *key, struct view text)
{
    shape_put(heap, user, key, text.data ? value_text(heap, text) : value_null());
}

static void put_named(struct heap *heap, struct value user, const char *key, struct rows *rows, int column)
{
    struct value pair = value_map(heap, 2);
    shape_text(heap, pair, "name", rows_text(rows, column + 1));
    shape_put(heap, pair, "id", crm_id_text(heap, rows_int(rows, column)));
    shape_put(heap, user, key, pair);
}

// What users say of themselves, and what is shown while they have not.
static const struct {
    const char *key;
    size_t units_max;
    const char *otherwise; // NULL: null
} DETAILS[] = {
    {"alias", 50, NULL},
    {"phone", 30, NULL},
    {"mobile", 30, NULL},
    {"fax", 30, NULL},
    {"website", 250, NULL},
    {"street", 250, NULL},
    {"city", 100, NULL},
    {"state", 100, NULL},
    {"zip", 30, NULL},
    {"country", 100, NULL},
    {"dob", 10, NULL},
    {"signature", 200, NULL},
    {"language", 5, "en_US"},
    {"country_locale", 5, "en_US"},
    {"date_format", 30, "MMM d, yyyy"},
    {"time_format", 10, "hh:mm a"},
};

static void put_details(struct heap *heap, struct value user, struct view json)
{
    struct value details = value_null();
    struct fail ignored;
    json_read(heap, json, &details, &ignored);
    for (size_t i = 0; i < BASE_COUNT(DETAILS); i++) {
        struct value said = shape_get(value_as_map(details), DETAILS[i].key);
        bool standard = value_is_null(said) && DETAILS[i].otherwise;
        shape_put(heap, user, DETAILS[i].key, standard ? value_text(heap, view_of(DETAILS[i].otherwise)) : said);
    }
}

static struct value make_user(const struct crm_session *session, struct rows *rows)
{
    struct heap *heap = session->heap;
    struct value user = value_map(heap, 40);
    shape_put(heap, user, "id", crm_id_text(heap, rows_int(rows, 0)));
    put_text(heap, user, "email", rows_text(rows, 1));
    put_text(heap, user, "first_name", rows_text(rows, 2));
    put_text(heap, user, "last_name", rows_text(rows, 3));
    put_text(heap, user, "full_name", rows_text(rows, 4));
    put_text(heap, user, "zuid", rows_text(rows, 5));
    put_named(heap, user, "role", rows, 6);
    put_named(heap, user, "profile", rows, 8);
    put_text(heap, user, "time_zone", rows_text(rows, 10));
    put_text(heap, user, "locale", rows_text(rows, 11));
    put_text(heap, user, "status", rows_text(rows, 12));
    shape_put(heap, user, "confirm", value_bool(rows_int(rows, 13) != 0));
    put_details(heap, user, rows_text(rows, 14));
    shape_put(heap, user, "created_time", shape_time(session, rows_int(rows, 15)));
    shape_put(heap, user, "created_by", shape_user(session, rows_int(rows, 16)));
    shape_put(heap, user, "Modified_Time", shape_time(session, rows_int(rows, 17)));
    shape_put(heap, user, "Modified_By", shape_user(session, rows_int(rows, 18)));
    shape_text(heap, user, "category", VIEW("regular_user"));
    shape_text(heap, user, "type__s", VIEW("Regular User"));
    shape_put(heap, user, "microsoft", value_bool(false));
    return user;
}

// ---- listing ------------------------------------------------------------------------------------

#define NOT_DELETED "status <> 'deleted'"
static const struct user_type {
    const char *name, *where;
} TYPES[] = {
    {"AllUsers", NOT_DELETED},
    {"ActiveUsers", "status = 'active'"},
    {"DeactiveUsers", "status = 'disabled'"},
    {"ConfirmedUsers", NOT_DELETED " AND confirm <> 0"},
    {"NotConfirmedUsers", NOT_DELETED " AND confirm = 0"},
    {"DeletedUsers", "status = 'deleted'"},
    {"ActiveConfirmedUsers", "status = 'active' AND confirm <> 0"},
    {"AdminUsers", NOT_DELETED " AND profile_name = 'Administrator'"},
    {"ActiveConfirmedAdmins", "status = 'active' AND confirm <> 0 AND profile_name = 'Administrator'"},
    {"CurrentUser", "id = ?"},
};

struct user_list {
    const struct crm_session *session;
    const struct user_type *type;
    int64_t id, limit, offset;
    struct value list;
    bool more;
};

// One more than is wanted tells whether there are more.
static bool read_users(struct tx *tx, void *arg, struct fail *fail)
{
    struct user_list *list = arg;
    char sql[SQL_BYTES];
    struct rows *rows;
    bool one = view_find_char(view_of(list->type->where), '?') >= 0;
    struct store_param params[] = {store_int(list->id), store_int(list->limit + 1), store_int(list->offset)};
    snprintf(sql, sizeof sql, USER_COLUMNS " WHERE %s ORDER BY id LIMIT ? OFFSET ?", list->type->where);
    fail_clear(fail);
    list->list = value_list(list->session->heap, 4);
    list->more = false;
    if (list->list.type != VALUE_LIST) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    if (!tx_query(tx, sql, one ? params : params + 1, one ? 3 : 2, &rows, fail)) {
        return false;
    }
    while (!list->more && rows_next(rows, fail)) {
        list->more = list->list.list->count == list->limit;
        if (!list->more) {
            shape_add(list->session->heap, list->list, make_user(list->session, rows));
        }
    }
    rows_close(rows);
    return fail->code == FAIL_NONE;
}

bool crm_users_page(struct crm_session *session, struct view type, int page, int per_page, struct value *ret_list, bool *ret_more,
                    struct fail *fail)
{
    struct user_list list = {
        .session = session, .id = session->user_id, .limit = per_page, .offset = ((int64_t)page - 1) * per_page, .type = TYPES};
    session->details = value_null();
    for (size_t i = 0; type.len && i <= BASE_COUNT(TYPES); i++) {
        if (i == BASE_COUNT(TYPES)) {
            crm_details_set(session, "param_name", VIEW("type"));
            return fail_set(fail, FAIL_INVALID_DATA, "there is no such type of users");
        }
        if (view_eq_nocase(type, view_of(TYPES[i].name))) {
            list.type = &TYPES[i];
            break;
        }
    }
    if (!store_read(crm_env(session->crm), read_users, &list, fail)) {
        return false;
    }
    *ret_list = list.list;
    *ret_more = list.more;
    return true;
}

bool crm_users_list(struct crm_session *session, struct value *ret_list, struct fail *fail)
{
    bool more;
    return crm_users_page(session, VIEW("AllUsers"), 1, CRM_USERS_MAX, ret_list, &more, fail);
}

bool crm_user_get(struct crm_session *session, int64_t user_id, struct value *ret_user, struct fail *fail)
{
    static const struct user_type one = {"", "id = ?"};
    struct user_list list = {.session = session, .id = user_id, .limit = 1, .type = &one};
    if (!store_read(crm_env(session->crm), read_users, &list, fail)) {
        return false;
    }
    if (list.list.list->count == 0) {
        return fail_set(fail, FAIL_NOT_FOUND, "there is no such user");
    }
    *ret_user = list.list.list->items[0];
    return true;
}

struct admin_question {
    int64_t id;
    bool admin;
};

static bool ask_admin(struct tx *tx, void *arg, struct fail *fail)
{
    struct admin_question *question = arg;
    struct store_param id = store_int(question->id);
    int64_t found_id;
    return tx_query_int(tx, "SELECT id FROM crm_user WHERE id = ? AND status = 'active' AND profile_name = 'Administrator'", &id, 1,
                        &found_id, &question->admin, fail);
}

bool crm_user_admin(struct crm_session *session, int64_t user_id, bool *ret_admin, struct fail *fail)
{
    struct admin_question question = {.id = user_id};
    if (user_id != crm_admin_id(session) && !store_read(crm_env(session->crm), ask_admin, &question, fail)) {
        return false;
    }
    *ret_admin = question.admin || user_id == crm_admin_id(session);
    return true;
}

// ---- what a request says of a user --------------------------------------------------------------

struct user_row {
    struct value email, first_name, last_name, full_name, time_zone, locale, status, details; // details: a map
    int64_t role_id, profile_id;
    struct view role_name, profile_name; // found in the closure
};

struct user_job {
    struct crm_given given;
    int64_t id;
    struct user_row row;
    bool found;
};

static struct crm_session *session_of(const struct user_job *job)
{
    return job->given.session;
}

// "en_US"
static bool is_locale(struct view text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (i == 2 ? c != '_' : i < 2 ? c < 'a' || c > 'z' : c < 'A' || c > 'Z') {
            return false;
        }
    }
    return text.len == 5;
}

static bool is_date_format(struct view text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (view_find_char(VIEW("dMyE/-., "), text.data[i]) < 0) {
            return false;
        }
    }
    return text.len > 0;
}

static const char *detail_problem(const char *key, struct view text)
{
    if (strcmp(key, "dob") == 0 && !crm_date_read(text)) {
        return "invalid data";
    }
    if ((strcmp(key, "language") == 0 || strcmp(key, "country_locale") == 0) && !is_locale(text)) {
        return "Give a proper language code";
    }
    if (strcmp(key, "date_format") == 0 && !is_date_format(text)) {
        return "Valid date format should be given";
    }
    bool known = view_eq(text, VIEW("HH:mm")) || view_eq(text, VIEW("hh:mm a"));
    return strcmp(key, "time_format") == 0 && !known ? "invalid data" : NULL;
}

static bool take_details(struct user_job *job)
{
    struct heap *heap = session_of(job)->heap;
    for (size_t i = 0; i < BASE_COUNT(DETAILS); i++) {
        const char *key = DETAILS[i].key;
        struct view text;
        if (!crm_given_text(&job->given, key, DETAILS[i].units_max, &text)) {
            return false;
        }
        const char *problem = text.len ? detail_problem(key, text) : NULL;
        if (problem) {
            return crm_given_refuse(&job->given, FAIL_INVALID_DATA, key, problem);
        }
        if (crm_given_has(&job->given, key)) {
            shape_put(heap, job->row.details, key, text.len ? value_text(heap, text) : value_null());
        }
    }
    return true;
}

static bool refuse_unbuilt(const struct user_job *job)
{
    static const char *const unbuilt[] = {"Reporting_To",          "Current_Shift__s", "$current_shift", "$next_shift",
                                          "$shift_effective_from", "territories",      "theme",          "customize_info"};
    for (size_t i = 0; i < BASE_COUNT(unbuilt); i++) {
        if (!value_is_null(shape_get(job->given.map, unbuilt[i]))) {
            return crm_given_refuse(&job->given, FAIL_NOT_SUPPORTED, unbuilt[i], NULL);
        }
    }
    return true;
}

static void name_user(struct user_job *job)
{
    char name[FULL_NAME_BYTES];
    struct view first = value_view_or(job->row.first_name, VIEW("")), last = value_view_or(job->row.last_name, VIEW(""));
    int len = snprintf(name, sizeof name, "%.*s%s%.*s", VIEW_ARGS(first), first.len && last.len ? " " : "", VIEW_ARGS(last));
    job->row.full_name = value_text(session_of(job)->heap, (struct view){name, (size_t)len});
}

static bool take_text(struct user_job *job, const char *key, size_t units_max, struct value *text)
{
    struct view given;
    if (!crm_given_text(&job->given, key, units_max, &given)) {
        return false;
    }
    if (crm_given_has(&job->given, key)) {
        *text = given.len ? value_text(session_of(job)->heap, given) : value_null();
    }
    return true;
}

// Names, zone, locale and details, over what the row holds.
static bool take_given(struct user_job *job)
{
    struct user_row *row = &job->row;
    struct value zone = row->time_zone, locale = row->locale;
    if (!refuse_unbuilt(job) || !take_text(job, "first_name", NAME_UNITS_MAX, &row->first_name) ||
        !take_text(job, "last_name", NAME_UNITS_MAX, &row->last_name) || !take_text(job, "time_zone", EMAIL_UNITS_MAX, &zone) ||
        !take_text(job, "locale", EMAIL_UNITS_MAX, &locale) || !take_details(job)) {
        return false;
    }
    if (value_is_null(row->first_name) && value_is_null(row->last_name)) {
        return crm_given_refuse(&job->given, FAIL_MANDATORY_NOT_FOUND, "first_name", NULL);
    }
    if (zone.type != VALUE_TEXT || !zone_exists(value_view(zone))) {
        return crm_given_refuse(&job->given, FAIL_INVALID_DATA, "time_zone", "Give a proper time zone value");
    }
    if (locale.type != VALUE_TEXT || !is_locale(value_view(locale))) {
        return crm_given_refuse(&job->given, FAIL_INVALID_DATA, "locale", "Give a proper language code");
    }
    row->time_zone = zone;
    row->locale = locale;
    name_user(job);
    return true;
}

// Role and profile, when they are given, must be there.
static bool find_role_and_profile(struct tx *tx, struct user_job *job)
{
    struct user_row *row = &job->row;
    bool role, profile;
    struct fail *fail = job->given.fail;
    if (!crm_object_name_tx(tx, session_of(job), VIEW("role"), row->role_id, &row->role_name, &role, fail) ||
        !crm_object_name_tx(tx, session_of(job), VIEW("profile"), row->profile_id, &row->profile_name, &profile, fail)) {
        return false;
    }
    return (role && profile) ||
           crm_given_refuse(&job->given, FAIL_INVALID_DATA, role ? "profile" : "role", "the id given seems to be invalid");
}

static bool write_json(struct value details, struct buffer *json, struct fail *fail)
{
    buffer_init(json, 1 << 16);
    return json_write(json, details, NULL, fail) && (!json->failed || fail_set(fail, FAIL_MEMORY, NULL));
}

static struct store_param text_or_null(struct value text)
{
    return text.type == VALUE_TEXT ? store_text(value_view(text)) : store_null();
}

// ---- inviting -----------------------------------------------------------------------------------

static bool email_taken(struct tx *tx, const struct user_job *job, bool *ret_taken, struct fail *fail)
{
    int64_t id;
    struct store_param params[] = {store_text(value_view(job->row.email)), store_int(job->id)};
    return tx_query_int(tx, "SELECT id FROM crm_user WHERE lower(email) = lower(?) AND id <> ? AND status <> 'deleted' LIMIT 1", params, 2,
                        &id, ret_taken, fail);
}

static bool insert_user(struct tx *tx, struct user_job *job, int64_t zuid, struct fail *fail)
{
    const struct user_row *row = &job->row;
    char digits[21];
    struct buffer json;
    int64_t now = clock_wall_ms() / 1000 * 1000, by = session_of(job)->user_id;
    job->id = store_id(tx, fail);
    bool good = write_json(row->details, &json, fail);
    struct store_param params[] = {store_int(job->id),
                                   text_or_null(row->email),
                                   text_or_null(row->first_name),
                                   text_or_null(row->last_name),
                                   text_or_null(row->full_name),
                                   store_text((struct view){digits, int64_print(digits, zuid)}),
                                   store_int(row->role_id),
                                   store_text(row->role_name),
                                   store_int(row->profile_id),
                                   store_text(row->profile_name),
                                   text_or_null(row->time_zone),
                                   text_or_null(row->locale),
                                   store_text(buffer_view(&json)),
                                   store_int(now),
                                   store_int(by),
                                   store_int(now),
                                   store_int(by)};
    good = good && job->id != 0 &&
           tx_exec(tx,
                   "INSERT INTO crm_user (id, email, first_name, last_name, full_name, zuid, role_id, role_name, profile_id, profile_name, "
                   "time_zone, locale, status, confirm, details, created_time, created_by, modified_time, modified_by) "
                   "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'active', 1, ?, ?, ?, ?, ?)",
                   params, BASE_COUNT(params), fail) &&
           store_bump(tx, fail);
    buffer_free(&json);
    return good;
}

static bool add_user(struct tx *tx, void *arg, struct fail *fail)
{
    struct user_job *job = arg;
    int64_t count, zuid;
    bool found, taken;
    session_of(job)->details = value_null();
    job->id = 0;
    if (!tx_query_int(tx, "SELECT COUNT(*) FROM crm_user", NULL, 0, &count, &found, fail) ||
        !tx_query_int(tx, "SELECT zgid + 1 FROM crm_org", NULL, 0, &zuid, &found, fail) || !email_taken(tx, job, &taken, fail) ||
        !find_role_and_profile(tx, job)) {
        return false;
    }
    if (count >= CRM_USERS_MAX) {
        return fail_set(fail, FAIL_LIMIT_EXCEEDED, "an organisation has at most %d users, deleted ones included", CRM_USERS_MAX);
    }
    if (taken) {
        return crm_given_refuse(&job->given, FAIL_DUPLICATE_DATA, "email", "Failed to add user since same email id is already present");
    }
    return insert_user(tx, job, zuid + count, fail);
}

static bool read_email(struct user_job *job)
{
    struct view email;
    if (!crm_given_name(&job->given, "email", EMAIL_UNITS_MAX, &email)) {
        return false;
    }
    job->row.email = value_text(session_of(job)->heap, email);
    if (job->row.email.type != VALUE_TEXT) {
        return fail_set(job->given.fail, FAIL_MEMORY, NULL);
    }
    return crm_email_valid(email) ||
           crm_given_refuse(&job->given, FAIL_INVALID_DATA, "email", "Invalid Email Id. Please choose a different email id");
}

bool crm_user_add(struct crm_session *session, const struct map *user, int64_t *ret_id, struct fail *fail)
{
    struct heap *heap = session->heap;
    struct user_job job = {.given = {.session = session, .map = user, .fail = fail}};
    session->details = value_null();
    job.row.details = value_map(heap, 8);
    job.row.locale = VALUE_TEXT_LITERAL(heap, "en_US");
    job.row.time_zone = value_text(heap, zone_name(crm_zone(session)));
    if (!read_email(&job) || !take_given(&job) || !crm_given_id(&job.given, "role", &job.row.role_id) ||
        !crm_given_id(&job.given, "profile", &job.row.profile_id)) {
        return false;
    }
    if (!job.row.role_id || !job.row.profile_id) {
        return crm_given_refuse(&job.given, FAIL_MANDATORY_NOT_FOUND, job.row.role_id ? "profile" : "role", NULL);
    }
    if (!store_write(crm_env(session->crm), add_user, &job, fail)) {
        return false;
    }
    *ret_id = job.id;
    return true;
}

// ---- changing -----------------------------------------------------------------------------------

static bool read_row(struct tx *tx, struct user_job *job, struct fail *fail)
{
    struct heap *heap = session_of(job)->heap;
    struct store_param id = store_int(job->id);
    struct user_row *row = &job->row;
    struct rows *rows;
    fail_clear(fail);
    session_of(job)->details = value_null();
    *row = (struct user_row){.details = value_null()};
    if (!tx_query(tx, USER_COLUMNS " WHERE id = ?", &id, 1, &rows, fail)) {
        return false;
    }
    job->found = rows_next(rows, fail);
    if (job->found) {
        struct view first = rows_text(rows, 2), last;
        row->first_name = first.len ? value_text(heap, first) : value_null();
        last = rows_text(rows, 3);
        row->last_name = last.len ? value_text(heap, last) : value_null();
        row->email = value_text(heap, rows_text(rows, 1));
        row->role_id = rows_int(rows, 6);
        row->profile_id = rows_int(rows, 8);
        row->time_zone = value_text(heap, rows_text(rows, 10));
        row->locale = value_text(heap, rows_text(rows, 11));
        row->status = value_text(heap, rows_text(rows, 12));
        json_read(heap, rows_text(rows, 14), &row->details, fail);
    }
    rows_close(rows);
    return fail->code == FAIL_NONE && (!heap->failed || fail_set(fail, FAIL_MEMORY, NULL));
}

static bool update_user(struct tx *tx, struct user_job *job, struct fail *fail)
{
    const struct user_row *row = &job->row;
    struct buffer json;
    bool good = write_json(row->details, &json, fail);
    struct store_param params[] = {text_or_null(row->first_name),       text_or_null(row->last_name),
                                   text_or_null(row->full_name),        store_int(row->role_id),
                                   store_text(row->role_name),          store_int(row->profile_id),
                                   store_text(row->profile_name),       text_or_null(row->time_zone),
                                   text_or_null(row->locale),           text_or_null(row->status),
                                   store_text(buffer_view(&json)),      store_int(clock_wall_ms() / 1000 * 1000),
                                   store_int(session_of(job)->user_id), store_int(job->id)};
    good = good &&
           tx_exec(tx,
                   "UPDATE crm_user SET first_name = ?, last_name = ?, full_name = ?, role_id = ?, role_name = ?, profile_id = ?, "
                   "profile_name = ?, time_zone = ?, locale = ?, status = ?, details = ?, modified_time = ?, modified_by = ? WHERE id = ?",
                   params, BASE_COUNT(params), fail) &&
           store_bump(tx, fail);
    buffer_free(&json);
    return good;
}

// "active" and "inactive" are said, "active" and "disabled" are kept.
static bool take_status(struct user_job *job)
{
    struct crm_given *given = &job->given;
    struct view status;
    if (!crm_given_text(given, "status", NAME_UNITS_MAX, &status)) {
        return false;
    }
    if (!status.len) {
        return true;
    }
    bool active = view_eq_nocase(status, VIEW("active")), was = view_eq(value_view(job->row.status), VIEW("active"));
    if (!active && !view_eq_nocase(status, VIEW("inactive")) && !view_eq_nocase(status, VIEW("disabled"))) {
        return crm_given_refuse(given, FAIL_INVALID_DATA, "status", NULL);
    }
    if (active == was) {
        return crm_given_refuse(given, active ? FAIL_ALREADY_ACTIVE : FAIL_ALREADY_DEACTIVATED, "status", NULL);
    }
    if (job->id == crm_admin_id(given->session)) {
        return crm_given_refuse(given, FAIL_BAD_REQUEST, "status", "Primary Contact cannot be deactivated");
    }
    if (job->id == given->session->user_id) {
        return crm_given_refuse(given, FAIL_NOT_ALLOWED, "status", "You can't perform this action over logged in user");
    }
    job->row.status = value_text(given->session->heap, active ? VIEW("active") : VIEW("disabled"));
    return true;
}

// A confirmed user's address stays, and everybody here is confirmed.
static bool check_email(const struct user_job *job)
{
    struct view email;
    if (!crm_given_text(&job->given, "email", EMAIL_UNITS_MAX, &email)) {
        return false;
    }
    return !email.len || view_eq_nocase(email, value_view(job->row.email)) ||
           crm_given_refuse(&job->given, FAIL_EMAIL_UPDATE, "email", NULL);
}

static bool take_role_and_profile(struct user_job *job)
{
    int64_t role, profile;
    if (!crm_given_id(&job->given, "role", &role) || !crm_given_id(&job->given, "profile", &profile)) {
        return false;
    }
    if (profile && profile != job->row.profile_id && job->id == crm_admin_id(session_of(job))) {
        return crm_given_refuse(&job->given, FAIL_NOT_ALLOWED, "profile", "the super admin keeps the profile Administrator");
    }
    job->row.role_id = role ? role : job->row.role_id;
    job->row.profile_id = profile ? profile : job->row.profile_id;
    return true;
}

static bool change_user(struct tx *tx, void *arg, struct fail *fail)
{
    struct user_job *job = arg;
    if (!read_row(tx, job, fail)) {
        return false;
    }
    if (!job->found) {
        return fail_set(fail, FAIL_NOT_FOUND, NULL);
    }
    if (view_eq(value_view(job->row.status), VIEW("deleted"))) {
        return crm_given_refuse(&job->given, FAIL_DELETED_USER, "id", NULL);
    }
    return check_email(job) && take_given(job) && take_status(job) && take_role_and_profile(job) && find_role_and_profile(tx, job) &&
           update_user(tx, job, fail);
}

bool crm_user_change(struct crm_session *session, int64_t id, const struct map *user, struct fail *fail)
{
    struct user_job job = {.given = {.session = session, .map = user, .fail = fail}, .id = id};
    return store_write(crm_env(session->crm), change_user, &job, fail);
}

// ---- deleting -----------------------------------------------------------------------------------

static bool refuse_delete(const struct user_job *job, enum fail_code code, const char *message)
{
    char digits[21];
    crm_details_set(session_of(job), "id", (struct view){digits, int64_print(digits, job->id)});
    return fail_set(job->given.fail, code, message ? "%s" : NULL, message);
}

static bool delete_user(struct tx *tx, void *arg, struct fail *fail)
{
    struct user_job *job = arg;
    struct store_param params[] = {store_int(clock_wall_ms() / 1000 * 1000), store_int(session_of(job)->user_id), store_int(job->id)};
    if (!read_row(tx, job, fail)) {
        return false;
    }
    if (!job->found) {
        return fail_set(fail, FAIL_NOT_FOUND, NULL);
    }
    if (view_eq(value_view(job->row.status), VIEW("deleted"))) {
        return refuse_delete(job, FAIL_ALREADY_DELETED, NULL);
    }
    if (job->id == crm_admin_id(session_of(job))) {
        return refuse_delete(job, FAIL_BAD_REQUEST, "Primary contact cannot be deleted");
    }
    if (job->id == session_of(job)->user_id) {
        return refuse_delete(job, FAIL_NOT_ALLOWED, "You can't perform this action over logged in user");
    }
    return tx_exec(tx, "UPDATE crm_user SET status = 'deleted', modified_time = ?, modified_by = ? WHERE id = ?", params,
                   BASE_COUNT(params), fail) &&
           store_bump(tx, fail);
}

bool crm_user_delete(struct crm_session *session, int64_t id, struct fail *fail)
{
    struct user_job job = {.given = {.session = session, .fail = fail}, .id = id};
    return store_write(crm_env(session->crm), delete_user, &job, fail);
}
