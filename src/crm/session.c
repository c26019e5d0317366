// SPDX-License-Identifier: Apache-2.0
// Sessions: one run's or one request's view of a CRM, with its pinned metadata; and what it knows of the organisation.
#include "crm/meta.h"

enum { SLOW_MS = 50 };

bool crm_session_open(struct crm *crm, struct heap *heap, struct crm_session *ret_session, struct fail *fail)
{
    const struct crm_meta *meta;
    if (!crm_meta_pin(crm, &meta, fail)) {
        return false;
    }
    *ret_session = (struct crm_session){.crm = crm,
                                        .meta = meta,
                                        .heap = heap,
                                        .user_id = meta->admin_id,
                                        .api_version = 2,
                                        .slow_ms = SLOW_MS,
                                        .cursor = value_null(),
                                        .details = value_null()};
    return true;
}

void crm_session_close(struct crm_session *session)
{
    if (session->meta) {
        crm_meta_release(session->meta);
        session->meta = NULL;
    }
}

bool crm_session_retry(struct crm_session *session, struct fail *fail)
{
    const struct crm_meta *meta;
    if (fail->code != FAIL_STALE || !crm_meta_pin(session->crm, &meta, fail)) {
        return false;
    }
    crm_meta_release(session->meta);
    session->meta = meta;
    fail_clear(fail);
    return true;
}

void crm_details_set(struct crm_session *session, const char *key, struct view text)
{
    if (session->details.type != VALUE_MAP) {
        session->details = value_map(session->heap, 4);
    }
    if (session->details.type == VALUE_MAP) {
        map_put_text(session->heap, session->details.map, view_of(key), value_text(session->heap, text));
    }
}

int64_t crm_admin_id(const struct crm_session *session)
{
    return session->meta->admin_id;
}

const struct zone *crm_zone(const struct crm_session *session)
{
    const struct crm_user *user = crm_user_find(session->meta, session->user_id);
    return user && user->zone ? user->zone : session->meta->zone;
}

// Copies, because the session may pin a newer picture while the caller still holds the text.
static struct view copy_out(const struct crm_session *session, struct view text)
{
    struct value copy = value_text(session->heap, text);
    return value_view_or(copy, VIEW_NONE);
}

struct view crm_user_email(const struct crm_session *session, int64_t user_id)
{
    const struct crm_user *user = crm_user_find(session->meta, user_id);
    return user ? copy_out(session, user->email) : VIEW_NONE;
}

struct view crm_user_name(const struct crm_session *session, int64_t user_id)
{
    const struct crm_user *user = crm_user_find(session->meta, user_id);
    return user ? copy_out(session, user->full_name) : VIEW_NONE;
}

// ---- the organisation as REST shows it ----------------------------------------------------------

struct shape_job {
    const struct crm_session *session;
    bool found;
    struct value shape;
};

static void put_text(struct heap *heap, struct map *map, const char *key, struct view text)
{
    map_put_text(heap, map, view_of(key), text.data ? value_text(heap, text) : value_null());
}

static void put_id(struct heap *heap, struct map *map, const char *key, int64_t id)
{
    char digits[21];
    put_text(heap, map, key, (struct view){digits, int64_print(digits, id)});
}

// spec/crm-api.md §2.10. What a fresh organisation has not told yet is null.
static void fill_org(struct heap *heap, struct map *org, struct rows *rows)
{
    put_id(heap, org, "id", rows_int(rows, 0));
    put_text(heap, org, "company_name", rows_text(rows, 1));
    put_id(heap, org, "zgid", rows_int(rows, 2));
    map_put_text(heap, org, VIEW("domain_name"), value_text_printf(heap, "org%lld", (long long)rows_int(rows, 2)));
    put_text(heap, org, "time_zone", rows_text(rows, 3));
    put_text(heap, org, "primary_email", rows_text(rows, 4));
    put_text(heap, org, "currency", rows_text(rows, 5));
    put_text(heap, org, "iso_code", rows_text(rows, 6));
    put_text(heap, org, "currency_symbol", rows_text(rows, 7));
    put_text(heap, org, "currency_locale", rows_text(rows, 8));
    put_text(heap, org, "country_code", rows_text(rows, 9));
    put_id(heap, org, "primary_zuid", rows_int(rows, 10));
    static const char *const UNSET[] = {"website", "phone", "mobile", "fax",     "employee_count", "description", "street",
                                        "city",    "state", "zip",    "country", "photo_id",       "alias"};
    for (size_t i = 0; i < BASE_COUNT(UNSET); i++) {
        map_put_text(heap, org, view_of(UNSET[i]), value_null());
    }
    map_put_text(heap, org, VIEW("mc_status"), value_bool(false));
    map_put_text(heap, org, VIEW("gapps_enabled"), value_bool(false));
    map_put_text(heap, org, VIEW("privacy_settings"), value_bool(false));
    struct value licence = value_map(heap, 6);
    if (licence.type == VALUE_MAP) {
        map_put_text(heap, licence.map, VIEW("paid"), value_bool(true));
        put_text(heap, licence.map, "paid_type", VIEW("enterprise"));
        map_put_text(heap, licence.map, VIEW("paid_expiry"), value_null());
        map_put_text(heap, licence.map, VIEW("users_license_purchased"), value_number(1));
        map_put_text(heap, licence.map, VIEW("portal_users_license_purchased"), value_number(0));
        map_put_text(heap, licence.map, VIEW("trial_expiry"), value_null());
    }
    map_put_text(heap, org, VIEW("license_details"), licence);
}

static bool read_org_shape(struct tx *tx, void *arg, struct fail *fail)
{
    struct shape_job *job = arg;
    struct rows *rows;
    fail_clear(fail);
    if (!tx_query(
            tx,
            "SELECT id, company_name, zgid, time_zone, primary_email, currency, iso_code, currency_symbol, currency_locale, country_code, "
            "admin_id FROM crm_org",
            NULL, 0, &rows, fail)) {
        return false;
    }
    job->found = rows_next(rows, fail);
    job->shape = value_map(job->session->heap, 32);
    if (job->found && job->shape.type == VALUE_MAP) {
        fill_org(job->session->heap, job->shape.map, rows);
    }
    rows_close(rows);
    return fail->code == FAIL_NONE;
}

bool crm_org_get(struct crm_session *session, struct value *ret_org, struct fail *fail)
{
    struct shape_job job = {.session = session};
    if (!store_read(crm_env(session->crm), read_org_shape, &job, fail)) {
        return false;
    }
    *ret_org = job.shape;
    return true;
}
