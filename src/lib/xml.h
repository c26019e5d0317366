// SPDX-License-Identifier: Apache-2.0
//
// Between the XML files of the room: libxml2 as it is opened at first use, the look over a text before libxml2 sees it, and the writer of
// XML from values.
#pragma once

#include "lib/foreign.h"

#include <libxml/parser.h>
#include <libxml/xmlsave.h>
#include <libxml/xpath.h>
#include <libxml/xpathInternals.h>

// ---- xml_library.c: libxml2 ---------------------------------------------------------------------

#define XML_NAMES(X)                                                                                                                       \
    X(xmlMemSetup)                                                                                                                         \
    X(xmlInitParser)                                                                                                                       \
    X(xmlNewParserCtxt)                                                                                                                    \
    X(xmlFreeParserCtxt)                                                                                                                   \
    X(xmlCtxtReadMemory)                                                                                                                   \
    X(xmlStopParser)                                                                                                                       \
    X(xmlSetGenericErrorFunc)                                                                                                              \
    X(xmlFreeDoc)                                                                                                                          \
    X(xmlDocGetRootElement)                                                                                                                \
    X(xmlNodeGetContent)                                                                                                                   \
    X(xmlDocCopyNode)                                                                                                                      \
    X(xmlFreeNode)                                                                                                                         \
    X(xmlBufferCreate)                                                                                                                     \
    X(xmlBufferFree)                                                                                                                       \
    X(xmlBufferContent)                                                                                                                    \
    X(xmlBufferLength)                                                                                                                     \
    X(xmlOutputBufferCreateBuffer)                                                                                                         \
    X(xmlOutputBufferClose)                                                                                                                \
    X(xmlNodeDumpOutput)                                                                                                                   \
    X(xmlXPathNewContext)                                                                                                                  \
    X(xmlXPathFreeContext)                                                                                                                 \
    X(xmlXPathRegisterNs)                                                                                                                  \
    X(xmlXPathCtxtCompile)                                                                                                                 \
    X(xmlXPathCompiledEval)                                                                                                                \
    X(xmlXPathFreeCompExpr)                                                                                                                \
    X(xmlXPathFreeObject)                                                                                                                  \
    X(xmlXPathCastToString)

struct xml_library {
    XML_NAMES(FOREIGN_MEMBER)
};
const struct xml_library *xml_library(struct fail *fail); // NULL with fail set when it cannot be opened
void xml_free(void *block); // what libxml2 handed out

// What one evaluation may take. libxml2 counts its steps, but one step may copy the whole document into a string: the bytes that it
// allocates on this thread are counted too, and over the limit (or when the run is interrupted) the steps are declared used up.
struct xml_brake {
    xmlXPathContextPtr context;
    const volatile int *interrupt;
    size_t bytes, bytes_max; // allocated so far, never less for what was freed
};
void xml_brake_set(struct xml_brake *brake); // of the calling thread; NULL takes it off

// ---- xml_scan.c: before libxml2 -----------------------------------------------------------------

enum {
    XML_BYTES_MAX = 5 << 20, // as JSON texts, spec/deluge-builtins.md R12
    XML_NODES_MAX = 200000, // XPath compares node sets pair by pair
    XML_ATTRIBUTES_MAX = 500, // of one element: libxml2 looks for doubles pair by pair
};
// One pass over the text: no NUL, no declarations in a DOCTYPE, not too many nodes or attributes. *ret_nodes is not less than what a tree
// of the text would have. A text that is not well-formed may pass: up to its first error libxml2 sees the same marks.
bool xml_scan(struct view text, size_t *ret_nodes, struct fail *fail);

// ---- xml_write.c --------------------------------------------------------------------------------

// A value as <root>…</root>: keys are elements, lists repeat theirs (spec/deluge-builtins.md §1 toXml).
bool xml_write(struct native_call *call, struct buffer *out, struct value v);
void xml_write_text(struct buffer *out, struct view text); // with entities for what means something in XML
