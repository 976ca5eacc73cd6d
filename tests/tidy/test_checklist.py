"""Every item of a conformance checklist is cited by a test: `[item N]` for the rules of RFC 3259 (docs/rfc3259.md), `[xmpp N]` for
those of XMPP, publish-subscribe and Atom (docs/xmpp.md)."""

import re
import unittest

import tree

_COMMENT = re.compile(r"^\s*(//|#|\*)")


class checklist_of:
    """One list: its tag, how many items it has, and the document that may excuse some."""

    def __init__(self, tag, items, document, excusable):
        self.tag, self.items, self.document, self.excusable = tag, range(1, items + 1), document, set(excusable)
        self._citation = re.compile(rf"\[{tag} (\d+)\]")

    def numbers(self, text):
        return {int(number) for number in self._citation.findall(text)}

    def cited_in(self, source):
        """Numbers cited in a test's text; a citation in a comment proves nothing."""
        return set().union(*(self.numbers(line) for line in source.splitlines() if not _COMMENT.match(line)))

    def excused(self):
        """Numbers whose row in the document says that no test can exist."""
        path = tree.ROOT / self.document
        rows = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        return set().union(*(self.numbers(row) for row in rows if "not applicable" in row.lower()))


RFC_3259 = checklist_of("item", 140, "docs/rfc3259.md", {138})  # the registry of Windows
XMPP = checklist_of("xmpp", 97, "docs/xmpp.md", {})


class checklist(unittest.TestCase):
    def test_each_item_is_cited_by_a_test_or_marked_as_not_applicable(self):
        sources = [tree.text(path) for path in tree.files(".cpp", ".py", ".sh", ".mjs", under="tests") if path.parts[1] != "tidy"]
        for each in (RFC_3259, XMPP):
            with self.subTest(list=each.tag):
                cited = set().union(*(each.cited_in(source) for source in sources))
                excused = each.excused()
                missing = sorted(set(each.items) - cited - excused)
                self.assertEqual([], missing, f"no test cites the items {missing}")
                self.assertLessEqual(excused, each.excusable, f"{each.document} excuses items that a test can hold")
                unknown = sorted(cited - set(each.items))
                self.assertEqual([], unknown, f"the checklist has no items {unknown}")

    def test_items_are_cited_one_by_one(self):
        """[item 7, 8] would count for neither."""
        for path in tree.files(".cpp", ".py", ".sh", ".mjs", under="tests"):
            wrong = re.findall(r"\[(?:items|xmpps) [\d, –]+\]|\[(?:item|xmpp) \d+[ ,–][^\]]*\]", tree.text(path)) if path.parts[1] != "tidy" else []
            self.assertEqual([], wrong, f"{path}: write each item in brackets of its own")

    def test_given_a_test_name_then_all_its_items_count(self):
        name = 'TEST_CASE("a number has ten digits [item 7] [item 42] [xmpp 3]") {'
        self.assertEqual({7, 42}, RFC_3259.cited_in(name))
        self.assertEqual({3}, XMPP.cited_in(name))

    def test_given_a_comment_then_its_items_do_not_count(self):
        self.assertEqual(set(), RFC_3259.cited_in("    // [item 7] is tested elsewhere\n# [item 8]\n"))


if __name__ == "__main__":
    unittest.main()
