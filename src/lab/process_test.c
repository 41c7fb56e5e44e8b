/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/process.h"

#include "tests/test.h"

#include <unistd.h>

TEST(a_process_is_known_by_its_start_so_that_a_pid_used_again_is_a_stranger)
{
    struct lab_process self;
    check(lab_process_of(getpid(), &self) && lab_process_alive(&self));
    struct lab_process other = { self.pid, self.started + 1 };
    check(!lab_process_alive(&other));
    check(!lab_process_of(0, &other));
}
