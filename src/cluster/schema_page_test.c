/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/schema.h"

#include "tests/test.h"

static bool has(str page, const char *line)
{
    return str_find(page, str_c(line)) < page.len;
}

TEST(the_page_of_the_cluster_file_has_a_row_for_each_key_with_its_type_and_default)
{
    static const char *const lines[] = {
        "\n## policy\n\n- `policy` of [cluster](#cluster): when and how certificates are renewed\n",
        "\n| `cluster` | text | *required* | the cluster's name |\n",
        "\n| `key` | [path](#values) |  | local: the authority's private key |\n",
        "\n| `store` | text | *required* | the store on this node ",
        "\n| `lifetime` | [duration](#values) | `90d` | lifetime of a new certificate |\n",
        "\n| `client_auth` | `none`, `optional` or `required` |  | ",
        "\n| `max_unavailable` | number, at most 100000 | `1` | ",
        "\n| `descriptor` | number |  | ",
        "\n| `refresh` | list of texts |  | ",
        "\n| `passphrase` | [secret](#secret) |  | ",
        "\n| `identities` | list of [identity](#identity) |  | ",
        "\n| `pins` | mapping from a name to [pinned](#pinned) |  | what clients remember",
        "\n## pinned\n\n- `pins` of [cluster](#cluster): what clients remember",
        "\nA list of [pin](#pin).\n",
        "\n| `nodes` | mapping from a name to [node](#node) |  | machines, by name |\n",
    };
    AUTO(arena) struct arena arena = { 0 };
    str page = schema_page(&arena);
    for (size_t i = 0; i < COUNT(lines); i++)
        if (!has(page, lines[i]))
            fail_msg("the page lacks %s", lines[i]);
}

TEST(a_section_that_two_keys_lead_to_is_there_once_and_names_both)
{
    AUTO(arena) struct arena arena = { 0 };
    str page = schema_page(&arena), heading = S("\n## secret\n");
    size_t at = str_find(page, heading);
    check(at < page.len);
    str rest = { page.ptr + at + heading.len, page.len - at - heading.len };
    check(!has(rest, "\n## secret\n"));
    check(has(rest, "- `passphrase` of [issuer](#issuer): "));
    check(has(rest, "- `password` of [store](#store): "));
    check(has(rest, "\nExactly one of:\n"));
}

TEST(the_example_on_the_page_is_a_cluster_file)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    str page = schema_page(&arena), open = S("```yaml\n");
    size_t start = str_find(page, open) + open.len;
    check(start < page.len);
    str yaml = { page.ptr + start, page.len - start };
    yaml.len = str_find(yaml, S("```"));
    struct cluster cluster;
    check_ok(cluster_parse(&arena, "/x/c.yaml", yaml, false, &cluster, &err), &err);
    check_str(cluster.name, S("orders"));
    check_int(cluster.nodes.count, 2);
    check_int(cluster.links.count, 1);
    check_str(cluster.issuer.key, S("/x/ca/ca.key"));
}
