// SPDX-License-Identifier: Apache-2.0
//
// out: requests that leave the process. libcurl multi on the calling loop (opened with dlopen at first use); the fiber sleeps meanwhile.
// The address guard looks at the address that is really connected, on every hop: loopback, private, link-local, CGNAT, multicast,
// unspecified and mapped forms are refused unless the policy allows them. http and https only, at most OUT_REDIRECTS_MAX redirects (each
// guarded), no environment proxies, one connection cache for each policy.
#pragma once

#include "base/base.h"
#include "value/value.h"

enum { OUT_REDIRECTS_MAX = 5, OUT_TIMEOUT_MS = 40000, OUT_CONNECT_TIMEOUT_MS = 10000, OUT_REPLY_BYTES_MAX = 15 * 1024 * 1024 };

struct out_policy {
    bool allow_loopback; // `run`, `test`, folders served on a loopback listener
    struct view allow; // setting outbound.allow: comma-separated addresses, CIDR ranges or host names (exact) that may be private
};
// Pure: may this address be connected under the policy? `host` is the name as written in the URL (for `allow`).
struct sockaddr;
bool out_address_allowed(const struct out_policy *policy, struct view host, const struct sockaddr *address);
// Checks the text of `outbound.allow`; false with the bad item named.
bool out_allow_check(struct view allow, struct fail *fail);

struct out_header {
    struct view name, value;
    bool secret; // does not follow a redirect to another origin, like Authorization and Cookie
};
struct out_request {
    struct view method, url; // url: http:// or https://, percent-encoded where the script did
    // Names must be tokens, values without CR, LF, NUL (else FAIL_OUTBOUND). Host, Content-Length and hop-by-hop ones are ours and left
    // out; Authorization and Cookie do not follow a redirect to another origin.
    const struct out_header *headers;
    int header_count;
    struct view body;
    bool has_body;
    bool stays; // a redirect to another origin fails: the body is secret
    int64_t timeout_ms; // the whole exchange; "socket timeout error" when over
    size_t reply_bytes_max;
    struct out_policy policy;
};
struct out_response {
    int status;
    struct value headers; // map: lower-case name → text (several are joined by ", ")
    struct view content_type;
    struct view body; // in the heap
};
// Gives way. HTTP error statuses are answers, not failures. FAIL_OUTBOUND with a text for scripts: refused address, name not resolved,
// timeout, too large.
bool out_fetch(const struct out_request *request, struct heap *heap, struct out_response *ret_response, struct fail *fail);
// ---- mail ---------------------------------------------------------------------------------------

enum { OUT_MAIL_RECIPIENTS_MAX = 100, OUT_MAIL_ADDRESS_BYTES_MAX = 254, OUT_MAIL_BYTES_MAX = 32 * 1024 * 1024 };

bool out_mail_address_valid(struct view address); // local@host in plain ASCII

struct out_address {
    struct view name, address; // name may be empty
};
// The next of a comma-separated list, each `a@b.example`, `Name <a@b.example>` or `"Na, me" <a@b.example>`; moves *rest behind it. False at the
// end (fail->code is FAIL_NONE), or FAIL_OUTBOUND.
bool out_address_next(struct view *rest, struct out_address *ret_address, struct fail *fail);

struct out_file {
    struct view name, type, bytes;
};
// A message before it is text.
struct out_letter {
    struct out_address from;
    const struct out_address *to, *cc, *reply_to;
    int to_count, cc_count, reply_to_count;
    struct view subject, text; // text: the body, UTF-8
    bool plain; // text/plain, else text/html
    const struct out_file *files;
    int file_count;
    int64_t date_ms;
    struct view id; // hex digits, new for each letter: of the Message-ID, and the boundary
};
bool out_letter_write(const struct out_letter *letter, struct buffer *out, struct fail *fail);

struct out_mail {
    struct view smtp_url; // smtp:// or smtps://
    struct view user, password_file; // empty = no login
    struct view from; // the envelope's addresses
    const struct view *recipients;
    int recipient_count;
    struct view message; // as out_letter_write makes it
    int64_t timeout_ms;
    struct out_policy policy;
};
// Gives way until the server has taken the mail for all recipients. FAIL_OUTBOUND with a text for scripts.
bool out_mail_send(const struct out_mail *mail, struct fail *fail);

void out_close_thread(void); // frees the current loop's curl handles; called when a loop ends
