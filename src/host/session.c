// SPDX-License-Identifier: Apache-2.0
// A CRM session for a request that runs no function: the REST API's way to the caller's own org environment, as the caller's own user.
#include "host/inside.h"

bool host_session_open(struct host *host, const struct identity *who, struct heap *heap, struct crm_session *ret_session, struct fail *fail)
{
    struct host_env *env;
    if (!host_env_of(host, who, &env, fail) || !crm_session_open(env->crm, heap, ret_session, fail)) {
        return false;
    }
    heap->zone = crm_zone(ret_session);
    heap->key_order = host->options.json_java_order ? JSON_JAVA_HASHMAP : JSON_INSERTION;
    if (who->user_id) {
        ret_session->user_id = who->user_id;
    }
    return true;
}
