// SPDX-License-Identifier: Apache-2.0
// zoho.crm tasks that write several records, or whichever record is the same one (spec/crm-api.md §1.1, §1.3). Bulk tasks give one REST row
// a row, in order, good and bad alike; upsert and updateRelatedRecord give the row itself, not only its details.
#include "host/service.h"

enum { NOTE_BYTES_MAX = 300 };

bool service_session(struct native_call *call, struct crm_session **ret_session)
{
    struct run *run = service_run(call);
    return run && run_session(run, ret_session, call->fail);
}

bool service_id(struct native_call *call, int index, int64_t *ret_id)
{
    struct fail fail;
    if (crm_id_read(call->args[index], ret_id)) {
        return true;
    }
    fail_set(&fail, FAIL_INVALID_DATA, "the id given seems to be invalid");
    service_error(call, &fail);
    return false;
}

struct value service_list_of(struct native_call *call, struct value item)
{
    struct value list = value_list(call->heap, 1);
    if (list.type != VALUE_LIST || !list_add(call->heap, list.list, item)) {
        fail_set(call->fail, FAIL_LIMIT, "The record does not fit the function's memory");
        return value_null();
    }
    return list;
}

// ---- options ------------------------------------------------------------------------------------

// "workflow, approval"; empty when nothing is to be triggered.
static size_t join_triggers(struct value trigger, char *out, size_t room)
{
    const struct list *list = value_as_list(trigger);
    size_t len = 0;
    for (uint32_t i = 0; i < (list ? list->count : 1) && len < room - 1; i++) {
        struct view name = view_trim(value_view_or(list ? list->items[i] : trigger, VIEW("")));
        name = view_slice(name, 0, utf8_clamp(name, 40));
        int written = name.len ? snprintf(out + len, room - len, "%s%.*s", len ? ", " : "", VIEW_ARGS(name)) : 0;
        len += written > 0 ? (size_t)written : 0;
    }
    return len < room ? len : room - 1;
}

static bool triggers_workflow(struct value trigger)
{
    const struct list *list = value_as_list(trigger);
    for (uint32_t i = 0; i < (list ? list->count : 1); i++) {
        if (view_eq_nocase(view_trim(value_view_or(list ? list->items[i] : trigger, VIEW(""))), VIEW("workflow"))) {
            return true;
        }
    }
    return false;
}

void service_options(struct native_call *call, int index)
{
    struct run *run = call->host;
    const struct map *options = run && index < call->count ? value_as_map(call->args[index]) : NULL;
    struct value trigger = options ? value_resolve(map_get_text(options, VIEW("trigger"))) : value_null();
    char names[NOTE_BYTES_MAX / 2] = "", note[NOTE_BYTES_MAX];
    if (run) {
        run->session.workflow = triggers_workflow(trigger);
    }
    if (!options || run->trigger_noted || crm_has_rules(&run->session) || !join_triggers(trigger, names, sizeof names)) {
        return;
    }
    run->trigger_noted = true;
    int len = snprintf(note, sizeof note, "trigger %s: accepted; no automation is set up here", names);
    struct view text = {note, len < (int)sizeof note ? (size_t)len : sizeof note - 1};
    run_log(run, 0, view_slice(text, 0, utf8_clamp(text, text.len)));
}

// ---- tasks --------------------------------------------------------------------------------------

typedef bool write_fn(struct crm_session *session, struct view module, struct value rows, struct value *ret_results, struct fail *fail);

// GUESS: the container of the results is a list (spec/crm-api.md §1.3).
static bool write_bulk(struct native_call *call, write_fn *write)
{
    struct crm_session *session;
    struct view module;
    struct list *rows;
    struct value results;
    struct fail fail;
    if (!service_session(call, &session) || !arg_text(call, 0, &module) || !arg_list(call, 1, &rows)) {
        return false;
    }
    service_options(call, 2);
    if (!write(session, module, (struct value){.type = VALUE_LIST, .list = rows}, &results, &fail)) {
        return service_error(call, &fail);
    }
    if (results.type == VALUE_LIST) {
        results.list->json = 1;
    }
    *call->ret = results;
    return true;
}

bool svc_bulk_create(struct native_call *call)
{
    return write_bulk(call, crm_records_insert);
}

bool svc_bulk_update(struct native_call *call)
{
    return write_bulk(call, crm_records_update);
}

bool svc_upsert(struct native_call *call)
{
    struct crm_session *session;
    struct view module;
    struct map *record;
    struct value rows, results;
    struct fail fail;
    if (!service_session(call, &session) || !arg_text(call, 0, &module) || !arg_map(call, 1, &record)) {
        return false;
    }
    service_options(call, 2);
    const struct map *options = call->count > 2 ? value_as_map(call->args[2]) : NULL;
    struct value checks = options ? value_resolve(map_get_text(options, VIEW("duplicate_check_fields"))) : value_null();
    rows = service_list_of(call, (struct value){.type = VALUE_MAP, .map = record});
    if (value_is_null(rows)) {
        return false;
    }
    if (!crm_records_upsert(session, module, rows, checks, &results, &fail)) {
        return service_error(call, &fail);
    }
    const struct list *list = value_as_list(results);
    *call->ret = list && list->count ? list->items[0] : value_null();
    return true;
}

bool svc_update_related(struct native_call *call)
{
    struct crm_session *session;
    struct view relation, parent;
    struct map *fields;
    struct value result;
    struct fail fail;
    int64_t child_id, parent_id;
    if (!service_session(call, &session) || !arg_text(call, 0, &relation) || !arg_text(call, 2, &parent) || !arg_map(call, 4, &fields)) {
        return false;
    }
    if (!service_id(call, 1, &child_id) || !service_id(call, 3, &parent_id)) {
        return true;
    }
    if (!crm_relation_update(session, relation, child_id, parent, parent_id, (struct value){.type = VALUE_MAP, .map = fields}, &result,
                             &fail)) {
        return service_error(call, &fail);
    }
    *call->ret = result;
    return true;
}
