/** A conversation as it is read: what the server has, then what still waits on this phone. */
import { refusal, shared } from "../words/shared";
import { dayAndTimeOf, dayName, dayOf } from "../words/times";
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
  /** By what it came where not by the web. */
  via: Message["via"];
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

// A line stays the same object while nothing about it changes: of thousands on the screen only the new are drawn.
const drawn = new WeakMap<Said, { line: Line; before: Line | undefined }>();

export function linesOf(messages: Said[], waiting: Outgoing[], reader: Reader, offline: boolean): Line[] {
  const mine = waiting.length ? messages.filter((message) => reader.isMine(message.sender)) : [];
  const there = new Set(mine.map((message) => message.client_msg_id));
  const lines: Line[] = [];
  for (const message of messages) lines.push(lineOf(message, reader, lines[lines.length - 1]));
  for (const one of waiting) {
    // Between its arrival and its removal from this device a message is at both places.
    if (!there.has(one.client_msg_id)) lines.push(waitingLine(one, offline, lines[lines.length - 1]));
  }
  return lines;
}

function lineOf(message: Said, reader: Reader, before: Line | undefined): Line {
  const role = roleName(message.sender, reader);
  const known = drawn.get(message);
  if (known && known.before === before && known.line.role === role) return known.line;
  const mine = reader.isMine(message.sender);
  const line: Line = {
    key: mine && message.kind === "message" ? message.client_msg_id : `${message.thread_id}.${message.seq}`,
    seq: message.seq,
    kind: message.kind,
    mine,
    name: message.sender.kind === "system" ? shared.system : message.sender.name,
    role,
    via: "via" in message ? message.via : null,
    body: message.event ? eventText(message) : message.body,
    at: message.created_at,
    begins: true,
    day: dayNameOf(message.created_at, before),
    state: "sent",
    why: "",
  };
  line.begins = !belongsTo(line, before);
  // The first of a page that was loaded has another before it now, and mostly looks as it did.
  const same =
    known && known.line.role === role && known.line.begins === line.begins && known.line.day === line.day;
  drawn.set(message, { line: same ? known.line : line, before });
  return same ? known.line : line;
}

function waitingLine(outgoing: Outgoing, offline: boolean, before: Line | undefined): Line {
  const line: Line = {
    key: outgoing.client_msg_id,
    seq: null,
    kind: "message",
    mine: true,
    name: "",
    role: "",
    via: null,
    body: outgoing.body,
    at: outgoing.written_at,
    begins: true,
    day: dayNameOf(outgoing.written_at, before),
    state: outgoing.refused ? "refused" : offline ? "waiting" : "sending",
    why: outgoing.refused ? refusal(outgoing.refused) : "",
    outgoing,
  };
  line.begins = !belongsTo(line, before);
  return line;
}

// Above the first line of a day.
const dayNameOf = (at: Line["at"], before: Line | undefined): string =>
  before && dayOf(before.at) === dayOf(at) ? "" : dayName(at);

function belongsTo(line: Line, before: Line | undefined): boolean {
  if (!before || line.day || line.kind !== "message" || before.kind !== "message") return false;
  const same = line.mine ? before.mine : before.name === line.name && before.role === line.role;
  return (
    same &&
    before.via === line.via &&
    new Date(line.at).getTime() - new Date(before.at).getTime() < TOGETHER_MS
  );
}

function roleName(sender: Sender, reader: Reader): string {
  if (sender.kind === "customer") return shared.customer;
  const role = sender.kind === "staff" ? reader.roleOf(sender) : null;
  return role ? shared.roles[role] : "";
}

function eventText({ event, sender, body }: Said): string {
  if (event!.type === "away") return shared.events.away(dayAndTimeOf(body));
  const names = event!.people.map((person) => person.name).join(", ");
  return shared.events[event!.type](sender.kind === "system" ? shared.system : sender.name, names);
}

/** Lines that are looked at together: of thousands only the stacks that have changed. */
export interface Stack {
  key: number;
  lines: Line[];
}

const STACK = 50;

/** A stack stays the same object while its lines do. */
export function stacker(): (lines: Line[]) => Stack[] {
  let before = new Map<number, Stack>();
  return (lines) => {
    const stacks = cut(lines).map((stack) => {
      const known = before.get(stack.key);
      return known && isSame(known.lines, stack.lines) ? known : stack;
    });
    before = new Map(stacks.map((stack) => [stack.key, stack]));
    return stacks;
  };
}

// By number, so that a page before the first one moves nothing. What waits belongs to the last.
function cut(lines: Line[]): Stack[] {
  const stacks: Stack[] = [];
  for (const line of lines) {
    const last = stacks[stacks.length - 1];
    const key = line.seq === null ? (last?.key ?? 0) : Math.floor(line.seq / STACK);
    if (last?.key === key) last.lines.push(line);
    else stacks.push({ key, lines: [line] });
  }
  return stacks;
}

const isSame = (one: Line[], other: Line[]) =>
  one.length === other.length && one.every((line, at) => line === other[at]);
