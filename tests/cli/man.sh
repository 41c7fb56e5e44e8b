# The manual pages: one per command, and mandoc has nothing against them. Covers manual.c.
. "$TESTS/lib.sh"
run "$RESEAL" generate man man/pages
true_that "the folder is made and the pages written" grep -qx 'exit 0' out
sed -n 's/^### `reseal \(.*\)`$/\1/p' "$TESTS/../docs/commands.md" >commands
while read -r command; do
    page=man/pages/reseal-$(echo "$command" | tr ' ' -).1
    true_that "$page is there" test -s "$page"
    true_that "reseal.1 refers to $command" grep -q "Xr $(basename "$page" .1) 1" man/pages/reseal.1
done <commands
if command -v mandoc >/dev/null; then
    # The pages are not installed: mandoc cannot find those that they refer to.
    mandoc -T lint -W warning man/pages/*.1 >lint.out 2>&1
    true_that "mandoc -T lint has no warning" test ! -s lint.out
    sed 's/^/# /' lint.out
    mandoc -T ascii man/pages/reseal-lab-up.1 | sed 's/.\x08//g' >text
    true_that "an option reads as it is typed" grep -q -- '--state *healthy|expiring' text
fi
run "$RESEAL" generate man /dev/null/pages
true_that "a folder that cannot be made is an error" grep -qx 'exit 1' out
