/** The audit trail in words: every action by its name, and what the server noted beside it. */
import type { AuditEntry } from "../shapes";
import { jobs } from "./jobs";
import { language } from "./language";
import { shared } from "./shared";
import { threads } from "./threads";
import { momentOf } from "./times";

// An action that is missing here, or is none, is a type error.
type Actions = Record<AuditEntry["action"], string>;

const en = {
  audit: "Audit",
  records: "Records",
  actor: "Who",
  anyone: "Anyone",
  nobody: "Nobody signed in",
  inactive: (name: string) => `${name} (deactivated)`,
  action: "What",
  anything: "Anything",
  job: "Job no.",
  thread: "Thread no.",
  clear: "Clear filters",
  none: "Nothing of that kind is in the audit trail.",
  customer: (name: string) => `${name} (customer)`,
  from: (ip: string, browser: string) => `${ip}${browser && ` · ${browser}`}`,
  subjects: {
    user: (id: number) => `Person ${id}`,
    customer: (id: number) => `Customer ${id}`,
    job: (id: number) => `Job ${id}`,
    thread: (id: number) => `Thread ${id}`,
    link: (id: number) => `Link ${id}`,
    delivery: (id: number) => `Delivery ${id}`,
  },
  actions: {
    signed_in: "Signed in",
    sign_in_failed: "Sign-in failed",
    signed_out: "Signed out",
    password_changed: "Password changed",
    user_created: "Account created",
    user_changed: "Account changed",
    role_changed: "Role changed",
    user_deactivated: "Account deactivated",
    user_reactivated: "Account reactivated",
    api_key_created: "API key created",
    api_key_revoked: "API key revoked",
    job_created: "Job created",
    job_changed: "Job changed",
    job_status_changed: "Job closed or reopened",
    customer_changed: "Customer changed",
    thread_created: "Thread opened",
    thread_closed: "Thread closed",
    thread_reopened: "Thread reopened",
    thread_claimed: "Waiting thread taken",
    claim_dropped: "Waiting thread given back",
    thread_escalated: "Told that a customer waits",
    participant_added: "Participant added",
    participant_removed: "Participant removed",
    link_created: "Chat link made",
    link_opened: "Chat link opened",
    link_refused: "Chat link refused",
    link_revoked: "Chat link revoked",
    link_renewed: "Chat link renewed for the customer",
    delivery_sent: "Link delivered",
    delivery_failed: "Link not delivered",
    delivery_confirmed: "Text confirmed by the provider",
    texts_stopped: "Text messages stopped",
    texts_started: "Text messages wanted again",
    text_unplaced: "Text from an unknown number",
    webhook_refused: "Forged webhook refused",
    mail_refused: "Answer by mail refused",
    backup_restored: "Restored from a backup",
  } satisfies Actions as Actions,
  facts: {
    email: (what: string) => what,
    role: (what: string) => `as ${what}`,
    reference: (what: string) => `reference ${what}`,
    visibility: (what: string) => what,
    participants: (what: string) => `with ${what}`,
    name: (what: string) => what,
    user_id: (what: string) => `(person ${what})`,
    changed: (what: string) => `changed: ${what}`,
    sent_by: (what: string) => (what ? `sent by ${what}` : "not sent"),
    hours: (what: string) => `valid for ${what}`,
    code: (what: string) => what,
    channel: (what: string) => `by ${what}`,
    link: (what: string) => `link ${what}`,
    attempts: (what: string) => (what === "1" ? "at the first attempt" : `after ${what} attempts`),
    error: (what: string) => what,
    taken_at: (what: string) => `copy of ${what}`,
    number: (what: string) => what,
    how: (what: string) => `by ${what}`,
    note: (what: string) => what,
    provider: (what: string) => what,
    level: (what: string): string => (what === "1" ? "dispatchers" : "admins"),
    told: (what: string) => what,
  },
  values: {
    title: "title",
    reference: "reference",
    scheduled_at: "schedule",
    external_id: "external number",
    assignees: "assigned people",
    name: "name",
    email: "e-mail",
    phone: "phone",
    sms: "SMS",
    keyword: "a word that was texted",
    provider: "the provider",
    staff: "staff",
    active: "active",
    closed: "closed",
    link_invalid: "unknown link",
    link_expired: "expired",
    link_revoked: "revoked",
    job_inactive: "the job is closed",
  } as Record<string, string>,
  hours: (count: number) => (count === 1 ? "1 hour" : `${count} hours`),
  nothing: "nothing",
};

const es: typeof en = {
  audit: "Auditoría",
  records: "Registros",
  actor: "Quién",
  anyone: "Cualquiera",
  nobody: "Nadie con sesión",
  inactive: (name) => `${name} (desactivada)`,
  action: "Qué",
  anything: "Cualquier cosa",
  job: "Trabajo n.º",
  thread: "Hilo n.º",
  clear: "Quitar filtros",
  none: "No hay nada así en la auditoría.",
  customer: (name) => `${name} (cliente)`,
  from: (ip, browser) => `${ip}${browser && ` · ${browser}`}`,
  subjects: {
    user: (id) => `Persona ${id}`,
    customer: (id) => `Cliente ${id}`,
    job: (id) => `Trabajo ${id}`,
    thread: (id) => `Hilo ${id}`,
    link: (id) => `Enlace ${id}`,
    delivery: (id) => `Envío ${id}`,
  },
  actions: {
    signed_in: "Entró",
    sign_in_failed: "Entrada fallida",
    signed_out: "Salió",
    password_changed: "Contraseña cambiada",
    user_created: "Cuenta creada",
    user_changed: "Cuenta cambiada",
    role_changed: "Función cambiada",
    user_deactivated: "Cuenta desactivada",
    user_reactivated: "Cuenta reactivada",
    api_key_created: "Clave de API creada",
    api_key_revoked: "Clave de API revocada",
    job_created: "Trabajo creado",
    job_changed: "Trabajo cambiado",
    job_status_changed: "Trabajo cerrado o reabierto",
    customer_changed: "Cliente cambiado",
    thread_created: "Hilo abierto",
    thread_closed: "Hilo cerrado",
    thread_reopened: "Hilo reabierto",
    thread_claimed: "Hilo en espera asumido",
    claim_dropped: "Hilo en espera devuelto",
    thread_escalated: "Aviso de que un cliente espera",
    participant_added: "Participante añadido",
    participant_removed: "Participante quitado",
    link_created: "Enlace al chat hecho",
    link_opened: "Enlace al chat abierto",
    link_refused: "Enlace al chat rechazado",
    link_revoked: "Enlace al chat revocado",
    link_renewed: "Enlace al chat renovado para el cliente",
    delivery_sent: "Enlace entregado",
    delivery_failed: "Enlace no entregado",
    delivery_confirmed: "SMS confirmado por el proveedor",
    texts_stopped: "SMS detenidos",
    texts_started: "SMS deseados de nuevo",
    text_unplaced: "SMS de un número desconocido",
    webhook_refused: "Webhook falsificado rechazado",
    mail_refused: "Respuesta por correo rechazada",
    backup_restored: "Restaurado de una copia",
  },
  facts: {
    email: (what) => what,
    role: (what) => `como ${what}`,
    reference: (what) => `referencia ${what}`,
    visibility: (what) => what,
    participants: (what) => `con ${what}`,
    name: (what) => what,
    user_id: (what) => `(persona ${what})`,
    changed: (what) => `cambió: ${what}`,
    sent_by: (what) => (what ? `enviado por ${what}` : "no enviado"),
    hours: (what) => `válido durante ${what}`,
    code: (what) => what,
    channel: (what) => `por ${what}`,
    link: (what) => `enlace ${what}`,
    attempts: (what) => (what === "1" ? "al primer intento" : `tras ${what} intentos`),
    error: (what) => what,
    taken_at: (what) => `copia de ${what}`,
    number: (what) => what,
    how: (what) => `por ${what}`,
    note: (what) => what,
    provider: (what) => what,
    level: (what) => (what === "1" ? "coordinación" : "administración"),
    told: (what) => what,
  },
  values: {
    title: "título",
    reference: "referencia",
    scheduled_at: "fecha",
    external_id: "número externo",
    assignees: "personas asignadas",
    name: "nombre",
    email: "correo",
    phone: "teléfono",
    sms: "SMS",
    keyword: "una palabra enviada",
    provider: "el proveedor",
    staff: "el personal",
    active: "activo",
    closed: "cerrado",
    link_invalid: "enlace desconocido",
    link_expired: "caducado",
    link_revoked: "revocado",
    job_inactive: "el trabajo está cerrado",
  },
  hours: (count) => (count === 1 ? "1 hora" : `${count} horas`),
  nothing: "nada",
};

export const audit = { en, es }[language];

/** Names of people by id, as far as they are known. */
export type Names = Map<number, string>;

/** What the server noted beside an action, one fact after another. */
export function detailsOf({ details }: AuditEntry, names: Names): string {
  const { before, after, ...others } = details as Record<string, unknown>;
  if ("name" in others) delete others.user_id; // it says the same
  const facts = Object.entries(others).map(([name, value]) => factOf(name, value, names));
  if (after !== undefined) facts.push(`${saidOf(before)} → ${saidOf(after)}`);
  return facts.join(" · ");
}

/** What it was about, where that is neither the actor nor told by the numbers of job and thread. */
export function subjectOf({ subject, actor }: AuditEntry, names: Names): string {
  if (!subject?.id || subject.kind === "job" || subject.kind === "thread") return "";
  if (subject.kind === "user" && actor.kind === "staff" && subject.id === actor.id) return "";
  if (subject.kind === "user") return names.get(subject.id) ?? audit.subjects.user(subject.id);
  const words = audit.subjects[subject.kind as keyof typeof audit.subjects];
  return words ? words(subject.id) : `${subject.kind} ${subject.id}`;
}

// A fact that has no words yet is shown as it is, rather than hidden.
function factOf(name: string, value: unknown, names: Names): string {
  const words = audit.facts[name as keyof typeof audit.facts];
  if (name === "participants" || name === "told")
    value = (value as number[]).map((id) => names.get(id) ?? id);
  if (name === "hours") value = durationOf(value as number);
  if (name === "taken_at") value = momentOf((value as number) / 1000);
  return words ? words(saidOf(value)) : `${name}: ${saidOf(value)}`;
}

const durationOf = (hours: number) => (hours % 24 ? audit.hours(hours) : jobs.days(hours / 24));

function saidOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(saidOf).join(", ");
  if (value === null || value === undefined) return audit.nothing;
  if (typeof value === "object") return JSON.stringify(value);
  return known.get(String(value)) ?? String(value);
}

const known = new Map<string, string>([
  ...Object.entries(audit.values),
  ...Object.entries(shared.roles),
  ["internal", threads.internal],
  ["customer_visible", threads.customerVisible],
]);
