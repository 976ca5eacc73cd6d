"""Every item of the RFC 3259 conformance checklist (docs/rfc3259.md) is cited by a test as [item N]."""

import re
import unittest

import tree

ITEMS = range(1, 141)
_CITATION = re.compile(r"\[item (\d+)\]")
_COMMENT = re.compile(r"^\s*(//|#|\*)")


def cited_in(source):
    """Numbers cited in a test's text; a citation in a comment proves nothing."""
    lines = (line for line in source.splitlines() if not _COMMENT.match(line))
    return {int(number) for line in lines for number in _CITATION.findall(line)}


def not_applicable(document):
    """Numbers whose row says that no test can exist."""
    rows = (row for row in document.splitlines() if "not applicable" in row.lower())
    return {int(number) for row in rows for number in _CITATION.findall(row)}


class checklist(unittest.TestCase):
    def test_each_item_is_cited_by_a_test_or_marked_as_not_applicable(self):
        cited = set()
        for path in tree.files(".cpp", ".py", ".sh", under="tests"):
            if path.parts[1] != "tidy":
                cited |= cited_in(tree.text(path))
        document = tree.ROOT / "docs/rfc3259.md"
        excused = not_applicable(document.read_text(encoding="utf-8")) if document.is_file() else set()
        missing = sorted(set(ITEMS) - cited - excused)
        self.assertEqual([], missing, f"no test cites the items {missing}")
        self.assertLessEqual(excused, {138}, "only the registry of item 138 does not apply")
        unknown = sorted(cited - set(ITEMS))
        self.assertEqual([], unknown, f"the checklist has no items {unknown}")

    def test_given_a_test_name_then_all_its_items_count(self):
        self.assertEqual({7, 42}, cited_in('TEST_CASE("a number has ten digits [item 7] [item 42]") {'))

    def test_given_a_comment_then_its_items_do_not_count(self):
        self.assertEqual(set(), cited_in("    // [item 7] is tested elsewhere\n# [item 8]\n"))


if __name__ == "__main__":
    unittest.main()
