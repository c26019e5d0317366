// SPDX-License-Identifier: Apache-2.0
// What a widget acts with (DESIGN security 8). The page that shows a widget holds a token of that extension and the person before it, never
// their session: "widget.ORG.p.USER." and a sealed text. The token lives for minutes and lies in no data base: what it says is sealed for
// the place and user that it names, so it cannot be turned into another one's. It opens records and what describes them, functions of its
// own extension, and nothing that manages the org; a reader's token only reads.
#include "host/inside.h"

enum { TOKEN_TEXT_MAX = 64 };
static const char PREFIX[] = "widget.";

#define READS                                                                                                                              \
    "ZohoCRM.settings.modules.READ ZohoCRM.settings.fields.READ ZohoCRM.settings.layouts.READ ZohoCRM.settings.related_lists.READ "        \
    "ZohoCRM.settings.custom_views.READ ZohoCRM.settings.tags.READ ZohoCRM.settings.roles.READ ZohoCRM.settings.profiles.READ "            \
    "ZohoCRM.users.READ ZohoCRM.org.READ ZohoCRM.coql.READ ZohoSearch.securesearch.READ "
static const char READING[] = READS "ZohoCRM.modules.READ ZohoCRM.files.READ";
static const char WORKING[] = READS "ZohoCRM.modules.ALL ZohoCRM.files.ALL " HOST_WIDGET_SCOPE;

static bool is_installed(struct host_env *env, struct view namespace, char ret_spelled[EXT_NAME_MAX], struct fail *fail)
{
    struct function_table *pin;
    bool found = false;
    if (!functions_pin(env, &pin, fail)) {
        return false;
    }
    for (uint32_t i = 0; !found && i < pin->namespaces->count; i++) {
        struct view name = value_view_or(pin->namespaces->items[i], VIEW(""));
        found = view_eq_nocase(name, namespace);
        if (found) {
            snprintf(ret_spelled, EXT_NAME_MAX, "%.*s", VIEW_ARGS(name));
        }
    }
    functions_unpin(env, pin);
    return found ||
           fail_set(fail, FAIL_NOT_FOUND, "the extension \"%.*s\" is not installed here", (int)utf8_clamp(namespace, 60), namespace.data);
}

bool host_widget_token(struct host *host, const struct identity *who, struct view namespace, bool reader, struct arena *arena,
                       struct view *ret_token, struct fail *fail)
{
    struct host_env *env;
    char spelled[EXT_NAME_MAX], said[EXT_NAME_MAX + TOKEN_TEXT_MAX];
    if (!host_env_of(host, who, &env, fail) || !is_installed(env, namespace, spelled, fail)) {
        return false;
    }
    int len =
        snprintf(said, sizeof said, "%lld %c %s", (long long)(clock_wall_ms() + HOST_WIDGET_TOKEN_S * 1000LL), reader ? 'r' : 'w', spelled);
    struct view sealed = host_seal_write(host, who, VIEW("widget"), (struct view){said, (size_t)len}, arena);
    *ret_token = sealed.data ? arena_printf(arena, "%s%lld.%c.%lld.%.*s", PREFIX, (long long)who->org_number, env->sandbox ? 's' : 'p',
                                            (long long)who->user_id, VIEW_ARGS(sealed))
                             : VIEW_NONE;
    return ret_token->data || fail_set(fail, FAIL_MEMORY, NULL);
}

bool host_widget_token_is(struct view token)
{
    return view_starts(token, view_of(PREFIX));
}

// The place and user that the token names, before anything about them is believed.
static bool read_place(struct view *rest, int64_t *ret_org, bool *ret_sandbox, int64_t *ret_user)
{
    struct view org = view_cut(rest, '.'), environment = view_cut(rest, '.'), user = view_cut(rest, '.');
    *ret_sandbox = view_eq(environment, VIEW("s"));
    return view_to_int64(org, ret_org) && view_to_int64(user, ret_user) && (*ret_sandbox || view_eq(environment, VIEW("p")));
}

static bool read_said(struct view said, struct identity *identity)
{
    int64_t ends_ms;
    struct view until = view_cut(&said, ' '), mode = view_cut(&said, ' ');
    snprintf(identity->namespace, sizeof identity->namespace, "%.*s", VIEW_ARGS(said));
    identity->scopes = view_eq(mode, VIEW("w")) ? WORKING : READING;
    return view_to_int64(until, &ends_ms) && ends_ms > clock_wall_ms() && said.len > 0;
}

bool host_widget_token_check(struct host *host, struct view token, struct arena *arena, struct identity *ret_identity, struct fail *fail)
{
    struct view rest = view_from(token, sizeof PREFIX - 1), said;
    struct host_env *env;
    int64_t org, user;
    bool sandbox, active = true;
    if (!read_place(&rest, &org, &sandbox, &user)) {
        return fail_set(fail, FAIL_INVALID_TOKEN, NULL);
    }
    struct identity place = {.org_number = org, .user_id = user};
    snprintf(place.environment, sizeof place.environment, "%s", sandbox ? "sandbox" : "production");
    if (!host_seal_read(host, &place, VIEW("widget"), rest, arena, &said) || !read_said(said, &place)) {
        return fail_set(fail, FAIL_INVALID_TOKEN, NULL);
    }
    if (!host_env_find(host, org, sandbox, &env, fail)) {
        return fail->code == FAIL_NOT_FOUND ? fail_set(fail, FAIL_INVALID_TOKEN, NULL) : false;
    }
    *ret_identity = host_env_identity(env, IDENTITY_OAUTH, view_of(place.namespace));
    ret_identity->user_id = user;
    ret_identity->scopes = place.scopes;
    if (user && !oauth_user_active(host, ret_identity, &active, fail)) {
        return false;
    }
    return active || fail_set(fail, FAIL_INVALID_TOKEN, NULL);
}
