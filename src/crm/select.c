// SPDX-License-Identifier: Apache-2.0
// Which columns a read asks for, and the beginning of its SELECT. Reads of whole records, which are nearly all, share one selection a
// module and picture: building the text of 64 columns took longer than running it. Like a module's fields it is built aside and published
// with one compare-and-swap. A read that names its fields builds its own and frees it.
//
// The other record's name of a look-up comes from a scalar sub-query in the same statement: unlike joins these have no limit of their
// number, and they cost nothing where the look-up is unset.
#include "crm/record.h"

#include <stdlib.h>

enum { SQL_BYTES_MAX = 512 << 10, FIELD_NAMES_MAX = CRM_FIELDS_MAX };

void crm_selection_free(struct crm_selection *selection)
{
    if (selection) {
        free(selection->text);
        free(selection->text_by_id);
        free(selection->columns);
        free(selection);
    }
}

// ,(SELECT name of the other record), null when there is none; a record without a name has the empty one.
bool crm_name_query(const struct crm_session *session, const struct crm_field *field, const char *alias, struct buffer *text,
                    struct fail *fail)
{
    const struct crm_module *target = field->se_module ? NULL : crm_module_resolve(session, field->lookup);
    if (!target) {
        buffer_add(text, VIEW(",NULL"));
        return true;
    }
    buffer_add(text, VIEW(",(SELECT COALESCE(CAST(n."));
    bool quoted = store_quote(text, target->name_field, fail);
    buffer_printf(text, " AS TEXT),'') FROM %.*s n WHERE n.\"id\"=%s.%.*s)", VIEW_ARGS(target->quoted), alias, VIEW_ARGS(field->quoted));
    return quoted;
}

static bool add_columns(const struct crm_session *session, const struct crm_module *module, struct crm_selection *selection,
                        struct buffer *text, struct fail *fail)
{
    int index = 1;
    buffer_add(text, VIEW("SELECT t.\"id\""));
    for (int i = 0; i < selection->count; i++) {
        const struct crm_field *field = selection->columns[i].field;
        selection->columns[i].index = index++;
        buffer_add(text, VIEW(",t."));
        buffer_add(text, field->quoted);
        if (field->kind == CRM_KIND_LOOKUP) {
            index++;
            if (!crm_name_query(session, field, "t", text, fail)) {
                return false;
            }
        }
    }
    selection->se_column = -1;
    if (crm_fields_of(module)->se_module) {
        selection->se_column = index;
        buffer_add(text, VIEW(",t.\"$se_module\""));
    }
    buffer_printf(text, " FROM %.*s t", VIEW_ARGS(module->quoted));
    return true;
}

// Completes a selection whose columns are chosen; frees it on failure.
static struct crm_selection *finish(const struct crm_session *session, const struct crm_module *module, struct crm_selection *selection,
                                    struct fail *fail)
{
    struct buffer text;
    buffer_init(&text, SQL_BYTES_MAX);
    bool done = add_columns(session, module, selection, &text, fail);
    selection->text = done ? strdup(buffer_text(&text)) : NULL;
    buffer_add(&text, VIEW(" WHERE t.\"id\"=?"));
    selection->text_by_id = done ? strdup(buffer_text(&text)) : NULL;
    if (done && (text.failed || !selection->text || !selection->text_by_id)) {
        done = fail_set(fail, FAIL_MEMORY, NULL);
    }
    buffer_free(&text);
    if (!done) {
        crm_selection_free(selection);
        return NULL;
    }
    return selection;
}

struct crm_selection *crm_selection_new(int columns_max, struct fail *fail)
{
    struct crm_selection *selection = calloc(1, sizeof *selection);
    struct crm_column *columns = calloc((size_t)columns_max + 1, sizeof *columns);
    if (!selection || !columns) {
        free(selection);
        free(columns);
        fail_set(fail, FAIL_MEMORY, NULL);
        return NULL;
    }
    selection->columns = columns;
    return selection;
}

static bool select_all(const struct crm_session *session, const struct crm_module *module, bool single,
                       const struct crm_selection **ret_selection, struct fail *fail)
{
    struct crm_fields *fields = (struct crm_fields *)crm_fields_of(module);
    _Atomic(struct crm_selection *) *place = single ? &fields->single : &fields->listed;
    struct crm_selection *known = atomic_load_explicit(place, memory_order_acquire), *made;
    if (known) {
        *ret_selection = known;
        return true;
    }
    made = crm_selection_new(fields->count, fail);
    for (int i = 0; made && i < fields->count; i++) {
        if (single || !fields->items[i].single) {
            made->columns[made->count++].field = &fields->items[i];
        }
    }
    made = made ? finish(session, module, made, fail) : NULL;
    if (!made) {
        return false;
    }
    if (!atomic_compare_exchange_strong_explicit(place, &known, made, memory_order_acq_rel, memory_order_acquire)) {
        crm_selection_free(made); // another loop was first
        made = known;
    }
    *ret_selection = made;
    return true;
}

static void add_once(struct crm_selection *selection, const struct crm_field *field)
{
    for (int i = 0; i < selection->count; i++) {
        if (selection->columns[i].field == field) {
            return;
        }
    }
    selection->columns[selection->count++].field = field;
}

// Unknown names are passed over (v2 does so), and in lists those that only single records show; the id is always there (spec/crm-api.md
// §2.2).
static struct crm_selection *select_named(const struct crm_session *session, const struct crm_module *module, struct view names,
                                          bool single, struct fail *fail)
{
    const struct crm_fields *fields = crm_fields_of(module);
    struct crm_selection *selection = crm_selection_new(fields->count, fail);
    for (int i = 0; selection && names.len > 0 && i < FIELD_NAMES_MAX; i++) {
        struct view name = view_trim(view_cut(&names, ','));
        const struct crm_field *field = name.len ? crm_field_find(session, module, name) : NULL;
        if (field && (single || !field->single)) {
            add_once(selection, field);
        }
    }
    if (selection && fields->id) {
        add_once(selection, fields->id);
    }
    return selection ? finish(session, module, selection, fail) : NULL;
}

bool crm_selection_open(const struct crm_session *session, const struct crm_module *module, struct view names, bool single,
                        const struct crm_selection **ret_selection, struct crm_selection **ret_own, struct fail *fail)
{
    names = view_trim(names);
    *ret_own = NULL;
    if (names.len == 0) {
        return select_all(session, module, single, ret_selection, fail);
    }
    struct crm_selection *own = select_named(session, module, names, single, fail);
    if (own) {
        *ret_selection = *ret_own = own;
    }
    return own != NULL;
}
