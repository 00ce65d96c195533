/** A conversation as it is read: what the server has, then what still waits on this phone. */
import { refusal, shared } from "../words/shared";
import { dayName, dayOf } from "../words/times";
import type { Outgoing } from "../database";
import type { CustomerMessage, Message, Role } from "../shapes";

export interface Line {
  key: string;
  /** Null while the server has not numbered it. */
  seq: number | null;
  kind: "message" | "event";
  mine: boolean;
  name: string;
  role: string;
  body: string;
  at: string | number;
  /** Under a name and a time of its own, or still part of what the same person said just before. */
  begins: boolean;
  /** The name of the day, above its first line. */
  day: string;
  state: "sent" | "sending" | "waiting" | "refused";
  why: string;
  outgoing?: Outgoing;
}

type Said = Message | CustomerMessage;
type Sender = Said["sender"];

/** One's own side of it: who one is, and what one knows of the others. */
export interface Reader {
  isMine: (sender: Sender) => boolean;
  roleOf: (sender: Sender) => Role | null;
}

const TOGETHER_MS = 5 * 60_000;

export function linesOf(messages: Said[], waiting: Outgoing[], reader: Reader, offline: boolean): Line[] {
  const there = new Set(messages.filter((m) => reader.isMine(m.sender)).map((m) => m.client_msg_id));
  const lines = [
    ...messages.map((message) => lineOf(message, reader)),
    // Between its arrival and its removal from this phone a message is at both places.
    ...waiting.filter((one) => !there.has(one.client_msg_id)).map((one) => waitingLine(one, offline)),
  ];
  lines.forEach((line, at) => arrange(line, lines[at - 1]));
  return lines;
}

function lineOf(message: Said, reader: Reader): Line {
  const mine = reader.isMine(message.sender);
  const role = message.sender.kind === "staff" ? reader.roleOf(message.sender) : null;
  return {
    key: mine && message.kind === "message" ? message.client_msg_id : `${message.thread_id}.${message.seq}`,
    seq: message.seq,
    kind: message.kind,
    mine,
    name: message.sender.kind === "system" ? shared.system : message.sender.name,
    role: message.sender.kind === "customer" ? shared.customer : role ? shared.roles[role] : "",
    body: message.event ? eventText(message) : message.body,
    at: message.created_at,
    begins: true,
    day: "",
    state: "sent",
    why: "",
  };
}

function waitingLine(outgoing: Outgoing, offline: boolean): Line {
  return {
    key: outgoing.client_msg_id,
    seq: null,
    kind: "message",
    mine: true,
    name: "",
    role: "",
    body: outgoing.body,
    at: outgoing.written_at,
    begins: true,
    day: "",
    state: outgoing.refused ? "refused" : offline ? "waiting" : "sending",
    why: outgoing.refused ? refusal(outgoing.refused) : "",
    outgoing,
  };
}

function arrange(line: Line, before: Line | undefined) {
  if (!before || dayOf(before.at) !== dayOf(line.at)) line.day = dayName(line.at);
  else if (line.kind === "message" && before.kind === "message") line.begins = !belongsTo(line, before);
}

function belongsTo(line: Line, before: Line): boolean {
  const same = line.mine ? before.mine : before.name === line.name && before.role === line.role;
  return same && new Date(line.at).getTime() - new Date(before.at).getTime() < TOGETHER_MS;
}

function eventText({ event, sender }: Said): string {
  const names = event!.people.map((person) => person.name).join(", ");
  return shared.events[event!.type](sender.kind === "system" ? shared.system : sender.name, names);
}
