# The pages in docs/ are what the tables say.
. "$TESTS/lib.sh"
for file in causes.md cluster.md commands.md findings.md cluster.schema.json; do
    case $file in *.json) page=schema ;; *) page=${file%.md} ;; esac
    "$RESEAL" generate "$page" >page
    same "docs/$file is what the program generates" page <"$TESTS/../docs/$file"
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
