// SPDX-License-Identifier: Apache-2.0
//
// executeXPath, toXmlList and toXml. libxml2 reads and evaluates (xml_library.c opens it), under limits: no network, no declarations, a
// bounded number of nodes, steps and copied bytes. Trees live for one call only; the run pays for them while they do. Large texts go to a
// helper thread, others run on the loop's own stack, which XPath needs.
//
// Several results stand in one text with -|- between them, which toXmlList takes apart again. An attribute comes back as an element of its
// name, so that its value is had with a second executeXPath: x.executeXPath("/a/@href").executeXPath("/href/text()") is Zoho's example.
#include "lib/xml.h"

enum {
    PATH_BYTES_MAX = 4096,
    SLOW_BYTES = 32 * 1024, // larger texts are a helper thread's work
    NODE_BYTES = 130, // of libxml2's tree, on average
    STEPS = 100000, // of one evaluation, and some for each node
    STEPS_PER_NODE = 8,
    COPIED_BYTES_MAX = 128 << 20, // by the steps of one evaluation
    NAMESPACES_MAX = 64, // prefixes that a path may use
    BYTES_PER_COST = 16, // parsed in the time of one instruction
};
#define SEPARATOR VIEW("-|-")

// One use of libxml2, from text to text.
struct work {
    struct native_call *call;
    struct view xml;
    const char *path; // of executeXPath
    size_t nodes;
    const struct xml_library *library;
    struct buffer out; // the text that goes back, or one piece of the list
    struct list *list; // toXmlList: of the run's heap, which nobody else touches meanwhile
    bool ok;
};

// ---- reading ------------------------------------------------------------------------------------

// xml_scan has refused texts with declarations; this one is for what it does not foresee.
static void refuse_entity(void *context, const xmlChar *name, int type, const xmlChar *public_id, const xmlChar *system_id,
                          xmlChar *content)
{
    struct fail ignored;
    (void)name, (void)type, (void)public_id, (void)system_id, (void)content;
    xml_library(&ignored)->xmlStopParser(context);
}

static bool fail_parse(struct work *work, const xmlError *error)
{
    struct view message = view_trim(view_of(error->message != NULL ? error->message : "it cannot be read"));
    return native_fail(work->call, "Invalid XML: line %d: %.*s", error->line, VIEW_ARGS(view_slice(message, 0, 200)));
}

// The encoding that the text declares is not its own any more: it became UTF-8 when it became a text.
static xmlDocPtr read_document(struct work *work, struct view xml, bool complain)
{
    static const int options = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA;
    const struct xml_library *library = work->library;
    xmlParserCtxtPtr parser = library->xmlNewParserCtxt();
    if (parser == NULL) {
        lib_memory_fail(work->call);
        return NULL;
    }
    parser->sax->entityDecl = refuse_entity;
    xmlDocPtr document = library->xmlCtxtReadMemory(parser, xml.data, (int)xml.len, NULL, "UTF-8", options);
    if (document == NULL && complain) {
        fail_parse(work, &parser->lastError);
    }
    library->xmlFreeParserCtxt(parser);
    return document;
}

// ---- writing nodes ------------------------------------------------------------------------------

static bool add_content(struct work *work, struct buffer *out, const xmlNode *node)
{
    xmlChar *content = work->library->xmlNodeGetContent(node);
    if (content == NULL) {
        return lib_memory_fail(work->call);
    }
    buffer_add(out, view_of((const char *)content));
    xml_free(content);
    return true;
}

// <name>value</name> for an attribute.
static bool add_attribute(struct work *work, struct buffer *out, const xmlNode *node)
{
    struct buffer value;
    lib_buffer(work->call, &value);
    bool ok = add_content(work, &value, node);
    buffer_printf(out, "<%s>", (const char *)node->name);
    xml_write_text(out, buffer_view(&value));
    buffer_printf(out, "</%s>", (const char *)node->name);
    buffer_free(&value);
    return ok;
}

// An element that uses namespaces is copied first: the copy declares those that stood further up.
static bool add_markup(struct work *work, struct buffer *out, xmlDocPtr document, xmlNodePtr node)
{
    const struct xml_library *library = work->library;
    xmlNodePtr copy = node->type == XML_ELEMENT_NODE && node->ns != NULL ? library->xmlDocCopyNode(node, document, 1) : NULL;
    xmlBufferPtr text = library->xmlBufferCreate();
    xmlOutputBufferPtr output = text == NULL ? NULL : library->xmlOutputBufferCreateBuffer(text, NULL);
    if (output != NULL) {
        library->xmlNodeDumpOutput(output, document, copy != NULL ? copy : node, 0, 0, "UTF-8");
        library->xmlOutputBufferClose(output);
        buffer_add(out, (struct view){(const char *)library->xmlBufferContent(text), (size_t)library->xmlBufferLength(text)});
    }
    if (text != NULL) {
        library->xmlBufferFree(text);
    }
    if (copy != NULL) {
        library->xmlFreeNode(copy);
    }
    return output != NULL || lib_memory_fail(work->call);
}

static bool add_node(struct work *work, struct buffer *out, xmlDocPtr document, xmlNodePtr node)
{
    switch (node->type) {
    case XML_ATTRIBUTE_NODE:
        return add_attribute(work, out, node);
    case XML_TEXT_NODE:
    case XML_CDATA_SECTION_NODE:
        return add_content(work, out, node);
    case XML_DOCUMENT_NODE:
        return add_markup(work, out, document, work->library->xmlDocGetRootElement(document));
    case XML_NAMESPACE_DECL: // XPath hands out a struct of its own for these
        buffer_add(out, view_of((const char *)((const xmlNs *)node)->href));
        return true;
    default:
        return add_markup(work, out, document, node);
    }
}

static bool add_nodes(struct work *work, xmlDocPtr document, const xmlNodeSet *set)
{
    for (int i = 0; set != NULL && i < set->nodeNr; i++) {
        if (i > 0) {
            buffer_add(&work->out, SEPARATOR);
        }
        if (lib_interrupted(work->call) || !add_node(work, &work->out, document, set->nodeTab[i])) {
            return false;
        }
        if (work->out.failed) {
            return lib_memory_fail(work->call);
        }
    }
    return true;
}

// ---- XPath --------------------------------------------------------------------------------------

// A path may use the prefixes that the document declares; of two meanings the first one counts.
static void register_namespaces(struct work *work, xmlXPathContextPtr context, xmlNodePtr root)
{
    int registered = 0;
    xmlNodePtr node = root;
    while (node != NULL && registered < NAMESPACES_MAX) {
        for (xmlNsPtr ns = node->type == XML_ELEMENT_NODE ? node->nsDef : NULL; ns != NULL && registered < NAMESPACES_MAX; ns = ns->next) {
            if (ns->prefix != NULL) {
                work->library->xmlXPathRegisterNs(context, ns->prefix, ns->href);
                registered++;
            }
        }
        if (node->type == XML_ELEMENT_NODE && node->children != NULL) {
            node = node->children;
            continue;
        }
        while (node != NULL && node != root && node->next == NULL) {
            node = node->parent;
        }
        node = node == NULL || node == root ? NULL : node->next;
    }
}

// libxml2 prints to standard error unless somebody listens: in two ways.
static void ignore_error(void *arg, xmlErrorPtr error)
{
    (void)arg, (void)error;
}

static void ignore_message(void *arg, const char *format, ...)
{
    (void)arg, (void)format;
}

// Zoho: "An invalid Xpath will return a runtime error".
static const char *path_trouble(int error)
{
    switch (error) {
    case XPATH_UNDEF_VARIABLE_ERROR:
        return "there are no variables";
    case XPATH_UNKNOWN_FUNC_ERROR:
        return "no such function";
    case XPATH_UNDEF_PREFIX_ERROR:
        return "the text does not declare this prefix";
    case XPATH_INVALID_ARITY:
        return "wrong number of arguments";
    default:
        return "it is no XPath 1.0";
    }
}

static bool fail_path(struct work *work, const xmlXPathContext *context)
{
    int error = context->lastError.code - XML_XPATH_EXPRESSION_OK;
    if (lib_interrupted(work->call)) {
        return false;
    }
    if (context->opCount >= context->opLimit || error == XPATH_OP_LIMIT_EXCEEDED) {
        return native_fail(work->call, "The XPath takes too long on this text");
    }
    return native_fail(work->call, "Invalid XPath '%.100s': %s", work->path, path_trouble(error));
}

static bool add_result(struct work *work, xmlDocPtr document, xmlXPathObjectPtr result)
{
    if (result->type == XPATH_NODESET) {
        return add_nodes(work, document, result->nodesetval);
    }
    xmlChar *text = work->library->xmlXPathCastToString(result);
    if (text == NULL) {
        return lib_memory_fail(work->call);
    }
    buffer_add(&work->out, view_of((const char *)text));
    xml_free(text);
    return !work->out.failed || lib_memory_fail(work->call);
}

static bool evaluate(struct work *work, xmlDocPtr document, xmlXPathContextPtr context)
{
    const struct xml_library *library = work->library;
    struct xml_brake brake = {.context = context, .interrupt = work->call->interrupt, .bytes_max = COPIED_BYTES_MAX};
    library->xmlSetGenericErrorFunc(NULL, ignore_message); // this thread's
    context->error = ignore_error;
    context->opLimit = STEPS + STEPS_PER_NODE * work->nodes;
    context->node = (xmlNodePtr)document;
    register_namespaces(work, context, library->xmlDocGetRootElement(document));
    xmlXPathCompExprPtr path = library->xmlXPathCtxtCompile(context, (const xmlChar *)work->path);
    if (path == NULL) {
        return fail_path(work, context);
    }
    xml_brake_set(&brake);
    xmlXPathObjectPtr result = library->xmlXPathCompiledEval(path, context);
    xml_brake_set(NULL);
    bool ok = result != NULL ? add_result(work, document, result) : fail_path(work, context);
    if (result != NULL) {
        library->xmlXPathFreeObject(result);
    }
    library->xmlXPathFreeCompExpr(path);
    return ok;
}

static void run_path(void *arg)
{
    struct work *work = arg;
    work->library = xml_library(work->call->fail);
    xmlDocPtr document = work->library == NULL ? NULL : read_document(work, work->xml, true);
    if (document == NULL) {
        return;
    }
    xmlXPathContextPtr context = work->library->xmlXPathNewContext(document);
    if (context != NULL) {
        work->ok = evaluate(work, document, context);
        work->library->xmlXPathFreeContext(context);
    } else {
        lib_memory_fail(work->call);
    }
    work->library->xmlFreeDoc(document);
}

// ---- the run pays -------------------------------------------------------------------------------

// Looks the text over, charges the run for the tree while libxml2 has it, and runs fn where there is stack enough.
static bool run_work(struct work *work, void (*fn)(void *arg))
{
    struct native_call *call = work->call;
    lib_buffer(call, &work->out);
    call->cost += (int64_t)(work->xml.len / BYTES_PER_COST);
    if (!xml_scan(work->xml, &work->nodes, call->fail)) {
        return false;
    }
    size_t bytes = work->xml.len + work->nodes * NODE_BYTES;
    if (!heap_charge(call->heap, bytes)) {
        return lib_memory_fail(call);
    }
    bool ran = foreign_run(call, fn, work, work->xml.len > SLOW_BYTES);
    call->heap->bytes -= bytes;
    call->cost += (int64_t)work->nodes;
    return ran && work->ok;
}

static struct view skip_mark(struct view text)
{
    return view_starts(text, VIEW("\xEF\xBB\xBF")) ? view_from(text, 3) : text;
}

// The receiver as XML: a text as it is, or JSON, in a text or as a value, as toXml writes it. `made` holds what was written.
static bool receiver_xml(struct native_call *call, struct buffer *made, struct view *ret_xml)
{
    struct value v = value_resolve(call->args[0]);
    lib_buffer(call, made);
    if (v.type == VALUE_TEXT) {
        *ret_xml = view_trim(skip_mark(value_view(v)));
        if (!json_looks_like(*ret_xml)) {
            return true;
        }
        if (!lib_json(call, *ret_xml, &v)) {
            return false;
        }
    }
    if (!xml_write(call, made, v)) {
        return false;
    }
    *ret_xml = buffer_view(made);
    return true;
}

// ---- natives ------------------------------------------------------------------------------------

static bool xml_execute_xpath(struct native_call *call)
{
    char path[PATH_BYTES_MAX + 1];
    struct view given;
    struct buffer made;
    struct work work = {.call = call, .path = path};
    if (!arg_text(call, 1, &given)) {
        return false;
    }
    if (given.len > PATH_BYTES_MAX || view_find_char(given, '\0') >= 0) {
        return native_fail(call, "Invalid XPath: it is longer than %d bytes or holds a NUL", PATH_BYTES_MAX);
    }
    memcpy(path, given.data, given.len);
    path[given.len] = '\0';
    bool ok = receiver_xml(call, &made, &work.xml) && run_work(&work, run_path);
    if (ok) {
        ok = lib_return_text(call, buffer_view(&work.out));
    }
    buffer_free(&work.out);
    buffer_free(&made);
    return ok;
}

static bool push_piece(struct native_call *call, struct list *list, struct view piece)
{
    struct value v = value_text(call->heap, piece);
    return v.type == VALUE_TEXT ? lib_push(call, list, v) : lib_memory_fail(call);
}

// Pieces between separators; between elements only what is not blank counts.
static bool split_plain(struct native_call *call, struct view text, bool blanks, struct list *list)
{
    for (bool more = true; more;) {
        ptrdiff_t at = view_find(text, SEPARATOR);
        struct view piece = at < 0 ? text : view_slice(text, 0, (size_t)at);
        bool wanted = blanks || view_trim(piece).len > 0;
        if (lib_interrupted(call) || (wanted && !push_piece(call, list, piece))) {
            return false;
        }
        more = at >= 0;
        text = view_from(text, (size_t)at + SEPARATOR.len);
    }
    return true;
}

// A whole document is one piece; else the text is what executeXPath gave, read again with a root around it.
static bool cut_document(struct work *work)
{
    const struct xml_library *library = work->library;
    struct buffer wrapped;
    xmlDocPtr document = read_document(work, work->xml, false);
    if (document != NULL) {
        bool ok = add_markup(work, &work->out, document, library->xmlDocGetRootElement(document));
        library->xmlFreeDoc(document);
        return ok && push_piece(work->call, work->list, buffer_view(&work->out));
    }
    lib_buffer(work->call, &wrapped);
    buffer_add(&wrapped, VIEW("<root>"));
    buffer_add(&wrapped, work->xml);
    buffer_add(&wrapped, VIEW("</root>"));
    document = wrapped.failed ? NULL : read_document(work, buffer_view(&wrapped), true);
    bool ok = document != NULL || (wrapped.failed && lib_memory_fail(work->call));
    for (xmlNodePtr node = ok ? library->xmlDocGetRootElement(document)->children : NULL; ok && node != NULL; node = node->next) {
        buffer_reset(&work->out);
        ok = !lib_interrupted(work->call) && add_node(work, &work->out, document, node) &&
             (!work->out.failed || lib_memory_fail(work->call));
        struct view piece = buffer_view(&work->out);
        ok = ok &&
             (node->type == XML_TEXT_NODE ? split_plain(work->call, piece, false, work->list) : push_piece(work->call, work->list, piece));
    }
    if (document != NULL) {
        library->xmlFreeDoc(document);
    }
    buffer_free(&wrapped);
    return ok;
}

static void run_cut(void *arg)
{
    struct work *work = arg;
    work->library = xml_library(work->call->fail);
    work->ok = work->library != NULL && cut_document(work);
}

static bool xml_to_list(struct native_call *call)
{
    struct value made;
    struct buffer written;
    struct work work = {.call = call};
    if (!lib_list_new(call, 0, &made)) {
        return false;
    }
    work.list = made.list;
    bool ok = receiver_xml(call, &written, &work.xml);
    if (ok && view_find_char(work.xml, '<') < 0) { // what text() gave
        ok = work.xml.len == 0 || split_plain(call, work.xml, true, made.list);
    } else if (ok) {
        ok = run_work(&work, run_cut);
    }
    buffer_free(&work.out);
    buffer_free(&written);
    return ok && lib_return(call, made);
}

static bool xml_to_xml(struct native_call *call)
{
    struct value v = value_resolve(call->args[0]);
    struct buffer out;
    if (v.type == VALUE_TEXT && !lib_json(call, value_view(v), &v)) {
        return false;
    }
    lib_buffer(call, &out);
    if (!xml_write(call, &out, v)) {
        buffer_free(&out);
        return false;
    }
    return lib_buffer_return(call, &out);
}

// ---- the table ----------------------------------------------------------------------------------

enum { XML_RECEIVERS = NATIVE_TEXT | NATIVE_MAP | NATIVE_LIST | NATIVE_COLLECTION };

static const struct native rows[] = {
    {"toXml", XML_RECEIVERS, 1, 1, 0, 10, xml_to_xml, "text.toXml() → TEXT",
     "The JSON text, map or list as XML in an element root; a list repeats the element of its key.",
     "info \"{Name:'Lia Shelton', OrderNo:[343,443]}\".toXml(); => <root><Name>Lia Shelton</Name><OrderNo>343</OrderNo>"
     "<OrderNo>443</OrderNo></root>",
     "LIKELY builtins §1; order of the keys GUESS"},
    {"toXmlList", XML_RECEIVERS, 1, 1, 0, 20, xml_to_list, "text.toXmlList() → LIST",
     "The elements that stand side by side in a text, as executeXPath gives them, each a text.",
     "x = \"<cds><cd>A</cd><cd>B</cd></cds>\";\ninfo x.executeXPath(\"/cds/cd\").toXmlList().get(1); => <cd>B</cd>",
     "SURE builtins §1; a whole document is one element: GUESS"},
    {"executeXPath", XML_RECEIVERS, 2, 2, 0, 20, xml_execute_xpath, "text.executeXPath(TEXT path) → TEXT",
     "What an XPath finds in XML, or in JSON (whose paths begin with /root): elements as XML, text() as text, attributes as elements of "
     "their name, several with -|- between them. Empty if nothing is found.",
     "info \"<a><b>1</b><b>2</b></a>\".executeXPath(\"/a/b/text()\");\ninfo \"{'city':'Surat'}\".executeXPath(\"/root/city\"); => "
     "1-|-2\n<city>Surat</city>",
     "LIKELY builtins §1; nothing found GUESS"},
};

const struct lib_table lib_xml_table = LIB_TABLE(rows);
