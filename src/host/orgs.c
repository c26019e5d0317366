// SPDX-License-Identifier: Apache-2.0
// Organisations: made by command, each with a production environment of its own and, when asked for, a sandbox (PRODUCT, The shape of it).
// The directory of them is auth's, in `control`; an environment's data base is made when it is first opened.
#include "host/inside.h"

#include <stdlib.h>

struct org_request {
    struct view name;
    struct auth_org org;
    bool found;
};

static bool find_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct org_request *request = arg;
    return auth_org_find_tx(tx, request->name, &request->org, &request->found, fail);
}

static bool find_org(struct host *host, struct view name, struct auth_org *ret_org, struct fail *fail)
{
    struct org_request request = {.name = name};
    struct store_env *control;
    if (!host_control(host, &control, fail) || !store_read(control, find_tx, &request, fail)) {
        return false;
    }
    if (!request.found) {
        return fail_set(fail, FAIL_NOT_FOUND, "there is no org \"%.*s\"", VIEW_ARGS(name));
    }
    *ret_org = request.org;
    return true;
}

bool host_org_owner(struct host *host, struct view org, bool sandbox, struct identity *ret_identity, struct fail *fail)
{
    struct auth_org found = {.number = AUTH_ORG_DEFAULT, .name = HOST_DEFAULT_ORG};
    struct host_env *env;
    if (org.len && !view_eq(org, VIEW(HOST_DEFAULT_ORG)) && !find_org(host, org, &found, fail)) {
        return false;
    }
    if (!host_env_find(host, found.number, sandbox, &env, fail)) {
        return false;
    }
    *ret_identity = host_env_identity(env, IDENTITY_OWNER, VIEW(""));
    return true;
}

// ---- making -------------------------------------------------------------------------------------

static bool add_tx(struct tx *tx, void *arg, struct fail *fail)
{
    return auth_org_add_tx(tx, arg, fail);
}

// Only owners make orgs; the row stands with the org that was made.
static bool note(struct host *host, const char *action, const char *name, const char *environment, bool good)
{
    struct identity owner = {.kind = IDENTITY_OWNER};
    snprintf(owner.org, sizeof owner.org, "%s", name);
    snprintf(owner.environment, sizeof owner.environment, "%s", environment);
    return host_audit_outcome(host, &owner, action, view_of(name), good);
}

bool host_org_new(struct host *host, struct auth_org *org, struct fail *fail)
{
    struct store_env *control;
    struct host_env *env;
    if (org->time_zone[0] && !zone_exists(view_of(org->time_zone))) {
        return fail_set(fail, FAIL_INVALID_DATA, "there is no time zone \"%s\"", org->time_zone);
    }
    return host_control(host, &control, fail) && store_write(control, add_tx, org, fail) &&
           note(host, "org new", org->name, "production", host_env_find(host, org->number, false, &env, fail));
}

static bool sandbox_tx(struct tx *tx, void *arg, struct fail *fail)
{
    const struct auth_org *org = arg;
    return auth_org_sandbox_tx(tx, org->number, fail);
}

bool host_org_sandbox(struct host *host, struct view name, struct fail *fail)
{
    struct store_env *control;
    struct auth_org org;
    struct host_env *env;
    if (!find_org(host, name.len ? name : VIEW(HOST_DEFAULT_ORG), &org, fail)) {
        return false;
    }
    if (org.sandbox) {
        return fail_set(fail, FAIL_EXISTS, "the org \"%s\" has a sandbox already", org.name);
    }
    return host_control(host, &control, fail) && store_write(control, sandbox_tx, &org, fail) &&
           note(host, "org sandbox", org.name, "sandbox", host_env_find(host, org.number, true, &env, fail));
}

// ---- all of them --------------------------------------------------------------------------------

struct org_list {
    struct auth_org *items;
    size_t count, room;
};

static bool keep_org(void *arg, const struct auth_org *org, struct fail *fail)
{
    struct org_list *list = arg;
    if (list->count == list->room) {
        size_t room = list->room ? list->room * 2 : 8;
        struct auth_org *more = realloc(list->items, room * sizeof *more);
        if (!more) {
            return fail_set(fail, FAIL_MEMORY, NULL);
        }
        list->items = more;
        list->room = room;
    }
    list->items[list->count++] = *org;
    return true;
}

static bool list_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct org_list *list = arg;
    list->count = 0;
    return auth_orgs_tx(tx, keep_org, list, fail);
}

static bool read_orgs(struct host *host, struct org_list *list, struct fail *fail)
{
    struct store_env *control;
    return host_control(host, &control, fail) && store_read(control, list_tx, list, fail);
}

bool host_envs_each(struct host *host, bool (*each)(void *arg, struct host_env *env, struct fail *fail), void *arg, struct fail *fail)
{
    struct org_list list = {NULL, 0, 0};
    struct host_env *env;
    bool ok = read_orgs(host, &list, fail);
    for (size_t i = 0; ok && i < list.count; i++) {
        for (int sandbox = 0; ok && sandbox <= list.items[i].sandbox; sandbox++) {
            ok = host_env_find(host, list.items[i].number, sandbox, &env, fail) && each(arg, env, fail);
        }
    }
    free(list.items);
    return ok;
}

static void add_environment(struct host *host, struct heap *heap, struct list *environments, bool sandbox)
{
    struct value item = value_map(heap, 2);
    if (heap->failed) {
        return;
    }
    map_put_text(heap, item.map, VIEW("environment"), value_text(heap, sandbox ? VIEW("sandbox") : VIEW("production")));
    map_put_text(heap, item.map, VIEW("url"), value_text_printf(heap, "%s%s", host->public_url, sandbox ? "/sandbox" : ""));
    list_add(heap, environments, item);
}

static bool add_org(struct host *host, struct heap *heap, struct list *orgs, const struct auth_org *org, struct fail *fail)
{
    struct host_env *env;
    struct crm_session session;
    struct value shown, environments = value_list(heap, 2), item = value_map(heap, 8);
    if (heap->failed) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    if (!host_env_find(host, org->number, false, &env, fail) || !crm_session_open(env->crm, heap, &session, fail)) {
        return false;
    }
    bool ok = crm_org_get(&session, &shown, fail);
    const struct map *map = ok ? value_as_map(shown) : NULL;
    map_put_text(heap, item.map, VIEW("name"), value_text(heap, view_of(org->name)));
    map_put_text(heap, item.map, VIEW("number"), value_number(org->number));
    static const char *const members[] = {"company_name", "zgid", "primary_email", "time_zone"};
    for (size_t i = 0; map && i < BASE_COUNT(members); i++) {
        map_put_text(heap, item.map, view_of(members[i]), map_get_text(map, view_of(members[i])));
    }
    crm_session_close(&session);
    add_environment(host, heap, environments.list, false);
    if (org->sandbox) {
        add_environment(host, heap, environments.list, true);
    }
    map_put_text(heap, item.map, VIEW("environments"), environments);
    list_add(heap, orgs, item);
    return ok && (!heap->failed || fail_set(fail, FAIL_MEMORY, NULL));
}

bool host_orgs_show(struct host *host, struct view org, struct heap *heap, struct value *ret_list, struct fail *fail)
{
    struct org_list list = {NULL, 0, 0};
    struct value orgs = value_list(heap, 4);
    bool found = false, ok = !heap->failed || fail_set(fail, FAIL_MEMORY, NULL);
    ok = ok && read_orgs(host, &list, fail);
    for (size_t i = 0; ok && i < list.count; i++) {
        if (!org.len || view_eq(org, view_of(list.items[i].name))) {
            found = true;
            ok = add_org(host, heap, orgs.list, &list.items[i], fail);
        }
    }
    free(list.items);
    if (ok && !found) {
        return fail_set(fail, FAIL_NOT_FOUND, "there is no org \"%.*s\"", VIEW_ARGS(org));
    }
    *ret_list = orgs;
    return ok;
}
