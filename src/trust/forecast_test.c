/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/test.h"
#include "trust/pair_test.h"

static moment forecast(struct pair *pair, moment at)
{
    return forecast_link(&pair->judge, &pair->link, pair->ends, at);
}

TEST(a_forecast_goes_from_boundary_to_boundary_and_ends)
{
    AUTO(pair) struct pair pair;
    pair_init(&pair);
    pair.server.not_after = PKI_NOW + 10 * PKI_DAY;
    pair.client.not_after = PKI_NOW + 20 * PKI_DAY;
    pair.client.not_before = PKI_NOW + PKI_DAY;
    pair_link(&pair);
    const moment root_ends = pair.root.cert.not_after;
    check_int(forecast(&pair, PKI_NOW), PKI_NOW + PKI_DAY);                /* client begins */
    check_int(forecast(&pair, PKI_NOW + PKI_DAY), PKI_NOW + 10 * PKI_DAY); /* server ends */
    check_int(forecast(&pair, PKI_NOW + 10 * PKI_DAY), root_ends);         /* another cause */
    check_int(forecast(&pair, root_ends), INT64_MAX);
}

/* The new root does not change the verdict on the day when it takes the old one's place. */
TEST(a_boundary_that_changes_nothing_is_passed_over)
{
    AUTO(pair) struct pair pair;
    pair_init(&pair);
    pair_link(&pair);
    struct pki again = pki_make(
        &pair.arena,
        &(struct pki_spec){
            .name = "Root", .ca = true, .key_of = &pair.root, .not_after = PKI_NOW + 5 * PKI_DAY });
    pair.ends.client_anchors =
        model_anchors_with(&pair.model, pair.ends.client_anchors, pair_cert(&pair, &again));
    pair.link.user_is_cn = false;
    check(pair_judge(&pair).until <= PKI_NOW + 5 * PKI_DAY);
    check_int(forecast(&pair, PKI_NOW), PKI_NOW + 90 * PKI_DAY);
}
