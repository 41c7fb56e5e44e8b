/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/verdict.h"

#include "tests/test.h"

#include <openssl/x509_vfy.h>

TEST(an_alert_means_what_we_had_presented_and_what_was_asked_for)
{
    static const struct {
        int alert;
        bool requested, identity;
        enum cause want;
    } cases[] = {
        {45,   true,  true,  CAUSE_client_cert_expired      },
        { 45,  true,  false, CAUSE_none                     },
        { 42,  true,  false, CAUSE_client_cert_missing      },
        { 40,  true,  false, CAUSE_client_cert_missing      },
        { 40,  true,  true,  CAUSE_none                     },
        { 40,  false, false, CAUSE_none                     },
        { 48,  false, true,  CAUSE_none                     }, /* not asked: it cannot be about our certificate */
        { 70,  false, false, CAUSE_protocol_version_mismatch},
        { 255, true,  true,  CAUSE_none                     },
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        check_int(verdict_of_alert(cases[i].alert, cases[i].requested, cases[i].identity),
                  cases[i].want);
    check_str(str_c(alert_name(116)), S("certificate_required"));
    check_str(str_c(alert_name(255)), S("unknown"));
}

TEST(an_expired_certificate_is_named_by_its_place_in_the_chain)
{
    struct cert anchor = { 0 };
    struct verify_failure failure = { .error = X509_V_ERR_CERT_HAS_EXPIRED };
    check_int(verdict_of_verify(&failure, 1, &anchor, 1), CAUSE_leaf_expired);
    failure.depth = 1;
    check_int(verdict_of_verify(&failure, 2, &anchor, 1), CAUSE_intermediate_expired);
    failure.anchor = true;
    check_int(verdict_of_verify(&failure, 1, &anchor, 1), CAUSE_root_expired);
    check_int(verdict_of_verify(&failure, 1, NULL, 0), CAUSE_truststore_empty);
}
