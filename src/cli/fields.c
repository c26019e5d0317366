// SPDX-License-Identifier: Apache-2.0
//
// Which fields do scripts name that the module does not have? Zoho passes unknown keys of a record over without a word and refuses a
// search, so a wrong letter costs hours. Names are taken where there can be no doubt (lang_keys): in `TEXT criteria` and `MAP record` of
// functions whose first parameter is `TEXT module`, as the signatures say (host/services.c). The CRM tells which fields a module has.
//
// The hard thing is to be silent when unsure. Prefixes are left out of the comparison on both sides, since a prefix that nobody owns means
// the running extension (PRODUCT, "What a function gets"). A module of an extension that is not installed has the fields of its file, and
// may have any field of Leads, which has all that the CRM adds to custom modules.
#include "cli/fields.h"

#include "cli/modules.h"
#include "crm/crm.h"
#include "ext/ext.h"
#include "lang/lang.h"

#include <stdlib.h>
#include <string.h>

enum { FIELDS_PLACES_MAX = 100000, FIELDS_MODULES_MAX = 2000, FIELDS_BYTES_MAX = 64 << 20 };

// What records and criteria may hold in any module beside its fields: v2's name of line items, and what has a meaning of its own.
static const char *const ALWAYS[] = {"id", "se_module", "Product_Details", "Layout", "Tag"};

struct module {
    struct view name;
    bool own; // of an extension that was checked
    bool known; // the CRM said what it has
    struct view *names;
    uint32_t count;
};

struct place {
    struct view path, name, near;
    struct module *module;
    int line, column;
    int distance; // of `near`; -1 without
};

struct fields {
    struct arena arena;
    struct place *places;
    int count, room;
    struct table modules; // name → struct module
    const struct ext_package *package; // whose files are collected
    const char *path;
};

struct fields *fields_new(void)
{
    struct fields *fields = calloc(1, sizeof *fields);
    if (fields) {
        arena_init(&fields->arena, FIELDS_BYTES_MAX);
        table_init(&fields->modules, FIELDS_MODULES_MAX, false);
    }
    return fields;
}

void fields_free(struct fields *fields)
{
    if (fields) {
        table_free(&fields->modules);
        arena_free(&fields->arena);
        free(fields->places);
        free(fields);
    }
}

int fields_count(const struct fields *fields)
{
    return fields->count;
}

// ---- collecting ---------------------------------------------------------------------------------

// With and without a prefix on either side: what looks like one may belong to the name, as in Converted__s.
static bool same_name(struct view a, struct view b)
{
    struct view bare_a = modules_bare_name(a), bare_b = modules_bare_name(b);
    return view_eq_nocase(a, b) || view_eq_nocase(bare_a, b) || view_eq_nocase(a, bare_b) || view_eq_nocase(bare_a, bare_b);
}

static bool is_always(struct view name)
{
    for (size_t i = 0; i < BASE_COUNT(ALWAYS); i++) {
        if (view_eq_nocase(name, view_of(ALWAYS[i]))) {
            return true;
        }
    }
    return name.len == 0 || name.data[0] == '$';
}

static struct view api_name_of(struct value map)
{
    const struct map *members = value_as_map(map);
    return members ? value_view_or(map_get_text(members, VIEW("api_name")), VIEW("")) : VIEW("");
}

// The file of that module in the extension; NULL if there is none.
static const struct map *own_module(const struct fields *fields, struct view module)
{
    const struct list *list = fields->package ? value_as_list(fields->package->modules) : NULL;
    for (uint32_t i = 0; list && i < list->count; i++) {
        if (same_name(api_name_of(list->items[i]), module)) {
            return value_as_map(list->items[i]);
        }
    }
    return NULL;
}

// Keeps the nearest name in `place`; true when it is the name itself.
static bool compare(struct place *place, struct view other)
{
    if (same_name(place->name, other)) {
        return true;
    }
    int distance = native_name_distance(modules_bare_name(place->name), modules_bare_name(other));
    if (distance >= 0 && (place->distance < 0 || distance < place->distance)) {
        place->near = other;
        place->distance = distance;
    }
    return false;
}

static bool is_own_field(struct place *place, const struct map *file)
{
    const struct list *list = value_as_list(map_get_text(file, VIEW("fields")));
    bool found = compare(place, api_name_of(map_get_text(file, VIEW("name_field"))));
    for (uint32_t i = 0; list && !found && i < list->count; i++) {
        found = compare(place, api_name_of(list->items[i]));
    }
    return found;
}

static struct module *note_module(struct fields *fields, struct view name, bool own)
{
    struct module *module = table_get(&fields->modules, name);
    if (!module) {
        module = arena_alloc(&fields->arena, sizeof *module);
        struct view copy = arena_copy(&fields->arena, name);
        if (!module || !copy.data || !table_put(&fields->modules, copy, module)) {
            return NULL;
        }
        module->name = copy;
    }
    module->own = module->own || own;
    return module;
}

static bool make_room(struct fields *fields)
{
    if (fields->count < fields->room) {
        return true;
    }
    int room = fields->room ? fields->room * 2 : 64;
    struct place *more = room <= FIELDS_PLACES_MAX * 2 ? realloc(fields->places, (size_t)room * sizeof *more) : NULL;
    if (!more) {
        return false;
    }
    fields->places = more;
    fields->room = room;
    return true;
}

// Without memory a place is left out: a warning less.
static void add_name(struct fields *fields, struct view module, struct view name, int line, int column)
{
    const struct map *file = own_module(fields, module);
    struct place place = {.name = name, .line = line, .column = column, .distance = -1};
    bool custom = file || modules_bare_name(module).len < module.len;
    // Custom modules answer to Name, whatever their name field is called.
    if (is_always(name) || (custom && same_name(name, VIEW("Name"))) || (file && is_own_field(&place, file))) {
        return;
    }
    place.path = arena_copy(&fields->arena, view_of(fields->path));
    place.name = arena_copy(&fields->arena, name);
    place.near = arena_copy(&fields->arena, place.near);
    place.module = note_module(fields, module, file != NULL);
    if (place.path.data && place.name.data && place.module && make_room(fields)) {
        fields->places[fields->count++] = place;
    }
}

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '$';
}

// Does a condition begin at `at`: at the start, or behind parentheses that are none of a value?
static bool begins_condition(struct view text, size_t at)
{
    size_t end = at;
    while (end > 0 && strchr("( \t\r\n", text.data[end - 1])) {
        end--;
    }
    struct view before = view_slice(text, 0, end);
    return end == 0 || (end < at && ((end >= 3 && view_eq_nocase(view_from(before, end - 3), VIEW("and"))) ||
                                     (end >= 2 && view_eq_nocase(view_from(before, end - 2), VIEW("or")))));
}

// A name inside the literal `key`. Columns are counted on only behind ASCII on one line.
static void add_name_within(struct fields *fields, const struct lang_key *key, size_t start, size_t len)
{
    int column = key->column + 1 + (int)start;
    for (size_t i = 0; i < start; i++) {
        if ((uint8_t)key->text.data[i] < 0x20 || (uint8_t)key->text.data[i] >= 0x80) {
            column = key->column;
        }
    }
    add_name(fields, key->first, view_slice(key->text, start, len), key->line, column);
}

// The names in criteria, or in their beginning: what stands between a parenthesis (or the start) and a colon.
static void add_criteria(struct fields *fields, const struct lang_key *key)
{
    struct view text = key->text;
    int conditions = 0;
    for (size_t i = 0; i < text.len && conditions < CRM_CRITERIA_MAX; i++) {
        size_t start = i;
        while (i < text.len && is_name_char(text.data[i])) {
            i++;
        }
        if (i > start && i < text.len && text.data[i] == ':' && begins_condition(text, start)) {
            add_name_within(fields, key, start, i - start);
            conditions++;
        }
    }
}

static void add_key(void *arg, const struct lang_key *key)
{
    struct fields *fields = arg;
    const struct native *native = native_set_find(host_natives(), key->function);
    if (!native || !native->signature || !view_eq(modules_parameter(native->signature, 0), VIEW("TEXT module"))) {
        return;
    }
    struct view parameter = modules_parameter(native->signature, key->index);
    if (key->criteria && view_eq(parameter, VIEW("TEXT criteria"))) {
        add_criteria(fields, key);
    } else if (!key->criteria && view_eq(parameter, VIEW("MAP record"))) {
        add_name(fields, key->first, key->text, key->line, key->column);
    }
}

void fields_collect(struct fields *fields, const struct ext_package *package, const char *path, struct view source)
{
    fields->package = package;
    fields->path = path;
    lang_keys(source, VIEW("zoho.crm."), add_key, fields);
    fields->package = NULL;
}

// ---- asking -------------------------------------------------------------------------------------

static const char question[] = "map sluice.fields_of(text name)\n"
                               "{\n"
                               "\tnames = List();\n"
                               "\tfields = zoho.crm.getFields(name).get(\"fields\");\n"
                               "\tif(fields != null)\n"
                               "\t{\n"
                               "\t\tfor each  field in fields\n"
                               "\t\t{\n"
                               "\t\t\tnames.add(field.get(\"api_name\"));\n"
                               "\t\t}\n"
                               "\t}\n"
                               "\treturn {\"names\":names};\n"
                               "}\n";

static bool ask_module(struct fields *fields, struct host *host, struct module *module, struct view name, struct fail *fail)
{
    struct heap heap;
    struct value answer, arguments;
    heap_init(&heap, FIELDS_BYTES_MAX, NULL);
    arguments = value_map(&heap, 1);
    bool done = arguments.type == VALUE_MAP && map_put_text(&heap, arguments.map, VIEW("name"), value_text(&heap, name)) &&
                modules_question(host, (struct view){question, sizeof question - 1}, &heap, arguments, &answer, fail);
    const struct list *list = done ? value_as_list(map_get_text(answer.map, VIEW("names"))) : NULL;
    if (list && list->count) {
        module->names = arena_alloc(&fields->arena, list->count * sizeof *module->names);
        module->known = module->names != NULL;
    }
    for (uint32_t i = 0; module->known && i < list->count; i++) {
        module->names[i] = arena_copy(&fields->arena, value_view_or(list->items[i], VIEW("")));
        module->count = i + 1;
        module->known = module->names[i].data != NULL;
    }
    heap_free(&heap);
    return done;
}

bool fields_ask(struct fields *fields, struct host *host, struct fail *fail)
{
    size_t cursor = 0;
    struct view name;
    void *value;
    while (table_next(&fields->modules, &cursor, &name, &value)) {
        struct module *module = value;
        if (!ask_module(fields, host, module, name, fail) ||
            (!module->known && module->own && !ask_module(fields, host, module, VIEW("Leads"), fail))) {
            return false;
        }
    }
    return true;
}

// A look-up's field of a field, A.B, is nothing that could be judged.
static bool is_missing(struct place *place)
{
    ptrdiff_t dot = view_find_char(place->name, '.');
    for (uint32_t i = 0; i < place->module->count; i++) {
        struct view name = place->module->names[i];
        if (compare(place, name) || (dot > 0 && same_name(view_slice(place->name, 0, (size_t)dot), name))) {
            return false;
        }
    }
    return place->module->known;
}

void fields_report(const struct fields *fields, fields_missing_fn *missing, void *arg)
{
    for (int i = 0; i < fields->count; i++) {
        struct place place = fields->places[i];
        if (is_missing(&place)) {
            missing(arg, place.path.data, place.line, place.column, place.module->name, place.name, place.near);
        }
    }
}
