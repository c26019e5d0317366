// SPDX-License-Identifier: Apache-2.0
//
// What else an extension that is being written holds: modules, connectors, signals, widgets, schedules. Signals, widgets and schedules are
// entries of the manifest and shown only; draft_objects.c changes modules and connectors.
#include "host/draft.h"

static void put(struct heap *heap, struct value map, const char *name, struct value value)
{
    if (map.type == VALUE_MAP) {
        map_put_text(heap, map.map, view_of(name), value);
    }
}

static struct view text_of(const struct map *map, const char *name)
{
    return map ? value_view_or(map_get_text(map, view_of(name)), VIEW("")) : VIEW("");
}

// These texts of each object of a list, as they stand there; what is no text is left empty.
static struct value pick(struct heap *heap, struct value from, const char *const *names)
{
    const struct list *list = value_as_list(from);
    struct value rows = value_list(heap, list ? list->count + 1 : 1);
    for (uint32_t i = 0; list && rows.type == VALUE_LIST && i < list->count; i++) {
        struct value row = value_map(heap, 4);
        for (size_t k = 0; names[k]; k++) {
            put(heap, row, names[k], value_text(heap, text_of(value_as_map(list->items[i]), names[k])));
        }
        list_add(heap, rows.list, row);
    }
    return rows;
}

// Objects that lie in files of their own, and how many parts each has.
static struct value pick_files(struct heap *heap, struct value from, struct value files, const char *const *names, const char *parts,
                               const char *counted)
{
    struct value rows = pick(heap, from, names);
    const struct list *list = value_as_list(from), *paths = value_as_list(files);
    for (uint32_t i = 0; list && rows.type == VALUE_LIST && i < rows.list->count; i++) {
        const struct map *map = value_as_map(list->items[i]);
        const struct list *inner = map ? value_as_list(map_get_text(map, view_of(parts))) : NULL;
        put(heap, rows.list->items[i], counted, value_number(inner ? inner->count : 0));
        put(heap, rows.list->items[i], "file",
            value_text(heap, paths && i < paths->count ? value_view_or(paths->items[i], VIEW("")) : VIEW("")));
    }
    return rows;
}

void draft_put_contents(const struct draft *draft, struct value map)
{
    static const char *const module[] = {"api_name", "plural_label", NULL}, *const connector[] = {"api_name", "name", NULL},
                             *const signal[] = {"namespace", "name", NULL}, *const widget[] = {"name", "location", "url", NULL},
                             *const schedule[] = {"function", "cron", "missed", NULL};
    struct heap *heap = draft->heap;
    const struct ext_package *package = draft->package;
    put(heap, map, "modules", pick_files(heap, package->modules, package->module_files, module, "fields", "fields"));
    put(heap, map, "connectors", pick_files(heap, package->connectors, package->connector_files, connector, "apis", "apis"));
    put(heap, map, "signals", pick(heap, package->signals, signal));
    put(heap, map, "widgets", pick(heap, package->widgets, widget));
    put(heap, map, "schedules", pick(heap, package->schedules, schedule));
}
