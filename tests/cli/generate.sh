# The pages in docs/ are what the tables say.
. "$TESTS/lib.sh"
for page in causes findings; do
    "$RESEAL" generate $page >page
    same "docs/$page.md is what the program generates" page <"$TESTS/../docs/$page.md"
done
run "$RESEAL" generate nothing
same "an unknown page is refused" out <<'X'
reseal: no page nothing
  next: reseal generate --help
exit 2
X
