/** What is said where one looks what went out, and to whom. */
import { language } from "./language";

const en = {
  deliveries: "Deliveries",
  told: "Who was told by mail, text or notice",
  nobodyTold: "Nobody yet: whoever reads in time is not told.",
  channels: { email: "E-mail", sms: "Text messages", push: "Notices on devices" },
  by: { email: "by e-mail", sms: "by text message", push: "on their devices" },
  lastWorked: (when: string) => `Last went out ${when}`,
  neverWorked: "Nothing has gone out yet",
  waiting: (count: number) => `${count} waiting`,
  failed: (count: number) => `${count} failed`,
  again: (attempts: number, when: string) =>
    `${attempts === 1 ? "Tried once" : `Tried ${attempts} times`}, again at ${when}`,
  test: "Send me a test",
  tested: "A test is on its way. It stands at the top of the list.",
  nowhere: {
    email: "Your account has no e-mail address.",
    sms: "Your account does not say which number is yours.",
    push: "None of your devices shows notices yet.",
  },
  retry: "Try again",
  kinds: {
    invitation: "Chat link",
    notification: "New messages",
    test: "Test",
    escalation: "Waiting",
    away: "Office closed",
  },
  status: "Status",
  any: "All",
  none: "Nothing of that kind went out.",
  thread: (id: number) => `Thread ${id}`,
  job: (id: number) => `Job ${id}`,
};

const es: typeof en = {
  deliveries: "Envíos",
  told: "A quién se avisó por correo, mensaje o notificación",
  nobodyTold: "A nadie todavía: a quien lee a tiempo no se le avisa.",
  channels: { email: "Correo", sms: "Mensajes de texto", push: "Notificaciones en dispositivos" },
  by: { email: "por correo", sms: "por mensaje de texto", push: "en sus dispositivos" },
  lastWorked: (when) => `Último envío ${when}`,
  neverWorked: "Aún no ha salido nada",
  waiting: (count) => `${count} en espera`,
  failed: (count) => `${count} han fallado`,
  again: (attempts, when) =>
    `${attempts === 1 ? "Un intento" : `${attempts} intentos`}, el siguiente: ${when}`,
  test: "Enviarme una prueba",
  tested: "La prueba está en camino. Está al principio de la lista.",
  nowhere: {
    email: "Su cuenta no tiene correo.",
    sms: "Su cuenta no dice cuál es su número.",
    push: "Ninguno de sus dispositivos muestra notificaciones todavía.",
  },
  retry: "Reintentar",
  kinds: {
    invitation: "Enlace al chat",
    notification: "Mensajes nuevos",
    test: "Prueba",
    escalation: "En espera",
    away: "Oficina cerrada",
  },
  status: "Estado",
  any: "Todos",
  none: "No ha salido nada de ese tipo.",
  thread: (id) => `Hilo ${id}`,
  job: (id) => `Trabajo ${id}`,
};

export const deliveries = { en, es }[language];
