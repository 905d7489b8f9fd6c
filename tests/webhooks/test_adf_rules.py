"""The rules of ADF: what a car dealer's CRM would refuse is refused with its place."""

import pytest

from apps.webhooks.gallery import GALLERY
from apps.webhooks.rendering import compile_template
from apps.webhooks.tokens import EXAMPLE_SNAPSHOT

ADF = GALLERY["adf"]
PROSPECT = "/adf/prospect"
CONTACT = f"{PROSPECT}/customer/contact"


@pytest.fixture(scope="module")
def lead():
    template = compile_template(format=ADF.format, sample=ADF.sample, mapping=ADF.mapping)
    return template.render(EXAMPLE_SNAPSHOT).decode()


def problems(payload):
    return [(each.path, each.message) for each in ADF.validate(payload.encode())]


class TestAdfRules:
    def test_accept_the_template_of_the_gallery(self, lead):
        assert problems(lead) == []

    @pytest.mark.parametrize(
        ("old", "new", "path", "part"),
        [
            ('<?adf version="1.0"?>', "", "/adf", "<?adf"),
            ("<year>2019</year>", "", f"{PROSPECT}/vehicle", "needs <year>"),
            ("<make>Ram</make>", "", f"{PROSPECT}/vehicle", "needs <make>"),
            ("<year>2019</year>", "<year>19</year>", f"{PROSPECT}/vehicle/year", "four digits"),
            ("<year>", "<vin>1C6</vin><year>", f"{PROSPECT}/vehicle/year", "before <vin>"),
            ("<make>Ram</make>", "<!-- -->", f"{PROSPECT}/vehicle", "needs <make>"),
            ('interest="buy"', 'interest="rent"', f"{PROSPECT}/vehicle", "interest"),
            ('status="new"', 'status="old"', f"{PROSPECT}/vehicle", "status"),
            ("<model>", "<modell/><model>", f"{PROSPECT}/vehicle/modell", "no element"),
            ('type="voice">777673', 'type="mobile">777673', f"{CONTACT}/phone", "cellphone"),
            ('part="middle"', 'part="second"', f"{CONTACT}/name[2]", "part"),
            ("<city>Spr", "<country>US</country><city>Spr", f"{CONTACT}/address/city", "before"),
            ("<country>US<", "<country>USA<", f"{CONTACT}/address/country", "country code"),
            ('line="1"', 'line="one"', f"{CONTACT}/address/street[1]", "number"),
            ("freddy@example.com", "freddy", f"{CONTACT}/email", "e-mail"),
            (
                "<vendorname>Auto ID</vendorname>",
                "",
                f"{PROSPECT}/vendor",
                "needs <vendorname>",
            ),
            (">Auto ID</vendorname>", "> </vendorname>", f"{PROSPECT}/vendor/vendorname", "empty"),
            ("2019-03-27T17:05:00-07:00", "27.3.2019", f"{PROSPECT}/requestdate", "ISO 8601"),
            ("<service>", "<url>x</url><service>", f"{PROSPECT}/provider/service", "before <url>"),
            ('source="Hookline"', "", f"{PROSPECT}/id", "source"),
        ],
    )
    def test_tell_the_place_of_a_fault(self, lead, old, new, path, part):
        assert old in lead
        found = problems(lead.replace(old, new, 1))
        assert path in [place for place, message in found if part in message], found

    def test_want_a_phone_or_an_email_of_each_contact(self, lead):
        without_email = lead.replace("<email>freddy@example.com</email>", "")
        assert problems(without_email) == []
        without_both = without_email.replace('<phone type="voice">7776734736</phone>', "")
        assert problems(without_both) == [(CONTACT, "A contact needs a phone or an e-mail.")]
        only_email = lead.replace('<phone type="voice">7776734736</phone>', "")
        assert problems(only_email) == []
        empty = without_email.replace("7776734736</phone>", " </phone>")
        assert problems(empty) == [(CONTACT, "A contact needs a phone or an e-mail.")]

    @pytest.mark.parametrize("name", ["requestdate", "vehicle", "customer", "vendor"])
    def test_want_each_part_of_a_prospect(self, lead, name):
        start, end = lead.index(f"<{name}"), lead.index(f"</{name}>") + len(f"</{name}>")
        assert (PROSPECT, f"<prospect> needs <{name}>.") in problems(lead[:start] + lead[end:])

    def test_want_the_parts_of_a_prospect_in_order(self, lead):
        start, end = lead.index("<vendor>"), lead.index("</vendor>") + len("</vendor>")
        moved = lead[:start] + lead[end:]
        moved = moved.replace("<customer>", lead[start:end] + "<customer>")
        assert (f"{PROSPECT}/customer", "<customer> must stand before <vendor>.") in problems(moved)

    def test_take_neither_other_roots_nor_two_customers(self, lead):
        assert problems(lead.replace("adf>", "lead>")) == [("/lead", "The root must be <adf>.")]
        start, end = lead.index("<customer>"), lead.index("</customer>") + len("</customer>")
        doubled = lead[:end] + lead[start:end] + lead[end:]
        assert (PROSPECT, "<prospect> has only one <customer>.") in problems(doubled)

    def test_read_no_entities_from_outside(self):
        payload = '<!DOCTYPE adf [<!ENTITY x SYSTEM "file:///etc/passwd">]><adf>&x;</adf>'
        assert all("root:" not in message for _, message in problems(payload))
