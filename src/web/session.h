// SPDX-License-Identifier: Apache-2.0
//
// Sessions of the console as the dispatcher sees them (DESIGN security 7).
#pragma once

#include "web/room.h"

#define SESSION_COOKIE "sluice_session"

bool console_is_there(void); // this binary has one
struct view session_cookie(const struct exchange *exchange); // VIEW_NONE: there is none
void session_set_cookie(struct host *host, struct exchange *exchange, const char *session); // NULL takes it away
// Takes what signs a person in out of the request before a script sees it: a function's author, and whoever reads its log, would have the
// session of everybody who calls it from a browser.
void session_hide(struct exchange *exchange);
// Takes cookies of that name out of what a script has answered: it would sign its caller in as somebody else.
void session_keep_cookie(struct exchange *exchange);
// A name that a page of somebody else cannot have: of this machine, or of the setting console_hosts. FAIL_NO_PERMISSION.
bool session_check_host(struct host *host, const struct exchange *exchange, struct fail *fail);
bool session_check_origin(const struct exchange *exchange, struct fail *fail); // a foreign page's request: FAIL_NO_PERMISSION
// What is secret may travel: over TLS, or within this machine. FAIL_NO_PERMISSION says what to do.
bool session_check_wire(struct host *host, const struct exchange *exchange, struct fail *fail);
// The caller by the cookie: Host, session, for what changes something Origin and CSRF token, and the role that the row wants.
// FAIL_AUTHENTICATION, FAIL_NO_PERMISSION. Gives way.
bool session_identity(struct host *host, struct exchange *exchange, const struct web_route *route, struct fail *fail);
