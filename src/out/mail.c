// SPDX-License-Identifier: Apache-2.0
//
// One mail over SMTP, by the same curl multi, guard and clock as requests (fetch.c, pool.c): the fiber sleeps until the server has taken
// the message. curl speaks the protocol and stuffs dots; what it is given to say on lines of their own, the envelope's addresses, is
// checked here, because it passes on whatever it gets.
//
// With a user the connection must be TLS before the password is said, unless the server is this machine; without one TLS is used where the
// server offers it.
#include "out/inside.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    WAIT_GRACE_MS = 2000, // curl ends a transfer by its own clock; this is for the case that it does not
    PASSWORD_BYTES_MAX = 1024,
    ERROR_SHOWN_MAX = 200,
};

struct mailing {
    const struct out_mail *mail;
    const struct library *curl;
    struct pool *pool;
    struct transfer transfer;
    struct curl_slist *recipients;
    struct buffer url, user, from; // NUL-terminated for curl
    char password[PASSWORD_BYTES_MAX + 1];
    size_t sent; // of the message
    int64_t deadline_ms;
    struct fail *fail;
    bool ok; // of the step that ran on the loop's stack
};

// ---- what is checked ----------------------------------------------------------------------------

// Plain addresses only: a blank, a bracket or a line end in one would be another command of the protocol.
bool out_mail_address_valid(struct view address)
{
    ptrdiff_t at = view_find_char(address, '@');
    if (at < 1 || (size_t)at + 1 >= address.len || address.len > OUT_MAIL_ADDRESS_BYTES_MAX) {
        return false;
    }
    for (size_t i = 0; i < address.len; i++) {
        unsigned char c = (unsigned char)address.data[i];
        if (c <= ' ' || c >= 127 || strchr("<>()[]\\,;:\"", c) || (c == '@' && i != (size_t)at)) {
            return false;
        }
    }
    return address.data[address.len - 1] != '.';
}

// The last line end does not belong to the password. A file that others may read is refused, as the master key's is.
static bool read_password(const struct out_mail *mail, char password[PASSWORD_BYTES_MAX + 1], struct fail *fail)
{
    struct buffer path;
    struct stat about;
    password[0] = '\0';
    if (!mail->password_file.len) {
        return true;
    }
    buffer_init(&path, 4096);
    buffer_add(&path, mail->password_file);
    int file = open(buffer_text(&path), O_RDONLY | O_CLOEXEC);
    buffer_free(&path);
    if (file < 0 || fstat(file, &about) != 0 || !S_ISREG(about.st_mode) || (about.st_mode & (S_IRGRP | S_IROTH | S_IWGRP | S_IWOTH))) {
        if (file >= 0) {
            close(file);
        }
        return fail_set(fail, FAIL_OUTBOUND, "the file of setting mail.password_file cannot be read, or others may read it");
    }
    ssize_t len = read(file, password, PASSWORD_BYTES_MAX);
    close(file);
    if (len < 0) {
        return fail_set(fail, FAIL_OUTBOUND, "the file of setting mail.password_file cannot be read");
    }
    while (len > 0 && (password[len - 1] == '\n' || password[len - 1] == '\r')) {
        len--;
    }
    password[len] = '\0';
    return true;
}

static bool check_mail(const struct out_mail *mail, struct fail *fail)
{
    if (mail->recipient_count < 1 || mail->recipient_count > OUT_MAIL_RECIPIENTS_MAX) {
        return fail_set(fail, FAIL_OUTBOUND, "a mail goes to 1 to %d recipients", OUT_MAIL_RECIPIENTS_MAX);
    }
    for (int i = -1; i < mail->recipient_count; i++) {
        struct view address = i < 0 ? mail->from : mail->recipients[i];
        if (!out_mail_address_valid(address)) {
            struct view shown = view_slice(address, 0, utf8_clamp(address, ERROR_SHOWN_MAX));
            return fail_set(fail, FAIL_OUTBOUND, "\"%.*s\" is not a mail address", VIEW_ARGS(shown));
        }
    }
    return true;
}

// ---- on the loop's own stack --------------------------------------------------------------------

static size_t give_message(char *space, size_t one, size_t count, void *arg)
{
    struct mailing *mailing = arg;
    struct view rest = view_from(mailing->mail->message, mailing->sent);
    size_t bytes = one * count < rest.len ? one * count : rest.len;
    memcpy(space, rest.data, bytes);
    mailing->sent += bytes;
    return bytes;
}

static size_t drop(char *bytes, size_t one, size_t count, void *arg)
{
    (void)bytes;
    (void)one;
    (void)arg;
    return count;
}

// The host as written, for the guard.
static bool read_url(struct mailing *mailing)
{
    const struct library *curl = mailing->curl;
    CURLU *url = curl->url();
    char *host = NULL, *scheme = NULL;
    bool ok = url && curl->url_set(url, CURLUPART_URL, buffer_text(&mailing->url), 0) == CURLUE_OK &&
              curl->url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK && curl->url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK;
    ok = ok && (strcmp(scheme, "smtp") == 0 || strcmp(scheme, "smtps") == 0) && host[0] && strlen(host) < OUT_HOST_BYTES_MAX;
    if (ok) {
        memcpy(mailing->transfer.host, host, strlen(host) + 1);
    }
    curl->free(host);
    curl->free(scheme);
    curl->url_cleanup(url);
    return ok || fail_set(mailing->fail, FAIL_OUTBOUND, "setting mail.smtp_url must be smtp://HOST:PORT or smtps://HOST:PORT");
}

static bool is_this_machine(const char *host)
{
    return strcmp(host, "localhost") == 0 || strcmp(host, "127.0.0.1") == 0 || strcmp(host, "[::1]") == 0;
}

static bool list_recipients(struct mailing *mailing)
{
    for (int i = 0; i < mailing->mail->recipient_count; i++) {
        char address[OUT_MAIL_ADDRESS_BYTES_MAX + 3];
        snprintf(address, sizeof address, "<%.*s>", VIEW_ARGS(mailing->mail->recipients[i]));
        struct curl_slist *longer = mailing->curl->slist_append(mailing->recipients, address);
        if (!longer) {
            return false;
        }
        mailing->recipients = longer;
    }
    return true;
}

static void set_options(struct mailing *mailing, int64_t left_ms)
{
    const struct library *curl = mailing->curl;
    CURL *easy = mailing->transfer.easy;
    curl->easy_setopt(easy, CURLOPT_URL, buffer_text(&mailing->url));
    transfer_set_common(&mailing->transfer, left_ms);
    curl->easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    bool secret = mailing->user.len > 0;
    if (secret) {
        curl->easy_setopt(easy, CURLOPT_USERNAME, buffer_text(&mailing->user));
        curl->easy_setopt(easy, CURLOPT_PASSWORD, mailing->password);
    }
    curl->easy_setopt(easy, CURLOPT_USE_SSL, (long)(secret && !is_this_machine(mailing->transfer.host) ? CURLUSESSL_ALL : CURLUSESSL_TRY));
    curl->easy_setopt(easy, CURLOPT_MAIL_FROM, buffer_text(&mailing->from));
    curl->easy_setopt(easy, CURLOPT_MAIL_RCPT, mailing->recipients);
    curl->easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl->easy_setopt(easy, CURLOPT_READFUNCTION, give_message);
    curl->easy_setopt(easy, CURLOPT_READDATA, mailing);
    curl->easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)mailing->mail->message.len);
    curl->easy_setopt(easy, CURLOPT_WRITEFUNCTION, drop);
    curl->easy_setopt(easy, CURLOPT_HEADERFUNCTION, drop);
}

// Whatever was begun when this fails is undone by end_mail.
static void begin_mail(void *arg)
{
    struct mailing *mailing = arg;
    struct transfer *transfer = &mailing->transfer;
    mailing->ok = false;
    mailing->curl = transfer->curl = library_open(mailing->fail);
    if (!mailing->curl || !read_url(mailing) || !pool_find(mailing->curl, &mailing->mail->policy, &mailing->pool, mailing->fail)) {
        return;
    }
    transfer->easy = pool_take(mailing->pool);
    if (!transfer->easy || !list_recipients(mailing)) {
        fail_set(mailing->fail, FAIL_MEMORY, NULL);
        return;
    }
    int64_t left_ms = mailing->deadline_ms - loop_now_ms();
    set_options(mailing, left_ms > 0 ? left_ms : 1); // 0 would mean no limit
    mailing->ok = pool_begin(mailing->pool, transfer);
    if (!mailing->ok) {
        fail_set(mailing->fail, FAIL_OUTBOUND, "the mail could not be begun");
    }
}

static void end_mail(void *arg)
{
    struct mailing *mailing = arg;
    if (mailing->transfer.easy) {
        pool_end(mailing->pool, &mailing->transfer);
    }
    if (mailing->curl) {
        mailing->curl->slist_free_all(mailing->recipients);
    }
}

// ---- on the fiber -------------------------------------------------------------------------------

static bool explain(const struct mailing *mailing)
{
    const struct transfer *transfer = &mailing->transfer;
    struct fail *fail = mailing->fail;
    if (transfer->refused && (transfer->result == CURLE_COULDNT_CONNECT || transfer->result == CURLE_OPERATION_TIMEDOUT)) {
        return fail_set(fail, FAIL_OUTBOUND,
                        "sending mail through \"%s\" is not allowed: its address is private or reserved (setting outbound.allow)",
                        transfer->host);
    }
    if (transfer->result == CURLE_OPERATION_TIMEDOUT) {
        return fail_set(fail, FAIL_OUTBOUND, "the mail server \"%s\" did not answer in time", transfer->host);
    }
    if (transfer->result == CURLE_COULDNT_RESOLVE_HOST) {
        return fail_set(fail, FAIL_OUTBOUND, "the mail server \"%s\" could not be found", transfer->host);
    }
    const char *text = transfer->error[0] ? transfer->error : mailing->curl->easy_strerror(transfer->result);
    return fail_set(fail, FAIL_OUTBOUND, "the mail server \"%s\" did not take the mail: %.*s", transfer->host, ERROR_SHOWN_MAX, text);
}

static bool run_mail(struct mailing *mailing)
{
    struct transfer *transfer = &mailing->transfer;
    loop_event_init(&transfer->event);
    loop_on_thread_stack(begin_mail, mailing);
    bool begun = mailing->ok, waited = false;
    if (begun) {
        int64_t left_ms = mailing->deadline_ms - loop_now_ms();
        waited = loop_event_wait(&transfer->event, (left_ms > 0 ? left_ms : 0) + WAIT_GRACE_MS, mailing->fail);
    }
    loop_on_thread_stack(end_mail, mailing);
    if (begun && !waited && mailing->fail->code == FAIL_TIMEOUT) {
        return fail_set(mailing->fail, FAIL_OUTBOUND, "the mail server \"%s\" did not answer in time", transfer->host);
    }
    return waited && (transfer->result == CURLE_OK || explain(mailing));
}

bool out_mail_send(const struct out_mail *mail, struct fail *fail)
{
    struct mailing mailing = {.mail = mail, .fail = fail, .transfer.policy = &mail->policy};
    if (!check_mail(mail, fail) || !read_password(mail, mailing.password, fail)) {
        return false;
    }
    mailing.deadline_ms = loop_now_ms() + (mail->timeout_ms > 0 ? mail->timeout_ms : OUT_TIMEOUT_MS);
    buffer_init(&mailing.url, OUT_URL_BYTES_MAX);
    buffer_init(&mailing.user, PASSWORD_BYTES_MAX);
    buffer_init(&mailing.from, OUT_MAIL_ADDRESS_BYTES_MAX + 3);
    buffer_add(&mailing.url, mail->smtp_url);
    buffer_add(&mailing.user, mail->user);
    buffer_printf(&mailing.from, "<%.*s>", VIEW_ARGS(mail->from));
    bool fits = !mailing.url.failed && !mailing.user.failed && !mailing.from.failed;
    bool sent = fits ? run_mail(&mailing) : fail_set(fail, FAIL_OUTBOUND, "the settings of mail are too long");
    buffer_free(&mailing.url);
    buffer_free(&mailing.user);
    buffer_free(&mailing.from);
    explicit_bzero(mailing.password, sizeof mailing.password);
    return sent;
}
