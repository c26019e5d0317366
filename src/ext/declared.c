// SPDX-License-Identifier: Apache-2.0
// What the manifests that are kept with installations say beside functions and variables: which extensions belong to a portal
// (`vcrm_<portal>` is one of the spellings in which scripts ask for a key, spec/platform.md §2), and which signals an extension has.
#include "ext/inside.h"

typedef void each_manifest(void *arg, struct view namespace, const struct map *manifest);

static bool read_manifests(struct tx *tx, each_manifest *each, void *arg, struct fail *fail)
{
    struct rows *rows;
    struct heap heap;
    fail_clear(fail);
    if (!tx_query(tx, "SELECT namespace, manifest FROM ext_installed ORDER BY namespace", NULL, 0, &rows, fail)) {
        return false;
    }
    heap_init(&heap, EXT_PACKAGE_BYTES_MAX, NULL);
    while (rows_next(rows, fail)) {
        struct fail ignored;
        struct value manifest = value_null();
        bool read = json_read(&heap, rows_text(rows, 1), &manifest, &ignored);
        const struct map *map = read ? value_as_map(manifest) : NULL;
        if (map) {
            each(arg, rows_text(rows, 0), map);
        }
        heap_reset(&heap);
    }
    heap_free(&heap);
    rows_close(rows);
    return fail->code == FAIL_NONE;
}

// ---- portals ------------------------------------------------------------------------------------

struct portal_search {
    struct view portal;
    void (*each)(void *arg, struct view namespace);
    void *arg;
};

static void look_at_portal(void *arg, struct view namespace, const struct map *manifest)
{
    const struct portal_search *search = arg;
    if (view_eq_nocase(value_view_or(map_get_text(manifest, VIEW("portal")), VIEW("")), search->portal)) {
        search->each(search->arg, namespace);
    }
}

bool ext_portal_tx(struct tx *tx, struct view portal, void (*each)(void *arg, struct view namespace), void *arg, struct fail *fail)
{
    struct portal_search search = {portal, each, arg};
    return read_manifests(tx, look_at_portal, &search, fail);
}

// ---- signals ------------------------------------------------------------------------------------

struct signal_search {
    struct view name;
    struct heap *heap;
    struct list *list;
};

// "ns.name" and "ns__name" of this namespace: what stands behind; else VIEW_NONE.
static struct view behind(struct view name, struct view namespace)
{
    struct view rest = view_starts_nocase(name, namespace) ? view_from(name, namespace.len) : VIEW_NONE;
    return view_starts(rest, VIEW(".")) ? view_from(rest, 1) : view_starts(rest, VIEW("__")) ? view_from(rest, 2) : VIEW_NONE;
}

static void look_at_signals(void *arg, struct view namespace, const struct map *manifest)
{
    struct signal_search *search = arg;
    const struct list *signals = value_as_list(map_get_text(manifest, VIEW("signals")));
    if (!behind(search->name, namespace).data) {
        return;
    }
    for (uint32_t i = 0; signals && i < signals->count; i++) {
        struct view name = value_view_or(map_get_text(value_as_map(signals->items[i]), VIEW("namespace")), VIEW(""));
        struct view own = behind(name, namespace);
        list_add(search->heap, search->list, value_text(search->heap, own.data ? own : name));
    }
}

bool ext_signals_tx(struct tx *tx, struct view name, struct heap *heap, struct value *ret_list, struct fail *fail)
{
    struct value list = value_list(heap, 4);
    struct signal_search search = {name, heap, value_as_list(list)};
    if (heap->failed || !read_manifests(tx, look_at_signals, &search, fail)) {
        return heap->failed ? fail_set(fail, FAIL_MEMORY, NULL) : false;
    }
    *ret_list = list;
    return !heap->failed || fail_set(fail, FAIL_MEMORY, NULL);
}
