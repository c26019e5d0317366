// SPDX-License-Identifier: Apache-2.0
// Signals over REST: raised by clients for an installed extension that has them, and listed. What scripts raise comes through the services
// (svc_connector.c) to the same place in crm.
#include "host/inside.h"

struct declared_request {
    struct view name;
    struct heap *heap;
    struct value list;
};

static bool declared_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct declared_request *request = arg;
    return ext_signals_tx(tx, request->name, request->heap, &request->list, fail);
}

bool host_signal_raise(struct host *host, const struct identity *who, struct crm_session *session, struct value signal,
                       struct value *ret_result, struct fail *fail)
{
    const struct map *map = value_as_map(signal);
    struct declared_request request = {.heap = session->heap, .list = value_list(session->heap, 0)};
    struct host_env *env;
    request.name = map ? value_view_or(map_get_text(map, VIEW("signal_namespace")), VIEW("")) : VIEW("");
    return host_env_of(host, who, &env, fail) && store_read(env->env, declared_tx, &request, fail) &&
           crm_signal_raise_declared(session, signal, request.list, ret_result, fail);
}

bool host_signals_page(struct host *host, const struct identity *who, const struct crm_signal_query *query, struct heap *heap,
                       struct value *ret_list, bool *ret_more, struct fail *fail)
{
    struct crm_session session;
    if (!host_session_open(host, who, heap, &session, fail)) {
        return false;
    }
    bool ok = crm_signals_page(&session, query, ret_list, ret_more, fail);
    crm_session_close(&session);
    return ok;
}

bool host_signals_list(struct host *host, const struct identity *who, int limit, struct heap *heap, struct value *ret_list,
                       struct fail *fail)
{
    bool more;
    return host_signals_page(host, who, &(struct crm_signal_query){.page = 1, .per_page = limit}, heap, ret_list, &more, fail);
}
