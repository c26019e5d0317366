// SPDX-License-Identifier: Apache-2.0
// sendmail (spec/deluge-builtins.md §11.2): a bracket block becomes a letter, which goes to the mail server of setting mail.smtp_url. A
// mail is one outgoing call and one of the environment's mails of the day; that counter stands in the environment's data base, so that a
// restart does not begin it anew. It is taken before the mail leaves: a mail that the server refuses counts too.
#include "host/service.h"

enum {
    ATTACHMENTS_MAX = 20,
    ATTACHMENT_BYTES_MAX = 15 << 20, // of all files of a mail together
    PEOPLE_MAX = OUT_MAIL_RECIPIENTS_MAX,
    LETTER_ID_DIGITS = 32,
};

struct people {
    struct out_address items[PEOPLE_MAX];
    int count;
};

struct mailing {
    struct native_call *call;
    struct run *run;
    const struct map *attributes;
    struct out_address from;
    struct people to, cc, bcc, reply_to;
    struct out_file files[ATTACHMENTS_MAX];
    int file_count;
    size_t file_bytes;
};

static struct value attribute(const struct mailing *mailing, const char *name)
{
    return value_resolve(map_get_text(mailing->attributes, view_of(name)));
}

static struct view printed(struct native_call *call, struct value v)
{
    return value_is_null(v) ? VIEW("") : value_view_or(value_is_text(v) ? v : value_to_text(call->heap, v, call->fail), VIEW(""));
}

// ---- who ----------------------------------------------------------------------------------------

static bool add_people(struct mailing *mailing, struct people *people, struct view text)
{
    struct out_address address;
    struct fail fail;
    while (out_address_next(&text, &address, &fail)) {
        if (people->count == PEOPLE_MAX) {
            return native_fail(mailing->call, "sendmail: a mail goes to at most %d recipients", PEOPLE_MAX);
        }
        people->items[people->count++] = address;
    }
    return fail.code == FAIL_NONE || native_fail(mailing->call, "sendmail: %s", fail.text);
}

// Text with commas, or a list of such texts.
static bool read_people(struct mailing *mailing, const char *name, struct people *people)
{
    struct value v = attribute(mailing, name);
    const struct list *list = value_as_list(v);
    if (!list) {
        return add_people(mailing, people, printed(mailing->call, v));
    }
    for (uint32_t i = 0; i < list->count; i++) {
        if (!add_people(mailing, people, printed(mailing->call, value_resolve(list->items[i])))) {
            return false;
        }
    }
    return true;
}

static bool is_listed(struct view list, struct view address)
{
    while (list.len) {
        if (view_eq_nocase(view_trim(view_cut(&list, ',')), address)) {
            return true;
        }
    }
    return false;
}

static bool is_of(const struct mailing *mailing, struct value user)
{
    const struct map *map = value_as_map(user);
    struct view own = map ? value_view_or(map_get_text(map, VIEW("email")), VIEW("")) : VIEW("");
    return own.len > 0 && view_eq_nocase(mailing->from.address, own);
}

// The user who runs the script, the super admin, or an address that the operator allows.
static bool read_from(struct mailing *mailing)
{
    struct run *run = mailing->run;
    struct view text = printed(mailing->call, attribute(mailing, "from"));
    struct value user = value_null();
    struct fail fail;
    if (run->pin && !run_user(run, &user, mailing->call->fail)) {
        return false;
    }
    bool read = out_address_next(&text, &mailing->from, &fail) && view_trim(text).len == 0;
    if (read && ((run->pin && (is_of(mailing, run->pin->admin) || is_of(mailing, user))) ||
                 is_listed(run->host->options.mail_from_allowed, mailing->from.address))) {
        return true;
    }
    return native_fail(mailing->call, "From: address is not zoho.adminuserid or zoho.loginuserid");
}

// ---- what ---------------------------------------------------------------------------------------

static bool add_file(struct mailing *mailing, struct value v)
{
    v = value_resolve(v);
    if (v.type != VALUE_FILE) {
        return value_is_null(v) || native_fail(mailing->call, "sendmail: attachments are FILEs, and this is %s", value_type_name(v));
    }
    mailing->file_bytes += v.file->bytes.len;
    if (mailing->file_count == ATTACHMENTS_MAX || mailing->file_bytes > ATTACHMENT_BYTES_MAX) {
        return native_fail(mailing->call, "sendmail: a mail has at most %d attachments of %d MB together", ATTACHMENTS_MAX,
                           ATTACHMENT_BYTES_MAX >> 20);
    }
    mailing->files[mailing->file_count++] =
        (struct out_file){value_view_or(v.file->name, VIEW("file")), value_view_or(v.file->type, VIEW("")), v.file->bytes};
    return true;
}

static bool read_files(struct mailing *mailing)
{
    struct value v = attribute(mailing, "attachments");
    const struct list *list = value_as_list(v);
    if (!list) {
        return add_file(mailing, v);
    }
    for (uint32_t i = 0; i < list->count; i++) {
        if (!add_file(mailing, list->items[i])) {
            return false;
        }
    }
    return true;
}

static bool read_mail(struct mailing *mailing)
{
    if (!read_from(mailing) || !read_people(mailing, "to", &mailing->to) || !read_people(mailing, "cc", &mailing->cc) ||
        !read_people(mailing, "bcc", &mailing->bcc) || !read_people(mailing, "reply to", &mailing->reply_to) || !read_files(mailing)) {
        return false;
    }
    int count = mailing->to.count + mailing->cc.count + mailing->bcc.count;
    if (mailing->to.count == 0) {
        return native_fail(mailing->call, "sendmail: \"to\" names nobody");
    }
    return count <= PEOPLE_MAX || native_fail(mailing->call, "sendmail: a mail goes to at most %d recipients", PEOPLE_MAX);
}

// ---- sending ------------------------------------------------------------------------------------

// `id`: LETTER_ID_DIGITS.
static struct out_letter make_letter(struct mailing *mailing, char *id)
{
    struct view type = view_trim(printed(mailing->call, attribute(mailing, "content type")));
    random_hex(id, LETTER_ID_DIGITS);
    return (struct out_letter){.from = mailing->from,
                               .to = mailing->to.items,
                               .to_count = mailing->to.count,
                               .cc = mailing->cc.items,
                               .cc_count = mailing->cc.count,
                               .reply_to = mailing->reply_to.items,
                               .reply_to_count = mailing->reply_to.count,
                               .subject = printed(mailing->call, attribute(mailing, "subject")),
                               .text = printed(mailing->call, attribute(mailing, "message")),
                               .plain = view_starts_nocase(type, VIEW("text")) ? !view_ends(type, VIEW("html"))
                                                                               : view_eq_nocase(type, VIEW("plain")),
                               .files = mailing->files,
                               .file_count = mailing->file_count,
                               .date_ms = clock_wall_ms(),
                               .id = {id, LETTER_ID_DIGITS}};
}

static bool count_mail(struct mailing *mailing, struct fail *fail)
{
    struct crm_session *session;
    int64_t most = mailing->run->host->limits[LIMIT_MAILS_DAY];
    bool taken = false;
    if (!run_count_outgoing(mailing->run, fail) || !run_session(mailing->run, &session, fail) ||
        !crm_counter_take(session, VIEW("mail"), most, &taken, fail)) {
        return false;
    }
    return taken || fail_set(fail, FAIL_LIMIT, "The limit of %lld mails a day is reached", (long long)most);
}

static bool send_letter(struct mailing *mailing, struct view message, struct fail *fail)
{
    const struct host_options *options = &mailing->run->host->options;
    struct view recipients[PEOPLE_MAX];
    const struct people *groups[] = {&mailing->to, &mailing->cc, &mailing->bcc};
    int count = 0;
    for (size_t g = 0; g < BASE_COUNT(groups); g++) {
        for (int i = 0; i < groups[g]->count && count < PEOPLE_MAX; i++) {
            recipients[count++] = groups[g]->items[i].address;
        }
    }
    int64_t left_ms = run_left_ms(mailing->run), most_ms = mailing->run->host->limits[LIMIT_OUTGOING_MS];
    if (left_ms <= 0) {
        return fail_set(fail, FAIL_LIMIT, "The function ran longer than its limit of %lld ms", (long long)mailing->run->time_ms);
    }
    struct out_mail mail = {.smtp_url = options->mail_smtp_url,
                            .user = options->mail_user,
                            .password_file = options->mail_password_file,
                            .from = mailing->from.address,
                            .recipients = recipients,
                            .recipient_count = count,
                            .message = message,
                            .timeout_ms = left_ms < most_ms ? left_ms : most_ms,
                            .policy = {.allow_loopback = options->outbound_loopback, .allow = options->outbound_allow}};
    if (!out_mail_send(&mail, fail)) {
        if (fail->code == FAIL_OUTBOUND) { // a script can catch it
            fail->code = FAIL_SCRIPT;
        }
        return false;
    }
    return true;
}

bool svc_sendmail(struct native_call *call)
{
    struct map *attributes;
    struct run *run = service_run(call);
    if (!run || !arg_map(call, 0, &attributes)) {
        return false;
    }
    if (!run->host->options.mail_smtp_url.len && !run->host->answers) {
        return native_fail(call, "mail is not set up here: setting mail.smtp_url names no server");
    }
    struct mailing *mailing = heap_alloc(call->heap, sizeof *mailing);
    if (!mailing) {
        return fail_set(call->fail, FAIL_LIMIT, "The mail does not fit the function's memory");
    }
    *mailing = (struct mailing){.call = call, .run = run, .attributes = attributes};
    if (!read_mail(mailing)) {
        return false;
    }
    char id[LETTER_ID_DIGITS];
    struct out_letter letter = make_letter(mailing, id);
    struct buffer message;
    buffer_init(&message, OUT_MAIL_BYTES_MAX);
    bool written = out_letter_write(&letter, &message, call->fail);
    if (!written && call->fail->code == FAIL_OUTBOUND) {
        call->fail->code = FAIL_SCRIPT;
    }
    const struct host_answers *answers = run->host->answers;
    bool sent = written && count_mail(mailing, call->fail) &&
                (answers ? answers->mail(answers->user, &letter, mailing->bcc.items, mailing->bcc.count, call->fail)
                         : send_letter(mailing, buffer_view(&message), call->fail));
    buffer_free(&message);
    return sent;
}
