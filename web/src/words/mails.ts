/** What is said of the mails that came in. */
import type { IncomingMail } from "../shapes";
import { language } from "./language";

const en = {
  mails: "Incoming mails",
  why: "Answers by mail, for as long as they are kept. What landed stands in its thread; the mail as it came can be saved.",
  from: (name: string) => name || "Somebody who is no longer here",
  customer: "customer",
  thread: (id: number) => `Thread ${id}`,
  save: "Save the mail",
  saveOf: (name: string, when: string) => `Save the mail of ${name}, ${when}`,
  none: "No mail has come in.",
  outcomes: {
    landed: "In the thread",
    repeated: "Came before",
    automatic: "Dropped",
    refused: "Refused",
    too_many: "Dropped",
    unreadable: "Dropped",
  } satisfies Record<IncomingMail["outcome"], string>,
  /** By the server's word for it. */
  reasons: {
    other_sender: "The mail says to come from another address than the one on file.",
    nothing_to_read: "There is no text in it.",
    not_found: "There is no such thread for them any more.",
    forbidden: "They may not write there.",
    not_authenticated: "There is no such account any more.",
    thread_closed: "The thread is closed.",
    job_inactive: "The job is closed.",
    link_revoked: "All of the customer's links were revoked.",
    rate_limited: "Too many at once.",
  } as Record<string, string>,
  /** A machine wrote it, as the mail itself says. */
  automatic: "A machine wrote it: an automatic answer, a report or a mailing list.",
};

const es: typeof en = {
  mails: "Correo entrante",
  why: "Respuestas por correo, mientras se conservan. Lo que llegó está en su hilo; el correo original se puede guardar.",
  from: (name) => name || "Alguien que ya no está",
  customer: "cliente",
  thread: (id) => `Hilo ${id}`,
  save: "Guardar el correo",
  saveOf: (name, when) => `Guardar el correo de ${name}, ${when}`,
  none: "No ha llegado ningún correo.",
  outcomes: {
    landed: "En el hilo",
    repeated: "Ya había llegado",
    automatic: "Descartado",
    refused: "Rechazado",
    too_many: "Descartado",
    unreadable: "Descartado",
  },
  reasons: {
    other_sender: "El correo dice venir de otra dirección que la registrada.",
    nothing_to_read: "No contiene texto.",
    not_found: "Ese hilo ya no existe para quien escribe.",
    forbidden: "No puede escribir ahí.",
    not_authenticated: "Esa cuenta ya no existe.",
    thread_closed: "El hilo está cerrado.",
    job_inactive: "El trabajo está cerrado.",
    link_revoked: "Se revocaron todos los enlaces del cliente.",
    rate_limited: "Demasiados a la vez.",
  },
  automatic: "Lo escribió una máquina: una respuesta automática, un informe o una lista de correo.",
};

export const mails = { en, es }[language];

export function reasonOf({ outcome, reason }: IncomingMail): string {
  if (outcome === "automatic") return mails.automatic;
  return reason ? (mails.reasons[reason] ?? reason) : "";
}
