// SPDX-License-Identifier: Apache-2.0
// What a file of connectors/ may say (spec/platform.md §3 has the outline, the shape is ours; docs/connections.md shows it). It says where
// another service is, how that wants to be authorised, and which calls scripts make of it, as templates with ${placeholders}. Secrets never
// stand here: an org brings its own as the connection NAMESPACE.CONNECTOR. Each kind of object is a table of the members that it may have;
// whatever else stands there is a mistake worth telling before the version is published.
#include "ext/inside.h"

enum { APIS_MAX = 500, URL_BYTES_MAX = 8192, BODY_DEPTH_MAX = 20, MEMBERS_MAX = 100 };

enum kind { AS_NAME, AS_TEXT, AS_WORDS, AS_URL, AS_TOKEN, AS_CHOICE, AS_TEMPLATE_URL, AS_TEMPLATES, AS_BODY, AS_OBJECT, AS_OBJECTS };
struct member {
    const char *name;
    enum kind kind;
    const char *choices; // of AS_CHOICE: "a|b|c", in any case
};
static const struct member connector_members[] = {
    {"api_name", AS_NAME, NULL},        {"name", AS_TEXT, NULL},    {"description", AS_TEXT, NULL},
    {"authorisation", AS_OBJECT, NULL}, {"apis", AS_OBJECTS, NULL}, {NULL, AS_TEXT, NULL},
};
static const struct member authorisation_members[] = {
    {"type", AS_CHOICE, "none|api-key|api_key|bearer|basic|oauth2"},
    {"header", AS_TOKEN, NULL},
    {"query", AS_TEXT, NULL},
    {"prefix", AS_TEXT, NULL},
    {"authorize_url", AS_URL, NULL},
    {"token_url", AS_URL, NULL},
    {"refresh_url", AS_URL, NULL},
    {"scopes", AS_WORDS, NULL},
    {"separator", AS_TEXT, NULL},
    {"token_auth", AS_CHOICE, "body|header"},
    {"grant", AS_CHOICE, "authorization_code|client_credentials"},
    {NULL, AS_TEXT, NULL},
};
static const struct member api_members[] = {
    {"api_name", AS_NAME, NULL},
    {"name", AS_TEXT, NULL},
    {"description", AS_TEXT, NULL},
    {"method", AS_CHOICE, "GET|POST|PUT|PATCH|DELETE"},
    {"url", AS_TEMPLATE_URL, NULL},
    {"params", AS_TEMPLATES, NULL},
    {"headers", AS_TEMPLATES, NULL},
    {"body", AS_BODY, NULL},
    {"body_type", AS_CHOICE, "json|form|text"},
    {"response_type", AS_CHOICE, "json|text|file"},
    {NULL, AS_TEXT, NULL},
};

struct checking {
    struct view file, where; // where: "calendly", "calendly.getevent"
    struct fail *fail;
};

static struct view text_of(const struct map *map, const char *key)
{
    return map ? value_view_or(map_get_text(map, view_of(key)), VIEW("")) : VIEW("");
}

static bool is_letter(char c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static bool is_name(struct view name, const char *inner)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        if (!is_letter(c) && !(i > 0 && c && ((c >= '0' && c <= '9') || strchr(inner, c)))) {
            return false;
        }
    }
    return name.len > 0 && name.len < EXT_NAME_MAX;
}

static bool is_choice(struct view word, struct view choices)
{
    while (choices.len) {
        if (view_eq_nocase(word, view_cut(&choices, '|'))) {
            return true;
        }
    }
    return false;
}

// ---- templates ----------------------------------------------------------------------------------

static bool check_template(const struct checking *c, struct view text, const char *member)
{
    for (ptrdiff_t at; (at = view_find(text, VIEW("${"))) >= 0;) {
        text = view_from(text, (size_t)at + 2);
        ptrdiff_t end = view_find_char(text, '}');
        if (end < 0 || !is_name(view_slice(text, 0, (size_t)end), "_-.")) {
            return package_fail(c->fail, c->file, "%.*s: a placeholder in \"%s\" is written ${name}", VIEW_ARGS(c->where), member);
        }
    }
    return true;
}

// Recursion is bounded by BODY_DEPTH_MAX.
static bool check_body(const struct checking *c, struct value body, int depth)
{
    const struct map *map = value_as_map(body);
    const struct list *list = value_as_list(body);
    bool ok = value_is_text(body) ? check_template(c, value_view(body), "body") : true;
    if (depth > BODY_DEPTH_MAX) {
        return package_fail(c->fail, c->file, "%.*s: the body is nested deeper than %d", VIEW_ARGS(c->where), BODY_DEPTH_MAX);
    }
    uint32_t cursor = 0;
    for (struct map_entry *entry; ok && map && (entry = map_next(map, &cursor));) {
        ok = check_body(c, entry->value, depth + 1);
    }
    for (uint32_t i = 0; ok && list && i < list->count; i++) {
        ok = check_body(c, list->items[i], depth + 1);
    }
    return ok;
}

static bool check_templates(const struct checking *c, const struct map *map, const char *member)
{
    uint32_t cursor = 0;
    if (map->count > MEMBERS_MAX) {
        return package_fail(c->fail, c->file, "%.*s: \"%s\" has more than %d members", VIEW_ARGS(c->where), member, MEMBERS_MAX);
    }
    for (struct map_entry *entry; (entry = map_next(map, &cursor));) {
        if (value_as_map(entry->value) || value_as_list(entry->value) || value_is_null(entry->value)) {
            return package_fail(c->fail, c->file, "%.*s: the values in \"%s\" are texts", VIEW_ARGS(c->where), member);
        }
        if (value_is_text(entry->value) && !check_template(c, value_view(entry->value), member)) {
            return false;
        }
    }
    return true;
}

// ---- members ------------------------------------------------------------------------------------

static bool is_words(struct value v)
{
    const struct list *list = value_as_list(v);
    for (uint32_t i = 0; list && i < list->count; i++) {
        if (!value_is_text(list->items[i])) {
            return false;
        }
    }
    return list || value_is_text(v);
}

static bool is_url(struct value v)
{
    struct view url = value_view_or(v, VIEW(""));
    bool web = view_starts_nocase(url, VIEW("https://")) || view_starts_nocase(url, VIEW("http://"));
    return web && url.len <= URL_BYTES_MAX;
}

static bool wrong(const struct checking *c, const struct member *member, const char *wanted)
{
    return package_fail(c->fail, c->file, "%.*s%s\"%s\" must be %s", VIEW_ARGS(c->where), c->where.len ? ": " : "", member->name, wanted);
}

static bool check_member(const struct checking *c, const struct member *member, struct value v)
{
    struct view text = value_view_or(v, VIEW(""));
    switch (member->kind) {
    case AS_NAME:
        return is_name(text, "_") || wrong(c, member, "of letters, digits and underscores");
    case AS_TEXT:
        return value_is_text(v) || wrong(c, member, "a text");
    case AS_WORDS:
        return is_words(v) || wrong(c, member, "a text or a list of texts");
    case AS_URL:
        return is_url(v) || wrong(c, member, "an address that begins with https://");
    case AS_TOKEN:
        return is_name(text, "_-") || wrong(c, member, "the name of a header");
    case AS_CHOICE:
        return is_choice(text, view_of(member->choices)) || wrong(c, member, member->choices);
    case AS_TEMPLATE_URL:
        return (is_url(v) || wrong(c, member, "an address that begins with https:// and is not too long")) &&
               check_template(c, text, member->name);
    case AS_TEMPLATES:
        return value_as_map(v) ? check_templates(c, value_as_map(v), member->name) : wrong(c, member, "an object of texts");
    case AS_BODY:
        return check_body(c, v, 0);
    case AS_OBJECT:
        return value_as_map(v) || wrong(c, member, "an object");
    default:
        return value_as_list(v) || wrong(c, member, "a list of objects");
    }
}

static bool check_members(const struct checking *c, const struct map *map, const struct member *members)
{
    uint32_t cursor = 0;
    for (struct map_entry *entry; (entry = map_next(map, &cursor));) {
        struct view name = value_view_or(entry->key, VIEW(""));
        const struct member *member = members;
        while (member->name && !view_eq(name, view_of(member->name))) {
            member++;
        }
        if (!member->name) {
            return package_fail(c->fail, c->file, "%.*s%sa connector has no member \"%.*s\" here%s", VIEW_ARGS(c->where),
                                c->where.len ? ": " : "", VIEW_ARGS(name),
                                members == authorisation_members ? "; secrets are an org's own: sluice connection new" : "");
        }
        if (!check_member(c, member, entry->value)) {
            return false;
        }
    }
    return true;
}

// ---- connectors ---------------------------------------------------------------------------------

static bool check_authorisation(const struct checking *c, const struct map *map)
{
    struct view type = text_of(map, "type");
    if (!check_members(c, map, authorisation_members)) {
        return false;
    }
    if (view_eq_nocase(type, VIEW("oauth2")) && !text_of(map, "token_url").len) {
        return package_fail(c->fail, c->file, "%.*s: an authorisation of type oauth2 needs a \"token_url\"", VIEW_ARGS(c->where));
    }
    return true;
}

static bool check_api(struct checking *c, struct view connector, const struct map *api)
{
    char where[2 * EXT_NAME_MAX + 2];
    struct view name = text_of(api, "api_name");
    snprintf(where, sizeof where, "%.*s.%.*s", VIEW_ARGS(connector), VIEW_ARGS(view_slice(name, 0, utf8_clamp(name, EXT_NAME_MAX))));
    c->where = view_of(where);
    bool ok = check_members(c, api, api_members);
    if (ok && (!name.len || !text_of(api, "url").len)) {
        ok = package_fail(c->fail, c->file, "each of \"apis\" of \"%.*s\" needs an \"api_name\" and a \"url\"", VIEW_ARGS(connector));
    }
    c->where = connector;
    return ok;
}

static bool check_apis(struct checking *c, struct view connector, const struct list *apis)
{
    if (!apis || apis->count == 0 || apis->count > APIS_MAX) {
        return package_fail(c->fail, c->file, "the connector \"%.*s\" needs \"apis\", at most %d", VIEW_ARGS(connector), APIS_MAX);
    }
    for (uint32_t i = 0; i < apis->count; i++) {
        const struct map *api = value_as_map(apis->items[i]);
        struct view name = text_of(api, "api_name");
        if (!(api ? check_api(c, connector, api)
                  : package_fail(c->fail, c->file, "each of \"apis\" of \"%.*s\" must be an object", VIEW_ARGS(connector)))) {
            return false;
        }
        for (uint32_t k = 0; k < i; k++) {
            if (view_eq_nocase(text_of(value_as_map(apis->items[k]), "api_name"), name)) {
                return package_fail(c->fail, c->file, "%.*s.%.*s is there twice", VIEW_ARGS(connector), VIEW_ARGS(name));
            }
        }
    }
    return true;
}

static bool check_connector(struct checking *c, const struct map *map)
{
    struct view name = text_of(map, "api_name");
    const struct map *authorisation = value_as_map(map_get_text(map, VIEW("authorisation")));
    if (!name.len) {
        return package_fail(c->fail, c->file, "a connector needs an \"api_name\"");
    }
    if (!check_members(c, map, connector_members)) {
        return false;
    }
    if (is_choice(name, VIEW("crm|wget"))) {
        return package_fail(c->fail, c->file, "the name \"%.*s\" is that of a built-in connector", VIEW_ARGS(name));
    }
    c->where = name;
    return (!authorisation || check_authorisation(c, authorisation)) && check_apis(c, name, value_as_list(map_get_text(map, VIEW("apis"))));
}

bool ext_connector_check(struct view file, struct value connector, struct fail *fail)
{
    struct checking c = {.file = file, .where = VIEW(""), .fail = fail};
    const struct map *map = value_as_map(connector);
    fail_clear(fail);
    return map ? check_connector(&c, map) : package_fail(fail, file, "must hold a JSON object");
}

struct each_connector {
    const struct list *list;
    uint32_t next;
};

// The files come in the order in which the list was made of them.
static bool check_file(struct ext_package *package, const struct ext_file *file, void *arg, struct fail *fail)
{
    (void)package;
    struct each_connector *each = arg;
    if (each->next >= each->list->count) {
        return true;
    }
    struct value connector = each->list->items[each->next++];
    const struct map *map = value_as_map(connector);
    if (!ext_connector_check(file->path, connector, fail)) {
        return false;
    }
    for (uint32_t k = 0; k + 1 < each->next; k++) {
        if (view_eq_nocase(text_of(value_as_map(each->list->items[k]), "api_name"), text_of(map, "api_name"))) {
            return package_fail(fail, file->path, "the connector \"%.*s\" is there twice", VIEW_ARGS(text_of(map, "api_name")));
        }
    }
    return true;
}

bool ext_connectors_check(const struct ext_package *package, struct fail *fail)
{
    static const char *const objects[] = {".json", NULL};
    struct each_connector each = {.list = value_as_list(package->connectors)};
    return !each.list || package_folder((struct ext_package *)package, VIEW("connectors/"), objects, check_file, &each, fail);
}
