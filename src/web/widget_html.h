// SPDX-License-Identifier: Apache-2.0
//
// A widget's page names Zoho's SDK at an address of Zoho's. While a page is served, such script tags are led to our own path; nothing else
// of it is changed, and the file stays as its author left it.
#pragma once

#include "base/base.h"

#define WIDGET_SDK_FOLDER "/js-sdk/"
#define WIDGET_SDK_FILE "ZohoEmbededAppSDK.min.js" // spelled as Zoho spells it
#define WIDGET_SDK_NEWEST "1.5"
enum { WIDGET_SDK_VERSION_MAX = 15, WIDGET_ATTRIBUTES_MAX = 64 };

// Digits and single dots: "1.2", "1.0.5".
bool widget_sdk_version(struct view text);
// The version that an address of Zoho's SDK asks for (WIDGET_SDK_NEWEST where it names none); false for every other address.
bool widget_sdk_address(struct view address, struct view *ret_version);
// The page with its SDK addresses replaced; at most twice as long and some bytes. False: there is none in it, and nothing was written. One
// pass, whatever the page.
bool widget_html_rewrite(struct view html, struct buffer *out);
