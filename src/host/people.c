// SPDX-License-Identifier: Apache-2.0
// The console's people: signing in by a link or with a password, their sessions, and their accounts, each change with its row in the audit
// log. All of it lies in control. The same words for an unknown address and a wrong password, after the same time.
#include "host/inside.h"

// ---- sessions -----------------------------------------------------------------------------------

struct session_search {
    const struct auth *auth;
    struct view token;
    struct auth_account account;
    bool found;
};

static bool find_session_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct session_search *search = arg;
    return auth_session_find_tx(tx, search->auth, search->token, &search->account, &search->found, fail);
}

bool host_session_find(struct host *host, struct view session, struct auth_account *ret_account, struct fail *fail)
{
    struct session_search search = {.auth = host->auth, .token = session};
    struct store_env *control;
    bool there = false;
    if (session.len && !host_control_known(host, &control, &there, fail)) {
        return false;
    }
    if (there && !store_read(control, find_session_tx, &search, fail)) {
        return false;
    }
    if (!search.found) {
        return fail_set(fail, FAIL_AUTHENTICATION, "sign in to the console again");
    }
    *ret_account = search.account;
    return true;
}

struct session_change {
    const struct auth *auth;
    struct view token; // a link, or the session that ends
    int64_t account_id;
    bool found;
    char made[AUTH_SESSION_LEN + 1];
};

static bool use_link_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct session_change *change = arg;
    return auth_link_use_tx(tx, change->auth, change->token, &change->account_id, &change->found, fail) &&
           (!change->found || auth_session_make_tx(tx, change->auth, change->account_id, change->made, fail));
}

static struct identity person(int64_t account_id)
{
    struct identity who = {.kind = IDENTITY_OWNER, .role = AUTH_ROLE_ADMIN, .account_id = account_id};
    return who;
}

bool host_sign_in_link(struct host *host, struct view link, char ret_session[AUTH_SESSION_LEN + 1], struct fail *fail)
{
    struct session_change change = {.auth = host->auth, .token = link};
    struct store_env *control;
    if (!host_control(host, &control, fail) || !store_write(control, use_link_tx, &change, fail)) {
        return false;
    }
    struct identity who = person(change.account_id);
    host_audit_outcome(host, change.found ? &who : NULL, "console sign-in", VIEW("link"), change.found);
    if (!change.found) {
        return fail_set(fail, FAIL_AUTHENTICATION, "this link is used or too old");
    }
    memcpy(ret_session, change.made, sizeof change.made);
    return true;
}

struct account_search {
    const char *email;
    struct auth_account account;
    struct auth_password password;
    bool found;
};

static bool find_account_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct account_search *search = arg;
    return auth_account_find_tx(tx, search->email, &search->account, &search->password, &search->found, fail);
}

static bool make_session_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct session_change *change = arg;
    return auth_session_make_tx(tx, change->auth, change->account_id, change->made, fail);
}

// The attempt is counted before the password is looked at: many at once are no way around the waiting.
static bool check_password(struct host *host, struct store_env *control, struct view password, struct account_search *search,
                           struct fail *fail)
{
    int wait_s;
    bool right = false;
    if (!auth_attempt_may(host->auth, search->email, clock_wall_ms(), &wait_s)) {
        return fail_set(fail, FAIL_TOO_MANY, "too many wrong passwords; try again in %d s", wait_s);
    }
    if (!store_read(control, find_account_tx, search, fail)) {
        return false;
    }
    auth_attempt_note(host->auth, search->email, clock_wall_ms(), false);
    if (!auth_password_check(search->found ? &search->password : NULL, password, &right, fail)) {
        return false;
    }
    if (!right) {
        struct identity who = person(search->found ? search->account.id : 0);
        host_audit_outcome(host, search->found ? &who : NULL, "console sign-in", VIEW("password"), false);
        return fail_set(fail, FAIL_AUTHENTICATION, "the e-mail address or the password is wrong");
    }
    auth_attempt_note(host->auth, search->email, clock_wall_ms(), true);
    return true;
}

bool host_sign_in(struct host *host, struct view email, struct view password, char ret_session[AUTH_SESSION_LEN + 1], struct fail *fail)
{
    char address[AUTH_EMAIL_MAX];
    struct account_search search = {.email = address};
    struct store_env *control;
    if (!auth_email_read(email, address, fail) || !host_control(host, &control, fail) ||
        !check_password(host, control, password, &search, fail)) {
        return false;
    }
    struct session_change change = {.auth = host->auth, .account_id = search.account.id};
    struct identity who = person(search.account.id);
    if (!store_write(control, make_session_tx, &change, fail)) {
        return false;
    }
    host_audit(host, &who, "console sign-in", VIEW("password"));
    memcpy(ret_session, change.made, sizeof change.made);
    return true;
}

static bool end_session_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct session_change *change = arg;
    return auth_session_end_tx(tx, change->auth, change->token, fail);
}

bool host_sign_out(struct host *host, const struct identity *who, struct view session, struct fail *fail)
{
    struct session_change change = {.auth = host->auth, .token = session};
    struct store_env *control;
    return host_control(host, &control, fail) &&
           host_audit_outcome(host, who, "console sign-out", VIEW("session"), store_write(control, end_session_tx, &change, fail));
}

// ---- links --------------------------------------------------------------------------------------

static bool make_link_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct session_change *change = arg;
    return auth_link_make_tx(tx, change->auth, change->account_id, change->made, fail);
}

static bool find_account(struct host *host, struct view email, char address[AUTH_EMAIL_MAX], struct store_env **ret_control,
                         struct account_search *search, struct fail *fail)
{
    search->email = address;
    if (!auth_email_read(email, address, fail) || !host_control(host, ret_control, fail) ||
        !store_read(*ret_control, find_account_tx, search, fail)) {
        return false;
    }
    return search->found || fail_set(fail, FAIL_NOT_FOUND, "there is no account of \"%s\"", address);
}

bool host_link_new(struct host *host, const struct identity *who, struct view email, char ret_link[AUTH_SESSION_LEN + 1], struct fail *fail)
{
    char address[AUTH_EMAIL_MAX] = "the operator";
    struct account_search search = {.found = false};
    struct store_env *control;
    if (email.len ? !find_account(host, email, address, &control, &search, fail) : !host_control(host, &control, fail)) {
        return false;
    }
    struct session_change change = {.auth = host->auth, .account_id = search.account.id};
    if (!host_audit_outcome(host, who, "console link", view_of(address), store_write(control, make_link_tx, &change, fail))) {
        return false;
    }
    memcpy(ret_link, change.made, sizeof change.made);
    return true;
}

// ---- accounts -----------------------------------------------------------------------------------

struct account_change {
    struct auth_account account;
    struct auth_password password;
};

static bool add_account_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct account_change *change = arg;
    return auth_account_add_tx(tx, &change->account, &change->password, fail);
}

static bool read_name(const struct host_person *wish, struct auth_account *account, struct fail *fail)
{
    if (wish->name.data && (wish->name.len >= sizeof account->name || !utf8_valid(wish->name))) {
        return fail_set(fail, FAIL_INVALID_DATA, "a name has less than %zu bytes", sizeof account->name);
    }
    if (wish->name.data) {
        snprintf(account->name, sizeof account->name, "%.*s", VIEW_ARGS(wish->name));
    }
    return !wish->role.len || auth_role_find(wish->role, &account->role, fail);
}

bool host_person_new(struct host *host, const struct identity *who, const struct host_person *wish, struct fail *fail)
{
    struct account_change change = {.account = {.role = AUTH_ROLE_DEVELOPER}};
    struct store_env *control;
    return auth_email_read(wish->email, change.account.email, fail) && read_name(wish, &change.account, fail) &&
           auth_password_make(wish->password, &change.password, fail) && host_control(host, &control, fail) &&
           host_audit_outcome(host, who, "user new", view_of(change.account.email), store_write(control, add_account_tx, &change, fail));
}

static bool change_account_tx(struct tx *tx, void *arg, struct fail *fail)
{
    const struct account_search *search = arg;
    return auth_account_change_tx(tx, &search->account, &search->password, fail);
}

bool host_person_change(struct host *host, const struct identity *who, const struct host_person *wish, struct fail *fail)
{
    char address[AUTH_EMAIL_MAX];
    struct account_search search;
    struct store_env *control;
    return find_account(host, wish->email, address, &control, &search, fail) && read_name(wish, &search.account, fail) &&
           (!wish->password.len || auth_password_make(wish->password, &search.password, fail)) &&
           host_audit_outcome(host, who, wish->password.len ? "user password" : "user change", view_of(address),
                              store_write(control, change_account_tx, &search, fail));
}

static bool remove_account_tx(struct tx *tx, void *arg, struct fail *fail)
{
    const struct account_search *search = arg;
    return auth_account_remove_tx(tx, search->account.id, fail);
}

bool host_person_remove(struct host *host, const struct identity *who, struct view email, struct fail *fail)
{
    char address[AUTH_EMAIL_MAX];
    struct account_search search;
    struct store_env *control;
    return find_account(host, email, address, &control, &search, fail) &&
           host_audit_outcome(host, who, "user remove", view_of(address), store_write(control, remove_account_tx, &search, fail));
}

struct people_list {
    struct heap *heap;
    struct list *list;
};

static void put_time(struct heap *heap, struct map *map, const char *name, int64_t ms)
{
    struct buffer time;
    buffer_init(&time, 64);
    if (ms) {
        calendar_print_iso(&time, ms, zone_local());
    }
    map_put_text(heap, map, view_of(name), ms ? value_text(heap, buffer_view(&time)) : value_null());
    buffer_free(&time);
}

static bool add_person(void *arg, const struct auth_account *account, struct fail *fail)
{
    struct people_list *people = arg;
    struct value map = value_map(people->heap, 5);
    if (map.type != VALUE_MAP) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    oauth_put(people->heap, map.map, "email", view_of(account->email));
    oauth_put(people->heap, map.map, "name", view_of(account->name));
    oauth_put(people->heap, map.map, "role", view_of(auth_role_name(account->role)));
    put_time(people->heap, map.map, "created_time", account->created_ms);
    put_time(people->heap, map.map, "signed_in_time", account->signed_in_ms);
    list_add(people->heap, people->list, map);
    return true;
}

static bool people_tx(struct tx *tx, void *arg, struct fail *fail)
{
    struct people_list *people = arg;
    people->list->count = 0;
    return auth_accounts_tx(tx, add_person, people, fail);
}

bool host_people_list(struct host *host, struct heap *heap, struct value *ret_list, struct fail *fail)
{
    struct value list = value_list(heap, 8);
    struct people_list people = {heap, value_as_list(list)};
    struct store_env *control;
    if (heap->failed) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    if (!host_control(host, &control, fail) || !store_read(control, people_tx, &people, fail)) {
        return false;
    }
    *ret_list = list;
    return !heap->failed || fail_set(fail, FAIL_MEMORY, NULL);
}
