/** What both faces say: the conversation, and what becomes of one's own message. */
import { language } from "./language";

const en = {
  messages: "Messages",
  write: "Write a message",
  send: "Send",
  newMessages: "New messages",
  older: "Loading older messages",
  goToNewest: (count: number) => (count === 1 ? "1 new message" : `${count} new messages`),
  writes: (names: string[]) =>
    names.length === 1 ? `${names[0]} is writing…` : `${names.join(", ")} are writing…`,
  you: "You",
  customer: "Customer",
  roles: { admin: "Admin", dispatcher: "Dispatcher", technician: "Technician" },
  system: "Jobthread",
  sent: "Sent",
  sending: "Sending",
  waiting: "Waiting for signal, kept on this device",
  failed: "Not sent",
  retry: "Try again",
  discard: "Delete",
  tooLong: (most: string) => `At most ${most} characters`,
  events: {
    created: (who: string, people: string) => `${who} opened this conversation${people && ` with ${people}`}`,
    joined: (who: string, people: string) =>
      !people || people === who ? `${who} joined` : `${who} added ${people}`,
    left: (who: string, people: string) =>
      !people || people === who ? `${who} left` : `${who} removed ${people}`,
    closed: (who: string) => `${who} closed this conversation`,
    reopened: (who: string) => `${who} reopened this conversation`,
    link_sent: (who: string) => `${who} sent the customer a link`,
    away: (opens: string) => `The office is closed. Somebody answers when it opens: ${opens}.`,
  },
  refusals: {
    thread_closed: "This conversation was closed before the message arrived.",
    not_found: "You are no longer part of this conversation.",
    forbidden: "You may no longer write here.",
    job_inactive: "This job is closed.",
    invalid: "The server does not accept this text.",
    too_large: "This text is too long.",
    client_msg_id_reused: "Another text was sent under the same number.",
    other: "The server refused it.",
  },
};

const es: typeof en = {
  messages: "Mensajes",
  write: "Escriba un mensaje",
  send: "Enviar",
  newMessages: "Mensajes nuevos",
  older: "Cargando mensajes anteriores",
  goToNewest: (count) => (count === 1 ? "1 mensaje nuevo" : `${count} mensajes nuevos`),
  writes: (names) => `${names.join(", ")} ${names.length === 1 ? "está" : "están"} escribiendo…`,
  you: "Usted",
  customer: "Cliente",
  roles: { admin: "Administración", dispatcher: "Coordinación", technician: "Técnico" },
  system: "Jobthread",
  sent: "Enviado",
  sending: "Enviando",
  waiting: "Esperando señal, guardado en este dispositivo",
  failed: "No enviado",
  retry: "Reintentar",
  discard: "Eliminar",
  tooLong: (most) => `Como máximo ${most} caracteres`,
  events: {
    created: (who, people) => `${who} abrió esta conversación${people && ` con ${people}`}`,
    joined: (who, people) => (!people || people === who ? `${who} se unió` : `${who} añadió a ${people}`),
    left: (who, people) => (!people || people === who ? `${who} salió` : `${who} quitó a ${people}`),
    closed: (who) => `${who} cerró esta conversación`,
    reopened: (who) => `${who} reabrió esta conversación`,
    link_sent: (who) => `${who} envió un enlace al cliente`,
    away: (opens) => `La oficina está cerrada. Alguien responde cuando abra: ${opens}.`,
  },
  refusals: {
    thread_closed: "La conversación se cerró antes de que llegara el mensaje.",
    not_found: "Ya no participa en esta conversación.",
    forbidden: "Ya no puede escribir aquí.",
    job_inactive: "Este trabajo está cerrado.",
    invalid: "El servidor no acepta este texto.",
    too_large: "Este texto es demasiado largo.",
    client_msg_id_reused: "Se envió otro texto con el mismo número.",
    other: "El servidor lo rechazó.",
  },
};

export const shared = { en, es }[language];

export const refusal = (code: string): string =>
  shared.refusals[code as keyof typeof shared.refusals] ?? shared.refusals.other;
