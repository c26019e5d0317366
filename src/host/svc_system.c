// SPDX-License-Identifier: Apache-2.0
// System variables that need the org or the request (spec/deluge-builtins.md §10), and the values of extension variables.
#include "host/inside.h"

static bool give_user_text(struct native_call *call, bool admin, struct view key)
{
    struct run *run = service_run(call);
    struct value user = value_null();
    if (!run) {
        return false;
    }
    if (run->pin && admin) {
        user = run->pin->admin;
    } else if (run->pin && !run_user(run, &user, call->fail)) {
        return false;
    }
    const struct map *map = value_as_map(user);
    *call->ret = map ? value_text(call->heap, value_view_or(map_get_text(map, key), VIEW(""))) : value_null();
    return true;
}

// With an API key the login user is the super admin (the source document, "User Information"), with a token its user.
bool svc_system_user_email(struct native_call *call)
{
    return give_user_text(call, false, VIEW("email"));
}

bool svc_system_user_name(struct native_call *call)
{
    return give_user_text(call, false, VIEW("full_name"));
}

bool svc_system_admin_email(struct native_call *call)
{
    return give_user_text(call, true, VIEW("email"));
}

bool svc_system_admin_name(struct native_call *call)
{
    return give_user_text(call, true, VIEW("full_name"));
}

bool svc_system_ip(struct native_call *call)
{
    struct run *run = service_run(call);
    if (!run) {
        return false;
    }
    struct view peer = run->exchange ? run->exchange->peer : VIEW_NONE;
    *call->ret = peer.len ? value_text(call->heap, peer) : value_null();
    return true;
}

struct variable_request {
    struct run *run;
    struct view name;
    struct heap *heap;
    struct value value;
    bool found;
};

static bool read_variable(struct tx *tx, void *arg, struct fail *fail)
{
    struct variable_request *request = arg;
    struct ext_vault vault = run_vault(request->run);
    return ext_variable_get_tx(tx, &vault, request->name, request->heap, &request->value, &request->found, fail);
}

// The plain value, not a map (spec/crm-api.md §1.1). A name without a namespace means the running extension's own variable, then one of the
// org.
bool svc_org_variable(struct native_call *call)
{
    struct variable_request request = {.run = service_run(call), .heap = call->heap};
    struct view name;
    if (!request.run || !arg_text(call, 0, &name)) {
        return false;
    }
    struct view namespace = view_of(request.run->function->namespace);
    bool bare = namespace.len && view_find(name, VIEW("__")) < 0 && view_find_char(name, '.') < 0;
    if (bare) {
        struct value own = value_text_printf(call->heap, "%.*s__%.*s", VIEW_ARGS(namespace), VIEW_ARGS(name));
        request.name = value_view_or(own, VIEW(""));
        if (!store_read(request.run->env->env, read_variable, &request, call->fail)) {
            return false;
        }
    }
    request.name = name;
    if (!request.found && !store_read(request.run->env->env, read_variable, &request, call->fail)) {
        return false;
    }
    *call->ret = request.found ? request.value : value_null();
    return true;
}
