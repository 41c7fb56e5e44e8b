/* SPDX-License-Identifier: Apache-2.0 */
#include "survey/seen.h"

#include "node/protocol.h"
#include "tests/pki.h"
#include "tests/test.h"

static bool read_answer(struct arena *arena, str text, struct seen_node *ret_node,
                        struct cluster *ret_fragment, finding_list *findings, struct err *err)
{
    AUTO(json) json_t *answer = NULL;
    char *bytes = (char *)(uintptr_t)str_copy(arena, text).ptr;
    for (size_t i = 0; i < text.len; i++)
        bytes[i] = bytes[i] == '\'' ? '"' : bytes[i];
    check_ok(protocol_parse((str){ bytes, text.len }, &answer, err), err);
    return seen_read(arena, answer, ret_node, ret_fragment, findings, err);
}

static str base64(struct arena *arena, str bytes)
{
    unsigned char *text = arena_alloc(arena, bytes.len * 2 + 4, 1);
    int len = EVP_EncodeBlock(text, (const unsigned char *)bytes.ptr, (int)bytes.len);
    return (str){ (const char *)text, (size_t)len };
}

TEST(an_answer_becomes_stores_services_peers_findings_and_the_node)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    struct seen_node node;
    struct cluster fragment;
    finding_list findings = { 0 };
    struct pki leaf = pki_make(&arena, &(struct pki_spec){ .name = "db1" });
    str der = base64(&arena, leaf.cert.der);
    str text = str_printf(
        &arena,
        "{'clock':1795478400,'loopback':'b/net:[1]','addresses':['192.0.2.1'],"
        "'names':{'db1.example':['192.0.2.1','::2'],'gone':[]},'fragment':'{nodes: {db1: {run_as: "
        "postgres}}}',"
        "'stores':[{'name':'server','kind':'identity','certificates':['%.*s'],"
        "'key_spki_sha256':'ab','matches':true,'states':[{'path':'/a','state':'cd'},"
        "{'path':'/b','state':'absent'}]},{'name':'trust','kind':'trust','certificates':[]}],"
        "'services':[{'name':'postgres','outcome':'accepted','text':'t','presented':['%.*s'],"
        "'certificate_requested':true,'acceptable_cas':['CN=Root'],'peers_known':true,"
        "'peers':[{'user':'u','database':'replication','address':'10.0.0.1','name':'db2',"
        "'subject':'s','serial':'1f','state':'streaming'}]},{'name':'quiet'}],"
        "'findings':[{'code':'expiring','where':'db1/server','text':'soon','next':'do'},"
        "{'code':'no_such_finding','where':'x','text':'y'}]}",
        STR_ARG(der), STR_ARG(der));
    check_ok(read_answer(&arena, text, &node, &fragment, &findings, &err), &err);
    check(node.reached);
    check_int(node.clock, PKI_NOW);
    check_str(node.loopback, S("b/net:[1]"));
    check_str(node.addresses.items[0], S("192.0.2.1"));
    check_str(seen_host(&node, S("db1.example"))->items[1], S("::2"));
    check_int(seen_host(&node, S("gone"))->count, 0);
    check(seen_host(&node, S("other")) == NULL);
    check_str(fragment.nodes.items[0].run_as, S("postgres"));
    const struct seen_store *server = seen_store(&node, S("server"));
    check(!server->trust && server->matches);
    check_str(server->certificates.items[0].sha256, leaf.cert.sha256);
    check_str(server->key_spki_sha256, S("ab"));
    check_str(server->files.items[0].state, S("sha256:cd"));
    check_str(server->files.items[1].state, S("absent"));
    check(seen_store(&node, S("trust"))->trust);
    check(seen_store(&node, S("other")) == NULL);
    const struct seen_service *service = seen_service(&node, S("postgres"));
    check(service->asked && service->certificate_requested && service->peers_known);
    check_str(service->presented.items[0].sha256, leaf.cert.sha256);
    check_str(service->acceptable_cas.items[0], S("CN=Root"));
    check_str(service->peers.items[0].serial, S("1f"));
    check_str(service->peers.items[0].state, S("streaming"));
    check(!seen_service(&node, S("quiet"))->asked);
    check_int(findings.count, 1);
    check_int(findings.items[0].code, FINDING_expiring);
    check_str(findings.items[0].next, S("do"));
}

TEST(what_is_missing_or_of_another_type_in_an_answer_is_as_good_as_not_said)
{
    static const char *const texts[] = {
        "{'fragment':'{nodes: {a: {}}}'}",
        "{'fragment':'{nodes: {a: {}}}','stores':7,'services':'x','findings':{}}",
        "{'fragment':'{nodes: {a: {}}}','stores':[7,null,{}],'services':[[],true,{}],"
        "'findings':['x',{}]}",
        "{'fragment':'{nodes: {a: {}}}','clock':'now','stores':[{'name':7,'kind':[],"
        "'certificates':['!!!!','','MAA=',7,null],'matches':'yes','states':[{},7]}],"
        "'services':[{'name':null,'presented':['=','AAAA',{}],'acceptable_cas':[7,null],"
        "'certificate_requested':1,'peers_known':'true','peers':[7,{'user':[]}]}]}",
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        AUTO(arena) struct arena arena = { 0 };
        AUTO(err) struct err err = { 0 };
        struct seen_node node;
        struct cluster fragment;
        finding_list findings = { 0 };
        check_ok(read_answer(&arena, str_c(texts[i]), &node, &fragment, &findings, &err), &err);
        check(node.reached);
        check_int(node.clock, 0);
        check_int(findings.count, 0);
        for (size_t k = 0; k < node.stores.count; k++)
            check(node.stores.items[k].certificates.count == 0 && !node.stores.items[k].matches);
        for (size_t k = 0; k < node.services.count; k++)
            check(node.services.items[k].presented.count == 0 &&
                  !node.services.items[k].certificate_requested &&
                  !node.services.items[k].peers_known);
    }
}

TEST(an_answer_that_is_not_about_one_node_is_none)
{
    static const char *const texts[] = {
        "{}",
        "{'fragment':''}",
        "{'fragment':7}",
        "{'fragment':'{nodes: {}}'}",
        "{'fragment':'{nodes: {a: {}, b: {}}}'}",
        "{'fragment':'{nodes: {a: {nonsense: 1}}}'}",
        "{'fragment':'{nodes: ['}",
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        AUTO(arena) struct arena arena = { 0 };
        AUTO(err) struct err err = { 0 };
        struct seen_node node;
        struct cluster fragment;
        finding_list findings = { 0 };
        check(!read_answer(&arena, str_c(texts[i]), &node, &fragment, &findings, &err));
        check_int(err.kind, ERR_FORMAT);
    }
}
