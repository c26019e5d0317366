// SPDX-License-Identifier: Apache-2.0
//
// Sessions: the organisation and its admin, many fibers at once, and metadata that changes while sessions are open.
#include "crm_test.h"

static void test_the_admin_and_the_organisation(struct fixture *f)
{
    struct value user, org;
    int64_t admin = crm_admin_id(&f->session);
    EXPECT(f->session.user_id == admin);
    EXPECT(view_eq(crm_user_email(&f->session, admin), VIEW("ada@acme.example")));
    EXPECT(view_eq(crm_user_name(&f->session, admin), VIEW("Ada Admin")));
    EXPECT(crm_user_email(&f->session, 4711).len == 0);
    EXPECT(view_eq(zone_name(crm_zone(&f->session)), VIEW("Asia/Kolkata")));
    EXPECT_OK(crm_user_get(&f->session, admin, &user, &f->fail));
    const char *const keys[] = {"first_name", "last_name", "full_name", "email",     "zuid",
                                "time_zone",  "locale",    "status",    "role.name", "profile.name"};
    const char *const values[] = {"Ada",   "Admin",  "Ada Admin", "ada@acme.example", "60001234568", "Asia/Kolkata",
                                  "en_US", "active", "CEO",       "Administrator"};
    for (size_t i = 0; i < BASE_COUNT(keys); i++) {
        expect_at(is_text(get(user, keys[i]), values[i]), __LINE__, keys[i], write_json(get(user, keys[i])));
    }
    EXPECT_JSON(get(user, "confirm"), "true");
    EXPECT_FAIL(crm_user_get(&f->session, 4711, &user, &f->fail), FAIL_NOT_FOUND);
    EXPECT_OK(crm_org_get(&f->session, &org, &f->fail));
    EXPECT(is_text(get(org, "company_name"), "Acme") && is_text(get(org, "time_zone"), "Asia/Kolkata") &&
           is_text(get(org, "zgid"), "60001234567"));
}
ON_FIBER(the_admin_and_the_organisation)

static void test_seeding_twice_changes_nothing(struct fixture *f)
{
    struct crm_new_org other = {.company_name = VIEW("Other"), .admin_email = VIEW("x@y.example"), .time_zone = VIEW("UTC")};
    struct value org;
    EXPECT_OK(store_write(f->env, seed_closure, &other, &f->fail));
    EXPECT_OK(crm_org_get(&f->session, &org, &f->fail));
    EXPECT(is_text(get(org, "company_name"), "Acme"));
}
ON_FIBER(seeding_twice_changes_nothing)

// ---- many fibers --------------------------------------------------------------------------------

enum { FIBERS = 100, INSERTS = 5 };

struct crowd {
    struct fixture *f;
    _Atomic int running, failed;
    struct loop_event done;
};

static bool insert_some(struct crowd *crowd)
{
    struct crm_session session;
    struct heap heap;
    struct fail fail = {0};
    heap_init(&heap, 16 << 20, NULL);
    bool fine = crm_session_open(crowd->f->crm, &heap, &session, &fail);
    for (int i = 0; fine && i < INSERTS; i++) {
        struct value rows = value_null(), results = value_null(), record = value_null();
        fine = json_read(&heap, VIEW("[{\"Last_Name\":\"Crowd\",\"Company\":\"Zylker\"}]"), &rows, &fail) &&
               crm_records_insert(&session, VIEW("Leads"), rows, &results, &fail) &&
               crm_record_get(&session, VIEW("Leads"), id_of(at(results, 0)), &record, &fail) && is_text(get(record, "Full_Name"), "Crowd");
    }
    if (session.meta) {
        crm_session_close(&session);
    }
    heap_free(&heap);
    return fine;
}

static void run_one(void *arg)
{
    struct crowd *crowd = arg;
    if (!insert_some(crowd)) {
        crowd->failed++;
    }
    if (--crowd->running == 0) {
        loop_event_set_from(&crowd->done);
    }
}

static void run_crowd(struct fixture *f)
{
    struct crowd crowd = {.f = f, .running = FIBERS};
    int64_t count = 0;
    loop_event_init(&crowd.done);
    for (int i = 0; i < FIBERS; i++) {
        EXPECT(loop_post(loop_at(i % loop_count()), run_one, &crowd));
    }
    EXPECT_OK(loop_event_wait(&crowd.done, 60000, &f->fail));
    EXPECT(crowd.failed == 0);
    EXPECT_OK(
        crm_records_count(&f->session, VIEW("Leads"), &(struct crm_query){.criteria = VIEW("(Last_Name:equals:crowd)")}, &count, &f->fail));
    EXPECT(count == FIBERS * INSERTS);
}

static void test_a_hundred_fibers_insert_in_memory(void **state)
{
    (void)state;
    run(run_crowd);
}

static void test_a_hundred_fibers_insert_on_disk(void **state)
{
    (void)state;
    run_on_disk(run_crowd);
}

// ---- metadata that changes ----------------------------------------------------------------------

struct upgrade {
    struct value modules;
    struct heap *heap;
};

static bool install_closure(struct tx *tx, void *arg, struct fail *fail)
{
    struct upgrade *upgrade = arg;
    return crm_modules_install_tx(tx, VIEW("ns"), upgrade->modules, 0, upgrade->heap, fail);
}

static void add_field(struct fixture *f, const char *name)
{
    char modules[256];
    snprintf(modules, sizeof modules, "[{\"api_name\":\"Leads\",\"fields\":[{\"api_name\":\"%s\",\"data_type\":\"text\"}]}]", name);
    struct upgrade upgrade = {read_json(f, modules), &f->heap};
    EXPECT_OK(store_write(f->env, install_closure, &upgrade, &f->fail));
}

static void test_a_new_field_reaches_open_sessions_with_the_next_write(struct fixture *f)
{
    add(f, "Leads", "{\"Last_Name\":\"x\"}");
    add_field(f, "Colour");
    int64_t id = add(f, "Leads", "{\"Last_Name\":\"y\",\"ns__Colour\":\"red\"}");
    EXPECT(is_text(get(fetch(f, "Leads", id), "ns__Colour"), "red"));
}
ON_FIBER(a_new_field_reaches_open_sessions_with_the_next_write)

static void test_a_module_first_used_after_a_change_is_read_anew(struct fixture *f)
{
    add_field(f, "Colour"); // the session's picture is old and has no fields of Contacts yet
    int64_t id = add(f, "Contacts", "{\"Last_Name\":\"x\"}");
    EXPECT(is_text(get(fetch(f, "Contacts", id), "Last_Name"), "x"));
    add_field(f, "Shape");
    EXPECT(count_of(search(f, "Deals", "(Deal_Name:equals:x)")) == 0);
    add_field(f, "Size");
    EXPECT(value_is_null(fetch(f, "Accounts", 1)));
}
ON_FIBER(a_module_first_used_after_a_change_is_read_anew)

static void test_texts_of_users_outlive_the_picture(struct fixture *f)
{
    struct view email = crm_user_email(&f->session, crm_admin_id(&f->session));
    add_field(f, "Colour");
    add(f, "Leads", "{\"Last_Name\":\"x\"}"); // pins a newer picture
    EXPECT(view_eq(email, VIEW("ada@acme.example")));
}
ON_FIBER(texts_of_users_outlive_the_picture)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_the_admin_and_the_organisation),
        cmocka_unit_test(run_seeding_twice_changes_nothing),
        cmocka_unit_test(test_a_hundred_fibers_insert_in_memory),
        cmocka_unit_test(test_a_hundred_fibers_insert_on_disk),
        cmocka_unit_test(run_a_new_field_reaches_open_sessions_with_the_next_write),
        cmocka_unit_test(run_a_module_first_used_after_a_change_is_read_anew),
        cmocka_unit_test(run_texts_of_users_outlive_the_picture),
    };
    return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
