# ruff: noqa: E501
"""What remains of answers as people's mail programs write them, in English and in Spanish."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobthread.receive import html_text, quotes

ASKED = "> When are you at home?\n>\n> Dora\n"
LINK = "Warm & Dry <reply+m5qw4zzq@chat.example.com>"

# What stands after the answer "At nine is fine.", by the program that put it there.
AFTER = {
    "gmail": f"On Mon, Nov 23, 2026 at 10:01 AM {LINK} wrote:\n\n{ASKED}",
    "gmail wrapped": f"On Mon, Nov 23, 2026 at 10:01 AM Warm & Dry <\nreply+m5qw4zzq@chat.example.com> wrote:\n\n{ASKED}",
    "gmail wrapped twice": f"On Mon, Nov 23, 2026 at 10:01 AM\nWarm & Dry\n<reply@chat.example.com> wrote:\n\n{ASKED}",
    "gmail spanish": f"El lun, 23 nov 2026 a las 10:01, Warm & Dry (<reply@chat.example.com>)\nescribió:\n\n{ASKED}",
    "gmail spanish, older": f"El 23 de noviembre de 2026, 10:01, {LINK} escribió:\n\n{ASKED}",
    "gmail of old": f"2026-11-23 10:01 GMT+01:00 {LINK}:\n\n{ASKED}",
    "gmail unquoted": f"On Mon, Nov 23, 2026 at 10:01 AM {LINK} wrote:\n\nWhen are you at home?\n\nDora",
    "apple mail": f"On Nov 23, 2026, at 10:01, {LINK} wrote:\n\n{ASKED}",
    "apple mail spanish": f"El 23 nov 2026, a las 10:01, Warm & Dry <reply@example.com> escribió:\n\n{ASKED}",
    "iphone": f"Sent from my iPhone\n\n> On Nov 23, 2026, at 10:01, {LINK} wrote:\n> \n> When?\n",
    "iphone spanish": f"Enviado desde mi iPhone\n\n> El 23 nov 2026, a las 10:01, {LINK} escribió:\n> \n> ¿Cuándo?\n",
    "android": f"-------- Original message --------\nFrom: {LINK}\nDate: 11/23/26 10:01 AM (GMT+01:00)\n"
    "To: carol@example.com\nSubject: Boiler off\n\nWhen are you at home?\n",
    "android spanish": f"Enviado desde mi Samsung Mobile de Claro\n\n-------- Mensaje original --------\nDe: {LINK}\n"
    "Fecha: 23/11/26 10:01 (GMT+01:00)\nA: carol@example.com\nAsunto: Boiler off\n\n¿Cuándo?\n",
    "outlook": f"-----Original Message-----\nFrom: {LINK}\nSent: Monday, November 23, 2026 10:01 AM\n"
    "To: Carol <carol@example.com>\nSubject: Boiler off\n\nWhen are you at home?\n",
    "outlook spanish": f"-----Mensaje original-----\nDe: {LINK}\nEnviado el: lunes, 23 de noviembre de 2026 10:01\n"
    "Para: carol@example.com\nAsunto: Boiler off\n\n¿Cuándo?\n",
    "outlook, new": f"________________________________\nFrom: {LINK}\nSent: Monday, November 23, 2026 10:01 AM\n"
    "To: Carol <carol@example.com>\nSubject: Boiler off\n\nWhen are you at home?\n",
    "outlook, new spanish": f"________________________________\nDe: {LINK}\nEnviado: lunes, 23 de noviembre de 2026\n"
    "Para: carol@example.com <carol@example.com>\nAsunto: Boiler off\n\n¿Cuándo?\n",
    "outlook in bold": f"*From:* {LINK}\n*Sent:* Monday\n*To:* Carol\n*Subject:* Boiler off\n\nWhen?\n",
    "outlook for ios": "Get Outlook for iOS<https://aka.ms/o0ukef>\n________________________________\n"
    f"From: {LINK}\nSent: Monday\nTo: Carol\nSubject: Boiler off\n\nWhen?\n",
    "outlook for android spanish": "Obtener Outlook para Android\n________________________________\n"
    f"De: {LINK}\nEnviado: lunes\nPara: Carol\nAsunto: Boiler off\n\n¿Cuándo?\n",
    "thunderbird": f"On 11/23/26 10:01, Warm & Dry wrote:\n{ASKED}",
    "thunderbird spanish": f"El 23/11/26 a las 10:01, Warm & Dry escribió:\n{ASKED}",
    "thunderbird with a signature": f"-- \nCarol Weaver\nElm Street 5\n\nOn 11/23/26 10:01, Dora wrote:\n{ASKED}",
    "yahoo": f"On Monday, November 23, 2026 at 10:01:02 AM EST, {LINK} wrote:  \n \n When are you at home?\n",
    "yahoo on a phone": f"Sent from Yahoo Mail on Android\n\nOn Mon, Nov 23, 2026 at 10:01, Dora\n<a@b.example> wrote:\n{ASKED}",
    "just quoted": ASKED,
    "a signature": "-- \nCarol Weaver\nElm Street 5\n",
    "a signature without its space": "--\nCarol Weaver",
    "a phone's": "Sent from my iPhone",
    "another phone's": "Enviado desde mi Xiaomi",
    "a name first": f"Dora Lind <dora@example.com> wrote:\n{ASKED}",
    "nothing": "",
}
WHOLE = {
    "what people say of others": "On Monday he wrote:\nhe comes at nine.\nIs that so?",
    "what people say of others, in Spanish": "El técnico escribió:\nviene a las nueve.",
    "lines with a colon": "From: the kitchen\nit drips.\nTo the hall it is dry.",
    "a list": "- the valve\n- the pump\n-- and the clock",
    "numbers and rules": "Model:\n----------\n4711\n----------\nYear 2019",
    "thanks": "Thanks, nine is fine.\nBest regards from the whole house\nPS: the dog bites",
    "a question with >": "Pressure > 2 bar. Is that bad?",
    "sent from": "Sent from my iPhone was what it said.\nWhat now?",
    "forwarded": "See below\n\n---------- Forwarded message ---------\nFrom: the landlord\n\nFix it.",
    "accents": "¿A qué hora? Mañana está bien.\n¡Gracias!",
}


@pytest.mark.parametrize("program", list(AFTER))
def test_the_answer_remains_and_nothing_else(program: str) -> None:
    assert quotes.cut(f"At nine is fine.\n\n{AFTER[program]}") == "At nine is fine."
    assert (
        quotes.cut(f"Hello,\n\nAt nine is fine.\nCarol\n\n\n{AFTER[program]}")
        == "Hello,\n\nAt nine is fine.\nCarol"
    )


@pytest.mark.parametrize("what", list(WHOLE))
def test_what_only_looks_like_a_quote_stays(what: str) -> None:
    assert quotes.cut(WHOLE[what]) == WHOLE[what]


def test_an_answer_below_what_it_answers_stays() -> None:
    assert quotes.cut(f"On Mon, 23 Nov 2026, Dora wrote:\n{ASKED}\nAt nine is fine.") == "At nine is fine."
    assert quotes.cut(f"{ASKED}\nAt nine is fine.\n\n-- \nCarol") == f"{ASKED.strip()}\n\nAt nine is fine."


def test_answers_between_the_questions_stay_with_them() -> None:
    text = (
        "Hello,\n\nOn 23 Nov 2026, Dora wrote:\n> When?\n\nAt nine.\n\n> And the dog?\n\nIt bites.\n\n> Bye\n"
    )
    assert quotes.cut(text) == "Hello,\n\n> When?\n\nAt nine.\n\n> And the dog?\n\nIt bites."


@pytest.mark.parametrize("program", [name for name in AFTER if name != "nothing"])
def test_where_nothing_else_is_said_something_remains(program: str) -> None:
    assert quotes.cut(AFTER[program])


@given(st.text(st.sampled_from("ab >-_:\n@On wroteElescribió0From:To"), max_size=300))
def test_whatever_it_is_it_ends_and_something_remains(text: str) -> None:
    left = quotes.cut(text)
    assert bool(left) == bool(text.strip())
    assert len(left) <= len(text)
    assert quotes.top_of(text) in ("", left)


@given(st.lists(st.sampled_from(["At nine.", "", "Gracias", "Pressure is 2 bar", "¿Cuándo?"]), min_size=1))
def test_plain_answers_are_left_as_they_are(lines: list[str]) -> None:
    text = "\n".join(lines).strip()
    assert quotes.cut(text) == text


def test_long_and_mean_texts_take_no_time() -> None:
    for mean in (
        "On " * 70_000,
        "a@a." * 50_000,
        "> " * 100_000,
        "\n".join(["On 1"] * 50_000),
        "-" * 200_000,
    ):
        assert quotes.cut(mean)


# --- HTML -----------------------------------------------------------------------------------------

HTML = {
    "gmail": '<div dir="ltr">At nine is fine.</div><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">On Mon,'
    ' Nov 23, 2026 at 10:01 AM Warm &amp; Dry &lt;<a href="mailto:r@example.com">r@example.com</a>&gt; wrote:<br></div>'
    '<blockquote class="gmail_quote" style="margin:0"><p>When are you at home?</p></blockquote></div>',
    "outlook": "<html><head><style>p {margin:0}</style></head><body><div><p class=MsoNormal>At nine is&nbsp;fine.<o:p></o:p>"
    "</p><p class=MsoNormal><o:p>&nbsp;</o:p></p><div style='border-top:solid #E1E1E1 1.0pt'><p><b>From:</b> Dora &lt;"
    "dora@example.com&gt; <br><b>Sent:</b> Monday<br><b>To:</b> Carol<br><b>Subject:</b> Boiler</p></div><p>When?</p>",
    "outlook on the web": '<div>At nine is fine.</div><div id="appendonsend"></div><hr style="width:98%"><div id='
    '"divRplyFwdMsg"><font><b>De:</b> Dora<br><b>Enviado:</b> lunes<br><b>Para:</b> Carol<br><b>Asunto:</b> B</font></div>'
    "<div>¿Cuándo?</div>",
    "apple": '<html><body>At nine is fine.<br><div><br><blockquote type="cite"><div>On 23 Nov 2026, at 10:01, Dora &lt;'
    "d@example.com&gt; wrote:</div><br><div>When?</div></blockquote></div></body></html>",
}


@pytest.mark.parametrize("program", list(HTML))
def test_of_html_the_answer_remains(program: str) -> None:
    assert quotes.cut(html_text.text_of(HTML[program]).replace("\u00a0", " ")) == "At nine is fine."


def test_html_becomes_lines() -> None:
    html = "<p>Two things:</p><ul><li>the <b>valve</b></li><li>the pump</li></ul>Bye<br>Carol<script>alert(1)</script>"
    assert html_text.text_of(html) == "Two things:\n\n- the valve\n- the pump\n\nBye\nCarol"
    assert html_text.text_of("<pre>a  b\nc</pre>") == "a  b\nc"


@given(st.text(st.sampled_from("<>/&;!-\"' abpdivblockquote\n#"), max_size=200))
def test_broken_html_ends(html: str) -> None:
    html_text.text_of(html)
