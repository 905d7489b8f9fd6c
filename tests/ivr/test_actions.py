"""The next action: the examples of the source document, the closed list, and hostile XML."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from apps.ivr.actions import MOST_USER_PARAMETERS, parse_action
from apps.ivr.decisions import Action, AnswerFault, App
from apps.ivr.replies import Form, written


def action(app: str, *, user: dict[str, str] | None = None, **parameters: str) -> bytes:
    """Write an action as receivers do."""
    root = etree.Element("action")
    etree.SubElement(root, "app").text = app
    given = etree.SubElement(root, "parameters")
    for name, value in parameters.items():
        etree.SubElement(given, name).text = value
    if user:
        named = etree.SubElement(given, "user_parameters")
        for name, value in user.items():
            etree.SubElement(named, name).text = value
    return etree.tostring(root)


class TestExamplesOfTheSource:
    def test_another_ivr(self) -> None:
        found = parse_action(
            b"<action>\n\n<app>SurVo</app>\n\n<parameters>\n\n<id>75</id>\n\n<user_parameters>\n\n"
            b"<firstName>Bill</firstName>\n\n<lastName>Johnson</lastName>\n\n</user_parameters>\n\n"
            b"<p_t>user_id|12345||step|call_user</p_t>\n\n</parameters>\n\n</action>"
        )
        assert found == Action(
            App.SURVO,
            {"id": "75"},
            {"firstName": "Bill", "lastName": "Johnson"},
            "user_id|12345||step|call_user",
        )

    def test_a_dynamic_find_me_that_whispers_a_text(self) -> None:
        given = {"phone_list": "2223334444", "screen_method": "1"}
        given |= {"whisper_phrase": "Call from Radio Ad", "record": "1"}
        assert parse_action(action("findme", **given)) == Action(App.FINDME, given)

    def test_a_dynamic_find_me_that_whispers_a_file_to_two_at_once(self) -> None:
        given = {"phone_list": "2223334444|5556667777", "simultaneous": "2"}
        given |= {"screen_method": "2", "whisper_audio": "customwhisper.wav", "record": "1"}
        assert parse_action(action("findme", **given)) == Action(App.FINDME, given)


class TestTheClosedList:
    @pytest.mark.parametrize(
        ("app", "given"),
        [
            ("SurVo", {"id": "75"}),
            ("SurVo", {"id": "75", "p_t": ""}),
            ("vr", {"id": "3"}),
            ("voicemail", {"id": "12"}),
            ("hangup", {}),
            ("transfer", {"destination": "+15551234567"}),
            ("findme", {"id": "9"}),
            ("findme", {"phone_list": "2223334444", "nextaction": "1"}),
            ("findme", {"phone_list": "2223334444", "nextaction": "2", "nextactionitem": "4"}),
            ("findme", {"phone_list": "2223334444", "nextaction": "3"}),
            ("findme", {"phone_list": "2223334444", "nextaction": "4", "nextactionitem": "4"}),
            ("findme", {"phone_list": "2223334444", "nextaction": "5", "nextactionitem": "4"}),
            ("findme", {"phone_list": "2223334444", "nextaction": "6", "nextactionitem": "4"}),
            ("findme", {"phone_list": "2223334444", "nextaction": "7"}),
            ("findme", {"phone_list": "2223334444", "screen_method": "0", "auto_accept": "3"}),
            ("findme", {"phone_list": "2223334444", "screen_method": "3", "record": "0"}),
        ],
    )
    def test_takes_what_the_source_lists(self, app: str, given: dict[str, str]) -> None:
        expected = {name: value for name, value in given.items() if value}
        assert parse_action(action(app, **given)) == Action(App(app), expected)

    @pytest.mark.parametrize(
        ("app", "given", "why"),
        [
            ("survo", {"id": "75"}, "“survo”; known are SurVo, findme"),
            ("dial", {}, "“dial”; known are"),
            ("", {}, "“”; known are"),
            ("SurVo", {}, "SurVo needs <id>"),
            ("SurVo", {"id": "seven"}, "<id> is “seven”"),
            ("SurVo", {"id": "7", "destination": "5551234567"}, "no parameter <destination>"),
            ("vr", {}, "vr needs <id>"),
            ("vr", {"id": "1", "p_t": "a|b"}, "to a SurVo only"),
            ("voicemail", {"id": "-1"}, "<id> is “-1”"),
            ("hangup", {"id": "1"}, "hangup has no parameter <id>"),
            ("transfer", {}, "transfer needs <destination>"),
            ("transfer", {"destination": "home"}, "“home”, which is no phone number"),
            ("findme", {}, "either <id> or <phone_list>"),
            ("findme", {"id": "1", "phone_list": "2223334444"}, "either <id> or <phone_list>"),
            ("findme", {"id": "1", "record": "1"}, "<record> goes with <phone_list>"),
            ("findme", {"phone_list": "2223334444|"}, "no phone number"),
            ("findme", {"phone_list": "|".join(["2223334444"] * 51)}, "more than 50"),
            ("findme", {"phone_list": "2223334444", "record": "2"}, "<record> is “2”"),
            ("findme", {"phone_list": "2223334444", "simultaneous": "0"}, "must be 1 to 50"),
            ("findme", {"phone_list": "2223334444", "nextaction": "8"}, "must be 1 to 7"),
            ("findme", {"phone_list": "2223334444", "nextaction": "2"}, "id of a voicemail box"),
            ("findme", {"phone_list": "2223334444", "nextaction": "6"}, "needs the id of an IVR"),
            ("findme", {"phone_list": "2223334444", "nextactionitem": "2"}, "goes with <nextacti"),
            (
                "findme",
                {"phone_list": "2223334444", "nextaction": "3", "nextactionitem": "2"},
                "goes with <nextaction> 2, 4, 5 or 6",
            ),
            ("findme", {"phone_list": "2223334444", "screen_method": "4"}, "must be 0 to 3"),
            ("findme", {"phone_list": "2223334444", "auto_accept": "4"}, "must be 0 to 3"),
            ("findme", {"phone_list": "2223334444", "whisper_phrase": "Hi"}, "<screen_method> 1"),
            (
                "findme",
                {"phone_list": "2223334444", "screen_method": "1", "whisper_audio": "a.wav"},
                "<screen_method> 2",
            ),
            (
                "findme",
                {"phone_list": "2223334444", "screen_method": "2", "whisper_audio": "../a.wav"},
                "name of an audio file",
            ),
        ],
    )
    def test_says_what_is_wrong(self, app: str, given: dict[str, str], why: str) -> None:
        with pytest.raises(AnswerFault) as fault:
            parse_action(action(app, **given))
        assert why in str(fault.value)

    def test_bounds_user_parameters(self) -> None:
        for user, why in (
            ({"first-name": "Bill"}, "can not be written as @name"),
            ({"name": "x" * 1_001}, "over 1000 characters"),
            ({f"p{n}": "x" for n in range(MOST_USER_PARAMETERS + 1)}, "more than 50"),
        ):
            with pytest.raises(AnswerFault, match=why):
                parse_action(action("SurVo", user=user, id="75"))
        with pytest.raises(AnswerFault, match="<p_t> has more than 2,000"):
            parse_action(action("SurVo", id="75", p_t="x" * 2_001))


BILLION_LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    b'<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;">]>'
    b"<action><app>&d;</app></action>"
)
FILE_ENTITY = (
    b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY f SYSTEM "file:///etc/passwd">]>'
    b"<action><app>transfer</app><parameters><destination>&f;</destination></parameters></action>"
)


class TestHostileXml:
    @pytest.mark.parametrize(
        ("body", "why"),
        [
            (b"", "no XML"),
            (b"<response><app>hangup</app></response>", "no <action>; its root is <response>"),
            (b"<html><body><h1>500</h1></body></html>", "no <action>: it is an HTML page"),
            (b"<!DOCTYPE html><html><p>Error<br></html>", "no <action>: it is an HTML page"),
            (b"Internal Server Error", "no <action>"),
            (b'{"action": "hangup"}', "no <action>"),
            (b"<action><app>hangup</app>", "no XML that can be read"),
            (b"<action></action>", "<action> has no <app>"),
            (b"<action><app>hangup</app><app>vr</app></action>", "<app> twice"),
            (b"<action><app><b>hangup</b></app></action>", "<app> has elements inside"),
            (b"<action><app>hangup</app><then/></action>", "unknown element <then>"),
            (BILLION_LAUGHS, "DOCTYPE"),
            (FILE_ENTITY, "DOCTYPE"),
            (b'<!DOCTYPE action SYSTEM "http://10.0.0.1/x.dtd"><action/>', "DOCTYPE"),
            (b"<action>" * 5_000, "no XML that can be read"),
            (b"<a>" * 200 + b"</a>" * 200, "no <action>; its root is <a>"),
            ("<action><app>hangup</app></action>".encode("utf-16-le"), "no XML"),
            (b'<?xml version="1.0" encoding="utf-16"?><action/>', "no XML"),
            (b'<?xml version="1.0" encoding="klingon"?><action/>', "no XML"),
            (b"<action><app>caf\xe9</app></action>", "no XML"),
            (b"<action><app>\0</app></action>", "no XML"),
        ],
    )
    def test_is_refused_with_a_reason(self, body: bytes, why: str) -> None:
        with pytest.raises(AnswerFault) as fault:
            parse_action(body)
        assert why in str(fault.value)

    def test_is_told_where_it_breaks_off_without_a_file_that_is_none(self) -> None:
        with pytest.raises(AnswerFault) as fault:
            parse_action(b"Your balance is 12 dollars.")
        assert "line 1, column 1)" in str(fault.value)
        assert "<string>" not in str(fault.value)

    def test_entities_are_never_expanded(self) -> None:
        with pytest.raises(AnswerFault) as fault:
            parse_action(FILE_ENTITY)
        assert "root:" not in str(fault.value)

    @given(st.binary(max_size=300))
    def test_is_never_anything_but_an_action_or_a_fault(self, body: bytes) -> None:
        with pytest.raises(AnswerFault):
            parse_action(body)


class TestEncodings:
    @pytest.mark.parametrize(
        ("encode_as", "declared", "charset"),
        [
            ("utf-8", "", ""),
            ("utf-8", "utf-8", "iso-8859-1"),
            ("iso-8859-1", "iso-8859-1", ""),
            ("iso-8859-1", "", "iso-8859-1"),
            ("utf-16", "", ""),
            ("utf-8-sig", "", ""),
        ],
    )
    def test_are_read_as_declared(self, encode_as: str, declared: str, charset: str) -> None:
        head = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""
        text = f"{head}{action('SurVo', id='75', user={'name': 'Zoé'}).decode()}"
        found = parse_action(text.replace("&#233;", "é").encode(encode_as), charset)
        assert found.user_parameters == {"name": "Zoé"}

    def test_an_unknown_charset_is_a_fault(self) -> None:
        with pytest.raises(AnswerFault, match="not known"):
            parse_action(action("hangup"), "klingon")


_NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,20}", fullmatch=True)
_TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=40)


class TestTheWayBack:
    @given(
        number=st.integers(1, 10**9),
        user=st.dictionaries(_NAMES, _TEXTS, max_size=5),
        pass_data=_TEXTS,
    )
    def test_what_the_platform_gets_as_xml_is_what_the_receiver_said(
        self, number: int, user: dict[str, str], pass_data: str
    ) -> None:
        said = parse_action(action("SurVo", user=user, id=str(number), p_t=pass_data))
        reply: dict[str, Any] = {
            "message": None,
            "action": {
                "app": said.app,
                "parameters": said.parameters,
                "user_parameters": said.user_parameters,
                "pass_through": said.pass_through,
            },
        }
        assert parse_action(written(reply, Form.XML)) == said
        assert (said.user_parameters, said.pass_through) == (user, pass_data)
