"""The words of all that people are told, in each language that it is written in."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from jobthread.entities import Language


@dataclass(frozen=True, slots=True)
class InvitationWording:
    subject: str
    """With `{title}` and `{company}`."""
    chat_with: str
    here_is: str
    about: str
    read_and_write: str
    open_it: str
    until: str
    """With `{until}`."""
    personal: str
    answer_by_mail: str
    no_answer_by_mail: str
    text_messages: tuple[str, ...]
    """From the fullest to the shortest, with letters that a text message holds.

    With `{company}`, `{title}`, `{until}` and `{link}`, which comes last: what followed, a phone might take
    as part of it.
    """


@dataclass(frozen=True, slots=True)
class Wording:
    invitation: InvitationWording
    hello: str
    one_new: str
    more_new: str
    """With `{count}`."""
    waits: str
    about: str
    open_it: str
    button_fails: str
    one_more: str
    more: str
    """With `{count}`."""
    answer_by_mail: str
    no_answer_by_mail: str
    personal: str
    """About a customer's link."""
    unsubscribe: str
    trial_subject: str
    trial: str
    text_message: str
    """With `{company}`, `{new}` and `{link}`."""
    trial_text_message: str
    texts_stopped: str
    """With `{company}`. `START` is the word that every provider knows."""
    texts_help: str
    trial_notice: str
    away_thanks: str
    away: str
    """With `{opens}`: the words of the customer's page."""
    away_text_message: str
    """With `{company}` and `{opens}`; with letters that a text message holds."""
    some_company: str
    some_job: str
    """Instead of names that no letter of a text message can write."""
    moment: str
    """With `{weekday}`, `{day}`, `{month}`, `{year}` and `{time}`."""
    weekdays: tuple[str, ...]
    """From Monday. The first three letters are the short form of each, and of each month."""
    months: tuple[str, ...]


WORDINGS: Mapping[Language, Wording] = MappingProxyType(
    {
        Language.EN: Wording(
            invitation=InvitationWording(
                subject="Your chat about {title} with {company}",
                chat_with="Your chat with",
                here_is="here is your chat with",
                about="about",
                read_and_write="Read what we wrote, and write to us whenever it suits you",
                open_it="Open the chat",
                until="You need no password, and you may open the link as often as you like until {until}.",
                personal=(
                    "The link is personal: whoever has it can read and write in your name, "
                    "so please do not pass it on."
                ),
                answer_by_mail="Answer in the chat, or simply reply to this e-mail.",
                no_answer_by_mail="Please answer in the chat. A reply to this e-mail does not reach anybody.",
                text_messages=(
                    '{company}: your chat about "{title}". '
                    "Personal link, please do not pass on, valid until {until}: {link}",
                    '{company}: your chat about "{title}". Personal link, until {until}: {link}',
                    "{company}: your chat about your job. Personal link, until {until}: {link}",
                    "{company}: your personal chat link, until {until}: {link}",
                    "{company}: your chat, until {until}: {link}",
                    "{company}: your chat: {link}",
                ),
            ),
            hello="Hello",
            one_new="1 new message",
            more_new="{count} new messages",
            waits="A customer waits for an answer",
            about="in",
            open_it="Open the conversation",
            button_fails="If the button does not work, open this address:",
            one_more="and 1 more",
            more="and {count} more",
            answer_by_mail="Answer in the conversation, or simply reply to this e-mail.",
            no_answer_by_mail="Please answer in the conversation. A reply to this e-mail reaches nobody.",
            personal="The link is personal: whoever has it can read and write in your name.",
            unsubscribe="No more of these e-mails:",
            trial_subject="A test by e-mail",
            trial="This is a test: e-mails from here reach you.",
            text_message="{company}: {new}. Personal link: {link}",
            trial_text_message="{company}: this is a test. Text messages from here reach you.",
            texts_stopped="{company}: you will get no more texts from us. Reply START to get them again.",
            texts_help="{company}: texts about your job. Reply to write to us, or STOP to end these texts.",
            trial_notice="This is a test: notices from here reach you.",
            away_thanks="Thank you, your message has arrived.",
            away="The office is closed. Somebody answers when it opens: {opens}.",
            away_text_message=(
                "{company}: thank you, your message has arrived. "
                "The office is closed. Somebody answers when it opens: {opens}."
            ),
            some_company="Your service company",
            some_job="your job",
            moment="{weekday}, {day} {month} {year}, {time} UTC",
            weekdays=("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
            months=(
                *("January", "February", "March", "April", "May", "June"),
                *("July", "August", "September", "October", "November", "December"),
            ),
        ),
        Language.ES: Wording(
            invitation=InvitationWording(
                subject="Su chat sobre {title} con {company}",
                chat_with="Su chat con",
                here_is="Aquí tiene su chat con",
                about="sobre",
                read_and_write="Lea lo que le hemos escrito y escríbanos cuando le venga bien",
                open_it="Abrir el chat",
                until="No necesita contraseña y puede abrir el enlace cuantas veces quiera hasta el {until}.",
                personal=(
                    "El enlace es personal: quien lo tenga puede leer y escribir en su nombre. "
                    "Por favor, no lo comparta."
                ),
                answer_by_mail="Conteste en el chat o simplemente responda a este correo.",
                no_answer_by_mail="Conteste en el chat. Una respuesta a este correo no llega a nadie.",
                text_messages=(
                    '{company}: su chat sobre "{title}". '
                    "Enlace personal, no lo comparta, vale hasta el {until}: {link}",
                    '{company}: su chat sobre "{title}". Enlace personal, hasta el {until}: {link}',
                    "{company}: su chat sobre su trabajo. Enlace personal, hasta el {until}: {link}",
                    "{company}: su enlace personal al chat, hasta el {until}: {link}",
                    "{company}: su chat, hasta el {until}: {link}",
                    "{company}: su chat: {link}",
                ),
            ),
            hello="Hola",
            one_new="1 mensaje nuevo",
            more_new="{count} mensajes nuevos",
            waits="Un cliente espera respuesta",
            about="en",
            open_it="Abrir la conversación",
            button_fails="Si el botón no funciona, abra esta dirección:",
            one_more="y 1 más",
            more="y {count} más",
            answer_by_mail="Conteste en la conversación o simplemente responda a este correo.",
            no_answer_by_mail="Conteste en la conversación. Una respuesta a este correo no llega a nadie.",
            personal="El enlace es personal: quien lo tenga puede leer y escribir en su nombre.",
            unsubscribe="No recibir más correos como este:",
            trial_subject="Una prueba por correo",
            trial="Esto es una prueba: los correos desde aquí le llegan.",
            text_message="{company}: {new}. Enlace personal: {link}",
            trial_text_message="{company}: esto es una prueba. Los SMS desde aquí le llegan.",
            texts_stopped="{company}: no recibirá más SMS nuestros. Responda START para volver a recibirlos.",
            texts_help="{company}: SMS sobre su trabajo. Responda para escribirnos o STOP para salir.",
            trial_notice="Esto es una prueba: las notificaciones desde aquí le llegan.",
            away_thanks="Gracias, su mensaje ha llegado.",
            away="La oficina está cerrada. Alguien responde cuando abra: {opens}.",
            away_text_message=(
                "{company}: gracias, su mensaje ha llegado. "
                "Ahora no hay nadie en la oficina. Alguien responde cuando abra: {opens}."
            ),
            some_company="Su empresa de servicios",
            some_job="su trabajo",
            moment="{weekday} {day} de {month} de {year}, {time} UTC",
            weekdays=("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"),
            months=(
                *("enero", "febrero", "marzo", "abril", "mayo", "junio"),
                *("julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"),
            ),
        ),
    }
)
