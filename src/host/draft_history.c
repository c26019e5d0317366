// SPDX-License-Identifier: Apache-2.0
//
// What was saved of a script in the console, and what was there before: for looking back. Restoring one is saving it again.
#include "host/draft.h"

struct history {
    struct heap *heap;
    struct list *list;
    struct view namespace, path;
};

static bool add_save(void *arg, const struct ext_save *save, struct fail *fail)
{
    struct history *history = arg;
    return save_show(history->heap, history->list, save, fail);
}

static bool saves_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct history *history = arg;
    history->list->count = 0;
    return ext_script_saves_tx(tx, history->namespace, history->path, add_save, history, fail);
}

static bool find_path(const struct draft *draft, bool action, struct view *ret_path, struct fail *fail)
{
    *ret_path = action ? draft_action_file(draft->wanted) : draft->found >= 0 ? draft->package->functions[draft->found].file : VIEW("");
    return ret_path->len || fail_set(fail, FAIL_NOT_FOUND, "\"%.*s\" has no %s \"%.*s\"", VIEW_ARGS(draft->namespace),
                                     action ? "action" : "function", VIEW_ARGS(draft->wanted));
}

bool host_draft_history(struct host *host, const struct identity *who, struct view namespace, struct view name, bool action,
                        struct heap *heap, struct value *ret_list, struct fail *fail)
{
    struct draft draft = {.host = host, .who = who, .namespace = namespace, .wanted = name};
    struct value list = value_list(heap, 16);
    struct history history = {.heap = heap, .list = value_as_list(list)};
    if (!history.list) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    bool ok = draft_open(&draft, fail) && find_path(&draft, action, &history.path, fail);
    history.namespace = draft.namespace;
    ok = ok && store_read(draft.control, saves_tx, &history, fail);
    draft_close(&draft);
    *ret_list = list;
    return ok;
}
