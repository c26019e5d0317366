// SPDX-License-Identifier: Apache-2.0
//
// Modules and connectors of an extension that is being written. Each is a JSON object in a file of its own, modules/NAME.json or
// connectors/NAME.json, and is saved whole: what a page does not know of it, it sends back as it came. Unlike scripts, an object with a
// mistake is not kept, because the whole extension could not be installed with it. The checks are those of publishing, made of the one
// object among the others, so that a mistake elsewhere does not stand in the way of mending it.
#include "host/draft.h"

static void put(struct heap *heap, struct value map, const char *name, struct value value)
{
    if (map.type == VALUE_MAP) {
        map_put_text(heap, map.map, view_of(name), value);
    }
}

static struct view name_of(struct value object)
{
    const struct map *map = value_as_map(object);
    return map ? value_view_or(map_get_text(map, VIEW("api_name")), VIEW("")) : VIEW("");
}

// ---- where they are -----------------------------------------------------------------------------

struct place {
    const char *noun, *folder;
    const struct list *objects, *files;
    uint32_t index; // of the wanted one; objects->count: there is none
    struct view name; // without the namespace
};

static void find(const struct draft *draft, enum host_draft_kind kind, struct view name, struct place *ret_place)
{
    const struct ext_package *package = draft->package;
    bool module = kind == HOST_DRAFT_MODULE;
    struct place place = {.noun = module ? "module" : "connector", .folder = module ? "modules" : "connectors"};
    place.objects = value_as_list(module ? package->modules : package->connectors);
    place.files = value_as_list(module ? package->module_files : package->connector_files);
    place.name = draft_short_name(draft->namespace, name);
    while (place.index < place.objects->count &&
           !view_eq_nocase(draft_short_name(draft->namespace, name_of(place.objects->items[place.index])), place.name)) {
        place.index++;
    }
    *ret_place = place;
}

static bool must_be_there(const struct draft *draft, const struct place *place)
{
    return place->index < place->objects->count || fail_set(draft->fail, FAIL_NOT_FOUND, "\"%.*s\" has no %s \"%.*s\"",
                                                            VIEW_ARGS(draft->namespace), place->noun, VIEW_ARGS(place->name));
}

static struct view file_of(const struct place *place)
{
    return value_view_or(place->files->items[place->index], VIEW(""));
}

// ---- reading ------------------------------------------------------------------------------------

static bool show(struct draft *draft, enum host_draft_kind kind, struct view name, struct heap *heap, struct value *ret_map,
                 struct fail *fail)
{
    struct place place;
    struct buffer json;
    struct value definition = value_null();
    find(draft, kind, name, &place);
    if (!must_be_there(draft, &place)) {
        return false;
    }
    buffer_init(&json, 2 * EXT_FILE_BYTES_MAX); // the package goes with its values
    bool ok = json_write(&json, place.objects->items[place.index], NULL, fail) && json_read(heap, buffer_view(&json), &definition, fail);
    buffer_free(&json);
    struct value map = value_map(heap, 6);
    put(heap, map, "namespace", value_text(heap, draft->namespace));
    put(heap, map, "api_name", value_text(heap, draft_short_name(draft->namespace, name_of(definition))));
    put(heap, map, "file", value_text(heap, file_of(&place)));
    put(heap, map, "definition", definition);
    draft_put_place(draft, map);
    *ret_map = map;
    return ok && (!heap->failed || fail_set(fail, FAIL_MEMORY, NULL));
}

bool host_draft_object(struct host *host, const struct identity *who, const struct host_draft_object *asked, struct heap *heap,
                       struct value *ret_map, struct fail *fail)
{
    struct draft draft = {.host = host, .who = who, .namespace = asked->namespace, .heap = heap};
    bool ok = draft_open(&draft, fail) && show(&draft, asked->kind, asked->name, heap, ret_map, fail);
    draft_close(&draft);
    return ok;
}

// ---- checking -----------------------------------------------------------------------------------

// Reading the standard modules for it takes its time: on a job.
struct checking {
    const struct draft *draft;
    const struct place *place;
    struct value object; // null: it is taken away
    struct fail *fail;
    bool ok;
};

// The modules as they shall be, without the mistakes of others.
static bool check_with(const struct checking *checking, struct heap *heap)
{
    const struct place *place = checking->place;
    struct value list = value_list(heap, place->objects->count + 1);
    for (uint32_t i = 0; list.type == VALUE_LIST && i < place->objects->count; i++) {
        list_add(heap, list.list, i == place->index ? checking->object : place->objects->items[i]);
    }
    if (place->index == place->objects->count && list.type == VALUE_LIST) {
        list_add(heap, list.list, checking->object);
    }
    return heap->failed ? fail_set(checking->fail, FAIL_MEMORY, NULL)
                        : crm_module_check(list.list, place->index, checking->draft->namespace, checking->fail);
}

// What is wrong with one of the others now and was not before: it looked up to this one.
static bool check_without(const struct checking *checking, struct heap *heap)
{
    const struct place *place = checking->place;
    struct view namespace = checking->draft->namespace;
    struct value rest = value_list(heap, place->objects->count);
    struct fail before, after;
    for (uint32_t i = 0; rest.type == VALUE_LIST && i < place->objects->count; i++) {
        if (i != place->index) {
            list_add(heap, rest.list, place->objects->items[i]);
        }
    }
    fail_clear(&before);
    fail_clear(&after);
    if (heap->failed) {
        return fail_set(checking->fail, FAIL_MEMORY, NULL);
    }
    return crm_modules_check(rest, namespace, heap, &after) ||
           (!crm_modules_check(checking->draft->package->modules, namespace, heap, &before) && strcmp(before.text, after.text) == 0) ||
           fail_set(checking->fail, FAIL_INVALID_DATA, "the module \"%.*s\" is still looked up (%s); change that first",
                    VIEW_ARGS(place->name), after.text);
}

static void check_job(void *arg)
{
    struct checking *checking = arg;
    struct heap heap;
    fail_clear(checking->fail);
    heap_init(&heap, 4 * EXT_FILE_BYTES_MAX, NULL);
    checking->ok = value_is_null(checking->object) ? check_without(checking, &heap) : check_with(checking, &heap);
    heap_free(&heap);
}

static bool check_module(const struct draft *draft, const struct place *place, struct value object)
{
    struct checking checking = {.draft = draft, .place = place, .object = object, .fail = draft->fail};
    return (loop_fiber() ? loop_job(check_job, &checking, draft->fail) : (check_job(&checking), true)) && checking.ok;
}

// The name in the address is whose it is. An object without one gets it.
static bool check_name(const struct draft *draft, const struct place *place, const struct host_draft_object *asked)
{
    struct value given = map_get_text(asked->object.map, VIEW("api_name"));
    if (value_is_null(given)) {
        map_put_text(asked->heap, asked->object.map, VIEW("api_name"), value_text(asked->heap, place->name));
        return !asked->heap->failed || fail_set(draft->fail, FAIL_MEMORY, NULL);
    }
    if (!value_is_text(given)) {
        return fail_set(draft->fail, FAIL_INVALID_DATA, "\"api_name\" must be text");
    }
    return view_eq_nocase(draft_short_name(draft->namespace, value_view(given)), place->name) ||
           fail_set(draft->fail, FAIL_INVALID_DATA,
                    "\"api_name\" is not \"%.*s\", as in the address: what is made cannot be called otherwise; make another one",
                    VIEW_ARGS(view_slice(place->name, 0, utf8_clamp(place->name, EXT_NAME_MAX))));
}

static bool check(const struct draft *draft, const struct place *place, const struct host_draft_object *asked)
{
    if (!check_name(draft, place, asked)) {
        return false;
    }
    return asked->kind == HOST_DRAFT_MODULE ? check_module(draft, place, asked->object)
                                            : ext_connector_check(VIEW(""), asked->object, draft->fail);
}

// ---- writing ------------------------------------------------------------------------------------

// VIEW_NONE when that is what the file says already.
static bool write_text(struct draft *draft, const struct place *place, struct value object, struct view *ret_text)
{
    struct buffer json, old, out;
    buffer_init(&json, 4 * EXT_FILE_BYTES_MAX);
    buffer_init(&old, 4 * EXT_FILE_BYTES_MAX);
    buffer_init(&out, 4 * EXT_FILE_BYTES_MAX);
    bool ok = json_write(&json, object, NULL, draft->fail);
    if (ok && place->index < place->objects->count) {
        ok = json_write(&old, place->objects->items[place->index], NULL, draft->fail);
    }
    bool same = ok && view_eq(buffer_view(&json), buffer_view(&old));
    if (ok && !same) {
        ext_object_lay_out(buffer_view(&json), &out);
    }
    *ret_text = ok && !same && !out.failed ? arena_copy(&draft->arena, buffer_view(&out)) : VIEW_NONE;
    ok = ok && (same || ret_text->data || fail_set(draft->fail, FAIL_TOO_LARGE, "the %s is too large", place->noun));
    buffer_free(&json);
    buffer_free(&old);
    buffer_free(&out);
    return ok;
}

static bool make_object(struct draft_change *change)
{
    const struct host_draft_object *asked = change->request;
    struct draft *draft = &change->draft;
    struct place place;
    struct view text;
    find(draft, asked->kind, asked->name, &place);
    if (!check(draft, &place, asked) || !write_text(draft, &place, asked->object, &text)) {
        return false;
    }
    struct view path = place.index < place.objects->count ? file_of(&place) : draft_free_path(draft, place.folder, place.name, "json");
    if (text.data && path.data) {
        draft_change_add(change, path, text);
    }
    return path.data || fail_set(draft->fail, FAIL_MEMORY, NULL);
}

bool host_draft_put_object(struct host *host, const struct identity *who, const struct host_draft_object *asked,
                           const struct host_message *message, struct value *ret_map, struct fail *fail)
{
    struct draft_change change = {
        .request = asked, .message = message, .make = make_object, .draft = {.host = host, .who = who, .namespace = asked->namespace}};
    bool ok = draft_change_run(&change, fail);
    if (ok) {
        draft_change_audit(&change, "ext save", asked->name);
    }
    draft_close(&change.draft);
    return ok && host_draft_object(host, who, asked, asked->heap, ret_map, fail);
}

static bool make_drop(struct draft_change *change)
{
    const struct host_draft_object *asked = change->request;
    struct draft *draft = &change->draft;
    struct place place;
    find(draft, asked->kind, asked->name, &place);
    if (!must_be_there(draft, &place) || (asked->kind == HOST_DRAFT_MODULE && !check_module(draft, &place, value_null()))) {
        return false;
    }
    draft_change_add(change, file_of(&place), VIEW_NONE);
    return true;
}

bool host_draft_drop_object(struct host *host, const struct identity *who, const struct host_draft_object *asked,
                            const struct host_message *message, struct fail *fail)
{
    struct draft_change change = {
        .request = asked, .message = message, .make = make_drop, .draft = {.host = host, .who = who, .namespace = asked->namespace}};
    bool ok = draft_change_run(&change, fail);
    if (ok) {
        draft_change_audit(&change, asked->kind == HOST_DRAFT_MODULE ? "ext remove module" : "ext remove connector", asked->name);
    }
    draft_close(&change.draft);
    return ok;
}
