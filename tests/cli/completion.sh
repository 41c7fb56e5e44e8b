# Completion: every command and option, in scripts that the shells accept. Covers completion.c.
. "$TESTS/lib.sh"
for shell in bash zsh fish; do
    "$RESEAL" generate completion $shell >$shell.script
    missing=
    for word in $(sed -n 's/^### `reseal \(.*\)`$/\1/p' "$TESTS/../docs/commands.md"); do
        grep -qw -- "$word" $shell.script || missing="$missing $word"
    done
    for word in $(sed -n 's/^- `\(-., \)\{0,1\}--\([a-z-]*\).*/\2/p' "$TESTS/../docs/commands.md"); do
        grep -qw -- "$word" $shell.script || missing="$missing --$word"
    done
    true_that "$shell: every command and option is there" test -z "$missing"
    command -v $shell >/dev/null &&
        true_that "$shell takes the script" $shell -n $shell.script
done

# complete WORDS...: what bash offers for the last word.
complete() {
    bash -c 'script=$1; shift; . "$script"; COMP_WORDS=(reseal "$@"); COMP_CWORD=$#
        _reseal; printf "%s\n" "${COMPREPLY[@]}" | sort' bash "$PWD/bash.script" "$@" >out 2>&1
}
if command -v bash >/dev/null; then
    complete la
    echo lab | same "bash completes a command" out
    complete lab ''
    true_that "bash offers subcommands" grep -qx down out
    complete -f file lab up --sta
    echo --state | same "bash completes the option of a subcommand" out
    complete lab up --state ex
    printf 'expired\nexpiring\n' | same "bash completes the value of an option" out
fi
if command -v fish >/dev/null; then
    fish -c 'source fish.script; complete -C "reseal lab up --state exp"' 2>&1 | cut -f1 | sort >out
    printf 'expired\nexpiring\n' | same "fish completes the value of an option" out
    fish -c 'source fish.script; complete -C "reseal la"' 2>&1 | cut -f1 >out
    echo lab | same "fish completes a command" out
fi
if command -v zsh >/dev/null; then
    zsh -fc 'compdef() { :; }; compadd() { shift; print -l -- "$@"; }; _files() { :; }
        . ./zsh.script; words=(reseal lab up --state ex) CURRENT=5; _reseal' 2>&1 | sort >out
    printf 'expired\nexpiring\nhalf-renewed\nhealthy\n' | same "zsh offers the values of an option" out
fi
