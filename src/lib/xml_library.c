// SPDX-License-Identifier: Apache-2.0
//
// libxml2, opened when a script first reads XML. Its allocator is ours, for one reason: XPath has a limit of steps, but a step that turns
// the document into a string may copy megabytes. So the bytes are counted, and when they are too many the steps are declared used up, which
// ends the evaluation at its next step. The allocator itself never refuses: libxml2 2.9 does not survive that everywhere.
#include "lib/xml.h"

#include <pthread.h>
#include <stdlib.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct xml_library library;
static char trouble[FOREIGN_TROUBLE_MAX]; // empty when all went well
static _Thread_local struct xml_brake *brake;

void xml_brake_set(struct xml_brake *set)
{
    brake = set;
}

static void count_bytes(size_t bytes)
{
    if (brake == NULL) {
        return;
    }
    brake->bytes += bytes;
    if (brake->bytes > brake->bytes_max || (brake->interrupt != NULL && *brake->interrupt != 0)) {
        brake->context->opCount = brake->context->opLimit;
    }
}

static void *take(size_t bytes)
{
    count_bytes(bytes);
    return malloc(bytes);
}

static void *take_more(void *block, size_t bytes)
{
    count_bytes(bytes);
    return realloc(block, bytes);
}

static char *take_copy(const char *text)
{
    size_t bytes = strlen(text) + 1;
    char *copy = take(bytes);
    return copy == NULL ? NULL : memcpy(copy, text, bytes);
}

void xml_free(void *block)
{
    free(block);
}

#define ROW(name) {#name, &library.name},
static void open_once(void)
{
    static const struct foreign_name names[] = {XML_NAMES(ROW)};
    if (!foreign_open("libxml2.so.2", names, BASE_COUNT(names), trouble)) {
        return;
    }
    if (library.xmlMemSetup(free, take, take_more, take_copy) != 0) {
        snprintf(trouble, sizeof(trouble), "libxml2 could not be started");
        return;
    }
    library.xmlInitParser();
}

const struct xml_library *xml_library(struct fail *fail)
{
    pthread_once(&once, open_once);
    if (trouble[0] != '\0') {
        fail_set(fail, FAIL_INTERNAL, "%s", trouble);
        return NULL;
    }
    return &library;
}
