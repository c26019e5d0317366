// SPDX-License-Identifier: Apache-2.0
// Workflow rules and notification channels out of their stored definitions: what a picture of the metadata holds of them. Criteria of rules
// are the JSON trees that Zoho's settings use; they become the trees of the search grammar, so both mean the same.
#include "crm/automation.h"
#include "crm/object.h"
#include "crm/shape.h"

#include <stdlib.h>

enum { DEPTH_MAX = 10, VALUE_BYTES_MAX = 4096 };

// ---- criteria -----------------------------------------------------------------------------------

// Zoho's words of settings (GUESS: which of them take which field); `before` and `after` make a pattern of the value.
static const struct comparator {
    const char *name;
    enum criteria_operator operator;
    const char *before, *after;
} COMPARATORS[] = {
    {"equal", CRITERIA_EQUALS, NULL, NULL},
    {"equals", CRITERIA_EQUALS, NULL, NULL},
    {"not_equal", CRITERIA_NOT_EQUAL, NULL, NULL},
    {"contains", CRITERIA_LIKE, "%", "%"},
    {"not_contains", CRITERIA_NOT_LIKE, "%", "%"},
    {"starts_with", CRITERIA_STARTS_WITH, NULL, NULL},
    {"ends_with", CRITERIA_LIKE, "%", ""},
    {"greater_than", CRITERIA_GREATER_THAN, NULL, NULL},
    {"less_than", CRITERIA_LESS_THAN, NULL, NULL},
    {"greater_equal", CRITERIA_GREATER_EQUAL, NULL, NULL},
    {"less_equal", CRITERIA_LESS_EQUAL, NULL, NULL},
    {"between", CRITERIA_BETWEEN, NULL, NULL},
    {"not_between", CRITERIA_NOT_BETWEEN, NULL, NULL},
    {"in", CRITERIA_IN, NULL, NULL},
    {"not_in", CRITERIA_NOT_IN, NULL, NULL},
};

struct criteria_reader {
    struct heap *heap;
    bool any_value;
    int conditions, depth;
    struct fail *fail;
};

static struct criteria *new_node(struct criteria_reader *reader, enum criteria_kind kind)
{
    struct criteria *node = heap_alloc(reader->heap, sizeof *node);
    if (!node) {
        fail_set(reader->fail, FAIL_MEMORY, NULL);
        return NULL;
    }
    *node = (struct criteria){.kind = kind};
    return node;
}

// A value as the search grammar writes it: a look-up by its id or name.
static bool read_value(struct criteria_reader *reader, struct value value, struct view *ret_text)
{
    const struct map *map = value_as_map(value);
    struct value text = map ? shape_get(map, "id") : value;
    text = map && value_is_null(text) ? shape_get(map, "name") : text;
    if (text.type == VALUE_NUMBER || text.type == VALUE_DECIMAL || text.type == VALUE_BOOL) {
        text = value_to_text(reader->heap, text, reader->fail);
    }
    if (text.type != VALUE_TEXT || text.len > VALUE_BYTES_MAX) {
        return fail_set(reader->fail, FAIL_INVALID_DATA, "a value of the criteria is no text, number or look-up");
    }
    *ret_text = value_view(text);
    return true;
}

static bool read_values(struct criteria_reader *reader, struct criteria *node, struct value value)
{
    bool pair = node->operator== CRITERIA_BETWEEN || node->operator== CRITERIA_NOT_BETWEEN;
    bool several = pair || node->operator== CRITERIA_IN || node->operator== CRITERIA_NOT_IN;
    const struct list *list = several ? value_as_list(value) : NULL;
    uint32_t most = pair ? 2 : several ? CRITERIA_VALUES_MAX : 1;
    struct view rest = VIEW("");
    node->values = heap_alloc(reader->heap, most * sizeof *node->values);
    if (!node->values) {
        return fail_set(reader->fail, FAIL_MEMORY, NULL);
    }
    if (!list && !read_value(reader, value, &rest)) {
        return false;
    }
    while ((list ? (uint32_t)node->value_count < list->count : rest.data != NULL) && (uint32_t)node->value_count < most) {
        struct view *text = &node->values[node->value_count];
        if (list ? !read_value(reader, list->items[node->value_count], text) : false) {
            return false;
        }
        if (!list) {
            *text = several ? view_trim(view_cut(&rest, ',')) : rest;
            rest = several && rest.len ? rest : VIEW_NONE;
        }
        node->value_count++;
    }
    bool left = list ? (uint32_t)node->value_count < list->count : rest.len > 0;
    return (!left && node->value_count && (!pair || node->value_count == 2)) ||
           fail_set(reader->fail, FAIL_INVALID_DATA, "the criteria have too many or too few values");
}

// ${EMPTY}, ${NOTEMPTY}, ${ANYVALUE}: words in place of a value.
static bool read_word(struct criteria_reader *reader, struct criteria *node, struct view word, bool *ret_done)
{
    bool negative = node->operator== CRITERIA_NOT_EQUAL, empty = view_eq_nocase(word, VIEW("${EMPTY}"));
    *ret_done = view_starts(word, VIEW("${"));
    if (!*ret_done) {
        return true;
    }
    if (empty || view_eq_nocase(word, VIEW("${NOTEMPTY}"))) {
        node->operator= empty != negative ? CRITERIA_IS_NULL : CRITERIA_NOT_NULL;
        return true;
    }
    if (reader->any_value && view_eq_nocase(word, VIEW("${ANYVALUE}"))) {
        node->operator= CRITERIA_OPERATORS;
        return true;
    }
    return fail_set(reader->fail, FAIL_NOT_SUPPORTED, "the value %.*s of criteria is not supported here",
                    VIEW_ARGS(view_slice(word, 0, utf8_clamp(word, 60))));
}

static bool find_comparator(struct view name, const struct comparator **ret_comparator)
{
    for (size_t i = 0; i < BASE_COUNT(COMPARATORS); i++) {
        if (view_eq_nocase(name, view_of(COMPARATORS[i].name))) {
            *ret_comparator = &COMPARATORS[i];
            return true;
        }
    }
    return false;
}

static struct criteria *read_condition(struct criteria_reader *reader, const struct map *map)
{
    const struct comparator *comparator = &COMPARATORS[0];
    struct view name = crm_map_view(map, "comparator");
    struct value field = shape_get(map, "field"), value = shape_get(map, "value");
    struct criteria *node = new_node(reader, CRITERIA_CONDITION);
    bool done, any = reader->any_value && view_eq_nocase(name, VIEW("${ANYVALUE}"));
    if (!node) {
        return NULL;
    }
    field = value_is_null(field) ? shape_get(map, "api_name") : field; // bulk reads of version 2
    node->field = field.type == VALUE_TEXT ? value_view(field) : crm_map_view(value_as_map(field), "api_name");
    if (!node->field.len || (!any && !find_comparator(name, &comparator)) || ++reader->conditions > CRM_CRITERIA_MAX) {
        fail_set(reader->fail, FAIL_INVALID_DATA,
                 reader->conditions > CRM_CRITERIA_MAX ? "the criteria have too many conditions"
                                                       : "a condition names no field, or no comparator that there is");
        return NULL;
    }
    node->operator= comparator->operator;
    if (!read_word(reader, node, any ? VIEW("${ANYVALUE}") : value_view_or(value, VIEW("")), &done) ||
        (!done && !read_values(reader, node, value))) {
        return NULL;
    }
    if (!done && comparator->before) {
        struct value pattern =
            value_text_printf(reader->heap, "%s%.*s%s", comparator->before, VIEW_ARGS(node->values[0]), comparator->after);
        node->values[0] = value_view_or(pattern, VIEW(""));
    }
    return node;
}

static struct criteria *read_node(struct criteria_reader *reader, struct value value)
{
    const struct map *map = value_as_map(value);
    struct value group = shape_get(map, "group");
    const struct list *members = value_as_list(group);
    struct view word = crm_map_view(map, "group_operator");
    if (!map || (!value_is_null(group) && (!members || !members->count)) || reader->depth >= DEPTH_MAX) {
        fail_set(reader->fail, FAIL_INVALID_DATA, "the criteria are no condition and no group of some");
        return NULL;
    }
    if (!members) {
        return read_condition(reader, map);
    }
    bool all = view_eq_nocase(word, VIEW("and"));
    if (!all && !view_eq_nocase(word, VIEW("or"))) {
        fail_set(reader->fail, FAIL_INVALID_DATA, "the group_operator is neither and nor or");
        return NULL;
    }
    struct criteria *node = new_node(reader, all ? CRITERIA_AND : CRITERIA_OR);
    reader->depth++;
    for (uint32_t i = 0; node && i < members->count; i++) {
        struct criteria *member = read_node(reader, members->items[i]);
        if (!member) {
            return NULL;
        }
        criteria_append(node, member);
    }
    reader->depth--;
    return node ? criteria_lift(node) : NULL;
}

bool crm_criteria_read(struct heap *heap, struct value criteria, bool any_value, struct criteria **ret_tree, struct fail *fail)
{
    struct criteria_reader reader = {.heap = heap, .any_value = any_value, .fail = fail};
    struct criteria *tree = value_is_null(criteria) ? NULL : read_node(&reader, criteria);
    if (!tree && !value_is_null(criteria)) {
        return false;
    }
    *ret_tree = tree;
    return true;
}

// ---- rules --------------------------------------------------------------------------------------

static const struct {
    const char *type;
    unsigned events;
    bool by_field;
} RULE_TYPES[] = {
    {"create", CRM_EVENT_CREATE, false},
    {"edit", CRM_EVENT_EDIT, false},
    {"create_or_edit", CRM_EVENT_CREATE | CRM_EVENT_EDIT, false},
    {"delete", CRM_EVENT_DELETE, false},
    {"field_update", CRM_EVENT_EDIT, true},
};

// The conditions of one level: which fields must have changed, and to what.
static bool read_changed(struct heap *heap, const struct map *details, struct crm_rule *rule, struct fail *fail)
{
    struct criteria *tree;
    if (!crm_criteria_read(heap, shape_get(details, "criteria"), true, &tree, fail)) {
        return false;
    }
    if (!tree) {
        return fail_set(fail, FAIL_INVALID_DATA, "field_update names no field");
    }
    rule->match_all = crm_map_bool(details, "match_all", tree->kind == CRITERIA_AND);
    rule->changed = heap_alloc(heap, CRM_CRITERIA_MAX * sizeof *rule->changed);
    struct criteria *member = tree->kind == CRITERIA_CONDITION ? tree : tree->first;
    for (; rule->changed && member; member = member->next) {
        if (member->kind != CRITERIA_CONDITION || rule->changed_count == CRM_CRITERIA_MAX) {
            return fail_set(fail, FAIL_NOT_SUPPORTED, "groups within the group of a field_update are not supported");
        }
        rule->changed[rule->changed_count++] = member;
    }
    return rule->changed || fail_set(fail, FAIL_MEMORY, NULL);
}

static bool read_part(struct heap *heap, const struct map *map, struct crm_condition_part *part, struct fail *fail)
{
    const struct map *details = value_as_map(shape_get(map, "criteria_details")),
                     *instant = value_as_map(shape_get(map, "instant_actions"));
    const struct list *actions = instant ? value_as_list(shape_get(instant, "actions")) : NULL;
    struct criteria *tree = NULL;
    if (!actions || actions->count > CRM_ACTIONS_MAX || !crm_criteria_read(heap, shape_get(details, "criteria"), false, &tree, fail)) {
        return fail->code != FAIL_NONE ? false : fail_set(fail, FAIL_INVALID_DATA, "a condition has no actions, or too many");
    }
    part->criteria = tree;
    part->actions = heap_alloc(heap, (actions->count + 1) * sizeof *part->actions);
    for (uint32_t i = 0; part->actions && i < actions->count; i++) {
        const struct map *action = value_as_map(actions->items[i]);
        struct crm_action *own = &part->actions[part->action_count++];
        own->kind = view_eq(crm_map_view(action, "type"), VIEW("functions")) ? CRM_PENDING_FUNCTION : CRM_PENDING_WEBHOOK;
        if (!crm_id_read(shape_get(action, "id"), &own->id)) {
            return fail_set(fail, FAIL_INVALID_DATA, "an action has no id");
        }
    }
    return part->actions || fail_set(fail, FAIL_MEMORY, NULL);
}

bool crm_rule_read(struct heap *heap, const struct map *definition, struct crm_rule *rule, struct fail *fail)
{
    const struct map *when = value_as_map(shape_get(definition, "execute_when"));
    const struct map *details = when ? value_as_map(shape_get(when, "details")) : NULL;
    const struct list *parts = value_as_list(shape_get(definition, "conditions"));
    struct view type = crm_map_view(when, "type");
    fail_clear(fail);
    for (size_t i = 0; i < BASE_COUNT(RULE_TYPES); i++) {
        if (view_eq(type, view_of(RULE_TYPES[i].type))) {
            rule->events = RULE_TYPES[i].events;
            rule->by_field = RULE_TYPES[i].by_field;
        }
    }
    if (!rule->events) {
        return fail_set(fail, FAIL_NOT_SUPPORTED, "rules that run on \"%.*s\" are not supported here",
                        VIEW_ARGS(view_slice(type, 0, utf8_clamp(type, 60))));
    }
    rule->repeat = crm_map_bool(details, "repeat", true); // GUESS: what it is when nothing is said
    if (rule->by_field && !read_changed(heap, details, rule, fail)) {
        return false;
    }
    if (!parts || !parts->count || parts->count > CRM_CONDITIONS_MAX) {
        return fail_set(fail, FAIL_INVALID_DATA, "a rule has 1 to %d conditions", CRM_CONDITIONS_MAX);
    }
    rule->conditions = heap_alloc(heap, parts->count * sizeof *rule->conditions);
    for (uint32_t i = 0; rule->conditions && i < parts->count; i++) {
        rule->conditions[i] = (struct crm_condition_part){0};
        if (!read_part(heap, value_as_map(parts->items[i]), &rule->conditions[i], fail)) {
            return false;
        }
        rule->condition_count++;
    }
    return rule->conditions || fail_set(fail, FAIL_MEMORY, NULL);
}

// ---- channels -----------------------------------------------------------------------------------

// "Leads.create" → module and events. False: it is no event.
static bool read_event(struct view text, struct crm_watch_event *ret_event)
{
    static const struct {
        const char *word;
        unsigned events;
    } words[] = {{"create", CRM_EVENT_CREATE},
                 {"edit", CRM_EVENT_EDIT},
                 {"delete", CRM_EVENT_DELETE},
                 {"all", CRM_EVENT_CREATE | CRM_EVENT_EDIT | CRM_EVENT_DELETE}};
    struct view rest = text, module = view_cut(&rest, '.');
    for (size_t i = 0; module.len && i < BASE_COUNT(words); i++) {
        if (view_eq_nocase(rest, view_of(words[i].word))) {
            *ret_event = (struct crm_watch_event){module, words[i].events};
            return true;
        }
    }
    return false;
}

static void add_event(struct crm_watch *watch, struct crm_watch_event event)
{
    for (int i = 0; i < watch->event_count; i++) {
        if (view_eq_nocase(watch->events[i].module, event.module)) {
            watch->events[i].events |= event.events;
            return;
        }
    }
    watch->events[watch->event_count++] = event;
}

// {"type":"field_selection","module":{"api_name"},"field_selection":{"group_operator","group":[{"api_name"}]}}
static bool read_selection(struct heap *heap, const struct map *map, struct crm_watch *watch, struct fail *fail)
{
    const struct map *selection = value_as_map(shape_get(map, "field_selection"));
    const struct list *group = value_as_list(shape_get(selection, "group"));
    struct crm_watch_fields *fields = &watch->fields[watch->field_count];
    *fields = (struct crm_watch_fields){.module = crm_map_view(value_as_map(shape_get(map, "module")), "api_name"),
                                        .all = view_eq_nocase(crm_map_view(selection, "group_operator"), VIEW("and"))};
    if (!fields->module.len || !group || !group->count || group->count > CRM_CRITERIA_MAX) {
        return fail_set(fail, FAIL_INVALID_DATA, "a field_selection names a module and up to %d fields", CRM_CRITERIA_MAX);
    }
    fields->names = heap_alloc(heap, group->count * sizeof *fields->names);
    for (uint32_t i = 0; fields->names && i < group->count; i++) {
        const struct map *member = value_as_map(group->items[i]), *field = value_as_map(shape_get(member, "field"));
        struct view name = crm_map_view(field ? field : member, "api_name");
        if (!name.len) {
            return fail_set(fail, FAIL_NOT_SUPPORTED, "groups within a field_selection are not supported");
        }
        fields->names[fields->count++] = name;
    }
    watch->field_count++;
    return fields->names || fail_set(fail, FAIL_MEMORY, NULL);
}

bool crm_watch_read(struct heap *heap, const struct map *definition, struct crm_watch *watch, struct fail *fail)
{
    const struct list *events = value_as_list(shape_get(definition, "events"));
    struct value given = shape_get(definition, "notification_condition");
    const struct list *conditions = value_as_list(given);
    if (!events || !events->count || events->count > CRM_WATCH_EVENTS_MAX) {
        return fail_set(fail, FAIL_INVALID_DATA, "a channel has 1 to %d events", CRM_WATCH_EVENTS_MAX);
    }
    watch->events = heap_alloc(heap, events->count * sizeof *watch->events);
    watch->fields = heap_alloc(heap, CRM_CRITERIA_MAX * sizeof *watch->fields);
    for (uint32_t i = 0; watch->events && i < events->count; i++) {
        struct crm_watch_event event;
        if (!read_event(value_view_or(events->items[i], VIEW("")), &event)) {
            return fail_set(fail, FAIL_INVALID_DATA, "an event is a module's name with .create, .edit, .delete or .all");
        }
        add_event(watch, event);
    }
    watch->events_read = true;
    if ((!conditions && !value_is_null(given)) || (conditions && conditions->count > CRM_CRITERIA_MAX)) {
        return fail_set(fail, FAIL_INVALID_DATA, "notification_condition is a list of up to %d", CRM_CRITERIA_MAX);
    }
    for (uint32_t i = 0; watch->fields && conditions && i < conditions->count; i++) {
        if (!read_selection(heap, value_as_map(conditions->items[i]), watch, fail)) {
            return false;
        }
    }
    watch->expiry_ms = crm_map_int(definition, "expiry_ms", 0);
    return (watch->events && watch->fields) || fail_set(fail, FAIL_MEMORY, NULL);
}

// ---- the picture --------------------------------------------------------------------------------

// Definitions were checked when they were stored: one that cannot be read is left out, and does not stop everything else.
static bool keep_going(const struct crm_object *object, struct fail *fail)
{
    if (fail->code == FAIL_NONE || fail->code == FAIL_MEMORY) {
        return fail->code == FAIL_NONE;
    }
    log_line(LOG_WARN, "workflow", "%.*s %lld is left out: %s", VIEW_ARGS(object->kind), (long long)object->id, fail->text);
    fail_clear(fail);
    return true;
}

static bool keep_rule(void *arg, const struct crm_object *object, struct fail *fail)
{
    struct crm_automation *automation = arg;
    const struct map *definition = value_as_map(object->definition);
    if (!crm_map_bool(definition, "active", true) || automation->rule_count == CRM_RULES_MAX) {
        return true;
    }
    struct crm_rule *rule = &automation->rules[automation->rule_count];
    *rule = (struct crm_rule){.id = object->id, .module = value_view_or(value_text(&automation->heap, object->module), VIEW(""))};
    automation->rule_count += crm_rule_read(&automation->heap, definition, rule, fail);
    return keep_going(object, fail);
}

static bool keep_watch(void *arg, const struct crm_object *object, struct fail *fail)
{
    struct crm_automation *automation = arg;
    if (automation->watch_count == CRM_WATCHES_MAX) {
        return true;
    }
    struct crm_watch *watch = &automation->watches[automation->watch_count];
    *watch = (struct crm_watch){.id = object->id};
    automation->watch_count += crm_watch_read(&automation->heap, value_as_map(object->definition), watch, fail);
    return keep_going(object, fail);
}

bool crm_automation_load(struct tx *tx, struct crm_automation **ret_automation, struct fail *fail)
{
    struct crm_object_query rules = {.kind = VIEW("workflow_rule")}, watches = {.kind = VIEW("watch")};
    int64_t any;
    bool found;
    *ret_automation = NULL;
    if (!tx_query_int(tx, "SELECT 1 FROM crm_object WHERE kind = 'workflow_rule' OR kind = 'watch' LIMIT 1", NULL, 0, &any, &found, fail)) {
        return false;
    }
    if (!found) {
        return true;
    }
    struct crm_automation *automation = calloc(1, sizeof *automation);
    if (!automation) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    heap_init(&automation->heap, CRM_AUTOMATION_BYTES_MAX, NULL);
    if (!crm_objects_tx(tx, &rules, &automation->heap, keep_rule, automation, fail) ||
        !crm_objects_tx(tx, &watches, &automation->heap, keep_watch, automation, fail)) {
        crm_automation_free(automation);
        return false;
    }
    *ret_automation = automation;
    return true;
}

void crm_automation_free(struct crm_automation *automation)
{
    if (automation) {
        heap_free(&automation->heap);
        free(automation);
    }
}

bool crm_has_rules(const struct crm_session *session)
{
    return session->meta && session->meta->automation && session->meta->automation->rule_count > 0;
}

const struct crm_module *crm_module_named(const struct crm_session *session, struct value module)
{
    const struct map *map = value_as_map(module);
    struct view name = map ? crm_map_view(map, "api_name") : value_view_or(module, VIEW(""));
    int64_t id;
    if (name.len || !map || !crm_id_read(shape_get(map, "id"), &id)) {
        return name.len ? crm_module_resolve(session, name) : NULL;
    }
    for (int i = 0; i < session->meta->module_count; i++) {
        if (session->meta->modules[i].id == id) {
            return &session->meta->modules[i];
        }
    }
    return NULL;
}
