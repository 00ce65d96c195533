/** What only the customer's page says. */
import { language } from "./language";

const en = {
  yourMessages: "Your messages",
  job: (reference: string) => `Job ${reference}`,
  conversations: "Conversations",
  unread: (count: number) => `${count} new`,
  closed: "Closed",
  closedHere: "This conversation was closed. If you write, it opens again.",
  readBy: (company: string) => `Read by the people of ${company || "the company"} who look after your job`,
  offline: "No connection. You can go on writing; it is sent when the connection is back.",
  busy: "Too many attempts. Please wait a minute; this page tries again by itself.",
  noAnswer: "There is no connection just now. Please try again in a moment.",
  said: (name: string, body: string) => `${name} writes: ${body}`,
  newLink: "Send me a new link",
  linkAsked: "If your link was known, a new one is on its way to your e-mail or phone.",
  notSent: "You wrote this, and it could not be sent yet. It stays on this device:",
  discard: "Delete",
  otherLanguage: "Español",
  troubles: {
    expired: {
      title: "This link has expired",
      text: "For your safety each link works for some days only. We can send a new one to the e-mail address or phone that the first one went to.",
    },
    ended: {
      title: "This link has expired",
      text: "For your safety each link works for some days only. Open the link in your e-mail or text message once more: there you can ask for a new one.",
    },
    revoked: {
      title: "This link was withdrawn",
      text: "It no longer opens anything. If you received a newer link, please use that one; else ask the company for one.",
    },
    closed: {
      title: "This job is closed",
      text: "Its messages can no longer be read here. If there is something left to say, please call the company or answer its e-mail.",
    },
    wrong: {
      title: "This link does not work",
      text: "Perhaps a part of it got lost. Please open it straight from your e-mail or text message, or copy all of it.",
    },
    noLink: {
      title: "Please open your link again",
      text: "This page opens from the link in your e-mail or text message. There is no password and no account.",
    },
    otherJob: {
      title: "This page belongs to another job",
      text: "You have opened a link to a different job. Please open the link that was sent to you for this one.",
    },
    cookies: {
      title: "Your browser refuses cookies",
      text: "Without one this page cannot know you when it is loaded again. Please allow cookies for this page, or open the link in your e-mail or text message again.",
    },
    offline: {
      title: "No connection",
      text: "Your messages cannot be loaded just now. This page keeps trying by itself.",
    },
    busy: {
      title: "Please wait a moment",
      text: "There were too many attempts. This page tries again by itself.",
    },
  },
};

const es: typeof en = {
  yourMessages: "Sus mensajes",
  job: (reference) => `Trabajo ${reference}`,
  conversations: "Conversaciones",
  unread: (count) => (count === 1 ? "1 nuevo" : `${count} nuevos`),
  closed: "Cerrada",
  closedHere: "Esta conversación se cerró. Si escribe, se abre de nuevo.",
  readBy: (company) => `Lo leen las personas de ${company || "la empresa"} que se ocupan de su trabajo`,
  offline: "Sin conexión. Puede seguir escribiendo; se enviará cuando vuelva la conexión.",
  busy: "Demasiados intentos. Espere un minuto; esta página lo intenta de nuevo por sí sola.",
  noAnswer: "Ahora no hay conexión. Vuelva a intentarlo en un momento.",
  said: (name, body) => `${name} escribe: ${body}`,
  newLink: "Enviarme un enlace nuevo",
  linkAsked: "Si su enlace era conocido, va en camino uno nuevo a su correo o teléfono.",
  notSent: "Usted escribió esto y aún no se pudo enviar. Se guarda en este dispositivo:",
  discard: "Eliminar",
  otherLanguage: "English",
  troubles: {
    expired: {
      title: "Este enlace ha caducado",
      text: "Por su seguridad, cada enlace funciona solo unos días. Podemos enviar uno nuevo al correo o teléfono al que llegó el primero.",
    },
    ended: {
      title: "Este enlace ha caducado",
      text: "Por su seguridad, cada enlace funciona solo unos días. Abra otra vez el enlace de su correo o mensaje: allí puede pedir uno nuevo.",
    },
    revoked: {
      title: "Este enlace fue retirado",
      text: "Ya no abre nada. Si recibió un enlace más reciente, use ese; si no, pida uno a la empresa.",
    },
    closed: {
      title: "Este trabajo está cerrado",
      text: "Sus mensajes ya no se pueden leer aquí. Si queda algo por decir, llame a la empresa o responda a su correo.",
    },
    wrong: {
      title: "Este enlace no funciona",
      text: "Quizá se perdió una parte. Ábralo directamente desde su correo o mensaje, o cópielo entero.",
    },
    noLink: {
      title: "Abra de nuevo su enlace",
      text: "Esta página se abre con el enlace de su correo o mensaje. No hay contraseña ni cuenta.",
    },
    otherJob: {
      title: "Esta página es de otro trabajo",
      text: "Usted abrió un enlace de otro trabajo. Abra el enlace que recibió para este.",
    },
    cookies: {
      title: "Su navegador rechaza las cookies",
      text: "Sin una, esta página no puede reconocerle al cargarse de nuevo. Permita las cookies para esta página, o abra otra vez el enlace de su correo o mensaje.",
    },
    offline: {
      title: "Sin conexión",
      text: "Ahora no se pueden cargar sus mensajes. Esta página sigue intentándolo por sí sola.",
    },
    busy: {
      title: "Espere un momento",
      text: "Hubo demasiados intentos. Esta página lo intenta de nuevo por sí sola.",
    },
  },
};

export const words = { en, es }[language];
export type Trouble = keyof typeof en.troubles;
