# The pages in docs/ are what the tables say.
. "$TESTS/lib.sh"
for page in causes commands findings; do
    "$RESEAL" generate $page >page
    same "docs/$page.md is what the program generates" page <"$TESTS/../docs/$page.md"
done
run "$RESEAL" generate nothing
same "an unknown page is refused" out <<'X'
reseal: no page nothing
  next: reseal generate --help
exit 2
X
run "$RESEAL" generate man
same "a page that needs an argument says so" out <<'X'
reseal: generate man needs DIR
  next: reseal generate --help
exit 2
X
