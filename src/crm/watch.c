// SPDX-License-Identifier: Apache-2.0
// Notification channels (zoho-crm-notifications): who is told where of which records. A channel is its user's, lives until its expiry and
// is stored as an object (object.h); what a write does with it is happened.c's. Expired ones are taken away when another one is written.
//
// Without an expiry, or with one too far ahead, a channel lives an hour; the most is a day, from version 4 on a week (LIKELY: Zoho's own
// answers to users' questions).
#include "crm/automation.h"
#include "crm/object.h"
#include "crm/shape.h"

enum {
    TOKEN_UNITS_MAX = 50,
    URL_BYTES_MAX = 4096,
    CHANNEL_BYTES_MAX = 40,
    HOUR_MS = 3600 * 1000,
    DAY_MS = 24 * HOUR_MS,
    WEEK_MS = 7 * DAY_MS,
    LONG_SINCE = 4,
};

#define KIND VIEW("watch")

struct watch_job {
    struct crm_session *session;
    const struct map *given;
    struct view channel;
    char name[2 * CHANNEL_BYTES_MAX + 24]; // of the object: user/channel
    bool whole, found;
    struct value definition; // as stored; of a change as it was
    int64_t id, now_ms;
    struct fail *fail;
};

static bool refuse(struct watch_job *job, enum fail_code code, const char *api_name, const char *text)
{
    job->session->details = value_null();
    crm_details_set(job->session, "api_name", view_of(api_name));
    char copy[FAIL_TEXT_MAX]; // the text may stand in the failure itself
    snprintf(copy, sizeof copy, "%s", text ? text : fail_default_text(code));
    return fail_set(job->fail, code, "%s", copy);
}

// A channel's number, as text or as number.
static bool read_channel(struct watch_job *job, struct value given)
{
    int64_t number;
    if (value_is_null(given)) {
        return refuse(job, FAIL_MANDATORY_NOT_FOUND, "channel_id", NULL);
    }
    if (!crm_id_read(given, &number) || number <= 0) {
        return refuse(job, FAIL_INVALID_DATA, "channel_id", NULL);
    }
    job->channel = value_view_or(crm_id_text(job->session->heap, number), VIEW(""));
    snprintf(job->name, sizeof job->name, "%lld/%.*s", (long long)job->session->user_id, VIEW_ARGS(job->channel));
    return true;
}

// ---- checks -------------------------------------------------------------------------------------

static bool read_expiry(struct watch_job *job, struct value given, int64_t *ret_ms)
{
    int64_t most = job->session->api_version >= LONG_SINCE ? (int64_t)WEEK_MS : DAY_MS, at = 0;
    if (value_is_null(given)) {
        *ret_ms = job->now_ms + HOUR_MS;
        return true;
    }
    if (given.type != VALUE_TEXT || !crm_datetime_read(value_view(given), job->session->meta->zone, &at) || at <= job->now_ms) {
        return refuse(job, FAIL_INVALID_DATA, "channel_expiry", NULL);
    }
    *ret_ms = at > job->now_ms + most ? job->now_ms + HOUR_MS : at;
    return true;
}

static bool check_events(struct watch_job *job, const struct map *definition)
{
    struct crm_watch watch = {0};
    if (!crm_watch_read(job->session->heap, definition, &watch, job->fail)) {
        return refuse(job, job->fail->code, watch.events_read ? "notification_condition" : "events", job->fail->text);
    }
    for (int i = 0; i < watch.event_count; i++) {
        const struct crm_module *module = crm_module_resolve(job->session, watch.events[i].module);
        if (!module || module->subform) {
            return refuse(job, FAIL_INVALID_DATA, "events", "an event names a module that does not exist");
        }
    }
    for (int i = 0; i < watch.field_count; i++) {
        struct crm_module *module = crm_module_resolve(job->session, watch.fields[i].module);
        if (!module || !crm_fields_load(job->session, module, job->fail)) {
            return refuse(job, FAIL_INVALID_DATA, "notification_condition", "a field_selection names a module that does not exist");
        }
        for (int k = 0; k < watch.fields[i].count; k++) {
            if (!crm_field_find(job->session, module, watch.fields[i].names[k])) {
                return refuse(job, FAIL_INVALID_DATA, "notification_condition", "a field_selection names a field that does not exist");
            }
        }
    }
    return true;
}

static bool check_texts(struct watch_job *job, const struct map *definition)
{
    struct value url = shape_get(definition, "notify_url"), token = shape_get(definition, "token");
    struct view text = value_view_or(url, VIEW(""));
    static const char *const flags[] = {"notify_on_related_action", "return_affected_field_values"};
    if (value_is_null(url)) {
        return refuse(job, FAIL_MANDATORY_NOT_FOUND, "notify_url", NULL);
    }
    if ((!view_starts_nocase(text, VIEW("http://")) && !view_starts_nocase(text, VIEW("https://"))) || text.len > URL_BYTES_MAX) {
        return refuse(job, FAIL_INVALID_DATA, "notify_url", NULL);
    }
    if (!value_is_null(token) && (token.type != VALUE_TEXT || utf8_units(value_view(token)) > TOKEN_UNITS_MAX)) {
        return refuse(job, FAIL_INVALID_DATA, "token", NULL);
    }
    for (size_t i = 0; i < BASE_COUNT(flags); i++) {
        struct value flag = shape_get(definition, flags[i]);
        if (!value_is_null(flag) && flag.type != VALUE_BOOL) {
            return refuse(job, FAIL_INVALID_DATA, flags[i], NULL);
        }
    }
    return true;
}

// Names of events as the modules have them, whatever the request's spelling.
static struct value tidy_events(struct watch_job *job, struct value given)
{
    const struct list *list = value_as_list(given);
    struct value events = value_list(job->session->heap, list ? list->count : 0);
    for (uint32_t i = 0; list && i < list->count; i++) {
        struct view rest = value_view_or(list->items[i], VIEW("")), name = view_cut(&rest, '.');
        const struct crm_module *module = crm_module_resolve(job->session, name);
        shape_add(job->session->heap, events,
                  value_text_printf(job->session->heap, "%.*s.%.*s", VIEW_ARGS(module ? module->api_name : name), VIEW_ARGS(rest)));
    }
    return events;
}

// The definition that is to be stored, from what is given and, unless it is whole, what was there.
static bool make_definition(struct watch_job *job)
{
    static const char *const members[] = {
        "events", "notify_url", "token", "notify_on_related_action", "return_affected_field_values", "notification_condition"};
    struct heap *heap = job->session->heap;
    const struct map *old = job->whole ? NULL : value_as_map(job->definition);
    struct value made = value_map(heap, BASE_COUNT(members) + 2), expiry = shape_get(job->given, "channel_expiry");
    int64_t expiry_ms = crm_map_int(old, "expiry_ms", 0);
    for (size_t i = 0; i < BASE_COUNT(members); i++) {
        struct value given = shape_get(job->given, members[i]);
        shape_put(heap, made, members[i], value_is_null(given) ? shape_get(old, members[i]) : given);
    }
    if (made.type != VALUE_MAP) {
        return fail_set(job->fail, FAIL_MEMORY, NULL);
    }
    if (value_is_null(shape_get(made.map, "events"))) {
        return refuse(job, FAIL_MANDATORY_NOT_FOUND, "events", NULL);
    }
    if (!check_texts(job, made.map) || !check_events(job, made.map) ||
        ((!expiry_ms || !value_is_null(expiry)) && !read_expiry(job, expiry, &expiry_ms))) {
        return false;
    }
    shape_put(heap, made, "events", tidy_events(job, shape_get(made.map, "events")));
    shape_put(heap, made, "expiry_ms", value_number(expiry_ms));
    shape_text(heap, made, "channel_id", job->channel);
    job->definition = made;
    return !heap->failed || fail_set(job->fail, FAIL_MEMORY, NULL);
}

// ---- storing ------------------------------------------------------------------------------------

static bool note_one(void *arg, const struct crm_object *object, struct fail *fail)
{
    struct watch_job *job = arg;
    (void)fail;
    job->found = crm_map_int(value_as_map(object->definition), "expiry_ms", 0) > job->now_ms;
    job->id = object->id;
    job->definition = object->definition;
    return true;
}

static bool find_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct watch_job *job = arg;
    struct crm_object_query query = {.kind = KIND, .name = view_of(job->name)};
    job->found = false;
    job->id = 0;
    return crm_objects_tx(tx, &query, job->session->heap, note_one, job, fail);
}

struct expired {
    int64_t ids[CRM_WATCHES_MAX];
    int count, live;
    int64_t now_ms;
};

static bool note_expired(void *arg, const struct crm_object *object, struct fail *fail)
{
    struct expired *expired = arg;
    (void)fail;
    bool over = crm_map_int(value_as_map(object->definition), "expiry_ms", 0) <= expired->now_ms;
    if (over && expired->count < CRM_WATCHES_MAX) {
        expired->ids[expired->count++] = object->id;
    }
    expired->live += !over;
    return true;
}

static bool drop_expired(struct tx *tx, const struct watch_job *job, int *ret_live, struct fail *fail)
{
    struct crm_object_query query = {.kind = KIND};
    struct expired expired = {.now_ms = job->now_ms};
    bool found, good = crm_objects_tx(tx, &query, job->session->heap, note_expired, &expired, fail);
    for (int i = 0; good && i < expired.count; i++) {
        good = crm_object_remove_tx(tx, KIND, expired.ids[i], &found, fail);
    }
    *ret_live = expired.live;
    return good;
}

// A channel that is there already is changed: subscribing again prolongs it.
static bool store_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct watch_job *job = arg;
    struct value definition = job->definition;
    int live;
    bool found;
    int64_t id;
    if (!drop_expired(tx, job, &live, fail) || !find_tx(tx, job, fail)) {
        return false;
    }
    job->definition = definition;
    const struct crm_object object = {.id = job->id,
                                      .kind = KIND,
                                      .module = VIEW(""),
                                      .name = view_of(job->name),
                                      .definition = definition,
                                      .created_by = job->session->user_id,
                                      .modified_by = job->session->user_id};
    if (!job->id && live >= CRM_WATCHES_MAX) {
        return fail_set(fail, FAIL_LIMIT_EXCEEDED, "an environment has at most %d notification channels", CRM_WATCHES_MAX);
    }
    return (job->id ? crm_object_change_tx(tx, &object, &found, fail) : crm_object_add_tx(tx, &object, &id, fail)) && store_bump(tx, fail);
}

static bool remove_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct watch_job *job = arg;
    bool found;
    return find_tx(tx, job, fail) && (!job->id || (crm_object_remove_tx(tx, KIND, job->id, &found, fail) && store_bump(tx, fail)));
}

// ---- answers ------------------------------------------------------------------------------------

static struct value show_module(struct watch_job *job, const struct crm_module *module, int64_t expiry_ms)
{
    struct heap *heap = job->session->heap;
    struct value shown = value_map(heap, 6);
    shape_put(heap, shown, "channel_expiry", shape_time(job->session, expiry_ms));
    shape_put(heap, shown, "resource_id", crm_id_text(heap, module->id));
    shape_text(heap, shown, "resource_name", module->api_name);
    shape_text(heap, shown, "channel_id", job->channel);
    return shown;
}

static bool show_events(struct watch_job *job, struct value *ret_events)
{
    struct crm_watch watch = {0};
    *ret_events = value_list(job->session->heap, 4);
    if (!crm_watch_read(job->session->heap, value_as_map(job->definition), &watch, job->fail)) {
        return false;
    }
    for (int i = 0; i < watch.event_count; i++) {
        const struct crm_module *module = crm_module_resolve(job->session, watch.events[i].module);
        if (module) {
            shape_add(job->session->heap, *ret_events, show_module(job, module, watch.expiry_ms));
        }
    }
    return true;
}

static bool open_job(struct watch_job *job, struct value watch)
{
    job->session->details = value_null();
    job->given = value_as_map(watch);
    job->now_ms = clock_wall_ms();
    return job->given ? read_channel(job, shape_get(job->given, "channel_id")) : refuse(job, FAIL_INVALID_DATA, "watch", NULL);
}

bool crm_watch_add(struct crm_session *session, struct value watch, struct value *ret_events, struct fail *fail)
{
    struct watch_job job = {.session = session, .whole = true, .fail = fail};
    return open_job(&job, watch) && make_definition(&job) && store_write(crm_env(session->crm), store_tx, &job, fail) &&
           show_events(&job, ret_events);
}

bool crm_watch_change(struct crm_session *session, struct value watch, bool whole, struct value *ret_events, struct fail *fail)
{
    struct watch_job job = {.session = session, .whole = whole, .fail = fail};
    if (!open_job(&job, watch) || !store_read(crm_env(session->crm), find_tx, &job, fail)) {
        return false;
    }
    if (!job.found) {
        return refuse(&job, FAIL_INVALID_DATA, "channel_id", "the channel_id given seems to be invalid");
    }
    return make_definition(&job) && store_write(crm_env(session->crm), store_tx, &job, fail) && show_events(&job, ret_events);
}

bool crm_watch_remove(struct crm_session *session, struct view channel, struct value *ret_events, bool *ret_found, struct fail *fail)
{
    struct watch_job job = {.session = session, .fail = fail, .now_ms = clock_wall_ms()};
    session->details = value_null();
    if (!read_channel(&job, value_text(session->heap, channel)) || !store_write(crm_env(session->crm), remove_tx, &job, fail)) {
        return false;
    }
    *ret_found = job.found;
    return !job.found || show_events(&job, ret_events);
}

// ---- listing ------------------------------------------------------------------------------------

struct listing {
    struct crm_session *session;
    struct view module, channel;
    int64_t id, now_ms;
    struct value list, one;
};

static struct value show_row(const struct listing *listing, const struct map *definition, const struct crm_watch_event *event)
{
    static const struct {
        const char *word;
        unsigned bit;
    } words[] = {{"create", CRM_EVENT_CREATE}, {"edit", CRM_EVENT_EDIT}, {"delete", CRM_EVENT_DELETE}};
    struct heap *heap = listing->session->heap;
    const struct crm_module *module = crm_module_resolve(listing->session, event->module);
    struct value row = value_map(heap, 12), events = value_list(heap, 3), condition = shape_get(definition, "notification_condition");
    bool all = event->events == (CRM_EVENT_CREATE | CRM_EVENT_EDIT | CRM_EVENT_DELETE);
    for (size_t i = 0; i < BASE_COUNT(words); i++) {
        if (!all && (event->events & words[i].bit)) {
            shape_add(heap, events, value_text_printf(heap, "%.*s.%s", VIEW_ARGS(event->module), words[i].word));
        }
    }
    if (all) {
        shape_add(heap, events, value_text_printf(heap, "%.*s.all", VIEW_ARGS(event->module)));
    }
    shape_put(heap, row, "notify_on_related_action", value_bool(crm_map_bool(definition, "notify_on_related_action", true)));
    shape_put(heap, row, "return_affected_field_values", value_bool(crm_map_bool(definition, "return_affected_field_values", false)));
    shape_put(heap, row, "channel_expiry", shape_time(listing->session, crm_map_int(definition, "expiry_ms", 0)));
    shape_put(heap, row, "resource_id", crm_id_text(heap, module ? module->id : 0));
    shape_text(heap, row, "resource_name", event->module);
    shape_put(heap, row, "notify_url", shape_get(definition, "notify_url"));
    shape_put(heap, row, "channel_id", shape_get(definition, "channel_id"));
    shape_put(heap, row, "events", events);
    shape_put(heap, row, "token", shape_get(definition, "token"));
    if (!value_is_null(condition)) {
        shape_put(heap, row, "notification_condition", condition);
    }
    return row;
}

static bool list_one(void *arg, const struct crm_object *object, struct fail *fail)
{
    struct listing *listing = arg;
    const struct map *definition = value_as_map(object->definition);
    struct crm_watch watch = {0};
    bool own = listing->id || object->created_by == listing->session->user_id;
    if (!own || crm_map_int(definition, "expiry_ms", 0) <= listing->now_ms ||
        (listing->channel.len && !view_eq(listing->channel, crm_map_view(definition, "channel_id")))) {
        return true;
    }
    listing->one = object->definition;
    if (!crm_watch_read(listing->session->heap, definition, &watch, fail)) {
        return false;
    }
    for (int i = 0; i < watch.event_count; i++) {
        if (!listing->module.len || view_eq_nocase(listing->module, watch.events[i].module)) {
            shape_add(listing->session->heap, listing->list, show_row(listing, definition, &watch.events[i]));
        }
    }
    return true;
}

static bool list_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct listing *listing = arg;
    struct crm_object_query query = {.kind = KIND, .id = listing->id};
    listing->list = value_list(listing->session->heap, 4);
    listing->one = value_null();
    return listing->list.type == VALUE_LIST ? crm_objects_tx(tx, &query, listing->session->heap, list_one, listing, fail)
                                            : fail_set(fail, FAIL_MEMORY, NULL);
}

bool crm_watches_list(struct crm_session *session, struct view module, struct view channel, struct value *ret_list, struct fail *fail)
{
    struct listing listing = {.session = session, .module = module, .channel = channel, .now_ms = clock_wall_ms()};
    if (!store_read(crm_env(session->crm), list_tx, &listing, fail)) {
        return false;
    }
    *ret_list = listing.list;
    return true;
}

bool crm_watch_get(struct crm_session *session, int64_t id, struct value *ret_watch, struct fail *fail)
{
    struct listing listing = {.session = session, .id = id, .now_ms = clock_wall_ms()};
    if (!store_read(crm_env(session->crm), list_tx, &listing, fail)) {
        return false;
    }
    *ret_watch = listing.one;
    return true;
}
