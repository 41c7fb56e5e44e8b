# Each rule of tools/lint catches its violation, in a tree too small to break another.
. "$TESTS/lib.sh"
lint=$TESTS/../tools/lint

tree() {
    rm -rf tree
    mkdir -p tree/src/base tree/src/cause tree/src/cmd tree/docs
    cp "$TESTS/../.clang-format" tree/
    printf "subdir('base')\nsubdir('cause')\nsubdir('cmd')\n" >tree/src/meson.build
    printf 'int low(void);\n' >tree/src/base/low.h
    printf '#include "base/low.h"\n\nint low(void)\n{\n    return 1;\n}\n' >tree/src/base/low.c
    printf '#include "base/low.h"\n' >tree/src/base/low_test.c
    {
        echo '// clang-format off'
        printf '#define CAUSES(X) \\\n    X(leaf_expired, "t", "m") \\\n    X(key_mismatch, "t", "m")\n'
        echo 'enum severity { ONE };'
        printf '#define FINDINGS(X) \\\n    X(expiring, "t", "m")\n'
        echo '// clang-format on'
    } >tree/src/cause/catalogue.h
    printf '### `leaf_expired`\n### `key_mismatch`\n' >tree/docs/causes.md
    printf '### `expiring`\n' >tree/docs/findings.md
    cat >tree/src/cmd/cmd.c <<'C'
// clang-format off
static const struct option rows[] = {
    { "file", 'f', OPTION_FILE, "FILE", "a file" },
    { "all", 0, OPTION_FLAG, NULL, "everything" },
    { 0 },
};
// clang-format on

static const struct command command_up = {
    .name = "up",
};

const struct command command_lab = {
    .name = "lab",
};

const struct command command_inner = {
    .name = "inner",
    .hidden = true,
};
C
    printf '#include "cmd/cmd.h"\n' >tree/src/cmd/cmd_test.c
    cat >tree/docs/commands.md <<'D'
- `-f, --file FILE`: a file
### `reseal lab`
### `reseal lab up`
- `--all`: everything
D
}

# caught RULE TEXT: lint fails, and says TEXT and nothing else.
caught() {
    "$lint" tree >out 2>&1
    code=$?
    grep -vF -- "$2" out >rest
    true_that "$1 is caught" test $code -ne 0 -a -s out
    true_that "$1: nothing else is said" test ! -s rest
    sed 's/^/# /' rest
    tree
}

tree
"$lint" tree >out 2>&1
code=$?
true_that "a tree that keeps the rules is accepted" test $code -eq 0
sed 's/^/# /' out

echo '#include "cmd/cmd.h"' >>tree/src/base/low.h
caught "an include that points up" "src/base/low.h:2: base includes \"cmd/cmd.h\""
mkdir -p tree/tests/random
echo '#include "plan/plan.h"' >tree/tests/random/world.h
caught "a checker that sees the planner" "tests/random/world.h:1: a checker of plans includes plan/plan.h"
for function in strcpy sprintf strtok gmtime atoi system; do
    sed -i "s/return 1/return $function(0)/" tree/src/base/low.c
    caught "$function" "banned function"
done
for call in 'malloc(1)' 'free(x)' 'realloc(x, 1)' 'a = free'; do
    printf 'int f(void)\n{\n    return %s;\n}\n' "$call" >>tree/src/cmd/cmd.c
    caught "$call outside src/base" "only src/base does this"
done
printf 'int f(void)\n{\n    goto end;\n}\n' >>tree/src/cmd/cmd.c
caught "goto" "only src/base does this"
echo "/* Covers low.c. */" >tree/src/base/all_test.c
rm tree/src/base/low_test.c
"$lint" tree >out 2>&1
true_that "a test elsewhere in the folder may say what it covers" test ! -s out
rm tree/src/base/all_test.c
caught "a source without a test" "src/base/low.c:1: no test beside it"
echo '### `leaf_expired`' >tree/docs/causes.md
caught "a cause without documentation" "no paragraph for cause key_mismatch"
echo '### `gone`' >>tree/docs/causes.md
caught "documentation of a cause that is gone" "paragraph without a row: cause gone"
: >tree/docs/findings.md
caught "a finding without documentation" "no paragraph for finding expiring"
mkdir tree/src/lab
printf '// clang-format off\n#define LAB_KINDS(X) \\\n    X(web, "t")\n// clang-format on\n' >tree/src/lab/kind.h
caught "a lab without documentation" "no paragraph for lab web"
sed -i '/lab up/d' tree/docs/commands.md
caught "a subcommand without documentation" "no paragraph for command up"
echo '### `reseal inner`' >>tree/docs/commands.md
caught "documentation of a hidden command" "paragraph without a row: command inner"
sed -i '/--all/d' tree/docs/commands.md
caught "an option without documentation" "no paragraph for option all"
echo '- `--gone`: it was' >>tree/docs/commands.md
caught "documentation of an option that is gone" "paragraph without a row: option gone"
{
    printf 'void f(void)\n{\n'
    yes '    g();' | head -n 61
    printf '}\n'
} >>tree/src/cmd/cmd.c
caught "a function of 61 lines" "function of 61 lines"
yes 'int low(void);' | head -n 601 >tree/src/base/low.h
caught "a file of 601 lines" "file of 601 lines"
echo 'int   low( void );' >>tree/src/base/low.h
caught "another format" "not formatted"

# The tools that lint calls, but no clang-format-14.
mkdir tools
for tool in sh awk grep sed sort comm find mktemp rm basename dirname wc cat xargs; do
    ln -s "$(command -v $tool)" tools/
done
PATH=$PWD/tools /bin/sh "$lint" tree >out 2>&1
code=$?
true_that "a machine without clang-format-14 does not pass" test $code -ne 0
true_that "and is told why" grep -q 'clang-format-14 is missing' out
