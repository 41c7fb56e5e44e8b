# What a person sees who types too little or something wrong. Covers cmd.c, commands.c and help.c.
. "$TESTS/lib.sh"

run "$RESEAL" chekc
same "an unknown command is named with the next thing to type" out <<'X'
reseal: unknown command chekc, did you mean check?
  next: reseal --help
exit 2
X

run "$RESEAL" generate --jsn causes
same "an unknown option is named with what was meant" out <<'X'
reseal: unknown option --jsn, did you mean --json?
  next: reseal generate --help
exit 2
X

run "$RESEAL" generate
same "a missing argument is asked for" out <<'X'
reseal: generate needs causes|findings
  next: reseal generate --help
exit 2
X

run "$RESEAL" --version
same "the version is printed" out <<'X'
reseal 0.1.0
exit 0
X

run "$RESEAL"
true_that "reseal alone says what to try first" grep -q 'try first' out
true_that "reseal alone succeeds" grep -qx 'exit 0' out
run "$RESEAL" --help
true_that "--help lists the options of every command" grep -q -- '--state DIR' out
run "$RESEAL" generate --help
true_that "a command's help starts with its usage" grep -qx 'usage: reseal generate causes|findings' out
if [ -c /dev/full ]; then
    "$RESEAL" --help >/dev/full 2>err
    true_that "a full disk is an error" test "$?" -eq 1
fi
