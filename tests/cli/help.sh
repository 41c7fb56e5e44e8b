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
reseal: generate needs PAGE|man DIR|completion SHELL
  next: reseal generate --help
exit 2
X

run "$RESEAL" --version
same "the version is printed" out <<'X'
reseal 0.1.0
exit 0
X

run "$RESEAL" --version --bogus
same "a wrong option beside --version is an error" out <<'X'
reseal: unknown option --bogus
  next: reseal --help
exit 2
X

run "$RESEAL" lab up --help
true_that "a subcommand's help says how it is called" grep -q '^usage: reseal lab up ' out
mv out flag
run "$RESEAL" help lab up
same "help COMMAND SUBCOMMAND says what --help says" out <flag
run "$RESEAL" help lab
true_that "help of a group lists its commands" grep -q '^  status ' out
run "$RESEAL" help
mv out alone
run "$RESEAL"
same "help alone says what reseal alone says" out <alone
run "$RESEAL" help chekc
same "help for an unknown command is an error" out <<'X'
reseal: unknown command chekc, did you mean check?
  next: reseal help
exit 2
X
run "$RESEAL" help check that
same "help for what a command does not have is an error" out <<'X'
reseal: check has no command that
  next: reseal help check
exit 2
X
run "$RESEAL" lab up --bogus
same "what to type next names the subcommand" out <<'X'
reseal: unknown option --bogus
  next: reseal lab up --help
exit 2
X
run "$RESEAL" lab
same "a group alone asks which command" out <<'X'
reseal: lab what?
  next: reseal lab --help
exit 2
X

run "$RESEAL"
true_that "reseal alone says what to try first" grep -q 'try first' out
true_that "reseal alone succeeds" grep -qx 'exit 0' out
run "$RESEAL" --help
true_that "--help lists the options of every command" grep -q -- '--state DIR' out
run "$RESEAL" generate --help
true_that "a command's help starts with its usage" grep -qx 'usage: reseal generate PAGE|man DIR|completion SHELL' out
if [ -c /dev/full ]; then
    "$RESEAL" --help >/dev/full 2>err
    true_that "a full disk is an error" test "$?" -eq 1
fi
