// SPDX-License-Identifier: Apache-2.0
//
// Inside host: functions as the management API sees them (manage.c, manage_test.c).
#pragma once

#include "host/inside.h"

// One function, found by its id or name.
struct managed {
    struct host_env *env;
    struct heap *heap; // of the texts
    struct view namespace, api_name, file, source, return_type, arguments_json;
    int64_t id;
    bool apikey, oauth, found;
    const char *kind; // NULL: an extension's
};
// Is the caller an administrator? FAIL_NO_PERMISSION.
bool manage_may(struct host *host, const struct identity *who, struct host_env **ret_env, struct fail *fail);
bool manage_find(struct host_env *env, struct view function, struct heap *heap, struct managed *ret_managed, struct fail *fail);
// Compiles on a job; *ret_errors (in `heap`) is set with FAIL_COMPILE.
bool manage_compile(const struct function_source *source, struct heap *heap, struct function **ret_function, struct value *ret_errors,
                    struct fail *fail);
